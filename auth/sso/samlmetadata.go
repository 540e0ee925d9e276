package sso

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	dsig "github.com/russellhaering/goxmldsig"
)

// identityProvider is the metadata of an identity provider.
type identityProvider struct {
	*saml.EntityDescriptor
	certificates []*x509.Certificate // certificates for its signatures
}

// readMetadata reads the metadata of one identity provider.
func readMetadata(document []byte) (*identityProvider, error) {
	if bytes.Contains(document, []byte("<!DOCTYPE")) {
		return nil, errors.New("the metadata has a document type, which SAML has not")
	}
	entity, err := samlsp.ParseMetadata(document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("this is not the metadata of one identity provider: %w", err)
	case len(entity.IDPSSODescriptors) == 0:
		return nil, errors.New("the metadata is not that of an identity provider: it has no IDPSSODescriptor")
	case entity.EntityID == "":
		return nil, errors.New("the metadata has no entityID")
	}
	if err := addBareKeys(document, entity); err != nil {
		return nil, err
	}
	idp := &identityProvider{EntityDescriptor: entity}
	requests := false
	for _, descriptor := range entity.IDPSSODescriptors {
		for _, key := range descriptor.KeyDescriptors {
			if err := idp.addCertificates(key); err != nil {
				return nil, err
			}
		}
		for _, service := range descriptor.SingleSignOnServices {
			requests = requests || service.Binding == saml.HTTPRedirectBinding || service.Binding == saml.HTTPPostBinding
		}
	}
	switch {
	case len(idp.certificates) == 0:
		return nil, errors.New("the metadata has no certificate for signatures")
	case !requests:
		return nil, errors.New("the metadata has no SingleSignOnService for HTTP-Redirect or HTTP-POST")
	}
	return idp, nil
}

// addCertificates adds the certificates of a key, if the key is for signatures.
func (p *identityProvider) addCertificates(key saml.KeyDescriptor) error {
	if key.Use != "" && key.Use != "signing" {
		return nil
	}
	for _, encoded := range key.KeyInfo.X509Data.X509Certificates {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded.Data), ""))
		if err != nil {
			return fmt.Errorf("a certificate in the metadata: %w", err)
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("a certificate in the metadata: %w", err)
		}
		p.certificates = append(p.certificates, certificate)
	}
	return nil
}

// metadataErrorText is the sentence that administrators find in the user guide for
// metadata that cannot be fetched.
const metadataErrorText = "Error querying the provided SAML_METADATA_URL endpoint"

// Refresh implements Provider. It fetches the metadata if an address is
// configured.
func (s *SAML) Refresh(ctx context.Context) error {
	defer s.warnOfExpiry()
	if s.options.MetadataURL == "" {
		return nil
	}
	s.mu.Lock()
	s.lastFetchedAt = s.options.Now()
	s.mu.Unlock()
	document, err := s.fetchMetadata(ctx)
	var idp *identityProvider
	if err == nil {
		idp, err = readMetadata(document)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", metadataErrorText, err)
		s.recordProblem(err)
		return err
	}
	s.mu.Lock()
	if s.problem != "" {
		s.options.Log.Info("the metadata of the identity provider can be fetched again")
	}
	changed := !bytes.Equal(document, s.document)
	s.idp, s.document, s.problem = idp, document, ""
	s.mu.Unlock()
	if !changed {
		return nil
	}
	s.options.Log.Info("the metadata of the identity provider is new", "entity", idp.EntityID, "certificates", len(idp.certificates))
	if err := s.options.KeepMetadata(ctx, document); err != nil {
		s.options.Log.Warn("the metadata of the identity provider could not be kept for the next start", "error", err)
	}
	return nil
}

// refreshForNewKey fetches the metadata again because no key in it fits a
// message: the provider may have a new one. It reports whether the
// metadata has changed. It fetches at most once in RetryInterval, since anybody
// who begins a sign-in can cause it.
func (s *SAML) refreshForNewKey(ctx context.Context) bool {
	s.mu.Lock()
	now, before := s.options.Now(), s.document
	wait := s.options.MetadataURL == "" || now.Before(s.lastFetchedAt.Add(RetryInterval))
	s.mu.Unlock()
	if wait || s.Refresh(ctx) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !bytes.Equal(before, s.document)
}

// recordProblem records that the metadata could not be fetched. It logs only the
// first failure in a row.
func (s *SAML) recordProblem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem == "" {
		s.options.Log.Warn("the identity provider has a problem", "error", err)
	}
	s.problem = metadataErrorText + "."
	if s.idp != nil {
		s.problem += " What was fetched before is in use."
	}
}

func (s *SAML) fetchMetadata(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.MetadataURL, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d", answer.StatusCode)
	}
	return io.ReadAll(answer.Body)
}

// Problem implements Provider. A problem is that the metadata could not be
// fetched the last time.
func (s *SAML) Problem() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// CertificateEnd returns when our certificate expires.
func (s *SAML) CertificateEnd() time.Time { return s.options.Key.Certificate.NotAfter }

// expiryWarningInterval is the time between two warnings of expiring
// certificates.
const expiryWarningInterval = 24 * time.Hour

// warnOfExpiry warns once a day of our certificate if it expires soon, and of
// certificates and metadata of the provider that have expired. They are still
// used: in SAML, a certificate only transports a key.
func (s *SAML) warnOfExpiry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if now.Before(s.lastWarnedAt.Add(expiryWarningInterval)) {
		return
	}
	s.lastWarnedAt = now
	if end := s.CertificateEnd(); now.Add(certificateWarningTime).After(end) {
		s.options.Log.Warn("the certificate for SAML ends soon; \"trento-web sso renew-certificate\" makes a new one, which the identity provider has to know", "end", end)
	}
	if s.idp == nil {
		return
	}
	for _, certificate := range s.idp.certificates {
		if now.After(certificate.NotAfter) {
			s.options.Log.Warn("a certificate in the metadata of the identity provider has ended, and is accepted all the same", "subject", certificate.Subject.String(), "end", certificate.NotAfter)
		}
	}
	if end := s.idp.ValidUntil; !end.IsZero() && now.After(end) {
		s.options.Log.Warn("the metadata of the identity provider has ended, and is used all the same", "end", end)
	}
}

// Metadata returns the metadata of this server as XML, for the identity
// provider.
func (s *SAML) Metadata() ([]byte, error) {
	sp := s.template
	sp.SignatureMethod = samlSignature // makes the library include our certificate for signatures
	sp.Clock = dsig.NewFakeClockAt(s.options.Now())
	entity := sp.Metadata()
	entity.Organization = &saml.Organization{
		OrganizationNames:        []saml.LocalizedName{{Lang: "en", Value: s.options.OrganizationName}},
		OrganizationDisplayNames: []saml.LocalizedName{{Lang: "en", Value: s.options.OrganizationDisplayName}},
		OrganizationURLs:         []saml.LocalizedURI{{Lang: "en", Value: s.options.OrganizationURL}},
	}
	entity.ContactPersons = []saml.ContactPerson{{
		ContactType: "technical", GivenName: s.options.ContactName, EmailAddresses: []string{"mailto:" + s.options.ContactEmail},
	}}
	role := &entity.SPSSODescriptors[0]
	role.AuthnRequestsSigned = &s.options.SignRequests
	role.WantAssertionsSigned = &s.options.RequireSignedAssertions
	role.AssertionConsumerServices = nil
	for i, consumer := range s.consumers {
		isDefault := i == 0
		role.AssertionConsumerServices = append(role.AssertionConsumerServices, saml.IndexedEndpoint{
			Binding: saml.HTTPPostBinding, Location: consumer.String(), Index: i + 1, IsDefault: &isDefault,
		})
	}
	if !s.options.SignMetadata {
		return xml.Marshal(entity)
	}
	entity.ID = "trento-metadata"
	text, err := xml.Marshal(entity)
	if err != nil {
		return nil, err
	}
	return signDocument(&sp, text, 0)
}

// signDocument signs a whole document. It inserts the signature into the root,
// at the index among its children.
func signDocument(sp *saml.ServiceProvider, text []byte, index int) ([]byte, error) {
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil {
		return nil, err
	}
	signing, err := saml.GetSigningContext(sp)
	if err != nil {
		return nil, err
	}
	signature, err := signing.ConstructSignature(document.Root(), true)
	if err != nil {
		return nil, err
	}
	document.Root().InsertChildAt(index, signature)
	return document.WriteToBytes()
}

// CertificatePEM returns the certificate in PEM format.
func (k *SAMLKey) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate.Raw})
}
