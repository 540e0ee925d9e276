package landscape_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// TestFindDatabase checks how an application instance finds its database.
func TestFindDatabase(t *testing.T) {
	const address = "10.1.0.10"
	one := app("00", ascs)
	for name, test := range map[string]struct {
		before func(*testLandscape)
		seen   landscape.Element
		want   bool
	}{
		"all there":                {func(w *testLandscape) { w.host("db", address); w.sap("db", hana()) }, one, true},
		"one of several addresses": {func(w *testLandscape) { w.host("db", "10.9.9.9", address); w.sap("db", hana()) }, one, true},
		"by a secondary":           {func(w *testLandscape) { w.sap("x", primary()); w.host("db", address); w.sap("db", secondary()) }, one, true},
		"by an absent instance":    {func(w *testLandscape) { w.host("db", address); w.sap("db", hana()); w.sap("db") }, one, true},
		"two hosts, one database": {func(w *testLandscape) {
			w.host("db", address)
			w.host("d2", address)
			w.sap("db", hana())
			w.sap("d2", hana())
		}, one, true},
		"no host": {func(w *testLandscape) { w.sap("db", hana()) }, one, false},
		"host gone": {func(w *testLandscape) {
			w.host("db", address)
			w.sap("x", hana())
			w.sap("db", hana())
			w.removeHost("db")
		}, one, false},
		"no database":                  {func(w *testLandscape) { w.host("db", address) }, one, false},
		"other address":                {func(w *testLandscape) { w.host("db", "10.1.0.1"); w.sap("db", hana()) }, one, false},
		"host name instead of address": {func(w *testLandscape) { w.host("db", address); w.sap("db", hana()) }, app("00", ascs, on("oredb")), false},
		"address in other form":        {func(w *testLandscape) { w.host("db", address); w.sap("db", hana()) }, app("00", ascs, on("::ffff:10.1.0.10")), false},
		"no address":                   {func(w *testLandscape) { w.host("db", address); w.sap("db", hana()) }, app("00", ascs, on("")), false},
		"no such tenant":               {func(w *testLandscape) { w.host("db", address); w.sap("db", hana(tenants("SAL"))) }, one, false},
		"tenant in lower case":         {func(w *testLandscape) { w.host("db", address); w.sap("db", hana(tenants("lim"))) }, one, false},
		"database gone": {func(w *testLandscape) {
			w.host("db", address)
			w.sap("x", primary())
			w.sap("db", secondary())
			w.sap("x")
			w.removeDatabaseInstance(ore, "x", "10")
		}, one, false},
		"two databases": {func(w *testLandscape) { w.host("db", address); w.sap("db", hana(), hana(number("20"), key("salt"))) }, one, false},
		"two databases, one with the tenant": {func(w *testLandscape) {
			w.host("db", address)
			w.sap("db", hana(), hana(number("20"), key("salt"), tenants("ZAR")))
		}, one, true},
		"two databases, one with the instance": {func(w *testLandscape) {
			w.host("db", address)
			w.sap("db", hana())
			w.sap("a", one)
			w.sap("db", hana(), hana(number("20"), key("salt")))
		}, app("00", ascs, status(landscape.Yellow)), true},
		"two databases, one with the number of another system": {func(w *testLandscape) {
			w.host("db", address)
			w.sap("db", hana())
			w.sap("a", app("00", ascs, sid("ZZZ")))
			w.sap("db", hana(), hana(number("20"), key("salt")))
		}, one, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.before(w)
			w.sap("a", test.seen)
			if test.want {
				w.expectAnswer(nil)
			} else {
				w.expectAnswer(landscape.ErrNoDatabase)
			}
			s := w.sapSystems[lim]
			if found := s != nil && s.Instances[0].SID == "LIM" && s.Instances[0].Status == test.seen.Status; found != test.want {
				t.Errorf("system %+v", s)
			}
		})
	}
}

func TestSAPSystemRecord(t *testing.T) {
	w := running(t)
	registered := w.now
	a, b := app("00", ascs), app("01", abap)
	times := func(minutes time.Duration) landscape.InstanceTimes {
		at := startTime.Add(minutes * time.Minute)
		return landscape.InstanceTimes{RegisteredAt: at, UpdatedAt: at}
	}
	want := &landscape.SAPSystem{
		ID: lim, DatabaseID: ore, Tenant: "LIM", SID: "LIM", DBHost: dbHost, ENSA: landscape.ENSA2,
		Health: landscape.HealthPassing, DatabaseHealth: landscape.HealthPassing, RegisteredAt: registered, UpdatedAt: registered,
		Instances: []landscape.ApplicationInstance{
			{Instance: landscape.Instance{HostID: "a", SID: "LIM", Number: "00", InstanceFacts: a.InstanceFacts, InstanceTimes: times(5)}, DBHost: dbHost, ENSA: landscape.ENSA2},
			{Instance: landscape.Instance{HostID: "b", SID: "LIM", Number: "01", InstanceFacts: b.InstanceFacts, InstanceTimes: times(6)}, DBHost: dbHost, ENSA: landscape.NoENSA},
		},
	}
	if diff := cmp.Diff(want, w.sapSystems[lim]); diff != "" {
		t.Errorf("SAP system (-want +got):\n%s", diff)
	}
}

// TestComplete checks when a system is complete and therefore registered.
func TestComplete(t *testing.T) {
	for name, test := range map[string]struct {
		features []string
		want     bool
	}{
		"message server alone":       {[]string{ascs}, false},
		"application servers alone":  {[]string{abap, java}, false},
		"ABAP":                       {[]string{ascs, abap}, true},
		"Java":                       {[]string{"GATEWAY|MESSAGESERVER|ENQUE", java}, true},
		"all in one":                 {[]string{"ABAP|MESSAGESERVER|ENQUE"}, true},
		"enqueue replication":        {[]string{ers, abap}, false},
		"gateway and web dispatcher": {[]string{"GATEWAY", "WEBDISP", ascs}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.host("db", dbHost)
			w.sap("db", hana())
			var elements []landscape.Element
			for i, features := range test.features {
				elements = append(elements, app("0"+string(rune('0'+i)), features))
			}
			w.sap("a", elements...)
			s := w.sapSystems[lim]
			if s.Registered() != test.want || len(s.Instances) != len(elements) {
				t.Errorf("system %+v", s)
			}
			if !test.want && (s.SID != "" || s.DBHost != "" || !s.RegisteredAt.IsZero()) {
				t.Errorf("incomplete system %+v", s)
			}
		})
	}
}

// A system has the SID of its message server, not of the last instance that has
// reported.
func TestNameOfSystem(t *testing.T) {
	const other = "10.1.0.11"
	for _, order := range [][]landscape.HostID{{"a", "b"}, {"b", "a"}} {
		w := newWorld(t)
		w.host("db", dbHost, other)
		w.sap("db", hana())
		for _, host := range order {
			w.sap(host, map[landscape.HostID]landscape.Element{"a": app("00", ascs), "b": app("01", abap, on(other))}[host])
		}
		if s := w.sapSystems[lim]; s.SID != "LIM" || s.DBHost != dbHost {
			t.Errorf("system %+v", s)
		}
		// The SID stays until the system returns.
		w.sap("a", app("00", ascs, on(other)))
		if s := w.sapSystems[lim]; s.DBHost != dbHost {
			t.Errorf("system %+v", s)
		}
		w.sap("b")
		w.removeApplicationInstance(lim, "b", "01")
		w.sap("b", app("01", abap))
		if s := w.sapSystems[lim]; s.DBHost != other {
			t.Errorf("restored system %+v", s)
		}
	}
}

// The events of one report come in this order.
func TestApplicationInstanceEvents(t *testing.T) {
	w := newWorld(t)
	w.host("db", dbHost)
	w.sap("db", hana(status(landscape.Yellow)))
	w.expect(w.sap("a", app("00", ascs)), "application_instance_registered a/00 green")
	w.expect(w.sap("b", app("01", abap, status(landscape.Green))),
		"application_instance_registered b/01 green",
		"sap_system_registered passing warning no_ensa",
		"sap_system_health_changed warning")
	w.host("b", "10.1.0.2")
	w.sap("b")
	w.loseHeartbeat("b")
	w.expect(w.sap("b", app("01", abap, status(landscape.Red), ensa(landscape.ENSA1))),
		"application_instance_marked_present b/01",
		"application_instance_data_marked_in_sync b/01",
		"application_instance_status_changed b/01 red",
		"sap_system_updated ensa1",
		"sap_system_data_marked_in_sync",
		"sap_system_health_changed critical")
}

// Host and number identify an instance. All other facts may change without an
// event. They may complete a system, but not deregister it.
func TestApplicationInstanceAttributes(t *testing.T) {
	w := newWorld(t)
	w.host("db", dbHost)
	w.sap("db", hana())
	w.sap("a", app("00", ascs), app("01", ers))
	changed := app("01", abap, func(e *landscape.Element) {
		e.InstanceFacts = instanceFacts("virtual", abap, "9")
		e.HTTPPort, e.TLSPort = nil, nil
	})
	w.expect(w.sap("a", app("00", ascs), changed), "sap_system_registered passing passing no_ensa")
	if diff := cmp.Diff(changed.InstanceFacts, w.sapSystems[lim].Instances[1].InstanceFacts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	w.expect(w.sap("a", app("00", ers), app("01", ers)))
	if s := w.sapSystems[lim]; s.DeregisteredAt != nil {
		t.Errorf("system %+v", s)
	}
}

func TestENSA(t *testing.T) {
	v1, v2 := ensa(landscape.ENSA1), ensa(landscape.ENSA2)
	w := running(t)
	w.expect(w.sap("b", app("01", abap, v1)))                             // the newest counts
	w.expect(w.sap("a", app("00", ascs, v1)), "sap_system_updated ensa1") // a downgrade
	w.expect(w.sap("b", app("01", abap, v2)), "sap_system_updated ensa2") // from any instance
	w.expect(w.sap("b", app("01", abap)))                                 // stopped: it stays what it was
	w.expect(w.sap("b", app("01", abap, v1)), "sap_system_updated ensa1") //
	w.expect(w.sap("a", app("00", ascs)))                                 //
	w.expect(w.sap("c", app("02", abap)), "application_instance_registered c/02 green")
	w.sap("a")
	w.removeApplicationInstance(lim, "a", "00")
	w.sap("b")
	w.removeApplicationInstance(lim, "b", "01") // no instance with a generation is left
	w.expect(w.sap("a", app("00", ascs))[3:], "sap_system_restored passing passing")
	if s := w.sapSystems[lim]; s.ENSA != landscape.ENSA1 {
		t.Errorf("system %+v", s)
	}
}

// clustered returns the world of running, with the ASCS in a cluster of the hosts
// a and b.
func clustered(t *testing.T) *testLandscape {
	w := running(t)
	w.cluster("a", "port", "LIM00")
	w.cluster("b", "port", "LIM00")
	return w
}

func TestMove(t *testing.T) {
	moved, back := "application_instance_moved a>b/00", "application_instance_moved b>a/00"
	v2 := ensa(landscape.ENSA2)
	w := clustered(t)
	w.expect(w.sap("b", app("00", ascs, v2), app("01", abap)), moved)
	if at := w.sapSystems[lim].Instances[0].RegisteredAt; !at.Equal(startTime.Add(5 * time.Minute)) {
		t.Errorf("registered at %v", at)
	}
	// The old host still reports it; then it does not.
	w.expect(w.sap("a"))
	w.expect(w.sap("a"))
	// It moves there and back. The new host reports first, or last.
	w.expect(w.sap("a", app("00", ascs, v2)), back)
	w.expect(w.sap("b", app("01", abap)))
	w.expect(w.sap("a"), "application_instance_marked_absent a/00")
	w.expect(w.sap("b", app("00", ascs, v2, status(landscape.Yellow)), app("01", abap)),
		moved, "application_instance_marked_present b/00", "application_instance_status_changed b/00 yellow", "sap_system_health_changed warning")

	// It moves within one period: the old host reports the same as before.
	w = clustered(t)
	w.expect(w.sap("b", app("00", ascs, v2), app("01", abap)), moved)
	w.expect(w.sap("a", app("00", ascs, v2)), back)
	w.expect(w.sap("b", app("00", ascs, v2), app("01", abap)), moved)

	// It moves from a silent host.
	w = clustered(t)
	w.loseHeartbeat("a")
	w.expect(w.sap("b", app("00", ascs, v2), app("01", abap)),
		moved, "application_instance_data_marked_in_sync b/00", "sap_system_data_marked_in_sync")
}

// TestNoMove checks which reports do not count as a move of an instance.
func TestNoMove(t *testing.T) {
	for name, test := range map[string]struct {
		before func(*testLandscape)
		seen   landscape.Element
	}{
		"no cluster":     {func(*testLandscape) {}, app("00", ascs)},
		"not mounted":    {func(w *testLandscape) { w.cluster("b", "port") }, app("00", ascs)},
		"other SID":      {func(w *testLandscape) { w.cluster("b", "port", "ZZZ00") }, app("00", ascs)},
		"other number":   {func(w *testLandscape) { w.cluster("b", "port", "LIM01") }, app("00", ascs)},
		"other features": {func(w *testLandscape) { w.cluster("b", "port", "LIM00") }, app("00", ers)},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			test.before(w)
			w.expect(w.sap("b", test.seen, app("01", abap)), "application_instance_registered b/00 green")
			w.expect(w.sap("a"), "application_instance_marked_absent a/00")
		})
	}
}

// Of several instances that may have moved, it is an absent one, or the one on
// the host with the lowest id.
func TestMoveWhich(t *testing.T) {
	for name, test := range map[string]struct {
		absent string
		want   string
	}{
		"the absent one": {"c", "application_instance_moved c>b/00"},
		"the lowest one": {"", "application_instance_moved a>b/00"},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.sap("c", app("00", ascs))
			if test.absent != "" {
				w.sap(landscape.HostID(test.absent))
			}
			w.cluster("b", "port", "LIM00")
			if got := w.sap("b", app("00", ascs), app("01", abap)); got[0] != test.want {
				t.Errorf("events %v, want %s first", got, test.want)
			}
		})
	}
}

// TestSAPSystemEnd checks whether a system stays registered when one of its
// instances is cleaned up.
func TestSAPSystemEnd(t *testing.T) {
	for name, test := range map[string]struct {
		goes string
		ends bool
	}{
		"message server":              {"00", true},
		"enqueue replication":         {"10", false},
		"one of two ABAP servers":     {"01", false},
		"the last application server": {"02", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			all := []landscape.Element{app("00", ascs), app("01", abap), app("10", ers)}
			if test.goes != "02" {
				all = append(all, app("02", abap))
			} else {
				test.goes = "01"
			}
			w.sap("b", app("09", "GATEWAY"))
			w.removeApplicationInstance(lim, "b", "01")
			w.sap("a", all...)
			if !w.sapSystems[lim].Registered() {
				t.Fatal("not registered")
			}
			w.sap("a")
			w.removeApplicationInstance(lim, "a", test.goes)
			s := w.sapSystems[lim]
			if s.Registered() == test.ends || len(s.Instances) != len(all) || !w.databases[ore].Registered() {
				t.Errorf("system %+v", s)
			}
			if test.ends && !s.DeregisteredAt.Equal(w.now) {
				t.Errorf("gone at %v, want %v", s.DeregisteredAt, w.now)
			}
		})
	}
}

// A clean-up evaluates the health of a system: reports that say the same would
// not.
func TestSAPSystemHealth(t *testing.T) {
	w := running(t)
	w.sap("b", app("01", abap), app("02", abap, status(landscape.Gray)))
	w.expect(w.sap("a", app("00", ascs, status(landscape.Red))), "application_instance_status_changed a/00 red") // gray hides it
	w.expect(w.sap("b", app("01", abap)), "application_instance_marked_absent b/02")
	w.expect(w.removeApplicationInstance(lim, "b", "02"), "application_instance_deregistered b/02", "sap_system_health_changed critical")
}

// The state of a database is not passed on to systems that are not registered.
// They take it over when they are.
func TestHiddenSAPSystem(t *testing.T) {
	w := running(t)
	w.host("c", "10.1.0.3")
	w.sap("c", app("20", abap, sid("SAL"), tenant("SAL"))) // incomplete
	w.sap("a")
	w.removeApplicationInstance(lim, "a", "00")
	w.expect(w.sap("db", hana(status(landscape.Red))), "database_instance_status_changed db/10 red", "database_health_changed critical")
	w.loseHeartbeat("db")
	w.expect(w.sap("a", app("00", ascs))[3:], "sap_system_restored passing critical", "sap_system_data_marked_stale", "sap_system_health_changed critical",
		"host_saptune_health_changed b warning", "host_health_changed b warning")
	w.expect(w.sap("c", app("20", abap, sid("SAL"), tenant("SAL")), app("21", ascs, sid("SAL"), tenant("SAL"))),
		"application_instance_registered c/21 green", "sap_system_registered passing critical no_ensa", "sap_system_health_changed critical")

	// A database that returns restores the systems that are complete, and no others.
	w = running(t)
	w.sap("db")
	w.removeDatabaseInstance(ore, "db", "10")
	w.sap("a")
	w.removeApplicationInstance(lim, "a", "00")
	w.sap("db", hana())
	if s := w.sapSystems[lim]; s.Registered() || len(s.Instances) != 1 {
		t.Errorf("system %+v", s)
	}
}

func TestRestoreSAPSystem(t *testing.T) {
	w := running(t)
	w.sap("a")
	w.removeApplicationInstance(lim, "a", "00")
	w.host("c", "10.1.0.3")
	// An instance that does not complete it is only added.
	w.expect(w.sap("c", app("02", abap, status(landscape.Yellow))), "application_instance_registered c/02 yellow",
		"host_saptune_health_changed c warning", "host_health_changed c warning")
	w.sap("b")
	w.loseHeartbeat("b")
	w.sap("db", hana(status(landscape.Yellow)))
	w.expect(w.sap("b", app("01", abap), app("03", ascs, status(landscape.Red), ensa(landscape.ENSA1))),
		"application_instance_marked_present b/01",
		"application_instance_data_marked_in_sync b/01",
		"application_instance_registered b/03 red",
		"host_saptune_health_changed b warning", "host_health_changed b warning",
		"sap_system_restored critical warning",
		"sap_system_updated ensa1")
	// A system that returns is as stale as its instances and its database.
	w.sap("b", app("01", abap))
	w.removeApplicationInstance(lim, "b", "03")
	w.loseHeartbeat("c")
	if w.sapSystems[lim].StaleSince != nil {
		t.Error("a system that is not there turns stale")
	}
	w.expect(w.sap("a", app("00", ascs))[3:5], "sap_system_restored passing warning", "sap_system_data_marked_stale")
	w.expect(w.sap("c", app("02", abap, status(landscape.Yellow))), "application_instance_data_marked_in_sync c/02", "sap_system_data_marked_in_sync")
}

// A system that becomes complete is as stale as its instances and its database
// from the beginning.
func TestCompleteStale(t *testing.T) {
	w := newWorld(t)
	w.host("db", dbHost)
	w.host("a", "10.1.0.1")
	w.sap("db", hana())
	w.sap("a", app("00", ascs))
	w.loseHeartbeat("a")
	first := w.now
	w.loseHeartbeat("db")
	w.expect(w.sap("b", app("01", abap)), "application_instance_registered b/01 green", "sap_system_registered passing passing no_ensa")
	s := w.sapSystems[lim]
	if !s.StaleSince.Equal(first) || !s.DatabaseStaleSince.Equal(first.Add(1*time.Minute)) {
		t.Errorf("system %+v", s)
	}
}
