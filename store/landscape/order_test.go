package landscape_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/landscape"
)

// agents are the hosts of a landscape, and what their agents say: a database on
// three sites, of which the last two do not know their tier; a clustered ABAP
// system and a Java system on its tenants; a database on three hosts of one
// site; one host with a database and the system on it; and two hosts whose
// elements wait for ever.
type agents map[landscape.HostID]agentSays

type agentSays struct {
	addresses []string
	cluster   string
	elements  []landscape.Element
}

func ownLandscape() agents {
	ensa2, ensa1 := ensa(landscape.ENSA2), ensa(landscape.ENSA1)
	salJava := []func(*landscape.Element){sid("SAL"), tenant("SAL"), on("10.1.0.211")}
	gab := func(features string) landscape.Element {
		return app("00", features, sid("GAB"), tenant("GAB"), on("10.1.0.30"))
	}
	salt := func(changes ...func(*landscape.Element)) landscape.Element {
		return hana(append(changes, key("salt"), sid("SLT"), number("22"), tenants("SLT"))...)
	}
	return agents{
		"o1":   {addresses: []string{"10.1.0.11", dbHost}, elements: []landscape.Element{primary()}},
		"o2":   {addresses: []string{"10.1.0.12", "10.1.0.211"}, elements: []landscape.Element{hana(replicating(landscape.SecondaryRole, "MID", 2, 0, 1), status(landscape.Yellow))}},
		"o3":   {addresses: []string{"10.1.0.13"}, elements: []landscape.Element{hana(replicating(landscape.SecondaryRole, "DOWN", 3, 0, 2))}},
		"l1":   {addresses: []string{"10.1.0.21"}, cluster: "lime", elements: []landscape.Element{app("00", ascs, ensa2)}},
		"l2":   {addresses: []string{"10.1.0.22"}, cluster: "lime", elements: []landscape.Element{app("10", ers, ensa1)}},
		"l3":   {addresses: []string{"10.1.0.23"}, elements: []landscape.Element{app("01", abap), app("02", abap, status(landscape.Red))}},
		"j1":   {addresses: []string{"10.1.0.24"}, elements: []landscape.Element{app("81", "GATEWAY|"+ascs, append(salJava, ensa1)...), app("80", java, salJava...)}},
		"s1":   {addresses: []string{"10.1.0.41"}, elements: []landscape.Element{salt()}},
		"s2":   {addresses: []string{"10.1.0.42"}, elements: []landscape.Element{salt(status(landscape.Gray))}},
		"s3":   {addresses: []string{"10.1.0.43"}, elements: []landscape.Element{salt()}},
		"g1":   {addresses: []string{"10.1.0.30"}, elements: []landscape.Element{gab(abap + "|" + ascs), hana(key("gab"), sid("GDB"), number("01"), tenants("GAB", "GDB"))}},
		"w1":   {addresses: []string{"10.1.0.51"}, elements: []landscape.Element{app("70", abap, tenant("NONE"))}},
		"w2":   {addresses: []string{"10.1.0.52"}, elements: []landscape.Element{secondary(key("nowhere"), sid("NIX"))}},
		"none": {addresses: []string{"10.1.0.61"}},
	}
}

// says returns the reports of an agent, in the order in which it sends them.
func (a agents) says(w *testLandscape, id landscape.HostID) []func() {
	s := a[id]
	reports := []func(){
		func() { w.host(id, s.addresses...) },
		func() {
			w.report(landscape.Observation{Agent: id, Kind: landscape.SaptuneDiscovery, Saptune: &landscape.SaptuneReport{}})
		},
		func() { w.sap(id, s.elements...) },
	}
	if s.cluster != "" {
		reports = append(reports, func() { w.cluster(id, s.cluster, "LIM00", "LIM10") })
	}
	return reports
}

// lists returns what is shown of a landscape, without times.
func (w *testLandscape) lists() []string {
	w.t.Helper()
	list := []string{}
	for _, db := range w.databases {
		if db.Registered() {
			list = append(list, w.withoutTimes(db))
		}
	}
	for _, s := range w.sapSystems {
		if s.Registered() {
			list = append(list, w.withoutTimes(s))
		}
	}
	slices.Sort(list)
	return list
}

// hostHealths returns the healths of the registered hosts.
func (w *testLandscape) hostHealths() map[landscape.HostID]landscape.Health {
	healths := make(map[landscape.HostID]landscape.Health)
	for id, h := range w.hosts {
		if h.Registered() {
			healths[id] = h.Health
		}
	}
	return healths
}

func (w *testLandscape) withoutTimes(record any) string {
	w.t.Helper()
	var tree any
	text, err := json.Marshal(record)
	if err == nil {
		err = json.Unmarshal(text, &tree)
	}
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	withoutTimes(tree)
	text, err = json.MarshalIndent(tree, "", " ")
	if err != nil {
		w.t.Fatalf("%v", err)
	}
	return string(text)
}

func withoutTimes(tree any) {
	switch tree := tree.(type) {
	case []any:
		for _, element := range tree {
			withoutTimes(element)
		}
	case map[string]any:
		for name, member := range tree {
			switch {
			case strings.HasSuffix(name, "_at"):
				delete(tree, name)
			case strings.HasSuffix(name, "_since"):
				tree[name] = "some time"
			default:
				withoutTimes(member)
			}
		}
	}
}

// settled returns the landscape after each agent has sent all its reports once,
// in the order of the agents' names.
func (a agents) settled(t testingT) *testLandscape {
	w := newWorld(t)
	for _, id := range slices.Sorted(maps.Keys(a)) {
		for _, report := range a.says(w, id) {
			report()
		}
	}
	return w
}

func TestOwnLandscape(t *testing.T) {
	w := ownLandscape().settled(t)
	for id, want := range map[string]landscape.Health{
		string(ore): landscape.HealthWarning, string(lim): landscape.HealthCritical, string(sal): landscape.HealthWarning,
		string(landscape.DatabaseIDFromKey("salt")): landscape.HealthUnknown, string(landscape.DatabaseIDFromKey("gab")): landscape.HealthPassing,
		string(landscape.SAPSystemIDOn(landscape.DatabaseIDFromKey("gab"), "GAB")): landscape.HealthPassing,
	} {
		var got landscape.Health
		if db := w.databases[landscape.DatabaseID(id)]; db != nil && db.Registered() {
			got = db.Health
		}
		if s := w.sapSystems[landscape.SAPSystemID(id)]; s != nil && s.Registered() {
			got = s.Health
		}
		if got != want {
			t.Errorf("%s is %q, want %s", id, got, want)
		}
	}
	if got := len(w.lists()); got != 6 {
		t.Errorf("%d systems are shown, want 6", got)
	}
	if diff := cmp.Diff(map[landscape.HostID]int{"o1": 1, "o2": 2, "o3": 3}, tiers(w)); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
	if s := w.sapSystems[lim]; s.ENSA != landscape.ENSA2 || s.DBHost != dbHost || len(s.Instances) != 4 {
		t.Errorf("system %+v", s)
	}
	w.expectWaiting("w1/70", "w2/10")
}

// A landscape is the same after each agent has reported once, in whatever order
// the reports arrive, and whatever is repeated.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	own := ownLandscape()
	want := own.settled(t)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		var reports []func()
		for _, id := range slices.Sorted(maps.Keys(own)) {
			reports = append(reports, own.says(w, id)...)
		}
		again := rapid.SliceOfN(rapid.SampledFrom(reports), 0, len(reports)).Draw(t, "again")
		for _, report := range rapid.Permutation(append(reports, again...)).Draw(t, "order") {
			report()
		}
		if diff := cmp.Diff(want.lists(), w.lists()); diff != "" {
			t.Fatalf("order matters (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want.hostHealths(), w.hostHealths()); diff != "" {
			t.Fatalf("order matters to hosts (-want +got):\n%s", diff)
		}
		// Nothing changes any more.
		before := w.memory.text(t)
		for _, report := range reports {
			report()
		}
		if after := w.memory.text(t); before != after {
			t.Fatalf("a repeated round changes something (-before +after):\n%s", cmp.Diff(before, after))
		}
	})
}
