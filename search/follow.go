package search

import (
	"context"
	"errors"
	"time"

	"trento/store"
	"trento/store/activity"
)

// groupSize is how many entries are indexed at a time. A group costs about
// the same whether it holds one entry or hundreds.
const groupSize = 500

const (
	// settleTime is how long to wait for company once an entry has landed.
	// Nobody notices: searches read what is not indexed yet from the log.
	settleTime = 100 * time.Millisecond
	// retryTime is how long to wait after a failure, say of a full disk.
	retryTime = 10 * time.Second
)

// Run indexes what the log holds and then follows it until ctx ends. Failures
// are logged and tried again; they make searches slower but not wrong.
func (x *Index) Run(ctx context.Context) error {
	changed, stop := x.store.Watch()
	defer stop()
	for {
		pause := settleTime
		if err := x.follow(ctx); err == nil {
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

// follow indexes everything the log holds now.
func (x *Index) follow(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, oldest, err := x.next()
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return x.prune(oldest)
		}
		if err := x.add(entries); err != nil {
			return err
		}
	}
}

// next reads the next group to index, and the position the log begins at.
// Damaged entries are logged and passed over.
func (x *Index) next() (entries []*activity.Entry, oldest activity.Position, err error) {
	err = x.store.View(func(tx *store.Tx) error {
		oldest = tx.Oldest()
		for e, err := range tx.Entries(x.indexed+1, lastPosition) {
			if err != nil {
				x.log.Error("activity log entry is not indexed", "cause", err)
				continue
			}
			if entries = append(entries, e); len(entries) == groupSize {
				return nil
			}
		}
		return nil
	})
	return entries, oldest, err
}

// add indexes the entries behind what is indexed, in a new shard if the last
// one is full.
func (x *Index) add(entries []*activity.Entry) error {
	if x.shards[len(x.shards)-1].count >= x.size {
		if err := x.grow(); err != nil {
			return err
		}
	}
	s := x.shards[len(x.shards)-1]
	if err := s.add(entries); err != nil {
		return err
	}
	x.mu.Lock()
	x.indexed = s.last
	x.mu.Unlock()
	x.log.Debug("indexed", "entries", len(entries), "last", s.last)
	return nil
}

// prune removes the shards all of whose entries the log has dropped.
func (x *Index) prune(oldest activity.Position) error {
	var faults []error
	for len(x.shards) > 1 && x.shards[1].first <= oldest {
		s := x.shards[0]
		x.mu.Lock()
		x.shards = x.shards[1:]
		x.mu.Unlock()
		faults = append(faults, s.close(), removeShard(s.path))
	}
	return errors.Join(faults...)
}
