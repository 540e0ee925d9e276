package landscape

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"trento/store/activity"
)

// applyDatabaseElement applies the element of a database instance. The element
// does not fit if it may be a secondary and its database is not registered:
// only a primary, or an instance without replication, registers its database.
func (cs *Changeset) applyDatabaseElement(seen reportedElement) (fits bool, err error) {
	e := seen.Database
	db, err := cs.Databases.edit(e.ID)
	unknown := errors.Is(err, ErrUnknown)
	if err != nil && !unknown {
		return false, err
	}
	if e.mayBeSecondary() && (unknown || !db.Registered()) {
		return false, nil
	}
	if err := cs.takeInstanceNumber(seen, string(e.ID)); err != nil {
		return false, err
	}
	if unknown {
		return true, cs.registerDatabase(seen)
	}
	if err := cs.applyDatabaseInstance(db, seen); err != nil {
		return false, err
	}
	restored := !db.Registered()
	if restored {
		if err := cs.restoreDatabase(db, seen.Status.Health()); err != nil {
			return false, err
		}
	}
	if err := cs.evaluateDatabase(db); err != nil {
		return false, err
	}
	// An element that had to wait for something else may be older than the
	// reports of other instances. Its tenants are ignored, because they could
	// deregister SAP systems.
	if !seen.retried {
		if err := cs.changeTenants(db, e.tenants(db)); err != nil {
			return false, err
		}
	}
	if restored {
		return true, cs.restoreSAPSystemsOf(db)
	}
	return true, nil
}

// aboutDatabase returns the fields that all events about the database have in common.
func (db *Database) aboutDatabase() activity.AboutDatabase {
	return activity.AboutDatabase{DatabaseID: string(db.ID)}
}

// aboutInstance returns the fields that all events about an instance of the
// database have in common.
func (db *Database) aboutInstance(i *Instance) activity.AboutDatabaseInstance {
	return activity.AboutDatabaseInstance{
		AboutDatabase: db.aboutDatabase(), AboutHost: activity.AboutHost{HostID: string(i.HostID)}, InstanceNumber: i.Number,
	}
}

func (db *Database) instanceEvent(i *Instance, state instanceState, at time.Time) activity.Event {
	about := db.aboutInstance(i)
	switch state {
	case instanceTurnedAbsent:
		return &activity.DatabaseInstanceMarkedAbsent{AboutDatabaseInstance: about, AbsentAt: at}
	case instanceTurnedPresent:
		return &activity.DatabaseInstanceMarkedPresent{AboutDatabaseInstance: about}
	case instanceTurnedStale:
		return &activity.DatabaseInstanceDataMarkedStale{AboutDatabaseInstance: about, StaleAt: at}
	}
	return &activity.DatabaseInstanceDataMarkedInSync{AboutDatabaseInstance: about}
}

func (cs *Changeset) registerDatabase(seen reportedElement) error {
	db := &Database{
		ID: seen.Database.ID, SID: seen.SID, Health: seen.Status.Health(),
		Tenants: []string{}, Instances: []DatabaseInstance{}, RegisteredAt: cs.now,
	}
	cs.Databases.Changed[db.ID] = db
	about := db.aboutDatabase()
	about.SID = db.SID
	cs.addEvent(&activity.DatabaseRegistered{AboutDatabase: about, Health: string(db.Health)})
	if err := cs.applyDatabaseInstance(db, seen); err != nil {
		return err
	}
	return cs.changeTenants(db, seen.Database.Tenants)
}

// restoreDatabase registers a known database again. The caller restores its SAP
// systems.
func (cs *Changeset) restoreDatabase(db *Database, health Health) error {
	db.DeregisteredAt, db.Health = nil, health
	cs.addEvent(&activity.DatabaseRestored{AboutDatabase: db.aboutDatabase(), Health: string(db.Health)})
	return cs.evaluateSaptuneOn(hostsOf(db), alwaysTrue)
}

// applyDatabaseInstance copies the data of an element to the instance of its
// database, and adds the instance if it is new.
func (cs *Changeset) applyDatabaseInstance(db *Database, seen reportedElement) error {
	i, known := indexOf(db.Instances, seen.agent, seen.Number)
	if !known {
		db.Instances = slices.Insert(db.Instances, i, DatabaseInstance{Instance: Instance{
			HostID: seen.agent, Number: seen.Number, InstanceTimes: InstanceTimes{RegisteredAt: cs.now},
		}})
	}
	before := slices.Clone(db.Instances)
	instance := &db.Instances[i]
	if known && seen.shared {
		seen = seen.mergeSharedDatabase(instance)
	}
	instance.SID, instance.InstanceFacts = seen.SID, seen.InstanceFacts.withFeaturesFrom(instance.InstanceFacts)
	if seen.Database.ReplicationUnread {
		instance.ReplicationStatus = seen.Database.ReplicationStatus
	} else {
		instance.Replication, instance.ActivePrimarySite = seen.Database.Replication, seen.Database.ActivePrimarySite
		instance.TierDerived = instance.isSecondary() && instance.Tier == nil
	}
	if known && !instance.hasSameReplicationState(&before[i].Replication) {
		instance.ReplicationChangedAt = &cs.now
	}
	db.deriveTiers()

	if known {
		cs.emitReplication(db, &before[i], instance)
		if old := before[i].Status; instance.Status != old {
			cs.addEvent(&activity.DatabaseInstanceStatusChanged{
				AboutDatabaseInstance: db.aboutInstance(&instance.Instance), Status: string(instance.Status), Change: changeFrom(old, ""),
			})
		}
	} else {
		about := db.aboutInstance(&instance.Instance)
		about.SID = instance.SID
		cs.addEvent(&activity.DatabaseInstanceRegistered{
			AboutDatabaseInstance: about, InstanceFacts: instance.InstanceFacts.forLog(), Replication: activity.Replication(instance.Replication),
		})
		if err := cs.evaluateSaptune(seen.agent, true); err != nil {
			return err
		}
	}
	cs.markPresent(db, &instance.Instance)
	db.updateSID(cs)
	since, err := cs.staleSinceAfter(seen, instance.StaleSince)
	if err != nil {
		return err
	}
	cs.markStale(db, &instance.Instance, since)
	for j := range db.Instances {
		if j != i {
			cs.emitReplication(db, &before[j], &db.Instances[j])
		}
	}
	return nil
}

// updateSID gives a database the SID of its instances. The SID of a database
// changes when it is renamed in HANA.
func (db *Database) updateSID(cs *Changeset) {
	sid, known := db.currentSID()
	if !known || sid == db.SID {
		return
	}
	about := db.aboutDatabase()
	about.SID = sid
	cs.addEvent(&activity.DatabaseUpdated{AboutDatabase: about, PreviousSID: db.SID})
	db.SID = sid
}

// emitReplication emits an event if the replication of an instance has changed.
func (cs *Changeset) emitReplication(db *Database, before, after *DatabaseInstance) {
	if !isEqual(&before.Replication, &after.Replication) {
		cs.addEvent(&activity.DatabaseInstanceSystemReplicationChanged{
			AboutDatabaseInstance: db.aboutInstance(&after.Instance), Replication: activity.Replication(after.Replication), OldRole: before.Role,
		})
	}
}

// evaluateDatabase evaluates the staleness and the health of a database from
// its instances.
func (cs *Changeset) evaluateDatabase(db *Database) error {
	if err := db.evaluateStale(cs); err != nil {
		return err
	}
	if !db.Registered() {
		return nil
	}
	old, health := db.Health, Worst(instanceHealths(db)...)
	if health == old {
		return nil
	}
	db.Health = health
	cs.addEvent(&activity.DatabaseHealthChanged{AboutDatabase: db.aboutDatabase(), Health: string(health), Change: changeFrom(old, db.Reasons().Text())})
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if old := s.DatabaseHealth; s.Registered() && old != health {
			s.DatabaseHealth = health
			cs.addEvent(&activity.SAPSystemDatabaseHealthChanged{AboutSAPSystem: s.aboutSystem(), Health: string(health), Change: changeFrom(old, "")})
			cs.evaluateSAPSystemHealth(s)
		}
		return nil
	})
}

// evaluateStale also evaluates the SAP systems on the database.
func (db *Database) evaluateStale(cs *Changeset) error {
	since := firstStaleSince(db)
	switch {
	case db.StaleSince != nil && since == nil:
		cs.addEvent(&activity.DatabaseDataMarkedInSync{AboutDatabase: db.aboutDatabase()})
	case db.StaleSince == nil && since != nil:
		cs.addEvent(&activity.DatabaseDataMarkedStale{AboutDatabase: db.aboutDatabase(), StaleAt: *since})
	default:
		return nil
	}
	db.StaleSince = since
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if !s.Registered() {
			return nil
		}
		s.DatabaseStaleSince = since
		return s.evaluateStale(cs)
	})
}

func tenantsForLog(names []string) []activity.Tenant {
	tenants := make([]activity.Tenant, len(names))
	for i, name := range names {
		tenants[i].Name = name
	}
	return tenants
}

// tenants returns the tenants of a database after a report of one of its
// instances. If some could not be read, the known ones stay.
func (e *DatabaseElement) tenants(db *Database) []string {
	if !e.TenantsUnread {
		return e.Tenants
	}
	all := slices.Concat(db.Tenants, e.Tenants)
	slices.Sort(all)
	return slices.Compact(all)
}

// changeTenants replaces the tenants of a database. It deregisters the SAP
// systems whose tenant no longer exists.
func (cs *Changeset) changeTenants(db *Database, tenants []string) error {
	if slices.Equal(db.Tenants, tenants) {
		return nil
	}
	previous := db.Tenants
	db.Tenants = tenants
	cs.addEvent(&activity.DatabaseTenantsUpdated{
		AboutDatabase: db.aboutDatabase(), Tenants: tenantsForLog(tenants), PreviousTenants: tenantsForLog(previous),
	})
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if !s.Registered() || slices.Contains(tenants, s.Tenant) || !slices.Contains(previous, s.Tenant) {
			return nil
		}
		return cs.deregisterSAPSystem(s)
	})
}

// deregisterDatabase removes a database and the SAP systems on it from the
// landscape. Their records and instances stay, because they may be restored.
func (cs *Changeset) deregisterDatabase(db *Database) error {
	db.DeregisteredAt = &cs.now
	cs.addEvent(&activity.DatabaseDeregistered{AboutDatabase: db.aboutDatabase(), DeregisteredAt: cs.now})
	err := cs.evaluateSaptuneOn(hostsOf(db), func(host HostID) (bool, error) { return cs.runsOtherSystem(db.key(), host) })
	if err != nil {
		return err
	}
	err = cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if !s.Registered() {
			return nil
		}
		return cs.deregisterSAPSystem(s)
	})
	if err != nil {
		return err
	}
	return cs.makeSecondariesWait(db)
}

// isOrphaned reports whether the remaining instances cannot be a database:
// there are none, or only secondaries.
func (db *Database) isOrphaned() bool {
	primary := slices.ContainsFunc(db.Instances, func(i DatabaseInstance) bool { return i.isPrimary() })
	secondary := slices.ContainsFunc(db.Instances, func(i DatabaseInstance) bool { return i.isSecondary() })
	return len(db.Instances) == 0 || secondary && !primary
}

func (db *Database) removeInstance(cs *Changeset, host HostID, number string) error {
	i, known := indexOf(db.Instances, host, number)
	if !known {
		return fmt.Errorf("database %s: instance %s on host %s: %w", db.ID, number, host, ErrUnknown)
	}
	removed := db.Instances[i].Instance
	db.Instances = slices.Delete(db.Instances, i, i+1)
	before := slices.Clone(db.Instances)
	cs.addEvent(&activity.DatabaseInstanceDeregistered{AboutDatabaseInstance: db.aboutInstance(&removed), DeregisteredAt: cs.now})
	if err := cs.evaluateSaptuneOn([]HostID{host}, cs.runsSAP); err != nil {
		return err
	}
	db.deriveTiers()
	for j := range db.Instances {
		cs.emitReplication(db, &before[j], &db.Instances[j])
	}
	db.updateSID(cs)
	if !db.Registered() || !db.isOrphaned() {
		return cs.evaluateDatabase(db)
	}
	if err := db.evaluateStale(cs); err != nil {
		return err
	}
	return cs.deregisterDatabase(db)
}

// eachSAPSystemOf calls do with each SAP system on a database, registered or
// not, in the order of their ids. do may modify the SAP system.
func (cs *Changeset) eachSAPSystemOf(db *Database, do func(*SAPSystem) error) error {
	ids, err := cs.sapSystemsOf(db.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := cs.SAPSystems.edit(id)
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}
