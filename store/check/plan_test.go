package check

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/check/script"
	"trento/store/landscape"
)

func testCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	return NewCatalogue([]File{testFile(t), {Path: "none", Name: "0A00F2.yaml", Content: []byte(`
id: "0A00F2"
name: No facts
group: Test
description: A check without facts
remediation: None
metadata: {target_type: cluster, cluster_type: hana_scale_out}
facts: []
expectations: [{name: always, expect: "true"}]
`)}})
}

func testRequest(checks ...string) Request {
	r := Request{ExecutionID: "x", GroupID: "g", Kind: ClusterSubject, Environment: Environment{"provider": "kvm", "cluster_type": "hana_scale_up", "nodes": 2.0}}
	for _, agent := range []string{"a", "b", "c"} {
		r.Targets = append(r.Targets, Target{AgentID: agent, Checks: checks, Attributes: map[string]any{"is_majority_maker": agent == "c"}})
	}
	return r
}

func TestPlan(t *testing.T) {
	r := testRequest("0A00F1", "0A00F2", "GONE", "0A00F1")
	r.Targets = append(r.Targets, r.Targets[0]) // a host listed twice counts once
	p := NewPlan(t.Context(), testCatalogue(t), r)
	got := fmt.Sprint(p.Targets[0].Checks, len(p.Targets), p.Unknown, p.Inapplicable, p.FactRequests("a"), p.FactRequests("c"), p.FactRequests("z"))
	const want = "[0A00F1] 3 [GONE] [0A00F2] [{0A00F1 token corosync.conf@v1 totem.token} {0A00F1 nodes corosync.conf@v1 nodelist.node}] [] []"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func facts(token any, nodes int) []GatheredFact {
	return []GatheredFact{
		{"0A00F1", "token", fact(token)}, {"0A00F1", "nodes", fact(make([]any, nodes))}, {"0A00F1", "other", fact(1)}, {"FFFFFF", "token", fact(1)},
	}
}

func TestAnswers(t *testing.T) {
	p := NewPlan(t.Context(), testCatalogue(t), testRequest("0A00F1"))
	a := NewAnswers(p)
	if diff := cmp.Diff([]string{"a", "b"}, a.Waiting()); diff != "" {
		t.Error(diff)
	}
	add := func(agent string, want Reception, wantUnasked int) {
		t.Helper()
		if got, unasked := a.Add(agent, facts(5000.0, 2)); got != want || unasked != wantUnasked {
			t.Errorf("%s: %v, %d facts not asked for", agent, got, unasked)
		}
	}
	a.TimeOut(Timeout{AgentID: "a", Reason: Disconnected})
	a.TimeOut(Timeout{AgentID: "z", Reason: Disconnected})
	add("c", Foreign, 0) // excluded
	add("z", Foreign, 0)
	add("b", Taken, 2)
	add("b", Repeated, 0)
	if !a.Complete() || len(a.Timeouts()) != 1 {
		t.Errorf("%v wait, %v timed out", a.Waiting(), a.Timeouts())
	}
	add("a", Taken, 2) // it has come back in time
	if len(a.Timeouts()) != 0 {
		t.Errorf("%v timed out", a.Timeouts())
	}
}

// TestConclusion compares the document of an execution with every kind of host
// with the one in testdata, which was read against the description of the
// format.
func TestConclusion(t *testing.T) {
	r := testRequest("0A00F1")
	r.Targets = append(r.Targets, Target{AgentID: "d", Checks: []string{"0A00F1"}}, Target{AgentID: "e", Checks: []string{"0A00F1"}})
	p := NewPlan(t.Context(), testCatalogue(t), r)
	a := NewAnswers(p)
	a.Add("a", facts(1000.0, 0)[:2])
	a.TimeOut(Timeout{AgentID: "b", Reason: ClockSkew, SkewSeconds: 400})
	a.Add("d", []GatheredFact{{"0A00F1", "nodes", Answer{Error: &FactError{"corosync-conf-file-error", "no such file"}}}})
	a.Add("e", facts(5000.0, 2)[:2])
	custom := CustomValues{"0A00F1": {"wanted": script.NewInt(6000)}}
	until := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	c := p.Conclude(t.Context(), a, custom, []Waiver{{"0A00F1", "b", "is being replaced", "ann", until}})
	got, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/conclusion.json")
	if err != nil {
		t.Fatal(err)
	}
	var wanted, had any
	if json.Unmarshal(want, &wanted) != nil || json.Unmarshal(got, &had) != nil {
		t.Fatal("the conclusion or the one in testdata is no JSON")
	}
	if diff := cmp.Diff(wanted, had); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, got)
	}
	again := new(Conclusion)
	if err := json.Unmarshal(got, again); err != nil {
		t.Fatal(err)
	}
	if second, err := json.MarshalIndent(again, "", "  "); err != nil || string(second) != string(got) {
		t.Errorf("read and written again (%v):\n%s", err, second)
	}
}

func TestWaivers(t *testing.T) {
	until := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		waivers        []Waiver
		result, health Result
		counts         Counts
	}{
		"none":        {nil, Critical, Critical, Counts{Critical: 1}},
		"other check": {[]Waiver{{"FFFFFF", "", "x", "ann", until}}, Critical, Critical, Counts{Critical: 1}},
		"one host":    {[]Waiver{{"0A00F1", "b", "x", "ann", until}}, Critical, Warning, Counts{Critical: 1, Waived: 1}},
		"both hosts":  {[]Waiver{{"0A00F1", "a", "x", "ann", until}, {"0A00F1", "b", "x", "ann", until}}, Critical, Passing, Counts{Critical: 1, Waived: 1}},
		"whole check": {[]Waiver{{"0A00F1", "", "x", "ann", until}}, Critical, Passing, Counts{Critical: 1, Waived: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPlan(t.Context(), testCatalogue(t), testRequest("0A00F1"))
			a := NewAnswers(p)
			a.Add("a", facts(1000.0, 2)) // a warning; b has not answered, which is critical
			conclusion := p.Conclude(t.Context(), a, nil, c.waivers)
			if result, health := conclusion.Result(); result != c.result || health != c.health || conclusion.Count() != c.counts {
				t.Errorf("result %s, health %s, %+v", result, health, conclusion.Count())
			}
		})
	}
}

func TestCustomValue(t *testing.T) {
	c := testCheck(t)
	for _, try := range []struct {
		name string
		v    any
		want any
		ok   bool
	}{
		{"wanted", 6000.0, int64(6000), true}, {"wanted", 0.0, int64(0), true}, {"wanted", nil, nil, true}, {"wanted", "6000", nil, false}, {"wanted", 1.5, nil, false},
		{"wanted", 3e9, nil, false}, {"wanted", true, nil, false}, {"rings", 2.0, nil, false}, {"rings", nil, nil, false}, {"other", 1.0, nil, false}, {"wanted", []any{1.0}, nil, false},
	} {
		if v, ok := c.CustomValue(try.name, try.v); ok != try.ok || ok && v != try.want {
			t.Errorf("%s = %v: %v, %v", try.name, try.v, v, ok)
		}
	}
}

func TestSubject(t *testing.T) {
	name := "hana"
	h := func(id, name string) *landscape.Host {
		return &landscape.Host{ID: landscape.HostID(id), HostFacts: landscape.HostFacts{Hostname: name, Arch: "x86_64"}}
	}
	instance := func(host, sid, number string) landscape.ApplicationInstance {
		return landscape.ApplicationInstance{Instance: landscape.Instance{HostID: landscape.HostID(host), SID: sid, Number: number}}
	}
	central := func(systems ...landscape.ClusterSAPSystem) landscape.ClusterFacts {
		return landscape.ClusterFacts{Type: landscape.ASCSERS, Provider: "azure", ASCSERS: &landscape.ASCSERSDetails{SAPSystems: systems},
			SAPInstances: []landscape.ClusteredInstance{{SID: "HA1", Number: "00"}, {SID: "HA1", Number: "10"}}}
	}
	based, simple := landscape.ClusterSAPSystem{FilesystemResourceBased: true}, landscape.ClusterSAPSystem{}
	ha1 := &landscape.SAPSystem{SID: "HA1", ENSA: landscape.ENSA2, Instances: []landscape.ApplicationInstance{instance("1", "HA1", "00"), instance("1", "HA1", "10"), instance("2", "HA1", "01")}}
	for what, c := range map[string]struct {
		facts   landscape.ClusterFacts
		systems []*landscape.SAPSystem
		want    string
	}{
		"scale-up": {landscape.ClusterFacts{Type: landscape.HANAScaleUp, Provider: "kvm", HANA: &landscape.HANADetails{Architecture: "Unknown", Scenario: landscape.CostOptimized, Nodes: []landscape.HANANode{{Name: "vega02", MajorityMaker: true}}}}, nil,
			"map[architecture_type:classic cluster_type:hana_scale_up hana_scenario:cost_optimized provider:kvm target_type:cluster] [{2 vega01 map[is_majority_maker:false]} {1 vega02 map[is_majority_maker:true]}]"},
		"scale-out": {landscape.ClusterFacts{Type: landscape.HANAScaleOut, HANA: &landscape.HANADetails{Architecture: landscape.AngiArchitecture}}, nil,
			"map[architecture_type:angi cluster_type:hana_scale_out provider:unknown target_type:cluster] [{2 vega01 map[is_majority_maker:false]} {1 vega02 map[is_majority_maker:false]}]"},
		"central services": {central(based, simple), []*landscape.SAPSystem{ha1},
			"map[cluster_type:ascs_ers ensa_version:ensa2 filesystem_type:mixed_fs_types provider:azure target_type:cluster] [{1 vega02 map[]}]"},
		"no instance known": {central(based), nil,
			"map[cluster_type:ascs_ers ensa_version:no_ensa filesystem_type:resource_managed provider:azure target_type:cluster] [{2 vega01 map[]} {1 vega02 map[]}]"},
	} {
		t.Run(what, func(t *testing.T) {
			s := NewClusterSubject(&landscape.Cluster{ID: "c", Name: &name, ClusterFacts: c.facts}, []*landscape.Host{h("1", "vega02"), h("2", "vega01")}, c.systems)
			if got := fmt.Sprint(s.Environment, s.Hosts); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	if got, want := fmt.Sprint(NewHostSubject(h("1", "vega02"))), "{host 1 vega02 [] map[arch:x86_64 provider:unknown target_type:host] [{1 vega02 map[]}]}"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// BenchmarkConclude evaluates 100 checks for a cluster of two hosts.
func BenchmarkConclude(b *testing.B) {
	file := testFile(b)
	catalogue, r := &Catalogue{}, testRequest()
	for n := range 100 {
		c, _ := Read(file)
		c.ID = fmt.Sprintf("%06X", n)
		catalogue.Checks = append(catalogue.Checks, c)
	}
	r.Targets = r.Targets[:2]
	for i := range r.Targets {
		for _, c := range catalogue.Checks {
			r.Targets[i].Checks = append(r.Targets[i].Checks, c.ID)
		}
	}
	for b.Loop() {
		p := NewPlan(b.Context(), catalogue, r)
		a := NewAnswers(p)
		for _, agent := range []string{"a", "b"} {
			var all []GatheredFact
			for _, c := range catalogue.Checks {
				all = append(all, GatheredFact{c.ID, "token", fact(5000.0)}, GatheredFact{c.ID, "nodes", fact(make([]any, 2))})
			}
			a.Add(agent, all)
		}
		if result, _ := p.Conclude(b.Context(), a, nil, nil).Result(); result != Passing {
			b.Fatal(result)
		}
	}
}
