package backup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
)

// TestSchedule checks that one backup is made in each interval, that only the
// configured number is kept, and that other files are not touched. A failure is
// logged once and tried again an hour later.
func TestSchedule(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	source := &Source{Store: storetest.OpenIn(t, dir, func() time.Time { return now }), Dir: dir, Program: "1.2.3"}
	s := &Schedule{Source: source, Dir: filepath.Join(t.TempDir(), "backups"), Interval: 24 * time.Hour, Keep: 2, Passphrase: passphrase}
	run := func(want ...string) {
		t.Helper()
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		names, err := s.list()
		if err != nil || strings.Join(names, " ") != strings.Join(want, " ") {
			t.Errorf("at %v there are %v, %v; want %v", now, names, err, want)
		}
	}
	first := FileName(now)
	run(first)
	if info, err := os.Stat(filepath.Join(s.Dir, first)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v, %v", info, err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "trento-note.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(23 * time.Hour)
	run(first)
	now = now.Add(time.Hour)
	second := FileName(now)
	run(first, second)
	now = now.Add(25 * time.Hour)
	third := FileName(now)
	run(second, third)
	if newest, err := s.Newest(); err != nil || !newest.Equal(now) {
		t.Errorf("the newest is of %v, %v", newest, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "trento-note.txt")); err != nil {
		t.Error(err)
	}

	good := s.Dir
	s.Dir = filepath.Join(good, "trento-note.txt", "not", "possible")
	for range 3 {
		if err := s.Run(t.Context()); err == nil {
			t.Error("written into a file")
		}
		if err := s.Run(t.Context()); err != nil {
			t.Errorf("tried again at once: %v", err)
		}
		now = now.Add(retryAfter)
	}
	s.Dir = good
	now = now.Add(24 * time.Hour)
	run(third, FileName(now))

	made, failed := 0, 0
	err := source.Store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(tx.Oldest(), tx.Newest()) {
			if err != nil {
				return err
			}
			switch e.Type {
			case activity.TypeBackupCreation:
				made++
			case activity.TypeBackupFailure:
				failed++
			}
			if strings.Contains(string(e.Metadata), "song") {
				t.Errorf("the passphrase is in the log: %s", e.Metadata)
			}
		}
		return nil
	})
	if err != nil || made != 4 || failed != 1 {
		t.Errorf("logged %d backups and %d failures, %v", made, failed, err)
	}
}
