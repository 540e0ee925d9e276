package search

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"trento/store"
	"trento/store/activity"
	"trento/store/storetest"
)

// reopen opens an index that was closed and says what it logged.
func reopen(t *testing.T, dir string, s *store.Store) (*Index, string) {
	t.Helper()
	var log lines
	x, err := Open(dir, s, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	x.segmentSize, x.verifyLimit = 100, 0
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Errorf("close index: %v", err)
		}
	})
	return x, log.String()
}

// build makes an index of three segments and closes it.
func build(t *testing.T, s *store.Store) (dir string) {
	t.Helper()
	dir = t.TempDir()
	x := open(t, dir, s)
	followSome(t, x, 1000, 25)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if files := segmentPaths(t, dir); len(files) != 3 {
		t.Fatalf("%d files instead of 3: %v", len(files), files)
	}
	return dir
}

func segmentPaths(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// searches are asked before and after the index has caught up.
func checkSearches(t *testing.T, x *Index) {
	t.Helper()
	for range 2 {
		for _, query := range []string{"", "hana01", "*a*", ">4", "absent"} {
			for _, forward := range []bool{false, true} {
				expect(t, x, activity.Filter{Search: parse(t, query)}, Walk{Limit: 50, Forward: forward})
			}
		}
		follow(t, x)
	}
	newest, _, err := x.logBounds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if x.indexedUpTo != newest {
		t.Errorf("indexed up to %d, the log ends at %d", x.indexedUpTo, newest)
	}
}

func TestReopen(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	dir := build(t, s)
	write(t, s, someRecords(40)...)
	x, log := reopen(t, dir, s)
	if log != "" {
		t.Errorf("a sound index is opened with %s", log)
	}
	if got := len(entries(t, s)); x.indexedUpTo == 0 || got != 290 && got != 291 {
		t.Fatalf("indexed up to %d, %d entries", x.indexedUpTo, got)
	}
	checkSearches(t, x)
}

func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage func(t *testing.T, dir string)
		kept   int // segments that must still be trusted
	}{
		{"everything deleted", func(t *testing.T, dir string) { remove(t, dir) }, 0},
		{"first segment deleted", func(t *testing.T, dir string) { remove(t, segmentPaths(t, dir)[0]) }, 0},
		{"middle segment deleted", func(t *testing.T, dir string) { remove(t, segmentPaths(t, dir)[1]) }, 1},
		{"last segment deleted", func(t *testing.T, dir string) { remove(t, segmentPaths(t, dir)[2]) }, 2},
		{"first segment garbled", func(t *testing.T, dir string) { garble(t, segmentPaths(t, dir)[0]) }, 0},
		{"segment garbled", func(t *testing.T, dir string) { garble(t, segmentPaths(t, dir)[2]) }, 2},
		{"segment cut", func(t *testing.T, dir string) { cut(t, segmentPaths(t, dir)[2]) }, 2},
		{"segment empty", func(t *testing.T, dir string) { overwrite(t, segmentPaths(t, dir)[2], nil) }, 2},
		{"segment a directory", func(t *testing.T, dir string) {
			path := segmentPaths(t, dir)[2]
			remove(t, path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, 2},
		{"one bit of a segment", func(t *testing.T, dir string) {
			path := segmentPaths(t, dir)[2]
			content := read(t, path)
			content[len(content)/3] ^= 4
			overwrite(t, path, content)
		}, 2},
		{"one segment under the name of another", func(t *testing.T, dir string) {
			overwrite(t, segmentPaths(t, dir)[1], read(t, segmentPaths(t, dir)[0]))
		}, 1},
		{"half written segment", func(t *testing.T, dir string) {
			path := segmentPaths(t, dir)[2]
			overwrite(t, path+partialSuffix, read(t, path)[:100])
		}, 3},
		{"strangers", func(t *testing.T, dir string) {
			overwrite(t, filepath.Join(filepath.Dir(segmentPaths(t, dir)[0]), "notes.txt"), nil)
			overwrite(t, filepath.Join(dir, "notes.txt"), nil)
		}, 3},
		{"parts of a merged segment", func(t *testing.T, dir string) {
			path := segmentPaths(t, dir)[1]
			covers := strings.Split(filepath.Base(path), "-")
			overwrite(t, filepath.Join(filepath.Dir(path), covers[0]+"-"+covers[0]+segmentSuffix), read(t, path)[:100])
		}, 3},
	}
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := build(t, s)
			test.damage(t, dir)
			x, _ := reopen(t, dir, s)
			if kept := len(x.segments); kept != test.kept || kept == 0 && x.indexedUpTo != 0 {
				t.Errorf("%d segments up to %d are trusted, want %d", kept, x.indexedUpTo, test.kept)
			}
			if paths := segmentPaths(t, dir); len(paths) != len(x.segments) {
				t.Errorf("the directory still holds %v", paths)
			}
			checkSearches(t, x)
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func garble(t *testing.T, path string) {
	t.Helper()
	content := read(t, path)
	for i := range content {
		content[i] ^= 0x5a
	}
	overwrite(t, path, content)
}

func cut(t *testing.T, path string) {
	t.Helper()
	content := read(t, path)
	overwrite(t, path, content[:len(content)/2])
}

// TestForeignLog puts the index of one log beside another.
func TestForeignLog(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	dir := build(t, s)
	other := storetest.OpenAt(t, newClock().Now)
	write(t, other, someRecords(300)...)
	x, log := reopen(t, dir, other)
	if x.indexedUpTo != 0 || !strings.Contains(log, "of another format or log") {
		t.Errorf("trusted up to %d; logged %q", x.indexedUpTo, log)
	}
	checkSearches(t, x)
}

// TestRestoredLog goes back to an earlier state of the same log, and writes on.
func TestRestoredLog(t *testing.T) {
	clock := newClock()
	dir, backup := t.TempDir(), t.TempDir()
	s := openStore(t, dir, clock.Now)
	write(t, s, someRecords(100)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, dir, clock.Now)
	write(t, s, someRecords(150)...)
	indexDir := build(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	restored := storetest.OpenIn(t, backup, clock.Now)
	write(t, restored, someRecords(20)...)
	x, log := reopen(t, indexDir, restored)
	if x.indexedUpTo != 0 || !strings.Contains(log, "lacks") {
		t.Errorf("trusted up to %d; logged %q", x.indexedUpTo, log)
	}
	checkSearches(t, x)
}

func TestOtherFormat(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	dir := build(t, s)
	if err := os.Rename(filepath.Dir(segmentPaths(t, dir)[0]), filepath.Join(dir, "0-"+s.ID())); err != nil {
		t.Fatal(err)
	}
	x, log := reopen(t, dir, s)
	if x.indexedUpTo != 0 || !strings.Contains(log, "of another format or log") {
		t.Errorf("trusted up to %d; logged %q", x.indexedUpTo, log)
	}
	checkSearches(t, x)
}

func TestNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	overwrite(t, file, nil)
	if _, err := Open(file, storetest.Open(t), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a file can be opened as an index")
	}
}

// TestPrune drops the segments of entries the log does not hold any more.
func TestPrune(t *testing.T) {
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(250)...)
	dir := build(t, s)
	x, _ := reopen(t, dir, s)
	second, indexed := x.segments[1].first, x.indexedUpTo
	for _, test := range []struct {
		oldest activity.Position
		left   int
	}{{0, 3}, {1, 3}, {second - 1, 3}, {second, 2}, {second + 1, 2}, {indexed, 1}, {lastPosition, 0}} {
		err := x.pruneSegments(test.oldest)
		if files := segmentPaths(t, dir); err != nil || len(x.segments) != test.left || len(files) != test.left || x.indexedUpTo != indexed {
			t.Fatalf("with a log from %d on, %d segments up to %d are left in %v (%v), want %d up to %d", test.oldest, len(x.segments), x.indexedUpTo, files, err, test.left, indexed)
		}
	}
}

// TestRun follows a log that grows, and ends when told to.
func TestRun(t *testing.T) {
	t.Parallel()
	s := storetest.OpenAt(t, newClock().Now)
	write(t, s, someRecords(10)...)
	indexed := make(chan struct{}, 1000)
	var log lines
	log.onLine = func(line string) {
		if strings.Contains(line, "indexed") {
			indexed <- struct{}{}
		}
	}
	x, err := Open(t.TempDir(), s, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := x.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	<-indexed
	for range 3 {
		write(t, s, someRecords(1)...)
		<-indexed
	}
	cancel()
	running.Wait()
	newest, _, err := x.logBounds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if x.indexedUpTo != newest {
		t.Errorf("indexed up to %d, the log ends at %d", x.indexedUpTo, newest)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
