package auth

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"trento/store"
	"trento/store/storetest"
)

// clock is the time of a test.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newClock() *clock { return &clock{time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)} }

var testSecrets = Secrets{
	Base:    []byte(strings.Repeat("b", 48)),
	Access:  []byte(strings.Repeat("a", 48)),
	Refresh: []byte(strings.Repeat("r", 48)),
}

// cheapHash is a hash of "geheim-geheim" that is quick to compute. Signing in
// with it also shows that the parameters in the stored hash are used.
const cheapHash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$e9RyrJG0cifI9dXj2dlwPVcnO3FEaK9+V3d4FU7AP4w"

// cheapCost is the cost of cheapHash. It makes tests fast.
var cheapCost = HashCost{Iterations: 1, Memory: 64, Parallelism: 1}

const cheapPassword = "geheim-geheim"

// fixture is an Auth over a real store, with a clock of its own.
type fixture struct {
	*Auth
	t     *testing.T
	clock *clock
	store *store.Store
}

func newFixture(t *testing.T, change ...func(*Options)) fixture {
	t.Helper()
	c := newClock()
	s := storetest.OpenAt(t, c.Now)
	o := Options{Store: s, Secrets: testSecrets, SessionLifetime: 6 * time.Hour, EnableAPIKey: true, HashCost: cheapCost}
	for _, f := range change {
		f(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{a, t, c, s}
}

// proofOf returns the proof of a user who has given the right password.
func proofOf(u *store.User) *Proof { return &Proof{User: u, Method: store.MethodPassword} }

// user creates a user with the abilities and the password cheapPassword.
func (f fixture) user(name string, abilities ...int) *store.User {
	f.t.Helper()
	u, err := f.store.CreateUser(f.t.Context(), store.System(), store.NewUser{
		Username: name, Fullname: name, Email: name + "@example.com", PasswordHash: cheapHash, Abilities: abilities, Enabled: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f fixture) disable(u *store.User) {
	f.t.Helper()
	storetest.Disable(f.t, f.store, u.ID)
}

// identify sends a request through Identify and returns the identity behind it.
func (f fixture) identify(r *http.Request) *Identity {
	f.t.Helper()
	var id *Identity
	called := false
	f.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		id = From(r.Context())
		if err := f.Permit(r, SignedIn, InSets("read_only"), ""); (err == nil) != (id != nil) {
			f.t.Errorf("Permit(SignedIn) = %v, From() = %v", err, id)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
	if !called {
		f.t.Fatal("Identify refused the request")
	}
	return id
}

func get(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

func withHeader(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func TestNewRefusesBadSecrets(t *testing.T) {
	s := storetest.Open(t)
	for name, change := range map[string]func(*Options){
		"short base":  func(o *Options) { o.Secrets.Base = o.Secrets.Base[:31] },
		"no access":   func(o *Options) { o.Secrets.Access = nil },
		"no refresh":  func(o *Options) { o.Secrets.Refresh = nil },
		"same":        func(o *Options) { o.Secrets.Refresh = o.Secrets.Access },
		"no lifetime": func(o *Options) { o.SessionLifetime = 0 },
	} {
		o := Options{Store: s, Secrets: testSecrets, SessionLifetime: time.Hour}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: New() = nil error", name)
		}
	}
}

// Every demand against every kind of caller.
func TestPermit(t *testing.T) {
	f := newFixture(t)
	callers := map[string]string{"nobody": ""}
	for name, abilities := range map[string][]int{
		"plain": nil, "admin": {abilityAll}, "manager": {2}, "operator": {abilityOperations}, "starter": {29},
	} {
		tokens, err := f.SignInAPI(get("/"), proofOf(f.user(name, abilities...)))
		if err != nil {
			t.Fatal(err)
		}
		callers[name] = tokens.Access
	}
	key := f.apiKeyText()
	tests := []struct {
		need                                                    Access
		nobody, plain, admin, manager, operator, starter, agent error
	}{
		{Public, nil, nil, nil, nil, nil, nil, nil},
		{SignedIn, ErrSignedOut, nil, nil, nil, nil, nil, ErrSignedOut},
		{Agent, ErrSignedOut, ErrSignedOut, ErrSignedOut, ErrSignedOut, ErrSignedOut, ErrSignedOut, nil},
		{Needs("all:users"), ErrSignedOut, ErrForbidden, nil, nil, ErrForbidden, ErrForbidden, ErrSignedOut},
		{Needs("all:all"), ErrSignedOut, ErrForbidden, nil, ErrForbidden, ErrForbidden, ErrForbidden, ErrSignedOut},
		{Needs("start:database"), ErrSignedOut, ErrForbidden, nil, ErrForbidden, nil, nil, ErrSignedOut},
		{Needs("stop:database"), ErrSignedOut, ErrForbidden, nil, ErrForbidden, nil, ErrForbidden, ErrSignedOut},
		{Needs("all:check_customization"), ErrSignedOut, ErrForbidden, nil, ErrForbidden, ErrForbidden, ErrForbidden, ErrSignedOut},
		{Needs("all:alerting_settings"), ErrSignedOut, ErrForbidden, nil, ErrForbidden, ErrForbidden, ErrForbidden, ErrSignedOut},
		{Access(0), ErrSignedOut, ErrForbidden, ErrForbidden, ErrForbidden, ErrForbidden, ErrForbidden, ErrSignedOut},
	}
	for _, test := range tests {
		for caller, want := range map[string]error{
			"nobody": test.nobody, "plain": test.plain, "admin": test.admin, "manager": test.manager,
			"operator": test.operator, "starter": test.starter, "agent": test.agent,
		} {
			r := get("/")
			if caller == "agent" {
				r.Header.Set("x-trento-APIKEY", key)
			} else if token := callers[caller]; token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			f.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if got := f.Permit(r, test.need, TokenRule{}, ""); !errors.Is(got, want) {
					t.Errorf("Permit(%v) of %s = %v, want %v", test.need, caller, got, want)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
		}
	}
}

// Without Identify before it, Permit refuses everybody.
func TestPermitWithoutIdentify(t *testing.T) {
	f := newFixture(t)
	if err := f.Permit(get("/"), SignedIn, TokenRule{}, ""); !errors.Is(err, ErrSignedOut) {
		t.Errorf("Permit() = %v", err)
	}
}

// If the store fails, the answer is an internal error and not 401.
func TestPermitReportsFaults(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Store = s })
	f.store = s
	tokens, err := f.SignInAPI(get("/"), proofOf(f.user("ann")))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := withHeader(get("/"), "Authorization", "Bearer "+tokens.Access)
	f.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := f.Permit(r, Public, TokenRule{}, ""); err != nil {
			t.Errorf("Permit(Public) = %v", err)
		}
		for _, need := range []Access{SignedIn, Agent, Needs("all:users")} {
			if err := f.Permit(r, need, TokenRule{}, ""); err == nil || errors.Is(err, ErrSignedOut) || errors.Is(err, ErrForbidden) {
				t.Errorf("Permit(%v) = %v, want the fault", need, err)
			}
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestIdentityOfNobody(t *testing.T) {
	var nobody *Identity
	if !nobody.May(Public) || nobody.May(SignedIn) || nobody.May(Agent) || nobody.Can("all:users") {
		t.Error("nobody may more than what is public")
	}
	if From(context.Background()) != nil {
		t.Error("From() of an empty context is somebody")
	}
}

func TestIdentityActor(t *testing.T) {
	f := newFixture(t)
	id := &Identity{User: f.user("ann")}
	if got := id.Actor(); got.Name != "ann" {
		t.Errorf("Actor() = %v", got)
	}
}

// BenchmarkIdentify measures the time that every request needs for
// identification.
func BenchmarkIdentify(b *testing.B) {
	s := storetest.Open(b)
	a, err := New(Options{Store: s, Secrets: testSecrets, SessionLifetime: time.Hour, EnableAPIKey: true, Operations: someOperations()})
	if err != nil {
		b.Fatal(err)
	}
	user, err := s.CreateUser(b.Context(), store.System(), store.NewUser{Username: "ann", Fullname: "Ann", Email: "a@example.com", Enabled: true})
	if err != nil {
		b.Fatal(err)
	}
	tokens, err := a.SignInAPI(get("/"), proofOf(user))
	if err != nil {
		b.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := a.SignInConsole(w, get("/"), proofOf(user)); err != nil {
		b.Fatal(err)
	}
	cookie := w.Result().Cookies()[0]
	handler := a.Identify(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := a.Permit(r, SignedIn, InSets("read_only"), "GET /api/v1/hosts"); err != nil {
			b.Error(err)
		}
	}))
	_, text, err := a.CreateToken(b.Context(), &Identity{User: user}, NewToken{Name: "ci", Scopes: []string{"read_only", "GET /api/v1/hosts"}})
	if err != nil {
		b.Fatal(err)
	}
	withToken := withHeader(get("/"), "Authorization", "Bearer "+tokens.Access)
	withPersonalToken := withHeader(get("/api/v1/hosts"), "Authorization", "Bearer "+text)
	withCookie := get("/")
	withCookie.AddCookie(cookie)
	for name, request := range map[string]*http.Request{"token": withToken, "cookie": withCookie, "personal token": withPersonalToken} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := *request // a request remembers what was found out about it
				handler.ServeHTTP(w, &r)
			}
		})
	}
	// All slots for hashing are taken, and other passwords wait.
	b.Run("cookie in a flood of sign-ins", func(b *testing.B) {
		ctx, stop := context.WithCancel(b.Context())
		var flood sync.WaitGroup
		for range maxConcurrentHashes + maxWaitingHashes {
			flood.Go(func() {
				for ctx.Err() == nil {
					a.hasher.matches(ctx, "x", a.hasher.dummyHash, false)
				}
			})
		}
		for b.Loop() {
			r := *withCookie
			handler.ServeHTTP(w, &r)
		}
		b.StopTimer()
		stop()
		flood.Wait()
	})
	b.Run("agent", func(b *testing.B) {
		var key *store.APIKey
		if err := s.View(func(tx *store.Tx) (err error) { key, err = tx.APIKey(); return err }); err != nil {
			b.Fatal(err)
		}
		text := a.APIKeyText(key)
		for b.Loop() {
			if err := a.CheckAPIKey(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCheckPassword measures the time of a sign-in before anything is
// written.
func BenchmarkCheckPassword(b *testing.B) {
	s := storetest.Open(b)
	a, err := New(Options{Store: s, Secrets: testSecrets, SessionLifetime: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	hash, err := a.HashPassword(b.Context(), cheapPassword)
	if err != nil {
		b.Fatal(err)
	}
	_, err = s.CreateUser(b.Context(), store.System(), store.NewUser{Username: "ann", Fullname: "Ann", Email: "a@example.com", PasswordHash: hash, Enabled: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.CheckPassword(b.Context(), Credentials{Username: "ann", Password: cheapPassword}, someAddress); err != nil {
			b.Fatal(err)
		}
	}
}

var someAddress = netip.MustParseAddr("192.0.2.1")

func newTextLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
