package landscape

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"trento/store/activity"
)

// applyApplicationElement applies the element of an application instance. The
// element does not fit if its database is not known or could be one of several.
func (cs *Changeset) applyApplicationElement(seen reportedElement) (fits bool, err error) {
	db, found, err := cs.databaseFor(seen)
	if err != nil || !found {
		return false, err
	}
	id := SAPSystemIDOn(db.ID, seen.Application.Tenant)
	if err := cs.takeInstanceNumber(seen, string(id)); err != nil {
		return false, err
	}
	s, err := cs.SAPSystems.edit(id)
	if errors.Is(err, ErrUnknown) {
		s, err = cs.addSAPSystem(db.ID, seen.Application.Tenant), nil
	}
	if err != nil {
		return false, err
	}
	if err := cs.applyApplicationInstance(s, seen); err != nil {
		return false, err
	}
	switch {
	case s.Registered():
		cs.evaluateENSA(s)
		s.updateSID(cs)
	case !s.isComplete(): // an incomplete system is not shown
		return true, nil
	case s.SID == "":
		cs.registerSAPSystem(s, db, seen.Status.Health())
	default:
		s.Health = seen.Status.Health()
		return true, cs.restoreSAPSystem(s, db)
	}
	if err := s.evaluateStale(cs); err != nil {
		return false, err
	}
	cs.evaluateSAPSystemHealth(s)
	return true, nil
}

// addSAPSystem adds a system that is not complete yet.
func (cs *Changeset) addSAPSystem(db DatabaseID, tenant string) *SAPSystem {
	s := &SAPSystem{
		ID: SAPSystemIDOn(db, tenant), DatabaseID: db, Tenant: tenant, ENSA: NoENSA,
		Health: HealthUnknown, DatabaseHealth: HealthUnknown, Instances: []ApplicationInstance{},
	}
	cs.SAPSystems.Changed[s.ID] = s
	return s
}

// aboutSystem returns the fields that all events about the system have in common.
func (s *SAPSystem) aboutSystem() activity.AboutSAPSystem {
	return activity.AboutSAPSystem{SAPSystemID: string(s.ID)}
}

// aboutInstance returns the fields that all events about an instance of the
// system have in common.
func (s *SAPSystem) aboutInstance(i *Instance) activity.AboutApplicationInstance {
	return activity.AboutApplicationInstance{
		AboutSAPSystem: s.aboutSystem(), AboutHost: activity.AboutHost{HostID: string(i.HostID)}, InstanceNumber: i.Number,
	}
}

func (s *SAPSystem) instanceEvent(i *Instance, state instanceState, at time.Time) activity.Event {
	about := s.aboutInstance(i)
	switch state {
	case instanceTurnedAbsent:
		return &activity.ApplicationInstanceMarkedAbsent{AboutApplicationInstance: about, AbsentAt: at}
	case instanceTurnedPresent:
		return &activity.ApplicationInstanceMarkedPresent{AboutApplicationInstance: about}
	case instanceTurnedStale:
		return &activity.ApplicationInstanceDataMarkedStale{AboutApplicationInstance: about, StaleAt: at}
	}
	return &activity.ApplicationInstanceDataMarkedInSync{AboutApplicationInstance: about}
}

// databaseFor returns the database on which an application instance works: a
// database with the reported tenant on a registered host with the reported
// address. If there are several, it is the one whose SAP system already has the
// instance, preferably where the instance is not absent.
func (cs *Changeset) databaseFor(seen reportedElement) (db *Database, found bool, err error) {
	candidates, err := cs.databasesAt(seen.Application.DBHost, seen.Application.Tenant)
	if err != nil {
		return nil, false, err
	}
	if len(candidates) == 1 {
		return candidates[0], true, nil
	}
	for _, candidate := range candidates {
		s, err := cs.SAPSystems.get(SAPSystemIDOn(candidate.ID, seen.Application.Tenant))
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		i := findInstance(s, seen.agent, seen.Number)
		if i != nil && i.SID == seen.SID && (db == nil || i.AbsentSince == nil) {
			db = candidate
		}
	}
	return db, db != nil, nil
}

// databasesAt returns the registered databases with a tenant that have an
// instance on a registered host with an address. Databases on stale hosts are
// returned only if there are no others, because another host may have taken the
// address of a stale host. A database does not count on a host where another
// one has replaced it.
func (cs *Changeset) databasesAt(address, tenant string) ([]*Database, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil, nil // without an address there is no database
	}
	hosts, err := cs.hostsWith(ip)
	if err != nil {
		return nil, err
	}
	for _, silent := range []bool{false, true} {
		found, err := cs.databasesOnHosts(hosts, silent, tenant)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, nil
}

// databasesOnHosts returns the registered databases with a tenant on the stale
// hosts among some hosts, or on the others if silent is false.
func (cs *Changeset) databasesOnHosts(hosts []HostID, silent bool, tenant string) ([]*Database, error) {
	var found []*Database
	for _, id := range hosts {
		host, err := cs.Hosts.get(id)
		if err != nil {
			return nil, err
		}
		if silent != (host.StaleSince != nil) {
			continue
		}
		ids, err := cs.databasesOn(id)
		if err != nil {
			return nil, err
		}
		for _, database := range ids {
			db, err := cs.Databases.get(database)
			if err != nil {
				return nil, err
			}
			if !db.Registered() || !slices.Contains(db.Tenants, tenant) || slices.Contains(found, db) {
				continue
			}
			if replaced, err := cs.isReplaced(db, id, ids); err != nil {
				return nil, err
			} else if !replaced {
				found = append(found, db)
			}
		}
	}
	return found, nil
}

// applyApplicationInstance copies the data of an element to the instance of its
// SAP system: a known instance, an instance that has moved to this host, or a
// new one.
func (cs *Changeset) applyApplicationInstance(s *SAPSystem, seen reportedElement) error {
	instance, known, err := cs.findOrInsertInstance(s, seen)
	if err != nil {
		return err
	}
	old := instance.Status
	if known && seen.shared {
		seen.SID, seen.InstanceFacts = instance.SID, seen.mergeSharedFacts(instance.InstanceFacts)
	}
	instance.SID, instance.InstanceFacts = seen.SID, seen.InstanceFacts.withFeaturesFrom(instance.InstanceFacts)
	instance.DBHost = seen.Application.DBHost
	if seen.Application.ENSA != NoENSA {
		instance.ENSA = seen.Application.ENSA
	}
	if !known {
		about := s.aboutInstance(&instance.Instance)
		about.SID = instance.SID
		cs.addEvent(&activity.ApplicationInstanceRegistered{AboutApplicationInstance: about, InstanceFacts: instance.InstanceFacts.forLog()})
		if err := cs.evaluateSaptune(seen.agent, true); err != nil {
			return err
		}
	}
	cs.markPresent(s, &instance.Instance)
	since, err := cs.staleSinceAfter(seen, instance.StaleSince)
	if err != nil {
		return err
	}
	cs.markStale(s, &instance.Instance, since)
	if known && instance.Status != old {
		cs.addEvent(&activity.ApplicationInstanceStatusChanged{
			AboutApplicationInstance: s.aboutInstance(&instance.Instance), Status: string(instance.Status), Change: changeFrom(old, ""),
		})
	}
	return nil
}

// findOrInsertInstance returns the instance of an element, and whether it
// was known before. It inserts a new instance.
func (cs *Changeset) findOrInsertInstance(s *SAPSystem, seen reportedElement) (placed *ApplicationInstance, known bool, err error) {
	i, known := indexOf(s.Instances, seen.agent, seen.Number)
	if known {
		return &s.Instances[i], true, nil
	}
	instance := ApplicationInstance{ENSA: NoENSA, Instance: Instance{
		HostID: seen.agent, Number: seen.Number, InstanceTimes: InstanceTimes{RegisteredAt: cs.now},
	}}
	clustered, err := cs.isClustered(seen)
	if err != nil {
		return nil, false, err
	}
	if from := s.findMovable(seen.Number, seen.Features); clustered && from != nil {
		instance, known = *from, true
		instance.HostID = seen.agent
		if err := cs.moveInstance(s, from.HostID, &instance.Instance); err != nil {
			return nil, false, err
		}
		i, _ = indexOf(s.Instances, seen.agent, seen.Number)
	}
	s.Instances = slices.Insert(s.Instances, i, instance)
	return &s.Instances[i], known, nil
}

// isClustered reports whether a cluster runs the instance and mounts its file
// systems, so that the instance can move to another host.
func (cs *Changeset) isClustered(seen reportedElement) (bool, error) {
	c, err := cs.clusterOf(seen.agent)
	if err != nil || c == nil {
		return false, err
	}
	return c.mountsFilesystemsOf(seen.SID, seen.Number), nil
}

// findMovable returns the instance that may have moved to another host;
// preferably one that its host no longer lists. It returns nil if there is
// none.
func (s *SAPSystem) findMovable(number, features string) *ApplicationInstance {
	var found *ApplicationInstance
	for i := range s.Instances { // ordered by host
		candidate := &s.Instances[i]
		if candidate.Number != number || candidate.Features != features {
			continue
		}
		if found == nil || found.AbsentSince == nil && candidate.AbsentSince != nil {
			found = candidate
		}
	}
	return found
}

// moveInstance removes an instance from its former host. The next report of
// that host is applied in full.
func (cs *Changeset) moveInstance(s *SAPSystem, from HostID, moved *Instance) error {
	i, _ := indexOf(s.Instances, from, moved.Number)
	s.Instances = slices.Delete(s.Instances, i, i+1)
	cs.addEvent(&activity.ApplicationInstanceMoved{
		AboutSAPSystem: s.aboutSystem(), InstanceNumber: moved.Number, OldHostID: string(from), NewHostID: string(moved.HostID),
	})
	return cs.invalidateSAPReport(from)
}

// registerSAPSystem registers a system that has become complete. Until it is
// evaluated, its health is that of the instance that completed it.
func (cs *Changeset) registerSAPSystem(s *SAPSystem, db *Database, health Health) {
	s.RegisteredAt, s.Health = cs.now, health
	s.updateFrom(db)
	if s.DatabaseStaleSince != nil { // the event tells it; evaluateStale tells of stale instances
		s.StaleSince = earlierOf(s.DatabaseStaleSince, firstStaleSince(s))
	}
	s.ENSA = s.newestENSA()
	about := s.aboutSystem()
	about.SID = s.SID
	cs.addEvent(&activity.SAPSystemRegistered{
		AboutSAPSystem: about, Tenant: s.Tenant, DBHost: s.DBHost, DatabaseID: string(s.DatabaseID), Health: string(s.Health),
		DatabaseHealth: string(s.DatabaseHealth), DatabaseStaleAt: s.DatabaseStaleSince, ENSAVersion: string(s.ENSA),
	})
}

// updateFrom takes the SID and the database address of the system from its
// message server, and the health and staleness from its database. The SID does
// not depend on which instance reported last.
func (s *SAPSystem) updateFrom(db *Database) {
	i := s.messageServerIndex()
	s.SID, s.DBHost = s.Instances[i].SID, s.Instances[i].DBHost
	s.DatabaseHealth, s.DatabaseStaleSince = db.Health, db.StaleSince
}

// updateSID gives a system the SID of its message server. A system without a
// message server keeps its SID.
func (s *SAPSystem) updateSID(cs *Changeset) {
	i := s.messageServerIndex()
	if !s.Registered() || i < 0 || s.Instances[i].SID == s.SID {
		return
	}
	about := s.aboutSystem()
	about.SID = s.Instances[i].SID
	cs.addEvent(&activity.SAPSystemUpdated{AboutSAPSystem: about, PreviousSID: s.SID})
	s.SID = about.SID
}

// restoreSAPSystem registers a known system again.
func (cs *Changeset) restoreSAPSystem(s *SAPSystem, db *Database) error {
	s.DeregisteredAt = nil
	s.updateFrom(db)
	cs.addEvent(&activity.SAPSystemRestored{
		AboutSAPSystem: s.aboutSystem(), Tenant: s.Tenant, DBHost: s.DBHost, Health: string(s.Health),
		DatabaseHealth: string(s.DatabaseHealth), DatabaseStaleAt: s.DatabaseStaleSince,
	})
	cs.evaluateENSA(s)
	if err := s.evaluateStale(cs); err != nil {
		return err
	}
	cs.evaluateSAPSystemHealth(s)
	return cs.evaluateSaptuneOn(hostsOf(s), alwaysTrue)
}

// restoreSAPSystemsOf restores the deregistered systems on a database that are
// complete and whose tenant still exists.
func (cs *Changeset) restoreSAPSystemsOf(db *Database) error {
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.SID == "" || s.DeregisteredAt == nil || !s.isComplete() || !slices.Contains(db.Tenants, s.Tenant) {
			return nil
		}
		return cs.restoreSAPSystem(s, db)
	})
}

// deregisterSAPSystem removes a system from the landscape. Its instances stay.
func (cs *Changeset) deregisterSAPSystem(s *SAPSystem) error {
	s.DeregisteredAt = &cs.now
	cs.addEvent(&activity.SAPSystemDeregistered{AboutSAPSystem: s.aboutSystem(), DeregisteredAt: cs.now})
	return cs.evaluateSaptuneOn(hostsOf(s), func(host HostID) (bool, error) { return cs.runsOtherSystem(s.key(), host) })
}

// emitLostSystems emits an event for each present instance whose SAP system was
// deregistered. The event says what the instance waits for. Instances that now
// belong to another system cause no event.
func (cs *Changeset) emitLostSystems() error {
	for _, id := range slices.Sorted(maps.Keys(cs.SAPSystems.Changed)) {
		before, err := cs.state.SAPSystem(id)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		s := cs.SAPSystems.Changed[id]
		if !before.Registered() || s.Registered() {
			continue
		}
		for _, i := range s.instances() {
			if i.AbsentSince != nil {
				continue
			}
			waitsFor, err := cs.waitReason(s, i)
			if err != nil {
				return err
			}
			if waitsFor != "" {
				cs.addEvent(&activity.ApplicationInstanceSystemLost{AboutApplicationInstance: s.aboutInstance(i), WaitsFor: waitsFor})
			}
		}
	}
	return nil
}

// waitReason returns what an instance of an unregistered SAP system waits for:
// activity.WaitsForDatabase or activity.WaitsForSystem. It returns "" if the
// instance belongs to another system now.
func (cs *Changeset) waitReason(s *SAPSystem, i *Instance) (string, error) {
	last, err := cs.LastSAPReports.get(i.HostID)
	if err != nil {
		return "", err
	}
	for _, e := range last.Elements {
		if e.Application == nil || e.Number != i.Number {
			continue
		}
		db, found, err := cs.databaseFor(reportedElement{agent: last.Agent, Element: e.Element})
		switch {
		case err != nil:
			return "", err
		case found && SAPSystemIDOn(db.ID, e.Application.Tenant) == s.ID:
			return activity.WaitsForSystem, nil
		case found:
			return "", nil
		}
	}
	return activity.WaitsForDatabase, nil
}

// evaluateENSA updates the generation of the enqueue service from the instances
// of a system.
func (cs *Changeset) evaluateENSA(s *SAPSystem) {
	if version := s.newestENSA(); version != s.ENSA {
		s.ENSA = version
		cs.addEvent(&activity.SAPSystemUpdated{AboutSAPSystem: s.aboutSystem(), ENSAVersion: string(version)})
	}
}

// newestENSA returns the newest generation among the instances. If none of them
// has one, it returns the present generation of the system.
func (s *SAPSystem) newestENSA() ENSAVersion {
	versions := []ENSAVersion{} // "ensa1" < "ensa2"
	for i := range s.Instances {
		if s.Instances[i].ENSA != NoENSA {
			versions = append(versions, s.Instances[i].ENSA)
		}
	}
	if len(versions) == 0 {
		return s.ENSA
	}
	return slices.Max(versions)
}

// evaluateSAPSystemHealth evaluates the health of a system from its instances
// and its database.
func (cs *Changeset) evaluateSAPSystemHealth(s *SAPSystem) {
	old, health := s.Health, Worst(append(instanceHealths(s), s.DatabaseHealth)...)
	if health == old {
		return
	}
	s.Health = health
	db, err := cs.Databases.get(s.DatabaseID)
	if err != nil {
		db = nil // the reasons then do not say what is wrong with the database
	}
	cs.addEvent(&activity.SAPSystemHealthChanged{AboutSAPSystem: s.aboutSystem(), Health: string(health), Change: changeFrom(old, s.Reasons(db).Text())})
}

// evaluateStale evaluates the staleness of a registered system from its
// instances and its database.
func (s *SAPSystem) evaluateStale(cs *Changeset) error {
	since := earlierOf(s.DatabaseStaleSince, firstStaleSince(s))
	switch {
	case !s.Registered():
		return nil
	case s.StaleSince != nil && since == nil:
		cs.addEvent(&activity.SAPSystemDataMarkedInSync{AboutSAPSystem: s.aboutSystem()})
	case s.StaleSince == nil && since != nil:
		cs.addEvent(&activity.SAPSystemDataMarkedStale{AboutSAPSystem: s.aboutSystem(), StaleAt: *since})
	default:
		return nil
	}
	s.StaleSince = since
	return nil
}

func (s *SAPSystem) removeInstance(cs *Changeset, host HostID, number string) error {
	i, known := indexOf(s.Instances, host, number)
	if !known {
		return fmt.Errorf("SAP system %s: instance %s on host %s: %w", s.ID, number, host, ErrUnknown)
	}
	removed := s.Instances[i].Instance
	s.Instances = slices.Delete(s.Instances, i, i+1)
	cs.addEvent(&activity.ApplicationInstanceDeregistered{AboutApplicationInstance: s.aboutInstance(&removed), DeregisteredAt: cs.now})
	if err := cs.evaluateSaptuneOn([]HostID{host}, cs.runsSAP); err != nil {
		return err
	}
	if !s.Registered() {
		return nil
	}
	if err := s.evaluateStale(cs); err != nil {
		return err
	}
	if !s.isComplete() {
		return cs.deregisterSAPSystem(s)
	}
	cs.evaluateENSA(s)
	s.updateSID(cs)
	cs.evaluateSAPSystemHealth(s)
	return nil
}
