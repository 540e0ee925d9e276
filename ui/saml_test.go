package ui

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"trento/auth/sso"
	"trento/auth/sso/ssotest"
)

// withSAML returns a console with an identity provider of SAML that is down.
func withSAML(t *testing.T) *fixture {
	t.Helper()
	return withProvider(t, ssotest.NewSAML(t, sso.Options{Origin: "https://trento.example.com", Now: time.Now, Log: newTestLog(new(logBuffer))}, "http://127.0.0.1:1/metadata"))
}

func TestSAMLAddresses(t *testing.T) {
	f := withSAML(t)
	for _, tt := range []struct {
		method, target string
		status         int
		says           string
	}{
		{"GET", "/sso/sp/metadata/corporate", 200, `entityID="https://trento.example.com/sso/sp/metadata/corporate"`},
		{"GET", "/sso/sp/metadata/other", 403, "invalid_request unknown IdP"},
		{"GET", "/sso/auth/signin/other", 403, "invalid_request unknown IdP"},
		{"POST", "/sso/auth/signin/other", 403, "invalid_request unknown IdP"},
		{"POST", "/sso/sp/consume/other", 403, "invalid_request unknown IdP"},
		{"POST", "/sso/sp/logout/other", 403, "invalid_request unknown IdP"},
		{"GET", "/sso/auth/signout/other", 403, "invalid_request unknown IdP"},
		{"GET", "/sso/sp/consume/corporate", 404, "not_found"},
		{"GET", "/sso/elsewhere", 404, "not_found"},
		{"POST", "/sso/a/b/c", 404, "not_found"},
		{"GET", "/sso/auth/signin/corporate?target_url=%2Fhosts", 500, "Login Failed"},
		{"GET", "/session/provider", 500, "Login Failed"},
		{"GET", "/sso/auth/signout/corporate", 200, "Sign out of Trento?"},
		{"GET", "/auth/saml_callback", 401, "Nobody is signed in."},
		{"GET", "/auth/oidc_callback", 404, "Not Found"},
		{"GET", "/sso/sp/logout/corporate", 401, "There is no message of the identity provider."},
		{"POST", "/api/session/saml_local/callback", 415, "content-type"},
		{"GET", "/api/session/saml_local/saml_callback", 401, "User not authenticated."},
	} {
		w := f.do(call{method: tt.method, target: tt.target})
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Body)
		}
	}
	var keys []struct{ Name, Content string }
	if err := json.Unmarshal(f.do(call{target: "/api/public_keys"}).Body.Bytes(), &keys); err != nil || len(keys) != 1 || keys[0].Name != "Trento SAML SP" || !strings.HasPrefix(keys[0].Content, "-----BEGIN CERTIFICATE-----\n") {
		t.Errorf("public keys: %+v, %v", keys, err)
	}
}

// TestResponseIsPostedAgain checks that a response that arrives without
// cookies, over plain HTTP, is posted again by a page of the console, and only
// once.
func TestResponseIsPostedAgain(t *testing.T) {
	f := withSAML(t)
	crossSite := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://idp.example.com"}}
	form := url.Values{"SAMLResponse": {strings.Repeat("PHg+", 50_000)}, "RelayState": {"state"}, "other": {"x"}}
	for _, path := range []string{"/sso/sp/consume/corporate", "/sso/sp/consume/saml"} {
		w := f.do(call{method: "POST", target: path, form: form, header: crossSite})
		checkMarkup(t, w.Body.String())
		m := parseMarkup(t, w.Body.String())
		if w.Code != http.StatusOK || len(m.all("form[action="+path+"][method=post][data-send] button")) != 1 {
			t.Fatalf("%s: %d %.500s", path, w.Code, w.Body)
		}
		again := make(url.Values)
		for _, input := range m.all("form input") {
			name, _ := attribute(input, "name")
			value, _ := attribute(input, "value")
			again.Add(name, value)
		}
		if again.Get("SAMLResponse") != form.Get("SAMLResponse") || again.Get("RelayState") != "state" || again.Has("other") {
			t.Errorf("%s: other fields %v", path, again["RelayState"])
		}
		w = f.do(call{method: "POST", target: path, form: again})
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "for no sign-in that this browser has begun.") {
			t.Errorf("%s again: %d %.500s", path, w.Code, w.Body)
		}
	}
	form.Set("SAMLResponse", strings.Repeat("x", 600<<10))
	if w := f.do(call{method: "POST", target: "/sso/sp/consume/saml", form: form}); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge response: %d", w.Code)
	}
	// Only messages of the provider may come from other sites.
	for _, path := range []string{"/sso/auth/signin/corporate", "/sso/auth/signout/corporate", "/session/end"} {
		if w := f.do(call{method: "POST", target: path, header: crossSite}); w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, w.Code)
		}
	}
}
