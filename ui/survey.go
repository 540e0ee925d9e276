package ui

import (
	"cmp"
	"errors"
	"iter"
	"slices"

	"trento/store"
	"trento/store/landscape"
)

// survey is the landscape at one moment with how its things belong together,
// as the overviews need it. It is read in one pass: what a row shows of other
// things is found here and never looked up row by row.
type survey struct {
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

	seq uint64 // the change it is as new as
}

// tagged is a thing that tags can be on.
type tagged struct {
	kind store.TagKind
	id   string
}

// survey is the landscape as a read sees it, with all that belongs together.
// While nothing changes it is the same for all readers, and made once; it
// must not be modified.
func (s *server) survey(tx *store.Tx) (*survey, error) {
	seq := tx.LastChange()
	if v := s.surveyed.Load(); v != nil && v.seq == seq {
		return v, nil
	}
	v, err := readSurvey(tx)
	if err != nil {
		return nil, err
	}
	v.seq = seq
	v.relate()
	if err := v.readTags(tx); err != nil {
		return nil, err
	}
	s.surveyed.Store(v)
	return v, nil
}

// readTags reads the tags of everything.
func (v *survey) readTags(tx *store.Tx) error {
	v.tags = make(map[tagged][]string)
	var err error
	read := func(kind store.TagKind, id string) {
		values, fault := tagValues(tx, kind, id)
		if err = errors.Join(err, fault); len(values) > 0 {
			v.tags[tagged{kind, id}] = values
		}
	}
	for _, h := range v.hosts {
		read(store.HostTag, string(h.ID))
	}
	for _, c := range v.clusters {
		read(store.ClusterTag, string(c.ID))
	}
	for _, db := range v.databases {
		read(store.DatabaseTag, string(db.ID))
	}
	for _, system := range v.systems {
		read(store.SAPSystemTag, string(system.ID))
	}
	return err
}

// system is a database or an SAP system.
type system struct {
	link
	database bool
}

// readSurvey reads the registered things. What belongs together is found by
// relate.
func readSurvey(tx *store.Tx) (*survey, error) {
	v := new(survey)
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
	v.systems, err = collect(tx.SAPSystems())
	return v, err
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
func (v *survey) relate() {
	v.hostByID = byID(v.hosts, func(h *landscape.Host) landscape.HostID { return h.ID })
	v.clusterByID = byID(v.clusters, func(c *landscape.Cluster) landscape.ClusterID { return c.ID })
	v.databaseByID = byID(v.databases, func(db *landscape.Database) landscape.DatabaseID { return db.ID })
	v.running = make(map[landscape.HostID][]system)
	run := func(id landscape.HostID, s system) {
		if !slices.Contains(v.running[id], s) {
			v.running[id] = append(v.running[id], s)
		}
	}
	for _, db := range v.databases {
		for i := range db.Instances {
			run(db.Instances[i].HostID, system{linkToDatabase(db), true})
		}
	}
	for _, s := range v.systems {
		for i := range s.Instances {
			run(s.Instances[i].HostID, system{linkToSAPSystem(s), false})
		}
	}
	for _, systems := range v.running {
		slices.SortFunc(systems, func(a, b system) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.URL, b.URL)) })
	}
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
	return link{Name: nameOfCluster(c), URL: "/clusters/" + string(c.ID)}
}

// linkToHost leads to a host, which may have been cleaned up.
func (v *survey) linkToHost(id landscape.HostID) link {
	if h := v.hostByID[id]; h != nil {
		return link{Name: h.Hostname, URL: "/hosts/" + string(id)}
	}
	return link{Name: string(id), Gone: "Host currently not registered."}
}

// clusterOf is the cluster of a host, or nil.
func (v *survey) clusterOf(id landscape.HostID) *landscape.Cluster {
	if h := v.hostByID[id]; h != nil && h.ClusterID != "" {
		return v.clusterByID[h.ClusterID]
	}
	return nil
}

// clusterRunning is the cluster that runs an instance on a host; empty where
// the instance is no part of one.
func (v *survey) clusterRunning(id landscape.HostID, sid, number string) link {
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
