package kv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// word is a record of the tests, found by its text.
type word struct {
	Text string `json:"text"`
	Key  string `json:"-"`
}

// file is an open file with a bucket, two tables and an index.
type file struct {
	*DB
	plain  *Bucket
	words  *Table[word]
	drafts *Table[word]
	index  *Index
}

func declare() (*Schema, *file) {
	s, f := NewSchema(), new(file)
	f.plain = s.NewBucket("plain", "number (8)", "nothing")
	f.index = NewUniqueIndex(s, "index", "text", "key of the word")
	f.words = NewRecords[word](s, "word", "key").IndexedBy(f.index, func(w *word) []string { return []string{w.Text} })
	f.drafts = NewTable[word](s, "draft", "key").SetKey(func(w *word, key []byte) { w.Key = string(key) })
	return s, f
}

func open(t testing.TB, path string) *file {
	t.Helper()
	schema, f := declare()
	var err error
	if f.DB, err = Open(path, schema, Options{NoSync: true, Migrations: make([]Migration, 2)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Verify(); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

func (f *file) update(t testing.TB, fn func(*Tx) error) {
	t.Helper()
	if err := f.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (f *file) view(t testing.TB, fn func(*Tx) error) {
	t.Helper()
	if err := f.View(fn); err != nil {
		t.Fatal(err)
	}
}

// put adds an empty value under a number.
func (f *file) put(n int) func(*Tx) error {
	return func(tx *Tx) error { return f.plain.Put(tx, Key64(uint64(n)), nil) }
}

func (f *file) count(t testing.TB) (n int) {
	t.Helper()
	f.view(t, func(tx *Tx) error { n = f.plain.Count(tx); return nil })
	return n
}

func (f *file) commits(t testing.TB) (n int) {
	t.Helper()
	f.view(t, func(tx *Tx) error { n = tx.bolt.ID(); return nil })
	return n
}

func TestOpenInUse(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	open(t, path)
	if _, err := Open(path, NewSchema(), Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("second instance: %v", err)
	}
}

func TestOpenRefusesNewer(t *testing.T) {
	path := newPath(t)
	open(t, path).Close()
	schema, _ := declare()
	if _, err := Open(path, schema, Options{Migrations: make([]Migration, 1)}); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
}

// TestMigrate checks that a file of an older layout is copied, gets its missing
// buckets, and is changed by exactly the steps that it lacks.
func TestMigrate(t *testing.T) {
	path := newPath(t)
	f := open(t, path)
	id := f.ID()
	f.update(t, f.put(1))
	f.Close()
	schema, f := declare()
	added := schema.NewBucket("added", "key", "value")
	never := func(*Tx) error { return errors.New("not this one") }
	steps := []Migration{never, never, func(tx *Tx) error { return added.Put(tx, []byte("key"), []byte("value")) }, nil}
	if _, err := Open(path, schema, Options{Migrations: append(steps, never)}); err == nil || !strings.Contains(err.Error(), "migration 5: not this one") {
		t.Errorf("a step that fails: %v", err)
	}
	db, err := Open(path, schema, Options{Migrations: steps})
	if err != nil {
		t.Fatal(err)
	}
	f.DB = db
	if f.count(t) != 1 || f.ID() != id {
		t.Error("it is another file")
	}
	f.view(t, func(tx *Tx) error {
		if got := added.Get(tx, []byte("key")); string(got) != "value" {
			t.Errorf("the new bucket has %q", got)
		}
		return nil
	})
	f.Close()
	if f := open(t, path+".v2"); f.count(t) != 1 { // it has gone through two steps
		t.Error("the copy is empty")
	}
	if _, err := Open(newPath(t), NewSchema(), Options{Migrations: []Migration{never}}); err != nil {
		t.Errorf("a new file: %v", err)
	}
}

func TestOpenLeavesNothingBehind(t *testing.T) {
	path := newPath(t)
	open(t, path)
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() != "test.db" {
			t.Errorf("left behind: %s", f.Name())
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestOpenDamaged(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte("this is no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, NewSchema(), Options{}); err == nil {
		t.Error("a damaged file was opened")
	}
}

func TestClosed(t *testing.T) {
	f := open(t, newPath(t))
	f.Close()
	for name, err := range map[string]error{
		"Update": f.Update(t.Context(), f.put(1)),
		"View":   f.View(func(*Tx) error { return nil }),
		"Verify": f.Verify(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// TestUpdateIsolation runs changes that succeed beside changes that fail
// halfway or panic. Each must succeed or fail on its own, and a failed one must
// leave nothing.
func TestUpdateIsolation(t *testing.T) {
	f := open(t, newPath(t))
	broken := errors.New("broken")
	const n = 300
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = f.Update(t.Context(), func(tx *Tx) error {
				if i%5 == 1 {
					return broken
				}
				if err := f.put(i)(tx); err != nil {
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
	if got := f.count(t); got != want {
		t.Errorf("%d keys, want %d", got, want)
	}
}

func TestUpdateCancelled(t *testing.T) {
	f := open(t, newPath(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Update(ctx, f.put(1)); !errors.Is(err, context.Canceled) || f.count(t) != 0 {
		t.Errorf("cancelled change: %v, %d keys", err, f.count(t))
	}
}

// TestUpdateSharesCommits delays the writer and checks that all changes that
// wait meanwhile share one commit.
func TestUpdateSharesCommits(t *testing.T) {
	f := open(t, newPath(t))
	before := f.commits(t)
	const n = 50
	queued := make(chan struct{}, n)
	hold := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		f.Update(t.Context(), func(*Tx) error { <-hold; return nil })
	})
	for i := range n {
		wg.Go(func() {
			queued <- struct{}{}
			if err := f.Update(t.Context(), f.put(i)); err != nil {
				t.Error(err)
			}
		})
	}
	for range n {
		<-queued
	}
	close(hold)
	wg.Wait()
	if got := f.commits(t) - before; got >= n {
		t.Errorf("%d commits for %d changes", got, n)
	}
}

func TestUnchangedCommitsNothing(t *testing.T) {
	f := open(t, newPath(t))
	changed, stop := f.Watch()
	defer stop()
	before, ran := f.commits(t), false
	f.update(t, func(tx *Tx) error { tx.AfterCommit(func() { ran = true }); return nil })
	if after := f.commits(t); after != before || !ran {
		t.Errorf("transaction id went from %d to %d; AfterCommit %v", before, after, ran)
	}
	select {
	case <-changed:
		t.Error("watchers were notified")
	default:
	}
}

func TestWatch(t *testing.T) {
	f := open(t, newPath(t))
	changed, stop := f.Watch()
	for i := range 3 {
		f.update(t, f.put(i))
	}
	<-changed // one slot: the three notifications are one
	select {
	case <-changed:
		t.Error("notified twice")
	default:
	}
	stop()
	f.update(t, f.put(4))
	select {
	case <-changed:
		t.Error("notified after stop")
	default:
	}
}

// TestScan compares the iterations over a bucket, in both directions, with the
// sorted keys.
func TestScan(t *testing.T) {
	f := open(t, newPath(t))
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
		done := errors.New("rolled back")
		err := f.Update(context.Background(), func(tx *Tx) error {
			for _, k := range keys {
				if err := f.put(int(k))(tx); err != nil {
					return err
				}
			}
			var there, back []uint64
			for k := range f.plain.Scan(tx, Key64(from), Key64(to)) {
				there = append(there, binary.BigEndian.Uint64(k))
			}
			for k := range f.plain.ScanBack(tx, Key64(from), Key64(to)) {
				back = append(back, binary.BigEndian.Uint64(k))
			}
			slices.Reverse(back)
			if !slices.Equal(there, want) || !slices.Equal(back, want) {
				return fmt.Errorf("%v from %d to %d: there %v, back %v", keys, from, to, there, back)
			}
			return done
		})
		if !errors.Is(err, done) {
			t.Fatal(err)
		}
	})
}
