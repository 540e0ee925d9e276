package fleet

// blueprint is a kind of installation: a database with the SAP systems on it,
// or hosts that have nothing to do with SAP.
type blueprint struct {
	stage  string
	places []string // providers; it stands with one of them

	sites    []int // hosts at each site of the database, those of the primary first
	fan      bool  // every secondary replicates from the primary; else each one from the site before
	standby  bool  // the last host of a site does nothing but wait for another to fail
	hana     hanaCluster
	majority bool // a further node of that cluster breaks ties
	fencing  fencing
	tenants  int // of the database that no system uses
	systems  []plan

	storage int // nodes of a cluster that keeps a file system
	beside  int // hosts on their own
}

// plan is an SAP system of a blueprint.
type plan struct {
	stack    stack
	ensa     int // version of the enqueue server
	services placement
	mount    mount
	fencing  fencing // of the cluster they are in
	servers  int     // application servers on hosts of their own; none: one beside the database
	second   bool    // on the database of less importance
}

// hanaCluster is what keeps a database available.
type hanaCluster int

const (
	unclustered hanaCluster = iota
	scaleUp
	costOptimized // scale-up; its secondary site also runs a database of less importance
	scaleOut
	angiScaleUp // with the newer resource agents
	angiScaleOut
)

// stack is what the application servers of a system are.
type stack int

const (
	abap stack = iota
	java
	dual // both
)

// placement is where central services run.
type placement int

const (
	withServer    placement = iota // on the host of the first application server
	onTheirOwn                     // on a host of their own, without a second one
	inCluster                      // on two hosts that are a cluster
	inSameCluster                  // in the cluster of the system before
	withDatabase                   // in the cluster of the database
)

// mount is how the file systems of central services get where those run.
type mount int

const (
	byCluster mount = iota // the cluster mounts them
	simple                 // they are mounted everywhere; the cluster starts the services only
)

var (
	anywhere = []string{azure, aws, gcp, kvm, nutanix, vmware, power}
	onDisks  = []string{azure, kvm, vmware} // where shared disks are usual
)

// sandbox is the smallest installation: all of it on one host.
var sandbox = blueprint{stage: "sandbox", places: anywhere, sites: []int{1}, systems: []plan{{ensa: 1}}}

// blueprints are a round of a landscape. The first fifty hosts have something
// of everything; with the other fifty the mix of kinds becomes that of
// ordinary landscapes: a hundred hosts are 15 clusters, and 31 databases and
// SAP systems.
var blueprints = [...]blueprint{
	{stage: "production", places: []string{azure}, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []plan{{ensa: 2, services: inCluster, servers: 2}}},
	{stage: "production", places: []string{kvm}, sites: []int{1, 1}, hana: costOptimized, fencing: threeDisks,
		systems: []plan{{ensa: 1, services: withServer, servers: 1}, {ensa: 1, services: withServer, servers: 1, second: true}}},
	{stage: "production", places: []string{aws}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []plan{{ensa: 1, services: inCluster, servers: 1}}},
	sandbox,
	{stage: "production", places: []string{gcp}, sites: []int{2, 2}, hana: scaleOut, majority: true,
		systems: []plan{{stack: java, ensa: 1, services: withServer, servers: 1}}},
	{stage: "quality", places: []string{nutanix}, sites: []int{1}, tenants: 1,
		systems: []plan{{ensa: 2, services: inCluster, fencing: oneDisk, servers: 1}, {ensa: 1, services: inSameCluster, servers: 1}}},
	{stage: "production", places: []string{vmware}, sites: []int{1, 1}, hana: scaleUp, fencing: watchdog,
		systems: []plan{{stack: dual, ensa: 2, services: inCluster, mount: simple, servers: 1}}},
	{stage: "quality", places: onDisks, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []plan{{ensa: 2, services: withDatabase, servers: 1}}},
	{places: onDisks, fencing: oneDisk, storage: 2},
	{stage: "production", places: []string{azure, gcp}, sites: []int{1, 1, 1}, hana: scaleUp,
		systems: []plan{{ensa: 2, services: withServer, servers: 1}}},
	{stage: "quality", places: anywhere, sites: []int{1, 1, 1}, fan: true,
		systems: []plan{{stack: java, ensa: 2, services: withServer, servers: 1}}},
	{stage: "development", places: []string{power}, sites: []int{1}, tenants: 1,
		systems: []plan{{ensa: 1, services: withServer, servers: 1}}},
	{places: anywhere, beside: 3},

	{stage: "production", places: []string{azure, aws, kvm}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []plan{{ensa: 2, services: inCluster, servers: 14}}},
	{stage: "production", places: onDisks, sites: []int{3, 3}, standby: true, hana: angiScaleOut, majority: true, fencing: threeDisks,
		systems: []plan{{ensa: 2, services: onTheirOwn, servers: 11}}},
	{stage: "quality", places: anywhere, sites: []int{1, 1},
		systems: []plan{{ensa: 1, services: onTheirOwn, servers: 5}}},
	{places: anywhere, beside: 5},
}

// size is the number of hosts a blueprint takes.
func (b *blueprint) size() int {
	n := b.storage + b.beside
	for _, hosts := range b.sites {
		n += hosts
	}
	if b.majority {
		n++
	}
	for _, p := range b.systems {
		n += p.servers
		switch p.services {
		case inCluster:
			n += 2
		case onTheirOwn:
			n++
		}
	}
	return n
}
