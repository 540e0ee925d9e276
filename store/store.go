package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"trento/store/activity"
	"trento/store/landscape"
)

// The errors a caller can do something about. Every other one is a fault of
// the product or of the disk.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("has already been taken")
	ErrStale    = errors.New("was changed meanwhile")
	ErrInUse    = errors.New("another instance is using it")
	ErrNewer    = errors.New("written by a newer version")
	ErrClosed   = errors.New("store is closed")
)

// fileName is the name of the file in the data directory.
const fileName = "trento.db"

// lockTimeout is how long Open waits for another process to let go of the
// file: long enough for a restart that overlaps, short enough for a person.
const lockTimeout = time.Second

// Options of Open. The zero value is right for production, but for the
// logger.
type Options struct {
	Now    func() time.Time // the clock; time.Now where nil
	NoSync bool             // do not wait for the disk: for tests only
	Log    *slog.Logger     // where lost errors go; discarded where nil
	// HeartbeatInterval is how often agents report, five seconds where zero;
	// HeartbeatAllowedMissed is how many reports may be missing.
	HeartbeatInterval      time.Duration
	HeartbeatAllowedMissed int
	// Program is the version of the program. Another one than the last is a
	// reason to judge all reports anew.
	Program string
	// DiscardAge is how long undecodable payloads are kept, ten days where zero.
	DiscardAge time.Duration
	// SessionIdle ends sessions of the console in which nobody has done anything
	// for so long; zero ends none.
	SessionIdle time.Duration
}

// Store is the open file.
type Store struct {
	db       *bolt.DB
	id       string
	options  Options
	openedAt time.Time

	jobs    chan *job
	closing chan struct{}
	closed  chan struct{}
	once    sync.Once

	hosts        cache[landscape.Host]
	clusters     cache[landscape.Cluster]
	databases    cache[landscape.Database]
	sapSystems   cache[landscape.SAPSystem]
	kept         cache[landscape.LastSAPReport]
	tags         cache[Tags]
	views        cache[SavedViews]
	users        cache[User]
	apiKeys      cache[APIKey]
	tokens       cache[Token]
	tokenRules   cache[TokenSettings]
	retention    cache[activity.Retention]
	sessions     decodedSessions
	reports      reportHashes
	agentReports cache[AgentReports]
	received     receivedReports
	beats        lastHeartbeats
	turns        turns
	watchers     watchers
	uses         uses
	zip          *compressor
	pack         packer
	recent       recentEntries
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
	path := filepath.Join(dir, fileName)
	if err := create(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db, err := openFile(path, o.NoSync)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s := &Store{
		db: db, options: o, openedAt: o.Now(), zip: newCompressor(), pack: newPacker(),
		jobs: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{}),
	}
	if err := s.load(path); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	go s.write()
	if err := s.ensureAPIKey(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Exists reports whether there is a file in a data directory.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, fileName))
	return err == nil
}

// create makes the file under another name and renames it, because a power
// cut while bbolt writes its first pages would leave a file that cannot be
// opened.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	db, err := openFile(fresh, false)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	// A second instance may have been faster; its file must not be replaced.
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
	db, err := bolt.Open(path, 0o600, &bolt.Options{
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
	return db, err
}

// load migrates the file and reads what is kept in memory.
func (s *Store) load(path string) error {
	if err := s.migrate(path); err != nil {
		return err
	}
	if err := s.noteProgram(); err != nil {
		return fmt.Errorf("note the version: %w", err)
	}
	return s.db.View(func(btx *bolt.Tx) error {
		s.id = fmt.Sprintf("%x", btx.Bucket(bucketMeta).Get(keyID))
		return errors.Join(s.beats.load(btx), s.received.load(&Tx{s: s, btx: btx, now: s.Now()}))
	})
}

// Close finishes what was accepted, writes down the last heartbeats and uses
// of tokens, and closes the file. Changes that arrive from now on fail with ErrClosed.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		flushed := errors.Join(
			s.update(context.Background(), Actor{}, (*Tx).writeBeats),
			s.update(context.Background(), Actor{}, (*Tx).writeReportCounts),
			s.FlushTokenUses(context.Background()),
		)
		close(s.closing)
		<-s.closed
		err = errors.Join(flushed, s.db.Close())
	})
	return err
}

// ID names this file. It never changes, and no other file has it.
func (s *Store) ID() string { return s.id }

// Now is the time by the store's clock.
func (s *Store) Now() time.Time { return s.options.Now() }

// Size is the size of the file in bytes.
func (s *Store) Size() (int64, error) {
	info, err := os.Stat(s.db.Path())
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Actor is who asks for a change.
type Actor struct {
	Name string // a user name, or activity.System
	// Correlation ties together the entries of one flow; empty starts a new one.
	Correlation string
}

// System is the actor of what nobody asked for.
func System() Actor { return Actor{Name: activity.System} }

// Tx is one transaction: a consistent read, or a change under way. It must
// not be used after the function it was handed to has returned.
type Tx struct {
	s     *Store
	btx   *bolt.Tx
	by    Actor
	now   time.Time
	dirty bool
	// after is what is to happen outside the file once the change is durable.
	after []func()
}

// View runs a consistent read. Keep it short and talk to nobody inside it: an
// open read keeps the file from reusing space.
func (s *Store) View(fn func(*Tx) error) error {
	return s.db.View(func(btx *bolt.Tx) error {
		return fn(&Tx{s: s, btx: btx, now: s.Now()})
	})
}

// Ready reports whether the file answers.
func (s *Store) Ready() error {
	return s.View(func(tx *Tx) error {
		if tx.btx.Bucket(bucketMeta) == nil {
			return errors.New("store: no meta bucket")
		}
		return nil
	})
}

// moment is now as a field that may be empty holds it.
func (tx *Tx) moment() *time.Time {
	now := tx.now.UTC()
	return &now
}

func (tx *Tx) correlation() string {
	if tx.by.Correlation == "" {
		tx.by.Correlation = uuid.NewString()
	}
	return tx.by.Correlation
}
