package landscape_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/landscape"
)

// happens makes a random event as in a real landscape: a host reports something
// else than usual, an instance moves, an address changes, a host falls silent,
// or something is cleaned up.
func (a agents) happens(t *rapid.T, w *testLandscape) {
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(a))).Draw(t, "host")
	says := a[id]
	host := w.hosts[id]
	switch rapid.SampledFrom([]string{"report", "report", "report", "host", "cluster", "silent", "heard", "remove", "clean"}).Draw(t, "what") {
	case "report":
		w.sap(id, a.somethingElse(t, id)...)
	case "host":
		if rapid.Bool().Draw(t, "readdressed") {
			says.addresses = []string{rapid.SampledFrom([]string{"10.1.0.99", dbHost, "10.1.0.211"}).Draw(t, "address")}
		}
		w.host(id, says.addresses...)
	case "cluster":
		if says.cluster != "" {
			w.cluster(id, rapid.SampledFrom([]string{says.cluster, "other"}).Draw(t, "cluster"), "LIM00", "LIM10")
		}
	case "silent":
		if host != nil && host.Registered() {
			w.loseHeartbeat(id)
		}
	case "heard":
		if host != nil && host.Registered() {
			w.heartbeat(id)
		}
	case "remove":
		if host != nil && host.Registered() {
			w.removeHost(id)
		}
	case "clean":
		w.cleanUpSomething(rapid.IntRange(0, 3).Draw(t, "which"))
	}
}

// somethingElse returns a report that a host may send instead of its usual one.
func (a agents) somethingElse(t *rapid.T, id landscape.HostID) []landscape.Element {
	elements := slices.DeleteFunc(slices.Clone(a[id].elements), func(landscape.Element) bool {
		return rapid.IntRange(0, 3).Draw(t, "missing") == 0
	})
	if other := map[landscape.HostID]landscape.HostID{"l1": "l2", "l2": "l1"}[id]; other != "" && rapid.Bool().Draw(t, "failover") {
		elements = append(elements, a[other].elements...)
	}
	for i := range elements {
		e := &elements[i]
		if rapid.Bool().Draw(t, "bad") {
			e.Status = rapid.SampledFrom([]landscape.InstanceStatus{landscape.Green, landscape.Yellow, landscape.Red, landscape.Gray}).Draw(t, "status")
		}
		if id == "w1" || id == "w2" { // their elements have to wait for ever
			continue
		}
		if rapid.IntRange(0, 7).Draw(t, "renamed") == 0 {
			e.SID = "ANY"
		}
		if rapid.IntRange(0, 7).Draw(t, "renumbered") == 0 {
			e.Number = rapid.SampledFrom([]string{"00", "10", "22"}).Draw(t, "number")
		}
		if e.Database == nil {
			a.placeElsewhere(t, e)
			continue
		}
		switch rapid.IntRange(0, 7).Draw(t, "other") {
		case 2:
			key("rebuilt " + e.SID)(e)
		case 3: // an SAP system that is on another database may be on it
			key("rebuilt " + e.SID)(e)
			tenants("GAB", "LIM", "SAL")(e)
		case 0:
			replicating(rapid.SampledFrom([]string{landscape.PrimaryRole, landscape.SecondaryRole}).Draw(t, "role"), "UP", 1, 0, 2)(e)
		case 1:
			tenants(rapid.SampledFrom(e.Database.Tenants).Draw(t, "tenant"))(e)
		}
	}
	return elements
}

// placeElsewhere moves an application instance to another database or tenant.
func (a agents) placeElsewhere(t *rapid.T, e *landscape.Element) {
	if rapid.IntRange(0, 5).Draw(t, "replaced") == 0 {
		// A system keeps the address of its database and the generation of its
		// enqueue service, once they were reported.
		addresses := map[string]string{"GAB": "10.1.0.30", "GDB": "10.1.0.30", "LIM": dbHost, "SAL": "10.1.0.211", "SLT": "10.1.0.41"}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(addresses))).Draw(t, "tenant")
		tenant(name)(e)
		on(addresses[name])(e)
		ensa(landscape.NoENSA)(e)
	}
}

// cleanUpSomething cleans up the absent instance with an index; false where there
// are not so many.
func (w *testLandscape) cleanUpSomething(which int) bool {
	for _, id := range slices.Sorted(maps.Keys(w.databases)) {
		for _, i := range w.databases[id].Instances {
			if i.AbsentSince == nil {
				continue
			}
			if which--; which < 0 {
				w.removeDatabaseInstance(id, i.HostID, i.Number)
				return true
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.sapSystems)) {
		for _, i := range w.sapSystems[id].Instances {
			if i.AbsentSince == nil {
				continue
			}
			if which--; which < 0 {
				w.removeApplicationInstance(id, i.HostID, i.Number)
				return true
			}
		}
	}
	return false
}

// TestLandscapeHeals makes random events happen to a landscape. After that all
// agents send their usual reports, and absent instances are cleaned up. The
// landscape must then be the same as without the events.
func TestLandscapeHeals(t *testing.T) {
	t.Parallel()
	own := ownLandscape()
	want := own.settled(t).lists()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			own.happens(t, w)
		}
		round := func() {
			for id, host := range w.hosts { // what was another machine, perhaps, has not reported for a while
				if host.Shared() {
					w.unshare(id)
				}
			}
			order := rapid.Permutation(slices.Sorted(maps.Keys(own))).Draw(t, "order")
			for _, id := range order {
				for _, report := range own.says(w, id) {
					report()
				}
				w.heartbeat(id)
			}
		}
		round()
		round() // clusters may have been seen after what has moved in them
		for w.cleanUpSomething(0) {
		}
		round()
		if diff := cmp.Diff(want, w.lists()); diff != "" {
			t.Fatalf("landscape (-want +got):\n%s", diff)
		}
	})
}
