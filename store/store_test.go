package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"pgregory.net/rapid"

	"trento/store/activity"
)

var noon = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests move.
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
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
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

// entries is the whole log, oldest first.
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

func TestOpenInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, newClock())
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("second instance: %v", err)
	}
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

func TestOpenRefusesNewer(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, newClock())
	err := s.db.Update(func(btx *bolt.Tx) error {
		return btx.Bucket(bucketMeta).Put(keyVersion, key64(uint64(len(migrations)+1)))
	})
	if err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
}

func TestOpenLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, newClock())
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != fileName {
			t.Errorf("left behind: %s", f.Name())
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestOpenDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte("this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("a damaged file was opened")
	}
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	shut(t, s)
	if err := s.AppendActivity(t.Context(), System(), &activity.HostRestored{}); !errors.Is(err, ErrClosed) {
		t.Errorf("change after Close: %v", err)
	}
}

// TestUpdateIsolation runs good changes beside ones that fail halfway and ones
// that panic: each must succeed or fail for itself, and leave nothing behind
// where it fails.
func TestUpdateIsolation(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	broken := errors.New("broken")
	const n = 300
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = s.update(t.Context(), System(), func(tx *Tx) error {
				if i%5 == 1 {
					return broken
				}
				if err := tx.log("actor", &activity.Foreign{Of: activity.TypeLoginAttempt, Metadata: map[string]any{"n": i}}); err != nil {
					return err
				}
				switch i % 5 {
				case 2:
					return broken
				case 3:
					panic("halfway")
				}
				return nil
			})
		})
	}
	wg.Wait()
	want := 0
	for i, err := range errs {
		switch i % 5 {
		case 0, 4:
			want++
			if err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		case 3:
			if err == nil || errors.Is(err, broken) {
				t.Errorf("panic %d: %v", i, err)
			}
		default:
			if !errors.Is(err, broken) {
				t.Errorf("broken change %d: %v", i, err)
			}
		}
	}
	if got := len(entries(t, s)); got != want {
		t.Errorf("%d entries, want %d", got, want)
	}
}

func TestUpdateCancelled(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.update(ctx, System(), func(tx *Tx) error {
		return tx.log("actor", &activity.LoginAttempt{})
	})
	if !errors.Is(err, context.Canceled) || len(entries(t, s)) != 0 {
		t.Errorf("cancelled change: %v, %d entries", err, len(entries(t, s)))
	}
}

// TestUpdateSharesCommits holds the writer up and sees that what has queued
// meanwhile goes into one commit.
func TestUpdateSharesCommits(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	commits := func() (id uint64) {
		view(t, s, func(tx *Tx) error { id = uint64(tx.btx.ID()); return nil })
		return id
	}
	before := commits()
	const n = 50
	queued := make(chan struct{}, n)
	hold := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		s.update(t.Context(), System(), func(*Tx) error { <-hold; return nil })
	})
	for i := range n {
		wg.Go(func() {
			queued <- struct{}{}
			if err := s.AppendActivity(t.Context(), System(), &activity.Foreign{Of: activity.TypeLoginAttempt, Metadata: map[string]any{"n": i}}); err != nil {
				t.Error(err)
			}
		})
	}
	for range n {
		<-queued
	}
	close(hold)
	wg.Wait()
	if got := commits() - before; got >= n {
		t.Errorf("%d commits for %d changes", got, n)
	}
}

func TestUnchangedCommitsNothing(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	changed, stop := s.Watch()
	defer stop()
	var before, after int
	view(t, s, func(tx *Tx) error { before = tx.btx.ID(); return nil })
	if err := s.update(t.Context(), System(), func(*Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error { after = tx.btx.ID(); return nil })
	if after != before {
		t.Errorf("transaction id went from %d to %d", before, after)
	}
	select {
	case <-changed:
		t.Error("watchers were poked")
	default:
	}
}

func TestWatch(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	changed, stop := s.Watch()
	for range 3 {
		if err := s.AppendActivity(t.Context(), System(), &activity.LoginAttempt{}); err != nil {
			t.Fatal(err)
		}
	}
	<-changed // one slot: the three pokes are one
	select {
	case <-changed:
		t.Error("poked twice")
	default:
	}
	stop()
	if err := s.AppendActivity(t.Context(), System(), &activity.LoginAttempt{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("poked after stop")
	default:
	}
}

// TestScan compares the walks over a bucket, in both directions, with the
// sorted keys themselves.
func TestScan(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	bucket := []byte("scan")
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.Uint64Range(0, 50), 0, 20, rapid.ID).Draw(t, "keys")
		from, to := rapid.Uint64Range(0, 52).Draw(t, "from"), rapid.Uint64Range(0, 52).Draw(t, "to")
		slices.Sort(keys)
		var want []uint64
		for _, k := range keys {
			if from <= k && k <= to {
				want = append(want, k)
			}
		}
		err := s.db.Update(func(btx *bolt.Tx) error {
			b, err := btx.CreateBucket(bucket)
			if err != nil {
				return err
			}
			for _, k := range keys {
				if err := b.Put(key64(k), nil); err != nil {
					return err
				}
			}
			var there, back []uint64
			for k := range scanBytes(b, key64(from), key64(to)) {
				there = append(there, binary.BigEndian.Uint64(k))
			}
			for k := range scanBytesBack(b, key64(from), key64(to)) {
				back = append(back, binary.BigEndian.Uint64(k))
			}
			slices.Reverse(back)
			if !slices.Equal(there, want) || !slices.Equal(back, want) {
				return fmt.Errorf("%v from %d to %d: there %v, back %v", keys, from, to, there, back)
			}
			return btx.DeleteBucket(bucket)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
