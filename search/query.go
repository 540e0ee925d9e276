package search

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"trento/store/activity"
)

// filter removes documents that do not pass the filter from the candidates. It
// ignores dates. If exact is false, some of the remaining candidates may not
// pass either, and searchTerms must be called.
func (s *segment) filter(ctx context.Context, f *activity.Filter, candidates *roaring.Bitmap) (exact bool, err error) {
	keep := func(set *roaring.Bitmap, err error) error {
		if err == nil {
			candidates.And(set)
		}
		return err
	}
	if len(f.Types) > 0 {
		if err := keep(documentsWithAny(s, f.Types, typeTerm)); err != nil {
			return false, err
		}
	}
	if len(f.Actors) > 0 {
		if err := keep(documentsWithAny(s, f.Actors, actorTerm)); err != nil {
			return false, err
		}
	}
	if len(f.Severities) > 0 {
		if err := keep(documentsWithAny(s, f.Severities, severityTerm)); err != nil {
			return false, err
		}
	}
	if f.WithoutUserManagement {
		hidden, err := documentsWithAny(s, userManagementTypes, typeTerm)
		if err != nil {
			return false, err
		}
		candidates.AndNot(hidden)
	}
	if f.Search.Blank() || candidates.IsEmpty() {
		return true, nil
	}
	return !hasWildcard(f.Search), keep(s.searchDocuments(ctx, f.Search, true))
}

// searchTerms removes the candidates that do not match the search.
func (s *segment) searchTerms(ctx context.Context, q activity.Search, candidates *roaring.Bitmap) error {
	found, err := s.searchDocuments(ctx, q, false)
	if err == nil {
		candidates.And(found)
	}
	return err
}

// hasWildcard reports whether a search has a term that needs a term list.
func hasWildcard(q activity.Search) bool {
	return slices.ContainsFunc(q.Terms(), func(t activity.Term) bool { return !t.Comparison() && t.Starred() })
}

var userManagementTypes = slices.DeleteFunc(activity.Types(), func(t activity.Type) bool { return !t.UserManagement() })

// documentsWithAny returns the documents that have any of the values in
// fieldEntry.
func documentsWithAny[T any](s *segment, values []T, term func(T) string) (*roaring.Bitmap, error) {
	found := roaring.New()
	d, err := s.dictionary(fieldEntry)
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		if err := d.addDocuments(found, []byte(term(v))); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// searchDocuments returns the documents that match a search. Terms are joined from the
// left. With approximate, terms with stars match every document, so that no
// term list is needed. The result then contains too many documents, but never
// too few, because searches have no negation.
func (s *segment) searchDocuments(ctx context.Context, q activity.Search, approximate bool) (*roaring.Bitmap, error) {
	if numbers, ok := q.SingleLeaf(); ok {
		return s.documentsWithNumbers(numbers)
	}
	found := roaring.New()
	for i, t := range q.Terms() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t.And && i > 0 && found.IsEmpty() {
			continue
		}
		set, err := s.documentsWithTerm(&t, approximate)
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

func (s *segment) allDocuments() *roaring.Bitmap {
	all := roaring.New()
	all.AddRange(0, uint64(s.count))
	return all
}

func (s *segment) documentsWithTerm(t *activity.Term, approximate bool) (*roaring.Bitmap, error) {
	switch {
	case t.Comparison():
		return s.documentsWithNumbers(t.Numbers)
	case !t.Starred():
		found := roaring.New()
		for _, field := range []string{fieldOf(t.Text[0]), fieldLiteral} {
			d, err := s.dictionary(field)
			if err != nil {
				return nil, err
			}
			if err := d.addDocuments(found, []byte(t.Text[0])); err != nil {
				return nil, err
			}
		}
		return found, nil
	case approximate:
		return s.allDocuments(), nil
	case len(t.Text) == 2 && t.Text[0] == "" && t.Text[1] == "": // a star alone
		return documentsWithAny(s, []string{stringTerm}, func(term string) string { return term })
	default:
		found := roaring.New()
		for _, field := range fieldsContaining(t.Text) {
			err := s.addDocumentsOfValues(found, field, func(v *termList, hit func(i int)) { v.findMatches(t, hit) })
			if err != nil {
				return nil, err
			}
		}
		return found, nil
	}
}

// documentsWithNumbers returns the documents with a number in any of the intervals. It
// compares all distinct numbers, because a log has few.
func (s *segment) documentsWithNumbers(intervals []activity.Interval) (*roaring.Bitmap, error) {
	found := roaring.New()
	err := s.addDocumentsOfValues(found, fieldLiteral, func(v *termList, hit func(i int)) {
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

// addDocumentsOfValues adds the documents of some values of a field to found. choose
// calls hit with the index of each value that it selects.
func (s *segment) addDocumentsOfValues(found *roaring.Bitmap, field string, choose func(v *termList, hit func(i int))) error {
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
		docs := v.docs[v.docsFrom[i]:v.docsFrom[i+1]]
		if len(docs) == 0 && err == nil {
			err = d.addDocuments(found, v.value(i))
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
		found.Or(few.toBitmap())
	}
	return err
}
