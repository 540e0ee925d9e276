package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/storetest"
)

const passphrase = "four words of a song"

// newSource returns the source of a store with an API key of its own, and a file
// beside it.
func newSource(t *testing.T) *Source {
	t.Helper()
	dir := t.TempDir()
	s := &Source{Store: storetest.OpenIn(t, dir, time.Now), Dir: dir, Files: []string{"secrets", "missing"}, Program: "1.2.3"}
	if err := os.WriteFile(filepath.Join(dir, "secrets"), []byte("KEY=value\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Source) bytes(t *testing.T, passphrase string) []byte {
	t.Helper()
	b, err := s.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var out bytes.Buffer
	if err := b.WriteTo(t.Context(), &out, passphrase); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func extract(t *testing.T, archive []byte, passphrase string) (dir string, m *Manifest, err error) {
	t.Helper()
	dir = t.TempDir()
	m, err = Extract(bytes.NewReader(archive), passphrase, dir, []string{"secrets"})
	return dir, m, err
}

// TestRoundTrip checks that a restored backup contains what was backed up,
// encrypted or not, and that no temporary files are left.
func TestRoundTrip(t *testing.T) {
	s := newSource(t)
	for _, secret := range []string{"", passphrase} {
		archive := s.bytes(t, secret)
		dir, m, err := extract(t, archive, secret)
		if err != nil {
			t.Fatal(err)
		}
		if m.Program != "1.2.3" || m.StoreID != s.Store.ID() || len(m.Files) != 2 || m.Files[0].Name != store.FileName {
			t.Errorf("manifest: %+v", m)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "secrets")); err != nil || string(text) != "KEY=value\n" {
			t.Errorf("secrets: %q, %v", text, err)
		}
		if err := Check(dir, store.Options{NoSync: true}); err != nil {
			t.Error(err)
		}
		if secret != "" && bytes.Contains(archive, []byte("manifest")) {
			t.Error("parts of it can be read without the passphrase")
		}
	}
	left, err := filepath.Glob(filepath.Join(s.Dir, "backup-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestOneAtATime checks that a second backup is refused until the first one is
// closed.
func TestOneAtATime(t *testing.T) {
	s := newSource(t)
	b, err := s.Prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prepare(t.Context()); !errors.Is(err, ErrInProgress) {
		t.Errorf("a second one: %v", err)
	}
	b.Close()
	s.bytes(t, "")
}

// TestPassphrases checks the errors for a wrong and for a missing passphrase.
func TestPassphrases(t *testing.T) {
	archive := newSource(t).bytes(t, passphrase)
	for given, want := range map[string]error{"": ErrPassphraseMissing, "another passphrase": ErrPassphraseWrong} {
		if _, _, err := extract(t, archive, given); !errors.Is(err, want) {
			t.Errorf("%q: %v", given, err)
		}
	}
	archive[len(archive)-1] ^= 1
	if _, _, err := extract(t, archive, passphrase); err == nil {
		t.Error("a changed byte was not noticed")
	}
}

// TestDamagedBackups checks that every kind of damaged backup is refused.
func TestDamagedBackups(t *testing.T) {
	archive := newSource(t).bytes(t, "")
	for _, n := range []int{0, 1, 10, 100, len(archive) / 2, len(archive) - 1} {
		if _, _, err := extract(t, archive[:n], ""); !errors.Is(err, ErrDamaged) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{0, 20, len(archive) / 3, len(archive) - 5} {
		changed := bytes.Clone(archive)
		changed[n] ^= 0x55
		if _, _, err := extract(t, changed, ""); err == nil {
			t.Errorf("byte %d is another one, which was not noticed", n)
		}
	}
	for name, change := range map[string]func(*Manifest, map[string][]byte){
		"another content":  func(_ *Manifest, files map[string][]byte) { files["secrets"] = []byte("KEY=valuf\n") },
		"another size":     func(_ *Manifest, files map[string][]byte) { files["secrets"] = []byte("KEY=value\n\n") },
		"a file missing":   func(_ *Manifest, files map[string][]byte) { delete(files, "secrets") },
		"a foreign file":   func(m *Manifest, _ map[string][]byte) { m.Files[1].Name = "other" },
		"a file elsewhere": func(m *Manifest, _ map[string][]byte) { m.Files[1].Name = "../secrets" },
		"no store":         func(m *Manifest, _ map[string][]byte) { m.Files = m.Files[1:] },
		"no files":         func(m *Manifest, _ map[string][]byte) { m.Files = nil },
		"the store twice":  func(m *Manifest, _ map[string][]byte) { m.Files = append(m.Files, m.Files[0]) },
	} {
		if _, _, err := extract(t, rewrite(t, archive, change), ""); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newer := rewrite(t, archive, func(m *Manifest, _ map[string][]byte) { m.Format = format + 1 })
	if _, _, err := extract(t, newer, ""); !errors.Is(err, store.ErrNewer) {
		t.Errorf("of a newer program: %v", err)
	}
}

// rewrite returns the archive with a change.
func rewrite(t *testing.T, archive []byte, change func(*Manifest, map[string][]byte)) []byte {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	files := map[string][]byte{}
	for in := tar.NewReader(plain); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = content
	}
	if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	change(&m, files)
	if files["manifest.json"], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	written := tar.NewWriter(compressed)
	names := []string{"manifest.json"}
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	for _, name := range names {
		content, ok := files[name]
		if !ok && strings.Contains(name, "s") {
			content, ok = files["secrets"]
		}
		if !ok {
			continue
		}
		if err := written.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := written.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(written.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestReplace checks that a failed replacement changes nothing, and that a
// completed one can be undone.
func TestReplace(t *testing.T) {
	dir, from := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(dir, name, want string) {
		t.Helper()
		if text, _ := os.ReadFile(filepath.Join(dir, name)); string(text) != want {
			t.Errorf("%s is %q, want %q", name, text, want)
		}
	}
	names := []string{"a", "b", "c"}
	write(filepath.Join(dir, "a"), "old a")
	write(filepath.Join(dir, "c"), "old c")
	write(filepath.Join(from, "a"), "new a")
	write(filepath.Join(from, "b"), "new b")
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	replaced, err := Replace(dir, from, names, at)
	if err != nil {
		t.Fatal(err)
	}
	shows(dir, "a", "new a")
	shows(dir, "b", "new b")
	shows(dir, "c", "")
	shows(replaced, "a", "old a")
	if latest, err := LatestReplaced(dir); err != nil || latest != replaced {
		t.Errorf("latest: %s, %v", latest, err)
	}
	if _, err := Replace(dir, from, names, at); !errors.Is(err, os.ErrExist) {
		t.Errorf("in the same second: %v", err)
	}
	write(filepath.Join(from, "file"), "")
	if _, err := Replace(dir, filepath.Join(from, "file"), names, at.Add(time.Second)); err == nil { // moves from a file fail
		t.Error("moved out of a file")
	}
	shows(dir, "a", "new a")
	if _, err := Replace(dir, replaced, names, at.Add(2*time.Second)); err != nil {
		t.Fatal(err)
	}
	shows(dir, "a", "old a")
	shows(dir, "b", "")
	shows(dir, "c", "old c")
}
