package kv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/google/uuid"
)

// Migration is a step from one layout of a file to the next. It may rely on
// exactly the state that the steps before it left, and is never changed once it
// was released. It is nil where all that is new are buckets, which are made as
// they are declared.
type Migration func(*Tx) error

// Bucket is the bucket of a name, for migrations: they know the buckets as they
// were, not as they are declared now.
func (tx *Tx) Bucket(name string) *Bucket { return &Bucket{name: []byte(name)} }

// DeleteBucket deletes a bucket that is declared no more.
func (tx *Tx) DeleteBucket(name string) error { return tx.bolt.DeleteBucket([]byte(name)) }

// migrate brings the file to the present layout, in one transaction. A file
// that holds something is copied aside first; a new one has the present layout
// at once.
func (db *DB) migrate(path string, steps []Migration) error {
	version, err := db.version()
	if err != nil || version == len(steps) {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("layout %d, this program knows %d: %w", version, len(steps), ErrNewer)
	}
	if version > 0 {
		if err := db.copyTo(fmt.Sprintf("%s.v%d", path, version)); err != nil {
			return fmt.Errorf("copy before migration: %w", err)
		}
	}
	return db.updateAlone(func(tx *Tx) error {
		if err := db.schema.create(tx); err != nil {
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

func (db *DB) version() (version int, err error) {
	err = db.View(func(tx *Tx) error {
		if db.schema.Meta.in(tx) != nil {
			version = int(binary.BigEndian.Uint64(db.schema.Meta.Get(tx, keyVersion)))
		}
		return nil
	})
	return version, err
}

// copyTo copies the file.
func (db *DB) copyTo(path string) error {
	return db.View(func(tx *Tx) error {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = tx.bolt.WriteTo(f)
		return errors.Join(err, f.Sync(), f.Close())
	})
}
