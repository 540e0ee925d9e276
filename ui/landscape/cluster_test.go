package landscape

import (
	"testing"

	"trento/store/landscape"
)

// TestHostOfNode checks that the name of a node is matched regardless of upper
// and lower case, and with or without its domain.
func TestHostOfNode(t *testing.T) {
	inside := &clusterContext{hosts: map[string]*landscape.Host{
		"quay01": {ID: "1"}, "Lock02.pier.test": {ID: "2"}, "twin.a.test": {ID: "3"}, "twin.b.test": {ID: "4"}, "twin": {ID: "5"},
	}}
	for node, want := range map[string]landscape.HostID{
		"quay01": "1", "QUAY01": "1", "quay01.pier.test": "1", "lock02": "2", "LOCK02.PIER.TEST": "2", "lock02.quay.test": "",
		"twin.b.test": "4", "twin": "5", "TWIN": "", "quay": "", "": "",
	} {
		got := landscape.HostID("")
		if host := inside.hostOfNode(node); host != nil {
			got = host.ID
		}
		if got != want {
			t.Errorf("node %q is host %q, want %q", node, got, want)
		}
	}
}
