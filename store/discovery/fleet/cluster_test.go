package fleet

import (
	"slices"
	"strings"
	"testing"
	"time"

	"trento/store/landscape"
)

// clusterReport returns the decoded cluster report of a host.
func clusterReport(t *testing.T, h *Host) *landscape.ClusterReport {
	t.Helper()
	r, _ := h.report(landscape.ClusterDiscovery)
	return decodeReport(t, r).Cluster
}

// landscapesAtStartAndLater returns a landscape as New made it, and the same
// landscape after some steps.
func landscapesAtStartAndLater(t *testing.T, seed uint64, hosts int) []*Fleet {
	t.Helper()
	f := New(seed, hosts)
	for step := range 200 {
		f.Step(testTime.Add(time.Duration(step) * 10 * time.Second))
	}
	return []*Fleet{New(seed, hosts), f}
}

// TestClusterReportsMatchClusters checks that the decoded cluster reports have
// the values of the clusters that they were generated from.
func TestClusterReportsMatchClusters(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		for _, f := range landscapesAtStartAndLater(t, seed, 100) {
			for _, c := range f.clusters {
				kind, health := c.expected()
				controllers := 0
				for _, node := range c.nodes {
					r := clusterReport(t, node)
					if string(r.ID) != derivedID(agentNamespace, c.key).String() || (r.Name == nil) != (c.name == "") || r.Online == node.offline {
						t.Errorf("%s of %s: %+v", node.Name, c.name, r)
					}
					if r.Facts == nil {
						continue
					}
					controllers++
					if string(r.Facts.Type) != kind || *r.Facts.HostsNumber != len(c.nodes) || *r.Facts.ResourcesNumber == 0 || r.Facts.State != c.state() {
						t.Errorf("%s: %+v, want a %s", c.name, r.Facts, kind)
					}
					if got := expectedHealth(r.Facts); got != health {
						t.Errorf("%s: %s, want %s", c.name, got, health)
					}
					c.check(t, r.Facts)
				}
				if controllers != 1 {
					t.Errorf("%s: %d designated controllers", c.name, controllers)
				}
			}
			for _, h := range f.Hosts() {
				if r := clusterReport(t, h); h.cluster == nil && r.ID != "" {
					t.Errorf("%s is in a cluster: %+v", h.Name, r)
				}
			}
		}
	}
}

// expectedHealth returns the health of a cluster. It applies the rules a second
// time, independently of package landscape.
func expectedHealth(facts *landscape.ClusterFacts) landscape.Health {
	var disks []landscape.SBDDevice
	good := true
	switch {
	case facts.HANA != nil:
		disks = facts.HANA.SBDDevices
		good = facts.HANA.SRHealthState == "4" && facts.HANA.SecondarySyncState == "SOK"
	case facts.ASCSERS != nil:
		disks = facts.ASCSERS.SBDDevices
		for _, s := range facts.ASCSERS.SAPSystems {
			good = good && s.Distributed
		}
	default:
		return landscape.HealthUnknown
	}
	for _, d := range disks {
		good = good && d.Status == landscape.SBDHealthy
	}
	if !good {
		return landscape.HealthCritical
	}
	return landscape.HealthPassing
}

// check compares decoded facts with the cluster that they were generated from.
func (c *cluster) check(t *testing.T, facts *landscape.ClusterFacts) {
	t.Helper()
	for _, s := range c.systems {
		for _, i := range []*instance{s.ascs, s.ers} {
			n := slices.IndexFunc(facts.SAPInstances, func(x landscape.ClusteredInstance) bool { return x.SID == s.SID && x.Number == i.number })
			if n < 0 || !*facts.SAPInstances[n].Mounted || *facts.SAPInstances[n].Hostname != i.hostname || facts.SAPInstances[n].Name != i.name() {
				t.Errorf("%s: %s%s is not among %+v", c.name, s.SID, i.number, facts.SAPInstances)
			}
		}
	}
	if a := facts.ASCSERS; a != nil {
		c.checkFencing(t, a.FencingType, a.SBDDevices)
		if a.MaintenanceMode != c.maintenance {
			t.Errorf("%s: maintenance %v", c.name, a.MaintenanceMode)
		}
		if len(a.SAPSystems) != len(c.systems) {
			t.Fatalf("%s: %d systems, want %d", c.name, len(a.SAPSystems), len(c.systems))
		}
		for n, s := range c.systems {
			c.checkCentral(t, s, a.SAPSystems[n])
		}
	}
	if h := facts.HANA; h != nil {
		c.checkFencing(t, h.FencingType, h.SBDDevices)
		c.checkHANA(t, facts)
	}
}

func (c *cluster) checkFencing(t *testing.T, got *string, disks []landscape.SBDDevice) {
	t.Helper()
	want := map[fencing]string{oneDisk: "external/sbd", threeDisks: "external/sbd", watchdog: "Diskless SBD", byProvider: fencingAgents[c.location.provider]}[c.fencing]
	if got == nil || *got != want || want == "" || len(disks) != map[fencing]int{oneDisk: 1, threeDisks: 3}[c.fencing] {
		t.Errorf("%s is fenced by %v through %+v, want %s", c.name, got, disks, want)
	}
}

func (c *cluster) checkCentral(t *testing.T, s *System, got landscape.ClusterSAPSystem) {
	t.Helper()
	if got.SID != s.SID || got.FilesystemResourceBased != (s.mount == clusterMounts) || got.Distributed != s.isReplicaSeparate() {
		t.Errorf("%s: %+v", c.name, got)
	}
	for _, node := range got.Nodes {
		var want, addresses []string
		for _, i := range []*instance{s.ascs, s.ers} {
			if i.host.Name == node.Name {
				want, addresses = append(want, toLower(i.software.prefix)), append(addresses, i.address.String())
			}
		}
		var seen []string
		for _, a := range node.VirtualIPs {
			seen = append(seen, *a)
		}
		if !slices.Equal(node.Roles, want) || !slices.Equal(seen, addresses) {
			t.Errorf("%s: %s runs %v at %v, want %v at %v", c.name, node.Name, node.Roles, seen, want, addresses)
		}
	}
}

func (c *cluster) checkHANA(t *testing.T, facts *landscape.ClusterFacts) {
	t.Helper()
	db, h := c.database, facts.HANA
	architecture, scenario := landscape.ClassicArchitecture, landscape.PerformanceOptimized
	if c.isAngi() {
		architecture = landscape.AngiArchitecture
	}
	if c.secondDatabase != nil {
		scenario = landscape.CostOptimized
	}
	if facts.SID() != db.sid || h.Architecture != architecture || h.Scenario != scenario || h.MaintenanceMode != c.maintenance {
		t.Errorf("%s: %+v", c.name, h)
	}
	if h.OperationMode != "logreplay" || h.ReplicationMode != "sync" {
		t.Errorf("%s replicates by %s, %s", c.name, h.ReplicationMode, h.OperationMode)
	}
	for _, got := range h.Sites {
		n := slices.IndexFunc(db.sites, func(s *site) bool { return s.name == got.Name })
		if n < 0 || n > 1 || got.SRHealthState != map[bool]string{true: "4", false: "1"}[db.sites[n].isUp()] {
			t.Errorf("%s: %+v", c.name, got)
		}
		want := "Failed"
		switch {
		case n == 0:
			want = "Primary"
		case db.isInSync():
			want = "Secondary"
		}
		if got.State != want {
			t.Errorf("%s: site %s is %s, want %s", c.name, got.Name, got.State, want)
		}
	}
	for n, node := range h.Nodes {
		host := c.nodes[n]
		i := c.instance(host)
		if node.Name != host.Name || node.MajorityMaker != (host.Role == Tiebreaker) || (node.Site == nil) != (i == nil || host.offline) {
			t.Errorf("%s: %+v", c.name, node)
		}
		address := db.primary().instances[0].host == host
		if (node.VirtualIP != nil) != address || address && *node.VirtualIP != db.address.String() {
			t.Errorf("%s: %s has the address %v", c.name, node.Name, node.VirtualIP)
		}
		if address && (node.HANAStatus != "Primary" || *node.NameserverRole != "master" || *node.IndexserverRole != "master") {
			t.Errorf("%s: %+v", c.name, node)
		}
		if host.offline != (node.Status == "Offline") {
			t.Errorf("%s: %s is %s", c.name, node.Name, node.Status)
		}
	}
}

// TestClusterKinds checks that a landscape made by New contains clusters of all
// kinds, with all faults that a cluster can have.
func TestClusterKinds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		f := New(seed, 50)
		found := make(map[string]int)
		for _, c := range f.clusters {
			kind, _ := c.expected()
			for what, is := range map[string]bool{
				kind: true, "classic": c.database != nil && !c.isAngi(), "angi": c.isAngi(), "cost optimized": c.secondDatabase != nil, "two systems": len(c.systems) == 2,
				"ensa1": len(c.systems) > 0 && c.systems[0].ensa == 1, "ensa2": len(c.systems) > 0 && c.systems[0].ensa == 2,
				"simple mount": len(c.systems) > 0 && c.systems[0].mount == simpleMount, "diskless": c.fencing == watchdog,
				"fenced by " + c.location.provider: c.fencing == byProvider, "one disk": c.fencing == oneDisk, "three disks": c.fencing == threeDisks,
				"unnamed": c.name == "", "maintenance": c.maintenance, "failed": c.addressFailed, "out of sync": c.database != nil && c.database.outOfSync,
				"broken disk":       len(c.disks) > 0 && c.disks[0].broken,
				"an offline node":   slices.ContainsFunc(c.nodes, func(h *Host) bool { return h.offline }),
				"a majority maker":  slices.ContainsFunc(c.nodes, func(h *Host) bool { return h.Role == Tiebreaker }),
				"another lead node": c.controller() != c.nodes[0],
			} {
				if is {
					found[what]++
				}
			}
		}
		for _, what := range strings.Split("hana_scale_up,hana_scale_out,ascs_ers,hana_ascs_ers,unknown,classic,angi,cost optimized,two systems,ensa1,ensa2,"+
			"simple mount,diskless,fenced by azure,fenced by aws,fenced by gcp,fenced by vmware,one disk,three disks,unnamed,maintenance,failed,"+
			"out of sync,broken disk,an offline node,a majority maker,another lead node", ",") {
			if found[what] == 0 {
				t.Errorf("seed %d: no cluster is %q", seed, what)
			}
		}
	}
}
