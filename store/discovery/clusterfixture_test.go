package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trento/store/landscape"
)

// summary is what matters most about a described cluster, in one line.
func summary(f *landscape.ClusterFacts) string {
	parts := []string{string(f.Type), f.SID(), strings.Join(f.AdditionalSIDs(), "+")}
	if h := f.HANA; h != nil {
		parts = append(parts, h.Architecture, h.Scenario, h.SecondarySyncState, h.SRHealthState, *h.FencingType)
		for _, site := range h.Sites {
			parts = append(parts, fmt.Sprintf("%s=%s/%s", site.Name, site.State, site.SRHealthState))
		}
		for _, n := range h.Nodes {
			if n.MajorityMaker {
				parts = append(parts, "majority maker "+n.Name)
			}
		}
	}
	if a := f.ASCSERS; a != nil {
		parts = append(parts, *a.FencingType)
		for _, system := range a.SAPSystems {
			parts = append(parts, fmt.Sprintf("%s distributed=%t mounts=%t", system.SID, system.Distributed, system.FilesystemResourceBased))
		}
	}
	return strings.Join(parts, " ")
}

// Reports of real agents, where they lie beside the project: what they must
// turn out to be, as if the reporting node were the designated controller.
func TestRealClusters(t *testing.T) {
	const dir = "../../../shared/fixtures/discovery"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	const (
		hana      landscape.ClusterID = "34a94290-2236-5e4d-8def-05beb32d14d4"
		netweaver landscape.ClusterID = "0eac831a-aa66-5f45-89a4-007fbd2c5714"
	)
	for file, want := range map[string]struct {
		id      landscape.ClusterID
		summary string // empty where the node is offline
	}{
		"host_offline_unnamed": {hana, ""},
		"angi_hana_scale_up_failover": {hana,
			"hana_scale_up HN9  angi performance_optimized SFAIL Unknown external/sbd ROT=Primary/4 WDF=Failed/1"},
		"ascs_ers_invalid":   {netweaver, "unknown  NWP"},
		"ascs_ers_multi_sid": {netweaver, "ascs_ers  NWP+NWD external/sbd NWP distributed=true mounts=true NWD distributed=true mounts=true"},
		"ascs_ers_unmounted": {netweaver, "ascs_ers  NWP external/sbd NWP distributed=true mounts=false"},
		"gcp": {"61b4f40d-5e1e-5b58-bdc1-7b855dd7ede2",
			"hana_scale_up PRD  classic performance_optimized SFAIL 1 fence_gce Site1=Failed/1 Site2=Primary/4"},
		"hana_scale_out": {"751fb16d-62e3-5411-aa33-0100012453c7",
			"hana_scale_out PRD  classic performance_optimized SOK 4 external/sbd Site1=Primary/4 Site2=Secondary/4"},
		"hana_scale_out_multitarget": {"f343beb7-f474-57d9-bec6-60215e5a4fbc",
			"hana_scale_out PRD  classic performance_optimized SOK 4 external/sbd Site2=Primary/4 Site1=Secondary/4 majority maker vmhanamm"},
		"hana_scale_out_with_majority_maker": {"5e20f4b4-2f36-5b41-bd09-5756bea0aaff",
			"hana_scale_out HN2  classic performance_optimized SOK 4 Diskless SBD HANA_S1=Primary/4 HANA_S2=Secondary/4 majority maker hana-s-mm"},
		"hana_scale_up_cost_opt": {"ee7ea205-d5cc-5bbd-a345-10cad2aae2d7",
			"hana_scale_up HDQ QAS classic cost_optimized SOK 4 external/sbd PRIMARY_SITE_NAME=Primary/4 SECONDARY_SITE_NAME=Secondary/4"},
		"hana_scale_up_empty_nodes_history": {hana,
			"hana_scale_up PRD QAS classic cost_optimized Unknown Unknown external/sbd Site2=Unknown/Unknown"},
		"hana_scale_up_node_status": {hana,
			"hana_scale_up PRD  classic performance_optimized SOK 4 external/sbd PRIMARY_SITE_NAME=Primary/4 SECONDARY_SITE_NAME=Secondary/4"},
		"unnamed": {hana,
			"hana_scale_up PRD  classic performance_optimized SOK 4 external/sbd PRIMARY_SITE_NAME=Primary/4 SECONDARY_SITE_NAME=Secondary/4"},
		"malformed_resources_null": {"cb5b3a50-bf66-5b7e-b4fc-9c4cb6dca466", "hana_ascs_ers BPH BPS"},
	} {
		body, err := os.ReadFile(filepath.Join(dir, "ha_cluster_discovery_"+file+".json"))
		if err != nil {
			t.Error(err)
			continue
		}
		e, err := Open(body)
		if err != nil {
			t.Fatal(err)
		}
		payload := string(e.Payload)
		if want.summary != "" {
			payload = edited(t, payload, edits{"DC": `true`})
		}
		report := acceptCluster(t, payload)
		if report.ID != want.id {
			t.Errorf("%s: id %s, want %s", file, report.ID, want.id)
		}
		got := ""
		if report.Facts != nil {
			got = summary(report.Facts)
		}
		if got != want.summary {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want.summary)
		}
	}
}

// Whatever stands in the place of whatever part of a report: nothing breaks,
// only what identifies the cluster refuses the report, and what a controller
// says is not silently lost.
func TestClusterAnything(t *testing.T) {
	strange := []any{nil, false, -1.5, "", "_", "x_y_z", []any{}, []any{nil}, map[string]any{}}
	for payload, perPlace := range map[string]int{
		goodCluster: 3, clusterFixture(t, "cluster_hana_angi_scale_up"): 1, clusterFixture(t, "cluster_ascs_ers"): 1,
	} {
		var whole any
		if err := json.Unmarshal([]byte(payload), &whole); err != nil {
			t.Fatal(err)
		}
		try := func() {
			payload, err := json.Marshal(whole)
			if err != nil {
				t.Fatal(err)
			}
			seen, err := Decode(Envelope{Agent: someAgent, Type: string(landscape.ClusterDiscovery), Payload: payload})
			named, _ := whole.(map[string]any)
			key, identified := named["Id"].(string)
			switch identified = identified && key != ""; {
			case err != nil:
				refusal(t, err, StagePayload)
				if identified {
					t.Errorf("%v: %s", err, payload)
				}
			case whole == nil: // in no cluster
			case !identified:
				t.Errorf("taken for %s: %s", seen.Cluster.ID, payload)
			case seen.Cluster.Online && seen.Cluster.Facts == nil && len(seen.Omissions) == 0 && named["DC"] != false:
				t.Errorf("nothing read, nothing told: %s", payload)
			case seen.Cluster.Unread && len(seen.Omissions) == 0:
				t.Errorf("unread, but nothing told: %s", payload)
			}
		}
		// Of a list one element stands for all.
		places := 0
		var walk func(v any, set func(any))
		walk = func(v any, set func(any)) {
			places++
			for i := range perPlace {
				set(strange[(places+i)%len(strange)])
				try()
			}
			set(v)
			switch v := v.(type) {
			case map[string]any:
				for _, key := range slices.Sorted(maps.Keys(v)) {
					walk(v[key], func(other any) { v[key] = other })
				}
			case []any:
				if len(v) > 0 {
					walk(v[0], func(other any) { v[0] = other })
				}
			}
		}
		walk(whole, func(other any) { whole = other })
	}
}
