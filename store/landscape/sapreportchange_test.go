package landscape_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// The ids of the systems in these tests: a database ORE with the tenants LIM and
// SAL, and the SAP systems on them.
var (
	ore = landscape.DatabaseIDFromKey("ore")
	lim = landscape.SAPSystemIDOn(ore, "LIM")
	sal = landscape.SAPSystemIDOn(ore, "SAL")
)

// with changes an element.
func with(e landscape.Element, changes ...func(*landscape.Element)) landscape.Element {
	for _, change := range changes {
		change(&e)
	}
	return e
}

func instanceFacts(hostname, features, priority string) landscape.InstanceFacts {
	port, tlsPort := 50013, 50014
	return landscape.InstanceFacts{
		Hostname: &hostname, Features: features, HTTPPort: &port, TLSPort: &tlsPort, StartPriority: priority, Status: landscape.Green,
	}
}

// hana returns the instance 10 of the database ORE, without a replication.
func hana(changes ...func(*landscape.Element)) landscape.Element {
	mode := "none"
	return with(landscape.Element{
		SID: "ORE", Number: "10", InstanceFacts: instanceFacts("oredb", "HDB|HDB_WORKER", "0.3"),
		Database: &landscape.DatabaseElement{
			ID: ore, Tenants: []string{"LIM", "SAL"}, Replication: landscape.Replication{Mode: &mode},
		},
	}, changes...)
}

// replicating gives a database instance a role in a replication. A tier of 0 is
// not reported.
func replicating(role, site string, id, tier, primary int) func(*landscape.Element) {
	return func(e *landscape.Element) {
		mode, source := "sync", "UP"
		r := landscape.Replication{Role: &role, Site: &site, SiteID: &id, Mode: &mode, OperationMode: &mode, SourceSite: &source}
		if role == landscape.PrimaryRole {
			active := "ACTIVE"
			r.ReplicationStatus, r.SourceSite = &active, nil
		}
		if tier != 0 {
			r.Tier = &tier
		}
		database := *e.Database
		database.Replication = r
		if primary != 0 {
			database.ActivePrimarySite = &primary
		}
		e.Database = &database
	}
}

func primary(changes ...func(*landscape.Element)) landscape.Element {
	return hana(append([]func(*landscape.Element){replicating(landscape.PrimaryRole, "UP", 1, 1, 0)}, changes...)...)
}

func secondary(changes ...func(*landscape.Element)) landscape.Element {
	return hana(append([]func(*landscape.Element){replicating(landscape.SecondaryRole, "DOWN", 2, 2, 1)}, changes...)...)
}

const (
	ascs   = "MESSAGESERVER|ENQUE"
	ers    = "ENQREP"
	abap   = "ABAP|GATEWAY|ICMAN|IGS"
	java   = "J2EE|IGS"
	dbHost = "10.1.0.10"
)

// app returns an instance of the system LIM on the tenant LIM.
func app(number, features string, changes ...func(*landscape.Element)) landscape.Element {
	return with(landscape.Element{
		SID: "LIM", Number: number, InstanceFacts: instanceFacts("lim"+number, features, "1"),
		Application: &landscape.ApplicationElement{DBHost: dbHost, Tenant: "LIM", ENSA: landscape.NoENSA},
	}, changes...)
}

func status(s landscape.InstanceStatus) func(*landscape.Element) {
	return func(e *landscape.Element) { e.Status = s }
}

func sid(s string) func(*landscape.Element)    { return func(e *landscape.Element) { e.SID = s } }
func number(n string) func(*landscape.Element) { return func(e *landscape.Element) { e.Number = n } }

func tenants(names ...string) func(*landscape.Element) {
	return func(e *landscape.Element) {
		database := *e.Database
		database.Tenants = names
		e.Database = &database
	}
}

func key(k string) func(*landscape.Element) {
	return func(e *landscape.Element) {
		database := *e.Database
		database.ID = landscape.DatabaseIDFromKey(k)
		e.Database = &database
	}
}

func tenant(name string) func(*landscape.Element) {
	return func(e *landscape.Element) {
		application := *e.Application
		application.Tenant = name
		e.Application = &application
	}
}

func on(address string) func(*landscape.Element) {
	return func(e *landscape.Element) {
		application := *e.Application
		application.DBHost = address
		e.Application = &application
	}
}

func ensa(v landscape.ENSAVersion) func(*landscape.Element) {
	return func(e *landscape.Element) {
		application := *e.Application
		application.ENSA = v
		e.Application = &application
	}
}

// running returns a world with the database ORE on the host db and the complete
// system LIM on the hosts a (ASCS00) and b (D01).
func running(t testing.TB) *testLandscape {
	t.Helper()
	w := newWorld(t)
	w.host("db", dbHost)
	w.host("a", "10.1.0.1")
	w.host("b", "10.1.0.2")
	w.sap("db", hana())
	w.sap("a", app("00", ascs, ensa(landscape.ENSA2)))
	w.sap("b", app("01", abap))
	if !w.sapSystems[lim].Registered() {
		t.Fatalf("not running: %+v", w.sapSystems)
	}
	return w
}

func TestIDs(t *testing.T) {
	const space = "fd44c254ccb14331e54015c720c7a1f2"
	for _, test := range [][2]string{
		{string(landscape.DatabaseIDFromKey(space)), "f534a4ad-cef7-5234-b196-e67082ffb50c"},
		{string(landscape.SAPSystemIDOn(landscape.DatabaseIDFromKey(space), "HDD")), "67b247e4-ab5b-5094-993a-a4fd70d0e8d1"},
		{string(landscape.DatabaseIDFromKey("c0725f6b267f4216ba03be128ce08b27")), "38b6e21e-c93c-58ae-8535-4c212444c781"},
		{string(landscape.SAPSystemIDOn("38b6e21e-c93c-58ae-8535-4c212444c781", "DB1")), "99a0cb5f-a4e4-5b25-b4d9-af0dea659775"},
		{string(landscape.SAPSystemIDOn("38b6e21e-c93c-58ae-8535-4c212444c781", "DB2")), "4431895a-870d-5ed4-a504-bad8d0bb4d04"},
		{string(landscape.SAPSystemIDOn("38b6e21e-c93c-58ae-8535-4c212444c781", "HTJ")), "957d1e81-ba2d-51b9-8e51-13b448ebb7e8"},
	} {
		if test[0] != test[1] {
			t.Errorf("id %s, want %s", test[0], test[1])
		}
	}
}

func TestInstanceHealth(t *testing.T) {
	for status, want := range map[landscape.InstanceStatus]landscape.Health{
		landscape.Green: landscape.HealthPassing, landscape.Yellow: landscape.HealthWarning,
		landscape.Red: landscape.HealthCritical, landscape.Gray: landscape.HealthUnknown,
	} {
		if got := status.Health(); got != want {
			t.Errorf("%s is %s, want %s", status, got, want)
		}
	}
}

func TestAbsence(t *testing.T) {
	w := running(t)
	w.sap("b", app("01", abap), app("02", abap), hana(number("20"), key("salt"), sid("SLT")))
	w.expect(w.sap("b", app("02", abap)),
		"application_instance_marked_absent b/01",
		"database_instance_marked_absent b/20")
	since := w.now
	if at := w.sapSystems[lim].Instances[1].AbsentSince; at == nil || !at.Equal(since) {
		t.Errorf("absent since %v, want %v", at, since)
	}
	w.expect(w.sap("b", app("02", abap, status(landscape.Red))),
		"application_instance_status_changed b/02 red",
		"sap_system_health_changed critical")
	if at := w.sapSystems[lim].Instances[1].AbsentSince; !at.Equal(since) {
		t.Errorf("absent since %v, want %v", at, since)
	}
	// An absent instance counts with its last status, and with its present one once
	// it is back.
	w.expect(w.sap("b", app("01", abap), app("02", abap, status(landscape.Red))), "application_instance_marked_present b/01")
	// It does not matter to which system an element belongs.
	w.expect(w.sap("b", app("01", abap, sid("ZZZ"), tenant("NONE")), app("02", abap, status(landscape.Red))))
	w.expectAnswer(landscape.ErrNoDatabase)
	// Absent instances of systems that are not shown turn absent, too.
	w.sap("c", app("07", ers, sid("SAL"), tenant("SAL")))
	w.expect(w.sap("c"), "application_instance_marked_absent c/07")
	w.expect(w.sap("c"))
}

// Nothing is stored of a host without SAP software, not even its report.
func TestNothingToKeep(t *testing.T) {
	w := newWorld(t)
	before := w.text(t)
	w.expect(w.sap("a"))
	if w.text(t) != before {
		t.Error("an empty report leaves a trace")
	}
}

func TestUnchanged(t *testing.T) {
	w := running(t)
	w.expect(w.sap("c", app("03", abap, tenant("NONE")), secondary(key("other"), sid("OTH"))))
	for _, report := range []func(){
		func() { w.sap("db", hana()); w.expectAnswer(nil) },
		func() { w.sap("a", app("00", ascs, ensa(landscape.ENSA2))); w.expectAnswer(nil) },
		func() {
			w.sap("c", app("03", abap, tenant("NONE")), secondary(key("other"), sid("OTH")))
			w.expectAnswer(landscape.ErrNotRegistered)
		},
	} {
		before := w.text(t)
		report()
		if after := w.text(t); before != after {
			t.Errorf("an unchanged report changes something (-before +after):\n%s", cmp.Diff(before, after))
		}
	}
}

func TestAnswers(t *testing.T) {
	lost, stray := app("03", abap, tenant("NONE")), secondary(key("other"), sid("OTH"), number("20"))
	for name, test := range map[string]struct {
		elements []landscape.Element
		want     error
	}{
		"fits":                {[]landscape.Element{app("03", abap)}, nil},
		"no database":         {[]landscape.Element{app("03", abap), lost}, landscape.ErrNoDatabase},
		"no address":          {[]landscape.Element{app("03", abap, on(""))}, landscape.ErrNoDatabase},
		"no primary":          {[]landscape.Element{stray, app("04", abap)}, landscape.ErrNotRegistered},
		"the last one counts": {[]landscape.Element{stray, lost}, landscape.ErrNoDatabase},
		"and the other way":   {[]landscape.Element{lost, stray}, landscape.ErrNotRegistered},
	} {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			w.t = t
			w.sap("c", test.elements...)
			w.expectAnswer(test.want)
			w.sap("c", test.elements...)
			w.expectAnswer(test.want)
		})
	}
}

func TestDeregisterHost(t *testing.T) {
	w := running(t)
	w.sap("a", app("00", ascs, ensa(landscape.ENSA2)), app("01", abap), hana(number("12"), key("salt"), sid("SLT")))
	w.expect(w.removeHost("a"),
		"host_deregistration_requested a",
		"database_instance_deregistered a/12",
		"database_deregistered",
		"application_instance_deregistered a/00",
		"sap_system_deregistered", // instances without their system do not count as running
		"host_saptune_health_changed a passing",
		"host_health_changed a passing",
		"host_saptune_health_changed b passing",
		"host_health_changed b passing",
		"application_instance_deregistered a/01",
		"software_updates_discovery_cleared a",
		"host_deregistered a",
		"application_instance_system_lost b/01")
	if k := w.kept["a"]; len(k.Elements) != 0 {
		t.Errorf("the removed host is still heard: %+v", k)
	}
	// A host that goes on reporting comes back with what is on it.
	w.expect(w.sap("a", app("00", ascs)),
		"application_instance_registered a/00 green",
		"sap_system_restored passing passing",
		"host_saptune_health_changed b warning",
		"host_health_changed b warning")
}

func TestSilence(t *testing.T) {
	w := running(t)
	w.sap("db", hana(), app("05", abap))
	w.host("c", "10.1.0.3")
	w.sap("c", app("09", ers, sid("SAL"), tenant("SAL"))) // of an incomplete system
	w.heartbeat("db")
	w.heartbeat("c")
	w.expect(w.loseHeartbeat("db"),
		"heartbeat_failed db",
		"application_instance_data_marked_stale db/05",
		"sap_system_data_marked_stale",
		"database_instance_data_marked_stale db/10",
		"database_data_marked_stale")
	first := w.now
	w.expect(w.loseHeartbeat("a"), "heartbeat_failed a", "application_instance_data_marked_stale a/00")
	w.expect(w.loseHeartbeat("c"), "heartbeat_failed c", "application_instance_data_marked_stale c/09")
	s, db := w.sapSystems[lim], w.databases[ore]
	for name, at := range map[string]*time.Time{
		"system": s.StaleSince, "system's database": s.DatabaseStaleSince, "database": db.StaleSince,
		"instance": s.Instances[2].StaleSince, "database instance": db.Instances[0].StaleSince,
	} {
		if at == nil || !at.Equal(first) {
			t.Errorf("%s: stale since %v, want %v", name, at, first)
		}
	}
	if s.Health != landscape.HealthPassing || db.Health != landscape.HealthPassing {
		t.Error("silence changes a health")
	}
	// A heartbeat does not make them fresh; a report that says the same does.
	w.expect(w.heartbeat("db"), "heartbeat_succeeded db")
	w.expect(w.sap("db", hana(), app("05", abap)),
		"database_instance_data_marked_in_sync db/10",
		"database_data_marked_in_sync",
		"application_instance_data_marked_in_sync db/05")
	// It needs no heartbeat. The last instance makes the system fresh.
	w.expect(w.sap("a", app("00", ascs, ensa(landscape.ENSA2))),
		"application_instance_data_marked_in_sync a/00",
		"sap_system_data_marked_in_sync")
}

// A system is not stale any more once its stale instances are removed.
func TestSilenceEndsWithRemoval(t *testing.T) {
	w := running(t)
	w.sap("d", hana())
	w.host("d", "10.1.0.11")
	w.sap("a", app("00", ascs), app("04", ers))
	w.sap("a", app("00", ascs))
	w.loseHeartbeat("d")
	w.expect(w.removeHost("d")[1:5],
		"database_instance_deregistered d/10",
		"host_saptune_health_changed d passing", "host_health_changed d passing",
		"database_data_marked_in_sync")
	if w.sapSystems[lim].StaleSince != nil {
		t.Error("system is stale")
	}
	w.loseHeartbeat("a")
	w.sap("a", app("00", ascs))
	w.expect(w.removeApplicationInstance(lim, "a", "04"), "application_instance_deregistered a/04", "sap_system_data_marked_in_sync")
}

func TestSAPRunning(t *testing.T) {
	w := newWorld(t)
	w.host("db", dbHost)
	w.host("a", "10.1.0.1")
	warned := func(host string) []string {
		return []string{"host_saptune_health_changed " + host + " warning", "host_health_changed " + host + " warning"}
	}
	passed := func(host string) []string {
		return []string{"host_saptune_health_changed " + host + " passing", "host_health_changed " + host + " passing"}
	}
	w.expect(w.sap("db", hana()), slices.Concat(
		[]string{"database_registered passing", "database_instance_registered db/10 green"}, warned("db"), []string{"database_tenants_updated"})...)
	w.expect(w.sap("a", app("00", ascs)), slices.Concat([]string{"application_instance_registered a/00 green"}, warned("a"))...)
	w.expect(w.sap("a", app("00", ascs), app("01", abap)),
		"application_instance_registered a/01 green", "sap_system_registered passing passing no_ensa")
	w.sap("a", app("00", ascs))
	w.expect(w.removeApplicationInstance(lim, "a", "01"), slices.Concat(
		[]string{"application_instance_deregistered a/01", "sap_system_deregistered"}, passed("a"), []string{"application_instance_system_lost a/00"})...)
	if got, ok := w.events[len(w.events)-1].(*activity.ApplicationInstanceSystemLost); !ok || got.WaitsFor != activity.WaitsForSystem {
		t.Errorf("event %+v", w.events[len(w.events)-1])
	}
	// The remaining instance counts with the next report of saptune.
	saptune := landscape.Observation{Agent: "a", Kind: landscape.SaptuneDiscovery, Saptune: &landscape.SaptuneReport{}}
	w.expect(w.observe(saptune), warned("a")...)
	w.sap("a")
	w.expect(w.observe(saptune)) // absent ones count
	w.expect(w.removeApplicationInstance(lim, "a", "00"), slices.Concat([]string{"application_instance_deregistered a/00"}, passed("a"))...)
	w.expect(w.sap("a", app("00", ascs), app("01", abap)), slices.Concat(
		[]string{"application_instance_registered a/00 green"}, warned("a"),
		[]string{"application_instance_registered a/01 green", "sap_system_restored passing passing"})...)
	w.sap("db")
	w.expect(w.removeDatabaseInstance(ore, "db", "10"), slices.Concat(
		[]string{"database_instance_deregistered db/10"}, passed("db"),
		[]string{"database_deregistered", "sap_system_deregistered"}, passed("a"),
		[]string{"application_instance_system_lost a/00", "application_instance_system_lost a/01"})...)
	w.expect(w.sap("db", hana())[:4], slices.Concat([]string{"database_instance_registered db/10 green"}, warned("db"), []string{"database_restored passing"})...)
}

// A restored system makes all of its hosts run SAP again.
func TestSAPRunningAfterRestoration(t *testing.T) {
	w := running(t)
	w.sap("db")
	w.removeDatabaseInstance(ore, "db", "10")
	for _, host := range []landscape.HostID{"a", "b"} {
		if h := w.hosts[host].Health; h != landscape.HealthPassing {
			t.Errorf("%s is %s", host, h)
		}
	}
	w.expect(w.sap("db", hana()),
		"database_instance_registered db/10 green",
		"host_saptune_health_changed db warning", "host_health_changed db warning",
		"database_restored passing",
		"sap_system_restored passing passing",
		"host_saptune_health_changed a warning", "host_health_changed a warning",
		"host_saptune_health_changed b warning", "host_health_changed b warning")
}
