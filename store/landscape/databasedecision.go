package landscape

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"trento/store/activity"
)

// changeDatabase begins a change of a database: the copy may be changed until
// the changeset is finished.
func (cs *Changeset) changeDatabase(id DatabaseID) (*Database, error) {
	if db, ok := cs.Databases[id]; ok {
		return db, nil
	}
	before, err := cs.state.Database(id)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", id, err)
	}
	after := *before
	after.Instances = slices.Clone(before.Instances)
	cs.Databases[id] = &after
	return &after, nil
}

// judgeDatabaseInstance applies what a database instance says. It does not fit
// where a secondary speaks of a database that is not part of the landscape:
// only one that does not follow another brings a database up.
func (cs *Changeset) judgeDatabaseInstance(s reportedElement) (fits bool, err error) {
	e := s.Database
	before, err := cs.database(e.ID)
	if errors.Is(err, ErrUnknown) {
		if e.follows() {
			return false, nil
		}
		if err := cs.takeOver(s, owner{database: e.ID}); err != nil {
			return false, err
		}
		return true, cs.registerDatabase(s)
	}
	if err != nil || !before.Registered() && e.follows() {
		return false, err
	}
	if err := cs.takeOver(s, owner{database: e.ID}); err != nil {
		return false, err
	}
	db, err := cs.changeDatabase(e.ID)
	if err != nil {
		return false, err
	}
	if err := cs.seeDatabaseInstance(db, s); err != nil {
		return false, err
	}
	back := !db.Registered()
	if back {
		if err := cs.restoreDatabase(db, s.Status.Health()); err != nil {
			return false, err
		}
	}
	if err := cs.judgeDatabase(db); err != nil {
		return false, err
	}
	// What a database instance said before others may be older than what they
	// said since: taking its tenants over could take SAP systems away.
	if !s.again {
		if err := cs.changeTenants(db, e.tenants(db)); err != nil {
			return false, err
		}
	}
	if back {
		return true, cs.restoreSAPSystemsOf(db)
	}
	return true, nil
}

func (cs *Changeset) registerDatabase(s reportedElement) error {
	db := &Database{
		ID: s.Database.ID, SID: s.SID, Health: s.Status.Health(),
		Tenants: []string{}, Instances: []DatabaseInstance{}, RegisteredAt: cs.now,
	}
	cs.Databases[db.ID] = db
	cs.event(activity.TypeDatabaseRegistered, map[string]any{"database_id": db.ID, "sid": db.SID, "health": db.Health})
	if err := cs.seeDatabaseInstance(db, s); err != nil {
		return err
	}
	return cs.changeTenants(db, s.Database.Tenants)
}

// restoreDatabase brings a database back into the landscape. Its SAP systems
// come after it.
func (cs *Changeset) restoreDatabase(db *Database, health Health) error {
	db.DeregisteredAt, db.Health = nil, health
	cs.event(activity.TypeDatabaseRestored, map[string]any{"database_id": db.ID, "health": db.Health})
	return cs.judgeSaptuneOn(db.hosts(), func(HostID) (bool, error) { return true, nil })
}

// seeDatabaseInstance takes an instance over into its database.
func (cs *Changeset) seeDatabaseInstance(db *Database, s reportedElement) error {
	i, known := db.place(s.agent, s.Number)
	if !known {
		db.Instances = slices.Insert(db.Instances, i, DatabaseInstance{
			HostID: s.agent, Number: s.Number, InstanceTimes: InstanceTimes{RegisteredAt: cs.now},
		})
	}
	before := slices.Clone(db.Instances)
	instance := &db.Instances[i]
	if known && s.shared {
		s = s.besideDatabase(instance)
	}
	instance.SID, instance.InstanceFacts = s.SID, s.InstanceFacts.over(instance.InstanceFacts)
	if s.Database.ReplicationUnread {
		instance.ReplicationStatus = s.Database.ReplicationStatus
	} else {
		instance.Replication, instance.ActivePrimarySite = s.Database.Replication, s.Database.ActivePrimarySite
		instance.TierDerived = instance.secondary() && instance.Tier == nil
	}
	db.deriveTiers()

	if known {
		cs.replicationChanged(db, before[i], *instance)
		if instance.Status != before[i].Status {
			cs.databaseInstanceEvent(db, instance, activity.TypeDatabaseInstanceStatusChanged, changeOf("status", before[i].Status, instance.Status, ""))
		}
	} else {
		metadata := instance.InstanceFacts.details()
		metadata["sid"] = instance.SID
		instance.Replication.describe(metadata)
		cs.databaseInstanceEvent(db, instance, activity.TypeDatabaseInstanceRegistered, metadata)
		if err := cs.judgeSaptune(s.agent, true); err != nil {
			return err
		}
	}
	if instance.AbsentSince != nil {
		instance.AbsentSince = nil
		cs.databaseInstanceEvent(db, instance, activity.TypeDatabaseInstanceMarkedPresent, nil)
	}
	cs.renameDatabase(db)
	since, err := cs.staleAfter(s, instance.StaleSince)
	if err != nil {
		return err
	}
	cs.databaseInstanceStale(db, instance, since)
	for j := range db.Instances {
		if j != i {
			cs.replicationChanged(db, before[j], db.Instances[j])
		}
	}
	return nil
}

// renameDatabase gives a database the SID of its instances, which a rename in
// HANA itself changes while it stays the same database.
func (cs *Changeset) renameDatabase(db *Database) {
	sid, known := db.sid()
	if !known || sid == db.SID {
		return
	}
	cs.event(activity.TypeDatabaseUpdated, map[string]any{"database_id": db.ID, "sid": sid, "previous_sid": db.SID})
	db.SID = sid
}

// databaseInstanceStale sets since when the data of an instance are stale.
func (cs *Changeset) databaseInstanceStale(db *Database, i *DatabaseInstance, since *time.Time) {
	switch {
	case i.StaleSince != nil && since == nil:
		cs.databaseInstanceEvent(db, i, activity.TypeDatabaseInstanceDataMarkedInSync, nil)
	case i.StaleSince == nil && since != nil:
		cs.databaseInstanceEvent(db, i, activity.TypeDatabaseInstanceDataMarkedStale, map[string]any{"stale_at": *since})
	}
	i.StaleSince = since
}

// replicationChanged notes that the part of an instance in the replication is
// another one.
func (cs *Changeset) replicationChanged(db *Database, before, after DatabaseInstance) {
	if reflect.DeepEqual(before.Replication, after.Replication) {
		return
	}
	metadata := make(map[string]any)
	after.Replication.describe(metadata)
	metadata["old"] = before.Role
	cs.databaseInstanceEvent(db, &after, activity.TypeDatabaseInstanceSystemReplicationChanged, metadata)
}

// judgeDatabase draws what follows from the instances of a database: whether
// its data are stale, and its health.
func (cs *Changeset) judgeDatabase(db *Database) error {
	if err := cs.judgeDatabaseStale(db); err != nil {
		return err
	}
	if !db.Registered() {
		return nil
	}
	parts := db.parts()
	health := worstOf(parts)
	if health == db.Health {
		return nil
	}
	metadata := changeOf("health", db.Health, health, causeOf(health, parts))
	metadata["database_id"] = db.ID
	db.Health = health
	cs.event(activity.TypeDatabaseHealthChanged, metadata)
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.Registered() && s.DatabaseHealth != health {
			metadata := changeOf("database_health", s.DatabaseHealth, health, "")
			metadata["sap_system_id"] = s.ID
			s.DatabaseHealth = health
			cs.event(activity.TypeSAPSystemDatabaseHealthChanged, metadata)
			cs.judgeSAPSystemHealth(s)
		}
		return nil
	})
}

// judgeDatabaseStale makes a database as stale as its instances, and tells its
// SAP systems.
func (cs *Changeset) judgeDatabaseStale(db *Database) error {
	var since *time.Time
	for i := range db.Instances {
		since = earliest(since, db.Instances[i].StaleSince)
	}
	switch {
	case db.StaleSince != nil && since == nil:
		cs.event(activity.TypeDatabaseDataMarkedInSync, map[string]any{"database_id": db.ID})
	case db.StaleSince == nil && since != nil:
		cs.event(activity.TypeDatabaseDataMarkedStale, map[string]any{"database_id": db.ID, "stale_at": *since})
	default:
		return nil
	}
	db.StaleSince = since
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.Registered() {
			s.DatabaseStaleSince = since
			cs.judgeSAPSystemStale(s)
		}
		return nil
	})
}

// earliest is the earlier of two moments; nil is none.
func earliest(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// tenant is a tenant in the words of the activity log.
type tenant struct {
	Name string `json:"name"`
}

func describeTenants(names []string) []tenant {
	tenants := make([]tenant, len(names))
	for i, name := range names {
		tenants[i].Name = name
	}
	return tenants
}

// tenants are the tenants of a database by what an instance says: those it
// names, and where others could not be read also those that are known.
func (e *DatabaseElement) tenants(db *Database) []string {
	if !e.TenantsUnread {
		return e.Tenants
	}
	all := slices.Concat(db.Tenants, e.Tenants)
	slices.Sort(all)
	return slices.Compact(all)
}

// changeTenants takes over the tenants of a database. SAP systems cannot be
// without theirs.
func (cs *Changeset) changeTenants(db *Database, tenants []string) error {
	if slices.Equal(db.Tenants, tenants) {
		return nil
	}
	previous := db.Tenants
	db.Tenants = tenants
	cs.event(activity.TypeDatabaseTenantsUpdated, map[string]any{
		"database_id": db.ID, "tenants": describeTenants(tenants), "previous_tenants": describeTenants(previous),
	})
	return cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if slices.Contains(tenants, s.Tenant) || !slices.Contains(previous, s.Tenant) {
			return nil
		}
		if s.Registered() {
			return cs.endSAPSystem(s)
		}
		return nil
	})
}

// endDatabase takes a database out of the landscape, with the SAP systems on
// it. Their instances stay, to come back with it.
func (cs *Changeset) endDatabase(db *Database) error {
	db.DeregisteredAt = &cs.now
	cs.event(activity.TypeDatabaseDeregistered, map[string]any{"database_id": db.ID, "deregistered_at": cs.now})
	if err := cs.judgeSaptuneOn(db.hosts(), func(host HostID) (bool, error) { return cs.othersOn(host, db.ID, "") }); err != nil {
		return err
	}
	err := cs.eachSAPSystemOf(db, func(s *SAPSystem) error {
		if s.Registered() {
			return cs.endSAPSystem(s)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cs.awaitReturn(db)
}

// orphaned reports whether the instances that are left are no database.
func (db *Database) orphaned() bool {
	primary := slices.ContainsFunc(db.Instances, func(i DatabaseInstance) bool { return i.primary() })
	secondary := slices.ContainsFunc(db.Instances, func(i DatabaseInstance) bool { return i.secondary() })
	return len(db.Instances) == 0 || secondary && !primary
}

// removeDatabaseInstance takes an instance away from its database, and the
// database out of the landscape where it cannot be without it.
func (cs *Changeset) removeDatabaseInstance(id DatabaseID, host HostID, number string) error {
	db, err := cs.changeDatabase(id)
	if err != nil {
		return err
	}
	i, known := db.place(host, number)
	if !known {
		return fmt.Errorf("database %s: instance %s on host %s: %w", id, number, host, ErrUnknown)
	}
	gone := db.Instances[i]
	db.Instances = slices.Delete(db.Instances, i, i+1)
	before := slices.Clone(db.Instances)
	cs.databaseInstanceEvent(db, &gone, activity.TypeDatabaseInstanceDeregistered, map[string]any{"deregistered_at": cs.now})
	if err := cs.judgeSaptuneOn([]HostID{host}, cs.sapRunning); err != nil {
		return err
	}
	db.deriveTiers()
	for j := range db.Instances {
		cs.replicationChanged(db, before[j], db.Instances[j])
	}
	if !db.Registered() || !db.orphaned() {
		cs.renameDatabase(db)
		return cs.judgeDatabase(db)
	}
	if err := cs.judgeDatabaseStale(db); err != nil {
		return err
	}
	return cs.endDatabase(db)
}

// eachSAPSystemOf goes through the SAP systems of a database, registered or
// not, in the order of their ids. They may be changed.
func (cs *Changeset) eachSAPSystemOf(db *Database, do func(*SAPSystem) error) error {
	ids, err := cs.sapSystemsOf(db.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s, err := cs.changeSAPSystem(id)
		if err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

func (cs *Changeset) databaseInstanceEvent(db *Database, i *DatabaseInstance, t activity.Type, metadata map[string]any) {
	if metadata == nil {
		metadata = make(map[string]any, 3)
	}
	metadata["database_id"], metadata["host_id"], metadata["instance_number"] = db.ID, i.HostID, i.Number
	cs.event(t, metadata)
}
