package server_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"trento/packaging/servertest"
)

// landscapeCounts is what a landscape comes to.
type landscapeCounts struct {
	Hosts, Clusters, Databases, SAPSystems, ApplicationInstances, DatabaseInstances int
}

// TestRealLandscapes feeds the reports of real landscapes in a random order,
// once each: the order must not matter, and one round must do.
func TestRealLandscapes(t *testing.T) {
	const folder = "../../../shared/fixtures/scenarios"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the reports of the real landscapes are not on this machine; TestDemo feeds our own")
	}
	for scenario, want := range map[string]landscapeCounts{
		"aws-landscape":               {6, 2, 1, 1, 4, 2},
		"hana-scale-out":              {6, 1, 1, 0, 0, 4},
		"healthy-27-node-SAP-cluster": {27, 9, 3, 3, 12, 6},
		"multi-tenant":                {5, 0, 1, 2, 4, 3},
	} {
		t.Run(scenario, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(folder, scenario, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
			p := servertest.Start(t, t.TempDir(), nil)
			reporter := p.Agent()
			for _, file := range files {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				status, answer, err := reporter.Do("POST", "/api/v1/collect", body)
				if err != nil {
					t.Fatal(err)
				}
				if status != 202 && status != 404 { // 404: what it speaks of comes later
					t.Errorf("%s: status %d: %s", file, status, answer)
				}
			}
			checkLandscape(t, p.User(), want)
		})
	}
}

// checkLandscape compares the lists of the API with what is expected. All
// databases and SAP systems of the real landscapes end healthy.
func checkLandscape(t *testing.T, c *servertest.Client, want landscapeCounts) {
	t.Helper()
	type system struct {
		SID, Health          string
		ApplicationInstances []any `json:"application_instances"`
		DatabaseInstances    []any `json:"database_instances"`
	}
	var clusters, hosts []any
	var databases, systems []system
	c.Must(200, "GET", "/api/v1/hosts", nil, &hosts)
	c.Must(200, "GET", "/api/v2/clusters", nil, &clusters)
	c.Must(200, "GET", "/api/v1/databases", nil, &databases)
	c.Must(200, "GET", "/api/v1/sap_systems", nil, &systems)
	got := landscapeCounts{Hosts: len(hosts), Clusters: len(clusters), Databases: len(databases), SAPSystems: len(systems)}
	for _, s := range systems {
		got.ApplicationInstances += len(s.ApplicationInstances)
	}
	for _, db := range databases {
		got.DatabaseInstances += len(db.DatabaseInstances)
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, s := range append(databases, systems...) {
		if s.Health != "passing" {
			t.Errorf("%s is %s", s.SID, s.Health)
		}
	}
}
