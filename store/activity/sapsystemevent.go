package activity

import "time"

// AboutApplicationInstance is the common part of events about an instance of an
// SAP system.
type AboutApplicationInstance struct {
	AboutSAPSystem
	AboutHost
	InstanceNumber string `json:"instance_number"`
}

// ApplicationInstanceRegistered says that a new application instance was
// registered.
type ApplicationInstanceRegistered struct {
	Correlated
	AboutApplicationInstance
	InstanceFacts
}

func (*ApplicationInstanceRegistered) Type() Type { return TypeApplicationInstanceRegistered }

// ApplicationInstanceMoved says that a cluster has moved an instance to another
// host.
type ApplicationInstanceMoved struct {
	Correlated
	AboutSAPSystem
	InstanceNumber string `json:"instance_number"`
	OldHostID      string `json:"old_host_id"`
	NewHostID      string `json:"new_host_id"`
}

func (*ApplicationInstanceMoved) Type() Type { return TypeApplicationInstanceMoved }

// ApplicationInstanceStatusChanged says that the status of an application
// instance has changed.
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

// ApplicationInstanceMarkedAbsent says that the host no longer lists an
// application instance.
type ApplicationInstanceMarkedAbsent struct {
	Correlated
	AboutApplicationInstance
	AbsentAt time.Time `json:"absent_at"`
}

func (*ApplicationInstanceMarkedAbsent) Type() Type { return TypeApplicationInstanceMarkedAbsent }

// ApplicationInstanceMarkedPresent says that the host lists an application
// instance again.
type ApplicationInstanceMarkedPresent struct {
	Correlated
	AboutApplicationInstance
}

func (*ApplicationInstanceMarkedPresent) Type() Type { return TypeApplicationInstanceMarkedPresent }

// ApplicationInstanceDataMarkedStale says that the data of an application
// instance is out of date, because its host no longer reports or its reports
// cannot be used.
type ApplicationInstanceDataMarkedStale struct {
	Correlated
	AboutApplicationInstance
	StaleAt time.Time `json:"stale_at"`
}

func (*ApplicationInstanceDataMarkedStale) Type() Type { return TypeApplicationInstanceDataMarkedStale }

// ApplicationInstanceDataMarkedInSync says that the data of an application
// instance is up to date again.
type ApplicationInstanceDataMarkedInSync struct {
	Correlated
	AboutApplicationInstance
}

func (*ApplicationInstanceDataMarkedInSync) Type() Type {
	return TypeApplicationInstanceDataMarkedInSync
}

// What an application instance without a registered SAP system waits for.
const (
	WaitsForDatabase = "database"
	WaitsForSystem   = "system" // other instances that complete the system
)

// ApplicationInstanceSystemLost says that the SAP system of a present instance
// was deregistered.
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

// ApplicationInstanceDeregistered says that an application instance was
// removed.
type ApplicationInstanceDeregistered struct {
	Correlated
	AboutApplicationInstance
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*ApplicationInstanceDeregistered) Type() Type { return TypeApplicationInstanceDeregistered }

// SAPSystemRegistered says that a new SAP system was registered.
type SAPSystemRegistered struct {
	Correlated
	AboutSAPSystem
	Tenant          string     `json:"tenant"`
	DBHost          string     `json:"db_host"`
	DatabaseID      string     `json:"database_id"`
	Health          string     `json:"health"`
	DatabaseHealth  string     `json:"database_health"`
	DatabaseStaleAt *time.Time `json:"database_stale_at"` // nil: not stale
	ENSAVersion     string     `json:"ensa_version"`
}

func (*SAPSystemRegistered) Type() Type { return TypeSAPSystemRegistered }

// SAPSystemUpdated says that the SID of an SAP system, or the version of its
// enqueue service, has changed.
type SAPSystemUpdated struct {
	Correlated
	AboutSAPSystem
	PreviousSID string `json:"previous_sid,omitempty"`
	ENSAVersion string `json:"ensa_version,omitempty"`
}

func (*SAPSystemUpdated) Type() Type { return TypeSAPSystemUpdated }

// SAPSystemHealthChanged says that the health of an SAP system has changed.
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
func (e *SAPSystemHealthChanged) severity() Severity { return severityOfHealth(e.Health) }

// SAPSystemDatabaseHealthChanged says that the health of the database of an SAP
// system has changed.
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
func (e *SAPSystemDatabaseHealthChanged) severity() Severity { return severityOfHealth(e.Health) }

// SAPSystemDataMarkedStale says that the data of an instance of an SAP system,
// or of its database, is out of date.
type SAPSystemDataMarkedStale struct {
	Correlated
	AboutSAPSystem
	StaleAt time.Time `json:"stale_at"`
}

func (*SAPSystemDataMarkedStale) Type() Type { return TypeSAPSystemDataMarkedStale }

// SAPSystemDataMarkedInSync says that all data of an SAP system and of its
// database is up to date again.
type SAPSystemDataMarkedInSync struct {
	Correlated
	AboutSAPSystem
}

func (*SAPSystemDataMarkedInSync) Type() Type { return TypeSAPSystemDataMarkedInSync }

// SAPSystemDeregistered says that an SAP system has lost its database, or
// instances without which it cannot exist.
type SAPSystemDeregistered struct {
	Correlated
	AboutSAPSystem
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*SAPSystemDeregistered) Type() Type { return TypeSAPSystemDeregistered }

// SAPSystemRestored says that a deregistered SAP system was registered again.
type SAPSystemRestored struct {
	Correlated
	AboutSAPSystem
	Tenant          string     `json:"tenant"`
	DBHost          string     `json:"db_host"`
	Health          string     `json:"health"`
	DatabaseHealth  string     `json:"database_health"`
	DatabaseStaleAt *time.Time `json:"database_stale_at"` // nil: not stale
}

func (*SAPSystemRestored) Type() Type { return TypeSAPSystemRestored }

// SAPSystemCleanupRequested says that a user has asked to remove an instance of
// an SAP system.
type SAPSystemCleanupRequested struct {
	Correlated
	AboutApplicationInstance
}

func (*SAPSystemCleanupRequested) Type() Type { return TypeSAPSystemCleanupRequested }
