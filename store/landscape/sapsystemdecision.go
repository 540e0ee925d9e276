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

// changeSAPSystem begins a change of an SAP system: the copy may be changed
// until the changeset is finished.
func (cs *Changeset) changeSAPSystem(id SAPSystemID) (*SAPSystem, error) {
	if s, ok := cs.SAPSystems[id]; ok {
		return s, nil
	}
	before, err := cs.state.SAPSystem(id)
	if err != nil {
		return nil, fmt.Errorf("SAP system %s: %w", id, err)
	}
	after := *before
	after.Instances = slices.Clone(before.Instances)
	cs.SAPSystems[id] = &after
	return &after, nil
}

// judgeApplicationInstance applies what an application instance says. It does
// not fit where its database is not known, or is one of several.
func (cs *Changeset) judgeApplicationInstance(seen reportedElement) (fits bool, err error) {
	db, found, err := cs.databaseFor(seen)
	if err != nil || !found {
		return false, err
	}
	id := SAPSystemIDOn(db.ID, seen.Application.Tenant)
	if err := cs.takeOver(seen, owner{sapSystem: id}); err != nil {
		return false, err
	}
	s, err := cs.changeSAPSystem(id)
	if errors.Is(err, ErrUnknown) {
		s, err = cs.incompleteSAPSystem(db.ID, seen.Application.Tenant), nil
	}
	if err != nil {
		return false, err
	}
	if err := cs.seeApplicationInstance(s, seen); err != nil {
		return false, err
	}
	switch {
	case s.Registered():
		cs.judgeENSA(s)
		cs.renameSAPSystem(s)
	case !s.complete(): // is not shown
		return true, nil
	case s.SID == "":
		cs.registerSAPSystem(s, db, seen.Status.Health())
	default:
		s.Health = seen.Status.Health()
		return true, cs.restoreSAPSystem(s, db)
	}
	cs.judgeSAPSystemStale(s)
	cs.judgeSAPSystemHealth(s)
	return true, nil
}

func (cs *Changeset) incompleteSAPSystem(db DatabaseID, tenant string) *SAPSystem {
	s := &SAPSystem{
		ID: SAPSystemIDOn(db, tenant), DatabaseID: db, Tenant: tenant, ENSA: NoENSA,
		Health: HealthUnknown, DatabaseHealth: HealthUnknown, Instances: []ApplicationInstance{},
	}
	cs.SAPSystems[s.ID] = s
	return s
}

// databaseFor is the database that an application instance works on: the one
// on a registered host with the address that the instance knows, and with its
// tenant. Of several it is the one whose SAP system already has the instance,
// preferably where it is not absent.
func (cs *Changeset) databaseFor(seen reportedElement) (db *Database, found bool, err error) {
	candidates, err := cs.databasesAt(seen.Application.DBHost, seen.Application.Tenant)
	if err != nil {
		return nil, false, err
	}
	if len(candidates) == 1 {
		return candidates[0], true, nil
	}
	for _, candidate := range candidates {
		s, err := cs.sapSystem(SAPSystemIDOn(candidate.ID, seen.Application.Tenant))
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		i, known := s.place(seen.agent, seen.Number)
		if !known || s.Instances[i].SID != seen.SID {
			continue
		}
		if db == nil || s.Instances[i].AbsentSince == nil {
			db = candidate
		}
	}
	return db, db != nil, nil
}

// databasesAt lists the registered databases with a tenant that have an
// instance on a registered host with an address. An address that a silent host
// had when it was last heard is that of a host that is heard with it by now. A
// database that was replaced on a host by another one is not there.
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

// databasesOnHosts lists the registered databases with a tenant on those of
// some hosts that are silent, or on those that are not.
func (cs *Changeset) databasesOnHosts(hosts []HostID, silent bool, tenant string) ([]*Database, error) {
	var found []*Database
	for _, id := range hosts {
		host, err := cs.host(id)
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
			db, err := cs.database(database)
			if err != nil {
				return nil, err
			}
			if !db.Registered() || !slices.Contains(db.Tenants, tenant) || slices.Contains(found, db) {
				continue
			}
			if replaced, err := cs.replaced(db, id, ids); err != nil {
				return nil, err
			} else if !replaced {
				found = append(found, db)
			}
		}
	}
	return found, nil
}

// hostsWith lists the registered hosts that report an address.
func (cs *Changeset) hostsWith(address netip.Addr) ([]HostID, error) {
	stored, err := cs.state.HostsWith(address)
	if err != nil {
		return nil, err
	}
	return related(stored, cs.Hosts, cs.host, func(h *Host) bool {
		return h.Registered() && slices.ContainsFunc(h.Addresses, func(a Address) bool { return a.IP == address })
	})
}

// seeApplicationInstance takes an instance over into its SAP system: the one
// that is known, the same one after it has moved here, or a new one.
func (cs *Changeset) seeApplicationInstance(s *SAPSystem, seen reportedElement) error {
	instance, known, err := cs.findApplicationInstance(s, seen)
	if err != nil {
		return err
	}
	before := instance.Status
	if known && seen.shared {
		seen.SID, seen.InstanceFacts = instance.SID, seen.beside(instance.InstanceFacts)
	}
	instance.SID, instance.InstanceFacts = seen.SID, seen.InstanceFacts.over(instance.InstanceFacts)
	instance.DBHost = seen.Application.DBHost
	if seen.Application.ENSA != NoENSA {
		instance.ENSA = seen.Application.ENSA
	}
	if !known {
		metadata := instance.InstanceFacts.details()
		metadata["sid"] = instance.SID
		cs.applicationInstanceEvent(s, instance, activity.TypeApplicationInstanceRegistered, metadata)
		if err := cs.judgeSaptune(seen.agent, true); err != nil {
			return err
		}
	}
	if instance.AbsentSince != nil {
		instance.AbsentSince = nil
		cs.applicationInstanceEvent(s, instance, activity.TypeApplicationInstanceMarkedPresent, nil)
	}
	since, err := cs.staleAfter(seen, instance.StaleSince)
	if err != nil {
		return err
	}
	cs.applicationInstanceStale(s, instance, since)
	if known && instance.Status != before {
		cs.applicationInstanceEvent(s, instance, activity.TypeApplicationInstanceStatusChanged, changeOf("status", before, instance.Status, ""))
	}
	return nil
}

// findApplicationInstance is the place for an instance in its SAP system, and
// whether it was there before.
func (cs *Changeset) findApplicationInstance(s *SAPSystem, seen reportedElement) (place *ApplicationInstance, known bool, err error) {
	i, known := s.place(seen.agent, seen.Number)
	if known {
		return &s.Instances[i], true, nil
	}
	instance := ApplicationInstance{
		HostID: seen.agent, Number: seen.Number, ENSA: NoENSA, InstanceTimes: InstanceTimes{RegisteredAt: cs.now},
	}
	clustered, err := cs.clustered(seen)
	if err != nil {
		return nil, false, err
	}
	if from := s.movable(seen.Number, seen.Features); clustered && from != nil {
		instance, known = *from, true
		instance.HostID = seen.agent
		if err := cs.moveAway(s, *from, seen.agent); err != nil {
			return nil, false, err
		}
		i, _ = s.place(seen.agent, seen.Number)
	}
	s.Instances = slices.Insert(s.Instances, i, instance)
	return &s.Instances[i], known, nil
}

// clustered reports whether a cluster runs an instance on the host together
// with its file systems, so that it may come and go.
func (cs *Changeset) clustered(seen reportedElement) (bool, error) {
	_, cluster, err := cs.clusterOf(seen.agent)
	if err != nil || cluster == nil {
		return false, err
	}
	return cluster.mounts(seen.SID, seen.Number), nil
}

// movable is the instance that may have moved to another host: preferably one
// that its host does not list any more.
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

// moveAway takes an instance from a host to another one.
func (cs *Changeset) moveAway(s *SAPSystem, instance ApplicationInstance, to HostID) error {
	i, _ := s.place(instance.HostID, instance.Number)
	s.Instances = slices.Delete(s.Instances, i, i+1)
	cs.event(activity.TypeApplicationInstanceMoved, map[string]any{
		"sap_system_id": s.ID, "instance_number": instance.Number, "old_host_id": instance.HostID, "new_host_id": to,
	})
	return cs.forget(instance.HostID)
}

// applicationInstanceStale sets since when the data of an instance are stale.
func (cs *Changeset) applicationInstanceStale(s *SAPSystem, i *ApplicationInstance, since *time.Time) {
	switch {
	case i.StaleSince != nil && since == nil:
		cs.applicationInstanceEvent(s, i, activity.TypeApplicationInstanceDataMarkedInSync, nil)
	case i.StaleSince == nil && since != nil:
		cs.applicationInstanceEvent(s, i, activity.TypeApplicationInstanceDataMarkedStale, map[string]any{"stale_at": *since})
	}
	i.StaleSince = since
}

// registerSAPSystem makes a system that has become complete a part of the
// landscape. Its health is that of the instance that completed it; the rest is
// judged after.
func (cs *Changeset) registerSAPSystem(s *SAPSystem, db *Database, health Health) {
	s.RegisteredAt, s.Health = cs.now, health
	s.adopt(db)
	s.StaleSince = s.staleSince()
	s.ENSA = s.ensa()
	cs.event(activity.TypeSAPSystemRegistered, map[string]any{
		"sap_system_id": s.ID, "sid": s.SID, "tenant": s.Tenant, "db_host": s.DBHost, "database_id": s.DatabaseID,
		"health": s.Health, "database_health": s.DatabaseHealth, "database_stale_at": s.DatabaseStaleSince, "ensa_version": s.ENSA,
	})
}

// adopt takes over what a system is called by, and how its database is. The
// message server says it, not the instance that happened to report last.
func (s *SAPSystem) adopt(db *Database) {
	i := s.messageServer()
	s.SID, s.DBHost = s.Instances[i].SID, s.Instances[i].DBHost
	s.DatabaseHealth, s.DatabaseStaleSince = db.Health, db.StaleSince
}

// renameSAPSystem takes over by what SID the message server of a system goes
// now. A system that has lost its message server for a while keeps its SID.
func (cs *Changeset) renameSAPSystem(s *SAPSystem) {
	i := s.messageServer()
	if !s.Registered() || i < 0 || s.Instances[i].SID == s.SID {
		return
	}
	sid := s.Instances[i].SID
	cs.event(activity.TypeSAPSystemUpdated, map[string]any{"sap_system_id": s.ID, "sid": sid, "previous_sid": s.SID})
	s.SID = sid
}

// restoreSAPSystem brings a system back into the landscape.
func (cs *Changeset) restoreSAPSystem(s *SAPSystem, db *Database) error {
	s.DeregisteredAt = nil
	s.adopt(db)
	cs.event(activity.TypeSAPSystemRestored, map[string]any{
		"sap_system_id": s.ID, "tenant": s.Tenant, "db_host": s.DBHost, "health": s.Health,
		"database_health": s.DatabaseHealth, "database_stale_at": s.DatabaseStaleSince,
	})
	cs.judgeENSA(s)
	cs.judgeSAPSystemStale(s)
	cs.judgeSAPSystemHealth(s)
	return cs.judgeSaptuneOn(s.hosts(), func(HostID) (bool, error) { return true, nil })
}

// restoreSAPSystemsOf brings back what went with a database and can be again.
func (cs *Changeset) restoreSAPSystemsOf(db *Database) error {
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.SID == "" || s.DeregisteredAt == nil || !s.complete() || !slices.Contains(db.Tenants, s.Tenant) {
			return nil
		}
		return cs.restoreSAPSystem(s, db)
	})
}

// endSAPSystem takes a system out of the landscape. Its instances stay.
func (cs *Changeset) endSAPSystem(s *SAPSystem) error {
	s.DeregisteredAt = &cs.now
	cs.event(activity.TypeSAPSystemDeregistered, map[string]any{"sap_system_id": s.ID, "deregistered_at": cs.now})
	return cs.judgeSaptuneOn(s.hosts(), func(host HostID) (bool, error) { return cs.othersOn(host, "", s.ID) })
}

// What an application instance waits for that has lost its system.
const (
	WaitsForDatabase = "database"
	WaitsForSystem   = "system" // the instances that complete it
)

// tellLostSystems tells of the instances that have lost their SAP system: their
// hosts still list them, and they come back with what they wait for. Those
// that find another system at once have lost nothing.
func (cs *Changeset) tellLostSystems() error {
	for _, id := range slices.Sorted(maps.Keys(cs.SAPSystems)) {
		before, err := cs.state.SAPSystem(id)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		s := cs.SAPSystems[id]
		if !before.Registered() || s.Registered() {
			continue
		}
		for i := range s.Instances {
			instance := &s.Instances[i]
			if instance.AbsentSince != nil {
				continue
			}
			waitsFor, err := cs.waitsFor(s, instance)
			if err != nil {
				return err
			}
			if waitsFor != "" {
				cs.applicationInstanceEvent(s, instance, activity.TypeApplicationInstanceSystemLost, map[string]any{"waits_for": waitsFor})
			}
		}
	}
	return nil
}

// waitsFor is what an instance of a SAP system that is not registered waits
// for: WaitsForDatabase or WaitsForSystem. It is empty where the instance is
// one of another system by now.
func (cs *Changeset) waitsFor(s *SAPSystem, instance *ApplicationInstance) (string, error) {
	k, err := cs.kept(instance.HostID)
	if errors.Is(err, ErrUnknown) {
		return WaitsForDatabase, nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range k.Elements {
		if e.Application == nil || e.Number != instance.Number {
			continue
		}
		db, found, err := cs.databaseFor(reportedElement{agent: k.Agent, Element: e.Element})
		switch {
		case err != nil:
			return "", err
		case found && SAPSystemIDOn(db.ID, e.Application.Tenant) == s.ID:
			return WaitsForSystem, nil
		case found:
			return "", nil
		}
	}
	return WaitsForDatabase, nil
}

// judgeENSA draws the generation of the enqueue service from the instances.
func (cs *Changeset) judgeENSA(s *SAPSystem) {
	if version := s.ensa(); version != s.ENSA {
		s.ENSA = version
		cs.event(activity.TypeSAPSystemUpdated, map[string]any{"sap_system_id": s.ID, "ensa_version": version})
	}
}

// ensa is the newest generation among the instances. Where they know none, it
// stays what it was: the instance that knew may be gone for a while only.
func (s *SAPSystem) ensa() ENSAVersion {
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

// judgeSAPSystemHealth draws the health of a system from its instances and its
// database.
func (cs *Changeset) judgeSAPSystemHealth(s *SAPSystem) {
	parts := s.parts()
	if health := worstOf(parts); health != s.Health {
		metadata := changeOf("health", s.Health, health, causeOf(health, parts))
		metadata["sap_system_id"] = s.ID
		s.Health = health
		cs.event(activity.TypeSAPSystemHealthChanged, metadata)
	}
}

// judgeSAPSystemStale makes a system as stale as its instances and its
// database.
func (cs *Changeset) judgeSAPSystemStale(s *SAPSystem) {
	since := s.staleSince()
	switch {
	case s.StaleSince != nil && since == nil:
		cs.event(activity.TypeSAPSystemDataMarkedInSync, map[string]any{"sap_system_id": s.ID})
	case s.StaleSince == nil && since != nil:
		cs.event(activity.TypeSAPSystemDataMarkedStale, map[string]any{"sap_system_id": s.ID, "stale_at": *since})
	default:
		return
	}
	s.StaleSince = since
}

func (s *SAPSystem) staleSince() *time.Time {
	since := s.DatabaseStaleSince
	for i := range s.Instances {
		since = earliest(since, s.Instances[i].StaleSince)
	}
	return since
}

// removeApplicationInstance takes an instance away from its SAP system, and
// the system out of the landscape where it cannot be without it.
func (cs *Changeset) removeApplicationInstance(id SAPSystemID, host HostID, number string) error {
	s, err := cs.changeSAPSystem(id)
	if err != nil {
		return err
	}
	i, known := s.place(host, number)
	if !known {
		return fmt.Errorf("SAP system %s: instance %s on host %s: %w", id, number, host, ErrUnknown)
	}
	gone := s.Instances[i]
	s.Instances = slices.Delete(s.Instances, i, i+1)
	cs.applicationInstanceEvent(s, &gone, activity.TypeApplicationInstanceDeregistered, map[string]any{"deregistered_at": cs.now})
	if err := cs.judgeSaptuneOn([]HostID{host}, cs.sapRunning); err != nil {
		return err
	}
	if !s.Registered() {
		return nil
	}
	cs.judgeSAPSystemStale(s)
	if !s.complete() {
		return cs.endSAPSystem(s)
	}
	cs.judgeENSA(s)
	cs.renameSAPSystem(s)
	cs.judgeSAPSystemHealth(s)
	return nil
}

func (cs *Changeset) applicationInstanceEvent(s *SAPSystem, i *ApplicationInstance, t activity.Type, metadata map[string]any) {
	if metadata == nil {
		metadata = make(map[string]any, 3)
	}
	metadata["sap_system_id"], metadata["host_id"], metadata["instance_number"] = s.ID, i.HostID, i.Number
	cs.event(t, metadata)
}
