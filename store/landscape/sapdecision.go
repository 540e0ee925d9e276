package landscape

import (
	"errors"
	"reflect"
	"slices"
	"time"
)

// ErrNoDatabase says that an application instance does not have exactly one
// database that it could work on. The report is not lost: the instance waits
// for one.
var ErrNoDatabase = errors.New("no database for an application instance")

// observeSAP decides what an SAP report changes: instances that are not in it
// turn absent, the others are applied one by one. What does not fit yet waits;
// cs.Refused then says so. The host itself need not have been reported yet.
func (cs *Changeset) observeSAP(agent HostID, r *SAPReport) error {
	r = &SAPReport{Elements: onePerNumber(r.Elements), Unread: r.Unread}
	before, err := cs.kept(agent)
	unknown := errors.Is(err, ErrUnknown)
	switch {
	case err != nil && !unknown:
		return err
	case !unknown && !before.Forget && before.says(r):
		cs.Blocked = before.Blocked()
		return nil
	}
	shared, err := cs.shared(agent)
	if err != nil {
		return err
	}
	if !shared {
		if err := cs.markAbsent(agent, r); err != nil {
			return err
		}
	}
	if unknown && len(r.Elements)+len(r.Unread) == 0 {
		return nil // most hosts without SAP software never say anything else
	}
	after := &LastSAPReport{Agent: agent, ReceivedAt: cs.now, Elements: make([]StoredElement, len(r.Elements)), Unread: r.Unread}
	cs.LastSAPReports[agent] = after
	for i, e := range r.Elements {
		after.Elements[i].Element = e
	}
	for i, e := range r.Elements {
		fits, err := cs.judge(reportedElement{agent: agent, at: cs.now, shared: shared, Element: e})
		if err != nil {
			return err
		}
		after.Elements[i].Waiting = !fits
	}
	cs.Blocked = after.Blocked()
	return nil
}

// reportedElement is an element with where it was seen and when it was reported: just
// now, or earlier, in which case it is judged again.
type reportedElement struct {
	agent  HostID
	at     time.Time
	again  bool
	shared bool // the id of the agent is that of several machines
	Element
}

// judge applies one element, if it fits.
func (cs *Changeset) judge(s reportedElement) (fits bool, err error) {
	if s.Database != nil {
		return cs.judgeDatabaseInstance(s)
	}
	return cs.judgeApplicationInstance(s)
}

// staleAfter is since when an instance is stale after it was seen; before is
// since when it was. What was reported before a host fell silent is as stale
// as the silence is long.
func (cs *Changeset) staleAfter(s reportedElement, before *time.Time) (*time.Time, error) {
	if !s.again {
		return nil, nil // what was said just now is not stale
	}
	if before != nil && !s.at.After(*before) {
		return before, nil
	}
	host, err := cs.host(s.agent)
	if errors.Is(err, ErrUnknown) || err == nil && (host.StaleSince == nil || s.at.After(*host.StaleSince)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return host.StaleSince, nil
}

// markAbsent notes which instances a host does not list any more: none of the
// number, whatever its system. An instance whose number another system has by
// now turns absent when that is known, see takeOver; until then it may be what
// is listed. One that the agent lists and that could not be read is not absent.
func (cs *Changeset) markAbsent(agent HostID, r *SAPReport) error {
	listed := func(sid, number string) bool {
		return r.unread(sid, number) || slices.ContainsFunc(r.Elements, func(e Element) bool { return e.Number == number })
	}
	systems, err := cs.changeSAPSystemsOn(agent)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for i := range s.Instances {
			if instance := &s.Instances[i]; instance.HostID == agent && instance.AbsentSince == nil && !listed(instance.SID, instance.Number) {
				cs.applicationInstanceAbsent(s, instance)
			}
		}
	}
	databases, err := cs.changeDatabasesOn(agent)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for i := range db.Instances {
			if instance := &db.Instances[i]; instance.HostID == agent && instance.AbsentSince == nil && !listed(instance.SID, instance.Number) {
				cs.databaseInstanceAbsent(db, instance)
			}
		}
	}
	return nil
}

// markAllSAPStale notes that a host has fallen silent: what is known through it
// turns stale, and with it its systems. That changes neither data nor health.
func (cs *Changeset) markAllSAPStale(host HostID) error {
	err := cs.markSAPStale(host, func(string, string, bool) bool { return true })
	return errors.Join(err, cs.forget(host), cs.finish())
}

// markSAPStale marks stale those instances on a host that concerns names, and
// with them their systems.
func (cs *Changeset) markSAPStale(host HostID, concerns func(sid, number string, absent bool) bool) error {
	systems, err := cs.changeSAPSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for i := range s.Instances {
			if in := &s.Instances[i]; in.HostID == host && in.StaleSince == nil && concerns(in.SID, in.Number, in.AbsentSince != nil) {
				cs.applicationInstanceStale(s, &s.Instances[i], &cs.now)
			}
		}
		if s.Registered() {
			cs.judgeSAPSystemStale(s)
		}
	}
	databases, err := cs.changeDatabasesOn(host)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for i := range db.Instances {
			if in := &db.Instances[i]; in.HostID == host && in.StaleSince == nil && concerns(db.SID, in.Number, in.AbsentSince != nil) {
				cs.databaseInstanceStale(db, &db.Instances[i], &cs.now)
			}
		}
		if err := cs.judgeDatabaseStale(db); err != nil {
			return err
		}
	}
	return nil
}

// removeInstances takes all instances on a host out of the landscape, with
// what cannot be without them, and discards what the host has said: only a new
// report may bring something back.
func (cs *Changeset) removeInstances(host HostID) error {
	databases, err := cs.changeDatabasesOn(host)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for _, instance := range slices.Clone(db.Instances) {
			if instance.HostID != host {
				continue
			}
			if err := cs.removeDatabaseInstance(db.ID, host, instance.Number); err != nil {
				return err
			}
		}
	}
	systems, err := cs.changeSAPSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for _, instance := range slices.Clone(s.Instances) {
			if instance.HostID != host {
				continue
			}
			if err := cs.removeApplicationInstance(s.ID, host, instance.Number); err != nil {
				return err
			}
		}
	}
	return cs.discardAll(host)
}

// sapRunning reports whether any instance is known on a host; those that are
// absent, or hidden with their system, count.
func (cs *Changeset) sapRunning(host HostID) (bool, error) { return cs.othersOn(host, "", "") }

// othersOn reports whether a host has an instance that belongs neither to a
// database nor to an SAP system.
func (cs *Changeset) othersOn(host HostID, db DatabaseID, s SAPSystemID) (bool, error) {
	databases, err := cs.databasesOn(host)
	if err != nil {
		return false, err
	}
	systems, err := cs.sapSystemsOn(host)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(databases, func(id DatabaseID) bool { return id != db }) ||
		slices.ContainsFunc(systems, func(id SAPSystemID) bool { return id != s }), nil
}

// judgeSaptuneOn judges the tuning of hosts whose instances have changed.
func (cs *Changeset) judgeSaptuneOn(hosts []HostID, running func(HostID) (bool, error)) error {
	for _, host := range hosts {
		sap, err := running(host)
		if err != nil {
			return err
		}
		if err := cs.judgeSaptune(host, sap); err != nil {
			return err
		}
	}
	return nil
}

func (cs *Changeset) changeDatabasesOn(host HostID) ([]*Database, error) {
	ids, err := cs.databasesOn(host)
	if err != nil {
		return nil, err
	}
	return change(ids, cs.changeDatabase)
}

func (cs *Changeset) changeSAPSystemsOn(host HostID) ([]*SAPSystem, error) {
	ids, err := cs.sapSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return change(ids, cs.changeSAPSystem)
}

func change[ID, T any](ids []ID, begin func(ID) (*T, error)) ([]*T, error) {
	records := make([]*T, len(ids))
	for i, id := range ids {
		var err error
		if records[i], err = begin(id); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// finish drops the databases, SAP systems and kept reports that came out of
// the changeset as they went into it, and dates the others.
func (cs *Changeset) finish() error {
	err := drop(cs.Databases, cs.state.Database, func(before, db *Database) {
		db.UpdatedAt = cs.now
		for i := range db.Instances {
			instance := &db.Instances[i]
			if j, known := before.place(instance.HostID, instance.Number); !known || !reflect.DeepEqual(before.Instances[j], *instance) {
				instance.UpdatedAt = cs.now
			}
		}
	})
	if err != nil {
		return err
	}
	err = drop(cs.SAPSystems, cs.state.SAPSystem, func(before, s *SAPSystem) {
		s.UpdatedAt = cs.now
		for i := range s.Instances {
			instance := &s.Instances[i]
			if j, known := before.place(instance.HostID, instance.Number); !known || !reflect.DeepEqual(before.Instances[j], *instance) {
				instance.UpdatedAt = cs.now
			}
		}
	})
	if err != nil {
		return err
	}
	return drop(cs.LastSAPReports, cs.state.LastSAPReport, func(_, _ *LastSAPReport) {})
}

// drop removes records that are what they were, and dates the others.
func drop[ID comparable, T any](decided map[ID]*T, stored func(ID) (*T, error), date func(before, after *T)) error {
	for id, after := range decided {
		before, err := stored(id)
		if errors.Is(err, ErrUnknown) {
			before, err = new(T), nil
		}
		if err != nil {
			return err
		}
		if reflect.DeepEqual(before, after) {
			delete(decided, id)
			continue
		}
		date(before, after)
	}
	return nil
}
