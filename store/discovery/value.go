package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// maxNestingDepth is the limit of nested arrays and objects in a report. Real reports
// stay below fifteen.
const maxNestingDepth = 64

var errTooDeep = errors.New("nested too deeply")

// value is a JSON value in a text that checkJSON has accepted, without white
// space around it. It is parsed only when it is used, because most members of a
// report are not used. "" stands for a missing value.
type value string

// checkJSON returns the value of a JSON text. It fails if the text is not JSON
// or is nested too deeply.
func checkJSON(text []byte) (value, error) {
	if !json.Valid(text) {
		return "", json.Unmarshal(text, new(json.RawMessage)) // describes the syntax error
	}
	// A text with few brackets cannot be nested deeply, whatever its strings
	// contain.
	if bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > maxNestingDepth && nestingDepth(text) > maxNestingDepth {
		return "", errTooDeep
	}
	return value(bytes.Trim(text, " \t\r\n")), nil
}

// nestingDepth returns how deeply the arrays and objects of a text are nested.
func nestingDepth(text []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

func (v value) isAbsent() bool { return len(v) == 0 }
func (v value) isNull() bool   { return len(v) > 0 && v[0] == 'n' }
func (v value) isObject() bool { return len(v) > 0 && v[0] == '{' }
func (v value) isArray() bool  { return len(v) > 0 && v[0] == '[' }
func (v value) isString() bool { return len(v) > 0 && v[0] == '"' }

// typeName returns the type of the value, as faults of the collect endpoint
// name it.
func (v value) typeName() string {
	switch v[0] {
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
	if strings.ContainsAny(string(v), ".eE") {
		return "number"
	}
	return "integer"
}

// text returns the content of a string. It replaces bytes that are not UTF-8,
// and control characters other than tabs and line breaks, by U+FFFD. The text
// is then wrong, but the report can still be used.
func (v value) text() string {
	inner := v[1 : len(v)-1]
	plain := true
	for _, c := range inner {
		plain = plain && c != '\\' && c < utf8.RuneSelf && c != 0x7f
	}
	if plain {
		return strings.Clone(string(inner)) // a substring would keep the whole report in memory
	}
	var s string
	if err := json.Unmarshal([]byte(v), &s); err != nil {
		return string(utf8.RuneError) // cannot happen: checkJSON has accepted the text
	}
	return replaceControls(s)
}

// replaceControls replaces control characters by U+FFFD.
func replaceControls(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\t' && r != '\n' && r != '\r') || (r >= 0x7f && r < 0xa0) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// isBlank reports whether the value is a string of white space only.
func (v value) isBlank() bool {
	if !v.isString() {
		return false
	}
	if c := v[1]; c > ' ' && c < utf8.RuneSelf && c != '\\' && c != '"' {
		return false
	}
	return strings.TrimSpace(v.text()) == ""
}

// members iterates over the members of an object, in the order of the text.
// Repeated names are yielded each time.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		gjson.Parse(string(v)).ForEach(func(name, member gjson.Result) bool { return yield(value(name.Raw).text(), value(member.Raw)) })
	}
}

// elements iterates over the elements of an array.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i := -1
		gjson.Parse(string(v)).ForEach(func(_, element gjson.Result) bool {
			i++
			return yield(i, value(element.Raw))
		})
	}
}
