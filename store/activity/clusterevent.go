package activity

import "time"

// ClusterFacts are the facts about a cluster that its designated controller
// reports.
type ClusterFacts struct {
	Kind            string   `json:"type"`
	Provider        string   `json:"provider"`
	State           string   `json:"state"`
	SAPInstances    Document `json:"sap_instances"`    // as the API shows them
	ResourcesNumber *int     `json:"resources_number"` // nil: not reported yet
	HostsNumber     *int     `json:"hosts_number"`     // nil: not reported yet
	Details         Document `json:"details"`          // as the API shows them
}

// ClusterRegistered says that a new cluster was registered.
type ClusterRegistered struct {
	Correlated
	AboutCluster
	ClusterFacts
	Health        string   `json:"health"`
	HealthDetails Document `json:"health_details"` // the health values from which Health was computed
}

func (*ClusterRegistered) Type() Type { return TypeClusterRegistered }

// ClusterDetailsUpdated says that the facts of a cluster have changed.
type ClusterDetailsUpdated struct {
	Correlated
	AboutCluster
	ClusterFacts
}

func (*ClusterDetailsUpdated) Type() Type { return TypeClusterDetailsUpdated }

// ClusterHealthChanged says that the health of a cluster has changed.
type ClusterHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"health"`
	Change
}

func (*ClusterHealthChanged) Type() Type           { return TypeClusterHealthChanged }
func (e *ClusterHealthChanged) message() string    { return e.Sentence("Cluster health", e.Health) }
func (e *ClusterHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// ClusterChecksHealthChanged says that the result of a cluster's checks has
// changed.
type ClusterChecksHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"checks_health"`
	Change
}

func (*ClusterChecksHealthChanged) Type() Type { return TypeClusterChecksHealthChanged }
func (e *ClusterChecksHealthChanged) message() string {
	return e.Sentence("Checks health for cluster", e.Health)
}
func (e *ClusterChecksHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// ClusterReplicationHealthChanged says that the health of the system
// replication in a cluster has changed.
type ClusterReplicationHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"replication_health"`
	Change
}

func (*ClusterReplicationHealthChanged) Type() Type { return TypeClusterReplicationHealthChanged }
func (e *ClusterReplicationHealthChanged) message() string {
	return e.Sentence("Cluster's replication health", e.Health)
}
func (e *ClusterReplicationHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// ClusterDistributedHealthChanged says that the SAP systems of a cluster now
// survive, or no longer survive, the loss of a node.
type ClusterDistributedHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"distributed_health"`
	Change
}

func (*ClusterDistributedHealthChanged) Type() Type { return TypeClusterDistributedHealthChanged }
func (e *ClusterDistributedHealthChanged) message() string {
	return e.Sentence("Cluster's ASCS/ERS nodes distribution health", e.Health)
}
func (e *ClusterDistributedHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// ClusterSBDHealthChanged says that the health of a cluster's SBD devices has
// changed.
type ClusterSBDHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"sbd_health"`
	Change
}

func (*ClusterSBDHealthChanged) Type() Type { return TypeClusterSBDHealthChanged }
func (e *ClusterSBDHealthChanged) message() string {
	return e.Sentence("Cluster's SBD fencing health", e.Health)
}
func (e *ClusterSBDHealthChanged) severity() Severity { return severityOfKnownHealth(e.Health) }

// ClusterDiscoveredHealthChanged is an event of an old version.
type ClusterDiscoveredHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"discovered_health"`
	Change
}

func (*ClusterDiscoveredHealthChanged) Type() Type { return TypeClusterDiscoveredHealthChanged }
func (e *ClusterDiscoveredHealthChanged) message() string {
	return e.Sentence("Cluster's discovered health", e.Health)
}

// HostAddedToCluster says that a host has joined a cluster.
type HostAddedToCluster struct {
	Correlated
	AboutCluster
	AboutHost
	Status string `json:"cluster_host_status"` // "online" or "offline"
}

func (*HostAddedToCluster) Type() Type { return TypeHostAddedToCluster }

// HostRemovedFromCluster says that a host has left a cluster.
type HostRemovedFromCluster struct {
	Correlated
	AboutCluster
	AboutHost
	DeregisteredAt *time.Time `json:"deregistered_at"` // always nil; clients expect the member
}

func (*HostRemovedFromCluster) Type() Type { return TypeHostRemovedFromCluster }

// ClusterHostStatusChanged says that a node of a cluster went online or
// offline.
type ClusterHostStatusChanged struct {
	Correlated
	AboutCluster
	AboutHost
	Status string `json:"cluster_host_status"` // "online" or "offline"
	Change
}

func (*ClusterHostStatusChanged) Type() Type { return TypeClusterHostStatusChanged }
func (e *ClusterHostStatusChanged) message() string {
	return e.Sentence("Cluster host status", e.Status)
}

// ClusterDataMarkedStale says that the data of a cluster is out of date,
// because a node no longer reports or its reports cannot be used.
type ClusterDataMarkedStale struct {
	Correlated
	AboutCluster
	StaleAt time.Time `json:"stale_at"`
}

func (*ClusterDataMarkedStale) Type() Type { return TypeClusterDataMarkedStale }

// ClusterDataMarkedInSync says that the data of a cluster is up to date again.
type ClusterDataMarkedInSync struct {
	Correlated
	AboutCluster
}

func (*ClusterDataMarkedInSync) Type() Type { return TypeClusterDataMarkedInSync }

// ClusterDeregistered says that a cluster has lost its last node.
type ClusterDeregistered struct {
	Correlated
	AboutCluster
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*ClusterDeregistered) Type() Type { return TypeClusterDeregistered }

// ClusterRestored says that a deregistered cluster was registered again.
type ClusterRestored struct {
	Correlated
	AboutCluster
}

func (*ClusterRestored) Type() Type { return TypeClusterRestored }

// ClusterChecksSelected says which checks were selected for a cluster.
type ClusterChecksSelected struct {
	AboutCluster
	Checks []string `json:"checks"`
	// Added and Removed are the differences to the selection before.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

func (*ClusterChecksSelected) Type() Type { return TypeClusterChecksSelected }

// ClusterDiscoveryRequested says that a user has asked the agents of a cluster
// for reports.
type ClusterDiscoveryRequested struct {
	AboutCluster
	Discoveries []string `json:"discovery_types"`
	HostIDs     []string `json:"host_ids"` // of the agents
}

func (*ClusterDiscoveryRequested) Type() Type { return TypeClusterDiscoveryRequested }
