// Package search is the index over the activity log: where Bleve lives, and
// nothing else does. The index is derived from the log in package store and
// may be deleted at any time; it follows the log by itself and never makes a
// writer wait. Whatever state it is in, a search is exact: what the index
// does not hold yet is read from the log.
//
// The index is a directory of shards, one Bleve index each, cut by time. A
// shard is named after the first position of the log it covers and ends where
// the next one begins, so dropping old entries is removing a directory.
package search

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"trento/store"
	"trento/store/activity"
)

// shardSize is the number of entries from which on a shard is full. Fewer and
// larger shards answer rare terms faster; smaller ones follow retention more
// closely.
const shardSize = 100_000

// ErrInUse says that another process has the index open.
var ErrInUse = errors.New("search index is in use by another process")

// ErrClosed says that the index has been closed.
var ErrClosed = errors.New("search index is closed")

// Index is an open index.
type Index struct {
	dir   string
	store *store.Store
	log   *slog.Logger
	size  uint64 // shardSize, but in tests
	ahead int    // scanAhead, but in tests

	mu      sync.Mutex
	shards  []*shard          // oldest first; the last one grows; none when closed
	indexed activity.Position // every entry up to here is in the shards
}

// Open opens the index in a directory of its own, creating it where it is
// missing. Shards are trusted from the oldest on for as long as they are
// whole, follow one another without a gap and belong to the log of s; the
// others are removed, to be indexed again by Run. It fails with ErrInUse where
// another process has the index open.
func Open(dir string, s *store.Store, log *slog.Logger) (*Index, error) {
	x := &Index{dir: dir, store: s, log: log, size: shardSize, ahead: scanAhead}
	if err := x.open(); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) open() error {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return err
	}
	starts, err := x.clean()
	if err != nil {
		return err
	}
	trusted := 0
	var doubt error
	for _, first := range starts {
		if doubt = x.openNext(first); doubt != nil {
			break
		}
		trusted++
	}
	if errors.Is(doubt, ErrInUse) {
		return doubt
	}
	if doubt == nil && trusted > 0 {
		if doubt = x.checkLog(); doubt != nil {
			trusted = 0
		}
	}
	if doubt != nil {
		x.log.Warn("search index is not to be trusted and is built again", "cause", doubt)
	}
	return x.replace(starts, trusted)
}

// clean removes what an interrupted removal has left and lists the starts of
// the shards in the directory.
func (x *Index) clean() ([]activity.Position, error) {
	files, err := os.ReadDir(x.dir)
	if err != nil {
		return nil, err
	}
	var starts []activity.Position
	for _, file := range files {
		name := file.Name()
		if strings.HasSuffix(name, removedSuffix) {
			if err := os.RemoveAll(filepath.Join(x.dir, name)); err != nil {
				return nil, err
			}
		}
		if first, err := strconv.ParseUint(name, 16, 64); err == nil && shardName(activity.Position(first)) == name {
			starts = append(starts, activity.Position(first))
		}
	}
	return starts, nil // in the order of names, which is that of positions
}

// openNext opens the shard after those that are open.
func (x *Index) openNext(first activity.Position) error {
	if len(x.shards) > 0 && first != x.indexed+1 {
		return fmt.Errorf("shard %s is missing", shardName(x.indexed+1))
	}
	if len(x.shards) == 0 {
		_, oldest, err := x.ends()
		if err != nil {
			return err
		}
		if first > max(oldest, 1) {
			return fmt.Errorf("the shard before %s is missing", shardName(first))
		}
	}
	s, err := openShard(x.path(first), first, x.store.ID())
	if err != nil {
		return fmt.Errorf("shard %s: %w", shardName(first), err)
	}
	x.shards = append(x.shards, s)
	x.indexed = s.last
	return nil
}

// checkLog makes sure that the log holds the last entry that is indexed. A
// log restored from a backup does not.
func (x *Index) checkLog() error {
	return x.store.View(func(tx *store.Tx) error {
		if x.indexed == 0 || x.indexed < tx.Oldest() {
			return nil // nothing to compare, or dropped from the log since
		}
		if _, err := tx.Entry(x.indexed); err != nil {
			return fmt.Errorf("the log lacks what was indexed last: %w", err)
		}
		return nil
	})
}

// replace keeps the first shards only and makes sure that there is one to
// grow.
func (x *Index) replace(starts []activity.Position, trusted int) error {
	for len(x.shards) > trusted {
		last := len(x.shards) - 1
		if err := x.shards[last].close(); err != nil {
			return err
		}
		x.shards = x.shards[:last]
		x.indexed = 0
	}
	for _, first := range starts[trusted:] {
		if err := removeShard(x.path(first)); err != nil {
			return err
		}
	}
	if len(x.shards) == 0 {
		return x.grow()
	}
	return nil
}

// grow begins a new shard behind what is indexed.
func (x *Index) grow() error {
	first := x.indexed + 1
	s, err := createShard(x.path(first), first, x.store.ID())
	if err != nil {
		return fmt.Errorf("shard %s: %w", shardName(first), err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.shards = append(x.shards, s)
	return nil
}

// Close closes the index and waits for searches under way. Run has to have
// ended.
func (x *Index) Close() error {
	x.mu.Lock()
	shards := x.shards
	x.shards = nil
	x.mu.Unlock()
	var faults []error
	for _, s := range shards {
		faults = append(faults, s.close())
	}
	return errors.Join(faults...)
}

// acquire gives the shards as they are now and how far they reach; they stay
// open until release is called.
func (x *Index) acquire() (shards []*shard, indexed activity.Position, release func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.shards) == 0 {
		return nil, 0, nil, ErrClosed
	}
	shards = slices.Clone(x.shards)
	for _, s := range shards {
		s.users.Add(1)
	}
	return shards, x.indexed, func() {
		for _, s := range shards {
			s.users.Done()
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

func (x *Index) path(first activity.Position) string {
	return filepath.Join(x.dir, shardName(first))
}

func shardName(first activity.Position) string { return fmt.Sprintf("%016x", uint64(first)) }
