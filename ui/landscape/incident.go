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
	"trento/ui/api"
	"trento/ui/page"
)

// incidentRow is an incident in the list of what needs attention: the root, and
// what needs attention because of it.
type incidentRow struct {
	ID     string // id of the HTML element
	Root   affectedRow
	Label  string // "and 5 things because of it"; "" if there are none
	Things []affectedRow
}

// affectedRow is a thing that needs attention.
type affectedRow struct {
	Health page.HealthMark
	Kind   string
	Name   page.Link
	Words  string // what is wrong, after the name
	Reason []reasonPart
	Since  page.Timestamp // zero if it is not known
	Was    string         // the health before; "" if it is not known
}

// agentThing is the kind of an agent whose host is not registered.
const agentThing = api.AgentThing

// incidentKinds describes the kinds of things in incidents.
var incidentKinds = map[activity.ThingKind]struct{ noun, path string }{
	activity.HostThing:      {"Host", page.HostTags.Path},
	activity.ClusterThing:   {"Cluster", page.ClusterTags.Path},
	activity.DatabaseThing:  {"HANA database", page.DatabaseTags.Path},
	activity.SAPSystemThing: {"SAP system", page.SAPSystemTags.Path},
	agentThing:              {"Agent", agentsTable.Path},
}

// incidentsOf returns the incidents of a snapshot. All readers share them, so
// they must not be modified or sorted.
func incidentsOf(v *page.Snapshot) []*landscape.Incident {
	const key = "incidents"
	if known, ok := v.Lists.Load(key); ok {
		return known.([]*landscape.Incident)
	}
	l := landscape.Landscape{Hosts: v.Hosts, Clusters: v.Clusters, Databases: v.Databases, SAPSystems: v.Systems, Faults: map[landscape.HostID]landscape.ReportFault{}}
	for id, record := range v.FaultyAgents {
		text, since := reportProblem(record)
		l.Faults[id] = landscape.ReportFault{Text: text, Since: since}
	}
	all := landscape.Incidents(l)
	v.Lists.Store(key, all)
	return all
}

// unregisteredFaults returns an incident for each agent without a registered
// host whose reports cannot be used.
func unregisteredFaults(v *page.Snapshot) []*landscape.Incident {
	var all []*landscape.Incident
	for id, record := range v.FaultyAgents {
		if v.HostByID[id] == nil {
			text, since := reportProblem(record)
			root := landscape.Affected{Thing: landscape.Thing{Kind: agentThing, ID: string(id)}, Name: string(id)}
			all = append(all, &landscape.Incident{Kind: landscape.ReportIncident, Root: root, Fault: text, Since: since})
		}
	}
	return all
}

const (
	// maxAttention is the largest number of incidents in the list of what needs
	// attention.
	maxAttention = 10
	// maxSymptoms is the largest number of things that an incident lists.
	maxSymptoms = 50
)

// readIncidents returns the incidents that a reader sees: the most severe first,
// then the newest. Agents without a registered host are only for readers who may
// see them.
func readIncidents(v *page.Snapshot, reader page.Reader) []*landscape.Incident {
	all := slices.Clone(incidentsOf(v))
	if reader.Can(page.AbilityAPIKey) {
		all = append(all, unregisteredFaults(v)...)
	}
	return all
}

// fillAttention fills the list of what needs attention.
func (s *Pages) fillAttention(ctx context.Context, p *dashboardPage, v *page.Snapshot) error {
	all := readIncidents(v, p.Reader)
	return s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		landscape.SortIncidents(all, func(t landscape.Thing) time.Time {
			since, _ := tx.HealthSince(t.Kind, t.ID)
			return since
		})
		shown := all[:min(len(all), maxAttention)]
		for _, i := range shown {
			p.Attention = append(p.Attention, s.newIncidentRow(tx, v, i))
		}
		p.More = append(linksToRest(all[len(shown):]), p.More...)
		return nil
	})
}

func (s *Pages) newIncidentRow(tx *store.Tx, v *page.Snapshot, i *landscape.Incident) incidentRow {
	row := incidentRow{ID: api.IncidentID(i), Root: s.newAffectedRow(tx, v, i.Root), Label: symptomsLabel(i)}
	root := &row.Root
	switch i.Kind {
	case landscape.SilenceIncident:
		root.Words = "does not report"
		if n := len(i.Together); n > 0 {
			root.Words = fmt.Sprintf("and %s fell silent together", page.Count(n, "other host", "other hosts"))
			if i.Place != "" {
				root.Words = fmt.Sprintf("and %s in %s fell silent together", page.Count(n, "other host", "other hosts"), i.Place)
			}
		}
		root.Was = ""
	case landscape.ReportIncident:
		root.Words, root.Reason, root.Was = i.Fault, nil, ""
		root.Health = page.HealthMark{State: string(landscape.HealthWarning), Word: "Warning", Name: "Report cannot be used", Bare: true}
	case landscape.SharedIDIncident:
		machines := len(v.HostByID[landscape.HostID(i.Root.Thing.ID)].Machines())
		root.Words, root.Reason, root.Was = "shares its id with "+page.Count(machines-1, "other machine", "other machines"), nil, ""
		root.Health = page.HealthMark{State: string(landscape.HealthWarning), Word: "Warning", Name: "Shared id", Bare: true}
	}
	if !i.Since.IsZero() {
		root.Since = s.Timestamp(i.Since)
	}
	for _, a := range i.Together {
		row.Things = append(row.Things, s.newAffectedRow(tx, v, a))
	}
	for _, a := range i.Symptoms {
		row.Things = append(row.Things, s.newAffectedRow(tx, v, a))
	}
	row.Things = row.Things[:min(len(row.Things), maxSymptoms)]
	return row
}

// symptomsLabel says how many things are in an incident besides its root.
func symptomsLabel(i *landscape.Incident) string {
	hosts, things := "the other host", page.Count(len(i.Symptoms), "thing", "things")
	if n := len(i.Together); n > 1 {
		hosts = fmt.Sprintf("the %d other hosts", n)
	}
	switch {
	case i.Things() == 1:
		return ""
	case len(i.Together) == 0:
		return "and " + things + " because of it"
	case len(i.Symptoms) == 0:
		return hosts
	}
	return hosts + ", and " + things + " because of them"
}

// newAffectedRow returns a thing with its health, the reason and the time.
func (s *Pages) newAffectedRow(tx *store.Tx, v *page.Snapshot, a landscape.Affected) affectedRow {
	kind := incidentKinds[a.Thing.Kind]
	row := affectedRow{Kind: kind.noun, Name: page.Link{Name: cmp.Or(a.Name, page.ShortID(a.Thing.ID)), URL: kind.path + "/" + a.Thing.ID}}
	if a.Thing.Kind == agentThing {
		row.Name.URL = page.WithQuery(kind.path, url.Values{"q": {a.Thing.ID}})
	}
	row.Health = page.NewHealthMark(kind.noun, a.Health, s.TimestampOf(a.StaleSince))
	row.Health.Bare = true
	switch a.Health {
	case landscape.HealthCritical:
		row.Words = "is critical"
	case landscape.HealthWarning:
		row.Words = "has a warning"
	}
	if row.Words == "" {
		row.Words = "is out of date"
		if a.Thing.Kind == activity.HostThing {
			row.Words = "does not report"
		}
		row.Since = s.TimestampOf(a.StaleSince)
		return row
	}
	for _, clause := range newHealthReason(a.Health, a.Reasons, v.PathOf).Clauses {
		row.Reason = append(row.Reason, clause.Parts...)
	}
	row.Since, row.Was = s.healthSince(tx, a.Thing)
	return row
}

// linksToRest returns links to the lists with the things of incidents that are
// not shown.
func linksToRest(rest []*landscape.Incident) []page.ActionLink {
	counts := make(map[activity.ThingKind]int)
	for _, i := range rest {
		counts[i.Root.Thing.Kind]++
		for _, a := range append(slices.Clone(i.Together), i.Symptoms...) {
			counts[a.Thing.Kind]++
		}
	}
	var links []page.ActionLink
	for _, k := range []struct {
		kind activity.ThingKind
		noun string
	}{{activity.SAPSystemThing, "SAP system"}, {activity.DatabaseThing, "HANA database"}, {activity.ClusterThing, "cluster"}, {activity.HostThing, "host"}, {agentThing, "agent"}} {
		if n := counts[k.kind]; n > 0 {
			links = append(links, page.ActionLink{Label: page.Count(n, "more "+k.noun+" needs", "more "+k.noun+"s need") + " attention", URL: incidentKinds[k.kind].path})
		}
	}
	return links
}

// healthSince returns since when a thing has its health, and the health before
// in words. The time is zero and the text is "" if that is not known.
func (s *Pages) healthSince(tx *store.Tx, t landscape.Thing) (since page.Timestamp, was string) {
	at, ok := tx.HealthSince(t.Kind, t.ID)
	if !ok {
		return page.Timestamp{}, ""
	}
	before := activity.PositionAt(at) - 1
	for change := range tx.HealthChanges(t.Kind, t.ID, before, before) {
		if change.Registered && change.Health != "" {
			was = string(page.ShownHealth(change.Health))
		}
	}
	return s.Timestamp(at), was
}
