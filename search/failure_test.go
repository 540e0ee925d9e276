package search

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trento/store/activity"
	"trento/store/failure"
	"trento/store/storetest"
)

// runUntil runs an index until a condition holds.
func runUntil(t *testing.T, x *Index, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- x.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("not within 20 seconds")
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A file of the index that is cut while it is used is noticed by the next search.
// The search is answered from the log, and the index is built again.
func TestCutSegment(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	dir := build(t, s)
	x, _ := reopen(t, dir, s)
	for _, path := range segmentPaths(t, dir) {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	checkSearches(t, x)
	if !s.Failures().Has(failure.Index) || !s.Failures().Ready() {
		t.Errorf("failures %v, want one of the index", s.Failures().Present())
	}
	runUntil(t, x, func() bool { return !s.Failures().Has(failure.Index) })
	checkSearches(t, x)
	if s.Failures().Has(failure.Index) {
		t.Error("the index was not built again")
	}
}

// While no file can be written, the index stays in memory, and not without limit.
// Searches are exact all the time, and the files follow later.
func TestUnwritableIndex(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	x := open(t, t.TempDir(), s)
	remove(t, x.dir)
	overwrite(t, x.dir, nil) // a file, where a directory should be
	for range maxMemSegments + 10 {
		write(t, s, someRecords(2)...)
		_ = x.follow(t.Context()) // fails as soon as files are due
	}
	if err := x.follow(t.Context()); err == nil {
		t.Error("no failure was noticed")
	}
	if from, _ := x.findMemSegments(); len(x.segments)-from > maxMemSegments+1 {
		t.Errorf("%d segments are in memory", len(x.segments)-from)
	}
	expect(t, x, activity.Filter{Search: parse(t, "hana01")}, Walk{Limit: 50})
	remove(t, x.dir)
	checkSearches(t, x)
	if len(segmentPaths(t, filepath.Dir(x.dir))) == 0 {
		t.Error("no file was written")
	}
}
