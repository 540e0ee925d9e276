package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secrets")
	if err := WriteFile(file, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(file, []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	fails := errors.New("it fails in the middle")
	err := Stream(file, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, "thr")
		return errors.Join(err, fails)
	})
	if !errors.Is(err, fails) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "two" {
		t.Errorf("content %q (%v), want that of the last write that did not fail", content, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	if names := namesIn(t, dir); !slices.Equal(names, []string{"secrets"}) {
		t.Errorf("left behind: %s", strings.Join(names, " "))
	}
	if err := WriteFile(filepath.Join(dir, "missing", "file"), nil, 0o600); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a directory: %v", err)
	}
}

// TestWriteFileOverDirectory fails at the rename, after the content is written.
func TestWriteFileOverDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "secrets"), nil, 0o600); err == nil {
		t.Error("a directory is replaced by a file")
	}
	if names := namesIn(t, dir); !slices.Equal(names, []string{"secrets"}) {
		t.Errorf("left behind: %s", strings.Join(names, " "))
	}
}

func TestRename(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "a"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "b"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Rename(filepath.Join(from, "a"), filepath.Join(to, "b")); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(to, "b")); err != nil || string(content) != "new" {
		t.Errorf("content %q (%v)", content, err)
	}
	if names := namesIn(t, from); len(names) > 0 {
		t.Errorf("left behind: %s", strings.Join(names, " "))
	}
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
