package landscape

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ClusterID identifies a cluster. All nodes derive the same id from the
// authentication key of the cluster.
type ClusterID string

// ClusterIDFromKey returns the id of the cluster whose authentication key has
// the given hash, as agents report it.
func ClusterIDFromKey(key string) ClusterID {
	return ClusterID(uuid.NewSHA1(idNamespace, []byte(key)).String())
}

// ClusterType is the kind of SAP software that a cluster makes highly
// available.
type ClusterType string

// The types of clusters. Clusters of a mixed or unknown type have no details.
const (
	HANAScaleUp    ClusterType = "hana_scale_up"
	HANAScaleOut   ClusterType = "hana_scale_out"
	ASCSERS        ClusterType = "ascs_ers"
	HANAASCSERS    ClusterType = "hana_ascs_ers"
	ClusterUnknown ClusterType = "unknown"
)

// The states of a cluster besides those of the cluster software, which begin
// with S_.
const (
	ClusterStateStopped = "stopped" // all of its nodes are offline
	ClusterStateUnknown = "unknown"
)

// The states of a host in its cluster.
const (
	ClusterHostOnline  = "online"
	ClusterHostOffline = "offline"
)

// Cluster is a group of hosts that together make SAP software highly available.
type Cluster struct {
	ID ClusterID `json:"id"`
	// Name is nil if the cluster has no name.
	Name *string `json:"name"`
	ClusterFacts
	// CIBLastWritten is the time of the last change to the cluster
	// configuration, as text in the time zone of a node. It is taken from the
	// last report that changed another value of the cluster. It is nil before
	// the first report of an online node.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`
	// SyncChangedAt is the time at which the cluster last reported another state of
	// the replication between its sites; nil if the state is as it was first
	// reported.
	SyncChangedAt *time.Time `json:"sync_changed_at,omitempty"`

	// Health is the overall health of Inputs when they were last evaluated.
	Health Health        `json:"health"`
	Inputs ClusterInputs `json:"health_inputs"`

	// Members are ordered by host id.
	Members        []ClusterMember `json:"members"`
	SelectedChecks []string        `json:"selected_checks"`
	// StaleSince is the time at which the first stale member became stale; nil
	// if no member is stale.
	StaleSince *time.Time `json:"stale_since,omitempty"`

	RegisteredAt   time.Time  `json:"registered_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	DeregisteredAt *time.Time `json:"deregistered_at,omitempty"`
}

// Registered reports whether the cluster is part of the landscape now.
func (c *Cluster) Registered() bool { return c.DeregisteredAt == nil }

// clone returns a copy whose own fields and members may be modified.
func (c *Cluster) clone() *Cluster {
	after := *c
	after.Members = slices.Clone(c.Members)
	return &after
}

// ClusterMember is a host of a cluster.
type ClusterMember struct {
	HostID HostID `json:"host_id"`
	// Offline is true if the cluster software does not run on the host.
	Offline bool `json:"offline,omitzero"`
	// Stale is true if the heartbeat of the host was lost or its cluster
	// reports could not be used, and it has sent no usable cluster report
	// since.
	Stale bool `json:"stale,omitzero"`
}

// Status returns the status of the host in the cluster.
func (m ClusterMember) Status() string {
	if m.Offline {
		return ClusterHostOffline
	}
	return ClusterHostOnline
}

// memberIndex returns the index of a host in Members. If the host is not a
// member, it returns the index at which to insert it.
func (c *Cluster) memberIndex(host HostID) (int, bool) {
	return slices.BinarySearchFunc(c.Members, host, func(m ClusterMember, id HostID) int {
		return strings.Compare(string(m.HostID), string(id))
	})
}

// hasStaleMember reports whether any member is stale.
func (c *Cluster) hasStaleMember() bool {
	return slices.ContainsFunc(c.Members, func(m ClusterMember) bool { return m.Stale })
}

// isStopped reports whether all members are offline.
func (c *Cluster) isStopped() bool {
	return !slices.ContainsFunc(c.Members, func(m ClusterMember) bool { return !m.Offline })
}

// ClusterReport is the content of an ha_cluster_discovery. ID is "" if the host
// is in no cluster. An offline node reports little more than the id.
type ClusterReport struct {
	ID     ClusterID `json:"id,omitzero"`
	Name   *string   `json:"name,omitempty"`
	Online bool      `json:"online,omitzero"`
	// CIBLastWritten is nil if it was not reported.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`
	// Facts is nil unless the node is the designated controller of the cluster.
	Facts *ClusterFacts `json:"facts,omitempty"`
	// Unread is true if a value that may affect the health of the cluster could
	// not be read. If Facts is nil then, the known facts stay.
	Unread bool `json:"unread,omitzero"`
}

// ClusterFacts are the facts that the designated controller of a cluster
// reports.
type ClusterFacts struct {
	Type         ClusterType         `json:"type"`
	Provider     string              `json:"provider"`
	State        string              `json:"state"`
	SAPInstances []ClusteredInstance `json:"sap_instances"` // instances of databases first
	// ResourcesNumber and HostsNumber are the numbers of configured resources
	// and hosts. They are nil before the first report of a designated
	// controller.
	ResourcesNumber *int `json:"resources_number"`
	HostsNumber     *int `json:"hosts_number"`

	// The details that belong to Type. At most one is set.
	HANA    *HANADetails    `json:"hana,omitempty"`
	ASCSERS *ASCSERSDetails `json:"ascs_ers,omitempty"`
	// ResourceSIDs maps the id of a resource in the details to the SID of the
	// system that the resource belongs to.
	ResourceSIDs map[string]string `json:"resource_sids,omitempty"`
}

// initialClusterFacts returns the facts of a cluster before the first report of
// its designated controller.
func initialClusterFacts() ClusterFacts {
	return ClusterFacts{
		Type: ClusterUnknown, Provider: "unknown", State: ClusterStateUnknown, SAPInstances: []ClusteredInstance{},
	}
}

// isDescribed reports whether a designated controller has ever reported.
func (f *ClusterFacts) isDescribed() bool {
	return f.HostsNumber != nil || f.ResourcesNumber != nil || f.Type != ClusterUnknown
}

// Details returns the details that belong to the type, as the API shows them;
// nil if there are none.
func (f *ClusterFacts) Details() any {
	switch {
	case f.HANA != nil:
		return f.HANA
	case f.ASCSERS != nil:
		return f.ASCSERS
	}
	return nil
}

// SID returns the SID of the database in the cluster; "" if there is none.
func (f *ClusterFacts) SID() string {
	for _, i := range f.SAPInstances {
		if i.ResourceType == DatabaseResource {
			return i.SID
		}
	}
	return ""
}

// AdditionalSIDs returns the SIDs of the instances that resources of the type
// InstanceResource run. It returns each SID once, in the order of the
// instances.
func (f *ClusterFacts) AdditionalSIDs() []string {
	sids := []string{}
	for _, i := range f.SAPInstances {
		if i.ResourceType == InstanceResource && !slices.Contains(sids, i.SID) {
			sids = append(sids, i.SID)
		}
	}
	return sids
}

// mountsFilesystemsOf reports whether the cluster mounts the file systems of an
// instance on the node where it runs the instance. Such an instance can move to
// another node.
func (f *ClusterFacts) mountsFilesystemsOf(sid, number string) bool {
	return slices.ContainsFunc(f.SAPInstances, func(i ClusteredInstance) bool {
		return i.SID == sid && i.Number == number && i.Mounted != nil && *i.Mounted
	})
}

// The resource types of clustered instances.
const (
	DatabaseResource = "sap_hana_topology" // a HANA instance, found by its topology resource
	InstanceResource = "sap_instance"      // any SAP instance, found by its instance resource
)

// ClusteredInstance is an SAP instance that a cluster resource runs. Hostname,
// ResourceID and Mounted are nil for DatabaseResource.
type ClusteredInstance struct {
	Name         string  `json:"name"`
	SID          string  `json:"sid"`
	Number       string  `json:"instance_number"`
	Hostname     *string `json:"hostname"` // the virtual hostname
	ResourceID   *string `json:"resource_id"`
	ResourceType string  `json:"resource_type"`
	Mounted      *bool   `json:"mounted"` // true if cluster resources mount its file systems
}
