package activity

import "time"

// AboutApplicationInstance is part of the events about an instance of an SAP
// system.
type AboutApplicationInstance struct {
	AboutSAPSystem
	AboutHost
	InstanceNumber string `json:"instance_number"`
}

// ApplicationInstanceRegistered tells of a new instance of an SAP system.
type ApplicationInstanceRegistered struct {
	Correlated
	AboutApplicationInstance
	InstanceFacts
}

func (*ApplicationInstanceRegistered) Type() Type { return TypeApplicationInstanceRegistered }

// ApplicationInstanceMoved tells that a cluster has moved an instance to
// another host.
type ApplicationInstanceMoved struct {
	Correlated
	AboutSAPSystem
	InstanceNumber string `json:"instance_number"`
	OldHostID      string `json:"old_host_id"`
	NewHostID      string `json:"new_host_id"`
}

func (*ApplicationInstanceMoved) Type() Type { return TypeApplicationInstanceMoved }

// ApplicationInstanceStatusChanged tells of the state of an instance.
type ApplicationInstanceStatusChanged struct {
	Correlated
	AboutApplicationInstance
	Status string `json:"status"`
	Change
}

func (*ApplicationInstanceStatusChanged) Type() Type { return TypeApplicationInstanceStatusChanged }
func (e *ApplicationInstanceStatusChanged) message() string {
	return e.Sentence("Application instance status", e.Status)
}
func (e *ApplicationInstanceStatusChanged) severity() Severity { return severityOfStatus(e.Status) }

// ApplicationInstanceMarkedAbsent tells that a host does not list an instance
// any more.
type ApplicationInstanceMarkedAbsent struct {
	Correlated
	AboutApplicationInstance
	AbsentAt time.Time `json:"absent_at"`
}

func (*ApplicationInstanceMarkedAbsent) Type() Type { return TypeApplicationInstanceMarkedAbsent }

// ApplicationInstanceMarkedPresent tells that a host lists an instance again.
type ApplicationInstanceMarkedPresent struct {
	Correlated
	AboutApplicationInstance
}

func (*ApplicationInstanceMarkedPresent) Type() Type { return TypeApplicationInstanceMarkedPresent }

// ApplicationInstanceDataMarkedStale tells that the host of an instance has
// fallen silent.
type ApplicationInstanceDataMarkedStale struct {
	Correlated
	AboutApplicationInstance
	StaleAt time.Time `json:"stale_at"`
}

func (*ApplicationInstanceDataMarkedStale) Type() Type { return TypeApplicationInstanceDataMarkedStale }

// ApplicationInstanceDataMarkedInSync tells that the host of an instance has
// reported about it again.
type ApplicationInstanceDataMarkedInSync struct {
	Correlated
	AboutApplicationInstance
}

func (*ApplicationInstanceDataMarkedInSync) Type() Type {
	return TypeApplicationInstanceDataMarkedInSync
}

// What an instance waits for that has lost its system.
const (
	WaitsForDatabase = "database"
	WaitsForSystem   = "system" // the instances that complete it
)

// ApplicationInstanceSystemLost tells that an instance is still there while its
// system is not.
type ApplicationInstanceSystemLost struct {
	Correlated
	AboutApplicationInstance
	WaitsFor string `json:"waits_for"`
}

func (*ApplicationInstanceSystemLost) Type() Type { return TypeApplicationInstanceSystemLost }
func (e *ApplicationInstanceSystemLost) message() string {
	instance := "Application instance " + e.InstanceNumber
	if e.WaitsFor == WaitsForSystem {
		return instance + " will wait for the rest of its system"
	}
	return instance + " will wait for its database"
}

// ApplicationInstanceDeregistered tells that an instance was removed.
type ApplicationInstanceDeregistered struct {
	Correlated
	AboutApplicationInstance
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*ApplicationInstanceDeregistered) Type() Type { return TypeApplicationInstanceDeregistered }

// SAPSystemRegistered tells of a new SAP system.
type SAPSystemRegistered struct {
	Correlated
	AboutSAPSystem
	Tenant          string     `json:"tenant"`
	DBHost          string     `json:"db_host"`
	DatabaseID      string     `json:"database_id"`
	Health          string     `json:"health"`
	DatabaseHealth  string     `json:"database_health"`
	DatabaseStaleAt *time.Time `json:"database_stale_at"` // nil: it is not stale
	ENSAVersion     string     `json:"ensa_version"`
}

func (*SAPSystemRegistered) Type() Type { return TypeSAPSystemRegistered }

// SAPSystemUpdated tells of another SID, or of another version of the enqueue
// service.
type SAPSystemUpdated struct {
	Correlated
	AboutSAPSystem
	PreviousSID string `json:"previous_sid,omitempty"`
	ENSAVersion string `json:"ensa_version,omitempty"`
}

func (*SAPSystemUpdated) Type() Type { return TypeSAPSystemUpdated }

// SAPSystemHealthChanged tells of the health of an SAP system.
type SAPSystemHealthChanged struct {
	Correlated
	AboutSAPSystem
	Health string `json:"health"`
	Change
}

func (*SAPSystemHealthChanged) Type() Type { return TypeSAPSystemHealthChanged }
func (e *SAPSystemHealthChanged) message() string {
	return e.Sentence("SAP system health", e.Health)
}
func (e *SAPSystemHealthChanged) severity() Severity { return severityOf(e.Health) }

// SAPSystemDatabaseHealthChanged tells of the health of the database that an
// SAP system works on.
type SAPSystemDatabaseHealthChanged struct {
	Correlated
	AboutSAPSystem
	Health string `json:"database_health"`
	Change
}

func (*SAPSystemDatabaseHealthChanged) Type() Type { return TypeSAPSystemDatabaseHealthChanged }
func (e *SAPSystemDatabaseHealthChanged) message() string {
	return e.Sentence("SAP system database health", e.Health)
}
func (e *SAPSystemDatabaseHealthChanged) severity() Severity { return severityOf(e.Health) }

// SAPSystemDataMarkedStale tells that a host of an SAP system, or of its
// database, has fallen silent.
type SAPSystemDataMarkedStale struct {
	Correlated
	AboutSAPSystem
	StaleAt time.Time `json:"stale_at"`
}

func (*SAPSystemDataMarkedStale) Type() Type { return TypeSAPSystemDataMarkedStale }

// SAPSystemDataMarkedInSync tells that all hosts of an SAP system and of its
// database are heard again.
type SAPSystemDataMarkedInSync struct {
	Correlated
	AboutSAPSystem
}

func (*SAPSystemDataMarkedInSync) Type() Type { return TypeSAPSystemDataMarkedInSync }

// SAPSystemDeregistered tells that an SAP system has lost its database, or
// instances that it cannot be without.
type SAPSystemDeregistered struct {
	Correlated
	AboutSAPSystem
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*SAPSystemDeregistered) Type() Type { return TypeSAPSystemDeregistered }

// SAPSystemRestored tells that an SAP system that was removed is back.
type SAPSystemRestored struct {
	Correlated
	AboutSAPSystem
	Tenant          string     `json:"tenant"`
	DBHost          string     `json:"db_host"`
	Health          string     `json:"health"`
	DatabaseHealth  string     `json:"database_health"`
	DatabaseStaleAt *time.Time `json:"database_stale_at"` // nil: it is not stale
}

func (*SAPSystemRestored) Type() Type { return TypeSAPSystemRestored }

// SAPSystemCleanupRequested tells that somebody wants an instance of an SAP
// system removed.
type SAPSystemCleanupRequested struct {
	Correlated
	AboutApplicationInstance
}

func (*SAPSystemCleanupRequested) Type() Type { return TypeSAPSystemCleanupRequested }
