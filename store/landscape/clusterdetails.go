package landscape

// HANADetails are the details of a HANA cluster. Their JSON form is part of the
// API. A text is "Unknown" if the report does not contain the value.
type HANADetails struct {
	Architecture       string            `json:"architecture_type"`
	Scenario           string            `json:"hana_scenario"`
	ReplicationMode    string            `json:"system_replication_mode"`
	OperationMode      string            `json:"system_replication_operation_mode"`
	SecondarySyncState string            `json:"secondary_sync_state"`
	SRHealthState      string            `json:"sr_health_state"`
	FencingType        *string           `json:"fencing_type"` // nil: no fencing
	MaintenanceMode    bool              `json:"maintenance_mode"`
	SBDDevices         []SBDDevice       `json:"sbd_devices"`
	Sites              []HANASite        `json:"sites"`
	StoppedResources   []ClusterResource `json:"stopped_resources"`
	Resources          []ClusterResource `json:"resources"`
	Nodes              []HANANode        `json:"nodes"`
}

// The architectures of HANA clusters.
const (
	ClassicArchitecture = "classic"
	AngiArchitecture    = "angi"
)

// The scenarios of HANA clusters.
const (
	PerformanceOptimized = "performance_optimized"
	CostOptimized        = "cost_optimized" // the secondary site also runs another system
)

// HANASite is a site of the system replication.
type HANASite struct {
	Name          string `json:"name"`
	State         string `json:"state"`
	SRHealthState string `json:"sr_health_state"`
}

// HANANode is a node of a HANA cluster. Fields that are nil are not known.
type HANANode struct {
	Name            string            `json:"name"`
	Site            *string           `json:"site"`
	Status          string            `json:"status"`
	HANAStatus      string            `json:"hana_status"`
	NameserverRole  *string           `json:"nameserver_actual_role"`
	IndexserverRole *string           `json:"indexserver_actual_role"`
	VirtualIP       *string           `json:"virtual_ip"`
	MajorityMaker   bool              `json:"is_majority_maker"`
	Attributes      map[string]string `json:"attributes"`
	Resources       []ClusterResource `json:"resources"` // Node of each resource is nil
}

// ASCSERSDetails are the details of a cluster of central services. Their JSON
// form is part of the API.
type ASCSERSDetails struct {
	FencingType      *string            `json:"fencing_type"` // nil: no fencing
	MaintenanceMode  bool               `json:"maintenance_mode"`
	SBDDevices       []SBDDevice        `json:"sbd_devices"`
	StoppedResources []ClusterResource  `json:"stopped_resources"`
	Resources        []ClusterResource  `json:"resources"`
	SAPSystems       []ClusterSAPSystem `json:"sap_systems"`
}

// ClusterSAPSystem holds the central services of an SAP system in a cluster.
type ClusterSAPSystem struct {
	SID                     string        `json:"sid"`
	FilesystemResourceBased bool          `json:"filesystem_resource_based"`
	Distributed             bool          `json:"distributed"` // true if its two instances run on two different nodes
	Nodes                   []ASCSERSNode `json:"nodes"`
}

// ASCSERSNode is a node of a cluster with the resources of one SAP system that
// run on it now. Texts that are nil are not configured.
type ASCSERSNode struct {
	Name        string            `json:"name"`
	Status      string            `json:"status"`
	Roles       []string          `json:"roles"`
	VirtualIPs  []*string         `json:"virtual_ips"`
	Filesystems []*string         `json:"filesystems"`
	Attributes  map[string]string `json:"attributes"`
	Resources   []ClusterResource `json:"resources"` // Node of each resource is nil
}

// The roles of a node for an SAP system.
const (
	ASCSRole = "ascs"
	ERSRole  = "ers"
)

// ClusterResource is a resource that the cluster starts and monitors, or one
// copy of a cloned resource. For a stopped resource only ID, Type and Role are
// set.
type ClusterResource struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"` // the resource agent, such as ocf::suse:SAPHana
	Role      string          `json:"role"`
	Status    *string         `json:"status"`     // nil: the status is not one of the known ones
	FailCount *int            `json:"fail_count"` // nil: not known
	Managed   *bool           `json:"managed"`
	Node      *string         `json:"node"`   // nil: the resource runs on no node
	Parent    *ResourceParent `json:"parent"` // nil: the resource is in no group or clone
}

// ResourceParent is the group or clone that contains a resource. MultiState is
// nil for a group. For a clone it says whether one copy is promoted.
type ResourceParent struct {
	ID         string `json:"id"`
	Managed    *bool  `json:"managed"`
	MultiState *bool  `json:"multi_state"`
}

// SBDDevice is a disk through which nodes are fenced.
type SBDDevice struct {
	Device string `json:"device"`
	Status string `json:"status"`
}

// The states of an SBD device. SBDUnknown means that the report could not be
// read.
const (
	SBDHealthy   = "healthy"
	SBDUnhealthy = "unhealthy"
	SBDUnknown   = "unknown"
)
