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

// nameClass is what a name may be made of: the free-form class of RFC 8264.
// It has the letters, digits, signs and symbols of all scripts, and neither
// controls nor what is invisible or changes the direction of the text.
var nameClass = precis.NewFreeform(precis.Norm(norm.NFC))

const isInvalid = "is invalid"

// brailleBlank is a symbol to Unicode and a gap to the eye.
const brailleBlank = '\u2800'

// NormalText is the form in which a text that somebody typed is stored:
// composed characters (NFC). Whether a symbol is to be coloured, which
// keyboards add without being asked, is left out.
func NormalText(text string) string {
	return norm.NFC.String(strings.NewReplacer("\uFE0E", "", "\uFE0F", "").Replace(text))
}

// NormalName is NormalText with single spaces between words and none around
// them: the form in which names are stored.
func NormalName(name string) string {
	words := strings.FieldsFunc(strings.TrimSpace(name), func(r rune) bool { return unicode.Is(unicode.Zs, r) })
	return NormalText(strings.Join(words, " "))
}

// CheckName says what is wrong with a name in its normal form, in the words of
// a fault; it is empty where nothing is.
func CheckName(name string) (detail string) {
	if name == "" {
		return ""
	}
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return isInvalid
	}
	if tokenText.MatchString(name) {
		return isInvalid + ": it holds a personal access token"
	}
	if _, err := nameClass.String(name); err == nil && !strings.ContainsRune(name, brailleBlank) {
		return ""
	}
	for _, r := range name {
		if _, err := nameClass.String(string(r)); err != nil || r == brailleBlank {
			return fmt.Sprintf("%s: the character %U is not allowed", isInvalid, r)
		}
	}
	return isInvalid
}

// looks is what a name looks like, as it is written and without letter case.
// Both are needed: I looks like l, and i does not.
type looks struct{ written, folded string }

func looksOf(name string) looks {
	name = norm.NFKC.String(NormalName(name)) // wide letters and the like become the usual ones
	return looks{confusable.Skeleton(name), confusable.Skeleton(fold(name))}
}

// match reports whether two names cannot be told apart: they differ in letter
// case, or in characters that are drawn alike (Unicode TR 39), or not at all.
func (l looks) match(other looks) bool { return l.written == other.written || l.folded == other.folded }

// fold takes the letter case out of a text.
func fold(text string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(text))) }

// takenDetail is the detail of a name that another one stands in the way of.
func takenDetail(name, by string) string {
	if name == by {
		return "has already been taken"
	}
	return fmt.Sprintf("has already been taken by another spelling: %s", by)
}

// LookAlikes returns, for each of the names that cannot be told apart from
// another one of them, such another one.
func LookAlikes(names []string) map[string]string {
	found := make(map[string]string)
	first := make(map[string]string) // by what it looks like
	for _, name := range names {
		l := looksOf(name)
		for _, key := range []string{"written " + l.written, "folded " + l.folded} {
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
