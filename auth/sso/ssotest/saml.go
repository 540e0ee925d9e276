package ssotest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"trento/auth/sso"
)

// NewSAML returns a service provider with a new key and the default
// configuration, for the identity provider whose metadata is at metadataURL.
func NewSAML(t testing.TB, o sso.Options, metadataURL string) *sso.SAML {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Trento SAML SP"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sso.NewSAML(sso.SAMLOptions{
		Options: o, IdentityProviderID: "corporate", ServiceProviderID: "trento",
		NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
		ContactName:  "Trento SP Admin", ContactEmail: "admin@trento.suse.com",
		OrganizationName: "Trento SP", OrganizationDisplayName: "SAML SP build with Trento", OrganizationURL: "https://www.trento-project.io/",
		UsernameAttribute: "username", EmailAttribute: "email", FirstNameAttribute: "firstName", LastNameAttribute: "lastName",
		SignRequests: true, SignMetadata: true, RequireSignedAssertions: true, RequireSignedResponses: true,
		Key: &sso.SAMLKey{Private: private, Certificate: certificate}, MetadataURL: metadataURL,
		KeepMetadata: func(context.Context, []byte) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
