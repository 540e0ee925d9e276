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
//	uvarint, bytes  length of the actor, and the actor; length 0 means "system"
//	the rest        the metadata, encoded; see kv.Dictionary
//
// The key is the position of the entry, which is also its time.
const entryFormat = 2

// metadataDictionary1 is sample metadata. It makes common keys and values of the
// metadataDictionary very small. It must never change, because stored entries are decoded
// with it. A better dictionary would be dictionary2, with a new entryFormat.
//
//go:embed dictionary1.json
var metadataDictionary1 []byte

// log appends an entry about an event. It first completes the event with the
// correlation id that all events of the change have, and with the current names
// of the things whose ids the event has. If the event means an alert, that
// begins or ends in the same transaction. If it changes the health of a thing,
// that is added to the history of the thing.
func (tx *Tx) log(actor string, e activity.Event) error {
	tx.addNames(e)
	if c, ok := e.(activity.CorrelatedEvent); ok {
		c.Correlation().CorrelationID = tx.correlation()
	}
	metadata, err := activity.Encode(e)
	if err != nil {
		return err
	}
	entry := &activity.Entry{
		Position: tx.Newest().Next(tx.now),
		ID:       uuid.NewString(),
		Type:     e.Type(),
		Actor:    activity.CutActor(MaskTokens(actor)),
		Severity: activity.SeverityOf(e),
		Metadata: maskDocument(metadata),
	}
	if err := tx.appendEntry(entry); err != nil {
		return err
	}
	if logged := tx.s.options.Logged; logged != nil {
		tx.kv.AfterCommit(func() { logged(e) })
	}
	return errors.Join(tx.noteHealth(e, entry.Position), tx.noteAlerts(e, entry.Position))
}

// addNames adds the names of the things that an event is about. It keeps names
// that the event already has, and adds no name for an unknown id.
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
	value = tx.s.metadataDictionary.Encode(value, e.Metadata)
	return tx.s.entries.Append(tx.kv, e.Position.Key(), value)
}

// entryCache holds the entries that were read recently. The slot of an entry
// follows from its position, and a later entry replaces the one in its slot. A
// cached entry is always right: entries are immutable, and no two have the same
// position. BenchmarkEntries: reading the first page of the log takes a tenth
// of the time.
type entryCache [1 << entryCacheBits]atomic.Pointer[activity.Entry]

// entryCacheBits is the binary logarithm of the number of slots.
const entryCacheBits = 12

func (c *entryCache) slot(p activity.Position) *atomic.Pointer[activity.Entry] {
	return &c[uint64(p)*0x9e3779b97f4a7c15>>(64-entryCacheBits)]
}

// readEntry returns an entry, from the cache if possible. A change does not
// fill the cache: it can still be rolled back, and its positions are then used
// again.
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

func (tx *Tx) decodeEntry(key, value []byte) (*activity.Entry, error) {
	return decodeEntry(tx.s.metadataDictionary, key, value)
}

func decodeEntry(dictionary kv.Dictionary, key, value []byte) (*activity.Entry, error) {
	e := &activity.Entry{Position: activity.PositionOfKey(key)}
	fail := func() (*activity.Entry, error) { return nil, kv.Damaged(fmt.Errorf("activity %x", key)) }
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
	metadata, err := dictionary.Decode(rest[length:])
	if err != nil {
		return nil, kv.Damaged(fmt.Errorf("activity %x: %w", key, err))
	}
	if len(metadata) == 0 {
		return fail()
	}
	e.Metadata = metadata
	return e, nil
}

// Entry returns the entry at a position, or ErrNotFound. Entries are shared and
// must not be modified.
func (tx *Tx) Entry(p activity.Position) (*activity.Entry, error) {
	value := tx.s.entries.Get(tx.kv, p.Key())
	if value == nil {
		return nil, fmt.Errorf("activity %d: %w", p, ErrNotFound)
	}
	e, err := tx.readEntry(p.Key(), value)
	if err != nil {
		tx.kv.NoteDamage(err)
	}
	return e, err
}

// Newest returns the position of the entry that was written last, even if that
// entry was pruned. It returns 0 if there has never been an entry.
func (tx *Tx) Newest() activity.Position {
	// The sequence of the bucket holds the last position of a log that was
	// emptied. Positions therefore only grow.
	return max(positionOf(tx.s.entries.Last(tx.kv)), activity.Position(tx.s.entries.Sequence(tx.kv)))
}

// Oldest returns the position of the oldest entry. If the log is empty, it
// returns the position after Newest.
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

// Entries walks the entries between two positions, oldest first. Both positions
// are included. Damaged entries are skipped, so that one of them does not hide
// the others.
func (tx *Tx) Entries(from, to activity.Position) iter.Seq2[*activity.Entry, error] {
	return tx.readEntries(tx.s.entries.Scan(tx.kv, from.Key(), to.Key()))
}

// EntriesBack walks the same entries as Entries, newest first.
func (tx *Tx) EntriesBack(from, to activity.Position) iter.Seq2[*activity.Entry, error] {
	return tx.readEntries(tx.s.entries.ScanBack(tx.kv, from.Key(), to.Key()))
}

func (tx *Tx) readEntries(pairs iter.Seq2[[]byte, []byte]) iter.Seq2[*activity.Entry, error] {
	return func(yield func(*activity.Entry, error) bool) {
		for key, value := range pairs {
			e, err := tx.readEntry(key, value)
			if errors.Is(err, ErrDamaged) {
				tx.kv.NoteDamage(err)
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// prunedMidnightKey is the key of the last midnight for which the log was
// pruned.
var prunedMidnightKey = []byte("expired")

// PruneActivity prunes the entries that are older than the retention, and
// returns how many it has pruned. It does nothing if it has already run since
// the last midnight (UTC). The log of token uses has the same retention and is
// pruned with it. The age of an entry is its age at that midnight. If
// PruneActivity is called regularly, the log is pruned once a day: soon after
// midnight, or when a program starts that was not running at midnight.
func (s *Store) PruneActivity(ctx context.Context) (removed int, err error) {
	midnight := s.Now().UTC().Truncate(24 * time.Hour)
	var kept activity.Retention
	var done bool
	err = s.View(func(tx *Tx) (err error) {
		last := tx.s.meta.Get(tx.kv, prunedMidnightKey)
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
		return tx.s.meta.Put(tx.kv, prunedMidnightKey, kv.TimeBytes(midnight))
	})
}

// pruneBatchSize is the number of entries that one transaction prunes. Pruning
// them takes one or two milliseconds, so other changes are not noticeably
// delayed.
const pruneBatchSize = 500

// PruneActivityBefore prunes the log entries that were written before a time,
// and returns how many it has pruned. It logs no entry about that. The health
// changes of that time are pruned as well, except for the last one of each
// thing.
//
// It prunes the oldest entries first, in small transactions, and pauses between
// them as long as each took, so that other changes get half of the time. If it
// ends early because of ctx, an error or the end of the process, the next call
// prunes the remaining entries. bbolt reuses the space for later writes.
func (s *Store) PruneActivityBefore(ctx context.Context, before time.Time) (pruned int, err error) {
	bound := activity.PositionAt(before.Add(time.Microsecond - 1)) // rounded up to a microsecond
	for {
		step, start := 0, time.Now()
		err := s.update(ctx, System(), func(tx *Tx) error {
			var err error
			step, err = tx.pruneEntries(bound, pruneBatchSize)
			return err
		})
		if err != nil {
			return pruned, err
		}
		if pruned += step; step < pruneBatchSize {
			return pruned, s.pruneHealthChanges(ctx, bound)
		}
		select {
		case <-ctx.Done():
			return pruned, ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}

// pruneEntries prunes at most limit entries before a position, oldest first.
func (tx *Tx) pruneEntries(bound activity.Position, limit int) (pruned int, err error) {
	newest := tx.Newest()
	pruned, err = tx.s.entries.DeleteOldest(tx.kv, nil, bound.Key(), func(n int, key, _ []byte) bool {
		return n < limit && activity.PositionOfKey(key) < bound
	})
	if err == nil && pruned > 0 && tx.s.entries.First(tx.kv) == nil {
		err = tx.s.entries.SetSequence(tx.kv, uint64(newest)) // see Newest
	}
	return pruned, err
}

func (tx *Tx) verifyEntries() error {
	var faults []error
	for key, value := range tx.s.entries.Scan(tx.kv, nil, nil) {
		e, err := tx.decodeEntry(key, value) // without the cache
		if err == nil && !json.Valid(e.Metadata) {
			err = fmt.Errorf("activity %d: metadata is not JSON", e.Position)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
