package sso

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	dsig "github.com/russellhaering/goxmldsig"
)

func TestSAMLMetadata(t *testing.T) {
	s := newTestSAML(t, nil)
	text, err := s.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := saml.VerifyMetadataSignature(text, []*x509.Certificate{ourKey().Certificate})
	if err != nil {
		t.Fatal(err)
	}
	entity, err := samlsp.ParseMetadata(signed)
	if err != nil {
		t.Fatal(err)
	}
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil {
		t.Fatal(err)
	}
	if first := document.Root().ChildElements()[0].Tag; first != "Signature" {
		t.Errorf("the schema wants the signature first, here it is %s", first)
	}
	role := entity.SPSSODescriptors[0]
	consumers := role.AssertionConsumerServices
	switch {
	case entity.EntityID != samlEntity:
		t.Errorf("entity id %s", entity.EntityID)
	case len(consumers) != 2 || consumers[0].Location != samlConsumer || !*consumers[0].IsDefault || consumers[1].Location != samlOrigin+"/sso/sp/consume/saml" || *consumers[1].IsDefault:
		t.Errorf("consumers %+v", consumers)
	case len(role.SingleLogoutServices) != 2 || role.SingleLogoutServices[0].Location != samlOrigin+"/sso/sp/logout/corporate":
		t.Errorf("logout %+v", role.SingleLogoutServices)
	case !*role.AuthnRequestsSigned || !*role.WantAssertionsSigned:
		t.Error("flags are missing")
	case entity.Organization.OrganizationDisplayNames[0].Value != "SAML SP build with Trento" || entity.ContactPersons[0].EmailAddresses[0] != "mailto:admin@trento.suse.com":
		t.Errorf("organisation %+v, contact %+v", entity.Organization, entity.ContactPersons)
	case !entity.ValidUntil.IsZero():
		t.Error("it expires")
	}
	uses := map[string]bool{}
	for _, key := range role.KeyDescriptors {
		uses[key.Use] = key.KeyInfo.X509Data.X509Certificates[0].Data == base64.StdEncoding.EncodeToString(ourKey().Certificate.Raw)
	}
	if !uses["signing"] || !uses["encryption"] {
		t.Errorf("certificates %v", uses)
	}
}

// TestSAMLMetadataUnsigned checks that the settings change the document.
func TestSAMLMetadataUnsigned(t *testing.T) {
	text, err := newTestSAML(t, func(o *SAMLOptions) {
		o.SignMetadata, o.SignRequests, o.RequireSignedAssertions = false, false, false
		o.IdentityProviderID, o.EntityID = "saml", "urn:trento"
	}).Metadata()
	if err != nil {
		t.Fatal(err)
	}
	entity, err := samlsp.ParseMetadata(text)
	if err != nil {
		t.Fatal(err)
	}
	role := entity.SPSSODescriptors[0]
	if bytes.Contains(text, []byte("SignedInfo")) || *role.AuthnRequestsSigned || *role.WantAssertionsSigned {
		t.Errorf("signatures in %s", text)
	}
	if entity.EntityID != "urn:trento" || len(role.AssertionConsumerServices) != 1 || len(role.KeyDescriptors) != 2 {
		t.Errorf("entity id %s, consumers %+v, %d keys", entity.EntityID, role.AssertionConsumerServices, len(role.KeyDescriptors))
	}
}

// TestSAMLRequest checks the request in an address as a provider does.
func TestSAMLRequest(t *testing.T) {
	attempt := NewAttempt("/hosts", samlNow)
	departure, err := newTestSAML(t, nil).Begin(t.Context(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	address, query, found := strings.Cut(departure.URL, "?")
	if !found || address != "https://idp.example.com/sso" || departure.Form != nil {
		t.Fatalf("departure %+v", departure)
	}
	content, encoded, _ := strings.Cut(query, "&Signature=")
	signature, err := url.QueryUnescape(encoded)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(content))
	if err := rsa.VerifyPKCS1v15(&ourKey().Private.PublicKey, crypto.SHA256, digest[:], raw); err != nil {
		t.Error(err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	if values.Get("RelayState") != attempt.State || len(attempt.State) > 80 || values.Get("SigAlg") != dsig.RSASHA256SignatureMethod {
		t.Errorf("query %v", values)
	}
	deflated, err := base64.StdEncoding.DecodeString(values.Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(deflated)))
	if err != nil {
		t.Fatal(err)
	}
	checkRequest(t, text, attempt)
}

func checkRequest(t *testing.T, text []byte, attempt *Attempt) {
	t.Helper()
	document := etree.NewDocument()
	if err := document.ReadFromBytes(text); err != nil {
		t.Fatal(err)
	}
	root := document.Root()
	for key, want := range map[string]string{"ID": attempt.RequestID, "AssertionConsumerServiceURL": samlConsumer, "ProviderName": "trento", "Version": "2.0"} {
		if got := root.SelectAttrValue(key, ""); got != want || want == "" {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if format := root.SelectElement("NameIDPolicy").SelectAttrValue("Format", ""); format != "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" {
		t.Errorf("name id format %q", format)
	}
	if issuer := root.SelectElement("Issuer").Text(); issuer != samlEntity {
		t.Errorf("issuer %q", issuer)
	}
}

// TestSAMLRequestForm checks that a provider that accepts only forms gets one,
// signed if that is configured.
func TestSAMLRequestForm(t *testing.T) {
	for _, sign := range []bool{true, false} {
		s := newTestSAML(t, func(o *SAMLOptions) {
			o.SignRequests, o.Metadata = sign, idpMetadata(postBinding, idpKey())
		})
		attempt := NewAttempt("/hosts", samlNow)
		departure, err := s.Begin(t.Context(), attempt)
		if err != nil {
			t.Fatal(err)
		}
		if departure.URL != "https://idp.example.com/sso/post" || departure.Form.Get("RelayState") != attempt.State {
			t.Errorf("departure %+v", departure)
		}
		text, err := base64.StdEncoding.DecodeString(departure.Form.Get("SAMLRequest"))
		if err != nil {
			t.Fatal(err)
		}
		checkRequest(t, text, attempt)
		document := etree.NewDocument()
		if err := document.ReadFromBytes(text); err != nil {
			t.Fatal(err)
		}
		validation := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{ourKey().Certificate}})
		validation.Clock = dsig.NewFakeClockAt(samlNow)
		if _, err := validation.Validate(document.Root()); (err == nil) != sign {
			t.Errorf("sign %v: %v", sign, err)
		}
	}
}

func TestSAMLMetadataContent(t *testing.T) {
	entities := func(parts ...string) []byte {
		return []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.Join(parts, "") + `</EntitiesDescriptor>`)
	}
	one := string(idpMetadata(redirectBinding, idpKey()))
	tests := map[string]struct {
		content []byte
		want    string // of the error; empty: none
	}{
		"one entity":           {content: []byte(one)},
		"a list of one":        {content: entities(one)},
		"two providers":        {content: entities(one, one), want: "2 entities"},
		"nothing":              {content: nil, want: "SAML_METADATA_CONTENT"},
		"no XML":               {content: []byte("https://idp.example.com/metadata"), want: "not the metadata"},
		"HTML":                 {content: []byte("<html><body>Sign in</body></html>"), want: "not the metadata"},
		"a document type":      {content: []byte("<!DOCTYPE html>" + one), want: "document type"},
		"a service provider's": {content: []byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="a"><SPSSODescriptor/></EntityDescriptor>`), want: "IDPSSODescriptor"},
		"no certificate":       {content: idpMetadata(redirectBinding), want: "no certificate"},
		"no address":           {content: idpMetadata(logoutBinding, idpKey()), want: "no SingleSignOnService"},
		"a strange address":    {content: idpMetadata(strings.Replace(redirectBinding, "https://idp.example.com/sso", "javascript:alert(1)", 1), idpKey()), want: "not the metadata"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := samlOptions()
			o.Metadata = test.content
			_, err := NewSAML(o)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// fetched is a provider whose metadata is at an address, with the stored copy
// of the metadata.
type fetched struct {
	metadata atomic.Pointer[[]byte] // nil: it is down
	asked    atomic.Int64           // how often it was asked
	kept     []byte
	log      bytes.Buffer
	*httptest.Server
}

func newFetched(t *testing.T, metadata []byte) *fetched {
	f := &fetched{}
	f.serve(metadata)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f.asked.Add(1)
		if document := f.metadata.Load(); document != nil {
			w.Write(*document)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fetched) serve(metadata []byte) {
	if f.metadata.Store(nil); metadata != nil {
		f.metadata.Store(&metadata)
	}
}

func (f *fetched) options(o *SAMLOptions) {
	o.MetadataURL, o.Metadata = f.URL, f.kept
	o.KeepMetadata = func(_ context.Context, document []byte) error { f.kept = document; return nil }
	o.Log = slog.New(slog.NewTextHandler(&f.log, nil))
}

// TestSAMLRefresh checks that the server works while the provider is down.
func TestSAMLRefresh(t *testing.T) {
	f := newFetched(t, nil)
	s := newTestSAML(t, f.options)
	if err := s.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), metadataErrorText) || !strings.Contains(s.Problem(), metadataErrorText) {
		t.Errorf("down at the first start: %v, problem %q", err, s.Problem())
	}
	_, err := s.Begin(t.Context(), NewAttempt("/", samlNow))
	if failure := new(Failure); !errors.As(err, &failure) || !strings.Contains(failure.Reason, "could not be fetched") {
		t.Errorf("sign-in meanwhile: %v", err)
	}

	f.serve(idpMetadata(redirectBinding, idpKey()))
	if _, err := s.Begin(t.Context(), NewAttempt("/", samlNow)); err != nil || s.Problem() != "" {
		t.Errorf("sign-in once it is up: %v, problem %q", err, s.Problem())
	}
	if !bytes.Equal(f.kept, idpMetadata(redirectBinding, idpKey())) {
		t.Error("the metadata was not kept")
	}

	f.serve(nil)
	if err := s.Refresh(t.Context()); err == nil || !strings.Contains(s.Problem(), "in use") {
		t.Errorf("down later: %v, problem %q", err, s.Problem())
	}
	restarted := newTestSAML(t, f.options)
	if _, err := restarted.Begin(t.Context(), NewAttempt("/", samlNow)); err != nil {
		t.Errorf("start with what was kept: %v", err)
	}

	f.serve([]byte("<html>Maintenance</html>"))
	if err := restarted.Refresh(t.Context()); err == nil || restarted.Problem() == "" {
		t.Errorf("rubbish: %v, problem %q", err, restarted.Problem())
	}
}

// TestSAMLRollover checks that new certificates in the metadata are accepted
// and removed ones are not.
func TestSAMLRollover(t *testing.T) {
	f := newFetched(t, idpMetadata(redirectBinding, idpKey()))
	s := newTestSAML(t, f.options)
	finish := func(key *SAMLKey) error {
		t.Helper()
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		response := newResponse()
		response.key = key
		_, err := s.Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
		return err
	}
	if finish(idpKey()) != nil || finish(idpNextKey()) == nil {
		t.Error("before")
	}
	f.serve(idpMetadata(redirectBinding, idpKey(), idpNextKey()))
	if finish(idpKey()) != nil || finish(idpNextKey()) != nil {
		t.Error("meanwhile")
	}
	f.serve(idpMetadata(redirectBinding, idpNextKey()))
	if finish(idpKey()) == nil || finish(idpNextKey()) != nil {
		t.Error("after")
	}
}

// TestSAMLNewKey checks that a response and a logout request with a key that is
// new in the metadata are accepted at once, and that strangers cannot make this
// server fetch the metadata all the time.
func TestSAMLNewKey(t *testing.T) {
	f := newFetched(t, idpMetadata(redirectBinding+logoutBinding, idpKey()))
	now := samlNow
	s := newTestSAML(t, func(o *SAMLOptions) { f.options(o); o.Now = func() time.Time { return now } })
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	finish := func(key *SAMLKey, sign bool) error {
		t.Helper()
		response := newResponse()
		response.key, response.signAssertion, response.signResponse = key, sign, sign
		_, err := s.Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
		return err
	}
	f.serve(idpMetadata(redirectBinding+logoutBinding, idpNextKey()))
	if finish(idpNextKey(), true) == nil {
		t.Error("the metadata was fetched a second ago, and again")
	}
	now = now.Add(RetryInterval)
	if err := finish(idpNextKey(), true); err != nil {
		t.Errorf("a new key: %v", err)
	}
	if err := finish(idpKey(), true); err == nil {
		t.Error("the former key is accepted")
	}

	now = now.Add(RetryInterval)
	asked := f.asked.Load()
	for range 3 {
		if finish(strangerKey(), true) == nil || finish(idpNextKey(), false) == nil {
			t.Error("the key of a stranger, or none, is accepted")
		}
	}
	if n := f.asked.Load() - asked; n != 1 {
		t.Errorf("the metadata was fetched %d times", n)
	}

	f.serve(idpMetadata(redirectBinding+logoutBinding, idpKey()))
	now = now.Add(RetryInterval)
	sender := logoutSender(idpKey())
	address, err := sender.MakeRedirectLogoutRequest("ann-id", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.ReadLogoutRequest(httptest.NewRequest(http.MethodGet, address.String(), nil)); !ok || err != nil {
		t.Errorf("a logout request with a new key: %t, %v", ok, err)
	}
}

// TestSAMLBareKey checks that metadata may have a key without a certificate, and
// that its signatures may name the key by its value.
func TestSAMLBareKey(t *testing.T) {
	public := &idpKey().Private.PublicKey
	bare := func(modulus []byte) []byte {
		value := fmt.Sprintf("<ds:KeyValue>\n<RSAKeyValue xmlns=\"http://www.w3.org/2000/09/xmldsig#\">\n<Modulus>%s\n</Modulus><Exponent>\nAQAB</Exponent></RSAKeyValue></ds:KeyValue>", base64.StdEncoding.EncodeToString(modulus))
		text := string(idpMetadata(redirectBinding, idpNextKey()))
		begin, end := strings.Index(text, "<X509Data>"), strings.Index(text, "</KeyInfo>")
		return []byte(strings.Replace(text[:begin]+value+text[end:], "<KeyInfo ", `<KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#" `, 1))
	}
	s := newTestSAML(t, func(o *SAMLOptions) { o.Metadata = bare(public.N.Bytes()) })
	for _, key := range []*SAMLKey{idpKey(), strangerKey()} {
		response := newResponse()
		response.key = key
		document := response.document(t)
		info := document.FindElement("./Response/Signature/KeyInfo")
		info.Child = nil
		info.CreateElement("KeyValue").CreateElement("RSAKeyValue").CreateElement("Modulus").SetText("AAAA")
		_, err := s.Finish(t.Context(), testAttempt(), answerOf(t, document))
		if (err == nil) != (key == idpKey()) {
			t.Errorf("signed by %s: %v", key.Certificate.Subject, err)
		}
	}
	renewed := *idpKey().Certificate
	der, err := x509.CreateCertificate(rand.Reader, &renewed, &renewed, public, idpKey().Private)
	if err != nil {
		t.Fatal(err)
	}
	response := newResponse()
	response.key = &SAMLKey{Private: idpKey().Private, Certificate: &x509.Certificate{Raw: der}}
	if _, err := s.Finish(t.Context(), testAttempt(), answerOf(t, response.document(t))); err != nil {
		t.Errorf("with another certificate of the same key: %v", err)
	}
	if _, err := readMetadata(bare(nil)); err == nil || !strings.Contains(err.Error(), "no RSA key") {
		t.Errorf("an empty key: %v", err)
	}
}

// TestSAMLExpiry checks that expired certificates are accepted and warned of
// once a day.
func TestSAMLExpiry(t *testing.T) {
	f := newFetched(t, idpMetadata(redirectBinding, idpKey()))
	now := idpKey().Certificate.NotAfter.Add(-certificateWarningTime - time.Hour)
	s := newTestSAML(t, func(o *SAMLOptions) { f.options(o); o.Now = func() time.Time { return now } })
	warnings := func(after time.Duration) int {
		t.Helper()
		f.log.Reset()
		now = now.Add(after)
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return strings.Count(f.log.String(), "level=WARN")
	}
	if n := warnings(0); n != 0 {
		t.Errorf("%d warnings in time: %s", n, f.log.String())
	}
	if n := warnings(25 * time.Hour); n != 1 || !strings.Contains(f.log.String(), "renew-certificate") {
		t.Errorf("%d warnings a month before: %s", n, f.log.String())
	}
	if n := warnings(time.Hour); n != 0 {
		t.Errorf("%d warnings on the same day", n)
	}
	if n := warnings(2 * certificateWarningTime); n != 2 {
		t.Errorf("%d warnings of ours and theirs: %s", n, f.log.String())
	}
	response := newResponse()
	response.Issued, response.NotBefore, response.NotOnOrAfter = now, now, now.Add(time.Minute)
	if _, err := s.Finish(t.Context(), testAttempt(), answerOf(t, response.document(t))); err != nil {
		t.Errorf("signed with a certificate that has ended: %v", err)
	}
}

// TestSAMLWarnings checks that insecure settings are logged at the start.
func TestSAMLWarnings(t *testing.T) {
	f := newFetched(t, nil)
	newTestSAML(t, func(o *SAMLOptions) { f.options(o); nothingSigned(o) })
	for _, want := range []string{"SAML_SIGNED_ASSERTION and SAML_SIGNED_ENVELOPES are false", "SAML_METADATA_URL is not https"} {
		if !strings.Contains(f.log.String(), want) {
			t.Errorf("no warning %q in %s", want, f.log.String())
		}
	}
}
