package activity

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSearchHints(t *testing.T) {
	tests := []struct{ query, want string }{ // want is a part of each hint, parted by |
		{``, ``},
		{`hana01`, ``},
		{`hana* AND "exit status 1"`, ``},
		{`a OR b OR c`, ``},
		{`a AND b OR c`, ``},
		{`>=16 AND <64`, ``},
		{`"AND"`, ``},
		{`\AND b`, ``},
		{`10.1.0.5:9100 http://x fe80::1 abc::1`, ``},
		{`a- -a !a =a a=b`, ``},
		{`"exit status`, `A quote is opened`},
		{`a "b" "`, `A quote is opened`},
		{`a \`, `The backslash at the end`},
		{`"a\`, `The backslash at the end`},
		{`hana01 AND`, `“AND” does not stand`},
		{`OR hana01`, `“OR” does not stand`},
		{`AND`, `“AND” does not stand`},
		{`a AND OR b`, `“OR” does not stand`},
		{`a and b`, `Written AND`},
		{`a Or b`, `Written OR`},
		{`a and "b c"`, `Written AND`},
		{`and b`, ``},
		{`a and`, ``},
		{`NOT hana01`, `cannot leave entries out`},
		{`(a OR b) AND c`, `Parentheses|that is ((a OR b)) AND c`},
		{`'exit status 1'`, `Only double quotes`},
		{`o'neill x`, ``},
		{`> 5`, `right behind it: >5`},
		{`=5`, `write ==5`},
		{`>=abc`, `only numbers`},
		{`==`, ``},
		{`hostname:hana01`, `value alone: hana01`},
		{`a OR b AND c`, `that is (a OR b) AND c`},
		{`a b AND "c d"`, `that is (a OR b) AND "c d"`},
		{`a OR b AND c OR d AND e`, `that is ((a OR b) AND c OR d) AND e`},
		{`a and b OR c AND NOT "`, `A quote is opened|Written AND|“NOT”`}, // at most three hints are shown
		{strings.Repeat("(", MaxSearchLength+1), ``},
	}
	for _, test := range tests {
		hints := SearchHints(test.query)
		var want []string
		if test.want != "" {
			want = strings.Split(test.want, "|")
		}
		if len(hints) != len(want) {
			t.Errorf("%s: hints %q, want %q", test.query, hints, want)
			continue
		}
		for i := range want {
			if !strings.Contains(hints[i], want[i]) {
				t.Errorf("%s: hint %q, want %q", test.query, hints[i], want[i])
			}
		}
	}
}

// TestSearchHintsOfAnything checks that any text gets hints without a panic,
// and that the words in the hints are words of the search.
func TestSearchHintsOfAnything(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "B*", `"c d"`, `\"`, "AND", "OR", "and", "NOT", "(", ")", "==1", ">", "'", `"`, `\`, "k:v", "=", "é", "\u3000", ""})
	rapid.Check(t, func(t *rapid.T) {
		query := strings.Join(rapid.SliceOfN(word, 0, 9).Draw(t, "words"), " ")
		hints := SearchHints(query)
		if len(hints) > maxHints {
			t.Fatalf("%q: %d hints", query, len(hints))
		}
		words, _ := splitWords(query)
		var sources []string
		for _, w := range words {
			sources = append(sources, w.source)
		}
		if again, _ := splitWords(strings.Join(sources, " ")); len(again) != len(words) {
			t.Fatalf("%q: words %q", query, sources)
		}
	})
}
