package landscape_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trento/store/discovery"
	"trento/store/landscape"
)

// envelope is a whole report that can be changed.
type envelope struct {
	Agent   string `json:"agent_id"`
	Type    string `json:"discovery_type"`
	Payload any    `json:"payload"`
}

func readEnvelope(t *testing.T, name string, replace ...string) *envelope {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "discovery", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(body))
	if len(replace) > 0 && text == string(body) {
		t.Fatalf("%s is without %s", name, replace[0])
	}
	e := &envelope{}
	if err := json.Unmarshal([]byte(text), e); err != nil {
		t.Fatal(err)
	}
	return e
}

// decode decodes the report as it is now; false where it is refused.
func (e *envelope) decode(t *testing.T) (landscape.Observation, bool) {
	t.Helper()
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := discovery.Decode(discovery.Envelope{Agent: landscape.HostID(e.Agent), Type: e.Type, Payload: payload})
	return seen, err == nil
}

// spoil makes each part of the report unreadable in turn, and calls do with its
// path: null, absent, blank or of another type. An empty list can be read. Of
// large reports it does not try everything with each part.
func (e *envelope) spoil(do func(path string)) {
	whole, err := json.Marshal(e.Payload)
	if err != nil {
		panic(err)
	}
	step, turn := 1, 0
	switch {
	case len(whole) > 8000:
		step = 7
	case len(whole) > 3000:
		step = 3
	}
	var walk func(path string, v any, set func(any), remove func())
	walk = func(path string, v any, set func(any), remove func()) {
		for _, instead := range []any{nil, "", 7, []any{7}, map[string]any{"strange": []any{}}} {
			if turn++; turn%step != 0 {
				continue
			}
			set(instead)
			text, err := json.Marshal(instead)
			if err != nil {
				panic(err)
			}
			do(path + " = " + string(text))
		}
		set(v)
		if turn++; remove != nil && turn%step == 0 {
			remove()
			do(path + " absent")
			set(v)
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(path+"/"+key, v[key], func(other any) { v[key] = other }, func() { delete(v, key) })
			}
		case []any:
			for i := range v {
				walk(path+"/-", v[i], func(other any) { v[i] = other }, nil)
			}
		}
	}
	walk("", e.Payload, func(other any) { e.Payload = other }, nil)
}

// copy returns the landscape for another world. The records can be shared: a
// change replaces them.
func (m *memory) copy() *memory {
	return &memory{
		hosts: maps.Clone(m.hosts), clusters: maps.Clone(m.clusters), databases: maps.Clone(m.databases),
		sapSystems: maps.Clone(m.sapSystems), kept: maps.Clone(m.kept), live: maps.Clone(m.live), told: maps.Clone(m.told),
	}
}

// good returns what is passing in a landscape, and what is absent or
// deregistered.
func (w *testLandscape) good() map[string]bool {
	found := make(map[string]bool)
	passing := func(what string, h landscape.Health) {
		found[what] = h == landscape.HealthPassing || h == landscape.HealthWarning
	}
	for id, db := range w.databases {
		passing("database "+string(id), db.Health)
		for _, i := range db.Instances {
			found["absent "+i.Number+" of "+db.SID] = i.AbsentSince != nil || !db.Registered()
		}
	}
	for id, s := range w.sapSystems {
		passing("SAP system "+string(id), s.Health)
		for _, i := range s.Instances {
			found["absent "+i.Number+" of "+i.SID] = i.AbsentSince != nil || !s.Registered()
		}
	}
	for id, c := range w.clusters {
		passing("cluster "+string(id), c.Health)
	}
	return found
}

// TestSpoiledReportsMakeNothingGreener checks that no critical health improves
// and no instance becomes absent because a part of a report cannot be read.
func TestSpoiledReportsMakeNothingGreener(t *testing.T) {
	t.Parallel()
	red := []string{`"SAPControl-GREEN"`, `"SAPControl-RED"`}
	for _, c := range []struct {
		name   string
		before []*envelope
		last   *envelope
		fine   []string // changes that may say so, by the beginning of their path
	}{
		{"database", nil, readEnvelope(t, "sap_database_primary", red...), nil},
		{"database without a replication", nil, readEnvelope(t, "sap_database", red...), nil},
		{"database and system", nil, readEnvelope(t, "sap_dual_stack_beside_its_database", red...), nil},
		{"secondary", []*envelope{readEnvelope(t, "sap_database_primary")}, readEnvelope(t, "sap_database_secondary", red...), nil},
		{"HANA cluster", nil, readEnvelope(t, "cluster_hana_scale_up", `"SOK"`, `"SFAIL"`), nil},
		{"HANA cluster with angi", nil, readEnvelope(t, "cluster_hana_angi_scale_up", `"SOK"`, `"SFAIL"`), nil},
		{"HANA cluster with a sick device", nil, readEnvelope(t, "cluster_hana_scale_up", `"healthy"`, `"unhealthy"`), []string{
			"/SBD = null", "/SBD = \"\"", "/SBD = {", "/SBD absent", // there are no devices
			"/SBD/Devices = null", "/SBD/Devices = \"\"", "/SBD/Devices absent", "/SBD/Devices/-/Device = \"\"",
		}},
		{"central services", nil, readEnvelope(t, "cluster_ascs_ers", `"Failed": false`, `"Failed": true`), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin := func() *testLandscape {
				w := newWorld(t)
				w.host(landscape.HostID(c.last.Agent), "10.44.3.7")
				for _, e := range c.before {
					seen, _ := e.decode(t)
					w.observe(seen)
				}
				seen, ok := c.last.decode(t)
				if !ok {
					t.Fatal("the report is refused as it is")
				}
				w.observe(seen)
				return w
			}
			was := begin().good()
			if !slices.Contains(slices.Collect(maps.Values(was)), false) {
				t.Fatalf("nothing is ill: %v", was)
			}
			spoiled, tried := c.last.Payload, 0
			w := begin()
			start := w.memory.copy()
			c.last.spoil(func(path string) {
				if slices.ContainsFunc(c.fine, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
					return
				}
				seen, ok := c.last.decode(t)
				if !ok || path == " = null" { // says that there is nothing
					return
				}
				tried++
				w.memory = start.copy()
				w.observe(seen)
				for what, good := range w.good() {
					if before, known := was[what]; known && good && !before {
						t.Errorf("%s: %s", path, what)
					}
				}
			})
			c.last.Payload = spoiled
			if tried < 100 {
				t.Errorf("only %d reports tried", tried)
			}
		})
	}
}
