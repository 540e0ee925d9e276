package server

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"maps"
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

// maxCheckFiles is the largest number of files that are read of a directory.
const maxCheckFiles = 5000

// versionFile is the file of a directory that says its version.
const versionFile = "VERSION"

// checkFiles is the catalogue of the check files in some directories. It is read
// again when a file has changed.
type checkFiles struct {
	directories []string // the first has precedence
	builtin     bool     // the checks that are part of the program follow
	log         *slog.Logger
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

// Catalogue returns the present catalogue. Executions keep the checks that they
// have begun with.
func (c *checkFiles) Catalogue() *check.Catalogue {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.catalogue != nil && c.now().Sub(c.lookedAt) < catalogueAge {
		return c.catalogue
	}
	c.lookedAt = c.now()
	stamps := make(map[string]stamp)
	for _, directory := range c.directories {
		for _, name := range c.namesIn(directory) {
			path := filepath.Join(directory, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				stamps[path] = stamp{info.Size(), info.ModTime()}
			}
		}
	}
	if c.catalogue == nil || !maps.Equal(stamps, c.stamps) {
		c.catalogue, c.stamps = c.read(stamps), stamps
	}
	return c.catalogue
}

// read reads the files with a stamp.
func (c *checkFiles) read(stamps map[string]stamp) *check.Catalogue {
	var files [][]check.File
	var directories []check.Directory
	version := ""
	for i, directory := range c.directories {
		var read []check.File
		for _, name := range c.namesIn(directory) {
			path := filepath.Join(directory, name)
			if _, regular := stamps[path]; !regular {
				continue
			}
			content, err := readStart(path, check.MaxFileSize+1) // a longer one is refused as too large
			switch {
			case err != nil:
				c.log.Warn("a check file cannot be read", "file", path, "error", err)
			case name != versionFile:
				read = append(read, check.File{Path: path, Name: name, Content: content})
			case i == 0:
				version = string(bytes.TrimSpace(content))
			}
		}
		files, directories = append(files, read), append(directories, check.Directory{Path: directory, Files: len(read)})
	}
	if c.builtin {
		own := check.Builtin()
		files, directories = append(files, own), append(directories, check.Directory{Path: check.BuiltinPath, Files: len(own)})
	}
	catalogue := check.NewCatalogue(files...)
	catalogue.Directories, catalogue.Version, catalogue.ReadAt = directories, version, c.now()
	for _, fault := range catalogue.Broken {
		c.log.Warn("a check file cannot be used", "file", fault.Path, "line", fault.Line, "reason", fault.Reason)
	}
	return catalogue
}

// readStart reads the first bytes of a file.
func readStart(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// namesIn returns the names of the check files in a directory, and of versionFile.
// A directory that is not there has none.
func (c *checkFiles) namesIn(directory string) (names []string) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		if !os.IsNotExist(err) {
			c.log.Warn("a directory with check files cannot be read", "directory", directory, "error", err)
		}
		return nil
	}
	for _, e := range entries {
		isCheck := strings.HasSuffix(e.Name(), check.Extension) || e.Name() == versionFile
		if isCheck && e.Type()&fs.ModeDir == 0 && len(names) < maxCheckFiles {
			names = append(names, e.Name())
		}
	}
	return names
}

// newExecutions returns what runs checks.
func (s *server) newExecutions() *execution.Runner {
	files := &checkFiles{builtin: s.config.ChecksBuiltin, log: s.log, now: time.Now}
	for directory := range strings.SplitSeq(s.config.ChecksPath, ":") {
		if directory != "" {
			files.directories = append(files.directories, directory)
		}
	}
	files.directories = append(files.directories, filepath.Join(s.config.DataDir, "checks"))
	interval := time.Duration(s.config.ChecksInterval) * time.Minute
	return execution.New(execution.Options{
		Store: s.store, Bus: s.messages, Catalogue: files.Catalogue, Log: s.log,
		Interval: interval, Timeout: min(s.config.ChecksTimeout, interval),
	})
}
