// Package kv stores buckets of keys and values in one file. It is the only
// package that imports bbolt, and it does not know the meaning of the data.
//
// A [Schema] declares the buckets: their names, the descriptions of their keys
// and values, and the functions that verify them. A [Bucket] holds bytes. A
// [Table] holds JSON documents of one type, which it returns decoded and
// cached. The tables of [NewRecords] also keep the journal, which tells in
// which order their records were last written.
//
// All changes go through [DB.Update]. A single writer runs all waiting changes
// in one transaction, so that many callers share one sync of the disk.
// [DB.View] runs one consistent read.
//
// # The journal
//
// Every record has a version: the number of its last write. The journal maps
// the number to the record. Another write of the record moves its entry to the
// end. The changes since N are found by one range scan, and the journal is
// never longer than the number of records. A browser that reconnects sends the
// last place that it has seen. It only gets places in encrypted form
// (auth/cursor.go), because the numbers also count changes that its user may
// not see.
package kv

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"trento/store/durable"
	"trento/store/failure"
	"trento/store/fault"
)

// The errors that a caller can handle. Every other error is a fault of the
// program or of the disk.
var (
	ErrNotFound = fault.New(fault.NotFound, "not found")
	ErrInUse    = errors.New("another instance is using it")
	ErrNewer    = errors.New("written by a newer version")
	ErrOlder    = errors.New("written by an older version")
	ErrClosed   = errors.New("store is closed")
	// ErrDamaged is the cause of faults of the kind fault.Damaged.
	ErrDamaged = errors.New("damaged")
)

// lockTimeout is how long Open waits until another process releases the file.
// It is long enough for a restart in which two processes overlap, and short
// enough for a user who waits.
const lockTimeout = time.Second

// Options are the options of Open.
type Options struct {
	NoSync bool // do not wait for the disk; for tests only
	// Migrations are the steps from the first layout of the file to the current
	// one, in order.
	Migrations []Migration
	// ReadOnly opens a file that exists, and changes nothing in it: an older
	// layout is refused with ErrOlder. Others may read the file meanwhile.
	ReadOnly bool
	// Failures is told when changes cannot be stored, when storing them takes
	// very long, when data cannot be read, and when that has ended. nil: a list
	// that nobody sees.
	Failures *failure.List
	// BeforeCommit is called before each commit, which fails with its error; for
	// tests only.
	BeforeCommit func() error
	// Committed is called after each attempt to commit changes, with how long it
	// took and its error. It must be fast: the next commit waits for it.
	Committed func(took time.Duration, err error)
}

// DB is the open file.
type DB struct {
	bolt         *bolt.DB
	schema       *Schema
	id           string
	failures     *failure.List
	beforeCommit func() error
	onCommit     func(took time.Duration, err error)
	refusedAt    time.Time // time of the last commit that was refused; for the writer only
	// After some damage, bbolt never releases a lock. Then no change is possible
	// until the file is opened again, or not even a read.
	broken, unreadable atomic.Bool
	readOnly           bool // the file was opened with Options.ReadOnly

	jobs      chan *job
	closing   chan struct{}
	closed    chan struct{}
	closeOnce sync.Once

	watchers watchers
}

// Open opens a file and migrates it to the current layout. It creates the file
// if it does not exist. It fails with ErrInUse if another process has the file
// open, and with ErrNewer if the file has a later layout.
func Open(path string, schema *Schema, o Options) (*DB, error) {
	if o.Failures == nil {
		o.Failures = failure.NewList(slog.New(slog.DiscardHandler), time.Now)
	}
	if o.ReadOnly {
		if _, err := os.Stat(path); err != nil {
			return nil, err
		}
	} else if err := createFile(path); err != nil {
		return nil, err
	}
	b, err := openFile(path, o)
	if err != nil {
		return nil, err
	}
	db := &DB{
		bolt: b, schema: schema, failures: o.Failures, beforeCommit: o.BeforeCommit, onCommit: o.Committed, readOnly: o.ReadOnly,
		jobs: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{}),
	}
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
	o.Failures.OnChange(db.watchers.notifyAll)
	go db.runWriter()
	return db, nil
}

// createFile creates the file under a temporary name and then renames it. If
// the power failed while bbolt writes its first pages, the file could not be
// opened.
func createFile(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	b, err := openFile(fresh, Options{})
	if err == nil {
		err = b.Close()
	}
	if err != nil {
		_ = os.Remove(fresh) // it may not even exist
		return err
	}
	// A second process may have created the file meanwhile. That file must not
	// be replaced.
	err = os.Link(fresh, path)
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	return errors.Join(err, os.Remove(fresh), durable.SyncDir(filepath.Dir(path)))
}

func openFile(path string, o Options) (b *bolt.DB, err error) {
	defer catchDamage(&err)
	b, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bolt.FreelistMapType,
		NoSync:       o.NoSync,
		ReadOnly:     o.ReadOnly,
		// This reserves only address space. When the map grows, writers must
		// wait for readers.
		InitialMmapSize: 1 << 28,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, Damaged(err)
	}
	return b, err
}

// Close completes the accepted changes and closes the file. Later changes fail
// with ErrClosed.
func (db *DB) Close() error {
	var err error
	db.closeOnce.Do(func() {
		close(db.closing)
		<-db.closed
		if !db.broken.Load() && !db.unreadable.Load() { // else Close would wait forever
			err = db.bolt.Close()
		}
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

// FreeSize returns the number of bytes in the file that hold no data. bbolt
// reuses them. It is known after the first change since the file was opened.
func (db *DB) FreeSize() int64 {
	return int64(db.bolt.Stats().FreePageN) * int64(db.bolt.Info().PageSize)
}

// BucketSize describes the content of a bucket.
type BucketSize struct {
	Bucket string `json:"bucket"`
	Keys   int    `json:"keys"`
	Bytes  int64  `json:"bytes"` // of keys and values
}

// BucketSizes returns the sizes of all buckets, in the order of their
// declaration. It reads the whole file.
func (db *DB) BucketSizes(tx *Tx) []BucketSize {
	sizes := make([]BucketSize, len(db.schema.buckets))
	for i, b := range db.schema.buckets {
		sizes[i].Bucket = string(b.name)
		for k, v := range b.Scan(tx, nil, nil) {
			sizes[i].Keys++
			sizes[i].Bytes += int64(len(k) + len(v))
		}
	}
	return sizes
}

// CopyTo writes a consistent copy of the file to another file, and syncs it.
// Changes go on meanwhile, but bbolt cannot reuse free space, so the other file
// must not be slow.
func (db *DB) CopyTo(f *os.File) error {
	return db.View(func(tx *Tx) error {
		_, err := tx.bolt.WriteTo(f)
		return errors.Join(err, f.Sync())
	})
}

// Layout returns the number of the layout that the program uses. Programs with
// an older layout cannot open the file.
func (db *DB) Layout() (int, error) { return db.layoutVersion() }

// compactBatch is the number of bytes that Compact writes in one transaction.
const compactBatch = 16 << 20

// Compact writes a copy of the file without free space to a path where no file
// is.
func (db *DB) Compact(path string) error {
	to, err := openFile(path, Options{})
	if err != nil {
		return err
	}
	return errors.Join(bolt.Compact(to, db.bolt, compactBatch), to.Sync(), to.Close())
}

// Tx is a transaction: a consistent read, or a change. It must not be used
// after the function that received it has returned.
type Tx struct {
	bolt        *bolt.Tx
	db          *DB
	hasWritten  bool
	afterCommit []func()
}

// View runs fn in a consistent read. fn must be quick and must not wait for
// others: bbolt cannot reuse the file's free space while a read is open.
//
// View fails with a fault of the kind fault.Damaged if a page of the file cannot
// be read.
func (db *DB) View(fn func(*Tx) error) error {
	if db.unreadable.Load() {
		return errUnreadable
	}
	begun := false
	err := closedError(Guard(func() error {
		return db.bolt.View(func(b *bolt.Tx) error {
			begun = true
			return fn(db.newTx(b))
		})
	}))
	if !begun && errors.Is(err, ErrDamaged) {
		db.unreadable.Store(true) // bbolt still holds its lock
	}
	return db.noteDamage(err)
}

var errUnreadable = Damaged(errors.New("the first pages of the file"))

func (db *DB) newTx(b *bolt.Tx) *Tx { return &Tx{bolt: b, db: db} }

// Views returns the number of reads since the file was opened.
func (db *DB) Views() int { return db.bolt.Stats().TxN }

// updateWithoutWriter runs a change in its own transaction. It is used while
// the writer is not running, and for checks.
func (db *DB) updateWithoutWriter(fn func(*Tx) error) error {
	switch {
	case db.unreadable.Load():
		return errUnreadable
	case db.broken.Load():
		return Damaged(errors.New("a change could not be undone"))
	}
	var used *bolt.Tx
	err := closedError(Guard(func() error {
		return db.bolt.Update(func(b *bolt.Tx) error {
			used = b
			return fn(db.newTx(b))
		})
	}))
	switch {
	case used != nil && used.DB() != nil:
		// bbolt could not end the transaction, and would wait for that forever.
		db.broken.Store(true)
	case used == nil && errors.Is(err, ErrDamaged):
		db.unreadable.Store(true)
	}
	return err
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

// AfterCommit registers fn to run after the change is durable, or has turned
// out to write nothing, and before Update returns. fn does not run if the
// change fails.
func (tx *Tx) AfterCommit(fn func()) { tx.afterCommit = append(tx.afterCommit, fn) }
