package discovery

import (
	"cmp"
	"strconv"
	"strings"

	"trento/store/landscape"
)

// readClusterView is a cluster as one of its online nodes reports it. The
// configuration comes from the cluster information base (CIB), and the state of
// the running cluster from the cluster monitor (crm_mon).
type clusterView struct {
	provider, state string
	reportBytes     int // of the report, in bytes
	// isIncomplete is true if a value that may determine the type or the health
	// of the cluster could not be read.
	isIncomplete bool

	// The configuration.
	properties  []namedValue
	primitives  []primitive   // standalone primitives, then those of clones, of promotable clones and of groups
	clones      []resourceSet // promotable ones last
	groups      []resourceSet
	bans        map[nodeBan]bool
	maintenance *bool // of the whole cluster; nil: not reported

	// The state of the running cluster.
	hostsNumber, resourcesNumber *int
	nodes                        []node
	resources                    []resource // standalone resources, then those of clones, then those of groups
	runningGroups                [][]resource
	histories                    []failureHistory
	hasUnreadHistory             bool // at least one history could not be read

	sbdDevices []landscape.SBDDevice
	sbdConfig  *fields
}

type namedValue struct{ name, value string }

// primitive is a configured resource.
type primitive struct {
	id, kind   string
	attributes []namedValue
	fields     *fields
}

// attribute returns the first value of an attribute that is not empty; "" if
// there is none.
func (p primitive) attribute(name string) string {
	for _, a := range p.attributes {
		if a.name == name && a.value != "" {
			return a.value
		}
	}
	return ""
}

// resourceSet is a configured clone or group.
type resourceSet struct {
	id         string
	primitives []primitive
}

// nodeBan is a node on which a resource must not run.
type nodeBan struct {
	resource string
	node     nodeKey
}

// nodeKey is the name of a node in lower case: Pacemaker ignores letter case in
// names.
type nodeKey string

func keyOf(node string) nodeKey { return nodeKey(strings.ToLower(node)) }

// node is a member of the cluster. Flags that are nil were not reported.
type node struct {
	name       string
	attributes map[string]string

	online, unclean, standby, standbyOnFail, maintenance, pending, shutdown *bool
}

// The places in the configuration to which a running resource can belong.
const (
	containerNone = iota
	containerClone
	containerGroup
)

// resource is a running resource, or one copy of a cloned resource.
type resource struct {
	id, role, agent                                     string
	active, failed, blocked, orphaned, ignored, managed *bool
	nodesRunningOn                                      *int
	node                                                *string
	parent                                              *landscape.ResourceParent
	container                                           int
}

// hasAgent reports whether a resource agent runs the resource. Older versions of
// Pacemaker write ocf::suse:SAPHana, newer ones ocf:suse:SAPHana.
func (r resource) hasAgent(agent string) bool { return strings.Replace(r.agent, "::", ":", 1) == agent }

// failureHistory holds how often each resource has failed on a node.
type failureHistory struct {
	node     nodeKey
	failures map[string]int
}

// readClusterView reads the parts of a report about a cluster; nil if one of the
// main parts cannot be read.
func (f *fields) readClusterView(monitor, summary *fields, size int) *clusterView {
	v := &clusterView{
		provider: f.provider("Provider"), state: f.clusterState(), reportBytes: size, bans: make(map[nodeBan]bool),
		hostsNumber:     summary.nested("Nodes").expectedInteger("Number"),
		resourcesNumber: summary.nested("Resources").expectedInteger("Number"),
	}
	v.readSBD(f)
	before := f.omittedCount
	configuration := f.expectedObject("Cib").expectedObject("Configuration")
	v.readProperties(configuration.expectedObject("CrmConfig"))
	resources := configuration.expectedObject("Resources")
	f.noteEmpty("Crmmon")
	v.readNodes(monitor)
	if len(v.properties) == 0 || len(v.nodes) == 0 || !resources.isPresent() {
		return nil
	}
	v.readConfiguredResources(resources)
	v.readRunningResources(monitor)
	v.isIncomplete = f.omittedSince(before)
	for constraint := range configuration.nested("Constraints").objects("RscLocations") {
		if isMinusInfinity(constraint.text("Score")) {
			v.bans[nodeBan{constraint.text("Resource"), keyOf(constraint.text("Node"))}] = true
		}
	}
	v.readHistories(monitor)
	return v
}

// expectedObject does the same as nested, and notes an omission if the member
// is missing, because every agent sends it. If the parent is missing as well,
// it notes none.
func (f *fields) expectedObject(name string) *fields {
	if f.isPresent() {
		f.noteEmpty(name)
	}
	return f.nested(name)
}

// isMinusInfinity reports whether a score is minus infinity, which keeps a
// resource off a node.
func isMinusInfinity(score string) bool {
	const infinity = 1000000
	if strings.EqualFold(score, "-INFINITY") {
		return true
	}
	n, err := strconv.Atoi(score)
	return err == nil && n <= -infinity
}

// clusterState reads the state of the cluster software.
func (f *fields) clusterState() string {
	switch state := f.text("State"); state {
	case "S_IDLE", "S_ELECTION", "S_INTEGRATION", "S_FINALIZE_JOIN", "S_NOT_DC", "S_POLICY_ENGINE", "S_RECOVERY",
		"S_RELEASE_DC", "S_STARTING", "S_PENDING", "S_STOPPING", "S_TERMINATE", "S_TRANSITION_ENGINE", "S_MAX",
		landscape.ClusterStateStopped:
		return state
	case "", landscape.ClusterStateUnknown:
	default:
		f.leaveOut("State", reasonNotKnown)
	}
	return landscape.ClusterStateUnknown
}

func (v *clusterView) readProperties(options *fields) {
	if !options.isPresent() {
		return
	}
	options.noteEmpty("ClusterProperties")
	for property := range options.objects("ClusterProperties") {
		name := property.expectedText("Name")
		if name == "" {
			continue
		}
		if name == "maintenance-mode" && v.maintenance == nil {
			v.maintenance = property.boolean("Value")
		}
		v.properties = append(v.properties, namedValue{name, property.text("Value")})
	}
	if list := options.array("ClusterProperties"); !list.isAbsent() && options.lengthOf("ClusterProperties") == 0 {
		options.leaveOut("ClusterProperties", reasonIsEmpty)
	}
}

func (v *clusterView) readConfiguredResources(resources *fields) {
	for p := range resources.objects("Primitives") {
		v.primitives = append(v.primitives, p.primitive())
	}
	for _, name := range []string{"Clones", "Masters"} {
		for clone := range resources.objects(name) {
			// Agents report a clone of a group with an empty primitive.
			p := clone.nested("Primitive").primitive()
			v.clones = append(v.clones, resourceSet{clone.expectedText("Id"), []primitive{p}})
			v.primitives = append(v.primitives, p)
		}
	}
	for g := range resources.objects("Groups") {
		group := resourceSet{id: g.text("Id")}
		for p := range g.objects("Primitives") {
			group.primitives = append(group.primitives, p.primitive())
		}
		v.groups = append(v.groups, group)
		v.primitives = append(v.primitives, group.primitives...)
	}
}

func (f *fields) primitive() primitive {
	p := primitive{id: f.text("Id"), kind: f.text("Type"), fields: f}
	for a := range f.objects("InstanceAttributes") {
		if name := a.expectedText("Name"); name != "" {
			p.attributes = append(p.attributes, namedValue{name, a.text("Value")})
		}
	}
	return p
}

// readNodes reads the nodes with their attributes. It leaves out nodes without a
// name.
func (v *clusterView) readNodes(monitor *fields) {
	if !monitor.isPresent() {
		return
	}
	attributes := monitor.nodeAttributes()
	monitor.noteEmpty("Nodes")
	for n := range monitor.objects("Nodes") {
		name := n.expectedText("Name")
		if name == "" {
			continue
		}
		shown := node{
			name: name, attributes: attributes[keyOf(name)],
			online: n.boolean("Online"), unclean: n.boolean("Unclean"), standby: n.boolean("Standby"),
			standbyOnFail: n.boolean("StandbyOnFail"), maintenance: n.boolean("Maintenance"),
			pending: n.boolean("Pending"), shutdown: n.boolean("Shutdown"),
		}
		if shown.attributes == nil {
			shown.attributes = make(map[string]string)
		}
		v.nodes = append(v.nodes, shown)
	}
	if list := monitor.array("Nodes"); !list.isAbsent() && monitor.lengthOf("Nodes") == 0 {
		monitor.leaveOut("Nodes", reasonIsEmpty)
	}
}

// nodeAttributes reads the attributes of each node, without those that have no
// value.
func (f *fields) nodeAttributes() map[nodeKey]map[string]string {
	all := make(map[nodeKey]map[string]string)
	for n := range f.expectedObject("NodeAttributes").objects("Nodes") {
		key := keyOf(n.expectedText("Name"))
		attributes := make(map[string]string)
		for a := range n.objects("Attributes") {
			name, text := a.expectedText("Name"), a.text("Value")
			if name != "" && text != "" {
				attributes[name] = text
			}
		}
		if _, repeated := all[key]; !repeated {
			all[key] = attributes
		}
	}
	return all
}

func (v *clusterView) readRunningResources(monitor *fields) {
	v.resources = append(v.resources, monitor.runningResources(containerNone, nil)...)
	for clone := range monitor.objects("Clones") {
		parent := &landscape.ResourceParent{
			ID: clone.expectedText("Id"), Managed: clone.boolean("Managed"), MultiState: clone.boolean("MultiState"),
		}
		v.resources = append(v.resources, clone.runningResources(containerClone, parent)...)
	}
	for g := range monitor.objects("Groups") {
		parent := &landscape.ResourceParent{ID: g.expectedText("Id"), Managed: g.boolean("Managed")}
		if g.emptyReason("Managed") != "" { // older agents do not send it
			managed := true
			parent.Managed = &managed
		}
		group := g.runningResources(containerGroup, parent)
		v.runningGroups = append(v.runningGroups, group)
		v.resources = append(v.resources, group...)
	}
}

// runningResources reads a list of running resources. It leaves out resources without an
// id.
func (f *fields) runningResources(place int, parent *landscape.ResourceParent) []resource {
	var list []resource
	for r := range f.objects("Resources") {
		id := r.expectedText("Id")
		if id == "" {
			continue
		}
		shown := resource{
			id: id, role: r.expectedText("Role"), agent: r.expectedText("Agent"),
			active: r.boolean("Active"), failed: r.expectedBoolean("Failed"), blocked: r.boolean("Blocked"),
			orphaned: r.boolean("Orphaned"), ignored: r.boolean("FailureIgnored"), managed: r.boolean("Managed"),
			nodesRunningOn: r.integer("NodesRunningOn"),
			parent:         parent, container: place,
		}
		// Pacemaker 3 has renamed the flag "orphaned", and may stop sending the
		// former name.
		if removed := r.boolean("Removed"); removed != nil && !isTrue(shown.orphaned) {
			shown.orphaned = removed
		}
		if where := r.nested("Node"); where.isPresent() {
			shown.node = nilIfEmpty(where.expectedText("Name"))
		}
		list = append(list, shown)
	}
	return list
}

func (v *clusterView) readHistories(monitor *fields) {
	before := monitor.omittedCount
	for h := range monitor.expectedObject("NodeHistory").objects("Nodes") {
		entry := failureHistory{keyOf(h.expectedText("Name")), make(map[string]int)}
		for r := range h.objects("ResourceHistory") {
			name, failures := r.expectedText("Name"), r.expectedInteger("FailCount")
			if _, repeated := entry.failures[name]; !repeated && failures != nil {
				entry.failures[name] = *failures
			}
		}
		v.histories = append(v.histories, entry)
	}
	v.hasUnreadHistory = monitor.omittedSince(before)
}

// readSBD reads the SBD devices. The health of a device that cannot be read is
// unknown.
func (v *clusterView) readSBD(f *fields) {
	v.sbdDevices = []landscape.SBDDevice{}
	before := f.omittedCount
	sbd := f.nested("SBD")
	listed := 0
	for d := range sbd.objects("Devices") {
		listed++
		if d.emptyReason("Device") == reasonIsEmpty { // an empty list of devices, or a superfluous separator
			continue
		}
		device := landscape.SBDDevice{Device: cmp.Or(d.expectedText("Device"), unknownValue)}
		d.noteEmpty("Status")
		device.Status = d.listedText("Status", landscape.SBDHealthy, landscape.SBDUnhealthy)
		v.sbdDevices = append(v.sbdDevices, device)
	}
	if listed == 0 && f.omittedSince(before) || sbd.members[sbd.memberKey("Devices")].isArray() && listed < sbd.lengthOf("Devices") {
		v.sbdDevices = append(v.sbdDevices, landscape.SBDDevice{Device: unknownValue, Status: landscape.SBDUnknown})
	}
	v.sbdConfig = sbd.nested("Config")
}

// primitive returns the first configured resource with an id; an empty one if
// there is none.
func (v *clusterView) primitive(id string) primitive {
	for _, p := range v.primitives {
		if p.id == id {
			return p
		}
	}
	return primitive{}
}

// property returns the value of a property of the cluster; "" if there is none.
func (v *clusterView) property(name string) string {
	for _, p := range v.properties {
		if p.name == name && p.value != "" {
			return p.value
		}
	}
	return ""
}

// firstProperty returns the value of the first property with a matching name.
func (v *clusterView) firstProperty(fits func(name string) bool) (value string, found bool) {
	for _, p := range v.properties {
		if fits(p.name) {
			return p.value, true
		}
	}
	return "", false
}

// fencingType returns the type of fencing; nil if the cluster has none. It reads
// only standalone resources.
func (v *clusterView) fencingType() *string {
	for _, r := range v.resources {
		if kind, ok := strings.CutPrefix(r.agent, "stonith:"); ok && r.container == containerNone {
			return &kind
		}
	}
	has := func(name string) bool { return v.sbdConfig.emptyReason(name) != reasonIsMissing }
	kind := ""
	switch {
	case has("SBD_DEVICE"):
		kind = undeterminedValue
	case has("SBD_WATCHDOG_DEV") && len(v.sbdDevices) == 0:
		kind = "Diskless SBD"
	default:
		return nil
	}
	return &kind
}
