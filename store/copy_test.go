package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPruneCopies checks that the copy of a file from before a migration is
// deleted after a week, and nothing else is.
func TestPruneCopies(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s, err := Open(dir, Options{NoSync: true, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := filepath.Join(dir, FileName+".v3")
	for _, path := range []string{before, filepath.Join(dir, "trento.db-note")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	exists := func() bool {
		t.Helper()
		if err := s.PruneCopies(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(before)
		return err == nil
	}
	now = now.Add(6 * 24 * time.Hour)
	if !exists() {
		t.Error("deleted within a week")
	}
	now = now.Add(2 * 24 * time.Hour)
	if exists() {
		t.Error("kept for more than a week")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "trento.db*")); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}
