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
// d.Refused then says so. The host itself need not have been reported yet.
func (d *Decision) observeSAP(agent HostID, r *SAPReport) error {
	r = &SAPReport{Elements: onePerNumber(r.Elements), Unread: r.Unread}
	before, err := d.kept(agent)
	unknown := errors.Is(err, ErrUnknown)
	switch {
	case err != nil && !unknown:
		return err
	case !unknown && !before.Forget && before.says(r):
		d.Refused = before.Refused()
		return nil
	}
	shared, err := d.shared(agent)
	if err != nil {
		return err
	}
	if !shared {
		if err := d.markAbsent(agent, r); err != nil {
			return err
		}
	}
	if unknown && len(r.Elements)+len(r.Unread) == 0 {
		return nil // most hosts without SAP software never say anything else
	}
	after := &LastSAPReport{Agent: agent, ReceivedAt: d.now, Elements: make([]KeptElement, len(r.Elements)), Unread: r.Unread}
	d.Kept[agent] = after
	for i, e := range r.Elements {
		after.Elements[i].Element = e
	}
	for i, e := range r.Elements {
		fits, err := d.judge(reportedElement{agent: agent, at: d.now, shared: shared, Element: e})
		if err != nil {
			return err
		}
		after.Elements[i].Waiting = !fits
	}
	d.Refused = after.Refused()
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
func (d *Decision) judge(s reportedElement) (fits bool, err error) {
	if s.Database != nil {
		return d.judgeDatabaseInstance(s)
	}
	return d.judgeApplicationInstance(s)
}

// staleAfter is since when an instance is stale after it was seen; before is
// since when it was. What was reported before a host fell silent is as stale
// as the silence is long.
func (d *Decision) staleAfter(s reportedElement, before *time.Time) (*time.Time, error) {
	if !s.again {
		return nil, nil // what was said just now is not stale
	}
	if before != nil && !s.at.After(*before) {
		return before, nil
	}
	host, err := d.host(s.agent)
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
func (d *Decision) markAbsent(agent HostID, r *SAPReport) error {
	listed := func(sid, number string) bool {
		return r.unread(sid, number) || slices.ContainsFunc(r.Elements, func(e Element) bool { return e.Number == number })
	}
	systems, err := d.changeSAPSystemsOn(agent)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for i := range s.Instances {
			if instance := &s.Instances[i]; instance.HostID == agent && instance.AbsentSince == nil && !listed(instance.SID, instance.Number) {
				d.applicationInstanceAbsent(s, instance)
			}
		}
	}
	databases, err := d.changeDatabasesOn(agent)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for i := range db.Instances {
			if instance := &db.Instances[i]; instance.HostID == agent && instance.AbsentSince == nil && !listed(instance.SID, instance.Number) {
				d.databaseInstanceAbsent(db, instance)
			}
		}
	}
	return nil
}

// markAllSAPStale notes that a host has fallen silent: what is known through it
// turns stale, and with it its systems. That changes neither data nor health.
func (d *Decision) markAllSAPStale(host HostID) error {
	err := d.markSAPStale(host, func(string, string, bool) bool { return true })
	return errors.Join(err, d.forget(host), d.finish())
}

// markSAPStale marks stale those instances on a host that concerns names, and
// with them their systems.
func (d *Decision) markSAPStale(host HostID, concerns func(sid, number string, absent bool) bool) error {
	systems, err := d.changeSAPSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for i := range s.Instances {
			if in := &s.Instances[i]; in.HostID == host && in.StaleSince == nil && concerns(in.SID, in.Number, in.AbsentSince != nil) {
				d.applicationInstanceStale(s, &s.Instances[i], &d.now)
			}
		}
		if s.Registered() {
			d.judgeSAPSystemStale(s)
		}
	}
	databases, err := d.changeDatabasesOn(host)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for i := range db.Instances {
			if in := &db.Instances[i]; in.HostID == host && in.StaleSince == nil && concerns(db.SID, in.Number, in.AbsentSince != nil) {
				d.databaseInstanceStale(db, &db.Instances[i], &d.now)
			}
		}
		if err := d.judgeDatabaseStale(db); err != nil {
			return err
		}
	}
	return nil
}

// removeInstances takes all instances on a host out of the landscape, with
// what cannot be without them, and discards what the host has said: only a new
// report may bring something back.
func (d *Decision) removeInstances(host HostID) error {
	databases, err := d.changeDatabasesOn(host)
	if err != nil {
		return err
	}
	for _, db := range databases {
		for _, instance := range slices.Clone(db.Instances) {
			if instance.HostID != host {
				continue
			}
			if err := d.removeDatabaseInstance(db.ID, host, instance.Number); err != nil {
				return err
			}
		}
	}
	systems, err := d.changeSAPSystemsOn(host)
	if err != nil {
		return err
	}
	for _, s := range systems {
		for _, instance := range slices.Clone(s.Instances) {
			if instance.HostID != host {
				continue
			}
			if err := d.removeApplicationInstance(s.ID, host, instance.Number); err != nil {
				return err
			}
		}
	}
	return d.discardAll(host)
}

// sapRunning reports whether any instance is known on a host; those that are
// absent, or hidden with their system, count.
func (d *Decision) sapRunning(host HostID) (bool, error) { return d.othersOn(host, "", "") }

// othersOn reports whether a host has an instance that belongs neither to a
// database nor to an SAP system.
func (d *Decision) othersOn(host HostID, db DatabaseID, s SAPSystemID) (bool, error) {
	databases, err := d.databasesOn(host)
	if err != nil {
		return false, err
	}
	systems, err := d.sapSystemsOn(host)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(databases, func(id DatabaseID) bool { return id != db }) ||
		slices.ContainsFunc(systems, func(id SAPSystemID) bool { return id != s }), nil
}

// judgeSaptuneOn judges the tuning of hosts whose instances have changed.
func (d *Decision) judgeSaptuneOn(hosts []HostID, running func(HostID) (bool, error)) error {
	for _, host := range hosts {
		sap, err := running(host)
		if err != nil {
			return err
		}
		if err := d.judgeSaptune(host, sap); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decision) changeDatabasesOn(host HostID) ([]*Database, error) {
	ids, err := d.databasesOn(host)
	if err != nil {
		return nil, err
	}
	return change(ids, d.changeDatabase)
}

func (d *Decision) changeSAPSystemsOn(host HostID) ([]*SAPSystem, error) {
	ids, err := d.sapSystemsOn(host)
	if err != nil {
		return nil, err
	}
	return change(ids, d.changeSAPSystem)
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
// the decision as they went into it, and dates the others.
func (d *Decision) finish() error {
	err := drop(d.Databases, d.state.Database, func(before, db *Database) {
		db.UpdatedAt = d.now
		for i := range db.Instances {
			instance := &db.Instances[i]
			if j, known := before.place(instance.HostID, instance.Number); !known || !reflect.DeepEqual(before.Instances[j], *instance) {
				instance.UpdatedAt = d.now
			}
		}
	})
	if err != nil {
		return err
	}
	err = drop(d.SAPSystems, d.state.SAPSystem, func(before, s *SAPSystem) {
		s.UpdatedAt = d.now
		for i := range s.Instances {
			instance := &s.Instances[i]
			if j, known := before.place(instance.HostID, instance.Number); !known || !reflect.DeepEqual(before.Instances[j], *instance) {
				instance.UpdatedAt = d.now
			}
		}
	})
	if err != nil {
		return err
	}
	return drop(d.Kept, d.state.Kept, func(_, _ *LastSAPReport) {})
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
