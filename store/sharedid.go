package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trento/store/landscape"
)

// unshareDelay is how long only one machine must report under a shared id until
// the id counts as its own. It is thirty times the default interval of the
// reports.
const unshareDelay = 5 * time.Minute

// reportingMachine is the machine whose report under a shared id came last.
type reportingMachine struct {
	name          string
	firstReportAt time.Time // the first of its reports after a report of another machine
}

// recordMachine remembers the machine from which a host report came, if several
// machines share the host's id. Machines take turns with every report, so they
// are kept only in memory. After a start, unshareDelay begins anew for each id.
func (tx *Tx) recordMachine(o *landscape.Observation) error {
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

// isNoLongerShared reports whether the id of a host was shared, but for
// unshareDelay only one machine has reported. The host must have a passing
// heartbeat.
func (s *Store) isNoLongerShared(host *landscape.Host, now time.Time) bool {
	if !host.Shared() || host.Heartbeat != landscape.HeartbeatPassing {
		return false
	}
	last, _ := s.lastMachines.Load(host.ID)
	machine, _ := last.(reportingMachine)
	for _, since := range []time.Time{s.openedAt, *host.MachineHistory.SharedSince, machine.firstReportAt} {
		if now.Sub(since) <= unshareDelay {
			return false
		}
	}
	return true
}

// markUnshared ends the sharing of an id under which only one machine reports.
func (s *Store) markUnshared(ctx context.Context, id landscape.HostID) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		host, err := tx.Host(id)
		if errors.Is(err, ErrNotFound) || err == nil && !s.isNoLongerShared(host, tx.now) {
			return nil // the host was cleaned up, or another machine has reported meanwhile
		}
		if err != nil {
			return err
		}
		changes, err := landscape.EndIDSharing(landscapeState{tx}, id, tx.now)
		if err != nil {
			return err
		}
		for _, kind := range landscape.Kinds {
			tx.invalidateReport(id, kind) // the rules have ignored reports of a shared id
		}
		tx.kv.AfterCommit(func() { s.lastMachines.Delete(id) })
		return tx.applyChanges(changes)
	})
}
