package api

import (
	"net/http"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// healthSummary is the health of an SAP system and of everything it depends on,
// in answers of the API. The last three members repeat members of the database,
// for older clients.
type healthSummary struct {
	ID     landscape.SAPSystemID `json:"id"`
	SID    string                `json:"sid"`
	Health landscape.Health      `json:"sapsystem_health"`

	ApplicationHealth         landscape.Health     `json:"application_health"`
	ApplicationStaleAt        *timestamp           `json:"application_stale_at"`
	ApplicationClusterID      *landscape.ClusterID `json:"application_cluster_id"`
	ApplicationClusterHealth  *landscape.Health    `json:"application_cluster_health"`
	ApplicationClusterStaleAt *timestamp           `json:"application_cluster_stale_at"`

	DatabaseID             landscape.DatabaseID `json:"database_id"`
	DatabaseSID            string               `json:"database_sid"`
	DatabaseHealth         landscape.Health     `json:"database_health"`
	DatabaseStaleAt        *timestamp           `json:"database_stale_at"`
	DatabaseClusterID      *landscape.ClusterID `json:"database_cluster_id"`
	DatabaseClusterHealth  *landscape.Health    `json:"database_cluster_health"`
	DatabaseClusterStaleAt *timestamp           `json:"database_cluster_stale_at"`

	HostsHealth  landscape.Health `json:"hosts_health"`
	HostsStaleAt *timestamp       `json:"hosts_stale_at"`

	ClusterID      *landscape.ClusterID `json:"cluster_id"`
	ClustersHealth *landscape.Health    `json:"clusters_health"`
	Tenant         string               `json:"tenant"`
}

// listHealth answers GET /api/v1/sap_systems/health.
func (a *API) listHealth(w http.ResponseWriter, r *http.Request) error {
	return a.healthList.answer(a, w, r, a.deps.Lists.Health, func(tx *store.Tx) ([]row[landscape.SAPSystemID], error) {
		systems, err := sapSystemsBySID(tx)
		if err != nil {
			return nil, err
		}
		surroundings, err := allHostsAndClusters(tx)
		if err != nil {
			return nil, err
		}
		rows := make([]row[landscape.SAPSystemID], len(systems))
		for i, s := range systems {
			db, err := databaseOf(tx, s)
			if err != nil {
				return nil, err
			}
			rows[i] = row[landscape.SAPSystemID]{
				key: s.ID, id: string(s.ID), name: s.SID,
				build: func() any { return newHealthSummary(s, db, surroundings) },
			}
		}
		return rows, nil
	})
}

// hostsAndClusters are all hosts and clusters, by id.
type hostsAndClusters struct {
	hosts    map[landscape.HostID]*landscape.Host
	clusters map[landscape.ClusterID]*landscape.Cluster
}

func allHostsAndClusters(tx *store.Tx) (hostsAndClusters, error) {
	g := hostsAndClusters{make(map[landscape.HostID]*landscape.Host), make(map[landscape.ClusterID]*landscape.Cluster)}
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

// clusterOf returns the cluster of the first host that belongs to one, or nil
// if none does.
func (g hostsAndClusters) clusterOf(hosts []landscape.HostID) *landscape.Cluster {
	for _, id := range hosts {
		if h, ok := g.hosts[id]; ok {
			if c, ok := g.clusters[h.ClusterID]; ok {
				return c
			}
		}
	}
	return nil
}

func newHealthSummary(s *landscape.SAPSystem, db *landscape.Database, g hostsAndClusters) healthSummary {
	answer := healthSummary{
		ID: s.ID, SID: s.SID, Health: s.Health,
		DatabaseID: db.ID, DatabaseSID: db.SID, DatabaseHealth: db.Health, DatabaseStaleAt: timestampOf(db.StaleSince),
		Tenant: db.SID,
	}
	var applications, hosts worstHealth
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
	answer.ApplicationHealth, answer.ApplicationStaleAt = applications.health(), timestampOf(applications.staleSince)
	answer.HostsHealth, answer.HostsStaleAt = hosts.health(), timestampOf(hosts.staleSince)
	if c := g.clusterOf(applicationHosts); c != nil {
		answer.ApplicationClusterID, answer.ApplicationClusterHealth = &c.ID, &c.Health
		answer.ApplicationClusterStaleAt = timestampOf(c.StaleSince)
	}
	if c := g.clusterOf(databaseHosts); c != nil {
		answer.DatabaseClusterID, answer.DatabaseClusterHealth = &c.ID, &c.Health
		answer.DatabaseClusterStaleAt = timestampOf(c.StaleSince)
	}
	answer.ClusterID, answer.ClustersHealth = answer.DatabaseClusterID, answer.DatabaseClusterHealth
	return answer
}

// worstHealth collects the worst health of several hosts or instances, and the
// earliest time since which one of them has been stale.
type worstHealth struct {
	healths    []landscape.Health
	staleSince *time.Time
}

func (g *worstHealth) add(health landscape.Health, staleSince *time.Time) {
	g.healths = append(g.healths, health)
	if g.staleSince == nil || staleSince != nil && staleSince.Before(*g.staleSince) {
		g.staleSince = staleSince
	}
}

func (g *worstHealth) health() landscape.Health { return landscape.Worst(g.healths...) }
