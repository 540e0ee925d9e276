package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trento/store/landscape"
)

// A report is read into the types it was written from without a loss.
func TestReportsReadBack(t *testing.T) {
	for _, f := range lived(t, 2, 60) {
		for _, r := range everything(f) {
			var payload any
			switch r.Kind {
			case landscape.ClusterDiscovery:
				payload = new(*clusterPayload)
			case landscape.SAPSystemDiscovery:
				payload = new([]sapPayload)
			default:
				continue
			}
			body := struct {
				Agent   landscape.HostID `json:"agent_id"`
				Type    landscape.Kind   `json:"discovery_type"`
				Payload any              `json:"payload"`
			}{Payload: payload}
			decoder := json.NewDecoder(bytes.NewReader(r.Body))
			decoder.DisallowUnknownFields()
			if err := decoder.Decode(&body); err != nil {
				t.Fatalf("%s of %s: %v", r.Kind, r.Agent, err)
			}
			again, err := json.Marshal(body)
			if err != nil || !bytes.Equal(again, r.Body) {
				t.Fatalf("%s of %s: %v\n%s\n%s", r.Kind, r.Agent, err, again, r.Body)
			}
		}
	}
}

// Bodies are about as large as those of agents, and never so large that a
// server could refuse them.
func TestSizes(t *testing.T) {
	f := New(1, 100)
	for _, r := range everything(f) {
		if len(r.Body) > 48<<10 {
			t.Errorf("%s of %s has %d bytes", r.Kind, r.Agent, len(r.Body))
		}
	}
	for _, h := range f.Hosts() {
		for kind, least := range map[landscape.Kind]int{landscape.ClusterDiscovery: 6 << 10, landscape.SAPSystemDiscovery: 2 << 10} {
			r, _ := h.report(kind)
			if there := h.cluster != nil && !h.offline && kind == landscape.ClusterDiscovery ||
				len(h.instances) > 0 && kind == landscape.SAPSystemDiscovery; there && len(r.Body) < least {
				t.Errorf("%s of %s has %d bytes", r.Kind, h.Name, len(r.Body))
			}
		}
	}
}

// shape collects the paths to all members of a value with the types they
// have. Members of the open-ended objects, which have names of things for
// keys, count as one.
func shape(into map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		open := false
		for _, name := range []string{"Config", "Profile", "HdbnsutilSRstate", "HostConfiguration", "SystemReplication"} {
			open = open || strings.HasSuffix(path, "."+name)
		}
		into[path+" object"] = true
		for key, inner := range v {
			if open {
				key = "*"
			}
			shape(into, path+"."+key, inner)
		}
	case []any:
		into[path+" array"] = true
		for _, inner := range v {
			shape(into, path+"[]", inner)
		}
	case nil:
		into[path+" null"] = true
	default:
		into[fmt.Sprintf("%s %T", path, v)] = true
	}
}

// Every member of our reports is one that real agents send, with the same
// type, where their reports lie beside the project.
func TestShapesAreThoseOfAgents(t *testing.T) {
	const dir = "../../../../shared/fixtures"
	files, err := filepath.Glob(dir + "/*/*.json")
	more, _ := filepath.Glob(dir + "/*/*/*.json")
	if files = append(files, more...); err != nil || len(files) == 0 {
		t.Skip("the collection of real reports does not lie beside the project")
	}
	known := make(map[string]bool)
	kinds := []string{string(landscape.ClusterDiscovery), string(landscape.SAPSystemDiscovery)}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var report struct {
			Type    string `json:"discovery_type"`
			Payload any    `json:"payload"`
		}
		if json.Unmarshal(body, &report) == nil && strings.Contains(strings.Join(kinds, " "), report.Type) {
			shape(known, report.Type, report.Payload)
		}
	}
	// Not in the collection: the whole of an offline node, an unclustered host,
	// and lists agents send as null where they are empty.
	for _, also := range []string{"ha_cluster_discovery null"} {
		known[also] = true
	}
	strange := make(map[string]bool)
	for _, f := range lived(t, 2, 60) {
		for _, r := range everything(f) {
			if r.Kind != landscape.ClusterDiscovery && r.Kind != landscape.SAPSystemDiscovery {
				continue
			}
			var report struct {
				Payload any `json:"payload"`
			}
			if err := json.Unmarshal(r.Body, &report); err != nil {
				t.Fatal(err)
			}
			ours := make(map[string]bool)
			shape(ours, string(r.Kind), report.Payload)
			for path := range ours {
				if !known[path] && !strings.HasSuffix(path, " null") {
					strange[path] = true
				}
			}
		}
	}
	for path := range strange {
		t.Errorf("no agent sends %s", path)
	}
}
