package landscape

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// incidentsTable has the filters and orders of the incidents of the API.
var incidentsTable = table.Table[*landscape.Incident]{
	ID: api.IncidentID,
	Columns: []table.Column[*landscape.Incident]{
		{
			Key: "severity", Text: severityOfIncident, Order: func(i *landscape.Incident) string { return table.OrderOfNumber(i.Severity()) },
			Facet: &table.Facet[*landscape.Incident]{Value: severityOfIncident, Known: api.IncidentSeverities},
		},
		{Key: "since", Text: func(*landscape.Incident) string { return "" }, Order: func(i *landscape.Incident) string { return table.OrderOfTime(i.Since) }},
		{
			Key: "kind", Text: kindOfIncident,
			Facet: &table.Facet[*landscape.Incident]{Value: kindOfIncident, Known: []string{
				string(landscape.HealthIncident), string(landscape.SilenceIncident), string(landscape.ReportIncident), string(landscape.SharedIDIncident), string(landscape.StaleIncident),
			}},
		},
		{
			Key: "type", Text: typeOfRoot,
			Facet: &table.Facet[*landscape.Incident]{Value: typeOfRoot, Known: []string{
				string(activity.HostThing), string(activity.ClusterThing), string(activity.DatabaseThing), string(activity.SAPSystemThing), string(agentThing),
			}},
		},
		{Key: "name", Text: func(i *landscape.Incident) string { return cmp.Or(i.Root.Name, i.Root.Thing.ID) }},
		{Key: "reason", Text: func(i *landscape.Incident) string { return cmp.Or(i.Fault, i.Root.Reasons.Text()) }},
		{Key: "affected", Text: namesInIncident, Order: func(i *landscape.Incident) string { return table.OrderOfNumber(i.Things()) }},
	},
}

func severityOfIncident(i *landscape.Incident) string { return api.IncidentSeverities[i.Severity()] }
func kindOfIncident(i *landscape.Incident) string     { return string(i.Kind) }
func typeOfRoot(i *landscape.Incident) string         { return string(i.Root.Thing.Kind) }

// namesInIncident returns the names of everything in an incident but its root.
func namesInIncident(i *landscape.Incident) string {
	var names []string
	for _, a := range append(slices.Clone(i.Together), i.Symptoms...) {
		names = append(names, a.Name)
	}
	return strings.Join(names, " ")
}

// datedIncidents returns all incidents of a snapshot in the order of the
// dashboard, each with the time since when it exists, if that is known.
func datedIncidents(tx *store.Tx, v *page.Snapshot) []*landscape.Incident {
	since := func(t landscape.Thing) time.Time {
		at, _ := tx.HealthSince(t.Kind, t.ID)
		return at
	}
	var all []*landscape.Incident
	for _, i := range append(slices.Clone(incidentsOf(v)), unregisteredFaults(v)...) {
		dated := *i
		if dated.Since.IsZero() {
			dated.Since = since(i.Root.Thing)
		}
		all = append(all, &dated)
	}
	landscape.SortIncidents(all, since)
	return all
}
