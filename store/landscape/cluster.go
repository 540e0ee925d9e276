package landscape

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ClusterID identifies a cluster. Every node derives the same one from the
// key its cluster communicates with.
type ClusterID string

// ClusterIDFromKey is the id of the cluster with a key. What agents report is a hash
// of that key.
func ClusterIDFromKey(key string) ClusterID {
	return ClusterID(uuid.NewSHA1(idSpace, []byte(key)).String())
}

// ClusterType says what a cluster keeps available.
type ClusterType string

// The types of clusters. Of the mixed and the unknown ones no details are
// known.
const (
	HANAScaleUp    ClusterType = "hana_scale_up"
	HANAScaleOut   ClusterType = "hana_scale_out"
	ASCSERS        ClusterType = "ascs_ers"
	HANAASCSERS    ClusterType = "hana_ascs_ers"
	ClusterUnknown ClusterType = "unknown"
)

// States of a cluster that are not the cluster software's own, which begin
// with S_.
const (
	ClusterStateStopped = "stopped" // all of its nodes are offline
	ClusterStateUnknown = "unknown"
)

// States of a host in its cluster.
const (
	ClusterHostOnline  = "online"
	ClusterHostOffline = "offline"
)

// Cluster is a group of hosts that keep something available together.
type Cluster struct {
	ID ClusterID `json:"id"`
	// Name is nil where the cluster has none.
	Name *string `json:"name"`
	ClusterFacts
	// CIBLastWritten is the time of the last change to the cluster's
	// configuration, in the words and the time zone of one of its nodes. It is
	// as of the last report that changed anything else; nil before the first
	// report of a node that is online.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`

	// Health is what Inputs added up to when one of them was last judged.
	Health Health        `json:"health"`
	Inputs ClusterInputs `json:"health_inputs"`

	// Members are ordered by host id.
	Members        []ClusterMember `json:"members"`
	SelectedChecks []string        `json:"selected_checks"`
	// StaleSince is the moment the first of the stale members turned stale; nil
	// where no member is.
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
	// Stale: the host fell silent, or its reports about the cluster could not be
	// used, and none that could has come since.
	Stale bool `json:"stale,omitzero"`
}

// Status is the status of the host in the cluster.
func (m ClusterMember) Status() string {
	if m.Offline {
		return ClusterHostOffline
	}
	return ClusterHostOnline
}

// member is the place of a host among the members; where it is none, the
// place it would take.
func (c *Cluster) member(host HostID) (int, bool) {
	return slices.BinarySearchFunc(c.Members, host, func(m ClusterMember, id HostID) int {
		return strings.Compare(string(m.HostID), string(id))
	})
}

// stale reports whether any member is.
func (c *Cluster) stale() bool {
	return slices.ContainsFunc(c.Members, func(m ClusterMember) bool { return m.Stale })
}

// stopped reports whether all members are offline.
func (c *Cluster) stopped() bool {
	return !slices.ContainsFunc(c.Members, func(m ClusterMember) bool { return !m.Offline })
}

// ClusterReport is what an ha_cluster_discovery says: that the host is in no
// cluster, where ID is empty; what an offline node knows; or what an online
// one sees.
type ClusterReport struct {
	ID     ClusterID `json:"id,omitzero"`
	Name   *string   `json:"name,omitempty"`
	Online bool      `json:"online,omitzero"`
	// CIBLastWritten is nil where the node is not online or does not tell.
	CIBLastWritten *string `json:"cib_last_written,omitempty"`
	// Facts is nil unless the node is the designated controller of the
	// cluster. What other nodes see does not count.
	Facts *ClusterFacts `json:"facts,omitempty"`
	// Unread: the designated controller has said something that could not be
	// read, and that the health of the cluster may hang on. Where Facts is nil,
	// what is known stays.
	Unread bool `json:"unread,omitzero"`
}

// ClusterFacts is what the designated controller of a cluster says about it.
type ClusterFacts struct {
	Type         ClusterType         `json:"type"`
	Provider     string              `json:"provider"`
	State        string              `json:"state"`
	SAPInstances []ClusteredInstance `json:"sap_instances"` // those of databases first
	// ResourcesNumber and HostsNumber count what is configured. They are nil
	// until a designated controller has told them.
	ResourcesNumber *int `json:"resources_number"`
	HostsNumber     *int `json:"hosts_number"`

	// At most one of the details is set, the one of Type.
	HANA    *HANADetails    `json:"hana,omitempty"`
	ASCSERS *ASCSERSDetails `json:"ascs_ers,omitempty"`
	// ResourceSIDs says which SAP system the resources of the details belong
	// to, by their id.
	ResourceSIDs map[string]string `json:"resource_sids,omitempty"`
}

// undescribed is what is known of a cluster whose designated controller has
// not reported yet.
func undescribed() ClusterFacts {
	return ClusterFacts{
		Type: ClusterUnknown, Provider: "unknown", State: ClusterStateUnknown, SAPInstances: []ClusteredInstance{},
	}
}

// described reports whether a designated controller has reported.
func (f *ClusterFacts) described() bool {
	return f.HostsNumber != nil || f.ResourcesNumber != nil || f.Type != ClusterUnknown
}

// Details are the details as the wire knows them, or nil.
func (f *ClusterFacts) Details() any {
	switch {
	case f.HANA != nil:
		return f.HANA
	case f.ASCSERS != nil:
		return f.ASCSERS
	}
	return nil
}

// SID is the system id of the database in the cluster; empty where there is
// none.
func (f *ClusterFacts) SID() string {
	for _, i := range f.SAPInstances {
		if i.ResourceType == DatabaseResource {
			return i.SID
		}
	}
	return ""
}

// AdditionalSIDs are the system ids of the instances in the cluster that are
// not run by the database's own resources, each once, in the order in which
// they come.
func (f *ClusterFacts) AdditionalSIDs() []string {
	sids := []string{}
	for _, i := range f.SAPInstances {
		if i.ResourceType == InstanceResource && !slices.Contains(sids, i.SID) {
			sids = append(sids, i.SID)
		}
	}
	return sids
}

// mounts reports whether the cluster runs an instance together with its file
// systems: the instance then moves with them.
func (f *ClusterFacts) mounts(sid, number string) bool {
	return slices.ContainsFunc(f.SAPInstances, func(i ClusteredInstance) bool {
		return i.SID == sid && i.Number == number && i.Mounted != nil && *i.Mounted
	})
}

// Resource types of clustered instances.
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
