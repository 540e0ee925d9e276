package activity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	same := [][]string{
		{"hana01", "HANA01", "HaNa01"},
		{"σοφος", "ΣΟΦΟς", "ςοφοσ"},
		{"strasse", "STRASSE", "ſtraſſe"},
		{"straße", "STRAẞE"},
		{"k", "K", "\u212a"},         // Kelvin sign
		{"å", "Å", "\u212b"},         // Ångström sign
		{"µ", "μ", "Μ"},              // micro sign, small and capital mu
		{"ж", "Ж"},                   // beyond Latin
		{"\U00010428", "\U00010400"}, // beyond the basic plane
		{"ǆ", "ǅ", "Ǆ"},
	}
	for _, group := range same {
		for _, text := range group[1:] {
			if Fold(text) != Fold(group[0]) {
				t.Errorf("%q and %q differ when folded: %q, %q", group[0], text, Fold(group[0]), Fold(text))
			}
		}
	}
	different := [][2]string{
		{"ß", "ss"}, {"ﬁ", "fi"}, {"İ", "i"}, {"İ", "I"}, {"ı", "i"}, {"ı", "I"}, {"İ", "ı"},
		{"é", "e\u0301"}, {"é", "e"}, {"Å", "A"}, {"ａ", "a"},
	}
	for _, pair := range different {
		if Fold(pair[0]) == Fold(pair[1]) {
			t.Errorf("%q and %q are the same when folded", pair[0], pair[1])
		}
	}
	for text, want := range map[string]string{"": "", "Hana-01_x": "hana-01_x", "ſK\u212a": "skk", "a\xffB": "a\ufffdb"} {
		if got := Fold(text); got != want {
			t.Errorf("Fold(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestFoldRunes compares every code point with strings.EqualFold, the standard
// library's comparison under simple case folding.
func TestFoldRunes(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		folded := Fold(string(r))
		if utf8.RuneCountInString(folded) != 1 {
			t.Fatalf("%U folds to %q, not to one code point", r, folded)
		}
		if !strings.EqualFold(folded, string(r)) {
			t.Fatalf("%U folds to %q, another character", r, folded)
		}
		if other := unicode.SimpleFold(r); Fold(string(other)) != folded {
			t.Fatalf("%U and %U fold apart", r, other)
		}
	}
}

func TestFoldAgreesWithEqualFold(t *testing.T) {
	texts := rapid.StringOfN(rapid.RuneFrom(letters), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		if got, want := Fold(a) == Fold(b), strings.EqualFold(a, b); got != want {
			t.Fatalf("%q and %q are equal when folded: %v, want %v", a, b, got, want)
		}
		if Fold(Fold(a)) != Fold(a) {
			t.Fatalf("%q changes when folded twice", a)
		}
	})
}
