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
	System *System // nil: the host has nothing to do with SAP

	at           *location
	number       int // within the landscape
	agent        string
	os           string // "15-SP6"
	size         size
	disks        int
	addresses    []netip.Addr
	floating     netip.Addr // an address that may move in and out; invalid until it first does
	floats       bool
	clustered    bool
	uptime       time.Duration // before the first Step
	booted       time.Time
	tuning       tuning
	registration registration
	subscribed   time.Time
	presence     presence
	away         time.Time // until then the host is down
}

// Versions of agents. The old one reports neither masks nor saptune, the
// middle one writes masks as text.
const (
	oldAgent     = "1.2.0"
	middleAgent  = "2.5.0"
	recentAgent  = "3.0.1"
	currentAgent = "3.1.2"
)

// size is how large a machine is; it indexes machines.
type size int

const (
	small size = iota
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
	large:  {64, 4, 1_031_520, map[string]string{azure: "Standard_M64s", aws: "x2idn.16xlarge", gcp: "m1-ultramem-80"}},
}

// presence is whether an agent is heard.
type presence int

const (
	present presence = iota
	fallsSilent
	neverHeard
	comesAndGoes
)

const (
	silentAfter = 15 * time.Second // when the agent that falls silent does so
	comesFor    = 45 * time.Second // how long the one that comes and goes is heard, and then is not
)

// agentNamespace makes agent ids of machine ids, as agents do.
var agentNamespace = uuid.MustParse("fb92284e-aa5e-47f6-a883-bf9469e7a0dc")

var osVersions = [...]string{"15-SP6", "15-SP6", "15-SP5", "15-SP7", "15-SP4"}

func newHost(f *Fleet, system *System, at *location, role Role) *Host {
	machineID := fmt.Sprintf("%016x%016x", f.random.Uint64(), f.random.Uint64())
	h := &Host{
		ID:        landscape.HostID(uuid.NewSHA1(agentNamespace, []byte(machineID)).String()),
		Role:      role,
		System:    system,
		at:        at,
		number:    len(f.hosts),
		agent:     currentAgent,
		os:        osVersions[f.random.IntN(len(osVersions))],
		disks:     1,
		addresses: []netip.Addr{at.address()},
		uptime:    time.Duration(1+f.random.IntN(150*24*60))*time.Minute + time.Duration(f.random.IntN(60))*time.Second,
	}
	if f.random.IntN(6) == 0 {
		h.agent = recentAgent
	}
	h.tuning = newTuning(role)
	switch role {
	case Utility:
		f.names.utility++
		h.Name = fmt.Sprintf("ops%04d", f.names.utility)
		return h
	case Database, Everything:
		h.size, h.disks = large, 3
		if system.Stage != "production" {
			h.size = medium
		}
	case Application:
		h.size = medium
	case CentralServices:
	}
	same := 1
	for _, other := range system.Hosts {
		if other.Role == role {
			same++
		}
	}
	h.Name = fmt.Sprintf("%s%s%02d", strings.ToLower(system.SID), role, same)
	h.clustered = system.Stage == "production" && (role == Database || role == CentralServices)
	return h
}

// sends reports whether the agent of a host sends anything at now.
func (f *Fleet) sends(h *Host, now time.Time) bool {
	return now.After(h.away) && (h.presence != fallsSilent || now.Sub(f.start) < silentAfter)
}

// beats reports whether the agent of a host sends its heartbeat at now.
func (f *Fleet) beats(h *Host, now time.Time) bool {
	switch h.presence {
	case neverHeard:
		return false
	case comesAndGoes:
		if now.Sub(f.start)/comesFor%2 == 1 {
			return false
		}
	}
	return f.sends(h, now)
}

func (h *Host) arch() string {
	if h.at.provider == power {
		return "ppc64le"
	}
	return "x86_64"
}

// uuid is a random UUID of the landscape, version 4.
func (f *Fleet) uuid() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(f.random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}
