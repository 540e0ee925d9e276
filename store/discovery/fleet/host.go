package fleet

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/landscape"
)

// Host is a machine with its agent.
type Host struct {
	ID     landscape.HostID
	Name   string
	Role   Role
	System *System // nil: no SAP software

	fleet              *Fleet
	location           *location
	number             int // number in the landscape
	agent              string
	os                 string // such as 15-SP6
	zone               int    // availability zone in a cloud, counted from one; 0: none
	size               machineSize
	disks              int
	addresses          []netip.Addr
	floatingAddress    netip.Addr // a virtual address that is sometimes on this host; invalid if there is none
	hasFloatingAddress bool
	instances          []*instance   // the instances that run on this host now
	cluster            *cluster      // nil: not in a cluster
	offline            bool          // the cluster software is stopped
	noAutostart        bool          // the cluster software does not start at boot
	diagnostics        string        // the id that agents send for the diagnostics agent; "" if there is none
	uptime             time.Duration // at the first Step
	bootedAt           time.Time
	tuning             tuning
	registration       registration
	subscribedAt       time.Time
	heartbeatPattern   heartbeatPattern
	downUntil          time.Time // the host is down until then
}

// The versions of agents. The old version reports neither netmasks nor saptune.
// The middle version writes netmasks as text and does not report its
// installation source.
const (
	oldAgentVersion     = "1.2.0"
	middleAgentVersion  = "2.5.0"
	recentAgentVersion  = "3.0.1"
	currentAgentVersion = "3.1.2"
)

// machineSize is the size of a machine, as an index into machines.
type machineSize int

const (
	small machineSize = iota
	medium
	large
	largest = large
)

type machine struct {
	cpus, sockets, memoryMB int
	types                   map[string]string // by provider
}

var machines = [...]machine{
	small:  {4, 1, 15_990, map[string]string{azure: "Standard_D4s_v5", aws: "m6i.xlarge", gcp: "n2-standard-4"}},
	medium: {16, 1, 128_740, map[string]string{azure: "Standard_E16ds_v5", aws: "r6i.4xlarge", gcp: "n2-highmem-16"}},
	large:  {64, 4, 1_031_520, map[string]string{azure: "Standard_M64s", aws: "x2idn.16xlarge", gcp: "m3-megamem-64"}},
}

// heartbeatPattern says when an agent sends heartbeats.
type heartbeatPattern int

const (
	alwaysSends heartbeatPattern = iota
	stopsSending
	neverSends
	sendsAtTimes
)

const (
	silentAfter        = 15 * time.Second // when the agent that stops sends its last heartbeat
	intermittentPeriod = 45 * time.Second // how long the intermittent agent sends heartbeats, and then how long it sends none
)

// agentNamespace is the UUID name space in which agents derive their ids from
// machine ids.
var agentNamespace = uuid.MustParse("fb92284e-aa5e-47f6-a883-bf9469e7a0dc")

// derivedID returns the UUID of a name in a name space.
func derivedID(space uuid.UUID, name string) uuid.UUID { return uuid.NewSHA1(space, []byte(name)) }

// zoneCount is the number of availability zones of a region.
const zoneCount = 3

var osVersions = [...]string{"15-SP6", "15-SP6", "15-SP5", "15-SP7", "15-SP4"}

// utilities are the purposes of hosts without SAP software, as their names show
// them: a jump host, an update server, monitoring and so on.
var utilities = [...]string{"jump", "rmt", "mon", "bkp", "dns"}

func newHost(f *Fleet, system *System, at *location, role Role) *Host {
	h := &Host{
		ID:        landscape.HostID(derivedID(agentNamespace, f.newKey()).String()),
		Role:      role,
		System:    system,
		fleet:     f,
		location:  at,
		number:    len(f.hosts),
		agent:     currentAgentVersion,
		os:        osVersions[f.random.IntN(len(osVersions))],
		disks:     1,
		addresses: []netip.Addr{at.nextAddress()},
		uptime:    time.Duration(1+f.random.IntN(150*24*60))*time.Minute + time.Duration(f.random.IntN(60))*time.Second,
	}
	if f.random.IntN(6) == 0 {
		h.agent = recentAgentVersion
	}
	h.tuning = newTuning(role, system)
	switch role {
	case Utility, Storage:
		f.names.otherHosts++
		purposes := utilities[:]
		if role == Storage {
			purposes = []string{"nfs"}
		}
		h.Name = fmt.Sprintf("%s%02d", purposes[f.names.otherHosts%len(purposes)], f.names.otherHosts)
		h.disks = 0
		return h
	case Database, Everything:
		h.size, h.disks = large, 3
		if system.Stage != "production" {
			h.size = medium
		}
	case Application:
		h.size = medium
		h.zone = 1 + h.number%zoneCount
	}
	same := 1
	for _, other := range system.Hosts {
		if other.Role == role {
			same++
		}
	}
	h.Name = fmt.Sprintf("%s%s%02d", strings.ToLower(system.SID), role, same)
	if role == Application && f.random.IntN(5) == 0 {
		h.diagnostics = f.newKey()
		f.addInstance(h, agentSoftware, diagnosticsNumber)
	}
	return h
}

// sendsReports reports whether the agent of a host sends reports at now.
func (f *Fleet) sendsReports(h *Host, now time.Time) bool {
	return now.After(h.downUntil) && (h.heartbeatPattern != stopsSending || now.Sub(f.start) < silentAfter)
}

// sendsHeartbeat reports whether the agent of a host sends heartbeats at now.
func (f *Fleet) sendsHeartbeat(h *Host, now time.Time) bool {
	switch h.heartbeatPattern {
	case neverSends:
		return false
	case sendsAtTimes:
		if now.Sub(f.start)/intermittentPeriod%2 == 1 {
			return false
		}
	}
	return f.sendsReports(h, now)
}

// virtualAddresses returns the addresses of the instances on the host that move
// with them.
func (h *Host) virtualAddresses() (list []netip.Addr) {
	for _, i := range h.instances {
		if db := i.database; db != nil && db.cluster != nil && i == db.sites[0].instances[0] {
			list = append(list, db.address)
		}
		if i.address.IsValid() {
			list = append(list, i.address)
		}
	}
	if h.cluster != nil && h.cluster.storage.IsValid() && h.cluster.firstOnline() == h {
		list = append(list, h.cluster.storage)
	}
	return list
}

// fqdn returns the full name of the host. It is "" on some hosts without SAP
// software, as if they did not know their domain.
func (h *Host) fqdn() string {
	if h.Role == Utility && h.number%3 == 0 {
		return ""
	}
	return h.Name + "." + h.location.domain
}

func (h *Host) arch() string {
	if h.location.provider == power {
		return "ppc64le"
	}
	return "x86_64"
}

// newKey returns a random id in the form that agents send for a cluster, a
// database or an SAP system.
func (f *Fleet) newKey() string {
	return fmt.Sprintf("%016x%016x", f.random.Uint64(), f.random.Uint64())
}

// newUUID returns a random UUID, version 4, from the random source of the
// landscape.
func (f *Fleet) newUUID() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(f.random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}
