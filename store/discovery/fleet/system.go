package fleet

import (
	"slices"
	"strings"
)

// System is an SAP system with its database.
type System struct {
	SID         string
	DatabaseSID string
	Stage       string  // production, quality, development, sandbox
	Hosts       []*Host // hosts of the system and its database, except hosts that belong to another system
	*location

	database  *database
	tenant    string // the tenant of the database that it uses
	key       string // the id that agents send
	product   product
	stack     stack
	ensa      int
	mount     filesystemMount
	instances []*instance
	// ascs and ers are the central services and the enqueue replicator in a
	// cluster; nil without a cluster.
	ascs, ers *instance
}

// Role is the purpose of a host.
type Role string

// The roles. A host with the role Everything has a small system with its
// database. A Tiebreaker is the majority maker in the cluster of a database.
// Storage hosts provide a file system. Utility hosts have no SAP software.
const (
	Database        Role = "db"
	CentralServices Role = "cs"
	Application     Role = "ap"
	Everything      Role = "sb"
	Tiebreaker      Role = "mm"
	Storage         Role = "nf"
	Utility         Role = "ut"
)

// build adds an installation to the landscape. Its hosts are in an order in
// which a server can process their reports: a primary before its secondaries,
// and a database before its systems.
func (f *Fleet) build(b *blueprint) {
	at := f.newLocation(b.providers[f.random.IntN(len(b.providers))])
	for range b.otherHosts {
		f.addHost(nil, at, Utility)
	}
	if b.storageNodes > 0 {
		f.buildStorage(b, at)
	}
	if len(b.systems) == 0 {
		return
	}
	first := f.newSystem(b.stage, at, &b.systems[0])
	db := f.buildDatabase(b, first)
	f.installSystem(first, db, &b.systems[0])
	for i := range b.systems[1:] {
		p := &b.systems[1+i]
		if p.onSecondDatabase {
			s := f.newSystem("quality", at, p)
			f.installSystem(s, f.addSecondDatabase(db.cluster, s), p)
			continue
		}
		f.installSystem(f.newSystem(b.stage, at, p), db, p)
	}
	for range b.tenants {
		f.addTenant(db)
	}
}

func (f *Fleet) newSystem(stage string, at *location, p *systemPlan) *System {
	s := &System{Stage: stage, location: at, key: f.newKey(), stack: p.stack, ensa: p.ensa, mount: p.mount, product: p.product}
	s.SID = f.names.newSID(f.random, string(p.product), strings.ToUpper(stage[:1]))
	f.systems = append(f.systems, s)
	return s
}

// installSystem installs a system on a database, with its instances.
func (f *Fleet) installSystem(s *System, db *database, p *systemPlan) {
	s.database, s.DatabaseSID = db, db.sid
	s.tenant = db.assignTenant(s.SID)
	var nodes []*Host // nodes of the cluster of the central services
	switch p.services {
	case onOwnHost:
		nodes = []*Host{f.addHost(s, s.location, CentralServices)}
	case inCluster:
		nodes = []*Host{f.addHost(s, s.location, CentralServices), f.addHost(s, s.location, CentralServices)}
		nodes[0].zone, nodes[1].zone = 1, 2
		f.newCluster(toLower(s.SID)+"_ascs", s.location, p.fencing, nodes)
	case inPreviousCluster:
		before := f.systems[slices.Index(f.systems, s)-1]
		nodes = []*Host{before.ascs.host, before.ers.host}
	case withDatabase:
		nodes = db.cluster.nodes[:2]
	}
	servers := make([]*Host, p.servers)
	for i := range servers {
		servers[i] = f.addHost(s, s.location, Application)
	}
	if len(servers) == 0 {
		servers = []*Host{db.sites[0].instances[0].host}
	}
	if len(nodes) == 0 {
		nodes = servers[:1]
	}
	f.startServices(s, nodes)
	for _, host := range servers {
		f.startServer(s, host)
	}
}

// The lowest instance numbers of each kind of instance. Instances that may run
// on the same host have different numbers. The first application server of a system
// has the number firstServerNumber, all others have otherServerNumber.
const (
	centralServicesNumber = 0
	replicatorNumber      = 10
	secondStackNumber     = 15 // central services of the second stack
	firstServerNumber     = 2
	otherServerNumber     = 3
	diagnosticsNumber     = 98
	// firstSharedDatabaseNumber is the number of a database on whose hosts other
	// instances run. A second database has the next number.
	firstSharedDatabaseNumber = 20
)

// startServices adds the central services of a system. On two nodes it adds the
// enqueue replicator as well, and the cluster of the nodes runs both.
func (f *Fleet) startServices(s *System, nodes []*Host) {
	offset := 0
	for _, i := range nodes[0].instances {
		if i.software.isCentral() {
			offset++
		}
	}
	central := ascsSoftware
	if s.stack == java {
		central = scsSoftware
	}
	ascs := f.addInstance(nodes[0], central, centralServicesNumber+offset)
	ascs.belongTo(s)
	if len(nodes) == 1 {
		return
	}
	ers := f.addInstance(nodes[1], ersSoftware, replicatorNumber+offset)
	ers.belongTo(s)
	s.ascs, s.ers = ascs, ers
	for _, i := range []*instance{ascs, ers} {
		i.clustered, i.hostname, i.address = true, toLower(s.SID+i.software.prefix), s.location.nextAddress()
	}
	keeper := nodes[0].cluster
	keeper.systems = append(keeper.systems, s)
}

// startServer adds an application server to a system.
func (f *Fleet) startServer(s *System, host *Host) {
	servers := 0
	for _, i := range s.instances {
		if !i.software.isCentral() {
			servers++
		}
	}
	number := firstServerNumber
	if servers > 0 {
		number = otherServerNumber
	}
	switch s.stack {
	case abap:
		f.addInstance(host, abapSoftware, number).belongTo(s)
	case java:
		f.addInstance(host, javaSoftware, number).belongTo(s)
	case dual:
		if servers == 0 {
			f.addInstance(host, scsSoftware, secondStackNumber).belongTo(s)
		}
		f.addInstance(host, dualSoftware, number).belongTo(s)
	}
}

func (i *instance) belongTo(s *System) {
	i.system = s
	s.instances = append(s.instances, i)
}

func toLower(text string) string { return strings.ToLower(text) }
