package landscape_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// machine reports a host under an id with a name and addresses.
func (w *testLandscape) machine(id landscape.HostID, name string, addresses ...string) []string {
	w.t.Helper()
	f := landscape.HostFacts{Hostname: name, Addresses: []landscape.Address{}}
	for _, a := range addresses {
		f.Addresses = append(f.Addresses, landscape.Address{IP: netip.MustParseAddr(a)})
	}
	return w.observe(landscape.Observation{Agent: id, Kind: landscape.HostDiscovery, Host: &f})
}

func (w *testLandscape) unshare(id landscape.HostID) []string {
	w.t.Helper()
	return w.decide(func(now time.Time) (*landscape.Changeset, error) { return landscape.EndIDSharing(w, id, now) })
}

// Two machines with one id are recognized because they take turns. What happens
// to a single machine does not look like that.
func TestSharedID(t *testing.T) {
	type look struct {
		name      string
		addresses []string
	}
	l := func(name string, addresses ...string) look { return look{name, addresses} }
	const minutes = time.Minute
	for name, test := range map[string]struct {
		reports []look
		every   time.Duration
		want    int // the report at which it is noticed; 0: never
	}{
		"two machines":                 {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("a", "10.1.1.1"), l("b", "10.1.1.2")}, minutes, 4},
		"with one name":                {[]look{l("a", "10.1.1.1"), l("a", "10.1.1.2"), l("a", "10.1.1.1"), l("a", "10.1.1.2")}, minutes, 4},
		"with an address in common":    {[]look{l("a", "10.1.1.1", "172.17.0.1"), l("b", "10.1.1.2", "172.17.0.1"), l("a", "10.1.1.1", "172.17.0.1"), l("b", "10.1.1.2", "172.17.0.1")}, minutes, 4},
		"addresses in another order":   {[]look{l("a", "10.1.1.1", "10.2.1.1"), l("b", "10.1.1.2"), l("a", "10.2.1.1", "10.1.1.1"), l("b", "10.1.1.2")}, minutes, 4},
		"three machines":               {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("c", "10.1.1.3"), l("a", "10.1.1.1"), l("b", "10.1.1.2")}, minutes, 5},
		"one reports more often":       {[]look{l("a", "10.1.1.1"), l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("a", "10.1.1.1"), l("a", "10.1.1.1"), l("b", "10.1.1.2")}, minutes, 6},
		"renamed":                      {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2")}, minutes, 0},
		"renamed and back":             {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("a", "10.1.1.1")}, minutes, 0},
		"renamed often":                {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("c", "10.1.1.3"), l("d", "10.1.1.4"), l("e", "10.1.1.5")}, minutes, 0},
		"an address for an hour":       {[]look{l("a", "10.1.1.1"), l("a", "10.1.1.2"), l("a", "10.1.1.1"), l("a", "10.1.1.2"), l("a", "10.1.1.1")}, 61 * minutes, 0},
		"a name alone":                 {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.1"), l("a", "10.1.1.1"), l("b", "10.1.1.1")}, minutes, 0},
		"an address that fails over":   {[]look{l("a", "10.1.1.1"), l("a", "10.1.1.1", "10.9.1.1"), l("a", "10.1.1.1"), l("a", "10.1.1.1", "10.9.1.1"), l("a", "10.1.1.1")}, minutes, 0},
		"addresses that come and go":   {[]look{l("localhost"), l("a", "10.1.1.1"), l("localhost"), l("a", "10.1.1.1"), l("localhost")}, minutes, 0},
		"the other one comes too late": {[]look{l("a", "10.1.1.1"), l("b", "10.1.1.2"), l("a", "10.1.1.1"), l("c", "10.1.1.3")}, minutes, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			told := 0
			for i, report := range test.reports {
				w.now = w.now.Add(test.every - time.Minute)
				events := w.machine("id", report.name, report.addresses...)
				if slices.Contains(events, "host_id_shared id") {
					told = i + 1
					w.expect(events, "host_id_shared id")
				}
			}
			if shared := w.hosts["id"].Shared(); told != test.want || shared != (told > 0) {
				t.Errorf("told with report %d, want %d; shared: %v", told, test.want, shared)
			}
		})
	}
}

// While machines take turns, there are no more events, and one of them does not
// undo what another one has reported.
func TestTurns(t *testing.T) {
	w := running(t)
	w.cluster("b", "pier")
	first := func() []string { return w.machine("b", "b", "10.1.0.2") }
	second := func() []string { return w.machine("b", "clone", "10.1.0.77") }
	first()
	second()
	w.expect(first(), "host_details_updated b")
	w.expect(second(), "host_id_shared b")
	if got, ok := w.events[len(w.events)-1].(*activity.HostIDShared); !ok || len(got.Machines) != 2 {
		t.Errorf("event %+v", w.events[len(w.events)-1])
	}
	names := func() (list []string) {
		for _, m := range w.hosts["b"].Machines() {
			list = append(list, m.Hostname)
		}
		return list
	}
	for range 3 {
		w.expect(first())
		w.expect(w.sap("b", app("01", abap)))
		w.expect(second())
		w.expect(w.sap("b"))
		w.expect(w.observe(landscape.Observation{Agent: "b", Kind: landscape.ClusterDiscovery, Cluster: &landscape.ClusterReport{}}))
		w.expect(w.observe(landscape.Observation{Agent: "b", Kind: landscape.CloudDiscovery, Cloud: &landscape.Cloud{Provider: "kvm"}}))
	}
	if diff := cmp.Diff([]string{"b", "clone"}, names()); diff != "" || w.hosts["b"].Hostname != "b" {
		t.Errorf("machines of %+v (-want +got):\n%s", w.hosts["b"], diff)
	}
	// Only a worse status is taken over from either.
	w.expect(w.sap("b", app("01", abap, status(landscape.Red), sid("OLD"))),
		"application_instance_status_changed b/01 red", "sap_system_health_changed critical")
	w.expect(w.sap("b", app("01", abap)))
	w.expect(w.sap("b", app("01", abap, sid("SAL"), tenant("SAL"))), "application_instance_registered b/01 green")
	w.expect(w.sap("b", app("01", abap)))
	// The shown machine may change, and the other one be renamed.
	w.expect(w.machine("b", "b", "10.1.0.2", "10.9.0.1"), "host_details_updated b")
	w.expect(w.machine("b", "clone", "10.1.0.77", "10.9.0.2"))
	w.expect(w.machine("b", "third", "10.1.0.78"))
	if diff := cmp.Diff([]string{"b", "clone", "third"}, names()); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	// One machine is left.
	w.expect(w.unshare("b"), "host_id_unshared b")
	w.expect(w.unshare("b"))
	w.expect(w.machine("b", "clone", "10.1.0.77"), "host_details_updated b")
	w.expect(w.sap("b", app("01", abap)),
		"application_instance_marked_absent b/01", "application_instance_status_changed b/01 green", "sap_system_health_changed passing")
	if w.hosts["b"].Shared() || w.hosts["b"].Hostname != "clone" {
		t.Errorf("host %+v", w.hosts["b"])
	}
	w.expect(w.sap("b"), "application_instance_marked_absent b/01")
}

// The same with a database: that another machine takes itself for the primary
// does not change who replicates from whom, and only a worse status is taken
// over from it.
func TestTurnsOfADatabase(t *testing.T) {
	w := newWorld(t)
	w.host("d1", dbHost)
	w.sap("d1", primary())
	w.host("d2", "10.1.0.12")
	w.sap("d2", secondary())
	before := w.systems()
	for range 2 {
		w.machine("d2", "d2", "10.1.0.12")
		w.machine("d2", "clone", "10.1.0.77")
	}
	if !w.hosts["d2"].Shared() {
		t.Fatal("nobody has noticed that there are two machines")
	}
	w.expect(w.sap("d2", primary()))
	w.expect(w.sap("d2", secondary()))
	if diff := cmp.Diff(before, w.systems()); diff != "" {
		t.Errorf("database (-before +after):\n%s", diff)
	}
	w.expect(w.sap("d2", primary(status(landscape.Red))), "database_instance_status_changed d2/10 red", "database_health_changed critical")
	w.expect(w.sap("d2", secondary()))
}
