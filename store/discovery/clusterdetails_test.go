package discovery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

// Paths of the values in the fixtures that tests replace.
const (
	properties = "Cib/Configuration/CrmConfig/ClusterProperties"
	attributes = "Crmmon/NodeAttributes/Nodes/%d/Attributes"
)

// named returns a list of names and values in the form of agents.
func named(pairs ...string) string {
	var list []string
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, fmt.Sprintf(`{"Id":"x","Name":%q,"Value":%q}`, pairs[i], pairs[i+1]))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func truth(b bool) *bool { return &b }

func TestNodeStatus(t *testing.T) {
	yes, no := truth(true), truth(false)
	for want, nodes := range map[string][]node{
		"Offline":         {{online: no}, {online: no, unclean: yes, standby: yes}},
		"Unclean":         {{online: yes, unclean: yes, standby: yes, maintenance: yes}, {unclean: yes}},
		"Standby":         {{online: yes, standby: yes, maintenance: yes}},
		"Maintenance":     {{online: yes, maintenance: yes, shutdown: yes, standby: no}},
		"Shutdown":        {{online: yes, shutdown: yes, pending: yes}},
		"Pending":         {{online: yes, pending: yes, standbyOnFail: yes}},
		"Standby on fail": {{online: yes, standbyOnFail: yes}},
		"Online":          {{online: yes}, {online: yes, unclean: no, pending: no}},
		"Unknown":         {{}, {unclean: no, standby: no}},
	} {
		for _, n := range nodes {
			if got := n.nodeStatus(); got != want {
				t.Errorf("%+v: %s, want %s", n, got, want)
			}
		}
	}
}

func TestResourceStatus(t *testing.T) {
	yes := truth(true)
	for want, r := range map[string]resource{
		"Active":         {active: yes, failed: yes, blocked: yes, orphaned: yes, ignored: yes},
		"Blocked":        {failed: yes, blocked: yes, orphaned: yes, ignored: yes},
		"Failed":         {active: truth(false), failed: yes, orphaned: yes, ignored: yes},
		"FailureIgnored": {orphaned: yes, ignored: yes},
		"Orphaned":       {orphaned: yes},
		"":               {managed: yes},
	} {
		if got := r.resourceStatus(); (got == nil) != (want == "") || got != nil && *got != want {
			t.Errorf("%+v: %v, want %q", r, got, want)
		}
	}
}

func TestFailCount(t *testing.T) {
	count := func(n int) *int { return &n }
	here, there := "quay01", "quay02"
	histories := []failureHistory{{keyOf(here), map[string]int{"a": 3, "b": 0}}, {keyOf(here), map[string]int{"a": 9, "d": 1}}, {keyOf(there), nil}}
	for name, c := range map[string]struct {
		histories []failureHistory
		resource  resource
		want      *int
	}{
		"no history":                  {nil, resource{id: "a", node: &here}, count(0)},
		"no history, runs nowhere":    {nil, resource{id: "a"}, count(0)},
		"in the history":              {histories, resource{id: "a", node: &here}, count(3)},
		"never failed":                {histories, resource{id: "b", node: &here}, count(0)},
		"not in the history":          {histories, resource{id: "c", node: &here}, nil},
		"not in that of its node":     {histories, resource{id: "a", node: &there}, nil},
		"in the second of its node":   {histories, resource{id: "d", node: &here}, count(1)},
		"runs nowhere":                {histories, resource{id: "a"}, nil},
		"on a node without a history": {histories[2:], resource{id: "a", node: &here}, nil},
	} {
		if diff := cmp.Diff(c.want, (&clusterView{histories: c.histories}).failCount(c.resource)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRepeatedHistory(t *testing.T) {
	payload := edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{
		"Crmmon/NodeHistory/Nodes/0/ResourceHistory": `[{"Name":"stonith-sbd","FailCount":4},{"Name":"stonith-sbd","FailCount":9}]`,
	})
	if got := acceptCluster(t, payload).Facts.HANA.Resources[0]; got.ID != "stonith-sbd" || *got.FailCount != 4 {
		t.Errorf("%+v", got)
	}
}

func TestStoppedResources(t *testing.T) {
	yes := truth(true)
	none, one := 0, 1
	v := &clusterView{resources: []resource{
		{id: "runs", active: yes, nodesRunningOn: &one}, {id: "starts", nodesRunningOn: &one}, {id: "odd", active: yes, nodesRunningOn: &none},
		{id: "untold"},
		{id: "stopped", agent: "systemd:x", role: "Stopped", managed: yes, failed: yes, container: containerClone, nodesRunningOn: &none},
		{id: "stopped", agent: "systemd:x", role: "Stopped", nodesRunningOn: &none},
	}}
	stopped := landscape.ClusterResource{ID: "stopped", Type: "systemd:x", Role: "Stopped"}
	if diff := cmp.Diff([]landscape.ClusterResource{stopped, stopped}, v.stoppedResources()); diff != "" {
		t.Errorf("stopped (-want +got):\n%s", diff)
	}
}

func TestParents(t *testing.T) {
	const clone, group = "Crmmon/Clones/0/", "Crmmon/Groups/0/"
	hana := clusterFixture(t, "cluster_hana_scale_up")
	parent := func(t *testing.T, payload, id string) *landscape.ResourceParent {
		for _, r := range acceptCluster(t, payload).Facts.HANA.Resources {
			if r.ID == id {
				return r.Parent
			}
		}
		t.Fatalf("no resource %s", id)
		return nil
	}
	for name, c := range map[string]struct {
		changes edits
		id      string
		want    *landscape.ResourceParent
	}{
		"none":                     {nil, "stonith-sbd", nil},
		"clone":                    {nil, "rsc_Top_HBR", &landscape.ResourceParent{ID: "cln_Top_HBR", Managed: truth(true), MultiState: truth(false)}},
		"promotable clone":         {nil, "rsc_SAPHana_HBR", &landscape.ResourceParent{ID: "msl_SAPHana_HBR", Managed: truth(true), MultiState: truth(true)}},
		"clone of an older agent":  {edits{clone + "Managed": ``, clone + "MultiState": `null`}, "rsc_SAPHana_HBR", &landscape.ResourceParent{ID: "msl_SAPHana_HBR"}},
		"group of an older agent":  {nil, "rsc_ip_HBR", &landscape.ResourceParent{ID: "g_ip_HBR", Managed: truth(true)}},
		"group that tells nothing": {edits{group + "Managed": `null`}, "rsc_ip_HBR", &landscape.ResourceParent{ID: "g_ip_HBR", Managed: truth(true)}},
		"group left alone":         {edits{group + "Managed": `false`}, "rsc_ip_HBR", &landscape.ResourceParent{ID: "g_ip_HBR", Managed: truth(false)}},
	} {
		if diff := cmp.Diff(c.want, parent(t, edited(t, hana, c.changes), c.id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFencing(t *testing.T) {
	for name, c := range map[string]struct {
		resources []resource
		sbd       string
		want      string
	}{
		"by a disk":                   {[]resource{{agent: "ocf::x"}, {agent: "stonith:external/sbd"}, {agent: "stonith:b"}}, `null`, "external/sbd"},
		"text behind the first colon": {[]resource{{agent: "stonith:a:b"}}, `null`, "a:b"},
		"in a group":                  {[]resource{{agent: "stonith:a", container: containerGroup}, {agent: "stonith:b", container: containerClone}}, `null`, ""},
		"nothing":                     {nil, `null`, ""},
		"nothing configured":          {nil, `{"Config":null,"Devices":null}`, ""},
		"a device configured":         {nil, `{"Config":{"SBD_DEVICE":"/dev/sdb","SBD_WATCHDOG_DEV":"/dev/watchdog"}}`, "Unknown"},
		"an empty device":             {nil, `{"Config":{"SBD_DEVICE":""}}`, "Unknown"},
		"other spelling":              {nil, `{"Config":{"sbd_device":null}}`, "Unknown"},
		"a watchdog":                  {nil, `{"Config":{"SBD_WATCHDOG_DEV":"/dev/watchdog"},"Devices":[]}`, "Diskless SBD"},
		"a watchdog and disks":        {nil, `{"Config":{"SBD_WATCHDOG_DEV":"/dev/watchdog"},"Devices":[{"Device":"a","Status":"healthy"}]}`, ""},
		"something else":              {nil, `{"Config":{"SBD_OPTS":"x"}}`, ""},
	} {
		var r findings
		v := &clusterView{resources: c.resources}
		v.readSBD(readPayload(value(`{"SBD":`+c.sbd+`}`), normalizeClusterName, &r))
		if got := v.fencingType(); r.omittedCount > 0 || (got == nil) != (c.want == "") || got != nil && *got != c.want {
			t.Errorf("%s: %v %v, want %q", name, got, r.omissions, c.want)
		}
	}
}

func TestReplicationState(t *testing.T) {
	for _, c := range []struct{ role, sync, want string }{
		{"P", "PRIM", "Primary"}, {"P", "SOK", "Failed"}, {"P", "SFAIL", "Failed"}, {"P", "", "Unknown"}, {"P", "Unknown", "Unknown"},
		{"S", "SOK", "Secondary"}, {"S", "PRIM", "Failed"}, {"S", "SFAIL", "Failed"}, {"S", "", "Unknown"}, {"S", "Unknown", "Unknown"},
		{"N", "SOK", "Unknown"}, {"", "PRIM", "Unknown"}, {"Unknown", "PRIM", "Unknown"}, {"", "", "Unknown"},
	} {
		if got := replicationState(c.role, c.sync); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.role, c.sync, got, c.want)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct{ roles, classicUp, others string }{
		{"4:P:master1:master:worker:master", "master master", "- -"},
		{"4:P:master1:slave:worker:standby", "slave standby", "- -"},
		{"1:P:master1::worker:", "- -", "- -"},
		{"master1:master:worker:slave", "master slave", "master slave"},
		{":::", "- -", "- -"}, {":shtdown:shtdown:shtdown", "shtdown shtdown", "shtdown shtdown"},
		{"a:b:c", "- -", "- -"}, {"a:b:c:d:e", "- -", "- -"}, {"a:b:c:d:e:f:g", "- -", "- -"}, {"", "- -", "- -"},
	} {
		n := node{attributes: map[string]string{"hana_abc_roles": c.roles}}
		for _, variant := range []struct {
			h    hanaView
			want string
		}{{hanaView{sid: "abc", isScaleUp: true}, c.classicUp}, {hanaView{sid: "abc", isAngi: true, isScaleUp: true}, c.others}, {hanaView{sid: "abc"}, c.others}} {
			nameserver, indexserver := variant.h.serverRoles(n)
			if got := orDash(nameserver) + " " + orDash(indexserver); got != variant.want {
				t.Errorf("%s: %s, want %s", c.roles, got, variant.want)
			}
		}
	}
}

func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

// replicationLine returns the replication in the details of a cluster, in one
// line.
func replicationLine(h *landscape.HANADetails) string {
	parts := []string{h.ReplicationMode, h.OperationMode, h.SecondarySyncState, h.SRHealthState}
	for _, site := range h.Sites {
		parts = append(parts, fmt.Sprintf("%s=%s/%s", site.Name, site.State, site.SRHealthState))
	}
	for _, n := range h.Nodes {
		parts = append(parts, n.Name+"="+n.HANAStatus)
	}
	return strings.Join(parts, " ")
}

func TestReplication(t *testing.T) {
	up, out := clusterFixture(t, "cluster_hana_scale_up"), clusterFixture(t, "cluster_hana_scale_out")
	angi := clusterFixture(t, "cluster_hana_angi_scale_up")
	of := func(i int) string { return fmt.Sprintf(attributes, i) }
	scaleUp, scaleOut := []string{"hana_hbs_glob_topology", "ScaleUp"}, []string{"cluster-name", "dam_hana"}
	with := func(first []string, pairs ...string) string { return named(append(first[:2:2], pairs...)...) }
	for name, c := range map[string]struct {
		payload string
		changes edits
		want    string
	}{
		"scale-up": {up, nil, "sync logreplay SOK 4 EAST=Primary/4 WEST=Secondary/4 pier01=Primary pier02=Secondary"},
		"scale-up, no attributes": {up, edits{of(0): `[]`, of(1): `null`},
			"Unknown Unknown Unknown Unknown pier01=Unknown pier02=Unknown"},
		"scale-up, first node knows nothing": {up, edits{of(0): `[]`},
			"sync logreplay SOK 4 WEST=Secondary/4 pier01=Unknown pier02=Secondary"},
		"scale-up, first node knows little": {up, edits{of(0): named("hana_hbr_site", "EAST")},
			"Unknown Unknown SOK 4 EAST=Unknown/Unknown WEST=Secondary/4 pier01=Unknown pier02=Secondary"},
		"scale-up, no landscape state": {up, edits{of(1): named("hana_hbr_site", "WEST", "hana_hbr_roles", ":S:m", "hana_hbr_sync_state", "SFAIL")},
			"sync logreplay SFAIL Unknown EAST=Primary/4 WEST=Failed/Unknown pier01=Primary pier02=Failed"},
		"scale-up, the first one that is not primary counts": {up, edits{of(0): named("hana_hbr_roles", "2:P:x", "hana_hbr_sync_state", "SFAIL", "hana_hbr_srmode", "async")},
			"async Unknown SFAIL 2 WEST=Secondary/4 pier01=Failed pier02=Secondary"},
		"scale-up, another system's attributes": {up, edits{of(0): named("hana_xyz_site", "EAST"), of(1): named("HANA_HBR_SITE", "WEST")},
			"Unknown Unknown Unknown Unknown pier01=Unknown pier02=Unknown"},

		"scale-out": {out, nil,
			"sync delta_datashipping SOK 4 EAST=Primary/4 WEST=Secondary/4 dam01=Primary dam02=Primary dam03=Secondary dam04=Secondary dammm=Unknown"},
		"scale-out, no properties": {out, edits{properties: with(scaleOut)},
			"sync logreplay Unknown Unknown Unknown=Unknown/Unknown Unknown=Unknown/Unknown dam01=Unknown dam02=Unknown dam03=Unknown dam04=Unknown dammm=Unknown"},
		"scale-out, no hook of the secondary": {out, edits{properties: with(scaleOut, "hana_hdm_glob_prim", "EAST", "hana_hdm_site_lss_WEST", "",
			"hana_hdm_site_srr_EAST", "P", "hana_hdm_site_srr_WEST", "S", "hana_hdm_glob_sync_state", "SFAIL", "hana_hdm_glob_srmode", "async")},
			"async logreplay SFAIL Unknown EAST=Primary/Unknown WEST=Failed/Unknown dam01=Primary dam02=Primary dam03=Failed dam04=Failed dammm=Unknown"},
		"scale-out, no word of the secondary": {out, edits{properties: with(scaleOut, "hana_hdm_glob_prim", "EAST", "hana_hdm_site_lss_WEST", "4",
			"hana_hdm_site_srr_EAST", "P", "hana_hdm_site_srr_WEST", "S", "hana_hdm_glob_sec", "WEST")},
			"sync logreplay Unknown 4 EAST=Primary/Unknown WEST=Unknown/4 dam01=Primary dam02=Primary dam03=Unknown dam04=Unknown dammm=Unknown"},
		"scale-out, third site": {out, edits{properties: with(scaleOut, "hana_hdm_glob_prim", "FAR", "hana_hdm_site_lss_FAR", "4",
			"hana_hdm_site_lss_WEST", "2", "hana_hdm_site_lss_EAST", "1", "hana_hdm_site_srr_EAST", "P", "hana_hdm_glob_sync_state", "SOK")},
			"sync logreplay SOK 2 FAR=Unknown/4 WEST=Unknown/2 dam01=Primary dam02=Primary dam03=Unknown dam04=Unknown dammm=Unknown"},
		"scale-out, dash for a secondary": {out, edits{properties: with(scaleOut, "hana_hdm_glob_prim", "EAST", "hana_hdm_glob_sec", "-", "hana_hdm_site_lss_WEST", "4")},
			"sync logreplay Unknown Unknown EAST=Unknown/Unknown WEST=Unknown/4 dam01=Unknown dam02=Unknown dam03=Unknown dam04=Unknown dammm=Unknown"},

		"new scale-up": {angi, nil, "syncmem logreplay SOK 4 OSLO=Primary/4 TURKU=Secondary/4 basin01=Primary basin02=Secondary"},
		"new scale-up, no properties": {angi, edits{properties: with(scaleUp)},
			"sync logreplay Unknown Unknown Unknown=Unknown/Unknown Unknown=Unknown/Unknown basin01=Unknown basin02=Unknown"},
		"new scale-up, first value that is one": {angi, edits{properties: with(scaleUp, "hana_hbs_glob_prim", "", "hana_hbs_glob_prim", "OSLO",
			"hana_hbs_glob_prim", "TURKU", "hana_hbs_site_srr_OSLO", "P", "hana_hbs_site_srPoll_OSLO", "PRIM")},
			"sync logreplay Unknown Unknown OSLO=Primary/Unknown Unknown=Unknown/Unknown basin01=Primary basin02=Unknown"},
		"new scale-up, no poll": {angi, edits{properties: with(scaleUp, "hana_hbs_glob_prim", "OSLO", "hana_hbs_site_srr_OSLO", "P",
			"hana_hbs_site_srHook_OSLO", "PRIM", "hana_hbs_site_lss_TURKU", "1", "hana_hbs_site_opMode_OSLO", "x", "hana_hbs_site_srMode_OSLO", "y")},
			"y x Unknown 1 OSLO=Unknown/Unknown TURKU=Unknown/1 basin01=Unknown basin02=Unknown"},
		"new scale-up, nodes without a site": {angi, edits{of(0): `[]`, of(1): named("hana_hbs_site", "NOWHERE")},
			"syncmem logreplay SOK 4 OSLO=Primary/4 TURKU=Secondary/4 basin01=Unknown basin02=Unknown"},
	} {
		if got := replicationLine(acceptCluster(t, edited(t, c.payload, c.changes)).Facts.HANA); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// TestVolatileAttribute checks that attributes that differ in every report do
// not count as changes.
func TestVolatileAttribute(t *testing.T) {
	for name, kept := range map[string]bool{
		"cluster_hana_scale_up": false, "cluster_hana_angi_scale_up": false, "cluster_hana_angi_scale_out": true,
	} {
		facts := acceptCluster(t, clusterFixture(t, name)).Facts
		found := false
		for _, n := range facts.HANA.Nodes {
			_, has := n.Attributes["lpa_"+strings.ToLower(facts.SID())+"_lpt"]
			found = found || has
			if len(n.Attributes) == 0 && n.Status != "Offline" {
				t.Errorf("%s: no attributes left of %s", name, n.Name)
			}
		}
		if found != kept {
			t.Errorf("%s: last primary timestamp %v", name, found)
		}
	}
}

func TestAttributeWithoutValue(t *testing.T) {
	payload := edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{
		fmt.Sprintf(attributes, 0): `[{"Name":"a","Value":""},{"Name":"b","Value":null},{"Name":"c"},{"Name":"d","Value":"1"}]`,
	})
	if got := acceptCluster(t, payload).Facts.HANA.Nodes[0].Attributes; !cmp.Equal(got, map[string]string{"d": "1"}) {
		t.Errorf("attributes: %v", got)
	}
}

func TestMaintenance(t *testing.T) {
	for text, want := range map[string]bool{
		"true": true, "True": true, "yes": true, "YES": true, "on": true, "y": true, "Y": true, "1": true,
		"false": false, "no": false, "off": false, "N": false, "0": false, "": false, "maybe": false,
	} {
		payload := edited(t, clusterFixture(t, "cluster_hana_scale_up"), edits{properties: named("maintenance-mode", text)})
		if got := acceptCluster(t, payload).Facts.HANA.MaintenanceMode; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestVirtualIP(t *testing.T) {
	here, there := "quay01", "quay02"
	primitives := []primitive{
		{id: "ip", attributes: []namedValue{{"ip", ""}, {"ip", "10.0.0.1"}}}, {id: "bare"}, {id: "ip", attributes: []namedValue{{"ip", "10.0.0.9"}}},
		{id: "aws", attributes: []namedValue{{"ip", "10.0.0.2"}}},
	}
	ip := resource{id: "ip", agent: "ocf::heartbeat:IPaddr2", node: &here}
	bare := resource{id: "bare", agent: "ocf::heartbeat:IPaddr2", node: &here}
	aws := resource{id: "aws", agent: "ocf::suse:aws-vpc-move-ip", node: &here}
	for name, c := range map[string]struct {
		provider  string
		resources []resource
		want      string
	}{
		"none":                      {"kvm", nil, "-"},
		"here":                      {"kvm", []resource{ip}, "10.0.0.1"},
		"there":                     {"kvm", []resource{{id: "ip", agent: ip.agent, node: &there}, {id: "ip", agent: ip.agent}}, "-"},
		"only the first one counts": {"kvm", []resource{bare, ip}, "-"},
		"not configured":            {"kvm", []resource{{id: "gone", agent: ip.agent, node: &here}}, "-"},
		"of another provider":       {"kvm", []resource{aws}, "-"},
		"on AWS":                    {"aws", []resource{ip, aws}, "10.0.0.2"},
		"on AWS, like anywhere":     {"aws", []resource{ip}, "-"},
	} {
		v := &clusterView{provider: c.provider, primitives: primitives, resources: c.resources}
		if got := orDash(v.virtualIP(v.resourcesByNode()[keyOf(here)])); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestMajorityMaker(t *testing.T) {
	clone := func(id, kind string) resourceSet { return resourceSet{id, []primitive{{kind: kind}}} }
	both := []resourceSet{clone("top", "SAPHanaTopology"), clone("con", "SAPHanaController"), clone("other", "Dummy")}
	ban := func(resource string) nodeBan { return nodeBan{resource, "mm"} }
	for name, c := range map[string]struct {
		clones    []resourceSet
		locations []nodeBan
		want      bool
	}{
		"banned from all":             {both, []nodeBan{ban("top"), ban("con")}, true},
		"banned from one":             {both, []nodeBan{ban("top")}, false},
		"other node":                  {both, []nodeBan{ban("top"), {"con", "quay01"}}, false},
		"no constraints":              {both, nil, false},
		"no database":                 {[]resourceSet{clone("other", "Dummy")}, []nodeBan{ban("other")}, false},
		"banned from the older agent": {[]resourceSet{clone("a", "SAPHana")}, []nodeBan{ban("a")}, true},
	} {
		v := &clusterView{clones: c.clones, bans: make(map[nodeBan]bool)}
		for _, l := range c.locations {
			v.bans[l] = true
		}
		if got := v.isMajorityMaker("MM"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Pacemaker reads all of these as the same score.
func TestMinusInfinity(t *testing.T) {
	for score, want := range map[string]bool{
		"-INFINITY": true, "-infinity": true, "-1000000": true, "-1000001": true,
		"-999999": false, "INFINITY": false, "1000000": false, "": false, "0": false, "-": false,
	} {
		if got := isMinusInfinity(score); got != want {
			t.Errorf("%q: %v", score, got)
		}
	}
}

func TestDistributed(t *testing.T) {
	const ascs, ers = "Crmmon/Groups/0/Resources/2/", "Crmmon/Groups/1/Resources/2/"
	const cloned = `[{"Id":"c","Failed":false,"Unique":false,"FailureIgnored":false,"Resources":[{"Id":"rsc_sap_NLK_ERS10","Role":"Started",
		"Agent":"ocf::heartbeat:SAPInstance","Active":true,"Failed":false,"Blocked":false,"Orphaned":false,"FailureIgnored":false,
		"NodesRunningOn":1,"Managed":true,"Node":{"Id":"2","Name":"lock02"}}]}]`
	payload := clusterFixture(t, "cluster_ascs_ers")
	for name, c := range map[string]struct {
		changes edits
		want    bool
	}{
		"both run":             {nil, true},
		"on the same node":     {edits{ers + "Node/Name": `"lock01"`}, false},
		"one failed":           {edits{ascs + "Failed": `true`}, false},
		"one stopped":          {edits{ers + "Role": `"Stopped"`}, false},
		"one nowhere":          {edits{ers + "Node": `null`}, false},
		"a node is offline":    {edits{"Crmmon/Nodes/0/Online": `false`}, false},
		"a node is unclean":    {edits{"Crmmon/Nodes/1/Unclean": `true`}, false},
		"a node is in standby": {edits{"Crmmon/Nodes/1/Standby": `true`}, true},
		"not configured":       {edits{ascs + "Id": `"other"`}, false},
		"another agent":        {edits{ascs + "Agent": `"ocf::suse:SAPStartSrv"`, "Crmmon/Groups/0/Resources/1/Agent": `"ocf::heartbeat:SAPInstance"`}, true},
		"in a clone":           {edits{ers + "Node": `null`, "Crmmon/Clones": cloned}, false},
		"an unknown node":      {edits{ascs + "Node/Name": `"elsewhere"`}, false},
	} {
		if got := acceptCluster(t, edited(t, payload, c.changes)).Facts.ASCSERS.SAPSystems[0].Distributed; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFilesystemResourceBased(t *testing.T) {
	const first, second = "Cib/Configuration/Resources/Groups/0/Primitives/", "Cib/Configuration/Resources/Groups/1/Primitives/"
	payload := clusterFixture(t, "cluster_ascs_ers")
	for name, c := range map[string]struct {
		changes edits
		want    bool
	}{
		"two":                   {nil, true},
		"one":                   {edits{first + "0/Type": `"Dummy"`}, false},
		"none":                  {edits{first + "0/Type": `"Dummy"`, second + "0/Type": `"Dummy"`}, false},
		"three":                 {edits{first + "1/Type": `"Filesystem"`}, false},
		"of another SAP system": {edits{second + "2/InstanceAttributes/0/Value": `"NXX_ERS10"`}, false},
	} {
		if got := acceptCluster(t, edited(t, payload, c.changes)).Facts.ASCSERS.SAPSystems[0].FilesystemResourceBased; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The details list the nodes once for each SAP system.
func TestDetailsBeyondMeasure(t *testing.T) {
	instance := func(name string) primitive {
		return primitive{kind: "SAPInstance", attributes: []namedValue{{"InstanceName", name}}}
	}
	group := []resource{{id: "r", agent: agentInstance, container: containerGroup}}
	for size, want := range map[int]bool{maxDetailsBytes / 2: true, maxDetailsBytes/2 + 1: false} {
		v := &clusterView{
			reportBytes: size, primitives: []primitive{instance("NAA_ASCS00"), instance("NBB_ASCS01")}, runningGroups: [][]resource{group, group},
			sbdConfig: new(fields),
		}
		var r findings
		if facts := v.clusterFacts(readPayload(value(`{}`), normalizeClusterName, &r)); (facts != nil) != want || (r.omittedCount == 0) != want {
			t.Errorf("%d bytes: %v %v", size, facts, r.omissions)
		}
	}
}
