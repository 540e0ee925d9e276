package store

import (
	"context"
	"errors"

	"trento/store/activity"
	"trento/store/fault"
)

const settingRetention = "activity_log"

// Retention returns how long entries of the activity log are kept.
func (tx *Tx) Retention() (activity.Retention, error) {
	kept, err := getSetting[activity.Retention](tx, settingRetention)
	if errors.Is(err, ErrNotFound) {
		return activity.DefaultRetention, nil
	}
	if err != nil {
		return activity.Retention{}, err
	}
	return *kept, nil
}

// SetRetention changes how long entries are kept. It prunes nothing: the next
// pruning uses the new retention. It fails with a fault of retention_time/value
// or retention_time/unit if the retention is not valid.
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
			if err := tx.putSetting(settingRetention, kept); err != nil {
				return err
			}
		}
		return tx.log(tx.by.Name, &activity.ActivityLogSettingsUpdate{RetentionTime: kept})
	})
}
