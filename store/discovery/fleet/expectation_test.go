package fleet

import (
	"github.com/google/uuid"

	"trento/store/landscape"
)

// Expected is what a server should show of a landscape. It is computed from the
// landscape itself and not from its reports.
type Expected struct {
	Hosts      []Thing // Kind: provider
	Clusters   []Thing // Kind: type
	Databases  []Thing // Kind: replicated, or empty
	SAPSystems []Thing // Kind: version of the enqueue server

	DatabaseInstances    int
	ApplicationInstances int
}

// Thing is a host, a cluster, a database or a system.
type Thing struct {
	ID     string
	Name   string // hostname, cluster name or SID
	Kind   string
	Health landscape.Health
}

// Count counts things by kind and by health.
func Count(things []Thing) (kinds map[string]int, healths map[landscape.Health]int) {
	kinds, healths = make(map[string]int), make(map[landscape.Health]int)
	for _, t := range things {
		kinds[t.Kind]++
		healths[t.Health]++
	}
	return kinds, healths
}

// Expected returns what a server shows after it has received all reports of a
// landscape made by New, in any order. After later steps a server shows more,
// because it keeps things that are no longer reported.
func (f *Fleet) Expected() Expected {
	var e Expected
	for _, h := range f.hosts {
		kind := h.location.provider
		if kind == power {
			kind = "unknown"
		}
		e.Hosts = append(e.Hosts, Thing{string(h.ID), h.Name, kind, h.health()})
	}
	for _, c := range f.clusters {
		kind, health := c.expected()
		e.Clusters = append(e.Clusters, Thing{derivedID(agentNamespace, c.key).String(), c.name, kind, health})
	}
	for _, db := range f.databases {
		kind := ""
		if db.isReplicated() {
			kind = "replicated"
		}
		e.Databases = append(e.Databases, Thing{db.id().String(), db.sid, kind, db.health()})
		for _, s := range db.sites {
			e.DatabaseInstances += len(s.instances)
		}
	}
	for _, s := range f.systems {
		kind := map[int]string{1: "ensa1", 2: "ensa2"}[s.ensa]
		id := derivedID(s.database.id(), s.tenant).String()
		e.SAPSystems = append(e.SAPSystems, Thing{id, s.SID, kind, worseHealth(s.database.health(), worstHealth(s.instances))})
		e.ApplicationInstances += len(s.instances)
	}
	return e
}

func (db *database) id() uuid.UUID { return derivedID(agentNamespace, db.key) }

func (db *database) health() landscape.Health {
	health := landscape.HealthPassing
	for _, s := range db.sites {
		health = worseHealth(health, worstHealth(s.instances))
	}
	return health
}

// expected returns the type of a cluster and its health. The health is critical
// unless the database or system would survive the loss of a node and all SBD
// disks work. It is unknown for clusters that provide storage, and for clusters
// that run both a database and central services.
func (c *cluster) expected() (kind string, health landscape.Health) {
	good := true
	for _, d := range c.disks {
		good = good && !d.broken
	}
	for _, s := range c.systems {
		good = good && s.isReplicaSeparate()
	}
	switch {
	case c.database == nil && len(c.systems) == 0:
		return "unknown", landscape.HealthUnknown
	case c.database == nil:
		kind = "ascs_ers"
	case len(c.systems) > 0:
		return "hana_ascs_ers", landscape.HealthUnknown
	default:
		kind = "hana_scale_up"
		if c.isScaleOut() {
			kind = "hana_scale_out"
		}
		good = good && c.database.isInSync()
	}
	if !good {
		return kind, landscape.HealthCritical
	}
	return kind, landscape.HealthPassing
}

// health returns the expected health of a host. If the host runs SAP software,
// the health follows from saptune. Otherwise it is passing, or unknown if the
// agent is too old to report saptune.
func (h *Host) health() landscape.Health {
	running := false
	for _, i := range h.instances {
		running = running || i.sid() != diagnosticsSID
	}
	switch told := h.agent != oldAgentVersion; {
	case !running && told:
		return landscape.HealthPassing
	case !running:
		return landscape.HealthUnknown
	case !told || h.tuning.version == "" || h.tuning.version == saptuneTooOld || h.tuning.state == notTuned:
		return landscape.HealthWarning
	case h.tuning.state == notCompliant:
		return landscape.HealthCritical
	}
	return landscape.HealthPassing
}

// worstHealth returns the health of the instance with the worst health.
func worstHealth(instances []*instance) landscape.Health {
	health := landscape.HealthPassing
	for _, i := range instances {
		health = worseHealth(health, map[status]landscape.Health{
			green: landscape.HealthPassing, yellow: landscape.HealthWarning, red: landscape.HealthCritical, gray: landscape.HealthUnknown,
		}[i.state()])
	}
	return health
}

// worseHealth returns the worse of two healths. Unknown is the worst.
func worseHealth(a, b landscape.Health) landscape.Health {
	for _, h := range []landscape.Health{landscape.HealthUnknown, landscape.HealthCritical, landscape.HealthWarning} {
		if a == h || b == h {
			return h
		}
	}
	return landscape.HealthPassing
}

// isReplicaSeparate reports whether the enqueue replicator runs on another host
// than the central services.
func (s *System) isReplicaSeparate() bool { return s.ascs.host != s.ers.host }
