package store

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/kv"
	"trento/store/landscape"
)

// An entry is stored as
//
//	1 byte          format, entryFormat
//	uvarint         activity.Type.Code
//	1 byte          severity
//	16 bytes        id
//	uvarint, bytes  length of the actor and the actor; no bytes stand for "system"
//	the rest        the metadata, encoded; see kv.Dictionary
//
// under its position, which is also its time.
const entryFormat = 2

// dictionary1 is sample metadata, so that common keys and values cost next to
// nothing. It must never change. A better one gets the next number and stands
// beside it, for a new format.
//
//go:embed dictionary1.json
var dictionary1 []byte

// log appends an entry about an event, which it completes: with the correlation
// id that all events of one change have, and with the names that belong to the
// ids, as they are now.
func (tx *Tx) log(actor string, e activity.Event) error {
	tx.addNames(e)
	if c, ok := e.(activity.CorrelatedEvent); ok {
		c.Correlation().CorrelationID = tx.correlation()
	}
	metadata, err := activity.Encode(e)
	if err != nil {
		return err
	}
	return tx.appendEntry(&activity.Entry{
		Position: tx.Newest().Next(tx.now),
		ID:       uuid.NewString(),
		Type:     e.Type(),
		Actor:    activity.CutActor(MaskTokens(actor)),
		Severity: activity.SeverityOf(e),
		Metadata: maskDocument(metadata),
	})
}

// addNames adds the names of the things that an event is about, unless it has
// them already. What cannot be found adds nothing.
func (tx *Tx) addNames(e activity.Event) {
	if e, ok := e.(activity.HostEvent); ok && e.Host().Hostname == "" {
		if host, err := tx.storedHost(landscape.HostID(e.Host().HostID)); err == nil {
			e.Host().Hostname = host.Hostname
		}
	}
	if e, ok := e.(activity.ClusterEvent); ok && e.Cluster().Name == nil {
		if cluster, err := tx.storedCluster(landscape.ClusterID(e.Cluster().ClusterID)); err == nil {
			e.Cluster().Name = cluster.Name
		}
	}
	if e, ok := e.(activity.DatabaseEvent); ok && e.Database().SID == "" {
		if db, err := tx.storedDatabase(landscape.DatabaseID(e.Database().DatabaseID)); err == nil {
			e.Database().SID = db.SID
		}
	}
	if e, ok := e.(activity.SAPSystemEvent); ok && e.SAPSystem().SID == "" {
		if system, err := tx.storedSAPSystem(landscape.SAPSystemID(e.SAPSystem().SAPSystemID)); err == nil {
			e.SAPSystem().SID = system.SID
		}
	}
}

func (tx *Tx) appendEntry(e *activity.Entry) error {
	code, ok := e.Type.Code()
	if !ok {
		return fmt.Errorf("activity: unknown type %q", e.Type)
	}
	id, err := uuid.Parse(e.ID)
	if err != nil {
		return fmt.Errorf("activity %s: %w", e.Type, err)
	}
	actor := e.Actor
	if actor == activity.System {
		actor = ""
	}
	value := []byte{entryFormat}
	value = binary.AppendUvarint(value, uint64(code))
	value = append(value, byte(e.Severity))
	value = append(value, id[:]...)
	value = binary.AppendUvarint(value, uint64(len(actor)))
	value = append(value, actor...)
	value = tx.s.metadata.Encode(value, e.Metadata)
	return tx.s.entries.Append(tx.kv, e.Position.Key(), value)
}

// entryCache has entries that were read lately. The position of an entry says in
// which slot it can be; a later one takes the slot. It can never be wrong: entries
// are immutable, and no two ever have the same position. BenchmarkEntries: the
// first page of the log is read in a tenth of the time.
type entryCache [1 << entryCacheBits]atomic.Pointer[activity.Entry]

const entryCacheBits = 12

func (c *entryCache) slot(p activity.Position) *atomic.Pointer[activity.Entry] {
	return &c[uint64(p)*0x9e3779b97f4a7c15>>(64-entryCacheBits)]
}

// readEntry returns an entry, from the cache where it is there. A change fills
// no cache: it may yet be undone, and its positions be given out again.
func (tx *Tx) readEntry(key, value []byte) (*activity.Entry, error) {
	slot := tx.s.entryCache.slot(activity.PositionOfKey(key))
	if e := slot.Load(); e != nil && e.Position == activity.PositionOfKey(key) {
		return e, nil
	}
	e, err := tx.decodeEntry(key, value)
	if err == nil && !tx.kv.Writable() {
		slot.Store(e)
	}
	return e, err
}

var errEntry = errors.New("damaged entry")

func (tx *Tx) decodeEntry(key, value []byte) (*activity.Entry, error) {
	e := &activity.Entry{Position: activity.PositionOfKey(key)}
	fail := func() (*activity.Entry, error) { return nil, fmt.Errorf("activity %x: %w", key, errEntry) }
	if len(value) < 1 || value[0] != entryFormat {
		return fail()
	}
	rest := value[1:]
	code, n := binary.Uvarint(rest)
	if n <= 0 || len(rest) < n+1+16 {
		return fail()
	}
	var ok bool
	if e.Type, ok = activity.TypeOfCode(uint16(code)); !ok {
		return fail()
	}
	e.Severity = activity.Severity(rest[n])
	e.ID = uuid.UUID(rest[n+1 : n+17]).String()
	rest = rest[n+17:]
	length, n := binary.Uvarint(rest)
	if n <= 0 || uint64(len(rest)-n) < length {
		return fail()
	}
	rest = rest[n:]
	if e.Actor = string(rest[:length]); e.Actor == "" {
		e.Actor = activity.System
	}
	metadata, err := tx.s.metadata.Decode(rest[length:])
	if err != nil {
		return nil, fmt.Errorf("activity %x: %w", key, err)
	}
	if len(metadata) == 0 {
		return fail()
	}
	e.Metadata = metadata
	return e, nil
}

// Entry returns the entry at a position, or ErrNotFound. As all entries read,
// it is shared and must not be modified.
func (tx *Tx) Entry(p activity.Position) (*activity.Entry, error) {
	value := tx.s.entries.Get(tx.kv, p.Key())
	if value == nil {
		return nil, fmt.Errorf("activity %d: %w", p, ErrNotFound)
	}
	return tx.readEntry(p.Key(), value)
}

// Newest is the position of the entry that was written last, even if it was
// pruned since; 0 before the first one.
func (tx *Tx) Newest() activity.Position {
	// The sequence keeps the last position of a log that was emptied, so that
	// positions only grow.
	return max(positionOf(tx.s.entries.Last(tx.kv)), activity.Position(tx.s.entries.Sequence(tx.kv)))
}

// Oldest is where the log begins: the position of its oldest entry, or the one
// behind Newest where it is empty.
func (tx *Tx) Oldest() activity.Position {
	key := tx.s.entries.First(tx.kv)
	if key == nil {
		return tx.Newest() + 1
	}
	return positionOf(key)
}

func positionOf(key []byte) activity.Position {
	if key == nil {
		return 0
	}
	return activity.PositionOfKey(key)
}

// Entries walks the entries from one position to another, both included,
// oldest first.
func (tx *Tx) Entries(from, to activity.Position) iter.Seq2[*activity.Entry, error] {
	return tx.readEntries(tx.s.entries.Scan(tx.kv, from.Key(), to.Key()))
}

// EntriesBack walks the same entries, newest first.
func (tx *Tx) EntriesBack(from, to activity.Position) iter.Seq2[*activity.Entry, error] {
	return tx.readEntries(tx.s.entries.ScanBack(tx.kv, from.Key(), to.Key()))
}

func (tx *Tx) readEntries(pairs iter.Seq2[[]byte, []byte]) iter.Seq2[*activity.Entry, error] {
	return func(yield func(*activity.Entry, error) bool) {
		for key, value := range pairs {
			if !yield(tx.readEntry(key, value)) {
				return
			}
		}
	}
}

// keyExpired is where the file says for which midnight old entries were pruned.
var keyExpired = []byte("expired")

// PruneActivity prunes the entries whose time is over, if that has not been
// done since the last midnight (UTC), and says how many those were. The log of
// the uses of tokens is kept as long and goes with them. Called every now
// and then, it prunes the log once a day: at midnight, or as soon as a program
// that was not running then is started. What is too old is judged as of that
// midnight.
func (s *Store) PruneActivity(ctx context.Context) (removed int, err error) {
	midnight := s.Now().UTC().Truncate(24 * time.Hour)
	var kept activity.Retention
	var done bool
	err = s.View(func(tx *Tx) (err error) {
		last := tx.s.meta.Get(tx.kv, keyExpired)
		done = last != nil && !kv.BytesTime(last).Before(midnight)
		kept, err = tx.Retention()
		return err
	})
	if err != nil || done {
		return 0, err
	}
	cutoff := kept.Cutoff(midnight)
	removed, err = s.PruneActivityBefore(ctx, cutoff)
	if err == nil {
		err = s.PruneTokenUsesBefore(ctx, cutoff)
	}
	if err != nil {
		return removed, err
	}
	return removed, s.update(ctx, System(), func(tx *Tx) error {
		return tx.s.meta.Put(tx.kv, keyExpired, kv.TimeBytes(midnight))
	})
}

// pruneStep is how many entries one transaction prunes. That takes a millisecond
// or two, which no other change notices.
const pruneStep = 500

// PruneActivityBefore prunes the entries of the log that were written before a
// time, and returns how many there were. Nothing is logged about it.
//
// It goes in small steps, oldest entries first, and leaves the file to others
// half of the time. Where it ends early, by ctx, an error or the end of the
// process, the log begins later than it did, and the next call goes on from
// there. The space is used again for what is written next.
func (s *Store) PruneActivityBefore(ctx context.Context, before time.Time) (pruned int, err error) {
	bound := activity.PositionAt(before.Add(time.Microsecond - 1)) // rounded up
	for {
		step, start := 0, time.Now()
		err := s.update(ctx, System(), func(tx *Tx) error {
			var err error
			step, err = tx.pruneEntries(bound, pruneStep)
			return err
		})
		if err != nil {
			return pruned, err
		}
		if pruned += step; step < pruneStep {
			return pruned, nil
		}
		select {
		case <-ctx.Done():
			return pruned, ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}

// pruneEntries prunes the oldest entries in front of a position, most at once.
func (tx *Tx) pruneEntries(bound activity.Position, most int) (pruned int, err error) {
	newest := tx.Newest()
	pruned, err = tx.s.entries.DeleteOldest(tx.kv, nil, bound.Key(), func(n int, key, _ []byte) bool {
		return n < most && activity.PositionOfKey(key) < bound
	})
	if err == nil && pruned > 0 && tx.s.entries.First(tx.kv) == nil {
		err = tx.s.entries.SetSequence(tx.kv, uint64(newest)) // see Newest
	}
	return pruned, err
}

func (tx *Tx) verifyEntries() error {
	var faults []error
	for key, value := range tx.s.entries.Scan(tx.kv, nil, nil) {
		e, err := tx.decodeEntry(key, value) // not from the cache
		if err == nil && !json.Valid(e.Metadata) {
			err = fmt.Errorf("activity %d: metadata is not JSON", e.Position)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
