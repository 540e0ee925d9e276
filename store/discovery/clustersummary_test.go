package discovery

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"trento/store/fault"
	"trento/store/landscape"
)

// summary returns the most important facts of a cluster in one line.
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

// TestClusterSummaries checks how clusters are described that are in states in
// which real clusters have been seen.
func TestClusterSummaries(t *testing.T) {
	t.Parallel()
	const (
		groups, runningGroups = "Cib/Configuration/Resources/Groups", "Crmmon/Groups"
		history, node         = "Crmmon/NodeHistory/Nodes", "Crmmon/Nodes/%d/%s"
	)
	at := fmt.Sprintf
	simpleMount := edits{"Cib/Configuration/Resources/Groups/0/Primitives/0/Type": `"SAPStartSrv"`, "Cib/Configuration/Resources/Groups/1/Primitives/0/Type": `"SAPStartSrv"`}
	for name, c := range map[string]struct {
		fixture string
		changes edits
		want    string
	}{
		"scale-up": {"hana_scale_up", nil, "hana_scale_up HBR  classic performance_optimized SOK 4 external/sbd EAST=Primary/4 WEST=Secondary/4"},
		"scale-up without a name": {"hana_scale_up", edits{"Name": ``},
			"hana_scale_up HBR  classic performance_optimized SOK 4 external/sbd EAST=Primary/4 WEST=Secondary/4"},
		"scale-up, nodes in all states": {"hana_scale_up", edits{
			at(node, 0, "Standby"): `true`, at(node, 1, "Unclean"): `true`, at(node, 1, "Pending"): `true`},
			"hana_scale_up HBR  classic performance_optimized SOK 4 external/sbd EAST=Primary/4 WEST=Secondary/4"},
		"scale-up, the other site has taken over": {"hana_scale_up", edits{
			at(attributes, 0): named("hana_hbr_site", "EAST", "hana_hbr_roles", "1:P:master1::worker:", "hana_hbr_sync_state", "SFAIL"),
			at(attributes, 1): named("hana_hbr_site", "WEST", "hana_hbr_roles", "4:P:master1:master:worker:master", "hana_hbr_sync_state", "PRIM")},
			"hana_scale_up HBR  classic performance_optimized SFAIL 1 external/sbd EAST=Failed/1 WEST=Primary/4"},
		"scale-up, fenced by its provider": {"hana_scale_up", edits{
			"Provider": `"gcp"`, "SBD": `null`, "Crmmon/Resources/0/Agent": `"stonith:fence_gce"`},
			"hana_scale_up HBR  classic performance_optimized SOK 4 fence_gce EAST=Primary/4 WEST=Secondary/4"},
		"cost-optimized, fenced without a disk": {"hana_cost_optimized", nil,
			"hana_scale_up HJT QJT classic cost_optimized SFAIL 1 Diskless SBD EAST=Failed/1 WEST=Primary/4"},
		"cost-optimized, one node has left and all is stopped": {"hana_cost_optimized", edits{
			history: `null`, at(node, 0, "Online"): `false`, at(node, 0, "Unclean"): `true`,
			at(attributes, 0): `[]`, at(attributes, 1): named("hana_hjt_site", "WEST", "hana_hjt_srmode", "sync")},
			"hana_scale_up HJT QJT classic cost_optimized Unknown Unknown Diskless SBD WEST=Unknown/Unknown"},
		"scale-out": {"hana_scale_out", nil,
			"hana_scale_out HDM  classic performance_optimized SOK 4 fence_azure_arm EAST=Primary/4 WEST=Secondary/4 majority maker dammm"},
		"scale-out, the other site is the primary": {"hana_scale_out", edits{
			properties: named("hana_hdm_glob_prim", "WEST", "hana_hdm_glob_sec", "EAST", "hana_hdm_glob_sync_state", "SOK", "hana_hdm_site_lss_EAST", "4",
				"hana_hdm_site_lss_WEST", "4", "hana_hdm_site_srr_EAST", "S", "hana_hdm_site_srr_WEST", "P", "hana_hdm_site_srHook_EAST", "SOK")},
			"hana_scale_out HDM  classic performance_optimized SOK 4 fence_azure_arm WEST=Primary/4 EAST=Secondary/4 majority maker dammm"},
		"scale-out without bans": {"hana_scale_out", edits{"Cib/Configuration/Constraints/RscLocations": `null`},
			"hana_scale_out HDM  classic performance_optimized SOK 4 fence_azure_arm EAST=Primary/4 WEST=Secondary/4"},
		"new scale-up": {"hana_angi_scale_up", nil,
			"hana_scale_up HBS  angi performance_optimized SOK 4 fence_gce OSLO=Primary/4 TURKU=Secondary/4"},
		"new scale-up, the other site has taken over": {"hana_angi_scale_up", edits{
			properties: named("hana_hbs_glob_topology", "ScaleUp", "hana_hbs_glob_prim", "TURKU", "hana_hbs_glob_sec", "-",
				"hana_hbs_site_lss_OSLO", "1", "hana_hbs_site_lss_TURKU", "4", "hana_hbs_site_srr_OSLO", "P", "hana_hbs_site_srr_TURKU", "P",
				"hana_hbs_site_srHook_OSLO", "PRIM", "hana_hbs_site_srPoll_OSLO", "SFAIL", "hana_hbs_site_srPoll_TURKU", "PRIM")},
			"hana_scale_up HBS  angi performance_optimized SFAIL Unknown fence_gce TURKU=Primary/4 OSLO=Failed/1"},
		"new scale-out": {"hana_angi_scale_out", nil,
			"hana_scale_out HWR  angi performance_optimized SFAIL Unknown external/sbd SOUTH=Primary/4 NORTH=Failed/1"},
		"central services":                     {"ascs_ers", nil, "ascs_ers  NLK external/ec2 NLK distributed=true mounts=true"},
		"central services, mounted everywhere": {"ascs_ers", simpleMount, "ascs_ers  NLK external/ec2 NLK distributed=true mounts=false"},
		"central services of two systems": {"ascs_ers_multi_sid", nil,
			"ascs_ers  NMA+NMB external/sbd NMA distributed=true mounts=false NMB distributed=false mounts=false"},
		"central services without a replica": {"ascs_ers", edits{groups: firstOf(t, "ascs_ers", groups), runningGroups: firstOf(t, "ascs_ers", runningGroups)},
			"unknown  NLK"},
		"both":                       {"hana_ascs_ers", nil, "hana_ascs_ers HSL NSL"},
		"both, told by an old agent": {"hana_ascs_ers", edits{"Online": ``, "Provider": `""`}, "hana_ascs_ers HSL NSL"},
		"of storage":                 {"of_another_kind", nil, "unknown"},
		"left":                       {"offline", nil, ""},
	} {
		report := acceptCluster(t, edited(t, clusterFixture(t, "cluster_"+c.fixture), c.changes))
		got := ""
		if report.Facts != nil {
			got = strings.TrimRight(summary(report.Facts), " ")
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// firstOf returns a fixture with only the first element of a list.
func firstOf(t *testing.T, fixture, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(clusterFixture(t, "cluster_"+fixture)), &v); err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(path, "/") {
		v = v.(map[string]any)[name]
	}
	text, err := json.Marshal(v.([]any)[:1])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestClusterAnything replaces each part of a report by other values. Decoding
// must not panic, the report must be refused only if the cluster cannot be
// identified, and what a controller reports must not be lost without an
// omission.
func TestClusterAnything(t *testing.T) {
	t.Parallel()
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
				refusal(t, err, fault.Invalid)
				if identified {
					t.Errorf("%v: %s", err, payload)
				}
			case whole == nil: // the host is in no cluster
			case !identified:
				t.Errorf("taken for %s: %s", seen.Cluster.ID, payload)
			case seen.Cluster.Online && seen.Cluster.Facts == nil && len(seen.Omissions) == 0 && named["DC"] != false:
				t.Errorf("nothing read, nothing told: %s", payload)
			case seen.Cluster.Unread && len(seen.Omissions) == 0:
				t.Errorf("unread, but nothing told: %s", payload)
			}
		}
		// Only the first element of a list is replaced.
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
