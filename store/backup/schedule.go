package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"trento/store"
	"trento/store/durable"
)

// Schedule makes backups regularly.
type Schedule struct {
	Source     *Source
	Dir        string        // into which backups are written
	Interval   time.Duration // between two backups
	Keep       int           // number of backups to keep in Dir
	Passphrase string        // "": not encrypted

	failing bool      // the last backup could not be made
	retryAt time.Time // when to try again after a failure
}

// retryAfter is how long after a failure the next backup is tried. It is not
// shorter, because every try copies the store.
const retryAfter = time.Hour

// Run makes a backup if the newest one in the directory is older than the
// interval, and deletes those that are not to be kept. It logs a failure in the
// activity log, once until a backup can be made again.
func (s *Schedule) Run(ctx context.Context) error {
	now := s.Source.Store.Now()
	if now.Before(s.retryAt) {
		return nil
	}
	err := s.run(ctx, now)
	switch {
	case err == nil:
		s.failing = false
		return nil
	case errors.Is(err, ErrInProgress):
		return nil // the next run tries again
	}
	s.retryAt = now.Add(min(retryAfter, s.Interval))
	if !s.failing {
		s.failing = true
		err = errors.Join(err, s.Source.Store.LogBackupFailure(ctx, s.Dir, err.Error()))
	}
	return err
}

func (s *Schedule) run(ctx context.Context, now time.Time) error {
	newest, err := s.Newest()
	// A backup from the future was made before the clock was set back.
	if err != nil || now.Sub(newest).Abs() < s.Interval {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	b, err := s.Source.Prepare(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	file := filepath.Join(s.Dir, FileName(now))
	if err := durable.Stream(file, 0o600, func(w io.Writer) error { return b.WriteTo(ctx, w, s.Passphrase) }); err != nil {
		return err
	}
	if err := s.Source.Store.LogBackup(ctx, store.System(), file, b.Manifest.Size(), s.Passphrase != ""); err != nil {
		return err
	}
	return s.prune()
}

// Newest returns the time of the newest backup in the directory; the zero time
// if there is none.
func (s *Schedule) Newest() (time.Time, error) {
	names, err := s.list()
	if err != nil || len(names) == 0 {
		return time.Time{}, err
	}
	at, _ := backupTime(names[len(names)-1])
	return at, nil
}

// overdueAfter is how long after the interval a newer backup is missing.
const overdueAfter = time.Hour

// Overdue reports whether there should be a newer backup than the newest one; the
// zero time means that there is none.
func (s *Schedule) Overdue(newest time.Time) bool {
	return s.Source.Store.Now().Sub(newest) > s.Interval+overdueAfter
}

// prune deletes all backups in the directory except the newest ones. Files with
// other names stay.
func (s *Schedule) prune() error {
	names, err := s.list()
	if err != nil {
		return err
	}
	for _, name := range names[:max(0, len(names)-s.Keep)] {
		if err := os.Remove(filepath.Join(s.Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// list returns the names of the backups in the directory, the oldest first.
func (s *Schedule) list() (names []string, err error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if _, ok := backupTime(e.Name()); ok && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// backupTime returns the time of the backup with a name of FileName. ok is false for
// other names.
func backupTime(name string) (at time.Time, ok bool) {
	at, err := time.Parse("trento-20060102T150405Z"+Extension, name)
	return at, err == nil
}
