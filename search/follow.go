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
)

// batchSize is the largest number of entries that are indexed at a time.
const batchSize = 4096

const (
	// followDelay is the wait after a new entry, so that several are indexed
	// together. Searches read entries that are not indexed yet from the log.
	followDelay = 100 * time.Millisecond
	// retryTime is the wait after a failure, for example of a full disk.
	retryTime = 10 * time.Second
)

// Run indexes the log and then follows it until ctx is done. It logs failures
// and tries again. Until then searches are slower, but not wrong.
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
			select {
			case followed <- struct{}{}:
			default: // the preload before this one is still running
			}
			select {
			case <-ctx.Done():
			case <-changed:
			}
		} else if ctx.Err() == nil {
			x.log.Error("search index cannot follow the activity log", "cause", err)
			pause = retryTime
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// follow indexes all entries that the log has now, and prunes those that the
// log has pruned.
func (x *Index) follow(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, oldest, err := x.logBounds(ctx)
		if err != nil {
			return err
		}
		if err := x.prune(oldest); err != nil {
			return err
		}
		batches, err := x.nextBatches(runtime.GOMAXPROCS(0))
		if err != nil {
			return err
		}
		if len(batches) == 0 {
			return x.compact()
		}
		if err := x.add(batches...); err != nil {
			return err
		}
	}
}

// nextBatches reads at most limit batches to index.
func (x *Index) nextBatches(limit int) (batches [][]*activity.Entry, err error) {
	after := x.indexed
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

// add makes a segment in memory of each batch, all at the same time, so that a
// rebuild uses all cores. Once the segments that are not full have as many
// entries as a full one, they are merged into one.
func (x *Index) add(batches ...[]*activity.Entry) error {
	segments := make([]*segment, len(batches))
	var making errgroup.Group
	last := x.indexed
	for i, batch := range batches {
		first := last + 1
		making.Go(func() (err error) {
			segments[i], err = newSegment(first, batch)
			return err
		})
		last = batch[len(batch)-1].Position
	}
	if err := making.Wait(); err != nil {
		return err
	}
	x.mu.Lock()
	x.segments = append(slices.Clip(x.segments), segments...)
	x.indexed = last
	x.mu.Unlock()
	x.log.Debug("indexed", "last", last)
	if from, total := x.partialSegments(); total >= x.segmentSize {
		return x.merge(from)
	}
	return nil
}
