package discovery

import (
	"strings"
	"testing"
)

func TestReadAt(t *testing.T) {
	for _, test := range []struct{ text, pointer, want string }{
		{`{"a":{"b":[1,{"c":"x"}]}}`, "/a/b/1/c", `"x"`},
		{`{"a":{"b":[1,{"c":"x"}]}}`, "/a/b/1", `{"c":"x"}`},
		{`{"a":{"b":[1,{"c":"x"}]}}`, "/a/b/2", ""},
		{`{"a":{"b":[1,{"c":"x"}]}}`, "/a/b/-1", ""},
		{`{"a":{"b":[1,{"c":"x"}]}}`, "/a/x/1", ""},
		{`{"a":1}`, "/a/b", ""},
		{`{"DataDiskNumber":"many"}`, "/data_disk_number", `"many"`},
		{`{"data":1,"Data":2}`, "/data", "1"},
		{`{"a":null}`, "/a", "null"},
		{`{"a":1}`, "", ""},
		{` [ 1 ] `, "/", "[ 1 ]"},
		{`{`, "/a", ""},
		{`{"a":"` + strings.Repeat("ü", 100) + `"}`, "/a", `"` + strings.Repeat("ü", 48) + "…"},
	} {
		if got := ReadAt([]byte(test.text), test.pointer); got != test.want {
			t.Errorf("%s at %q: %q, want %q", test.text, test.pointer, got, test.want)
		}
	}
}

// TestOpenTellsTheSender checks that the agent of a report with a wrong
// envelope is known, if the id can be read.
func TestOpenTellsTheSender(t *testing.T) {
	const id = "6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01"
	for _, test := range []struct{ body, agent, kind string }{
		{`{"agent_id":"` + strings.ToUpper(id) + `","discovery_type":"cloud_discovery","payload":5}`, id, "cloud_discovery"},
		{`{"more":1,"agent_id":"` + id + `","discovery_type":"cloud_discovery","payload":{}}`, id, "cloud_discovery"},
		{`{"agent_id":"` + id + `","discovery_type":7,"payload":{}}`, id, ""},
		{`{"agent_id":"` + id + `"}`, id, ""},
		{`{"agent_id":"here","discovery_type":"cloud_discovery","payload":{}}`, "", "cloud_discovery"},
		{`[]`, "", ""},
		{`{`, "", ""},
	} {
		e, err := Open([]byte(test.body))
		if err == nil || string(e.Agent) != test.agent || e.Type != test.kind {
			t.Errorf("%s: %+v (%v)", test.body, e, err)
		}
	}
}
