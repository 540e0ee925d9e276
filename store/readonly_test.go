package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestReadOnly checks that opening a store read-only creates, migrates and
// changes nothing, and does not disturb a running server.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	readOnly := Options{ReadOnly: true}
	if _, err := Open(filepath.Join(dir, "none"), readOnly); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no data: %v", err)
	}
	s := open(t, dir, newClock())
	if _, err := Open(dir, readOnly); !errors.Is(err, ErrInUse) {
		t.Errorf("in use: %v", err)
	}
	shut(t, s)
	before, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Verify(); err != nil {
		t.Error(err)
	}
	sizes, err := r.BucketSizes()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, b := range sizes {
		counts[b.Bucket] = b.Keys
		if b.Keys > 0 && b.Bytes == 0 {
			t.Errorf("%+v", b)
		}
	}
	if counts["meta"] < 2 || counts["setting"] != 1 {
		t.Errorf("keys of buckets: %v", counts)
	}
	if _, err = r.RegenerateAPIKey(t.Context(), System(), nil, nil); err == nil {
		t.Error("a change was made")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}

	if _, err := Open(oldFile(t, "v7.db.gz"), readOnly); !errors.Is(err, ErrOlder) {
		t.Errorf("an older layout: %v", err)
	}
}
