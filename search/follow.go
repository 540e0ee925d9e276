package search

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"trento/store"
	"trento/store/activity"
	"trento/store/failure"
)

// batchSize is the largest number of entries in a batch.
const batchSize = 4096

const (
	// followDelay is the time between a new entry and its indexing, so that
	// several entries are indexed together. Until then, searches read these
	// entries from the log.
	followDelay = 100 * time.Millisecond
	// retryDelay is the time between a failure, for example because of a full
	// disk, and the next attempt.
	retryDelay = 10 * time.Second
)

// maxMemSegments is the largest number of segments in memory while files cannot
// be written. Entries that are not indexed are read from the log.
const maxMemSegments = 64

// Run indexes the log and then follows it until ctx is done. It adds failures to
// those of the store and tries again. After a failure, searches are slower but still exact.
func (x *Index) Run(ctx context.Context) error {
	changed, stop := x.store.Watch()
	defer stop()
	followed := make(chan struct{}, 1)
	var preloading sync.WaitGroup
	preloading.Go(func() {
		for range followed {
			if err := x.preload(ctx); err != nil && ctx.Err() == nil {
				x.log.Error("search index cannot be preloaded", "cause", err)
			}
		}
	})
	defer preloading.Wait()
	defer close(followed)
	for {
		pause := followDelay
		if err := x.follow(ctx); err == nil {
			x.store.Failures().End(failure.Index)
			select {
			case followed <- struct{}{}:
			default: // the former preload is still running
			}
			select {
			case <-ctx.Done():
			case <-changed:
			}
		} else if ctx.Err() == nil {
			x.store.Failures().Begin(failure.Index, failure.DiskCause(err), err)
			pause = retryDelay
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// follow indexes all entries that the log has now, and deletes segments whose
// entries the log has pruned.
func (x *Index) follow(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if x.damaged.Load() {
			if err := x.deleteOldest(len(x.segments), 0); err != nil {
				return err
			}
			x.damaged.Store(false)
		}
		if from, _ := x.findMemSegments(); len(x.segments)-from > maxMemSegments {
			// They could not be written. No more are made meanwhile.
			if err := x.compact(); err != nil {
				return err
			}
		}
		_, oldest, err := x.logBounds(ctx)
		if err != nil {
			return err
		}
		if err := x.pruneSegments(oldest); err != nil {
			return err
		}
		batches, err := x.nextBatches(runtime.GOMAXPROCS(0))
		if err != nil {
			return err
		}
		if len(batches) == 0 {
			return x.compact()
		}
		if err := x.addBatches(batches...); err != nil {
			return err
		}
	}
}

// nextBatches reads at most limit batches to index.
func (x *Index) nextBatches(limit int) (batches [][]*activity.Entry, err error) {
	after := x.indexedUpTo
	for len(batches) < limit {
		batch, err := x.nextBatch(after)
		if err != nil {
			return nil, err
		}
		if len(batch) > 0 {
			batches = append(batches, batch)
			after = batch[len(batch)-1].Position
		}
		if len(batch) < batchSize {
			break
		}
	}
	return batches, nil
}

// nextBatch reads the batch after a position. It logs and skips damaged
// entries.
func (x *Index) nextBatch(after activity.Position) (batch []*activity.Entry, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(after+1, lastPosition) {
			if err != nil {
				x.log.Error("activity log entry is not indexed", "cause", err)
				continue
			}
			if batch = append(batch, e); len(batch) == batchSize {
				return nil
			}
		}
		return nil
	})
	return batch, err
}

// addBatches indexes each batch as a segment in memory, all at the same time, so that
// a rebuild uses all cores. If the segments that are not full have enough
// entries for a full one, add merges them.
func (x *Index) addBatches(batches ...[]*activity.Entry) error {
	segments := make([]*segment, len(batches))
	var making errgroup.Group
	begun, entries, last := time.Now(), 0, x.indexedUpTo
	for i, batch := range batches {
		first := last + 1
		making.Go(func() (err error) {
			segments[i], err = newSegment(first, batch)
			return err
		})
		entries, last = entries+len(batch), batch[len(batch)-1].Position
	}
	if err := making.Wait(); err != nil {
		return err
	}
	x.mu.Lock()
	x.segments = append(slices.Clip(x.segments), segments...)
	x.indexedUpTo = last
	x.mu.Unlock()
	x.log.Debug("indexed", "last", last)
	if x.Batched != nil {
		x.Batched(entries, time.Since(begun))
	}
	if from, total := x.findPartialSegments(); total >= x.segmentSize {
		return x.merge(from)
	}
	return nil
}
