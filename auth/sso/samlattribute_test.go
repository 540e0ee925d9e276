package sso

import (
	"errors"
	"strings"
	"testing"

	"trento/store/fault"
)

func TestSAMLAttributes(t *testing.T) {
	const others = `<saml:Attribute Name="email"><saml:AttributeValue>ann@example.com</saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="firstName"><saml:AttributeValue>Ann</saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="lastName"><saml:AttributeValue>Lee</saml:AttributeValue></saml:Attribute>`
	value := `><saml:AttributeValue>ann</saml:AttributeValue></saml:Attribute>`
	tests := map[string]struct {
		configured string
		sent       string
		missing    bool
	}{
		"as it is":            {configured: "username", sent: attribute("username", "ann")},
		"with a prefix":       {configured: "attr:username", sent: attribute("attr:username", "ann")},
		"number as it is":     {configured: "urn:oid:0.9.2342.19200300.100.1.1", sent: attribute("urn:oid:0.9.2342.19200300.100.1.1", "ann")},
		"number by its name":  {configured: "uid", sent: attribute("urn:oid:0.9.2342.19200300.100.1.1", "ann")},
		"bare number":         {configured: "uid", sent: attribute("0.9.2342.19200300.100.1.1", "ann")},
		"address":             {configured: "name", sent: attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "ann")},
		"address as it is":    {configured: "https://example.com/claims/name", sent: attribute("https://example.com/claims/name", "ann")},
		"friendly name":       {configured: "login", sent: `<saml:Attribute Name="urn:oid:1.2.3" FriendlyName="login"` + value},
		"first of several":    {configured: "username", sent: attribute("username", "ann", "mallory")},
		"first that is there": {configured: "username", sent: attribute("username", " ", "ann")},
		"raw name wins":       {configured: "name", sent: attribute("http://example.com/name", "mallory") + attribute("name", "ann")},
		"friendly one last":   {configured: "uid", sent: `<saml:Attribute Name="x" FriendlyName="uid"><saml:AttributeValue>mallory</saml:AttributeValue></saml:Attribute>` + attribute("urn:oid:0.9.2342.19200300.100.1.1", "ann")},
		"white space":         {configured: "username", sent: attribute("username", "\n  ann\n")},
		"capital letters":     {configured: "username", sent: attribute("username", "ANN")},
		"a name id":           {configured: "username", sent: attribute("username", "<saml:NameID>ann</saml:NameID>")},
		"empty":               {configured: "username", sent: attribute("username", ""), missing: true},
		"null":                {configured: "username", sent: `<saml:Attribute Name="username"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>`, missing: true},
		"not sent":            {configured: "username", missing: true},
		"another case":        {configured: "username", sent: attribute("userName", "ann"), missing: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response := newResponse()
			response.Attributes = test.sent + others
			s := newTestSAML(t, func(o *SAMLOptions) { o.UsernameAttribute = test.configured })
			person, err := s.Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
			if test.missing {
				checkIncomplete(t, err, test.configured)
				return
			}
			if err != nil || person.Subject != "ann" || !strings.EqualFold(person.Username, "ann") {
				t.Errorf("person %+v, error %v", person, err)
			}
		})
	}
}

func checkIncomplete(t *testing.T, err error, names ...string) {
	t.Helper()
	var failure *Failure
	var callers *fault.Error
	if !errors.As(err, &failure) || !errors.As(err, &callers) || callers.Kind != fault.Invalid || callers.Detail != "Some mandatory SAML user attributes are missing" {
		t.Fatalf("error %v", err)
	}
	if want := strings.Join(names, ", "); !strings.HasSuffix(failure.Reason, " "+want) {
		t.Errorf("reason %q, want …%s", failure.Reason, want)
	}
}

// TestSAMLAttributesMissing checks that the reason names all missing
// attributes, and the log the names of those that were sent.
func TestSAMLAttributesMissing(t *testing.T) {
	response := newResponse()
	response.Attributes = attribute("username", "ann") + attribute("mail", "secret@example.com")
	_, err := newTestSAML(t, nil).Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
	checkIncomplete(t, err, "email", "firstName", "lastName")
	if text := err.Error(); !strings.Contains(text, `"mail"`) || strings.Contains(text, "secret@example.com") {
		t.Errorf("log %s", text)
	}
}

func TestSAMLAttributeTooLong(t *testing.T) {
	response := newResponse()
	response.Attributes = strings.Replace(response.Attributes, ">ann<", ">"+strings.Repeat("a", maxTextLength+1)+"<", 1)
	person, err := newTestSAML(t, nil).Finish(t.Context(), testAttempt(), answerOf(t, response.document(t)))
	checkRefused(t, person, err, "longer than")
}
