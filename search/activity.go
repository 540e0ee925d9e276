package search

import (
	"context"
	"errors"
	"math"
	"slices"

	"trento/store"
	"trento/store/activity"
)

// MaxLimit is the largest page.
const MaxLimit = 1000

const (
	// scanAhead is how many entries of the log are read before the index is
	// asked. What most filters let pass is found there, faster than the index
	// could tell: it knows every hit, but not the newest first.
	scanAhead = 256
	// scanChunk is how many entries are read in one transaction.
	scanChunk = 512
)

// Walk says which page of the log is wanted.
type Walk struct {
	From    activity.Position // the page begins behind this position; 0: at the end of the log
	Limit   int               // the size of the page, from 1 to MaxLimit; others are brought into this range
	Forward bool              // towards newer entries, from 0 beginning at the oldest; else towards older ones
	Count   bool              // say how many entries pass the filter in all
}

// Page is a part of the log.
type Page struct {
	Entries []*activity.Entry // newest first, whatever the direction of the walk
	More    bool              // the filter lets further entries pass, in the direction of the walk
	Total   int               // the entries that pass the filter, wherever the walk stands; 0 unless Walk.Count
}

// Activity reads a page of the entries that pass the filter. Its answer is
// what reading the whole log would give, at any moment, however far the index
// has come.
func (x *Index) Activity(ctx context.Context, f activity.Filter, w Walk) (Page, error) {
	shards, indexed, release, err := x.acquire()
	if err != nil {
		return Page{}, err
	}
	defer release()

	limit := min(max(w.Limit, 1), MaxLimit)
	walk := walker{store: x.store, filter: &f, forward: w.Forward, most: limit + 1}
	part := walk.span(w.From)
	inIndex, tail := part.intersect(span{0, indexed}), part.intersect(span{indexed + 1, lastPosition})
	if w.Forward {
		if err = walk.ask(ctx, shards, inIndex, x.ahead); err == nil {
			_, err = walk.scan(ctx, tail, math.MaxInt)
		}
	} else {
		if _, err = walk.scan(ctx, tail, math.MaxInt); err == nil {
			err = walk.ask(ctx, shards, inIndex, x.ahead)
		}
	}
	if err != nil {
		return Page{}, err
	}
	page := walk.page(limit)
	if w.Count {
		counter := walker{store: x.store, filter: &f, most: math.MaxInt}
		if _, err := counter.scan(ctx, counter.span(0), math.MaxInt); err != nil {
			return Page{}, err
		}
		page.Total = len(counter.found)
	}
	return page, nil
}

// walker collects entries along a walk.
type walker struct {
	store   *store.Store
	filter  *activity.Filter
	forward bool
	most    int // one more than the page holds, to know whether there are more
	found   []*activity.Entry
}

// span is the part of the log the walk goes through.
func (w *walker) span(from activity.Position) span {
	var part span
	part.first, part.last = w.filter.Bounds()
	if from != 0 {
		part = part.after(from, w.forward)
	}
	return part
}

func (w *walker) done() bool { return len(w.found) >= w.most }

func (w *walker) page(limit int) Page {
	page := Page{Entries: w.found, More: len(w.found) > limit}
	if page.More {
		page.Entries = page.Entries[:limit]
	}
	if w.forward {
		slices.Reverse(page.Entries)
	}
	return page
}

// scan reads the log and judges entry by entry, at most so many. It returns
// the part that it has not read.
func (w *walker) scan(ctx context.Context, part span, entries int) (span, error) {
	for entries > 0 && !part.empty() && !w.done() {
		if err := ctx.Err(); err != nil {
			return part, err
		}
		chunk := min(entries, scanChunk)
		entries -= chunk
		var err error
		if part, err = w.scanSome(part, chunk); err != nil {
			return part, err
		}
	}
	return part, nil
}

func (w *walker) scanSome(part span, entries int) (rest span, err error) {
	err = w.store.View(func(tx *store.Tx) error {
		walk := tx.EntriesBack
		if w.forward {
			walk = tx.Entries
		}
		for e, err := range walk(part.first, part.last) {
			if err != nil {
				return err
			}
			if w.filter.Match(e) {
				w.found = append(w.found, e)
			}
			if entries--; entries == 0 || w.done() {
				rest = part.after(e.Position, w.forward)
				return nil
			}
		}
		rest = span{1, 0}
		return nil
	})
	return rest, err
}

// ask walks through a part that the shards cover, after a look at the entries
// right ahead.
func (w *walker) ask(ctx context.Context, shards []*shard, part span, ahead int) error {
	if w.filter.Everything() {
		ahead = math.MaxInt // every entry read is a hit
	}
	part, err := w.scan(ctx, part, ahead)
	if err != nil || part.empty() || w.done() {
		return err
	}
	q := newQuery(w.filter)
	for i := range shards {
		if !w.forward {
			i = len(shards) - 1 - i
		}
		covered := span{shards[i].first, lastPosition}
		if i+1 < len(shards) {
			covered.last = shards[i+1].first - 1
		}
		part := part.intersect(covered)
		for !part.empty() && !w.done() {
			wanted := w.most - len(w.found)
			positions, err := shards[i].find(ctx, q, part, w.forward, wanted)
			if err != nil {
				return err
			}
			if err := w.load(positions); err != nil {
				return err
			}
			if len(positions) < wanted {
				break
			}
			part = part.after(positions[wanted-1], w.forward)
		}
	}
	return nil
}

// load reads the entries the index has found. Entries that are gone are
// skipped, and the filter has the last word.
func (w *walker) load(positions []activity.Position) error {
	return w.store.View(func(tx *store.Tx) error {
		for _, p := range positions {
			e, err := tx.Entry(p)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if w.filter.Match(e) {
				w.found = append(w.found, e)
			}
		}
		return nil
	})
}
