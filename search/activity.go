package search

import (
	"context"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"

	"trento/store"
	"trento/store/activity"
	"trento/store/failure"
)

// MaxLimit is the number of entries of the largest page.
const MaxLimit = 1000

const (
	// verifyLimit is the largest number of candidates whose entries are read
	// from the log and matched, instead of searching a term list.
	// BenchmarkVerify shows that this makes "*0* AND CHG-needle-0042" 250 times
	// faster.
	verifyLimit = 100
	// firstVerifyLimit is the number of entries that are read and matched
	// before a term list is searched. BenchmarkVerify shows that this makes a
	// page of "*hana*" 10 times and a page of "*0*" 140 times faster. A page of
	// "*dead*" takes a quarter longer.
	firstVerifyLimit = 32
)

// scanChunk is the number of entries of the log that are read in one
// transaction.
const scanChunk = 512

// Walk says which page of the log is read, and in which direction.
type Walk struct {
	From    activity.Position // the page begins after this position; 0: at the newest entry or, with Forward, at the oldest
	Limit   int               // size of the page, brought into the range from 1 to MaxLimit
	Forward bool              // towards newer entries instead of older ones
	Count   bool              // also count all entries that pass the filter
	Reader  string            // name of the reader, who has one search at a time
}

// Page is a part of the log.
type Page struct {
	Entries []*activity.Entry // newest first, in both directions
	More    bool              // more entries pass the filter, in the direction of the walk
	Total   int               // number of entries that pass the filter in the whole log; 0 without Walk.Count
}

// Activity returns a page of the entries that pass the filter. The answer is
// exact, even if the index is behind the log. A reader has one search at a
// time, and all readers together have as many as the machine has cores. Further
// searches wait for their turn, or until ctx is done.
func (x *Index) Activity(ctx context.Context, f activity.Filter, w Walk) (Page, error) {
	if !f.Everything() || w.Count {
		own, _ := x.readers.LoadOrStore(w.Reader, make(chan struct{}, 1))
		for _, slots := range []chan struct{}{own.(chan struct{}), x.slots} {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				return Page{}, ctx.Err()
			}
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return Page{}, err
		}
		page, err := x.walk(ctx, &f, w)
		if errors.Is(err, errDamagedSegment) {
			// The next walk reads the log only.
			x.damaged.Store(true)
			x.store.Failures().Begin(failure.Index, failure.Cause{}, err)
			continue
		}
		if !errors.Is(err, store.ErrNotFound) {
			return page, err
		}
		// Old entries were removed during the search.
	}
}

// walk reads a page. It fails with store.ErrNotFound if an entry was removed
// meanwhile.
func (x *Index) walk(ctx context.Context, f *activity.Filter, w Walk) (Page, error) {
	segments, indexed, release, err := x.acquireSegments()
	if err != nil {
		return Page{}, err
	}
	defer release()
	newest, oldest, err := x.logBounds(ctx)
	if err != nil {
		return Page{}, err
	}
	if x.damaged.Load() {
		indexed, segments = 0, nil
	}
	limit := min(max(w.Limit, 1), MaxLimit)
	walk := walker{ctx: ctx, store: x.store, filter: f, forward: w.Forward, withTotal: w.Count, verifyLimit: x.verifyLimit, maxFound: limit + 1}
	walk.dateSpan.first, walk.dateSpan.last = f.Bounds()
	walk.dateSpan.first = max(walk.dateSpan.first, oldest)
	// The segments may be newer than the transaction of the context.
	walk.dateSpan.last = min(walk.dateSpan.last, newest)
	walk.pageSpan = walk.dateSpan
	if w.From != 0 {
		walk.pageSpan = walk.pageSpan.partAfter(w.From, w.Forward)
	}
	if f.Everything() && !w.Count {
		// Without conditions every entry is a hit. BenchmarkEverything shows
		// that reading the log is then 14 times as fast as searching the
		// segments.
		indexed, segments = 0, nil
	}
	if w.Forward {
		if err = walk.searchSegments(ctx, segments); err == nil {
			err = walk.scan(ctx, span{indexed + 1, lastPosition})
		}
	} else {
		if err = walk.scan(ctx, span{indexed + 1, lastPosition}); err == nil {
			segments = slices.Clone(segments)
			slices.Reverse(segments)
			err = walk.searchSegments(ctx, segments)
		}
	}
	if err != nil {
		return Page{}, err
	}
	return walk.newPage(limit), nil
}

// walker collects the entries of a page.
type walker struct {
	ctx              context.Context
	readMutex        sync.Mutex // held while the transaction of the context is used
	store            *store.Store
	filter           *activity.Filter
	forward          bool
	withTotal        bool
	verifyLimit      int
	hasVerifiedFirst bool // the first candidates were matched, see firstVerifyLimit
	maxFound         int  // size of the page plus one, to know whether more entries follow
	dateSpan         span // part of the log that the dates of the filter allow
	pageSpan         span // part of dateSpan from the start of the page on

	found []*activity.Entry
	total int
}

// relevantSpan returns the part of the log that must be searched.
func (w *walker) relevantSpan() span {
	if w.withTotal {
		return w.dateSpan
	}
	return w.pageSpan
}

func (w *walker) isDone() bool { return !w.withTotal && w.isFull() }

func (w *walker) isFull() bool { return len(w.found) >= w.maxFound }

func (w *walker) newPage(limit int) Page {
	page := Page{Entries: w.found, More: len(w.found) > limit, Total: w.total}
	if page.More {
		page.Entries = page.Entries[:limit]
	}
	if w.forward {
		slices.Reverse(page.Entries)
	}
	return page
}

// scan reads a part of the log and matches each entry.
func (w *walker) scan(ctx context.Context, part span) error {
	part = part.intersect(w.relevantSpan())
	for !part.isEmpty() && !w.isDone() {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if part, err = w.scanSome(part); err != nil {
			return err
		}
	}
	return nil
}

// scanSome reads and matches up to scanChunk entries, and returns the rest of
// the part.
func (w *walker) scanSome(part span) (rest span, err error) {
	err = w.view(func(tx *store.Tx) error {
		walk, read := tx.EntriesBack, 0
		if w.forward {
			walk = tx.Entries
		}
		for e, err := range walk(part.first, part.last) {
			if err != nil {
				return err
			}
			if w.filter.Match(e) {
				if w.withTotal {
					w.total++
				}
				if !w.isFull() && w.pageSpan.contains(e.Position) {
					w.found = append(w.found, e)
				}
			}
			if read++; read == scanChunk || w.isDone() {
				rest = part.partAfter(e.Position, w.forward)
				return nil
			}
		}
		rest = span{1, 0}
		return nil
	})
	return rest, err
}

// searchSegments searches segments in the order of the walk until the page is
// full. For the total it searches all of them, several at a time.
func (w *walker) searchSegments(ctx context.Context, segments []*segment) error {
	if w.withTotal {
		return w.searchAllSegments(ctx, segments)
	}
	for _, s := range segments {
		if w.isFull() {
			return nil
		}
		found, err := w.findInSegment(ctx, s)
		if err == nil {
			err = w.loadEntries(s, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) searchAllSegments(ctx context.Context, segments []*segment) error {
	found := make([]*roaring.Bitmap, len(segments))
	var searching errgroup.Group
	searching.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range segments {
		searching.Go(func() (err error) {
			found[i], err = w.findInSegment(ctx, s)
			return err
		})
	}
	if err := searching.Wait(); err != nil {
		return err
	}
	for i, s := range segments {
		w.total += int(found[i].GetCardinality())
		if err := w.loadEntries(s, found[i]); err != nil {
			return err
		}
	}
	return nil
}

// findInSegment returns the documents of a segment that pass the filter.
func (w *walker) findInSegment(ctx context.Context, s *segment) (_ *roaring.Bitmap, err error) {
	defer catchDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	first, end, err := s.documentsWithin(w.relevantSpan())
	if err != nil || first == end {
		return roaring.New(), err
	}
	candidates, passed := roaring.New(), roaring.New()
	candidates.AddRange(uint64(first), uint64(end))
	// Frequent terms occur among the first entries. So the first entries are
	// read before a term list is searched.
	verifyFirst := func() error {
		if w.withTotal || w.hasVerifiedFirst {
			return nil
		}
		w.hasVerifiedFirst = true
		return w.verifyCandidates(s, candidates, passed, min(w.verifyLimit, firstVerifyLimit))
	}
	if w.filter.Search.Blank() {
		if err := verifyFirst(); err != nil || w.fillsPage(passed) {
			return passed, err
		}
	}
	exact, err := s.filter(ctx, w.filter, candidates)
	if err != nil {
		return nil, err
	}
	if !exact {
		if candidates.GetCardinality() <= uint64(w.verifyLimit) {
			return passed, w.verifyCandidates(s, candidates, passed, w.verifyLimit)
		}
		if err := verifyFirst(); err != nil || w.fillsPage(passed) {
			return passed, err
		}
		if err := s.searchTerms(ctx, w.filter.Search, candidates); err != nil {
			return nil, err
		}
	}
	passed.Or(candidates)
	return passed, nil
}

// view calls fn with the transaction of the context, or with a new one if the
// context has none.
func (w *walker) view(fn func(*store.Tx) error) error {
	if store.IsReading(w.ctx) {
		w.readMutex.Lock()
		defer w.readMutex.Unlock()
	}
	return w.store.ViewIn(w.ctx, fn)
}

// fillsPage reports whether the documents of a set fill the page.
func (w *walker) fillsPage(set *roaring.Bitmap) bool {
	return !w.withTotal && len(w.found)+int(set.GetCardinality()) >= w.maxFound
}

// verifyCandidates reads the entries of the first candidates, as many as the page needs
// and at most limit. It removes these documents from candidates, and adds those
// that pass the filter to passed.
func (w *walker) verifyCandidates(s *segment, candidates, passed *roaring.Bitmap, limit int) error {
	read := roaring.New()
	err := w.view(func(tx *store.Tx) error {
		for document := range documentsInOrder(candidates, 0, s.count, w.forward) {
			if limit == 0 || w.fillsPage(passed) {
				return nil
			}
			limit--
			read.Add(uint32(document))
			position, err := s.position(document)
			if err != nil {
				return err
			}
			e, err := tx.Entry(position)
			if errors.Is(err, store.ErrDamaged) {
				continue // as if it were not in the log
			}
			if err != nil {
				return err
			}
			if w.filter.Match(e) {
				passed.Add(uint32(document))
			}
		}
		return nil
	})
	candidates.AndNot(read)
	return err
}

// loadEntries reads the entries of found documents until the page is full.
func (w *walker) loadEntries(s *segment, found *roaring.Bitmap) error {
	if w.isFull() || found.IsEmpty() {
		return nil
	}
	first, end, err := s.documentsWithin(w.pageSpan)
	if err != nil || first == end {
		return err
	}
	return w.view(func(tx *store.Tx) error {
		for document := range documentsInOrder(found, first, end, w.forward) {
			position, err := s.position(document)
			if err != nil {
				return err
			}
			e, err := tx.Entry(position)
			if errors.Is(err, store.ErrDamaged) {
				continue // as if it were not in the log
			}
			if err != nil {
				return err
			}
			if w.found = append(w.found, e); w.isFull() {
				return nil
			}
		}
		return nil
	})
}

// documentsInOrder iterates over the documents of a set from first up to before end,
// forward or backward.
func documentsInOrder(set *roaring.Bitmap, first, end int, forward bool) func(func(int) bool) {
	return func(yield func(int) bool) {
		if forward {
			documents := set.Iterator()
			for documents.AdvanceIfNeeded(uint32(first)); documents.HasNext(); {
				if document := int(documents.Next()); document >= end || !yield(document) {
					return
				}
			}
			return
		}
		below := set.Rank(uint32(end - 1)) // documents of the set before end
		for ; below > 0 && below <= math.MaxUint32; below-- {
			document, err := set.Select(uint32(below - 1))
			if err != nil || int(document) < first || !yield(int(document)) {
				return
			}
		}
	}
}
