package landscape

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"trento/store/activity"
)

// ErrUnknown says that the landscape holds nothing under an id.
var ErrUnknown = errors.New("unknown to the landscape")

// ErrNotRegistered says that a report speaks of something that is not part of
// the landscape yet, or no longer. The report is not lost: what can be used of
// it later is kept.
var ErrNotRegistered = errors.New("not registered")

// State is the landscape that a changeset is about. Whatever it hands out is
// shared and must not be modified. Its record methods return ErrUnknown where
// there is nothing; its relation methods return ids in rising order.
type State interface {
	Host(HostID) (*Host, error) // stubs and deregistered ones included
	Cluster(ClusterID) (*Cluster, error)
	Database(DatabaseID) (*Database, error)
	SAPSystem(SAPSystemID) (*SAPSystem, error)
	LastSAPReport(HostID) (*LastSAPReport, error) // what is kept of the agent's last SAP report

	DatabasesOn(HostID) ([]DatabaseID, error)       // with an instance on the host
	SAPSystemsOn(HostID) ([]SAPSystemID, error)     // with an instance on the host
	SAPSystemsOf(DatabaseID) ([]SAPSystemID, error) // on a tenant of the database
	HostsWith(netip.Addr) ([]HostID, error)         // that report the address
	AgentsWaiting() ([]HostID, error)               // whose LastSAPReport has a waiting element

	HeardRecently(HostID) bool // heard just now: its next heartbeat is not due yet
}

// Changeset collects what one observation, or one request, changes: the
// records as they will be, and the events in the order in which they
// happened. It reads through to its State, so that each step sees what the
// steps before it have decided.
type Changeset struct {
	state State
	now   time.Time

	Hosts          map[HostID]*Host
	Clusters       map[ClusterID]*Cluster
	Databases      map[DatabaseID]*Database
	SAPSystems     map[SAPSystemID]*SAPSystem
	LastSAPReports map[HostID]*LastSAPReport
	Events         []Event

	// RetryStarts are the places in Events at which an element of an earlier report
	// begins to be applied, after it has waited. Each is a story of its own.
	RetryStarts []int

	// Blocked says that a part of an SAP report waits for something that is
	// not known yet, while the rest of it is decided: ErrNotRegistered or
	// ErrNoDatabase, as the last such part would have it.
	Blocked error
}

// NewChangeset begins a changeset. All its times are now.
func NewChangeset(state State, now time.Time) *Changeset {
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

// read returns a record as decided so far.
func read[ID comparable, T any](decided map[ID]*T, id ID, stored func(ID) (*T, error)) (*T, error) {
	if record, ok := decided[id]; ok {
		return record, nil
	}
	return stored(id)
}

func (cs *Changeset) host(id HostID) (*Host, error) { return read(cs.Hosts, id, cs.state.Host) }
func (cs *Changeset) cluster(id ClusterID) (*Cluster, error) {
	return read(cs.Clusters, id, cs.state.Cluster)
}
func (cs *Changeset) database(id DatabaseID) (*Database, error) {
	return read(cs.Databases, id, cs.state.Database)
}
func (cs *Changeset) sapSystem(id SAPSystemID) (*SAPSystem, error) {
	return read(cs.SAPSystems, id, cs.state.SAPSystem)
}
func (cs *Changeset) kept(id HostID) (*LastSAPReport, error) {
	return read(cs.LastSAPReports, id, cs.state.LastSAPReport)
}

// related returns the ids of the records that a relation holds of, as decided
// so far: stored ones that still qualify, and decided ones that do by now.
func related[ID interface{ ~string }, T any](stored []ID, decided map[ID]*T, get func(ID) (*T, error), holds func(*T) bool) ([]ID, error) {
	ids := slices.Clone(stored)
	for id := range decided {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var err error
	return slices.DeleteFunc(ids, func(id ID) bool {
		record, fault := get(id)
		if fault != nil {
			err = errors.Join(err, fault)
			return true
		}
		return !holds(record)
	}), err
}

func (cs *Changeset) databasesOn(host HostID) ([]DatabaseID, error) {
	stored, err := cs.state.DatabasesOn(host)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.Databases, cs.database, func(db *Database) bool { return db.on(host) })
}

func (cs *Changeset) sapSystemsOn(host HostID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.SAPSystems, cs.sapSystem, func(s *SAPSystem) bool { return s.on(host) })
}

func (cs *Changeset) sapSystemsOf(database DatabaseID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOf(database)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.SAPSystems, cs.sapSystem, func(s *SAPSystem) bool { return s.DatabaseID == database })
}

// event notes that something happened. Names that belong to the ids in the
// metadata are added when the event is logged.
func (cs *Changeset) event(t activity.Type, metadata map[string]any) {
	cs.Events = append(cs.Events, Event{Type: t, Metadata: metadata})
}
