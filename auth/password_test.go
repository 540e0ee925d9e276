package auth

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"

	"trento/store"
	"trento/store/activity"
)

func TestCheckPasswordRules(t *testing.T) {
	const (
		short      = "should be at least 8 character(s)"
		long       = "should be at most 4096 character(s)"
		repetitive = "has repetitive characters"
		sequential = "has sequential characters"
	)
	many := strings.Repeat("a1", 2048)
	tests := []struct {
		password string
		want     []string
	}{
		{"secret1223", nil},
		{"secret1222", []string{repetitive}},
		{"secret1235", nil},
		{"secret1234", []string{sequential}},
		{"secretafgh", nil},
		{"secretefgh", []string{sequential}},
		{"dcba4321", nil},
		{"Xy7890ab", []string{sequential}},
		{"aBcDeFgH", nil},
		{"weakpwd", []string{short}},
		{"Xy8901ab", nil},
		{"aaa1234", []string{short, repetitive, sequential}},
		{"P@ss!!!w0rd", nil},
		{"ABCDxyzq", []string{sequential}},

		{"", []string{short}},
		{"aAa-bBb-", nil},
		{"aaAAaa11", nil},
		{"wxyzXXyy", []string{sequential}},
		{"xyzaXXyy", nil},
		{"AbCd0123", []string{sequential}},
		{"0000-abc", []string{repetitive}},
		{"ßßß-1-ab", []string{repetitive}},
		{"٣٣٣-1-ab", []string{repetitive}},                   // three Arabic digits
		{"e\u0301e\u0301e\u0301-1-ab", []string{repetitive}}, // three é of two code points each
		{"e\u0301ee\u0301-1-ab", nil},                        // é and e are different letters
		{"👩‍💻👩‍💻👩‍💻👍🏽👍🏽👍🏽🇩🇪🇩🇪", nil},                                           // eight pictures of many code points
		{"👩‍💻👩‍💻👩‍💻👍🏽👍🏽👍🏽🇩🇪", []string{short}},                                 // seven
		{"a\u0300b\u0300c\u0300d\u0300e\u0300f\u0300g\u0300", []string{short}}, // seven letters with accents
		{"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", nil},
		{many, nil},
		{many + "b", []string{long}},
		{strings.Repeat("e\u0301x", 2048), nil},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, CheckPasswordRules(test.password)); diff != "" {
			t.Errorf("%.20q (-want +got):\n%s", test.password, diff)
		}
	}
}

// Generated passwords follow the rules, and every character is equally likely.
func TestGeneratePassword(t *testing.T) {
	const rounds = 2000
	count := map[rune]int{}
	seen := map[string]bool{}
	for range rounds {
		password := GeneratePassword()
		if broken := CheckPasswordRules(password); len(broken) > 0 || len(password) != 16 || seen[password] {
			t.Fatalf("%q: %v", password, broken)
		}
		seen[password] = true
		for _, c := range password {
			count[c]++
		}
	}
	expected := float64(rounds*generatedPasswordLength) / float64(len(generatedPasswordAlphabet))
	for _, c := range generatedPasswordAlphabet {
		// Eight standard deviations cannot happen by chance.
		if d := float64(count[c]) - expected; d*d > 64*expected {
			t.Errorf("%q occurs %d times, about %.0f are expected", c, count[c], expected)
		}
	}
	if len(count) != len(generatedPasswordAlphabet) {
		t.Errorf("%d different characters occur, want %d", len(count), len(generatedPasswordAlphabet))
	}
}

func TestHashPassword(t *testing.T) {
	f := newFixture(t)
	hash, err := f.HashPassword(t.Context(), "korrekt-pferd")
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.HashPassword(t.Context(), "korrekt-pferd")
	if err != nil || again == hash {
		t.Errorf("the same password hashes to the same text, %v", err)
	}
	for password, want := range map[string]bool{"korrekt-pferd": true, "korrekt-pferd ": false, "": false} {
		if match, err := f.hasher.matches(t.Context(), password, hash, false); match != want || err != nil {
			t.Errorf("%q matches: %v, %v", password, match, err)
		}
	}
	if _, err := f.hasher.matches(t.Context(), "x", "$argon2i$damaged", false); err == nil {
		t.Error("a damaged hash is compared with")
	}
}

// This hash has the cost of production.
func TestHashParameters(t *testing.T) {
	t.Parallel()
	hash, err := newHasher(HashCost{}).hash(t.Context(), "korrekt-pferd")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("hash is %q, %v", hash, err)
	}
}

// The dummy costs what a real hash costs.
func TestDummyHash(t *testing.T) {
	for _, cost := range []HashCost{{}, cheapCost} {
		h := newHasher(cost)
		params, _, _, err := argon2id.DecodeHash(h.dummyHash)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h.params, params); diff != "" {
			t.Errorf("parameters (-real +dummy):\n%s", diff)
		}
	}
}

func TestHasherIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(HashCost{})
		release := make(chan struct{})
		var running, most atomic.Int32
		compute := func() error {
			now := running.Add(1)
			if now > most.Load() {
				most.Store(now)
			}
			<-release
			running.Add(-1)
			return nil
		}
		var all sync.WaitGroup
		for range maxConcurrentHashes + maxWaitingHashes {
			all.Go(func() {
				if err := h.runInTurn(t.Context(), h.unknownQueue, compute); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := h.runInTurn(t.Context(), h.unknownQueue, compute); !errors.Is(err, ErrBusy) {
			t.Errorf("one too many: %v, want ErrBusy", err)
		}
		all.Go(func() {
			if err := h.runInTurn(t.Context(), h.knownQueue, compute); err != nil {
				t.Errorf("somebody who is known finds no place beside the strangers: %v", err)
			}
		})
		synctest.Wait()
		close(release)
		all.Wait()
		if most.Load() != maxConcurrentHashes {
			t.Errorf("%d were computed at once, want %d", most.Load(), maxConcurrentHashes)
		}
	})
}

func TestHasherHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(HashCost{})
		release := make(chan struct{})
		for range maxConcurrentHashes {
			go h.runInTurn(t.Context(), h.unknownQueue, func() error { <-release; return nil })
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- h.runInTurn(ctx, h.unknownQueue, func() error { t.Error("computed for nobody"); return nil })
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("do() = %v", err)
		}
		close(release)
		synctest.Wait()
		if len(h.unknownQueue) != 0 || len(h.computeSlots) != 0 {
			t.Error("a place is lost")
		}
	})
}

// Only two passwords are hashed at a time. Some more wait, and the rest is
// refused. Users who are signed in are not slowed down by that.
func TestFloodOfSignInsStarvesNobody(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	cookie, tokens, key := f.signInConsole(get("/"), ann), f.signInAPI(ann), f.apiKeyText()
	held, hashing := make(chan struct{}), make(chan struct{})
	var flood sync.WaitGroup
	for range maxConcurrentHashes + maxWaitingHashes {
		flood.Go(func() {
			if err := f.hasher.runInTurn(t.Context(), f.hasher.unknownQueue, func() error { hashing <- struct{}{}; <-held; return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxConcurrentHashes {
		<-hashing
	}
	for len(f.hasher.unknownQueue) < cap(f.hasher.unknownQueue) {
		runtime.Gosched()
	}
	select {
	case <-hashing:
		t.Error("more passwords are being hashed than may be")
	default:
	}
	before := f.newest()
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); !errors.Is(err, ErrBusy) || f.newest() != before {
		t.Errorf("one sign-in too many: %v", err)
	}
	if f.identify(withCookie(get("/"), cookie)) == nil || f.identify(withHeader(get("/"), "Authorization", "Bearer "+tokens.Access)) == nil {
		t.Error("those who are signed in are not known")
	}
	if err := f.CheckAPIKey(key); err != nil {
		t.Errorf("agents: %v", err)
	}
	if _, err := f.Refresh(t.Context(), tokens.Refresh); err != nil {
		t.Errorf("refresh: %v", err)
	}
	go func() {
		for range hashing { // the ones that waited
		}
	}()
	close(held)
	flood.Wait()
	close(hashing)
	if _, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); err != nil {
		t.Errorf("after the flood: %v", err)
	}
}

func TestCheckPassword(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	f.disable(f.user("bob"))
	if _, err := f.store.CreateUser(t.Context(), store.System(), store.NewUser{Username: "sso", Fullname: "S", Email: "s@example.com", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, username, password string
		want                     bool
	}{
		{"right", "ann", cheapPassword, true},
		{"right, other case", " Ann ", cheapPassword, true},
		{"wrong", "ann", "wrong", false},
		{"empty", "ann", "", false},
		{"unknown", "nobody", cheapPassword, false},
		{"no name", "", cheapPassword, false},
		{"disabled", "bob", cheapPassword, false},
		{"without a password", "sso", cheapPassword, false},
		{"without a password, empty", "sso", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := f.newest()
			proof, err := f.CheckPassword(t.Context(), Credentials{Username: test.username, Password: test.password}, someAddress)
			if test.want {
				if err != nil || proof.User.ID != ann.ID || proof.Method != store.MethodPassword || proof.CodeAt != nil {
					t.Errorf("CheckPassword() = %v, %v", proof, err)
				}
				if f.newest() != before {
					t.Error("a password that is right is not yet a sign-in, but is logged")
				}
				return
			}
			if !errors.Is(err, ErrCredentials) || proof != nil || err.Error() != ErrCredentials.Error() {
				t.Errorf("CheckPassword() = %v, %v, want ErrCredentials and no more", proof, err)
			}
			entry := f.entry()
			wantActor := strings.ToLower(test.username)
			if wantActor == "" {
				wantActor = activity.NoUsername
			}
			if entry.Type != activity.TypeLoginAttempt || entry.Actor != wantActor || entry.Severity != activity.Warning {
				t.Errorf("the log says %+v", entry)
			}
		})
	}
}

func (f fixture) newest() (p activity.Position) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) error { p = tx.Newest(); return nil }); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// entry is the newest entry of the activity log.
func (f fixture) entry() (entry *activity.Entry) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) { entry, err = tx.Entry(tx.Newest()); return err }); err != nil {
		f.t.Fatal(err)
	}
	return entry
}

// Slowing down changes only the time of an answer, and does not affect other
// addresses.
func TestCheckPasswordSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Now = time.Now })
		f.user("ann")
		guess := func(password string, address string) (time.Duration, error) {
			start := time.Now()
			_, err := f.CheckPassword(t.Context(), Credentials{Username: "ann", Password: password}, parsePeer(address))
			return time.Since(start), err
		}
		for i := range 60 {
			want := 8 * time.Second
			if i < 6 {
				want = []time.Duration{0, 0, 0, 1, 2, 4}[i] * time.Second
			}
			took, err := guess("wrong", "192.0.2.1")
			if took != want || !errors.Is(err, ErrCredentials) {
				t.Fatalf("guess %d took %v: %v; want %v and ErrCredentials", i+1, took, err, want)
			}
		}
		if took, err := guess(cheapPassword, "192.0.2.2"); err != nil || took != 0 {
			t.Errorf("from elsewhere it took %v: %v", took, err)
		}
		// The right password is accepted after any number of failures.
		if took, err := guess(cheapPassword, "192.0.2.1"); err != nil || took != 8*time.Second {
			t.Errorf("the right password after 60 failures took %v: %v", took, err)
		}
		if took, err := guess("wrong", "192.0.2.1"); took != 0 || !errors.Is(err, ErrCredentials) {
			t.Errorf("after a success, a mistake took %v: %v", took, err)
		}
	})
}

func TestCheckPasswordHonoursContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := f.newest()
	if _, err := f.CheckPassword(ctx, Credentials{Username: "ann", Password: "x"}, someAddress); !errors.Is(err, context.Canceled) {
		t.Errorf("CheckPassword() = %v", err)
	}
	if f.newest() != before {
		t.Error("an attempt that never was is in the log")
	}
}

// A failed sign-in is logged even if the client closes the connection before
// the answer.
func TestSignInFailedIsLoggedForTheGone(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.logFailedSignIn(ctx, "ann"); !errors.Is(err, ErrCredentials) || f.entry().Actor != "ann" {
		t.Errorf("logFailedSignIn() = %v", err)
	}
}

// A right password that nobody looked at must not be called wrong.
func TestManySignInsOfOneName(t *testing.T) {
	f := newFixture(t)
	f.user("ann")
	var others []*attempt
	for range passwordRule().maxPending {
		other, err := f.limiter.beginAttempt(t.Context(), guesses("ann", someAddress)...)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, other)
	}
	before := f.newest()
	credentials := Credentials{Username: "ann", Password: cheapPassword}
	if _, err := f.CheckPassword(t.Context(), credentials, someAddress); !errors.Is(err, ErrBusy) || f.newest() != before {
		t.Errorf("while others are under way: %v, %d entries more", err, f.newest()-before)
	}
	for _, other := range others {
		other.recordOutcome(outcomeSucceeded)
	}
	if _, err := f.CheckPassword(t.Context(), credentials, someAddress); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
