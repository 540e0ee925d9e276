package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// TestReportsDecodeWithoutLoss checks that a report can be decoded into the
// types that it was encoded from without losing anything.
func TestReportsDecodeWithoutLoss(t *testing.T) {
	for _, f := range landscapesAtStartAndLater(t, 2, 60) {
		for _, r := range allReports(f) {
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

// TestReportSizes checks that reports are about as large as those of agents,
// and never so large that a server could refuse them.
func TestReportSizes(t *testing.T) {
	f := New(1, 100)
	for _, r := range allReports(f) {
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

// payloadShape describes the values that were seen at one place of a payload:
// their kinds and, for objects, their members.
type payloadShape struct {
	kinds   map[string]bool
	times   int // number of objects at this place
	members map[string]*payloadShape
	seen    int // number of objects that had this member
}

func newShape() *payloadShape {
	return &payloadShape{kinds: make(map[string]bool), members: make(map[string]*payloadShape)}
}

// openEnded are the objects whose member names are data. All their members are
// counted as one.
var openEnded = []string{"Config", "HdbnsutilSRstate", "HostConfiguration", "Profile", "SystemReplication", "prometheus_targets"}

// add records a value.
func (s *payloadShape) add(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		s.kinds["object"] = true
		s.times++
		for key, value := range v {
			if slices.Contains(openEnded, name) {
				key = "*"
			}
			s.member(key).seen++
			s.member(key).add(key, value)
		}
	case []any:
		s.kinds["list"] = true
		if len(v) == 0 {
			s.kinds["empty list"] = true
		}
		for _, element := range v {
			s.member("[]").add("[]", element)
		}
	case nil:
		s.kinds["null"] = true
	case bool:
		s.kinds["true or false"] = true
	default:
		s.kinds[map[bool]string{true: "text", false: "number"}[reflect.TypeOf(v).Kind() == reflect.String]] = true
	}
}

func (s *payloadShape) member(name string) *payloadShape {
	if s.members[name] == nil {
		s.members[name] = newShape()
	}
	return s.members[name]
}

// write writes a line for each place: its name, a question mark if it may be
// missing, and its kinds of values.
func (s *payloadShape) write(b *strings.Builder, indent string) {
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		m := s.members[name]
		mark := ""
		if name != "[]" && name != "*" && m.seen < s.times {
			mark = "?"
		}
		fmt.Fprintf(b, "%s%s%s: %s\n", indent, name, mark, strings.Join(slices.Sorted(maps.Keys(m.kinds)), ", "))
		m.write(b, indent+"  ")
	}
}

// TestPayloadShapesMatchAgents compares the shapes of our payloads with a file
// that describes those of real agents. The file is not updated from our
// reports: a member or kind is added to it only after a real agent has sent it.
// Our reports must have all shapes in the file and no others.
func TestPayloadShapesMatchAgents(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/shapes.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := newShape()
	for seed := range uint64(4) {
		for _, f := range landscapesAtStartAndLater(t, seed, 100) {
			for _, r := range allReports(f) {
				var report struct {
					Payload any `json:"payload"`
				}
				if err := json.Unmarshal(r.Body, &report); err != nil {
					t.Fatal(err)
				}
				all.member(string(r.Kind)).add("", report.Payload)
			}
		}
	}
	var got strings.Builder
	all.write(&got, "")
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("shapes (-agents +ours):\n%s", diff)
	}
}

func TestEveryKindIsReported(t *testing.T) {
	for _, kind := range landscape.Kinds {
		if d, ok := discoveries[kind]; !ok || d.payload == nil || d.change == nil {
			t.Errorf("%s: %+v", kind, d)
		}
	}
	if len(discoveries) != len(landscape.Kinds) {
		t.Errorf("%d discoveries of agents for %d kinds", len(discoveries), len(landscape.Kinds))
	}
}
