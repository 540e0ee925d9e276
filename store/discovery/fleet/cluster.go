package fleet

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// cluster is a group of hosts that keep something available together.
type cluster struct {
	name           string // empty: nobody gave it one
	key            string // what agents call it
	nodes          []*Host
	location       *location
	controllerNode int // the node that is the designated controller while it is online

	// What it keeps available.
	hana           hanaCluster
	database       *database
	secondDatabase *database  // on the secondary site of the database
	systems        []*System  // their central services
	storage        netip.Addr // where the file system is found; invalid where it keeps none

	fencing         fencing
	disks           []disk
	maintenance     bool
	addressFailed   bool // its virtual address is not answering
	addressFailures int  // of its virtual address
	writtenAt       time.Time
	disturbed       bool // it has a failure that is not over
}

func (f *Fleet) newCluster(name string, at *location, way fencing, nodes []*Host) *cluster {
	c := &cluster{
		name: name, key: f.key(), nodes: nodes, location: at, controllerNode: f.random.IntN(len(nodes)),
		fencing: way, disks: f.disks(way),
	}
	for _, node := range nodes {
		node.cluster = c
	}
	f.clusters = append(f.clusters, c)
	return c
}

// firstOnline is the node for resources that can run on any.
func (c *cluster) firstOnline() *Host { return c.online(0) }

// controller is the designated controller.
func (c *cluster) controller() *Host { return c.online(c.controllerNode) }

// online is the first node from a place on that takes part in the cluster. At
// least one always does.
func (c *cluster) online(from int) *Host {
	for n := range c.nodes {
		if node := c.nodes[(from+n)%len(c.nodes)]; !node.offline {
			return node
		}
	}
	return nil
}

// nodeID counts from one. On KVM the cluster software makes the number of the
// address instead.
func (c *cluster) nodeID(h *Host) string {
	if c.location.provider == kvm {
		a := h.addresses[0].As4()
		return strconv.FormatUint(uint64(binary.BigEndian.Uint32(a[:])&math.MaxInt32), 10)
	}
	return strconv.Itoa(slices.Index(c.nodes, h) + 1)
}

// resourceUnits are all resources of the cluster.
func (c *cluster) resourceUnits() []resourceUnit {
	list := c.fencingUnits()
	if c.database != nil {
		list = append(list, c.databaseUnits()...)
	}
	for _, s := range c.systems {
		list = append(list, c.centralUnits(s)...)
	}
	if c.storage.IsValid() {
		list = append(list, c.storageUnits()...)
	}
	return list
}

// addressResources is a virtual address as resources: the address itself and, where
// it is reached through a balancer, what answers that one's questions.
func (c *cluster) addressResources(suffix string, ip netip.Addr, node *Host) []resource {
	here := []resourceCopy{{node: node, role: "Started", failed: c.addressFailed}}
	r := resource{
		id: "rsc_ip_" + suffix, agent: agent{"ocf", "heartbeat", "IPaddr2"}, operations: defaultOperations, copies: here,
		attributes: []nvpair{{"ip", ip.String()}, {"cidr_netmask", "32"}, {"nic", "eth0"}},
	}
	port := strconv.Itoa(62_500 + int(ip.As4()[3]))
	balanced := resource{id: "rsc_lb_" + suffix, operations: defaultOperations[2:], copies: []resourceCopy{{node: node, role: "Started"}}}
	if c.addressFailed { // nothing answers for an address that is not there
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

// properties are those of the whole cluster.
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

// state is what the designated controller is at: it keeps trying where
// something has failed.
func (c *cluster) state() string {
	if c.addressFailed {
		return "S_TRANSITION_ENGINE"
	}
	return "S_IDLE"
}

// version is that of the cluster software. The newer resource agents need a
// newer one, which has other names for the roles of clones.
func (c *cluster) version() string {
	if c.angi() {
		return "2.1.7-150600.6.9.1"
	}
	return "2.1.2-150400.4.30.1"
}

// configuredName is what the cluster software calls a cluster without a name.
func (c *cluster) configuredName() string {
	if c.name == "" {
		return "hacluster"
	}
	return c.name
}
