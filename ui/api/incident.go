package api

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

// AgentThing is the kind of an agent whose host is not registered, in incidents.
const AgentThing activity.ThingKind = "agent"

// incident is an incident in answers of the API.
type incident struct {
	ID       string                 `json:"id"`
	Kind     landscape.IncidentKind `json:"kind"`
	Severity string                 `json:"severity"`
	Since    *timestamp             `json:"since"`
	Reason   *string                `json:"reason"`
	Root     incidentResource       `json:"root"`
	Together []incidentResource     `json:"together"`
	Place    *string                `json:"place"`
	Symptoms []incidentResource     `json:"symptoms"`
}

// incidentResource is a thing in an incident.
type incidentResource struct {
	Type    activity.ThingKind `json:"type"`
	ID      string             `json:"id"`
	Name    string             `json:"name"`
	Health  *landscape.Health  `json:"health"` // null for agents
	Reason  *string            `json:"reason"`
	StaleAt *timestamp         `json:"stale_at"`
	Console string             `json:"console"` // address of its page
}

// incidentPages are the addresses of pages before the id of the thing.
var incidentPages = map[activity.ThingKind]string{
	activity.HostThing: "/hosts/", activity.ClusterThing: "/clusters/", activity.DatabaseThing: "/databases/", activity.SAPSystemThing: "/sap_systems/",
	AgentThing: "/agents?q=",
}

// IncidentID returns the id of an incident. It stays while its root and its kind
// stay.
func IncidentID(i *landscape.Incident) string { return string(i.Kind) + "-" + i.Root.Thing.ID }

// IncidentSeverities are the severities of incidents, the worst first.
var IncidentSeverities = []string{"critical", "warning", "info"}

// listIncidents answers GET /api/v1/incidents: what needs attention, by its
// cause. Agents without a registered host are for those who may see agents.
func (a *API) listIncidents(w http.ResponseWriter, r *http.Request) error {
	seesAgents := auth.From(r.Context()).Can(abilityAPIKeySettings)
	return a.incidentList.answer(a, w, r, a.deps.Lists.Incidents, func(tx *store.Tx) ([]row[string], error) {
		all, err := a.deps.Lists.ReadIncidents(tx)
		if err != nil {
			return nil, err
		}
		rows := make([]row[string], 0, len(all))
		for _, i := range all {
			if i.Root.Thing.Kind != AgentThing || seesAgents {
				id := IncidentID(i)
				rows = append(rows, row[string]{key: id, id: id, name: incidentOrder(i), build: func() any { return newIncident(i) }})
			}
		}
		return rows, nil
	})
}

// incidentOrder returns a text whose byte order is that of
// landscape.SortIncidents.
func incidentOrder(i *landscape.Incident) string {
	return fmt.Sprintf("%d%016x%s", i.Severity(), uint64(-i.Since.UnixMicro())^1<<63, strings.ToLower(i.Root.Name))
}

func newIncident(i *landscape.Incident) incident {
	answer := incident{
		ID: IncidentID(i), Kind: i.Kind, Severity: IncidentSeverities[i.Severity()], Since: timestampOrNull(i.Since),
		Reason: textOrNull(cmp.Or(i.Fault, i.Root.Reasons.Text())), Root: newIncidentResource(i.Root), Place: textOrNull(i.Place),
		Together: []incidentResource{}, Symptoms: []incidentResource{},
	}
	for _, other := range i.Together {
		answer.Together = append(answer.Together, newIncidentResource(other))
	}
	for _, symptom := range i.Symptoms {
		answer.Symptoms = append(answer.Symptoms, newIncidentResource(symptom))
	}
	return answer
}

func newIncidentResource(thing landscape.Affected) incidentResource {
	answer := incidentResource{
		Type: thing.Thing.Kind, ID: thing.Thing.ID, Name: cmp.Or(thing.Name, thing.Thing.ID),
		Reason: textOrNull(thing.Reasons.Text()), StaleAt: timestampOf(thing.StaleSince), Console: incidentPages[thing.Thing.Kind] + thing.Thing.ID,
	}
	if thing.Thing.Kind != AgentThing {
		answer.Health = &thing.Health
	}
	return answer
}
