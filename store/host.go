package store

import (
	"context"
	"errors"
	"iter"
	"maps"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"trento/store/landscape"
)

// Host returns a registered host, or ErrNotFound. The host is shared and must
// not be modified.
func (tx *Tx) Host(id landscape.HostID) (*landscape.Host, error) {
	host, err := tx.anyHost(id)
	if err == nil && !host.Registered() {
		return nil, ErrNotFound
	}
	return host, err
}

// anyHost returns a host whether it is registered or was cleaned up.
func (tx *Tx) anyHost(id landscape.HostID) (*landscape.Host, error) {
	return get(tx, bucketHost, &tx.s.hosts, []byte(id))
}

// Hosts walks the registered hosts in the order of their ids.
func (tx *Tx) Hosts() iter.Seq2[*landscape.Host, error] {
	return func(yield func(*landscape.Host, error) bool) {
		for host, err := range scan(tx, bucketHost, &tx.s.hosts) {
			if err == nil && !host.Registered() {
				continue
			}
			if !yield(host, err) {
				return
			}
		}
	}
}

// Observe takes in one report. A nil error means that it is accepted and on
// disk. ErrNotFound means that its host is not registered: the report is kept
// nevertheless and applied as soon as the host is.
func (s *Store) Observe(ctx context.Context, r Report) error {
	var rejected error
	err := s.update(ctx, System(), func(tx *Tx) error {
		rejected = nil
		seen := r.Observation
		switch seen.Kind {
		case landscape.ClusterDiscovery, landscape.SAPSystemDiscovery:
			return tx.keepReport(&r, false)
		}
		changed, err := tx.observe(seen)
		if errors.Is(err, landscape.ErrNotRegistered) {
			rejected = ErrNotFound
			return tx.keepReport(&r, true)
		}
		if err != nil {
			return err
		}
		if !changed {
			tx.remember(&r)
			return nil
		}
		if err := tx.keepReport(&r, false); err != nil {
			return err
		}
		if seen.Kind == landscape.HostDiscovery {
			return tx.observeWaiting(seen.Agent)
		}
		return nil
	})
	return errors.Join(err, rejected)
}

// observe decides what an observation changes and writes that down.
func (tx *Tx) observe(seen landscape.Observation) (changed bool, err error) {
	before, err := tx.anyHost(seen.Agent)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	// Which instances run on a host is known once SAP reports are decoded.
	const sapRunning = false
	after, events, changed, err := landscape.Observe(before, seen, sapRunning, tx.now)
	if err != nil || !changed {
		return false, err
	}
	return true, tx.recordHost(&after, events)
}

func (tx *Tx) recordHost(host *landscape.Host, events []landscape.Event) error {
	if err := tx.record(bucketHost, []byte(host.ID), host); err != nil {
		return err
	}
	for _, e := range events {
		if err := tx.event(e); err != nil {
			return err
		}
	}
	return nil
}

// beats are the times of the last heartbeats. They are written down only when
// a heartbeat starts, is lost, or the store closes.
type beats struct {
	mu   sync.Mutex
	last map[landscape.HostID]time.Time
}

func (b *beats) load(btx *bolt.Tx) error {
	b.last = make(map[landscape.HostID]time.Time)
	return btx.Bucket(bucketHeartbeat).ForEach(func(k, v []byte) error {
		b.last[landscape.HostID(k)] = bytesTime(v)
		return nil
	})
}

func (b *beats) get(id landscape.HostID) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.last[id]
	return t, ok
}

func (b *beats) set(id landscape.HostID, t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[id] = t
}

func (tx *Tx) writeBeat(id landscape.HostID, t time.Time) error {
	return tx.put(bucketHeartbeat, []byte(id), timeBytes(t))
}

func (tx *Tx) writeBeats() error {
	tx.s.beats.mu.Lock()
	last := maps.Clone(tx.s.beats.last)
	tx.s.beats.mu.Unlock()
	for id, t := range last {
		if err := tx.writeBeat(id, t); err != nil {
			return err
		}
	}
	return nil
}

// LastHeartbeat is the time the agent of a host was last heard.
func (s *Store) LastHeartbeat(id landscape.HostID) (time.Time, bool) { return s.beats.get(id) }

// Heartbeat notes that the agent of a host is alive. ErrNotFound means that
// the host is not registered, and nothing is noted.
func (s *Store) Heartbeat(ctx context.Context, id landscape.HostID) error {
	var heard bool
	err := s.View(func(tx *Tx) error {
		host, err := tx.Host(id)
		heard = err == nil && host.Heartbeat == landscape.HeartbeatPassing
		return err
	})
	if err != nil {
		return err
	}
	if heard {
		s.beats.set(id, s.Now())
		return nil
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if err != nil {
			return err
		}
		tx.after = append(tx.after, func() { s.beats.set(id, tx.now) })
		after, events, changed := landscape.Heard(host, tx.now)
		if !changed {
			return nil
		}
		if err := tx.writeBeat(id, tx.now); err != nil {
			return err
		}
		return tx.recordHost(&after, events)
	})
}

// heartbeatTolerance is what a heartbeat may be late.
const heartbeatTolerance = time.Second

// HeartbeatTimeout is how old a heartbeat may be before its host counts as
// lost.
func (s *Store) HeartbeatTimeout() time.Duration {
	return s.options.HeartbeatInterval*time.Duration(s.options.HeartbeatAllowedMissed+1) + heartbeatTolerance
}

// Sweep notices the hosts whose heartbeat was lost. A host that was never
// heard is left alone, and all get their full time anew after a start: that
// the server was away says nothing about them.
func (s *Store) Sweep(ctx context.Context) error {
	now := s.Now()
	var lost []landscape.HostID
	err := s.View(func(tx *Tx) error {
		for host, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			if host.Heartbeat != landscape.HeartbeatCritical && s.overdue(host.ID, now) {
				lost = append(lost, host.ID)
			}
		}
		return nil
	})
	var failed []error
	for _, id := range lost {
		failed = append(failed, s.silent(ctx, id))
	}
	return errors.Join(append(failed, err)...)
}

func (s *Store) overdue(id landscape.HostID, now time.Time) bool {
	last, ever := s.beats.get(id)
	if last.Before(s.openedAt) {
		last = s.openedAt
	}
	return ever && now.Sub(last) > s.HeartbeatTimeout()
}

func (s *Store) silent(ctx context.Context, id landscape.HostID) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if errors.Is(err, ErrNotFound) || err == nil && !s.overdue(id, tx.now) {
			return nil // cleaned up or heard while we looked
		}
		if err != nil {
			return err
		}
		after, events, changed := landscape.Silent(host, tx.now)
		if !changed {
			return nil
		}
		last, _ := s.beats.get(id)
		if err := tx.writeBeat(id, last); err != nil {
			return err
		}
		return tx.recordHost(&after, events)
	})
}
