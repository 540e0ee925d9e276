// Package kv keeps buckets of keys and values in one file. It is the only
// importer of bbolt, and knows nothing of what is stored.
//
// A [Schema] declares the buckets: their names, what their keys and values
// are, and what verifies them. A [Bucket] holds bytes. A [Table] holds JSON
// documents of one type, which it hands out decoded and cached. The tables
// that are made by [NewRecords] also keep the journal: each writing of a record
// gets a number, and the journal says which record was written when.
//
// All changes go through [DB.Update]: a single writer takes what is queued,
// runs it in one transaction and so shares one sync of the disk among many
// callers. [DB.View] is one consistent read.
//
// # The journal
//
// Every record carries a version: the number of its last writing. The journal
// maps the number to the record; writing a record again moves its entry to the
// end. "What has changed since N" is one range scan, and the journal is never
// longer than the number of records. A browser that reconnects sends the place
// it has seen last. It gets places sealed for its user (auth/cursor.go): the
// numbers count what a user may not see, too.
package kv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"trento/store/fault"
)

// The errors that a caller can react to. Every other one is a fault of the
// program or the disk.
var (
	ErrNotFound = fault.New(fault.NotFound, "not found")
	ErrInUse    = errors.New("another instance is using it")
	ErrNewer    = errors.New("written by a newer version")
	ErrClosed   = errors.New("store is closed")
)

// lockTimeout is how long Open waits for another process to release the file:
// long enough for an overlapping restart, short enough for a person.
const lockTimeout = time.Second

// Options are options of Open.
type Options struct {
	NoSync bool // do not wait for the disk: for tests only
	// Migrations lead from the first layout of the file to the present one, in
	// order.
	Migrations []Migration
}

// DB is the open file.
type DB struct {
	bolt   *bolt.DB
	schema *Schema
	id     string

	jobs    chan *job
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

	watchers watchers
}

// Open opens a file, or creates it, and migrates an older one. It fails with
// ErrInUse if another process has the file open, and with ErrNewer if the file
// has a later layout.
func Open(path string, schema *Schema, o Options) (*DB, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	b, err := openFile(path, o.NoSync)
	if err != nil {
		return nil, err
	}
	db := &DB{bolt: b, schema: schema, jobs: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{})}
	err = db.migrate(path, o.Migrations)
	if err == nil {
		err = db.View(func(tx *Tx) error {
			db.id = fmt.Sprintf("%x", schema.Meta.Get(tx, keyID))
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	go db.write()
	return db, nil
}

// create makes the file under another name and renames it, because a power
// cut while bbolt writes its first pages would leave a file that cannot be
// opened.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	b, err := openFile(fresh, false)
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	// A second process may have been faster; its file must not be replaced.
	err = os.Link(fresh, path)
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(fresh), syncDir(filepath.Dir(path)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func openFile(path string, noSync bool) (*bolt.DB, error) {
	b, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bolt.FreelistMapType,
		NoSync:       noSync,
		// Address space only: growing the map would make writers wait for
		// readers.
		InitialMmapSize: 1 << 28,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrInUse
	}
	return b, err
}

// Close finishes the changes that were accepted and closes the file. Changes
// that arrive from now on fail with ErrClosed.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closing)
		<-db.closed
		err = db.bolt.Close()
	})
	return err
}

// ID returns the id of this file. It never changes, and no other file has it.
func (db *DB) ID() string { return db.id }

// Path returns the path of the file.
func (db *DB) Path() string { return db.bolt.Path() }

// Size returns the size of the file in bytes.
func (db *DB) Size() (int64, error) {
	info, err := os.Stat(db.Path())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Tx is a transaction: a consistent read, or a change. It must not be used
// after the function that received it has returned.
type Tx struct {
	bolt        *bolt.Tx
	schema      *Schema
	dirty       bool
	afterCommit []func()
}

// View runs a read. Keep it short and wait for nobody inside it: an open read
// keeps the file from reusing space.
func (db *DB) View(fn func(*Tx) error) error {
	return closedError(db.bolt.View(func(b *bolt.Tx) error { return fn(&Tx{bolt: b, schema: db.schema}) }))
}

// Views returns the number of reads since the file was opened.
func (db *DB) Views() int { return db.bolt.Stats().TxN }

// updateAlone runs a change without the writer.
func (db *DB) updateAlone(fn func(*Tx) error) error {
	return closedError(db.bolt.Update(func(b *bolt.Tx) error { return fn(&Tx{bolt: b, schema: db.schema}) }))
}

func closedError(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Writable reports whether the transaction is a change, which may still be
// rolled back.
func (tx *Tx) Writable() bool { return tx.bolt.Writable() }

// AfterCommit registers fn to run once the change is durable, or had nothing to
// write, and before Update returns. It does not run if the change fails.
func (tx *Tx) AfterCommit(fn func()) { tx.afterCommit = append(tx.afterCommit, fn) }
