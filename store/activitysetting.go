package store

import (
	"context"
	"errors"
	"time"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/kv"
)

const keyRetention = "activity_log"

// keyExpired is where the file says for which midnight old entries were pruned.
var keyExpired = []byte("expired")

// Retention is how long entries of the activity log are kept.
func (tx *Tx) Retention() (activity.Retention, error) {
	kept, err := getSetting[activity.Retention](tx, keyRetention)
	if errors.Is(err, ErrNotFound) {
		return activity.DefaultRetention, nil
	}
	if err != nil {
		return activity.Retention{}, err
	}
	return *kept, nil
}

// SetRetention changes how long entries are kept. Nothing is removed by it:
// the next pruning goes by it. A retention there cannot be is a fault
// of retention_time/value or retention_time/unit.
func (s *Store) SetRetention(ctx context.Context, by Actor, kept activity.Retention) error {
	if value, unit := kept.Faults(); value != "" {
		return fault.Field("retention_time/value", value)
	} else if unit != "" {
		return fault.Field("retention_time/unit", unit)
	}
	return s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Retention()
		if err != nil {
			return err
		}
		if kept != before {
			if err := tx.putSetting(keyRetention, kept); err != nil {
				return err
			}
		}
		return tx.log(tx.by.Name, &activity.ActivityLogSettingsUpdate{RetentionTime: kept})
	})
}

// PruneActivityBefore removes the entries whose time is over, if that has not been
// done since the last midnight (UTC), and says how many those were. The log of
// the uses of tokens is kept as long and goes with them. Called
// every now and then, it cleans the log once a day: at midnight, or as soon as
// a program that was not running then is started. What is too old is judged
// as of that midnight.
func (s *Store) PruneActivity(ctx context.Context) (removed int, err error) {
	midnight := s.Now().UTC().Truncate(24 * time.Hour)
	var kept activity.Retention
	var done bool
	err = s.View(func(tx *Tx) (err error) {
		last := tx.s.meta.Get(tx.kv, keyExpired)
		done = last != nil && !kv.BytesTime(last).Before(midnight)
		kept, err = tx.Retention()
		return err
	})
	if err != nil || done {
		return 0, err
	}
	cutoff := kept.Cutoff(midnight)
	removed, err = s.PruneActivityBefore(ctx, cutoff)
	if err == nil {
		err = s.PruneTokenUsesBefore(ctx, cutoff)
	}
	if err != nil {
		return removed, err
	}
	return removed, s.update(ctx, System(), func(tx *Tx) error {
		return tx.s.meta.Put(tx.kv, keyExpired, kv.TimeBytes(midnight))
	})
}
