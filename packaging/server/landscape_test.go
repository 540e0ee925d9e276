package server_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"trento/packaging/servertest"
	"trento/store/discovery/fleet"
)

// landscapeCounts are the numbers of objects in a landscape. NotPassing are the
// databases and SAP systems whose health is not passing.
type landscapeCounts struct {
	Hosts, Clusters, Databases, SAPSystems, ApplicationInstances, DatabaseInstances, NotPassing int
}

// TestLandscapesInAnyOrder checks that the order of reports does not matter:
// after each report was sent once, in random order, the server shows the whole
// landscape.
func TestLandscapesInAnyOrder(t *testing.T) {
	for hosts, want := range map[int]landscapeCounts{
		6:  {6, 2, 1, 1, 4, 2, 0},
		50: {50, 12, 12, 13, 34, 24, 6},
	} {
		t.Run(fmt.Sprint(hosts, " hosts"), func(t *testing.T) {
			var reports []fleet.Report
			for _, h := range fleet.New(1, hosts).Hosts() {
				reports = append(reports, h.Reports()...)
			}
			seed := rand.Uint64()
			t.Logf("order %d", seed)
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
			p := servertest.Start(t, t.TempDir(), nil)
			reporter := p.Agent()
			for _, r := range reports {
				status, answer, err := reporter.Do("POST", "/api/v1/collect", r.Body)
				if err != nil {
					t.Fatal(err)
				}
				if status != 202 && status != 404 { // 404: the report depends on a later one
					t.Errorf("%s of %s: status %d: %s", r.Kind, r.Agent, status, answer)
				}
			}
			checkLandscape(t, p.User(), want)
		})
	}
}

// checkLandscape compares the lists of the API with what is expected.
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
	for _, s := range append(databases, systems...) {
		if s.Health != "passing" {
			got.NotPassing++
		}
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
