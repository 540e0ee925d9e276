package fleet

// blueprint is the plan of an installation: a database with its SAP systems, or
// hosts without SAP software.
type blueprint struct {
	stage     string
	providers []string // the possible providers; one is chosen for each installation

	sites                  []int // number of hosts of each site of the database, the primary site first
	multitargetReplication bool  // every secondary site replicates from the primary; otherwise each from the site before it
	standby                bool  // the last host of a site is a standby host
	hana                   hanaCluster
	majorityMaker          bool // the cluster has one more node, which only votes
	fencing                fencing
	tenants                int // number of tenants of the database that no system uses
	systems                []systemPlan

	storageNodes int // number of nodes of a cluster that provides a file system
	otherHosts   int // number of hosts without SAP software
}

// systemPlan is an SAP system of a blueprint.
type systemPlan struct {
	product          product
	stack            stack
	ensa             int // version of the enqueue server
	services         placement
	mount            filesystemMount
	fencing          fencing // of the cluster of the central services
	servers          int     // number of application servers on their own hosts; 0: one server beside the database
	onSecondDatabase bool    // uses the second database, which is less important
}

// hanaCluster is the kind of cluster that keeps a database available.
type hanaCluster int

const (
	unclustered hanaCluster = iota
	scaleUp
	costOptimized // scale-up; the secondary site also runs a second, less important database
	scaleOut
	angiScaleUp // scale-up with the newer resource agents (SAPHanaSR-angi)
	angiScaleOut
)

// product is what a system does for its company. The SIDs of its systems begin
// with it.
type product string

const (
	s4                   product = "S4" // S/4HANA
	ecc                  product = "EC" // ERP
	bw                   product = "BW" // business warehouse
	crm                  product = "CR" // customer relationship management
	processOrchestration product = "PO" // process orchestration
	solutionManager      product = "SM" // solution manager
	extendedWarehouse    product = "EW" // extended warehouse management
)

// stack is the technology of the application servers of a system.
type stack int

const (
	abap stack = iota
	java
	dual // ABAP and Java
)

// placement is the host or cluster on which central services run.
type placement int

const (
	withFirstServer   placement = iota // on the host of the first application server
	onOwnHost                          // on their own host, without a cluster
	inCluster                          // on two hosts that form a cluster
	inPreviousCluster                  // in the cluster of the previous system
	withDatabase                       // in the cluster of the database
)

// filesystemMount is the way in which the file systems of central services are
// mounted.
type filesystemMount int

const (
	clusterMounts filesystemMount = iota // the cluster mounts them on the node where the services run
	simpleMount                          // they are mounted on every node; the cluster only starts the services
)

var (
	allProviders        = []string{azure, aws, gcp, kvm, nutanix, vmware, power}
	sharedDiskProviders = []string{azure, kvm, vmware} // providers with shared disks
)

// sandbox is the smallest installation: everything on one host.
var sandbox = blueprint{stage: "sandbox", providers: allProviders, sites: []int{1}, systems: []systemPlan{{product: s4, ensa: 1}}}

// blueprints are the installations of a landscape, in order; a larger landscape
// repeats them. The first fifty hosts contain every kind of installation at
// least once. A hundred hosts have the mix of an ordinary landscape: 15
// clusters, and 31 databases and SAP systems.
var blueprints = [...]blueprint{
	{stage: "production", providers: []string{azure}, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []systemPlan{{product: s4, ensa: 2, services: inCluster, servers: 2}}},
	{stage: "production", providers: []string{kvm}, sites: []int{1, 1}, hana: costOptimized, fencing: threeDisks,
		systems: []systemPlan{{product: ecc, ensa: 1, services: withFirstServer, servers: 1}, {product: ecc, ensa: 1, services: withFirstServer, servers: 1, onSecondDatabase: true}}},
	{stage: "production", providers: []string{aws}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []systemPlan{{product: extendedWarehouse, ensa: 1, services: inCluster, servers: 1}}},
	sandbox,
	{stage: "production", providers: []string{gcp}, sites: []int{2, 2}, hana: scaleOut, majorityMaker: true,
		systems: []systemPlan{{product: bw, ensa: 1, services: withFirstServer, servers: 1}}},
	{stage: "quality", providers: []string{nutanix}, sites: []int{1}, tenants: 1,
		systems: []systemPlan{{product: s4, ensa: 2, services: inCluster, fencing: oneDisk, servers: 1}, {product: extendedWarehouse, ensa: 1, services: inPreviousCluster, servers: 1}}},
	{stage: "production", providers: []string{vmware}, sites: []int{1, 1}, hana: scaleUp, fencing: watchdog,
		systems: []systemPlan{{product: solutionManager, stack: dual, ensa: 2, services: inCluster, mount: simpleMount, servers: 1}}},
	{stage: "quality", providers: sharedDiskProviders, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []systemPlan{{product: crm, ensa: 2, services: withDatabase, servers: 1}}},
	{providers: sharedDiskProviders, fencing: oneDisk, storageNodes: 2},
	{stage: "production", providers: []string{azure, gcp}, sites: []int{1, 1, 1}, hana: scaleUp,
		systems: []systemPlan{{product: crm, ensa: 2, services: withFirstServer, servers: 1}}},
	{stage: "quality", providers: allProviders, sites: []int{1, 1, 1}, multitargetReplication: true,
		systems: []systemPlan{{product: processOrchestration, stack: java, ensa: 2, services: withFirstServer, servers: 1}}},
	{stage: "development", providers: []string{power}, sites: []int{1}, tenants: 1,
		systems: []systemPlan{{product: s4, ensa: 1, services: withFirstServer, servers: 1}}},
	{providers: allProviders, otherHosts: 3},

	{stage: "production", providers: []string{azure, aws, kvm}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []systemPlan{{product: bw, ensa: 2, services: inCluster, servers: 14}}},
	{stage: "production", providers: sharedDiskProviders, sites: []int{3, 3}, standby: true, hana: angiScaleOut, majorityMaker: true, fencing: threeDisks,
		systems: []systemPlan{{product: bw, ensa: 2, services: onOwnHost, servers: 11}}},
	{stage: "quality", providers: allProviders, sites: []int{1, 1},
		systems: []systemPlan{{product: bw, ensa: 1, services: onOwnHost, servers: 5}}},
	{providers: allProviders, otherHosts: 5},
}

// size returns the number of hosts that a blueprint needs.
func (b *blueprint) size() int {
	n := b.storageNodes + b.otherHosts
	for _, hosts := range b.sites {
		n += hosts
	}
	if b.majorityMaker {
		n++
	}
	for _, p := range b.systems {
		n += p.servers
		switch p.services {
		case inCluster:
			n += 2
		case onOwnHost:
			n++
		}
	}
	return n
}
