package ui

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// TestThings: what the log names is named once, and leads to its page while
// there is one.
func TestThings(t *testing.T) {
	host, cluster, database, system := string(hostID(1)), string(landscape.ClusterIDFromKey("hana")), string(prdID), string(nwpID)
	known := func(id string) thing {
		return map[string]thing{
			host: {"hana01", "/hosts/" + host}, cluster: {cluster, "/clusters/" + cluster},
			database: {"PRD", "/databases/" + database}, system: {"NWP", "/sap_systems/" + system},
		}[id]
	}
	tests := []struct {
		name     string
		metadata map[string]any
		want     []thing
	}{
		{"nothing", map[string]any{"username": "ada"}, nil},
		{"host by its former name", map[string]any{"host_id": host, "hostname": "old"}, []thing{{"old", "/hosts/" + host}}},
		{"host that is gone", map[string]any{"host_id": string(hostID(2)), "hostname": "hana02"}, []thing{{"hana02", ""}}},
		{"gone without a name", map[string]any{"host_id": string(hostID(2))}, nil},
		{"cluster without a name", map[string]any{"cluster_id": cluster, "name": nil}, []thing{{cluster, "/clusters/" + cluster}}},
		{"database", map[string]any{"database_id": database, "sid": "PRD"}, []thing{{"PRD", "/databases/" + database}}},
		{"system on a database", map[string]any{"sap_system_id": system, "database_id": database, "sid": "NWP"}, []thing{{"NWP", "/sap_systems/" + system}}},
		{"instance", map[string]any{"sap_system_id": system, "sid": "NWP", "host_id": host, "hostname": "hana01"},
			[]thing{{"NWP", "/sap_systems/" + system}, {"hana01", "/hosts/" + host}}},
		{"moved instance", map[string]any{"sap_system_id": system, "old_host_id": string(hostID(2)), "new_host_id": host},
			[]thing{{"NWP", "/sap_systems/" + system}, {"hana01", "/hosts/" + host}}},
		{"clean-up of a database", map[string]any{"sap_system_id": database, "database_id": database, "sid": "PRD"}, []thing{{"PRD", "/databases/" + database}}},
		{"tag", map[string]any{"resource_id": cluster, "name": "hana_cluster"}, []thing{{"hana_cluster", "/clusters/" + cluster}}},
		{"user", map[string]any{"user_id": 7, "username": "ada"}, []thing{{"ada", ""}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			metadata, err := json.Marshal(tt.metadata)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, thingsOf(&activity.Entry{Metadata: metadata}, known)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestThingsAreLinks: the log of a thing leads to the others, and does not
// repeat its own name.
func TestThingsAreLinks(t *testing.T) {
	f := systemsFixture(t)
	database, system := "/databases/"+string(prdID), "/sap_systems/"+string(nwpID)
	tests := []struct {
		target string
		want   []element
	}{
		{database, []element{has("#activity .thing a[href=/hosts/"+string(hostID(1))+"]", "hana01"), hasNot("#activity .thing a[href=" + database + "]")}},
		{system, []element{has("#activity .thing a[href=/hosts/"+string(hostID(5))+"]", "app01"), hasNot("#activity .thing a[href=" + system + "]")}},
		{"/hosts/" + string(hostID(1)), []element{has("#activity .thing a[href="+database+"]", "PRD"), has("#activity .thing a[href="+clusterPath("hana")+"]", "hana_cluster")}},
		{"/hosts/" + string(hostID(5)), []element{has("#activity .thing a[href="+system+"]", "NWP")}},
		{"/", []element{has("#latest .thing a", "")}},
	}
	for _, tt := range tests {
		page := parseMarkup(t, f.do(call{target: tt.target, as: "admin"}).Body.String())
		for _, e := range tt.want {
			e.check(t, page)
		}
	}
}
