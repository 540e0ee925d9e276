package landscape

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// ReplicationState is the state of the replication from one site to another.
type ReplicationState string

// The states of a replication. ReplicationUnknown means that nobody has
// reported the state, or that the report is out of date.
const (
	ReplicationActive     ReplicationState = "active"
	ReplicationCatchingUp ReplicationState = "catching up"
	ReplicationBroken     ReplicationState = "broken"
	ReplicationUnknown    ReplicationState = "unknown"
)

// Health returns the health that belongs to the state.
func (s ReplicationState) Health() Health {
	switch s {
	case ReplicationActive:
		return HealthPassing
	case ReplicationCatchingUp:
		return HealthWarning
	case ReplicationBroken:
		return HealthCritical
	}
	return HealthUnknown
}

// ReplicationChain is the system replication of a database: its sites, and
// which site replicates from which. A chain has a site for each source that
// reports name, even if no agent reports from it.
type ReplicationChain struct {
	// Sites are ordered: the primary first, and each site behind its source.
	Sites []ReplicationSite
}

// ReplicationSite is a site of a system replication.
type ReplicationSite struct {
	Name string // "" for the instances that report no site
	Role string // PrimaryRole or SecondaryRole; "" if it is not known
	Tier int    // 0 if it is not known
	// Source is the index of the site from which it replicates; -1 if there is
	// none, or if it is not known.
	Source        int
	Mode          string
	OperationMode string

	// State is the state of the replication from the source. It is also set if a
	// site ought to have a source and has none. It is "" for a primary site.
	State ReplicationState
	// Status is the word of HANA or the cluster for the state, such as ERROR or
	// SFAIL; "" if neither has said one.
	Status string
	// Reason says in words why the state is not ReplicationActive.
	Reason string
	// Since is the time since when the state is as it is; nil if it was like that
	// when it was first reported.
	Since *time.Time

	// Instances are the instances at the site, in the order of the database. It
	// has none if the site is only known from others.
	Instances []*DatabaseInstance
	// Spokesman is the instance whose report describes the site; nil without
	// instances.
	Spokesman *DatabaseInstance

	sourceName string // as reported; "" if none was reported
	sourceID   *int   // id of the primary site; used if no source was reported
	cluster    *Cluster
	inCluster  *HANASite // the site as its cluster sees it; nil if it does not
	isCircular bool      // following the sources from here leads back here
}

// IsReplicated reports whether the database of an instance is replicated.
func (r *Replication) IsReplicated() bool { return r.Role != nil }

// ReplicationChainOf returns the system replication of a database with these
// instances. clusters are the clusters of its hosts; those of other databases
// do not count. Without instances, the chain has the sites that the clusters
// report. It has no sites if nothing is replicated.
func ReplicationChainOf(instances []DatabaseInstance, clusters ...*Cluster) ReplicationChain {
	b := chainBuilder{byName: make(map[string]*ReplicationSite)}
	if !b.addInstances(instances) && len(instances) > 0 {
		return ReplicationChain{}
	}
	for _, c := range clusters {
		isOfDatabase := len(instances) == 0 || slices.ContainsFunc(instances, func(i DatabaseInstance) bool { return i.SID == c.SID() })
		if c.HANA != nil && isOfDatabase {
			b.addCluster(c)
		}
	}
	b.addSources()
	b.order()
	for _, s := range b.ordered {
		b.judge(s)
	}
	b.markSecondPrimaries()
	return b.chain()
}

// chainBuilder collects what is known of the sites of a replication.
type chainBuilder struct {
	sites   []*ReplicationSite // in the order in which they were found
	byName  map[string]*ReplicationSite
	ordered []*ReplicationSite
	sources map[*ReplicationSite]*ReplicationSite
}

func (b *chainBuilder) siteNamed(name string) *ReplicationSite {
	s, ok := b.byName[name]
	if !ok {
		s = &ReplicationSite{Name: name, Source: -1}
		b.byName[name] = s
		b.sites = append(b.sites, s)
	}
	return s
}

// addInstances groups the instances by site. It adds nothing, and returns
// false, if none of them is replicated.
func (b *chainBuilder) addInstances(instances []DatabaseInstance) bool {
	if !slices.ContainsFunc(instances, func(i DatabaseInstance) bool { return i.IsReplicated() }) {
		return false
	}
	for i := range instances {
		s := b.siteNamed(emptyIfNil(instances[i].Site))
		s.Instances = append(s.Instances, &instances[i])
	}
	for _, s := range b.sites {
		s.Spokesman = representativeOf(s.Instances)
		i := s.Spokesman
		s.Role, s.Mode, s.OperationMode = emptyIfNil(i.Role), emptyIfNil(i.Mode), emptyIfNil(i.OperationMode)
		s.sourceName, s.sourceID = emptyIfNil(i.SourceSite), i.ActivePrimarySite
		if s.Role == PrimaryRole {
			s.sourceName, s.sourceID = "", nil
		}
		for _, i := range s.Instances {
			if i.Tier != nil && *i.Tier > 0 && (s.Tier == 0 || *i.Tier < s.Tier) {
				s.Tier = *i.Tier
			}
		}
	}
	return true
}

// representativeOf returns the instance whose report describes its site: one that
// its host lists and that is up to date, or else the one that was up to date
// last.
func representativeOf(instances []*DatabaseInstance) *DatabaseInstance {
	better := func(a, b *DatabaseInstance) bool {
		switch {
		case (a.AbsentSince == nil) != (b.AbsentSince == nil):
			return a.AbsentSince == nil
		case b.StaleSince == nil:
			return false
		}
		return a.StaleSince == nil || a.StaleSince.After(*b.StaleSince)
	}
	best := instances[0]
	for _, i := range instances[1:] {
		if better(i, best) {
			best = i
		}
	}
	return best
}

// addCluster adds what a cluster knows of the sites. A cluster describes only
// the sites whose hosts are in it.
func (b *chainBuilder) addCluster(c *Cluster) {
	var primary *ReplicationSite
	fromCluster := len(b.sites) == 0
	for i := range c.HANA.Sites {
		seen := &c.HANA.Sites[i]
		if b.byName[seen.Name] == nil && seen.Name == "Unknown" {
			continue // the word of a cluster that does not know the name of a site
		}
		s := b.siteNamed(seen.Name)
		if s.cluster == nil {
			s.cluster, s.inCluster = c, seen
		}
		if s.Spokesman == nil && s.Role == "" && seen.State == PrimaryRole {
			s.Role, s.Tier = PrimaryRole, 1
		}
		if s.Role == PrimaryRole && primary == nil {
			primary = s
		}
	}
	for i := range c.HANA.Sites {
		s := b.byName[c.HANA.Sites[i].Name]
		if s == nil || s == primary || s.Spokesman != nil || s.Role != "" {
			continue
		}
		s.Role, s.Mode, s.OperationMode = SecondaryRole, c.HANA.ReplicationMode, c.HANA.OperationMode
		if primary != nil {
			s.sourceName = primary.Name
			if fromCluster || primary.Tier == 1 {
				s.Tier = 2
			}
		}
	}
}

// addSources finds the source of each site, and adds the sources from which no
// agent reports.
func (b *chainBuilder) addSources() {
	b.sources = make(map[*ReplicationSite]*ReplicationSite)
	for _, s := range slices.Clone(b.sites) {
		switch {
		case s.sourceName != "":
			b.sources[s] = b.siteNamed(s.sourceName)
		case s.sourceID != nil:
			if i := slices.IndexFunc(b.sites, func(o *ReplicationSite) bool {
				return o != s && slices.ContainsFunc(o.Instances, func(i *DatabaseInstance) bool { return i.SiteID != nil && *i.SiteID == *s.sourceID })
			}); i >= 0 {
				b.sources[s] = b.sites[i]
			}
		}
	}
}

// order orders the sites: each behind its source, the sites of one source by
// tier and name. Reports that contradict each other can form a circle. It is
// cut in front of the site with the lowest tier.
func (b *chainBuilder) order() {
	targets := make(map[*ReplicationSite][]*ReplicationSite)
	slices.SortStableFunc(b.sites, compareSites)
	for _, s := range b.sites {
		if source := b.sources[s]; source != nil {
			targets[source] = append(targets[source], s)
		}
	}
	place := make(map[*ReplicationSite]int)
	visit := func(root *ReplicationSite) {
		for next := []*ReplicationSite{root}; len(next) > 0; {
			s := next[len(next)-1]
			next = next[:len(next)-1]
			if _, known := place[s]; known {
				continue
			}
			place[s] = len(b.ordered)
			b.ordered = append(b.ordered, s)
			if source := b.sources[s]; source != nil && s != root {
				s.Source = place[source]
				if s.Tier == 0 && source.Tier > 0 {
					s.Tier = source.Tier + 1
				}
			}
			for _, t := range slices.Backward(targets[s]) {
				next = append(next, t)
			}
		}
	}
	for _, s := range b.sites {
		if b.sources[s] == nil {
			visit(s)
		}
	}
	for _, s := range b.sites { // what is left is in a circle, or behind one
		if _, known := place[s]; !known {
			s.isCircular = true
			visit(s)
		}
	}
}

// compareSites orders sites that have the same source, or none: running
// primaries first.
func compareSites(a, b *ReplicationSite) int {
	rank := func(s *ReplicationSite) int {
		switch {
		case s.Role == PrimaryRole && !s.IsDown():
			return 0
		case s.Role == PrimaryRole:
			return 1
		}
		return 2
	}
	tier := func(s *ReplicationSite) int { return cmp.Or(s.Tier, 1<<30) }
	newest := func(s *ReplicationSite) int64 {
		if s.Spokesman == nil || s.Spokesman.ReplicationChangedAt == nil {
			return 0
		}
		return -s.Spokesman.ReplicationChangedAt.UnixNano()
	}
	order := cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(tier(a), tier(b)))
	if order == 0 && rank(a) == 0 {
		order = cmp.Compare(newest(a), newest(b)) // the site that took over last
	}
	return cmp.Or(order, strings.Compare(a.Name, b.Name))
}

// IsDown reports whether none of the instances at the site runs.
func (s *ReplicationSite) IsDown() bool {
	return len(s.Instances) > 0 && !slices.ContainsFunc(s.Instances, func(i *DatabaseInstance) bool {
		return i.AbsentSince == nil && i.Status != Gray
	})
}

// title returns the name of the site for a sentence.
func (s *ReplicationSite) title() string {
	if s.Name == "" {
		return "the site without a name"
	}
	return "site " + s.Name
}

func (b *chainBuilder) chain() ReplicationChain {
	c := ReplicationChain{Sites: make([]ReplicationSite, len(b.ordered))}
	for i, s := range b.ordered {
		c.Sites[i] = *s
	}
	return c
}

// IsReplicated reports whether there is a replication.
func (c *ReplicationChain) IsReplicated() bool { return len(c.Sites) > 0 }
