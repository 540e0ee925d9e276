package store

import (
	"context"
	"time"

	"trento/store/activity"
)

// pruneStep is how many entries one transaction prunes. That takes a millisecond
// or two, which no other change notices.
const pruneStep = 500

// PruneActivityBefore prunes the entries of the log that were written before a
// time, and returns how many there were. Nothing is logged about it.
//
// It goes in small steps, oldest entries first, and leaves the file to others
// half of the time. Where it ends early, by ctx, an error or the end of the
// process, the log begins later than it did, and the next call goes on from
// there. The space is used again for what is written next.
func (s *Store) PruneActivityBefore(ctx context.Context, before time.Time) (pruned int, err error) {
	bound := activity.PositionAt(before.Add(time.Microsecond - 1)) // rounded up
	for {
		step, start := 0, time.Now()
		err := s.update(ctx, System(), func(tx *Tx) error {
			var err error
			step, err = tx.pruneEntries(bound, pruneStep)
			return err
		})
		if err != nil {
			return pruned, err
		}
		if pruned += step; step < pruneStep {
			return pruned, nil
		}
		select {
		case <-ctx.Done():
			return pruned, ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}

// pruneEntries prunes the oldest entries in front of a position, most at once.
func (tx *Tx) pruneEntries(bound activity.Position, most int) (pruned int, err error) {
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
