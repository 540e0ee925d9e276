package ui

import (
	"cmp"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"trento/store"
	"trento/store/landscape"
)

// snapshot is the landscape at one moment with how its things belong together,
// as the tables need it. It is read in one pass: what a row shows of other
// things is found here and never looked up row by row.
type snapshot struct {
	hosts     []*landscape.Host
	clusters  []*landscape.Cluster
	databases []*landscape.Database
	systems   []*landscape.SAPSystem

	hostByID     map[landscape.HostID]*landscape.Host
	clusterByID  map[landscape.ClusterID]*landscape.Cluster
	databaseByID map[landscape.DatabaseID]*landscape.Database
	// running are the systems with an instance on a host, by name.
	running map[landscape.HostID][]system
	tags    map[tagged][]string // of what has any
	// faults are the agents of which some report could not be used as a whole.
	faults map[landscape.HostID]*store.AgentReports

	// settling: it is of a time so soon after the start that agents may not
	// have been heard for that alone. Those not heard yet are awaited.
	settling bool
	awaited  map[landscape.HostID]bool

	seq uint64 // the change it is as new as

	lists sync.Map // by the path of a table what it lists, see table.list
}

// tagged is a thing that tags can be on.
type tagged struct {
	kind store.TagKind
	id   string
}

// snapshot is the landscape as a read sees it, with all that belongs together.
// While nothing changes it is the same for all readers, and made once; it
// must not be modified.
func (s *server) snapshot(tx *store.Tx) (*snapshot, error) {
	last := s.lastSnapshot.Load()
	if last != nil && last.seq == tx.LastChange() && last.settling == tx.Settling() {
		return last, nil
	}
	var v *snapshot
	var err error
	if last != nil && last.seq <= tx.LastChange() {
		v, err = last.updated(tx)
	} else {
		v, err = readSnapshot(tx)
	}
	if err != nil {
		return nil, err
	}
	v.await(tx)
	s.lastSnapshot.Store(v)
	return v, nil
}

// maxRenewed bounds the changes a snapshot is brought up to date by: where there
// are more, it is cheaper to read everything.
const maxRenewed = 1000

// updated is the snapshot as of a later read: only what has been written since
// is looked up.
func (v *snapshot) updated(tx *store.Tx) (*snapshot, error) {
	changes, err := tx.ChangedAfter(v.seq, maxRenewed+1)
	if err != nil {
		return nil, err
	}
	if len(changes) > maxRenewed {
		return readSnapshot(tx)
	}
	n := &snapshot{
		hosts: slices.Clone(v.hosts), clusters: slices.Clone(v.clusters), databases: slices.Clone(v.databases), systems: slices.Clone(v.systems),
		tags: maps.Clone(v.tags), seq: tx.LastChange(),
	}
	for _, c := range changes {
		kind, id := c.Kind, c.ID
		if kind == "tags" {
			kind, id, _ = strings.Cut(id, "/")
		}
		t, there := tagged{store.TagKind(kind), id}, false
		switch t.kind {
		case store.HostTag:
			there, err = renew(&n.hosts, landscape.HostID(id), idOfHost, tx.Host)
		case store.ClusterTag:
			there, err = renew(&n.clusters, landscape.ClusterID(id), idOfCluster, tx.Cluster)
		case store.DatabaseTag:
			there, err = renew(&n.databases, landscape.DatabaseID(id), idOfDatabase, tx.Database)
		case store.SAPSystemTag:
			there, err = renew(&n.systems, landscape.SAPSystemID(id), idOfSAPSystem, tx.SAPSystem)
		default:
			continue // reports, users and what is theirs
		}
		delete(n.tags, t)
		if err == nil && there {
			err = n.readTags(tx, t)
		}
		if err != nil {
			return nil, err
		}
	}
	n.relate()
	return n, n.readFaults(tx)
}

// renew brings the registered things of a kind, in the order of their ids, up
// to date with one of them, and reports whether it is registered.
func renew[ID ~string, T any](things *[]*T, id ID, idOf func(*T) ID, get func(ID) (*T, error)) (there bool, err error) {
	place, known := slices.BinarySearchFunc(*things, id, func(thing *T, id ID) int { return cmp.Compare(idOf(thing), id) })
	thing, err := get(id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if known {
			*things = slices.Delete(*things, place, place+1)
		}
		return false, nil
	case err != nil:
		return false, err
	case known:
		(*things)[place] = thing
	default:
		*things = slices.Insert(*things, place, thing)
	}
	return true, nil
}

func idOfHost(h *landscape.Host) landscape.HostID                { return h.ID }
func idOfCluster(c *landscape.Cluster) landscape.ClusterID       { return c.ID }
func idOfDatabase(db *landscape.Database) landscape.DatabaseID   { return db.ID }
func idOfSAPSystem(s *landscape.SAPSystem) landscape.SAPSystemID { return s.ID }

// readTags reads the tags of a thing.
func (v *snapshot) readTags(tx *store.Tx, t tagged) error {
	values, err := tagValues(tx, t.kind, t.id)
	if len(values) > 0 {
		v.tags[t] = values
	}
	return err
}

// readAllTags reads the tags of everything.
func (v *snapshot) readAllTags(tx *store.Tx) error {
	v.tags = make(map[tagged][]string)
	var err error
	for _, h := range v.hosts {
		err = errors.Join(err, v.readTags(tx, tagged{store.HostTag, string(h.ID)}))
	}
	for _, c := range v.clusters {
		err = errors.Join(err, v.readTags(tx, tagged{store.ClusterTag, string(c.ID)}))
	}
	for _, db := range v.databases {
		err = errors.Join(err, v.readTags(tx, tagged{store.DatabaseTag, string(db.ID)}))
	}
	for _, system := range v.systems {
		err = errors.Join(err, v.readTags(tx, tagged{store.SAPSystemTag, string(system.ID)}))
	}
	return err
}

// system is a database or an SAP system.
type system struct {
	link
	database bool
	absent   bool // the host does not list it any more
}

// await finds the hosts that may yet be heard after a start.
func (v *snapshot) await(tx *store.Tx) {
	v.settling, v.awaited = tx.Settling(), make(map[landscape.HostID]bool)
	if !v.settling {
		return
	}
	for _, h := range v.hosts {
		if tx.Awaited(h) {
			v.awaited[h.ID] = true
		}
	}
}

// readSnapshot reads everything.
func readSnapshot(tx *store.Tx) (*snapshot, error) {
	v := &snapshot{seq: tx.LastChange()}
	var err error
	if v.hosts, err = collect(tx.Hosts()); err != nil {
		return nil, err
	}
	if v.clusters, err = collect(tx.Clusters()); err != nil {
		return nil, err
	}
	if v.databases, err = collect(tx.Databases()); err != nil {
		return nil, err
	}
	if v.systems, err = collect(tx.SAPSystems()); err != nil {
		return nil, err
	}
	v.relate()
	return v, errors.Join(v.readAllTags(tx), v.readFaults(tx))
}

// readFaults finds the agents whose reports have problems. There are few.
func (v *snapshot) readFaults(tx *store.Tx) error {
	v.faults = make(map[landscape.HostID]*store.AgentReports)
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return err
		}
		if len(record.Faulty()) > 0 {
			v.faults[record.Agent] = record
		}
	}
	return nil
}

func collect[T any](things iter.Seq2[*T, error]) ([]*T, error) {
	var all []*T
	for thing, err := range things {
		if err != nil {
			return nil, err
		}
		all = append(all, thing)
	}
	return all, nil
}

// relate finds what belongs together.
func (v *snapshot) relate() {
	v.hostByID, v.clusterByID, v.databaseByID = byID(v.hosts, idOfHost), byID(v.clusters, idOfCluster), byID(v.databases, idOfDatabase)
	v.running = make(map[landscape.HostID][]system)
	run := func(id landscape.HostID, s system) {
		if !slices.Contains(v.running[id], s) {
			v.running[id] = append(v.running[id], s)
		}
	}
	for _, db := range v.databases {
		for i := range db.Instances {
			host := db.Instances[i].HostID
			run(host, system{linkToDatabase(db), true, !db.ListedOn(host)})
		}
	}
	for _, s := range v.systems {
		for i := range s.Instances {
			host := s.Instances[i].HostID
			run(host, system{linkToSAPSystem(s), false, !s.ListedOn(host)})
		}
	}
	for _, systems := range v.running {
		slices.SortFunc(systems, func(a, b system) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(order(a.absent), order(b.absent)), cmp.Compare(a.URL, b.URL))
		})
	}
}

// order puts what holds behind what does not.
func order(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

func byID[ID comparable, T any](things []*T, id func(*T) ID) map[ID]*T {
	found := make(map[ID]*T, len(things))
	for _, thing := range things {
		found[id(thing)] = thing
	}
	return found
}

func linkToDatabase(db *landscape.Database) link {
	return link{Name: db.SID, URL: "/databases/" + string(db.ID)}
}

func linkToSAPSystem(s *landscape.SAPSystem) link {
	return link{Name: s.SID, URL: "/sap_systems/" + string(s.ID)}
}

func linkToCluster(c *landscape.Cluster) link {
	l := link{Name: nameOfCluster(c), URL: "/clusters/" + string(c.ID)}
	if unnamed(c) {
		l.Whole = string(c.ID)
	}
	return l
}

// linkToHost leads to a host, which may have been cleaned up.
func (v *snapshot) linkToHost(id landscape.HostID) link {
	if h := v.hostByID[id]; h != nil {
		return link{Name: h.Hostname, URL: "/hosts/" + string(id)}
	}
	return link{Name: string(id), Gone: "Host currently not registered."}
}

// clusterOf is the cluster of a host, or nil.
func (v *snapshot) clusterOf(id landscape.HostID) *landscape.Cluster {
	if h := v.hostByID[id]; h != nil && h.ClusterID != "" {
		return v.clusterByID[h.ClusterID]
	}
	return nil
}

// clusterRunning is the cluster that runs an instance on a host; empty where
// the instance is no part of one.
func (v *snapshot) clusterRunning(id landscape.HostID, sid, number string) link {
	c := v.clusterOf(id)
	if c == nil || !slices.ContainsFunc(c.SAPInstances, func(i landscape.ClusteredInstance) bool { return i.SID == sid && i.Number == number }) {
		return link{}
	}
	return linkToCluster(c)
}

// names of links, each once, in the order in which they come.
func names(links []link) []string {
	texts := make([]string, 0, len(links))
	for _, l := range links {
		if !slices.Contains(texts, l.Name) {
			texts = append(texts, l.Name)
		}
	}
	return texts
}

// trouble is how many things of a kind are critical.
func trouble[T any](things []*T, health func(*T) landscape.Health) int {
	critical := 0
	for _, thing := range things {
		if health(thing) == landscape.HealthCritical {
			critical++
		}
	}
	return critical
}
