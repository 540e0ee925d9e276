package activity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// The property tests evaluate a search in a second way: from generated terms
// instead of the parsed text, and from the decoded metadata.

// plainTerm is a term from which the text of a search is generated.
type plainTerm struct {
	and      bool
	text     []rune // star is a wildcard
	operator string // of a comparison, "" in a text
	number   string
}

const star = rune(-1)

// plainSearch is a list of terms from which the text of a search is generated.
type plainSearch []plainTerm

func (s plainSearch) match(metadata any) bool {
	leaves := decodedLeaves(metadata)
	single := true
	for _, t := range s {
		single = single && t.operator != ""
	}
	if single {
		for _, leaf := range leaves {
			if s.holds(func(t plainTerm) bool { return t.match(leaf) }) {
				return true
			}
		}
		return false
	}
	return s.holds(func(t plainTerm) bool {
		for _, leaf := range leaves {
			if t.match(leaf) {
				return true
			}
		}
		return false
	})
}

func (s plainSearch) holds(judge func(plainTerm) bool) bool {
	result := judge(s[0])
	for _, t := range s[1:] {
		if found := judge(t); t.and {
			result = result && found
		} else {
			result = result || found
		}
	}
	return result
}

func (t plainTerm) match(leaf any) bool {
	switch leaf := leaf.(type) {
	case string:
		return t.operator == "" && wildcard(t.text, []rune(leaf))
	case json.Number:
		if t.operator != "" {
			return relation(t.operator, float(leaf.String()), float(t.number))
		}
		return t.exact(leaf.String())
	case bool:
		return t.operator == "" && t.exact(strconv.FormatBool(leaf))
	}
	return false
}

func (t plainTerm) exact(text string) bool {
	for _, r := range t.text {
		if r == star {
			return false
		}
	}
	return strings.EqualFold(string(t.text), text)
}

func wildcard(pattern, text []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(text) == 0
	case pattern[0] == star:
		return wildcard(pattern[1:], text) || len(text) > 0 && wildcard(pattern, text[1:])
	default:
		return len(text) > 0 && strings.EqualFold(string(pattern[0]), string(text[0])) && wildcard(pattern[1:], text[1:])
	}
}

func float(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func relation(operator string, a, b float64) bool {
	switch operator {
	case "==":
		return a == b
	case "!=":
		return a != b
	case ">":
		return a > b
	case "<":
		return a < b
	case ">=":
		return a >= b
	default:
		return a <= b
	}
}

func decodedLeaves(value any) []any {
	var leaves []any
	switch value := value.(type) {
	case map[string]any:
		for _, v := range value {
			leaves = append(leaves, decodedLeaves(v)...)
		}
	case []any:
		for _, v := range value {
			leaves = append(leaves, decodedLeaves(v)...)
		}
	case nil:
	default:
		leaves = append(leaves, value)
	}
	return leaves
}

// The alphabets are small, so that searches often match values.
var (
	letters = []rune("aAbBſsSßẞσςΣkKıİ.*\"\\ \t<=1-é\u2028")
	numbers = []string{"0", "-0", "1", "2", "2.5", "-1", "20", "1e1", "2.50", "9007199254740993"}
)

func drawTerm(t *rapid.T) plainTerm {
	term := plainTerm{and: rapid.Bool().Draw(t, "and")}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0, 1:
		term.operator = rapid.SampledFrom([]string{"==", "!=", ">", "<", ">=", "<="}).Draw(t, "operator")
		term.number = rapid.SampledFrom([]string{"0", "-0", "1", "2.5", "-1", "007", "20", "9007199254740993"}).Draw(t, "number")
	case 2:
		term.text = []rune(rapid.SampledFrom([]string{"AND", "OR", "and", "==1", ">2", "true", "FALSE", "null", "20", "2.5", "1E1"}).Draw(t, "word"))
	default:
		runes := rapid.SampledFrom(append([]rune{star, star, star}, letters...))
		term.text = rapid.SliceOfN(runes, 0, 5).Draw(t, "text")
	}
	return term
}

// write returns the text of the term in one of the many possible ways.
func (t plainTerm) write(draw *rapid.T) string {
	if t.operator != "" {
		return t.operator + t.number
	}
	text := string(t.text)
	special := text == "" || text == "AND" || text == "OR" || strings.ContainsAny(text, "<>=")
	quoted := special || rapid.Bool().Draw(draw, "quoted")
	var b strings.Builder
	if quoted {
		b.WriteByte('"')
	}
	for _, r := range t.text {
		switch {
		case r == star:
			b.WriteByte('*')
		case r == '"' || r == '\\' || r == '*' || unicode.IsSpace(r) && !quoted || rapid.IntRange(0, 9).Draw(draw, "escaped") == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	if quoted {
		b.WriteByte('"')
	}
	return b.String()
}

func (s plainSearch) write(draw *rapid.T) string {
	space := rapid.SampledFrom([]string{" ", "  ", "\t", "\u3000"})
	text := s[0].write(draw)
	for _, t := range s[1:] {
		text += space.Draw(draw, "space")
		switch {
		case t.and:
			text += "AND" + space.Draw(draw, "space")
		case rapid.Bool().Draw(draw, "or"):
			text += "OR" + space.Draw(draw, "space")
		}
		text += t.write(draw)
	}
	return text
}

func drawValue(t *rapid.T, depth int) any {
	switch kind := rapid.IntRange(0, 9).Draw(t, "value"); {
	case kind < 2 && depth > 0:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawValue(t, depth-1))
		}
		return list
	case kind < 4 && depth > 0:
		return drawObject(t, depth-1)
	case kind < 6:
		return json.Number(rapid.SampledFrom(numbers).Draw(t, "number"))
	case kind == 6:
		return rapid.Bool().Draw(t, "boolean")
	case kind == 7:
		return nil
	default:
		return string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 5).Draw(t, "text"))
	}
}

func drawObject(t *rapid.T, depth int) map[string]any {
	object := map[string]any{}
	for i := range rapid.IntRange(0, 3).Draw(t, "size") {
		key := string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 2).Draw(t, "key"))
		object[key+strconv.Itoa(i)] = drawValue(t, depth)
	}
	return object
}

func TestSearchMeansWhatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var plain plainSearch
		for range rapid.IntRange(1, 4).Draw(t, "terms") {
			plain = append(plain, drawTerm(t))
		}
		plain[0].and = false
		text := plain.write(t)
		search, err := ParseSearch(text)
		if err != nil {
			t.Fatal(err)
		}
		decoded := drawObject(t, 3)
		metadata, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "indented") {
			var b bytes.Buffer
			if err := json.Indent(&b, metadata, "", "\t"); err != nil {
				t.Fatal(err)
			}
			metadata = b.Bytes()
		}
		if got, want := search.Match(metadata), plain.match(decoded); got != want {
			t.Fatalf("%q on %s is %v, want %v", text, metadata, got, want)
		}
	})
}

func TestSearchTakesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		search, err := ParseSearch(rapid.StringN(0, 200, -1).Draw(t, "search"))
		if err != nil && err != ErrSearchTooLong {
			t.Fatal(err)
		}
		search.Match(rapid.SliceOf(rapid.Byte()).Draw(t, "metadata"))
	})
}

func TestIntervalsAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, judge := "", func(float64) bool { return false }
		for i := range rapid.IntRange(1, 6).Draw(t, "comparisons") {
			operator := rapid.SampledFrom([]string{"==", "!=", ">", "<", ">=", "<="}).Draw(t, "operator")
			number := rapid.IntRange(0, 5).Draw(t, "number")
			and := i > 0 && rapid.Bool().Draw(t, "and")
			if and {
				text += " AND"
			}
			text += fmt.Sprintf(" %s%d", operator, number)
			left := judge
			judge = func(n float64) bool {
				if here := relation(operator, n, float64(number)); and {
					return left(n) && here
				} else {
					return left(n) || here
				}
			}
		}
		search, err := ParseSearch(text)
		if err != nil {
			t.Fatal(err)
		}
		set, ok := search.SingleLeaf()
		if !ok {
			t.Fatalf("%s is not one comparison", text)
		}
		for i, in := range set {
			if in.Min > in.Max || i > 0 && in.Min <= set[i-1].Max {
				t.Fatalf("%s: intervals %v are not disjoint and rising", text, set)
			}
		}
		for n := -0.5; n <= 6; n += 0.5 {
			if got, want := intervals(set).contains(n), judge(n); got != want {
				t.Fatalf("%s: %v holds %g is %v, want %v", text, set, n, got, want)
			}
		}
	})
}
