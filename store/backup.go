package store

import (
	"context"

	"trento/store/activity"
)

// LogBackup adds an entry to the activity log that says that a backup was made.
// destination is activity.BackupDownload or a file of the server. size is the size of the
// data in bytes.
func (s *Store) LogBackup(ctx context.Context, by Actor, destination string, size int64, encrypted bool) error {
	return s.update(ctx, by, func(tx *Tx) error {
		return tx.log(tx.by.Name, &activity.BackupCreation{Destination: destination, Size: size, Encrypted: encrypted})
	})
}

// LogBackupFailure adds an entry to the activity log that says that no backup
// could be written into a directory, and why.
func (s *Store) LogBackupFailure(ctx context.Context, dir, reason string) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		return tx.log(tx.by.Name, &activity.BackupFailure{Destination: dir, Reason: reason})
	})
}
