package store

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// logEvery appends entries, one each step of the clock.
func logEvery(t testing.TB, s *Store, c *clock, step time.Duration, n int) {
	t.Helper()
	for i := range n {
		if err := s.AppendActivity(t.Context(), System(), &activity.Foreign{Of: activity.TypeHeartbeatFailed, Metadata: map[string]any{"n": i}}); err != nil {
			t.Fatal(err)
		}
		c.advance(step)
	}
}

func TestPruneActivity(t *testing.T) {
	tests := []struct {
		name   string
		before time.Time
		left   int // of ten entries, one a second from noon on
	}{
		{"nothing is that old", noon.Add(-time.Hour), 10},
		{"before 1970", time.Unix(-5, 0), 10},
		{"the moment itself stays", noon, 10},
		{"a part of a microsecond counts", noon.Add(time.Nanosecond), 9},
		{"a microsecond", noon.Add(time.Microsecond), 9},
		{"half", noon.Add(5 * time.Second), 5},
		{"all but one", noon.Add(9 * time.Second), 1},
		{"all", noon.Add(time.Hour), 0},
		{"beyond all positions", time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			s := open(t, t.TempDir(), c)
			logEvery(t, s, c, time.Second, 10)
			want := append([]*activity.Entry(nil), entries(t, s)[10-test.left:]...)
			for _, expected := range []int{10 - test.left, 0} { // the second time there is nothing to do
				removed, err := s.PruneActivityBefore(t.Context(), test.before)
				if err != nil || removed != expected {
					t.Errorf("removed %d (%v), want %d", removed, err, expected)
				}
			}
			if diff := cmp.Diff(want, entries(t, s)); diff != "" {
				t.Error(diff)
			}
			view(t, s, func(tx *Tx) error {
				begin := tx.Newest() + 1
				if test.left > 0 {
					begin = want[0].Position
				}
				if tx.Oldest() != begin {
					t.Errorf("the log begins at %d, want %d", tx.Oldest(), begin)
				}
				return nil
			})
		})
	}
}

// TestPruneActivityInSteps checks pruning that takes several steps and is
// interrupted once.
func TestPruneActivityInSteps(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, t.TempDir(), c)
	logEvery(t, s, c, time.Second, 2*pruneBatchSize+500)
	all := entries(t, s)
	changed, stop := s.Watch()
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-changed // the first step
		cancel()
	}()
	before := noon.Add((2*pruneBatchSize + 100) * time.Second)
	first, err := s.PruneActivityBefore(ctx, before)
	if err != nil && first%pruneBatchSize != 0 || err == nil && first != 2*pruneBatchSize+100 {
		t.Errorf("removed %d (%v)", first, err)
	}
	if diff := cmp.Diff(all[first:], entries(t, s)); diff != "" {
		t.Error(diff)
	}
	rest, err := s.PruneActivityBefore(t.Context(), before)
	if err != nil || first+rest != 2*pruneBatchSize+100 {
		t.Errorf("removed %d and %d (%v)", first, rest, err)
	}
	if diff := cmp.Diff(all[2*pruneBatchSize+100:], entries(t, s)); diff != "" {
		t.Error(diff)
	}
}

// TestPositionsGrowBehindAnEmptyLog checks that, after all entries were pruned
// and the clock went back, the position of the next entry is still greater than
// all former positions.
func TestPositionsGrowBehindAnEmptyLog(t *testing.T) {
	c := newClock()
	dir := t.TempDir()
	s := open(t, dir, c)
	view(t, s, func(tx *Tx) error {
		if tx.Newest() != 0 || tx.Oldest() != 1 {
			t.Errorf("a fresh log goes from %d to %d", tx.Oldest(), tx.Newest())
		}
		return nil
	})
	logEvery(t, s, c, time.Second, 3)
	newest := entries(t, s)[2].Position
	if _, err := s.PruneActivityBefore(t.Context(), c.Now()); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	c.advance(-time.Hour)
	s = open(t, dir, c)
	logEvery(t, s, c, time.Second, 1)
	if got := entries(t, s)[0].Position; got <= newest {
		t.Errorf("position %d is not behind %d", got, newest)
	}
}

// TestPrunedSpaceIsUsedAgain checks that the file does not grow if the same
// number of entries is written and pruned again and again.
func TestPrunedSpaceIsUsedAgain(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, t.TempDir(), c)
	var sizes []int64
	for range 6 {
		start := c.Now()
		logEvery(t, s, c, time.Second, 1000)
		if _, err := s.PruneActivityBefore(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		size, err := s.Size()
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size)
	}
	if sizes[5] > sizes[1] {
		t.Errorf("the file grows, though the log does not: %d", sizes)
	}
}
