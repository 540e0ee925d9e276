package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"trento/store"
	"trento/store/activity"
)

// withFactor gives a user a second factor and returns its secret.
func (f fixture) withFactor(user *store.User) string {
	f.t.Helper()
	id := &Identity{User: user, Via: ViaSession}
	offered, err := f.BeginTOTP(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.ConfirmTOTP(f.t.Context(), id, f.codeOf(offered.Secret)); err != nil {
		f.t.Fatal(err)
	}
	return offered.Secret
}

// codeOf returns the code that an authenticator app shows now.
func (f fixture) codeOf(secret string) string {
	f.t.Helper()
	code, err := totp.GenerateCode(secret, f.clock.now)
	if err != nil {
		f.t.Fatal(err)
	}
	return code
}

// halfIn signs in with name and password, and returns the cookie of the pending
// sign-in.
func (f fixture) halfIn(username string) *http.Cookie {
	f.t.Helper()
	w := httptest.NewRecorder()
	if err := f.SignInWithPassword(w, get("/session"), username, cheapPassword); !errors.Is(err, ErrCodeMissing) {
		f.t.Fatalf("SignInWithPassword() = %v", err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].Path != "/session" {
		f.t.Fatalf("cookies %v", cookies)
	}
	return cookies[0]
}

func TestSecondStep(t *testing.T) {
	f := newFixture(t)
	secret := f.withFactor(f.user("ann"))
	cookie := f.halfIn(" Ann ")
	if f.identify(withCookie(get("/"), cookie)) != nil {
		t.Fatal("who is waiting for its code is in")
	}
	if user, err := f.PendingSignIn(withCookie(get("/"), cookie)); err != nil || user.Username != "ann" {
		t.Fatalf("PendingSignIn() = %v, %v", user, err)
	}

	w := httptest.NewRecorder()
	if err := f.SignInWithCode(w, withCookie(get("/"), cookie), f.codeOf(secret)); !errors.Is(err, ErrCredentials) {
		t.Errorf("with the code that has enabled the factor: %v", err)
	}
	if err := f.SignInWithCode(w, withCookie(get("/"), cookie), "000000"); !errors.Is(err, ErrCredentials) {
		t.Errorf("with a wrong code: %v", err)
	}
	f.clock.now = f.clock.now.Add(totpPeriod * time.Second)
	if err := f.SignInWithCode(w, withCookie(get("/"), cookie), f.codeOf(secret)); err != nil {
		t.Fatalf("with the right code: %v", err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 3 || cookies[1].MaxAge >= 0 || cookies[2].Name != deviceCookie {
		t.Fatalf("cookies %v", cookies)
	}
	if f.identify(withCookie(get("/"), cookies[0])) == nil {
		t.Error("nobody is signed in")
	}
	if err := f.SignInWithCode(httptest.NewRecorder(), withCookie(get("/"), cookie), f.codeOf(secret)); !errors.Is(err, ErrCredentials) {
		t.Errorf("with a code that was used: %v", err)
	}
}

// If two browsers send the same code at the same moment, one is signed in, and
// the other is logged as one failed sign-in.
func TestSecondStepRace(t *testing.T) {
	f := newFixture(t)
	secret := f.withFactor(f.user("ann"))
	cookie := f.halfIn("ann")
	f.clock.now = f.clock.now.Add(totpPeriod * time.Second)
	code := f.codeOf(secret)
	var both sync.WaitGroup
	var in atomic.Int32
	for range 2 {
		both.Go(func() {
			err := f.SignInWithCode(httptest.NewRecorder(), withCookie(get("/"), cookie), code)
			if err == nil {
				in.Add(1)
			} else if !errors.Is(err, ErrCredentials) {
				t.Error(err)
			}
		})
	}
	both.Wait()
	failed := 0
	err := f.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, ^activity.Position(0)) {
			if err != nil {
				return err
			}
			if e.Type == activity.TypeLoginAttempt && e.Severity == activity.Warning {
				failed++
			}
		}
		return nil
	})
	if err != nil || in.Load() != 1 || failed != 1 {
		t.Errorf("%d got in, %d failed sign-ins in the log: %v", in.Load(), failed, err)
	}
}

// A pending sign-in ends when the password that was checked is no longer valid.
func TestPendingSignInEnds(t *testing.T) {
	for name, end := range map[string]func(f fixture, user *store.User){
		"after five minutes": func(f fixture, _ *store.User) { f.clock.now = f.clock.now.Add(pendingSignInLifetime) },
		"disabled":           func(f fixture, user *store.User) { f.disable(user) },
		"another password": func(f fixture, user *store.User) {
			hash := "other"
			if _, err := f.store.ChangeUser(f.t.Context(), store.System(), user.ID, f.named("ann").LockVersion, store.UserChange{PasswordHash: &hash}); err != nil {
				f.t.Fatal(err)
			}
		},
		"no second factor any more": func(f fixture, user *store.User) {
			if err := f.store.DisableTOTP(f.t.Context(), store.System(), user.ID); err != nil {
				f.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			user := f.user("ann")
			f.withFactor(user)
			cookie := f.halfIn("ann")
			if _, err := f.PendingSignIn(withCookie(get("/"), cookie)); err != nil {
				t.Fatal(err)
			}
			end(f, user)
			if _, err := f.PendingSignIn(withCookie(get("/"), cookie)); !errors.Is(err, ErrSignedOut) {
				t.Errorf("PendingSignIn() = %v", err)
			}
		})
	}
}

func TestPendingSignInForged(t *testing.T) {
	f := newFixture(t)
	f.withFactor(f.user("ann"))
	cookie := f.halfIn("ann")
	session := f.signInConsole(get("/"), f.user("bob"))
	for name, value := range map[string]string{"nothing": "", "no cookie of ours": "AAAA", "changed": cookie.Value[:len(cookie.Value)-4] + "AAAA", "of a session": session.Value} {
		forged := &http.Cookie{Name: pendingSignInCookie, Value: value}
		if _, err := f.PendingSignIn(withCookie(get("/"), forged)); !errors.Is(err, ErrSignedOut) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.identify(withCookie(get("/"), &http.Cookie{Name: cookieName, Value: cookie.Value})) != nil {
		t.Error("the cookie of who is waiting for its code passes for a session")
	}
}

func TestSignInWithPassword(t *testing.T) {
	f := newFixture(t)
	f.user("ann")
	w := httptest.NewRecorder()
	if err := f.SignInWithPassword(w, get("/session"), "ann", "wrong"); !errors.Is(err, ErrCredentials) || len(w.Result().Cookies()) > 0 {
		t.Errorf("wrong password: %v, %v", err, w.Result().Cookies())
	}
	w = httptest.NewRecorder()
	if err := f.SignInWithPassword(w, get("/session"), "ann", cheapPassword); err != nil {
		t.Fatal(err)
	}
	if f.identify(withCookie(get("/"), w.Result().Cookies()[0])) == nil {
		t.Error("nobody is signed in")
	}
}
