package activity

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"trento/store/fault"
)

// The size a search may have.
const (
	MaxSearchLength = 1024 // characters
	MaxSearchTerms  = 64
)

// ErrSearchTooLong says that a search exceeds MaxSearchLength or
// MaxSearchTerms. Its message is fit for the person who searched.
var ErrSearchTooLong = fault.Field("search", "a search has at most 1024 characters and 64 terms")

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
	words, _ := splitWords(text)
	operator, and := operators(words), false
	for i, w := range words {
		if operator[i] {
			and = w.is("AND")
			continue
		}
		if len(s.terms) == MaxSearchTerms {
			return Search{}, ErrSearchTooLong
		}
		s.join(w.term(and))
		and = false
	}
	return s, nil
}

// operators tells which words join the two around them. An operator stands
// between two terms, or it is a term itself: so is the first word, the last
// one, and the one behind an operator, whatever they say.
func operators(words []word) []bool {
	operator := make([]bool, len(words))
	for i := 1; i < len(words)-1; i++ {
		if words[i].is("AND") || words[i].is("OR") {
			operator[i] = true
			i++
		}
	}
	return operator
}

// word is a part of a search between white space.
type word struct {
	source string   // as it was written
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

// splitWords cuts a search at white space outside quotes. unfinished is the
// character, a quote or a backslash, that waits in vain at the end, or 0.
func splitWords(search string) (words []word, unfinished rune) {
	var (
		begin           int
		current         word
		text            strings.Builder
		inWord          bool
		inQuotes, fixed bool // fixed: the next character is literal
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
		if unicode.IsSpace(r) && !inQuotes && !fixed {
			endWord(at)
			continue
		}
		if !inWord {
			begin, inWord = at, true
		}
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
	switch {
	case fixed:
		text.WriteByte('\\') // nothing left to make literal
		unfinished = '\\'
	case inQuotes:
		unfinished = '"'
	}
	endWord(len(search))
	return words, unfinished
}
