package fleet

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// cluster is a group of hosts that keep a database, central services or a file
// system available.
type cluster struct {
	name           string // "": the cluster has no name
	key            string // the id that agents send
	nodes          []*Host
	location       *location
	controllerNode int // index of the node that is the designated controller while it is online

	// What the cluster keeps available.
	hana           hanaCluster
	database       *database
	secondDatabase *database  // on the secondary site of the database
	systems        []*System  // the systems whose central services it runs
	storage        netip.Addr // the address of its file system; invalid if it provides none

	fencing         fencing
	disks           []disk
	maintenance     bool
	addressFailed   bool // its virtual address does not work
	addressFailures int  // failures of its virtual address
	writtenAt       time.Time
	failing         bool // it has a failure that has not ended yet
}

func (f *Fleet) newCluster(name string, at *location, way fencing, nodes []*Host) *cluster {
	c := &cluster{
		name: name, key: f.newKey(), nodes: nodes, location: at, controllerNode: f.random.IntN(len(nodes)),
		fencing: way, disks: f.disks(way),
	}
	for _, node := range nodes {
		node.cluster = c
	}
	f.clusters = append(f.clusters, c)
	return c
}

// firstOnline returns the node that runs the resources that are not bound to a
// node.
func (c *cluster) firstOnline() *Host { return c.firstOnlineFrom(0) }

// controller returns the designated controller.
func (c *cluster) controller() *Host { return c.firstOnlineFrom(c.controllerNode) }

// firstOnlineFrom returns the first online node, starting at an index. At least
// one node is always online.
func (c *cluster) firstOnlineFrom(from int) *Host {
	for n := range c.nodes {
		if node := c.nodes[(from+n)%len(c.nodes)]; !node.offline {
			return node
		}
	}
	return nil
}

// nodeID returns the id of a node. Ids count from one. On KVM, the cluster
// software derives them from addresses.
func (c *cluster) nodeID(h *Host) string {
	if c.location.provider == kvm {
		a := h.addresses[0].As4()
		return strconv.FormatUint(uint64(binary.BigEndian.Uint32(a[:])&math.MaxInt32), 10)
	}
	return strconv.Itoa(slices.Index(c.nodes, h) + 1)
}

// resourceUnits returns all resources of the cluster.
func (c *cluster) resourceUnits() []resourceUnit {
	list := c.fencingUnits()
	if c.database != nil {
		list = append(list, c.databaseUnits()...)
	}
	for _, s := range c.systems {
		list = append(list, c.centralServicesUnits(s)...)
	}
	if c.storage.IsValid() {
		list = append(list, c.storageUnits()...)
	}
	return list
}

// addressResources returns the resources of a virtual address: the address
// itself and, behind a load balancer, the one that answers the probes of the
// balancer.
func (c *cluster) addressResources(suffix string, ip netip.Addr, node *Host) []resource {
	here := []resourceCopy{{node: node, role: "Started", failed: c.addressFailed}}
	r := resource{
		id: "rsc_ip_" + suffix, agent: agent{"ocf", "heartbeat", "IPaddr2"}, operations: defaultOperations, copies: here,
		attributes: []nvpair{{"ip", ip.String()}, {"cidr_netmask", "32"}, {"nic", "eth0"}},
	}
	port := strconv.Itoa(62_500 + int(ip.As4()[3]))
	balanced := resource{id: "rsc_lb_" + suffix, operations: defaultOperations[2:], copies: []resourceCopy{{node: node, role: "Started"}}}
	if c.addressFailed { // nothing answers the probes while the address does not work
		balanced.copies = []resourceCopy{{role: "Stopped"}}
	}
	switch c.location.provider {
	case aws:
		r.agent = agent{"ocf", "suse", "aws-vpc-move-ip"}
		r.attributes = []nvpair{{"ip", ip.String()}, {"routing_table", "rtb-" + c.key[:17]}, {"interface", "eth0"}}
		return []resource{r}
	case azure:
		balanced.agent, balanced.attributes = agent{"ocf", "heartbeat", "azure-lb"}, []nvpair{{"port", port}}
		return []resource{r, balanced}
	case gcp:
		balanced.agent = agent{"ocf", "heartbeat", "anything"}
		balanced.attributes = []nvpair{{"binfile", "/usr/bin/socat"}, {"cmdline_options", "-U TCP-LISTEN:" + port + ",backlog=10,fork,reuseaddr /dev/null"}}
		return []resource{r, balanced}
	}
	return []resource{r}
}

// properties returns the properties of the whole cluster.
func (c *cluster) properties(now time.Time) []cibPair {
	list := cibPairs("cib-bootstrap-options-", []nvpair{
		{"have-watchdog", strconv.FormatBool(c.fencing != byProvider)}, {"dc-version", c.version() + "-" + c.version()},
		{"cluster-infrastructure", "corosync"}, {"cluster-name", c.configuredName()}, {"stonith-enabled", "true"},
		{"stonith-timeout", "150"}, {"maintenance-mode", strconv.FormatBool(c.maintenance)},
	})
	if c.database != nil {
		list = append(list, cibPairs("SAPHanaSR-", c.databaseProperties(now))...)
	}
	return list
}

// state returns the state of the designated controller. After a failure of the
// address, it is always recovering.
func (c *cluster) state() string {
	if c.addressFailed {
		return "S_TRANSITION_ENGINE"
	}
	return "S_IDLE"
}

// version returns the version of the cluster software. The newer resource
// agents need a newer version, which uses other names for the roles of clones.
func (c *cluster) version() string {
	if c.isAngi() {
		return "2.1.7-150600.6.9.1"
	}
	return "2.1.2-150400.4.30.1"
}

// configuredName returns the name in the configuration. It is the default of
// the cluster software if the cluster has no name.
func (c *cluster) configuredName() string {
	if c.name == "" {
		return "hacluster"
	}
	return c.name
}
