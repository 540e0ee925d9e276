package discovery

import (
	"encoding/json"
	"slices"
	"testing"

	"trento/store/fault"
	"trento/store/landscape"
)

// problem is a fault of a field or, without a field, of the whole payload.
func problem(detail, field string) fault.Error { return fault.Error{Field: field, Detail: detail} }

// changed returns a valid object with some members replaced. Members with an
// empty replacement are removed.
func changed(t *testing.T, object string, members map[string]string) string {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &parts); err != nil {
		t.Fatal(err)
	}
	for name, v := range members {
		if delete(parts, name); v != "" {
			parts[name] = json.RawMessage(v)
		}
	}
	text, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// refusals checks the faults of each payload. A payload without faults must be
// accepted.
func refusals(t *testing.T, kind landscape.Kind, cases map[string]fault.Errors) {
	t.Helper()
	for payload, want := range cases {
		_, err := Decode(Envelope{Agent: someAgent, Type: string(kind), Payload: json.RawMessage(payload)})
		if want == nil {
			if err != nil {
				t.Errorf("%s: %v", payload, err)
			}
			continue
		}
		if got := fault.Of(err); !slices.Equal(got, want) {
			t.Errorf("%s: refused with %v, want %v", payload, got, want)
		}
	}
}

var unableProblem = fault.Errors{problem("Unable to handle discovery.", "")}

func TestUnknownType(t *testing.T) {
	for _, kind := range []landscape.Kind{"", "host", "HOST_DISCOVERY", "host_discovery "} {
		refusals(t, kind, map[string]fault.Errors{`{}`: {problem("Unknown discovery type.", "")}})
	}
}

const goodHost = `{"hostname":"quay","ip_addresses":["10.0.0.1"],"agent_version":"3.1.2","cpu_count":4,
	"socket_count":1,"total_memory_mb":4096,"os_version":"15-SP6"}`

// TestRefusals checks that a report is refused if its subject is unknown or its
// shape does not belong to its kind. TestFields shows the effect of all other
// unreadable values.
func TestRefusals(t *testing.T) {
	blank := func(pointer string) fault.Errors { return fault.Errors{problem("can't be blank", pointer)} }
	invalid := func(pointer string) fault.Errors { return fault.Errors{problem("is invalid", pointer)} }
	hosts := map[string]fault.Errors{
		`null`: unableProblem, `[]`: unableProblem, `[{}]`: unableProblem, `"x"`: unableProblem,
		`{}`: blank("hostname"), goodHost: nil, `{"hostname":"quay"}`: nil,
	}
	for _, v := range []string{"", `null`, `""`, `" \t\n\u00a0"`} {
		hosts[changed(t, goodHost, map[string]string{"hostname": v})] = blank("hostname")
	}
	for _, v := range []string{`5`, `true`, `[]`, `{}`, `["a"]`} {
		hosts[changed(t, goodHost, map[string]string{"hostname": v})] = invalid("hostname")
	}
	refusals(t, landscape.HostDiscovery, hosts)
	refusals(t, landscape.CloudDiscovery, map[string]fault.Errors{`null`: unableProblem, `[]`: unableProblem, `{}`: nil})
	refusals(t, landscape.SubscriptionDiscovery, map[string]fault.Errors{
		`null`: unableProblem, `{"identifier":"SLES_SAP"}`: unableProblem, `[]`: nil, `[{}]`: nil, `[5]`: nil,
	})
	refusals(t, landscape.SaptuneDiscovery, map[string]fault.Errors{`null`: unableProblem, `[]`: unableProblem, `{}`: nil})
	refusals(t, landscape.ClusterDiscovery, map[string]fault.Errors{
		`[]`: unableProblem, `[{}]`: unableProblem, `"x"`: unableProblem, `7`: unableProblem, `{`: unableProblem, ``: unableProblem,
		`{}`: blank("id"), `{"Online":false}`: blank("id"), `{"Online":false,"Id":" "}`: blank("id"), `{"Online":false,"Id":5}`: invalid("id"),
		`{"Id":"k"}`: nil, `{"Online":"false","Id":"k"}`: nil, goodCluster: nil,
	})
	refusals(t, landscape.SAPSystemDiscovery, map[string]fault.Errors{
		`null`: unableProblem, `{}`: unableProblem, `"x"`: unableProblem, `7`: unableProblem, ``: unableProblem,
		`[]`: nil, `[[]]`: nil, `[1]`: nil, `[{}]`: nil,
	})
}
