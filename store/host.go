package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"maps"
	"sync"
	"time"

	"trento/store/kv"
	"trento/store/landscape"
)

// Host returns a registered host, or ErrNotFound. The host is shared and must
// not be modified.
func (tx *Tx) Host(id landscape.HostID) (*landscape.Host, error) {
	host, err := tx.anyHost(id)
	return isRegistered(host, err, (*landscape.Host).Registered)
}

// anyHost returns a host whether it is registered or was cleaned up.
func (tx *Tx) anyHost(id landscape.HostID) (*landscape.Host, error) {
	return tx.s.hosts.Get(tx.kv, []byte(id))
}

// Hosts walks the registered hosts in the order of their ids.
func (tx *Tx) Hosts() iter.Seq2[*landscape.Host, error] {
	return registered(tx.s.hosts.All(tx.kv), (*landscape.Host).Registered)
}

// Observe takes in one report. A nil error means that it is accepted and on
// disk. ErrNotFound means that what it speaks of is not registered: what can be
// used of it later is kept, and applied as soon as that is.
func (s *Store) Observe(ctx context.Context, r Report) error {
	var rejected error
	sum := sha256.Sum256(r.Body)
	err := s.update(ctx, System(), func(tx *Tx) error {
		rejected = nil
		changes, err := landscape.Observe(state{tx}, r.Observation, tx.now)
		refused := errors.Is(err, landscape.ErrNotRegistered) || errors.Is(changes.Blocked, landscape.ErrNotRegistered)
		if err != nil && !errors.Is(err, landscape.ErrNotRegistered) {
			return err
		}
		if err := tx.apply(changes); err != nil {
			return err
		}
		if err := tx.noteObserved(&r.Observation, refused); err != nil {
			return err
		}
		if err := tx.noteTurn(&r.Observation); err != nil {
			return err
		}
		if refused {
			rejected = ErrNotFound
			return tx.keepReport(&r, sum, r.Observation.Kind.NeedsHost())
		}
		if !r.Observation.Kind.SaysMoreRepeated() || !changes.Changed() {
			tx.remember(&r, sum)
		}
		if !changes.Changed() {
			return nil
		}
		if err := tx.keepReport(&r, sum, false); err != nil {
			return err
		}
		if r.Observation.Kind == landscape.HostDiscovery {
			return tx.observeWaiting(r.Observation.Agent)
		}
		return nil
	})
	return errors.Join(err, rejected)
}

// lastHeartbeats are the times of the last heartbeats. They are written down only
// when a heartbeat starts, is lost, or the store closes. BenchmarkHeartbeat: one
// that is kept in memory takes a 400th of the time of one that is written.
type lastHeartbeats struct {
	mu   sync.Mutex
	last map[landscape.HostID]time.Time
}

func (tx *Tx) loadHeartbeats() error {
	last := make(map[landscape.HostID]time.Time)
	for id, at := range tx.s.heartbeats.Scan(tx.kv, nil, nil) {
		last[landscape.HostID(id)] = kv.BytesTime(at)
	}
	tx.s.beats.last = last
	return nil
}

func (b *lastHeartbeats) get(id landscape.HostID) (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, ok := b.last[id]
	return t, ok
}

func (b *lastHeartbeats) set(id landscape.HostID, t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[id] = t
}

func (tx *Tx) writeBeat(id landscape.HostID, t time.Time) error {
	return tx.s.heartbeats.Put(tx.kv, []byte(id), kv.TimeBytes(t))
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
		tx.kv.AfterCommit(func() { s.beats.set(id, tx.now) })
		if host.Heartbeat == landscape.HeartbeatPassing {
			return nil
		}
		changes, err := landscape.HeartbeatReceived(state{tx}, id, tx.now)
		if err != nil {
			return err
		}
		return errors.Join(tx.writeBeat(id, tx.now), tx.apply(changes))
	})
}

// heartbeatTolerance is what a heartbeat may be late.
const heartbeatTolerance = time.Second

// HeartbeatTimeout is how old a heartbeat may be before its host counts as
// lost.
func (s *Store) HeartbeatTimeout() time.Duration {
	return s.options.HeartbeatInterval*time.Duration(s.options.HeartbeatAllowedMissed+1) + heartbeatTolerance
}

// MarkLostHosts notices the hosts whose heartbeat was lost, those whose id is no longer
// shared, and what is stale because reports cannot be used. A host that was
// never heard is left alone, and all get their full time anew after a start:
// that the server was away says nothing about them.
func (s *Store) MarkLostHosts(ctx context.Context) error {
	now := s.Now()
	var lost, alone []landscape.HostID
	err := s.View(func(tx *Tx) error {
		for host, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			if host.Heartbeat != landscape.HeartbeatCritical && s.overdue(host.ID, now) {
				lost = append(lost, host.ID)
			}
			if s.alone(host, now) {
				alone = append(alone, host.ID)
			}
		}
		return nil
	})
	var failed []error
	for _, id := range lost {
		failed = append(failed, s.silent(ctx, id))
	}
	for _, id := range alone {
		failed = append(failed, s.unshare(ctx, id))
	}
	return errors.Join(append(failed, err, s.sweepReports(ctx))...)
}

// Settling reports whether the start is so recent that agents may not have been
// heard for that alone.
func (tx *Tx) Settling() bool { return !tx.now.After(tx.s.openedAt.Add(tx.s.HeartbeatTimeout())) }

// Awaited reports whether a host that was registered before the start has not
// been heard since, and may yet be: it is not known to be silent.
func (tx *Tx) Awaited(h *landscape.Host) bool {
	last, _ := tx.s.beats.get(h.ID)
	return tx.Settling() && h.RegisteredAt.Before(tx.s.openedAt) && last.Before(tx.s.openedAt)
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
		if !s.overdue(id, tx.now) {
			return nil // heard while we looked
		}
		changes, err := landscape.HeartbeatLost(state{tx}, id, tx.now)
		if errors.Is(err, landscape.ErrNotRegistered) {
			return nil // cleaned up while we looked
		}
		if err != nil || !changes.Changed() {
			return err
		}
		// The next reports have to make fresh what turns stale now.
		for _, kind := range landscape.Kinds {
			if kind.TurnsStale() {
				tx.forget(id, kind)
			}
		}
		last, _ := s.beats.get(id)
		return errors.Join(tx.writeBeat(id, last), tx.apply(changes))
	})
}
