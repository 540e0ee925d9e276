package page

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

// Snapshot is the landscape at one moment, with the relations that tables need.
// It is read at once, so that rows need no further lookups.
type Snapshot struct {
	Hosts     []*landscape.Host
	Clusters  []*landscape.Cluster
	Databases []*landscape.Database
	Systems   []*landscape.SAPSystem

	HostByID     map[landscape.HostID]*landscape.Host
	ClusterByID  map[landscape.ClusterID]*landscape.Cluster
	DatabaseByID map[landscape.DatabaseID]*landscape.Database
	// Running has the systems with an instance on a host, sorted by name.
	Running map[landscape.HostID][]System
	Tags    map[taggedThing][]string // tags by thing; things without tags are missing
	// FaultyAgents has the agents with reports that could not be used.
	FaultyAgents map[landscape.HostID]*store.AgentReports
	// LastExecutions has the last completed execution of the checks of each
	// cluster or host, by its id.
	LastExecutions map[string]*store.Execution

	// serverJustStarted reports whether the server started so recently that agents
	// may not have sent heartbeats yet. Hosts without one are in Awaited and do
	// not count as silent.
	serverJustStarted bool
	Awaited           map[landscape.HostID]bool

	Seq uint64 // number of the last change that the snapshot includes

	Lists sync.Map // things in the default order, by path of their table; see table.List
}

// taggedThing identifies a thing that can have tags.
type taggedThing struct {
	kind store.TagKind
	id   string
}

// Snapshot returns the landscape as of a transaction. While nothing changes,
// all readers share one snapshot, which must not be modified.
func (s *Console) Snapshot(tx *store.Tx) (*Snapshot, error) {
	last := s.lastSnapshot.Load()
	if last != nil && last.Seq == tx.LastChange() && last.serverJustStarted == tx.JustStarted() {
		return last, nil
	}
	var v *Snapshot
	var err error
	if last != nil && last.Seq <= tx.LastChange() {
		v, err = last.updateTo(tx)
	} else {
		v, err = ReadSnapshot(tx)
	}
	if err != nil {
		return nil, err
	}
	v.findAwaitedHosts(tx)
	s.lastSnapshot.Store(v)
	return v, nil
}

// maxAppliedChanges limits the changes that are applied to a snapshot. If there
// are more, reading everything is cheaper.
const maxAppliedChanges = 1000

// updateTo returns the snapshot as of a later transaction. It reads only what
// has changed since.
func (v *Snapshot) updateTo(tx *store.Tx) (*Snapshot, error) {
	changes, err := tx.ChangedAfter(v.Seq, maxAppliedChanges+1)
	if err != nil {
		return nil, err
	}
	if len(changes) > maxAppliedChanges {
		return ReadSnapshot(tx)
	}
	n := &Snapshot{
		Hosts: slices.Clone(v.Hosts), Clusters: slices.Clone(v.Clusters), Databases: slices.Clone(v.Databases), Systems: slices.Clone(v.Systems),
		Tags: maps.Clone(v.Tags), LastExecutions: maps.Clone(v.LastExecutions), Seq: tx.LastChange(),
	}
	for _, c := range changes {
		kind, id := c.Kind, c.ID
		if kind == "checked_group" {
			if err := n.readLastExecution(tx, id); err != nil {
				return nil, err
			}
			continue
		}
		if kind == "tags" {
			kind, id, _ = strings.Cut(id, "/")
		}
		t, there := taggedThing{store.TagKind(kind), id}, false
		switch t.kind {
		case store.HostTag:
			there, err = updateThing(&n.Hosts, landscape.HostID(id), idOfHost, tx.Host)
		case store.ClusterTag:
			there, err = updateThing(&n.Clusters, landscape.ClusterID(id), idOfCluster, tx.Cluster)
		case store.DatabaseTag:
			there, err = updateThing(&n.Databases, landscape.DatabaseID(id), idOfDatabase, tx.Database)
		case store.SAPSystemTag:
			there, err = updateThing(&n.Systems, landscape.SAPSystemID(id), idOfSAPSystem, tx.SAPSystem)
		default:
			continue // changes of reports and users are not part of it
		}
		delete(n.Tags, t)
		if err == nil && there {
			err = n.readTags(tx, t)
		}
		if err != nil {
			return nil, err
		}
	}
	n.computeRelations()
	return n, n.readFaultyAgents(tx)
}

// updateThing updates one thing in a sorted list of registered things, and
// reports whether it is registered.
func updateThing[ID ~string, T any](things *[]*T, id ID, idOf func(*T) ID, get func(ID) (*T, error)) (there bool, err error) {
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
func (v *Snapshot) readTags(tx *store.Tx, t taggedThing) error {
	values, err := TagValues(tx, t.kind, t.id)
	if len(values) > 0 {
		v.Tags[t] = values
	}
	return err
}

// readAllTags reads the tags of everything.
func (v *Snapshot) readAllTags(tx *store.Tx) error {
	v.Tags = make(map[taggedThing][]string)
	var err error
	for _, h := range v.Hosts {
		err = errors.Join(err, v.readTags(tx, taggedThing{store.HostTag, string(h.ID)}))
	}
	for _, c := range v.Clusters {
		err = errors.Join(err, v.readTags(tx, taggedThing{store.ClusterTag, string(c.ID)}))
	}
	for _, db := range v.Databases {
		err = errors.Join(err, v.readTags(tx, taggedThing{store.DatabaseTag, string(db.ID)}))
	}
	for _, system := range v.Systems {
		err = errors.Join(err, v.readTags(tx, taggedThing{store.SAPSystemTag, string(system.ID)}))
	}
	return err
}

// System is a database or an SAP system on a host.
type System struct {
	Link
	Database bool
	Absent   bool // the host does not list it any more
}

// findAwaitedHosts finds the hosts whose heartbeat is still awaited after a start.
func (v *Snapshot) findAwaitedHosts(tx *store.Tx) {
	v.serverJustStarted, v.Awaited = tx.JustStarted(), make(map[landscape.HostID]bool)
	if !v.serverJustStarted {
		return
	}
	for _, h := range v.Hosts {
		if tx.HeartbeatPending(h) {
			v.Awaited[h.ID] = true
		}
	}
}

// ReadSnapshot reads the whole landscape.
func ReadSnapshot(tx *store.Tx) (*Snapshot, error) {
	v := &Snapshot{Seq: tx.LastChange()}
	var err error
	if v.Hosts, err = Collect(tx.Hosts()); err != nil {
		return nil, err
	}
	if v.Clusters, err = Collect(tx.Clusters()); err != nil {
		return nil, err
	}
	if v.Databases, err = Collect(tx.Databases()); err != nil {
		return nil, err
	}
	if v.Systems, err = Collect(tx.SAPSystems()); err != nil {
		return nil, err
	}
	v.computeRelations()
	return v, errors.Join(v.readAllTags(tx), v.readFaultyAgents(tx), v.readLastExecutions(tx))
}

// readLastExecutions reads the last executions of all checks.
func (v *Snapshot) readLastExecutions(tx *store.Tx) error {
	v.LastExecutions = make(map[string]*store.Execution)
	for g, err := range tx.CheckedGroups() {
		if err != nil {
			return err
		}
		if g.Last != nil {
			v.LastExecutions[g.GroupID] = g.Last
		}
	}
	return nil
}

// readLastExecution reads the last execution of the checks of a cluster or host.
func (v *Snapshot) readLastExecution(tx *store.Tx, id string) error {
	delete(v.LastExecutions, id)
	g, err := tx.CheckedGroup(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && g.Last != nil {
		v.LastExecutions[id] = g.Last
	}
	return err
}

// readFaultyAgents reads the agents whose reports have problems.
func (v *Snapshot) readFaultyAgents(tx *store.Tx) error {
	v.FaultyAgents = make(map[landscape.HostID]*store.AgentReports)
	for record, err := range tx.AllAgentReports() {
		if err != nil {
			return err
		}
		if len(record.Faulty()) > 0 {
			v.FaultyAgents[record.Agent] = record
		}
	}
	return nil
}

func Collect[T any](things iter.Seq2[*T, error]) ([]*T, error) {
	var all []*T
	for thing, err := range things {
		if err != nil {
			return nil, err
		}
		all = append(all, thing)
	}
	return all, nil
}

// computeRelations computes the fields that relate things to each other.
func (v *Snapshot) computeRelations() {
	v.HostByID, v.ClusterByID, v.DatabaseByID = ByID(v.Hosts, idOfHost), ByID(v.Clusters, idOfCluster), ByID(v.Databases, idOfDatabase)
	v.Running = make(map[landscape.HostID][]System)
	run := func(id landscape.HostID, s System) {
		if !slices.Contains(v.Running[id], s) {
			v.Running[id] = append(v.Running[id], s)
		}
	}
	for _, db := range v.Databases {
		for i := range db.Instances {
			host := db.Instances[i].HostID
			run(host, System{LinkToDatabase(db), true, !db.ListedOn(host)})
		}
	}
	for _, s := range v.Systems {
		for i := range s.Instances {
			host := s.Instances[i].HostID
			run(host, System{LinkToSAPSystem(s), false, !s.ListedOn(host)})
		}
	}
	for _, systems := range v.Running {
		slices.SortFunc(systems, func(a, b System) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(boolRank(a.Absent), boolRank(b.Absent)), cmp.Compare(a.URL, b.URL))
		})
	}
}

// boolRank sorts things of which something is true after the others.
func boolRank(holds bool) int {
	if holds {
		return 1
	}
	return 0
}

func ByID[ID comparable, T any](things []*T, id func(*T) ID) map[ID]*T {
	found := make(map[ID]*T, len(things))
	for _, thing := range things {
		found[id(thing)] = thing
	}
	return found
}

func LinkToDatabase(db *landscape.Database) Link {
	return Link{Name: db.SID, URL: "/databases/" + string(db.ID)}
}

func LinkToSAPSystem(s *landscape.SAPSystem) Link {
	return Link{Name: s.SID, URL: "/sap_systems/" + string(s.ID)}
}

func LinkToCluster(c *landscape.Cluster) Link {
	l := Link{Name: ClusterName(c), URL: "/clusters/" + string(c.ID)}
	if Unnamed(c) {
		l.Whole = string(c.ID)
	}
	return l
}

// LinkToHost returns a link to a host, which may have been cleaned up.
func (v *Snapshot) LinkToHost(id landscape.HostID) Link {
	if h := v.HostByID[id]; h != nil {
		return Link{Name: h.Hostname, URL: "/hosts/" + string(id)}
	}
	return Link{Name: string(id), Gone: "Host currently not registered."}
}

// PathOf returns the path of the page of the thing with an id; "" if it is not
// registered. It knows the things that others are explained by: hosts and
// databases.
func (v *Snapshot) PathOf(id string) string {
	if v.HostByID[landscape.HostID(id)] != nil {
		return "/hosts/" + id
	}
	if db := v.DatabaseByID[landscape.DatabaseID(id)]; db != nil {
		return LinkToDatabase(db).URL
	}
	return ""
}

// ClusterOf returns the cluster of a host; nil if there is none.
func (v *Snapshot) ClusterOf(id landscape.HostID) *landscape.Cluster {
	if h := v.HostByID[id]; h != nil && h.ClusterID != "" {
		return v.ClusterByID[h.ClusterID]
	}
	return nil
}

// ClusterRunning returns a link to the cluster that runs an instance on a host;
// an empty one if no cluster does.
func (v *Snapshot) ClusterRunning(id landscape.HostID, sid, number string) Link {
	c := v.ClusterOf(id)
	if c == nil || !slices.ContainsFunc(c.SAPInstances, func(i landscape.ClusteredInstance) bool { return i.SID == sid && i.Number == number }) {
		return Link{}
	}
	return LinkToCluster(c)
}

// Names returns the names of links, each once, in their order.
func Names(links []Link) []string {
	texts := make([]string, 0, len(links))
	for _, l := range links {
		if !slices.Contains(texts, l.Name) {
			texts = append(texts, l.Name)
		}
	}
	return texts
}

// countCritical returns the number of critical things.
func countCritical[T any](things []*T, health func(*T) landscape.Health) int {
	critical := 0
	for _, thing := range things {
		if health(thing) == landscape.HealthCritical {
			critical++
		}
	}
	return critical
}

// ClusterName returns the name of a cluster, or the beginning of its id.
func ClusterName(c *landscape.Cluster) string {
	if Unnamed(c) {
		return ShortID(string(c.ID))
	}
	return *c.Name
}

func Unnamed(c *landscape.Cluster) bool { return c.Name == nil || *c.Name == "" }

// ShortID returns the beginning of an id. Pages show the full id as well.
func ShortID(id string) string {
	const read = 8
	if len(id) <= read {
		return id
	}
	return id[:read] + "…"
}

// TagsOf returns the tags of a thing.
func (v *Snapshot) TagsOf(kind store.TagKind, id string) []string {
	return v.Tags[taggedThing{kind, id}]
}
