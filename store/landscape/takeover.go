package landscape

import (
	"errors"
	"maps"
	"slices"
)

// uniqueByNumber returns one element of a report for each instance number. Only
// one instance can use the ports of a number, so of several elements with the
// same number only one can be running: it prefers one that is not gray, and
// then the last one.
func uniqueByNumber(elements []Element) []Element {
	chosen := make(map[string]int, len(elements))
	for i, e := range elements {
		if j, listed := chosen[e.Number]; !listed || e.Status != Gray || elements[j].Status == Gray {
			chosen[e.Number] = i
		}
	}
	if len(chosen) == len(elements) {
		return elements
	}
	distinct := make([]Element, 0, len(chosen))
	for i, e := range elements {
		if chosen[e.Number] == i {
			distinct = append(distinct, e)
		}
	}
	return distinct
}

// takeInstanceNumber gives the number of an element to the system with the id
// by. Instances of other systems with the same number on the same host become
// absent, except those that may be one of the unread instances of the report.
// It must be called before the element is applied.
func (cs *Changeset) takeInstanceNumber(seen reportedElement, by string) error {
	last, err := cs.LastSAPReports.get(seen.agent)
	if err != nil || seen.shared {
		return err
	}
	return cs.markAbsent(seen.agent, func(s system, i *Instance) bool {
		return s.key() != by && i.Number == seen.Number && !slices.ContainsFunc(last.Unread, func(u UnreadInstance) bool {
			return u.Number == i.Number && u.mayBeInstance(i)
		})
	})
}

// isReplaced reports whether all instances of a database on a host were
// replaced by other instances; see isInstanceReplaced. all are the databases on
// the host.
func (cs *Changeset) isReplaced(db *Database, host HostID, all []DatabaseID) (bool, error) {
	for _, i := range db.instances() {
		if i.HostID != host {
			continue
		}
		if replaced, err := cs.isInstanceReplaced(i, all); err != nil || !replaced {
			return false, err
		}
	}
	return true, nil
}

// isInstanceReplaced reports whether the number of a database instance now
// belongs to another database or to an application instance. An application
// instance counts even if its system is not known. Otherwise the replaced
// database would still be a possible database of that instance, besides the
// right one, and the instance would wait for ever.
func (cs *Changeset) isInstanceReplaced(i *Instance, all []DatabaseID) (bool, error) {
	last, err := cs.LastSAPReports.get(i.HostID)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(last.Elements, func(e StoredElement) bool { return e.Application != nil && e.Number == i.Number }) {
		return true, nil
	}
	if i.AbsentSince == nil {
		return false, nil
	}
	for _, id := range all {
		other, err := cs.Databases.get(id)
		if err != nil {
			return false, err
		}
		if in := findInstance(other, i.HostID, i.Number); in != nil && in.AbsentSince == nil {
			return true, nil
		}
	}
	return false, nil
}

// makeMisplacedInstancesWait makes the application instances wait that no longer work on
// the database of their SAP system: the database is deregistered, has lost
// their tenant or the address that they report, or was replaced. Reports of
// these instances would otherwise be refused or applied to another system. It
// checks only the systems of affected databases, and ignores absent instances.
func (cs *Changeset) makeMisplacedInstancesWait(t retryTriggers) error {
	for _, db := range slices.Sorted(maps.Keys(t.affectedDatabases)) {
		systems, err := cs.sapSystemsOf(db)
		if err != nil {
			return err
		}
		for _, id := range systems {
			s, err := cs.SAPSystems.get(id)
			if err != nil {
				return err
			}
			for _, i := range s.instances() {
				if i.AbsentSince != nil {
					continue
				}
				if err := cs.makeWaitIfMisplaced(i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// makeWaitIfMisplaced makes the element of an instance wait, unless applying it
// again would find the same instance.
func (cs *Changeset) makeWaitIfMisplaced(i *Instance) error {
	last, err := cs.LastSAPReports.get(i.HostID)
	if err != nil {
		return err
	}
	index := slices.IndexFunc(last.Elements, func(e StoredElement) bool {
		return e.Application != nil && !e.Waiting && e.Number == i.Number
	})
	if index < 0 {
		return nil
	}
	e := last.Elements[index].Element
	db, found, err := cs.databaseFor(reportedElement{agent: last.Agent, Element: e})
	if err != nil {
		return err
	}
	if found {
		s, err := cs.SAPSystems.get(SAPSystemIDOn(db.ID, e.Application.Tenant))
		if err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
		if err == nil {
			if in := findInstance(s, i.HostID, i.Number); in != nil && in.AbsentSince == nil {
				return nil
			}
		}
	}
	if last, err = cs.LastSAPReports.edit(i.HostID); err != nil {
		return err
	}
	last.Elements[index].Waiting = true
	return nil
}
