package landscape

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"trento/store/activity"
)

// ErrUnknown means that no record has the requested id.
var ErrUnknown = errors.New("unknown to the landscape")

// ErrNotRegistered means that a report is about a host, cluster or system that
// is not part of the landscape yet, or no longer. The parts of the report that
// can be used later are kept.
var ErrNotRegistered = errors.New("not registered")

// State is the landscape before a change. Its records are shared and must not
// be modified. The methods that return a record fail with ErrUnknown if there
// is none. The methods that return ids return them in ascending order, in a
// slice that belongs to the caller.
type State interface {
	Host(HostID) (*Host, error) // registered or not, as with the other records
	Cluster(ClusterID) (*Cluster, error)
	Database(DatabaseID) (*Database, error)
	SAPSystem(SAPSystemID) (*SAPSystem, error)
	LastSAPReport(HostID) (*LastSAPReport, error)

	DatabasesOn(HostID) ([]DatabaseID, error)       // databases with an instance on the host
	SAPSystemsOn(HostID) ([]SAPSystemID, error)     // SAP systems with an instance on the host
	SAPSystemsOf(DatabaseID) ([]SAPSystemID, error) // SAP systems on a tenant of the database
	HostsWith(netip.Addr) ([]HostID, error)         // hosts that report the address
	AgentsWaiting() ([]HostID, error)               // hosts whose LastSAPReport has a waiting element

	HeardRecently(HostID) bool // the host has sent a heartbeat, and the next one is not due yet
}

// Changeset holds the changes that follow from one report or one request: the
// changed records, and the events in the order in which they happened. The
// rules read records through the changeset, so each rule sees the changes of
// the rules before it.
//
// Every rule edits a copy of a record and emits an event about the change. At
// the end, the records that are equal to the stored ones are dropped, and
// UpdatedAt of the others is set.
type Changeset struct {
	state State
	now   time.Time

	Hosts          Records[HostID, Host]
	Clusters       Records[ClusterID, Cluster]
	Databases      Records[DatabaseID, Database]
	SAPSystems     Records[SAPSystemID, SAPSystem]
	LastSAPReports Records[HostID, LastSAPReport]
	Events         []activity.Event

	// RetryStarts are the indexes in Events at which the events of a retried
	// element begin. Such an element has waited since an earlier report, so its
	// events have another cause than the events before them.
	RetryStarts []int

	// Blocked is the reason why an element of an SAP report waits while the
	// rest of the report is applied: ErrNotRegistered or ErrNoDatabase. If
	// several elements wait, it is the reason of the last one.
	Blocked error
}

func newChangeset(state State, now time.Time) *Changeset {
	// The cluster of a host, or the SAP instances on it, may be reported before
	// the host itself. An unknown host is therefore a Host with only an id.
	host := emptyIfUnknown(state.Host, func(id HostID) *Host { return &Host{ID: id} })
	lastSAPReport := emptyIfUnknown(state.LastSAPReport, func(agent HostID) *LastSAPReport {
		return &LastSAPReport{Agent: agent, Elements: []StoredElement{}}
	})
	return &Changeset{
		state: state, now: now,
		Hosts:          newRecords(host, (*Host).clone),
		Clusters:       newRecords(state.Cluster, (*Cluster).clone),
		Databases:      newRecords(state.Database, (*Database).clone),
		SAPSystems:     newRecords(state.SAPSystem, (*SAPSystem).clone),
		LastSAPReports: newRecords(lastSAPReport, (*LastSAPReport).clone),
	}
}

// emptyIfUnknown returns a function that reads records like stored, but returns an
// empty record if stored fails with ErrUnknown.
func emptyIfUnknown[ID, T any](stored func(ID) (*T, error), empty func(ID) *T) func(ID) (*T, error) {
	return func(id ID) (*T, error) {
		record, err := stored(id)
		if errors.Is(err, ErrUnknown) {
			return empty(id), nil
		}
		return record, err
	}
}

// Changed reports whether the changeset changes a record or has an event.
func (cs *Changeset) Changed() bool {
	return len(cs.Hosts.Changed)+len(cs.Clusters.Changed)+len(cs.Databases.Changed)+len(cs.SAPSystems.Changed)+
		len(cs.LastSAPReports.Changed)+len(cs.Events) > 0
}

// addEvent adds an event. The store completes the event with the names that belong
// to its ids.
func (cs *Changeset) addEvent(e activity.Event) { cs.Events = append(cs.Events, e) }

// Records are the records of one kind in a changeset.
type Records[ID interface{ ~string }, T any] struct {
	Changed map[ID]*T
	stored  func(ID) (*T, error) // reads a record as it was before the change
	clone   func(*T) *T
}

func newRecords[ID interface{ ~string }, T any](stored func(ID) (*T, error), clone func(*T) *T) Records[ID, T] {
	return Records[ID, T]{map[ID]*T{}, stored, clone}
}

// get returns a record with the changes so far. It must not be modified.
func (r Records[ID, T]) get(id ID) (*T, error) {
	if record, ok := r.Changed[id]; ok {
		return record, nil
	}
	return r.stored(id)
}

// edit returns a copy of a record that may be modified until the changeset is
// finished.
func (r Records[ID, T]) edit(id ID) (*T, error) {
	if record, ok := r.Changed[id]; ok {
		return record, nil
	}
	record, err := r.stored(id)
	if err == nil {
		record = r.clone(record)
		r.Changed[id] = record
	}
	return record, err
}

// finish drops the records that are equal to the stored ones, and calls
// setUpdatedAt for the others.
func (r Records[ID, T]) finish(setUpdatedAt func(before, after *T)) error {
	stored := emptyIfUnknown(r.stored, func(ID) *T { return new(T) })
	for id, after := range r.Changed {
		before, err := stored(id)
		if err != nil {
			return err
		}
		if isEqual(before, after) {
			delete(r.Changed, id)
			continue
		}
		setUpdatedAt(before, after)
	}
	return nil
}

// idsWhere returns the ids of the records for which holds returns true after
// the changes so far. ids are the ids for which it was true before the
// changeset.
func (r Records[ID, T]) idsWhere(ids []ID, holds func(*T) bool) ([]ID, error) {
	for id := range r.Changed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var failed error
	return slices.DeleteFunc(ids, func(id ID) bool {
		record, err := r.get(id)
		if err != nil {
			failed = errors.Join(failed, err)
			return true
		}
		return !holds(record)
	}), failed
}

// complete finishes a changeset. If failed is nil, it first applies the waiting
// elements that fit after the changes.
func (cs *Changeset) complete(failed error) error {
	if failed == nil {
		failed = cs.retryPending()
	}
	if err := cs.finish(); err != nil {
		return err
	}
	return failed
}

// finish drops the records that are equal to the stored ones, and sets
// UpdatedAt of the others.
func (cs *Changeset) finish() error {
	return errors.Join(
		cs.Hosts.finish(func(_, host *Host) { host.UpdatedAt = cs.now }),
		cs.Clusters.finish(func(_, c *Cluster) { c.UpdatedAt = cs.now }),
		cs.Databases.finish(func(before, db *Database) {
			db.UpdatedAt = cs.now
			setInstancesUpdatedAt(before.Instances, db.Instances, cs.now)
		}),
		cs.SAPSystems.finish(func(before, s *SAPSystem) {
			s.UpdatedAt = cs.now
			setInstancesUpdatedAt(before.Instances, s.Instances, cs.now)
		}),
		cs.LastSAPReports.finish(func(_, _ *LastSAPReport) {}),
	)
}

// isEqual reports whether two values are equal. A value is also equal to the value
// that is read back after it was stored, because every value has exactly one
// stored form. Callers pass large values by pointer, which compares the values
// without copying them.
func isEqual[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

// databasesOn returns the databases, registered or not, that have an instance on
// a host.
func (cs *Changeset) databasesOn(host HostID) ([]DatabaseID, error) {
	stored, err := cs.state.DatabasesOn(host)
	if err != nil {
		return nil, err
	}
	return cs.Databases.idsWhere(stored, func(db *Database) bool { return hasInstanceOn(db, host) })
}

// sapSystemsOn returns the SAP systems with an instance on a host, registered
// or not.
func (cs *Changeset) sapSystemsOn(host HostID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return cs.SAPSystems.idsWhere(stored, func(s *SAPSystem) bool { return hasInstanceOn(s, host) })
}

// sapSystemsOf returns the SAP systems on the tenants of a database, registered
// or not.
func (cs *Changeset) sapSystemsOf(database DatabaseID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOf(database)
	if err != nil {
		return nil, err
	}
	return cs.SAPSystems.idsWhere(stored, func(s *SAPSystem) bool { return s.DatabaseID == database })
}

// hostsWith returns the registered hosts that report an address.
func (cs *Changeset) hostsWith(address netip.Addr) ([]HostID, error) {
	stored, err := cs.state.HostsWith(address)
	if err != nil {
		return nil, err
	}
	return cs.Hosts.idsWhere(stored, func(h *Host) bool {
		return h.Registered() && slices.ContainsFunc(h.Addresses, func(a Address) bool { return a.IP == address })
	})
}
