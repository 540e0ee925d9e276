package sso

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// faultsOf returns the findings that are not good, one a line, with their
// cures.
func faultsOf(t *testing.T, found []Finding) string {
	t.Helper()
	var text strings.Builder
	for _, f := range found {
		if f.Good == (f.Cure != "") {
			t.Errorf("%+v: what is not good needs a cure, and nothing else does", f)
		}
		if !f.Good {
			text.WriteString(f.Text + ". " + f.Cure + "\n")
		}
	}
	return text.String()
}

// TestCheckOIDC checks that faults are found, with the variable to change.
func TestCheckOIDC(t *testing.T) {
	unknownCode := func(url.Values) (int, any) {
		return http.StatusBadRequest, map[string]any{"error": "invalid_grant"}
	}
	for name, tt := range map[string]struct {
		change func(*hostile, *OIDC)
		want   []string
	}{
		"good": {func(*hostile, *OIDC) {}, nil},
		"secret": {func(h *hostile, _ *OIDC) {
			h.token = func(url.Values) (int, any) {
				return http.StatusUnauthorized, map[string]any{"error": "invalid_client"}
			}
		}, []string{"refuses the client trento or its secret", "OIDC_CLIENT_SECRET"}},
		"own word for an unknown code": {func(h *hostile, _ *OIDC) {
			h.token = func(url.Values) (int, any) {
				return http.StatusForbidden, map[string]any{"error": "invalid_code"}
			}
		}, nil},
		"client in own words": {func(h *hostile, _ *OIDC) {
			h.token = func(url.Values) (int, any) {
				return http.StatusForbidden, map[string]any{"error": "unauthorized_client"}
			}
		}, []string{"refuses the client trento or its secret"}},
		"tokens for everybody": {func(h *hostile, _ *OIDC) {
			h.token = func(url.Values) (int, any) {
				return http.StatusOK, map[string]any{"access_token": "x", "token_type": "Bearer"}
			}
		}, []string{"gives a token for a code that was made up"}},
		"issuer":    {func(h *hostile, _ *OIDC) { h.discovery["issuer"] = "https://other.example.com" }, []string{"calls itself by another address", "https://other.example.com", "OIDC_BASE_URL"}},
		"not there": {func(_ *hostile, p *OIDC) { p.options.BaseURL += "/realms/x" }, []string{"status 404", "OIDC_BASE_URL is the issuer"}},
		"keys":      {func(h *hostile, _ *OIDC) { h.discovery["jwks_uri"] = h.URL + "/nothing" }, []string{"has no keys"}},
		"down":      {func(h *hostile, _ *OIDC) { h.Close() }, []string{"cannot be reached", "firewall"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			h.token = unknownCode
			p := h.oidc()
			tt.change(h, p)
			got := faultsOf(t, p.Check(t.Context()))
			// The server of these tests has neither a certificate nor the time of the tests.
			lines := strings.Split(got, "\n")
			for i, line := range lines {
				if strings.Contains(line, "asked without encryption") || strings.Contains(line, "differ by") {
					lines[i] = ""
				}
			}
			rest := strings.TrimSpace(strings.Join(lines, "\n"))
			if tt.want == nil && rest != "" {
				t.Errorf("found %s", rest)
			}
			for _, words := range tt.want {
				if !strings.Contains(rest, words) {
					t.Errorf("%q is not in what was found: %s", words, rest)
				}
			}
			if name == "good" && !strings.Contains(got, "differ by") {
				t.Errorf("a clock of another year is not noticed: %s", got)
			}
		})
	}
}

func TestCheckOAuth2(t *testing.T) {
	h := newHostile(t)
	h.token = func(url.Values) (int, any) {
		return http.StatusBadRequest, map[string]any{"error": "invalid_grant"}
	}
	p := h.oauth2(t)
	got := faultsOf(t, p.Check(t.Context()))
	if !strings.Contains(got, "/authorize, where people sign in, answers with status 404. Compare OAUTH2_AUTHORIZE_URL") || strings.Contains(got, "state=") {
		t.Errorf("found %s", got)
	}
	if strings.Contains(got, "OAUTH2_USER_URL") || strings.Contains(got, "OAUTH2_CLIENT_SECRET") {
		t.Errorf("found %s", got)
	}
}

func TestCheckSAML(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html/>")) }))
	defer server.Close()
	got := faultsOf(t, CheckSAML(t.Context(), SAMLOptions{Options: testOptions(), MetadataURL: server.URL}))
	if !strings.Contains(got, "has to be the metadata of the identity provider") {
		t.Errorf("found %s", got)
	}
}
