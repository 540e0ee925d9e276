package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"

	"trento/store"
)

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// signInConsole signs in with the request and returns the cookie.
func (f fixture) signInConsole(r *http.Request, user *store.User) *http.Cookie {
	f.t.Helper()
	w := httptest.NewRecorder()
	if err := f.SignInConsole(w, r, proofOf(user)); err != nil {
		f.t.Fatal(err)
	}
	return onlyCookie(f.t, w)
}

func onlyCookie(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies are set", len(cookies))
	}
	return cookies[0]
}

func withCookie(r *http.Request, cookie *http.Cookie) *http.Request {
	r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	return r
}

func overTLS(r *http.Request) *http.Request {
	r.TLS = &tls.ConnectionState{}
	return r
}

func TestConsoleCookie(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	plain := f.signInConsole(get("/"), ann)
	secure := f.signInConsole(overTLS(get("/")), ann)
	for _, c := range []*http.Cookie{plain, secure} {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 6*60*60 {
			t.Errorf("cookie is %v", c)
		}
	}
	if plain.Secure || plain.Name != "trento-session" {
		t.Errorf("over HTTP the cookie is %v", plain)
	}
	if !secure.Secure || secure.Name != "__Host-trento-session" {
		t.Errorf("over HTTPS the cookie is %v", secure)
	}

	id := f.identify(withCookie(get("/"), plain))
	if id == nil || id.User.ID != ann.ID || id.Via != ViaSession || id.SessionHash == [32]byte{} {
		t.Errorf("identity is %+v", id)
	}
	if f.identify(withCookie(overTLS(get("/")), secure)) == nil {
		t.Error("the cookie of HTTPS is refused")
	}
	if f.identify(withCookie(overTLS(get("/")), plain)) != nil || f.identify(withCookie(get("/"), secure)) != nil {
		t.Error("a cookie is accepted on the other kind of connection")
	}
}

func TestCookieAttacks(t *testing.T) {
	f := newFixture(t)
	ann := f.user("ann")
	good := f.signInConsole(get("/"), ann)
	tokens := f.signInAPI(ann)
	sign := func(key []byte, name string, value []byte) string {
		text, err := securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{}).Encode(name, value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	ours := func(name string, value []byte) string {
		text, err := f.sessions.codec.Encode(name, value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	raw, err := base64.URLEncoding.DecodeString(good.Value)
	if err != nil {
		t.Fatal(err)
	}
	flipped := make([]byte, len(raw))
	copy(flipped, raw)
	flipped[len(flipped)/2] ^= 1
	var id []byte
	if err := f.sessions.codec.Decode(good.Name, good.Value, &id); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(id)
	for name, value := range map[string]string{
		"empty":               "",
		"nonsense":            "hello",
		"cut off":             good.Value[:len(good.Value)-4],
		"one bit flipped":     base64.URLEncoding.EncodeToString(flipped),
		"unsigned":            base64.URLEncoding.EncodeToString(id),
		"huge":                strings.Repeat("A", 5000),
		"signed with base":    sign(testSecrets.Base, good.Name, id),
		"signed with access":  sign(testSecrets.Access, good.Name, id),
		"signed for another":  ours("trento-other", id),
		"the stored hash":     ours(good.Name, hash[:]),
		"a guessed id":        ours(good.Name, make([]byte, 32)),
		"no id":               ours(good.Name, nil),
		"the grant of an API": ours(good.Name, []byte(claimsOf(t, tokens.Refresh)["jti"].(string))),
		"an access token":     tokens.Access,
	} {
		r := withCookie(get("/"), &http.Cookie{Name: good.Name, Value: value})
		if id := f.identify(r); id != nil {
			t.Errorf("%s: it is %s", name, id.User.Username)
		}
	}
	r := withCookie(get("/"), &http.Cookie{Name: good.Name, Value: ours(good.Name, id)})
	if f.identify(r) == nil {
		t.Error("the right id is refused, so this test shows nothing")
	}
	other := newFixture(t, func(o *Options) { o.Store, o.Secrets.Base = f.store, []byte(strings.Repeat("c", 48)) })
	if other.identify(withCookie(get("/"), good)) != nil {
		t.Error("the cookie outlives a change of the key material")
	}
}

// A forged or outdated cookie does not keep anybody from signing in anew.
func TestSignInOverABadCookie(t *testing.T) {
	f := newFixture(t)
	r := withCookie(get("/"), &http.Cookie{Name: cookieName, Value: "hello"})
	if f.identify(withCookie(get("/"), f.signInConsole(r, f.user("ann")))) == nil {
		t.Error("not signed in")
	}
}

// Each sign-in has a new id, and the former id is invalid.
func TestSignInRenewsTheID(t *testing.T) {
	f := newFixture(t)
	ann, bob := f.user("ann"), f.user("bob")
	first := f.signInConsole(get("/"), ann)
	elsewhere := f.signInConsole(get("/"), ann)
	second := f.signInConsole(withCookie(get("/"), first), bob)
	if first.Value == second.Value || first.Value == elsewhere.Value {
		t.Error("an id is used twice")
	}
	if f.identify(withCookie(get("/"), first)) != nil {
		t.Error("the session before the sign-in lives on")
	}
	if id := f.identify(withCookie(get("/"), second)); id == nil || id.User.ID != bob.ID {
		t.Errorf("identity is %+v", id)
	}
	if f.identify(withCookie(get("/"), elsewhere)) == nil {
		t.Error("a session in another browser has ended, too")
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Run("by time, whatever is done in them", func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.SessionLifetime = 20 * time.Minute })
		cookie := f.signInConsole(get("/"), f.user("ann"))
		for range 19 {
			f.clock.now = f.clock.now.Add(time.Minute)
			if f.identify(withCookie(get("/"), cookie)) == nil {
				t.Fatal("the session has ended early")
			}
		}
		f.clock.now = f.clock.now.Add(time.Minute)
		if f.identify(withCookie(get("/"), cookie)) != nil {
			t.Error("the session has no end")
		}
	})
	t.Run("by sign-out", func(t *testing.T) {
		f := newFixture(t)
		ann := f.user("ann")
		cookie, other := f.signInConsole(get("/"), ann), f.signInConsole(get("/"), ann)
		w := httptest.NewRecorder()
		if err := f.SignOutConsole(w, withCookie(get("/"), cookie)); err != nil {
			t.Fatal(err)
		}
		if gone := onlyCookie(t, w); gone.Name != cookieName || gone.MaxAge >= 0 || gone.Value != "" || gone.Path != "/" {
			t.Errorf("the cookie becomes %v", gone)
		}
		if f.identify(withCookie(get("/"), cookie)) != nil {
			t.Error("the session lives on")
		}
		if f.identify(withCookie(get("/"), other)) == nil {
			t.Error("another session has ended, too")
		}
	})
	t.Run("by sign-out without a session", func(t *testing.T) {
		f := newFixture(t)
		w := httptest.NewRecorder()
		if err := f.SignOutConsole(w, get("/")); err != nil {
			t.Fatal(err)
		}
		if gone := onlyCookie(t, w); gone.MaxAge >= 0 {
			t.Errorf("the cookie becomes %v", gone)
		}
	})
	t.Run("with the user", func(t *testing.T) {
		f := newFixture(t)
		ann := f.user("ann")
		cookie := f.signInConsole(get("/"), ann)
		f.disable(ann)
		if f.identify(withCookie(get("/"), cookie)) != nil {
			t.Error("a disabled user is signed in")
		}
		w := httptest.NewRecorder()
		if err := f.SignInConsole(w, get("/"), proofOf(ann)); !errors.Is(err, ErrCredentials) || len(w.Result().Cookies()) > 0 {
			t.Errorf("SignInConsole() of a user who was disabled meanwhile = %v", err)
		}
	})
}

// Within one request the session is looked up once. If the request has a token,
// the cookie is ignored.
func TestTokenInsteadOfCookie(t *testing.T) {
	f := newFixture(t)
	cookie := f.signInConsole(get("/"), f.user("ann"))
	token := f.signInAPI(f.user("bob")).Access
	for header, want := range map[string]string{
		"Bearer " + token:           "bob",
		"Bearer " + token + "x":     "",
		"Basic YW5uOmdlaGVpbQ==":    "ann", // meant for a proxy in front
		"":                          "ann",
		"Bearer " + token + " more": "ann",
	} {
		got := ""
		if id := f.identify(withHeader(withCookie(get("/"), cookie), "Authorization", header)); id != nil {
			got = id.User.Username
		}
		if got != want {
			t.Errorf("%.12q: it is %q, want %q", header, got, want)
		}
	}
}

func TestSaveRefusesForeignSessions(t *testing.T) {
	f := newFixture(t)
	session, err := f.sessions.New(get("/"), cookieName)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Save(get("/"), httptest.NewRecorder()); err == nil {
		t.Error("a session of nobody is saved")
	}
}

func TestSessionNotesItsUse(t *testing.T) {
	f := newFixture(t)
	cookie := f.signInConsole(get("/"), f.user("ann"))
	f.clock.now = f.clock.now.Add(time.Hour)
	id := f.identify(withCookie(get("/"), cookie))
	var session *store.Session
	if err := f.store.View(func(tx *store.Tx) (err error) { session, err = tx.Session(id.SessionHash); return err }); err != nil {
		t.Fatal(err)
	}
	if !session.LastSeenAt.Equal(f.clock.now) {
		t.Errorf("last seen at %v, want %v", session.LastSeenAt, f.clock.now)
	}
}
