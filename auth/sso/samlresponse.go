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

// maxSAMLMessage is the largest size of a message of the provider, in bytes of
// XML. It is low because reading a message takes many times its size in memory.
const maxSAMLMessage = 256 << 10

// Finish implements Provider. It reads SAMLResponse and RelayState of the
// answer.
func (s *SAML) Finish(ctx context.Context, a *Attempt, answer url.Values) (*Person, error) {
	if a.RequestID == "" || subtle.ConstantTimeCompare([]byte(answer.Get("RelayState")), []byte(a.State)) != 1 {
		return nil, refusalFailure("The response does not belong to this sign-in", errors.New("RelayState is not that of the attempt"))
	}
	document, err := decodeMessage(answer.Get("SAMLResponse"))
	if err != nil {
		return nil, refusalFailure("The response of the identity provider cannot be read", err)
	}
	sp, err := s.serviceProvider()
	if err != nil {
		return nil, err
	}
	v := new(signatureVerifier)
	assertion, err := s.verifyResponse(sp, document, a.RequestID, v)
	if len(v.verifiedElements) == 0 && s.refreshForNewKey(ctx) {
		if sp, err = s.serviceProvider(); err != nil {
			return nil, err
		}
		assertion, err = s.verifyResponse(sp, document, a.RequestID, v)
	}
	if err != nil {
		return nil, err
	}
	return s.person(assertion)
}

// decodeMessage decodes the base64 form of a message. It refuses document
// types, which SAML does not use, because they can define entities.
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

// verifyResponse verifies the response to a request and returns its assertion.
// v remembers the signatures that are valid. verifyResponse fails with a
// Failure.
func (s *SAML) verifyResponse(sp *saml.ServiceProvider, document []byte, requestID string, v *signatureVerifier) (*saml.Assertion, error) {
	sp.SignatureVerifier = v
	if !s.options.RequireSignedAssertions && !s.options.RequireSignedResponses {
		var err error
		if document, err = s.signUnsigned(sp, document, v); err != nil {
			return nil, refusalFailure("The response of the identity provider cannot be read", err)
		}
	}
	assertion, err := s.parseResponse(sp, document, requestID)
	switch {
	case err != nil:
		return nil, explainError(err, v, document)
	case s.options.RequireSignedResponses && !v.hasVerified("Response", ""):
		return nil, refusalFailure("The response of the identity provider is not signed, only the assertion in it. SAML_SIGNED_ENVELOPES demands it", errUnsigned)
	case s.options.RequireSignedAssertions && !v.hasVerified("Assertion", assertion.ID):
		return nil, refusalFailure("The assertion of the identity provider is not signed, only the response around it. SAML_SIGNED_ASSERTION demands it", errUnsigned)
	}
	return assertion, nil
}

var errUnsigned = errors.New("a signature is missing")

// parseResponse parses and validates a response for any of our consumer addresses. It
// tries one after the other, because the library accepts only one address.
func (s *SAML) parseResponse(sp *saml.ServiceProvider, document []byte, requestID string) (assertion *saml.Assertion, err error) {
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

// checkAudience checks that an assertion with an audience names this server. An
// assertion without an audience is accepted, because its recipient is checked
// in any case.
func (s *SAML) checkAudience(assertion *saml.Assertion) error {
	for _, restriction := range assertion.Conditions.AudienceRestrictions {
		isOurs := func(audience saml.Audience) bool { return audience.Value == s.template.EntityID }
		if !slices.ContainsFunc(restriction.AllAudiences(), isOurs) {
			return fmt.Errorf("it is not for %q", s.template.EntityID)
		}
	}
	return nil
}

// signatureVerifier verifies signatures and remembers the signed elements. The library
// reads only the signed parts that verifier returns, but is content with a
// single signature. The remembered elements serve to check that response and
// assertion are signed as configured.
type signatureVerifier struct {
	verifiedElements []*etree.Element
	// ownCertificate is our certificate if we have signed the response ourselves, see
	// signUnsigned; else nil.
	ownCertificate *x509.Certificate
}

// VerifySignedElement verifies the signature of an element and returns the part
// that it covers.
func (v *signatureVerifier) VerifySignedElement(context *dsig.ValidationContext, element *etree.Element) (signed *etree.Element, err error) {
	certificates, err := context.CertificateStore.Certificates()
	if err != nil {
		return nil, err
	}
	if v.ownCertificate != nil && element.Tag == "Response" {
		certificates = []*x509.Certificate{v.ownCertificate}
	}
	removeComments(element)
	named := takeNamedCertificate(element)
	err = saml.ErrUntrustedCertificate
	for _, certificate := range certificates {
		if named != nil && !bytes.Equal(named.RawSubjectPublicKeyInfo, certificate.RawSubjectPublicKeyInfo) {
			continue
		}
		one := *context
		one.CertificateStore = &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}}
		if signed, err = one.Validate(element); err == nil {
			v.verifiedElements = append(v.verifiedElements, element)
			return signed, nil
		}
	}
	return nil, err
}

// removeComments removes comments, which no signature covers. The library
// removes them as well, but in a time that grows with the square of their
// number.
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

// VerifySignature completes the interface of the library, which calls only
// VerifySignedElement.
func (v *signatureVerifier) VerifySignature(context *dsig.ValidationContext, element *etree.Element) error {
	_, err := v.VerifySignedElement(context, element)
	return err
}

// takeNamedCertificate returns the certificate that the signature of an element
// names, and nil if it names none. It removes the name, which no signature
// covers: the library would insist on the very certificate of the metadata, and
// a provider may have renewed the certificate of its key since.
func takeNamedCertificate(element *etree.Element) *x509.Certificate {
	info := element.FindElement("./Signature/KeyInfo")
	if info == nil {
		return nil
	}
	info.Parent().RemoveChild(info)
	named := info.FindElement("./X509Data/X509Certificate")
	if named == nil {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields([]byte(named.Text())), nil)))
	if err != nil {
		return nil
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return certificate
}

// hasVerified reports whether an element with a tag and id had a valid
// signature. The id "" stands for any id.
func (v *signatureVerifier) hasVerified(tag, id string) bool {
	return slices.ContainsFunc(v.verifiedElements, func(element *etree.Element) bool {
		return element.Tag == tag && (id == "" || element.SelectAttrValue("ID", "") == id)
	})
}

// signUnsigned signs an unsigned response with our own key, because the library
// accepts only signed responses. It must only be called if the configuration
// requires no signature.
func (s *SAML) signUnsigned(sp *saml.ServiceProvider, text []byte, v *signatureVerifier) ([]byte, error) {
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil {
		return nil, err
	}
	root := document.Root()
	if root == nil || root.SelectElement("Signature") != nil {
		return text, nil // the library reports an empty document, and verifies a signed one
	}
	signing := *sp
	signing.SignatureMethod = samlSignature
	v.ownCertificate = s.options.Key.Certificate
	return signDocument(&signing, text, 0)
}

// explainError returns the failure for an error of the library about a message.
func explainError(err error, v *signatureVerifier, document []byte) *Failure {
	if status, ok := errors.AsType[saml.ErrBadStatus](err); ok {
		return refusalFailure("The identity provider reports that it has signed nobody in", status)
	}
	cause := err
	if invalid, ok := errors.AsType[*saml.InvalidResponseError](err); ok {
		cause = invalid.PrivateErr
	}
	i := slices.IndexFunc(samlExplanations, func(e samlExplanation) bool { return errors.Is(err, e.kind) })
	switch {
	case len(v.verifiedElements) == 0 && bytes.Contains(document, []byte("EncryptedAssertion")) && (i < 0 || samlExplanations[i].revealsContent):
		return refusalFailure("The encrypted assertion cannot be decrypted, or it is not signed. It has to be encrypted for the certificate of this server, with RSA-OAEP", cause)
	case i >= 0:
		return refusalFailure(samlExplanations[i].reason, cause)
	case len(v.verifiedElements) == 0:
		return refusalFailure("The message of the identity provider is not signed", cause)
	}
	return refusalFailure("The message of the identity provider is not acceptable", cause)
}

type samlExplanation struct {
	kind   error
	reason string
	// revealsContent says that the sentence depends on the decrypted content.
	// It must not be shown before a signature was verified. Otherwise an
	// attacker could try many variants of somebody else's message, and decrypt
	// it with the help of the answers.
	revealsContent bool
}

// samlExplanations are the sentences for errors of the library. The first that
// fits is used.
var samlExplanations = []samlExplanation{
	{kind: saml.ErrUntrustedCertificate, reason: "The message is signed with a certificate that is not in the metadata of the identity provider", revealsContent: true},
	{kind: saml.ErrDecryptionFailed, reason: "The assertion cannot be decrypted. It has to be encrypted for the certificate of this server, with RSA-OAEP", revealsContent: true},
	{kind: saml.ErrInvalidSignature, reason: "A signature of the message is missing or wrong", revealsContent: true},
	{kind: saml.ErrExpired, reason: "The message came too late, or the clocks of the identity provider and this server differ"},
	{kind: saml.ErrNotYetValid, reason: "The message is not valid yet: the clocks of the identity provider and this server differ"},
	{kind: saml.ErrIssuerMismatch, reason: "The message is from another identity provider than the one in the metadata"},
	{kind: saml.ErrDestinationMismatch, reason: "The message is addressed to another server"},
	{kind: saml.ErrRequestIDMismatch, reason: "The message does not answer this sign-in. A sign-in has to begin on this server"},
	{kind: saml.ErrAudienceMismatch, reason: "The assertion is meant for another application: its audience is not the entity id of this server"},
	{kind: saml.ErrMissingElement, reason: "The message lacks something that a sign-in needs"},
	{kind: saml.ErrMalformedMessage, reason: "The message of the identity provider cannot be read", revealsContent: true},
}
