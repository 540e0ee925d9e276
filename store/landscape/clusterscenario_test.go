package landscape_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/discovery"
	"trento/store/landscape"
)

// Whole landscapes of real clusters, where they lie beside the project: what
// they must turn out to be, whoever reports first.
func TestClusterScenarios(t *testing.T) {
	const dir = "../../../shared/fixtures/scenarios"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	for scenario, want := range map[string][]string{
		"healthy-27-node-SAP-cluster": {
			"drbd_cluster 6bd7ec60-8cb1-5c6b-a892-29e1fd2f8380 unknown  unknown vmdrbddev01 vmdrbddev02",
			"drbd_cluster 8a66f8fb-5fe9-51b3-a34c-24321271a4e3 unknown  unknown vmdrbdqas01 vmdrbdqas02",
			"drbd_cluster c7a1e943-bf46-590b-bd26-bfc7c78def97 unknown  unknown vmdrbdprd01 vmdrbdprd02",
			"hana_cluster_1 7965f822-0254-5858-abca-f6e8b4c27714 hana_scale_up HDD critical vmhdbdev01 vmhdbdev02",
			"hana_cluster_2 fa0d74a3-9240-5d9e-99fa-61c4137acf81 hana_scale_up HDQ passing vmhdbqas01 vmhdbqas02",
			"hana_cluster_3 469e7be5-4e20-5007-b044-c6f540a87493 hana_scale_up HDP passing vmhdbprd01 vmhdbprd02",
			"netweaver_cluster 0eac831a-aa66-5f45-89a4-007fbd2c5714 ascs_ers NWP passing vmnwprd01 vmnwprd02",
			"netweaver_cluster 5284f376-c1f4-5178-8966-d490df3dab4f ascs_ers NWD passing vmnwdev01 vmnwdev02",
			"netweaver_cluster fb861bce-d212-56b5-8786-74afd6eb58cb ascs_ers NWQ passing vmnwqas01 vmnwqas02",
		},
		"hana-scale-out": {
			"hana_scale_out_cluster 8d8084e9-5a3e-5402-a94f-f1fdde5f15a0 hana_scale_out H4P passing vms4prdhdb01 vms4prdhdb02 vms4prdhdb03 vms4prdhdb04 vms4prdmm",
		},
		"aws-landscape": {
			"hana_cluster_1 7965f822-0254-5858-abca-f6e8b4c27714 hana_scale_up HDD critical vmhdbdev01 vmhdbdev02",
			"netweaver_cluster 5284f376-c1f4-5178-8966-d490df3dab4f ascs_ers NWD passing vmnwdev01 vmnwdev02",
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			reports, names := readScenario(t, filepath.Join(dir, scenario))
			var first map[landscape.ClusterID]*landscape.Cluster
			for seed := range uint64(6) {
				rand.New(rand.NewPCG(seed, 0)).Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
				w := newWorld(t)
				for _, seen := range reports {
					w.observe(seen)
				}
				var got []string
				for _, c := range w.clusters {
					got = append(got, described(c, names))
					c.RegisteredAt, c.UpdatedAt = time.Time{}, time.Time{}
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("clusters (-want +got):\n%s", diff)
				}
				if first == nil {
					first = w.clusters
				}
				if !reflect.DeepEqual(first, w.clusters) {
					t.Fatalf("order matters (-first +then):\n%s", cmp.Diff(first, w.clusters))
				}
			}
		})
	}
}

// readScenario reads the cluster reports of a folder, and the names of its
// hosts.
func readScenario(t *testing.T, dir string) (reports []landscape.Observation, names map[landscape.HostID]string) {
	t.Helper()
	names = make(map[landscape.HostID]string)
	files, err := filepath.Glob(filepath.Join(dir, "*_discovery.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(file, "host_discovery") && !strings.Contains(file, "ha_cluster_discovery") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e, err := discovery.Open(body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		seen, err := discovery.Decode(e)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if seen.Host != nil {
			names[seen.Agent] = seen.Host.Hostname
		} else {
			reports = append(reports, seen)
		}
	}
	return reports, names
}

// described is a cluster in one line.
func described(c *landscape.Cluster, names map[landscape.HostID]string) string {
	sid := c.SID()
	if c.Type == landscape.ASCSERS {
		sid = strings.Join(c.AdditionalSIDs(), "+")
	}
	line := fmt.Sprintf("%s %s %s %s %s", *c.Name, c.ID, c.Type, sid, c.Health)
	var members []string
	for _, m := range c.Members {
		members = append(members, names[m.HostID])
	}
	slices.Sort(members)
	return line + " " + strings.Join(members, " ")
}
