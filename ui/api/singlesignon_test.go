package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"trento/auth"
	"trento/auth/sso"
)

// givenProvider is an identity provider that knows one person.
type givenProvider struct {
	person  sso.Person
	failure error
}

func (*givenProvider) Name() string                  { return sso.OIDCName }
func (*givenProvider) Refresh(context.Context) error { return nil }
func (*givenProvider) Problem() string               { return "" }
func (*givenProvider) Logout(_, _ string) string     { return "" }

func (*givenProvider) Begin(_ context.Context, a *sso.Attempt) (sso.Departure, error) {
	return sso.Departure{URL: "https://idp.example.com/?state=" + a.State}, nil
}

func (p *givenProvider) Finish(_ context.Context, _ *sso.Attempt, answer url.Values) (*sso.Person, error) {
	if p.failure != nil || answer.Get("code") != "good" {
		return nil, p.failure
	}
	person := p.person
	return &person, nil
}

// withProvider is an API whose accounts are those of an identity provider.
func withProvider(t *testing.T, person sso.Person) (*fixture, *givenProvider) {
	t.Helper()
	p := &givenProvider{person: person}
	return newFixture(t, func(o *auth.Options) { o.Provider = p }), p
}

// begin begins a sign-in at the provider: its state, and the cookie of the browser.
func (f *fixture) begin() (state, cookie string) {
	f.t.Helper()
	w := httptest.NewRecorder()
	departure, err := f.auth.BeginSingleSignOn(w, httptest.NewRequest(http.MethodGet, "/", nil), "/")
	if err != nil {
		f.t.Fatal(err)
	}
	_, state, _ = strings.Cut(departure.URL, "state=")
	cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return state, cookie
}

// signInAtProvider gives the person of the provider a token to call with.
func (f *fixture) signInAtProvider(name string) {
	f.t.Helper()
	state, cookie := f.begin()
	got := f.do(call{method: "POST", path: "/api/session/oidc_local/callback", body: `{"code":"good","session_state":"` + state + `"}`, header: map[string]string{"Cookie": cookie}})
	var tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if got.decode(f.t, &tokens); got.status != http.StatusOK || tokens.Access == "" || tokens.Refresh == "" {
		f.t.Fatalf("sign-in of %s: %d %s", name, got.status, got.body)
	}
	f.tokens[name] = tokens.Access
}

const notAuthenticated = `{"errors":[{"title":"Unauthorized","detail":"User not authenticated."}]}`

func TestSignInByProvider(t *testing.T) {
	t.Parallel()
	f, p := withProvider(t, sso.Person{Subject: "1", Username: "Ann", Fullname: "Ann Lee", Email: "ann@example.com"})
	f.signInAtProvider("ann")
	profile := f.get("ann", "/api/v1/profile")
	if !strings.Contains(profile.body, `"idp_user":true`) || !strings.Contains(profile.body, `"username":"ann"`) {
		t.Errorf("profile %s", profile.body)
	}
	for name, body := range map[string]string{"no state": `{"code":"good"}`, "another state": `{"code":"good","session_state":"x"}`, "no object": `[]`} {
		if got := f.post(nobody, "/api/session/oidc_local/callback", body); got.status != http.StatusUnauthorized || got.body != notAuthenticated {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	state, _ := f.begin()
	f.post(nobody, "/api/session/oidc_local/callback", `{"code":"good","session_state":"`+state+`"}`).expect(t, http.StatusUnauthorized, notAuthenticated)
	for _, path := range []string{"/api/session/saml_local/callback", "/api/session/oauth2_local/callback", "/api/session/x/callback"} {
		f.post(nobody, path, `{}`).expect(t, http.StatusNotFound, notFound)
	}
	f.get("ann", "/api/session/saml_local/saml_callback").expect(t, http.StatusNotFound, notFound)
	f.get(nobody, "/api/session/oidc_local/saml_callback").expect(t, http.StatusNotFound, notFound)

	p.failure = &sso.Failure{Reason: "The identity provider cannot be reached", Err: errors.New("what is behind it")}
	state, cookie := f.begin()
	got := f.do(call{method: "POST", path: "/api/session/oidc_local/callback", body: `{"code":"good","session_state":"` + state + `"}`, header: map[string]string{"Cookie": cookie}})
	got.expect(t, http.StatusInternalServerError, ourFault)
	if !strings.Contains(f.log.String(), "what is behind it") {
		t.Errorf("log %s", f.log)
	}
}

// TestFrozenAccounts: while an identity provider is in charge, only what is not its
// business can be changed.
func TestFrozenAccounts(t *testing.T) {
	t.Parallel()
	f, p := withProvider(t, sso.Person{Subject: "1", Username: "ann", Fullname: "Ann Lee", Email: "ann@example.com"})
	f.signInAtProvider("ann")
	p.person = sso.Person{Subject: "2", Username: "admin", Fullname: "Root"}
	f.signInAtProvider("admin")
	ann := f.account("ann")

	got := f.do(call{as: "admin", method: "PATCH", path: "/api/v1/users/1", header: map[string]string{"If-Match": "1"},
		body: `{"fullname":"Other","email":"other@example.com","password":"aaaaaaaa","password_confirmation":"b","totp_disabled":true,
			"timezone":"Europe/Berlin","abilities":[{"id":7,"name":"all","resource":"host_tags"}]}`})
	got.expect(t, http.StatusOK, "*")
	after := f.account("ann")
	if after.Fullname != ann.Fullname || after.Email != ann.Email || after.PasswordHash != "" || after.Timezone != "Europe/Berlin" || len(after.Abilities) != 1 || got.header.Get("Warning") != "" {
		t.Errorf("changed to %+v, %v", after, got.header)
	}
	for _, member := range []string{"fullname", "email", "password", "password_confirmation", "current_password"} {
		f.do(call{as: "ann", method: "PATCH", path: "/api/v1/profile", body: `{"` + member + `":"x","timezone":"Etc/UTC"}`}).
			expect(t, http.StatusUnprocessableEntity, problems("/"+member, "Unexpected field: "+member))
	}
	f.do(call{as: "ann", method: "PATCH", path: "/api/v1/profile", body: `{"timezone":"Asia/Tokyo","analytics_enabled":true,"analytics_eula_accepted":true}`}).expect(t, http.StatusOK, "*")
	if after = f.account("ann"); after.Timezone != "Asia/Tokyo" || after.AnalyticsEnabledAt == nil {
		t.Errorf("the profile is %+v", after)
	}
	f.post("ann", "/api/v1/profile/tokens", `{"name":"ci"}`).expect(t, http.StatusCreated, "*")
	f.do(call{as: "admin", method: "PATCH", path: "/api/v1/users/1", header: map[string]string{"If-Match": f.get("admin", "/api/v1/users/1").header.Get("Etag")}, body: `{"enabled":false}`}).expect(t, http.StatusOK, "*")
	f.get("ann", "/api/v1/profile").expect(t, http.StatusUnauthorized, signedOut)

	// Without single sign-on, somebody who manages users can give a password.
	local := newFixtureOn(t, f.store, f.clock)
	local.tokens["root"] = ""
	local.user("root", 1)
	body := `{"enabled":true,"password":"correct-horse-7","password_confirmation":"correct-horse-7"}`
	local.do(call{as: "root", method: "PATCH", path: "/api/v1/users/1", header: map[string]string{"If-Match": local.get("root", "/api/v1/users/1").header.Get("Etag")}, body: body}).expect(t, http.StatusOK, "*")
	local.post(nobody, "/api/session", `{"username":"ann","password":"correct-horse-7"}`).expect(t, http.StatusOK, "*")
}
