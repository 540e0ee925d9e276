package api

import (
	"net/http"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// healthSummary is how an SAP system is doing with all it stands on, as
// clients of the API know it. The last three repeat members of the database,
// for older clients.
type healthSummary struct {
	ID     landscape.SAPSystemID `json:"id"`
	SID    string                `json:"sid"`
	Health landscape.Health      `json:"sapsystem_health"`

	ApplicationHealth         landscape.Health     `json:"application_health"`
	ApplicationStaleAt        *moment              `json:"application_stale_at"`
	ApplicationClusterID      *landscape.ClusterID `json:"application_cluster_id"`
	ApplicationClusterHealth  *landscape.Health    `json:"application_cluster_health"`
	ApplicationClusterStaleAt *moment              `json:"application_cluster_stale_at"`

	DatabaseID             landscape.DatabaseID `json:"database_id"`
	DatabaseSID            string               `json:"database_sid"`
	DatabaseHealth         landscape.Health     `json:"database_health"`
	DatabaseStaleAt        *moment              `json:"database_stale_at"`
	DatabaseClusterID      *landscape.ClusterID `json:"database_cluster_id"`
	DatabaseClusterHealth  *landscape.Health    `json:"database_cluster_health"`
	DatabaseClusterStaleAt *moment              `json:"database_cluster_stale_at"`

	HostsHealth  landscape.Health `json:"hosts_health"`
	HostsStaleAt *moment          `json:"hosts_stale_at"`

	ClusterID      *landscape.ClusterID `json:"cluster_id"`
	ClustersHealth *landscape.Health    `json:"clusters_health"`
	Tenant         string               `json:"tenant"`
}

// sapSystemsHealth answers GET /api/v1/sap_systems/health.
func (a *API) sapSystemsHealth(w http.ResponseWriter, _ *http.Request) error {
	answer := []healthSummary{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		systems, err := sapSystemsBySID(tx)
		if err != nil {
			return err
		}
		ground, err := newGround(tx)
		if err != nil {
			return err
		}
		for _, s := range systems {
			db, err := databaseOf(tx, s)
			if err != nil {
				return err
			}
			answer = append(answer, newHealthSummary(s, db, ground))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// ground is what SAP systems and databases stand on: the hosts and clusters of
// the landscape.
type ground struct {
	hosts    map[landscape.HostID]*landscape.Host
	clusters map[landscape.ClusterID]*landscape.Cluster
}

func newGround(tx *store.Tx) (ground, error) {
	g := ground{make(map[landscape.HostID]*landscape.Host), make(map[landscape.ClusterID]*landscape.Cluster)}
	for h, err := range tx.Hosts() {
		if err != nil {
			return g, err
		}
		g.hosts[h.ID] = h
	}
	for c, err := range tx.Clusters() {
		if err != nil {
			return g, err
		}
		g.clusters[c.ID] = c
	}
	return g, nil
}

// cluster is the cluster of the first of some hosts that is in one, or nil.
func (g ground) cluster(hosts []landscape.HostID) *landscape.Cluster {
	for _, id := range hosts {
		if h, ok := g.hosts[id]; ok {
			if c, ok := g.clusters[h.ClusterID]; ok {
				return c
			}
		}
	}
	return nil
}

func newHealthSummary(s *landscape.SAPSystem, db *landscape.Database, g ground) healthSummary {
	answer := healthSummary{
		ID: s.ID, SID: s.SID, Health: s.Health,
		DatabaseID: db.ID, DatabaseSID: db.SID, DatabaseHealth: db.Health, DatabaseStaleAt: momentOf(db.StaleSince),
		Tenant: db.SID,
	}
	var applications, hosts gathered
	var applicationHosts, databaseHosts []landscape.HostID
	for i := range s.Instances {
		instance := &s.Instances[i]
		applications.add(instance.Status.Health(), instance.StaleSince)
		applicationHosts = append(applicationHosts, instance.HostID)
	}
	for i := range db.Instances {
		databaseHosts = append(databaseHosts, db.Instances[i].HostID)
	}
	for _, ids := range [][]landscape.HostID{applicationHosts, databaseHosts} {
		for _, id := range ids {
			if h, ok := g.hosts[id]; ok {
				hosts.add(h.Health, h.StaleSince)
			}
		}
	}
	answer.ApplicationHealth, answer.ApplicationStaleAt = applications.health(), momentOf(applications.staleSince)
	answer.HostsHealth, answer.HostsStaleAt = hosts.health(), momentOf(hosts.staleSince)
	if c := g.cluster(applicationHosts); c != nil {
		answer.ApplicationClusterID, answer.ApplicationClusterHealth = &c.ID, &c.Health
		answer.ApplicationClusterStaleAt = momentOf(c.StaleSince)
	}
	if c := g.cluster(databaseHosts); c != nil {
		answer.DatabaseClusterID, answer.DatabaseClusterHealth = &c.ID, &c.Health
		answer.DatabaseClusterStaleAt = momentOf(c.StaleSince)
	}
	answer.ClusterID, answer.ClustersHealth = answer.DatabaseClusterID, answer.DatabaseClusterHealth
	return answer
}

// gathered is the health of several things, and the moment the first of those
// that are stale turned so.
type gathered struct {
	healths    []landscape.Health
	staleSince *time.Time
}

func (g *gathered) add(health landscape.Health, staleSince *time.Time) {
	g.healths = append(g.healths, health)
	if g.staleSince == nil || staleSince != nil && staleSince.Before(*g.staleSince) {
		g.staleSince = staleSince
	}
}

func (g *gathered) health() landscape.Health { return landscape.Worst(g.healths...) }
