// Package backup writes the data of a server into one stream, and reads them
// back. A backup is a tar archive, compressed with gzip, and encrypted with age
// if it has a passphrase. Its first file is the [Manifest], which names the other
// files with their sizes and hashes.
//
// Nothing in a backup is trusted when it is read: names, sizes and hashes must
// be those of the manifest, and the store is opened and verified before it
// replaces another one.
package backup

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/klauspost/compress/gzip"

	"trento/store"
	"trento/store/fault"
)

// Extension ends the names of files with backups.
const Extension = ".trento-backup"

// FileName returns the name of a backup of that time. Names sort by time.
func FileName(at time.Time) string {
	return "trento-" + at.UTC().Format("20060102T150405Z") + Extension
}

// format is the version of the archive format.
const format = 1

// manifestName is the name of the first file of the archive.
const manifestName = "manifest.json"

// maxManifest is the largest number of bytes of a manifest.
const maxManifest = 64 << 10

// workFactor is the logarithm of the work that a guess of the passphrase costs.
// 16 takes a quarter of a second and 64 MB of memory.
const workFactor = 16

// minPassphrase is the smallest number of characters of a passphrase.
const minPassphrase = 12

// PassphraseFault returns what is wrong with a passphrase for a new backup, in
// the words of field errors; "" if it can be used.
func PassphraseFault(passphrase string) string {
	if utf8.RuneCountInString(passphrase) < minPassphrase {
		return fmt.Sprintf("should be at least %d character(s)", minPassphrase)
	}
	return ""
}

// Manifest describes a backup.
type Manifest struct {
	Format    int       `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	Program   string    `json:"program"` // version of the program that wrote it
	Layout    int       `json:"layout"`  // of the store, see store.Layout
	StoreID   string    `json:"store_id"`
	Files     []File    `json:"files"`
}

// File is a file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // in bytes
	SHA256 string `json:"sha256"`
}

// Size returns the size of all files in bytes.
func (m *Manifest) Size() (total int64) {
	for _, f := range m.Files {
		total += f.Size
	}
	return total
}

// Source is what backups are made of.
type Source struct {
	Store   *store.Store
	Dir     string   // data directory; holds a temporary copy of the store meanwhile
	Files   []string // files in Dir that belong into a backup, where they exist
	Program string   // version of the program

	runMutex sync.Mutex
}

// ErrInProgress means that another backup is being made.
var ErrInProgress = &fault.Error{Kind: fault.Busy, Cause: errors.New("another backup is being made")}

// Backup is a backup that can be written.
type Backup struct {
	Manifest Manifest
	source   *Source
	files    []*os.File // the first one is the copy of the store
}

// Prepare makes a backup. It needs as much free space in the data directory as
// the store has, until the caller closes the backup. It fails with ErrInProgress
// while there is another one.
func (s *Source) Prepare(ctx context.Context) (*Backup, error) {
	if !s.runMutex.TryLock() {
		return nil, ErrInProgress
	}
	b := &Backup{source: s}
	if err := b.collect(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// Close frees the space that the backup needs.
func (b *Backup) Close() {
	for _, f := range b.files {
		f.Close()
	}
	b.source.runMutex.Unlock()
}

// collect copies the store, opens the other files, and describes them all.
func (b *Backup) collect(ctx context.Context) error {
	s := b.source
	layout, err := s.Store.Layout()
	if err != nil {
		return err
	}
	b.Manifest = Manifest{Format: format, CreatedAt: s.Store.Now().UTC(), Program: s.Program, Layout: layout, StoreID: s.Store.ID()}
	copied, err := s.copyStore(ctx)
	if err != nil {
		return err
	}
	b.files = append(b.files, copied)
	names := []string{store.FileName}
	for _, name := range s.Files {
		f, err := os.Open(filepath.Join(s.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		names, b.files = append(names, name), append(b.files, f)
	}
	for i, f := range b.files {
		described, err := describe(f, names[i])
		if err != nil {
			return err
		}
		b.Manifest.Files = append(b.Manifest.Files, described)
	}
	return nil
}

// WriteTo writes the backup, encrypted unless the passphrase is "". The receiver
// may be slow: what it gets is a copy.
func (b *Backup) WriteTo(ctx context.Context, w io.Writer, passphrase string) error {
	out, err := encrypt(w, passphrase)
	if err != nil {
		return err
	}
	compressed, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	if err := b.writeArchive(ctx, archive); err != nil {
		return err
	}
	return errors.Join(archive.Close(), compressed.Close(), out.Close())
}

// copyStore copies the store into a file without a name, which needs no tidying
// up, however the program ends.
func (s *Source) copyStore(ctx context.Context) (*os.File, error) {
	f, err := os.CreateTemp(s.Dir, "backup-*.tmp")
	if err != nil {
		return nil, err
	}
	err = errors.Join(os.Remove(f.Name()), s.Store.CopyTo(ctx, f))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copy the store, which needs as much free space in %s as it has itself: %w", s.Dir, err), f.Close())
	}
	return f, nil
}

// describe returns the size and hash of a file.
func describe(f *os.File, name string) (File, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return File{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	return File{Name: name, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

// writeArchive writes the manifest and the files that it describes.
func (b *Backup) writeArchive(ctx context.Context, archive *tar.Writer) error {
	text, err := json.MarshalIndent(b.Manifest, "", "  ")
	if err != nil {
		return err
	}
	header := func(name string, size int64) error {
		return archive.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: b.Manifest.CreatedAt, Format: tar.FormatPAX})
	}
	if err := header(manifestName, int64(len(text))); err != nil {
		return err
	}
	if _, err := archive.Write(text); err != nil {
		return err
	}
	for i, f := range b.files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := header(b.Manifest.Files[i].Name, b.Manifest.Files[i].Size); err != nil {
			return err
		}
		if _, err := io.Copy(archive, contextReader{ctx, f}); err != nil {
			return err
		}
	}
	return nil
}

// contextReader ends reading when a context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// encrypt returns a writer that encrypts what it writes to w. Without a
// passphrase, it does not encrypt.
func encrypt(w io.Writer, passphrase string) (io.WriteCloser, error) {
	if passphrase == "" {
		return plainWriter{w}, nil
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(workFactor)
	return age.Encrypt(w, recipient)
}

type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

// encryptedStart begins every file that age has written.
const encryptedStart = "age-encryption.org/"

// The reasons why a backup cannot be read. Both can be told to a person as they
// are.
var (
	ErrPassphraseMissing = errors.New("the backup is encrypted: its passphrase is needed")
	ErrPassphraseWrong   = errors.New("the backup cannot be decrypted: the passphrase is wrong, or the backup is damaged")
)

// decrypt returns a reader of the plain backup.
func decrypt(r io.Reader, passphrase string) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	start, _ := buffered.Peek(len(encryptedStart))
	switch {
	case string(start) != encryptedStart:
		return buffered, nil
	case passphrase == "":
		return nil, ErrPassphraseMissing
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(workFactor + 4)
	plain, err := age.Decrypt(buffered, identity)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrPassphraseWrong, err)
	}
	return plain, nil
}
