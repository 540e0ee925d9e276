package landscape

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"trento/store/activity"
)

// InstanceStatus is the status of an SAP instance, by the colours that SAP
// uses.
type InstanceStatus string

// The colours of an instance. Gray means that the instance is stopped, or that
// its status is not known.
const (
	Green  InstanceStatus = "green"
	Yellow InstanceStatus = "yellow"
	Red    InstanceStatus = "red"
	Gray   InstanceStatus = "gray"
)

// Health returns the health that belongs to the colour.
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

// Instance holds the fields that instances of databases and of SAP systems have
// in common.
type Instance struct {
	HostID HostID `json:"host_id"`
	SID    string `json:"sid"`
	Number string `json:"instance_number"` // two digits
	InstanceFacts
	InstanceTimes
}

// InstanceFacts are the facts that a host reports about any SAP instance on it.
// Their JSON form is part of the API.
type InstanceFacts struct {
	// Hostname is the hostname of the instance itself, often a virtual one; nil
	// if it was not reported.
	Hostname *string `json:"instance_hostname"`
	Features string  `json:"features"`   // separated by |; "" if they were never reported
	HTTPPort *int    `json:"http_port"`  // nil: none
	TLSPort  *int    `json:"https_port"` // nil: none
	// StartPriority is a decimal number; instances with lower numbers are
	// started first. It is "" if it was not reported.
	StartPriority string         `json:"start_priority"`
	Status        InstanceStatus `json:"status"`
}

// withFeaturesFrom returns the facts, with the known features if the report has none.
// The features decide whether an SAP system is complete.
func (f InstanceFacts) withFeaturesFrom(known InstanceFacts) InstanceFacts {
	if f.Features == "" {
		f.Features = known.Features
	}
	return f
}

// forLog returns the facts as the activity log shows them.
func (f *InstanceFacts) forLog() activity.InstanceFacts {
	return activity.InstanceFacts{
		Hostname: f.Hostname, Features: f.Features, HTTPPort: f.HTTPPort, TLSPort: f.TLSPort,
		StartPriority: f.StartPriority, Status: string(f.Status),
	}
}

// InstanceTimes are the times of changes of an instance.
type InstanceTimes struct {
	// AbsentSince is the time at which the host of the instance stopped listing
	// it; nil if the host lists it.
	AbsentSince *time.Time `json:"absent_since,omitempty"`
	// StaleSince is the time at which the data of the instance became stale;
	// nil if it is up to date.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	RegisteredAt time.Time `json:"registered_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// system is a database or an SAP system: both consist of instances on hosts.
type system interface {
	Registered() bool
	key() string            // the id; an SAP system and a database never have the same id
	instances() []*Instance // ordered by number and host; they may be modified if the system may

	// updateSID gives the system the SID of its instances.
	updateSID(*Changeset)
	// evaluateStale evaluates whether the system is stale because an instance
	// is.
	evaluateStale(*Changeset) error
	// removeInstance removes an instance, and deregisters the system if it
	// cannot exist without the instance.
	removeInstance(cs *Changeset, host HostID, number string) error

	// instanceEvent returns the event that says that an instance has entered a
	// state.
	instanceEvent(*Instance, instanceState, time.Time) activity.Event
}

// instanceState is a state that an instance enters.
type instanceState uint8

const (
	instanceTurnedAbsent instanceState = iota
	instanceTurnedPresent
	instanceTurnedStale
	instanceTurnedInSync
)

// instancePointer is satisfied by a pointer to a type that embeds Instance.
type instancePointer[T any] interface {
	*T
	instance() *Instance
}

func (i *Instance) instance() *Instance { return i }

// instances returns pointers to the Instance of each element of a list.
func instances[T any, P instancePointer[T]](list []T) []*Instance {
	all := make([]*Instance, len(list))
	for i := range list {
		all[i] = P(&list[i]).instance()
	}
	return all
}

// indexOf returns the index of an instance in a list. If it is not in the list,
// index is where to insert it.
func indexOf[T any, P instancePointer[T]](list []T, host HostID, number string) (index int, found bool) {
	return sort.Find(len(list), func(i int) int {
		at := P(&list[i]).instance()
		return cmp.Or(cmp.Compare(number, at.Number), cmp.Compare(host, at.HostID))
	})
}

// setInstancesUpdatedAt sets UpdatedAt of the instances that have changed.
func setInstancesUpdatedAt[T any, P instancePointer[T]](before, after []T, now time.Time) {
	for j := range after {
		instance := P(&after[j]).instance()
		if i, found := indexOf[T, P](before, instance.HostID, instance.Number); !found || !isEqual(&before[i], &after[j]) {
			instance.UpdatedAt = now
		}
	}
}

// findInstance returns the instance of a system on a host with a number; nil if
// there is none.
func findInstance(s system, host HostID, number string) *Instance {
	for _, i := range s.instances() {
		if i.HostID == host && i.Number == number {
			return i
		}
	}
	return nil
}

// hasInstanceOn reports whether a system has an instance on a host.
func hasInstanceOn(s system, host HostID) bool {
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

// instanceHealths returns the health of each instance of a system.
func instanceHealths(s system) []Health {
	all := s.instances()
	healths := make([]Health, 0, len(all)+1) // one more for the database of an SAP system
	for _, i := range all {
		healths = append(healths, i.Status.Health())
	}
	return healths
}

// firstStaleSince returns the time at which the first stale instance of a
// system became stale; nil if none is stale.
func firstStaleSince(s system) *time.Time {
	var since *time.Time
	for _, i := range s.instances() {
		since = earlierOf(since, i.StaleSince)
	}
	return since
}

// earlierOf returns the earlier of two times; nil means never.
func earlierOf(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// editSystemsOn returns the systems with an instance on a host, registered or
// not, ordered by id. They may be modified.
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

// markAbsent marks the selected instances on a host as absent, because the host
// no longer lists them.
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
			cs.addEvent(s.instanceEvent(i, instanceTurnedAbsent, cs.now))
			s.updateSID(cs)
		}
	}
	return nil
}

// markPresent marks an instance as listed by its host.
func (cs *Changeset) markPresent(s system, i *Instance) {
	if i.AbsentSince != nil {
		i.AbsentSince = nil
		cs.addEvent(s.instanceEvent(i, instanceTurnedPresent, cs.now))
	}
}

// markStale marks an instance as stale since a time; nil marks it as up to
// date.
func (cs *Changeset) markStale(s system, i *Instance, since *time.Time) {
	switch {
	case i.StaleSince != nil && since == nil:
		cs.addEvent(s.instanceEvent(i, instanceTurnedInSync, cs.now))
	case i.StaleSince == nil && since != nil:
		cs.addEvent(s.instanceEvent(i, instanceTurnedStale, *since))
	}
	i.StaleSince = since
}

// markSAPStale marks the selected instances on a host as stale, and with them
// their systems.
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

// removeInstances removes all instances on a host, and the systems that cannot
// exist without them.
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

// runsSAP reports whether any instance is known on a host, including absent
// instances and instances of systems that are not registered.
func (cs *Changeset) runsSAP(host HostID) (bool, error) { return cs.runsOtherSystem("", host) }

// runsOtherSystem reports whether a host has an instance of a system other than
// the one with the id.
func (cs *Changeset) runsOtherSystem(id string, host HostID) (bool, error) {
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

// evaluateSaptuneOn evaluates the tuning of hosts on which instances were added
// or removed. runsSAP returns whether a host has SAP instances now.
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

// alwaysTrue returns true for every host.
func alwaysTrue(HostID) (bool, error) { return true, nil }
