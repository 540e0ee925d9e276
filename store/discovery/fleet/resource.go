package fleet

import "slices"

// A cluster reports its resources twice: as configured and as running. Both
// reports are generated from the units here.

// resourceUnit is a single resource, or several resources in a group or clone.
type resourceUnit struct {
	id        string // "" for a primitive
	form      unitForm
	options   []nvpair
	resources []resource
}

// unitForm is the form of a unit.
type unitForm int

const (
	primitive  unitForm = iota // one resource
	group                      // its resources run on the same node, started one after the other
	clone                      // a copy on every node
	groupClone                 // a clone of a group; agents do not report its resources
	promotable                 // a clone with one promoted copy
	master                     // a promotable clone in the form of older configurations
)

// resource is a cluster resource.
type resource struct {
	id string
	agent
	attributes []nvpair
	options    []nvpair
	operations []operation
	copies     []resourceCopy
}

// agent is the resource agent that runs a resource.
type agent struct{ class, provider, kind string }

func (a agent) String() string {
	if a.provider == "" {
		return a.class + ":" + a.kind
	}
	return a.class + "::" + a.provider + ":" + a.kind
}

// resourceCopy is a copy of a resource on a node. A copy without a node is
// stopped.
type resourceCopy struct {
	node   *Host
	role   string
	failed bool
}

type nvpair struct{ name, value string }

type operation struct{ name, role, timeout, interval string }

// targetStopped is the option of a resource that an administrator has stopped.
var targetStopped = nvpair{"target-role", "Stopped"}

// defaultOperations are the operations of most resources.
var defaultOperations = []operation{
	{name: "start", timeout: "60s", interval: "0"}, {name: "stop", timeout: "60s", interval: "0"},
	{name: "monitor", timeout: "40s", interval: "20s"},
}

type cibResources struct {
	Primitives []cibPrimitive
	Masters    []cibClone
	Clones     []cibClone
	Groups     []cibGroup
}

type cibPrimitive struct {
	ID                 string `json:"Id"`
	Class              string
	Provider           string
	Type               string
	Operations         []cibOperation
	MetaAttributes     []cibPair
	InstanceAttributes []cibPair
}

type cibOperation struct {
	ID       string `json:"Id"`
	Name     string
	Role     string
	Timeout  string
	Interval string
}

type cibPair struct {
	ID    string `json:"Id"`
	Name  string
	Value string
}

type cibClone struct {
	ID             string `json:"Id"`
	Primitive      cibPrimitive
	MetaAttributes []cibPair
}

type cibGroup struct {
	ID         string `json:"Id"`
	Primitives []cibPrimitive
}

func newCIBResources(units []resourceUnit) (c cibResources) {
	for _, b := range units {
		first := b.resources[0].cib()
		switch b.form {
		case primitive:
			c.Primitives = append(c.Primitives, first)
		case group:
			g := cibGroup{ID: b.id}
			for _, r := range b.resources {
				g.Primitives = append(g.Primitives, r.cib())
			}
			c.Groups = append(c.Groups, g)
		case master:
			c.Masters = append(c.Masters, cibClone{b.id, first, cibPairs(b.id+"-meta_attributes-", b.options)})
		case groupClone:
			c.Clones = append(c.Clones, cibClone{ID: b.id, MetaAttributes: cibPairs(b.id+"-meta_attributes-", b.options)})
		case clone, promotable:
			c.Clones = append(c.Clones, cibClone{b.id, first, cibPairs(b.id+"-meta_attributes-", b.options)})
		}
	}
	return c
}

func (r *resource) cib() cibPrimitive {
	p := cibPrimitive{
		ID: r.id, Class: r.class, Provider: r.provider, Type: r.kind,
		MetaAttributes: cibPairs(r.id+"-meta_attributes-", r.options), InstanceAttributes: cibPairs(r.id+"-instance_attributes-", r.attributes),
	}
	if r.operations != nil {
		p.Operations = []cibOperation{}
	}
	for _, o := range r.operations {
		p.Operations = append(p.Operations, cibOperation{r.id + "-" + o.name + "-" + o.interval, o.name, o.role, o.timeout, o.interval})
	}
	return p
}

// cibPairs returns the pairs with ids; nil for an empty list, as agents write
// it.
func cibPairs(prefix string, list []nvpair) (out []cibPair) {
	for _, p := range list {
		out = append(out, cibPair{prefix + p.name, p.name, p.value})
	}
	return out
}

type monitorResource struct {
	ID             string `json:"Id"`
	Node           *monitorPlace
	Role           string
	Agent          string
	Active         bool
	Failed         bool
	Blocked        bool
	Managed        bool
	Orphaned       bool
	FailureIgnored bool
	NodesRunningOn int
}

type monitorPlace struct {
	ID     string `json:"Id"`
	Name   string
	Cached bool
}

type monitorClone struct {
	ID             string `json:"Id"`
	Failed         bool
	Unique         bool
	Managed        bool
	MultiState     bool
	FailureIgnored bool
	Resources      []monitorResource
}

type monitorGroup struct {
	ID        string `json:"Id"`
	Managed   *bool  `json:",omitempty"` // old agents do not send it
	Resources []monitorResource
}

// addResources adds the resources in the form of the cluster monitor.
func (m *monitorPayload) addResources(c *cluster, units []resourceUnit) {
	managed := !c.maintenance
	for _, b := range units {
		var list []monitorResource
		for _, r := range b.resources {
			if slices.Contains(r.options, targetStopped) {
				m.Summary.Resources.Disabled++
			}
			for _, p := range r.copies {
				list = append(list, c.newMonitorResource(&r, p))
			}
		}
		m.Summary.Resources.Number += len(list)
		switch b.form {
		case primitive:
			m.Resources = append(m.Resources, list...)
		case group:
			m.Groups = append(m.Groups, monitorGroup{ID: b.id, Managed: &managed, Resources: list})
		case groupClone:
			m.Clones = append(m.Clones, monitorClone{ID: b.id, Managed: managed})
		default:
			m.Clones = append(m.Clones, monitorClone{ID: b.id, Managed: managed, MultiState: b.form != clone, Resources: list})
		}
	}
}

func (c *cluster) newMonitorResource(r *resource, p resourceCopy) monitorResource {
	m := monitorResource{ID: r.id, Role: p.role, Agent: r.agent.String(), Managed: !c.maintenance, Failed: p.failed}
	if p.node != nil {
		m.Node = &monitorPlace{ID: c.nodeID(p.node), Name: p.node.Name, Cached: true}
		m.Active, m.NodesRunningOn = true, 1
	}
	return m
}
