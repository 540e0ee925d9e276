package discovery

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// told returns the paths of the values of a report that could not be read.
func told(seen landscape.Observation) []string {
	var places []string
	for _, o := range seen.Omissions {
		places = append(places, o.Pointer+" "+o.Detail)
	}
	return places
}

// beside returns a database with other software on the same host.
func beside(system string) string {
	return goodDatabase[:len(goodDatabase)-1] + "," + system + "]"
}

// TestSAPElements checks that an unreadable element beside a database does not
// hide the database, and does not count as missing.
func TestSAPElements(t *testing.T) {
	const instances = `"Instances":[{"Host":"h","Name":"D02","Type":2,"SAPControl":{"Properties":[{"property":"SAPSYSTEM","value":"02"}],"Instances":[],"Processes":[]}}]`
	for name, c := range map[string]struct {
		system string
		unread []landscape.UnreadInstance
		told   []string
	}{
		"on another database": {
			`{"Id":"x","SID":"ASE","Type":2,"Profile":{"dbms/type":"syb"},` + instances + `}`,
			[]landscape.UnreadInstance{{SID: "ASE", Number: "02"}},
			[]string{"/1/Profile/dbs/hdb/dbname does not name a tenant: the system works on no SAP HANA database"},
		},
		"of a kind to come": {
			`{"Id":"x","SID":"NEW","Type":9,"Profile":{},` + instances + `}`,
			[]landscape.UnreadInstance{{SID: "NEW", Number: "02"}}, []string{"/1/Type is not a known value"},
		},
		"not made out by the agent": {`{"Id":"-","SID":"OLD","Type":0,"Profile":{},"Instances":[]}`, nil, nil},
		"diagnostics agent":         {`{"Id":"x","SID":"DAA","Type":3,"Profile":null,` + instances + `}`, nil, nil},
		"without a name": {
			`{"Id":"x","Type":1,"Databases":[{"Database":"A"}],` + instances + `}`,
			[]landscape.UnreadInstance{{Number: "02"}}, []string{"/1/SID is missing"},
		},
		"without a list": {
			`{"Id":"x","SID":"GAP","Type":1,"Databases":[{"Database":"A"}],"Instances":null}`,
			[]landscape.UnreadInstance{{SID: "GAP"}}, []string{"/1/Instances is null"},
		},
		"that does not list itself": {
			`{"Id":"x","SID":"GAP","Type":1,"Databases":[{"Database":"A"}],` + instances + `}`,
			[]landscape.UnreadInstance{{SID: "GAP", Number: "02"}},
			[]string{"/1/Instances/0/SAPControl/Properties is without SAPLOCALHOST", "/1/Instances/0/SAPControl/Instances does not list the instance itself"},
		},
	} {
		seen := accept(t, landscape.SAPSystemDiscovery, beside(c.system))
		if len(seen.SAP.Elements) != 1 || seen.SAP.Elements[0].SID != "ORE" {
			t.Errorf("%s: elements %+v", name, seen.SAP.Elements)
		}
		if diff := cmp.Diff(c.unread, seen.SAP.Unread); diff != "" {
			t.Errorf("%s: unread (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.told, withoutFirst(told(seen), "/0/")); diff != "" {
			t.Errorf("%s: told (-want +got):\n%s", name, diff)
		}
	}
}

// withoutFirst returns a payload without the first system.
func withoutFirst(places []string, prefix string) (rest []string) {
	for _, place := range places {
		if !strings.HasPrefix(place, prefix) {
			rest = append(rest, place)
		}
	}
	return rest
}

// An instance that is stopped lists no processes.
func TestNoProcesses(t *testing.T) {
	for _, list := range []string{`[]`, `null`, ``} {
		seen := accept(t, landscape.SAPSystemDiscovery, edited(t, goodApplication, edits{"0/Instances/0/SAPControl/Processes": list}))
		if len(seen.SAP.Elements) != 1 || seen.SAP.Elements[0].Application.ENSA != landscape.NoENSA || len(seen.Omissions) > 0 {
			t.Errorf("%q: %+v, told %v", list, seen.SAP, told(seen))
		}
	}
}

// Older agents write "" for all that is not there.
func TestSaptuneNotInstalled(t *testing.T) {
	for payload, want := range map[string]landscape.SaptuneReport{
		`{"saptune_installed":false,"package_version":"","status":null}`:   {},
		`{"saptune_installed":false,"package_version":"","status":""}`:     {},
		`{"saptune_installed":"","package_version":"","status":""}`:        {},
		`{"saptune_installed":"false","package_version":null}`:             {},
		`{"saptune_installed":true,"package_version":"3.0.2","status":""}`: {Installed: true, PackageVersion: "3.0.2"},
		`{"saptune_installed":"","package_version":"3.0.2","status":""}`:   {Installed: true, PackageVersion: "3.0.2"},
		`{}`:                                  {Unread: true},
		`{"saptune_installed":null}`:          {Unread: true},
		`{"saptune_installed":"soon","x":[]}`: {Unread: true},
	} {
		seen := accept(t, landscape.SaptuneDiscovery, payload)
		if diff := cmp.Diff(&want, seen.Saptune); diff != "" {
			t.Errorf("%s (-want +got):\n%s", payload, diff)
		}
		if want.Unread != (len(seen.Omissions) > 0) && !want.Installed {
			t.Errorf("%s: told %v", payload, told(seen))
		}
	}
}

// TestRemovedResources checks the reports of Pacemaker 3, which calls orphaned
// resources removed.
func TestRemovedResources(t *testing.T) {
	for _, c := range []struct{ orphaned, removed, want string }{
		{`false`, ``, ""}, {`true`, ``, "Orphaned"}, {``, `true`, "Orphaned"}, {`false`, `true`, "Orphaned"}, {`true`, `false`, "Orphaned"},
		{``, ``, ""}, {``, `false`, ""}, {`null`, `"yes"`, "Orphaned"},
	} {
		const resource = "Crmmon/Resources/0/"
		seen := accept(t, landscape.ClusterDiscovery, edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{
			resource + "Active": `false`, resource + "Orphaned": c.orphaned, resource + "Removed": c.removed,
		}))
		got := seen.Cluster.Facts.HANA.Resources[0].Status
		if (got == nil) != (c.want == "") || got != nil && *got != c.want || len(seen.Omissions) > 0 {
			t.Errorf("orphaned %s, removed %s: %v, told %v", c.orphaned, c.removed, got, told(seen))
		}
	}
}

// TestClusterOfNewerPrograms checks a cluster in the form of newer programs:
// names of agents with one colon, and node names in other letter case.
func TestClusterOfNewerPrograms(t *testing.T) {
	for _, name := range []string{"cluster_hana_scale_up", "cluster_hana_angi_scale_up", "cluster_hana_scale_out", "cluster_ascs_ers", "cluster_hana_ascs_ers"} {
		payload := clusterFixture(t, name)
		want := acceptCluster(t, payload)
		got := acceptCluster(t, strings.ReplaceAll(payload, `"ocf::`, `"ocf:`))
		shown, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		back := new(landscape.ClusterReport)
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(shown), `"ocf:`, `"ocf::`)), back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back); diff != "" {
			t.Errorf("%s (-two colons +one):\n%s", name, diff)
		}
	}
	payload := clusterFixture(t, "cluster_ascs_ers")
	want := acceptCluster(t, payload).Facts.ASCSERS.SAPSystems
	const attributes, history, resource = "Crmmon/NodeAttributes/Nodes/0/Name", "Crmmon/NodeHistory/Nodes/0/Name", "Crmmon/Groups/0/Resources/2/Node/Name"
	got := acceptCluster(t, edited(t, payload, edits{attributes: `"LOCK01"`, history: `"Lock01"`, resource: `"LOCK01"`})).Facts.ASCSERS.SAPSystems
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("other letters (-want +got):\n%s", diff)
	}
}

func TestERSRole(t *testing.T) {
	const ers = "Cib/Configuration/Resources/Groups/1/Primitives/2/InstanceAttributes"
	for text, want := range map[string]string{"true": "ers", "TRUE": "ers", "yes": "ers", "1": "ers", "false": "ascs", "0": "ascs", "maybe": "ascs"} {
		payload := edited(t, clusterFixture(t, "cluster_ascs_ers"), edits{ers: named("InstanceName", "NLK_ERS10_ers", "IS_ERS", text)})
		if got := acceptCluster(t, payload).Facts.ASCSERS.SAPSystems[0].Nodes[1].Roles; !cmp.Equal(got, []string{want}) {
			t.Errorf("IS_ERS %q: %v", text, got)
		}
	}
}

// TestUnreadDevices checks that an SBD device that cannot be read is listed
// with unknown health.
func TestUnreadDevices(t *testing.T) {
	good := landscape.SBDDevice{Device: "/dev/sdb", Status: "healthy"}
	unreadable := landscape.SBDDevice{Device: "unknown", Status: "unknown"}
	for sbd, want := range map[string][]landscape.SBDDevice{
		`{"Devices":[{"Device":"/dev/sdb","Status":"healthy"}]}`:          {good},
		`{"Devices":[{"Device":"/dev/sdb","Status":"healthy"},5]}`:        {good, unreadable},
		`{"Devices":[{"Device":"/dev/sdb","Status":"degraded"}]}`:         {{Device: "/dev/sdb", Status: "unknown"}},
		`{"Devices":[{"Device":"/dev/sdb"}]}`:                             {{Device: "/dev/sdb", Status: "unknown"}},
		`{"Devices":[{"Device":7,"Status":"unhealthy"}]}`:                 {{Device: "unknown", Status: "unhealthy"}},
		`{"Devices":[{"Device":"","Status":"unhealthy"},{"Device":" "}]}`: {},
		`{"Devices":"/dev/sdb"}`:                                          {unreadable},
		`"on"`:                                                            {unreadable},
		`{"Config":{"SBD_DEVICE":"/dev/sdb"},"Devices":[]}`:               {},
		`{"Config":{"SBD_DEVICE":"/dev/sdb"},"Devices":null}`:             {},
	} {
		got := acceptCluster(t, edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{"SBD": sbd})).Facts.HANA.SBDDevices
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sbd, diff)
		}
	}
}

// TestDoubtfulType checks that a cluster view from which the type cannot be
// determined, because parts are missing, leaves the type open.
func TestDoubtfulType(t *testing.T) {
	hana := clusterFixture(t, "cluster_hana_scale_up")
	report := acceptCluster(t, edited(t, hana, edits{"Crmmon/Clones/0/Resources/0": `5`, "Crmmon/Clones/0/Resources/1": `5`}))
	if report.Facts != nil || !report.Unread {
		t.Errorf("facts %+v", report.Facts)
	}
	if report = acceptCluster(t, edited(t, hana, edits{"Crmmon/Clones": `[]`})); report.Facts == nil || report.Facts.Type != landscape.ClusterUnknown || report.Unread {
		t.Errorf("without clones: %+v", report)
	}
}

// TestAddressesOfUnknownProviders checks that on an unknown provider both kinds
// of resources for virtual addresses are recognised.
func TestAddressesOfUnknownProviders(t *testing.T) {
	for _, provider := range []string{`"heroku"`, `7`, ``} {
		report := acceptCluster(t, edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{"Provider": provider}))
		if report.Facts.Provider != "unknown" || report.Facts.HANA.Nodes[0].VirtualIP == nil {
			t.Errorf("%s: %s, %+v", provider, report.Facts.Provider, report.Facts.HANA.Nodes[0])
		}
	}
	ascs := clusterFixture(t, "cluster_ascs_ers") // on AWS
	if got := acceptCluster(t, edited(t, ascs, edits{"Provider": `"heroku"`})).Facts.ASCSERS.SAPSystems[0].Nodes[0].VirtualIPs; len(got) != 1 {
		t.Errorf("addresses on AWS without its name: %v", got)
	}
}

func TestCurrentInstanceOfOldAgents(t *testing.T) {
	const path = "0/Instances/0/SAPControl/Instances/0/"
	for _, hostname := range []string{`"limascs"`, `"LIMASCS"`, `"limascs.pier.test"`} {
		seen := accept(t, landscape.SAPSystemDiscovery, edited(t, goodApplication, edits{
			path + "currentInstance": ``, path + "hostname": hostname, path + "instanceNr": ``, // which is 0
		}))
		if len(seen.SAP.Elements) != 1 {
			t.Errorf("%s: %+v, told %v", hostname, seen.SAP, told(seen))
		}
	}
}

// TestUnreadReplications checks that an unreadable role in the replication is not
// taken for a missing replication.
func TestUnreadReplications(t *testing.T) {
	for state, want := range map[string]bool{
		`{}`: false, `null`: false, ``: false, `{"mode":"none"}`: false, `{"mode":"primary"}`: false, `{"mode":"unknown"}`: false,
		`[]`: true, `"x"`: true, `{"mode":5}`: true, `{"site_name":"A"}`: true, `{"mode":"","site_name":"A"}`: true, `{"mode":"ring"}`: true,
	} {
		seen := accept(t, landscape.SAPSystemDiscovery, edited(t, goodDatabase, edits{"0/Instances/0/HdbnsutilSRstate": state}))
		d := seen.SAP.Elements[0].Database
		if d.ReplicationUnread != want || want && d.Role != nil {
			t.Errorf("%s: %+v, told %v", state, d, told(seen))
		}
	}
}
