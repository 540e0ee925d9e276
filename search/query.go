package search

import (
	"context"
	"iter"
	"slices"

	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"

	"trento/store/activity"
)

// newQuery asks for the entries that pass the filter, its dates aside: those
// are bounds of the walk.
func newQuery(f *activity.Filter) query.Query {
	var all []query.Query
	types := f.Types
	if f.WithoutUserManagement {
		types = slices.DeleteFunc(slices.Clone(types), activity.Type.UserManagement)
		if len(types) == 0 && len(f.Types) > 0 {
			return query.NewMatchNoneQuery()
		}
		if len(types) == 0 {
			all = append(all, withoutUserManagement())
		}
	}
	if len(types) > 0 {
		all = append(all, anyOf(fieldType, types, func(t activity.Type) string { return string(t) }))
	}
	if len(f.Actors) > 0 {
		all = append(all, anyOf(fieldActor, f.Actors, func(actor string) string { return actor }))
	}
	if len(f.Severities) > 0 {
		all = append(all, anyOf(fieldSeverity, f.Severities, activity.Severity.String))
	}
	if !f.Search.Blank() {
		all = append(all, searchQuery(f.Search))
	}
	if len(all) == 0 {
		return query.NewMatchAllQuery()
	}
	return and(all...)
}

func withoutUserManagement() query.Query {
	hidden := slices.DeleteFunc(activity.Types(), func(t activity.Type) bool { return !t.UserManagement() })
	return query.NewBooleanQuery(
		[]query.Query{query.NewMatchAllQuery()},
		nil,
		[]query.Query{anyOf(fieldType, hidden, func(t activity.Type) string { return string(t) })})
}

func anyOf[T any](field string, values []T, text func(T) string) query.Query {
	var terms []query.Query
	for _, v := range values {
		terms = append(terms, exactly(field, text(v)))
	}
	return or(terms...)
}

// searchQuery joins the terms of a search from the left. Terms joined by the
// same operator become one query.
func searchQuery(s activity.Search) query.Query {
	if numbers, ok := s.SingleLeaf(); ok {
		return numberIn(numbers)
	}
	var joined []query.Query
	conjunction := false
	for i, t := range s.Terms() {
		if i > 1 && t.And != conjunction {
			joined = []query.Query{join(conjunction, joined)}
		}
		conjunction = t.And
		joined = append(joined, termQuery(&t))
	}
	return join(conjunction, joined)
}

func join(conjunction bool, queries []query.Query) query.Query {
	if conjunction {
		return and(queries...)
	}
	return or(queries...)
}

func termQuery(t *activity.Term) query.Query {
	switch {
	case t.Comparison():
		return numberIn(t.Numbers)
	case !t.Starred():
		return or(exactly(classOf(t.Text[0]), t.Text[0]), exactly(fieldLiteral, t.Text[0]))
	case len(t.Text) == 2 && t.Text[0] == "" && t.Text[1] == "":
		return exactly(fieldHas, hasString)
	}
	var classes []query.Query
	for _, field := range classesOf(t.Text) {
		classes = append(classes, &starQuery{field, t})
	}
	return or(classes...)
}

// numberIn finds a number in any of the intervals.
func numberIn(intervals []activity.Interval) query.Query {
	var ranges []query.Query
	closed := true
	for _, in := range intervals {
		q := query.NewNumericRangeInclusiveQuery(&in.Min, &in.Max, &closed, &closed)
		q.SetField(fieldNumber)
		ranges = append(ranges, q)
	}
	return or(ranges...)
}

func exactly(field, text string) query.Query {
	q := query.NewTermQuery(text)
	q.SetField(field)
	return q
}

func and(queries ...query.Query) query.Query {
	if len(queries) == 1 {
		return queries[0]
	}
	return query.NewConjunctionQuery(queries)
}

func or(queries ...query.Query) query.Query {
	switch len(queries) {
	case 0:
		return query.NewMatchNoneQuery()
	case 1:
		return queries[0]
	}
	return query.NewDisjunctionQuery(queries)
}

// starQuery finds documents by a term with stars. Bleve's own wildcard and
// regular expression queries are not used: they know no escape for everything
// a person can write, they refuse patterns that need too many states, and
// nothing can stop them on their way through the distinct values of a field.
type starQuery struct {
	field string
	term  *activity.Term
}

// starBatch is how many values are combined at a time: all at once they would
// need memory for a reader each, and a star can cover most values of a field.
const starBatch = 1000

// Searcher looks up every distinct value of the field that the term covers.
func (q *starQuery) Searcher(ctx context.Context, r index.IndexReader, _ mapping.IndexMapping, o search.SearcherOptions) (search.Searcher, error) {
	var batches []search.Searcher
	var terms []string
	combine := func() error {
		s, err := searcher.NewMultiTermSearcher(ctx, r, terms, q.field, 1, o, false)
		if err != nil {
			return err
		}
		batches, terms = append(batches, s), nil
		return ctx.Err()
	}
	for text, err := range q.values(ctx, r) {
		if err != nil {
			return nil, err
		}
		if !q.term.MatchText([]byte(text)) {
			continue
		}
		if terms = append(terms, text); len(terms) == starBatch {
			if err := combine(); err != nil {
				return nil, err
			}
		}
	}
	if len(terms) > 0 {
		if err := combine(); err != nil {
			return nil, err
		}
	}
	switch len(batches) {
	case 0:
		return searcher.NewMatchNoneSearcher(r)
	case 1:
		return batches[0], nil
	}
	return searcher.NewDisjunctionSearcher(ctx, r, batches, 0, o)
}

// values walks the distinct values of the field that begin as the term does.
func (q *starQuery) values(ctx context.Context, r index.IndexReader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dictionary, err := r.FieldDictPrefix(q.field, []byte(q.term.Text[0]))
		if err != nil {
			yield("", err)
			return
		}
		defer dictionary.Close()
		for n := 0; ; n++ {
			entry, err := dictionary.Next()
			if n%starBatch == 0 && err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield("", err)
				return
			}
			if entry == nil || !yield(entry.Term, nil) {
				return
			}
		}
	}
}
