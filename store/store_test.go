package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"trento/store/activity"
)

var noon = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: noon} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// open is storetest.Open for the tests of this package, which cannot import it.
func open(t testing.TB, dir string, c *clock) *Store {
	t.Helper()
	s, err := Open(dir, Options{Now: c.Now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t testing.TB, s *Store) {
	t.Helper()
	err := s.Verify()
	if errors.Is(err, ErrClosed) {
		return // the test has shut it already
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}

func view(t testing.TB, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.View(fn); err != nil {
		t.Fatal(err)
	}
}

// entries returns all log entries, oldest first.
func entries(t testing.TB, s *Store) (all []*activity.Entry) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for e, err := range tx.Entries(0, tx.Newest()) {
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	return all
}

func typesOf(log []*activity.Entry) (ts []activity.Type) {
	for _, e := range log {
		ts = append(ts, e.Type)
	}
	return ts
}

func lastChange(t testing.TB, s *Store) (seq uint64) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		seq = tx.LastChange()
		return nil
	})
	return seq
}

func TestOpenKeepsIdentity(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	id := s.ID()
	var key *APIKey
	view(t, s, func(tx *Tx) (err error) { key, err = tx.APIKey(); return err })
	shut(t, s)
	s = open(t, dir, c)
	if s.ID() != id || id == "" {
		t.Errorf("id was %q, is %q", id, s.ID())
	}
	view(t, s, func(tx *Tx) error {
		again, err := tx.APIKey()
		if err == nil && again.ID != key.ID {
			t.Errorf("API key was %s, is %s", key.ID, again.ID)
		}
		return err
	})
	if other := open(t, t.TempDir(), c); other.ID() == id {
		t.Error("two files have one id")
	}
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	shut(t, s)
	if err := s.AppendActivity(t.Context(), System(), &activity.HostRestored{}); !errors.Is(err, ErrClosed) {
		t.Errorf("change after Close: %v", err)
	}
}
