package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestHealth checks what each member of the overview follows from.
func TestHealth(t *testing.T) {
	t.Parallel()
	const strangerID = "33333333-0000-5000-8000-000000000003"
	silence := func(f *fixture, hosts ...string) {
		for _, id := range hosts {
			f.post(agent, "/api/v1/hosts/"+id+"/heartbeat", "").expect(f.t, http.StatusNoContent, "")
			f.clock.pass(time.Second)
		}
		f.clock.pass(10 * time.Second)
		if err := f.store.MarkLostHosts(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
	}
	type members = map[string]any
	for name, test := range map[string]struct {
		happens func(*fixture)
		differ  members // from before
	}{
		"nothing": {func(*fixture) {}, nil},
		"the application server is in the cluster, too": {func(f *fixture) {
			f.collect(reported(f.t, "cluster_not_controller", app2ID))
		}, members{"application_cluster_id": string(clusterID), "application_cluster_health": "passing"}},
		"the primary leaves the cluster": {func(f *fixture) {
			f.collect(report(db1ID, "ha_cluster_discovery", "null"))
		}, nil},
		"both leave the cluster": {func(f *fixture) {
			f.collect(report(db1ID, "ha_cluster_discovery", "null"))
			f.collect(report(db2ID, "ha_cluster_discovery", "null"))
		}, members{"database_cluster_id": nil, "database_cluster_health": nil, "cluster_id": nil, "clusters_health": nil}},
		"the nodes of the cluster are off": {func(f *fixture) {
			f.collect(reported(f.t, "cluster_offline", db1ID))
			f.collect(reported(f.t, "cluster_offline", db2ID))
		}, members{"database_cluster_health": "unknown", "clusters_health": "unknown"}},
		"an instance is red, one is gray": {func(f *fixture) {
			f.collect(sapReport(app1ID, messageServer("GRAY")))
			f.collect(sapReport(app2ID, applicationServer("RED")))
		}, members{"sapsystem_health": "unknown", "application_health": "unknown"}},
		"a host without a name runs an instance": {func(f *fixture) {
			f.collect(reported(f.t, "cluster_of_another_kind", strangerID))
			f.collect(databaseReport(strangerID, ""))
		}, nil},
		"an application host falls silent": {func(f *fixture) {
			silence(f, app2ID)
		}, members{"application_stale_at": "2026-08-20T10:15:47.123456Z", "hosts_stale_at": "2026-08-20T10:15:47.123456Z"}},
		"the database hosts fall silent": {func(f *fixture) {
			silence(f, db2ID)
			silence(f, db1ID)
		}, members{
			"database_stale_at": "2026-08-20T10:15:47.123456Z", "database_cluster_stale_at": "2026-08-20T10:15:47.123456Z",
			"hosts_stale_at": "2026-08-20T10:15:47.123456Z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.user("root", admin)
			f.build()
			want := f.healthOf()
			test.happens(f)
			for name, value := range test.differ {
				want[name] = value
			}
			if diff := cmp.Diff(want, f.healthOf()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// healthOf is the only entry of the overview.
func (f *fixture) healthOf() map[string]any {
	f.t.Helper()
	var list []map[string]any
	f.get("root", "/api/v1/sap_systems/health").decode(f.t, &list)
	if len(list) != 1 {
		f.t.Fatalf("%d systems", len(list))
	}
	return list[0]
}

// TestHealthOfHosts checks that hosts count once they are known by name, and
// that the worst of them counts.
func TestHealthOfHosts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.build()
	states := []any{f.healthOf()["hosts_health"]}
	tuning := func(id, state string) {
		f.collect(report(id, "saptune_discovery", `{"saptune_installed":true,"package_version":"3.1.2","status":{"result":{"package_version":"3.1.2",`+
			`"configured version":"3","tuning state":"`+state+`","services":{},"Notes enabled":[],"Notes applied":[],"Notes enabled additionally":[],`+
			`"Solution enabled":[],"Notes enabled by Solution":[],"Solution applied":[],"Notes applied by Solution":[],`+
			`"staging":{"staging enabled":false,"Notes staged":[],"Solutions staged":[]}}}}`))
		states = append(states, f.healthOf()["hosts_health"])
	}
	for _, id := range []string{db1ID, db2ID, app1ID, app2ID} {
		tuning(id, "compliant")
	}
	tuning(db2ID, "not compliant")
	if diff := cmp.Diff([]any{"warning", "warning", "warning", "warning", "passing", "critical"}, states); diff != "" {
		t.Error(diff)
	}
}
