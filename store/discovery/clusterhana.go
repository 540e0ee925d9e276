package discovery

import (
	"slices"
	"strings"

	"trento/store/landscape"
)

// undetermined is what the details of a cluster say where the report says
// nothing, or nothing known.
const undetermined = "Unknown"

// States of the system replication, of a node or of a site.
const (
	primaryState   = "Primary"
	secondaryState = "Secondary"
	failedState    = "Failed"
)

// hanaView looks at the attributes and properties in which the resource
// agents for HANA leave what they know. They differ between the generations
// of the agents, and the older ones between scale-up and scale-out.
type hanaView struct {
	*clusterView
	sid             string // in lower case: part of all names
	angi, scaleUp   bool
	primary, second string // sites
}

func (v *clusterView) hanaDetails(facts *landscape.ClusterFacts, architecture string) *landscape.HANADetails {
	h := &hanaView{
		clusterView: v, sid: strings.ToLower(facts.SID()),
		angi: architecture == landscape.AngiArchitecture, scaleUp: facts.Type == landscape.HANAScaleUp,
	}
	h.primary = h.global("glob_prim", undetermined)
	h.second = h.secondSite()
	details := &landscape.HANADetails{
		Architecture: architecture, Scenario: landscape.PerformanceOptimized,
		FencingType: v.fencing(), MaintenanceMode: isTrue(v.maintenance), SBDDevices: v.sbdDevices,
		Sites: []landscape.HANASite{}, StoppedResources: v.stopped(), Resources: v.allResources(),
		Nodes: []landscape.HANANode{},
	}
	if len(facts.AdditionalSIDs()) > 0 {
		details.Scenario = landscape.CostOptimized
	}
	running := v.byNode()
	for _, n := range v.nodes {
		details.Nodes = append(details.Nodes, h.node(n, running[keyOf(n.name)]))
	}
	if h.classicUp() {
		h.replicationByNode(details)
	} else {
		h.replicationBySite(details)
	}
	return details
}

// classicUp reports whether the replication is described by the attributes of
// the nodes, and not by properties that name the sites.
func (h *hanaView) classicUp() bool { return h.scaleUp && !h.angi }

// name is the full name of an attribute or property.
func (h *hanaView) name(short string) string { return "hana_" + h.sid + "_" + short }

// attribute of a node; empty where there is none.
func (h *hanaView) attribute(n node, short string) string { return n.attributes[h.name(short)] }

// global is a property of the cluster, or what to assume where there is none.
func (h *hanaView) global(short, otherwise string) string {
	if text := h.property(h.name(short)); text != "" {
		return text
	}
	return otherwise
}

// secondSite is the first site besides the primary one.
func (h *hanaView) secondSite() string {
	for _, p := range h.properties {
		if site, ok := strings.CutPrefix(p.name, h.name("site_lss_")); ok && site != h.primary {
			return site
		}
	}
	return undetermined
}

func (h *hanaView) replicationByNode(details *landscape.HANADetails) {
	details.ReplicationMode, details.OperationMode = undetermined, undetermined
	if i := slices.IndexFunc(h.nodes, func(n node) bool { return len(n.attributes) > 0 }); i >= 0 {
		details.ReplicationMode = orUndetermined(h.attribute(h.nodes[i], "srmode"))
		details.OperationMode = orUndetermined(h.attribute(h.nodes[i], "op_mode"))
	}
	details.SecondarySyncState, details.SRHealthState = undetermined, undetermined
	isSecondary := func(n landscape.HANANode) bool { return n.HANAStatus == secondaryState || n.HANAStatus == failedState }
	if i := slices.IndexFunc(details.Nodes, isSecondary); i >= 0 {
		details.SecondarySyncState = orUndetermined(h.attribute(h.nodes[i], "sync_state"))
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

func (h *hanaView) replicationBySite(details *landscape.HANADetails) {
	if h.angi {
		details.ReplicationMode = h.global("site_srMode_"+h.primary, "sync")
		details.OperationMode = h.global("site_opMode_"+h.primary, "logreplay")
		details.SecondarySyncState = h.global("site_srPoll_"+h.second, undetermined)
	} else {
		details.ReplicationMode = h.global("glob_srmode", "sync")
		details.OperationMode = h.global("glob_op_mode", "logreplay")
		details.SecondarySyncState = h.global("glob_sync_state", undetermined)
	}
	// After a failover the name of the secondary site may be a dash.
	details.SRHealthState = h.global("site_lss_"+h.global("glob_sec", h.second), undetermined)
	for _, site := range []string{h.primary, h.second} {
		details.Sites = append(details.Sites, landscape.HANASite{
			Name: site, State: h.siteState(site), SRHealthState: h.global("site_lss_"+site, undetermined),
		})
	}
}

func (h *hanaView) node(n node, running []resource) landscape.HANANode {
	shown := landscape.HANANode{
		Name: n.name, Status: n.status(), HANAStatus: h.nodeState(n),
		VirtualIP: h.virtualIP(running), MajorityMaker: h.majorityMaker(n.name),
		Attributes: n.attributes, Resources: h.onNode(running),
	}
	if h.scaleUp {
		// It changes with every look at it.
		shown.Attributes = n.attributesBut("lpa_" + h.sid + "_lpt")
	}
	if site := h.attribute(n, "site"); site != "" {
		shown.Site = &site
	}
	shown.NameserverRole, shown.IndexserverRole = h.roles(n)
	return shown
}

// roles are the roles of the name server and the index server now; nil where
// they are not told.
func (h *hanaView) roles(n node) (nameserver, indexserver *string) {
	parts := strings.Split(h.attribute(n, "roles"), ":")
	role := func(i int) *string {
		if parts[i] == "" {
			return nil
		}
		return &parts[i]
	}
	switch {
	case len(parts) == 6 && h.classicUp():
		return role(3), role(5)
	case len(parts) == 4:
		return role(1), role(3)
	}
	return nil, nil
}

// landscapeState is how well the database on a node is, from 1 to 4.
func (h *hanaView) landscapeState(n node) string {
	state, _, _ := strings.Cut(h.attribute(n, "roles"), ":")
	return orUndetermined(state)
}

func (h *hanaView) nodeState(n node) string {
	if h.classicUp() {
		_, rest, _ := strings.Cut(h.attribute(n, "roles"), ":")
		status, _, _ := strings.Cut(rest, ":")
		return replicationState(status, h.attribute(n, "sync_state"))
	}
	site := h.attribute(n, "site")
	if site == "" {
		return undetermined
	}
	return h.siteState(site)
}

func (h *hanaView) siteState(site string) string {
	sync := h.global("site_srPoll_"+site, "")
	if !h.angi {
		sync = h.global("site_srHook_"+site, "")
		switch {
		case sync != "":
		case site == h.second:
			sync = h.global("glob_sync_state", "")
		default:
			sync = "PRIM" // the hook of the primary site does not always tell
		}
	}
	return replicationState(h.global("site_srr_"+site, ""), sync)
}

// replicationState judges a part in the replication by its role and by how
// far it is in step.
func replicationState(role, sync string) string {
	switch {
	case sync == "" || sync == undetermined:
		return undetermined
	case role == "P" && sync == "PRIM":
		return primaryState
	case role == "S" && sync == "SOK":
		return secondaryState
	case role == "P" || role == "S":
		return failedState
	}
	return undetermined
}

// virtualIP is the address that the cluster has moved to a node, by what runs
// there.
func (v *clusterView) virtualIP(running []resource) *string {
	for _, r := range running {
		moves := func(kind string) bool { return v.movesAddress(kind) && strings.HasSuffix(r.agent, kind) }
		if moves(typeAddress) || moves(typeAWSAddress) {
			return orNil(v.primitive(r.id).attribute("ip"))
		}
	}
	return nil
}

// movesAddress reports whether resources of a type move an address. On AWS that
// is another type than anywhere else.
func (v *clusterView) movesAddress(kind string) bool {
	switch kind {
	case typeAddress:
		return v.provider != "aws"
	case typeAWSAddress:
		return v.provider == "aws" || v.provider == unknown
	}
	return false
}

// majorityMaker reports whether the database must not run on a node: it only
// helps to decide which site is the larger one.
func (v *clusterView) majorityMaker(node string) bool {
	hana := 0
	for _, clone := range v.clones {
		if kind := clone.primitives[0].kind; kind != typeHANA && kind != typeTopology && kind != typeController {
			continue
		}
		hana++
		if !v.bans[location{clone.id, keyOf(node)}] {
			return false
		}
	}
	return hana > 0
}

func orUndetermined(text string) string {
	if text == "" {
		return undetermined
	}
	return text
}
