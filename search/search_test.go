package search

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
)

// clock moves on by a moment each time it is read.
type clock struct {
	now  atomic.Int64 // microseconds
	step int64
}

func newClock() *clock {
	c := &clock{step: 250}
	c.now.Store(time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) Now() time.Time { return time.UnixMicro(c.now.Add(c.step)).UTC() }

// record is what a test writes to the log.
type record struct {
	kind     activity.Type
	actor    string
	metadata string // JSON
}

func write(t testing.TB, s *store.Store, records ...record) {
	t.Helper()
	for _, r := range records {
		decoder := json.NewDecoder(strings.NewReader(r.metadata))
		decoder.UseNumber()
		metadata := map[string]any{}
		if err := decoder.Decode(&metadata); err != nil {
			t.Fatal(err)
		}
		if err := s.AppendActivity(context.Background(), store.Actor{Name: r.actor}, &activity.Foreign{Of: r.kind, Metadata: metadata}); err != nil {
			t.Fatal(err)
		}
	}
}

// openStore opens a store that the test closes itself.
func openStore(t testing.TB, dir string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{Now: now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open opens an index with segments so small that tests have several, and that
// answers everything from them.
func open(t testing.TB, dir string, s *store.Store) *Index {
	t.Helper()
	x, err := Open(dir, s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	x.segmentSize, x.verifyLimit = 100, 0
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("close index: %v", err)
		}
	})
	return x
}

func follow(t testing.TB, x *Index) {
	t.Helper()
	if err := x.follow(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// followSome indexes that many groups of a size.
func followSome(t testing.TB, x *Index, groups, size int) {
	t.Helper()
	for range groups {
		entries, err := x.nextBatch(x.indexedUpTo)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return
		}
		if err := x.addBatches(entries[:min(size, len(entries))]); err != nil {
			t.Fatal(err)
		}
	}
}

// entries reads the whole log, oldest first.
func entries(t testing.TB, s *store.Store) []*activity.Entry {
	t.Helper()
	var all []*activity.Entry
	err := s.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, lastPosition) {
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// page returns the answer that Activity should give, by reading the whole log.
func page(log []*activity.Entry, f activity.Filter, w Walk) Page {
	var passed []*activity.Entry
	for _, e := range log {
		behind := w.From == 0 || w.Forward && e.Position > w.From || !w.Forward && e.Position < w.From
		if behind && f.Match(e) {
			passed = append(passed, e)
		}
	}
	if !w.Forward {
		slices.Reverse(passed)
	}
	p := Page{Entries: passed, More: len(passed) > w.Limit}
	if w.Count {
		for _, e := range log {
			if f.Match(e) {
				p.Total++
			}
		}
	}
	if p.More {
		p.Entries = slices.Clone(passed[:w.Limit])
	}
	if w.Forward {
		slices.Reverse(p.Entries)
	}
	return p
}

func positions(entries []*activity.Entry) []activity.Position {
	list := []activity.Position{}
	for _, e := range entries {
		list = append(list, e.Position)
	}
	return list
}

// expect compares a page with what reading the whole log gives.
func expect(t testing.TB, x *Index, f activity.Filter, w Walk) {
	t.Helper()
	got, err := x.Activity(context.Background(), f, w)
	if err != nil {
		t.Fatal(err)
	}
	want := page(entries(t, x.store), f, w)
	if !slices.Equal(positions(got.Entries), positions(want.Entries)) || got.More != want.More || got.Total != want.Total {
		t.Fatalf("page %+v of filter %+v holds %v (more: %v, total %d), want %v (more: %v, total %d)",
			w, f, positions(got.Entries), got.More, got.Total, positions(want.Entries), want.More, want.Total)
	}
}

func parse(t testing.TB, query string) activity.Search {
	t.Helper()
	s, err := activity.ParseSearch(query)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExamples runs the examples of the language through the index, each
// entry being indexed or not.
func TestExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../store/activity/testdata/search.json")
	if err != nil {
		t.Fatal(err)
	}
	var examples struct {
		Entries []struct {
			Name     string
			Type     activity.Type
			Metadata json.RawMessage
		}
		Searches []struct{ Query, Finds string }
	}
	if err := json.Unmarshal(text, &examples); err != nil {
		t.Fatal(err)
	}
	s := storetest.OpenAt(t, newClock().Now)
	names := map[activity.Position]string{}
	for _, e := range examples.Entries {
		write(t, s, record{e.Type, "admin", string(e.Metadata)})
		log := entries(t, s)
		names[log[len(log)-1].Position] = e.Name
	}
	x := open(t, t.TempDir(), s)
	for indexed := 0; ; indexed++ {
		for _, example := range examples.Searches {
			got, err := x.Activity(t.Context(), activity.Filter{Search: parse(t, example.Query)}, Walk{Limit: 100, Forward: true})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, e := range got.Entries {
				found = append(found, names[e.Position])
			}
			slices.Sort(found)
			if found := strings.Join(found, " "); found != example.Finds {
				t.Errorf("with %d entries indexed, %s finds %q, want %q", indexed, example.Query, found, example.Finds)
			}
		}
		before := x.indexedUpTo
		if followSome(t, x, 1, 1); x.indexedUpTo == before {
			break
		}
	}
	for _, example := range examples.Searches {
		search := activity.Filter{Search: parse(t, example.Query)}
		var found []string
		for _, segment := range x.segments {
			for _, p := range findIn(t, segment, search, span{0, lastPosition}, true) {
				found = append(found, names[p])
			}
		}
		if found := strings.Join(found, " "); found != example.Finds {
			t.Errorf("the index itself finds %q for %s, want %q", found, example.Query, example.Finds)
		}
	}
}

// lines collects the lines of a log, and calls onLine with each.
type lines struct {
	bytes.Buffer
	onLine func(line string)
}

func (l *lines) Write(p []byte) (int, error) {
	if l.onLine != nil {
		l.onLine(string(p))
	}
	return l.Buffer.Write(p)
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
