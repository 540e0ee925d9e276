package script

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exceptions are the cases of testdata/cases.txt for which this package differs
// from what was measured, and why.
var exceptions = map[string]string{
	"t1-139": "try hides errors and is not available",
	"t3-c7":  "the depth may be larger here", "t3-c8": "the depth may be larger here", "t3-c9": "the depth may be larger here",
	"t3-c10": "the depth may be larger here", "t3-c11": "the depth may be larger here", "t3-c14": "the depth may be larger here",
}

// goldenCase is a case of testdata/cases.txt.
type goldenCase struct {
	name, source, want string
	scope              [][2]string // names and literals
}

func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	file, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	for _, text := range strings.Split(string(file), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(text, "\n")
		source, want, ok := strings.Cut("\n"+rest, "\n--- ")
		if !ok {
			t.Fatalf("%s has no result", name)
		}
		c := goldenCase{name: name, want: strings.TrimRight(want, "\n")}
		source = strings.TrimPrefix(source, "\n")
		for strings.HasPrefix(source, "#scope ") {
			var line string
			line, source, _ = strings.Cut(source, "\n")
			variable, literal, _ := strings.Cut(strings.TrimPrefix(line, "#scope "), " ")
			c.scope = append(c.scope, [2]string{variable, literal})
		}
		c.source = source
		cases = append(cases, c)
	}
	return cases
}

func runSource(t testing.TB, source string, scope map[string]Value) (Value, error) {
	t.Helper()
	s, err := Parse(source)
	if err != nil {
		return Value{}, err
	}
	return s.Run(t.Context(), scope)
}

func (c *goldenCase) variables(t testing.TB) map[string]Value {
	t.Helper()
	scope := make(map[string]Value)
	for _, variable := range c.scope {
		v, err := runSource(t, variable[1], nil)
		if err != nil {
			t.Fatalf("scope %s: %v", variable[0], err)
		}
		scope[variable[0]] = v
	}
	return scope
}

func TestCases(t *testing.T) {
	cases := goldenCases(t)
	if len(cases) != 558 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		got, err := runSource(t, c.source, c.variables(t))
		result := "value " + describe(got)
		if failure, ok := errors.AsType[*Error](err); ok {
			result = "error " + string(failure.Kind)
		} else if err != nil {
			t.Fatal(err)
		}
		_, excepted := exceptions[c.name]
		if same := result == c.want; same == excepted {
			t.Errorf("%s: %s\ngot  %s (%v)\nwant %s (unless excepted: %v)", c.name, c.source, result, err, c.want, excepted)
		}
	}
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// describe writes a value as testdata/cases.txt does.
func describe(v Value) string {
	switch v.kind {
	case Unit:
		return "()"
	case Float:
		return strings.TrimSuffix(formatFloat(v.float()), "") + "f"
	case Text:
		return quote(v.text)
	case Char:
		return "char '" + v.asText() + "'"
	case Array:
		var items []string
		for _, item := range v.list().items {
			items = append(items, describe(item))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case Map:
		var members []string
		for i, key := range v.dict().keys {
			if !plainKey.MatchString(key) {
				key = quote(key)
			}
			members = append(members, fmt.Sprintf("%s: %s", key, describe(v.dict().values[i])))
		}
		slices.Sort(members)
		return "#{" + strings.Join(members, ", ") + "}"
	}
	return v.String()
}
