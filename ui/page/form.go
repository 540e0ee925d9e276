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

// Field is one field of a form, with what was typed and what is wrong with it.
type Field struct {
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
func (f Field) Element() string { return cmp.Or(f.ID, f.Name) }

// FaultLink leads from the top of a form to a field with a fault.
type FaultLink struct{ Label, Text, URL string }

// FieldFaults tells faults in what somebody typed from faults of ours.
func FieldFaults(err error) (fault.Errors, bool) {
	faults := fault.Fields(err)
	return faults, faults != nil
}

// ApplyFaults puts every fault to the field it is about, as one sentence, and
// lists them for the top of the form. It returns what is about none of them.
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

// FaultWords is what the API says of a field, as the console says it.
func FaultWords(detail string) string {
	if detail == "can't be blank" {
		return "Required field"
	}
	first, size := utf8.DecodeRuneInString(detail)
	return string(unicode.ToUpper(first)) + detail[size:]
}

// HasOption reports whether one of the options has a value. What a form sends
// for a choice must be one of those it was offered: anything else is refused,
// and never taken for another choice.
func HasOption(options []Option, value string) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return o.Value == value && !o.Refused })
}

// NotOneOf is the fault of a choice that is none of those offered.
func NotOneOf(options []Option) string {
	var values []string
	for _, o := range options {
		if !o.Refused && o.Value != "" {
			values = append(values, o.Value)
		}
	}
	return "Not one of " + strings.Join(values, ", ")
}

// ReadSwitch reads a choice between true and false that a form always sends.
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

// ReadCheckbox reads a check box: what is not sent is off.
func ReadCheckbox(form url.Values, name string, wrong *fault.Errors) bool {
	if form.Has(name) && form.Get(name) != "true" {
		wrong.Add(name, "not one of true")
	}
	return form.Get(name) == "true"
}

// PasswordWarning says why a password that somebody typed is a bad one; it is
// empty for one that is not, and where none was typed.
func PasswordWarning(password, username string) string {
	if password == "" || len(auth.CheckPasswordRules(password)) > 0 {
		return "" // what breaks the rules is a fault
	}
	warning := auth.PasswordWarning(password, username)
	if warning == "" {
		return ""
	}
	return "The password " + warning + "."
}

// WithPasswordWarning adds to news about a change of a password what there is
// to say about it.
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
	Refused                   bool // cannot be chosen here
}

type HiddenInput struct{ Name, Value string }

// HiddenInputs are the fields of a form that pass a query on.
func HiddenInputs(q url.Values) []HiddenInput {
	var fields []HiddenInput
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			fields = append(fields, HiddenInput{Name: name, Value: value})
		}
	}
	return fields
}

// Choices makes options of pairs of value and label.
func Choices(chosen string, pairs ...string) []Option {
	options := make([]Option, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		options = append(options, Option{Value: pairs[i], Label: pairs[i+1], Chosen: pairs[i] == chosen})
	}
	return options
}

// ReadForm reads the form of a console request before it is handled.
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

// Confirmation is a dialog that asks before something is done. It either
// sends a form of its own, to Action, or the one on the page that Form names.
type Confirmation struct {
	Title     string
	Sentences []string // what it brings
	Things    []string // what it is about, where that is several
	Added     []string // permissions
	Removed   []string
	Failure   string // why it was not done
	Action    string
	Form      string // id of the form it sends
	Keep      []HiddenInput
	Password  *Field // of the reader, where it is asked for
	Plan      string // what is confirmed, so that nothing else is done
	Verb      string
	Danger    bool
	CloseURL  string // where closing leads; empty: it just closes
}

// Refuse shows what is wrong with the password that was asked for. It reports
// false for any other error.
func (c *Confirmation) Refuse(err error) bool {
	faults, ok := FieldFaults(err)
	if !ok || c.Password == nil {
		return false
	}
	ApplyFaults(faults, c.Password)
	return true
}

// Status is the status of a page with the dialog above it.
func (c *Confirmation) Status() int {
	if c.Failure != "" || c.Password != nil && c.Password.Fault != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
