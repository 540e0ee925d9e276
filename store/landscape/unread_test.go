package landscape_test

import (
	"net/netip"
	"testing"
	"time"

	"trento/store/landscape"
)

// sapUnread reports instances, and others that could not be read.
func (w *testLandscape) sapUnread(id landscape.HostID, unread []landscape.UnreadInstance, elements ...landscape.Element) []string {
	r := sapReport(elements...)
	r.Unread = unread
	return w.observe(landscape.Observation{Agent: id, Kind: landscape.SAPSystemDiscovery, SAP: r})
}

// An instance that an agent lists is not absent, even if it cannot be read.
func TestUnreadInstancesAreNotAbsent(t *testing.T) {
	for _, c := range []struct {
		name string
		landscape.UnreadInstance
		gone []string
	}{
		{"the one", landscape.UnreadInstance{SID: "LIM", Number: "01"}, nil},
		{"any of its system", landscape.UnreadInstance{SID: "LIM"}, nil},
		{"any of its number", landscape.UnreadInstance{Number: "01"}, nil},
		{"any", landscape.UnreadInstance{}, nil},
		{"another number", landscape.UnreadInstance{SID: "LIM", Number: "02"}, []string{"application_instance_marked_absent b/01"}},
		{"another system", landscape.UnreadInstance{SID: "ORE", Number: "01"}, []string{"application_instance_marked_absent b/01"}},
	} {
		w := running(t)
		unread := []landscape.UnreadInstance{c.UnreadInstance}
		t.Log(c.name)
		w.expect(w.sapUnread("b", unread), c.gone...)
		w.expect(w.sapUnread("b", unread)) // says nothing new
		if c.gone == nil {
			w.expect(w.sap("b"), "application_instance_marked_absent b/01")
		}
	}
	w := running(t)
	w.expect(w.sapUnread("db", []landscape.UnreadInstance{{SID: "ORE"}}))
	w.expect(w.sap("db"), "database_instance_marked_absent db/10")
}

// A list of tenants that could not be read in full removes no system. What could
// be read of it counts.
func TestUnreadTenants(t *testing.T) {
	unread := func(names ...string) func(*landscape.Element) {
		return func(e *landscape.Element) {
			tenants(append([]string{}, names...)...)(e)
			e.Database.TenantsUnread = true
		}
	}
	w := running(t)
	w.expect(w.sap("db", hana(unread(), status(landscape.Red))),
		"database_instance_status_changed db/10 red", "database_health_changed critical",
		"sap_system_database_health_changed critical", "sap_system_health_changed critical")
	w.expect(w.sap("db", hana(unread("TIN", "LIM"), status(landscape.Red))), "database_tenants_updated")
	w = newWorld(t)
	w.host("db", dbHost)
	w.sap("db", hana(unread()))
	if db := w.databases[ore]; db == nil || !db.Registered() || len(db.Tenants) != 0 {
		t.Errorf("a database of which no tenant can be read: %+v", db)
	}
}

// An instance whose role in the replication could not be read keeps the former
// one, and registers no database: it may be a secondary.
func TestUnreadReplication(t *testing.T) {
	unread := func(e *landscape.Element) {
		database := *e.Database
		database.Replication, database.ReplicationUnread = landscape.Replication{}, true
		e.Database = &database
	}
	w := newWorld(t)
	w.expect(w.sap("b", secondary(unread)))
	w.expectAnswer(landscape.ErrNotRegistered)
	w.sap("a", primary())
	w.sap("b", secondary())
	w.expect(w.sap("b", secondary(unread, status(landscape.Yellow))),
		"database_instance_status_changed b/10 yellow", "database_health_changed warning")
	if r := w.databases[ore].Instances[1].Role; r == nil || *r != landscape.SecondaryRole {
		t.Errorf("role %v", r)
	}
}

// Features that could not be read make no system incomplete.
func TestUnreadFeatures(t *testing.T) {
	w := running(t)
	w.expect(w.sap("a", app("00", "", ensa(landscape.ENSA2))))
	w.expect(w.sap("db", hana(func(e *landscape.Element) { e.Features = "" })))
	if s, db := w.sapSystems[lim], w.databases[ore]; s.Instances[0].Features != ascs || db.Instances[0].Features == "" {
		t.Errorf("features %q, %q", s.Instances[0].Features, db.Instances[0].Features)
	}
}

// What cannot be read of a host must not separate SAP systems from their database
// or stop the search for updates.
func TestUnreadHostFacts(t *testing.T) {
	w := newWorld(t)
	facts := landscape.HostFacts{Hostname: "db", FQDN: "db.quay.test", Addresses: []landscape.Address{{IP: netip.MustParseAddr(dbHost)}}}
	report := func(f landscape.HostFacts) []string {
		return w.observe(landscape.Observation{Agent: "db", Kind: landscape.HostDiscovery, Host: &f})
	}
	report(facts)
	unread := facts
	unread.FQDN, unread.FQDNUnread, unread.Addresses = "", true, nil
	w.expect(report(unread))
	facts.Addresses, facts.FQDN = []landscape.Address{}, ""
	w.expect(report(facts), "host_details_updated db", "software_updates_discovery_cleared db")
	unread.Hostname = "new"
	w.observe(landscape.Observation{Agent: "new", Kind: landscape.HostDiscovery, Host: &unread})
	if a := w.hosts["new"].Addresses; a == nil || len(a) > 0 {
		t.Errorf("addresses %#v", a)
	}
}

// A report that does not tell whether saptune is installed changes nothing about
// it. A tuning that cannot be read stays what it was.
func TestUnreadSaptune(t *testing.T) {
	w := newWorld(t)
	w.host("a", "10.1.0.1")
	version, state := "3.1.3", "not compliant"
	tuned := landscape.Saptune{PackageVersion: &version, TuningState: &state}
	report := func(r landscape.SaptuneReport) []string {
		return w.observe(landscape.Observation{Agent: "a", Kind: landscape.SaptuneDiscovery, Saptune: &r})
	}
	report(landscape.SaptuneReport{Installed: true, PackageVersion: version, Status: &tuned})
	w.expect(report(landscape.SaptuneReport{Unread: true}))
	untold := tuned
	untold.TuningState = nil
	w.expect(report(landscape.SaptuneReport{Installed: true, PackageVersion: version, Status: &untold}))
	if s := w.hosts["a"].Saptune; s == nil || s.TuningState == nil || *s.TuningState != state {
		t.Errorf("saptune %+v", s)
	}
}

// A cluster that could not be read in full is not known to be well.
func TestUnreadCluster(t *testing.T) {
	const key = "5d41402abc4b2a76b9719d911017c592"
	for _, c := range []struct {
		name string
		hana landscape.HANADetails
		good landscape.Health
		bad  landscape.Health
	}{
		{"in sync", landscape.HANADetails{SRHealthState: "4", SecondarySyncState: "SOK"}, landscape.HealthPassing, landscape.HealthUnknown},
		{"not in sync", landscape.HANADetails{SRHealthState: "1", SecondarySyncState: "SFAIL"}, landscape.HealthCritical, landscape.HealthCritical},
	} {
		w := newWorld(t)
		w.host("a", "10.1.0.1")
		written := "Mon Aug  3 10:00:00 2026"
		count := 2
		report := func(unread bool, described bool) landscape.Health {
			r := &landscape.ClusterReport{ID: landscape.ClusterIDFromKey(key), Online: true, CIBLastWritten: &written, Unread: unread}
			if described {
				r.Facts = &landscape.ClusterFacts{
					Type: landscape.HANAScaleUp, Provider: "kvm", State: "S_IDLE", HostsNumber: &count, ResourcesNumber: &count,
					SAPInstances: []landscape.ClusteredInstance{}, HANA: &c.hana,
				}
			}
			w.observe(landscape.Observation{Agent: "a", Kind: landscape.ClusterDiscovery, Cluster: r})
			return w.clusters[r.ID].Health
		}
		if got := report(true, true); got != c.bad {
			t.Errorf("%s, first report doubtful: %s", c.name, got)
		}
		if got := report(false, true); got != c.good {
			t.Errorf("%s: %s", c.name, got)
		}
		if got := report(true, true); got != c.bad {
			t.Errorf("%s, doubtful: %s", c.name, got)
		}
		report(false, true)
		if got := report(true, false); got != landscape.HealthUnknown {
			t.Errorf("%s, not read at all: %s", c.name, got)
		}
		if cluster := w.clusters[landscape.ClusterIDFromKey(key)]; cluster.Type != landscape.HANAScaleUp || cluster.HANA == nil {
			t.Errorf("%s, not read at all: %+v", c.name, cluster)
		}
	}
}

func TestSameHostname(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"quay01", "quay01", true}, {"quay01", "QUAY01", true}, {"quay01", "quay01.lock.test", true}, {"Quay01.Lock.Test", "quay01.lock.test", true},
		{"quay01.lock.test", "quay01.pier.test", false}, {"quay01", "quay02", false}, {"quay01", "quay011", false},
		{"", "", false}, {"", "quay01", false}, {".lock", "", false}, {"10.0.0.1", "10.0.0.2", false},
	} {
		if landscape.SameHostname(c.a, c.b) != c.want || landscape.SameHostname(c.b, c.a) != c.want {
			t.Errorf("%q and %q: not %v", c.a, c.b, c.want)
		}
	}
}

// An instance that its host names is not stale for an element that could not be
// read, also while its database still goes by another SID.
func TestUnreadLeavesNamedInstancesFresh(t *testing.T) {
	w := newWorld(t)
	w.sap("d1", primary())
	w.sap("d2", secondary())
	w.observe(landscape.Observation{Agent: "d2", Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{
		Elements: []landscape.Element{secondary(sid("ORX"))}, Unread: []landscape.UnreadInstance{{SID: "LIM", Number: "01"}},
	}})
	w.expect(w.decide(func(now time.Time) (*landscape.Changeset, error) {
		return landscape.ReportsFailing(w, "d2", landscape.SAPSystemDiscovery, false, now)
	}))
}
