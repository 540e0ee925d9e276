package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trento/store/activity"
	"trento/store/storetest"
)

// TestActivityAgreesWithTheLog draws filters and walks while ever more of the
// log is indexed, in whatever groups.
func TestActivityAgreesWithTheLog(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(350)...)
	log := entries(t, s)
	x := open(t, t.TempDir(), s)
	check := func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			f := drawFilter(t, log)
			w := Walk{Limit: rapid.IntRange(1, 30).Draw(t, "limit"), Forward: rapid.Bool().Draw(t, "forward"), Count: rapid.Bool().Draw(t, "count")}
			if rapid.Bool().Draw(t, "from somewhere") {
				w.From = rapid.SampledFrom(log).Draw(t, "from").Position
			}
			x.verifyLimit = rapid.SampledFrom([]int{0, 3, 100}).Draw(t, "few")
			got, err := x.Activity(t.Context(), f, w)
			if err != nil {
				t.Fatal(err)
			}
			want := page(log, f, w)
			if fmt.Sprint(positions(got.Entries), got.More, got.Total) != fmt.Sprint(positions(want.Entries), want.More, want.Total) {
				t.Fatalf("page %+v of filter %+v holds %v (more: %v, total %d), want %v (more: %v, total %d)",
					w, f, positions(got.Entries), got.More, got.Total, positions(want.Entries), want.More, want.Total)
			}
		})
	}
	t.Run("nothing indexed", check)
	followSome(t, x, 1, 17)
	t.Run("a little indexed", check)
	followSome(t, x, 7, 30)
	t.Run("two segments and a tail", check)
	follow(t, x)
	t.Run("all indexed", check)

	// The oldest entry of the log is in the middle of the second segment.
	removed, err := s.PruneActivityBefore(t.Context(), log[130].OccurredOn())
	if err != nil || removed != 130 {
		t.Fatalf("%d entries removed (%v)", removed, err)
	}
	log = entries(t, s)
	t.Run("old entries removed", check)
	follow(t, x)
	if x.segments[0].first <= 1 {
		t.Error("the index keeps a segment of nothing")
	}
	t.Run("old entries removed and dropped", check)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	indexed := x.indexedUpTo
	x = open(t, filepath.Dir(x.dir), s)
	if x.indexedUpTo != indexed {
		t.Errorf("opened up to %d, was indexed up to %d", x.indexedUpTo, indexed)
	}
	t.Run("opened again", check)
	write(t, s, someRecords(40)...)
	log = entries(t, s)
	t.Run("grown again", check)

	if _, err := s.PruneActivityBefore(t.Context(), log[len(log)-1].OccurredOn().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		expect(t, x, activity.Filter{}, Walk{Limit: 20, Count: true})
		expect(t, x, activity.Filter{Search: parse(t, "*a*")}, Walk{Limit: 20, Count: true})
		follow(t, x)
	}
	if len(x.segments) > 0 {
		t.Errorf("%d segments of an empty log", len(x.segments))
	}
	write(t, s, someRecords(20)...)
	for range 2 {
		expect(t, x, activity.Filter{Search: parse(t, "*a*")}, Walk{Limit: 20, Count: true})
		follow(t, x)
	}
}

// TestRetentionMeanwhile searches while old entries are removed and new ones
// are added. Each answer must be complete for some moment.
func TestRetentionMeanwhile(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	for n := range 3000 {
		write(t, s, record{activity.TypeResourceTagging, "admin", fmt.Sprintf(`{"n":%d}`, n)})
	}
	log := entries(t, s)
	x := open(t, t.TempDir(), s)
	follow(t, x)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 50; n < len(log); n += 50 {
			_, err := s.PruneActivityBefore(t.Context(), log[n].OccurredOn())
			if err = errors.Join(err, x.follow(t.Context())); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p, err := x.Activity(t.Context(), activity.Filter{Search: parse(t, ">=0")}, Walk{Limit: 30, Forward: true, Count: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(p.Entries); i++ {
			if p.Entries[i-1].Position <= p.Entries[i].Position {
				t.Fatal("the page is not in order")
			}
		}
		oldest := p.Entries[len(p.Entries)-1].Position
		at, _ := slices.BinarySearchFunc(log, oldest, func(e *activity.Entry, p activity.Position) int { return cmp.Compare(e.Position, p) })
		if want := positions(log[at:min(at+30, len(log))]); len(p.Entries) != len(want) {
			t.Fatalf("the page from entry %d on holds %d entries, want %d", at, len(p.Entries), len(want))
		}
		if p.Total != len(log)-at {
			t.Fatalf("%d entries from %d on, want %d", p.Total, at, len(log)-at)
		}
	}
}

// TestPaging walks through all pages, there and back, while the log grows.
func TestPaging(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(230)...)
	x := open(t, t.TempDir(), s)
	followSome(t, x, 5, 40)
	f := activity.Filter{WithoutUserManagement: true, Search: parse(t, "*a* OR >0")}
	passed := page(entries(t, s), f, Walk{Limit: 1000}).Entries
	if len(passed) < 50 {
		t.Fatalf("only %d entries to page through", len(passed))
	}
	var down []activity.Position
	for w, more := (Walk{Limit: 7}), true; more; {
		p, err := x.Activity(t.Context(), f, w)
		if err != nil {
			t.Fatal(err)
		}
		down = append(down, positions(p.Entries)...)
		w.From, more = p.Entries[len(p.Entries)-1].Position, p.More
		write(t, s, someRecords(3)...) // newer ones do not disturb
		followSome(t, x, 1, 2)
	}
	if fmt.Sprint(down) != fmt.Sprint(positions(passed)) {
		t.Errorf("the pages downwards hold %v, want %v", down, positions(passed))
	}
	newest := passed[0].Position
	var up []activity.Position
	for w := (Walk{Limit: 7, Forward: true}); len(up) < len(passed); {
		p, err := x.Activity(t.Context(), f, w)
		if err != nil {
			t.Fatal(err)
		}
		up = append(positions(p.Entries), up...)
		w.From = p.Entries[0].Position
	}
	for len(up) > 0 && up[0] > newest {
		up = up[1:]
	}
	if fmt.Sprint(up) != fmt.Sprint(positions(passed)) {
		t.Errorf("the pages upwards hold %v, want %v", up, positions(passed))
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	for range MaxLimit + 20 {
		write(t, s, record{activity.TypeResourceTagging, "admin", `{"a":"b"}`})
	}
	x := open(t, t.TempDir(), s)
	for _, search := range []string{"", "b"} {
		for limit, want := range map[int]int{-1: 1, 0: 1, 1: 1, 25: 25, MaxLimit: MaxLimit, MaxLimit + 1: MaxLimit, 1 << 40: MaxLimit} {
			p, err := x.Activity(t.Context(), activity.Filter{Search: parse(t, search)}, Walk{Limit: limit})
			if err != nil || len(p.Entries) != want || !p.More {
				t.Errorf("limit %d gives %d entries (more: %v, error: %v), want %d", limit, len(p.Entries), p.More, err, want)
			}
		}
		follow(t, x)
	}
}

func TestEmptyLog(t *testing.T) {
	x := open(t, t.TempDir(), storetest.OpenAt(t, newClock().Now))
	for _, w := range []Walk{{Limit: 10}, {Limit: 10, Forward: true}, {Limit: 10, From: 1}, {Limit: 10, From: lastPosition, Forward: true}} {
		expect(t, x, activity.Filter{}, w)
		expect(t, x, activity.Filter{Search: parse(t, "a")}, w)
		follow(t, x)
	}
}

func TestCancelled(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(20)...)
	x := open(t, t.TempDir(), s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		for _, search := range []string{"", "*a*", "hana01"} {
			if _, err := x.Activity(ctx, activity.Filter{Search: parse(t, search)}, Walk{Limit: 10}); !errors.Is(err, context.Canceled) {
				t.Errorf("search %q of one who has left: error %v", search, err)
			}
		}
		follow(t, x)
	}
}

// TestTurns has as many searches under way as may run at a time: another one
// waits until one of them ends, or until nobody waits for it any more. The
// newest page needs no turn.
func TestTurns(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(20)...)
	x := open(t, t.TempDir(), s)
	for range cap(x.slots) {
		x.slots <- struct{}{}
	}
	expect(t, x, activity.Filter{}, Walk{Limit: 10})
	f := activity.Filter{Search: parse(t, "*a*")}
	mayNot(t, x, f, Walk{Limit: 10})
	<-x.slots // one ends
	if _, err := x.Activity(t.Context(), f, Walk{Limit: 10}); err != nil {
		t.Error(err)
	}
}

// TestOwnTurn has a search of a reader under way: another one of the same
// reader waits for it, one of somebody else does not.
func TestOwnTurn(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(20)...)
	x := open(t, t.TempDir(), s)
	under := make(chan struct{}, 1)
	x.readers.Store("ann", under)
	under <- struct{}{}
	f := activity.Filter{Search: parse(t, "*a*")}
	if _, err := x.Activity(t.Context(), f, Walk{Limit: 10, Reader: "ben"}); err != nil {
		t.Fatal(err)
	}
	mayNot(t, x, f, Walk{Limit: 10, Reader: "ann"})
	<-under // the first one ends
	if _, err := x.Activity(t.Context(), f, Walk{Limit: 10, Reader: "ann"}); err != nil {
		t.Error(err)
	}
}

// mayNot checks that a search waits until its context ends.
func mayNot(t *testing.T, x *Index, f activity.Filter, w Walk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := x.Activity(ctx, f, w); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a search too many: %v", err)
	}
}

func TestClosed(t *testing.T) {
	x := open(t, t.TempDir(), storetest.OpenAt(t, newClock().Now))
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Activity(t.Context(), activity.Filter{}, Walk{Limit: 10}); !errors.Is(err, ErrClosed) {
		t.Errorf("search in a closed index: error %v, want ErrClosed", err)
	}
}

// TestGoneEntries searches an index that still has entries that the log has
// pruned.
func TestGoneEntries(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, record{activity.TypeResourceTagging, "admin", `{"a":"b","n":1}`}, record{activity.TypeResourceTagging, "admin", `{"a":"b","n":2}`})
	x := open(t, t.TempDir(), s)
	var gone []*activity.Entry
	for n := range 50 {
		gone = append(gone, &activity.Entry{Position: activity.Position(n + 1), Type: activity.TypeResourceTagging, Metadata: []byte(`{"a":"b"}`)})
	}
	if err := x.addBatches(gone); err != nil {
		t.Fatal(err)
	}
	follow(t, x)
	for _, limit := range []int{1, 2, 3, 20} {
		for _, forward := range []bool{false, true} {
			expect(t, x, activity.Filter{Search: parse(t, "b")}, Walk{Limit: limit, Forward: forward})
		}
	}
}

// TestConcurrency searches while entries land, are indexed and fill segments.
// The newest entry known to be in the log is found at once, and no page holds
// an entry twice or misses one.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	x := open(t, t.TempDir(), s)
	x.segmentSize = 20
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() {
		for ctx.Err() == nil {
			followSome(t, x, 1, 7)
		}
	})
	search := parse(t, "odd")
	var searching sync.WaitGroup
	for reader := range 2 {
		searching.Go(func() {
			for n := range 40 {
				write(t, s, record{activity.TypeResourceTagging, "admin", fmt.Sprintf(`{"n":%d,"reader":"r%d","kind":"odd"}`, n, reader)},
					record{activity.TypeResourceTagging, "admin", `{"kind":"even"}`})
				mine := activity.Filter{Search: parse(t, fmt.Sprintf(`r%d AND odd AND >=0`, reader))}
				for _, forward := range []bool{false, true} {
					p, err := x.Activity(t.Context(), mine, Walk{Limit: MaxLimit, Forward: forward})
					if err != nil {
						t.Error(err)
						return
					}
					if len(p.Entries) != n+1 {
						t.Errorf("reader %d has written %d entries and sees %d", reader, n+1, len(p.Entries))
						return
					}
					for i := 1; i < len(p.Entries); i++ {
						if p.Entries[i-1].Position <= p.Entries[i].Position {
							t.Errorf("entry %d is not older than the one above it", i)
						}
					}
				}
			}
		})
	}
	searching.Wait()
	cancel()
	following.Wait()
	followSome(t, x, 1000, 7)
	expect(t, x, activity.Filter{Search: search}, Walk{Limit: MaxLimit})
	if len(x.segments) < 4 {
		t.Errorf("the entries are in %d segments only", len(x.segments))
	}
}
