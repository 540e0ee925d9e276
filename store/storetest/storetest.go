// Package storetest opens real stores for tests.
package storetest

import (
	"testing"
	"time"

	"trento/store"
)

// Open opens a store in a directory of its own. When the test ends, the store
// is verified and closed.
func Open(t testing.TB) *store.Store { return OpenAt(t, time.Now) }

// OpenAt is Open with the test's own clock.
func OpenAt(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	return OpenIn(t, t.TempDir(), now)
}

// OpenIn is OpenAt in a directory that may hold a store already.
func OpenIn(t testing.TB, dir string, now func() time.Time) *store.Store {
	t.Helper()
	return openWith(t, dir, store.Options{Now: now})
}

// OpenAlerting is OpenAt with alerts switched on.
func OpenAlerting(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	return openWith(t, t.TempDir(), store.Options{Now: now, Alerts: new(true)})
}

func openWith(t testing.TB, dir string, o store.Options) *store.Store {
	t.Helper()
	o.NoSync = true
	s, err := store.Open(dir, o)
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

// Disable disables a user, as somebody who manages users would.
func Disable(t testing.TB, s *store.Store, id int64) {
	t.Helper()
	var version int
	err := s.View(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err == nil {
			version = u.LockVersion
		}
		return err
	})
	if err == nil {
		_, err = s.ChangeUser(t.Context(), store.System(), id, version, store.UserChange{Enabled: new(false)})
	}
	if err != nil {
		t.Fatal(err)
	}
}
