package discovery

import (
	"iter"
	"strings"

	"trento/store/landscape"
)

// clusterView is how a node that is online sees its cluster: what is
// configured, from the cluster information base, and what runs, from the
// monitor.
type clusterView struct {
	provider, state string
	size            int // of the report, in bytes

	// Configured.
	properties []namedValue
	primitives []primitive   // free ones, then those of clones, of promotable clones, of groups
	clones     []resourceSet // promotable ones behind the others
	groups     []resourceSet
	locations  map[location]bool

	// Running.
	hostsNumber, resourcesNumber int
	lastWritten                  string
	nodes                        []node
	resources                    []resource // free ones, then those of clones, then those of groups
	runningGroups                [][]resource
	histories                    []history

	sbdDevices []landscape.SBDDevice
	sbdConfig  *fields
}

type namedValue struct{ name, value string }

// primitive is a configured resource.
type primitive struct {
	id, kind   string
	attributes []namedValue
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

// location ties a resource to a node, or bans it from there.
type location struct{ resource, node, score string }

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
	active, failed, blocked, orphaned, ignored, managed bool
	nodesRunningOn                                      int
	node                                                *string
	parent                                              *landscape.ResourceParent
	place                                               int
}

// history is how often resources have failed on a node.
type history struct {
	node     string
	failures map[string]int
}

// clusterView reads a view. It cannot be handled at all where one of its
// large parts is missing, or where a property has no name.
func (f *fields) clusterView(size int) (*clusterView, error) {
	v := &clusterView{provider: f.provider(), state: f.clusterState(), size: size, locations: make(map[location]bool)}
	cib, monitor := f.into("cib"), f.into("crmmon")
	configuration := cib.into("configuration")
	options := configuration.into("crm_config")
	for _, part := range []struct {
		owner *fields
		name  string
	}{{f, "cib"}, {f, "crmmon"}, {cib, "configuration"}, {configuration, "crm_config"}} {
		if _, ok := part.owner.get(part.name); part.owner.present() && !ok {
			return nil, unable()
		}
	}
	if options.present() {
		for property := range options.filled("cluster_properties") {
			name := property.optional("name")
			if name == "" {
				return nil, unable()
			}
			property.required("id")
			v.properties = append(v.properties, namedValue{name, property.optional("value")})
		}
	}
	if configuration.present() {
		configuration.inside("resources", v.readConfigured)
		for constraint := range configuration.into("constraints").each("rsc_locations") {
			v.locations[location{constraint.optional("resource"), constraint.optional("node"), constraint.optional("score")}] = true
		}
	}
	if monitor.present() {
		v.readMonitor(monitor)
	}
	v.readSBD(f.into("sbd"))
	return v, nil
}

// provider is where a machine runs; agents send "" where they recognise
// nothing.
func (f *fields) provider() string {
	provider := f.optional("provider")
	switch provider {
	case "azure", "aws", "gcp", "kvm", "nutanix", "vmware", unknown:
		return provider
	case "":
		return unknown
	}
	f.add("provider", detailInvalid)
	return ""
}

// clusterState is a state of the cluster software that we know, or unknown.
func (f *fields) clusterState() string {
	if v, ok := f.get("state"); ok && v.string() {
		switch state := v.text(); state {
		case "S_IDLE", "S_ELECTION", "S_INTEGRATION", "S_FINALIZE_JOIN", "S_NOT_DC", "S_POLICY_ENGINE", "S_RECOVERY",
			"S_RELEASE_DC", "S_STARTING", "S_PENDING", "S_STOPPING", "S_TERMINATE", "S_TRANSITION_ENGINE", "S_MAX",
			landscape.ClusterStateStopped:
			return state
		}
	}
	return landscape.ClusterStateUnknown
}

func (v *clusterView) readConfigured(resources *fields) {
	for p := range resources.each("primitives") {
		v.primitives = append(v.primitives, p.primitive())
	}
	for _, name := range []string{"clones", "masters"} {
		for clone := range resources.each(name) {
			// A clone of a group arrives with an empty primitive.
			p := clone.into("primitive").primitive()
			v.clones = append(v.clones, resourceSet{clone.required("id"), []primitive{p}})
			v.primitives = append(v.primitives, p)
		}
	}
	for g := range resources.each("groups") {
		group := resourceSet{id: g.required("id")}
		for p := range g.each("primitives") {
			group.primitives = append(group.primitives, p.primitive())
		}
		v.groups = append(v.groups, group)
		v.primitives = append(v.primitives, group.primitives...)
	}
}

func (f *fields) primitive() primitive {
	p := primitive{id: f.optional("id"), kind: f.optional("type")}
	for a := range f.each("instance_attributes") {
		a.required("id")
		p.attributes = append(p.attributes, namedValue{a.required("name"), a.optional("value")})
	}
	for operation := range f.each("operations") {
		operation.required("id")
		operation.required("name")
	}
	return p
}

func (v *clusterView) readMonitor(monitor *fields) {
	monitor.required("version")
	monitor.inside("summary", func(summary *fields) {
		summary.inside("nodes", func(nodes *fields) { v.hostsNumber = nodes.integer("number") })
		summary.inside("resources", func(resources *fields) { v.resourcesNumber = resources.integer("number") })
		summary.inside("last_change", func(change *fields) { v.lastWritten = change.required("time") })
	})
	attributes := monitor.nodeAttributes()
	for n := range monitor.filled("nodes") {
		v.nodes = append(v.nodes, n.node(attributes))
	}
	v.readRunning(monitor)
	monitor.inside("node_history", func(histories *fields) {
		for h := range histories.each("nodes") {
			entry := history{h.required("name"), make(map[string]int)}
			for r := range h.each("resource_history") {
				name, failures := r.required("name"), r.integer("fail_count")
				if _, repeated := entry.failures[name]; !repeated {
					entry.failures[name] = failures
				}
			}
			v.histories = append(v.histories, entry)
		}
	})
}

// nodeAttributes are the attributes of each node. One without a value is as
// good as none.
func (f *fields) nodeAttributes() map[string]map[string]string {
	all := make(map[string]map[string]string)
	f.inside("node_attributes", func(nodes *fields) {
		for n := range nodes.each("nodes") {
			name := n.required("name")
			attributes := make(map[string]string)
			for a := range n.each("attributes") {
				if key, text := a.required("name"), a.optional("value"); text != "" {
					attributes[key] = text
				}
			}
			if _, repeated := all[name]; !repeated {
				all[name] = attributes
			}
		}
	})
	return all
}

func (f *fields) node(attributes map[string]map[string]string) node {
	f.required("id")
	n := node{
		name:   f.required("name"),
		online: f.optionalBoolean("online"), unclean: f.optionalBoolean("unclean"), standby: f.optionalBoolean("standby"),
		standbyOnFail: f.optionalBoolean("standby_on_fail"), maintenance: f.optionalBoolean("maintenance"),
		pending: f.optionalBoolean("pending"), shutdown: f.optionalBoolean("shutdown"),
	}
	if n.attributes = attributes[n.name]; n.attributes == nil {
		n.attributes = make(map[string]string)
	}
	return n
}

func (v *clusterView) readRunning(monitor *fields) {
	for r := range monitor.each("resources") {
		v.resources = append(v.resources, r.resource(standsFree, nil))
	}
	for clone := range monitor.each("clones") {
		for _, flag := range []string{"failed", "unique", "failure_ignored"} {
			clone.boolean(flag)
		}
		parent := &landscape.ResourceParent{
			ID: clone.required("id"), Managed: clone.optionalBoolean("managed"), MultiState: clone.optionalBoolean("multi_state"),
		}
		for r := range clone.each("resources") {
			v.resources = append(v.resources, r.resource(inClone, parent))
		}
	}
	for g := range monitor.each("groups") {
		parent := &landscape.ResourceParent{ID: g.required("id"), Managed: g.optionalBoolean("managed")}
		if parent.Managed == nil { // older agents do not tell
			managed := true
			parent.Managed = &managed
		}
		var group []resource
		for r := range g.each("resources") {
			group = append(group, r.resource(inGroup, parent))
		}
		v.runningGroups = append(v.runningGroups, group)
		v.resources = append(v.resources, group...)
	}
}

func (f *fields) resource(place int, parent *landscape.ResourceParent) resource {
	r := resource{
		id: f.required("id"), role: f.required("role"), agent: f.required("agent"),
		active: f.boolean("active"), failed: f.boolean("failed"), blocked: f.boolean("blocked"),
		orphaned: f.boolean("orphaned"), ignored: f.boolean("failure_ignored"), managed: f.boolean("managed"),
		nodesRunningOn: f.integer("nodes_running_on"),
		parent:         parent, place: place,
	}
	if where := f.into("node"); where.present() {
		where.required("id")
		name := where.required("name")
		r.node = &name
	}
	return r
}

func (v *clusterView) readSBD(sbd *fields) {
	v.sbdDevices = []landscape.SBDDevice{}
	for d := range sbd.each("devices") {
		device := landscape.SBDDevice{Device: d.optional("device")}
		if device.Device == "" { // of an empty list of devices, or of a separator too many
			continue
		}
		device.Status = d.required("status")
		v.sbdDevices = append(v.sbdDevices, device)
	}
	v.sbdConfig = sbd.into("config")
}

// inside reads the members of a member that must be there.
func (f *fields) inside(name string, read func(*fields)) {
	if _, ok := f.get(name); !ok {
		f.add(name, detailBlank)
		return
	}
	if inner := f.into(name); inner.present() {
		read(inner)
	}
}

// each reads the elements of an array one by one. Agents write null where
// they have nothing to list.
func (f *fields) each(name string) iter.Seq[*fields] {
	return func(yield func(*fields) bool) {
		v := f.array(name)
		if v.absent() {
			return
		}
		for i, element := range v.elements() {
			if !element.object() {
				f.add(name, detailInvalid)
				return
			}
			if !yield(read(element, f.rename, indexed(f.pointer+"/"+name, i), f.wrong)) {
				return
			}
		}
	}
}

// filled reads the elements of an array that must not be empty.
func (f *fields) filled(name string) iter.Seq[*fields] {
	return func(yield func(*fields) bool) {
		before, empty := len(*f.wrong), true
		for element := range f.each(name) {
			empty = false
			if !yield(element) {
				return
			}
		}
		if empty && len(*f.wrong) == before {
			f.add(name, detailBlank)
		}
	}
}

// optionalBoolean is a truth value, or nil where there is none.
func (f *fields) optionalBoolean(name string) *bool {
	if v, ok := f.get(name); !ok || blank(v) {
		return nil
	}
	truth := f.boolean(name)
	return &truth
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
	has := func(name string) bool { return !v.sbdConfig.members[v.sbdConfig.key(name)].absent() }
	kind := ""
	switch {
	case has("sbd_device"):
		kind = undetermined
	case has("sbd_watchdog_dev") && len(v.sbdDevices) == 0:
		kind = "Diskless SBD"
	default:
		return nil
	}
	return &kind
}
