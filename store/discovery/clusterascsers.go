package discovery

import (
	"slices"
	"strings"

	"trento/store/landscape"
)

func (v *clusterView) ascsERSDetails(sids []string) *landscape.ASCSERSDetails {
	details := &landscape.ASCSERSDetails{
		FencingType: v.fencingType(), MaintenanceMode: isTrue(v.maintenance), SBDDevices: v.sbdDevices,
		StoppedResources: v.stoppedResources(), Resources: v.allResources(),
		SAPSystems: []landscape.ClusterSAPSystem{},
	}
	running := v.resourcesByNode()
	for _, sid := range sids {
		details.SAPSystems = append(details.SAPSystems, v.clusterSAPSystem(sid, running))
	}
	return details
}

func (v *clusterView) clusterSAPSystem(sid string, running map[nodeKey][]resource) landscape.ClusterSAPSystem {
	own := v.primitivesOf(sid)
	ids := make(map[string]bool)
	filesystems := 0
	for _, p := range own {
		ids[p.id] = true
		if p.kind == typeFilesystem {
			filesystems++
		}
	}
	system := landscape.ClusterSAPSystem{
		SID: sid, FilesystemResourceBased: filesystems == 2, Distributed: v.isDistributed(ids), Nodes: []landscape.ASCSERSNode{},
	}
	for _, n := range v.nodes {
		var here []resource
		for _, r := range running[keyOf(n.name)] {
			if ids[r.id] {
				here = append(here, r)
			}
		}
		system.Nodes = append(system.Nodes, v.ascsERSNode(n, own, here))
	}
	return system
}

// primitivesOf returns the resources of the groups that run instances of an SAP
// system.
func (v *clusterView) primitivesOf(sid string) []primitive {
	var own []primitive
	for _, group := range v.groups {
		i := slices.IndexFunc(group.primitives, func(p primitive) bool { return p.kind == typeInstance })
		if i < 0 {
			continue
		}
		if owner, _, _ := strings.Cut(group.primitives[i].attribute("InstanceName"), "_"); owner == sid {
			own = append(own, group.primitives...)
		}
	}
	return own
}

// isDistributed reports whether the instances of an SAP system run on two
// different, healthy nodes.
func (v *clusterView) isDistributed(own map[string]bool) bool {
	var nodes []nodeKey
	for _, r := range v.resources {
		if r.container == containerGroup && r.hasAgent(agentInstance) && r.role == "Started" && !isTrue(r.failed) && r.node != nil &&
			own[r.id] && !slices.Contains(nodes, keyOf(*r.node)) && v.isHealthy(keyOf(*r.node)) {
			nodes = append(nodes, keyOf(*r.node))
		}
	}
	return len(nodes) == 2
}

func (v *clusterView) isHealthy(key nodeKey) bool {
	return slices.ContainsFunc(v.nodes, func(n node) bool { return keyOf(n.name) == key && isTrue(n.online) && !isTrue(n.unclean) })
}

// ascsERSNode returns a node with those resources of an SAP system that run on
// it.
func (v *clusterView) ascsERSNode(n node, own []primitive, running []resource) landscape.ASCSERSNode {
	shown := landscape.ASCSERSNode{
		Name: n.name, Status: n.nodeStatus(), Attributes: n.attributes, Resources: v.resourcesOnNode(running),
		Roles: []string{}, VirtualIPs: []*string{}, Filesystems: []*string{},
	}
	runs := make(map[string]bool)
	for _, r := range running {
		runs[r.id] = true
	}
	for _, p := range own {
		ers, _ := pacemakerBoolean(p.attribute("IS_ERS"))
		switch {
		case !runs[p.id]:
		case p.kind == typeInstance && ers:
			shown.Roles = append(shown.Roles, landscape.ERSRole)
		case p.kind == typeInstance:
			shown.Roles = append(shown.Roles, landscape.ASCSRole)
		case v.movesAddress(p.kind):
			shown.VirtualIPs = append(shown.VirtualIPs, nilIfEmpty(p.attribute("ip")))
		case p.kind == typeFilesystem:
			shown.Filesystems = append(shown.Filesystems, nilIfEmpty(p.attribute("directory")))
		}
	}
	return shown
}
