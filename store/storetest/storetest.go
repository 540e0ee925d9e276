// Package storetest opens real stores for tests.
package storetest

import (
	"testing"
	"time"

	"trento/store"
)

// Open opens a store in a directory of its own. When the test ends it is
// verified and closed.
func Open(t testing.TB) *store.Store { return OpenAt(t, time.Now) }

// OpenAt is Open with the test's own clock.
func OpenAt(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	return OpenIn(t, t.TempDir(), now)
}

// OpenIn is OpenAt in a directory that may hold a store already.
func OpenIn(t testing.TB, dir string, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(dir, store.Options{Now: now, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Verify(); err != nil {
			t.Errorf("store is inconsistent: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}
