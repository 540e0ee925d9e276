package search

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"
	"pgregory.net/rapid"

	"trento/store/activity"
)

// TestAgreesWithBleve gives the same entries to Bleve as it comes, index,
// queries and collector, and compares what both find: in segments as they are
// made, and in what these are merged to.
func TestAgreesWithBleve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"ab", "abcdef01-", "xyz é", "0123456789"}).Draw(t, "alphabet")
		value := rapid.StringOfN(rapid.RuneFrom([]rune(alphabet)), 1, 12, -1)
		var entries []*activity.Entry
		for i, values := range rapid.SliceOfN(rapid.SliceOfN(value, 1, 5), 1, 60).Draw(t, "entries") {
			metadata, err := json.Marshal(map[string]any{"values": values, "n": i % 7})
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, &activity.Entry{Position: activity.Position(10 + 3*i), Type: activity.TypeHeartbeatFailed, Actor: "a", Severity: activity.Info, Metadata: metadata})
		}
		stock := stockIndex(t, entries)
		defer func() {
			if err := stock.Close(); err != nil {
				t.Error(err)
			}
		}()
		ours := cutIntoShards(t, dir, entries)
		for range 10 {
			text := value.Draw(t, "text")
			asked, stockQuery := drawStockQuery(t, text)
			want := findInStock(t, stock, stockQuery)
			f := activity.Filter{}
			var err error
			if f.Search, err = activity.ParseSearch(asked); err != nil {
				t.Fatal(err)
			}
			for name, segments := range ours {
				var got []activity.Position
				for _, s := range segments {
					got = append(got, findIn(t, s, f, span{0, lastPosition}, true)...)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s: %s finds %v, Bleve finds %v", name, asked, got, want)
				}
			}
		}
	})
}

// stockIndex is an index of Bleve's own over the leaf values.
func stockIndex(t interface{ Fatal(...any) }, entries []*activity.Entry) bleve.Index {
	mapping := bleve.NewIndexMapping()
	mapping.DefaultMapping.Dynamic = false
	stock, err := bleve.NewUsing("", mapping, scorch.Name, scorch.Name, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := stock.NewBatch()
	for _, e := range entries {
		d := document.NewDocument(string(e.Position.Key()))
		for leaf := range activity.Leaves(e.Metadata) {
			if leaf.Kind == activity.NumberLeaf {
				d.AddField(document.NewNumericFieldWithIndexingOptions("number", nil, leaf.Number(), index.IndexField))
			}
			d.AddField(document.NewTextFieldWithIndexingOptions(fmt.Sprint("leaf", leaf.Kind), nil, []byte(leaf.Text), index.IndexField))
		}
		if err := batch.IndexAdvanced(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := stock.Batch(batch); err != nil {
		t.Fatal(err)
	}
	return stock
}

// drawStockQuery draws a search in both languages.
func drawStockQuery(t *rapid.T, text string) (ours string, stock query.Query) {
	texts, numbers := fmt.Sprint("leaf", activity.StringLeaf), fmt.Sprint("leaf", activity.NumberLeaf)
	in := func(q interface {
		query.Query
		SetField(string)
	}, field string) query.Query {
		q.SetField(field)
		return q
	}
	word := quoted(text)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return word, query.NewDisjunctionQuery([]query.Query{in(query.NewTermQuery(text), texts), in(query.NewTermQuery(text), numbers)})
	case 1:
		return word + "*", in(query.NewPrefixQuery(text), texts)
	case 2:
		return "*" + word + "*", in(query.NewWildcardQuery("*"+text+"*"), texts)
	case 3:
		return "*" + word, in(query.NewWildcardQuery("*"+text), texts)
	case 4:
		low, high, yes := 2.0, 5.0, true
		return ">=2 AND <=5", in(query.NewNumericRangeInclusiveQuery(&low, &high, &yes, &yes), "number")
	default:
		first, rest := text[:len(text)/2], text[len(text)/2:]
		if !strings.Contains("abcdefxyz0123456789-", text[len(first):len(first)+1]) {
			first, rest = text, "" // in the middle of a letter
		}
		both := []query.Query{in(query.NewPrefixQuery(first), texts), in(query.NewWildcardQuery("*"+rest), texts)}
		return quoted(first) + "* AND *" + quoted(rest), query.NewConjunctionQuery(both)
	}
}

func findInStock(t *rapid.T, stock bleve.Index, q query.Query) (found []activity.Position) {
	request := bleve.NewSearchRequestOptions(q, 1000, 0, false)
	request.SortBy([]string{"_id"})
	result, err := stock.SearchInContext(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range result.Hits {
		found = append(found, activity.PositionOfKey([]byte(hit.ID)))
	}
	return found
}

// cutIntoShards indexes entries in one segment, in several, and in several that
// are merged to files.
func cutIntoShards(t *rapid.T, dir string, entries []*activity.Entry) map[string][]*segment {
	one, err := newSegment(1, entries)
	if err != nil {
		t.Fatal(err)
	}
	var several []*segment
	first := activity.Position(1)
	for rest := entries; len(rest) > 0; {
		n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
		s, err := newSegment(first, rest[:n])
		if err != nil {
			t.Fatal(err)
		}
		several, first, rest = append(several, s), s.last+1, rest[n:]
	}
	middle := len(several) / 2
	var merged []*segment
	for i, some := range [][]*segment{several[:middle], several[middle:]} {
		if len(some) == 0 {
			continue
		}
		s, err := mergeSegments(some, filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.delete(); err != nil {
				t.Error(err)
			}
		})
		merged = append(merged, s)
	}
	return map[string][]*segment{"one segment": {one}, "several": several, "merged": merged}
}
