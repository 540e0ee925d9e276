package landscape

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
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
	Attention []incidentRow
	More      []page.ActionLink // links to things that do not fit into the list of attention
	Sites     *siteSummary
	Checks    []checksSummary // none: no checks are selected
	Activity  recentLog
	FirstSteps
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
	var snapshot *page.Snapshot
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, func(v *page.Snapshot) []*overviewItem {
		p.Hosts, snapshot = len(v.Hosts), v
		p.More, p.Sites, p.Checks = cleanableLinks(v), mapOf(v).summary(maxSummary), s.summarizeChecks(v)
		return dashboardTable.List(v)
	})
	if err != nil {
		return err
	}
	if len(p.Checks) > 0 {
		p.Live += " checked_group"
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
	if err := s.fillAttention(r.Context(), &p, snapshot); err != nil {
		return err
	}
	if err := s.addWaiverLink(r.Context(), &p); err != nil {
		return err
	}
	if p.Activity, err = s.readLatestEntries(r.Context(), who); err != nil {
		return err
	}
	if p.FirstSteps, err = s.readFirstSteps(r.Context(), p.Reader, p.Hosts > 0); err != nil {
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
