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
	"trento/store/failure"
	"trento/store/fault"
	"trento/store/kv"
)

// The errors that a caller can handle. Every other error is a fault of the
// program or of the disk, or a fault of a field that the function documents.
var (
	ErrNotFound = kv.ErrNotFound
	ErrConflict = fault.New(fault.Conflict, "has already been taken")
	ErrStale    = fault.New(fault.Stale, "was changed meanwhile")
	ErrInUse    = kv.ErrInUse
	ErrNewer    = kv.ErrNewer
	ErrOlder    = kv.ErrOlder
	ErrClosed   = kv.ErrClosed
	ErrDamaged  = kv.ErrDamaged
)

// FileName is the name of the file in the data directory.
const FileName = "trento.db"

// Options are the options of Open. The zero value is right for production,
// except that it discards the log.
type Options struct {
	Now func() time.Time // the clock; nil means time.Now
	// Elapsed returns the time since the store was opened, whatever happens to
	// the clock. nil means that Now is never set.
	Elapsed func() time.Duration
	NoSync  bool         // do not wait for the disk; for data that nobody misses after a power failure, in tests and demos
	Log     *slog.Logger // the server's log; nil discards it
	// HeartbeatInterval is the time between two heartbeats of an agent; 0 means
	// five seconds. HeartbeatAllowedMissed is how many heartbeats in a row may
	// be missing.
	HeartbeatInterval      time.Duration
	HeartbeatAllowedMissed int
	// Program is the version of the program. When it differs from the version
	// that opened the file last, the next SAP report of each agent is evaluated
	// in full.
	Program string
	// DiscardAge is how long undecodable payloads are kept; 0 means ten days.
	DiscardAge time.Duration
	// Alerts says whether alerts are switched on; nil means that the stored
	// settings say so.
	Alerts *bool
	// SessionIdle is the time without use after which a console session ends; 0
	// means that it never ends for this reason.
	SessionIdle time.Duration
	// ReadOnly opens a store that exists, and changes nothing: an older layout
	// is refused with ErrOlder, and every change fails.
	ReadOnly bool
	// BeforeCommit is called before each commit, which fails with its error; for
	// tests only.
	BeforeCommit func() error
	// Committed is called after each attempt to commit changes, with how long it
	// took and its error. Logged is called for each event that was logged, after
	// its commit. Both must be fast: the next change waits for them. nil: they
	// are not called.
	Committed func(took time.Duration, err error)
	Logged    func(activity.Event)
}

// Store is the open file, with the state that is kept in memory.
type Store struct {
	db *kv.DB
	buckets
	options   Options
	failures  *failure.List
	openedAt  time.Time
	closeOnce sync.Once

	reportHashes       reportHashes
	reportCounts       reportCounts
	lastHeartbeats     sync.Map // landscape.HostID to agentHeartbeat
	lastMachines       sync.Map // landscape.HostID to reportingMachine; only for shared ids
	pendingUses        pendingTokenUses
	unwrittenSignIns   unwrittenSignIns
	metadataDictionary kv.Dictionary
	entryCache         entryCache
	alertsChanged      chan struct{} // of one slot
	clock              struct {
		mu             sync.Mutex
		checkedAt      time.Time     // what the clock said at the last check
		checkedElapsed time.Duration // Options.Elapsed at the last check
		trustedFrom    time.Duration // Options.Elapsed from which on the age of data is trusted
	}
}

// Open opens the file in a data directory, creates both if they are missing,
// and brings an older file up to date. It fails with ErrInUse if another
// process has the file open, and with ErrNewer if a later version wrote the
// file.
func Open(dir string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Elapsed == nil {
		o.Elapsed = elapsedSince(o.Now) // time.Now has the time since the start of the machine as well
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
	if !o.ReadOnly {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("data directory: %w", err)
		}
	}
	s := &Store{options: o, openedAt: o.Now(), metadataDictionary: kv.NewDictionary(metadataDictionary1), alertsChanged: make(chan struct{}, 1)}
	s.failures = failure.NewList(o.Log, o.Now)
	s.declareBuckets()
	path := filepath.Join(dir, FileName)
	var err error
	if s.db, err = kv.Open(path, s.schema, kv.Options{
		NoSync: o.NoSync, Migrations: migrations, ReadOnly: o.ReadOnly, Failures: s.failures, BeforeCommit: o.BeforeCommit, Committed: o.Committed,
	}); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.clock.checkedAt, s.clock.checkedElapsed = o.Now().Round(0), o.Elapsed()
	err = s.loadInMemoryState()
	if !o.ReadOnly {
		err = errors.Join(s.recordProgram(), err, s.ensureAPIKey())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), s.db.Close())
	}
	return s, nil
}

// Exists reports whether a data directory holds the database file.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, FileName))
	return err == nil
}

// loadInMemoryState reads from the file what is kept in memory while the store is
// open.
func (s *Store) loadInMemoryState() error {
	return s.View(func(tx *Tx) error {
		tx.loadHeartbeats()
		if err := s.reportCounts.loadStatuses(tx); err != nil {
			return err
		}
		tx.loadReportTimes()
		return nil
	})
}

// Close completes the accepted changes, writes what is only in memory, and
// closes the file. Later changes fail with ErrClosed.
func (s *Store) Close() error {
	var err error
	s.closeOnce.Do(func() {
		if !s.options.ReadOnly {
			err = s.flush(context.Background())
		}
		err = errors.Join(err, s.db.Close())
	})
	return err
}

// flush writes what is only in memory: heartbeats, report counts, times of
// reports and uses of tokens.
func (s *Store) flush(ctx context.Context) error {
	return errors.Join(
		s.update(ctx, Actor{}, (*Tx).putHeartbeats),
		s.update(ctx, Actor{}, (*Tx).writeReportCounts),
		s.update(ctx, Actor{}, (*Tx).putReportTimes),
		s.FlushTokenUses(ctx),
	)
}

// CopyTo writes a consistent copy of the store to a file, and syncs it. Changes
// go on meanwhile.
func (s *Store) CopyTo(ctx context.Context, f *os.File) error {
	return errors.Join(s.flush(ctx), s.db.CopyTo(f))
}

// Compact writes a copy of the store without free space to a path where no file
// is. Changes that are made meanwhile may be missing in it.
func (s *Store) Compact(path string) error { return s.db.Compact(path) }

// Layout returns the number of the layout of the file. It grows with the
// program: older programs refuse the file.
func (s *Store) Layout() (int, error) { return s.db.Layout() }

// ID returns the id of the file. It never changes, and no other file has it.
func (s *Store) ID() string { return s.db.ID() }

// Now returns the time of the store's clock.
func (s *Store) Now() time.Time { return s.options.Now() }

// StartedAt returns the time at which the store was opened: that of the start of
// the server.
func (s *Store) StartedAt() time.Time { return s.openedAt }

// Size returns the size of the file in bytes.
func (s *Store) Size() (int64, error) { return s.db.Size() }

// FreeSize returns the number of bytes of the file that hold no data. It is
// known after the first change since the start.
func (s *Store) FreeSize() int64 { return s.db.FreeSize() }

// BucketSizes returns how much the buckets of the file hold. It reads the whole
// file.
func (s *Store) BucketSizes() (sizes []kv.BucketSize, err error) {
	err = s.db.View(func(tx *kv.Tx) error {
		sizes = s.db.BucketSizes(tx)
		return nil
	})
	return sizes, err
}

// Actor is the user, or the system, that makes a change.
type Actor struct {
	Name string // a user name, or activity.System
	// Correlation is the id that the log entries of one flow have in common; ""
	// starts a new flow.
	Correlation string
}

// System returns the actor of changes that no user asked for.
func System() Actor { return Actor{Name: activity.System} }

// Tx is a transaction: a consistent read, or a change that is not yet
// committed. It must not be used after the function that received it has
// returned.
type Tx struct {
	s   *Store
	kv  *kv.Tx
	by  Actor
	now time.Time
}

func (s *Store) newTx(tx *kv.Tx) *Tx { return &Tx{s: s, kv: tx, now: s.Now().UTC()} }

// View runs fn in a consistent read. fn must be quick and must not wait for a
// network or a lock: bbolt cannot reuse the file's free space while a read is
// open.
func (s *Store) View(fn func(*Tx) error) error {
	return s.db.View(func(tx *kv.Tx) error { return fn(s.newTx(tx)) })
}

// update runs fn as a change and returns when the change is on disk; see
// kv.DB.Update. fn may run more than once, so it must set its results anew each
// time.
func (s *Store) update(ctx context.Context, by Actor, fn func(*Tx) error) error {
	if err := refuseInRead(ctx); err != nil {
		return err
	}
	return s.db.Update(ctx, func(ktx *kv.Tx) error {
		tx := s.newTx(ktx)
		tx.by = by
		return fn(tx)
	})
}

// editDocument changes a copy of the document that get returns. It stores the copy with
// put if it differs from the document. change returns the event to log; nil
// logs nothing.
func editDocument[T any](ctx context.Context, s *Store, by Actor, get func(*Tx) (*T, error), change func(*Tx, *T) (activity.Event, error), put func(tx *Tx, before, after *T) error) (after *T, err error) {
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

// Failures returns the list of what does not work at the moment.
func (s *Store) Failures() *failure.List { return s.failures }

// Ready returns an error if the file cannot be read.
func (s *Store) Ready() error {
	return s.View(func(tx *Tx) error {
		if tx.s.meta.First(tx.kv) == nil {
			return errors.New("store: nothing is in the file")
		}
		return nil
	})
}

// Verify checks the rules that doc.go lists. It reads the whole file, and
// changes wait meanwhile.
func (s *Store) Verify() error { return s.db.Verify() }

// timestamp returns the time of the transaction as a pointer, for optional
// fields.
func (tx *Tx) timestamp() *time.Time {
	now := tx.now.UTC()
	return &now
}

// correlation returns the correlation id of the transaction, and makes one if
// the actor has none.
func (tx *Tx) correlation() string {
	if tx.by.Correlation == "" {
		tx.by.Correlation = uuid.NewString()
	}
	return tx.by.Correlation
}
