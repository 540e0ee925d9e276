package landscape

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// clusterLandscape is a landscape of hosts and clusters. Its records were written
// and read back, like those of the store.
type clusterLandscape struct {
	State
	t        *testing.T
	now      time.Time
	hosts    map[HostID]*Host
	clusters map[ClusterID]*Cluster
}

func newClusterLandscape(t *testing.T) *clusterLandscape {
	return &clusterLandscape{
		t: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		hosts: make(map[HostID]*Host), clusters: make(map[ClusterID]*Cluster),
	}
}

func (h *clusterLandscape) Host(id HostID) (*Host, error)          { return lookup(h.hosts, id) }
func (h *clusterLandscape) Cluster(id ClusterID) (*Cluster, error) { return lookup(h.clusters, id) }

// No SAP runs on the hosts.
func (h *clusterLandscape) DatabasesOn(HostID) ([]DatabaseID, error)   { return nil, nil }
func (h *clusterLandscape) SAPSystemsOn(HostID) ([]SAPSystemID, error) { return nil, nil }

func lookup[ID comparable, T any](records map[ID]*T, id ID) (*T, error) {
	if record, ok := records[id]; ok {
		return record, nil
	}
	return nil, ErrUnknown
}

// decide applies rules a minute after the last ones, and returns the changeset.
func (h *clusterLandscape) decide(rules func(*Changeset) error) *Changeset {
	h.t.Helper()
	h.now = h.now.Add(time.Minute)
	before := h.text()
	cs := newChangeset(h, h.now)
	if err := errors.Join(rules(cs), cs.finish()); err != nil {
		h.t.Fatal(err)
	}
	if after := h.text(); after != before {
		h.t.Fatalf("a rule has modified what it was given (-before +after):\n%s", cmp.Diff(before, after))
	}
	for id, host := range cs.Hosts.Changed {
		h.hosts[id] = stored(h.t, host)
	}
	for id, cluster := range cs.Clusters.Changed {
		h.clusters[id] = stored(h.t, cluster)
	}
	h.check()
	return cs
}

func (h *clusterLandscape) text() string {
	text, err := json.Marshal([]any{h.hosts, h.clusters})
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// stored returns a record as it is read back from the store.
func stored[T any](t *testing.T, record *T) *T {
	t.Helper()
	document, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	back := new(T)
	if err := json.Unmarshal(document, back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(record, back) {
		t.Fatalf("record changes in the store (-before +after):\n%s", cmp.Diff(record, back))
	}
	return back
}

// check tests what is always true.
func (h *clusterLandscape) check() {
	h.t.Helper()
	members := make(map[HostID]ClusterID)
	for id, c := range h.clusters {
		if c.ID != id || c.Registered() != (len(c.Members) > 0) || (c.StaleSince != nil) != c.hasStaleMember() {
			h.t.Errorf("cluster %s: %+v", id, c)
		}
		if !slices.IsSortedFunc(c.Members, func(a, b ClusterMember) int { return strings.Compare(string(a.HostID), string(b.HostID)) }) {
			h.t.Errorf("cluster %s: members %v", id, c.Members)
		}
		if c.HANA != nil && c.ASCSERS != nil || (c.Details() != nil) != (c.Type == HANAScaleUp || c.Type == HANAScaleOut || c.Type == ASCSERS) {
			h.t.Errorf("cluster %s: details of type %s", id, c.Type)
		}
		for _, m := range c.Members {
			if other, twice := members[m.HostID]; twice {
				h.t.Errorf("host %s in %s and %s", m.HostID, id, other)
			}
			members[m.HostID] = id
			if host := h.hosts[m.HostID]; host == nil || host.ClusterID != id || host.ClusterHostStatus != m.Status() {
				h.t.Errorf("member %+v of %s has the record %+v", m, id, host)
			}
		}
	}
	for id, host := range h.hosts {
		if host.ClusterID != members[id] || (host.ClusterHostStatus == "") != (host.ClusterID == "") {
			h.t.Errorf("host %s: cluster %q, status %q", id, host.ClusterID, host.ClusterHostStatus)
		}
	}
}

// step is something that happens in a landscape.
type step func(*Changeset) error

func unclustered(host HostID) step { return reports(host, ClusterReport{}) }
func silent(host HostID) step      { return func(cs *Changeset) error { return cs.markClusterStale(host) } }
func leaves(host HostID) step      { return func(cs *Changeset) error { return cs.leaveCluster(host) } }

// checked sets the result of an execution of checks.
func checked(id ClusterID, found Health) step {
	return func(cs *Changeset) error {
		c, err := cs.Clusters.edit(id)
		if err != nil {
			return err
		}
		inputs := c.Inputs
		inputs.Checks = found
		cs.evaluateCluster(c, inputs)
		return nil
	}
}

func reports(host HostID, r ClusterReport) step {
	return func(cs *Changeset) error { return cs.observeCluster(Observation{Agent: host, Cluster: &r}) }
}

// Reports of nodes of the cluster pier, and of one of another cluster.
func offline(host HostID) step {
	return reports(host, ClusterReport{ID: "pier", Name: ptr("pier_hana")})
}

func online(host HostID) step {
	return reports(host, ClusterReport{ID: "pier", Name: ptr("pier_hana"), Online: true, CIBLastWritten: ptr("Mon Mar  2 08:00:00 2026")})
}

func controls(host HostID, change func(*ClusterReport)) step {
	r := ClusterReport{
		ID: "pier", Name: ptr("pier_hana"), Online: true, CIBLastWritten: ptr("Mon Mar  2 08:00:00 2026"), Facts: ptr(hanaFacts()),
	}
	if change != nil {
		change(&r)
	}
	return reports(host, r)
}

func elsewhere(host HostID) step {
	return reports(host, ClusterReport{ID: "quay", Online: true, CIBLastWritten: ptr("x")})
}

func ptr[T any](v T) *T { return &v }

// hanaFacts returns the facts of a healthy HANA cluster.
func hanaFacts() ClusterFacts {
	return ClusterFacts{
		Type: HANAScaleUp, Provider: "kvm", State: "S_IDLE", HostsNumber: ptr(2), ResourcesNumber: ptr(7),
		SAPInstances: []ClusteredInstance{{Name: "HDB10", SID: "HBR", Number: "10", ResourceType: DatabaseResource}},
		HANA: &HANADetails{
			Architecture: ClassicArchitecture, Scenario: PerformanceOptimized, SecondarySyncState: "SOK", SRHealthState: "4",
			SBDDevices: []SBDDevice{{"/dev/sdb", SBDHealthy}}, Sites: []HANASite{}, StoppedResources: []ClusterResource{},
			Resources: []ClusterResource{{ID: "r", Type: "ocf::suse:SAPHana", Role: "Master"}}, Nodes: []HANANode{},
		},
		ResourceSIDs: map[string]string{"r": "HBR"},
	}
}

// ascsFacts returns the facts of a healthy cluster of central services.
func ascsFacts() ClusterFacts {
	return ClusterFacts{
		Type: ASCSERS, Provider: "azure", State: "S_IDLE", HostsNumber: ptr(2), ResourcesNumber: ptr(6),
		SAPInstances: []ClusteredInstance{{
			Name: "ASCS00", SID: "NLK", Number: "00", Hostname: ptr("sapnlkas"), ResourceID: ptr("r"), ResourceType: InstanceResource, Mounted: ptr(true),
		}},
		ASCSERS: &ASCSERSDetails{
			SBDDevices: []SBDDevice{}, StoppedResources: []ClusterResource{}, Resources: []ClusterResource{},
			SAPSystems: []ClusterSAPSystem{{SID: "NLK", Distributed: true, Nodes: []ASCSERSNode{}}},
		},
	}
}

// unknownFacts returns the facts of a cluster of unknown type.
func unknownFacts() ClusterFacts {
	return ClusterFacts{
		Type: ClusterUnknown, Provider: "kvm", State: "S_IDLE", HostsNumber: ptr(2), ResourcesNumber: ptr(1), SAPInstances: []ClusteredInstance{},
	}
}

func described(facts ClusterFacts) func(*ClusterReport) {
	return func(r *ClusterReport) { r.Facts = &facts }
}

// lines returns events in a short form.
func lines(t *testing.T, events []activity.Event) []string {
	t.Helper()
	var all []string
	for _, e := range events {
		line := string(e.Type())
		metadata := metadataOf(t, e)
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			switch key {
			case "host_id", "cluster_host_status", "health", "replication_health", "distributed_health", "sbd_health", "checks_health", "state":
				line += fmt.Sprintf(" %v", metadata[key])
			case "cluster_id":
				if metadata[key] != "pier" && metadata[key] != "quay" {
					t.Errorf("%s: cluster %v", e.Type(), metadata[key])
				}
			}
		}
		all = append(all, line)
	}
	return all
}

// metadataOf returns the metadata of an event as it is stored.
func metadataOf(t *testing.T, e activity.Event) (metadata map[string]any) {
	t.Helper()
	document, err := activity.Encode(e)
	if err == nil {
		err = json.Unmarshal(document, &metadata)
	}
	if err != nil {
		t.Fatal(err)
	}
	return metadata
}

// line returns a cluster in a short form.
func line(c *Cluster) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s:", c.Type, c.State, c.Health)
	for _, m := range c.Members {
		fmt.Fprintf(&b, " %s", m.HostID)
		if m.Offline {
			b.WriteString(" offline")
		}
		if m.Stale {
			b.WriteString(" stale")
		}
	}
	if c.StaleSince != nil {
		b.WriteString(" STALE")
	}
	if !c.Registered() {
		b.WriteString(" GONE")
	}
	return b.String()
}

// Each row has the steps that pier goes through, and what the last one changes.
func TestClusterLife(t *testing.T) {
	failed := func(r *ClusterReport) { r.Facts.HANA.SecondarySyncState = "SFAIL" }
	newState := func(r *ClusterReport) { r.Facts.State = "S_POLICY_ENGINE" }
	steps := func(s ...step) []step { return s }
	for name, c := range map[string]struct {
		steps  []step
		events []string
		pier   string // empty: there is none
	}{
		"nothing at all": {steps(unclustered("a")), nil, ""},
		"created by controller": {steps(controls("a", nil)), []string{
			"cluster_registered passing S_IDLE", "host_added_to_cluster online a",
		}, "hana_scale_up S_IDLE passing: a"},
		"created in bad health": {steps(controls("a", failed)), []string{
			"cluster_registered critical S_IDLE", "host_added_to_cluster online a",
		}, "hana_scale_up S_IDLE critical: a"},
		"created, unknown inside": {steps(controls("a", described(unknownFacts()))), []string{
			"cluster_registered unknown S_IDLE", "host_added_to_cluster online a",
		}, "unknown S_IDLE unknown: a"},
		"created by another node": {steps(online("a")), []string{
			"cluster_registered unknown unknown", "host_added_to_cluster online a",
		}, "unknown unknown unknown: a"},
		"created by an offline node": {steps(offline("a")), []string{
			"cluster_registered unknown unknown", "host_added_to_cluster offline a",
		}, "unknown unknown unknown: a offline"},

		"joined by a node":          {steps(controls("b", nil), online("a")), []string{"host_added_to_cluster online a"}, "hana_scale_up S_IDLE passing: a b"},
		"joined by an offline node": {steps(controls("b", nil), offline("a")), []string{"host_added_to_cluster offline a"}, "hana_scale_up S_IDLE passing: a offline b"},
		"joined by another controller": {steps(controls("b", nil), controls("a", newState)), []string{
			"host_added_to_cluster online a", "cluster_details_updated S_POLICY_ENGINE",
		}, "hana_scale_up S_POLICY_ENGINE passing: a b"},
		"another view of a node":   {steps(controls("a", nil), online("b"), reports("b", ClusterReport{ID: "pier", Online: true, CIBLastWritten: ptr("y")})), nil, "hana_scale_up S_IDLE passing: a b"},
		"same again, controller":   {steps(controls("a", nil), controls("a", nil)), nil, "hana_scale_up S_IDLE passing: a"},
		"same again, node":         {steps(controls("a", nil), online("b"), online("b")), nil, "hana_scale_up S_IDLE passing: a b"},
		"same again, offline node": {steps(controls("a", nil), offline("b"), offline("b")), nil, "hana_scale_up S_IDLE passing: a b offline"},
		"node goes offline":        {steps(controls("a", nil), online("b"), offline("b")), []string{"cluster_host_status_changed offline b"}, "hana_scale_up S_IDLE passing: a b offline"},
		"node comes online":        {steps(controls("a", nil), offline("b"), online("b")), []string{"cluster_host_status_changed online b"}, "hana_scale_up S_IDLE passing: a b"},
		"described at last": {steps(online("a"), controls("a", nil)), []string{
			"cluster_details_updated S_IDLE", "cluster_replication_health_changed passing", "cluster_sbd_health_changed passing", "cluster_health_changed passing",
		}, "hana_scale_up S_IDLE passing: a"},
		"health changes": {steps(controls("a", nil), controls("a", failed)), []string{
			"cluster_details_updated S_IDLE", "cluster_replication_health_changed critical", "cluster_health_changed critical",
		}, "hana_scale_up S_IDLE critical: a"},
		"everything at once": {steps(controls("a", nil), online("b"), offline("a"), silent("a"), controls("a", func(r *ClusterReport) {
			r.Facts.HANA.SRHealthState, r.Facts.HANA.SBDDevices[0].Status = "1", SBDUnhealthy
		})), []string{
			"cluster_host_status_changed online a", "cluster_data_marked_in_sync", "cluster_details_updated S_IDLE",
			"cluster_replication_health_changed critical", "cluster_sbd_health_changed critical", "cluster_health_changed critical",
		}, "hana_scale_up S_IDLE critical: a b"},

		"all offline": {steps(controls("a", nil), online("b"), offline("a"), offline("b")), []string{
			"cluster_host_status_changed offline b", "cluster_details_updated stopped",
			"cluster_replication_health_changed unknown", "cluster_sbd_health_changed unknown", "cluster_health_changed unknown",
		}, "hana_scale_up stopped unknown: a offline b offline"},
		"all offline, central services": {steps(controls("a", described(ascsFacts())), offline("a")), []string{
			"cluster_host_status_changed offline a", "cluster_details_updated stopped",
			"cluster_distributed_health_changed unknown", "cluster_health_changed unknown",
		}, "ascs_ers stopped unknown: a offline"},
		"all offline, unknown inside": {steps(controls("a", described(unknownFacts())), offline("a")), []string{
			"cluster_host_status_changed offline a", "cluster_details_updated stopped",
		}, "unknown stopped unknown: a offline"},
		"all offline, again":              {steps(controls("a", nil), offline("a"), offline("a")), nil, "hana_scale_up stopped unknown: a offline"},
		"stopped, a node comes online":    {steps(controls("a", nil), offline("a"), online("a")), []string{"cluster_host_status_changed online a"}, "hana_scale_up stopped unknown: a"},
		"stopped, joined by offline node": {steps(controls("a", nil), offline("a"), offline("b")), []string{"host_added_to_cluster offline b"}, "hana_scale_up stopped unknown: a offline b offline"},
		"stopped, the controller is back": {steps(controls("a", nil), offline("a"), controls("a", nil)), []string{
			"cluster_host_status_changed online a", "cluster_details_updated S_IDLE",
			"cluster_replication_health_changed passing", "cluster_sbd_health_changed passing", "cluster_health_changed passing",
		}, "hana_scale_up S_IDLE passing: a"},
		"created offline, reported again": {steps(offline("a"), offline("a")), []string{"cluster_details_updated stopped"}, "unknown stopped unknown: a offline"},
		"never described, a node comes online": {steps(offline("a"), offline("b"), online("b")), []string{
			"cluster_host_status_changed online b", "cluster_details_updated unknown",
		}, "unknown unknown unknown: a offline b"},
		"last online node leaves": {steps(controls("a", nil), offline("b"), unclustered("a")), []string{"host_removed_from_cluster a"}, "hana_scale_up S_IDLE passing: b offline"},

		"leaves":          {steps(controls("a", nil), online("b"), unclustered("b")), []string{"host_removed_from_cluster b"}, "hana_scale_up S_IDLE passing: a"},
		"the last leaves": {steps(controls("a", nil), unclustered("a")), []string{"host_removed_from_cluster a", "cluster_deregistered"}, "hana_scale_up S_IDLE passing: GONE"},
		"leaves again":    {steps(controls("a", nil), online("b"), unclustered("b"), unclustered("b")), nil, "hana_scale_up S_IDLE passing: a"},
		"moves elsewhere": {steps(controls("a", nil), elsewhere("a")), []string{
			"host_removed_from_cluster a", "cluster_deregistered", "cluster_registered unknown unknown", "host_added_to_cluster online a",
		}, "hana_scale_up S_IDLE passing: GONE"},
		"moves in": {steps(controls("a", nil), elsewhere("b"), online("b")), []string{
			"host_removed_from_cluster b", "cluster_deregistered", "host_added_to_cluster online b",
		}, "hana_scale_up S_IDLE passing: a b"},
		"cleaned up":           {steps(controls("a", nil), online("b"), leaves("a")), []string{"host_removed_from_cluster a"}, "hana_scale_up S_IDLE passing: b"},
		"cleaned up elsewhere": {steps(controls("a", nil), leaves("b")), nil, "hana_scale_up S_IDLE passing: a"},
		"cleaned up and gone":  {steps(controls("a", nil), leaves("a")), []string{"host_removed_from_cluster a", "cluster_deregistered"}, "hana_scale_up S_IDLE passing: GONE"},
		"cleaned up once more": {steps(controls("a", nil), leaves("a"), leaves("a")), nil, "hana_scale_up S_IDLE passing: GONE"},

		"restored by the controller": {steps(controls("a", nil), leaves("a"), controls("a", failed)), []string{
			"cluster_restored", "host_added_to_cluster online a", "cluster_details_updated S_IDLE",
			"cluster_replication_health_changed critical", "cluster_health_changed critical",
		}, "hana_scale_up S_IDLE critical: a"},
		"restored as it was":          {steps(controls("a", nil), leaves("a"), controls("b", nil)), []string{"cluster_restored", "host_added_to_cluster online b"}, "hana_scale_up S_IDLE passing: b"},
		"restored by another node":    {steps(controls("a", failed), leaves("a"), online("a")), []string{"cluster_restored", "host_added_to_cluster online a"}, "hana_scale_up S_IDLE critical: a"},
		"restored by an offline node": {steps(controls("a", nil), leaves("a"), offline("a")), []string{"cluster_restored", "host_added_to_cluster offline a"}, "hana_scale_up S_IDLE passing: a offline"},
		"restored offline, reported again": {steps(controls("a", nil), leaves("a"), offline("a"), offline("a")), []string{
			"cluster_details_updated stopped", "cluster_replication_health_changed unknown", "cluster_sbd_health_changed unknown", "cluster_health_changed unknown",
		}, "hana_scale_up stopped unknown: a offline"},

		"falls silent":            {steps(controls("a", nil), silent("a")), []string{"cluster_data_marked_stale"}, "hana_scale_up S_IDLE passing: a stale STALE"},
		"falls silent outside":    {steps(controls("a", nil), unclustered("b"), online("b"), unclustered("b"), silent("b")), nil, "hana_scale_up S_IDLE passing: a"},
		"second one falls silent": {steps(controls("a", nil), online("b"), silent("a"), silent("b")), nil, "hana_scale_up S_IDLE passing: a stale b stale STALE"},
		"falls silent twice":      {steps(controls("a", nil), silent("a"), silent("a")), nil, "hana_scale_up S_IDLE passing: a stale STALE"},
		"one of two is heard":     {steps(controls("a", nil), online("b"), silent("a"), silent("b"), controls("a", nil)), nil, "hana_scale_up S_IDLE passing: a b stale STALE"},
		"both are heard": {steps(controls("a", nil), online("b"), silent("a"), silent("b"), online("b"), controls("a", nil)),
			[]string{"cluster_data_marked_in_sync"}, "hana_scale_up S_IDLE passing: a b"},
		"heard to be offline": {steps(controls("a", nil), online("b"), silent("b"), offline("b")),
			[]string{"cluster_host_status_changed offline b", "cluster_data_marked_in_sync"}, "hana_scale_up S_IDLE passing: a b offline"},
		"other one is heard":   {steps(controls("a", nil), online("b"), silent("a"), online("b")), nil, "hana_scale_up S_IDLE passing: a stale b STALE"},
		"the stale one leaves": {steps(controls("a", nil), online("b"), silent("b"), leaves("b")), []string{"host_removed_from_cluster b", "cluster_data_marked_in_sync"}, "hana_scale_up S_IDLE passing: a"},
		"one of two stale leaves": {steps(controls("a", nil), online("b"), silent("a"), silent("b"), leaves("b")),
			[]string{"host_removed_from_cluster b"}, "hana_scale_up S_IDLE passing: a stale STALE"},
		"the last one leaves, stale": {steps(controls("a", nil), silent("a"), leaves("a")), []string{"host_removed_from_cluster a", "cluster_deregistered"}, "hana_scale_up S_IDLE passing: GONE"},
		"restored, was stale":        {steps(controls("a", nil), silent("a"), leaves("a"), online("a")), []string{"cluster_restored", "host_added_to_cluster online a"}, "hana_scale_up S_IDLE passing: a"},

		"turns into central services": {steps(controls("a", nil), controls("a", described(ascsFacts()))), []string{
			"cluster_details_updated S_IDLE", "cluster_distributed_health_changed passing", "cluster_sbd_health_changed unknown",
		}, "ascs_ers S_IDLE passing: a"},
		"turns into a database": {steps(controls("a", described(ascsFacts())), controls("a", failed)), []string{
			"cluster_details_updated S_IDLE", "cluster_replication_health_changed critical", "cluster_sbd_health_changed passing", "cluster_health_changed critical",
		}, "hana_scale_up S_IDLE critical: a"},
		"loses its details": {steps(controls("a", failed), controls("a", described(unknownFacts()))),
			[]string{"cluster_details_updated S_IDLE"}, "unknown S_IDLE critical: a"},
		"finds its details again": {steps(controls("a", failed), controls("a", described(unknownFacts())), controls("a", nil)),
			[]string{"cluster_details_updated S_IDLE", "cluster_replication_health_changed passing", "cluster_health_changed passing"}, "hana_scale_up S_IDLE passing: a"},
		"described at last, no SBD": {steps(offline("a"), controls("a", described(ascsFacts()))), []string{
			"cluster_host_status_changed online a", "cluster_details_updated S_IDLE",
			"cluster_distributed_health_changed passing", "cluster_sbd_health_changed unknown", "cluster_health_changed passing",
		}, "ascs_ers S_IDLE passing: a"},

		"checked":           {steps(controls("a", nil), checked("pier", HealthWarning)), []string{"cluster_checks_health_changed warning", "cluster_health_changed warning"}, "hana_scale_up S_IDLE warning: a"},
		"checked, no worse": {steps(controls("a", failed), checked("pier", HealthPassing)), []string{"cluster_checks_health_changed passing"}, "hana_scale_up S_IDLE critical: a"},
		"checked before it was described": {steps(online("a"), checked("pier", HealthCritical)),
			[]string{"cluster_checks_health_changed critical"}, "unknown unknown unknown: a"},
		"described after it was checked": {steps(online("a"), checked("pier", HealthCritical), controls("a", nil)), []string{
			"cluster_details_updated S_IDLE", "cluster_replication_health_changed passing", "cluster_sbd_health_changed passing", "cluster_health_changed critical",
		}, "hana_scale_up S_IDLE critical: a"},
		"checks survive": {steps(controls("a", nil), checked("pier", HealthCritical), controls("a", failed)),
			[]string{"cluster_details_updated S_IDLE", "cluster_replication_health_changed critical"}, "hana_scale_up S_IDLE critical: a"},
		"checks survive a change of type": {steps(controls("a", nil), checked("pier", HealthCritical), controls("a", described(ascsFacts()))),
			[]string{"cluster_details_updated S_IDLE", "cluster_distributed_health_changed passing", "cluster_sbd_health_changed unknown"}, "ascs_ers S_IDLE critical: a"},
		"all offline outweighs checks": {steps(controls("a", nil), checked("pier", HealthCritical), offline("a")), []string{
			"cluster_host_status_changed offline a", "cluster_details_updated stopped",
			"cluster_replication_health_changed unknown", "cluster_sbd_health_changed unknown", "cluster_health_changed unknown",
		}, "hana_scale_up stopped unknown: a offline"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newClusterLandscape(t)
			var last *Changeset
			for _, s := range c.steps {
				last = h.decide(s)
			}
			if diff := cmp.Diff(c.events, lines(t, last.Events)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			pier := ""
			if h.clusters["pier"] != nil {
				pier = line(h.clusters["pier"])
			}
			if pier != c.pier {
				t.Errorf("pier:\n got %s\nwant %s", pier, c.pier)
			}
		})
	}
}

// The metadata of the event about a new cluster.
func TestClusterRegisteredMetadata(t *testing.T) {
	const none = `"name":"pier_hana","type":"unknown","provider":"unknown","state":"unknown","sap_instances":[],
		"resources_number":null,"hosts_number":null,"details":null,"health":"unknown","health_details":null}`
	for want, s := range map[string]step{
		`{"cluster_id":"pier",` + none: offline("a"),
		`{"cluster_id":"pier","name":null,"type":"ascs_ers","provider":"azure","state":"S_IDLE","resources_number":6,"hosts_number":2,
			"sap_instances":[{"name":"ASCS00","sid":"NLK","instance_number":"00","hostname":"sapnlkas","resource_id":"r","resource_type":"sap_instance","mounted":true}],
			"details":{"fencing_type":null,"maintenance_mode":false,"sbd_devices":[],"stopped_resources":[],"resources":[],
				"sap_systems":[{"sid":"NLK","filesystem_resource_based":false,"distributed":true,"nodes":[]}]},
			"health":"passing","health_details":{"distributed_health":"passing","sbd_health":"unknown","checks_health":"unknown"}}`: controls("a", func(r *ClusterReport) {
			r.Name, r.Facts = nil, ptr(ascsFacts())
		}),
	} {
		if diff := cmp.Diff(decoded(t, want), any(metadataOf(t, newClusterLandscape(t).decide(s).Events[0]))); diff != "" {
			t.Errorf("metadata (-want +got):\n%s", diff)
		}
	}
}

func decoded(t *testing.T, document string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
