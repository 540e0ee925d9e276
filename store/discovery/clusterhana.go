package discovery

import (
	"slices"
	"strings"

	"trento/store/landscape"
)

// undeterminedValue stands for a missing or unknown value in the details of a
// cluster.
const undeterminedValue = "Unknown"

// States of a node or of a site in the system replication.
const (
	statePrimary   = "Primary"
	stateSecondary = "Secondary"
	stateFailed    = "Failed"
)

// hanaView reads the attributes and properties that the resource agents for
// HANA write. Their names differ between the generations of the agents, and for
// the classic agents between scale-up and scale-out.
type hanaView struct {
	*clusterView
	sid                string // in lower case: part of all attribute names
	isAngi, isScaleUp  bool
	primary, secondary string // names of the sites
}

func (v *clusterView) hanaDetails(facts *landscape.ClusterFacts, architecture string) *landscape.HANADetails {
	h := &hanaView{
		clusterView: v, sid: strings.ToLower(facts.SID()),
		isAngi: architecture == landscape.AngiArchitecture, isScaleUp: facts.Type == landscape.HANAScaleUp,
	}
	h.primary = h.clusterProperty("glob_prim", undeterminedValue)
	h.secondary = h.secondarySite()
	details := &landscape.HANADetails{
		Architecture: architecture, Scenario: landscape.PerformanceOptimized,
		FencingType: v.fencingType(), MaintenanceMode: isTrue(v.maintenance), SBDDevices: v.sbdDevices,
		Sites: []landscape.HANASite{}, StoppedResources: v.stoppedResources(), Resources: v.allResources(),
		Nodes: []landscape.HANANode{},
	}
	if len(facts.AdditionalSIDs()) > 0 {
		details.Scenario = landscape.CostOptimized
	}
	running := v.resourcesByNode()
	for _, n := range v.nodes {
		details.Nodes = append(details.Nodes, h.hanaNode(n, running[keyOf(n.name)]))
	}
	if h.isDescribedByNodes() {
		h.readReplicationByNode(details)
	} else {
		h.readReplicationBySite(details)
	}
	return details
}

// isDescribedByNodes reports whether attributes of nodes describe the
// replication. Otherwise properties of the cluster describe it, whose names
// contain the site.
func (h *hanaView) isDescribedByNodes() bool { return h.isScaleUp && !h.isAngi }

// attributeName returns the full name of an attribute or property.
func (h *hanaView) attributeName(short string) string { return "hana_" + h.sid + "_" + short }

// attribute returns an attribute of a node; empty if it has none.
func (h *hanaView) attribute(n node, short string) string {
	return n.attributes[h.attributeName(short)]
}

// clusterProperty returns a property of the cluster; otherwise, if the property
// has no value.
func (h *hanaView) clusterProperty(short, otherwise string) string {
	if text := h.property(h.attributeName(short)); text != "" {
		return text
	}
	return otherwise
}

// secondarySite returns the first site that is not the primary site.
func (h *hanaView) secondarySite() string {
	for _, p := range h.properties {
		if site, ok := strings.CutPrefix(p.name, h.attributeName("site_lss_")); ok && site != h.primary {
			return site
		}
	}
	return undeterminedValue
}

func (h *hanaView) readReplicationByNode(details *landscape.HANADetails) {
	details.ReplicationMode, details.OperationMode = undeterminedValue, undeterminedValue
	if i := slices.IndexFunc(h.nodes, func(n node) bool { return len(n.attributes) > 0 }); i >= 0 {
		details.ReplicationMode = undeterminedIfEmpty(h.attribute(h.nodes[i], "srmode"))
		details.OperationMode = undeterminedIfEmpty(h.attribute(h.nodes[i], "op_mode"))
	}
	details.SecondarySyncState, details.SRHealthState = undeterminedValue, undeterminedValue
	isSecondary := func(n landscape.HANANode) bool { return n.HANAStatus == stateSecondary || n.HANAStatus == stateFailed }
	if i := slices.IndexFunc(details.Nodes, isSecondary); i >= 0 {
		details.SecondarySyncState = undeterminedIfEmpty(h.attribute(h.nodes[i], "sync_state"))
		details.SRHealthState = h.landscapeState(h.nodes[i])
	}
	for i, n := range h.nodes {
		if site := h.attribute(n, "site"); site != "" {
			details.Sites = append(details.Sites, landscape.HANASite{
				Name: site, State: details.Nodes[i].HANAStatus, SRHealthState: h.landscapeState(n),
			})
		}
	}
}

func (h *hanaView) readReplicationBySite(details *landscape.HANADetails) {
	if h.isAngi {
		details.ReplicationMode = h.clusterProperty("site_srMode_"+h.primary, "sync")
		details.OperationMode = h.clusterProperty("site_opMode_"+h.primary, "logreplay")
		details.SecondarySyncState = h.clusterProperty("site_srPoll_"+h.secondary, undeterminedValue)
	} else {
		details.ReplicationMode = h.clusterProperty("glob_srmode", "sync")
		details.OperationMode = h.clusterProperty("glob_op_mode", "logreplay")
		details.SecondarySyncState = h.clusterProperty("glob_sync_state", undeterminedValue)
	}
	// After a failover, the property can name another secondary site, or be
	// "-".
	details.SRHealthState = h.clusterProperty("site_lss_"+h.clusterProperty("glob_sec", h.secondary), undeterminedValue)
	for _, site := range []string{h.primary, h.secondary} {
		details.Sites = append(details.Sites, landscape.HANASite{
			Name: site, State: h.siteState(site), SRHealthState: h.clusterProperty("site_lss_"+site, undeterminedValue),
		})
	}
}

func (h *hanaView) hanaNode(n node, running []resource) landscape.HANANode {
	shown := landscape.HANANode{
		Name: n.name, Status: n.nodeStatus(), HANAStatus: h.nodeState(n),
		VirtualIP: h.virtualIP(running), MajorityMaker: h.isMajorityMaker(n.name),
		Attributes: n.attributes, Resources: h.resourcesOnNode(running),
	}
	if h.isScaleUp {
		// The time of the last promotion is left out: it changes with every
		// report.
		shown.Attributes = n.attributesWithout("lpa_" + h.sid + "_lpt")
	}
	if site := h.attribute(n, "site"); site != "" {
		shown.Site = &site
	}
	shown.NameserverRole, shown.IndexserverRole = h.serverRoles(n)
	return shown
}

// serverRoles returns the current roles of the name server and the index server; nil
// if they are unknown.
func (h *hanaView) serverRoles(n node) (nameserver, indexserver *string) {
	parts := strings.Split(h.attribute(n, "roles"), ":")
	role := func(i int) *string {
		if parts[i] == "" {
			return nil
		}
		return &parts[i]
	}
	switch {
	case len(parts) == 6 && h.isDescribedByNodes():
		return role(3), role(5)
	case len(parts) == 4:
		return role(1), role(3)
	}
	return nil, nil
}

// landscapeState returns the landscape state of the database on a node, from 1
// (worst) to 4 (best).
func (h *hanaView) landscapeState(n node) string {
	state, _, _ := strings.Cut(h.attribute(n, "roles"), ":")
	return undeterminedIfEmpty(state)
}

func (h *hanaView) nodeState(n node) string {
	if h.isDescribedByNodes() {
		_, rest, _ := strings.Cut(h.attribute(n, "roles"), ":")
		status, _, _ := strings.Cut(rest, ":")
		return replicationState(status, h.attribute(n, "sync_state"))
	}
	site := h.attribute(n, "site")
	if site == "" {
		return undeterminedValue
	}
	return h.siteState(site)
}

func (h *hanaView) siteState(site string) string {
	sync := h.clusterProperty("site_srPoll_"+site, "")
	if !h.isAngi {
		sync = h.clusterProperty("site_srHook_"+site, "")
		switch {
		case sync != "":
		case site == h.secondary:
			sync = h.clusterProperty("glob_sync_state", "")
		default:
			sync = "PRIM" // the hook of the primary site does not always write this value
		}
	}
	return replicationState(h.clusterProperty("site_srr_"+site, ""), sync)
}

// replicationState returns the state of a node or site. It follows from its
// role in the replication and its sync state.
func replicationState(role, sync string) string {
	switch {
	case sync == "" || sync == undeterminedValue:
		return undeterminedValue
	case role == "P" && sync == "PRIM":
		return statePrimary
	case role == "S" && sync == "SOK":
		return stateSecondary
	case role == "P" || role == "S":
		return stateFailed
	}
	return undeterminedValue
}

// virtualIP returns the virtual address on a node, from the resources that run
// there.
func (v *clusterView) virtualIP(running []resource) *string {
	for _, r := range running {
		moves := func(kind string) bool { return v.movesAddress(kind) && strings.HasSuffix(r.agent, kind) }
		if moves(typeAddress) || moves(typeAWSAddress) {
			return nilIfEmpty(v.primitive(r.id).attribute("ip"))
		}
	}
	return nil
}

// movesAddress reports whether resources of a type move a virtual address.
// Clusters on AWS use their own resource type.
func (v *clusterView) movesAddress(kind string) bool {
	switch kind {
	case typeAddress:
		return v.provider != "aws"
	case typeAWSAddress:
		return v.provider == "aws" || v.provider == unknownValue
	}
	return false
}

// isMajorityMaker reports whether a constraint keeps the database off a node.
// Such a node only votes which site has the majority.
func (v *clusterView) isMajorityMaker(node string) bool {
	hana := 0
	for _, clone := range v.clones {
		if kind := clone.primitives[0].kind; kind != typeHANA && kind != typeTopology && kind != typeController {
			continue
		}
		hana++
		if !v.bans[nodeBan{clone.id, keyOf(node)}] {
			return false
		}
	}
	return hana > 0
}

func undeterminedIfEmpty(text string) string {
	if text == "" {
		return undeterminedValue
	}
	return text
}
