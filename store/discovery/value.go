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

// maxDepth is how deep the arrays and objects of a report may be nested. Real
// reports stay below fifteen.
const maxDepth = 64

var errDepth = errors.New("nested too deeply")

// value is one JSON value inside a text that check has accepted, without the
// white space around it. It is read where it is needed: a report has many
// members of which few mean anything to us. The empty value is an absent one.
type value string

// check accepts a JSON text of bearable depth.
func check(text []byte) (value, error) {
	if !json.Valid(text) {
		return "", json.Unmarshal(text, new(json.RawMessage)) // says what is wrong
	}
	// What has few brackets cannot be deep, whatever its strings contain.
	if bytes.Count(text, []byte("{"))+bytes.Count(text, []byte("[")) > maxDepth && depth(text) > maxDepth {
		return "", errDepth
	}
	return value(bytes.Trim(text, " \t\r\n")), nil
}

// depth is how deep the arrays and objects of a text are nested.
func depth(text []byte) (deepest int) {
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

func (v value) absent() bool { return len(v) == 0 }
func (v value) null() bool   { return len(v) > 0 && v[0] == 'n' }
func (v value) object() bool { return len(v) > 0 && v[0] == '{' }
func (v value) array() bool  { return len(v) > 0 && v[0] == '[' }
func (v value) string() bool { return len(v) > 0 && v[0] == '"' }

// kind is the name of the type in the words of the collect endpoint.
func (v value) kind() string {
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

// text is the content of a string. What is not UTF-8, and control characters
// other than tabs and line breaks, arrive as U+FFFD: they have no business in
// a name, but they are no reason to lose a host from the landscape either.
func (v value) text() string {
	inner := v[1 : len(v)-1]
	plain := true
	for _, c := range inner {
		plain = plain && c != '\\' && c < utf8.RuneSelf && c != 0x7f
	}
	if plain {
		return strings.Clone(string(inner)) // a part of the report would keep all of it in memory
	}
	var s string
	if err := json.Unmarshal([]byte(v), &s); err != nil {
		return string(utf8.RuneError) // cannot be: the text was checked
	}
	return visible(s)
}

// visible is a text in which what has no business there is U+FFFD.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\t' && r != '\n' && r != '\r') || (r >= 0x7f && r < 0xa0) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// blank reports whether the value is a text of white space only.
func (v value) blank() bool {
	if !v.string() {
		return false
	}
	if c := v[1]; c > ' ' && c < utf8.RuneSelf && c != '\\' && c != '"' {
		return false
	}
	return strings.TrimSpace(v.text()) == ""
}

// members walks an object in the order of the text; a repeated name comes as
// often as it stands there.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		gjson.Parse(string(v)).ForEach(func(name, member gjson.Result) bool { return yield(value(name.Raw).text(), value(member.Raw)) })
	}
}

// elements walks an array.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		i := -1
		gjson.Parse(string(v)).ForEach(func(_, element gjson.Result) bool {
			i++
			return yield(i, value(element.Raw))
		})
	}
}
