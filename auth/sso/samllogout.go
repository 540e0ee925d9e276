package sso

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/crewjam/saml"
)

// samlLogin identifies a sign-in in requests to end it. Its text is the
// LogoutToken of a Person.
type samlLogin struct {
	Name            string `json:"name"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
	Session         string `json:"session,omitempty"` // id of the session at the provider
}

func newSAMLLogin(assertion *saml.Assertion) samlLogin {
	var l samlLogin
	if id := assertion.Subject.NameID; id != nil {
		l = samlLogin{Name: id.Value, Format: id.Format, NameQualifier: id.NameQualifier, SPNameQualifier: id.SPNameQualifier}
	}
	for _, statement := range assertion.AuthnStatements {
		if statement.SessionIndex != "" {
			l.Session = statement.SessionIndex
		}
	}
	return l
}

// encode returns the login as text, or "" if that would be too long to be
// stored.
func (l samlLogin) encode() string {
	text, err := json.Marshal(l)
	if err != nil || len(text) > maxTextLength {
		return ""
	}
	return string(text)
}

// Logout implements Provider. It returns "" if the provider has no logout
// address for redirected browsers. It ignores back: the provider sends the
// browser to our logout address.
func (s *SAML) Logout(logoutToken, _ string) string {
	sp, err := s.serviceProvider()
	if err != nil || sp.GetSLOBindingLocation(saml.HTTPRedirectBinding) == "" {
		return ""
	}
	var l samlLogin
	if json.Unmarshal([]byte(logoutToken), &l) != nil || l.Name == "" {
		return ""
	}
	sameName := func(r *saml.LogoutRequest) {
		r.NameID = &saml.NameID{Value: l.Name, Format: l.Format, NameQualifier: l.NameQualifier, SPNameQualifier: l.SPNameQualifier}
	}
	address, err := sp.MakeRedirectLogoutRequest(l.Name, "", sameName, saml.WithSessionIndex(l.Session))
	if err != nil {
		s.options.Log.Warn("the request to end a sign-in at the identity provider could not be made", "error", err)
		return ""
	}
	return address.String()
}

// LogoutRequest is a request of the provider to end sign-ins.
type LogoutRequest struct {
	id         string
	name       string   // name of the person at the provider
	sessions   []string // ids of the sessions at the provider; empty: all sessions of the name
	relayState string
}

// ReadLogoutRequest verifies a logout request that a browser brings from the
// provider, in the address or as a form. The request must be signed. If the
// browser brings the response to a logout request of ours instead, ok is false,
// and the caller has nothing to do. It fails with a Failure.
func (s *SAML) ReadLogoutRequest(r *http.Request) (request *LogoutRequest, ok bool, err error) {
	if err := r.ParseForm(); err != nil {
		return nil, false, refusalFailure("The message of the identity provider cannot be read", err)
	}
	if r.Form.Get("SAMLRequest") == "" {
		if r.Form.Get("SAMLResponse") == "" {
			return nil, false, refusalFailure("There is no message of the identity provider", errors.New("neither SAMLRequest nor SAMLResponse"))
		}
		return nil, false, nil
	}
	if r.URL.Query().Get("SAMLRequest") == "" {
		if _, err := decodeMessage(r.PostForm.Get("SAMLRequest")); err != nil {
			return nil, false, refusalFailure("The message of the identity provider cannot be read", err)
		}
	}
	sp, err := s.serviceProvider()
	if err != nil {
		return nil, false, err
	}
	v := new(signatureVerifier)
	sp.SignatureVerifier = v
	message, err := sp.ValidateLogoutRequest(r)
	if err != nil && s.refreshForNewKey(r.Context()) {
		if sp, err = s.serviceProvider(); err != nil {
			return nil, false, err
		}
		sp.SignatureVerifier = v
		message, err = sp.ValidateLogoutRequest(r)
	}
	if err != nil {
		return nil, false, explainError(err, v, nil)
	}
	request = &LogoutRequest{id: message.ID, name: message.NameID.Value, relayState: r.Form.Get("RelayState")}
	for _, index := range message.AllSessionIndexes() {
		request.sessions = append(request.sessions, index.Value)
	}
	return request, true, nil
}

// Ends reports whether the request ends the sign-in with a logout token.
func (r *LogoutRequest) Ends(logoutToken string) bool {
	var l samlLogin
	if json.Unmarshal([]byte(logoutToken), &l) != nil || l.Name != r.name {
		return false
	}
	return len(r.sessions) == 0 || slices.Contains(r.sessions, l.Session)
}

// AnswerLogout returns the message to the provider that the sign-ins of its
// request have ended. It fails if the provider has no address for that.
func (s *SAML) AnswerLogout(r *LogoutRequest) (Departure, error) {
	sp, err := s.serviceProvider()
	if err != nil {
		return Departure{}, err
	}
	if sp.GetSLOBindingLocation(saml.HTTPRedirectBinding) != "" {
		address, err := sp.MakeRedirectLogoutResponse(r.id, r.relayState)
		if err != nil {
			return Departure{}, err
		}
		return Departure{URL: address.String()}, nil
	}
	address := sp.GetSLOBindingLocation(saml.HTTPPostBinding)
	if address == "" {
		return Departure{}, errors.New("the identity provider has no address for the end of a sign-in")
	}
	response, err := sp.MakeLogoutResponse(address, r.id)
	if err != nil {
		return Departure{}, err
	}
	return newForm(address, "SAMLResponse", response.Element(), r.relayState)
}
