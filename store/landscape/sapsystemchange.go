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

// applyApplicationElement applies what an application instance says. It does
// not fit where its database is not known, or could be one of several.
func (cs *Changeset) applyApplicationElement(seen reportedElement) (fits bool, err error) {
	db, found, err := cs.databaseFor(seen)
	if err != nil || !found {
		return false, err
	}
	id := SAPSystemIDOn(db.ID, seen.Application.Tenant)
	if err := cs.takeNumber(seen, string(id)); err != nil {
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
		s.followSID(cs)
	case !s.isComplete(): // is not shown
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

// about returns what events about the system have in common.
func (s *SAPSystem) about() activity.AboutSAPSystem {
	return activity.AboutSAPSystem{SAPSystemID: string(s.ID)}
}

// aboutInstance returns what events about an instance of the system have in
// common.
func (s *SAPSystem) aboutInstance(i *Instance) activity.AboutApplicationInstance {
	return activity.AboutApplicationInstance{
		AboutSAPSystem: s.about(), AboutHost: activity.AboutHost{HostID: string(i.HostID)}, InstanceNumber: i.Number,
	}
}

func (s *SAPSystem) instanceEvent(i *Instance, state instanceState, at time.Time) activity.Event {
	about := s.aboutInstance(i)
	switch state {
	case turnedAbsent:
		return &activity.ApplicationInstanceMarkedAbsent{AboutApplicationInstance: about, AbsentAt: at}
	case turnedPresent:
		return &activity.ApplicationInstanceMarkedPresent{AboutApplicationInstance: about}
	case turnedStale:
		return &activity.ApplicationInstanceDataMarkedStale{AboutApplicationInstance: about, StaleAt: at}
	}
	return &activity.ApplicationInstanceDataMarkedInSync{AboutApplicationInstance: about}
}

// databaseFor returns the database that an application instance works on: the
// one on a registered host with the address that the instance knows, and with
// its tenant. Of several it is the one whose SAP system already has the
// instance, preferably where it is not absent.
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
		i := find(s, seen.agent, seen.Number)
		if i != nil && i.SID == seen.SID && (db == nil || i.AbsentSince == nil) {
			db = candidate
		}
	}
	return db, db != nil, nil
}

// databasesAt returns the registered databases with a tenant that have an
// instance on a registered host with an address. Hosts that are heard come
// first: an address that a silent host had may belong to one of them by now. A
// database that another one has replaced on a host does not count there.
func (cs *Changeset) databasesAt(address, tenant string) ([]*Database, error) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil, nil // no address, no database
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

// databasesOnHosts returns the registered databases with a tenant on those of
// some hosts that are silent, or on those that are not.
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

// applyApplicationInstance takes what an element says over into the instance of
// its SAP system: the known one, the same one after it has moved here, or a new
// one.
func (cs *Changeset) applyApplicationInstance(s *SAPSystem, seen reportedElement) error {
	instance, known, err := cs.placeApplicationInstance(s, seen)
	if err != nil {
		return err
	}
	old := instance.Status
	if known && seen.shared {
		seen.SID, seen.InstanceFacts = instance.SID, seen.keepKnown(instance.InstanceFacts)
	}
	instance.SID, instance.InstanceFacts = seen.SID, seen.InstanceFacts.filledFrom(instance.InstanceFacts)
	instance.DBHost = seen.Application.DBHost
	if seen.Application.ENSA != NoENSA {
		instance.ENSA = seen.Application.ENSA
	}
	if !known {
		about := s.aboutInstance(&instance.Instance)
		about.SID = instance.SID
		cs.emit(&activity.ApplicationInstanceRegistered{AboutApplicationInstance: about, InstanceFacts: instance.InstanceFacts.logged()})
		if err := cs.evaluateSaptune(seen.agent, true); err != nil {
			return err
		}
	}
	cs.markPresent(s, &instance.Instance)
	since, err := cs.staleSince(seen, instance.StaleSince)
	if err != nil {
		return err
	}
	cs.markStale(s, &instance.Instance, since)
	if known && instance.Status != old {
		cs.emit(&activity.ApplicationInstanceStatusChanged{
			AboutApplicationInstance: s.aboutInstance(&instance.Instance), Status: string(instance.Status), Change: changeOf(old, ""),
		})
	}
	return nil
}

// placeApplicationInstance returns the instance that an element is about, and
// whether it was known before. A new one is inserted.
func (cs *Changeset) placeApplicationInstance(s *SAPSystem, seen reportedElement) (placed *ApplicationInstance, known bool, err error) {
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
	if from := s.movable(seen.Number, seen.Features); clustered && from != nil {
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

// isClustered reports whether a cluster runs an instance on its host together
// with its file systems, so that it may move to another host.
func (cs *Changeset) isClustered(seen reportedElement) (bool, error) {
	c, err := cs.clusterOf(seen.agent)
	if err != nil || c == nil {
		return false, err
	}
	return c.mounts(seen.SID, seen.Number), nil
}

// movable returns the instance that may have moved to another host: preferably
// one that its host does not list any more.
func (s *SAPSystem) movable(number, features string) *ApplicationInstance {
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

// moveInstance removes an instance from the host that it has moved away from.
// The next report of that host is applied in full.
func (cs *Changeset) moveInstance(s *SAPSystem, from HostID, moved *Instance) error {
	i, _ := indexOf(s.Instances, from, moved.Number)
	s.Instances = slices.Delete(s.Instances, i, i+1)
	cs.emit(&activity.ApplicationInstanceMoved{
		AboutSAPSystem: s.about(), InstanceNumber: moved.Number, OldHostID: string(from), NewHostID: string(moved.HostID),
	})
	return cs.invalidateSAPReport(from)
}

// registerSAPSystem makes a system that has become complete part of the
// landscape. Its health is that of the instance that completed it, until it is
// evaluated.
func (cs *Changeset) registerSAPSystem(s *SAPSystem, db *Database, health Health) {
	s.RegisteredAt, s.Health = cs.now, health
	s.adopt(db)
	s.StaleSince = earlier(s.DatabaseStaleSince, staleSince(s))
	s.ENSA = s.newestENSA()
	about := s.about()
	about.SID = s.SID
	cs.emit(&activity.SAPSystemRegistered{
		AboutSAPSystem: about, Tenant: s.Tenant, DBHost: s.DBHost, DatabaseID: string(s.DatabaseID), Health: string(s.Health),
		DatabaseHealth: string(s.DatabaseHealth), DatabaseStaleAt: s.DatabaseStaleSince, ENSAVersion: string(s.ENSA),
	})
}

// adopt takes over the name of a system, and the state of its database. The
// message server tells the name, not the instance that happened to report last.
func (s *SAPSystem) adopt(db *Database) {
	i := s.messageServerIndex()
	s.SID, s.DBHost = s.Instances[i].SID, s.Instances[i].DBHost
	s.DatabaseHealth, s.DatabaseStaleSince = db.Health, db.StaleSince
}

// followSID gives a system the SID of its message server. A system that has
// lost its message server for a while keeps its SID.
func (s *SAPSystem) followSID(cs *Changeset) {
	i := s.messageServerIndex()
	if !s.Registered() || i < 0 || s.Instances[i].SID == s.SID {
		return
	}
	about := s.about()
	about.SID = s.Instances[i].SID
	cs.emit(&activity.SAPSystemUpdated{AboutSAPSystem: about, PreviousSID: s.SID})
	s.SID = about.SID
}

// restoreSAPSystem brings a system back into the landscape.
func (cs *Changeset) restoreSAPSystem(s *SAPSystem, db *Database) error {
	s.DeregisteredAt = nil
	s.adopt(db)
	cs.emit(&activity.SAPSystemRestored{
		AboutSAPSystem: s.about(), Tenant: s.Tenant, DBHost: s.DBHost, Health: string(s.Health),
		DatabaseHealth: string(s.DatabaseHealth), DatabaseStaleAt: s.DatabaseStaleSince,
	})
	cs.evaluateENSA(s)
	if err := s.evaluateStale(cs); err != nil {
		return err
	}
	cs.evaluateSAPSystemHealth(s)
	return cs.evaluateSaptuneOn(hostsOf(s), always)
}

// restoreSAPSystemsOf brings back the systems that were deregistered with a
// database, as far as they are complete and still have their tenant.
func (cs *Changeset) restoreSAPSystemsOf(db *Database) error {
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.SID == "" || s.DeregisteredAt == nil || !s.isComplete() || !slices.Contains(db.Tenants, s.Tenant) {
			return nil
		}
		return cs.restoreSAPSystem(s, db)
	})
}

// deregisterSAPSystem takes a system out of the landscape. Its instances stay.
func (cs *Changeset) deregisterSAPSystem(s *SAPSystem) error {
	s.DeregisteredAt = &cs.now
	cs.emit(&activity.SAPSystemDeregistered{AboutSAPSystem: s.about(), DeregisteredAt: cs.now})
	return cs.evaluateSaptuneOn(hostsOf(s), func(host HostID) (bool, error) { return cs.runsOtherThan(s.key(), host) })
}

// emitLostSystems tells of the instances that have lost their SAP system: their
// hosts still list them, and they come back with what they wait for. Those that
// have found another system have lost nothing.
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
			waitsFor, err := cs.waitsFor(s, i)
			if err != nil {
				return err
			}
			if waitsFor != "" {
				cs.emit(&activity.ApplicationInstanceSystemLost{AboutApplicationInstance: s.aboutInstance(i), WaitsFor: waitsFor})
			}
		}
	}
	return nil
}

// waitsFor returns what an instance waits for whose SAP system is not
// registered: activity.WaitsForDatabase or activity.WaitsForSystem. It is empty
// where the instance belongs to another system by now.
func (cs *Changeset) waitsFor(s *SAPSystem, i *Instance) (string, error) {
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

// evaluateENSA takes over the generation of the enqueue service from the
// instances of a system.
func (cs *Changeset) evaluateENSA(s *SAPSystem) {
	if version := s.newestENSA(); version != s.ENSA {
		s.ENSA = version
		cs.emit(&activity.SAPSystemUpdated{AboutSAPSystem: s.about(), ENSAVersion: string(version)})
	}
}

// newestENSA returns the newest generation among the instances. Where they have
// none, it stays: the instance that had one may be absent for a while only.
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

// evaluateSAPSystemHealth evaluates the health of a system, which follows from
// its instances and its database.
func (cs *Changeset) evaluateSAPSystemHealth(s *SAPSystem) {
	parts := s.parts()
	if old, health := s.Health, worstOf(parts); health != old {
		s.Health = health
		cs.emit(&activity.SAPSystemHealthChanged{AboutSAPSystem: s.about(), Health: string(health), Change: changeOf(old, causeOf(health, parts))})
	}
}

// evaluateStale leaves a system alone that is not registered. Its database
// counts like an instance.
func (s *SAPSystem) evaluateStale(cs *Changeset) error {
	since := earlier(s.DatabaseStaleSince, staleSince(s))
	switch {
	case !s.Registered():
		return nil
	case s.StaleSince != nil && since == nil:
		cs.emit(&activity.SAPSystemDataMarkedInSync{AboutSAPSystem: s.about()})
	case s.StaleSince == nil && since != nil:
		cs.emit(&activity.SAPSystemDataMarkedStale{AboutSAPSystem: s.about(), StaleAt: *since})
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
	cs.emit(&activity.ApplicationInstanceDeregistered{AboutApplicationInstance: s.aboutInstance(&removed), DeregisteredAt: cs.now})
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
	s.followSID(cs)
	cs.evaluateSAPSystemHealth(s)
	return nil
}
