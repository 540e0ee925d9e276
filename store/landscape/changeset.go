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
// there is none; those that return ids return them in rising order, in a list
// that belongs to the caller.
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

	Hosts          Records[HostID, Host]
	Clusters       Records[ClusterID, Cluster]
	Databases      Records[DatabaseID, Database]
	SAPSystems     Records[SAPSystemID, SAPSystem]
	LastSAPReports Records[HostID, LastSAPReport]
	Events         []activity.Event

	// RetryStarts are the indexes in Events at which the events of an element
	// begin that has waited since an earlier report. They have nothing to do
	// with the events before them.
	RetryStarts []int

	// Blocked says why an element of an SAP report waits, while the rest of the
	// report is applied: ErrNotRegistered or ErrNoDatabase. It is about the last
	// such element.
	Blocked error
}

func newChangeset(state State, now time.Time) *Changeset {
	// The cluster of a host, or the SAP software on it, may be reported before the
	// host itself: an unknown host is one with just an id.
	host := orEmpty(state.Host, func(id HostID) *Host { return &Host{ID: id} })
	lastSAPReport := orEmpty(state.LastSAPReport, func(agent HostID) *LastSAPReport {
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

// orEmpty returns a function that reads records, and makes those that are
// unknown.
func orEmpty[ID, T any](stored func(ID) (*T, error), empty func(ID) *T) func(ID) (*T, error) {
	return func(id ID) (*T, error) {
		record, err := stored(id)
		if errors.Is(err, ErrUnknown) {
			return empty(id), nil
		}
		return record, err
	}
}

// Changed reports whether there is anything to write.
func (cs *Changeset) Changed() bool {
	return len(cs.Hosts.Changed)+len(cs.Clusters.Changed)+len(cs.Databases.Changed)+len(cs.SAPSystems.Changed)+
		len(cs.LastSAPReports.Changed)+len(cs.Events) > 0
}

// emit notes that something happened. The names that belong to the ids of the
// event are added when it is logged.
func (cs *Changeset) emit(e activity.Event) { cs.Events = append(cs.Events, e) }

// Records are the records of one kind in a changeset.
type Records[ID interface{ ~string }, T any] struct {
	Changed map[ID]*T
	stored  func(ID) (*T, error) // before the change
	clone   func(*T) *T
}

func newRecords[ID interface{ ~string }, T any](stored func(ID) (*T, error), clone func(*T) *T) Records[ID, T] {
	return Records[ID, T]{map[ID]*T{}, stored, clone}
}

// get returns a record as changed so far. It must not be modified.
func (r Records[ID, T]) get(id ID) (*T, error) {
	if record, ok := r.Changed[id]; ok {
		return record, nil
	}
	return r.stored(id)
}

// edit returns a record that may be modified until the changeset is finished.
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

// finish drops the records that came out as they went in, and has the others
// dated.
func (r Records[ID, T]) finish(date func(before, after *T)) error {
	stored := orEmpty(r.stored, func(ID) *T { return new(T) })
	for id, after := range r.Changed {
		before, err := stored(id)
		if err != nil {
			return err
		}
		if same(before, after) {
			delete(r.Changed, id)
			continue
		}
		date(before, after)
	}
	return nil
}

// related returns the ids of the records for which a relation holds by now.
// ids are those for which it held before the change.
func (r Records[ID, T]) related(ids []ID, holds func(*T) bool) ([]ID, error) {
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
		cs.Hosts.finish(func(_, host *Host) { host.UpdatedAt = cs.now }),
		cs.Clusters.finish(func(_, c *Cluster) { c.UpdatedAt = cs.now }),
		cs.Databases.finish(func(before, db *Database) {
			db.UpdatedAt = cs.now
			dateInstances(before.Instances, db.Instances, cs.now)
		}),
		cs.SAPSystems.finish(func(before, s *SAPSystem) {
			s.UpdatedAt = cs.now
			dateInstances(before.Instances, s.Instances, cs.now)
		}),
		cs.LastSAPReports.finish(func(_, _ *LastSAPReport) {}),
	)
}

// same reports whether two values of the landscape are equal. It holds for a
// value and for what is read back after it was stored: no value of the
// landscape has two stored forms, or loses anything in its own. Of a large value
// the pointer is compared, which means the same and copies nothing.
func same[T any](a, b T) bool { return reflect.DeepEqual(a, b) }

func (cs *Changeset) databasesOn(host HostID) ([]DatabaseID, error) {
	stored, err := cs.state.DatabasesOn(host)
	if err != nil {
		return nil, err
	}
	return cs.Databases.related(stored, func(db *Database) bool { return isOn(db, host) })
}

func (cs *Changeset) sapSystemsOn(host HostID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return cs.SAPSystems.related(stored, func(s *SAPSystem) bool { return isOn(s, host) })
}

func (cs *Changeset) sapSystemsOf(database DatabaseID) ([]SAPSystemID, error) {
	stored, err := cs.state.SAPSystemsOf(database)
	if err != nil {
		return nil, err
	}
	return cs.SAPSystems.related(stored, func(s *SAPSystem) bool { return s.DatabaseID == database })
}

// hostsWith returns the registered hosts that report an address.
func (cs *Changeset) hostsWith(address netip.Addr) ([]HostID, error) {
	stored, err := cs.state.HostsWith(address)
	if err != nil {
		return nil, err
	}
	return cs.Hosts.related(stored, func(h *Host) bool {
		return h.Registered() && slices.ContainsFunc(h.Addresses, func(a Address) bool { return a.IP == address })
	})
}
