package activity

import "time"

// AboutDatabaseInstance is part of the events about an instance of a database.
type AboutDatabaseInstance struct {
	AboutDatabase
	AboutHost
	InstanceNumber string `json:"instance_number"`
}

// Replication is the part an instance has in the system replication of its
// database. Without one all is nil but the mode, which is "none".
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

// DatabaseRegistered tells of a new database.
type DatabaseRegistered struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
}

func (*DatabaseRegistered) Type() Type { return TypeDatabaseRegistered }

// DatabaseUpdated tells of another SID.
type DatabaseUpdated struct {
	Correlated
	AboutDatabase
	PreviousSID string `json:"previous_sid"`
}

func (*DatabaseUpdated) Type() Type { return TypeDatabaseUpdated }

// DatabaseHealthChanged tells of the health of a database.
type DatabaseHealthChanged struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
	Change
}

func (*DatabaseHealthChanged) Type() Type           { return TypeDatabaseHealthChanged }
func (e *DatabaseHealthChanged) message() string    { return e.Sentence("Database health", e.Health) }
func (e *DatabaseHealthChanged) severity() Severity { return severityOf(e.Health) }

// DatabaseTenantsUpdated tells which tenants a database has now.
type DatabaseTenantsUpdated struct {
	Correlated
	AboutDatabase
	Tenants         []Tenant `json:"tenants"`
	PreviousTenants []Tenant `json:"previous_tenants"`
}

// Tenant of a database.
type Tenant struct {
	Name string `json:"name"`
}

func (*DatabaseTenantsUpdated) Type() Type { return TypeDatabaseTenantsUpdated }

// DatabaseInstanceRegistered tells of a new instance of a database.
type DatabaseInstanceRegistered struct {
	Correlated
	AboutDatabaseInstance
	InstanceFacts
	Replication
}

func (*DatabaseInstanceRegistered) Type() Type { return TypeDatabaseInstanceRegistered }

// DatabaseInstanceStatusChanged tells of the state of an instance.
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

// DatabaseInstanceSystemReplicationChanged tells of the part an instance has in
// the system replication now.
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
	change := Change{Old: orEmpty(e.OldRole)}
	return change.Sentence("Database instance system replication", orEmpty(e.Role))
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// DatabaseInstanceMarkedAbsent tells that a host does not list an instance any
// more.
type DatabaseInstanceMarkedAbsent struct {
	Correlated
	AboutDatabaseInstance
	AbsentAt time.Time `json:"absent_at"`
}

func (*DatabaseInstanceMarkedAbsent) Type() Type { return TypeDatabaseInstanceMarkedAbsent }

// DatabaseInstanceMarkedPresent tells that a host lists an instance again.
type DatabaseInstanceMarkedPresent struct {
	Correlated
	AboutDatabaseInstance
}

func (*DatabaseInstanceMarkedPresent) Type() Type { return TypeDatabaseInstanceMarkedPresent }

// DatabaseInstanceDataMarkedStale tells that the host of an instance has fallen
// silent.
type DatabaseInstanceDataMarkedStale struct {
	Correlated
	AboutDatabaseInstance
	StaleAt time.Time `json:"stale_at"`
}

func (*DatabaseInstanceDataMarkedStale) Type() Type { return TypeDatabaseInstanceDataMarkedStale }

// DatabaseInstanceDataMarkedInSync tells that the host of an instance has
// reported about it again.
type DatabaseInstanceDataMarkedInSync struct {
	Correlated
	AboutDatabaseInstance
}

func (*DatabaseInstanceDataMarkedInSync) Type() Type { return TypeDatabaseInstanceDataMarkedInSync }

// DatabaseInstanceDeregistered tells that an instance was removed.
type DatabaseInstanceDeregistered struct {
	Correlated
	AboutDatabaseInstance
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*DatabaseInstanceDeregistered) Type() Type { return TypeDatabaseInstanceDeregistered }

// DatabaseDataMarkedStale tells that a host of a database has fallen silent.
type DatabaseDataMarkedStale struct {
	Correlated
	AboutDatabase
	StaleAt time.Time `json:"stale_at"`
}

func (*DatabaseDataMarkedStale) Type() Type { return TypeDatabaseDataMarkedStale }

// DatabaseDataMarkedInSync tells that all hosts of a database are heard again.
type DatabaseDataMarkedInSync struct {
	Correlated
	AboutDatabase
}

func (*DatabaseDataMarkedInSync) Type() Type { return TypeDatabaseDataMarkedInSync }

// DatabaseDeregistered tells that a database has lost its last instance, or its
// last primary one.
type DatabaseDeregistered struct {
	Correlated
	AboutDatabase
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*DatabaseDeregistered) Type() Type { return TypeDatabaseDeregistered }

// DatabaseRestored tells that a database that was removed is back.
type DatabaseRestored struct {
	Correlated
	AboutDatabase
	Health string `json:"health"`
}

func (*DatabaseRestored) Type() Type { return TypeDatabaseRestored }

// DatabaseCleanupRequested tells that somebody wants an instance of a database
// removed.
type DatabaseCleanupRequested struct {
	Correlated
	AboutDatabaseInstance
	SAPSystemID string `json:"sap_system_id"` // the id of the database, too: older clients look for it here
}

func (*DatabaseCleanupRequested) Type() Type { return TypeDatabaseCleanupRequested }
