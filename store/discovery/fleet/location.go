package fleet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// The providers. Agents do not recognise the provider of Power machines.
const (
	azure   = "azure"
	aws     = "aws"
	gcp     = "gcp"
	kvm     = "kvm"
	nutanix = "nutanix"
	vmware  = "vmware"
	power   = ""
)

// location is the place of an installation: a region of a provider, and a
// network.
type location struct {
	provider string
	region   string
	domain   string
	tenant   string // the id of the customer at the provider: a subscription, account or project
	network  [3]byte
	used     byte // number of addresses in use
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
		network:  f.names.newNetwork(),
	}
	if r := regions[provider]; r != nil {
		at.region = r[f.random.IntN(len(r))]
	}
	switch provider {
	case azure:
		at.tenant = f.newUUID()
	case aws:
		at.tenant = fmt.Sprintf("%012d", f.random.Int64N(1e12))
	case gcp:
		at.tenant = fmt.Sprintf("fleet-%06d", f.random.IntN(1e6))
	}
	return at
}

// isFull reports whether the network has no free address.
func (l *location) isFull() bool { return firstAddress+l.used >= lastAddress }

// nextAddress returns the next free address of the network, which is a /24.
func (l *location) nextAddress() netip.Addr {
	l.used++
	return netip.AddrFrom4([4]byte{l.network[0], l.network[1], l.network[2], firstAddress + l.used - 1})
}

// nameGenerator generates names that are unique in a landscape.
type nameGenerator struct {
	sids       map[string]bool
	networks   int
	otherHosts int // number of hosts without SAP software
}

// reservedSIDs are the SIDs that SAP reserves.
const reservedSIDs = "ADD ADM ALL AMD AND ANY ARE ASC AUX AVG BIN BIT CDC COM CON DAA DBA END EPS FOR GET GID HAS IBM INT KEY LIB LOG LPT MAP MAX " +
	"MIN MON NEW NIX NOT NUL OFF OLD OMS OUT PAD PRN RAW REF ROW SAP SET SGA SHG SID SQL SUM SYS TMP TOP UID USE USR VAR"

func newNames() nameGenerator {
	n := nameGenerator{sids: make(map[string]bool)}
	for _, sid := range strings.Fields(reservedSIDs) {
		n.sids[sid] = true
	}
	return n
}

// newSID returns an unused SID. If possible it ends with hint in upper case,
// for example with P for production, as is customary.
func (n *nameGenerator) newSID(random *rand.Rand, hint string) string {
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

// newNetwork returns the next unused /24 network, from 10.32.0.0 on.
func (n *nameGenerator) newNetwork() [3]byte {
	i := n.networks
	n.networks++
	return [3]byte{10, byte(32 + i/256), byte(i)}
}
