package fleet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// System is an SAP system with its database.
type System struct {
	SID         string
	DatabaseSID string
	Stage       string // production, quality, development, sandbox
	Hosts       []*Host
	*location
}

// Role is what a host does.
type Role string

// The roles. Everything: a small system in one. Utility: nothing with SAP.
const (
	Database        Role = "db"
	CentralServices Role = "cs"
	Application     Role = "ap"
	Everything      Role = "sb"
	Utility         Role = "ut"
)

// blueprint is a kind of system. Two databases are one that is replicated,
// more of them one that is spread out; two central services are the enqueue
// server and its replication.
type blueprint struct {
	stage string
	roles []Role
}

const hostsBesideSystems = 3

// blueprints are a dozen systems. With the hosts beside them that is fifty.
var blueprints = [...]blueprint{
	{"production", []Role{Database, Database, CentralServices, CentralServices, Application, Application, Application, Application}},
	{"development", []Role{Database, Application}},
	{"quality", []Role{Database, Database, CentralServices, Application, Application}},
	{"production", []Role{Database, Database, Database, Database, CentralServices, CentralServices, Application, Application}},
	{"sandbox", []Role{Everything}},
	{"production", []Role{Database, Database, CentralServices, CentralServices, Application, Application}},
	{"quality", []Role{Database, Application, Application}},
	{"production", []Role{Database, Database, CentralServices, Application}},
	{"development", []Role{Database, CentralServices, Application}},
	{"production", []Role{Database, Database, Database}},
	{"quality", []Role{Database, Database, Application}},
	{"training", []Role{Everything}},
}

// The providers of places. Power is no provider: its machines are the ones
// agents recognise nothing about.
const (
	azure   = "azure"
	aws     = "aws"
	gcp     = "gcp"
	kvm     = "kvm"
	nutanix = "nutanix"
	vmware  = "vmware"
	power   = ""
)

// providerOfSystem is dealt out to the systems of a round.
var providerOfSystem = [len(blueprints)]string{azure, azure, azure, aws, aws, gcp, gcp, kvm, nutanix, vmware, vmware, power}

// location is where a system stands: a provider's region and a network.
type location struct {
	provider string
	region   string
	domain   string
	tenant   string // how the provider names the customer: a subscription, an account, a project
	network  [3]byte
	used     byte // addresses given away
}

const (
	firstAddress = 10
	lastAddress  = 250
)

var regions = map[string][]string{
	azure: {"northeurope", "westeurope", "swedencentral"},
	aws:   {"eu-central-1", "eu-north-1", "eu-south-2"},
	gcp:   {"europe-west3", "europe-north1", "europe-southwest1"},
}

var towns = [...]string{"kiel", "porto", "graz", "turku", "cork", "lyon", "gent", "brno"}

func (f *Fleet) newLocation(provider string) *location {
	at := &location{
		provider: provider,
		domain:   towns[f.random.IntN(len(towns))] + ".fleet.example",
		network:  f.names.network(),
	}
	if r := regions[provider]; r != nil {
		at.region = r[f.random.IntN(len(r))]
	}
	switch provider {
	case azure:
		at.tenant = f.uuid()
	case aws:
		at.tenant = fmt.Sprintf("%012d", f.random.Int64N(1e12))
	case gcp:
		at.tenant = fmt.Sprintf("fleet-%06d", f.random.IntN(1e6))
	}
	return at
}

// full reports whether the network has no room for further addresses.
func (l *location) full() bool { return firstAddress+l.used >= lastAddress }

// address gives the next free address of the network, which is a /24.
func (l *location) address() netip.Addr {
	l.used++
	return netip.AddrFrom4([4]byte{l.network[0], l.network[1], l.network[2], firstAddress + l.used - 1})
}

// names hands out what must not occur twice in a landscape.
type names struct {
	sids     map[string]bool
	networks int
	utility  int
}

// reservedSIDs cannot be used for a system.
const reservedSIDs = "ADD ADM ALL AMD AND ANY ARE ASC AUX AVG BIN BIT CDC COM CON DAA DBA END EPS FOR GET GID HAS IBM INT KEY LIB LOG LPT MAP MAX " +
	"MIN MON NEW NIX NOT NUL OFF OLD OMS OUT PAD PRN RAW REF ROW SAP SET SGA SHG SID SQL SUM SYS TMP TOP UID USE USR VAR"

func newNames() names {
	n := names{sids: make(map[string]bool)}
	for _, sid := range strings.Fields(reservedSIDs) {
		n.sids[sid] = true
	}
	return n
}

// sid is a new system id, if possible one that ends with the hint in upper
// case, as the habit is: P for production and so on.
func (n *names) sid(random *rand.Rand, hint string) string {
	const letters, signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for attempt := 0; ; attempt++ {
		last := strings.ToUpper(hint)
		if attempt > 50 {
			last = string(signs[random.IntN(len(signs))])
		}
		sid := string(letters[random.IntN(len(letters))]) + string(signs[random.IntN(len(signs))]) + last
		if !n.sids[sid] {
			n.sids[sid] = true
			return sid
		}
	}
}

// network is the next unused /24 of 10.32.0.0 and up.
func (n *names) network() [3]byte {
	i := n.networks
	n.networks++
	return [3]byte{10, byte(32 + i/256), byte(i)}
}
