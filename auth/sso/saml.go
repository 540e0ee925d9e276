package sso

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
)

// The paths of our addresses for SAML. Each is followed by the configured id of
// the identity provider.
const (
	samlMetadataPath = "/sso/sp/metadata/"
	samlConsumerPath = "/sso/sp/consume/"
	samlLogoutPath   = "/sso/sp/logout/"
)

// commonConsumerID is an id that the consumer accepts in addition to the
// configured one, because the user guide names that address.
const commonConsumerID = "saml"

// samlSignature is the algorithm of our signatures.
const samlSignature = dsig.RSASHA256SignatureMethod

// SAMLOptions are the options of NewSAML. Fields without a comment are the
// variables of the configuration with the same names.
type SAMLOptions struct {
	Options
	IdentityProviderID string // the last part of our addresses
	ServiceProviderID  string // name of this server in requests
	EntityID           string // "": the address of our metadata
	NameIDFormat       string

	ContactName, ContactEmail                 string
	OrganizationName, OrganizationDisplayName string
	OrganizationURL                           string
	UsernameAttribute, EmailAttribute         string
	FirstNameAttribute, LastNameAttribute     string
	SignRequests, SignMetadata                bool
	RequireSignedAssertions                   bool
	RequireSignedResponses                    bool

	Key *SAMLKey
	// FormerKeys decrypt answers that are still encrypted for a replaced
	// certificate.
	FormerKeys []*rsa.PrivateKey

	// MetadataURL is the address of the identity provider's metadata; "" if
	// only Metadata is configured.
	MetadataURL string
	// Metadata is the metadata of the identity provider. With MetadataURL, it
	// is the document that was fetched last, or nil.
	Metadata []byte
	// KeepMetadata stores fetched metadata for the next start.
	KeepMetadata func(context.Context, []byte) error
}

// SAMLKey signs our messages and decrypts those of the provider.
type SAMLKey struct {
	Private     *rsa.PrivateKey
	Certificate *x509.Certificate
}

// SAML signs people in through a SAML 2.0 identity provider. It is safe for
// concurrent use.
type SAML struct {
	options   SAMLOptions
	client    *http.Client
	template  saml.ServiceProvider // without metadata and clock
	consumers []url.URL            // the default one first

	mu           sync.Mutex
	idp          *identityProvider // nil until metadata is known
	document     []byte            // metadata that idp was read from
	problem      string            // see Problem
	lastWarnedAt time.Time         // when expiring certificates were last warned of
	// lastFetchedAt is when the metadata was last asked for.
	lastFetchedAt time.Time
}

// NewSAML returns a SAML. It fails if the id of the provider cannot be a part
// of an address, or if the metadata in the options cannot be read and cannot be
// fetched either.
func NewSAML(o SAMLOptions) (*SAML, error) {
	origin, err := url.Parse(o.Origin)
	if err != nil {
		return nil, fmt.Errorf("the origin: %w", err)
	}
	if id := o.IdentityProviderID; id == "." || id == ".." || strings.Contains(id, "/") {
		return nil, fmt.Errorf("SAML_IDP_ID %q cannot be a part of an address", id)
	}
	// Providers made with pysaml2 encrypt with Triple DES, whatever our
	// metadata asks for.
	xmlenc.RegisterDecrypter(xmlenc.TripleDES)
	s := &SAML{options: o, client: newClient()}
	for _, id := range []string{o.IdentityProviderID, commonConsumerID} {
		if consumer := *origin.JoinPath(samlConsumerPath, url.PathEscape(id)); !slices.Contains(s.consumers, consumer) {
			s.consumers = append(s.consumers, consumer)
		}
	}
	metadata := origin.JoinPath(samlMetadataPath, url.PathEscape(o.IdentityProviderID))
	s.template = saml.ServiceProvider{
		EntityID:          cmp.Or(o.EntityID, metadata.String()),
		Key:               o.Key.Private,
		Certificate:       o.Key.Certificate,
		DecryptionKeys:    o.FormerKeys,
		MetadataURL:       *metadata,
		AcsURL:            s.consumers[0],
		SloURL:            *origin.JoinPath(samlLogoutPath, url.PathEscape(o.IdentityProviderID)),
		AuthnNameIDFormat: saml.NameIDFormat(o.NameIDFormat),
		// Some providers refuse requests without a format.
		SendUnspecifiedNameIDFormat: true,
		// Administrators copy the metadata into other systems by hand, so it
		// must not expire.
		MetadataOmitValidUntil:           true,
		LogoutBindings:                   []string{saml.HTTPPostBinding, saml.HTTPRedirectBinding},
		AssertionConsumerServiceBindings: []string{saml.HTTPPostBinding},
		// In metadata, a certificate only transports a key. Its expiry is
		// logged, see warnOfExpiry.
		IgnoreCertificateExpiry: true,
		RejectSHA1Signatures:    true,
		// If responses have to be signed, nothing unsigned is decrypted.
		RequireSignedResponseForCBC: o.RequireSignedResponses,
	}
	s.template.ValidateAudienceRestriction = s.checkAudience
	if o.SignRequests {
		s.template.SignatureMethod = samlSignature
	}
	if err := s.useGivenMetadata(); err != nil {
		return nil, err
	}
	s.warnOfWeakness()
	s.warnOfExpiry()
	return s, nil
}

// useGivenMetadata reads the metadata of the options. An unreadable document is
// only an error if it cannot be fetched again.
func (s *SAML) useGivenMetadata() error {
	if s.options.MetadataURL != "" && s.options.Metadata == nil {
		return nil
	}
	idp, err := readMetadata(s.options.Metadata)
	switch {
	case err == nil:
		s.idp, s.document = idp, s.options.Metadata
	case s.options.MetadataURL == "":
		return fmt.Errorf("SAML_METADATA_CONTENT: %w", err)
	default:
		s.options.Log.Warn("the kept copy of the identity provider's metadata cannot be read", "error", err)
	}
	return nil
}

// warnOfWeakness warns of insecure settings.
func (s *SAML) warnOfWeakness() {
	if !s.options.RequireSignedAssertions && !s.options.RequireSignedResponses {
		s.options.Log.Warn("SAML_SIGNED_ASSERTION and SAML_SIGNED_ENVELOPES are false: whoever can make a browser send a response can sign in as anybody")
	}
	if address, err := url.Parse(s.options.MetadataURL); err == nil && address.Scheme == "http" {
		s.options.Log.Warn("SAML_METADATA_URL is not https: whoever can change the answer on its way can sign in as anybody")
	}
}

// Name implements Provider.
func (s *SAML) Name() string { return SAMLName }

// IdentityProviderID returns the last part of our addresses.
func (s *SAML) IdentityProviderID() string { return s.options.IdentityProviderID }

// TakesResponses reports whether a consumer address that ends with id is one of
// ours.
func (s *SAML) TakesResponses(id string) bool {
	return id == s.options.IdentityProviderID || id == commonConsumerID
}

// CertificatePEM returns our certificate in PEM format.
func (s *SAML) CertificatePEM() []byte { return s.options.Key.CertificatePEM() }

// serviceProvider returns the library's description of this server, with the
// present metadata and time. It fails if no metadata is known.
func (s *SAML) serviceProvider() (*saml.ServiceProvider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idp == nil {
		return nil, unavailableFailure("The metadata of the identity provider could not be fetched yet", errors.New(cmp.Or(s.problem, "it was not asked for")))
	}
	sp := s.template
	sp.IDPMetadata = s.idp.EntityDescriptor
	sp.Clock = dsig.NewFakeClockAt(s.options.Now()) // all checks of a request use the same time
	return &sp, nil
}

// Begin implements Provider. It sends the authentication request in the address
// or, if the provider does not accept that, as a form.
func (s *SAML) Begin(ctx context.Context, a *Attempt) (Departure, error) {
	sp, err := s.serviceProvider()
	if err != nil {
		if s.Refresh(ctx) == nil {
			sp, err = s.serviceProvider()
		}
		if err != nil {
			return Departure{}, err
		}
	}
	binding := saml.HTTPRedirectBinding
	if sp.GetSSOBindingLocation(binding) == "" {
		binding = saml.HTTPPostBinding
	}
	departure, err := s.newRequest(sp, a, binding)
	if err != nil {
		return Departure{}, unavailableFailure("The request to the identity provider could not be made", err)
	}
	return departure, nil
}

// newRequest returns the authentication request of an attempt. The provider must
// support the binding.
func (s *SAML) newRequest(sp *saml.ServiceProvider, a *Attempt, binding string) (Departure, error) {
	unsigned := *sp
	unsigned.SignatureMethod = ""
	request, err := unsigned.MakeAuthenticationRequest(sp.GetSSOBindingLocation(binding), binding, saml.HTTPPostBinding)
	if err != nil {
		return Departure{}, err
	}
	request.ProviderName = s.options.ServiceProviderID
	a.RequestID = request.ID
	if binding == saml.HTTPRedirectBinding {
		address, err := request.Redirect(a.State, sp)
		if err != nil {
			return Departure{}, err
		}
		return Departure{URL: address.String()}, nil
	}
	if sp.SignatureMethod != "" {
		if err := sp.SignAuthnRequest(request); err != nil {
			return Departure{}, err
		}
	}
	return newForm(request.Destination, "SAMLRequest", request.Element(), a.State)
}

// newForm returns a form that sends a message to the provider.
func newForm(address, field string, message *etree.Element, relayState string) (Departure, error) {
	document := etree.NewDocument()
	document.SetRoot(message)
	text, err := document.WriteToBytes()
	if err != nil {
		return Departure{}, err
	}
	form := url.Values{field: {base64.StdEncoding.EncodeToString(text)}}
	if relayState != "" {
		form.Set("RelayState", relayState)
	}
	return Departure{URL: address, Form: form}, nil
}
