package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/util/confusable"
	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// nameClass allows the characters of names: the free-form class of RFC 8264.
// The class contains the letters, digits, signs and symbols of all scripts. It
// contains no control characters and no characters that are invisible or change
// the direction of the text.
var nameClass = precis.NewFreeform(precis.Norm(norm.NFC))

// invalidDetail is the beginning of the fault of a name that is not allowed.
const invalidDetail = "is invalid"

// brailleBlank is a symbol in Unicode but is displayed as an empty space.
const brailleBlank = '\u2800'

// NormalText returns the stored form of a text that a user typed: with composed
// characters (NFC), and without variation selectors. Keyboards add variation
// selectors on their own to choose a coloured or a plain symbol.
func NormalText(text string) string {
	return norm.NFC.String(strings.NewReplacer("\uFE0E", "", "\uFE0F", "").Replace(text))
}

// NormalName returns the stored form of a name: NormalText, with single spaces
// between words and none at the ends.
func NormalName(name string) string {
	words := strings.FieldsFunc(strings.TrimSpace(name), func(r rune) bool { return unicode.Is(unicode.Zs, r) })
	return NormalText(strings.Join(words, " "))
}

// CheckName returns the fault of a name in its normal form, as text; "" if the
// name is allowed.
func CheckName(name string) (detail string) {
	if name == "" {
		return ""
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return invalidDetail
	}
	if tokenPattern.MatchString(name) {
		return invalidDetail + ": it holds a personal access token"
	}
	if _, err := nameClass.String(name); err == nil && !strings.ContainsRune(name, brailleBlank) {
		return ""
	}
	for _, r := range name {
		if _, err := nameClass.String(string(r)); err != nil || r == brailleBlank {
			return fmt.Sprintf("%s: the character %U is not allowed", invalidDetail, r)
		}
	}
	return invalidDetail
}

// appearance is how a name looks, as it is written and in lower case. Both are
// needed: I looks like l, but i does not.
type appearance struct{ asWritten, lowerCase string }

func appearanceOf(name string) appearance {
	name = norm.NFKC.String(NormalName(name)) // converts full-width letters and similar ones into ordinary letters
	return appearance{confusable.Skeleton(name), confusable.Skeleton(foldCase(name))}
}

// looksLike reports whether two names cannot be told apart: they are equal, or
// differ only in letter case or in characters that look alike (Unicode TR 39).
func (l appearance) looksLike(other appearance) bool {
	return l.asWritten == other.asWritten || l.lowerCase == other.lowerCase
}

// foldCase returns the text without differences of letter case.
func foldCase(text string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(text))) }

// takenDetail returns the fault, as text, of a name that is equal to or looks
// like the existing name by.
func takenDetail(name, by string) string {
	if name == by {
		return "has already been taken"
	}
	return fmt.Sprintf("has already been taken by another spelling: %s", by)
}

// LookAlikes returns the names that look like another of the names, each with
// such a name.
func LookAlikes(names []string) map[string]string {
	found := make(map[string]string)
	first := make(map[string]string) // by appearance
	for _, name := range names {
		l := appearanceOf(name)
		for _, key := range []string{"written " + l.asWritten, "folded " + l.lowerCase} {
			if other, ok := first[key]; !ok {
				first[key] = name
			} else if other != name {
				found[name] = other
				if found[other] == "" {
					found[other] = name
				}
			}
		}
	}
	return found
}
