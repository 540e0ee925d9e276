package sso

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
)

// samlNow is the time of these tests.
var samlNow = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	samlOrigin   = "https://trento.example.com"
	samlEntity   = samlOrigin + "/sso/sp/metadata/corporate"
	samlConsumer = samlOrigin + "/sso/sp/consume/corporate"
	idpEntity    = "https://idp.example.com/metadata"
)

// The keys of these tests: ours, the provider's two, and a stranger's.
var (
	ourKey      = newTestKey("Trento SAML SP")
	idpKey      = newTestKey("idp")
	idpNextKey  = newTestKey("idp next")
	strangerKey = newTestKey("stranger")
)

func newTestKey(name string) func() *SAMLKey {
	return sync.OnceValue(func() *SAMLKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		certificate := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
			NotBefore: samlNow.AddDate(-1, 0, 0), NotAfter: samlNow.AddDate(1, 0, 0),
		}
		der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, key.Public(), key)
		if err != nil {
			panic(err)
		}
		if certificate, err = x509.ParseCertificate(der); err != nil {
			panic(err)
		}
		return &SAMLKey{Private: key, Certificate: certificate}
	})
}

// idpMetadata is the metadata of the provider of these tests.
func idpMetadata(bindings string, keys ...*SAMLKey) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`, idpEntity)
	for _, key := range keys {
		fmt.Fprintf(&text, `<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor>`,
			base64.StdEncoding.EncodeToString(key.Certificate.Raw))
	}
	return fmt.Appendf(text.Bytes(), `%s</IDPSSODescriptor></EntityDescriptor>`, bindings)
}

const (
	redirectBinding = `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/>`
	postBinding     = `<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/sso/post"/>`
	logoutBinding   = `<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/slo"/>`
)

func samlOptions() SAMLOptions {
	return SAMLOptions{
		Options:            Options{Origin: samlOrigin, Now: func() time.Time { return samlNow }, Log: slog.New(slog.DiscardHandler)},
		IdentityProviderID: "corporate", ServiceProviderID: "trento",
		NameIDFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
		ContactName:  "Trento SP Admin", ContactEmail: "admin@trento.suse.com",
		OrganizationName: "Trento SP", OrganizationDisplayName: "SAML SP build with Trento", OrganizationURL: "https://www.trento-project.io/",
		UsernameAttribute: "username", EmailAttribute: "email", FirstNameAttribute: "firstName", LastNameAttribute: "lastName",
		SignRequests: true, SignMetadata: true, RequireSignedAssertions: true, RequireSignedResponses: true,
		Key: ourKey(), Metadata: idpMetadata(logoutBinding+redirectBinding+postBinding, idpKey(), idpNextKey()),
	}
}

func newTestSAML(t testing.TB, change func(*SAMLOptions)) *SAML {
	t.Helper()
	o := samlOptions()
	if change != nil {
		change(&o)
	}
	s, err := NewSAML(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testAttempt is an attempt for which Begin was called.
func testAttempt() *Attempt { return &Attempt{State: "the state", RequestID: "id-request"} }

// testResponse is a response of the provider and how it is sent.
type testResponse struct {
	Issuer, AssertionIssuer         string
	InResponseTo, ConfirmsRequest   string
	Destination, Recipient          string
	Audience                        string // empty: no restriction
	Issued, NotBefore, NotOnOrAfter time.Time
	Status                          string
	NameID, Attributes              string // XML

	signAssertion, signResponse bool
	key                         *SAMLKey
	method                      string // of signatures
	encryptFor                  *x509.Certificate
	cipher                      xmlenc.BlockCipher // AES-GCM where nil
	beforeSigning               func(assertion *etree.Element)
}

func newResponse() *testResponse {
	return &testResponse{
		Issuer: idpEntity, AssertionIssuer: idpEntity, InResponseTo: "id-request", ConfirmsRequest: "id-request",
		Destination: samlConsumer, Recipient: samlConsumer, Audience: samlEntity,
		Issued: samlNow, NotBefore: samlNow.Add(-time.Minute), NotOnOrAfter: samlNow.Add(time.Minute),
		Status: "urn:oasis:names:tc:SAML:2.0:status:Success", NameID: "ann-id",
		Attributes:    attribute("username", "ann") + attribute("email", "ann@example.com") + attribute("firstName", "Ann") + attribute("lastName", "Lee"),
		signAssertion: true, signResponse: true, key: idpKey(), method: dsig.RSASHA256SignatureMethod,
	}
}

func attribute(name string, values ...string) string {
	text := `<saml:Attribute Name="` + name + `">`
	for _, value := range values {
		text += `<saml:AttributeValue>` + value + `</saml:AttributeValue>`
	}
	return text + `</saml:Attribute>`
}

var responseTemplate = template.Must(template.New("").Funcs(template.FuncMap{
	"time": func(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") },
}).Parse(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="id-response" Version="2.0" IssueInstant="{{time .Issued}}" Destination="{{.Destination}}"{{with .InResponseTo}} InResponseTo="{{.}}"{{end}}>` +
	`<saml:Issuer>{{.Issuer}}</saml:Issuer><samlp:Status><samlp:StatusCode Value="{{.Status}}"/></samlp:Status>` +
	`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="id-assertion" Version="2.0" IssueInstant="{{time .Issued}}"><saml:Issuer>{{.AssertionIssuer}}</saml:Issuer>` +
	`<saml:Subject><saml:NameID>{{.NameID}}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` +
	`<saml:SubjectConfirmationData{{with .ConfirmsRequest}} InResponseTo="{{.}}"{{end}} Recipient="{{.Recipient}}" NotOnOrAfter="{{time .NotOnOrAfter}}"/></saml:SubjectConfirmation></saml:Subject>` +
	`<saml:Conditions NotBefore="{{time .NotBefore}}" NotOnOrAfter="{{time .NotOnOrAfter}}">{{with .Audience}}<saml:AudienceRestriction><saml:Audience>{{.}}</saml:Audience></saml:AudienceRestriction>{{end}}</saml:Conditions>` +
	`<saml:AuthnStatement AuthnInstant="{{time .Issued}}" SessionIndex="session-1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
	`<saml:AttributeStatement>{{.Attributes}}</saml:AttributeStatement></saml:Assertion></samlp:Response>`))

// document is the response as the provider would send it.
func (r *testResponse) document(t testing.TB) *etree.Document {
	t.Helper()
	var text bytes.Buffer
	if err := responseTemplate.Execute(&text, r); err != nil {
		t.Fatal(err)
	}
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text.Bytes()); err != nil {
		t.Fatal(err)
	}
	assertion := document.Root().SelectElement("Assertion")
	if r.beforeSigning != nil {
		r.beforeSigning(assertion)
	}
	if r.signAssertion {
		r.sign(t, assertion)
	}
	if r.encryptFor != nil {
		r.encrypt(t, assertion)
	}
	if r.signResponse {
		r.sign(t, document.Root())
	}
	return document
}

// sign puts a signature behind the issuer, where the schema wants it.
func (r *testResponse) sign(t testing.TB, element *etree.Element) {
	t.Helper()
	keys := dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{r.key.Certificate.Raw}, PrivateKey: r.key.Private})
	context := dsig.NewDefaultSigningContext(keys)
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(r.method); err != nil {
		t.Fatal(err)
	}
	signature, err := context.ConstructSignature(element, true)
	if err != nil {
		t.Fatal(err)
	}
	element.InsertChildAt(1, signature)
}

func (r *testResponse) encrypt(t testing.TB, assertion *etree.Element) {
	t.Helper()
	plain := etree.NewDocument()
	plain.SetRoot(assertion.Copy())
	text, err := plain.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	encrypter := xmlenc.OAEP()
	encrypter.BlockCipher = cmp.Or(r.cipher, xmlenc.BlockCipher(xmlenc.AES128GCM))
	data, err := encrypter.Encrypt(r.encryptFor, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	data.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#Element")
	encrypted := etree.NewElement("saml:EncryptedAssertion")
	encrypted.AddChild(data)
	response := assertion.Parent()
	response.RemoveChild(assertion)
	response.AddChild(encrypted)
}

// answerOf returns the form that the browser sends.
func answerOf(t testing.TB, document *etree.Document) url.Values {
	t.Helper()
	text, err := document.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return answerOfText(text)
}

func answerOfText(text []byte) url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(text)}, "RelayState": {"the state"}}
}
