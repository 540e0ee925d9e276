package landscape

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	activitypages "trento/ui/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// dashboardPage is an overview of the landscape.
type dashboardPage struct {
	table.Page
	Rows      []overviewRow
	Hosts     int // number of registered hosts, shown as long as there are no systems
	Attention []attentionRow
	More      []page.ActionLink // links to things that do not fit into the list of attention
	Activity  recentLog
}

// Template implements page.Page.
func (*dashboardPage) Template() string { return "dashboard" }

// overviewRow is an SAP system, with a symbol for each part that it depends on.
type overviewRow struct {
	ID, Version string
	SID         page.Link
	Parts       []overviewPart
	Stale       bool
}

// overviewPart is the health of a part of a system. Health is empty if the
// system has no such part.
type overviewPart struct {
	Key, Label string
	Health     page.HealthMark
	URL        string
}

// overviewItem is an SAP system on the dashboard.
type overviewItem struct {
	*landscape.SAPSystem
	parts [5]systemPart
}

// systemPart is the state of a part of a system, if the system has it.
type systemPart struct {
	exists      bool
	health      landscape.Health
	silentSince *time.Time // time since which a host of the part is silent; nil if none is
	url         string
}

// The indexes of overviewItem.parts, in the order of the columns.
const (
	applicationPart = iota
	applicationClusterPart
	databasePart
	databaseClusterPart
	hostsPart
)

// overviewParts describes the columns: key, label, and the text for readers who
// cannot see the symbol.
var overviewParts = [...]struct{ key, label, prefix string }{
	{"application", "Application instances", "Application"},
	{"application_cluster", "Application cluster", "Application Cluster"},
	{"database", "Database", "Database"},
	{"database_cluster", "Database cluster", "Database Cluster"},
	{"hosts", "Hosts", "Hosts"},
}

// dashboardTable declares the table of the dashboard.
var dashboardTable = table.Table[*overviewItem]{
	Path: "/", Noun: "SAP system", Items: overviewItems, ID: func(g *overviewItem) string { return string(g.SAPSystem.ID) },
	Columns: append([]table.Column[*overviewItem]{
		table.HealthColumn((*overviewItem).worstHealth),
		{Key: "sid", Label: "SID", Text: func(g *overviewItem) string { return g.SID }},
	}, overviewColumns()...),
	Flags:  []table.Flag[*overviewItem]{table.StaleFlag((*overviewItem).silentSince)},
	Health: (*overviewItem).worstHealth,
	Urgent: func(a, b *overviewItem) int {
		return cmp.Compare(table.UrgencyRank(a.worstHealth(), a.silentSince()), table.UrgencyRank(b.worstHealth(), b.silentSince()))
	},
	Tie: func(a, b *overviewItem) int {
		return cmp.Or(table.FoldCompare(a.SID, b.SID), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func overviewColumns() []table.Column[*overviewItem] {
	columns := make([]table.Column[*overviewItem], len(overviewParts))
	for i, p := range overviewParts {
		columns[i] = table.Column[*overviewItem]{
			Key: p.key, Label: p.label,
			Text: func(g *overviewItem) string {
				if !g.parts[i].exists {
					return "Not available"
				}
				return page.HealthWord(g.parts[i].health)
			},
			Order: func(g *overviewItem) string { return table.OrderOfNumber(g.parts[i].urgencyRank()) },
		}
	}
	return columns
}

// urgencyRank orders parts by urgency. A part that does not exist comes last.
func (p systemPart) urgencyRank() int {
	if !p.exists {
		return len(page.HealthWords)
	}
	return page.HealthRank(p.health)
}

// worstHealth returns the worst health of the parts. It is unknown only if the
// health of all parts is unknown.
func (g *overviewItem) worstHealth() landscape.Health {
	worst := landscape.HealthUnknown
	for _, p := range g.parts {
		switch h := page.ShownHealth(p.health); {
		case !p.exists || h == landscape.HealthUnknown:
		case worst == landscape.HealthUnknown || page.HealthRank(h) < page.HealthRank(worst):
			worst = h
		}
	}
	return worst
}

// silentSince returns when the first of the parts fell silent; nil if none is
// silentSince.
func (g *overviewItem) silentSince() *time.Time {
	var first *time.Time
	for _, p := range g.parts {
		first = earlierTime(first, p.silentSince)
	}
	return first
}

func earlierTime(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func overviewItems(v *page.Snapshot) []*overviewItem {
	all := make([]*overviewItem, len(v.Systems))
	for i, s := range v.Systems {
		all[i] = newOverviewItem(v, s)
	}
	return all
}

// newOverviewItem reads the state of everything that an SAP system depends on.
func newOverviewItem(v *page.Snapshot, s *landscape.SAPSystem) *overviewItem {
	g := &overviewItem{SAPSystem: s}
	var hosts []landscape.HostID
	var healths []landscape.Health
	application := systemPart{exists: true, url: page.LinkToSAPSystem(s).URL}
	for i := range s.Instances {
		in := &s.Instances[i]
		healths, hosts = append(healths, in.Status.Health()), append(hosts, in.HostID)
		application.silentSince = earlierTime(application.silentSince, in.StaleSince)
	}
	application.health = landscape.Worst(healths...)
	g.parts[applicationPart], g.parts[applicationClusterPart] = application, firstCluster(v, hosts)

	names := url.Values{"sid": {s.SID}}
	if db := v.DatabaseByID[s.DatabaseID]; db != nil {
		g.parts[databasePart] = systemPart{exists: true, health: db.Health, silentSince: db.StaleSince, url: page.LinkToDatabase(db).URL}
		var databaseHosts []landscape.HostID
		for i := range db.Instances {
			databaseHosts = append(databaseHosts, db.Instances[i].HostID)
		}
		g.parts[databaseClusterPart] = firstCluster(v, databaseHosts)
		hosts = append(hosts, databaseHosts...)
		if db.SID != s.SID {
			names.Add("sid", db.SID)
		}
	}
	g.parts[hostsPart] = combinedState(v, hosts)
	g.parts[hostsPart].url = page.WithQuery("/hosts", names)
	return g
}

// firstCluster returns the state of the first cluster among some hosts.
func firstCluster(v *page.Snapshot, hosts []landscape.HostID) systemPart {
	for _, id := range hosts {
		if c := v.ClusterOf(id); c != nil {
			return systemPart{exists: true, health: c.Health, silentSince: c.StaleSince, url: page.LinkToCluster(c).URL}
		}
	}
	return systemPart{}
}

// combinedState returns the combined state of some hosts.
func combinedState(v *page.Snapshot, hosts []landscape.HostID) systemPart {
	p := systemPart{exists: true}
	var healths []landscape.Health
	for _, id := range hosts {
		if h := v.HostByID[id]; h != nil {
			healths = append(healths, h.Health)
			p.silentSince = earlierTime(p.silentSince, h.StaleSince)
		}
	}
	p.health = landscape.Worst(healths...)
	return p
}

// showDashboard answers GET /.
func (s *Pages) showDashboard(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := dashboardPage{Page: table.NewPage(s.Console, r, &dashboardTable, "At a glance")}
	p.Title, p.Live = "Dashboard", "host cluster database sap_system activity agent_report"
	var needs []attentionItem
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, func(v *page.Snapshot) []*overviewItem {
		p.Hosts, needs = len(v.Hosts), attentionItems(v, p.Reader)
		p.More = cleanableLinks(v)
		return dashboardTable.List(v)
	})
	if err != nil {
		return err
	}
	onPage, _, ok, err := dashboardTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	for _, g := range onPage {
		p.Rows = append(p.Rows, s.newOverviewRow(g))
	}
	who, err := activitypages.NewViewer(p.Identity())
	if err != nil {
		return err
	}
	if err := s.fillAttention(r.Context(), &p, who, needs); err != nil {
		return err
	}
	if p.Activity, err = s.readLatestEntries(r.Context(), who); err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func (s *Pages) newOverviewRow(g *overviewItem) overviewRow {
	row := overviewRow{ID: string(g.ID), Version: table.Version(g.UpdatedAt), SID: page.LinkToSAPSystem(g.SAPSystem), Stale: g.silentSince() != nil}
	for i, p := range g.parts {
		name := overviewParts[i]
		shape := overviewPart{Key: name.key, Label: name.label, URL: p.url, Health: page.NewHealthMark(name.prefix, p.health, s.TimestampOf(p.silentSince))}
		if !p.exists {
			shape.Health = page.HealthMark{State: "not_available", Word: "Not available", Name: name.prefix + " Health: Not available"}
		}
		shape.Health.Bare = true
		row.Parts = append(row.Parts, shape)
	}
	return row
}

// maxLatestEntries is the number of log entries on the dashboard.
const maxLatestEntries = 8

// readLatestEntries returns the newest entries of the activity log.
func (s *Pages) readLatestEntries(ctx context.Context, who activitypages.Viewer) (recentLog, error) {
	f := who.All
	f.Severities = []activity.Severity{activity.Info, activity.Warning, activity.Critical}
	found, err := who.Find(ctx, s.Search, f, search.Walk{Limit: maxLatestEntries})
	if err != nil {
		return recentLog{}, err
	}
	all := recentLog{URL: "/activity_log"}
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		known := activitypages.RegisteredPages(tx)
		for _, e := range found.Entries {
			all.Rows = append(all.Rows, s.activity.NewEntryRow(who, e, url.Values{}, known))
		}
		return nil
	})
	return all, err
}

// attentionRow is a line in the list of what needs attention.
type attentionRow struct {
	ID     string // id of the row
	Health page.HealthMark
	Kind   string
	Name   page.Link
	Words  string
	Since  page.Timestamp // zero if that is before the part of the log that is read
}

// attentionItem is a thing that needs attention, with the reason.
type attentionItem struct {
	kind        string
	path        string // path of the list of its kind
	id          string
	name        page.Link
	health      landscape.Health
	cause       string // cause of the health, if it is known
	silentSince *time.Time
	since       time.Time
	report      string // what is wrong with the reports of the agent; empty if nothing is
	markText    string // text of the warning symbol beside report; empty: "Report cannot be used"
}

// attentionItems returns things whose health is critical or warning, that are
// silent, that share their id, or whose reports cannot be used. Agents without
// a registered host are only for readers who may see them.
func attentionItems(v *page.Snapshot, reader page.Reader) []attentionItem {
	var all []attentionItem
	add := func(kind, path, id string, name page.Link, h landscape.Health, cause string, silent *time.Time) {
		if h == landscape.HealthCritical || h == landscape.HealthWarning || silent != nil {
			all = append(all, attentionItem{kind: kind, path: path, id: id, name: name, health: h, cause: cause, silentSince: silent})
		}
	}
	for _, s := range v.Systems {
		add("SAP system", SAPSystemsTable.Path, string(s.ID), page.LinkToSAPSystem(s), s.Health, s.Cause(), nil)
	}
	for _, db := range v.Databases {
		add("HANA database", DatabasesTable.Path, string(db.ID), page.LinkToDatabase(db), db.Health, db.Cause(), nil)
	}
	for _, c := range v.Clusters {
		add("Cluster", ClustersTable.Path, string(c.ID), page.LinkToCluster(c), c.Health, c.Cause(), nil)
	}
	for _, h := range v.Hosts {
		add("Host", HostsTable.Path, string(h.ID), v.LinkToHost(h.ID), h.Health, h.Cause(), h.StaleSince)
		if h.Shared() {
			all = append(all, attentionItem{
				kind: "Host", path: HostsTable.Path, id: string(h.ID), name: v.LinkToHost(h.ID), health: landscape.HealthWarning,
				report: "shares its id with " + page.Count(len(h.Machines())-1, "other machine", "other machines"), since: *h.MachineHistory.SharedSince, markText: "Shared id",
			})
		}
	}
	for id, record := range v.FaultyAgents {
		if h := v.HostByID[id]; h != nil && h.StaleSince != nil {
			continue // a silent host sends no reports at all
		}
		item := attentionItem{kind: "Host", path: HostsTable.Path, id: string(id), name: v.LinkToHost(id), health: landscape.HealthWarning}
		item.report, item.since = reportProblem(record)
		if v.HostByID[id] == nil {
			item.kind, item.path, item.name = "Agent", agentsTable.Path, page.Link{Name: string(id), URL: page.WithQuery(agentsTable.Path, url.Values{"q": {string(id)}})}
			if !reader.Can(page.AbilityAPIKey) {
				continue
			}
		}
		all = append(all, item)
	}
	return all
}

const (
	// maxAttention is the largest number of things in the list of what needs
	// attention.
	maxAttention = 10
	// maxLookback is the number of health changes in the log that are read to
	// find since when something needs attention.
	maxLookback = 400
)

// healthChanges are the types of entries about changes of health.
var healthChanges = []activity.Type{
	activity.TypeHostHealthChanged, activity.TypeClusterHealthChanged, activity.TypeDatabaseHealthChanged, activity.TypeSAPSystemHealthChanged,
}

// fillAttention fills the list of what needs attention. Things that changed
// most recently come first, as far back as the log is read. Older things
// follow, the worst first.
func (s *Pages) fillAttention(ctx context.Context, p *dashboardPage, who activitypages.Viewer, needs []attentionItem) error {
	since, err := s.healthChangeTimes(ctx, who)
	if err != nil {
		return err
	}
	for i := range needs {
		n := &needs[i]
		if n.report != "" {
			continue // the fault of a report already has its time
		}
		n.since = since[n.id]
		if n.silentSince != nil && n.silentSince.After(n.since) {
			n.since = *n.silentSince
		}
	}
	slices.SortStableFunc(needs, func(a, b attentionItem) int {
		return cmp.Or(b.since.Compare(a.since), cmp.Compare(page.HealthRank(a.health), page.HealthRank(b.health)), table.FoldCompare(a.name.Name, b.name.Name), cmp.Compare(a.id, b.id))
	})
	listed := needs[:min(len(needs), maxAttention)]
	rows := make(map[string]int) // number of rows of each thing, which may be listed for several reasons
	for _, n := range listed {
		rows[n.id]++
		row := attentionRow{ID: fmt.Sprintf("%s-%d", n.id, rows[n.id]), Kind: n.kind, Name: n.name, Health: page.NewHealthMark(n.kind, n.health, s.TimestampOf(n.silentSince)), Words: attentionText(n)}
		if n.report != "" { // the row is about the reports, not about the health
			row.Health = page.HealthMark{State: string(landscape.HealthWarning), Word: "Warning", Name: cmp.Or(n.markText, "Report cannot be used")}
		}
		if row.Health.Bare = true; !n.since.IsZero() {
			row.Since = s.Timestamp(n.since)
		}
		p.Attention = append(p.Attention, row)
	}
	p.More = append(linksToRest(needs[len(listed):]), p.More...)
	return nil
}

// linksToRest returns links to the lists with the things that are not shown.
func linksToRest(rest []attentionItem) []page.ActionLink {
	var ways []page.ActionLink
	for _, k := range []page.Taggable{page.SAPSystemTags, page.DatabaseTags, page.ClusterTags, page.HostTags} {
		n := 0
		for _, item := range rest {
			if item.path == k.Path {
				n++
			}
		}
		if n > 0 {
			ways = append(ways, page.ActionLink{Label: page.Count(n, "more "+k.Noun+" needs", "more "+k.Noun+"s need") + " attention", URL: k.Path})
		}
	}
	n := 0
	for _, item := range rest {
		if item.path == agentsTable.Path {
			n++
		}
	}
	if n > 0 {
		ways = append(ways, page.ActionLink{Label: page.Count(n, "more agent needs", "more agents need") + " attention", URL: agentsTable.Path})
	}
	return ways
}

// attentionText says what is wrong with a thing and, if the cause is known,
// why.
func attentionText(n attentionItem) string {
	var words []string
	switch {
	case n.report != "":
		return n.report
	case n.health == landscape.HealthCritical:
		words = append(words, "is critical")
	case n.health == landscape.HealthWarning:
		words = append(words, "has a warning")
	}
	if n.cause != "" {
		words = append(words, "because of "+n.cause)
	}
	switch {
	case n.silentSince == nil:
	case words == nil:
		words = []string{"does not report"}
	default:
		words = append(words, "and does not report")
	}
	return strings.Join(words, " ")
}

// healthChangeTimes returns the time since when each thing has its present
// health, by id.
func (s *Pages) healthChangeTimes(ctx context.Context, who activitypages.Viewer) (map[string]time.Time, error) {
	f := who.All
	f.Types = healthChanges
	found, err := who.Find(ctx, s.Search, f, search.Walk{Limit: maxLookback})
	if err != nil {
		return nil, err
	}
	since := make(map[string]time.Time)
	for _, e := range found.Entries {
		id := activity.Things(e.Event())[0].ID // each of healthChanges is about one thing
		if _, newer := since[id]; id != "" && !newer {
			since[id] = e.OccurredOn()
		}
	}
	return since, nil
}
