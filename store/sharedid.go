package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trento/store/landscape"
)

// unshareAfter is how long only one machine has to report under a shared id
// until the id is its own: thirty times the default period of its reports.
const unshareAfter = 5 * time.Minute

// reportingMachine is the machine that reported last under a shared id.
type reportingMachine struct {
	name  string
	since time.Time // when it first reported after another one
}

// noteMachine notes which machine a host report came from, where several have
// the id of the host. Machines take turns all the time, so they are kept in
// memory only, and each id gets its full time anew after a start.
func (tx *Tx) noteMachine(o *landscape.Observation) error {
	if o.Kind != landscape.HostDiscovery {
		return nil
	}
	host, err := tx.storedHost(o.Agent)
	if err != nil || !host.Shared() {
		return err
	}
	tx.kv.AfterCommit(func() {
		name := fmt.Sprint(o.Host.Machine())
		if last, ok := tx.s.lastMachines.Load(o.Agent); !ok || last.(reportingMachine).name != name {
			tx.s.lastMachines.Store(o.Agent, reportingMachine{name, tx.now})
		}
	})
	return nil
}

// noLongerShared reports whether a host whose id was shared sends heartbeats,
// and only one machine has reported for unshareAfter.
func (s *Store) noLongerShared(host *landscape.Host, now time.Time) bool {
	if !host.Shared() || host.Heartbeat != landscape.HeartbeatPassing {
		return false
	}
	last, _ := s.lastMachines.Load(host.ID)
	machine, _ := last.(reportingMachine)
	for _, since := range []time.Time{s.openedAt, *host.MachineHistory.SharedSince, machine.since} {
		if now.Sub(since) <= unshareAfter {
			return false
		}
	}
	return true
}

// markUnshared ends the sharing of an id under which only one machine reports.
func (s *Store) markUnshared(ctx context.Context, id landscape.HostID) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if errors.Is(err, ErrNotFound) || err == nil && !s.noLongerShared(host, tx.now) {
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
			tx.invalidateReport(id, kind) // what was passed over is to be evaluated
		}
		tx.kv.AfterCommit(func() { s.lastMachines.Delete(id) })
		return tx.apply(changes)
	})
}
