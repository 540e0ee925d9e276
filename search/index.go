// Package search is the index over the activity log: where Bleve lives, and
// nothing else does. The index is derived from the log in package store and
// may be deleted at any time; it follows the log by itself and never makes a
// writer wait. Whatever state it is in, a search is exact: what the index
// does not hold yet is read from the log.
//
// The index is a row of shards, each of them one segment of Bleve's and each
// over a part of the log, one behind the other. Young shards are in memory;
// several become one in a file, and files become larger ones, until they are
// full. Files are named after the positions they cover, so the directory says
// what there is, and dropping old entries is removing files.
package search

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"trento/store"
	"trento/store/activity"
)

// format is the layout of the documents and of what they are found by. Any
// change of document.go raises it, and an index of another format is built
// again.
const format = 2

// shardSize is the number of entries from which on a shard is full. Fewer and
// larger shards answer rare terms faster; smaller ones let a search for
// frequent terms stop earlier, and follow retention more closely.
const shardSize = 100_000

// ErrClosed says that the index has been closed.
var ErrClosed = errors.New("search index is closed")

// Index is an open index.
type Index struct {
	dir   string
	store *store.Store
	log   *slog.Logger
	size  int // shardSize, but in tests
	few   int // fewCandidates, but in tests
	// slots bounds how many searches run at the same time: they need a core
	// each, and agents need some, too.
	slots chan struct{}
	// readers has a slot for each reader.
	readers sync.Map

	sealing *sealing // by Run alone; nil where no full shard is being made

	mu      sync.Mutex
	shards  []*shard          // oldest first, without gaps
	indexed activity.Position // every entry up to here is in the shards, or was removed
	closed  bool
}

// Open opens the index in a directory of its own, creating it where it is
// missing. Files are trusted from the oldest on for as long as they are
// whole, follow one another without a gap and belong to the log of s; the
// others are removed, to be indexed again by Run. That nobody else uses the
// directory is the caller's to ensure; being open, s says so for its own.
func Open(dir string, s *store.Store, log *slog.Logger) (*Index, error) {
	x := &Index{
		dir: filepath.Join(dir, fmt.Sprintf("%d-%s", format, s.ID())), store: s, log: log,
		size: shardSize, few: fewCandidates, slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	if err := x.open(dir); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) open(dir string) error {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return err
	}
	others, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other.Name() == filepath.Base(x.dir) {
			continue
		}
		x.log.Info("search index of another format or log is removed", "name", other.Name())
		if err := os.RemoveAll(filepath.Join(dir, other.Name())); err != nil {
			return err
		}
	}
	_, oldest, err := x.ends()
	if err != nil {
		return err
	}
	spans, err := x.list()
	if err != nil {
		return err
	}
	for _, covers := range spans {
		if err := x.openNext(covers, oldest); err != nil {
			x.log.Warn("part of the search index is not to be trusted and is built again", "cause", err)
			if err := os.RemoveAll(x.path(covers)); err != nil {
				return err
			}
		}
	}
	if fault := x.checkLog(oldest); fault != nil {
		x.log.Warn("search index is not to be trusted and is built again", "cause", fault)
		return x.drop(len(x.shards), 0)
	}
	return nil
}

const (
	shardSuffix = ".zap" // as Bleve calls them
	// unfinishedSuffix marks a file that is being written: half a shard must
	// never be taken for one.
	unfinishedSuffix = ".unfinished"
)

func shardName(covers span) string {
	return fmt.Sprintf("%016x-%016x%s", uint64(covers.first), uint64(covers.last), shardSuffix)
}

func (x *Index) path(covers span) string { return filepath.Join(x.dir, shardName(covers)) }

// list gives what the files in the directory cover, oldest first and, where
// several begin at the same position, the largest first. Everything else is
// removed.
func (x *Index) list() ([]span, error) {
	files, err := os.ReadDir(x.dir)
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, file := range files {
		var covers span
		fields, err := fmt.Sscanf(strings.TrimSuffix(file.Name(), shardSuffix), "%x-%x", &covers.first, &covers.last)
		if err == nil && fields == 2 && shardName(covers) == file.Name() {
			spans = append(spans, covers)
			continue
		}
		if err := os.RemoveAll(filepath.Join(x.dir, file.Name())); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last))
	})
	return spans, nil
}

// openNext opens the shard behind those that are open.
func (x *Index) openNext(covers span, oldest activity.Position) error {
	switch {
	case covers.last <= x.indexed || covers.last < oldest:
		// What a merge, or the removal of old entries, had no time to remove.
		return os.Remove(x.path(covers))
	case len(x.shards) == 0 && covers.first > max(oldest, 1), len(x.shards) > 0 && covers.first != x.indexed+1:
		return fmt.Errorf("the shard before %s is missing", shardName(covers))
	}
	s, err := openShard(x.path(covers), covers)
	if err != nil {
		return fmt.Errorf("shard %s: %w", shardName(covers), err)
	}
	x.shards = append(x.shards, s)
	x.indexed = s.last
	return nil
}

// checkLog makes sure that the log holds the last entry that is indexed. A
// log restored from a backup does not.
func (x *Index) checkLog(oldest activity.Position) error {
	if x.indexed < oldest {
		return nil // nothing to compare, or dropped from the log since
	}
	return x.store.View(func(tx *store.Tx) error {
		if _, err := tx.Entry(x.indexed); err != nil {
			return fmt.Errorf("the log lacks what was indexed last: %w", err)
		}
		return nil
	})
}

// drop removes the oldest shards, files included, and sets how far the index
// reaches.
func (x *Index) drop(shards int, indexed activity.Position) error {
	x.mu.Lock()
	dropped := x.shards[:shards]
	x.shards = slices.Clone(x.shards[shards:])
	x.indexed = indexed
	x.mu.Unlock()
	var faults []error
	for _, s := range dropped {
		faults = append(faults, s.remove())
	}
	return errors.Join(faults...)
}

// replace puts one shard in the place of several, whose files are removed.
func (x *Index) replace(from, end int, merged *shard) error {
	x.mu.Lock()
	replaced := x.shards[from:end]
	x.shards = slices.Concat(x.shards[:from], []*shard{merged}, x.shards[end:])
	x.mu.Unlock()
	var faults []error
	for _, s := range replaced {
		faults = append(faults, s.remove())
	}
	return errors.Join(faults...)
}

// Close closes the index; what is in memory only is written first. Run has to
// have ended.
func (x *Index) Close() error {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return nil
	}
	x.closed = true
	x.mu.Unlock()
	err := x.persist()
	for _, s := range x.shards {
		err = errors.Join(err, s.bleve.DecRef())
	}
	return err
}

// acquire gives the shards as they are now and how far they reach; they stay
// open until release is called.
func (x *Index) acquire() (shards []*shard, indexed activity.Position, release func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, 0, nil, ErrClosed
	}
	shards = x.shards // never modified in place
	for _, s := range shards {
		s.bleve.AddRef()
	}
	return shards, x.indexed, func() {
		for _, s := range shards {
			if err := s.bleve.DecRef(); err != nil {
				x.log.Error("search index shard cannot be closed", "cause", err)
			}
		}
	}, nil
}

// Indexed is the position up to which the index holds the log. What lies
// behind it is found, too, only more slowly.
func (x *Index) Indexed() activity.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.indexed
}

// ends are the newest and the oldest position of the log.
func (x *Index) ends() (newest, oldest activity.Position, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		newest, oldest = tx.Newest(), tx.Oldest()
		return nil
	})
	return newest, oldest, err
}
