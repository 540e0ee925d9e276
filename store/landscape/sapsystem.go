package landscape

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// SAPSystemID identifies an SAP system.
type SAPSystemID string

// SAPSystemIDOn returns the id of the SAP system on a tenant of a database. The
// id does not depend on the SID, because a tenant has only one system.
func SAPSystemIDOn(db DatabaseID, tenant string) SAPSystemID {
	space, err := uuid.Parse(string(db))
	if err != nil {
		space = uuid.NewSHA1(idNamespace, []byte(db)) // cannot happen: database ids are UUIDs
	}
	return SAPSystemID(uuid.NewSHA1(space, []byte(tenant)).String())
}

// ENSAVersion is the generation of the enqueue service (ENSA), which manages
// the locks of an SAP system.
type ENSAVersion string

// The generations of the enqueue service. NoENSA means that none is known to
// run.
const (
	NoENSA ENSAVersion = "no_ensa"
	ENSA1  ENSAVersion = "ensa1"
	ENSA2  ENSAVersion = "ensa2"
)

// SAPSystem is a group of application instances on a tenant of a database. It
// is incomplete, and not part of the landscape, until a message server and an
// application server were reported.
type SAPSystem struct {
	ID         SAPSystemID `json:"id"`
	DatabaseID DatabaseID  `json:"database_id"`
	Tenant     string      `json:"tenant"`

	SID    string      `json:"sid,omitempty"` // "": the system is incomplete
	DBHost string      `json:"db_host,omitempty"`
	ENSA   ENSAVersion `json:"ensa_version"`
	// Health is the worst health of its instances and its database.
	Health         Health                `json:"health"`
	DatabaseHealth Health                `json:"database_health"`
	Instances      []ApplicationInstance `json:"instances"` // ordered by number and host

	// StaleSince is the time at which the first stale instance, or the
	// database, became stale; nil if none is stale.
	StaleSince         *time.Time `json:"stale_since,omitempty"`
	DatabaseStaleSince *time.Time `json:"database_stale_since,omitempty"`

	RegisteredAt   time.Time  `json:"registered_at"` // zero: the system is incomplete
	UpdatedAt      time.Time  `json:"updated_at"`
	DeregisteredAt *time.Time `json:"deregistered_at,omitempty"`
}

// Registered reports whether the system is part of the landscape now.
func (s *SAPSystem) Registered() bool { return s.SID != "" && s.DeregisteredAt == nil }

// ApplicationInstance is an instance of an SAP system on a host.
type ApplicationInstance struct {
	Instance
	DBHost string `json:"db_host"` // the last database address that it reported
	// ENSA is the last generation of the enqueue service that it reported.
	ENSA ENSAVersion `json:"ensa_version"`
}

// ListedOn reports whether a host lists an instance of the system.
func (s *SAPSystem) ListedOn(host HostID) bool { return isListedOn(s, host) }

// clone returns a copy whose own fields and instances may be modified.
func (s *SAPSystem) clone() *SAPSystem {
	after := *s
	after.Instances = slices.Clone(s.Instances)
	return &after
}

func (s *SAPSystem) key() string            { return string(s.ID) }
func (s *SAPSystem) instances() []*Instance { return instances(s.Instances) }

// isComplete reports whether the system has a message server and an application
// server.
func (s *SAPSystem) isComplete() bool {
	return slices.ContainsFunc(s.Instances, ApplicationInstance.isMessageServer) &&
		slices.ContainsFunc(s.Instances, ApplicationInstance.isApplicationServer)
}

// messageServerIndex returns the index of the message server that gives the
// system its name: the first one that its host lists, or else the first one; -1
// if there is none.
func (s *SAPSystem) messageServerIndex() int {
	listed := func(i ApplicationInstance) bool { return i.isMessageServer() && i.AbsentSince == nil }
	if i := slices.IndexFunc(s.Instances, listed); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.Instances, ApplicationInstance.isMessageServer)
}

func (i ApplicationInstance) isMessageServer() bool {
	return strings.Contains(i.Features, "MESSAGESERVER")
}

func (i ApplicationInstance) isApplicationServer() bool {
	return strings.Contains(i.Features, "ABAP") || strings.Contains(i.Features, "J2EE")
}
