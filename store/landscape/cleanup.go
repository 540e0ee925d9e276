package landscape

import (
	"errors"
	"fmt"
	"time"

	"trento/store/activity"
	"trento/store/fault"
)

// The reasons why a target cannot be cleaned up, besides ErrUnknown and
// ErrNotRegistered.
var (
	// ErrLive means that the last heartbeat of the host is too recent.
	ErrLive = &fault.Error{Detail: "Requested operation not allowed for live hosts."}
	// ErrPresent means that the host of the instance still lists it.
	ErrPresent = &fault.Error{Detail: "Requested operation not allowed for present SAP instances."}
)

// Target is a thing to clean up. If Database or SAPSystem is set, it is the
// instance of that database or SAP system on the host; otherwise it is the host
// itself.
type Target struct {
	Host      HostID
	Database  DatabaseID
	SAPSystem SAPSystemID
	Number    string // of the instance
}

// IsHost reports whether the target is a host itself.
func (t Target) IsHost() bool { return t.Database == "" && t.SAPSystem == "" }

func (t Target) String() string {
	switch {
	case t.Database != "":
		return fmt.Sprintf("instance %s of database %s on host %s", t.Number, t.Database, t.Host)
	case t.SAPSystem != "":
		return fmt.Sprintf("instance %s of SAP system %s on host %s", t.Number, t.SAPSystem, t.Host)
	}
	return fmt.Sprintf("host %s", t.Host)
}

// CleanUp returns the changes that remove the targets from the landscape. A
// host is removed with the instances on it and with its membership in a
// cluster; the last host of a cluster with the cluster; an instance with the
// database and the SAP systems that cannot exist without it. Each target must
// be named only once. If one target cannot be cleaned up, nothing is removed,
// and the error joins the reasons of all such targets.
func CleanUp(state State, now time.Time, targets ...Target) (*Changeset, error) {
	cs := newChangeset(state, now)
	return cs, cs.complete(cs.cleanUp(targets))
}

func (cs *Changeset) cleanUp(targets []Target) error {
	var refused []error
	for _, t := range targets {
		reason, err := cs.cleanUpRefusal(t)
		if err != nil {
			return err
		}
		if reason != nil {
			refused = append(refused, fmt.Errorf("clean-up of %s: %w", t, reason))
		}
	}
	if refused != nil {
		return errors.Join(refused...)
	}
	// Hosts are removed last: the removal of a host also removes its instances,
	// which may be targets, too.
	for _, hosts := range []bool{false, true} {
		for _, t := range targets {
			if t.IsHost() != hosts {
				continue
			}
			if err := cs.removeTarget(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// cleanUpRefusal returns the reason why a target cannot be cleaned up; nil if it can.
func (cs *Changeset) cleanUpRefusal(t Target) (reason, err error) {
	var i *Instance
	if t.IsHost() {
		_, err = cs.editRegisteredHost(t.Host)
	} else {
		_, i, err = cs.editTarget(t)
	}
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrNotRegistered):
		return err, nil
	case err != nil:
		return nil, err
	case t.IsHost() && cs.state.HeardRecently(t.Host):
		return ErrLive, nil
	case !t.IsHost() && i.AbsentSince == nil:
		return ErrPresent, nil
	}
	return nil, nil
}

// editTarget returns the instance of a target and its system, registered or
// not.
func (cs *Changeset) editTarget(t Target) (s system, i *Instance, err error) {
	if t.Database != "" {
		s, err = cs.Databases.edit(t.Database)
	} else {
		s, err = cs.SAPSystems.edit(t.SAPSystem)
	}
	if err != nil {
		return nil, nil, err
	}
	if i = findInstance(s, t.Host, t.Number); i == nil {
		return nil, nil, ErrUnknown
	}
	return s, i, nil
}

// removeTarget removes a target from the landscape.
func (cs *Changeset) removeTarget(t Target) error {
	if t.IsHost() {
		return cs.removeHost(t.Host)
	}
	s, i, err := cs.editTarget(t)
	if err != nil {
		return err
	}
	if err := cs.deleteWaitingElements(t.Host, i.SID, t.Number); err != nil {
		return err
	}
	return s.removeInstance(cs, t.Host, t.Number)
}

func (cs *Changeset) removeHost(id HostID) error {
	host, err := cs.editRegisteredHost(id)
	if err != nil {
		return err
	}
	cs.addEvent(&activity.HostDeregistrationRequested{AboutHost: host.aboutHost(), RequestedAt: cs.now})
	if err := cs.removeInstances(id); err != nil {
		return err
	}
	if err := cs.clearSAPReport(id); err != nil {
		return err
	}
	if err := cs.leaveCluster(id); err != nil {
		return err
	}
	host.DeregisteredAt = &cs.now
	host.Inputs.SoftwareUpdates, host.MachineHistory = HealthNotSet, nil
	cs.addEvent(&activity.SoftwareUpdatesDiscoveryCleared{AboutHost: host.aboutHost()})
	cs.addEvent(&activity.HostDeregistered{AboutHost: host.aboutHost(), DeregisteredAt: cs.now})
	return nil
}
