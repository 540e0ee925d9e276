package landscape

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"trento/store/activity"
)

// The reasons for which something cannot be cleaned up, beside ErrUnknown and
// ErrNotRegistered.
var (
	// ErrLive: a host was heard too recently.
	ErrLive = errors.New("requested operation not allowed for live hosts")
	// ErrPresent: the host of an instance still lists it.
	ErrPresent = errors.New("instance is present")
)

// Target is something to be cleaned up: the instance of a database or of an
// SAP system on a host where one of these is named, else the host itself.
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

// CleanUpError says what cannot be cleaned up, and why.
type CleanUpError []Refusal

// Refusal is why one thing cannot be cleaned up.
type Refusal struct {
	Target Target
	Reason error // ErrUnknown, ErrNotRegistered, ErrLive or ErrPresent
}

func (e CleanUpError) Error() string {
	texts := make([]string, len(e))
	for i, r := range e {
		texts[i] = fmt.Sprintf("%s: %v", r.Target, r.Reason)
	}
	return "clean-up: " + strings.Join(texts, "; ")
}

// Unwrap returns the reasons.
func (e CleanUpError) Unwrap() []error {
	reasons := make([]error, len(e))
	for i, r := range e {
		reasons[i] = r.Reason
	}
	return reasons
}

// CleanUp decides what the clean-up of some things, each named once, takes
// with it: of a host the instances on it and its place in its cluster; of the
// last host its cluster; of an instance the database and the SAP systems that
// cannot be without it. All of them go or none: a CleanUpError lists those
// that cannot be cleaned up as the landscape is.
func CleanUp(state State, now time.Time, targets ...Target) (*Changeset, error) {
	cs := NewChangeset(state, now)
	var refused CleanUpError
	for _, t := range targets {
		reason, err := cs.refusal(t)
		if err != nil {
			return cs, err
		}
		if reason != nil {
			refused = append(refused, Refusal{t, reason})
		}
	}
	if refused != nil {
		return cs, refused
	}
	// Hosts go last: they would take their instances along.
	for _, hosts := range []bool{false, true} {
		for _, t := range targets {
			if t.IsHost() != hosts {
				continue
			}
			if err := cs.remove(t); err != nil {
				return cs, err
			}
		}
	}
	return cs, cs.judgeWaiting()
}

// refusal is the reason why a target cannot be cleaned up; nil where it can.
func (cs *Changeset) refusal(t Target) (reason, err error) {
	var absent *time.Time
	if t.IsHost() {
		_, err = cs.registeredHost(t.Host)
	} else {
		_, absent, err = cs.instance(t)
	}
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrNotRegistered):
		return err, nil
	case err != nil:
		return nil, err
	case t.IsHost() && cs.state.HeardRecently(t.Host):
		return ErrLive, nil
	case !t.IsHost() && absent == nil:
		return ErrPresent, nil
	}
	return nil, nil
}

// instance is the system and the absence of an instance that is to be cleaned
// up. Its system need not be registered.
func (cs *Changeset) instance(t Target) (sid string, absent *time.Time, err error) {
	if t.Database != "" {
		db, err := cs.database(t.Database)
		if err != nil {
			return "", nil, err
		}
		if i, known := db.place(t.Host, t.Number); known {
			return db.Instances[i].SID, db.Instances[i].AbsentSince, nil
		}
		return "", nil, ErrUnknown
	}
	s, err := cs.sapSystem(t.SAPSystem)
	if err != nil {
		return "", nil, err
	}
	if i, known := s.place(t.Host, t.Number); known {
		return s.Instances[i].SID, s.Instances[i].AbsentSince, nil
	}
	return "", nil, ErrUnknown
}

// remove takes a target out of the landscape.
func (cs *Changeset) remove(t Target) error {
	if t.IsHost() {
		return cs.removeHost(t.Host)
	}
	sid, _, err := cs.instance(t)
	if err != nil {
		return err
	}
	if err := cs.discard(t.Host, sid, t.Number); err != nil {
		return err
	}
	if t.Database != "" {
		return cs.removeDatabaseInstance(t.Database, t.Host, t.Number)
	}
	return cs.removeApplicationInstance(t.SAPSystem, t.Host, t.Number)
}

func (cs *Changeset) removeHost(id HostID) error {
	host, err := cs.registeredHost(id)
	if err != nil {
		return err
	}
	cs.hostEvent(host, activity.TypeHostDeregistrationRequested, map[string]any{"requested_at": cs.now})
	if err := cs.removeInstances(id); err != nil {
		return err
	}
	if err := cs.leaveCluster(id); err != nil {
		return err
	}
	if host, err = cs.host(id); err != nil {
		return err
	}
	after := cs.changeHost(host)
	after.DeregisteredAt = &cs.now
	after.Inputs.SoftwareUpdates, after.MachineHistory = HealthNotSet, nil
	cs.hostEvent(after, activity.TypeSoftwareUpdatesDiscoveryCleared, nil)
	cs.hostEvent(after, activity.TypeHostDeregistered, map[string]any{"deregistered_at": cs.now})
	return nil
}
