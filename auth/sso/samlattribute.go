package sso

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crewjam/saml"

	"trento/store/fault"
)

// attributeNames are the short names of attributes, by their object identifier.
var attributeNames = map[string]string{
	"0.9.2342.19200300.100.1.1": "uid",
	"0.9.2342.19200300.100.1.3": "mail",
	"2.5.4.3":                   "commonName",
	"2.5.4.4":                   "surName",
	"2.5.4.42":                  "givenName",
	"2.16.840.1.113730.3.1.241": "displayName",
}

// shortName returns the short name of an attribute, such as mail for
// urn:oid:0.9.2342.19200300.100.1.3, and name for
// http://example.com/claims/name.
func shortName(name string) string {
	if short, ok := attributeNames[strings.TrimPrefix(name, "urn:oid:")]; ok {
		return short
	}
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return name[strings.LastIndexByte(name, '/')+1:]
	}
	return name
}

// findAttribute returns the first value of an attribute, or "". name is first
// compared with the full names, then with the short names, then with the
// friendly names.
func findAttribute(attributes []saml.Attribute, name string) string {
	for _, nameOf := range []func(*saml.Attribute) string{
		func(a *saml.Attribute) string { return a.Name },
		func(a *saml.Attribute) string { return shortName(a.Name) },
		func(a *saml.Attribute) string { return a.FriendlyName },
	} {
		for i := range attributes {
			if a := &attributes[i]; nameOf(a) == name {
				if value := firstValue(a); value != "" {
					return value
				}
			}
		}
	}
	return ""
}

func firstValue(a *saml.Attribute) string {
	for _, v := range a.Values {
		text := v.Value
		if v.NameID != nil {
			text = v.NameID.Value
		}
		if text = strings.TrimSpace(text); text != "" && !v.Nil {
			return text
		}
	}
	return ""
}

// missingAttributesReason is the text of the API, which existing clients know.
const missingAttributesReason = "Some mandatory SAML user attributes are missing"

// person returns the person of a verified assertion. It fails with a Failure
// unless all four configured attributes have a value.
func (s *SAML) person(assertion *saml.Assertion) (*Person, error) {
	var attributes []saml.Attribute
	for _, statement := range assertion.AttributeStatements {
		attributes = append(attributes, statement.Attributes...)
	}
	values := make(map[string]string, 4)
	var missing []string
	for _, name := range []string{s.options.UsernameAttribute, s.options.EmailAttribute, s.options.FirstNameAttribute, s.options.LastNameAttribute} {
		values[name] = findAttribute(attributes, name)
		switch {
		case values[name] == "" && !slices.Contains(missing, name):
			missing = append(missing, name)
		case len(values[name]) > maxTextLength:
			return nil, refusalFailure(fmt.Sprintf("The attribute %s is longer than %d bytes", name, maxTextLength), fmt.Errorf("%d bytes", len(values[name])))
		}
	}
	if len(missing) > 0 {
		return nil, &Failure{
			Reason: "The identity provider did not send these attributes: " + strings.Join(missing, ", "),
			Err:    &fault.Error{Detail: missingAttributesReason, Cause: fmt.Errorf("it sent %s", describeAttributes(attributes))},
		}
	}
	username := values[s.options.UsernameAttribute]
	return &Person{
		// Some providers send the name in the case in which the person typed
		// it.
		Subject:     strings.ToLower(username),
		Username:    username,
		Fullname:    values[s.options.FirstNameAttribute] + " " + values[s.options.LastNameAttribute],
		Email:       values[s.options.EmailAttribute],
		LogoutToken: newSAMLLogin(assertion).encode(),
	}, nil
}

// describeAttributes returns the names of attributes for the log, without their
// values.
func describeAttributes(attributes []saml.Attribute) string {
	names := make([]string, 0, len(attributes))
	for _, a := range attributes[:min(len(attributes), 50)] {
		names = append(names, fmt.Sprintf("%.200q", a.Name))
	}
	return strings.Join(names, ", ")
}
