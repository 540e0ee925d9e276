package fleet

import (
	"fmt"
	"strings"
)

// fencing is the method by which a cluster stops a node that does not answer.
type fencing int

const (
	byProvider fencing = iota // the cluster asks the provider to switch off the machine
	oneDisk                   // the cluster writes to a disk that the node watches (SBD)
	threeDisks
	watchdog // a node that loses the others resets itself (SBD without a disk)
)

// disk is an SBD disk.
type disk struct {
	path, id string
	broken   bool
}

// disks returns the disks that a fencing method needs.
func (f *Fleet) disks(way fencing) []disk {
	var list []disk
	switch way {
	case oneDisk:
		list = make([]disk, 1)
	case threeDisks:
		list = make([]disk, 3)
	}
	for i := range list {
		list[i] = disk{path: "/dev/disk/by-id/wwn-0x" + f.newKey(), id: f.newUUID()}
	}
	return list
}

// fencingAgents are the resource agents that switch off machines, by provider.
var fencingAgents = map[string]string{
	azure: "fence_azure_arm", aws: "external/ec2", gcp: "fence_gce", kvm: "fence_virsh", vmware: "fence_vmware_rest",
}

// fencingUnits returns the resources for fencing.
func (c *cluster) fencingUnits() []resourceUnit {
	fence := func(id, kind string, attributes ...nvpair) resourceUnit {
		r := resource{id: id, agent: agent{class: "stonith", kind: kind}, attributes: attributes}
		if kind != "external/sbd" {
			r.options, r.operations = []nvpair{{"target-role", "Started"}}, []operation{{name: "monitor", timeout: "60", interval: "15"}}
		}
		r.copies = []resourceCopy{{node: c.firstOnline(), role: "Started"}}
		return resourceUnit{form: primitive, resources: []resource{r}}
	}
	switch {
	case c.fencing == oneDisk || c.fencing == threeDisks:
		return []resourceUnit{fence("stonith-sbd", "external/sbd", c.fencingDelay()...)}
	case c.fencing == watchdog:
		return nil
	case c.location.provider != gcp:
		return []resourceUnit{fence("rsc_fence_"+toLower(c.shortName()), fencingAgents[c.location.provider], nvpair{"pcmk_delay_max", "15"})}
	}
	var list []resourceUnit
	for _, node := range c.nodes { // the machine of each node has its own fencing resource
		list = append(list, fence("rsc_fence_"+node.Name, fencingAgents[gcp], nvpair{"port", node.Name}, nvpair{"project", c.location.tenant}))
	}
	return list
}

// fencingDelay returns options that prevent two nodes from fencing each other
// at the same time. Larger clusters do not need them.
func (c *cluster) fencingDelay() []nvpair {
	if len(c.nodes) > 2 {
		return nil
	}
	return []nvpair{{"pcmk_delay_max", "15"}}
}

type sbdPayload struct {
	Config  map[string]string
	Devices []sbdDevice
}

type sbdDevice struct {
	Device string
	Status string
	Dump   sbdDump
	List   []sbdSlot
}

type sbdDump struct {
	Header          string
	UUID            string `json:"Uuid"`
	Slots           int
	SectorSize      int
	TimeoutWatchdog int
	TimeoutAllocate int
	TimeoutLoop     int
	TimeoutMsgwait  int
}

type sbdSlot struct {
	ID     int `json:"Id"`
	Name   string
	Status string
}

// sbd returns the SBD report of a node. A broken disk has no readable values.
func (c *cluster) sbd() sbdPayload {
	if c.fencing == byProvider {
		return sbdPayload{}
	}
	p := sbdPayload{Config: map[string]string{
		"SBD_PACEMAKER": "yes", "SBD_STARTMODE": "always", "SBD_DELAY_START": "no", "SBD_OPTS": "",
		"SBD_WATCHDOG_DEV": "/dev/watchdog", "SBD_WATCHDOG_TIMEOUT": "15", "SBD_TIMEOUT_ACTION": "flush,reboot",
		"SBD_MOVE_TO_ROOT_CGROUP": "auto", "SBD_SYNC_RESOURCE_STARTUP": "yes",
	}}
	if c.fencing == watchdog {
		return p
	}
	var slots []sbdSlot
	for i, node := range c.nodes {
		slots = append(slots, sbdSlot{i, node.Name, "clear"})
	}
	var paths []string
	for _, d := range c.disks {
		paths = append(paths, d.path)
		device := sbdDevice{Device: d.path, Status: "unhealthy", List: []sbdSlot{}}
		if !d.broken {
			device.Status, device.List = "healthy", slots
			device.Dump = sbdDump{
				Header: "2.1", UUID: d.id, Slots: 255, SectorSize: 512,
				TimeoutWatchdog: 15, TimeoutAllocate: 2, TimeoutLoop: 1, TimeoutMsgwait: 30,
			}
		}
		p.Devices = append(p.Devices, device)
	}
	p.Config["SBD_DEVICE"] = strings.Join(paths, ";")
	return p
}

// shortName returns a short name of the application that the cluster keeps
// available.
func (c *cluster) shortName() string {
	switch {
	case c.database != nil:
		return c.database.sid
	case len(c.systems) > 0:
		return c.systems[0].SID
	}
	return fmt.Sprint("nfs", c.nodes[0].number)
}
