package activity

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"trento/store/fault"
)

// The limits of a search.
const (
	MaxSearchLength = 1024 // characters
	MaxSearchTerms  = 64
)

// ErrSearchTooLong means that a search exceeds MaxSearchLength or
// MaxSearchTerms. Its message may be shown to the user.
var ErrSearchTooLong = fault.Field("search", "a search has at most 1024 characters and 64 terms")

// ParseSearch parses a search in the metadata:
//
//	hana01                   a value that is hana01, in any letter case
//	hana* *01 h*1 *ana*      a star stands for any text
//	"exit status 1"  a\*b    quotes keep white space, a backslash any character
//	==4 >20 <=20.5 !=7       number comparisons
//	a b, a OR b, a AND b     words side by side mean OR; left to right, no precedence
//
// Every text is a valid search. The only error is ErrSearchTooLong.
func ParseSearch(text string) (Search, error) {
	if utf8.RuneCountInString(text) > MaxSearchLength {
		return Search{}, ErrSearchTooLong
	}
	var s Search
	words, _ := splitWords(text)
	operator, and := findOperators(words), false
	for i, w := range words {
		if operator[i] {
			and = w.isExactly("AND")
			continue
		}
		if len(s.terms) == MaxSearchTerms {
			return Search{}, ErrSearchTooLong
		}
		s.addTerm(w.newTerm(and))
		and = false
	}
	return s, nil
}

// findOperators returns which words are operators. An operator is AND or OR
// between two terms. The first word, the last word and the word after an
// operator are always terms.
func findOperators(words []word) []bool {
	operator := make([]bool, len(words))
	for i := 1; i < len(words)-1; i++ {
		if words[i].isExactly("AND") || words[i].isExactly("OR") {
			operator[i] = true
			i++
		}
	}
	return operator
}

// word is a part of a search between white space.
type word struct {
	source   string   // the word as the user wrote it
	texts    []string // the texts before, between and after the stars
	isQuoted bool     // true if it has quotes or escapes; it is then never an operator or a comparison
}

// isExactly reports whether the word is exactly the text, without quotes and stars.
func (w word) isExactly(text string) bool {
	return !w.isQuoted && len(w.texts) == 1 && w.texts[0] == text
}

var comparisonPattern = regexp.MustCompile(`^(==|!=|>=|<=|>|<)(-?[0-9]+(?:\.[0-9]+)?)$`)

func (w word) newTerm(and bool) Term {
	if !w.isQuoted && len(w.texts) == 1 {
		if m := comparisonPattern.FindStringSubmatch(w.texts[0]); m != nil {
			return Term{And: and, Numbers: numbersMatching(m[1], parseNumber(m[2]))}
		}
	}
	last := len(w.texts) - 1
	var texts []string
	for i, text := range w.texts {
		if inner := i > 0 && i < last; inner && text == "" {
			continue // several stars in a row mean the same as one
		}
		texts = append(texts, Fold(text))
	}
	return Term{And: and, Text: texts}
}

// splitWords splits a search at white space outside quotes. unfinished is an
// opened quote that is never closed, a backslash at the end, or 0.
func splitWords(search string) (words []word, unfinished rune) {
	var (
		begin             int
		current           word
		text              strings.Builder
		inWord            bool
		inQuotes, literal bool // literal: the next character stands for itself
	)
	endText := func() {
		current.texts = append(current.texts, text.String())
		text.Reset()
	}
	endWord := func(end int) {
		if inWord {
			endText()
			current.source = search[begin:end]
			words = append(words, current)
			current, inWord = word{}, false
		}
	}
	for at, r := range search {
		if unicode.IsSpace(r) && !inQuotes && !literal {
			endWord(at)
			continue
		}
		if !inWord {
			begin, inWord = at, true
		}
		switch {
		case literal:
			text.WriteRune(r)
			literal = false
		case r == '\\':
			current.isQuoted, literal = true, true
		case r == '"':
			current.isQuoted, inQuotes = true, !inQuotes
		case r == '*':
			endText()
		default:
			text.WriteRune(r)
		}
	}
	switch {
	case literal:
		text.WriteByte('\\') // a backslash at the end stands for itself
		unfinished = '\\'
	case inQuotes:
		unfinished = '"'
	}
	endWord(len(search))
	return words, unfinished
}
