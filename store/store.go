package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/kv"
)

// The errors a caller can do something about. Every other one is a fault of the
// program or of the disk.
var (
	ErrNotFound = kv.ErrNotFound
	ErrConflict = fault.New(fault.Conflict, "has already been taken")
	ErrStale    = fault.New(fault.Stale, "was changed meanwhile")
	ErrInUse    = kv.ErrInUse
	ErrNewer    = kv.ErrNewer
	ErrClosed   = kv.ErrClosed
)

// fileName is the name of the file in the data directory.
const fileName = "trento.db"

// Options of Open. The zero value is right for production, but for the
// logger.
type Options struct {
	Now    func() time.Time // the clock; time.Now where nil
	NoSync bool             // do not wait for the disk: for tests only
	Log    *slog.Logger     // where lost errors go; discarded where nil
	// HeartbeatInterval is how often agents send a heartbeat, five seconds where
	// zero; HeartbeatAllowedMissed is how many in a row may be missing.
	HeartbeatInterval      time.Duration
	HeartbeatAllowedMissed int
	// Program is the version of the program. After a start with another version
	// all reports are evaluated anew.
	Program string
	// DiscardAge is how long undecodable payloads are kept, ten days where zero.
	DiscardAge time.Duration
	// SessionIdle is after how long without use a session of the console ends;
	// never where zero.
	SessionIdle time.Duration
}

// Store is the open file.
type Store struct {
	db *kv.DB
	buckets
	options  Options
	openedAt time.Time
	once     sync.Once

	reportHashes   reportHashes
	reportCounts   reportCounts
	lastHeartbeats sync.Map // landscape.HostID to time.Time
	lastMachines   sync.Map // landscape.HostID to reportingMachine, of shared ids
	pendingUses    pendingTokenUses
	metadata       kv.Dictionary
	entryCache     entryCache
}

// Open opens the file in a data directory, creating both where they are
// missing, and brings an older file up to date. It fails with ErrInUse where
// another process has the file open, and with ErrNewer where the file is of a
// later version.
func Open(dir string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.HeartbeatInterval == 0 {
		o.HeartbeatInterval = 5 * time.Second
	}
	if o.DiscardAge == 0 {
		o.DiscardAge = 10 * 24 * time.Hour
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	s := &Store{options: o, openedAt: o.Now(), metadata: kv.NewDictionary(dictionary1)}
	s.declare()
	path := filepath.Join(dir, fileName)
	var err error
	if s.db, err = kv.Open(path, s.schema, kv.Options{NoSync: o.NoSync, Migrations: migrations}); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := errors.Join(s.recordProgram(), s.load(), s.ensureAPIKey()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), s.db.Close())
	}
	return s, nil
}

// Exists reports whether there is a file in a data directory.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}

// load reads what is kept in memory.
func (s *Store) load() error {
	return s.View(func(tx *Tx) error {
		tx.loadHeartbeats()
		return s.reportCounts.load(tx)
	})
}

// Close finishes what was accepted, writes down the last heartbeats and uses
// of tokens, and closes the file. Changes that arrive from now on fail with ErrClosed.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		flushed := errors.Join(
			s.update(context.Background(), Actor{}, (*Tx).putHeartbeats),
			s.update(context.Background(), Actor{}, (*Tx).writeReportCounts),
			s.FlushTokenUses(context.Background()),
		)
		err = errors.Join(flushed, s.db.Close())
	})
	return err
}

// ID names this file. It never changes, and no other file has it.
func (s *Store) ID() string { return s.db.ID() }

// Now is the time by the store's clock.
func (s *Store) Now() time.Time { return s.options.Now() }

// Size is the size of the file in bytes.
func (s *Store) Size() (int64, error) { return s.db.Size() }

// Actor is who makes a change.
type Actor struct {
	Name string // a user name, or activity.System
	// Correlation ties together the entries of one flow; empty starts a new one.
	Correlation string
}

// System is the actor of changes that no user asked for.
func System() Actor { return Actor{Name: activity.System} }

// Tx is one transaction: a consistent read, or a change under way. It must
// not be used after the function it was handed to has returned.
type Tx struct {
	s   *Store
	kv  *kv.Tx
	by  Actor
	now time.Time
}

func (s *Store) tx(tx *kv.Tx) *Tx { return &Tx{s: s, kv: tx, now: s.Now().UTC()} }

// View runs a consistent read. Keep it short and talk to nobody inside it: an
// open read keeps the file from reusing space.
func (s *Store) View(fn func(*Tx) error) error {
	return s.db.View(func(tx *kv.Tx) error { return fn(s.tx(tx)) })
}

// update runs a change and returns when it is on disk; see kv.DB.Update. fn may
// run more than once: it must set its results anew each time.
func (s *Store) update(ctx context.Context, by Actor, fn func(*Tx) error) error {
	if err := refuseReading(ctx); err != nil {
		return err
	}
	return s.db.Update(ctx, func(ktx *kv.Tx) error {
		tx := s.tx(ktx)
		tx.by = by
		return fn(tx)
	})
}

// edit changes a copy of the document that get returns, and stores it with put if
// it differs then. change returns what is logged of it: nothing where that is
// nil.
func edit[T any](ctx context.Context, s *Store, by Actor, get func(*Tx) (*T, error), change func(*Tx, *T) (activity.Event, error), put func(tx *Tx, before, after *T) error) (after *T, err error) {
	err = s.update(ctx, by, func(tx *Tx) error {
		before, err := get(tx)
		if err != nil {
			return err
		}
		after = new(*before)
		event, err := change(tx, after)
		if err == nil && !reflect.DeepEqual(before, after) {
			err = put(tx, before, after)
		}
		if err != nil || event == nil {
			return err
		}
		return tx.log(by.Name, event)
	})
	return after, err
}

// Ready reports whether the file answers.
func (s *Store) Ready() error {
	return s.View(func(tx *Tx) error {
		if tx.s.meta.First(tx.kv) == nil {
			return errors.New("store: nothing is in the file")
		}
		return nil
	})
}

// Verify checks everything that always holds of the file; doc.go lists it. It
// reads the whole file, and writers wait meanwhile.
func (s *Store) Verify() error { return s.db.Verify() }

// timestamp is now as a field that may be empty holds it.
func (tx *Tx) timestamp() *time.Time {
	now := tx.now.UTC()
	return &now
}

func (tx *Tx) correlation() string {
	if tx.by.Correlation == "" {
		tx.by.Correlation = uuid.NewString()
	}
	return tx.by.Correlation
}
