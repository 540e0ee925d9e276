package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClusters lists clusters of every type, in both versions of the API.
func TestClusters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	for i, name := range []string{
		"cluster_hana_scale_up", "cluster_hana_scale_out", "cluster_hana_angi_scale_out", "cluster_hana_cost_optimized",
		"cluster_ascs_ers", "cluster_ascs_ers_multi_sid", "cluster_hana_ascs_ers", "cluster_of_another_kind",
	} {
		f.collect(reported(t, name, fmt.Sprintf("00000000-0000-5000-8000-00000000000%d", i)))
	}
	type cluster struct {
		Name         *string
		Type         string
		Architecture string
		Details      json.RawMessage
		Instances    []json.RawMessage `json:"sap_instances"`
	}
	list := func(path string) (lines []string) {
		var clusters []cluster
		f.get("ann", path).decode(t, &clusters)
		for _, c := range clusters {
			var details struct {
				Architecture string            `json:"architecture_type"`
				Nodes        []json.RawMessage `json:"nodes"`
				Systems      []json.RawMessage `json:"sap_systems"`
			}
			if err := json.Unmarshal(c.Details, &details); err != nil {
				t.Fatal(err)
			}
			name := "-"
			if c.Name != nil {
				name = *c.Name
			}
			line := fmt.Sprint(name, " ", c.Type, " ", len(c.Instances), " instances")
			if string(c.Details) != "null" {
				line += strings.TrimRight(fmt.Sprint(", ", len(details.Nodes), " nodes, ", len(details.Systems), " systems ", details.Architecture), " ")
			}
			lines = append(lines, line)
		}
		return lines
	}
	for path, want := range map[string][]string{
		"/api/v2/clusters": {
			"dam_hana hana_scale_out 1 instances, 5 nodes, 0 systems classic",
			"jetty_hana hana_scale_up 2 instances, 2 nodes, 0 systems classic",
			"lock_ascs ascs_ers 2 instances, 0 nodes, 1 systems",
			"mole_ascs ascs_ers 4 instances, 0 nodes, 2 systems",
			"pier_hana hana_scale_up 1 instances, 2 nodes, 0 systems classic",
			"sluice_all hana_ascs_ers 3 instances",
			"weir_hana hana_scale_out 1 instances, 4 nodes, 0 systems angi",
			"- unknown 0 instances",
		},
		"/api/v1/clusters": {
			"dam_hana hana_scale_out 0 instances, 5 nodes, 0 systems",
			"jetty_hana hana_scale_up 0 instances, 2 nodes, 0 systems",
			"lock_ascs unknown 0 instances",
			"mole_ascs unknown 0 instances",
			"pier_hana hana_scale_up 0 instances, 2 nodes, 0 systems",
			"sluice_all unknown 0 instances",
			"weir_hana hana_scale_out 0 instances, 4 nodes, 0 systems",
			"- unknown 0 instances",
		},
	} {
		if diff := cmp.Diff(want, list(path)); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}

// TestOrderOfClusters checks that clusters are listed by name and then by id,
// and that those without a name come last.
func TestOrderOfClusters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	offline := func(n int, name string) {
		body := reported(t, "cluster_offline_unnamed", fmt.Sprintf("00000000-0000-5000-8000-00000000000%d", n))
		body = strings.Replace(body, "b2106b0b75c4e349c13c1dbd532c964b", fmt.Sprint("key-", n), 1)
		f.collect(strings.Replace(body, `"Provider"`, name+`"Provider"`, 1))
	}
	offline(1, "")
	offline(2, `"Name":"hana",`)
	offline(3, `"Name":"ascs",`)
	offline(4, "")
	offline(5, `"Name":"hana",`)
	offline(6, `"Name":"HANA",`)
	for _, path := range []string{"/api/v2/clusters", "/api/v1/clusters"} {
		var clusters []struct {
			ID   string
			Name *string
		}
		f.get("ann", path).decode(t, &clusters)
		var names []string
		for i, c := range clusters {
			name := "-"
			if c.Name != nil {
				name = *c.Name
			}
			names = append(names, name)
			if i > 0 && names[i-1] == name && clusters[i-1].ID > c.ID {
				t.Errorf("%s: clusters of the same name are not by id", path)
			}
		}
		if diff := cmp.Diff([]string{"HANA", "ascs", "hana", "hana", "-", "-"}, names); diff != "" {
			t.Errorf("%s:\n%s", path, diff)
		}
	}
}
