package auth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"trento/auth/remote"
	"trento/store"
)

func (f fixture) apiKey() (key *store.APIKey) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) { key, err = tx.APIKey(); return err }); err != nil {
		f.t.Fatal(err)
	}
	return key
}

func (f fixture) apiKeyText() string { return f.APIKeyText(f.apiKey()) }

// The same record must always give the same text, because the text is in the
// configuration of every agent.
func TestAPIKeyText(t *testing.T) {
	f := newFixture(t)
	created := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	expires := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	key := &store.APIKey{ID: "d59523fc-0497-4b1e-9fdd-14aa7cda77f1", CreatedAt: created, ExpiresAt: &expires}
	const want = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." +
		"eyJhdWQiOiJ0cmVudG9fYXBpX2tleSIsImV4cCI6MTc5ODc2MTYwMCwiaWF0IjoxNzY3MzIzMDQ1LCJpc3MiOiJodHRwczovL2dpdGh1Yi5jb20vdHJlbnRvLXByb2plY3Qvd2ViIiwianRpIjoiZDU5NTIzZmMtMDQ5Ny00YjFlLTlmZGQtMTRhYTdjZGE3N2YxIiwibmJmIjoxNzY3MzIzMDQ1LCJ0eXAiOiJCZWFyZXIifQ." +
		"m8W_wzCgdHVToluOoF_Ivaf-6JZ-XenHqx8XUwQmob4"
	if got := f.APIKeyText(key); got != want {
		t.Errorf("text is\n%s, want\n%s", got, want)
	}
	claims := map[string]any{
		"aud": "trento_api_key", "exp": float64(expires.Unix()), "iat": float64(created.Unix()),
		"iss": "https://github.com/trento-project/web", "jti": key.ID, "nbf": float64(created.Unix()), "typ": "Bearer",
	}
	if diff := cmp.Diff(claims, claimsOf(t, f.APIKeyText(key))); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	key.ExpiresAt = nil
	claims["exp"] = float64(created.Unix() + 36500*24*60*60)
	if diff := cmp.Diff(claims, claimsOf(t, f.APIKeyText(key))); diff != "" {
		t.Errorf("claims of a key for ever (-want +got):\n%s", diff)
	}
}

func TestCheckAPIKey(t *testing.T) {
	f := newFixture(t)
	good := f.apiKeyText()
	if err := f.CheckAPIKey(good); err != nil {
		t.Fatalf("the key is refused: %v", err)
	}
	claims := jwt.MapClaims{}
	for name, value := range claimsOf(t, good) {
		claims[name] = value
	}
	forge := func(method jwt.SigningMethod, secret any, name string, value any) string {
		changed := jwt.MapClaims{}
		for n, v := range claims {
			changed[n] = v
		}
		changed[name] = value
		text, err := jwt.NewWithClaims(method, changed).SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	former := *f.apiKey()
	former.ID = "a former one"
	for name, text := range map[string]string{
		"empty":              "",
		"nonsense":           "hello",
		"cut off":            good[:len(good)-1],
		"with more":          good + "A",
		"other case":         strings.ToLower(good),
		"former key":         f.APIKeyText(&former),
		"algorithm none":     forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "typ", "Bearer"),
		"wrong secret":       forge(jwt.SigningMethodHS256, []byte("guessed"), "typ", "Bearer"),
		"other audience":     forge(jwt.SigningMethodHS256, testSecrets.Access, "aud", "trento_app"),
		"with another claim": forge(jwt.SigningMethodHS256, testSecrets.Access, "sub", 1),
		"access token":       f.signInAPI(f.user("ann")).Access,
	} {
		if err := f.CheckAPIKey(text); !errors.Is(err, ErrSignedOut) {
			t.Errorf("%s: CheckAPIKey() = %v", name, err)
		}
	}
	f.clock.now = f.clock.now.Add(-time.Hour)
	if err := f.CheckAPIKey(good); err != nil {
		t.Errorf("after the clock was set back: CheckAPIKey() = %v", err)
	}
	f.clock.now = f.clock.now.Add(36500 * 24 * time.Hour)
	if err := f.CheckAPIKey(good); err != nil {
		t.Errorf("in its last hour: CheckAPIKey() = %v", err)
	}
	f.clock.now = f.clock.now.Add(time.Hour)
	if err := f.CheckAPIKey(good); !errors.Is(err, ErrSignedOut) {
		t.Errorf("after its end: CheckAPIKey() = %v", err)
	}
}

func TestAPIKeyOff(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.EnableAPIKey = false })
	for _, text := range []string{"", "hello"} {
		if err := f.Permit(withHeader(get("/"), apiKeyHeader, text), Agent, TokenRule{}, ""); err != nil {
			t.Errorf("%q: Permit() = %v", text, err)
		}
	}
}

// TestAgentRefusals checks what is remembered of agents that were refused: the
// address, the reason and the number, but not the key.
func TestAgentRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	request := func(address, key string) error {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/collect", nil)
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(address), 4711).String()
		if key != "" {
			r.Header.Set(apiKeyHeader, key)
		}
		return f.Permit(r, Agent, TokenRule{}, "POST /api/v1/collect")
	}
	for n := range 3 {
		if err := request("192.0.2.1", "not-the-key"); !errors.Is(err, ErrSignedOut) {
			t.Errorf("request %d: %v", n, err)
		}
		f.clock.now = f.clock.now.Add(time.Second)
	}
	if err := request("2001:db8::1", ""); !errors.Is(err, ErrSignedOut) {
		t.Error(err)
	}
	if err := request("192.0.2.9", f.apiKeyText()); err != nil {
		t.Error(err)
	}
	list, total := f.AgentRefusals()
	want := []remote.Refusal{
		{Address: "2001:db8::1", Reason: "the request has no API key", Attempts: 1, First: f.clock.Now(), Last: f.clock.Now()},
		{Address: "192.0.2.1", Reason: "the API key is not the present one", Attempts: 3, First: f.clock.Now().Add(-3 * time.Second), Last: f.clock.Now().Add(-time.Second)},
	}
	if diff := cmp.Diff(want, list); diff != "" || total != 4 {
		t.Errorf("%d in total (-want +got):\n%s", total, diff)
	}
}
