// Package search is the index over the activity log: where Bleve lives, and
// nothing else does. The index is derived from the log in package store and
// may be deleted at any time; it follows the log by itself and never makes a
// writer wait. Two rules make it simple:
//
//   - A search is exact at any moment. [Index.Activity] reads what the index
//     does not hold yet from the log and matches it with
//     activity.Filter.Match, which is the definition of a filter, and asks the
//     index for the rest. So an entry is found as soon as the change it
//     records is visible, also while the index is being built.
//   - The directory is the state. A file's name says which positions of the
//     log it covers. At the start, files are trusted from the oldest on for as
//     long as they are whole and leave no gap; everything else is removed and
//     indexed again by following the log, which is all a rebuild is. Files lie
//     in a directory named after the format of the index and the id of the
//     store; any other is removed. So is an index that is ahead of its log (a
//     restored backup).
//
// # Segments
//
// The index is a row of immutable segments, each over a part of the log, one
// behind the other, as in a log-structured merge tree. New entries are indexed
// in batches (follow.go) and are segments in memory at first. Eight of them
// are merged into a file, together with the files before them that are no
// larger (compact.go), so files stay few and no entry is written often. From
// [segmentSize] entries on a segment is full and stays as it is. What a crash
// takes, at most what was in memory, is indexed again. Retention removes the files whose entries are all
// gone; of the segment on the border, a search sees the documents from the
// oldest entry on.
//
// A segment is one of Bleve's (zapx, made from documents of our own): for
// each field a dictionary from term to the set of documents that have it, as a
// roaring bitmap, and for each document its stored id. We do without Bleve's
// index (scorch), query language and collector, for three reasons, measured
// with a million entries (docs/performance.md). BenchmarkBleve compares both
// with 4,096 entries, where ours is found in 2 to 10 times faster:
//
//  1. Scorch numbers documents in no particular order, so each hit of a search
//     must be visited and sorted: 100 ms for a frequent term. Our segments are
//     made in the order of the log. A document's number is its place in time;
//     the newest 20 hits are the last 20 bits of a set, the total is its number
//     of bits, a period is a range of bits.
//  2. A dictionary is an automaton and has to be walked value by value: a second
//     for *dead*. A [termList] is searched at the speed of bytes.Index.
//  3. Scorch syncs each batch and merges in goroutines of its own. Here one
//     goroutine, [Index.Run], does all the writing.
//
// segment.go and termlist.go are the only code that knows how Bleve stores
// things. TestAgreesWithBleve gives random entries and searches to Bleve as it
// comes, scorch and queries, and compares. A new version of zapx that reads the
// old files needs nothing; one that does not needs a new [format].
//
// # The way of one search
//
//  1. [Index.Activity] waits for the slot of its reader, who has one, and for
//     one of as many slots as there are cores.
//  2. Everything has its place on one line, the positions: the dates of the
//     filter, the oldest entry of the log, the cursor.
//  3. The part behind the index is scanned in the log; in a server at rest it is
//     empty.
//  4. Segment by segment in the order of the walk, until the page is full (or all
//     of them at the same time, where the total is wanted), a range of documents
//     is filtered by type, actor and severity, which are terms of a field, then
//     by the search.
//  5. The search is first answered roughly, as if terms with stars were true of
//     everything. There is no negation, so the rough answer only errs by too
//     much; where it leaves [verifyLimit] candidates or fewer, their entries are
//     read and matched. Else the term lists are searched. Of "*0* AND rare" only
//     what has rare is ever looked at.
//  6. The entries of the page are read from the store. If one has been removed
//     meanwhile, the search begins again.
//
// Documents hold the folded leaf values of the metadata, unanalysed, in three
// fields by class: plain words, id-like values, everything else. Numbers and
// booleans are terms, too, and comparisons look at all distinct numbers. The
// classes keep the term list that a *word* must be looked for in small: ids are
// nearly all of it, and a word with letters beyond f cannot be part of one.
package search

import (
	"cmp"
	"context"
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
const format = 3

// segmentSize is the number of entries from which on a segment is full. Fewer and
// larger segments answer rare terms faster; smaller ones let a search for
// frequent terms stop earlier, and follow retention more closely.
const segmentSize = 100_000

// ErrClosed says that the index has been closed.
var ErrClosed = errors.New("search index is closed")

// Index is an open index.
type Index struct {
	dir         string
	store       *store.Store
	log         *slog.Logger
	segmentSize int // another one in tests only
	verifyLimit int // another one in tests only
	// slots bounds how many searches run at the same time: they need a core
	// each, and agents need some, too.
	slots chan struct{}
	// readers has a slot for each reader.
	readers sync.Map

	mu       sync.Mutex
	segments []*segment        // oldest first, without gaps
	indexed  activity.Position // every entry up to here is in the segments, or was removed
	closed   bool
}

// Open opens the index in a directory of its own, creating it where it is
// missing. Files are trusted from the oldest on for as long as they are
// whole, follow one another without a gap and belong to the log of s; the
// others are removed, to be indexed again by Run. That nobody else uses the
// directory is the caller's to ensure; being open, s says so for its own.
func Open(dir string, s *store.Store, log *slog.Logger) (*Index, error) {
	x := &Index{
		dir: filepath.Join(dir, fmt.Sprintf("%d-%s", format, s.ID())), store: s, log: log,
		segmentSize: segmentSize, verifyLimit: verifyLimit, slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
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
	_, oldest, err := x.logBounds(context.Background())
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
		return x.drop(len(x.segments), 0)
	}
	return nil
}

const (
	segmentSuffix = ".zap" // as Bleve calls them
	// partialSuffix marks a file that is being written: half a segment must
	// never be taken for one.
	partialSuffix = ".unfinished"
)

func segmentName(covers span) string {
	return fmt.Sprintf("%016x-%016x%s", uint64(covers.first), uint64(covers.last), segmentSuffix)
}

func (x *Index) path(covers span) string { return filepath.Join(x.dir, segmentName(covers)) }

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
		fields, err := fmt.Sscanf(strings.TrimSuffix(file.Name(), segmentSuffix), "%x-%x", &covers.first, &covers.last)
		if err == nil && fields == 2 && segmentName(covers) == file.Name() {
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

// openNext opens the segment behind those that are open.
func (x *Index) openNext(covers span, oldest activity.Position) error {
	switch {
	case covers.last <= x.indexed || covers.last < oldest:
		// What a merge, or the removal of old entries, had no time to remove.
		return os.Remove(x.path(covers))
	case len(x.segments) == 0 && covers.first > max(oldest, 1), len(x.segments) > 0 && covers.first != x.indexed+1:
		return fmt.Errorf("the segment before %s is missing", segmentName(covers))
	}
	s, err := openSegment(x.path(covers), covers)
	if err != nil {
		return fmt.Errorf("segment %s: %w", segmentName(covers), err)
	}
	x.segments = append(x.segments, s)
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

// drop removes the oldest segments, files included, and sets how far the index
// reaches.
func (x *Index) drop(segments int, indexed activity.Position) error {
	x.mu.Lock()
	dropped := x.segments[:segments]
	x.segments = slices.Clone(x.segments[segments:])
	x.indexed = indexed
	x.mu.Unlock()
	var faults []error
	for _, s := range dropped {
		faults = append(faults, s.remove())
	}
	return errors.Join(faults...)
}

// replace puts one segment in the place of several, whose files are removed.
func (x *Index) replace(from, end int, merged *segment) error {
	x.mu.Lock()
	replaced := x.segments[from:end]
	x.segments = slices.Concat(x.segments[:from], []*segment{merged}, x.segments[end:])
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
	err := x.flush()
	for _, s := range x.segments {
		err = errors.Join(err, s.bleve.DecRef())
	}
	return err
}

// acquire gives the segments as they are now and how far they reach; they stay
// open until release is called.
func (x *Index) acquire() (segments []*segment, indexed activity.Position, release func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, 0, nil, ErrClosed
	}
	segments = x.segments // never modified in place
	for _, s := range segments {
		s.bleve.AddRef()
	}
	return segments, x.indexed, func() {
		for _, s := range segments {
			if err := s.bleve.DecRef(); err != nil {
				x.log.Error("search index segment cannot be closed", "cause", err)
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

// logBounds are the newest and the oldest position of the log.
func (x *Index) logBounds(ctx context.Context) (newest, oldest activity.Position, err error) {
	err = x.store.ViewIn(ctx, func(tx *store.Tx) error {
		newest, oldest = tx.Newest(), tx.Oldest()
		return nil
	})
	return newest, oldest, err
}
