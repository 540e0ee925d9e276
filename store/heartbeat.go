package store

import (
	"context"
	"errors"
	"time"

	"trento/store/kv"
	"trento/store/landscape"
)

// agentHeartbeat is a heartbeat of an agent.
type agentHeartbeat struct {
	at      time.Time
	elapsed time.Duration // Options.Elapsed then; negative before the store was opened
}

// LastHeartbeat returns the time of the last heartbeat of a host. A heartbeat
// is written to the file only when heartbeats begin or are lost, and when the
// store closes. All others stay in memory. BenchmarkHeartbeat: a heartbeat in
// memory takes a 300th of the time of a written one.
func (s *Store) LastHeartbeat(id landscape.HostID) (at time.Time, ok bool) {
	last, ok := s.lastHeartbeat(id)
	return last.at, ok
}

func (s *Store) lastHeartbeat(id landscape.HostID) (last agentHeartbeat, ok bool) {
	value, ok := s.lastHeartbeats.Load(id)
	last, _ = value.(agentHeartbeat)
	return last, ok
}

// noteHeartbeat remembers a heartbeat of now.
func (s *Store) noteHeartbeat(id landscape.HostID, at time.Time) {
	s.lastHeartbeats.Store(id, agentHeartbeat{at, s.options.Elapsed()})
}

func (tx *Tx) loadHeartbeats() {
	for id, at := range tx.s.heartbeats.Scan(tx.kv, nil, nil) {
		tx.s.lastHeartbeats.Store(landscape.HostID(id), agentHeartbeat{kv.BytesTime(at), -1})
	}
}

func (tx *Tx) putHeartbeat(id landscape.HostID, t time.Time) error {
	return tx.s.heartbeats.Put(tx.kv, []byte(id), kv.TimeBytes(t))
}

func (tx *Tx) putHeartbeats() (err error) {
	tx.s.lastHeartbeats.Range(func(id, last any) bool {
		err = tx.putHeartbeat(id.(landscape.HostID), last.(agentHeartbeat).at)
		return err == nil
	})
	return err
}

// Heartbeat records a heartbeat of the agent of a host. It fails with
// ErrNotFound if the host is not registered.
func (s *Store) Heartbeat(ctx context.Context, id landscape.HostID) error {
	var passing bool
	err := s.View(func(tx *Tx) error {
		host, err := tx.Host(id)
		passing = err == nil && host.Heartbeat == landscape.HeartbeatPassing
		return err
	})
	if err != nil {
		return err
	}
	if passing {
		s.noteHeartbeat(id, s.Now())
		return nil
	}
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if err != nil {
			return err
		}
		tx.kv.AfterCommit(func() { s.noteHeartbeat(id, tx.now) })
		if host.Heartbeat == landscape.HeartbeatPassing {
			return nil
		}
		changes, err := landscape.HeartbeatReceived(landscapeState{tx}, id, tx.now)
		if err != nil {
			return err
		}
		return errors.Join(tx.putHeartbeat(id, tx.now), tx.applyChanges(changes))
	})
}

// heartbeatTolerance is how late a heartbeat may be without counting as missed.
const heartbeatTolerance = time.Second

// HeartbeatTimeout returns the time after the last heartbeat at which the
// heartbeat of a host counts as lost.
func (s *Store) HeartbeatTimeout() time.Duration {
	return s.options.HeartbeatInterval*time.Duration(s.options.HeartbeatAllowedMissed+1) + heartbeatTolerance
}

// MarkLostHosts marks the hosts whose heartbeat was lost, the hosts whose id is
// no longer shared, and the data that is stale because reports cannot be used.
// A host that never sent a heartbeat stays as it is. After a start of the
// server, every host has the full HeartbeatTimeout again: a server that was
// stopped knows nothing about the hosts.
func (s *Store) MarkLostHosts(ctx context.Context) error {
	now := s.Now()
	var lost, unshared []landscape.HostID
	err := s.View(func(tx *Tx) error {
		for host, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			if host.Heartbeat != landscape.HeartbeatCritical && s.heartbeatOverdue(host.ID) {
				lost = append(lost, host.ID)
			}
			if s.isNoLongerShared(host, now) {
				unshared = append(unshared, host.ID)
			}
		}
		return nil
	})
	var failed []error
	for _, id := range lost {
		failed = append(failed, s.markHostLost(ctx, id))
	}
	for _, id := range unshared {
		failed = append(failed, s.markUnshared(ctx, id))
	}
	return errors.Join(append(failed, err, s.markStaleReports(ctx))...)
}

// JustStarted reports whether the server started so recently that agents may
// not have sent a heartbeat yet.
func (tx *Tx) JustStarted() bool { return tx.s.options.Elapsed() <= tx.s.HeartbeatTimeout() }

// HeartbeatPending reports whether a host has sent no heartbeat since the start
// of the server, but is not late yet.
func (tx *Tx) HeartbeatPending(h *landscape.Host) bool {
	last, ever := tx.s.lastHeartbeat(h.ID)
	return tx.JustStarted() && h.RegisteredAt.Before(tx.s.openedAt) && (!ever || last.elapsed < 0)
}

func (s *Store) heartbeatOverdue(id landscape.HostID) bool {
	last, ever := s.lastHeartbeat(id)
	return ever && s.options.Elapsed()-max(last.elapsed, 0) > s.HeartbeatTimeout()
}

func (s *Store) markHostLost(ctx context.Context, id landscape.HostID) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		if !s.heartbeatOverdue(id) {
			return nil // the host has sent a heartbeat meanwhile
		}
		changes, err := landscape.HeartbeatLost(landscapeState{tx}, id, tx.now)
		if errors.Is(err, landscape.ErrNotRegistered) {
			return nil // the host was cleaned up meanwhile
		}
		if err != nil || !changes.Changed() {
			return err
		}
		// The next reports must be evaluated, because they end the staleness.
		for _, kind := range landscape.Kinds {
			if kind.TurnsStale() {
				tx.invalidateReport(id, kind)
			}
		}
		last, _ := s.LastHeartbeat(id)
		return errors.Join(tx.putHeartbeat(id, last), tx.applyChanges(changes))
	})
}
