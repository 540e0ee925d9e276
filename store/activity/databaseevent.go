package activity

import "time"

// AboutDatabaseInstance is the common part of events about a database instance.
type AboutDatabaseInstance struct {
	AboutDatabase
	AboutHost
	InstanceNumber string `json:"instance_number"`
}

// Replication is the role of an instance in the system replication of its
// database. Without system replication, Mode is "none" and all other fields are
// nil.
type Replication struct {
	Role              *string `json:"system_replication"`
	ReplicationStatus *string `json:"system_replication_status"`
	Site              *string `json:"system_replication_site"`
	SiteID            *int    `json:"system_replication_site_id"`
	Mode              *string `json:"system_replication_mode"`
	OperationMode     *string `json:"system_replication_operation_mode"`
	SourceSite        *string `json:"system_replication_source_site"`
	Tier              *int    `json:"system_replication_tier"`
}

// DatabaseRegistered says that a new database was registered.
type DatabaseRegistered struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
}

func (*DatabaseRegistered) Type() Type { return TypeDatabaseRegistered }

// DatabaseUpdated says that the SID of a database has changed.
type DatabaseUpdated struct {
	Correlated
	AboutDatabase
	PreviousSID string `json:"previous_sid"`
}

func (*DatabaseUpdated) Type() Type { return TypeDatabaseUpdated }

// DatabaseHealthChanged says that the health of a database has changed.
type DatabaseHealthChanged struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
	Change
}

func (*DatabaseHealthChanged) Type() Type           { return TypeDatabaseHealthChanged }
func (e *DatabaseHealthChanged) message() string    { return e.Sentence("Database health", e.Health) }
func (e *DatabaseHealthChanged) severity() Severity { return severityOfHealth(e.Health) }

// DatabaseTenantsUpdated says that the tenants of a database have changed.
type DatabaseTenantsUpdated struct {
	Correlated
	AboutDatabase
	Tenants         []Tenant `json:"tenants"`
	PreviousTenants []Tenant `json:"previous_tenants"`
}

// Tenant is a tenant of a database.
type Tenant struct {
	Name string `json:"name"`
}

func (*DatabaseTenantsUpdated) Type() Type { return TypeDatabaseTenantsUpdated }

// DatabaseInstanceRegistered says that a new database instance was registered.
type DatabaseInstanceRegistered struct {
	Correlated
	AboutDatabaseInstance
	InstanceFacts
	Replication
}

func (*DatabaseInstanceRegistered) Type() Type { return TypeDatabaseInstanceRegistered }

// DatabaseInstanceStatusChanged says that the status of a database instance has
// changed.
type DatabaseInstanceStatusChanged struct {
	Correlated
	AboutDatabaseInstance
	Status string `json:"status"`
	Change
}

func (*DatabaseInstanceStatusChanged) Type() Type { return TypeDatabaseInstanceStatusChanged }
func (e *DatabaseInstanceStatusChanged) message() string {
	return e.Sentence("Database instance status", e.Status)
}
func (e *DatabaseInstanceStatusChanged) severity() Severity { return severityOfStatus(e.Status) }

// DatabaseInstanceSystemReplicationChanged says that the replication of a
// database instance has changed.
type DatabaseInstanceSystemReplicationChanged struct {
	Correlated
	AboutDatabaseInstance
	Replication
	OldRole *string `json:"old"`
}

func (*DatabaseInstanceSystemReplicationChanged) Type() Type {
	return TypeDatabaseInstanceSystemReplicationChanged
}
func (e *DatabaseInstanceSystemReplicationChanged) message() string {
	change := Change{Old: emptyIfNil(e.OldRole)}
	return change.Sentence("Database instance system replication", emptyIfNil(e.Role))
}

func emptyIfNil(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// DatabaseInstanceMarkedAbsent says that the host no longer lists a database
// instance.
type DatabaseInstanceMarkedAbsent struct {
	Correlated
	AboutDatabaseInstance
	AbsentAt time.Time `json:"absent_at"`
}

func (*DatabaseInstanceMarkedAbsent) Type() Type { return TypeDatabaseInstanceMarkedAbsent }

// DatabaseInstanceMarkedPresent says that the host lists a database instance
// again.
type DatabaseInstanceMarkedPresent struct {
	Correlated
	AboutDatabaseInstance
}

func (*DatabaseInstanceMarkedPresent) Type() Type { return TypeDatabaseInstanceMarkedPresent }

// DatabaseInstanceDataMarkedStale says that the data of a database instance is
// out of date, because its host no longer reports or its reports cannot be
// used.
type DatabaseInstanceDataMarkedStale struct {
	Correlated
	AboutDatabaseInstance
	StaleAt time.Time `json:"stale_at"`
}

func (*DatabaseInstanceDataMarkedStale) Type() Type { return TypeDatabaseInstanceDataMarkedStale }

// DatabaseInstanceDataMarkedInSync says that the data of a database instance is
// up to date again.
type DatabaseInstanceDataMarkedInSync struct {
	Correlated
	AboutDatabaseInstance
}

func (*DatabaseInstanceDataMarkedInSync) Type() Type { return TypeDatabaseInstanceDataMarkedInSync }

// DatabaseInstanceDeregistered says that a database instance was removed.
type DatabaseInstanceDeregistered struct {
	Correlated
	AboutDatabaseInstance
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*DatabaseInstanceDeregistered) Type() Type { return TypeDatabaseInstanceDeregistered }

// DatabaseDataMarkedStale says that the data of an instance of a database is
// out of date.
type DatabaseDataMarkedStale struct {
	Correlated
	AboutDatabase
	StaleAt time.Time `json:"stale_at"`
}

func (*DatabaseDataMarkedStale) Type() Type { return TypeDatabaseDataMarkedStale }

// DatabaseDataMarkedInSync says that the data of all instances of a database is
// up to date again.
type DatabaseDataMarkedInSync struct {
	Correlated
	AboutDatabase
}

func (*DatabaseDataMarkedInSync) Type() Type { return TypeDatabaseDataMarkedInSync }

// DatabaseDeregistered says that a database has lost its last instance, or its
// last primary instance.
type DatabaseDeregistered struct {
	Correlated
	AboutDatabase
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*DatabaseDeregistered) Type() Type { return TypeDatabaseDeregistered }

// DatabaseRestored says that a deregistered database was registered again.
type DatabaseRestored struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
}

func (*DatabaseRestored) Type() Type { return TypeDatabaseRestored }

// DatabaseCleanupRequested says that a user has asked to remove a database
// instance.
type DatabaseCleanupRequested struct {
	Correlated
	AboutDatabaseInstance
	SAPSystemID string `json:"sap_system_id"` // the database id again, because old clients expect it here
}

func (*DatabaseCleanupRequested) Type() Type { return TypeDatabaseCleanupRequested }
