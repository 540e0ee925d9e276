package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"trento/auth"
	"trento/auth/sso"
	"trento/packaging/config"
	"trento/store"
)

// newSAML returns the SAML identity provider of the configuration.
func (s *server) newSAML(ctx context.Context, common sso.Options) (sso.Provider, error) {
	options := samlOptions(s.config, common)
	state, err := s.samlState()
	if err != nil {
		return nil, err
	}
	if err := state.Complete(ctx, &options); err != nil {
		return nil, err
	}
	return sso.NewSAML(options)
}

// samlOptions returns the configured options for SAML. The caller adds the key.
func samlOptions(c config.Config, common sso.Options) sso.SAMLOptions {
	return sso.SAMLOptions{
		Options:            common,
		IdentityProviderID: c.SAMLIDPID, ServiceProviderID: c.SAMLSPID, EntityID: c.SAMLEntityID, NameIDFormat: c.SAMLNameIDFormat,
		ContactName: c.SAMLContactName, ContactEmail: c.SAMLContactEmail,
		OrganizationName: c.SAMLOrgName, OrganizationDisplayName: c.SAMLOrgDisplayName, OrganizationURL: c.SAMLOrgURL,
		UsernameAttribute: c.SAMLUsername, EmailAttribute: c.SAMLEmail, FirstNameAttribute: c.SAMLFirstName, LastNameAttribute: c.SAMLLastName,
		SignRequests: c.SAMLSignRequests, SignMetadata: c.SAMLSignMetadata,
		RequireSignedAssertions: c.SAMLSignedAssertions, RequireSignedResponses: c.SAMLSignedEnvelopes,
		MetadataURL: c.SAMLMetadataURL, Metadata: []byte(c.SAMLMetadataContent),
	}
}

// samlState returns the keeper of the keys and metadata for SAML.
func (s *server) samlState() (*auth.SAMLState, error) {
	return auth.NewSAMLState(auth.SAMLStateOptions{
		Store: s.store, Base: s.config.KeyBase(), Host: s.config.Origin, Dir: s.config.SAMLDir, MetadataURL: s.config.SAMLMetadataURL,
		Now: time.Now, Log: s.log,
	})
}

// RenewSAMLCertificate replaces the certificate for SAML in the data directory
// of a stopped server, and returns it in PEM format.
func RenewSAMLCertificate(ctx context.Context, c config.Config, log *slog.Logger) (certificate []byte, err error) {
	switch {
	case !c.EnableSAML:
		return nil, errors.New("ENABLE_SAML is not true; name the configuration of the server with --config")
	case !store.Exists(c.DataDir):
		return nil, errNoData(c.DataDir)
	}
	s := &server{config: c, log: log}
	defer func() { err = errors.Join(err, s.closeAll()) }()
	if err := s.openFile(); err != nil {
		return nil, err
	}
	state, err := s.samlState()
	if err != nil {
		return nil, err
	}
	key, err := state.RenewCertificate(ctx)
	if err != nil {
		return nil, err
	}
	return key.CertificatePEM(), nil
}
