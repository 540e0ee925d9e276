package sso

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/crewjam/saml"
)

// login is a sign-in as the provider knows it: what a request to end it has to
// name. It is the LogoutToken of a Person.
type login struct {
	Name            string `json:"name"`
	Format          string `json:"format,omitempty"`
	NameQualifier   string `json:"name_qualifier,omitempty"`
	SPNameQualifier string `json:"sp_name_qualifier,omitempty"`
	Session         string `json:"session,omitempty"` // the provider's id of the session
}

func newLogin(assertion *saml.Assertion) login {
	var l login
	if id := assertion.Subject.NameID; id != nil {
		l = login{Name: id.Value, Format: id.Format, NameQualifier: id.NameQualifier, SPNameQualifier: id.SPNameQualifier}
	}
	for _, statement := range assertion.AuthnStatements {
		if statement.SessionIndex != "" {
			l.Session = statement.SessionIndex
		}
	}
	return l
}

// token is the login as text; empty where it is too long to be kept.
func (l login) token() string {
	text, err := json.Marshal(l)
	if err != nil || len(text) > maxText {
		return ""
	}
	return string(text)
}

// Logout is the address that ends the sign-in at the provider, too, where it has
// one for browsers that are sent there. The provider sends the browser to our
// logout address, whatever back is.
func (s *SAML) Logout(logoutToken, _ string) string {
	sp, err := s.serviceProvider()
	if err != nil || sp.GetSLOBindingLocation(saml.HTTPRedirectBinding) == "" {
		return ""
	}
	var l login
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

// LogoutRequest is the provider's wish that sign-ins end.
type LogoutRequest struct {
	id         string
	name       string
	sessions   []string // the provider's ids; none: all of that name
	relayState string
}

// ReadLogoutRequest verifies a request which the provider has a browser bring,
// in the address or as a form. It is always signed. Where the browser brings the
// provider's response to a request of ours instead, there is nothing left to do,
// and ok is false. It fails with a Failure.
func (s *SAML) ReadLogoutRequest(r *http.Request) (request *LogoutRequest, ok bool, err error) {
	if err := r.ParseForm(); err != nil {
		return nil, false, refused("The message of the identity provider cannot be read", err)
	}
	if r.Form.Get("SAMLRequest") == "" {
		if r.Form.Get("SAMLResponse") == "" {
			return nil, false, refused("There is no message of the identity provider", errors.New("neither SAMLRequest nor SAMLResponse"))
		}
		return nil, false, nil
	}
	if r.URL.Query().Get("SAMLRequest") == "" {
		if _, err := decodeMessage(r.PostForm.Get("SAMLRequest")); err != nil {
			return nil, false, refused("The message of the identity provider cannot be read", err)
		}
	}
	sp, err := s.serviceProvider()
	if err != nil {
		return nil, false, err
	}
	v := &verifier{}
	sp.SignatureVerifier = v
	message, err := sp.ValidateLogoutRequest(r)
	if err != nil {
		return nil, false, explain(err, v, nil)
	}
	request = &LogoutRequest{id: message.ID, name: message.NameID.Value, relayState: r.Form.Get("RelayState")}
	for _, index := range message.AllSessionIndexes() {
		request.sessions = append(request.sessions, index.Value)
	}
	return request, true, nil
}

// Ends reports whether the sign-in with that logout token is one that ends.
func (r *LogoutRequest) Ends(logoutToken string) bool {
	var l login
	if json.Unmarshal([]byte(logoutToken), &l) != nil || l.Name != r.name {
		return false
	}
	return len(r.sessions) == 0 || slices.Contains(r.sessions, l.Session)
}

// AnswerLogout tells the provider, through the browser, that the sign-ins of its
// request have ended. It fails where the provider has no address for that.
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
