package landscape

import (
	"errors"
	"maps"
	"slices"
)

// onePerNumber returns the elements of a report, one for each instance number. A
// host has one port for each number, so only one of several elements with the
// same number can be what answers there: preferably one that runs, then the
// last one.
func onePerNumber(elements []Element) []Element {
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

// takeNumber notes that an element places its instance number in a system, by
// the id of that: the instances of other systems with the same number on the
// same host are not there any more, unless the agent lists one as well that
// could not be read and may be it. It comes before the element is applied.
func (cs *Changeset) takeNumber(seen reportedElement, by string) error {
	last, err := cs.LastSAPReports.get(seen.agent)
	if err != nil || seen.shared {
		return err
	}
	return cs.markAbsent(seen.agent, func(s system, i *Instance) bool {
		return s.key() != by && i.Number == seen.Number && !slices.ContainsFunc(last.Unread, func(u UnreadInstance) bool {
			return u.Number == i.Number && u.mayBe(i)
		})
	})
}

// isReplaced reports whether a database is not on a host any more, whatever its
// instances there say: each of them was isReplaced. all are the databases on the
// host.
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

// isInstanceReplaced reports whether the number of a database instance belongs to
// another database by now, or to an application instance. That counts even
// while its system is not known: it would wait for ever if what it has replaced
// made its database ambiguous.
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
		if in := find(other, i.HostID, i.Number); in != nil && in.AbsentSince == nil {
			return true, nil
		}
	}
	return false, nil
}

// makeMisplacedWait makes application instances wait again that do not work on
// the database of their SAP system any more: the database is gone, has lost
// their tenant or the address they know it by, or another one has replaced it.
// Agents go on reporting them, and the reports would be refused or applied to
// another system. Only what may have changed is looked at. An instance that its
// host does not list is left alone.
func (cs *Changeset) makeMisplacedWait(t triggers) error {
	for _, db := range slices.Sorted(maps.Keys(t.around)) {
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

// makeWaitIfMisplaced makes the element behind an instance wait, unless it would
// be applied where it is.
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
			if in := find(s, i.HostID, i.Number); in != nil && in.AbsentSince == nil {
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
