package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trento/store/check"
)

// TestCheckFiles checks that files are read again when they change, that a broken
// one costs itself only, and that earlier directories have precedence.
func TestCheckFiles(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	write := func(directory, name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(id, name string) string {
		return "id: \"" + id + "\"\nname: " + name + "\ngroup: G\ndescription: D\nremediation: R\nfacts: []\nexpectations:\n  - {name: e, expect: \"true\"}\n"
	}
	var log strings.Builder
	now := time.Now()
	files := &checkFiles{directories: []string{first, filepath.Join(first, "none"), second}, builtin: true, log: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }}
	write(first, "AAAAAA.yaml", file("AAAAAA", "of the first"))
	write(first, "VERSION", "1.2\n")
	write(second, "AAAAAA.yaml", file("AAAAAA", "of the second"))
	write(second, "BBBBBB.yaml", "id: [")
	write(second, "CCCCCC.yaml.wip", "id: [")
	write(second, "DDDDDD.yaml", strings.Repeat("#", check.MaxFileSize+1))
	if err := os.Mkdir(filepath.Join(second, "EEEEEE.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := files.Catalogue()
	if found := c.Find("AAAAAA"); found == nil || found.Name != "of the first" || c.Version != "1.2" || len(c.Shadowed) != 1 || len(c.Broken) != 2 || len(c.Checks) != 1+len(check.Builtin()) {
		t.Errorf("%d checks, version %q, shadowed %v, broken %v", len(c.Checks), c.Version, c.Shadowed, c.Broken)
	}
	if n := strings.Count(log.String(), "a check file cannot be used"); n != 2 {
		t.Errorf("%d lines about broken files:\n%s", n, &log)
	}
	if files.Catalogue() != c {
		t.Error("the catalogue was read again at once")
	}
	now = now.Add(catalogueAge)
	if files.Catalogue() != c {
		t.Error("the catalogue was read again although nothing has changed")
	}
	write(second, "BBBBBB.yaml", file("BBBBBB", "mended"))
	now = now.Add(catalogueAge)
	if c := files.Catalogue(); c.Find("BBBBBB") == nil || len(c.Broken) != 1 {
		t.Errorf("broken after one was mended: %v", c.Broken)
	}
}
