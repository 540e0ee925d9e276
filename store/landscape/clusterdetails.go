package landscape

// HANADetails is the inside of a HANA cluster; its JSON is the details of the
// wire. Texts that nothing was found for are Unknown.
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

// Architectures of HANA clusters.
const (
	ClassicArchitecture = "classic"
	AngiArchitecture    = "angi"
)

// Scenarios of HANA clusters.
const (
	PerformanceOptimized = "performance_optimized"
	CostOptimized        = "cost_optimized" // the secondary site runs another system besides
)

// HANASite is a site of the system replication.
type HANASite struct {
	Name          string `json:"name"`
	State         string `json:"state"`
	SRHealthState string `json:"sr_health_state"`
}

// HANANode is a node of a HANA cluster. Nil fields are not known.
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
	Resources       []ClusterResource `json:"resources"` // without their node
}

// ASCSERSDetails is the inside of a cluster of central services; its JSON is
// the details of the wire.
type ASCSERSDetails struct {
	FencingType      *string            `json:"fencing_type"` // nil: no fencing
	MaintenanceMode  bool               `json:"maintenance_mode"`
	SBDDevices       []SBDDevice        `json:"sbd_devices"`
	StoppedResources []ClusterResource  `json:"stopped_resources"`
	Resources        []ClusterResource  `json:"resources"`
	SAPSystems       []ClusterSAPSystem `json:"sap_systems"`
}

// ClusterSAPSystem is the central services of an SAP system in a cluster.
type ClusterSAPSystem struct {
	SID                     string        `json:"sid"`
	FilesystemResourceBased bool          `json:"filesystem_resource_based"`
	Distributed             bool          `json:"distributed"` // its instances run, on two nodes
	Nodes                   []ASCSERSNode `json:"nodes"`
}

// ASCSERSNode is a node of a cluster as one SAP system sees it: what is listed
// belongs to that system and runs on the node now. Nil texts were not
// configured.
type ASCSERSNode struct {
	Name        string            `json:"name"`
	Status      string            `json:"status"`
	Roles       []string          `json:"roles"`
	VirtualIPs  []*string         `json:"virtual_ips"`
	Filesystems []*string         `json:"filesystems"`
	Attributes  map[string]string `json:"attributes"`
	Resources   []ClusterResource `json:"resources"` // without their node
}

// Roles of a node for an SAP system.
const (
	ASCSRole = "ascs"
	ERSRole  = "ers"
)

// ClusterResource is something the cluster starts and watches, or one copy of
// it. Of a stopped one only the first three fields are set.
type ClusterResource struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"` // the agent that runs it, ocf::suse:SAPHana
	Role      string          `json:"role"`
	Status    *string         `json:"status"`     // nil: none of the known ones
	FailCount *int            `json:"fail_count"` // nil: not known
	Managed   *bool           `json:"managed"`
	Node      *string         `json:"node"`   // nil: runs nowhere
	Parent    *ResourceParent `json:"parent"` // nil: stands alone
}

// ResourceParent is the group or clone that a resource is in. MultiState is
// nil for a group, true for a clone of which one copy is promoted.
type ResourceParent struct {
	ID         string `json:"id"`
	Managed    *bool  `json:"managed"`
	MultiState *bool  `json:"multi_state"`
}

// SBDDevice is a disk that nodes are fenced through.
type SBDDevice struct {
	Device string `json:"device"`
	Status string `json:"status"`
}

// States of an SBD device. Unknown: its own, or the device, could not be read.
const (
	SBDHealthy   = "healthy"
	SBDUnhealthy = "unhealthy"
	SBDUnknown   = "unknown"
)
