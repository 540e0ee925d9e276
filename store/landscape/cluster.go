package landscape

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ClusterID identifies a cluster. All of its nodes derive the same id from the
// key that the cluster communicates with.
type ClusterID string

// ClusterIDFromKey returns the id of the cluster with a key. Agents report a hash
// of the key.
func ClusterIDFromKey(key string) ClusterID {
	return ClusterID(uuid.NewSHA1(idSpace, []byte(key)).String())
}

// ClusterType says what a cluster makes highly available.
type ClusterType string

// The types of clusters. There are no details of mixed and unknown ones.
const (
	HANAScaleUp    ClusterType = "hana_scale_up"
	HANAScaleOut   ClusterType = "hana_scale_out"
	ASCSERS        ClusterType = "ascs_ers"
	HANAASCSERS    ClusterType = "hana_ascs_ers"
	ClusterUnknown ClusterType = "unknown"
)

// The states of a cluster, beside those of the cluster software, which begin
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

// Cluster is a group of hosts that make something highly available together.
type Cluster struct {
	ID ClusterID `json:"id"`
	// Name is nil where the cluster has none.
	Name *string `json:"name"`
	ClusterFacts
	// CIBLastWritten is the time of the last change to the configuration of the
	// cluster, as a text in the time zone of one of its nodes. It is that of the
	// last report that changed anything else; nil before the first report of a
	// node that is online.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`

	// Health is the sum of Inputs, as it was last evaluated.
	Health Health        `json:"health"`
	Inputs ClusterInputs `json:"health_inputs"`

	// Members are ordered by host id.
	Members        []ClusterMember `json:"members"`
	SelectedChecks []string        `json:"selected_checks"`
	// StaleSince is when the first of the stale members turned stale; nil where no
	// member is stale.
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
	// Offline: the cluster software does not run on the host.
	Offline bool `json:"offline,omitzero"`
	// Stale: the host fell silent, or its cluster reports could not be used, and it
	// has sent none since that could.
	Stale bool `json:"stale,omitzero"`
}

// Status returns the status of the host in the cluster.
func (m ClusterMember) Status() string {
	if m.Offline {
		return ClusterHostOffline
	}
	return ClusterHostOnline
}

// memberIndex returns the index of a host among the members; where it is not a
// member, the index at which it has to be inserted.
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

// ClusterReport is the content of an ha_cluster_discovery. ID is empty if the
// host is not in a cluster. An offline node reports little more than the id.
type ClusterReport struct {
	ID     ClusterID `json:"id,omitzero"`
	Name   *string   `json:"name,omitempty"`
	Online bool      `json:"online,omitzero"`
	// CIBLastWritten is nil where it is not told.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`
	// Facts is nil unless the node is the designated controller of the cluster.
	Facts *ClusterFacts `json:"facts,omitempty"`
	// Unread: something could not be read on which the health of the cluster may
	// depend. Where Facts is nil, the known facts stay.
	Unread bool `json:"unread,omitzero"`
}

// ClusterFacts is what the designated controller of a cluster says about it.
type ClusterFacts struct {
	Type         ClusterType         `json:"type"`
	Provider     string              `json:"provider"`
	State        string              `json:"state"`
	SAPInstances []ClusteredInstance `json:"sap_instances"` // those of databases first
	// ResourcesNumber and HostsNumber count what is configured; nil before the
	// first report of a designated controller.
	ResourcesNumber *int `json:"resources_number"`
	HostsNumber     *int `json:"hosts_number"`

	// At most one of the details is set, the one of Type.
	HANA    *HANADetails    `json:"hana,omitempty"`
	ASCSERS *ASCSERSDetails `json:"ascs_ers,omitempty"`
	// ResourceSIDs has the SID of the system that a resource of the details belongs
	// to, by the id of the resource.
	ResourceSIDs map[string]string `json:"resource_sids,omitempty"`
}

// undescribed returns the facts of a cluster whose designated controller has not
// reported yet.
func undescribed() ClusterFacts {
	return ClusterFacts{
		Type: ClusterUnknown, Provider: "unknown", State: ClusterStateUnknown, SAPInstances: []ClusteredInstance{},
	}
}

// isDescribed reports whether a designated controller has reported.
func (f *ClusterFacts) isDescribed() bool {
	return f.HostsNumber != nil || f.ResourcesNumber != nil || f.Type != ClusterUnknown
}

// Details returns the details that belong to the type, as the API shows them;
// nil where there are none.
func (f *ClusterFacts) Details() any {
	switch {
	case f.HANA != nil:
		return f.HANA
	case f.ASCSERS != nil:
		return f.ASCSERS
	}
	return nil
}

// SID returns the SID of the database in the cluster; empty where there is none.
func (f *ClusterFacts) SID() string {
	for _, i := range f.SAPInstances {
		if i.ResourceType == DatabaseResource {
			return i.SID
		}
	}
	return ""
}

// AdditionalSIDs returns the SIDs of the instances in the cluster that general
// resources run, not those for databases; each once, in the order of the
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

// mounts reports whether the cluster mounts the file systems of an instance where
// it runs it: the instance may then move.
func (f *ClusterFacts) mounts(sid, number string) bool {
	return slices.ContainsFunc(f.SAPInstances, func(i ClusteredInstance) bool {
		return i.SID == sid && i.Number == number && i.Mounted != nil && *i.Mounted
	})
}

// The resource types of clustered instances.
const (
	DatabaseResource = "sap_hana_topology" // for HANA, by its topology resource
	InstanceResource = "sap_instance"      // for any instance, by the general resource
)

// ClusteredInstance is an SAP instance that a resource of the cluster runs.
// Hostname, ResourceID and Mounted are nil for DatabaseResource.
type ClusteredInstance struct {
	Name         string  `json:"name"`
	SID          string  `json:"sid"`
	Number       string  `json:"instance_number"`
	Hostname     *string `json:"hostname"` // virtual
	ResourceID   *string `json:"resource_id"`
	ResourceType string  `json:"resource_type"`
	Mounted      *bool   `json:"mounted"` // its file systems are resources, too
}
