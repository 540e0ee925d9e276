package discovery

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/landscape"
)

func TestClusterType(t *testing.T) {
	const topology, hana, controller = "ocf::suse:SAPHanaTopology", "ocf::suse:SAPHana", "ocf::suse:SAPHanaController"
	instances := func(ids ...string) []string { return ids }
	one := instances("sap_ASCS00")
	for name, c := range map[string]struct {
		topology string     // property of the newer agents
		cloned   []string   // agents
		grouped  [][]string // ids of instances, by group
		want     landscape.ClusterType
		arch     string
	}{
		"nothing":                       {"", nil, nil, landscape.ClusterUnknown, ""},
		"topology alone":                {"", []string{topology}, nil, landscape.ClusterUnknown, ""},
		"database alone":                {"", []string{hana}, nil, landscape.ClusterUnknown, ""},
		"controller alone":              {"", []string{controller}, nil, landscape.ClusterUnknown, ""},
		"scale-up":                      {"", []string{topology, hana}, nil, landscape.HANAScaleUp, "classic"},
		"scale-out":                     {"", []string{controller, topology}, nil, landscape.HANAScaleOut, "classic"},
		"both":                          {"", []string{controller, topology, hana}, nil, landscape.HANAScaleUp, "classic"},
		"new scale-up":                  {"ScaleUp", nil, nil, landscape.HANAScaleUp, "angi"},
		"new scale-out":                 {"ScaleOut", []string{topology, hana}, nil, landscape.HANAScaleOut, "angi"},
		"strange topology":              {"Sideways", nil, nil, landscape.ClusterUnknown, ""},
		"strange topology, old agents":  {"scaleup", []string{topology, controller}, nil, landscape.HANAScaleOut, "classic"},
		"two groups":                    {"", nil, [][]string{one, one}, landscape.ASCSERS, ""},
		"two groups, new topology":      {"ScaleUp", nil, [][]string{one, one}, landscape.ASCSERS, ""},
		"four groups":                   {"", nil, [][]string{one, one, one, one}, landscape.ASCSERS, ""},
		"one group":                     {"", nil, [][]string{one}, landscape.ClusterUnknown, ""},
		"three groups":                  {"", nil, [][]string{one, one, one}, landscape.ClusterUnknown, ""},
		"groups of databases":           {"", nil, [][]string{instances("sap_HDB00"), instances("sap_HDB01")}, landscape.ClusterUnknown, ""},
		"a database beside an instance": {"", nil, [][]string{instances("sap_HDB00", "sap_ERS10"), one}, landscape.ASCSERS, ""},
		"groups of other things":        {"", nil, [][]string{one, one, nil}, landscape.ASCSERS, ""},
		"mixed":                         {"", []string{topology, hana}, [][]string{one, one}, landscape.HANAASCSERS, ""},
		"mixed, scale-out":              {"ScaleOut", []string{topology, controller}, [][]string{one, one}, landscape.HANAASCSERS, ""},
		"scale-up with a single group":  {"", []string{topology, hana}, [][]string{one}, landscape.HANAScaleUp, "classic"},
	} {
		v := &clusterView{properties: []namedValue{{"dc-version", "2"}}}
		if c.topology != "" {
			v.properties = append(v.properties, namedValue{"hana_abc_glob_topology", c.topology})
		}
		for _, agent := range c.cloned {
			v.resources = append(v.resources, resource{agent: agent, container: containerClone}, resource{agent: agent + "x", container: containerClone})
		}
		for _, ids := range c.grouped {
			group := []resource{{id: "fs", agent: "ocf::heartbeat:Filesystem", container: containerGroup}}
			for _, id := range ids {
				group = append(group, resource{id: id, agent: agentInstance, container: containerGroup})
			}
			v.runningGroups = append(v.runningGroups, group)
			v.resources = append(v.resources, group...)
		}
		if kind, arch := v.clusterType(); kind != c.want || arch != c.arch {
			t.Errorf("%s: %s %s, want %s %s", name, kind, arch, c.want, c.arch)
		}
	}
	free := &clusterView{resources: []resource{{agent: topology}, {agent: hana, container: containerGroup}}}
	if kind, _ := free.clusterType(); kind != landscape.ClusterUnknown {
		t.Errorf("resources that are not cloned: %s", kind)
	}
	first := &clusterView{properties: []namedValue{{"hana_a_glob_topology", ""}, {"hana_b_glob_topology", "ScaleUp"}}}
	if kind, _ := first.clusterType(); kind != landscape.ClusterUnknown {
		t.Errorf("first topology is empty: %s", kind)
	}
}

func TestClusteredInstances(t *testing.T) {
	top := func(sid, number string) primitive {
		return primitive{kind: "SAPHanaTopology", attributes: []namedValue{{"SID", ""}, {"SID", sid}, {"InstanceNumber", number}, {"SID", "late"}}}
	}
	sap := func(id, name string) primitive {
		return primitive{id: id, kind: "SAPInstance", attributes: []namedValue{{"InstanceName", name}}}
	}
	with := func(kind, name, text string) primitive {
		return primitive{id: "x", kind: kind, attributes: []namedValue{{name, text}}}
	}
	instance := func(name, sid, number, hostname, id string, mounted bool) landscape.ClusteredInstance {
		return landscape.ClusteredInstance{
			Name: name, SID: sid, Number: number, Hostname: nilIfEmpty(hostname), ResourceID: nilIfEmpty(id), ResourceType: "sap_instance", Mounted: &mounted,
		}
	}
	for name, c := range map[string]struct {
		primitives []primitive
		want       []landscape.ClusteredInstance
	}{
		"none": {nil, []landscape.ClusteredInstance{}},
		"databases first": {
			[]primitive{sap("r1", "NWP_ASCS00_virt"), top("HDP", "10"), {kind: "SAPHana"}},
			[]landscape.ClusteredInstance{
				{Name: "HDB10", SID: "HDP", Number: "10", ResourceType: "sap_hana_topology"},
				instance("ASCS00", "NWP", "00", "virt", "r1", false),
			},
		},
		"parts of the name": {
			[]primitive{sap("r1", "NWP_ERS10"), sap("r2", "NWP_D1_a_b"), sap("", "NWP_X_"), sap("r4", "NWP_Ä7Ö_h")},
			[]landscape.ClusteredInstance{
				instance("ERS10", "NWP", "10", "", "r1", false), instance("D1", "NWP", "D1", "a", "r2", false),
				instance("X", "NWP", "X", "", "", false), instance("Ä7Ö", "NWP", "7Ö", "h", "r4", false),
			},
		},
		"file system": {
			[]primitive{sap("r1", "NWP_ASCS00_v"), sap("r2", "NWP_ERS10_w"), with("Filesystem", "directory", "/usr/sap/NWP/ASCS00")},
			[]landscape.ClusteredInstance{instance("ASCS00", "NWP", "00", "v", "r1", true), instance("ERS10", "NWP", "10", "w", "r2", false)},
		},
		"file system with a slash at its end": {
			[]primitive{sap("r1", "NWP_ASCS00_v"), with("Filesystem", "directory", "/usr/sap/NWP/ASCS00/")},
			[]landscape.ClusteredInstance{instance("ASCS00", "NWP", "00", "v", "r1", true)},
		},
		"start service": {
			[]primitive{sap("r1", "NWP_ASCS00_v"), with("SAPStartSrv", "InstanceName", "NWP_ASCS00_v"), with("SAPStartSrv", "InstanceName", "NWP_ERS10")},
			[]landscape.ClusteredInstance{instance("ASCS00", "NWP", "00", "v", "r1", true)},
		},
		"other directories": {
			[]primitive{sap("r1", "NWP_ASCS00_v"), with("Filesystem", "directory", "/usr/sap/NWP/ASCS00/sub"), with("Dummy", "directory", "/usr/sap/NWP/ASCS00")},
			[]landscape.ClusteredInstance{instance("ASCS00", "NWP", "00", "v", "r1", false)},
		},
	} {
		v := &clusterView{primitives: c.primitives}
		got := v.instances()
		if v.isIncomplete {
			t.Errorf("%s: not all could be read", name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestResourceSIDs(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"cluster_hana_cost_optimized": {"rsc_SAPHana_HJT": "HJT", "rsc_Top_HJT": "HJT", "rsc_SAP_QJT_HDB20": "QJT"},
		"cluster_hana_ascs_ers":       nil, // no details
	} {
		if diff := cmp.Diff(want, acceptCluster(t, clusterFixture(t, name)).Facts.ResourceSIDs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Attributes belong to the first resource of an id, wherever it is.
	v := &clusterView{
		primitives: []primitive{{id: "r", attributes: []namedValue{{"InstanceName", "NWP_ASCS00"}}}, {id: "r", attributes: []namedValue{{"SID", "HDP"}}}},
		resources:  []resource{{id: "r", agent: agentHANA}, {id: "q", agent: agentHANA}},
	}
	if got := v.resourceSIDs(); len(got) != 0 {
		t.Errorf("SIDs: %v", got)
	}
	v.resources[0].agent = agentInstance
	if got := v.resourceSIDs(); !cmp.Equal(got, map[string]string{"r": "NWP"}) {
		t.Errorf("SIDs: %v", got)
	}
}
