package fleet

import (
	"net/netip"
	"slices"
)

// database is a HANA database.
type database struct {
	sid                    string
	key                    string // the id that agents send
	version                string
	tenants                []*tenant
	sites                  []*site // in the order of replication, the primary first
	multitargetReplication bool    // every secondary replicates from the primary; otherwise each from the site before it
	// outOfSync is true if the secondary cannot keep up with the primary.
	outOfSync bool

	address netip.Addr // the address that its systems use
	// cluster runs the first two sites and moves the address. It is nil if the
	// address belongs to a host.
	cluster *cluster
}

// tenant is a tenant of a database. At most one system uses it.
type tenant struct {
	name string
	used bool
}

// site is a site of the system replication, with a copy of the data.
type site struct {
	name      string
	id        int
	instances []*instance // the first is the master name server
	// unregistered is true if the site was the primary before another site took
	// over, and does not replicate from that site yet.
	unregistered bool
}

// buildDatabase adds the database of a blueprint with its hosts and its
// cluster. The hosts also belong to the system s.
func (f *Fleet) buildDatabase(b *blueprint, s *System) *database {
	db := f.newDatabase(s)
	db.multitargetReplication = b.multitargetReplication
	role := Database
	if b.systems[0].servers == 0 {
		role = Everything
	}
	number := f.databaseNumber(role == Everything || b.systems[0].services == withDatabase)
	for i, hosts := range b.sites {
		at, place := &site{name: s.location.siteName(i), id: i + 1}, s.location
		if at.name == recoverySite {
			place = f.newRecoveryLocation(s.location)
		}
		for n := range hosts {
			kind := workerSoftware
			if b.standby && n == hosts-1 {
				kind = standbySoftware
			}
			host := f.addHost(s, place, role)
			host.zone = 1 + i%zoneCount
			at.addInstance(db, f.addInstance(host, kind, number))
		}
		db.sites = append(db.sites, at)
	}
	db.address = db.sites[0].instances[0].host.addresses[0]
	if b.hana != unclustered {
		f.clusterDatabase(b, s, db)
	}
	return db
}

// databaseNumber returns the instance number of a database. shared means that
// other instances run on its hosts, which have the lower numbers.
func (f *Fleet) databaseNumber(shared bool) int {
	numbers := [...]int{0, 0, 10, 20, 30}
	if shared {
		return firstSharedDatabaseNumber
	}
	return numbers[f.random.IntN(len(numbers))]
}

// hanaVersions are versions of HANA with the number of their build.
var hanaVersions = [...]string{"2.00.067.04.1707293184", "2.00.077.00.1713523482", "2.00.083.00.1732116570"}

// newDatabase returns a database for a system. Its SID is H, followed by the
// first and the last sign of the SID of the system.
func (f *Fleet) newDatabase(s *System) *database {
	db := &database{key: f.newKey(), version: hanaVersions[f.random.IntN(len(hanaVersions))]}
	db.sid = f.names.newSID(f.random, "H"+s.SID[:1], s.SID[2:])
	db.addTenant(db.sid)
	f.databases = append(f.databases, db)
	return db
}

func (f *Fleet) clusterDatabase(b *blueprint, s *System, db *database) {
	var nodes []*Host
	for _, at := range db.sites[:2] {
		for _, i := range at.instances {
			i.clustered = true
			nodes = append(nodes, i.host)
		}
	}
	if b.majorityMaker {
		nodes = append(nodes, f.addHost(s, s.location, Tiebreaker))
	}
	db.cluster = f.newCluster(toLower(db.sid)+"_hana", s.location, b.fencing, nodes)
	db.cluster.database, db.cluster.hana = db, b.hana
	db.address = s.location.nextAddress()
}

// addSecondDatabase adds a second, less important database, for the system s, to
// the secondary site of a cluster.
func (f *Fleet) addSecondDatabase(c *cluster, s *System) *database {
	main := c.database.sites[1].instances[0]
	db := f.newDatabase(s)
	at := &site{}
	i := f.addInstance(main.host, workerSoftware, main.numberAsInt()+1)
	i.clustered = true
	at.addInstance(db, i)
	db.sites = []*site{at}
	db.address = main.host.addresses[0]
	c.secondDatabase = db
	return db
}

func (s *site) addInstance(db *database, i *instance) {
	i.database, i.site = db, s
	s.instances = append(s.instances, i)
}

// addTenant adds a tenant that no system uses yet.
func (f *Fleet) addTenant(db *database) {
	db.addTenant(f.names.newSID(f.random, "T"+db.sid[1:2], db.sid[2:]))
}

// addTenant adds a tenant.
func (db *database) addTenant(name string) { db.tenants = append(db.tenants, &tenant{name: name}) }

// assignTenant returns a tenant for a system: a free one, or a new one with the
// SID of the system.
func (db *database) assignTenant(sid string) string {
	for _, t := range db.tenants {
		if !t.used {
			t.used = true
			return t.name
		}
	}
	db.tenants = append(db.tenants, &tenant{sid, true})
	return sid
}

// hasFreeTenant reports whether the database has a tenant that no system uses.
func (db *database) hasFreeTenant() bool {
	return slices.ContainsFunc(db.tenants, func(t *tenant) bool { return !t.used })
}

func (db *database) primary() *site { return db.sites[0] }

// isReplicated reports whether the database has more than one site.
func (db *database) isReplicated() bool { return len(db.sites) > 1 }

// sourceOf returns the site that a site replicates from; nil for the primary.
func (db *database) sourceOf(of int) *site {
	if of == 0 {
		return nil
	}
	for n := of - 1; n > 0 && !db.multitargetReplication; n-- {
		if !db.sites[n].unregistered {
			return db.sites[n]
		}
	}
	return db.primary()
}

// tierOf returns the tier of a site in the replication, counted from one.
func (db *database) tierOf(of int) int {
	if of == 0 {
		return 1
	}
	return db.tierOf(db.siteIndex(db.sourceOf(of))) + 1
}

// modeOf returns the replication mode of a site.
func (db *database) modeOf(of int) string {
	switch {
	case of == 0:
		return "primary"
	case of > 1:
		return "async"
	}
	return "sync"
}

// isUp reports whether all instances of a site work, so that it could be the
// primary.
func (s *site) isUp() bool {
	return !slices.ContainsFunc(s.instances, func(i *instance) bool { return i.state() == gray || i.state() == red })
}

// isInSync reports whether the second site could take over.
func (db *database) isInSync() bool { return !db.outOfSync && db.sites[1].isUp() }

// processes returns the processes of an instance of the database.
func (db *database) processes(of *software) []process {
	list := []process{
		{"hdbdaemon", "HDB Daemon"}, {"hdbcompileserver", "HDB Compileserver"}, {"hdbnameserver", "HDB Nameserver"},
		{"hdbpreprocessor", "HDB Preprocessor"}, {"hdbwebdispatcher", "HDB Web Dispatcher"},
	}
	if of == standbySoftware {
		return list
	}
	for _, t := range db.tenants {
		list = append(list, process{"hdbindexserver", "HDB Indexserver-" + t.name})
	}
	return list
}
