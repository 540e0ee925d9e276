package landscape

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// attentionRow is a line in the list of what needs attention.
type attentionRow struct {
	ID     string // id of the row
	Health page.HealthMark
	Kind   string
	Name   page.Link
	Words  string
	Since  page.Timestamp // zero if that was before the log begins
}

// attentionItem is a thing that needs attention, with the reason.
type attentionItem struct {
	kind        string
	thing       activity.ThingKind
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
	add := func(kind string, thing activity.ThingKind, path, id string, name page.Link, h landscape.Health, reasons landscape.Reasons, silent *time.Time) {
		if h == landscape.HealthCritical || h == landscape.HealthWarning || silent != nil {
			all = append(all, attentionItem{kind: kind, thing: thing, path: path, id: id, name: name, health: h, cause: reasons.Text(), silentSince: silent})
		}
	}
	for _, s := range v.Systems {
		add("SAP system", activity.SAPSystemThing, SAPSystemsTable.Path, string(s.ID), page.LinkToSAPSystem(s), s.Health, s.Reasons(v.DatabaseByID[s.DatabaseID]), nil)
	}
	for _, db := range v.Databases {
		add("HANA database", activity.DatabaseThing, DatabasesTable.Path, string(db.ID), page.LinkToDatabase(db), db.Health, db.Reasons(), nil)
	}
	for _, c := range v.Clusters {
		add("Cluster", activity.ClusterThing, ClustersTable.Path, string(c.ID), page.LinkToCluster(c), c.Health, c.Reasons(), nil)
	}
	for _, h := range v.Hosts {
		add("Host", activity.HostThing, HostsTable.Path, string(h.ID), v.LinkToHost(h.ID), h.Health, h.Reasons(), h.StaleSince)
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

// maxAttention is the largest number of things in the list of what needs
// attention.
const maxAttention = 10

// fillAttention fills the list of what needs attention. Things that changed
// most recently come first. Things that have not changed since the log begins
// follow, the worst first.
func (s *Pages) fillAttention(ctx context.Context, p *dashboardPage, needs []attentionItem) error {
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		for i := range needs {
			n := &needs[i]
			if n.report != "" {
				continue // the fault of a report already has its time
			}
			n.since, _ = tx.HealthSince(n.thing, n.id)
			if n.silentSince != nil && n.silentSince.After(n.since) {
				n.since = *n.silentSince
			}
		}
		return nil
	})
	if err != nil {
		return err
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
	words := ""
	switch {
	case n.report != "":
		return n.report
	case n.health == landscape.HealthCritical:
		words = "is critical"
	case n.health == landscape.HealthWarning:
		words = "has a warning"
	}
	switch {
	case n.silentSince == nil:
	case words == "":
		words = "does not report"
	default:
		words = "does not report and " + words
	}
	if n.cause != "" && words != "does not report" {
		words += ": " + n.cause
	}
	return words
}
