// Package fault is how the packages of the program report faults of the caller,
// and the states of the server that callers are told about: the kind of fault,
// the field it is about, and the text for the caller. Every other error is an
// internal error. The packages that speak HTTP know the status for a kind.
package fault

import (
	"errors"
	"slices"
	"strings"
)

// Kind is the kind of a fault, by what a caller can do about it.
type Kind uint8

// The kinds of faults.
const (
	Invalid          Kind = iota // a value is not valid
	Malformed                    // the request cannot be parsed
	SignedOut                    // nobody has signed in
	WrongCredentials             // the credentials are wrong
	Forbidden                    // the caller lacks a permission
	CrossOrigin                  // another site caused the request
	NotFound                     // the requested thing does not exist
	WrongMethod                  // the path does not allow the method
	WrongContentType             // the path does not take bodies of this type
	NotAcceptable                // there is no representation that the caller accepts
	Conflict                     // something else prevents the change
	Stale                        // the thing was changed meanwhile
	Unconditional                // the change does not name the version that it is based on
	TooLarge                     // the body is too large
	AddressTooLong               // the address is too long
	NotImplemented               // this installation has the route switched off
	Busy                         // there are too many requests; trying again soon helps
	TooOften                     // the caller has done this too often in a short time
	Unwritable                   // changes cannot be stored at the moment; trying again later helps
	Damaged                      // the stored data cannot be read
)

var kindNames = map[Kind]string{
	Invalid: "invalid", Malformed: "cannot be read", SignedOut: "not signed in", WrongCredentials: "wrong credentials",
	Forbidden: "not permitted", CrossOrigin: "sent by another site", NotFound: "not found", WrongMethod: "method not allowed",
	WrongContentType: "content type not supported", NotAcceptable: "not acceptable", Conflict: "in conflict", Stale: "was changed meanwhile", Unconditional: "not conditional",
	TooLarge: "too large", AddressTooLong: "address too long", NotImplemented: "off in this installation", Busy: "too busy", TooOften: "too often",
	Unwritable: "cannot be stored at the moment", Damaged: "damaged",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a fault of the caller.
type Error struct {
	Kind Kind
	// Field is the member, parameter or input at fault, with "outer/inner" for
	// a nested member; "" if the fault is about none.
	Field string
	// Detail is the text for the caller: what is wrong with the field, or a
	// sentence. It is "" if the kind says everything.
	Detail string
	// Cause is for the log only.
	Cause error
}

// New returns a fault whose kind says everything. text is for the log.
func New(kind Kind, text string) *Error { return &Error{Kind: kind, Cause: errors.New(text)} }

// Field returns a fault of one field.
func Field(name, detail string) *Error { return &Error{Field: name, Detail: detail} }

// Error returns the fault as a line for the log.
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

// Errors are faults that are reported together. A field can have several.
type Errors []Error

// Add adds a fault of a field.
func (e *Errors) Add(field, detail string) { *e = append(*e, Error{Field: field, Detail: detail}) }

// Err returns the faults as an error, sorted by field; nil if there are none.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b Error) int { return strings.Compare(a.Field, b.Field) })
	return e
}

// Error returns the faults as a line for the log.
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

// KindOf returns the kind of the fault in an error. ok is false if the error is
// not a fault of the caller.
func KindOf(err error) (kind Kind, ok bool) {
	if first, ok := errors.AsType[*Error](err); ok {
		return first.Kind, true
	}
	return 0, false
}

// Of returns the faults in an error; none if it is not a fault of the caller.
func Of(err error) Errors {
	if several, ok := errors.AsType[Errors](err); ok {
		return several
	}
	if one, ok := errors.AsType[*Error](err); ok {
		return Errors{*one}
	}
	return nil
}

// Fields returns the faults of an error if all of them are about fields;
// otherwise none.
func Fields(err error) Errors {
	all := Of(err)
	if slices.ContainsFunc(all, func(e Error) bool { return e.Kind != Invalid || e.Field == "" }) {
		return nil
	}
	return all
}
