package discovery

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// goodCluster is the smallest valid report of a designated controller.
const goodCluster = `{
	"Id":"5d41402abc4b2a76b9719d911017c592","Name":"quay","DC":true,"Provider":"kvm","State":"S_IDLE","Online":true,
	"Cib":{"Configuration":{
		"CrmConfig":{"ClusterProperties":[{"Id":"p1","Name":"have-watchdog","Value":"true"}]},
		"Resources":{
			"Primitives":[{"Id":"r1","Type":"Dummy","InstanceAttributes":[{"Id":"a1","Name":"x","Value":"y"}],"Operations":[{"Id":"o1","Name":"monitor"}]}],
			"Clones":[{"Id":"c1","Primitive":{"Id":"r2","Type":"Dummy"}}],"Masters":[{"Id":"m1","Primitive":{"Id":"r3","Type":"Dummy"}}],
			"Groups":[{"Id":"g1","Primitives":[{"Id":"r4","Type":"Dummy"}]}]},
		"Constraints":{"RscLocations":[{"Id":"l1","Node":"quay01","Resource":"r1","Role":"","Score":"100"}]}}},
	"Crmmon":{
		"Version":"2.1.7",
		"Summary":{"Nodes":{"Number":2},"Resources":{"Number":4,"Blocked":0,"Disabled":0},"LastChange":{"Time":"Mon Mar  2 09:14:05 2026"}},
		"Nodes":[{"Id":"1","Name":"quay01","Online":true}],
		"Resources":[{"Id":"r1","Role":"Started","Agent":"ocf::heartbeat:Dummy","Active":true,"Failed":false,"Blocked":false,"Orphaned":false,
			"FailureIgnored":false,"NodesRunningOn":1,"Managed":true,"Node":{"Id":"1","Name":"quay01","Cached":true}}],
		"Clones":[{"Id":"c1","Failed":false,"Unique":false,"FailureIgnored":false,"Managed":true,"MultiState":false,"Resources":[]}],
		"Groups":[{"Id":"g1","Managed":true,"Resources":[]}],
		"NodeHistory":{"Nodes":[{"Name":"quay01","ResourceHistory":[{"Name":"r1","FailCount":0,"MigrationThreshold":5000}]}]},
		"NodeAttributes":{"Nodes":[{"Name":"quay01","Attributes":[{"Name":"a","Value":"b"}]}]}},
	"SBD":{"Config":{"SBD_DEVICE":"/dev/sdb"},"Devices":[{"Device":"/dev/sdb","Status":"healthy"}]}}`

// edits are replacements: JSON texts by the path of the value that they
// replace, such as Crmmon/Nodes/0/Online. An empty text removes the value.
type edits map[string]string

// edited returns a payload with edits applied.
func edited(t *testing.T, payload string, changes edits) string {
	t.Helper()
	var whole any
	if err := json.Unmarshal([]byte(payload), &whole); err != nil {
		t.Fatal(err)
	}
	for path, text := range changes {
		var replacement any
		if text != "" {
			if err := json.Unmarshal([]byte(text), &replacement); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		names := strings.Split(path, "/")
		parent := whole
		for _, name := range names[:len(names)-1] {
			switch v := parent.(type) {
			case map[string]any:
				parent = v[name]
			case []any:
				i, _ := strconv.Atoi(name)
				parent = v[i]
			}
		}
		last := names[len(names)-1]
		switch v := parent.(type) {
		case map[string]any:
			if delete(v, last); text != "" {
				v[last] = replacement
			}
		case []any:
			i, err := strconv.Atoi(last)
			if err != nil {
				t.Fatal(err)
			}
			v[i] = replacement
		default:
			t.Fatalf("no %s in the payload", path)
		}
	}
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// clusterFixture returns the payload of a report in testdata.
func clusterFixture(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Payload)
}

func acceptCluster(t *testing.T, payload string) *landscape.ClusterReport {
	t.Helper()
	return accept(t, landscape.ClusterDiscovery, payload).Cluster
}

func TestClusterForms(t *testing.T) {
	const id = `"Id":"47d1190ffb4f781974c8356d7f863b03"`
	name := "quay"
	for payload, want := range map[string]landscape.ClusterReport{
		`null`:                        {},
		`{` + id + `,"Online":false}`: {ID: "34a94290-2236-5e4d-8def-05beb32d14d4"},
		`{` + id + `,"Name":" ","Online":false,"DC":7,"Cib":"?"}`:        {ID: "34a94290-2236-5e4d-8def-05beb32d14d4"},
		`{` + id + `,"Name":"quay","Online":false,"SBD":[],"State":{}}`:  {ID: "34a94290-2236-5e4d-8def-05beb32d14d4", Name: &name},
		`{"id":"47d1190ffb4f781974c8356d7f863b03","online":false}`:       {ID: "34a94290-2236-5e4d-8def-05beb32d14d4"},
		`{"ID":"47d1190ffb4f781974c8356d7f863b03","ONLINE":false,"a":1}`: {ID: "34a94290-2236-5e4d-8def-05beb32d14d4"},
	} {
		if diff := cmp.Diff(&want, acceptCluster(t, payload)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", payload, diff)
		}
	}
	for _, online := range []string{`true`, `null`, ``, `"true"`} {
		for dc, controller := range map[string]bool{`true`: true, `false`: false, `"1"`: true} {
			report := acceptCluster(t, edited(t, goodCluster, edits{"Online": online, "DC": dc}))
			if !report.Online || report.CIBLastWritten == nil || *report.CIBLastWritten != "Mon Mar  2 09:14:05 2026" {
				t.Errorf("online %s: %+v", online, report)
			}
			if (report.Facts != nil) != controller {
				t.Errorf("controller %s: facts %v", dc, report.Facts)
			}
		}
	}
}

// TestClusterLeniency checks that faults in details do not make the server
// refuse the report of a cluster.
func TestClusterLeniency(t *testing.T) {
	want := acceptCluster(t, goodCluster)
	for name, payload := range map[string]string{
		"spelling":      respelled(t, goodCluster, func(name string) string { return snake(name) }),
		"other letters": respelled(t, goodCluster, strings.ToUpper),
		"spaces":        respelled(t, goodCluster, func(name string) string { return strings.ReplaceAll(snake(name), "_", " ") }),
		"numbers as texts": edited(t, goodCluster, edits{
			"Crmmon/Summary/Nodes/Number": `"2"`, "Crmmon/Resources/0/NodesRunningOn": `"1"`, "Crmmon/Resources/0/Active": `"true"`,
		}),
		"strangers": edited(t, goodCluster, edits{
			"CRMFeatureSet": `{}`, "Cib/Configuration/Nodes": `7`, "Crmmon/Nodes/0/ExpectedUp": `"?"`, "SBD/Devices/0/Dump": `[]`,
		}),
		"no lists": edited(t, goodCluster, edits{
			"Cib/Configuration/Constraints": ``, "Crmmon/NodeHistory/Nodes": ``, "Crmmon/NodeAttributes/Nodes": ``,
			"Cib/Configuration/Resources/Groups": ``, "Crmmon/Groups": ``, "Crmmon/Clones": ``,
		}),
		"null lists": edited(t, goodCluster, edits{
			"Cib/Configuration/Constraints/RscLocations": `null`, "Crmmon/NodeHistory/Nodes/0/ResourceHistory": `null`,
			"Crmmon/NodeAttributes/Nodes/0/Attributes": `null`, "Cib/Configuration/Resources/Groups/0/Primitives": `null`,
			"Cib/Configuration/Resources/Primitives": `null`, "Cib/Configuration/Resources/Clones": `null`,
			"Cib/Configuration/Resources/Masters": `null`, "Crmmon/Resources": `null`, "Crmmon/Groups/0/Resources": `null`,
			"Crmmon/Clones/0/Resources": `null`, "SBD/Devices": `null`,
		}),
		"null attributes": edited(t, goodCluster, edits{
			"Cib/Configuration/Resources/Primitives/0/InstanceAttributes": `null`, "Cib/Configuration/Resources/Primitives/0/Operations": `null`,
		}),
		"no primitive in a clone":   edited(t, goodCluster, edits{"Cib/Configuration/Resources/Clones/0/Primitive": `null`}),
		"attribute without a value": edited(t, goodCluster, edits{"Crmmon/NodeAttributes/Nodes/0/Attributes/0/Value": `""`}),
		"device without a path":     edited(t, goodCluster, edits{"SBD/Devices/0": `{"Device":"","Status":""}`}),
		"no SBD":                    edited(t, goodCluster, edits{"SBD": `null`}),
		"no word of SBD":            edited(t, goodCluster, edits{"SBD": ``}),
		"runs nowhere":              edited(t, goodCluster, edits{"Crmmon/Resources/0/Node": `null`, "Crmmon/Resources/0/NodesRunningOn": `0`}),
	} {
		if diff := cmp.Diff(want, acceptCluster(t, payload)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for provider, want := range map[string]string{
		``: "unknown", `null`: "unknown", `" "`: "unknown", `"unknown"`: "unknown", `"nutanix"`: "nutanix", `"vmware"`: "vmware",
	} {
		if got := acceptCluster(t, edited(t, goodCluster, edits{"Provider": provider})).Facts.Provider; got != want {
			t.Errorf("provider %s: %s", provider, got)
		}
	}
	for state, want := range map[string]string{
		``: "unknown", `null`: "unknown", `""`: "unknown", `"s_idle"`: "unknown", `"S_NEW"`: "unknown", `7`: "unknown", `{}`: "unknown",
		`"S_TRANSITION_ENGINE"`: "S_TRANSITION_ENGINE", `"stopped"`: "stopped", `"unknown"`: "unknown",
	} {
		if got := acceptCluster(t, edited(t, goodCluster, edits{"State": state})).Facts.State; got != want {
			t.Errorf("state %s: %s", state, got)
		}
	}
	for name, sent := range map[string]string{"": ``, "quay": `"quay"`, " quay ": `" quay "`} {
		got := acceptCluster(t, edited(t, goodCluster, edits{"Name": sent})).Name
		if (got == nil) != (name == "") || got != nil && *got != name {
			t.Errorf("name %q: %v", name, got)
		}
	}
}

// respelled returns a payload with all members renamed.
func respelled(t *testing.T, payload string, rename func(string) string) string {
	t.Helper()
	var whole any
	if err := json.Unmarshal([]byte(payload), &whole); err != nil {
		t.Fatal(err)
	}
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			renamed := make(map[string]any, len(v))
			for name, member := range v {
				renamed[rename(name)] = walk(member)
			}
			return renamed
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return v
	}
	text, err := json.Marshal(walk(whole))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// snake returns the other spelling of a name that agents use: nodes_running_on
// for NodesRunningOn.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
