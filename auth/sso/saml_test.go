package sso

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"

	"trento/store/fault"
)

// Flags of the configuration.
func assertionsOnly(o *SAMLOptions) { o.RequireSignedResponses = false }
func responsesOnly(o *SAMLOptions)  { o.RequireSignedAssertions = false }
func nothingSigned(o *SAMLOptions) {
	o.RequireSignedAssertions, o.RequireSignedResponses = false, false
}

func TestSAMLAccepts(t *testing.T) {
	tests := map[string]struct {
		options func(*SAMLOptions)
		change  func(*testResponse)
	}{
		"both signed": {},
		"for the other consumer": {change: func(r *testResponse) {
			r.Destination, r.Recipient = samlOrigin+"/sso/sp/consume/saml", samlOrigin+"/sso/sp/consume/saml"
		}},
		"addressed to one, for other": {change: func(r *testResponse) { r.Recipient = samlOrigin + "/sso/sp/consume/saml" }},
		"assertion only":              {options: assertionsOnly, change: func(r *testResponse) { r.signResponse = false }},
		"response only":               {options: responsesOnly, change: func(r *testResponse) { r.signAssertion = false }},
		"more signed than demanded":   {options: nothingSigned},
		"nothing signed, as allowed":  {options: nothingSigned, change: func(r *testResponse) { r.signAssertion, r.signResponse = false, false }},
		"encrypted, nothing signed, as allowed": {options: nothingSigned, change: func(r *testResponse) {
			r.signAssertion, r.signResponse, r.encryptFor = false, false, ourKey().Certificate
		}},
		"the provider's next certificate": {change: func(r *testResponse) { r.key = idpNextKey() }},
		"encrypted":                       {change: func(r *testResponse) { r.encryptFor = ourKey().Certificate }},
		"encrypted with AES-CBC":          {change: func(r *testResponse) { r.encryptFor, r.cipher = ourKey().Certificate, xmlenc.AES256CBC }},
		"encrypted with 3DES":             {change: func(r *testResponse) { r.encryptFor, r.cipher = ourKey().Certificate, xmlenc.TripleDES }},
		"encrypted for a former certificate": {
			options: func(o *SAMLOptions) { o.FormerKeys = append(o.FormerKeys, strangerKey().Private) },
			change:  func(r *testResponse) { r.encryptFor = strangerKey().Certificate },
		},
		"no audience":   {change: func(r *testResponse) { r.Audience = "" }},
		"clocks differ": {change: func(r *testResponse) { r.NotBefore = samlNow.Add(2 * time.Minute) }},
		"their clock behind": {change: func(r *testResponse) {
			r.Issued = samlNow.Add(-time.Minute)
			r.NotOnOrAfter = samlNow.Add(-time.Minute)
		}},
		"own entity id": {
			options: func(o *SAMLOptions) { o.EntityID = "urn:trento" },
			change:  func(r *testResponse) { r.Audience = "urn:trento" },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response := newResponse()
			if test.change != nil {
				test.change(response)
			}
			person, err := newTestSAML(t, test.options).Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
			if err != nil {
				t.Fatal(err)
			}
			if person.Subject != "ann" || person.Username != "ann" || person.Fullname != "Ann Lee" || person.Email != "ann@example.com" {
				t.Errorf("got %+v", person)
			}
		})
	}
}

func TestSAMLRefuses(t *testing.T) {
	tests := map[string]struct {
		options func(*SAMLOptions)
		change  func(*testResponse)
		tamper  func(*etree.Document)
		reason  string
	}{
		"nothing signed":                {change: func(r *testResponse) { r.signAssertion, r.signResponse = false, false }, reason: "is not signed"},
		"only the assertion signed":     {change: func(r *testResponse) { r.signResponse = false }, reason: "SAML_SIGNED_ENVELOPES"},
		"only the response signed":      {change: func(r *testResponse) { r.signAssertion = false }, reason: "SAML_SIGNED_ASSERTION"},
		"assertion demanded":            {options: assertionsOnly, change: func(r *testResponse) { r.signAssertion = false }, reason: "SAML_SIGNED_ASSERTION"},
		"response demanded":             {options: responsesOnly, change: func(r *testResponse) { r.signResponse = false }, reason: "SAML_SIGNED_ENVELOPES"},
		"encrypted, assertion unsigned": {change: func(r *testResponse) { r.signAssertion, r.encryptFor = false, ourKey().Certificate }, reason: "SAML_SIGNED_ASSERTION"},
		"encrypted, nothing signed": {options: assertionsOnly, change: func(r *testResponse) {
			r.signAssertion, r.signResponse, r.encryptFor = false, false, ourKey().Certificate
		}, reason: "is not signed"},
		"encrypted with CBC, unsigned": {change: func(r *testResponse) {
			r.signResponse, r.encryptFor, r.cipher = false, ourKey().Certificate, xmlenc.AES128CBC
		}, reason: "or it is not signed"},
		"encrypted for somebody else":    {change: func(r *testResponse) { r.encryptFor = strangerKey().Certificate }, reason: "cannot be decrypted"},
		"a stranger's signature":         {change: func(r *testResponse) { r.key = strangerKey() }, reason: "not in the metadata"},
		"our own signature":              {change: func(r *testResponse) { r.key = ourKey() }, reason: "not in the metadata"},
		"our own signature, all allowed": {options: nothingSigned, change: func(r *testResponse) { r.key = ourKey() }, reason: "not in the metadata"},
		"a stranger's certificate under the provider's name": {
			change: func(r *testResponse) {
				r.key = &SAMLKey{Private: strangerKey().Private, Certificate: idpKey().Certificate}
			}, reason: "missing or wrong",
		},
		"SHA-1":               {change: func(r *testResponse) { r.method = dsig.RSASHA1SignatureMethod }, reason: "missing or wrong"},
		"HMAC":                {tamper: replaceAttribute("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), reason: "missing or wrong"},
		"changed name":        {tamper: func(d *etree.Document) { d.FindElement("//AttributeValue").SetText("admin") }, reason: "missing or wrong"},
		"wrong recipient":     {change: func(r *testResponse) { r.Recipient = "https://other.example.com/sso/sp/consume/corporate" }, reason: "another server"},
		"wrong destination":   {change: func(r *testResponse) { r.Destination = "https://other.example.com/sso/sp/consume/corporate" }, reason: "another server"},
		"another request":     {change: func(r *testResponse) { r.InResponseTo, r.ConfirmsRequest = "id-other", "id-other" }, reason: "does not answer"},
		"another assertion":   {change: func(r *testResponse) { r.ConfirmsRequest = "id-other" }, reason: "does not answer"},
		"nobody asked":        {change: func(r *testResponse) { r.InResponseTo, r.ConfirmsRequest = "", "" }, reason: "does not answer"},
		"for another":         {change: func(r *testResponse) { r.Audience = "https://other.example.com" }, reason: "another application"},
		"another issuer":      {change: func(r *testResponse) { r.Issuer = "https://other.example.com" }, reason: "another identity provider"},
		"assertion of other":  {change: func(r *testResponse) { r.AssertionIssuer = "https://other.example.com" }, reason: "another identity provider"},
		"expired":             {change: func(r *testResponse) { r.NotOnOrAfter = samlNow.Add(-4 * time.Minute) }, reason: "too late"},
		"old":                 {change: func(r *testResponse) { r.Issued = samlNow.Add(-3 * time.Minute) }, reason: "too late"},
		"not valid yet":       {change: func(r *testResponse) { r.NotBefore = samlNow.Add(4 * time.Minute) }, reason: "not valid yet"},
		"from the future":     {change: func(r *testResponse) { r.Issued = samlNow.Add(4 * time.Minute) }, reason: "not valid yet"},
		"sign-in failed":      {change: func(r *testResponse) { r.Status = "urn:oasis:names:tc:SAML:2.0:status:Responder" }, reason: "has signed nobody in"},
		"two assertions":      {options: assertionsOnly, change: func(r *testResponse) { r.signResponse = false }, tamper: func(d *etree.Document) { d.Root().AddChild(d.Root().SelectElement("Assertion").Copy()) }, reason: "cannot be read"},
		"no assertion at all": {change: func(r *testResponse) { r.signResponse = false }, tamper: func(d *etree.Document) { d.Root().RemoveChild(d.Root().SelectElement("Assertion")) }, reason: "lacks something"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response := newResponse()
			if test.change != nil {
				test.change(response)
			}
			document := response.document(t)
			if test.tamper != nil {
				test.tamper(document)
			}
			person, err := newTestSAML(t, test.options).Finish(t.Context(), testAttempt(), answerOf(t, document))
			checkRefused(t, person, err, test.reason)
		})
	}
}

// checkRefused checks that an answer was refused as a fault of its sender, and
// checks the reason.
func checkRefused(t *testing.T, person *Person, err error, reason string) {
	t.Helper()
	var failure *Failure
	var callers *fault.Error
	switch {
	case person != nil:
		t.Fatalf("%s was signed in", person.Username)
	case !errors.As(err, &failure):
		t.Fatalf("error %v (%T), want a failure", err, err)
	case !strings.Contains(failure.Reason, reason):
		t.Errorf("reason %q (%v), want …%s…", failure.Reason, failure.Err, reason)
	case !errors.As(err, &callers) || callers.Kind != fault.WrongCredentials || callers.Detail != "User not authenticated.":
		t.Errorf("fault %#v", failure.Err)
	}
}

func replaceAttribute(tag, key, value string) func(*etree.Document) {
	return func(d *etree.Document) {
		for _, element := range d.FindElements("//" + tag) {
			element.CreateAttr(key, value)
		}
	}
}

// TestSAMLRelayState checks that a response is only accepted with the state of
// its attempt.
func TestSAMLRelayState(t *testing.T) {
	s := newTestSAML(t, nil)
	answer := answerOf(t, newResponse().document(t))
	for _, state := range []string{"", "another"} {
		answer.Set("RelayState", state)
		person, err := s.Finish(t.Context(), testAttempt(), answer)
		checkRefused(t, person, err, "does not belong to this sign-in")
	}
	answer.Set("RelayState", "the state")
	person, err := s.Finish(t.Context(), &Attempt{State: "the state"}, answer)
	checkRefused(t, person, err, "does not belong to this sign-in")
}

// TestSAMLUnreadable sends texts that are not responses.
func TestSAMLUnreadable(t *testing.T) {
	genuine, err := newResponse().document(t).WriteToString()
	if err != nil {
		t.Fatal(err)
	}
	bomb := `<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>`
	tests := map[string]string{
		"nothing":           "",
		"text":              "Hello.",
		"no root":           "<!-- nothing -->",
		"document type":     `<!DOCTYPE samlp:Response SYSTEM "file:///etc/passwd">` + genuine,
		"entities":          bomb + genuine,
		"unknown entity":    strings.Replace(genuine, ">ann<", ">&ann;<", 1),
		"open element":      genuine[:len(genuine)-5],
		"deep":              strings.Repeat("<a>", 30_000),
		"huge":              strings.Repeat(" ", maxSAMLMessage) + genuine,
		"many declarations": `<a ` + strings.Repeat(`xmlns:b="c" `, 1000) + `/>`,
	}
	s := newTestSAML(t, nil)
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			person, err := s.Finish(t.Context(), testAttempt(), answerOfText([]byte(text)))
			if person != nil || !errors.As(err, new(*Failure)) {
				t.Errorf("person %v, error %v", person, err)
			}
		})
	}
	t.Run("not base64", func(t *testing.T) {
		person, err := s.Finish(t.Context(), testAttempt(), url.Values{"SAMLResponse": {"%"}, "RelayState": {"the state"}})
		checkRefused(t, person, err, "cannot be read")
	})
}
