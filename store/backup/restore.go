package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"trento/store"
	"trento/store/durable"
)

// ErrDamaged means that a file is no backup, or not a complete one.
var ErrDamaged = errors.New("this is no complete backup of Trento")

// Extract writes the files of a backup into an empty directory, and returns its
// manifest. files are the names that a backup may have beside the store. It
// fails with ErrDamaged, ErrPassphraseMissing, ErrPassphraseWrong or
// store.ErrNewer, and then the directory holds parts of the files.
func Extract(r io.Reader, passphrase, dir string, files []string) (*Manifest, error) {
	plain, err := decrypt(r, passphrase)
	if err != nil {
		return nil, err
	}
	compressed, err := gzip.NewReader(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	archive := tar.NewReader(compressed)
	m, err := readManifest(archive)
	if err != nil {
		return nil, err
	}
	for i, f := range m.Files {
		if i == 0 && f.Name != store.FileName || i > 0 && !slices.Contains(files, f.Name) {
			return nil, fmt.Errorf("%w: it contains a file %q", ErrDamaged, f.Name)
		}
		if err := extractFile(archive, f, dir); err != nil {
			return nil, err
		}
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: it does not end where it should", ErrDamaged)
	}
	// The checksums of gzip and age are at the end.
	if _, err := io.Copy(io.Discard, compressed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, nil
}

// readManifest reads the first file of the archive.
func readManifest(archive *tar.Reader) (*Manifest, error) {
	header, err := archive.Next()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if header.Name != manifestName {
		return nil, fmt.Errorf("%w: it begins with the file %q", ErrDamaged, header.Name)
	}
	var m Manifest
	switch err := json.NewDecoder(io.LimitReader(archive, maxManifest)).Decode(&m); {
	case err != nil:
		return nil, fmt.Errorf("%w: manifest: %w", ErrDamaged, err)
	case m.Format > format:
		return nil, fmt.Errorf("backup of version %s: %w", m.Program, store.ErrNewer)
	case len(m.Files) == 0:
		return nil, fmt.Errorf("%w: it contains no files", ErrDamaged)
	}
	return &m, nil
}

// extractFile writes the next file of the archive, which must be as described.
func extractFile(archive *tar.Reader, want File, dir string) error {
	header, err := archive.Next()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, want.Name, err)
	}
	if header.Name != want.Name || header.Size != want.Size || header.Typeflag != tar.TypeReg {
		return fmt.Errorf("%w: in the place of %s is %q with %d bytes", ErrDamaged, want.Name, header.Name, header.Size)
	}
	f, err := os.OpenFile(filepath.Join(dir, want.Name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, hash), archive)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) { // our disk, not the backup
			return err
		}
		return fmt.Errorf("%w: %s: %w", ErrDamaged, want.Name, err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != want.SHA256 {
		return fmt.Errorf("%w: the content of %s has changed", ErrDamaged, want.Name)
	}
	return nil
}

// Check verifies the extracted files of a backup: the store is opened, brought
// to the layout of this program, and verified.
func Check(dir string, o store.Options) error {
	s, err := store.Open(dir, o)
	if err != nil {
		return err
	}
	return errors.Join(s.Verify(), s.Close())
}

// replacedPrefix begins the names of directories with the data that a restore
// has replaced.
const replacedPrefix = "replaced-"

// Replace puts the files of one directory into the data directory. It keeps the
// files that it replaces in a new directory beside them, whose name it returns;
// "" if it replaces none. names are the files and directories to exchange. No server
// may be running.
//
// Every file is moved, none is copied. If a move fails, those before it are
// undone.
func Replace(dir, from string, names []string, at time.Time) (replaced string, err error) {
	replaced = filepath.Join(dir, replacedPrefix+at.UTC().Format("20060102T150405Z"))
	if err := os.Mkdir(replaced, 0o700); err != nil {
		return "", err
	}
	var undo []func() error
	defer func() {
		if err == nil {
			return
		}
		for _, step := range slices.Backward(undo) {
			err = errors.Join(err, step())
		}
		err = errors.Join(err, os.Remove(replaced))
	}()
	move := func(from, to string) error {
		for _, name := range names {
			source, target := filepath.Join(from, name), filepath.Join(to, name)
			switch err := os.Rename(source, target); {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				return err
			default:
				undo = append(undo, func() error { return os.Rename(target, source) })
			}
		}
		return nil
	}
	if err := move(dir, replaced); err != nil {
		return "", err
	}
	if err := move(from, dir); err != nil {
		return "", err
	}
	if os.Remove(replaced) == nil { // nothing was there
		return "", durable.SyncDir(dir)
	}
	return replaced, errors.Join(durable.SyncDir(replaced), durable.SyncDir(dir))
}

// LatestReplaced returns the directory with the data that the latest restore has
// replaced. It fails with fs.ErrNotExist if there is none.
func LatestReplaced(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range slices.Backward(entries) { // sorted by name, so by time
		if e.IsDir() && strings.HasPrefix(e.Name(), replacedPrefix) {
			return filepath.Join(dir, e.Name()), nil
		}
	}
	return "", fs.ErrNotExist
}
