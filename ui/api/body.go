package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// object is a JSON object whose members have not been looked at.
type object map[string]json.RawMessage

// members reads a body that is to be an object. These routes ask for no
// schema: whatever else the body is has no members.
func members(r *http.Request) (object, error) {
	if !isJSON(r) {
		return nil, errContentType
	}
	body := r.Body.(bodyBytes)
	if len(body) == 0 {
		return nil, nil
	}
	if err := checkText(body); err != nil {
		return nil, malformed(err)
	}
	var o object
	err := json.Unmarshal(body, &o)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !ok {
		return nil, malformed(err)
	}
	return o, nil
}

// checkText refuses JSON with a text that is none: bytes that are no UTF-8, or
// half of a surrogate pair. A decoder would put something else in their place,
// and what was sent would not be what is stored. What agents report is not
// checked: it is what a machine says of itself, and read as well as it can be.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("invalid UTF-8 in body")
	}
	for rest := body; ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 || at+1 >= len(rest) {
			return nil
		}
		first := escaped(rest[at:])
		switch {
		case !utf16.IsSurrogate(first):
			rest = rest[at+2:]
		case utf16.DecodeRune(first, escaped(rest[at+6:])) == utf8.RuneError:
			return fmt.Errorf("lone surrogate \\u%04x in body", first)
		default:
			rest = rest[at+12:]
		}
	}
}

// escaped is the code unit of an escape \u1234 that a text begins with, and -1
// where it begins with none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}

// schemaMembers reads a body that is to be an object and nothing else.
func schemaMembers(r *http.Request) (object, error) {
	o, err := members(r)
	if body := bytes.TrimSpace(r.Body.(bodyBytes)); err == nil && len(body) > 0 && kindOf(body) != "object" {
		return nil, unprocessable(invalid("/", "Invalid object. Got: "+kindOf(body)))
	}
	return o, err
}

// text is a member that is a text, and empty for any other.
func (o object) text(name string) string {
	var text string
	if json.Unmarshal(o[name], &text) != nil {
		return ""
	}
	return text
}

// only refuses members that are not in the list; the first one, in the order
// of the alphabet.
func (o object) only(names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(names, name) {
			return unprocessable(unexpected(name))
		}
	}
	return nil
}

// required is a member that has to be there.
func (o object) required(name string) (json.RawMessage, error) {
	value, ok := o[name]
	if !ok {
		return nil, unprocessable(invalid("/"+name, "Missing field: "+name))
	}
	return value, nil
}

// all refuses a body without the members that have to be there.
func (o object) all(names ...string) error {
	var missing []problem
	for _, name := range names {
		if _, ok := o[name]; !ok {
			missing = append(missing, invalid("/"+name, "Missing field: "+name))
		}
	}
	return unprocessable(missing...)
}

// optionalText is a member that is to be a text; nil where there is none.
func (o object) optionalText(name string, wrong *[]problem) *string {
	value, ok := o[name]
	if !ok {
		return nil
	}
	text := schemaText("/"+name, value, wrong)
	return &text
}

// optionalBool is a member that is to be true or false; nil where there is
// none.
func (o object) optionalBool(name string, wrong *[]problem) *bool {
	value, ok := o[name]
	if !ok {
		return nil
	}
	b := schemaBool("/"+name, value, wrong)
	return &b
}

// maxProblems bounds the answer to a body that is wrong in a million places.
const maxProblems = 100

// schemaText is a value that is to be a text, of a route that asks for a
// schema.
func schemaText(pointer string, value json.RawMessage, wrong *[]problem) string {
	var text string
	if kind := kindOf(value); kind != "string" || json.Unmarshal(value, &text) != nil {
		*wrong = append(*wrong, mistyped(pointer, "string", kind))
	}
	return text
}

// schemaBool is schemaText for a value that is to be true or false.
func schemaBool(pointer string, value json.RawMessage, wrong *[]problem) (b bool) {
	if kind := kindOf(value); kind != "boolean" || json.Unmarshal(value, &b) != nil {
		*wrong = append(*wrong, mistyped(pointer, "boolean", kind))
	}
	return b
}

// mistyped is the problem of a value that is to be of another type.
func mistyped(pointer, want, got string) problem {
	if got == "null" {
		return invalid(pointer, "null value where "+want+" expected")
	}
	return invalid(pointer, "Invalid "+want+". Got: "+got)
}

// schemaInteger is schemaText for a value that is to be a whole number. One
// that is too large for us is the largest we have.
func schemaInteger(pointer string, value json.RawMessage, wrong *[]problem) int {
	n, err := strconv.Atoi(string(value))
	if kind := kindOf(value); kind != "integer" || err != nil && !errors.Is(err, strconv.ErrRange) {
		*wrong = append(*wrong, mistyped(pointer, "integer", kind))
	}
	return n
}

// schemaTexts is schemaText for a list of texts.
func schemaTexts(pointer string, value json.RawMessage, wrong *[]problem) []string {
	var elements []json.RawMessage
	if kind := kindOf(value); kind != "array" || json.Unmarshal(value, &elements) != nil {
		*wrong = append(*wrong, mistyped(pointer, "array", kind))
	}
	texts := make([]string, 0, len(elements))
	for i, element := range elements {
		if len(*wrong) == maxProblems {
			break
		}
		texts = append(texts, schemaText(pointer+"/"+strconv.Itoa(i), element, wrong))
	}
	return texts
}

// kindOf is the type of a JSON value in the words of problems.
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
