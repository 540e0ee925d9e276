package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

// copyAge is how long the copy of the file is kept that a migration makes
// before it changes the file.
const copyAge = 7 * 24 * time.Hour

// PruneCopies deletes the copies of the file that were made before migrations
// more than a week ago.
func (s *Store) PruneCopies(context.Context) error {
	copies, err := filepath.Glob(s.db.Path() + ".v*")
	for _, path := range copies {
		info, statErr := os.Stat(path)
		if statErr == nil && s.Now().Sub(info.ModTime()) > copyAge {
			statErr = os.Remove(path)
		}
		err = errors.Join(err, statErr)
	}
	return err
}
