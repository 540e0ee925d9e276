package discovery

import (
	"maps"

	"trento/store/landscape"
)

// allResources returns the resources that run or should run. Each copy of a
// clone is a resource of its own.
func (v *clusterView) allResources() []landscape.ClusterResource {
	list := []landscape.ClusterResource{}
	for _, r := range v.resources {
		list = append(list, v.clusterResource(r))
	}
	return list
}

func (v *clusterView) clusterResource(r resource) landscape.ClusterResource {
	return landscape.ClusterResource{
		ID: r.id, Type: r.agent, Role: r.role, Status: r.resourceStatus(), FailCount: v.failCount(r),
		Managed: r.managed, Node: r.node, Parent: r.parent,
	}
}

// resourcesByNode returns the running resources by the node on which they run.
func (v *clusterView) resourcesByNode() map[nodeKey][]resource {
	nodes := make(map[nodeKey][]resource)
	for _, r := range v.resources {
		if r.node != nil {
			key := keyOf(*r.node)
			nodes[key] = append(nodes[key], r)
		}
	}
	return nodes
}

// resourcesOnNode returns resources of one node, without the name of the node.
func (v *clusterView) resourcesOnNode(resources []resource) []landscape.ClusterResource {
	list := []landscape.ClusterResource{}
	for _, r := range resources {
		shown := v.clusterResource(r)
		shown.Node = nil
		list = append(list, shown)
	}
	return list
}

// stoppedResources returns the resources that do not run. Only their ID, Type
// and Role are set.
func (v *clusterView) stoppedResources() []landscape.ClusterResource {
	list := []landscape.ClusterResource{}
	for _, r := range v.resources {
		if r.nodesRunningOn != nil && *r.nodesRunningOn == 0 && !isTrue(r.active) {
			list = append(list, landscape.ClusterResource{ID: r.id, Type: r.agent, Role: r.role})
		}
	}
	return list
}

func (r resource) runsOn(node nodeKey) bool { return r.node != nil && keyOf(*r.node) == node }

// resourceStatus returns the first flag that is set; nil if none is.
func (r resource) resourceStatus() *string {
	for _, flag := range []struct {
		set  *bool
		name string
	}{
		{r.active, "Active"}, {r.blocked, "Blocked"}, {r.failed, "Failed"},
		{r.ignored, "FailureIgnored"}, {r.orphaned, "Orphaned"},
	} {
		if isTrue(flag.set) {
			return &flag.name
		}
	}
	return nil
}

// failCount returns how often a resource has failed on its node; nil if the
// history of that node is missing. In a cluster without any history there were
// no failures.
func (v *clusterView) failCount(r resource) *int {
	failures := 0
	if len(v.histories) == 0 && !v.hasUnreadHistory {
		return &failures
	}
	for _, h := range v.histories {
		if !r.runsOn(h.node) {
			continue
		}
		if failures, known := h.failures[r.id]; known {
			return &failures
		}
	}
	return nil
}

// nodeStatus returns the most important flag that is set.
func (n node) nodeStatus() string {
	switch {
	case n.online != nil && !*n.online:
		return "Offline"
	case isTrue(n.unclean):
		return "Unclean"
	case isTrue(n.standby):
		return "Standby"
	case isTrue(n.maintenance):
		return "Maintenance"
	case isTrue(n.shutdown):
		return "Shutdown"
	case isTrue(n.pending):
		return "Pending"
	case isTrue(n.standbyOnFail):
		return "Standby on fail"
	case isTrue(n.online):
		return "Online"
	}
	return undeterminedValue
}

// attributesWithout returns the attributes of the node without one of them.
func (n node) attributesWithout(name string) map[string]string {
	attributes := maps.Clone(n.attributes)
	delete(attributes, name)
	return attributes
}
