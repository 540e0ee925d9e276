// Package fault is how the rooms of the program say that a request cannot be
// fulfilled because of whoever made it: what kind of fault it is, which field
// it is about, and what to tell the caller. Every other error is a fault of
// ours. What a kind means for HTTP, the doors of the program know.
package fault

import (
	"errors"
	"slices"
	"strings"
)

// Kind tells faults apart by what a caller can do about them.
type Kind uint8

// The kinds of faults.
const (
	Invalid          Kind = iota // something that was sent is not as it should be
	Malformed                    // what was sent cannot be read at all
	SignedOut                    // nobody has signed in
	WrongCredentials             // what was shown to sign in is wrong
	Forbidden                    // whoever asks lacks the permission
	CrossOrigin                  // another site has made the browser ask
	NotFound                     // what is asked for does not exist
	WrongMethod                  // what exists cannot be asked to do that
	NotAcceptable                // what is asked for exists in no form that the caller accepts
	Conflict                     // something else is in the way
	Stale                        // what is to be changed was changed meanwhile
	Unconditional                // a change does not say of which version it is
	TooLarge                     // more was sent than can be taken
	AddressTooLong               // the address says more than can be taken
	Busy                         // too many ask at this moment; trying again soon helps
)

var kindNames = map[Kind]string{
	Invalid: "invalid", Malformed: "cannot be read", SignedOut: "not signed in", WrongCredentials: "wrong credentials",
	Forbidden: "not permitted", CrossOrigin: "sent by another site", NotFound: "not found", WrongMethod: "method not allowed",
	NotAcceptable: "not acceptable", Conflict: "in conflict", Stale: "was changed meanwhile", Unconditional: "not conditional",
	TooLarge: "too large", AddressTooLong: "address too long", Busy: "too busy",
}

func (k Kind) String() string { return kindNames[k] }

// Error is one fault of a caller.
type Error struct {
	Kind Kind
	// Field is the member, parameter or input that the fault is about, a member
	// of a member as "outer/inner"; empty where it is about none.
	Field string
	// Detail is what the caller is told: of a field what is wrong with it, else
	// a sentence. It is empty where the kind says all there is to say.
	Detail string
	// Cause is for the log only.
	Cause error
}

// New is a fault whose kind says all that the caller is told; text is for the
// log.
func New(kind Kind, text string) *Error { return &Error{Kind: kind, Cause: errors.New(text)} }

// Field is a fault of one field.
func Field(name, detail string) *Error { return &Error{Field: name, Detail: detail} }

// Error is the fault in a line for the log.
func (e *Error) Error() string {
	var words []string
	for _, word := range []string{e.Field, e.Detail} {
		if word != "" {
			words = append(words, word)
		}
	}
	text := strings.Join(words, " ")
	switch {
	case text == "" && e.Cause != nil:
		return e.Cause.Error()
	case text == "":
		return e.Kind.String()
	case e.Cause != nil:
		return text + ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errors are faults that were found together. A field can be wrong in more than
// one way.
type Errors []Error

// Add adds a fault of a field.
func (e *Errors) Add(field, detail string) { *e = append(*e, Error{Field: field, Detail: detail}) }

// Err is nil where there is no fault; otherwise the faults, ordered by field.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int { return strings.Compare(a.Field, b.Field) })
	return e
}

// Error is the faults in a line for the log.
func (e Errors) Error() string {
	texts := make([]string, len(e))
	for i := range e {
		texts[i] = e[i].Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the faults.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i := range e {
		all[i] = &e[i]
	}
	return all
}

// KindOf is the kind of the fault that an error is about; ok is false of an
// error that is no fault of the caller.
func KindOf(err error) (kind Kind, ok bool) {
	if first, ok := errors.AsType[*Error](err); ok {
		return first.Kind, true
	}
	return 0, false
}

// Of returns the faults that an error is about; none where it is no fault of
// the caller.
func Of(err error) Errors {
	if several, ok := errors.AsType[Errors](err); ok {
		return several
	}
	if one, ok := errors.AsType[*Error](err); ok {
		return Errors{*one}
	}
	return nil
}

// Fields returns the faults of an error that is about fields and nothing else;
// none of any other error.
func Fields(err error) Errors {
	all := Of(err)
	if slices.ContainsFunc(all, func(e Error) bool { return e.Kind != Invalid || e.Field == "" }) {
		return nil
	}
	return all
}
