package landscape

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"trento/store/activity"
)

// IncidentKind says what an incident is about.
type IncidentKind string

// The kinds of incidents.
const (
	HealthIncident   IncidentKind = "health"    // the health of something is warning or critical
	SilenceIncident  IncidentKind = "silence"   // hosts do not report
	ReportIncident   IncidentKind = "report"    // what a host reports cannot be used
	SharedIDIncident IncidentKind = "shared_id" // several machines report as one host
	StaleIncident    IncidentKind = "stale"     // what is known of something is out of date for no known reason
)

// Incident is something that needs attention, with everything that needs
// attention because of it.
type Incident struct {
	Kind IncidentKind
	Root Affected
	// Together are other hosts that fell silent together with the root. Place is
	// what all of them have in common: a cluster or a zone; "" if there are
	// several.
	Together []Affected
	Place    string
	Symptoms []Affected // the most severe first
	// Since is the time since when the incident exists. It is zero for
	// HealthIncident: the time of the last change of the root's health.
	Since time.Time
	Fault string // what is wrong with the reports of the root; only for ReportIncident
}

// Affected is a thing that needs attention.
type Affected struct {
	Thing      Thing
	Name       string // hostname, SID or name of a cluster; "" if a cluster has none
	Health     Health
	Reasons    Reasons    // why the health is warning or critical; else nil
	StaleSince *time.Time // since when its data are out of date; nil if they are not
}

// ReportFault says what is wrong with the reports of a host.
type ReportFault struct {
	Text  string
	Since time.Time
}

// Landscape has all registered things, each kind ordered by id.
type Landscape struct {
	Hosts      []*Host
	Clusters   []*Cluster
	Databases  []*Database
	SAPSystems []*SAPSystem
	Faults     map[HostID]ReportFault // hosts whose reports cannot be used
}

// silenceWindow is the largest time between hosts that fall silent together.
const silenceWindow = time.Minute

// incidents builds the list of incidents. The things that can be the cause of
// something are looked at before the things that depend on them.
type incidents struct {
	all        []*Incident
	silentHost map[HostID]*Incident
	faultyHost map[HostID]*Incident
	database   map[DatabaseID]*Incident // of databases that need attention
	databaseOn map[HostID][]*Database   // databases with an own incident or in another one
	systemOn   map[HostID][]*SAPSystem  // SAP systems whose instances are the cause of their health
	system     map[SAPSystemID]*Incident
	databases  map[DatabaseID]*Database
}

// Incidents groups everything that needs attention by its cause:
//
//   - Hosts that do not report are the cause of stale instances, databases, SAP
//     systems and clusters, and of clusters that lack a node because of it. Hosts
//     in one cluster or zone that fell silent within a minute are one incident.
//   - A report that cannot be used is the cause of the data it leaves stale.
//   - A database is the cause of the health of its SAP systems, and of a cluster
//     whose system replication is not in sync.
//   - An SAP system with an instance that does not pass is the cause of a cluster
//     whose central services are not distributed.
//   - Everything else is its own cause.
//
// Each thing that is warning, critical or stale is in one incident. In addition,
// hosts that share their id and hosts with faulty reports are incidents. The
// order is that of the things; see SortIncidents.
func Incidents(l Landscape) []*Incident {
	in := &incidents{
		silentHost: map[HostID]*Incident{}, faultyHost: map[HostID]*Incident{},
		database: map[DatabaseID]*Incident{}, databaseOn: map[HostID][]*Database{},
		system: map[SAPSystemID]*Incident{}, systemOn: map[HostID][]*SAPSystem{},
		databases: make(map[DatabaseID]*Database, len(l.Databases)),
	}
	in.addSilentHosts(l)
	for _, h := range l.Hosts {
		in.addHost(h, l.Faults)
	}
	for _, db := range l.Databases {
		in.databases[db.ID] = db
		in.addDatabase(db)
	}
	for _, s := range l.SAPSystems {
		in.addSAPSystem(s)
	}
	for _, c := range l.Clusters {
		in.addCluster(c)
	}
	for _, i := range in.all {
		slices.SortStableFunc(i.Symptoms, func(a, b Affected) int {
			return cmp.Or(cmp.Compare(a.severity(), b.severity()), strings.Compare(a.Name, b.Name))
		})
	}
	return in.all
}

// needsAttention reports whether a thing is warning, critical or stale.
func needsAttention(h Health, staleSince *time.Time) bool { return isTrouble(h) || staleSince != nil }

func isTrouble(h Health) bool { return h == HealthWarning || h == HealthCritical }

// add adds a thing to the incident that is its cause. Without one, the thing is
// an incident of its own, which add returns.
func (in *incidents) add(a Affected, cause *Incident) *Incident {
	if cause != nil {
		cause.Symptoms = append(cause.Symptoms, a)
		return cause
	}
	own := &Incident{Kind: HealthIncident, Root: a}
	if !isTrouble(a.Health) {
		own.Kind, own.Since = StaleIncident, *a.StaleSince
	}
	in.all = append(in.all, own)
	return own
}

func affectedHost(h *Host) Affected {
	a := Affected{Thing: h.Thing(), Name: h.Hostname, Health: h.Health, StaleSince: h.StaleSince}
	if isTrouble(h.Health) {
		a.Reasons = h.Reasons().Decisive()
	}
	return a
}

// addHost adds a host that reports: its health, its faulty reports and its
// shared id. A silent host sends no reports that could be faulty.
func (in *incidents) addHost(h *Host, faults map[HostID]ReportFault) {
	if fault, ok := faults[h.ID]; ok && h.StaleSince == nil {
		in.faultyHost[h.ID] = &Incident{Kind: ReportIncident, Root: Affected{Thing: h.Thing(), Name: h.Hostname, Health: h.Health}, Since: fault.Since, Fault: fault.Text}
		in.all = append(in.all, in.faultyHost[h.ID])
	}
	if h.Shared() {
		in.all = append(in.all, &Incident{Kind: SharedIDIncident, Root: Affected{Thing: h.Thing(), Name: h.Hostname, Health: h.Health}, Since: *h.MachineHistory.SharedSince})
	}
	if h.StaleSince == nil && isTrouble(h.Health) {
		in.add(affectedHost(h), nil)
	}
}

// addSilentHosts adds the hosts that do not report, together if they fell
// silent together.
func (in *incidents) addSilentHosts(l Landscape) {
	clusterNames := make(map[ClusterID]string, len(l.Clusters))
	for _, c := range l.Clusters {
		clusterNames[c.ID] = affectedCluster(c).Name
	}
	var silent []*Host
	for _, h := range l.Hosts {
		if h.StaleSince != nil {
			silent = append(silent, h)
		}
	}
	slices.SortStableFunc(silent, func(a, b *Host) int {
		return cmp.Or(a.StaleSince.Compare(*b.StaleSince), strings.Compare(a.Hostname, b.Hostname))
	})
	for _, group := range groupsOfSilent(silent) {
		i := &Incident{Kind: SilenceIncident, Root: affectedHost(group[0]), Since: *group[0].StaleSince}
		for _, h := range group[1:] {
			i.Together = append(i.Together, affectedHost(h))
		}
		if len(group) > 1 {
			i.Place = commonPlace(group, clusterNames)
		}
		for _, h := range group {
			in.silentHost[h.ID] = i
		}
		in.all = append(in.all, i)
	}
}

// groupsOfSilent groups silent hosts, which are ordered by time. Two hosts of a
// cluster or zone belong together if one fell silent within a minute after the
// other.
func groupsOfSilent(silent []*Host) [][]*Host {
	leader := make([]int, len(silent)) // index of the first host of the group
	find := func(i int) int {
		for leader[i] != i {
			leader[i] = leader[leader[i]]
			i = leader[i]
		}
		return i
	}
	last := map[string]int{} // the last host in a place
	for i, h := range silent {
		leader[i] = i
		for _, place := range h.places() {
			if before, ok := last[place]; ok && h.StaleSince.Sub(*silent[before].StaleSince) <= silenceWindow {
				a, b := find(before), find(i)
				leader[max(a, b)] = min(a, b)
			}
			last[place] = i
		}
	}
	groups := map[int][]*Host{}
	for i, h := range silent {
		groups[find(i)] = append(groups[find(i)], h)
	}
	sorted := make([][]*Host, 0, len(groups))
	for _, first := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[first])
	}
	return sorted
}

// places returns what a host can have in common with others that fall silent:
// its cluster and its zone.
func (h *Host) places() []string {
	var places []string
	if h.ClusterID != "" {
		places = append(places, "cluster "+string(h.ClusterID))
	}
	if zone := h.zone(); zone != "" {
		places = append(places, "zone "+zone)
	}
	return places
}

// zone returns where a host runs: the provider, with the smallest area that the
// provider names; "" if it is not known.
func (h *Host) zone() string {
	if h.Cloud == nil || h.Cloud.Provider == "" || h.Cloud.Provider == "unknown" {
		return ""
	}
	area := ""
	switch c := h.Cloud; {
	case c.Azure != nil:
		area = emptyIfNil(c.Azure.Location)
	case c.AWS != nil:
		area = cmp.Or(emptyIfNil(c.AWS.AvailabilityZone), emptyIfNil(c.AWS.Region))
	case c.GCP != nil:
		area = emptyIfNil(c.GCP.Zone)
	}
	return strings.TrimSpace(h.Cloud.Provider + " " + area)
}

// emptyIfNil returns a text; "" if it is nil.
func emptyIfNil(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// commonPlace returns the cluster or else the zone of all hosts; "" if they have
// none in common.
func commonPlace(hosts []*Host, clusterNames map[ClusterID]string) string {
	cluster, zone := hosts[0].ClusterID, hosts[0].zone()
	for _, h := range hosts[1:] {
		if h.ClusterID != cluster {
			cluster = ""
		}
		if h.zone() != zone {
			zone = ""
		}
	}
	if cluster != "" {
		return "cluster " + cmp.Or(clusterNames[cluster], string(cluster))
	}
	return zone
}

// staleCause returns the incident because of which the data from a host are
// stale; nil if there is none.
func (in *incidents) staleCause(host HostID) *Incident {
	return cmp.Or(in.silentHost[host], in.faultyHost[host])
}

// causeOfInstances returns the incident of a host that is the cause of the reasons
// that decide a health, if all of them are about hosts that no longer report what
// can be used. It returns nil if one of them is not.
func (in *incidents) causeOfInstances(decisive Reasons) *Incident {
	var cause *Incident
	for _, r := range decisive {
		at := in.staleCause(HostID(r.About.ID))
		if !r.Stale || at == nil {
			return nil
		}
		cause = cmp.Or(cause, at)
	}
	return cause
}

// causeOfStale returns the incident that is the cause of the first stale
// instance of a system; nil if there is none.
func (in *incidents) causeOfStale(s system) *Incident {
	for _, i := range s.instances() {
		if i.StaleSince != nil {
			if cause := in.staleCause(i.HostID); cause != nil {
				return cause
			}
		}
	}
	return nil
}

func (in *incidents) addDatabase(db *Database) {
	if !needsAttention(db.Health, db.StaleSince) {
		return
	}
	a := Affected{Thing: db.Thing(), Name: db.SID, Health: db.Health, StaleSince: db.StaleSince}
	if !isTrouble(db.Health) {
		in.database[db.ID] = in.add(a, in.causeOfStale(db))
		return
	}
	a.Reasons = db.Reasons().Decisive()
	in.database[db.ID] = in.add(a, in.causeOfInstances(a.Reasons))
	for _, host := range hostsOf(db) {
		in.databaseOn[host] = append(in.databaseOn[host], db)
	}
}

func (in *incidents) addSAPSystem(s *SAPSystem) {
	if !needsAttention(s.Health, s.StaleSince) {
		return
	}
	a := Affected{Thing: s.Thing(), Name: s.SID, Health: s.Health, StaleSince: s.StaleSince}
	if !isTrouble(s.Health) {
		cause := in.causeOfStale(s)
		if cause == nil && s.DatabaseStaleSince != nil {
			cause = in.database[s.DatabaseID]
		}
		in.system[s.ID] = in.add(a, cause)
		return
	}
	a.Reasons = s.Reasons(in.databases[s.DatabaseID]).Decisive()
	if slices.ContainsFunc(a.Reasons, func(r Reason) bool { return r.Part == DatabasePart }) && in.database[s.DatabaseID] != nil {
		in.system[s.ID] = in.add(a, in.database[s.DatabaseID])
		return
	}
	in.system[s.ID] = in.add(a, in.causeOfInstances(a.Reasons))
	for _, host := range hostsOf(s) {
		in.systemOn[host] = append(in.systemOn[host], s)
	}
}

func affectedCluster(c *Cluster) Affected {
	a := Affected{Thing: c.Thing(), Name: emptyIfNil(c.Name), Health: c.Health, StaleSince: c.StaleSince}
	if isTrouble(c.Health) {
		a.Reasons = c.Reasons().Decisive()
	}
	return a
}

func (in *incidents) addCluster(c *Cluster) {
	if !needsAttention(c.Health, c.StaleSince) {
		return
	}
	a := affectedCluster(c)
	if isTrouble(c.Health) {
		in.add(a, in.causeOfCluster(c, a.Reasons))
		return
	}
	for _, m := range c.Members {
		if cause := in.staleCause(m.HostID); m.Stale && cause != nil {
			in.add(a, cause)
			return
		}
	}
	in.add(a, nil)
}

// causeOfCluster returns the incident that is the cause of the health of a
// cluster; nil if one of the decisive reasons has no other cause.
func (in *incidents) causeOfCluster(c *Cluster, decisive Reasons) *Incident {
	var cause *Incident
	for _, r := range decisive {
		var at *Incident
		switch r.Part {
		case ReplicationPart, DistributionPart:
			at = in.causeOnNodes(c, r.Part)
		}
		if at == nil {
			return nil
		}
		cause = cmp.Or(cause, at)
	}
	return cause
}

// causeOnNodes returns the incident because of which a cluster lacks what a part
// of its health is about: a silent node, or a system on its nodes.
func (in *incidents) causeOnNodes(c *Cluster, part Part) *Incident {
	for _, m := range c.Members {
		if silent := in.silentHost[m.HostID]; silent != nil {
			return silent
		}
	}
	sids := append(c.AdditionalSIDs(), c.SID())
	for _, m := range c.Members {
		if part == ReplicationPart {
			for _, db := range in.databaseOn[m.HostID] {
				if slices.Contains(sids, db.SID) {
					return in.database[db.ID]
				}
			}
			continue
		}
		for _, s := range in.systemOn[m.HostID] {
			if slices.Contains(sids, s.SID) {
				return in.system[s.ID]
			}
		}
	}
	return nil
}

// severity orders things by how bad their state is; 0 is the worst. A host that
// does not report counts as critical.
func (a *Affected) severity() int {
	switch {
	case a.Health == HealthCritical || a.Thing.Kind == activity.HostThing && a.StaleSince != nil:
		return 0
	case a.Health == HealthWarning:
		return 1
	}
	return 2
}

// Severity orders incidents by how bad they are, by the worst thing in them; 0
// is the worst. Faulty reports and shared ids are warnings.
func (i *Incident) Severity() int {
	worst := i.Root.severity()
	if i.Kind == ReportIncident || i.Kind == SharedIDIncident {
		worst = 1
	}
	for _, a := range i.Symptoms {
		worst = min(worst, a.severity())
	}
	return worst
}

// Things returns the number of things in the incident.
func (i *Incident) Things() int { return 1 + len(i.Together) + len(i.Symptoms) }

// SortIncidents sorts incidents: the most severe first, then the newest, then by
// name. since returns the time since when a thing has its health; zero if that
// is not known.
func SortIncidents(all []*Incident, since func(Thing) time.Time) {
	type key struct {
		severity int
		since    time.Time
	}
	keys := make(map[*Incident]key, len(all))
	for _, i := range all {
		keys[i] = key{i.Severity(), i.Since}
		if i.Since.IsZero() {
			keys[i] = key{i.Severity(), since(i.Root.Thing)}
		}
	}
	slices.SortStableFunc(all, func(a, b *Incident) int {
		return cmp.Or(
			cmp.Compare(keys[a].severity, keys[b].severity), keys[b].since.Compare(keys[a].since),
			strings.Compare(strings.ToLower(a.Root.Name), strings.ToLower(b.Root.Name)), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Root.Thing.ID, b.Root.Thing.ID),
		)
	})
}
