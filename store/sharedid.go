package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"trento/store/landscape"
)

// unshareAfter is how long only one machine has to report under a shared id
// until it is that machine's own: thirty times the usual period of its reports.
const unshareAfter = 5 * time.Minute

// turns are the machines that reported last under shared ids. They change all
// the time, so they are kept in memory only, and each id gets its full time
// anew after a start.
type turns struct {
	mu   sync.Mutex
	last map[landscape.HostID]turn
}

type turn struct {
	machine string
	since   time.Time // when it reported after another one
}

// note notes which machine has reported.
func (t *turns) note(id landscape.HostID, m landscape.Machine, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = make(map[landscape.HostID]turn)
	}
	if machine := fmt.Sprint(m); t.last[id].machine != machine {
		t.last[id] = turn{machine, now}
	}
}

// since is when the machines with an id took turns last; zero where that was
// not since the start.
func (t *turns) since(id landscape.HostID) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[id].since
}

func (t *turns) forget(id landscape.HostID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.last, id)
}

// noteTurn notes which machine a host report came from, where several have the
// id of the host.
func (tx *Tx) noteTurn(o *landscape.Observation) error {
	if o.Kind != landscape.HostDiscovery {
		return nil
	}
	host, err := tx.anyHost(o.Agent)
	if err != nil || !host.Shared() {
		return err
	}
	tx.kv.AfterCommit(func() { tx.s.turns.note(o.Agent, o.Host.Machine(), tx.now) })
	return nil
}

// alone reports whether a host whose id is shared is heard, and has been one
// machine for a while.
func (s *Store) alone(host *landscape.Host, now time.Time) bool {
	if !host.Shared() || host.Heartbeat != landscape.HeartbeatPassing {
		return false
	}
	since := s.openedAt
	for _, t := range []time.Time{*host.MachineHistory.SharedSince, s.turns.since(host.ID)} {
		if t.After(since) {
			since = t
		}
	}
	return now.Sub(since) > unshareAfter
}

// unshare notices that only one machine reports under a shared id.
func (s *Store) unshare(ctx context.Context, id landscape.HostID) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if errors.Is(err, ErrNotFound) || err == nil && !s.alone(host, tx.now) {
			return nil // cleaned up, or another one reported while we looked
		}
		if err != nil {
			return err
		}
		changes, err := landscape.EndIDSharing(state{tx}, id, tx.now)
		if err != nil {
			return err
		}
		for _, kind := range landscape.Kinds {
			tx.forget(id, kind) // what was passed over is to be judged
		}
		tx.kv.AfterCommit(func() { s.turns.forget(id) })
		return tx.apply(changes)
	})
}
