package store

import (
	"context"
	"time"

	"trento/store/activity"
)

// pruneStep is how many entries are removed in one transaction: so few that
// nobody who waits for it notices, since they take a millisecond or two.
const pruneStep = 500

// PruneActivityBefore removes the entries of the log that were written before a
// moment, and says how many those were. Nothing is logged about it.
//
// It goes in small steps, oldest entries first, and leaves the file to others
// half of the time. Whatever ends it early (ctx, an error, the end of the process) leaves
// a log that begins later than it did; the next call goes on from there. The
// space is used again for what is written from then on.
func (s *Store) PruneActivityBefore(ctx context.Context, before time.Time) (removed int, err error) {
	bound := activity.PositionAt(before.Add(time.Microsecond - 1)) // rounded up
	for {
		step, start := 0, time.Now()
		err := s.update(ctx, System(), func(tx *Tx) error {
			var err error
			step, err = tx.pruneEntries(bound, pruneStep)
			return err
		})
		if err != nil {
			return removed, err
		}
		if removed += step; step < pruneStep {
			return removed, nil
		}
		select {
		case <-ctx.Done():
			return removed, ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}

// pruneEntries removes the oldest entries in front of a position, at most so
// many.
func (tx *Tx) pruneEntries(bound activity.Position, most int) (removed int, err error) {
	newest := tx.Newest()
	var toDelete [][]byte
	for key := range tx.s.entries.Scan(tx.kv, nil, bound.Key()) {
		if len(toDelete) == most || activity.PositionOfKey(key) == bound {
			break
		}
		toDelete = append(toDelete, key)
	}
	if err := tx.s.entries.Delete(tx.kv, toDelete...); err != nil {
		return 0, err
	}
	if tx.s.entries.First(tx.kv) == nil && len(toDelete) > 0 {
		return len(toDelete), tx.s.entries.SetSequence(tx.kv, uint64(newest)) // see Newest
	}
	return len(toDelete), nil
}
