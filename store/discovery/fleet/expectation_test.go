package fleet

import (
	"github.com/google/uuid"

	"trento/store/landscape"
)

// Expected is what a server should show of a landscape, from the intent of
// the landscape and not from its reports.
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

// Expected is what a server shows that has all reports of the landscape as
// New made it, no matter in which order. Later on a server remembers more
// than a landscape tells.
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
		e.SAPSystems = append(e.SAPSystems, Thing{id, s.SID, kind, worse(s.database.health(), worst(s.instances))})
		e.ApplicationInstances += len(s.instances)
	}
	return e
}

func (db *database) id() uuid.UUID { return derivedID(agentNamespace, db.key) }

func (db *database) health() landscape.Health {
	health := landscape.HealthPassing
	for _, s := range db.sites {
		health = worse(health, worst(s.instances))
	}
	return health
}

// expected is the type of a cluster, and its health: what it keeps available
// must survive the loss of a node, and the disks must be there. Of storage,
// and of two things at a time, nothing is judged.
func (c *cluster) expected() (kind string, health landscape.Health) {
	good := true
	for _, d := range c.disks {
		good = good && !d.broken
	}
	for _, s := range c.systems {
		good = good && s.apart()
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

// health is that of the tuning of a host, which matters where SAP software
// runs. Nobody knows about that of a host whose agent is too old, and which
// runs none.
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

// worst is the health of the instance that does worst.
func worst(instances []*instance) landscape.Health {
	health := landscape.HealthPassing
	for _, i := range instances {
		health = worse(health, map[status]landscape.Health{
			green: landscape.HealthPassing, yellow: landscape.HealthWarning, red: landscape.HealthCritical, gray: landscape.HealthUnknown,
		}[i.state()])
	}
	return health
}

// worse is the worse of two healths. Not to know is worst.
func worse(a, b landscape.Health) landscape.Health {
	for _, h := range []landscape.Health{landscape.HealthUnknown, landscape.HealthCritical, landscape.HealthWarning} {
		if a == h || b == h {
			return h
		}
	}
	return landscape.HealthPassing
}

// apart reports whether the replica of a system's locks would survive the
// central services.
func (s *System) apart() bool { return s.ascs.host != s.ers.host }
