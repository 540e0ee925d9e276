package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"trento/store/landscape"
)

// checkText refuses JSON with bytes that are not UTF-8 or with half of a
// surrogate pair. The decoder would replace both, and a different text than the
// client sent would be stored. Reports of agents are not checked: a host cannot
// correct its report, so as much of it as possible is read.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("invalid UTF-8 in body")
	}
	for rest := body; ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 || at+1 >= len(rest) {
			return nil
		}
		first := escapedUnit(rest[at:])
		switch {
		case !utf16.IsSurrogate(first):
			rest = rest[at+2:]
		case utf16.DecodeRune(first, escapedUnit(rest[at+6:])) == utf8.RuneError:
			return fmt.Errorf("lone surrogate \\u%04x in body", first)
		default:
			rest = rest[at+12:]
		}
	}
}

// escapedUnit returns the UTF-16 unit of the escape \u1234 at the start of a
// text, or -1 if the text starts with something else.
func escapedUnit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}

// object is a JSON object in a body. The functions required and optional read
// its members.
type object struct {
	in             *input
	pointer        string // JSON pointer to the object in the body
	members        map[string]json.RawMessage
	handledMembers []string // names of members that the handler has read
	lenient        bool     // other members are ignored instead of refused
}

// object returns the body. A body that is not a JSON object is a fault.
func (in *input) object() *object {
	if in.body == nil {
		in.extensibleObject().lenient = false
	}
	return in.body
}

// extensibleObject is object for routes to which existing clients send unknown
// members. They are ignored.
func (in *input) extensibleObject() *object {
	o := in.lenientObject()
	if text := bytes.TrimSpace(in.r.Body.(bodyBytes)); in.bodyFault == nil && len(text) > 0 && kindOf(text) != "object" {
		in.bodyFault = unprocessable(invalid("/", "Invalid object. Got: "+kindOf(text)))
	}
	return o
}

// lenientObject returns the body of a route to which existing clients send
// unknown members and bodies of other types. Unknown members are ignored. A
// body that is not an object has no members.
func (in *input) lenientObject() *object {
	in.body = &object{in: in, lenient: true}
	in.objects = append(in.objects, in.body)
	if !isJSON(in.r) {
		in.bodyFault = errContentType
		return in.body
	}
	body := in.r.Body.(bodyBytes)
	if len(body) == 0 {
		return in.body
	}
	if err := checkText(body); err != nil {
		in.bodyFault = malformed(err)
		return in.body
	}
	err := json.Unmarshal(body, &in.body.members)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !ok {
		in.bodyFault = malformed(err)
	}
	return in.body
}

// optionalObject is object for routes whose body can be left out, together with
// the content type.
func (in *input) optionalObject() *object {
	if len(in.r.Body.(bodyBytes)) == 0 {
		return in.emptyObject()
	}
	return in.object()
}

// optionalExtensibleObject is extensibleObject for routes whose body can be left
// out, together with the content type.
func (in *input) optionalExtensibleObject() *object {
	if len(in.r.Body.(bodyBytes)) == 0 {
		return in.emptyObject()
	}
	return in.extensibleObject()
}

// emptyObject sets the body to an object without members, and returns it.
func (in *input) emptyObject() *object {
	in.body = &object{in: in}
	return in.body
}

// place is the position of a value in the body, for the faults about it.
type place struct {
	in      *input
	pointer string
}

// maxProblems is the largest number of faults that are reported for a body.
const maxProblems = 100

// refuse records a fault of the value.
func (p place) refuse(detail string) {
	if len(p.in.wrongMembers) < maxProblems {
		p.in.wrongMembers = append(p.in.wrongMembers, invalid(p.pointer, detail))
	}
}

// refuseType records that the value has another type than wanted.
func (p place) refuseType(want string, value json.RawMessage) {
	if got := kindOf(value); got == "null" {
		p.refuse("null value where " + want + " expected")
	} else {
		p.refuse("Invalid " + want + ". Got: " + got)
	}
}

// member returns a member of the object, and whether it is there.
func (o *object) member(name string) (value json.RawMessage, at place, ok bool) {
	o.handledMembers = append(o.handledMembers, name)
	value, ok = o.members[name]
	return value, o.at(name), ok
}

func (o *object) at(name string) place { return place{o.in, o.pointer + "/" + name} }

// required reads a member. It is a fault if the member is missing.
func required[T any](o *object, name string, read func(place, json.RawMessage) T) (result T) {
	value, at, ok := o.member(name)
	switch {
	case ok:
		return read(at, value)
	case o == o.in.body:
		o.in.missing = append(o.in.missing, invalid(at.pointer, "Missing field: "+name))
	default:
		at.refuse("Missing field: " + name)
	}
	return result
}

// optional reads a member. It returns nil if the member is missing.
func optional[T any](o *object, name string, read func(place, json.RawMessage) T) *T {
	value, at, ok := o.member(name)
	if !ok {
		return nil
	}
	result := read(at, value)
	return &result
}

// replaceIfGiven reads a member into value. If the member is missing, it leaves
// value as it is.
func replaceIfGiven[T any](o *object, name string, read func(place, json.RawMessage) T, value *T) {
	if given := optional(o, name, read); given != nil {
		*value = *given
	}
}

// orZero returns the value behind a pointer, or the zero value for nil.
func orZero[T any](value *T) (zero T) {
	if value != nil {
		return *value
	}
	return zero
}

// lenientText returns a member that is a string. It returns "" if the member is
// missing or has another type.
func (o *object) lenientText(name string) (text string) {
	value, _, _ := o.member(name)
	if json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}

func asText(at place, value json.RawMessage) string {
	text, _ := readText(at, value)
	return text
}

func readText(at place, value json.RawMessage) (text string, ok bool) {
	ok = kindOf(value) == "string" && json.Unmarshal(value, &text) == nil
	if !ok {
		at.refuseType("string", value)
	}
	return text, ok
}

func asBool(at place, value json.RawMessage) (b bool) {
	if kindOf(value) != "boolean" || json.Unmarshal(value, &b) != nil {
		at.refuseType("boolean", value)
	}
	return b
}

// asInteger reads an integer. An integer that does not fit into an int becomes
// the largest int, which every limit refuses.
func asInteger(at place, value json.RawMessage) int {
	n, err := strconv.Atoi(string(value))
	if kindOf(value) != "integer" || err != nil && !errors.Is(err, strconv.ErrRange) {
		at.refuseType("integer", value)
	}
	return n
}

// orNull returns a reader that also accepts null, and then returns nil.
func orNull[T any](read func(place, json.RawMessage) T) func(place, json.RawMessage) *T {
	return func(at place, value json.RawMessage) *T {
		if kindOf(value) == "null" {
			return nil
		}
		result := read(at, value)
		return &result
	}
}

// The details of faults of strings with a format.
const (
	notUUID     = "Invalid format. Expected :uuid"
	notDateTime = `Invalid format. Expected :"date-time"`
)

func asTime(at place, value json.RawMessage) time.Time {
	text, ok := readText(at, value)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at.refuse(notDateTime)
	}
	return t
}

func asID(at place, value json.RawMessage) string {
	text, ok := readText(at, value)
	if !ok {
		return ""
	}
	id, ok := landscape.ParseID[string](text) // all ids have the same format
	if !ok {
		at.refuse(notUUID)
	}
	return id
}

// maxListElements is the largest length of a list for which no other limit is
// set.
const maxListElements = 1000

// asShortListOf reads a list of at most maxListElements values.
func asShortListOf[T any](read func(place, json.RawMessage) T) func(place, json.RawMessage) []T {
	return func(at place, value json.RawMessage) []T {
		elements := asElements(at, value)
		if len(elements) > maxListElements {
			at.refuse("should have at most " + strconv.Itoa(maxListElements) + " item(s)")
			return nil
		}
		return readAll(at, elements, read)
	}
}

// asListOf reads a list.
func asListOf[T any](read func(place, json.RawMessage) T) func(place, json.RawMessage) []T {
	return func(at place, value json.RawMessage) []T { return readAll(at, asElements(at, value), read) }
}

func asElements(at place, value json.RawMessage) (elements []json.RawMessage) {
	if kindOf(value) != "array" || json.Unmarshal(value, &elements) != nil {
		at.refuseType("array", value)
	}
	return elements
}

// readAll reads the elements of a list. It stops after maxProblems faults, so
// that a list of a million wrong elements takes little time.
func readAll[T any](at place, elements []json.RawMessage, read func(place, json.RawMessage) T) []T {
	list := make([]T, 0, len(elements))
	for i, element := range elements {
		if len(at.in.wrongMembers) >= maxProblems {
			break
		}
		list = append(list, read(place{at.in, at.pointer + "/" + strconv.Itoa(i)}, element))
	}
	return list
}

// asObject reads an object. A value of another type becomes an object without
// members.
func asObject(at place, value json.RawMessage) *object {
	o := &object{in: at.in, pointer: at.pointer}
	if kindOf(value) != "object" || json.Unmarshal(value, &o.members) != nil {
		at.refuseType("object", value)
		return o
	}
	at.in.objects = append(at.in.objects, o)
	return o
}

// kindOf returns the type of a JSON value, as faults name it.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	if strings.ContainsAny(string(value), ".eE") {
		return "number"
	}
	return "integer"
}
