package search

import (
	"fmt"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/search/query"

	"trento/store/activity"
)

// The benchmarks of this file tell what each shortcut gains: the comment beside
// a shortcut names its benchmark. Each is run with the shortcut and without.

// largestSegment is the segment of the corpus with the most entries.
func largestSegment(x *Index) *segment {
	largest := x.segments[0]
	for _, s := range x.segments {
		if s.count > largest.count {
			largest = s
		}
	}
	return largest
}

// BenchmarkTermList looks for a part of a value, among ids and among words.
func BenchmarkTermList(b *testing.B) {
	_, x := openCorpus(b)
	s := largestSegment(x)
	for _, of := range []struct{ field, query string }{{fieldID, "*dead*"}, {fieldPlain, "*hana*"}} {
		term := parse(b, of.query).Terms()[0]
		b.Run(of.query+"/list", func(b *testing.B) {
			for b.Loop() {
				if err := s.addDocumentsOfValues(roaring.New(), of.field, func(v *termList, hit func(i int)) { v.findMatches(&term, hit) }); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(of.query+"/dictionary", func(b *testing.B) {
			for b.Loop() {
				d, err := s.dictionary(of.field)
				if err != nil {
					b.Fatal(err)
				}
				found, values := roaring.New(), d.AutomatonIterator(nil, nil, nil)
				for {
					value, err := values.Next()
					if err != nil {
						b.Fatal(err)
					}
					if value == nil {
						break
					}
					if term.MatchText([]byte(value.Term)) {
						if err := d.addDocuments(found, []byte(value.Term)); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}

// BenchmarkNewTermList makes the lists that preload makes before a search needs
// them.
func BenchmarkNewTermList(b *testing.B) {
	_, x := openCorpus(b)
	s := largestSegment(x)
	for b.Loop() {
		for _, field := range termListFields {
			d, err := s.dictionary(field)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := newTermList(d); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkInlineDocs collects the documents of many ids that one or two
// documents have each.
func BenchmarkInlineDocs(b *testing.B) {
	_, x := openCorpus(b)
	s := largestSegment(x)
	v, err := s.termList(fieldID)
	if err != nil {
		b.Fatal(err)
	}
	term := parse(b, "*de*").Terms()[0]
	var hits []int
	v.findMatches(&term, func(i int) {
		if v.docsFrom[i] < v.docsFrom[i+1] {
			hits = append(hits, i)
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			set := newDocSet(s.count)
			for _, i := range hits {
				for _, doc := range v.docs[v.docsFrom[i]:v.docsFrom[i+1]] {
					set.add(doc)
				}
			}
			set.toBitmap()
		}
	})
	b.Run("list, into a bitmap", func(b *testing.B) {
		for b.Loop() {
			set := roaring.New()
			for _, i := range hits {
				set.AddMany(v.docs[v.docsFrom[i]:v.docsFrom[i+1]])
			}
		}
	})
	b.Run("segment", func(b *testing.B) {
		d, err := s.dictionary(fieldID)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			set := roaring.New()
			for _, i := range hits {
				if err := d.addDocuments(set, v.value(i)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.ReportMetric(float64(len(hits)), "values")
}

// BenchmarkClasses looks for a word in the fields that can hold it, and in all.
func BenchmarkClasses(b *testing.B) {
	_, x := openCorpus(b)
	s := largestSegment(x)
	term := parse(b, "*after*").Terms()[0]
	for name, fields := range map[string][]string{"fields that can hold it": fieldsContaining(term.Text), "all fields": termListFields[:]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, field := range fields {
					if err := s.addDocumentsOfValues(roaring.New(), field, func(v *termList, hit func(i int)) { v.findMatches(&term, hit) }); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// newWalker reads a page of 20 from the whole log.
func newWalker(b *testing.B, x *Index, f *activity.Filter) *walker {
	whole := span{0, lastPosition}
	return &walker{ctx: b.Context(), store: x.store, filter: f, verifyLimit: verifyLimit, maxFound: 21, pageSpan: whole, dateSpan: whole}
}

// BenchmarkVerify finds a page by reading entries where few are candidates, and
// by searching the term lists at once.
func BenchmarkVerify(b *testing.B) {
	_, x := openCorpus(b)
	for _, query := range []string{"*0* AND CHG-needle-0042", "*hana*", "*0*", "*a*b*c*d*e*", "*dead*"} {
		for _, of := range []struct {
			name  string
			limit int
			first bool // look at the first candidates
		}{{"as it is", verifyLimit, true}, {"first ones not", verifyLimit, false}, {"none", 0, false}} {
			b.Run(query+"/"+of.name, func(b *testing.B) {
				f := activity.Filter{Search: parse(b, query)}
				for b.Loop() {
					w := newWalker(b, x, &f)
					w.verifyLimit, w.hasVerifiedFirst = of.limit, !of.first
					if err := w.searchSegments(b.Context(), x.segments); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkEverything reads the newest entries from the log, and by way of the
// segments.
func BenchmarkEverything(b *testing.B) {
	_, x := openCorpus(b)
	f := activity.Filter{}
	b.Run("log", func(b *testing.B) {
		for b.Loop() {
			w := newWalker(b, x, &f)
			if err := w.scan(b.Context(), span{0, lastPosition}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("segments", func(b *testing.B) {
		for b.Loop() {
			w := newWalker(b, x, &f)
			if err := w.searchSegments(b.Context(), x.segments); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCompaction searches for terms in the segments as they were made of
// batches, and in the one that is made of them.
func BenchmarkCompaction(b *testing.B) {
	_, x := openCorpus(b)
	var batches []*segment
	for after := activity.Position(0); len(batches) < memSegmentsPerFile*2; {
		batch, err := x.nextBatch(after)
		if err != nil {
			b.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		s, err := newSegment(after+1, batch[:min(len(batch), 512)])
		if err != nil {
			b.Fatal(err)
		}
		batches, after = append(batches, s), s.last
	}
	merged, err := mergeSegments(batches, b.TempDir()+"/merged.zap")
	if err != nil {
		b.Fatal(err)
	}
	f := activity.Filter{Search: parse(b, "absent"), Types: []activity.Type{activity.TypeHeartbeatFailed}}
	for name, segments := range map[string][]*segment{"batches": batches, "one segment": {merged}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w := newWalker(b, x, &f)
				if err := w.searchSegments(b.Context(), segments); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBleve finds a page in segments of our own making, and in an index as
// Bleve makes it, whose documents have to be put in order.
func BenchmarkBleve(b *testing.B) {
	_, x := openCorpus(b)
	entries, err := x.nextBatch(0)
	if err != nil {
		b.Fatal(err)
	}
	s, err := newSegment(0, entries)
	if err != nil {
		b.Fatal(err)
	}
	stock := stockIndex(b, entries)
	b.Cleanup(func() {
		if err := stock.Close(); err != nil {
			b.Error(err)
		}
	})
	ofText := func(q interface {
		query.Query
		SetField(string)
	}) query.Query {
		q.SetField(fmt.Sprint("leaf", activity.StringLeaf))
		return q
	}
	for _, of := range []struct {
		search string
		query  query.Query
	}{
		{"azure", ofText(bleve.NewTermQuery("azure"))}, {"absent", ofText(bleve.NewTermQuery("absent"))}, {"*dead*", ofText(bleve.NewWildcardQuery("*dead*"))},
	} {
		b.Run(of.search+"/segments", func(b *testing.B) {
			f := activity.Filter{Search: parse(b, of.search)}
			for b.Loop() {
				w := newWalker(b, x, &f)
				if err := w.searchSegments(b.Context(), []*segment{s}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(of.search+"/Bleve", func(b *testing.B) {
			for b.Loop() {
				request := bleve.NewSearchRequestOptions(of.query, 20, 0, false)
				request.SortBy([]string{"-_id"})
				if _, err := stock.Search(request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
