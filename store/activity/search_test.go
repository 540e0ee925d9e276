package activity

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

// examples are entries with every kind of value, and searches with the entries
// that they find. The tests of the index read the same file.
type examples struct {
	Entries []struct {
		Name     string
		Type     Type
		Metadata json.RawMessage
	}
	Searches []struct{ Query, Finds string }
}

func readExamples(t testing.TB) examples {
	t.Helper()
	text, err := os.ReadFile("testdata/search.json")
	if err != nil {
		t.Fatal(err)
	}
	var e examples
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSearchExamples(t *testing.T) {
	examples := readExamples(t)
	for _, example := range examples.Searches {
		search, err := ParseSearch(example.Query)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, e := range examples.Entries {
			if search.Match(e.Metadata) {
				found = append(found, e.Name)
			}
		}
		if got := strings.Join(found, " "); got != example.Finds {
			t.Errorf("%s finds %q, want %q", example.Query, got, example.Finds)
		}
	}
}

func TestSearchBlank(t *testing.T) {
	for _, query := range []string{"", " ", "\t\n", "\u00a0 \u3000"} {
		search, err := ParseSearch(query)
		if err != nil || !search.Blank() {
			t.Errorf("ParseSearch(%q) is not blank (%v)", query, err)
		}
		if !search.Match(json.RawMessage(`{}`)) {
			t.Errorf("a blank search does not find everything")
		}
	}
	if search, _ := ParseSearch(`""`); search.Blank() {
		t.Error(`"" asks for the empty text, but counts as blank`)
	}
}

func TestSearchLeaves(t *testing.T) {
	tests := []struct {
		query, metadata string
		want            bool
	}{
		{`""`, `{"a":""}`, true},
		{`""`, `{"a":"x"}`, false},
		{`""`, `{}`, false},
		{`*`, `{"a":""}`, true},
		{`*`, `{"a":1,"b":null,"c":true,"d":[],"e":{}}`, false},
		{`\*`, `{"a":"*"}`, true},
		{`\*`, `{"a":"x"}`, false},
		{`"\""`, `{"a":"\""}`, true},
		{`a\\b`, `{"a":"a\\b"}`, true},
		{`a/b`, `{"a":"a\/b"}`, true},
		{`zoë`, `{"a":"ZO\u00cb"}`, true},
		{`"a	b"`, `{"a":"a\tb"}`, true},
		{`a`, `{"a":{"a":["b",{"a":"c"}]}}`, false},
		{`c`, `{"a":{"a":["b",{"a":"c"}]}}`, true},
		{`c`, " { \"a\" : [ \"b\" , \"c\" ] } ", true},
		{`a`, `{"a" : 1}`, false},
		{`AND x`, `{"a":"and"}`, true},
		{`AND x`, `{"a":"x"}`, true},
		{`OR`, `{"a":"or"}`, true},
		{`x AND`, `{"a":"and"}`, true},
		{`x OR OR y`, `{"a":"or"}`, true},
		{`x AND OR y`, `{"a":"x"}`, false},
		{`x AND OR y`, `{"a":"x","b":"or"}`, true},
		{`x AND OR y`, `{"a":"y"}`, true},
		{`x and y`, `{"a":"and"}`, true},
		{`ab*ba`, `{"a":"aba"}`, false},
		{`ab*ba`, `{"a":"abba"}`, true},
		{`*a*a*`, `{"a":"xay"}`, false},
		{`*a*a*`, `{"a":"xaya"}`, true},
		{`straße`, `{"a":"STRASSE"}`, false},
		{`straße`, `{"a":"STRA\u1e9eE"}`, true},
		{`Σ*ς`, `{"a":"σοφός"}`, true},
		{`kelvin`, `{"a":"\u212aelvin"}`, true},
		{`istanbul`, `{"a":"\u0130stanbul"}`, false},
		{`1e3`, `{"a":1E3}`, true},
		{`==1000`, `{"a":1E3}`, true},
		{`==0`, `{"a":-0.0}`, true},
		{`==-0`, `{"a":0}`, true},
		{`<0`, `{"a":-0.0}`, false},
		{`!=0`, `{"a":0}`, false},
		{`!=1`, `{"a":"0","b":null,"c":true}`, false},
		{`>1`, `{"a":1.0000000000000002}`, true},
		{`>99999999999999999999`, `{"a":1e300}`, true},
		{`1 2`, `{"a":2}`, true},
		{`==1 ==2`, `{"a":2}`, true},
		{`!=1 AND !=2`, `{"a":1,"b":2}`, false},
		{`!=1 AND !=2`, `{"a":3}`, true},
		{`>5 AND <3`, `{"a":4,"b":6,"c":2}`, false},
		{`>5 AND <3 OR ==4`, `{"a":4}`, true},
	}
	for _, test := range tests {
		search, err := ParseSearch(test.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := search.Match(json.RawMessage(test.metadata)); got != test.want {
			t.Errorf("%s on %s is %v, want %v", test.query, test.metadata, got, test.want)
		}
	}
}

func TestSearchTooLong(t *testing.T) {
	tests := []struct {
		name, query string
		want        error
	}{
		{"1024 characters", strings.Repeat("é", 1024), nil},
		{"1025 characters", strings.Repeat("a", 1025), ErrSearchTooLong},
		{"64 terms", strings.Repeat("a ", 64), nil},
		{"64 terms and operators", strings.Repeat("a AND ", 63) + "a", nil},
		{"65 terms", strings.Repeat("a ", 65), ErrSearchTooLong},
	}
	for _, test := range tests {
		if _, err := ParseSearch(test.query); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
}

func TestLeavesOfBrokenMetadata(t *testing.T) {
	for _, metadata := range []string{``, `"`, `"a`, `{"a`, `{"a"`, `{"a":`, `{"a":"\`, `{"a":"\u12"}`, `{"a":-`, `nul`, `}}}`, `{"a":"b\"`, "\xff\"\xff"} {
		for range Leaves(json.RawMessage(metadata)) { // must end, without a panic
			continue
		}
	}
}

func BenchmarkSearchMatch(b *testing.B) {
	metadata := readExamples(b).Entries[2].Metadata
	for _, query := range []string{"absent", "*absent*", "absent AND *missing* OR >100000", ">100000"} {
		search, err := ParseSearch(query)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(query, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(metadata)))
			for b.Loop() {
				if search.Match(metadata) {
					b.Fatal("found")
				}
			}
		})
	}
}
