package store

import (
	"context"

	"trento/store/activity"
)

// LogSupportBundle adds an entry to the activity log that says that a support
// bundle of size bytes was made.
func (s *Store) LogSupportBundle(ctx context.Context, by Actor, size int64) error {
	return s.update(ctx, by, func(tx *Tx) error {
		return tx.log(tx.by.Name, &activity.SupportBundleCreation{Size: size})
	})
}
