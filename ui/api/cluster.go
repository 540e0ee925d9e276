package api

import (
	"cmp"
	"net/http"

	"trento/store"
	"trento/store/landscape"
)

// cluster is a cluster in answers of the API.
type cluster struct {
	clusterCommon
	State        string              `json:"state"`
	SAPInstances []clusteredInstance `json:"sap_instances"`
	StaleAt      *timestamp          `json:"stale_at"`
}

// clusterCommon are the members of a cluster that both versions of the API
// have.
type clusterCommon struct {
	ID              landscape.ClusterID   `json:"id"`
	Name            *string               `json:"name"`
	Type            landscape.ClusterType `json:"type"`
	Provider        string                `json:"provider"`
	SID             string                `json:"sid"`
	AdditionalSIDs  []string              `json:"additional_sids"`
	Health          landscape.Health      `json:"health"`
	SelectedChecks  []string              `json:"selected_checks"`
	ResourcesNumber *int                  `json:"resources_number"`
	HostsNumber     *int                  `json:"hosts_number"`
	CIBLastWritten  *string               `json:"cib_last_written"`
	Details         any                   `json:"details"`
	Tags            []tag                 `json:"tags"`
	InsertedAt      timestamp             `json:"inserted_at"`
	UpdatedAt       timestamp             `json:"updated_at"`
}

// clusteredInstance is an SAP instance that a cluster runs.
type clusteredInstance struct {
	SID    string `json:"sid"`
	Number string `json:"instance_number"`
}

// clusterRecords are the records from which a cluster in a list is built. They
// are its key in a listCache.
type clusterRecords struct {
	cluster *landscape.Cluster
	tags    *store.Tag
}

// listClusters answers GET /api/v2/clusters with all clusters, sorted by name.
func (a *API) listClusters(w http.ResponseWriter, r *http.Request) error {
	return a.sendClusters(w, r, &a.clusterList, func(c *landscape.Cluster, tags []store.Tag) any { return newCluster(c, tags) })
}

// listClustersV1 answers GET /api/v1/clusters. The route is deprecated: its
// answer describes only HANA clusters in detail.
func (a *API) listClustersV1(w http.ResponseWriter, r *http.Request) error {
	return a.sendClusters(w, r, &a.clusterListV1, func(c *landscape.Cluster, tags []store.Tag) any { return newClusterV1(c, tags) })
}

// sendClusters answers with all clusters, each built by build, sorted by name
// and then by id. Clusters without a name come last.
func (a *API) sendClusters(w http.ResponseWriter, r *http.Request, list *listing[clusterRecords], shape func(*landscape.Cluster, []store.Tag) any) error {
	return list.answer(a, w, r, a.deps.Lists.Clusters, func(tx *store.Tx) ([]row[clusterRecords], error) {
		clusters, err := sorted(tx.Clusters(), func(x, y *landscape.Cluster) int {
			return cmp.Or(compareNames(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
		})
		if err != nil {
			return nil, err
		}
		rows := make([]row[clusterRecords], len(clusters))
		for i, c := range clusters {
			tags, err := tx.Tags(store.ClusterTag, string(c.ID))
			if err != nil {
				return nil, err
			}
			name := "\U0010FFFF" // the last character there is
			if c.Name != nil {
				name = *c.Name
			}
			rows[i] = row[clusterRecords]{
				key: clusterRecords{c, firstTag(tags)}, id: string(c.ID), name: name,
				build: func() any { return shape(c, tags) },
			}
		}
		return rows, nil
	})
}

// compareNames compares names; nil comes last.
func compareNames(x, y *string) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	return cmp.Compare(*x, *y)
}

func newCluster(c *landscape.Cluster, tags []store.Tag) cluster {
	answer := cluster{
		clusterCommon: newClusterCommon(c, tags),
		State:         c.State, StaleAt: timestampOf(c.StaleSince), SAPInstances: make([]clusteredInstance, len(c.SAPInstances)),
	}
	for i, instance := range c.SAPInstances {
		answer.SAPInstances[i] = clusteredInstance{SID: instance.SID, Number: instance.Number}
	}
	return answer
}

func newClusterCommon(c *landscape.Cluster, tags []store.Tag) clusterCommon {
	return clusterCommon{
		ID: c.ID, Name: c.Name, Type: c.Type, Provider: c.Provider, SID: c.SID(), AdditionalSIDs: c.AdditionalSIDs(),
		Health: c.Health, SelectedChecks: orEmpty(c.SelectedChecks), ResourcesNumber: c.ResourcesNumber, HostsNumber: c.HostsNumber,
		CIBLastWritten: c.CIBLastWritten, Details: c.Details(), Tags: newTags(store.ClusterTag, c.ID, tags),
		InsertedAt: timestamp(c.RegisteredAt), UpdatedAt: timestamp(c.UpdatedAt),
	}
}

// hanaDetailsV1 are the details of a HANA cluster in version 1 of the API.
type hanaDetailsV1 struct {
	ReplicationMode    string                `json:"system_replication_mode"`
	OperationMode      string                `json:"system_replication_operation_mode"`
	SecondarySyncState string                `json:"secondary_sync_state"`
	SRHealthState      string                `json:"sr_health_state"`
	FencingType        *string               `json:"fencing_type"`
	SBDDevices         []landscape.SBDDevice `json:"sbd_devices"`
	StoppedResources   []resourceV1          `json:"stopped_resources"`
	Nodes              []hanaNodeV1          `json:"nodes"`
}

type hanaNodeV1 struct {
	Name          string            `json:"name"`
	Site          *string           `json:"site"`
	HANAStatus    string            `json:"hana_status"`
	VirtualIP     *string           `json:"virtual_ip"`
	MajorityMaker bool              `json:"is_majority_maker"`
	Attributes    map[string]string `json:"attributes"`
	Resources     []resourceV1      `json:"resources"`
}

type resourceV1 struct {
	ID        string  `json:"id"`
	Type      string  `json:"type"`
	Role      string  `json:"role"`
	Status    *string `json:"status"`
	FailCount *int    `json:"fail_count"`
}

// newClusterV1 returns a cluster for version 1 of the API. Types other than the
// HANA ones become "unknown".
func newClusterV1(c *landscape.Cluster, tags []store.Tag) clusterCommon {
	answer := newClusterCommon(c, tags)
	if c.HANA == nil {
		answer.Details = nil
	} else {
		answer.Details = newHANADetailsV1(c.HANA)
	}
	if c.Type != landscape.HANAScaleUp && c.Type != landscape.HANAScaleOut {
		answer.Type = landscape.ClusterUnknown
	}
	return answer
}

func newHANADetailsV1(d *landscape.HANADetails) hanaDetailsV1 {
	answer := hanaDetailsV1{
		ReplicationMode: d.ReplicationMode, OperationMode: d.OperationMode, SecondarySyncState: d.SecondarySyncState,
		SRHealthState: d.SRHealthState, FencingType: d.FencingType, SBDDevices: d.SBDDevices,
		StoppedResources: newResourcesV1(d.StoppedResources), Nodes: make([]hanaNodeV1, len(d.Nodes)),
	}
	for i, n := range d.Nodes {
		answer.Nodes[i] = hanaNodeV1{
			Name: n.Name, Site: n.Site, HANAStatus: n.HANAStatus, VirtualIP: n.VirtualIP, MajorityMaker: n.MajorityMaker,
			Attributes: n.Attributes, Resources: newResourcesV1(n.Resources),
		}
	}
	return answer
}

func newResourcesV1(resources []landscape.ClusterResource) []resourceV1 {
	answer := make([]resourceV1, len(resources))
	for i, r := range resources {
		answer[i] = resourceV1{ID: r.ID, Type: r.Type, Role: r.Role, Status: r.Status, FailCount: r.FailCount}
	}
	return answer
}
