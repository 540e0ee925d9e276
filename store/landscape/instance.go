package landscape

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"trento/store/activity"
)

// InstanceStatus is the state of an SAP instance, in SAP's own colours.
type InstanceStatus string

// The colours of an instance. Gray: it is stopped, or its state is not known.
const (
	Green  InstanceStatus = "green"
	Yellow InstanceStatus = "yellow"
	Red    InstanceStatus = "red"
	Gray   InstanceStatus = "gray"
)

// Health returns what the colour means for the health of a system.
func (s InstanceStatus) Health() Health {
	switch s {
	case Green:
		return HealthPassing
	case Yellow:
		return HealthWarning
	case Red:
		return HealthCritical
	}
	return HealthUnknown
}

// Instance is what an instance of a database and one of an SAP system have in
// common.
type Instance struct {
	HostID HostID `json:"host_id"`
	SID    string `json:"sid"`
	Number string `json:"instance_number"` // two digits
	InstanceFacts
	InstanceTimes
}

// InstanceFacts is what a host says about any SAP instance on it. Its JSON is
// a part of the instance objects of the API.
type InstanceFacts struct {
	// Hostname is the hostname of the instance itself, often a virtual one; nil
	// where it is not told.
	Hostname *string `json:"instance_hostname"`
	Features string  `json:"features"`   // separated by |; empty where they have never been told
	HTTPPort *int    `json:"http_port"`  // nil: none
	TLSPort  *int    `json:"https_port"` // nil: none
	// StartPriority is a decimal number; lower ones are started first. It is
	// empty where it is not told.
	StartPriority string         `json:"start_priority"`
	Status        InstanceStatus `json:"status"`
}

// filledFrom returns the facts, with the known features where none were told:
// whether a system is complete depends on them.
func (f InstanceFacts) filledFrom(known InstanceFacts) InstanceFacts {
	if f.Features == "" {
		f.Features = known.Features
	}
	return f
}

// logged returns the facts as the activity log has them.
func (f *InstanceFacts) logged() activity.InstanceFacts {
	return activity.InstanceFacts{
		Hostname: f.Hostname, Features: f.Features, HTTPPort: f.HTTPPort, TLSPort: f.TLSPort,
		StartPriority: f.StartPriority, Status: string(f.Status),
	}
}

// InstanceTimes is when something happened to an instance.
type InstanceTimes struct {
	// AbsentSince is when the host of the instance stopped listing it; nil while
	// it lists it.
	AbsentSince *time.Time `json:"absent_since,omitempty"`
	// StaleSince is when the host of the instance fell silent; nil once the host
	// has reported about the instance again.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	RegisteredAt time.Time `json:"registered_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// system is a database or an SAP system: something that consists of instances
// on hosts.
type system interface {
	Registered() bool
	key() string            // its id; databases and SAP systems never have the same
	instances() []*Instance // ordered by number and host; they may be modified where the system may

	// followSID takes over the SID that the instances go by.
	followSID(*Changeset)
	// evaluateStale makes the system as stale as its instances.
	evaluateStale(*Changeset) error
	// removeInstance removes an instance, and the system where it cannot be
	// without it.
	removeInstance(cs *Changeset, host HostID, number string) error

	// instanceEvent tells that an instance has entered a state, and when.
	instanceEvent(*Instance, instanceState, time.Time) activity.Event
}

// instanceState is what an instance has turned.
type instanceState uint8

const (
	turnedAbsent instanceState = iota
	turnedPresent
	turnedStale
	turnedInSync
)

// instanceOf is a pointer to a type that embeds Instance.
type instanceOf[T any] interface {
	*T
	instance() *Instance
}

func (i *Instance) instance() *Instance { return i }

func instances[T any, P instanceOf[T]](list []T) []*Instance {
	all := make([]*Instance, len(list))
	for i := range list {
		all[i] = P(&list[i]).instance()
	}
	return all
}

// indexOf returns the index of an instance in a list; where it is not in it, the
// index at which it has to be inserted.
func indexOf[T any, P instanceOf[T]](list []T, host HostID, number string) (index int, found bool) {
	return sort.Find(len(list), func(i int) int {
		at := P(&list[i]).instance()
		return cmp.Or(cmp.Compare(number, at.Number), cmp.Compare(host, at.HostID))
	})
}

// dateInstances dates the instances that have changed.
func dateInstances[T any, P instanceOf[T]](before, after []T, now time.Time) {
	for j := range after {
		instance := P(&after[j]).instance()
		if i, found := indexOf[T, P](before, instance.HostID, instance.Number); !found || !same(&before[i], &after[j]) {
			instance.UpdatedAt = now
		}
	}
}

// find returns an instance of a system; nil where it has none on the host with
// the number.
func find(s system, host HostID, number string) *Instance {
	for _, i := range s.instances() {
		if i.HostID == host && i.Number == number {
			return i
		}
	}
	return nil
}

// isOn reports whether a system has an instance on a host.
func isOn(s system, host HostID) bool {
	return slices.ContainsFunc(s.instances(), func(i *Instance) bool { return i.HostID == host })
}

// isListedOn reports whether a host lists an instance of a system.
func isListedOn(s system, host HostID) bool {
	return slices.ContainsFunc(s.instances(), func(i *Instance) bool { return i.HostID == host && i.AbsentSince == nil })
}

// hostsOf returns the hosts with an instance of a system, each once.
func hostsOf(s system) []HostID {
	var ids []HostID
	for _, i := range s.instances() {
		ids = append(ids, i.HostID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// instanceParts returns what the instances of a system add to its health.
func instanceParts(s system) []part {
	all := s.instances()
	parts := make([]part, 0, len(all)+1) // SAP systems add their database
	for _, i := range all {
		parts = append(parts, part{"instance " + i.Number, i.Status.Health()})
	}
	return parts
}

// staleSince returns when the first of the stale instances of a system turned
// stale; nil where none is.
func staleSince(s system) *time.Time {
	var since *time.Time
	for _, i := range s.instances() {
		since = earlier(since, i.StaleSince)
	}
	return since
}

// earlier returns the earlier of two times; nil stands for never.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// editSystemsOn returns the systems with an instance on a host, registered or
// not, ordered by their ids. They may be modified.
func (cs *Changeset) editSystemsOn(host HostID) (databases, sapSystems []system, err error) {
	databaseIDs, err := cs.databasesOn(host)
	if err != nil {
		return nil, nil, err
	}
	sapSystemIDs, err := cs.sapSystemsOn(host)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range databaseIDs {
		db, err := cs.Databases.edit(id)
		if err != nil {
			return nil, nil, err
		}
		databases = append(databases, db)
	}
	for _, id := range sapSystemIDs {
		s, err := cs.SAPSystems.edit(id)
		if err != nil {
			return nil, nil, err
		}
		sapSystems = append(sapSystems, s)
	}
	return databases, sapSystems, nil
}

// markAbsent marks selected instances on a host absent: the host does not list
// them any more.
func (cs *Changeset) markAbsent(host HostID, selected func(system, *Instance) bool) error {
	databases, sapSystems, err := cs.editSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range append(sapSystems, databases...) {
		for _, i := range s.instances() {
			if i.HostID != host || i.AbsentSince != nil || !selected(s, i) {
				continue
			}
			i.AbsentSince = &cs.now
			cs.emit(s.instanceEvent(i, turnedAbsent, cs.now))
			s.followSID(cs)
		}
	}
	return nil
}

// markPresent notes that the host of an instance lists it.
func (cs *Changeset) markPresent(s system, i *Instance) {
	if i.AbsentSince != nil {
		i.AbsentSince = nil
		cs.emit(s.instanceEvent(i, turnedPresent, cs.now))
	}
}

// markStale notes since when an instance is stale; nil: it is not.
func (cs *Changeset) markStale(s system, i *Instance, since *time.Time) {
	switch {
	case i.StaleSince != nil && since == nil:
		cs.emit(s.instanceEvent(i, turnedInSync, cs.now))
	case i.StaleSince == nil && since != nil:
		cs.emit(s.instanceEvent(i, turnedStale, *since))
	}
	i.StaleSince = since
}

// markSAPStale marks the instances on a host stale that are selected, and with
// them their systems.
func (cs *Changeset) markSAPStale(host HostID, selected func(*Instance) bool) error {
	databases, sapSystems, err := cs.editSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range append(sapSystems, databases...) {
		for _, i := range s.instances() {
			if i.HostID == host && i.StaleSince == nil && selected(i) {
				cs.markStale(s, i, &cs.now)
			}
		}
		if err := s.evaluateStale(cs); err != nil {
			return err
		}
	}
	return nil
}

// removeInstances removes all instances on a host, with what cannot be without
// them.
func (cs *Changeset) removeInstances(host HostID) error {
	databases, sapSystems, err := cs.editSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range append(databases, sapSystems...) {
		var numbers []string
		for _, i := range s.instances() {
			if i.HostID == host {
				numbers = append(numbers, i.Number)
			}
		}
		for _, number := range numbers {
			if err := s.removeInstance(cs, host, number); err != nil {
				return err
			}
		}
	}
	return nil
}

// runsSAP reports whether any instance is known on a host; those that are
// absent, or whose system is not registered, count.
func (cs *Changeset) runsSAP(host HostID) (bool, error) { return cs.runsOtherThan("", host) }

// runsOtherThan reports whether a host has an instance of another system than
// the one with an id.
func (cs *Changeset) runsOtherThan(id string, host HostID) (bool, error) {
	databases, err := cs.databasesOn(host)
	if err != nil {
		return false, err
	}
	sapSystems, err := cs.sapSystemsOn(host)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(databases, func(db DatabaseID) bool { return string(db) != id }) ||
		slices.ContainsFunc(sapSystems, func(s SAPSystemID) bool { return string(s) != id }), nil
}

// evaluateSaptuneOn evaluates the tuning of hosts on which instances have been
// added or removed. runsSAP says whether SAP runs on one now.
func (cs *Changeset) evaluateSaptuneOn(hosts []HostID, runsSAP func(HostID) (bool, error)) error {
	for _, host := range hosts {
		runs, err := runsSAP(host)
		if err != nil {
			return err
		}
		if err := cs.evaluateSaptune(host, runs); err != nil {
			return err
		}
	}
	return nil
}

// always reports true for every host.
func always(HostID) (bool, error) { return true, nil }
