package landscape

import (
	"errors"
	"maps"
	"slices"

	"trento/store/activity"
)

// onePerNumber are the elements of a report, one for each instance number. A
// host has one port for each number, so of several elements with the same one
// only one can be what answers there: preferably one that runs, then the last.
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

// owner is the system that has an instance number on a host: a database or an
// SAP system.
type owner struct {
	database  DatabaseID
	sapSystem SAPSystemID
}

// takeOver notes that an element places its instance number in a system: the
// instances of other systems with the same number on the same host are not
// there any more, but for one of just this number that the agent lists as well
// and that could not be read. It comes before the instance is seen in its new
// place.
func (cs *Changeset) takeOver(s reportedElement, by owner) error {
	k, err := cs.kept(s.agent)
	if err != nil || s.shared {
		return err
	}
	unread := func(sid string) bool {
		return slices.ContainsFunc(k.Unread, func(u UnreadInstance) bool { return u.Number == s.Number && u.couldBe(sid, s.Number) })
	}
	if err := cs.takeFromSAPSystems(s, by, unread); err != nil {
		return err
	}
	return cs.takeFromDatabases(s, by, unread)
}

func (cs *Changeset) takeFromSAPSystems(seen reportedElement, by owner, unread func(sid string) bool) error {
	ids, err := cs.sapSystemsOn(seen.agent)
	if err != nil {
		return err
	}
	for _, id := range ids {
		before, err := cs.sapSystem(id)
		if err != nil {
			return err
		}
		i, known := before.place(seen.agent, seen.Number)
		if id == by.sapSystem || !known || before.Instances[i].AbsentSince != nil || unread(before.Instances[i].SID) {
			continue
		}
		s, err := cs.changeSAPSystem(id)
		if err != nil {
			return err
		}
		cs.applicationInstanceAbsent(s, &s.Instances[i])
	}
	return nil
}

func (cs *Changeset) takeFromDatabases(seen reportedElement, by owner, unread func(sid string) bool) error {
	ids, err := cs.databasesOn(seen.agent)
	if err != nil {
		return err
	}
	for _, id := range ids {
		before, err := cs.database(id)
		if err != nil {
			return err
		}
		i, known := before.place(seen.agent, seen.Number)
		if id == by.database || !known || before.Instances[i].AbsentSince != nil || unread(before.Instances[i].SID) {
			continue
		}
		db, err := cs.changeDatabase(id)
		if err != nil {
			return err
		}
		cs.databaseInstanceAbsent(db, &db.Instances[i])
	}
	return nil
}

func (cs *Changeset) applicationInstanceAbsent(s *SAPSystem, i *ApplicationInstance) {
	i.AbsentSince = &cs.now
	cs.applicationInstanceEvent(s, i, activity.TypeApplicationInstanceMarkedAbsent, map[string]any{"absent_at": cs.now})
	cs.renameSAPSystem(s)
}

func (cs *Changeset) databaseInstanceAbsent(db *Database, i *DatabaseInstance) {
	i.AbsentSince = &cs.now
	cs.databaseInstanceEvent(db, i, activity.TypeDatabaseInstanceMarkedAbsent, map[string]any{"absent_at": cs.now})
	cs.renameDatabase(db)
}

// replaced reports whether a database is not on a host any more, whatever its
// instances there say: each has made way for something else with its number.
func (cs *Changeset) replaced(db *Database, host HostID, all []DatabaseID) (bool, error) {
	for _, instance := range db.Instances {
		if instance.HostID != host {
			continue
		}
		way, err := cs.madeWay(instance, all)
		if err != nil || !way {
			return false, err
		}
	}
	return true, nil
}

// madeWay reports whether the number of a database instance is that of another
// database by now, or of an application, even one whose system is not known
// yet: it would wait for ever if what it has replaced made its database
// ambiguous.
func (cs *Changeset) madeWay(instance DatabaseInstance, all []DatabaseID) (bool, error) {
	k, err := cs.kept(instance.HostID)
	if err == nil && slices.ContainsFunc(k.Elements, func(e StoredElement) bool { return e.Application != nil && e.Number == instance.Number }) {
		return true, nil
	}
	if err != nil && !errors.Is(err, ErrUnknown) || instance.AbsentSince == nil {
		return false, err
	}
	for _, id := range all {
		other, err := cs.database(id)
		if err != nil {
			return false, err
		}
		if i, known := other.place(instance.HostID, instance.Number); known && other.Instances[i].AbsentSince == nil {
			return true, nil
		}
	}
	return false, nil
}

// unsettle makes application instances wait again that do not work on the
// database of their SAP system any more: it has gone, or lost their tenant or
// the address they know it by, or another database is there now. Agents go on
// reporting them, and would be refused or placed elsewhere. Only what may have
// changed is looked at. An instance that its host does not list is left alone.
func (cs *Changeset) unsettle(n news) error {
	for _, id := range slices.Sorted(maps.Keys(n.around)) {
		systems, err := cs.sapSystemsOf(id)
		if err != nil {
			return err
		}
		for _, id := range systems {
			s, err := cs.sapSystem(id)
			if err != nil {
				return err
			}
			for _, instance := range s.Instances {
				if instance.AbsentSince == nil {
					if err := cs.unsettleInstance(s, instance); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// unsettleInstance makes the element behind an instance wait, unless it would
// be placed where it is.
func (cs *Changeset) unsettleInstance(s *SAPSystem, instance ApplicationInstance) error {
	k, err := cs.kept(instance.HostID)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	place := slices.IndexFunc(k.Elements, func(e StoredElement) bool {
		return e.Application != nil && !e.Waiting && e.Number == instance.Number
	})
	if place < 0 {
		return nil
	}
	e := k.Elements[place].Element
	db, found, err := cs.databaseFor(reportedElement{agent: k.Agent, Element: e})
	if err != nil {
		return err
	}
	if found {
		id := SAPSystemIDOn(db.ID, e.Application.Tenant)
		if settled, err := cs.presentIn(id, instance.HostID, instance.Number); err != nil || settled {
			return err
		}
	}
	if k, err = cs.changeKept(instance.HostID); err != nil {
		return err
	}
	k.Elements[place].Waiting = true
	return nil
}

// presentIn reports whether a host lists an instance of an SAP system.
func (cs *Changeset) presentIn(id SAPSystemID, host HostID, number string) (bool, error) {
	s, err := cs.sapSystem(id)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	i, known := s.place(host, number)
	return known && s.Instances[i].AbsentSince == nil, nil
}
