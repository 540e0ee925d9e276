package fleet

// blueprint is a kind of installation: a database with the SAP systems on it,
// or hosts that have nothing to do with SAP.
type blueprint struct {
	stage     string
	providers []string // one of which it is built at

	sites           []int // hosts at each site of the database, those of the primary first
	starReplication bool  // every secondary replicates from the primary; else each one from the site before
	standby         bool  // the last host of a site does nothing but wait for another to fail
	hana            hanaCluster
	majorityMaker   bool // the cluster has a further node that only votes
	fencing         fencing
	tenants         int // of the database that no system uses
	systems         []systemPlan

	storageNodes int // nodes of a cluster that keeps a file system
	otherHosts   int // hosts that have nothing to do with SAP
}

// systemPlan is an SAP system of a blueprint.
type systemPlan struct {
	stack            stack
	ensa             int // version of the enqueue server
	services         placement
	mount            mount
	fencing          fencing // of the cluster they are in
	servers          int     // application servers on hosts of their own; none: one beside the database
	onSecondDatabase bool    // on the database of less importance
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
	clusterMounts mount = iota // the cluster mounts them
	simpleMount                // they are mounted everywhere; the cluster starts the services only
)

var (
	allProviders        = []string{azure, aws, gcp, kvm, nutanix, vmware, power}
	sharedDiskProviders = []string{azure, kvm, vmware} // they offer shared disks
)

// sandbox is the smallest installation: all of it on one host.
var sandbox = blueprint{stage: "sandbox", providers: allProviders, sites: []int{1}, systems: []systemPlan{{ensa: 1}}}

// blueprints are a round of a landscape. The first fifty hosts have something
// of everything; with the other fifty the mix of kinds becomes that of
// ordinary landscapes: a hundred hosts are 15 clusters, and 31 databases and
// SAP systems.
var blueprints = [...]blueprint{
	{stage: "production", providers: []string{azure}, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []systemPlan{{ensa: 2, services: inCluster, servers: 2}}},
	{stage: "production", providers: []string{kvm}, sites: []int{1, 1}, hana: costOptimized, fencing: threeDisks,
		systems: []systemPlan{{ensa: 1, services: withServer, servers: 1}, {ensa: 1, services: withServer, servers: 1, onSecondDatabase: true}}},
	{stage: "production", providers: []string{aws}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []systemPlan{{ensa: 1, services: inCluster, servers: 1}}},
	sandbox,
	{stage: "production", providers: []string{gcp}, sites: []int{2, 2}, hana: scaleOut, majorityMaker: true,
		systems: []systemPlan{{stack: java, ensa: 1, services: withServer, servers: 1}}},
	{stage: "quality", providers: []string{nutanix}, sites: []int{1}, tenants: 1,
		systems: []systemPlan{{ensa: 2, services: inCluster, fencing: oneDisk, servers: 1}, {ensa: 1, services: inSameCluster, servers: 1}}},
	{stage: "production", providers: []string{vmware}, sites: []int{1, 1}, hana: scaleUp, fencing: watchdog,
		systems: []systemPlan{{stack: dual, ensa: 2, services: inCluster, mount: simpleMount, servers: 1}}},
	{stage: "quality", providers: sharedDiskProviders, sites: []int{1, 1}, hana: scaleUp, fencing: oneDisk,
		systems: []systemPlan{{ensa: 2, services: withDatabase, servers: 1}}},
	{providers: sharedDiskProviders, fencing: oneDisk, storageNodes: 2},
	{stage: "production", providers: []string{azure, gcp}, sites: []int{1, 1, 1}, hana: scaleUp,
		systems: []systemPlan{{ensa: 2, services: withServer, servers: 1}}},
	{stage: "quality", providers: allProviders, sites: []int{1, 1, 1}, starReplication: true,
		systems: []systemPlan{{stack: java, ensa: 2, services: withServer, servers: 1}}},
	{stage: "development", providers: []string{power}, sites: []int{1}, tenants: 1,
		systems: []systemPlan{{ensa: 1, services: withServer, servers: 1}}},
	{providers: allProviders, otherHosts: 3},

	{stage: "production", providers: []string{azure, aws, kvm}, sites: []int{1, 1}, hana: angiScaleUp,
		systems: []systemPlan{{ensa: 2, services: inCluster, servers: 14}}},
	{stage: "production", providers: sharedDiskProviders, sites: []int{3, 3}, standby: true, hana: angiScaleOut, majorityMaker: true, fencing: threeDisks,
		systems: []systemPlan{{ensa: 2, services: onTheirOwn, servers: 11}}},
	{stage: "quality", providers: allProviders, sites: []int{1, 1},
		systems: []systemPlan{{ensa: 1, services: onTheirOwn, servers: 5}}},
	{providers: allProviders, otherHosts: 5},
}

// size is the number of hosts a blueprint takes.
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
		case onTheirOwn:
			n++
		}
	}
	return n
}
