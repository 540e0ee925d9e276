package ui

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"trento/auth"
	"trento/store/landscape"
)

// field is one field of a form, with what was typed and what is wrong with it.
type field struct {
	Name, Label  string
	ID           string // of the element; empty: the name
	Value        string
	Type         string // "text", "email", "password", "number"
	Autocomplete string
	Help         string
	Fault        string
	Warning      string // what is allowed and unwise
	Max          int    // characters
	Required     bool
	ReadOnly     bool
	Focus        bool
	List         string // id of the values it suggests
	Form         string // id of the form it belongs to, where that is not around it
}

// Element is the id of the element of the field.
func (f field) Element() string { return cmp.Or(f.ID, f.Name) }

// faultLink leads from the top of a form to a field with a fault.
type faultLink struct{ Label, Text, URL string }

// fieldFaults tells faults in what somebody typed from faults of ours.
func fieldFaults(err error) (auth.FieldErrors, bool) {
	var several auth.FieldErrors
	if errors.As(err, &several) {
		return several, true
	}
	var one *landscape.InvalidError
	if errors.As(err, &one) {
		return auth.FieldErrors{*one}, true
	}
	return nil, false
}

// applyFaults puts every fault to the field it is about, as one sentence, and
// lists them for the top of the form. It returns what is about none of them.
func applyFaults(faults auth.FieldErrors, fields ...*field) (links []faultLink, rest []string) {
	for _, f := range fields {
		var words []string
		for _, fault := range faults {
			if fault.Field == f.Name {
				words = append(words, faultWords(fault.Detail))
			}
		}
		if f.Fault = strings.Join(words, ". "); f.Fault != "" {
			f.Focus = len(links) == 0
			links = append(links, faultLink{f.Label, f.Fault, "#" + f.Element()})
		}
	}
	for _, fault := range faults {
		if !slices.ContainsFunc(fields, func(f *field) bool { return f.Name == fault.Field }) {
			rest = append(rest, faultWords(fault.Field+" "+fault.Detail))
		}
	}
	return links, rest
}

// faultWords is what the API says of a field, as the console says it.
func faultWords(detail string) string {
	if detail == "can't be blank" {
		return "Required field"
	}
	first, size := utf8.DecodeRuneInString(detail)
	return string(unicode.ToUpper(first)) + detail[size:]
}

// hasOption reports whether one of the options has a value. What a form sends
// for a choice must be one of those it was offered: anything else is refused,
// and never taken for another choice.
func hasOption(options []option, value string) bool {
	return slices.ContainsFunc(options, func(o option) bool { return o.Value == value && !o.Refused })
}

// notOneOf is the fault of a choice that is none of those offered.
func notOneOf(options []option) string {
	var values []string
	for _, o := range options {
		if !o.Refused && o.Value != "" {
			values = append(values, o.Value)
		}
	}
	return "Not one of " + strings.Join(values, ", ")
}

// readSwitch reads a choice between true and false that a form always sends.
func readSwitch(form url.Values, name string, wrong *auth.FieldErrors) bool {
	switch form.Get(name) {
	case "true":
		return true
	case "false":
		return false
	}
	*wrong = append(*wrong, landscape.InvalidError{Field: name, Detail: "not one of true, false"})
	return false
}

// readCheckbox reads a check box: what is not sent is off.
func readCheckbox(form url.Values, name string, wrong *auth.FieldErrors) bool {
	if form.Has(name) && form.Get(name) != "true" {
		*wrong = append(*wrong, landscape.InvalidError{Field: name, Detail: "not one of true"})
	}
	return form.Get(name) == "true"
}

// passwordWarning says why a password that somebody typed is a bad one; it is
// empty for one that is not, and where none was typed.
func passwordWarning(password, username string) string {
	if password == "" || len(auth.CheckPasswordRules(password)) > 0 {
		return "" // what breaks the rules is a fault
	}
	warning := auth.PasswordWarning(password, username)
	if warning == "" {
		return ""
	}
	return "The password " + warning + "."
}

// withPasswordWarning adds to news about a change of a password what there is
// to say about it.
func withPasswordWarning(news, password, username string) string {
	warning := passwordWarning(password, username)
	if warning == "" {
		return news
	}
	return strings.TrimRight(news, ".!") + ". " + warning + " A better one protects the account."
}
