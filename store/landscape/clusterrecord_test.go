package landscape

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestClusterOf(t *testing.T) {
	for key, want := range map[string]ClusterID{
		"47d1190ffb4f781974c8356d7f863b03": "34a94290-2236-5e4d-8def-05beb32d14d4",
	} {
		if got := ClusterIDFromKey(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if ClusterIDFromKey("a") == ClusterIDFromKey("A") {
		t.Error("keys are not taken as text")
	}
}

// A report that says nothing new changes nothing, whatever time it has.
func TestUnchangedClusterReports(t *testing.T) {
	otherTime := func(r *ClusterReport) { r.CIBLastWritten = ptr("Mon Mar  2 08:30:00 2026") }
	for name, steps := range map[string][2]step{
		"controller":              {controls("a", nil), controls("a", nil)},
		"controller, later":       {controls("a", nil), controls("a", otherTime)},
		"central services":        {controls("a", described(ascsFacts())), controls("a", described(ascsFacts()))},
		"unknown inside":          {controls("a", described(unknownFacts())), controls("a", described(unknownFacts()))},
		"node":                    {online("a"), online("a")},
		"controller, then node":   {controls("a", nil), online("a")},
		"no cluster":              {unclustered("a"), unclustered("a")},
		"stopped":                 {steps(controls("a", nil), offline("a")), offline("a")},
		"unnamed":                 {controls("a", func(r *ClusterReport) { r.Name = nil }), controls("a", func(r *ClusterReport) { r.Name = nil })},
		"same facts, other lists": {controls("a", nil), controls("a", func(r *ClusterReport) { r.Facts.HANA.Sites = slices.Clip(r.Facts.HANA.Sites) })},
	} {
		h := newClusterLandscape(t)
		h.decide(steps[0])
		if cs := h.decide(steps[1]); cs.Changed() {
			t.Errorf("%s: %v %v", name, cs.Clusters.Changed, cs.Events)
		}
	}
}

// steps combines several steps into one.
func steps(all ...step) step {
	return func(cs *Changeset) error {
		for _, s := range all {
			if err := s(cs); err != nil {
				return err
			}
		}
		return nil
	}
}

// Any change of what a controller reports is stored, but for the time at which
// the configuration was written.
func TestClusterNews(t *testing.T) {
	for name, change := range map[string]func(*ClusterReport){
		"name":           func(r *ClusterReport) { r.Name = ptr("other") },
		"no name":        func(r *ClusterReport) { r.Name = nil },
		"type":           func(r *ClusterReport) { r.Facts.Type = HANAScaleOut },
		"provider":       func(r *ClusterReport) { r.Facts.Provider = "aws" },
		"state":          func(r *ClusterReport) { r.Facts.State = "S_ELECTION" },
		"instances":      func(r *ClusterReport) { r.Facts.SAPInstances[0].Mounted = ptr(true) },
		"resources":      func(r *ClusterReport) { r.Facts.ResourcesNumber = ptr(8) },
		"hosts":          func(r *ClusterReport) { r.Facts.HostsNumber = ptr(3) },
		"details":        func(r *ClusterReport) { r.Facts.HANA.MaintenanceMode = true },
		"order":          func(r *ClusterReport) { r.Facts.HANA.Resources[0].Role = "Slave" },
		"SID of a part":  func(r *ClusterReport) { r.Facts.ResourceSIDs = map[string]string{"r": "ZZZ"} },
		"fencing is off": func(r *ClusterReport) { r.Facts.HANA.FencingType = ptr("external/sbd") },
	} {
		h := newClusterLandscape(t)
		h.decide(controls("a", nil))
		r := ClusterReport{ID: "pier", Name: ptr("pier_hana"), Online: true, CIBLastWritten: ptr("z"), Facts: ptr(hanaFacts())}
		change(&r)
		if got := lines(t, h.decide(reports("a", r)).Events); len(got) != 1 {
			t.Errorf("%s: %v", name, got)
		}
		pier := h.clusters["pier"]
		if diff := cmp.Diff(*r.Facts, pier.ClusterFacts); diff != "" || !cmp.Equal(pier.Name, r.Name) || *pier.CIBLastWritten != "z" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !pier.UpdatedAt.Equal(h.now) || pier.RegisteredAt.Equal(h.now) {
			t.Errorf("%s: registered %v, updated %v", name, pier.RegisteredAt, pier.UpdatedAt)
		}
	}
}

func TestCIBLastWritten(t *testing.T) {
	const (
		early  = "Mon Mar  2 08:00:00 2026"
		late   = "Mon Mar  2 08:00:05 2026"
		future = "Thu Jan  1 00:00:00 2099"
	)
	at := func(text string) func(*ClusterReport) {
		return func(r *ClusterReport) { r.CIBLastWritten = &text }
	}
	changed := func(text string) func(*ClusterReport) {
		return func(r *ClusterReport) { r.CIBLastWritten, r.Facts.State = &text, "S_ELECTION" }
	}
	for name, c := range map[string]struct {
		steps []step
		want  string
	}{
		"offline":                   {[]step{offline("a")}, ""},
		"online at last":            {[]step{offline("a"), online("a")}, early},
		"from a controller":         {[]step{controls("a", at(late))}, late},
		"alone it changes nothing":  {[]step{controls("a", at(early)), controls("a", at(late))}, early},
		"later":                     {[]step{controls("a", at(early)), controls("a", changed(late))}, late},
		"from a node that joins":    {[]step{controls("b", at("x")), online("a")}, early},
		"overtaken":                 {[]step{controls("a", at(late)), online("b")}, late},
		"offline keeps it":          {[]step{controls("a", at(late)), offline("b")}, late},
		"of a clock that was ahead": {[]step{controls("a", at(future)), controls("a", changed(early))}, early},
		"of another form":           {[]step{controls("a", at("2026-03-02 08:00")), controls("a", changed("2026-03-01 07:00"))}, "2026-03-01 07:00"},
	} {
		h := newClusterLandscape(t)
		for _, s := range c.steps {
			h.decide(s)
		}
		got := ""
		if written := h.clusters["pier"].CIBLastWritten; written != nil {
			got = *written
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestClusterRecords(t *testing.T) {
	h := newClusterLandscape(t)
	h.decide(online("a"))
	registered := h.now
	h.clusters["pier"].SelectedChecks = []string{"156F64"}
	h.decide(controls("a", nil))
	h.decide(silent("a"))
	if since := h.clusters["pier"].StaleSince; since == nil || !since.Equal(h.now) {
		t.Errorf("stale since %v, want %v", since, h.now)
	}
	noticed := h.now
	h.decide(online("b"))
	h.decide(silent("b"))
	if since := h.clusters["pier"].StaleSince; since == nil || !since.Equal(noticed) {
		t.Errorf("stale since %v, want %v", since, noticed)
	}
	h.decide(leaves("b"))
	h.decide(leaves("a"))
	gone := h.clusters["pier"]
	if gone.DeregisteredAt == nil || !gone.DeregisteredAt.Equal(h.now) || gone.StaleSince != nil || gone.HANA == nil || gone.Health != HealthPassing {
		t.Errorf("deregistered: %+v", gone)
	}
	h.decide(offline("b"))
	back := h.clusters["pier"]
	if !back.Registered() || !back.RegisteredAt.Equal(registered) || !cmp.Equal(back.SelectedChecks, []string{"156F64"}) || back.HANA == nil {
		t.Errorf("restored: %+v", back)
	}
}

// A cluster may report a host before the host reports itself.
func TestHiddenHost(t *testing.T) {
	h := newClusterLandscape(t)
	h.decide(offline("a"))
	hidden := h.hosts["a"]
	if hidden.Registered() || hidden.ClusterID != "pier" || hidden.ClusterHostStatus != "offline" {
		t.Fatalf("hidden: %+v", hidden)
	}
	h.decide(func(cs *Changeset) error {
		return cs.observeHost(Observation{Agent: "a", Host: &HostFacts{Hostname: "pier01", Addresses: []Address{}, SystemdUnits: []SystemdUnit{}}})
	})
	known := h.hosts["a"]
	if !known.Registered() || known.ClusterID != "pier" || known.ClusterHostStatus != "offline" || !known.RegisteredAt.Equal(h.now) {
		t.Errorf("known: %+v", known)
	}
	h.decide(online("a"))
	if known = h.hosts["a"]; known.ClusterHostStatus != "online" || known.Hostname != "pier01" || !known.UpdatedAt.Equal(h.now) {
		t.Errorf("online: %+v", known)
	}
	h.decide(unclustered("a"))
	if known = h.hosts["a"]; known.ClusterID != "" || known.ClusterHostStatus != "" || known.Hostname != "pier01" {
		t.Errorf("outside: %+v", known)
	}
}

func TestDetailsOfTheWire(t *testing.T) {
	for _, c := range []struct {
		facts ClusterFacts
		sid   string
		sids  []string
	}{{hanaFacts(), "HBR", []string{}}, {ascsFacts(), "", []string{"NLK"}}, {unknownFacts(), "", []string{}}, {initialClusterFacts(), "", []string{}}} {
		if got := c.facts.SID(); got != c.sid {
			t.Errorf("%s: SID %q", c.facts.Type, got)
		}
		if diff := cmp.Diff(c.sids, c.facts.AdditionalSIDs()); diff != "" {
			t.Errorf("%s: SIDs (-want +got):\n%s", c.facts.Type, diff)
		}
	}
	many := ClusterFacts{SAPInstances: []ClusteredInstance{
		{SID: "HBR", ResourceType: DatabaseResource}, {SID: "HXX", ResourceType: DatabaseResource},
		{SID: "NLK", ResourceType: InstanceResource}, {SID: "HBR", ResourceType: InstanceResource}, {SID: "NLK", ResourceType: InstanceResource},
	}}
	if many.SID() != "HBR" || !cmp.Equal(many.AdditionalSIDs(), []string{"NLK", "HBR"}) {
		t.Errorf("SIDs: %q %q", many.SID(), many.AdditionalSIDs())
	}
	stopped := ClusterResource{ID: "r", Type: "systemd:x", Role: "Stopped"}
	document, err := json.Marshal(stopped)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"r","type":"systemd:x","role":"Stopped","status":null,"fail_count":null,"managed":null,"node":null,"parent":null}`
	if string(document) != want {
		t.Errorf("stopped: %s", document)
	}
}

func TestMounts(t *testing.T) {
	c := Cluster{ClusterFacts: ascsFacts()}
	c.SAPInstances = append(c.SAPInstances,
		ClusteredInstance{SID: "NLK", Number: "10", ResourceType: InstanceResource, Mounted: ptr(false)},
		ClusteredInstance{SID: "HBR", Number: "00", ResourceType: DatabaseResource})
	for _, i := range []struct {
		sid, number string
		want        bool
	}{{"NLK", "00", true}, {"NLK", "10", false}, {"HBR", "00", false}, {"NLK", "01", false}, {"ZZZ", "00", false}} {
		if got := c.mountsFilesystemsOf(i.sid, i.number); got != i.want {
			t.Errorf("%s %s: %v", i.sid, i.number, got)
		}
	}
}

func TestClusterHealth(t *testing.T) {
	for _, c := range []struct {
		in   ClusterInputs
		want Health
	}{
		{ClusterInputs{}, HealthUnknown},
		{ClusterInputs{Checks: HealthUnknown}, HealthUnknown},
		{ClusterInputs{Replication: HealthPassing, SBD: HealthPassing, Checks: HealthPassing}, HealthPassing},
		{ClusterInputs{Replication: HealthPassing, SBD: HealthUnknown, Checks: HealthUnknown}, HealthPassing},
		{ClusterInputs{Replication: HealthPassing, SBD: HealthCritical, Checks: HealthUnknown}, HealthCritical},
		{ClusterInputs{Replication: HealthPassing, SBD: HealthPassing, Checks: HealthWarning}, HealthWarning},
		{ClusterInputs{Replication: HealthCritical, SBD: HealthPassing, Checks: HealthWarning}, HealthCritical},
		{ClusterInputs{Replication: HealthUnknown, SBD: HealthUnknown, Checks: HealthCritical}, HealthUnknown},
		{ClusterInputs{Distributed: HealthCritical, SBD: HealthUnknown, Checks: HealthPassing}, HealthCritical},
		{ClusterInputs{Distributed: HealthUnknown, SBD: HealthCritical, Checks: HealthPassing}, HealthUnknown},
	} {
		if got := c.in.Overall(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.in, got, c.want)
		}
	}
	for _, c := range []struct {
		landscape, sync string
		want            Health
	}{
		{"4", "SOK", HealthPassing}, {"3", "SOK", HealthCritical}, {"4", "SFAIL", HealthCritical}, {"4", "PRIM", HealthCritical},
		{"Unknown", "Unknown", HealthCritical}, {"", "", HealthCritical},
	} {
		if got := (&HANADetails{SRHealthState: c.landscape, SecondarySyncState: c.sync}).health(); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.landscape, c.sync, got, c.want)
		}
	}
	yes, no := ClusterSAPSystem{Distributed: true}, ClusterSAPSystem{}
	for want, systems := range map[Health][]ClusterSAPSystem{HealthPassing: {yes, yes}, HealthCritical: {yes, no, yes}} {
		if got := (&ASCSERSDetails{SAPSystems: systems}).health(); got != want {
			t.Errorf("%+v: %s", systems, got)
		}
	}
	good, bad := SBDDevice{"a", SBDHealthy}, SBDDevice{"b", SBDUnhealthy}
	for want, devices := range map[Health][]SBDDevice{HealthUnknown: {}, HealthPassing: {good, good}, HealthCritical: {good, bad}} {
		if got := sbdHealth(devices); got != want {
			t.Errorf("%+v: %s", devices, got)
		}
	}
}

// Whatever happens, in whatever order: after every step the landscape checks what
// is always true, and that no rule modifies a stored record.
func TestClusterProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := newClusterLandscape(t)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			s := drawStep(rt)
			h.decide(s)
			if t.Failed() {
				rt.Fatal("see above")
			}
		}
	})
}

func drawStep(t *rapid.T) step {
	host := rapid.SampledFrom([]HostID{"a", "b", "c"}).Draw(t, "host")
	failed := func(r *ClusterReport) { r.Facts.HANA.SecondarySyncState = "SFAIL" }
	return rapid.SampledFrom([]step{
		controls(host, nil), controls(host, failed), controls(host, described(ascsFacts())), controls(host, described(unknownFacts())),
		online(host), offline(host), unclustered(host), elsewhere(host), silent(host), leaves(host),
	}).Draw(t, "step")
}

// After each node has reported once, the landscape does not depend on their
// order, and nothing changes when all report again.
func TestClusterOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		hosts := []HostID{"a", "b", "c", "d"}
		views := make(map[HostID]step)
		for _, host := range hosts {
			views[host] = rapid.SampledFrom([]step{online(host), offline(host)}).Draw(rt, "view")
		}
		controlled := rapid.Bool().Draw(rt, "controlled")
		if controlled {
			facts := rapid.SampledFrom([]ClusterFacts{hanaFacts(), ascsFacts(), unknownFacts()}).Draw(rt, "facts")
			views["d"] = controls("d", func(r *ClusterReport) { r.Facts, r.CIBLastWritten = &facts, ptr("Mon Mar  2 08:00:07 2026") })
		}
		var first *Cluster
		for range 3 {
			h := newClusterLandscape(t)
			for _, host := range rapid.Permutation(hosts).Draw(rt, "order") {
				h.decide(views[host])
			}
			for _, host := range hosts {
				if cs := h.decide(views[host]); cs.Changed() {
					rt.Fatalf("%s says something new: %v", host, lines(t, cs.Events))
				}
			}
			pier := h.clusters["pier"]
			pier.RegisteredAt, pier.UpdatedAt = time.Time{}, time.Time{}
			if first == nil {
				first = pier
			}
			if !reflect.DeepEqual(first, pier) {
				rt.Fatalf("order matters (-first +then):\n%s", cmp.Diff(first, pier))
			}
		}
	})
}

// The record of a cluster says since when the replication between its sites is
// as it is. Other changes of the cluster do not touch that time.
func TestSyncChangedAt(t *testing.T) {
	t.Parallel()
	h := newClusterLandscape(t)
	failed := func(r *ClusterReport) { r.Facts.HANA.SecondarySyncState = "SFAIL" }
	maintained := func(r *ClusterReport) { failed(r); r.Facts.HANA.MaintenanceMode = true }
	h.decide(controls("a", nil))
	if at := h.clusters["pier"].SyncChangedAt; at != nil {
		t.Errorf("changed at %v before anything has changed", at)
	}
	h.decide(controls("a", failed))
	since := h.clusters["pier"].UpdatedAt
	h.now = h.now.Add(time.Hour)
	h.decide(controls("a", maintained))
	if c := h.clusters["pier"]; c.SyncChangedAt == nil || !c.SyncChangedAt.Equal(since) || !c.UpdatedAt.After(since) {
		t.Errorf("changed at %v, want %v; updated at %v", c.SyncChangedAt, since, c.UpdatedAt)
	}
}
