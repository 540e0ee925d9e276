package sso

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// maxSAMLMessage bounds a message of the provider in bytes of XML: reading one
// takes memory and time many times its size.
const maxSAMLMessage = 256 << 10

// Finish verifies a response to the request of the attempt: answer has
// SAMLResponse and RelayState.
func (s *SAML) Finish(_ context.Context, a *Attempt, answer url.Values) (*Person, error) {
	if a.RequestID == "" || subtle.ConstantTimeCompare([]byte(answer.Get("RelayState")), []byte(a.State)) != 1 {
		return nil, refused("The response does not belong to this sign-in", errors.New("RelayState is not that of the attempt"))
	}
	document, err := decodeMessage(answer.Get("SAMLResponse"))
	if err != nil {
		return nil, refused("The response of the identity provider cannot be read", err)
	}
	sp, err := s.serviceProvider()
	if err != nil {
		return nil, err
	}
	assertion, err := s.verify(sp, document, a.RequestID)
	if err != nil {
		return nil, err
	}
	return s.person(assertion)
}

// decodeMessage reads the encoded form of a message, and refuses what SAML has
// no use for: document types, and with them entities.
func decodeMessage(text string) ([]byte, error) {
	if len(text) > base64.StdEncoding.EncodedLen(maxSAMLMessage) {
		return nil, fmt.Errorf("%d characters, more than %d bytes of XML", len(text), maxSAMLMessage)
	}
	document, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(document, []byte("<!DOCTYPE")) {
		return nil, errors.New("there is a document type in it")
	}
	return document, nil
}

// verify returns the assertion of a response that answers a request.
func (s *SAML) verify(sp *saml.ServiceProvider, document []byte, requestID string) (*saml.Assertion, error) {
	v := &verifier{}
	sp.SignatureVerifier = v
	if !s.options.RequireSignedAssertions && !s.options.RequireSignedResponses {
		var err error
		if document, err = s.vouch(sp, document, v); err != nil {
			return nil, refused("The response of the identity provider cannot be read", err)
		}
	}
	assertion, err := s.parse(sp, document, requestID)
	switch {
	case err != nil:
		return nil, explain(err, v, document)
	case s.options.RequireSignedResponses && !v.hasVerified("Response", ""):
		return nil, refused("The response of the identity provider is not signed, only the assertion in it. SAML_SIGNED_ENVELOPES demands it", errUnsigned)
	case s.options.RequireSignedAssertions && !v.hasVerified("Assertion", assertion.ID):
		return nil, refused("The assertion of the identity provider is not signed, only the response around it. SAML_SIGNED_ASSERTION demands it", errUnsigned)
	}
	return assertion, nil
}

var errUnsigned = errors.New("a signature is missing")

// parse accepts a response for each of our consumer addresses. The library
// knows one.
func (s *SAML) parse(sp *saml.ServiceProvider, document []byte, requestID string) (assertion *saml.Assertion, err error) {
	for i, consumer := range s.consumers {
		sp.AcsURL = consumer
		other := s.consumers[len(s.consumers)-1-i]
		assertion, err = sp.ParseXMLResponse(document, []string{requestID}, other)
		if !errors.Is(err, saml.ErrDestinationMismatch) {
			break
		}
	}
	return assertion, err
}

// checkAudience accepts what is meant for us or does not say for whom it is
// meant: the recipient says so in any case.
func (s *SAML) checkAudience(assertion *saml.Assertion) error {
	for _, restriction := range assertion.Conditions.AudienceRestrictions {
		isOurs := func(audience saml.Audience) bool { return audience.Value == s.template.EntityID }
		if !slices.ContainsFunc(restriction.AllAudiences(), isOurs) {
			return fmt.Errorf("it is not for %q", s.template.EntityID)
		}
	}
	return nil
}

// verifier verifies signatures, and remembers of which elements. The library
// reads a message from what is returned here, so what is not signed is not read;
// but to it one signature is enough.
type verifier struct {
	verified []*etree.Element
	// own is our certificate where we have signed the response ourselves, see
	// vouch.
	own *x509.Certificate
}

// VerifySignedElement returns what the signature of an element covers.
func (v *verifier) VerifySignedElement(context *dsig.ValidationContext, element *etree.Element) (signed *etree.Element, err error) {
	certificates, err := context.CertificateStore.Certificates()
	if err != nil {
		return nil, err
	}
	if v.own != nil && element.Tag == "Response" {
		certificates = []*x509.Certificate{v.own}
	}
	removeComments(element)
	err = saml.ErrUntrustedCertificate
	for _, certificate := range certificates {
		if !mayBeFrom(certificate, element) {
			continue
		}
		one := *context
		one.CertificateStore = &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}}
		if signed, err = one.Validate(element); err == nil {
			v.verified = append(v.verified, element)
			return signed, nil
		}
	}
	return nil, err
}

// removeComments removes what no signature covers. The library does it, too, in a
// time that grows with the square of their number.
func removeComments(element *etree.Element) {
	element.Child = slices.DeleteFunc(element.Child, func(token etree.Token) bool {
		_, isComment := token.(*etree.Comment)
		return isComment
	})
	element.ReindexChildren()
	for _, child := range element.ChildElements() {
		removeComments(child)
	}
}

// VerifySignature is what the library asks of verifiers; it calls
// VerifySignedElement instead.
func (v *verifier) VerifySignature(context *dsig.ValidationContext, element *etree.Element) error {
	_, err := v.VerifySignedElement(context, element)
	return err
}

// mayBeFrom is false where the signature of an element names another certificate.
func mayBeFrom(certificate *x509.Certificate, element *etree.Element) bool {
	named := element.FindElement("./Signature/KeyInfo/X509Data/X509Certificate")
	if named == nil {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields([]byte(named.Text())), nil)))
	return err != nil || bytes.Equal(der, certificate.Raw)
}

// hasVerified reports whether an element had a signature that is right. An empty
// id stands for any.
func (v *verifier) hasVerified(tag, id string) bool {
	return slices.ContainsFunc(v.verified, func(element *etree.Element) bool {
		return element.Tag == tag && (id == "" || element.SelectAttrValue("ID", "") == id)
	})
}

// vouch signs a response in the provider's place where the configuration asks
// for no signature: the library believes nothing that is not signed.
func (s *SAML) vouch(sp *saml.ServiceProvider, text []byte, v *verifier) ([]byte, error) {
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil {
		return nil, err
	}
	root := document.Root()
	if root == nil || root.SelectElement("Signature") != nil {
		return text, nil // the library has the word for the one, and verifies the other
	}
	signing := *sp
	signing.SignatureMethod = samlSignature
	v.own = s.options.Key.Certificate
	return signDocument(&signing, text, 0)
}

// explain finds the sentence for what the library says about a message.
func explain(err error, v *verifier, document []byte) *Failure {
	if status, ok := errors.AsType[saml.ErrBadStatus](err); ok {
		return refused("The identity provider reports that it has signed nobody in", status)
	}
	cause := err
	if invalid, ok := errors.AsType[*saml.InvalidResponseError](err); ok {
		cause = invalid.PrivateErr
	}
	i := slices.IndexFunc(samlExplanations, func(e samlExplanation) bool { return errors.Is(err, e.kind) })
	switch {
	case len(v.verified) == 0 && bytes.Contains(document, []byte("EncryptedAssertion")) && (i < 0 || samlExplanations[i].tells):
		return refused("The encrypted assertion cannot be decrypted, or it is not signed. It has to be encrypted for the certificate of this server, with RSA-OAEP", cause)
	case i >= 0:
		return refused(samlExplanations[i].reason, cause)
	case len(v.verified) == 0:
		return refused("The message of the identity provider is not signed", cause)
	}
	return refused("The message of the identity provider is not acceptable", cause)
}

type samlExplanation struct {
	kind   error
	reason string
	// tells: the sentence tells something about what was decrypted. Where nothing
	// is known to be the provider's, that must be the same whatever was found, or
	// whoever tries often enough can decrypt a message of others.
	tells bool
}

// samlExplanations are looked through in this order.
var samlExplanations = []samlExplanation{
	{kind: saml.ErrUntrustedCertificate, reason: "The message is signed with a certificate that is not in the metadata of the identity provider", tells: true},
	{kind: saml.ErrDecryptionFailed, reason: "The assertion cannot be decrypted. It has to be encrypted for the certificate of this server, with RSA-OAEP", tells: true},
	{kind: saml.ErrInvalidSignature, reason: "A signature of the message is missing or wrong", tells: true},
	{kind: saml.ErrExpired, reason: "The message came too late, or the clocks of the identity provider and this server differ"},
	{kind: saml.ErrNotYetValid, reason: "The message is not valid yet: the clocks of the identity provider and this server differ"},
	{kind: saml.ErrIssuerMismatch, reason: "The message is from another identity provider than the one in the metadata"},
	{kind: saml.ErrDestinationMismatch, reason: "The message is addressed to another server"},
	{kind: saml.ErrRequestIDMismatch, reason: "The message does not answer this sign-in. A sign-in has to begin on this server"},
	{kind: saml.ErrAudienceMismatch, reason: "The assertion is meant for another application: its audience is not the entity id of this server"},
	{kind: saml.ErrMissingElement, reason: "The message lacks something that a sign-in needs"},
	{kind: saml.ErrMalformedMessage, reason: "The message of the identity provider cannot be read", tells: true},
}
