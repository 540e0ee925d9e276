package account

import (
	"trento/auth/sso"
	"trento/store"
)

// providerSection says how people sign in.
type providerSection struct {
	Protocol string // of the identity provider; "": there is none
	Callback string // address to which the provider sends browsers back, or posts
	Metadata string // path of the metadata of this server; "" without SAML
}

// protocolWords are the names of the protocols for people.
var protocolWords = map[string]string{sso.OIDCName: "OpenID Connect", sso.OAuth2Name: "OAuth 2.0", sso.SAMLName: "SAML"}

// readProviderSection reads the section for its page.
func (s *settingsHandlers) readProviderSection(_ *store.Tx, p *settingsPage) error {
	provider := s.Auth.Provider()
	if provider == nil {
		return nil
	}
	p.Provider = providerSection{Protocol: protocolWords[provider.Name()]}
	if saml := s.Auth.SAML(); saml != nil {
		id := saml.IdentityProviderID()
		p.Provider.Callback, p.Provider.Metadata = p.Server+"/sso/sp/consume/"+id, "/sso/sp/metadata/"+id
	} else {
		p.Provider.Callback = p.Server + s.CallbackPath()
	}
	return nil
}

func (x providerSection) state() subjectState {
	if x.Protocol == "" {
		return subjectState{Words: "Off: people sign in with a password"}
	}
	return subjectState{Words: "With " + x.Protocol}
}
