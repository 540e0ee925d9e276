package activity

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Search is a parsed search in the metadata: terms that are joined by AND and
// OR, read strictly from left to right. It compares the leaves of the metadata,
// never the keys and never null, and ignores letter case. The zero value is
// blank.
type Search struct {
	terms []Term
	// If onlyComparisons is true, all terms are comparisons. One leaf must then
	// satisfy the whole search, and singleLeafNumbers holds the numbers that
	// do.
	singleLeafNumbers intervals
	onlyComparisons   bool
}

// Term is one word of a search: a text or a comparison.
type Term struct {
	// And joins the term to all terms before it by AND instead of OR. It has no
	// meaning in the first term.
	And bool
	// Text is nil in a comparison. Otherwise it holds the folded texts before,
	// between and after the stars of the term. A star stands for any text,
	// including "".
	Text []string
	// Numbers are the numbers that satisfy a comparison, as disjoint intervals
	// in ascending order. It is empty if no number does.
	Numbers []Interval
}

// Comparison reports whether the term compares numbers.
func (t *Term) Comparison() bool { return t.Text == nil }

// Starred reports whether a text term has a star. Such a term matches only
// strings. A term without a star also matches numbers and booleans, by their
// JSON text.
func (t *Term) Starred() bool { return len(t.Text) > 1 }

// Blank reports whether the search has no terms.
func (s Search) Blank() bool { return len(s.terms) == 0 }

// Terms returns the terms of the search, from left to right. The slice is
// shared and must not be modified.
func (s Search) Terms() []Term { return s.terms }

// SingleLeaf returns the numbers one of which an entry must contain, if all
// terms are comparisons. The Terms need not be checked then.
func (s Search) SingleLeaf() (numbers []Interval, ok bool) {
	return s.singleLeafNumbers, s.onlyComparisons
}

// Match reports whether the search finds the metadata. A blank search finds all
// metadata.
func (s Search) Match(metadata json.RawMessage) bool {
	if s.Blank() {
		return true
	}
	if s.onlyComparisons {
		for leaf := range Leaves(metadata) {
			if leaf.Kind == NumberLeaf && s.singleLeafNumbers.contains(leaf.Number()) {
				return true
			}
		}
		return false
	}
	var found [MaxSearchTerms]bool
	var scratch [128]byte
	for leaf := range Leaves(metadata) {
		text := appendFold(scratch[:0], leaf.Text)
		news := false
		for i := range s.terms {
			if !found[i] && s.terms[i].matches(leaf, text) {
				found[i], news = true, true
			}
		}
		// There is no negation: a search that is true stays true with further
		// leaves.
		if news && s.isTrue(found[:]) {
			return true
		}
	}
	return false
}

// isTrue evaluates the search. found says for each term whether a leaf matches
// it.
func (s Search) isTrue(found []bool) bool {
	result := found[0]
	for i := 1; i < len(s.terms); i++ {
		if s.terms[i].And {
			result = result && found[i]
		} else {
			result = result || found[i]
		}
	}
	return result
}

// matches reports whether the term matches a leaf with the given folded text.
func (t *Term) matches(leaf Leaf, folded []byte) bool {
	switch {
	case t.Comparison():
		return leaf.Kind == NumberLeaf && intervals(t.Numbers).contains(leaf.Number())
	case leaf.Kind == StringLeaf:
		return t.MatchText(folded)
	default:
		return !t.Starred() && string(folded) == t.Text[0]
	}
}

// MatchText reports whether a text term matches a whole folded text.
func (t *Term) MatchText(folded []byte) bool {
	first, last := t.Text[0], t.Text[len(t.Text)-1]
	if !t.Starred() {
		return string(folded) == first
	}
	if len(folded) < len(first)+len(last) || string(folded[:len(first)]) != first {
		return false
	}
	rest, end := folded[len(first):len(folded)-len(last)], folded[len(folded)-len(last):]
	if string(end) != last {
		return false
	}
	for _, text := range t.Text[1 : len(t.Text)-1] {
		at := bytes.Index(rest, []byte(text))
		if at < 0 {
			return false
		}
		rest = rest[at+len(text):]
	}
	return true
}

// addTerm appends a term and, while all terms are comparisons, updates
// singleLeafNumbers.
func (s *Search) addTerm(t Term) {
	switch {
	case len(s.terms) == 0:
		s.singleLeafNumbers, s.onlyComparisons = t.Numbers, t.Comparison()
	case !s.onlyComparisons || !t.Comparison():
		s.singleLeafNumbers, s.onlyComparisons = nil, false
	case t.And:
		s.singleLeafNumbers = s.singleLeafNumbers.intersect(t.Numbers)
	default:
		s.singleLeafNumbers = s.singleLeafNumbers.union(t.Numbers)
	}
	s.terms = append(slices.Clip(s.terms), t)
}
