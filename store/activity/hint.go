package activity

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxHints is the largest number of hints for a search.
const maxHints = 3

// SearchHints returns sentences that tell users how their search may differ
// from what they meant. ParseSearch accepts any text. Most searches have no
// hints.
func SearchHints(text string) []string {
	if utf8.RuneCountInString(text) > MaxSearchLength {
		return nil // too long to be a search
	}
	words, unfinished := splitWords(text)
	var hints []string
	switch unfinished {
	case '"':
		hints = append(hints, "A quote is opened and never closed: it was taken to run to the end.")
	case '\\':
		hints = append(hints, "The backslash at the end has nothing to make literal, so it was searched for itself.")
	}
	operator := findOperators(words)
	for i := range words {
		if hint := wordHint(words, i, operator[i]); hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	if hint := orderHint(words, operator); hint != "" {
		hints = append(hints, hint)
	}
	return hints[:min(len(hints), maxHints)]
}

var numberPattern = regexp.MustCompile(`^-?[0-9]+(?:\.[0-9]+)?$`)

var comparisonSigns = []string{"==", "!=", ">=", "<=", ">", "<"}

// wordHint returns the hint for the i-th word; "" if there is none.
func wordHint(words []word, i int, operator bool) string {
	text := words[i].plainText()
	if text == "" || operator {
		return ""
	}
	last, next := i+1 == len(words), ""
	if !last {
		next = words[i+1].plainText()
	}
	upper := strings.ToUpper(text)
	key, value, _ := strings.Cut(text, ":")
	switch {
	case text == "AND" || text == "OR":
		return fmt.Sprintf("“%s” does not stand between two words, so it was searched for as a word itself.", text)
	case (upper == "AND" || upper == "OR") && i > 0 && !last:
		return fmt.Sprintf("“%s” was searched for as a word. Written %s it combines what stands around it.", text, upper)
	case upper == "NOT" && !last:
		return fmt.Sprintf("“%s” was searched for as a word: a search cannot leave entries out.", text)
	case strings.HasPrefix(text, "(") || strings.HasSuffix(text, ")"):
		return "Parentheses were searched for as they stand: a search is read from left to right."
	case strings.HasPrefix(text, "'") && strings.Count(text, "'") == 1 && !last:
		return `Only double quotes keep words together: "exit status 1".`
	case slices.Contains(comparisonSigns, text) && numberPattern.MatchString(next):
		return fmt.Sprintf("“%s” was searched for as a word. To compare, write the number right behind it: %s%s", text, text, next)
	case text[0] == '=' && numberPattern.MatchString(text[1:]):
		return fmt.Sprintf("“%s” was searched for as a word. To compare, write =%s", text, text)
	case slices.ContainsFunc(comparisonSigns, func(sign string) bool { return len(text) > len(sign) && strings.HasPrefix(text, sign) }) && !comparisonPattern.MatchString(text):
		return fmt.Sprintf("“%s” was searched for as a word: only numbers can be compared.", text)
	case key != "" && value != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") == "" && value[0] != ':' && value[0] != '/':
		return "Names of fields are not searched. Look for the value alone: " + value
	}
	return ""
}

// plainText returns the text of a word without stars, quotes and backslashes; "" if
// the word contains one of these.
func (w word) plainText() string {
	if w.isQuoted || len(w.texts) > 1 {
		return ""
	}
	return w.texts[0]
}

// orderHint returns a hint at the order in which a search was read, if AND
// follows OR in it. In many other search languages, AND takes precedence over
// OR.
func orderHint(words []word, operator []bool) string {
	reading, or, and, surprising := "", false, false, false
	for i, w := range words {
		if operator[i] {
			and = w.isExactly("AND")
			continue
		}
		switch {
		case reading == "":
			reading = w.source
		case and && or:
			reading, or, surprising = "("+reading+") AND "+w.source, false, true
		case and:
			reading += " AND " + w.source
		default:
			reading, or = reading+" OR "+w.source, true
		}
		and = false
	}
	if !surprising {
		return ""
	}
	return "Read from left to right, that is " + reading
}
