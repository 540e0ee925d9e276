package activity

import "time"

// ClusterFacts is what is known of the inside of a cluster.
type ClusterFacts struct {
	Kind            string   `json:"type"`
	Provider        string   `json:"provider"`
	State           string   `json:"state"`
	SAPInstances    Document `json:"sap_instances"`    // as the API shows them
	ResourcesNumber *int     `json:"resources_number"` // nil: not told yet
	HostsNumber     *int     `json:"hosts_number"`     // nil: not told yet
	Details         Document `json:"details"`          // as the API shows them
}

// ClusterRegistered tells of a new cluster.
type ClusterRegistered struct {
	Correlated
	AboutCluster
	ClusterFacts
	Health        string   `json:"health"`
	HealthDetails Document `json:"health_details"` // what the health is made of
}

func (*ClusterRegistered) Type() Type { return TypeClusterRegistered }

// ClusterDetailsUpdated tells what is known of a cluster now.
type ClusterDetailsUpdated struct {
	Correlated
	AboutCluster
	ClusterFacts
}

func (*ClusterDetailsUpdated) Type() Type { return TypeClusterDetailsUpdated }

// ClusterHealthChanged tells of the health of a cluster.
type ClusterHealthChanged struct {
	Correlated
	AboutCluster
	Health string `json:"health"`
	Change
}

func (*ClusterHealthChanged) Type() Type           { return TypeClusterHealthChanged }
func (e *ClusterHealthChanged) message() string    { return e.Sentence("Cluster health", e.Health) }
func (e *ClusterHealthChanged) severity() Severity { return severityOfKnown(e.Health) }

// ClusterChecksHealthChanged tells of the checks of a cluster.
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
func (e *ClusterChecksHealthChanged) severity() Severity { return severityOfKnown(e.Health) }

// ClusterReplicationHealthChanged tells of the system replication in a cluster.
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
func (e *ClusterReplicationHealthChanged) severity() Severity { return severityOfKnown(e.Health) }

// ClusterDistributedHealthChanged tells whether the SAP systems of a cluster
// survive the loss of a node.
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
func (e *ClusterDistributedHealthChanged) severity() Severity { return severityOfKnown(e.Health) }

// ClusterSBDHealthChanged tells of the fencing devices of a cluster.
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
func (e *ClusterSBDHealthChanged) severity() Severity { return severityOfKnown(e.Health) }

// ClusterDiscoveredHealthChanged is of an old version.
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

// HostAddedToCluster tells that a host has joined a cluster.
type HostAddedToCluster struct {
	Correlated
	AboutCluster
	AboutHost
	Status string `json:"cluster_host_status"` // "online" or "offline"
}

func (*HostAddedToCluster) Type() Type { return TypeHostAddedToCluster }

// HostRemovedFromCluster tells that a host has left a cluster.
type HostRemovedFromCluster struct {
	Correlated
	AboutCluster
	AboutHost
	DeregisteredAt *time.Time `json:"deregistered_at"` // always nil: clients expect the member
}

func (*HostRemovedFromCluster) Type() Type { return TypeHostRemovedFromCluster }

// ClusterHostStatusChanged tells that a node of a cluster went online or
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

// ClusterDataMarkedStale tells that a node of a cluster has fallen silent.
type ClusterDataMarkedStale struct {
	Correlated
	AboutCluster
	StaleAt time.Time `json:"stale_at"`
}

func (*ClusterDataMarkedStale) Type() Type { return TypeClusterDataMarkedStale }

// ClusterDataMarkedInSync tells that all nodes of a cluster are heard again.
type ClusterDataMarkedInSync struct {
	Correlated
	AboutCluster
}

func (*ClusterDataMarkedInSync) Type() Type { return TypeClusterDataMarkedInSync }

// ClusterDeregistered tells that a cluster has lost its last node.
type ClusterDeregistered struct {
	Correlated
	AboutCluster
	DeregisteredAt time.Time `json:"deregistered_at"`
}

func (*ClusterDeregistered) Type() Type { return TypeClusterDeregistered }

// ClusterRestored tells that a cluster that was removed is back.
type ClusterRestored struct {
	Correlated
	AboutCluster
}

func (*ClusterRestored) Type() Type { return TypeClusterRestored }

// ClusterChecksSelected tells which checks are to be made of a cluster.
type ClusterChecksSelected struct {
	AboutCluster
	Checks []string `json:"checks"`
}

func (*ClusterChecksSelected) Type() Type { return TypeClusterChecksSelected }
