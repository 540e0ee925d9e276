package activity

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The size a search may have.
const (
	MaxSearchLength = 1024 // characters
	MaxSearchTerms  = 64
)

// ErrSearchTooLong says that a search exceeds MaxSearchLength or
// MaxSearchTerms. Its message is fit for the person who searched.
var ErrSearchTooLong = errors.New("a search has at most 1024 characters and 64 terms")

// ParseSearch reads a metadata search as people write it:
//
//	hana01                   a value that is hana01, in any letter case
//	hana* *01 h*1 *ana*      a star stands for any text
//	"exit status 1"  a\*b    quotes keep white space, a backslash any character
//	==4 >20 <=20.5 !=7       number comparisons
//	a b, a OR b, a AND b     words side by side mean OR; left to right, no precedence
//
// Any text is a search, an odd one just finds nothing. The only error is
// ErrSearchTooLong.
func ParseSearch(text string) (Search, error) {
	if utf8.RuneCountInString(text) > MaxSearchLength {
		return Search{}, ErrSearchTooLong
	}
	var s Search
	words := splitWords(text)
	for len(words) > 0 {
		and := false
		// An operator stands between two terms, or it is a term itself.
		if len(s.terms) > 0 && len(words) > 1 && (words[0].is("AND") || words[0].is("OR")) {
			and = words[0].is("AND")
			words = words[1:]
		}
		if len(s.terms) == MaxSearchTerms {
			return Search{}, ErrSearchTooLong
		}
		s.join(words[0].term(and))
		words = words[1:]
	}
	return s, nil
}

// word is a part of a search between white space.
type word struct {
	texts  []string // between the stars, which are not in them
	quoted bool     // has quotes or escapes, so it is plain text whatever it says
}

// is reports whether the word stands there literally.
func (w word) is(text string) bool {
	return !w.quoted && len(w.texts) == 1 && w.texts[0] == text
}

var comparisonPattern = regexp.MustCompile(`^(==|!=|>=|<=|>|<)(-?[0-9]+(?:\.[0-9]+)?)$`)

func (w word) term(and bool) Term {
	if !w.quoted && len(w.texts) == 1 {
		if m := comparisonPattern.FindStringSubmatch(w.texts[0]); m != nil {
			return Term{And: and, Numbers: compared(m[1], parseNumber(m[2]))}
		}
	}
	last := len(w.texts) - 1
	var texts []string
	for i, text := range w.texts {
		if inner := i > 0 && i < last; inner && text == "" {
			continue // stars side by side say what one says
		}
		texts = append(texts, Fold(text))
	}
	return Term{And: and, Text: texts}
}

// splitWords cuts a search at white space outside quotes.
func splitWords(search string) []word {
	var (
		words           []word
		current         word
		text            strings.Builder
		inWord          bool
		inQuotes, fixed bool // fixed: the next character is literal
	)
	endText := func() {
		current.texts = append(current.texts, text.String())
		text.Reset()
	}
	endWord := func() {
		if inWord {
			endText()
			words = append(words, current)
			current, inWord = word{}, false
		}
	}
	for _, r := range search {
		if unicode.IsSpace(r) && !inQuotes && !fixed {
			endWord()
			continue
		}
		inWord = true
		switch {
		case fixed:
			text.WriteRune(r)
			fixed = false
		case r == '\\':
			current.quoted, fixed = true, true
		case r == '"':
			current.quoted, inQuotes = true, !inQuotes
		case r == '*':
			endText()
		default:
			text.WriteRune(r)
		}
	}
	if fixed {
		text.WriteByte('\\') // nothing left to make literal
	}
	endWord()
	return words
}
