package page

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"trento/auth"
	"trento/store/fault"
)

// Field is a field of a form, with the input and its fault.
type Field struct {
	Name, Label  string
	ID           string // id of the element; empty: the name
	Value        string
	Type         string // "text", "email", "password", "number"
	Autocomplete string
	Help         string
	Fault        string
	Warning      string // about input that is allowed but unwise
	Max          int    // largest length in characters
	Required     bool
	ReadOnly     bool
	Focus        bool
	List         string // id of the list of suggestions
	Form         string // id of the form that it belongs to, if it is not inside the form
}

// Element returns the id of the element.
func (f Field) Element() string { return cmp.Or(f.ID, f.Name) }

// FaultLink leads from the top of a form to a field with a fault.
type FaultLink struct{ Label, Text, URL string }

// FieldFaults returns the faults of an error. It returns false if the error is
// not about the input.
func FieldFaults(err error) (fault.Errors, bool) {
	faults := fault.Fields(err)
	return faults, faults != nil
}

// ApplyFaults sets the faults of the fields, as one sentence each, and returns
// links to them for the top of the form. rest are faults of no field.
func ApplyFaults(faults fault.Errors, fields ...*Field) (links []FaultLink, rest []string) {
	for _, f := range fields {
		var words []string
		for _, fault := range faults {
			if fault.Field == f.Name {
				words = append(words, FaultWords(fault.Detail))
			}
		}
		if f.Fault = strings.Join(words, ". "); f.Fault != "" {
			f.Focus = len(links) == 0
			links = append(links, FaultLink{Label: f.Label, Text: f.Fault, URL: "#" + f.Element()})
		}
	}
	for _, fault := range faults {
		if !slices.ContainsFunc(fields, func(f *Field) bool { return f.Name == fault.Field }) {
			rest = append(rest, FaultWords(fault.Field+" "+fault.Detail))
		}
	}
	return links, rest
}

// FaultWords turns a fault of the API into a sentence for the console.
func FaultWords(detail string) string {
	if detail == "can't be blank" {
		return "Required field"
	}
	first, size := utf8.DecodeRuneInString(detail)
	return string(unicode.ToUpper(first)) + detail[size:]
}

// HasOption reports whether one of the options has a value. A choice with
// another value than was offered must be refused, never replaced by another
// choice.
func HasOption(options []Option, value string) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return o.Value == value && !o.Refused })
}

// NotOneOf returns the fault of a choice with a value that was not offered.
func NotOneOf(options []Option) string {
	var values []string
	for _, o := range options {
		if !o.Refused && o.Value != "" {
			values = append(values, o.Value)
		}
	}
	return "Not one of " + strings.Join(values, ", ")
}

// ReadSwitch reads a choice between true and false, which a form always sends.
func ReadSwitch(form url.Values, name string, wrong *fault.Errors) bool {
	switch form.Get(name) {
	case "true":
		return true
	case "false":
		return false
	}
	wrong.Add(name, "not one of true, false")
	return false
}

// ReadCheckbox reads a check box. Forms do not send an unchecked one.
func ReadCheckbox(form url.Values, name string, wrong *fault.Errors) bool {
	if form.Has(name) && form.Get(name) != "true" {
		wrong.Add(name, "not one of true")
	}
	return form.Get(name) == "true"
}

// PasswordWarning says why a new password is weak; "" if it is not weak or
// empty.
func PasswordWarning(password, username string) string {
	if password == "" || len(auth.CheckPasswordRules(password)) > 0 {
		return "" // a password that breaks the rules is a fault, not a warning
	}
	warning := auth.PasswordWarning(password, username)
	if warning == "" {
		return ""
	}
	return "The password " + warning + "."
}

// WithPasswordWarning adds a warning about a weak password to a message.
func WithPasswordWarning(news, password, username string) string {
	warning := PasswordWarning(password, username)
	if warning == "" {
		return news
	}
	return strings.TrimRight(news, ".!") + ". " + warning + " A better one protects the account."
}

type Option struct {
	Value, Label, Mark, Group string
	Count                     int
	Chosen                    bool
	Refused                   bool // cannot be chosen
}

type HiddenInput struct{ Name, Value string }

// HiddenInputs returns the hidden fields that pass a query on.
func HiddenInputs(q url.Values) []HiddenInput {
	var fields []HiddenInput
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			fields = append(fields, HiddenInput{Name: name, Value: value})
		}
	}
	return fields
}

// Choices returns options, given as pairs of value and label.
func Choices(chosen string, pairs ...string) []Option {
	options := make([]Option, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		options = append(options, Option{Value: pairs[i], Label: pairs[i+1], Chosen: pairs[i] == chosen})
	}
	return options
}

// ReadForm returns a handler that reads the form of a request first.
func ReadForm(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return fmt.Errorf("%w: %w", ErrForm, err)
		}
		for name, values := range r.PostForm {
			if !utf8.ValidString(name + strings.Join(values, "")) {
				return fmt.Errorf("%w: invalid UTF-8", ErrForm)
			}
		}
		return handle(w, r)
	}
}

// Confirmation is a dialog that asks before something is done. It sends a form
// of its own to Action, or the form of the page that Form names.
type Confirmation struct {
	Title     string
	Sentences []string // the consequences
	Things    []string // things that are affected, if there are several
	Added     []string // permissions that are granted
	Removed   []string
	Failure   string // why the action failed
	Action    string
	Form      string // id of the form that it sends
	Keep      []HiddenInput
	Password  *Field // asks for the reader's password; nil: no password
	Plan      string // fingerprint of what is confirmed; the form sends it back as "confirmed"
	Verb      string
	Danger    bool
	CloseURL  string // address for closing; empty: the dialog just closes
}

// Refuse shows a fault of the password in the dialog. It returns false for any
// other error.
func (c *Confirmation) Refuse(err error) bool {
	faults, ok := FieldFaults(err)
	if !ok || c.Password == nil {
		return false
	}
	ApplyFaults(faults, c.Password)
	return true
}

// Status returns the status of a page with the dialog.
func (c *Confirmation) Status() int {
	if c.Failure != "" || c.Password != nil && c.Password.Fault != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
