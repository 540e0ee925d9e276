package fleet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
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

// location is the place of an installation: a region of a provider or a data
// centre, and a network.
type location struct {
	provider      string
	region        string      // of a cloud
	dataCentre    *dataCentre // a data centre; nil in a cloud
	domain        string
	tenant        string // the id of the customer at the provider: a subscription, account or project
	network       [3]byte
	usedAddresses byte // number of addresses in use
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

// regionNames are the short names of the regions of Azure that names of
// resource groups contain.
var regionNames = map[string]string{"northeurope": "neu", "westeurope": "weu", "swedencentral": "sdc"}

// dataCentre is a town with two data centres, for systems outside clouds.
type dataCentre struct {
	domain string
	sites  [2]string // names of sites of a system replication
}

var dataCentres = [...]dataCentre{
	{"nbg", [2]string{"NBG1", "NBG2"}}, {"muc", [2]string{"MUC1", "MUC2"}}, {"ham", [2]string{"HAM1", "HAM2"}}, {"fra", [2]string{"FRA1", "FRA2"}},
	{"vie", [2]string{"VIE1", "VIE2"}}, {"zrh", [2]string{"ZRH1", "ZRH2"}}, {"prg", [2]string{"PRG1", "PRG2"}}, {"lyo", [2]string{"LYO1", "LYO2"}},
}

const (
	companyDomain = "sap.example.com"
	recoverySite  = "DR" // name of the third site of a system replication, in another region or town
)

func (f *Fleet) newLocation(provider string) *location {
	at := &location{provider: provider, network: f.names.newNetwork()}
	if r := regions[provider]; r != nil {
		at.setRegion(r[f.random.IntN(len(r))])
	} else {
		at.setPlace(&dataCentres[f.random.IntN(len(dataCentres))])
	}
	switch provider {
	case azure:
		at.tenant = f.newUUID()
	case aws:
		at.tenant = fmt.Sprintf("%012d", f.random.Int64N(1e12))
	case gcp:
		at.tenant = fmt.Sprintf("sap-landscape-%06d", f.random.IntN(1e6))
	}
	return at
}

// newRecoveryLocation returns a location of the same customer and provider, far
// away from another one.
func (f *Fleet) newRecoveryLocation(from *location) *location {
	at := &location{provider: from.provider, tenant: from.tenant, network: f.names.newNetwork()}
	if r := regions[from.provider]; r != nil {
		at.setRegion(r[(slices.Index(r, from.region)+1)%len(r)])
		return at
	}
	n := slices.IndexFunc(dataCentres[:], func(p dataCentre) bool { return p == *from.dataCentre })
	at.setPlace(&dataCentres[(n+1)%len(dataCentres)])
	return at
}

func (l *location) setRegion(region string) { l.region, l.domain = region, region+"."+companyDomain }
func (l *location) setPlace(p *dataCentre)  { l.dataCentre, l.domain = p, p.domain+"."+companyDomain }

// siteName returns the name of a site of a system replication that starts at
// the location. Of a cloud, the first two sites are availability zones.
func (l *location) siteName(n int) string {
	switch {
	case n >= len(dataCentre{}.sites):
		return recoverySite
	case l.dataCentre != nil:
		return l.dataCentre.sites[n]
	}
	return fmt.Sprint("AZ", n+1)
}

// isFull reports whether the network has no free address.
func (l *location) isFull() bool { return firstAddress+l.usedAddresses >= lastAddress }

// nextAddress returns the next free address of the network, which is a /24.
func (l *location) nextAddress() netip.Addr {
	l.usedAddresses++
	return netip.AddrFrom4([4]byte{l.network[0], l.network[1], l.network[2], firstAddress + l.usedAddresses - 1})
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

// newSID returns an unused SID. If possible, it is product followed by stage, as
// is customary: BWP and BWQ are the productive system and the test system of the
// same product. Otherwise its first and last sign are those, or only the first.
func (n *nameGenerator) newSID(random *rand.Rand, product, stage string) string {
	const digitsAndLetters, digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10
	sign := func(from int) byte { return digitsAndLetters[from+random.IntN(len(digitsAndLetters)-from)] }
	name := [3]byte([]byte(product + stage))
	for attempt := 0; ; attempt++ {
		switch {
		case attempt > 60:
			name = [3]byte{sign(digits), sign(0), sign(0)}
		case attempt > 30:
			name[1], name[2] = sign(0), sign(0)
		case attempt > 0:
			name[1] = sign(0)
		}
		if sid := string(name[:]); !n.sids[sid] {
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
