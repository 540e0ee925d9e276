// Package durable changes files so that after a crash or a power failure each is
// there whole, as it was before or as it is after.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// WriteFile creates or replaces a file. Whoever reads the file meanwhile sees
// the former content.
func WriteFile(file string, content []byte, mode os.FileMode) error {
	return Stream(file, mode, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Stream creates or replaces a file like WriteFile, with what write writes. If
// write fails, nothing is changed.
func Stream(file string, mode os.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(mode), write(f), f.Sync(), f.Close())
	if err == nil {
		err = Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(f.Name()))
	}
	return nil
}

// removeIfThere removes a file. A rename whose directory could not be synced has
// moved it already.
func removeIfThere(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Rename moves a file within a file system. A file that has the new name already
// is replaced.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if filepath.Dir(from) != filepath.Dir(to) {
		if err := SyncDir(filepath.Dir(from)); err != nil {
			return err
		}
	}
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes the names that were created, moved or removed in a directory
// durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
