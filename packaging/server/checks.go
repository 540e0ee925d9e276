package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"trento/store/check"
	"trento/ui/execution"
)

// catalogueAge is how long the catalogue is used until the directories are
// looked at again.
const catalogueAge = 10 * time.Second

// The limits of check files.
const (
	maxCheckFiles     = 5000
	maxCheckFileBytes = 1 << 20
)

// checkFiles is the catalogue of the check files in some directories. It is read
// again when a file has changed.
type checkFiles struct {
	directories []string
	now         func() time.Time

	mu        sync.Mutex
	catalogue *check.Catalogue
	stamps    map[string]stamp // of the files that were read
	lookedAt  time.Time
}

// stamp tells whether a file has changed.
type stamp struct {
	size     int64
	modified time.Time
}

func newCheckFiles(directories ...string) *checkFiles {
	return &checkFiles{directories: directories, now: time.Now}
}

// Catalogue returns the present catalogue. Executions keep the checks that they
// have begun with.
func (c *checkFiles) Catalogue() *check.Catalogue {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogue != nil && c.now().Sub(c.lookedAt) < catalogueAge {
		return c.catalogue
	}
	c.lookedAt = c.now()
	stamps := c.stampAll()
	if c.catalogue != nil && len(stamps) == len(c.stamps) {
		same := true
		for path, s := range stamps {
			same = same && c.stamps[path] == s
		}
		if same {
			return c.catalogue
		}
	}
	var read [][]check.File
	for _, directory := range c.directories {
		var files []check.File
		for _, name := range namesIn(directory) {
			path := filepath.Join(directory, name)
			if content, err := os.ReadFile(path); err == nil && len(content) <= maxCheckFileBytes {
				files = append(files, check.File{Path: path, Name: name, Content: content})
			}
		}
		read = append(read, files)
	}
	c.catalogue, c.stamps = check.NewCatalogue(read...), stamps
	return c.catalogue
}

func (c *checkFiles) stampAll() map[string]stamp {
	stamps := make(map[string]stamp)
	for _, directory := range c.directories {
		for _, name := range namesIn(directory) {
			path := filepath.Join(directory, name)
			if info, err := os.Stat(path); err == nil {
				stamps[path] = stamp{info.Size(), info.ModTime()}
			}
		}
	}
	return stamps
}

// namesIn returns the names of the check files in a directory. One that is not
// there has none.
func namesIn(directory string) (names []string) {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".yaml") && !e.IsDir() && len(names) < maxCheckFiles {
			names = append(names, e.Name())
		}
	}
	return names
}

// newExecutions returns what runs checks.
func (s *server) newExecutions() *execution.Runner {
	directories := append(strings.Split(s.config.ChecksPath, ":"), filepath.Join(s.config.DataDir, "checks"))
	interval := time.Duration(s.config.ChecksInterval) * time.Minute
	return execution.New(execution.Options{
		Store: s.store, Bus: s.messages, Catalogue: newCheckFiles(directories...).Catalogue, Log: s.log,
		Interval: interval, Timeout: min(s.config.ChecksTimeout, interval),
	})
}
