package discovery

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// goodCluster is the least that a designated controller has to report.
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

// edits are JSON texts by the path of what they replace, as in
// Crmmon/Nodes/0/Online; an empty one removes it.
type edits map[string]string

// edited is a payload with some of it replaced.
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

// clusterFixture is the payload of a report in testdata.
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

func TestClusterRefusals(t *testing.T) {
	blank := func(pointers ...string) (all []Problem) {
		for _, pointer := range pointers {
			all = append(all, problem("can't be blank", pointer))
		}
		return all
	}
	invalid := func(pointer string) []Problem { return []Problem{problem("is invalid", pointer)} }
	cases := map[string][]Problem{
		`[]`: unableProblem, `[{}]`: unableProblem, `"x"`: unableProblem, `7`: unableProblem, `{`: unableProblem, ``: unableProblem,
		`{}`:                          unableProblem,
		`{"Online":false}`:            blank("/id"),
		`{"Online":false,"Id":" "}`:   blank("/id"),
		`{"Online":false,"Id":5}`:     invalid("/id"),
		`{"Online":null,"Id":"k"}`:    unableProblem,
		`{"Online":"false","Id":"k"}`: unableProblem,
		goodCluster:                   nil,
	}
	with := func(want []Problem, changes edits) {
		t.Helper()
		cases[edited(t, goodCluster, changes)] = want
	}
	// What may not be missing, by the path in the words of the agent.
	const resource = "Crmmon/Resources/0/"
	for path, pointer := range map[string]string{
		"Id": "/id", "DC": "/dc",
		"Cib/Configuration/Resources":                                        "/cib/configuration/resources",
		"Cib/Configuration/CrmConfig/ClusterProperties":                      "/cib/configuration/crm_config/cluster_properties",
		"Cib/Configuration/CrmConfig/ClusterProperties/0/Id":                 "/cib/configuration/crm_config/cluster_properties/0/id",
		"Cib/Configuration/Resources/Primitives/0/InstanceAttributes/0/Id":   "/cib/configuration/resources/primitives/0/instance_attributes/0/id",
		"Cib/Configuration/Resources/Primitives/0/InstanceAttributes/0/Name": "/cib/configuration/resources/primitives/0/instance_attributes/0/name",
		"Cib/Configuration/Resources/Primitives/0/Operations/0/Id":           "/cib/configuration/resources/primitives/0/operations/0/id",
		"Cib/Configuration/Resources/Primitives/0/Operations/0/Name":         "/cib/configuration/resources/primitives/0/operations/0/name",
		"Cib/Configuration/Resources/Clones/0/Id":                            "/cib/configuration/resources/clones/0/id",
		"Cib/Configuration/Resources/Masters/0/Id":                           "/cib/configuration/resources/masters/0/id",
		"Cib/Configuration/Resources/Groups/0/Id":                            "/cib/configuration/resources/groups/0/id",
		"Crmmon/Version":                                         "/crmmon/version",
		"Crmmon/Summary":                                         "/crmmon/summary",
		"Crmmon/Summary/Nodes":                                   "/crmmon/summary/nodes",
		"Crmmon/Summary/Nodes/Number":                            "/crmmon/summary/nodes/number",
		"Crmmon/Summary/Resources":                               "/crmmon/summary/resources",
		"Crmmon/Summary/Resources/Number":                        "/crmmon/summary/resources/number",
		"Crmmon/Summary/LastChange":                              "/crmmon/summary/last_change",
		"Crmmon/Summary/LastChange/Time":                         "/crmmon/summary/last_change/time",
		"Crmmon/Nodes":                                           "/crmmon/nodes",
		"Crmmon/Nodes/0/Id":                                      "/crmmon/nodes/0/id",
		"Crmmon/Nodes/0/Name":                                    "/crmmon/nodes/0/name",
		"Crmmon/Groups/0/Id":                                     "/crmmon/groups/0/id",
		"Crmmon/Clones/0/Id":                                     "/crmmon/clones/0/id",
		"Crmmon/Clones/0/Failed":                                 "/crmmon/clones/0/failed",
		"Crmmon/Clones/0/Unique":                                 "/crmmon/clones/0/unique",
		"Crmmon/Clones/0/FailureIgnored":                         "/crmmon/clones/0/failure_ignored",
		"Crmmon/NodeHistory":                                     "/crmmon/node_history",
		"Crmmon/NodeHistory/Nodes/0/Name":                        "/crmmon/node_history/nodes/0/name",
		"Crmmon/NodeAttributes":                                  "/crmmon/node_attributes",
		"Crmmon/NodeAttributes/Nodes/0/Name":                     "/crmmon/node_attributes/nodes/0/name",
		"Crmmon/NodeAttributes/Nodes/0/Attributes/0/Name":        "/crmmon/node_attributes/nodes/0/attributes/0/name",
		"Crmmon/NodeHistory/Nodes/0/ResourceHistory/0/Name":      "/crmmon/node_history/nodes/0/resource_history/0/name",
		"Crmmon/NodeHistory/Nodes/0/ResourceHistory/0/FailCount": "/crmmon/node_history/nodes/0/resource_history/0/fail_count",
		"SBD/Devices/0/Status":                                   "/sbd/devices/0/status",
		resource + "Id":                                          "/crmmon/resources/0/id",
		resource + "Role":                                        "/crmmon/resources/0/role",
		resource + "Agent":                                       "/crmmon/resources/0/agent",
		resource + "Active":                                      "/crmmon/resources/0/active",
		resource + "Failed":                                      "/crmmon/resources/0/failed",
		resource + "Blocked":                                     "/crmmon/resources/0/blocked",
		resource + "Orphaned":                                    "/crmmon/resources/0/orphaned",
		resource + "FailureIgnored":                              "/crmmon/resources/0/failure_ignored",
		resource + "Managed":                                     "/crmmon/resources/0/managed",
		resource + "NodesRunningOn":                              "/crmmon/resources/0/nodes_running_on",
		resource + "Node/Id":                                     "/crmmon/resources/0/node/id",
		resource + "Node/Name":                                   "/crmmon/resources/0/node/name",
	} {
		with(blank(pointer), edits{path: ``})
		with(blank(pointer), edits{path: `null`})
	}
	with(blank("/crmmon/nodes"), edits{"Crmmon/Nodes": `[]`})
	with(blank("/cib/configuration/crm_config/cluster_properties"), edits{"Cib/Configuration/CrmConfig/ClusterProperties": `[]`})
	with(blank("/crmmon/resources/0/role"), edits{resource + "Role": `" "`})
	// What cannot be handled at all.
	for _, path := range []string{"Cib", "Cib/Configuration", "Cib/Configuration/CrmConfig", "Crmmon"} {
		with(unableProblem, edits{path: ``})
		with(unableProblem, edits{path: `null`})
		pointer := map[string]string{
			"Cib": "/cib", "Cib/Configuration": "/cib/configuration", "Cib/Configuration/CrmConfig": "/cib/configuration/crm_config", "Crmmon": "/crmmon",
		}[path]
		with(invalid(pointer), edits{path: `[]`})
	}
	with(unableProblem, edits{"Cib/Configuration/CrmConfig/ClusterProperties/0/Name": ``})
	with(unableProblem, edits{"Cib/Configuration/CrmConfig/ClusterProperties/0/Name": `" "`})
	// What has to be of its type.
	for path, pointer := range map[string]string{
		"Name": "/name", "Provider": "/provider", "Online": "/online", "DC": "/dc", "SBD": "/sbd", "SBD/Config": "/sbd/config", "SBD/Devices": "/sbd/devices",
		"SBD/Devices/0/Device": "/sbd/devices/0/device", "Crmmon/Nodes": "/crmmon/nodes", "Crmmon/Nodes/0/Unclean": "/crmmon/nodes/0/unclean",
		"Crmmon/Summary/Nodes/Number": "/crmmon/summary/nodes/number", resource + "Node": "/crmmon/resources/0/node",
		"Cib/Configuration/Constraints":                                       "/cib/configuration/constraints",
		"Cib/Configuration/Resources/Clones/0/Primitive":                      "/cib/configuration/resources/clones/0/primitive",
		"Cib/Configuration/Resources/Primitives/0/InstanceAttributes/0/Value": "/cib/configuration/resources/primitives/0/instance_attributes/0/value",
		"Crmmon/NodeAttributes/Nodes/0/Attributes/0/Value":                    "/crmmon/node_attributes/nodes/0/attributes/0/value",
	} {
		with(invalid(pointer), edits{path: `12.5`})
	}
	with(invalid("/provider"), edits{"Provider": `"heroku"`})
	with(invalid("/crmmon/resources"), edits{"Crmmon/Resources": `[7]`})
	refusals(t, landscape.ClusterDiscovery, cases)
}

// What a report means may be wrong even where its form is good.
func TestClusterSecondRefusals(t *testing.T) {
	hana, ascs := clusterFixture(t, "cluster_hana_scale_up"), clusterFixture(t, "cluster_ascs_ers")
	const topology = "Cib/Configuration/Resources/Clones/0/Primitive/InstanceAttributes/"
	const instance = "Cib/Configuration/Resources/Groups/0/Primitives/2/InstanceAttributes/0/Value"
	group := func(i int) string { return fmt.Sprintf("Cib/Configuration/Resources/Groups/%d/Primitives/2/Type", i) }
	refusals(t, landscape.ClusterDiscovery, map[string][]Problem{
		edited(t, hana, edits{topology + "0/Value": `""`}):              {problem("can't be blank", "/sap_instances/0/sid")},
		edited(t, hana, edits{topology + "1/Value": `null`}):            {problem("can't be blank", "/sap_instances/0/instance_number")},
		edited(t, hana, edits{"SBD/Devices/0/Status": `"sick"`}):        {problem("is invalid", "/details/sbd_devices/0/status")},
		edited(t, ascs, edits{instance: `"NLKASCS00"`}):                 unableProblem,
		edited(t, ascs, edits{instance: `""`}):                          unableProblem,
		edited(t, ascs, edits{instance: `"_ASCS00"`}):                   {problem("can't be blank", "/sap_instances/0/sid")},
		edited(t, ascs, edits{instance: `"NLK_"`}):                      {problem("can't be blank", "/sap_instances/0/instance_number")},
		edited(t, ascs, edits{group(0): `"x"`, group(1): `"x"`}):        {problem("can't be blank", "/details/sap_systems")},
		edited(t, ascs, edits{"DC": `false`, instance: `"NLK"`}):        unableProblem,
		edited(t, goodCluster, edits{"SBD/Devices/0/Status": `"sick"`}): nil, // nothing is judged by it
	})
}

// None of this is a reason to lose sight of a cluster.
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

// respelled renames all members of a payload.
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

// snake is the other spelling agents use: NodesRunningOn is nodes_running_on.
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
