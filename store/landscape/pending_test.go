package landscape_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// expectWaiting compares the waiting elements with the expected ones.
func (w *testLandscape) expectWaiting(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), w.waiting()); diff != "" {
		w.t.Fatalf("waiting (-want +got):\n%s", diff)
	}
}

// TestWaitForDatabase checks how long an application instance waits for its
// database, and which events follow.
func TestWaitForDatabase(t *testing.T) {
	settled := "application_instance_registered a/00 green"
	for name, test := range map[string]struct {
		before func(*testLandscape)
		then   func(*testLandscape) []string
	}{
		"database registered": {
			func(w *testLandscape) { w.host("db", dbHost) },
			func(w *testLandscape) []string { return w.sap("db", hana()) },
		},
		"tenant added": {
			func(w *testLandscape) { w.host("db", dbHost); w.sap("db", hana(tenants("SAL"))) },
			func(w *testLandscape) []string { return w.sap("db", hana()) },
		},
		"instance added": {
			func(w *testLandscape) { w.host("db", dbHost); w.sap("x", hana()) },
			func(w *testLandscape) []string { return w.sap("db", hana()) },
		},
		"instance on the host that waited itself": {
			func(w *testLandscape) { w.host("db", dbHost); w.sap("db", secondary()) },
			func(w *testLandscape) []string { return w.sap("x", primary()) },
		},
		"host registered": {
			func(w *testLandscape) { w.sap("db", hana()) },
			func(w *testLandscape) []string { return w.host("db", dbHost) },
		},
		"address added": {
			func(w *testLandscape) { w.host("db", "10.1.0.99"); w.sap("db", hana()) },
			func(w *testLandscape) []string { return w.host("db", "10.1.0.99", dbHost) },
		},
		"host restored": {
			func(w *testLandscape) {
				w.host("db", dbHost)
				w.sap("x", hana())
				w.removeHost("db")
				w.sap("db", hana())
			},
			func(w *testLandscape) []string { return w.host("db", dbHost) },
		},
		"database restored": {
			func(w *testLandscape) {
				w.host("db", dbHost)
				w.sap("db", hana())
				w.sap("db")
				w.removeDatabaseInstance(ore, "db", "10")
			},
			func(w *testLandscape) []string { return w.sap("db", hana()) },
		},
		"one database of two without the tenant": {
			func(w *testLandscape) { w.host("db", dbHost); w.sap("db", hana(), hana(number("20"), key("salt"))) },
			func(w *testLandscape) []string {
				return w.sap("db", hana(), hana(number("20"), key("salt"), tenants("SAL")))
			},
		},
		"one database of two gone": {
			func(w *testLandscape) {
				w.host("db", dbHost)
				w.sap("db", hana(), hana(number("20"), key("salt")))
				w.sap("db", hana())
			},
			func(w *testLandscape) []string {
				return w.removeDatabaseInstance(landscape.DatabaseIDFromKey("salt"), "db", "20")
			},
		},
		"one host of two gone": {
			func(w *testLandscape) {
				w.host("db", dbHost)
				w.host("d2", dbHost)
				w.sap("db", hana())
				w.sap("d2", hana(number("20"), key("salt")))
			},
			func(w *testLandscape) []string { return w.removeHost("d2") },
		},
		"one address of two gone": {
			func(w *testLandscape) {
				w.host("db", dbHost)
				w.host("d2", dbHost)
				w.sap("db", hana())
				w.sap("d2", hana(number("20"), key("salt")))
			},
			func(w *testLandscape) []string { return w.host("d2") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			others := w.waiting()
			w.sap("a", app("00", ascs))
			w.expectAnswer(landscape.ErrNoDatabase)
			w.expectWaiting(append([]string{"a/00"}, others...)...)
			events := test.then(w)
			if len(events) == 0 || events[len(events)-1] != settled {
				t.Errorf("events %v, want %s last", events, settled)
			}
			w.expectAnswer(nil)
			w.expectWaiting()
			w.expect(w.sap("a", app("00", ascs)))
			w.expectAnswer(nil)
		})
	}
}

// A secondary waits for its database, and the instances on it for the secondary.
func TestWaitForPrimary(t *testing.T) {
	w := newWorld(t)
	w.sap("y", secondary())
	w.sap("z", secondary(number("11")), app("00", ascs))
	w.sap("a", app("01", abap, on("10.1.0.98")))
	w.host("x", "10.1.0.98")
	w.host("y", dbHost)
	w.expectWaiting("a/01", "y/10", "z/00", "z/11")
	w.expect(w.sap("x", primary()),
		"database_registered passing",
		"database_instance_registered x/10 green",
		"host_saptune_health_changed x warning", "host_health_changed x warning",
		"database_tenants_updated",
		"database_instance_registered y/10 green",
		"host_saptune_health_changed y warning", "host_health_changed y warning",
		"database_instance_registered z/11 green",
		"application_instance_registered a/01 green",
		"application_instance_registered z/00 green",
		"sap_system_registered passing passing no_ensa")
	w.expectWaiting()
	if diff := cmp.Diff([]int{5, 8, 9, 10}, w.retryStarts); diff != "" {
		t.Errorf("judged again at (-want +got):\n%s", diff)
	}
}

// An element goes on waiting without any event where nothing has changed for it.
func TestWaitOn(t *testing.T) {
	w := newWorld(t)
	w.sap("a", app("00", ascs), secondary())
	before := w.kept["a"]
	w.host("db", dbHost)
	w.host("x", "10.1.0.99")
	w.sap("db", hana(tenants("SAL"), key("salt")))
	if diff := cmp.Diff(before, w.kept["a"]); diff != "" {
		t.Errorf("kept (-before +after):\n%s", diff)
	}
}

// Of an old report, only the elements that have waited are applied.
func TestJudgedAgain(t *testing.T) {
	// The primary tells the tenants, not a secondary that has reported before.
	w := newWorld(t)
	w.host("db", dbHost)
	w.sap("y", secondary(tenants("LIM")))
	w.sap("db", primary())
	if diff := cmp.Diff([]string{"LIM", "SAL"}, w.databases[ore].Tenants); diff != "" {
		t.Errorf("tenants (-want +got):\n%s", diff)
	}
	w.expectWaiting()

	// An element that has been applied is not applied again: the instance that has
	// moved away from host a does not return when the rest of the report fits.
	w = clustered(t)
	w.sap("a", app("00", ascs, ensa(landscape.ENSA2)), app("03", abap, tenant("ZAR")))
	w.sap("b", app("00", ascs, ensa(landscape.ENSA2)), app("01", abap))
	w.expect(w.sap("db", hana(tenants("LIM", "SAL", "ZAR"))), "database_tenants_updated", "application_instance_registered a/03 green")
	if i := w.sapSystems[lim].Instances[0]; i.HostID != "b" {
		t.Errorf("instance on %s", i.HostID)
	}
	w.expectWaiting()
	// The next report of its host is applied in full nevertheless.
	w.expect(w.sap("a", app("00", ascs, ensa(landscape.ENSA2)), app("03", abap, tenant("ZAR"))), "application_instance_moved b>a/00")
}

// An instance has moved before its system was known.
func TestMoveAfterWaiting(t *testing.T) {
	w := clustered(t)
	w.sap("db", hana(tenants("SAL")))
	w.expectWaiting("a/00", "b/01")
	w.expect(w.sap("b", app("00", ascs), app("01", abap)))
	w.expect(w.sap("a"), "application_instance_marked_absent a/00")
	w.expectWaiting("b/00", "b/01")
	w.expect(w.sap("db", hana())[:4],
		"database_tenants_updated",
		"application_instance_moved a>b/00",
		"application_instance_marked_present b/00",
		"sap_system_restored passing passing")
	w.expectWaiting()
}

// An element that waits counts as listed. Its instance, if absent, turns present
// when the element fits.
func TestAbsentWhileWaiting(t *testing.T) {
	w := running(t)
	w.expect(w.sap("a"), "application_instance_marked_absent a/00")
	w.host("db", "10.1.0.99")
	w.expect(w.sap("a", app("00", ascs)))
	w.expectAnswer(landscape.ErrNoDatabase)
	w.expect(w.sap("b", app("01", abap, status(landscape.Red)))) // is listed, too
	if i := w.sapSystems[lim].Instances; i[0].AbsentSince == nil || i[1].AbsentSince != nil || i[1].Status != landscape.Green {
		t.Errorf("instances %+v", i)
	}
	w.expect(w.host("db", dbHost), "host_details_updated db",
		"application_instance_marked_present a/00", "application_instance_status_changed b/01 red", "sap_system_health_changed critical")
}

// Old data are not fresh when they are applied later.
func TestStaleWhileWaiting(t *testing.T) {
	waiting := func() *testLandscape {
		w := newWorld(t)
		w.host("db", dbHost)
		w.host("a", "10.1.0.1")
		w.sap("a", app("00", ascs+"|"+abap))
		return w
	}
	born := []string{
		"database_registered passing", "database_instance_registered db/10 green",
		"host_saptune_health_changed db warning", "host_health_changed db warning", "database_tenants_updated",
		"application_instance_registered a/00 green",
		"host_saptune_health_changed a warning", "host_health_changed a warning",
	}
	fresh := append(born[:8:8], "sap_system_registered passing passing no_ensa")
	stale := append(born[:8:8], "application_instance_data_marked_stale a/00", "sap_system_registered passing passing no_ensa", "sap_system_data_marked_stale")

	w := waiting()
	w.loseHeartbeat("a")
	since := w.now
	w.expect(w.sap("db", hana()), stale...)
	if s := w.sapSystems[lim]; !s.StaleSince.Equal(since) || !s.Instances[0].StaleSince.Equal(since) {
		t.Errorf("stale since %v, want %v", s.StaleSince, since)
	}
	w.expect(w.sap("a", app("00", ascs+"|"+abap)), "application_instance_data_marked_in_sync a/00", "sap_system_data_marked_in_sync")

	// The host was silent before the report, or is heard again.
	w = newWorld(t)
	w.host("db", dbHost)
	w.host("a", "10.1.0.1")
	w.loseHeartbeat("a")
	w.sap("a", app("00", ascs+"|"+abap))
	w.expect(w.sap("db", hana()), fresh...)
	w = waiting()
	w.loseHeartbeat("a")
	w.heartbeat("a")
	w.expect(w.sap("db", hana()), fresh...)

	// After the silence, a report that says the same counts as a new one.
	w = waiting()
	w.loseHeartbeat("a")
	w.sap("a", app("00", ascs+"|"+abap))
	w.expect(w.sap("db", hana()), fresh...)

	// A known instance that is stale stays stale.
	w = running(t)
	w.sap("db", primary())
	w.sap("y", secondary())
	w.sap("db")
	w.removeDatabaseInstance(ore, "db", "10")
	w.host("y", "10.1.0.12")
	w.loseHeartbeat("y")
	w.loseHeartbeat("a")
	w.heartbeat("a") // its data are as old as before
	w.sap("db", primary())
	w.expectWaiting()
	if w.databases[ore].Instances[1].StaleSince == nil || w.sapSystems[lim].Instances[0].StaleSince == nil || w.sapSystems[lim].StaleSince == nil {
		t.Errorf("database %+v, SAP system %+v", w.databases[ore], w.sapSystems[lim])
	}
	// It does not where the report is newer.
	w = running(t)
	w.loseHeartbeat("a")
	w.host("db", "10.1.0.99")
	w.sap("a", app("00", ascs, status(landscape.Yellow)))
	w.expect(w.host("db", dbHost), "host_details_updated db", "application_instance_data_marked_in_sync a/00",
		"application_instance_status_changed a/00 yellow", "sap_system_data_marked_in_sync", "sap_system_health_changed warning")
}

// The elements of a database that is deregistered wait for it.
func TestBackToWaiting(t *testing.T) {
	w := clustered(t)
	w.sap("db", primary(), app("20", abap, sid("SAL"), tenant("SAL")))
	w.sap("y", secondary())
	w.sap("z", secondary())
	w.sap("z")                                                          // absent
	w.sap("c", app("30", abap, sid("SAL"), tenant("SAL")))              // of an incomplete system
	w.sap("b", app("01", abap), app("00", ascs, ensa(landscape.ENSA2))) // the ASCS has moved here
	w.sap("db", app("20", abap, sid("SAL"), tenant("SAL")))
	w.removeDatabaseInstance(ore, "db", "10")
	w.expectWaiting("b/00", "b/01", "c/30", "db/20", "y/10")
	w.expect(w.sap("c", app("30", abap, sid("SAL"), tenant("SAL"))))
	w.expectAnswer(landscape.ErrNoDatabase)
	w.expect(w.sap("y", secondary()))
	w.expectAnswer(landscape.ErrNotRegistered)
	events := w.sap("db", primary(), app("20", abap, sid("SAL"), tenant("SAL")))
	if w.expectWaiting(); !w.sapSystems[lim].Registered() {
		t.Errorf("events %v", events)
	}

	// A system that works on another database by now does not wait for the old
	// one.
	w = running(t)
	w.host("new", "10.1.0.20")
	w.sap("new", hana(key("salt")))
	w.sap("a", app("00", ascs, on("10.1.0.20")))
	w.sap("db")
	w.removeDatabaseInstance(ore, "db", "10")
	w.expectWaiting("b/01")

	// It waits for the new one until its element is applied again.
	w = running(t)
	w.host("new", "10.1.0.20")
	w.sap("a", app("00", ascs, on("10.1.0.20")))
	w.sap("new", hana(key("salt"), number("20")), hana(tenants("SAL")))
	if s := w.sapSystems[landscape.SAPSystemIDOn(landscape.DatabaseIDFromKey("salt"), "LIM")]; s == nil || len(s.Instances) != 1 {
		t.Errorf("system on the new database: %+v", s)
	}

	// A system that was deregistered with its last message server waits for
	// nothing.
	w = running(t)
	w.sap("a")
	w.removeApplicationInstance(lim, "a", "00")
	w.expectWaiting()
}

// What was cleaned up comes back with a new report only.
func TestRemovalBeatsMemory(t *testing.T) {
	// An element that waits to become the instance that is cleaned up.
	w := running(t)
	w.sap("a")
	w.host("db", "10.1.0.99")
	w.sap("a", app("00", ascs), app("02", ers))
	w.expectWaiting("a/00", "a/02", "b/01") // the database of the last one may be another one
	w.removeApplicationInstance(lim, "a", "00")
	w.expectWaiting("a/02", "b/01")
	w.expect(w.host("db", dbHost)[:2], "host_details_updated db", "application_instance_registered a/02 green")
	w.expect(w.sap("a", app("00", ascs), app("02", ers))[:2], "application_instance_registered a/00 green", "sap_system_restored passing passing")

	// A host, with all that it has reported.
	w = newWorld(t)
	w.host("db", dbHost)
	w.host("a", "10.1.0.1")
	w.sap("a", app("00", ascs))
	w.removeHost("a")
	w.expect(w.sap("db", hana())[5:])
	w.expect(w.host("a", "10.1.0.1"), "host_restored a")
	w.expect(w.sap("a", app("00", ascs))[:1], "application_instance_registered a/00 green")

	// A database, because only its secondary is left.
	w = newWorld(t)
	w.sap("x", primary())
	w.sap("y", secondary())
	w.sap("x")
	w.removeDatabaseInstance(ore, "x", "10")
	w.host("y", dbHost)
	if w.databases[ore].Registered() {
		t.Error("restored by memory")
	}
}

// TestForgetAfterCleanUp checks that the next report after a clean-up is
// applied in full, even if it is unchanged: the host may list the instance in
// another system.
func TestForgetAfterCleanUp(t *testing.T) {
	w := running(t)
	w.sap("a", app("00", ascs, ensa(landscape.ENSA2)), app("02", ers))
	w.sap("a", app("00", ascs, ensa(landscape.ENSA2)))
	w.removeApplicationInstance(lim, "a", "02")
	if !w.kept["a"].Invalidated {
		t.Error("not forgotten")
	}
	w.expect(w.sap("a", app("00", ascs, ensa(landscape.ENSA2))))
	if w.kept["a"].Invalidated || !w.kept["a"].ReceivedAt.Equal(w.now) {
		t.Errorf("kept %+v", w.kept["a"])
	}
}

// A clean-up deletes the element that waits for what is cleaned up. Where that
// is all the host has reported, an empty report still says something new.
func TestCleanUpOfAllThatWaits(t *testing.T) {
	w := newWorld(t)
	w.host("s1", "10.1.0.41")
	slt := func(name string) []func(*landscape.Element) {
		return []func(*landscape.Element){key(name), sid("SLT"), number("22"), tenants("SLT")}
	}
	w.sap("s1", hana(slt("first")...))
	w.sap("s1", hana(slt("second")...))
	w.sap("s1", secondary(slt("nowhere")...))
	w.expectWaiting("s1/22")
	w.removeDatabaseInstance(landscape.DatabaseIDFromKey("first"), "s1", "22")
	w.expectWaiting()
	w.expect(w.sap("s1"), "database_instance_marked_absent s1/22")
}
