package discovery

import (
	"cmp"
	"strconv"
	"strings"

	"trento/store/landscape"
)

// clusterView is how a node that is online sees its cluster: what is
// configured, from the cluster information base, and what runs, from the
// monitor.
type clusterView struct {
	provider, state string
	size            int // of the report, in bytes
	// doubtful: something could not be read that the type or the health of the
	// cluster may hang on.
	doubtful bool

	// Configured.
	properties  []namedValue
	primitives  []primitive   // free ones, then those of clones, of promotable clones, of groups
	clones      []resourceSet // promotable ones behind the others
	groups      []resourceSet
	bans        map[location]bool
	maintenance *bool // of the whole cluster; nil: not told

	// Running.
	hostsNumber, resourcesNumber *int
	nodes                        []node
	resources                    []resource // free ones, then those of clones, then those of groups
	runningGroups                [][]resource
	histories                    []history
	historiesUnread              bool // some of them

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

// attribute is the first of a name that is not empty; empty where there is
// none.
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

// location bans a resource from a node.
type location struct {
	resource string
	node     nodeKey
}

// nodeKey is the name of a node as Pacemaker compares it: without the letter
// case.
type nodeKey string

func keyOf(node string) nodeKey { return nodeKey(strings.ToLower(node)) }

// node is a running member of the cluster, by name; its flags are nil where
// they were not reported.
type node struct {
	name       string
	attributes map[string]string

	online, unclean, standby, standbyOnFail, maintenance, pending, shutdown *bool
}

// Places of a running resource.
const (
	standsFree = iota
	inClone
	inGroup
)

// resource is a running resource, or one copy of it.
type resource struct {
	id, role, agent                                     string
	active, failed, blocked, orphaned, ignored, managed *bool
	nodesRunningOn                                      *int
	node                                                *string
	parent                                              *landscape.ResourceParent
	place                                               int
}

// runs reports whether an agent runs the resource. Older versions of Pacemaker
// write ocf::suse:SAPHana, newer ones ocf:suse:SAPHana.
func (r resource) runs(agent string) bool { return strings.Replace(r.agent, "::", ":", 1) == agent }

// history is how often resources have failed on a node.
type history struct {
	node     nodeKey
	failures map[string]int
}

// clusterView reads a view. It is nil where one of its large parts cannot be
// read.
func (f *fields) clusterView(monitor, summary *fields, size int) *clusterView {
	v := &clusterView{
		provider: f.provider("Provider"), state: f.clusterState(), size: size, bans: make(map[location]bool),
		hostsNumber:     summary.into("Nodes").expectedInteger("Number"),
		resourcesNumber: summary.into("Resources").expectedInteger("Number"),
	}
	v.readSBD(f)
	before := f.omitted
	configuration := f.part("Cib").part("Configuration")
	v.readProperties(configuration.part("CrmConfig"))
	resources := configuration.part("Resources")
	f.noteNothing("Crmmon")
	v.readNodes(monitor)
	if len(v.properties) == 0 || len(v.nodes) == 0 || !resources.present() {
		return nil
	}
	v.readConfigured(resources)
	v.readRunning(monitor)
	v.doubtful = f.since(before)
	for constraint := range configuration.into("Constraints").each("RscLocations") {
		if minusInfinity(constraint.text("Score")) {
			v.bans[location{constraint.text("Resource"), keyOf(constraint.text("Node"))}] = true
		}
	}
	v.readHistories(monitor)
	return v
}

// part reads the members of a member that must be there, of an object that is
// there.
func (f *fields) part(name string) *fields {
	if f.present() {
		f.noteNothing(name)
	}
	return f.into(name)
}

// minusInfinity reports whether a score bans a resource from a node.
func minusInfinity(score string) bool {
	const infinity = 1000000
	if strings.EqualFold(score, "-INFINITY") {
		return true
	}
	n, err := strconv.Atoi(score)
	return err == nil && n <= -infinity
}

// clusterState is a state of the cluster software that we know, or unknown.
func (f *fields) clusterState() string {
	switch state := f.text("State"); state {
	case "S_IDLE", "S_ELECTION", "S_INTEGRATION", "S_FINALIZE_JOIN", "S_NOT_DC", "S_POLICY_ENGINE", "S_RECOVERY",
		"S_RELEASE_DC", "S_STARTING", "S_PENDING", "S_STOPPING", "S_TERMINATE", "S_TRANSITION_ENGINE", "S_MAX",
		landscape.ClusterStateStopped:
		return state
	case "", landscape.ClusterStateUnknown:
	default:
		f.leaveOut("State", notKnown)
	}
	return landscape.ClusterStateUnknown
}

func (v *clusterView) readProperties(options *fields) {
	if !options.present() {
		return
	}
	options.noteNothing("ClusterProperties")
	for property := range options.each("ClusterProperties") {
		name := property.expected("Name")
		if name == "" {
			continue
		}
		if name == "maintenance-mode" && v.maintenance == nil {
			v.maintenance = property.boolean("Value")
		}
		v.properties = append(v.properties, namedValue{name, property.text("Value")})
	}
	if list := options.array("ClusterProperties"); !list.absent() && options.length("ClusterProperties") == 0 {
		options.leaveOut("ClusterProperties", isEmpty)
	}
}

func (v *clusterView) readConfigured(resources *fields) {
	for p := range resources.each("Primitives") {
		v.primitives = append(v.primitives, p.primitive())
	}
	for _, name := range []string{"Clones", "Masters"} {
		for clone := range resources.each(name) {
			// A clone of a group arrives with an empty primitive.
			p := clone.into("Primitive").primitive()
			v.clones = append(v.clones, resourceSet{clone.expected("Id"), []primitive{p}})
			v.primitives = append(v.primitives, p)
		}
	}
	for g := range resources.each("Groups") {
		group := resourceSet{id: g.text("Id")}
		for p := range g.each("Primitives") {
			group.primitives = append(group.primitives, p.primitive())
		}
		v.groups = append(v.groups, group)
		v.primitives = append(v.primitives, group.primitives...)
	}
}

func (f *fields) primitive() primitive {
	p := primitive{id: f.text("Id"), kind: f.text("Type"), fields: f}
	for a := range f.each("InstanceAttributes") {
		if name := a.expected("Name"); name != "" {
			p.attributes = append(p.attributes, namedValue{name, a.text("Value")})
		}
	}
	return p
}

// readNodes reads the nodes with their attributes. A node without a name is
// left out.
func (v *clusterView) readNodes(monitor *fields) {
	if !monitor.present() {
		return
	}
	attributes := monitor.nodeAttributes()
	monitor.noteNothing("Nodes")
	for n := range monitor.each("Nodes") {
		name := n.expected("Name")
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
	if list := monitor.array("Nodes"); !list.absent() && monitor.length("Nodes") == 0 {
		monitor.leaveOut("Nodes", isEmpty)
	}
}

// nodeAttributes are the attributes of each node. One without a value is as
// good as none.
func (f *fields) nodeAttributes() map[nodeKey]map[string]string {
	all := make(map[nodeKey]map[string]string)
	for n := range f.part("NodeAttributes").each("Nodes") {
		key := keyOf(n.expected("Name"))
		attributes := make(map[string]string)
		for a := range n.each("Attributes") {
			name, text := a.expected("Name"), a.text("Value")
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

func (v *clusterView) readRunning(monitor *fields) {
	v.resources = append(v.resources, monitor.running(standsFree, nil)...)
	for clone := range monitor.each("Clones") {
		parent := &landscape.ResourceParent{
			ID: clone.expected("Id"), Managed: clone.boolean("Managed"), MultiState: clone.boolean("MultiState"),
		}
		v.resources = append(v.resources, clone.running(inClone, parent)...)
	}
	for g := range monitor.each("Groups") {
		parent := &landscape.ResourceParent{ID: g.expected("Id"), Managed: g.boolean("Managed")}
		if g.nothing("Managed") != "" { // older agents do not tell
			managed := true
			parent.Managed = &managed
		}
		group := g.running(inGroup, parent)
		v.runningGroups = append(v.runningGroups, group)
		v.resources = append(v.resources, group...)
	}
}

// running are the resources of a list. One without a name is left out.
func (f *fields) running(place int, parent *landscape.ResourceParent) []resource {
	var list []resource
	for r := range f.each("Resources") {
		id := r.expected("Id")
		if id == "" {
			continue
		}
		shown := resource{
			id: id, role: r.expected("Role"), agent: r.expected("Agent"),
			active: r.boolean("Active"), failed: r.expectedBoolean("Failed"), blocked: r.boolean("Blocked"),
			orphaned: r.boolean("Orphaned"), ignored: r.boolean("FailureIgnored"), managed: r.boolean("Managed"),
			nodesRunningOn: r.integer("NodesRunningOn"),
			parent:         parent, place: place,
		}
		// Pacemaker 3 has given it another name, and may drop the former one.
		if removed := r.boolean("Removed"); removed != nil && !isTrue(shown.orphaned) {
			shown.orphaned = removed
		}
		if where := r.into("Node"); where.present() {
			shown.node = orNil(where.expected("Name"))
		}
		list = append(list, shown)
	}
	return list
}

func (v *clusterView) readHistories(monitor *fields) {
	before := monitor.omitted
	for h := range monitor.part("NodeHistory").each("Nodes") {
		entry := history{keyOf(h.expected("Name")), make(map[string]int)}
		for r := range h.each("ResourceHistory") {
			name, failures := r.expected("Name"), r.expectedInteger("FailCount")
			if _, repeated := entry.failures[name]; !repeated && failures != nil {
				entry.failures[name] = *failures
			}
		}
		v.histories = append(v.histories, entry)
	}
	v.historiesUnread = monitor.since(before)
}

// readSBD reads the devices that nodes are fenced through. One that cannot be
// read is there nevertheless, and not known to be healthy.
func (v *clusterView) readSBD(f *fields) {
	v.sbdDevices = []landscape.SBDDevice{}
	before := f.omitted
	sbd := f.into("SBD")
	listed := 0
	for d := range sbd.each("Devices") {
		listed++
		if d.nothing("Device") == isEmpty { // of an empty list of devices, or of a separator too many
			continue
		}
		device := landscape.SBDDevice{Device: cmp.Or(d.expected("Device"), unknown)}
		d.noteNothing("Status")
		device.Status = d.oneOf("Status", landscape.SBDHealthy, landscape.SBDUnhealthy)
		v.sbdDevices = append(v.sbdDevices, device)
	}
	if listed == 0 && f.since(before) || sbd.members[sbd.key("Devices")].array() && listed < sbd.length("Devices") {
		v.sbdDevices = append(v.sbdDevices, landscape.SBDDevice{Device: unknown, Status: landscape.SBDUnknown})
	}
	v.sbdConfig = sbd.into("Config")
}

// primitive is the first configured resource of an id; an empty one where
// there is none.
func (v *clusterView) primitive(id string) primitive {
	for _, p := range v.primitives {
		if p.id == id {
			return p
		}
	}
	return primitive{}
}

// property is the value of a property; empty where there is none.
func (v *clusterView) property(name string) string {
	for _, p := range v.properties {
		if p.name == name && p.value != "" {
			return p.value
		}
	}
	return ""
}

// firstProperty is the first property with a name that fits, whatever its
// value.
func (v *clusterView) firstProperty(fits func(name string) bool) (value string, found bool) {
	for _, p := range v.properties {
		if fits(p.name) {
			return p.value, true
		}
	}
	return "", false
}

// fencing is the kind of fencing, or nil where there is none: a cluster is
// allowed to have none, if not wise to. Only resources that stand free are
// looked at.
func (v *clusterView) fencing() *string {
	for _, r := range v.resources {
		if kind, ok := strings.CutPrefix(r.agent, "stonith:"); ok && r.place == standsFree {
			return &kind
		}
	}
	has := func(name string) bool { return v.sbdConfig.nothing(name) != isMissing }
	kind := ""
	switch {
	case has("SBD_DEVICE"):
		kind = undetermined
	case has("SBD_WATCHDOG_DEV") && len(v.sbdDevices) == 0:
		kind = "Diskless SBD"
	default:
		return nil
	}
	return &kind
}
