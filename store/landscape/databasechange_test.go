package landscape_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// What a report about a database instance changes, by the state of its database
// and by its role.
func TestRegisterDatabaseInstance(t *testing.T) {
	unknown := func(*testLandscape) {}
	registered := func(w *testLandscape) { w.sap("x", primary()) }
	orphaned := func(w *testLandscape) { // deregistered, with a secondary left
		w.sap("x", primary())
		w.sap("y", secondary())
		w.sap("x")
		w.removeDatabaseInstance(ore, "x", "10")
	}
	empty := func(w *testLandscape) { // deregistered, with nothing left
		w.sap("x", primary())
		w.sap("x")
		w.removeDatabaseInstance(ore, "x", "10")
	}
	for name, test := range map[string]struct {
		before  func(*testLandscape)
		element landscape.Element
		want    []string
		refused error
	}{
		"unknown, secondary": {unknown, secondary(), nil, landscape.ErrNotRegistered},
		"unknown, primary": {unknown, primary(), []string{
			"database_registered passing", "database_instance_registered db/10 green", "database_tenants_updated",
		}, nil},
		"unknown, no role": {unknown, hana(status(landscape.Red)), []string{
			"database_registered critical", "database_instance_registered db/10 red", "database_tenants_updated",
		}, nil},
		"registered, secondary": {registered, secondary(status(landscape.Gray)), []string{
			"database_instance_registered db/10 gray", "database_health_changed unknown",
		}, nil},
		"registered, primary":     {registered, primary(), []string{"database_instance_registered db/10 green"}, nil},
		"deregistered, secondary": {orphaned, secondary(), nil, landscape.ErrNotRegistered},
		"deregistered, primary": {orphaned, primary(status(landscape.Yellow), tenants("LIM", "ZAR")), []string{
			"database_instance_registered db/10 yellow", "database_restored warning", "database_tenants_updated",
		}, nil},
		"deregistered, no role, nothing left": {empty, hana(), []string{
			"database_instance_registered db/10 green", "database_restored passing",
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			before := w.databases[ore]
			w.expect(w.sap("db", test.element), test.want...)
			w.expectAnswer(test.refused)
			if test.refused != nil {
				if diff := cmp.Diff(before, w.databases[ore]); diff != "" {
					t.Errorf("a refused instance changes its database:\n%s", diff)
				}
				if diff := cmp.Diff([]string{"db/10"}, slices.DeleteFunc(w.waiting(), func(s string) bool { return strings.HasPrefix(s, "y") })); diff != "" {
					t.Errorf("waiting (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestDatabaseRecord(t *testing.T) {
	w := newWorld(t)
	w.sap("db", primary())
	e := primary()
	want := &landscape.Database{
		ID: ore, SID: "ORE", Health: landscape.HealthPassing, Tenants: []string{"LIM", "SAL"}, RegisteredAt: w.now, UpdatedAt: w.now,
		Instances: []landscape.DatabaseInstance{{
			Instance: landscape.Instance{
				HostID: "db", SID: "ORE", Number: "10", InstanceFacts: e.InstanceFacts,
				InstanceTimes: landscape.InstanceTimes{RegisteredAt: w.now, UpdatedAt: w.now},
			},
			Replication: e.Database.Replication,
		}},
	}
	if diff := cmp.Diff(want, w.databases[ore]); diff != "" {
		t.Errorf("database (-want +got):\n%s", diff)
	}
	// Only instances that change get a new time.
	registered := w.now
	w.sap("d2", secondary())
	want.UpdatedAt = w.now
	if got := w.databases[ore]; !got.UpdatedAt.Equal(w.now) || !got.Instances[1].UpdatedAt.Equal(registered) {
		t.Errorf("database %+v", got)
	}
}

// The events of one report come in this order.
func TestDatabaseInstanceEvents(t *testing.T) {
	w := running(t)
	w.sap("db", primary())
	w.sap("db") // absent
	w.loseHeartbeat("db")
	w.expect(w.sap("db", secondary(status(landscape.Yellow), tenants("SAL", "ZAR"))),
		"database_instance_system_replication_changed db/10",
		"database_instance_status_changed db/10 yellow",
		"database_instance_marked_present db/10",
		"database_instance_data_marked_in_sync db/10",
		"database_data_marked_in_sync",
		"sap_system_data_marked_in_sync",
		"database_health_changed warning",
		"sap_system_database_health_changed warning",
		"sap_system_health_changed warning",
		"database_tenants_updated",
		"sap_system_deregistered",
		"host_saptune_health_changed a passing", "host_health_changed a passing",
		"host_saptune_health_changed b passing", "host_health_changed b passing",
		"application_instance_system_lost a/00", "application_instance_system_lost b/01")
}

// Facts of an instance change without an event.
func TestDatabaseInstanceAttributes(t *testing.T) {
	w := running(t)
	moved := hana(func(e *landscape.Element) {
		e.InstanceFacts = instanceFacts("virtual", "HDB|HDB_STANDBY", "0.5")
		e.HTTPPort, e.TLSPort = nil, nil
	})
	w.expect(w.sap("db", moved))
	if diff := cmp.Diff(moved.InstanceFacts, w.databases[ore].Instances[0].InstanceFacts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

func TestTenants(t *testing.T) {
	w := running(t)
	w.host("c", "10.1.0.3")
	w.sap("c", app("20", ascs+"|"+abap, sid("SAL"), tenant("SAL")))
	w.expect(w.sap("db", hana(tenants("LIM", "SAL", "ZAR"))), "database_tenants_updated")
	w.expect(w.sap("db", hana(tenants("SAL", "ZAR")))[:2], "database_tenants_updated", "sap_system_deregistered")
	if w.sapSystems[lim].Registered() || !w.sapSystems[sal].Registered() {
		t.Error("the wrong system is gone")
	}
	gone := w.sapSystems[lim].DeregisteredAt
	if !gone.Equal(w.now) {
		t.Errorf("gone at %v, want %v", gone, w.now)
	}
	if len(w.sapSystems[lim].Instances) != 2 {
		t.Error("its instances are gone")
	}
	if diff := cmp.Diff([]string{"a/00", "b/01"}, w.waiting()); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	w.expect(w.sap("a", app("00", ascs, ensa(landscape.ENSA2))))
	w.expectAnswer(landscape.ErrNoDatabase)
	// A deregistered system keeps its time when its database is deregistered.
	w.sap("db", hana(tenants("ZAR")))
	if !w.sapSystems[lim].DeregisteredAt.Equal(*gone) {
		t.Error("a system is deregistered twice")
	}
	// The tenant returns, and with it the system.
	w.expect(w.sap("db", hana(tenants("LIM"))),
		"database_tenants_updated",
		"sap_system_restored passing passing",
		"host_saptune_health_changed a warning", "host_health_changed a warning",
		"host_saptune_health_changed b warning", "host_health_changed b warning")
	if diff := cmp.Diff([]string{"c/20"}, w.waiting()); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
}

// The health of a database is that of its worst instance, absent and stale
// ones included, and nothing else.
func TestDatabaseHealth(t *testing.T) {
	w := running(t)
	w.sap("d2", hana())
	for _, step := range []struct {
		status landscape.InstanceStatus
		want   []string
	}{
		{landscape.Yellow, []string{"database_instance_status_changed d2/10 yellow", "database_health_changed warning", "sap_system_database_health_changed warning", "sap_system_health_changed warning"}},
		{landscape.Red, []string{"database_instance_status_changed d2/10 red", "database_health_changed critical", "sap_system_database_health_changed critical", "sap_system_health_changed critical"}},
		{landscape.Gray, []string{"database_instance_status_changed d2/10 gray", "database_health_changed unknown", "sap_system_database_health_changed unknown", "sap_system_health_changed unknown"}},
	} {
		w.expect(w.sap("d2", hana(status(step.status))), step.want...)
	}
	w.expect(w.sap("db", hana(status(landscape.Red))), "database_instance_status_changed db/10 red") // gray hides it
	w.expect(w.sap("d2"), "database_instance_marked_absent d2/10")
	w.expect(w.removeDatabaseInstance(ore, "d2", "10"),
		"database_instance_deregistered d2/10", "database_health_changed critical", "sap_system_database_health_changed critical", "sap_system_health_changed critical")
	w.expect(w.sap("db", hana()),
		"database_instance_status_changed db/10 green", "database_health_changed passing", "sap_system_database_health_changed passing", "sap_system_health_changed passing")
	failed := func(e *landscape.Element) { bad := "ERROR"; e.Database.ReplicationStatus = &bad }
	w.expect(w.sap("db", primary(failed)), "database_instance_system_replication_changed db/10")
}

func tiers(w *testLandscape) map[landscape.HostID]int {
	found := make(map[landscape.HostID]int)
	for _, i := range w.databases[ore].Instances {
		if i.Tier != nil {
			found[i.HostID] = *i.Tier
		}
	}
	return found
}

// Tiers that are not reported follow from those that are, over any number of
// sites, and in whatever order the sites report.
func TestTiers(t *testing.T) {
	up := primary()
	middle := hana(replicating(landscape.SecondaryRole, "MID", 2, 0, 1))
	down := hana(replicating(landscape.SecondaryRole, "DOWN", 3, 0, 2))
	want := map[landscape.HostID]int{"x": 1, "y": 2, "z": 3}
	for _, order := range [][]landscape.HostID{{"x", "y", "z"}, {"x", "z", "y"}, {"z", "y", "x"}, {"y", "x", "z"}} {
		w := newWorld(t)
		for _, host := range order {
			w.sap(host, map[landscape.HostID]landscape.Element{"x": up, "y": middle, "z": down}[host])
		}
		if diff := cmp.Diff(want, tiers(w)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", order, diff)
		}
	}

	w := newWorld(t)
	w.sap("x", up)
	w.sap("z", down)
	w.expect(w.sap("y", middle), "database_instance_registered y/10 green", "database_instance_system_replication_changed z/10")
	// A reported tier replaces a derived one, and changes those behind it.
	w.expect(w.sap("y", hana(replicating(landscape.SecondaryRole, "MID", 2, 5, 1))),
		"database_instance_system_replication_changed y/10", "database_instance_system_replication_changed z/10")
	if diff := cmp.Diff(map[landscape.HostID]int{"x": 1, "y": 5, "z": 6}, tiers(w)); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
	// The lowest tier of a site counts.
	w.expect(w.sap("y2", hana(replicating(landscape.SecondaryRole, "MID", 2, 3, 1))),
		"database_instance_registered y2/10 green", "database_instance_system_replication_changed z/10")
	w.sap("y2")
	w.expect(w.removeDatabaseInstance(ore, "y2", "10"),
		"database_instance_deregistered y2/10", "database_instance_system_replication_changed z/10")
	w.sap("y")
	w.expect(w.removeDatabaseInstance(ore, "y", "10"),
		"database_instance_deregistered y/10", "database_instance_system_replication_changed z/10")
	if diff := cmp.Diff(map[landscape.HostID]int{"x": 1}, tiers(w)); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
	// Sites that replicate from each other have no tier.
	w.sap("y", hana(replicating(landscape.SecondaryRole, "MID", 2, 0, 3)))
	if diff := cmp.Diff(map[landscape.HostID]int{"x": 1}, tiers(w)); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
}

// A failover: the secondary takes over, the former primary follows it.
func TestTakeover(t *testing.T) {
	w := newWorld(t)
	w.sap("x", primary())
	w.sap("y", secondary())
	w.expect(w.sap("y", hana(replicating(landscape.PrimaryRole, "DOWN", 2, 1, 0))), "database_instance_system_replication_changed y/10")
	w.expect(w.sap("x", hana(replicating(landscape.SecondaryRole, "UP", 1, 2, 2))), "database_instance_system_replication_changed x/10")
	if len(w.databases[ore].Instances) != 2 {
		t.Errorf("instances %+v", w.databases[ore].Instances)
	}
}

// Whether a database stays when one of its instances is cleaned up.
func TestDatabaseEnd(t *testing.T) {
	renamed := secondary()
	renamed.SID = "ANY"
	for name, test := range map[string]struct {
		stay []landscape.Element
		goes landscape.Element
		ends bool
	}{
		"the last one":                   {nil, hana(), true},
		"one of several without roles":   {[]landscape.Element{hana()}, hana(), false},
		"the only primary":               {[]landscape.Element{secondary(), secondary()}, primary(), true},
		"the primary of another SID":     {[]landscape.Element{renamed}, primary(), true},
		"one of two primaries":           {[]landscape.Element{primary(), secondary()}, primary(), false},
		"a secondary":                    {[]landscape.Element{primary()}, secondary(), false},
		"the primary beside one without": {[]landscape.Element{hana()}, primary(), false},
		"the primary, with a mixed rest": {[]landscape.Element{hana(), secondary()}, primary(), true},
	} {
		for _, clean := range []string{"instance", "host"} {
			t.Run(name+", "+clean, func(t *testing.T) {
				w := newWorld(t)
				w.host("gone", dbHost)
				if len(test.stay) > 0 && test.goes.Database.Role != nil && *test.goes.Database.Role == landscape.SecondaryRole {
					w.sap("stay0", test.stay[0])
				}
				w.sap("gone", test.goes)
				for i, e := range test.stay {
					w.sap(landscape.HostID("stay"+string(rune('0'+i))), e)
				}
				w.host("a", "10.1.0.1")
				w.sap("a", app("00", ascs+"|"+abap))
				if clean == "host" {
					w.removeHost("gone")
				} else {
					w.sap("gone")
					w.removeDatabaseInstance(ore, "gone", "10")
				}
				db, s := w.databases[ore], w.sapSystems[lim]
				if db.Registered() == test.ends || s.Registered() == test.ends || len(db.Instances) != len(test.stay) || len(s.Instances) != 1 {
					t.Errorf("database %+v, SAP system %+v", db, s)
				}
				if test.ends && !(db.DeregisteredAt.Equal(w.now) && s.DeregisteredAt.Equal(w.now)) {
					t.Errorf("database gone at %v, SAP system at %v, want %v", db.DeregisteredAt, s.DeregisteredAt, w.now)
				}
			})
		}
	}
}

// A database whose primary was cleaned up returns with any instance that is not a
// secondary, also with one that was there all the time.
func TestRestoreDatabase(t *testing.T) {
	orphan := func(t *testing.T) *testLandscape {
		w := running(t)
		w.sap("db", primary())
		w.host("y", "10.1.0.12")
		w.sap("y", secondary(status(landscape.Yellow)))
		w.sap("db")
		w.removeDatabaseInstance(ore, "db", "10")
		if w.databases[ore].Registered() || w.sapSystems[lim].Registered() {
			t.Fatal("not gone")
		}
		return w
	}

	w := orphan(t)
	w.expect(w.sap("db", primary()),
		"database_instance_registered db/10 green",
		"host_saptune_health_changed db warning", "host_health_changed db warning",
		"database_restored passing",
		"host_saptune_health_changed y warning", "host_health_changed y warning",
		"database_health_changed warning",
		"sap_system_restored warning warning",
		"host_saptune_health_changed a warning", "host_health_changed a warning",
		"host_saptune_health_changed b warning", "host_health_changed b warning")
	w.expectAnswer(nil)
	if w := w.waiting(); len(w) > 0 {
		t.Errorf("%v waits", w)
	}

	w = orphan(t)
	w.expect(w.sap("y", hana(replicating(landscape.PrimaryRole, "DOWN", 2, 1, 0), status(landscape.Green))),
		"database_instance_system_replication_changed y/10",
		"database_instance_status_changed y/10 green",
		"database_restored passing",
		"host_saptune_health_changed y warning", "host_health_changed y warning",
		"sap_system_restored warning passing",
		"sap_system_health_changed passing",
		"host_saptune_health_changed a warning", "host_health_changed a warning",
		"host_saptune_health_changed b warning", "host_health_changed b warning")
	// The systems know their database by the address of the host that was removed.
	if diff := cmp.Diff([]string{"a/00", "b/01"}, w.waiting()); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}

	// The tenant has gone meanwhile.
	w = orphan(t)
	w.sap("db", primary(tenants("SAL")))
	if !w.databases[ore].Registered() || w.sapSystems[lim].Registered() {
		t.Error("a system returns without its tenant")
	}

	// Instances on silent hosts are stale, also in a database that returns.
	w = orphan(t)
	w.loseHeartbeat("y")
	w.sap("db", primary())
	if db, s := w.databases[ore], w.sapSystems[lim]; db.StaleSince == nil || s.StaleSince == nil {
		t.Errorf("database %+v, SAP system %+v", db, s)
	}
}

// An instance without a replication that is left of a deregistered database
// restores it with its next report, also if that says the same.
func TestRestoreByUnchangedReport(t *testing.T) {
	w := newWorld(t)
	w.sap("x", primary())
	w.sap("y", secondary())
	w.sap("z", hana())
	w.sap("x")
	w.removeDatabaseInstance(ore, "x", "10")
	w.expect(w.sap("y", secondary()))
	w.expectAnswer(landscape.ErrNotRegistered)
	w.expect(w.sap("z", hana()), "database_restored passing")
	w.expect(w.sap("y", secondary()))
	w.expectAnswer(nil)
}
