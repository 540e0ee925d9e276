package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
)

// Migration is a step from one layout of a file to the next. It may assume
// exactly the layout that the previous steps leave. A released migration must
// never be changed. It is nil if the new layout only has new buckets, because
// declared buckets are created automatically.
type Migration func(*Tx) error

// Bucket returns the bucket with a name, for migrations. They must use the
// buckets of their time, not the current declarations.
func (tx *Tx) Bucket(name string) *Bucket { return &Bucket{name: []byte(name)} }

// DeleteBucket deletes a bucket that is no longer declared.
func (tx *Tx) DeleteBucket(name string) error { return tx.bolt.DeleteBucket([]byte(name)) }

// migrate changes the file to the current layout, in one transaction. If the
// file is not new, it is copied first. A new file gets the current layout
// without any steps.
func (db *DB) migrate(path string, steps []Migration) error {
	version, err := db.layoutVersion()
	if err != nil || version == len(steps) {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("layout %d, this program knows %d: %w", version, len(steps), ErrNewer)
	}
	if db.readOnly {
		return fmt.Errorf("layout %d, this program has %d: %w", version, len(steps), ErrOlder)
	}
	if version > 0 {
		if err := db.copyTo(fmt.Sprintf("%s.v%d", path, version)); err != nil {
			return fmt.Errorf("copy before migration: %w", err)
		}
	}
	return db.updateWithoutWriter(func(tx *Tx) error {
		if err := db.schema.createBuckets(tx); err != nil {
			return err
		}
		if version == 0 {
			id := uuid.New()
			if err := db.schema.Meta.Put(tx, keyID, id[:]); err != nil {
				return err
			}
			version = len(steps)
		}
		for i, step := range steps[version:] {
			if step == nil {
				continue
			}
			if err := step(tx); err != nil {
				return fmt.Errorf("migration %d: %w", version+i+1, err)
			}
		}
		return db.schema.Meta.Put(tx, keyVersion, Key64(uint64(len(steps))))
	})
}

// layoutVersion returns the number of steps that led to the layout of the file;
// 0 if the file is new.
func (db *DB) layoutVersion() (version int, err error) {
	err = db.View(func(tx *Tx) error {
		if db.schema.Meta.boltBucket(tx) != nil {
			version = int(binary.BigEndian.Uint64(db.schema.Meta.Get(tx, keyVersion)))
		}
		return nil
	})
	return version, err
}

// copyTo writes a copy of the file to a path.
func (db *DB) copyTo(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(db.CopyTo(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
