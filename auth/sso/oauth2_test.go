package sso

import (
	"net/http"
	"net/url"
	"testing"

	"trento/store/fault"
)

func (h *hostile) oauth2(t *testing.T) *OAuth2 {
	t.Helper()
	p, err := NewOAuth2(OAuth2Options{
		Options: testOptions(), ClientID: "trento", ClientSecret: "s3cret", BaseURL: h.URL + "/", AuthorizeURL: "/authorize?realm=x", TokenURL: h.URL + "/token", UserURL: "user",
		Scopes: "profile  email", CallbackURL: "https://trento.example.com/auth/oauth2_callback",
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestOAuth2Nonce checks that only a request with the scope of OpenID Connect has
// a nonce, and another one each time.
func TestOAuth2Nonce(t *testing.T) {
	nonce := func(scopes ...string) string {
		t.Helper()
		p := newHostile(t).oauth2(t)
		p.config.Scopes = scopes
		departure, err := p.Begin(t.Context(), NewAttempt("/", present))
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(departure.URL)
		if err != nil {
			t.Fatal(err)
		}
		return address.Query().Get("nonce")
	}
	if nonce("profile", "email") != "" {
		t.Error("OAuth 2.0 has a nonce")
	}
	if first := nonce("openid", "profile"); first == "" || first == nonce("openid", "profile") {
		t.Errorf("the nonce is %q", first)
	}
}

func TestOAuth2(t *testing.T) {
	for name, tt := range map[string]struct {
		user  any
		want  Person
		fault string
		kinds []fault.Kind
	}{
		"full":           {map[string]any{"sub": "4711", "preferred_username": "ann", "name": "Ann Lee", "email": "ann@example.com"}, Person{"4711", "ann", "Ann Lee", "ann@example.com", ""}, "", nil},
		"number as id":   {`{"id": 9007199254740993, "username": "ann"}`, Person{"9007199254740993", "ann", "Trento IDP User ann", "", ""}, "", nil},
		"nickname":       {map[string]any{"sub": "4711", "username": "", "nickname": "ann"}, Person{"4711", "ann", "Trento IDP User ann", "", ""}, "", nil},
		"no name":        {map[string]any{"sub": "4711"}, Person{}, "the claim preferred_username", []fault.Kind{fault.Invalid}},
		"no subject":     {map[string]any{"preferred_username": "ann"}, Person{}, "the claim sub", []fault.Kind{fault.Invalid}},
		"sub is no text": {map[string]any{"sub": []string{"1"}, "preferred_username": "ann"}, Person{}, "the claim sub", []fault.Kind{fault.Invalid}},
		"rubbish":        {"<html>", Person{}, "did not say who", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.user = tt.user
			p := h.oauth2(t)
			attempt := NewAttempt("/", present)
			departure, err := p.Begin(t.Context(), attempt)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(departure.URL)
			if err != nil {
				t.Fatal(err)
			}
			if u.Path != "/authorize" || u.Query().Get("realm") != "x" || u.Query().Get("scope") != "profile email" || u.Query().Get("state") != attempt.State || u.Query().Get("code_challenge") == "" {
				t.Errorf("sent to %s", u)
			}
			h.token = func(form url.Values) (int, any) {
				if form.Get("client_id") != "trento" || form.Get("client_secret") != "s3cret" || form.Get("code_verifier") != attempt.Verifier {
					t.Errorf("the code is exchanged with %v", form)
				}
				return http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer"}
			}
			person, err := p.Finish(t.Context(), attempt, url.Values{"code": {"c"}})
			if tt.fault != "" {
				wantFailure(t, err, tt.fault, tt.kinds...)
				return
			}
			if err != nil || *person != tt.want {
				t.Errorf("%+v, %v; want %+v", person, err, tt.want)
			}
		})
	}
}

func TestOnBase(t *testing.T) {
	for _, tt := range []struct{ base, address, want string }{
		{"https://idp.example.com", "/oauth/token", "https://idp.example.com/oauth/token"},
		{"https://idp.example.com/", "oauth/token", "https://idp.example.com/oauth/token"},
		{"https://idp.example.com/realms/x", "/protocol/token?a=b", "https://idp.example.com/realms/x/protocol/token?a=b"},
		{"https://idp.example.com", "https://other.example.com/token", "https://other.example.com/token"},
	} {
		base, err := url.Parse(tt.base)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := resolveAddress(base, tt.address); err != nil || got != tt.want {
			t.Errorf("%s on %s is %s, %v; want %s", tt.address, tt.base, got, err, tt.want)
		}
	}
}
