package sso

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// logoutSender makes the logout messages of the provider.
func logoutSender(key *SAMLKey) *saml.ServiceProvider {
	ours := saml.Endpoint{Location: samlOrigin + "/sso/sp/logout/corporate"}
	byForm, byAddress := ours, ours
	byForm.Binding, byAddress.Binding = saml.HTTPPostBinding, saml.HTTPRedirectBinding
	return &saml.ServiceProvider{
		EntityID: idpEntity, Key: key.Private, Certificate: key.Certificate, SignatureMethod: dsig.RSASHA256SignatureMethod,
		Clock: dsig.NewFakeClockAt(samlNow),
		IDPMetadata: &saml.EntityDescriptor{IDPSSODescriptors: []saml.IDPSSODescriptor{{
			SSODescriptor: saml.SSODescriptor{SingleLogoutServices: []saml.Endpoint{byForm, byAddress}},
		}}},
	}
}

// signedIn is the LogoutToken of a sign-in of ann.
func signedIn(t *testing.T, s *SAML) string {
	t.Helper()
	person, err := s.Finish(t.Context(), testAttempt(), answerOf(t, newResponse().document(t)))
	if err != nil {
		t.Fatal(err)
	}
	return person.LogoutToken
}

func TestSAMLLogoutRequest(t *testing.T) {
	s := newTestSAML(t, nil)
	token := signedIn(t, s)
	tests := map[string]struct {
		name, session string
		ends          bool
	}{
		"all of hers":     {name: "ann-id", ends: true},
		"this one":        {name: "ann-id", session: "session-1", ends: true},
		"another of hers": {name: "ann-id", session: "session-2"},
		"somebody else's": {name: "bob-id"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address, err := logoutSender(idpKey()).MakeRedirectLogoutRequest(test.name, "relay", saml.WithSessionIndex(test.session))
			if err != nil {
				t.Fatal(err)
			}
			request, ok, err := s.ReadLogoutRequest(httptest.NewRequest(http.MethodGet, address.String(), nil))
			if err != nil || !ok {
				t.Fatalf("ok %v, error %v", ok, err)
			}
			if request.Ends(token) != test.ends || request.Ends("") || request.Ends("a logout token") {
				t.Errorf("ends %v", request.Ends(token))
			}
			answer, err := s.AnswerLogout(request)
			if err != nil || !strings.HasPrefix(answer.URL, "https://idp.example.com/slo?") || !strings.Contains(answer.URL, "RelayState=relay") || !strings.Contains(answer.URL, "&Signature=") {
				t.Errorf("answer %+v, error %v", answer, err)
			}
		})
	}
}

// TestSAMLLogoutForm checks a logout request that comes as a form and is
// answered by a form.
func TestSAMLLogoutForm(t *testing.T) {
	byForm := strings.NewReplacer("HTTP-Redirect", "HTTP-POST").Replace(logoutBinding)
	s := newTestSAML(t, func(o *SAMLOptions) { o.Metadata = idpMetadata(byForm+redirectBinding, idpKey()) })
	message, err := logoutSender(idpKey()).MakeLogoutRequest(samlOrigin+"/sso/sp/logout/corporate", "ann-id")
	if err != nil {
		t.Fatal(err)
	}
	departure, err := newForm("", "SAMLRequest", message.Element(), "relay")
	if err != nil {
		t.Fatal(err)
	}
	request, ok, err := s.ReadLogoutRequest(postForm(departure.Form))
	if err != nil || !ok || !request.Ends(signedIn(t, s)) {
		t.Fatalf("ok %v, error %v", ok, err)
	}
	answer, err := s.AnswerLogout(request)
	if err != nil || answer.URL != "https://idp.example.com/slo" || answer.Form.Get("SAMLResponse") == "" || answer.Form.Get("RelayState") != "relay" {
		t.Errorf("answer %+v, error %v", answer, err)
	}
	if address := s.Logout(signedIn(t, s), "/"); address != "" {
		t.Errorf("there is no address to be sent to, got %s", address)
	}
}

func postForm(form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/sso/sp/logout/corporate", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestSAMLLogoutRefuses(t *testing.T) {
	s := newTestSAML(t, nothingSigned)
	stranger, err := logoutSender(strangerKey()).MakeRedirectLogoutRequest("ann-id", "")
	if err != nil {
		t.Fatal(err)
	}
	genuine, err := logoutSender(idpKey()).MakeRedirectLogoutRequest("ann-id", "")
	if err != nil {
		t.Fatal(err)
	}
	unsigned, _, _ := strings.Cut(genuine.String(), "&SigAlg=")
	for name, r := range map[string]*http.Request{
		"a stranger's": httptest.NewRequest(http.MethodGet, stranger.String(), nil),
		"not signed":   httptest.NewRequest(http.MethodGet, unsigned, nil),
		"nothing":      httptest.NewRequest(http.MethodGet, "/sso/sp/logout/corporate", nil),
		"rubbish":      postForm(url.Values{"SAMLRequest": {"%"}}),
		"a bomb":       postForm(url.Values{"SAMLRequest": {answerOfText([]byte("<!DOCTYPE a>")).Get("SAMLResponse")}}),
	} {
		t.Run(name, func(t *testing.T) {
			request, _, err := s.ReadLogoutRequest(r)
			if request != nil {
				t.Fatal("it was accepted")
			}
			checkRefused(t, nil, err, "")
		})
	}
}

// TestSAMLLogout checks that our logout request names the sign-in as the
// provider does, and that its response needs no action.
func TestSAMLLogout(t *testing.T) {
	s := newTestSAML(t, nil)
	address := s.Logout(signedIn(t, s), "https://trento.example.com/")
	if !strings.HasPrefix(address, "https://idp.example.com/slo?SAMLRequest=") || !strings.Contains(address, "&Signature=") {
		t.Errorf("address %s", address)
	}
	for _, token := range []string{"", "a logout token", "{}"} {
		if address := s.Logout(token, "/"); address != "" {
			t.Errorf("of %q: %s", token, address)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/sso/sp/logout/corporate?SAMLResponse=x", nil)
	if request, ok, err := s.ReadLogoutRequest(r); request != nil || ok || err != nil {
		t.Errorf("request %v, ok %v, error %v", request, ok, err)
	}
}
