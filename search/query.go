package search

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"trento/store/activity"
)

// filter takes documents whose entries do not pass the filter out of the
// candidates, its dates aside. It is sure where all that are left pass; else
// searchTerms has to tell.
func (s *segment) filter(ctx context.Context, f *activity.Filter, candidates *roaring.Bitmap) (sure bool, err error) {
	keep := func(set *roaring.Bitmap, err error) error {
		if err == nil {
			candidates.And(set)
		}
		return err
	}
	if len(f.Types) > 0 {
		if err := keep(about(s, f.Types, aboutType)); err != nil {
			return false, err
		}
	}
	if len(f.Actors) > 0 {
		if err := keep(about(s, f.Actors, aboutActor)); err != nil {
			return false, err
		}
	}
	if len(f.Severities) > 0 {
		if err := keep(about(s, f.Severities, aboutSeverity)); err != nil {
			return false, err
		}
	}
	if f.WithoutUserManagement {
		hidden, err := about(s, userManagement, aboutType)
		if err != nil {
			return false, err
		}
		candidates.AndNot(hidden)
	}
	if f.Search.Blank() || candidates.IsEmpty() {
		return true, nil
	}
	return !hasWildcard(f.Search), keep(s.search(ctx, f.Search, true))
}

// searchTerms leaves of the candidates those that the search finds.
func (s *segment) searchTerms(ctx context.Context, q activity.Search, candidates *roaring.Bitmap) error {
	found, err := s.search(ctx, q, false)
	if err == nil {
		candidates.And(found)
	}
	return err
}

// hasWildcard reports whether a search has a term that only a term list answers.
func hasWildcard(q activity.Search) bool {
	return slices.ContainsFunc(q.Terms(), func(t activity.Term) bool { return !t.Comparison() && t.Starred() })
}

var userManagement = slices.DeleteFunc(activity.Types(), func(t activity.Type) bool { return !t.UserManagement() })

// about is the set of documents that have any of the values.
func about[T any](s *segment, values []T, term func(T) string) (*roaring.Bitmap, error) {
	found := roaring.New()
	d, err := s.dictionary(fieldAbout)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := d.addTo(found, []byte(term(v))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// search joins the terms of a search from the left. A rough answer takes terms
// with stars to be true of every document: without negation, that makes it
// too large but never too small, and it is quick.
func (s *segment) search(ctx context.Context, q activity.Search, rough bool) (*roaring.Bitmap, error) {
	if numbers, ok := q.SingleLeaf(); ok {
		return s.numbers(numbers)
	}
	found := roaring.New()
	for i, t := range q.Terms() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t.And && i > 0 && found.IsEmpty() {
			continue
		}
		set, err := s.term(&t, rough)
		if err != nil {
			return nil, err
		}
		if t.And && i > 0 {
			found.And(set)
		} else {
			found.Or(set)
		}
	}
	return found, nil
}

func (s *segment) all() *roaring.Bitmap {
	all := roaring.New()
	all.AddRange(0, uint64(s.count))
	return all
}

func (s *segment) term(t *activity.Term, rough bool) (*roaring.Bitmap, error) {
	switch {
	case t.Comparison():
		return s.numbers(t.Numbers)
	case !t.Starred():
		found := roaring.New()
		for _, field := range []string{classOf(t.Text[0]), fieldLiteral} {
			d, err := s.dictionary(field)
			if err != nil {
				return nil, err
			}
			if err := d.addTo(found, []byte(t.Text[0])); err != nil {
				return nil, err
			}
		}
		return found, nil
	case rough:
		return s.all(), nil
	case len(t.Text) == 2 && t.Text[0] == "" && t.Text[1] == "": // a star alone
		return about(s, []string{hasString}, func(term string) string { return term })
	default:
		found := roaring.New()
		for _, field := range classesOf(t.Text) {
			err := s.collect(found, field, func(v *termList, hit func(i int)) { v.matching(t, hit) })
			if err != nil {
				return nil, err
			}
		}
		return found, nil
	}
}

// numbers is the set of documents with a number in any of the intervals. The
// distinct numbers of a log are few, so all are looked at.
func (s *segment) numbers(intervals []activity.Interval) (*roaring.Bitmap, error) {
	found := roaring.New()
	err := s.collect(found, fieldLiteral, func(v *termList, hit func(i int)) {
		for i := range v.ends {
			leaf := activity.Leaf{Kind: activity.NumberLeaf, Text: string(v.value(i))}
			if c := leaf.Text[0]; c != '-' && (c < '0' || c > '9') {
				continue // a boolean
			}
			if n := leaf.Number(); slices.ContainsFunc(intervals, func(in activity.Interval) bool { return in.Min <= n && n <= in.Max }) {
				hit(i)
			}
		}
	})
	return found, err
}

// collect adds the documents of all values of a field that choose hits.
func (s *segment) collect(found *roaring.Bitmap, field string, choose func(v *termList, hit func(i int))) error {
	v, err := s.termList(field)
	if err != nil {
		return err
	}
	d, err := s.dictionary(field)
	if err != nil {
		return err
	}
	var few docSet
	choose(v, func(i int) {
		docs := v.docs[v.from[i]:v.from[i+1]]
		if len(docs) == 0 && err == nil {
			err = d.addTo(found, v.value(i))
			return
		}
		if few == nil {
			few = newDocSet(s.count)
		}
		for _, doc := range docs {
			few.add(doc)
		}
	})
	if few != nil {
		found.Or(few.bitmap())
	}
	return err
}
