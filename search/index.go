// Package search is the index over the activity log. It is the only package that
// uses Bleve. The index is derived from the log in package store and may be
// deleted at any time. It follows the log by itself, and no writer waits for it.
// Two rules keep it simple:
//
//   - A search is exact at any moment. [Index.Activity] reads entries that are
//     not indexed yet from the log and matches them with activity.Filter.Match,
//     which defines what a filter means. The rest is searched in the index. So
//     an entry is found as soon as the change it records is visible, also while
//     the index is built.
//   - The directory is the state. The name of a file is the part of the log that
//     the file covers. At the start, files are trusted from the oldest on for as
//     long as they are whole and leave no gap. Other files are deleted, and their
//     part of the log is indexed again, which is all that a rebuild is. The files
//     lie in a directory named after the format of the index and the id of the
//     store. Other directories are deleted, and so is an index that is ahead of
//     its log, as after the restore of a backup.
//
// # Segments
//
// The index is a row of immutable segments, each over a part of the log, as in a
// log-structured merge tree. New entries are indexed in batches (follow.go),
// which are segments in memory at first. Eight of them are merged into a file,
// together with the files before them that are no larger (compact.go). So files
// stay few and no entry is written often. A segment with [segmentSize] entries is
// full and stays as it is. After a crash, what was in memory is indexed again.
// Retention deletes the files whose entries the log has removed. In the segment
// at the border, searches begin at the oldest entry of the log.
//
// A segment is one of Bleve's (zapx) with documents of our own: for each field a
// dictionary from a term to the set of documents that have it, a roaring bitmap,
// and for each document its stored id. Bleve's index (scorch), query language and
// collector are not used, for three reasons, measured with a million entries
// (docs/performance.md). BenchmarkBleve compares both with 4,096 entries, where
// ours is 2 to 10 times faster:
//
//  1. Scorch numbers documents in no particular order, so all hits have to be
//     sorted: 100 ms for a frequent term. Our segments are made in the order of
//     the log, so the number of a document is its place in time. The newest 20
//     hits are the last 20 bits of a set, the total is its number of bits, a
//     period is a range of bits.
//  2. A dictionary is an automaton and has to be walked value by value, which
//     takes a second for *dead*. A [termList] is searched at the speed of
//     bytes.Index.
//  3. Scorch syncs each batch and merges in goroutines of its own. Here one
//     goroutine, [Index.Run], does all the writing.
//
// Only segment.go and termlist.go know how Bleve stores things. TestAgreesWithBleve
// compares random searches with the answers of Bleve's own index. A new version
// of zapx that cannot read the old files needs a new [format].
//
// # The way of one search
//
//  1. [Index.Activity] waits until the reader has no other search, and fewer
//     searches run than there are cores.
//  2. The dates of the filter, the oldest entry of the log and the cursor become
//     one span of positions.
//  3. The part of the log behind the index is scanned. In an idle server it is
//     empty.
//  4. The segments are searched in the order of the walk until the page is full;
//     for the total, all of them at the same time. The documents in the span are
//     filtered by type, actor and severity, which are terms of a field, and then
//     by the search.
//  5. The search is first answered approximately, as if terms with stars were true
//     of every document. There is no negation, so that answer has documents too
//     many and never too few. If it has [verifyLimit] of them or fewer, their
//     entries are read and matched. Otherwise the term lists are searched. So
//     "*0* AND rare" reads only the entries that have rare.
//  6. The entries of the page are read from the store. If one of them has been
//     removed meanwhile, the search begins again.
//
// Documents have the folded leaf values of the metadata as terms, in three fields:
// plain words, values like ids, and all others. Numbers and booleans are terms,
// too; comparisons look at all distinct numbers. The three fields keep the term
// list small that a *word* is searched for in: most values are ids, and a word
// with letters beyond f cannot be part of one.
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
	"sync/atomic"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/failure"
)

// indexFormat is the number of the layout of the documents. Increase it with every
// change of document.go. An index with another format is rebuilt.
const indexFormat = 3

// segmentSize is the number of entries of a full segment. Larger segments make
// searches for rare terms faster. Smaller segments let a search for frequent
// terms stop earlier, and are deleted sooner after their entries are pruned.
const segmentSize = 100_000

// ErrClosed means that the index has been closed.
var ErrClosed = errors.New("search index is closed")

// Index is an open index.
type Index struct {
	// Batched is called after each batch of entries that was indexed, with how
	// long that took. nil: it is not called. It is set before Run.
	Batched func(entries int, took time.Duration)

	dir         string
	store       *store.Store
	log         *slog.Logger
	segmentSize int // the constant segmentSize, except in tests
	verifyLimit int // the constant verifyLimit, except in tests
	// slots limits the number of concurrent searches, because each needs a
	// core.
	slots chan struct{}
	// readers is a map from the name of a reader to a channel with the reader's
	// only slot.
	readers sync.Map
	// damaged: a segment cannot be read any more. Searches read the log until
	// Run has deleted all segments.
	damaged atomic.Bool

	mu          sync.Mutex
	segments    []*segment        // oldest first, without gaps
	indexedUpTo activity.Position // every entry up to this position is in the segments or was pruned
	closed      bool
}

// Open opens the index in a directory of its own, or creates it. It trusts
// files from the oldest on, as long as they are whole, leave no gap and belong
// to the log of s. It deletes the others, and Run indexes their entries again.
// The caller ensures that nobody else uses the directory, for example by
// keeping it beside s.
func Open(dir string, s *store.Store, log *slog.Logger) (*Index, error) {
	x := &Index{
		dir: filepath.Join(dir, fmt.Sprintf("%d-%s", indexFormat, s.ID())), store: s, log: log,
		segmentSize: segmentSize, verifyLimit: verifyLimit, slots: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	err := x.openFiles(dir)
	if failure.IsOfDisk(err) {
		// Run tries again to write files. Searches do not need them.
		s.Failures().Begin(failure.Index, failure.DiskCause(err), err)
		return x, nil
	}
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

func (x *Index) openFiles(dir string) error {
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
	spans, err := x.listFiles()
	if err != nil {
		return err
	}
	for _, covers := range spans {
		if err := x.openNext(covers, oldest); err != nil {
			x.log.Warn("part of the search index is not to be trusted and is built again", "cause", err)
			if err := os.RemoveAll(x.filePath(covers)); err != nil {
				return err
			}
		}
	}
	if fault := x.checkLog(oldest); fault != nil {
		x.log.Warn("search index is not to be trusted and is built again", "cause", fault)
		return x.deleteOldest(len(x.segments), 0)
	}
	return nil
}

const (
	segmentSuffix = ".zap" // the suffix of Bleve's segment files
	// partialSuffix marks a file that is still being written, so that half a
	// segment is never read.
	partialSuffix = ".unfinished"
)

func segmentName(covers span) string {
	return fmt.Sprintf("%016x-%016x%s", uint64(covers.first), uint64(covers.last), segmentSuffix)
}

func (x *Index) filePath(covers span) string { return filepath.Join(x.dir, segmentName(covers)) }

// listFiles returns the spans of the segment files in the directory, oldest first.
// Of files that begin at the same position, the largest comes first. list
// deletes all other files.
func (x *Index) listFiles() ([]span, error) {
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

// openNext opens the file of the next segment. It fails if the file is damaged
// or does not follow the segment before it.
func (x *Index) openNext(covers span, oldest activity.Position) error {
	switch {
	case covers.last <= x.indexedUpTo || covers.last < oldest:
		// A merge or a prune was interrupted before it could delete this file.
		return os.Remove(x.filePath(covers))
	case len(x.segments) == 0 && covers.first > max(oldest, 1), len(x.segments) > 0 && covers.first != x.indexedUpTo+1:
		return fmt.Errorf("the segment before %s is missing", segmentName(covers))
	}
	s, err := openSegment(x.filePath(covers), covers)
	if err != nil {
		return fmt.Errorf("segment %s: %w", segmentName(covers), err)
	}
	x.segments = append(x.segments, s)
	x.indexedUpTo = s.last
	return nil
}

// checkLog checks that the log contains the last indexed entry. A log that was
// restored from a backup may lack it.
func (x *Index) checkLog(oldest activity.Position) error {
	if x.indexedUpTo < oldest {
		return nil // nothing is indexed, or the log has pruned the entry meanwhile
	}
	return x.store.View(func(tx *store.Tx) error {
		if _, err := tx.Entry(x.indexedUpTo); err != nil {
			return fmt.Errorf("the log lacks what was indexed last: %w", err)
		}
		return nil
	})
}

// deleteOldest deletes the oldest segments with their files, and sets the
// position up to which the log is indexed.
func (x *Index) deleteOldest(segments int, indexed activity.Position) error {
	x.mu.Lock()
	dropped := x.segments[:segments]
	x.segments = slices.Clone(x.segments[segments:])
	x.indexedUpTo = indexed
	x.mu.Unlock()
	var faults []error
	for _, s := range dropped {
		faults = append(faults, s.delete())
	}
	return errors.Join(faults...)
}

// replaceSegments replaces several segments by one and deletes their files.
func (x *Index) replaceSegments(from, end int, merged *segment) error {
	x.mu.Lock()
	replaced := x.segments[from:end]
	x.segments = slices.Concat(x.segments[:from], []*segment{merged}, x.segments[end:])
	x.mu.Unlock()
	var faults []error
	for _, s := range replaced {
		faults = append(faults, s.delete())
	}
	return errors.Join(faults...)
}

// Close writes the segments in memory to a file and closes the index. Call it
// after Run has returned.
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

// acquireSegments returns the present segments and the position up to which they index
// the log. The segments stay open until release is called.
func (x *Index) acquireSegments() (segments []*segment, indexed activity.Position, release func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil, 0, nil, ErrClosed
	}
	segments = x.segments // never modified in place
	for _, s := range segments {
		s.bleve.AddRef()
	}
	return segments, x.indexedUpTo, func() {
		for _, s := range segments {
			if err := s.bleve.DecRef(); err != nil {
				x.log.Error("search index segment cannot be closed", "cause", err)
			}
		}
	}, nil
}

// Indexed returns the position up to which the log is indexed. Later entries
// are found as well, but more slowly.
func (x *Index) Indexed() activity.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.indexedUpTo
}

// Behind returns the age of the oldest entry that is not in the index yet; 0 if
// all are.
func (x *Index) Behind(tx *store.Tx, now time.Time) (time.Duration, error) {
	for e, err := range tx.Entries(x.Indexed()+1, tx.Newest()) {
		if err != nil {
			return 0, err
		}
		return max(0, now.Sub(e.Position.Time())), nil
	}
	return 0, nil
}

// logBounds returns the newest and the oldest position of the log.
func (x *Index) logBounds(ctx context.Context) (newest, oldest activity.Position, err error) {
	err = x.store.ViewIn(ctx, func(tx *store.Tx) error {
		newest, oldest = tx.Newest(), tx.Oldest()
		return nil
	})
	return newest, oldest, err
}
