package landscape

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"trento/store/activity"
)

// ErrUnknown means that the landscape has no record with an id.
var ErrUnknown = errors.New("unknown to the landscape")

// ErrNotRegistered means that a report is about something that is not part of
// the landscape yet, or no longer. The report is not lost: what can be used of
// it later is kept.
var ErrNotRegistered = errors.New("not registered")

// State is the landscape before a change. Its records are shared and must not
// be modified. The methods that return a record fail with ErrUnknown where
// there is none; those that return ids return them in rising order.
type State interface {
	Host(HostID) (*Host, error) // also one that is not registered
	Cluster(ClusterID) (*Cluster, error)
	Database(DatabaseID) (*Database, error)
	SAPSystem(SAPSystemID) (*SAPSystem, error)
	LastSAPReport(HostID) (*LastSAPReport, error)

	DatabasesOn(HostID) ([]DatabaseID, error)       // with an instance on the host
	SAPSystemsOn(HostID) ([]SAPSystemID, error)     // with an instance on the host
	SAPSystemsOf(DatabaseID) ([]SAPSystemID, error) // on a tenant of the database
	HostsWith(netip.Addr) ([]HostID, error)         // that report the address
	AgentsWaiting() ([]HostID, error)               // whose LastSAPReport has a waiting element

	HeardRecently(HostID) bool // the next heartbeat of the host is not due yet
}

// Changeset is what one report, or one request, changes: the records as they
// will be, and the events in the order in which they happened. Its rules read
// through it, so that each of them sees what those before it have changed.
//
// Every rule works in the same way: it edits a copy of a record, and emits an
// event about what it has changed. At the end the records that came out as they
// went in are dropped, and the others get their time of change.
type Changeset struct {
	state State
	now   time.Time

	Hosts          map[HostID]*Host
	Clusters       map[ClusterID]*Cluster
	Databases      map[DatabaseID]*Database
	SAPSystems     map[SAPSystemID]*SAPSystem
	LastSAPReports map[HostID]*LastSAPReport
	Events         []activity.Event

	// RetryStarts are the places in Events at which the events of an element
	// begin that has waited since an earlier report. They have nothing to do
	// with the events before them.
	RetryStarts []int

	// Blocked says why an element of an SAP report waits, while the rest of the
	// report is applied: ErrNotRegistered or ErrNoDatabase. It is about the last
	// such element.
	Blocked error
}

func newChangeset(state State, now time.Time) *Changeset {
	return &Changeset{
		state: state, now: now,
		Hosts: map[HostID]*Host{}, Clusters: map[ClusterID]*Cluster{}, Databases: map[DatabaseID]*Database{},
		SAPSystems: map[SAPSystemID]*SAPSystem{}, LastSAPReports: map[HostID]*LastSAPReport{},
	}
}

// Changed reports whether there is anything to write.
func (cs *Changeset) Changed() bool {
	return len(cs.Hosts)+len(cs.Clusters)+len(cs.Databases)+len(cs.SAPSystems)+len(cs.LastSAPReports)+len(cs.Events) > 0
}

// emit notes that something happened. The names that belong to the ids of the
// event are added when it is logged.
func (cs *Changeset) emit(e activity.Event) { cs.Events = append(cs.Events, e) }

// get returns a record as changed so far. It must not be modified.
func get[ID comparable, T any](edited map[ID]*T, id ID, stored func(ID) (*T, error)) (*T, error) {
	if record, ok := edited[id]; ok {
		return record, nil
	}
	return stored(id)
}

// edit returns a record that may be modified until the changeset is finished.
func edit[ID comparable, T any](edited map[ID]*T, id ID, stored func(ID) (*T, error), clone func(*T) *T) (*T, error) {
	if record, ok := edited[id]; ok {
		return record, nil
	}
	record, err := stored(id)
	if err == nil {
		record = clone(record)
		edited[id] = record
	}
	return record, err
}

// storedHost returns a host before the change. One that is unknown has just an
// id: its cluster or its SAP software may be reported before the host itself.
func (cs *Changeset) storedHost(id HostID) (*Host, error) {
	host, err := cs.state.Host(id)
	if errors.Is(err, ErrUnknown) {
		return &Host{ID: id}, nil
	}
	return host, err
}

// storedSAPReport returns the last SAP report of an agent before the change; an
// empty one where there was none.
func (cs *Changeset) storedSAPReport(agent HostID) (*LastSAPReport, error) {
	last, err := cs.state.LastSAPReport(agent)
	if errors.Is(err, ErrUnknown) {
		return &LastSAPReport{Agent: agent, Elements: []StoredElement{}}, nil
	}
	return last, err
}

func (cs *Changeset) host(id HostID) (*Host, error) { return get(cs.Hosts, id, cs.storedHost) }
func (cs *Changeset) cluster(id ClusterID) (*Cluster, error) {
	return get(cs.Clusters, id, cs.state.Cluster)
}
func (cs *Changeset) database(id DatabaseID) (*Database, error) {
	return get(cs.Databases, id, cs.state.Database)
}
func (cs *Changeset) sapSystem(id SAPSystemID) (*SAPSystem, error) {
	return get(cs.SAPSystems, id, cs.state.SAPSystem)
}
func (cs *Changeset) lastSAPReport(agent HostID) (*LastSAPReport, error) {
	return get(cs.LastSAPReports, agent, cs.storedSAPReport)
}

func (cs *Changeset) editHost(id HostID) (*Host, error) {
	return edit(cs.Hosts, id, cs.storedHost, (*Host).clone)
}
func (cs *Changeset) editCluster(id ClusterID) (*Cluster, error) {
	return edit(cs.Clusters, id, cs.state.Cluster, (*Cluster).clone)
}
func (cs *Changeset) editDatabase(id DatabaseID) (*Database, error) {
	return edit(cs.Databases, id, cs.state.Database, (*Database).clone)
}
func (cs *Changeset) editSAPSystem(id SAPSystemID) (*SAPSystem, error) {
	return edit(cs.SAPSystems, id, cs.state.SAPSystem, (*SAPSystem).clone)
}
func (cs *Changeset) editSAPReport(agent HostID) (*LastSAPReport, error) {
	return edit(cs.LastSAPReports, agent, cs.storedSAPReport, (*LastSAPReport).clone)
}

// complete ends a changeset. Unless the rule that filled it has failed, it first
// applies the elements that have waited for what has changed.
func (cs *Changeset) complete(failed error) error {
	if failed == nil {
		failed = cs.retryPending()
	}
	if err := cs.finish(); err != nil {
		return err
	}
	return failed
}

// finish drops the records that came out as they went in, and dates the others.
func (cs *Changeset) finish() error {
	return errors.Join(
		finish(cs.Hosts, cs.storedHost, func(_, host *Host) { host.UpdatedAt = cs.now }),
		finish(cs.Clusters, cs.state.Cluster, func(_, c *Cluster) { c.UpdatedAt = cs.now }),
		finish(cs.Databases, cs.state.Database, func(before, db *Database) {
			db.UpdatedAt = cs.now
			dateInstances(before.Instances, db.Instances, cs.now)
		}),
		finish(cs.SAPSystems, cs.state.SAPSystem, func(before, s *SAPSystem) {
			s.UpdatedAt = cs.now
			dateInstances(before.Instances, s.Instances, cs.now)
		}),
		finish(cs.LastSAPReports, cs.storedSAPReport, func(_, _ *LastSAPReport) {}),
	)
}

func finish[ID comparable, T any](edited map[ID]*T, stored func(ID) (*T, error), date func(before, after *T)) error {
	for id, after := range edited {
		before, err := stored(id)
		if errors.Is(err, ErrUnknown) {
			before, err = new(T), nil
		}
		if err != nil {
			return err
		}
		if same(before, after) {
			delete(edited, id)
			continue
		}
		date(before, after)
	}
	return nil
}

// same reports whether two values of the landscape are equal. It holds for a
// value and for what is read back after it was stored: no value of the
// landscape has two stored forms, or loses anything in its own.
func same[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

// related returns the ids of the records for which a relation holds by now.
// stored are those for which it held before the change.
func related[ID interface{ ~string }, T any](stored []ID, edited map[ID]*T, read func(ID) (*T, error), holds func(*T) bool) ([]ID, error) {
	ids := slices.Clone(stored)
	for id := range edited {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var failed error
	return slices.DeleteFunc(ids, func(id ID) bool {
		record, err := read(id)
		if err != nil {
			failed = errors.Join(failed, err)
			return true
		}
		return !holds(record)
	}), failed
}

func (cs *Changeset) databasesOn(host HostID) ([]DatabaseID, error) {
	stored, err := cs.state.DatabasesOn(host)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.Databases, cs.database, func(db *Database) bool { return isOn(db, host) })
}

func (cs *Changeset) sapSystemsOn(host HostID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.SAPSystems, cs.sapSystem, func(s *SAPSystem) bool { return isOn(s, host) })
}

func (cs *Changeset) sapSystemsOf(database DatabaseID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOf(database)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.SAPSystems, cs.sapSystem, func(s *SAPSystem) bool { return s.DatabaseID == database })
}

// hostsWith returns the registered hosts that report an address.
func (cs *Changeset) hostsWith(address netip.Addr) ([]HostID, error) {
	stored, err := cs.state.HostsWith(address)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.Hosts, cs.host, func(h *Host) bool {
		return h.Registered() && slices.ContainsFunc(h.Addresses, func(a Address) bool { return a.IP == address })
	})
}
