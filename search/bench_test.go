package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
)

// openCorpus opens the corpus with an index that has caught up with it.
func openCorpus(b *testing.B) (*store.Store, *Index) {
	b.Helper()
	dir := corpusDir(b, corpusEntries(b))
	s, err := store.Open(filepath.Join(dir, "store"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	x := openIndex(b, filepath.Join(dir, "index"), s)
	if err := errors.Join(x.follow(b.Context()), x.flush(), x.preload(b.Context())); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s, x
}

func openIndex(b *testing.B, dir string, s *store.Store) *Index {
	b.Helper()
	x, err := Open(dir, s, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := x.Close(); err != nil {
			b.Error(err)
		}
	})
	return x
}

// benchFilters are the searches and filters in docs/performance.md.
func benchFilters(b *testing.B) (names []string, filters []activity.Filter) {
	add := func(name string, f activity.Filter) { names, filters = append(names, name), append(filters, f) }
	day := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	add("newest", activity.Filter{})
	add("first visit", activity.Filter{Severities: []activity.Severity{activity.Info, activity.Warning, activity.Critical}})
	add("unprivileged", activity.Filter{WithoutUserManagement: true})
	add("frequent type", activity.Filter{Types: []activity.Type{activity.TypeHostDetailsUpdated}})
	add("absent type", activity.Filter{Types: []activity.Type{activity.TypeUserDeletion}})
	add("actor", activity.Filter{Actors: []string{"user07"}})
	add("absent actor", activity.Filter{Actors: []string{"nobody"}})
	add("critical", activity.Filter{Severities: []activity.Severity{activity.Critical}})
	add("one day", activity.Filter{From: day, To: day.Add(24 * time.Hour)})
	add("type, actor, severity, dates", activity.Filter{
		Types: []activity.Type{activity.TypeOperationCompleted}, Actors: []string{"user07"}, Severities: []activity.Severity{activity.Critical},
		From: day, To: day.Add(7 * 24 * time.Hour)})
	add("the same, none", activity.Filter{
		Types: []activity.Type{activity.TypeHeartbeatFailed}, Actors: []string{"user07"}, Severities: []activity.Severity{activity.Critical},
		From: day, To: day.Add(7 * 24 * time.Hour)})
	for _, query := range []string{
		"CHG-needle-0042", "absent", "critical", "vmhana*", "*hana*", "*needle*", "*dead*", "*0*", "*0* AND CHG-needle-0042", "*after*", "vmhana016 AND CHG-needle-0042",
		"vmhana016 AND vmhana017", "vmhana016 OR vmhana017", ">=1000000", fixedID("correlation", 1234), "*a*b*c*d*e*", strings.TrimSpace(strings.Repeat("*0*1* ", 64)),
	} {
		add(query[:min(40, len(query))], activity.Filter{Search: parse(b, query)})
	}
	return names, filters
}

// BenchmarkActivity asks for pages of 20, without and with the total.
func BenchmarkActivity(b *testing.B) {
	_, x := openCorpus(b)
	names, filters := benchFilters(b)
	for _, count := range []bool{false, true} {
		for i, f := range filters {
			name := names[i]
			if count {
				name += " with total"
			}
			b.Run(name, func(b *testing.B) {
				var took []time.Duration
				total, spent := 0, processorTime(b)
				for b.Loop() {
					start := time.Now()
					p, err := x.Activity(b.Context(), f, Walk{Limit: 20, Count: count})
					if err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
					total = p.Total
				}
				b.ReportMetric(float64((processorTime(b)-spent).Microseconds())/1e3/float64(len(took)), "cpu-ms")
				reportMedian(b, took)
				if count {
					b.ReportMetric(float64(total), "hits")
				}
			})
		}
	}
	b.Run("memory after all of it", func(b *testing.B) {
		for b.Loop() {
			debug.FreeOSMemory() // what the collector has not given back yet is not used
		}
		b.ReportMetric(anonymous(b), "anonymous-MB")
	})
}

func reportMedian(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e6, "median-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e6, "p99-ms")
}

// processorTime returns the time that the process has used on all cores. On a
// busy machine it says more than a clock.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// anonymous returns the memory of the process without mapped files, in
// megabytes.
func anonymous(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("memory is read from /proc")
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kilobytes) / 1000
		}
	}
	return 0
}

// BenchmarkPaging walks on from page to page, from the middle of the log: no
// page is read twice.
func BenchmarkPaging(b *testing.B) {
	s, x := openCorpus(b)
	var log span
	err := s.View(func(tx *store.Tx) error {
		log = span{tx.Oldest(), tx.Newest()}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	middle := log.first + (log.last-log.first)/2
	for _, forward := range []bool{false, true} {
		b.Run(map[bool]string{false: "older", true: "newer"}[forward], func(b *testing.B) {
			var took []time.Duration
			w := Walk{From: middle, Limit: 20, Forward: forward}
			for b.Loop() {
				start := time.Now()
				p, err := x.Activity(b.Context(), activity.Filter{}, w)
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
				w.From = p.Entries[len(p.Entries)-1].Position
				if forward {
					w.From = p.Entries[0].Position
				}
				if !p.More {
					w.From = middle
				}
			}
			reportMedian(b, took)
		})
	}
}

// BenchmarkRebuild indexes the corpus from nothing.
func BenchmarkRebuild(b *testing.B) {
	size := corpusEntries(b)
	s, err := store.Open(copyCorpus(b, size), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	for b.Loop() {
		dir := b.TempDir()
		x := openIndex(b, dir, s)
		start, spent := time.Now(), processorTime(b)
		if err := x.follow(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size)/time.Since(start).Seconds(), "entries/s")
		b.ReportMetric((processorTime(b) - spent).Seconds(), "cpu-s")
		b.ReportMetric(sizeOf(b, dir), "MB")
		b.ReportMetric(float64(len(x.segments)), "segments")
		b.ReportMetric(anonymous(b), "anonymous-MB")
	}
}

// sizeOf is the size of the files in a directory in megabytes.
func sizeOf(b *testing.B, dir string) float64 {
	var bytes int64
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return float64(bytes) / 1e6
}

// BenchmarkOpen measures opening a complete index, and the first search.
func BenchmarkOpen(b *testing.B) {
	_, x := openCorpus(b)
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	storeDir, indexDir := copyCorpus(b, corpusEntries(b)), filepath.Dir(x.dir)
	for b.Loop() {
		start := time.Now()
		s, err := store.Open(storeDir, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Now()
		x, err := Open(indexDir, s, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		ready := time.Now()
		if _, err := x.Activity(b.Context(), activity.Filter{Search: parse(b, "*dead*")}, Walk{Limit: 20, Count: true}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(opened.Sub(start).Microseconds())/1e3, "store-ms")
		b.ReportMetric(float64(ready.Sub(opened).Microseconds())/1e3, "index-ms")
		b.ReportMetric(float64(time.Since(ready).Microseconds())/1e3, "first-search-ms")
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(sizeOf(b, storeDir), "store-MB")
	b.ReportMetric(sizeOf(b, indexDir), "index-MB")
}

// BenchmarkAppend measures durable writes.
func BenchmarkAppend(b *testing.B) {
	size := corpusEntries(b)
	s, err := store.Open(copyCorpus(b, size), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}()
	for _, writers := range []int{1, 10, 64} {
		b.Run(fmt.Sprint(writers, " writers"), func(b *testing.B) {
			const entries = 20_000
			for b.Loop() {
				var all []corpusEntry
				for i := range entries {
					all = append(all, newCorpusEntry(i, size))
				}
				start := time.Now()
				var writing sync.WaitGroup
				for w := range writers {
					writing.Go(func() {
						for i := w; i < entries; i += writers {
							e := all[i]
							if err := s.AppendActivity(b.Context(), store.Actor{Name: e.actor}, &activity.Foreign{Of: e.kind, Metadata: e.metadata}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				writing.Wait()
				b.ReportMetric(entries/time.Since(start).Seconds(), "entries/s")
			}
		})
	}
}

// BenchmarkRetention removes the oldest three tenths of the corpus while
// somebody writes and somebody searches, and says how long those had to wait,
// and how long they have to in as many seconds without.
func BenchmarkRetention(b *testing.B) {
	size := corpusEntries(b)
	for b.Loop() {
		b.StopTimer()
		_, corpus := openCorpus(b)
		if err := corpus.Close(); err != nil {
			b.Fatal(err)
		}
		indexDir := b.TempDir()
		if err := os.CopyFS(indexDir, os.DirFS(filepath.Dir(corpus.dir))); err != nil {
			b.Fatal(err)
		}
		s, err := store.Open(copyCorpus(b, size), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		x := openIndex(b, indexDir, s)
		if err := x.preload(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()

		pruning := time.Duration(0)
		waits(b, x, "while-pruning", func() {
			start := time.Now()
			removed, err := s.PruneActivityBefore(b.Context(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(corpusSpan*3/10))
			if err != nil {
				b.Error(err)
			}
			pruning = time.Since(start)
			b.ReportMetric(float64(removed)/pruning.Seconds(), "removed/s")
		})
		waits(b, x, "otherwise", func() { time.Sleep(pruning) })
		_, oldest, err := x.logBounds(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		before, start := sizeOf(b, indexDir), time.Now()
		if err := x.pruneSegments(oldest); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/1e3, "index-ms")
		b.ReportMetric(before-sizeOf(b, indexDir), "index-freed-MB")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// waits measures how long a writer and a searcher wait while a function runs.
func waits(b *testing.B, x *Index, when string, do func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var others sync.WaitGroup
	var writes, searches []time.Duration
	again := func(took *[]time.Duration, work func() error) {
		others.Go(func() {
			for ctx.Err() == nil {
				start := time.Now()
				if err := work(); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
				*took = append(*took, time.Since(start))
			}
		})
	}
	n := 0
	again(&writes, func() error {
		e := newCorpusEntry(n, corpusEntries(b))
		n++
		return x.store.AppendActivity(ctx, store.System(), &activity.Foreign{Of: e.kind, Metadata: e.metadata})
	})
	search := activity.Filter{Search: parse(b, "CHG-needle-0042")}
	again(&searches, func() error {
		_, err := x.Activity(ctx, search, Walk{Limit: 20})
		return err
	})
	do()
	cancel()
	others.Wait()
	for name, took := range map[string][]time.Duration{"write": writes, "search": searches} {
		slices.Sort(took)
		for _, part := range []int{50, 99, 100} {
			at := min(len(took)*part/100, len(took)-1)
			b.ReportMetric(float64(took[at].Microseconds())/1e3, fmt.Sprintf("%s-%s-p%d-ms", name, when, part))
		}
	}
}
