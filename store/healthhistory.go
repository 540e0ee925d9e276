package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/kv"
	"trento/store/landscape"
)

// The bucket health_change holds the changes of the health state of each thing
// of the landscape. It is written together with the entries of the log that
// tell the changes, and pruned with them, but the last change before the limit
// stays for each thing. The health of a thing is therefore known at every moment
// since the log begins.
//
// The key is the kind of the thing, its id and the position of the entry. The
// value is
//
//	1 byte   flags: the health state after the change
//	8 bytes  position at which that health began; absent if it began with this
//	         change, 0 if it began before the log

// HealthChange is a change of the health state of a thing.
type HealthChange struct {
	Position activity.Position // of the entry that tells the change
	landscape.HealthState
	healthSince activity.Position // since when the thing has the health; 0 if that is not known
}

// healthKinds are the kinds of things with a health. The first byte of a key is
// the index of the kind.
var healthKinds = [...]activity.ThingKind{1: activity.HostThing, activity.ClusterThing, activity.DatabaseThing, activity.SAPSystemThing}

// HealthKinds returns the kinds of things with a health.
func HealthKinds() []activity.ThingKind { return healthKinds[1:] }

// healthFlags are the health values, in the lowest bits of the flags.
var healthFlags = [...]landscape.Health{landscape.HealthUnknown, landscape.HealthPassing, landscape.HealthWarning, landscape.HealthCritical}

const (
	healthFlagMask   = 0b0011
	healthStale      = 0b0100
	healthRegistered = 0b1000

	healthThingSize = 1 + len(uuid.UUID{}) // length of the kind and the id in bytes
	healthKeySize   = healthThingSize + 8
)

// healthThing is the kind and the id of a thing as the key of a change has them.
type healthThing [healthThingSize]byte

// healthThingOf returns the kind and the id for a key. ok is false if things of
// the kind have no health or the id is not a UUID, as no thing has.
func healthThingOf(kind activity.ThingKind, id string) (t healthThing, ok bool) {
	parsed, err := uuid.Parse(id)
	for i, k := range healthKinds {
		if k == kind && k != "" {
			t[0] = byte(i)
		}
	}
	copy(t[1:], parsed[:])
	return t, err == nil && t[0] != 0
}

func (t healthThing) key(p activity.Position) []byte { return append(t[:], p.Key()...) }

func (t healthThing) String() string {
	return fmt.Sprintf("%s %s", healthKinds[t[0]], uuid.UUID(t[1:]))
}

// encode returns the value of a change.
func (c HealthChange) encode() []byte {
	var flags byte
	for i, h := range healthFlags {
		if h == c.Health {
			flags = byte(i)
		}
	}
	if c.Stale {
		flags |= healthStale
	}
	if c.Registered {
		flags |= healthRegistered
	}
	if c.healthSince == c.Position {
		return []byte{flags}
	}
	return append([]byte{flags}, c.healthSince.Key()...)
}

// decodeHealthChange returns the change with a key and a value.
func decodeHealthChange(key, value []byte) (t healthThing, c HealthChange, err error) {
	if len(key) != healthKeySize || key[0] == 0 || int(key[0]) >= len(healthKinds) ||
		(len(value) != 1 && len(value) != 9) || value[0] > healthRegistered|healthStale|healthFlagMask {
		return t, c, kv.Damaged(fmt.Errorf("health change %x", key))
	}
	copy(t[:], key)
	c.Position = activity.PositionOfKey(key[healthThingSize:])
	c.Health, c.Stale, c.Registered = healthFlags[value[0]&healthFlagMask], value[0]&healthStale != 0, value[0]&healthRegistered != 0
	if c.healthSince = c.Position; len(value) > 1 {
		c.healthSince = activity.Position(binary.BigEndian.Uint64(value[1:]))
	}
	return t, c, nil
}

// applyStep returns the change that follows from a step at a position. changed is
// false if the step changes nothing.
func (c HealthChange) applyStep(step landscape.HealthStep, at activity.Position) (next HealthChange, changed bool) {
	next = HealthChange{Position: at, HealthState: step.After(c.HealthState), healthSince: c.healthSince}
	if next.Health != c.Health || next.Registered && !c.Registered {
		next.healthSince = at
	}
	return next, next.HealthState != c.HealthState
}

// unknownHealth is the state before the first change of a thing.
var unknownHealth = HealthChange{HealthState: landscape.HealthState{Health: landscape.HealthUnknown}}

// noteHealth stores what an event, whose entry is at a position, changes in the
// health state of a thing.
func (tx *Tx) noteHealth(e activity.Event, at activity.Position) error {
	step, ok := landscape.HealthStepOf(e)
	if !ok {
		return nil
	}
	thing, ok := healthThingOf(step.Kind, step.ID)
	if !ok {
		return nil
	}
	before, err := tx.healthChangeAt(thing, at)
	if err != nil {
		return err
	}
	next, changed := before.applyStep(step, at)
	if !changed {
		return nil
	}
	return tx.s.healthChanges.Put(tx.kv, thing.key(at), next.encode())
}

// healthChangeAt returns the last change of a thing that is not after a
// position; unknownHealth if there is none.
func (tx *Tx) healthChangeAt(thing healthThing, at activity.Position) (HealthChange, error) {
	for key, value := range tx.s.healthChanges.ScanBack(tx.kv, thing.key(0), thing.key(at)) {
		_, c, err := decodeHealthChange(key, value)
		return c, err
	}
	return unknownHealth, nil
}

// HealthSince returns since when a registered host, cluster, database or SAP
// system has its present health. ok is false if that is not known: the thing is
// not registered, or its health has not changed since the log begins. It costs
// one seek.
func (tx *Tx) HealthSince(kind activity.ThingKind, id string) (since time.Time, ok bool) {
	thing, ok := healthThingOf(kind, id)
	if !ok {
		return time.Time{}, false
	}
	c, err := tx.healthChangeAt(thing, ^activity.Position(0))
	if err != nil {
		tx.kv.NoteDamage(err)
	}
	if err != nil || !c.Registered || c.healthSince == 0 {
		return time.Time{}, false
	}
	return c.healthSince.Time(), true
}

// HealthChanges walks the changes of a thing between two positions, oldest
// first. The first change is the last one that is not after from, if there is
// one: it tells the state at from. Damaged changes are skipped.
func (tx *Tx) HealthChanges(kind activity.ThingKind, id string, from, to activity.Position) iter.Seq[HealthChange] {
	return func(yield func(HealthChange) bool) {
		thing, ok := healthThingOf(kind, id)
		if !ok {
			return
		}
		first := thing.key(from)
		for key := range tx.s.healthChanges.ScanBack(tx.kv, thing.key(0), thing.key(from)) {
			first = key
			break
		}
		for key, value := range tx.s.healthChanges.Scan(tx.kv, first, thing.key(to)) {
			_, c, err := decodeHealthChange(key, value)
			if err != nil {
				tx.kv.NoteDamage(err)
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// pruneHealthChanges prunes the changes before a position, except for the last
// one of each thing. It works in small transactions, as PruneActivityBefore
// does.
func (s *Store) pruneHealthChanges(ctx context.Context, bound activity.Position) error {
	var next []byte // the key at which the next transaction goes on
	for {
		start := time.Now()
		var after []byte
		err := s.update(ctx, System(), func(tx *Tx) (err error) {
			after, err = tx.pruneHealthChanges(next, bound)
			return err
		})
		if next = after; err != nil || next == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(start)):
		}
	}
}

// pruneHealthChanges prunes the changes before a position from a key on. It
// returns the key at which to go on; nil if there are no more changes.
func (tx *Tx) pruneHealthChanges(from []byte, bound activity.Position) (next []byte, err error) {
	var old [][]byte
	var thing healthThing
	visited := 0
	for from = tx.firstHealthKey(from); from != nil; from = tx.firstHealthKey(thing.key(^activity.Position(0))) {
		if visited++; visited > pruneBatchSize || len(old) > pruneBatchSize {
			next = bytes.Clone(from)
			break
		}
		copy(thing[:], from)
		last := bound - min(bound, 1)
		for key := range tx.s.healthChanges.ScanBack(tx.kv, thing.key(0), thing.key(last)) {
			last = activity.PositionOfKey(key[healthThingSize:])
			break
		}
		for key := range tx.s.healthChanges.Scan(tx.kv, thing.key(0), thing.key(last-min(last, 1))) {
			old = append(old, key)
		}
	}
	return next, tx.s.healthChanges.Delete(tx.kv, old...)
}

// firstHealthKey returns the first key that is not before another; nil if there
// is none.
func (tx *Tx) firstHealthKey(from []byte) []byte {
	for key := range tx.s.healthChanges.Scan(tx.kv, from, nil) {
		return key
	}
	return nil
}

// verifyHealthChanges checks that the last change of each thing tells the state
// of its record.
func (tx *Tx) verifyHealthChanges() error {
	var faults []error
	last := make(map[healthThing]landscape.HealthState)
	for key, value := range tx.s.healthChanges.Scan(tx.kv, nil, nil) {
		thing, c, err := decodeHealthChange(key, value)
		if err == nil && c.healthSince > c.Position {
			err = fmt.Errorf("health change %x: the health begins later", key)
		}
		faults = append(faults, err)
		last[thing] = c.HealthState
	}
	return errors.Join(append(faults,
		verifyLastChanges(tx, last, activity.HostThing, tx.s.hosts, func(h *landscape.Host) (string, landscape.HealthState) { return string(h.ID), h.HealthState() }),
		verifyLastChanges(tx, last, activity.ClusterThing, tx.s.clusters, func(c *landscape.Cluster) (string, landscape.HealthState) { return string(c.ID), c.HealthState() }),
		verifyLastChanges(tx, last, activity.DatabaseThing, tx.s.databases, func(db *landscape.Database) (string, landscape.HealthState) { return string(db.ID), db.HealthState() }),
		verifyLastChanges(tx, last, activity.SAPSystemThing, tx.s.sapSystems, func(s *landscape.SAPSystem) (string, landscape.HealthState) { return string(s.ID), s.HealthState() }),
	)...)
}

func verifyLastChanges[T any](tx *Tx, last map[healthThing]landscape.HealthState, kind activity.ThingKind, table *kv.Table[T], stateOf func(*T) (string, landscape.HealthState)) error {
	var faults []error
	for record, err := range table.All(tx.kv) {
		if err != nil {
			return err
		}
		id, state := stateOf(record)
		thing, ok := healthThingOf(kind, id)
		switch told, known := last[thing]; {
		case !ok || !known && state.Registered:
			faults = append(faults, fmt.Errorf("%s %s: no health change", kind, id))
		case known && told != state:
			faults = append(faults, fmt.Errorf("%s %s: health state is %+v, its last change says %+v", kind, id, state, told))
		}
	}
	return errors.Join(faults...)
}

// HealthKnownSince returns the time since when the health of things is known at
// every moment: the begin of the log.
func (tx *Tx) HealthKnownSince() time.Time { return tx.Oldest().Time() }

// HealthKnownFrom returns the begin of the part of a period in which the health
// of things is known: from, or HealthKnownSince if that is later.
func (tx *Tx) HealthKnownFrom(from time.Time) time.Time {
	if known := tx.HealthKnownSince(); from.Before(known) {
		return known
	}
	return from
}

// HealthIntervals returns what the health of a thing was in a period. The part
// of the period before HealthKnownSince is left out.
func (tx *Tx) HealthIntervals(kind activity.ThingKind, id string, from, to time.Time) []landscape.HealthInterval {
	from = tx.HealthKnownFrom(from)
	var points []landscape.HealthPoint
	for c := range tx.HealthChanges(kind, id, activity.PositionAt(from), activity.PositionAt(to)) {
		points = append(points, landscape.HealthPoint{At: c.Position.Time(), HealthState: c.HealthState})
	}
	return landscape.HealthIntervals(points, from, to)
}

// CheckRegistered fails with ErrNotFound if the thing of a kind with an id is not
// registered.
func (tx *Tx) CheckRegistered(kind activity.ThingKind, id string) (err error) {
	switch kind {
	case activity.HostThing:
		_, err = tx.Host(landscape.HostID(id))
	case activity.ClusterThing:
		_, err = tx.Cluster(landscape.ClusterID(id))
	case activity.DatabaseThing:
		_, err = tx.Database(landscape.DatabaseID(id))
	case activity.SAPSystemThing:
		_, err = tx.SAPSystem(landscape.SAPSystemID(id))
	default:
		err = ErrNotFound
	}
	return err
}
