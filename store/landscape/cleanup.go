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

// CleanupError says what cannot be cleaned up, and why.
type CleanupError []Refusal

// Refusal is why one thing cannot be cleaned up.
type Refusal struct {
	Target Target
	Reason error // ErrUnknown, ErrNotRegistered, ErrLive or ErrPresent
}

func (e CleanupError) Error() string {
	texts := make([]string, len(e))
	for i, r := range e {
		texts[i] = fmt.Sprintf("%s: %v", r.Target, r.Reason)
	}
	return "clean-up: " + strings.Join(texts, "; ")
}

// Unwrap returns the reasons.
func (e CleanupError) Unwrap() []error {
	reasons := make([]error, len(e))
	for i, r := range e {
		reasons[i] = r.Reason
	}
	return reasons
}

// Deregister decides what the clean-up of some things, each named once, takes
// with it: of a host the instances on it and its place in its cluster; of the
// last host its cluster; of an instance the database and the SAP systems that
// cannot be without it. All of them go or none: a CleanupError lists those
// that cannot be cleaned up as the landscape is.
func Deregister(state State, now time.Time, targets ...Target) (*Decision, error) {
	d := Decide(state, now)
	var refused CleanupError
	for _, t := range targets {
		reason, err := d.refusal(t)
		if err != nil {
			return d, err
		}
		if reason != nil {
			refused = append(refused, Refusal{t, reason})
		}
	}
	if refused != nil {
		return d, refused
	}
	// Hosts go last: they would take their instances along.
	for _, hosts := range []bool{false, true} {
		for _, t := range targets {
			if t.IsHost() != hosts {
				continue
			}
			if err := d.remove(t); err != nil {
				return d, err
			}
		}
	}
	return d, d.judgeWaiting()
}

// refusal is the reason why a target cannot be cleaned up; nil where it can.
func (d *Decision) refusal(t Target) (reason, err error) {
	var absent *time.Time
	if t.IsHost() {
		_, err = d.registeredHost(t.Host)
	} else {
		_, absent, err = d.instance(t)
	}
	switch {
	case errors.Is(err, ErrUnknown), errors.Is(err, ErrNotRegistered):
		return err, nil
	case err != nil:
		return nil, err
	case t.IsHost() && d.state.Live(t.Host):
		return ErrLive, nil
	case !t.IsHost() && absent == nil:
		return ErrPresent, nil
	}
	return nil, nil
}

// instance is the system and the absence of an instance that is to be cleaned
// up. Its system need not be registered.
func (d *Decision) instance(t Target) (sid string, absent *time.Time, err error) {
	if t.Database != "" {
		db, err := d.database(t.Database)
		if err != nil {
			return "", nil, err
		}
		if i, known := db.place(t.Host, t.Number); known {
			return db.Instances[i].SID, db.Instances[i].AbsentSince, nil
		}
		return "", nil, ErrUnknown
	}
	s, err := d.sapSystem(t.SAPSystem)
	if err != nil {
		return "", nil, err
	}
	if i, known := s.place(t.Host, t.Number); known {
		return s.Instances[i].SID, s.Instances[i].AbsentSince, nil
	}
	return "", nil, ErrUnknown
}

// remove takes a target out of the landscape.
func (d *Decision) remove(t Target) error {
	if t.IsHost() {
		return d.removeHost(t.Host)
	}
	sid, _, err := d.instance(t)
	if err != nil {
		return err
	}
	if err := d.discard(t.Host, sid, t.Number); err != nil {
		return err
	}
	if t.Database != "" {
		return d.removeDatabaseInstance(t.Database, t.Host, t.Number)
	}
	return d.removeApplicationInstance(t.SAPSystem, t.Host, t.Number)
}

func (d *Decision) removeHost(id HostID) error {
	host, err := d.registeredHost(id)
	if err != nil {
		return err
	}
	d.hostEvent(host, activity.TypeHostDeregistrationRequested, map[string]any{"requested_at": d.now})
	if err := d.removeInstances(id); err != nil {
		return err
	}
	if err := d.leaveCluster(id); err != nil {
		return err
	}
	if host, err = d.host(id); err != nil {
		return err
	}
	after := d.changeHost(host)
	after.DeregisteredAt = &d.now
	after.Inputs.SoftwareUpdates, after.Turns = HealthNotSet, nil
	d.hostEvent(after, activity.TypeSoftwareUpdatesDiscoveryCleared, nil)
	d.hostEvent(after, activity.TypeHostDeregistered, map[string]any{"deregistered_at": d.now})
	return nil
}
