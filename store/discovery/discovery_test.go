package discovery

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/fault"
	"trento/store/landscape"
)

var update = flag.Bool("update", false, "write the golden files anew")

// decode opens and decodes a body, as the server does.
func decode(body []byte) (landscape.Observation, error) {
	e, err := Open(body)
	if err != nil {
		return landscape.Observation{}, err
	}
	return Decode(e)
}

// reports returns the bodies in testdata by name.
func reports(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no reports in testdata: %v", err)
	}
	bodies := make(map[string][]byte)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		bodies[strings.TrimSuffix(filepath.Base(file), ".json")] = body
	}
	return bodies
}

func TestEveryKindIsRead(t *testing.T) {
	for _, kind := range landscape.Kinds {
		if decoders[kind] == nil {
			t.Errorf("%s has no decoder", kind)
		}
	}
	if len(decoders) != len(landscape.Kinds) {
		t.Errorf("%d decoders for %d kinds", len(decoders), len(landscape.Kinds))
	}
}

// checkStored checks that an observation is equal after it was stored and read
// back, because the rules of the landscape compare reported values with stored
// ones.
func checkStored(t *testing.T, o landscape.Observation) (stored []byte) {
	t.Helper()
	stored, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back landscape.Observation
	if err := json.Unmarshal(stored, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o, back) {
		t.Errorf("changes in the store (-before +after):\n%s", cmp.Diff(o, back, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })))
	}
	return stored
}

func TestGolden(t *testing.T) {
	for name, body := range reports(t) {
		t.Run(name, func(t *testing.T) {
			seen, err := decode(body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(seen, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			checkStored(t, seen)
			got = append(got, '\n')
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("observation (-want +got):\n%s", diff)
			}
		})
	}
}

const someAgent = "3f0e4a52-6f5b-5c1d-8a77-0b9d6e21c4f8"

func TestOpen(t *testing.T) {
	invalid := func(detail, field string) fault.Error { return fault.Error{Field: field, Detail: detail} }
	malformed := func(detail string) fault.Errors { return fault.Errors{{Kind: fault.Malformed, Detail: detail}} }
	for name, c := range map[string]struct {
		body string
		want fault.Errors
	}{
		"empty":           {``, malformed("unexpected end of JSON input")},
		"no JSON":         {`{agent}`, malformed("invalid character 'a' looking for beginning of object key string")},
		"two values":      {`{} {}`, malformed("invalid character '{' after top-level value")},
		"too deep":        {strings.Repeat("[", 65) + strings.Repeat("]", 65), malformed("nested too deeply")},
		"array":           {`[]`, fault.Errors{invalid("Invalid object. Got: array", "/")}},
		"null":            {`null`, fault.Errors{invalid("Invalid object. Got: null", "/")}},
		"nothing in it":   {`{}`, fault.Errors{invalid("Missing field: agent_id", "agent_id"), invalid("Missing field: discovery_type", "discovery_type"), invalid("Missing field: payload", "payload")}},
		"payload missing": {`{"agent_id":5,"discovery_type":null}`, fault.Errors{invalid("Missing field: payload", "payload")}},
		"stranger before anything else": {
			`{"agent_id":5,"colour":1,"age":2}`, fault.Errors{invalid("Unexpected field: colour", "colour")},
		},
		"names are exact": {`{"Agent_ID":"x"}`, fault.Errors{invalid("Unexpected field: Agent_ID", "Agent_ID")}},
		"long stranger": {
			`{"` + strings.Repeat("ö", 60) + `":1}`,
			fault.Errors{invalid("Unexpected field: "+strings.Repeat("ö", 40), strings.Repeat("ö", 40))},
		},
		"all of the wrong type": {
			`{"payload":true,"discovery_type":12,"agent_id":{}}`, fault.Errors{
				invalid("Invalid string. Got: object", "agent_id"),
				invalid("Invalid string. Got: integer", "discovery_type"),
				invalid("Failed to cast value to one of: no schemas validate", "payload"),
				invalid("Invalid object. Got: boolean", "payload"),
				invalid("Invalid array. Got: boolean", "payload"),
			},
		},
		"nulls": {
			`{"agent_id":null,"discovery_type":null,"payload":null}`, fault.Errors{
				invalid("null value where string expected", "agent_id"),
				invalid("null value where string expected", "discovery_type"),
			},
		},
		"no uuid": {
			`{"agent_id":"3f0e4a52-6f5b-5c1d-8a77-0b9d6e21c4f","discovery_type":"","payload":[]}`,
			fault.Errors{invalid("Invalid format. Expected :uuid", "agent_id")},
		},
		"numbers that are no integers": {
			`{"agent_id":1.0,"discovery_type":1e3,"payload":-2}`, fault.Errors{
				invalid("Invalid string. Got: number", "agent_id"),
				invalid("Invalid string. Got: number", "discovery_type"),
				invalid("Failed to cast value to one of: no schemas validate", "payload"),
				invalid("Invalid object. Got: integer", "payload"),
				invalid("Invalid array. Got: integer", "payload"),
			},
		},
		"array of other things": {
			`{"agent_id":"` + someAgent + `","discovery_type":"x","payload":["a",1]}`, fault.Errors{
				invalid("Failed to cast value to one of: no schemas validate", "payload"),
				invalid("Invalid object. Got: array", "payload"),
				invalid("Invalid object. Got: string", "payload/0"),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open([]byte(c.body))
			if got := fault.Of(err); !slices.Equal(got, c.want) {
				t.Errorf("refused with %v, want %v", got, c.want)
			}
		})
	}
}

func TestOpenAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want Envelope
	}{
		"any order, any space": {
			" {\t\"payload\" :\r\n[ {\"a\":\"]}\\\"\"} , {} ] , \"discovery_type\":\"x y\",\n\"agent_id\":\"" + someAgent + "\" } ",
			Envelope{someAgent, "x y", json.RawMessage(`[ {"a":"]}\""} , {} ]`)},
		},
		"upper-case id": {
			`{"agent_id":"` + strings.ToUpper(someAgent) + `","discovery_type":"","payload":null}`,
			Envelope{someAgent, "", json.RawMessage(`null`)},
		},
		"last of the same name": {
			`{"agent_id":null,"agent_id":"` + someAgent + `","discovery_type":"a","discovery_type":"b","payload":1,"payload":{}}`,
			Envelope{someAgent, "b", json.RawMessage(`{}`)},
		},
		"other things between objects": {
			`{"agent_id":"` + someAgent + `","discovery_type":"x","payload":[7,{},null]}`,
			Envelope{someAgent, "x", json.RawMessage(`[7,{},null]`)},
		},
		"escaped names": {
			`{"\u0061gent_id":"` + someAgent + `","discovery_type":"\u0062","payload":{}}`,
			Envelope{someAgent, "b", json.RawMessage(`{}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Open([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	for depth, accepted := range map[int]bool{maxNestingDepth: true, maxNestingDepth + 1: false, 20_000: false} {
		body := `{"agent_id":"` + someAgent + `","discovery_type":"x","payload":{"a":` +
			strings.Repeat("[", depth-2) + `"[[["` + strings.Repeat("]", depth-2) + `}}`
		if _, err := Open([]byte(body)); (err == nil) != accepted {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

// TestManyOmissions checks that the list of omissions of a report is not many
// times larger than the report.
func TestManyOmissions(t *testing.T) {
	long := `"` + strings.Repeat("ö", 400) + `"`
	payload := json.RawMessage(`[{` + long + `:1,"identifier":["` + strings.Repeat("ö", 400) + `"]},` + strings.TrimSuffix(strings.Repeat("{},", 10_000), ",") + "]")
	seen, err := Decode(Envelope{Agent: someAgent, Type: "subscription_discovery", Payload: payload})
	if err != nil || len(seen.Subscriptions) != 0 || len(seen.Omissions) != landscape.MaxOmissions {
		t.Fatalf("Decode: %d omissions, %v", len(seen.Omissions), err)
	}
	want := []landscape.Omission{
		{Pointer: "/0/identifier", Detail: "is not a text", Read: `["` + strings.Repeat("ö", 47) + `…`},
		{Pointer: "/1/identifier", Detail: "is missing"},
	}
	if diff := cmp.Diff(want, seen.Omissions[:2]); diff != "" {
		t.Errorf("omissions (-want +got):\n%s", diff)
	}
}
