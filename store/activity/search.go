package activity

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Search is a parsed metadata search: terms joined by AND and OR, read
// strictly from left to right. It looks at the leaves of the metadata, never
// at keys and never at null, and ignores letter case. Its zero value is blank.
type Search struct {
	terms []Term
	// single holds the numbers a leaf may have where all terms are
	// comparisons: then one single leaf has to satisfy the whole search, and
	// its terms are folded into one.
	single  intervals
	numeric bool
}

// Term is one word of a search: a text or a comparison.
type Term struct {
	// And joins the term to everything left of it by AND instead of OR. It
	// means nothing in the first term.
	And bool
	// Text is nil in a comparison. Otherwise it holds the folded texts between
	// the stars of the term, and so one text more than there are stars. A star
	// stands for any text, also an empty one.
	Text []string
	// Numbers is what a comparison accepts, disjoint and in rising order. It
	// is empty if no number can satisfy it.
	Numbers []Interval
}

// Comparison reports whether the term compares numbers.
func (t *Term) Comparison() bool { return t.Text == nil }

// Starred reports whether a text term has a star. Such a term looks at strings
// only; one without finds numbers and booleans by their JSON text, too.
func (t *Term) Starred() bool { return len(t.Text) > 1 }

// Blank reports whether there is nothing to search for.
func (s Search) Blank() bool { return len(s.terms) == 0 }

// Terms are the terms of the search, from left to right. The list is shared
// and must not be modified.
func (s Search) Terms() []Term { return s.terms }

// SingleLeaf is the set of numbers one of which an entry needs to have, if all
// terms of the search are comparisons. Terms then has nothing to add.
func (s Search) SingleLeaf() (numbers []Interval, ok bool) { return s.single, s.numeric }

// Match reports whether the search finds this metadata. A blank search finds
// any.
func (s Search) Match(metadata json.RawMessage) bool {
	if s.Blank() {
		return true
	}
	if s.numeric {
		for leaf := range Leaves(metadata) {
			if leaf.Kind == NumberLeaf && s.single.contain(leaf.Number()) {
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
			if !found[i] && s.terms[i].match(leaf, text) {
				found[i], news = true, true
			}
		}
		// Without negation, what is true of some leaves stays true.
		if news && s.holds(found[:]) {
			return true
		}
	}
	return false
}

// holds evaluates the search where found says which terms some leaf matches.
func (s Search) holds(found []bool) bool {
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

// match judges one leaf, whose folded text is given.
func (t *Term) match(leaf Leaf, folded []byte) bool {
	switch {
	case t.Comparison():
		return leaf.Kind == NumberLeaf && intervals(t.Numbers).contain(leaf.Number())
	case leaf.Kind == StringLeaf:
		return t.MatchText(folded)
	default:
		return !t.Starred() && string(folded) == t.Text[0]
	}
}

// MatchText reports whether a text term covers a whole folded text.
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

// join appends a term and, as long as all terms are comparisons, the meaning
// they have together.
func (s *Search) join(t Term) {
	switch {
	case len(s.terms) == 0:
		s.single, s.numeric = t.Numbers, t.Comparison()
	case !s.numeric || !t.Comparison():
		s.single, s.numeric = nil, false
	case t.And:
		s.single = s.single.intersect(t.Numbers)
	default:
		s.single = s.single.union(t.Numbers)
	}
	s.terms = append(slices.Clip(s.terms), t)
}
