package ui

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

// agentsPage is the list of all agents and how their reports fare.
type agentsPage struct {
	tablePage
	Rows []agentRow
}

type agentRow struct {
	ID         string
	Name       link
	Registered bool
	State      string
	Icon       string // of a state that is not as it should be
	Faults     []reportFault
	LastReport Timestamp
	Version    string
	Outdated   bool
}

// agentItem is an agent in the list.
type agentItem struct {
	*store.Agent
	faulty []*store.ReportStatus
	state  agentState
	since  time.Time // the first of the faults
}

// agentState is how the reports of an agent fare, the worst first.
type agentState int

const (
	stateRefused agentState = iota
	stateLeftOut
	stateUnheard
	stateUsed
)

func (s agentState) String() string {
	return [...]string{"Refused", "Partly used", "None yet", "Used"}[s]
}

// agentsTable is what can be done with the list of agents.
var agentsTable = table[*agentItem]{
	path: "/agents", noun: "agent",
	columns: []column[*agentItem]{
		{key: "agent", label: "Agent", text: (*agentItem).name},
		{
			key: "state", label: "Reports", text: func(a *agentItem) string { return a.state.String() },
			compare: func(a, b *agentItem) int { return cmp.Compare(a.state, b.state) },
			facet:   &facetOf[*agentItem]{value: func(a *agentItem) string { return a.state.String() }},
		},
		{
			key: "problem", label: "Problems", text: (*agentItem).problems,
			facet: &facetOf[*agentItem]{values: (*agentItem).reports},
		},
		{
			key: "since", label: "Since", unshown: true, text: func(a *agentItem) string { return isoOf(momentOrNil(a.since)) },
			compare: func(a, b *agentItem) int { return a.since.Compare(b.since) },
		},
		{
			key: "last", label: "Last report", text: func(a *agentItem) string { return isoOf(momentOrNil(a.LastReport())) },
			compare: func(a, b *agentItem) int { return a.LastReport().Compare(b.LastReport()) },
		},
		{
			key: "agent_version", label: "Agent version", text: (*agentItem).version,
			compare: func(a, b *agentItem) int { return compareVersions(a.version(), b.version()) },
			facet:   &facetOf[*agentItem]{value: (*agentItem).version, compare: compareVersions},
		},
		{key: "id", label: "Agent ID", unshown: true, text: func(a *agentItem) string { return string(a.ID) }},
	},
	health: func(*agentItem) landscape.Health { return landscape.HealthUnknown },
	urgent: func(a, b *agentItem) int { return cmp.Or(cmp.Compare(a.state, b.state), b.since.Compare(a.since)) },
	tie: func(a, b *agentItem) int {
		return cmp.Or(foldCompare(a.name(), b.name()), cmp.Compare(a.ID, b.ID))
	},
}

func newAgentItem(agent *store.Agent) *agentItem {
	a := &agentItem{Agent: agent, state: stateUsed}
	if len(agent.Status) == 0 {
		a.state = stateUnheard
	}
	for i := range agent.Status {
		status := &agent.Status[i]
		if !status.Faulty() {
			continue
		}
		a.faulty = append(a.faulty, status)
		state := stateLeftOut
		if status.Outcome == store.ReportRefused {
			state = stateRefused
		}
		a.state = min(a.state, state)
		if a.since.IsZero() || status.Since.Before(a.since) {
			a.since = status.Since
		}
	}
	return a
}

func (a *agentItem) name() string {
	if a.Host == nil {
		return string(a.ID)
	}
	return a.Host.Hostname
}

func (a *agentItem) version() string {
	if a.Host == nil {
		return ""
	}
	return a.Host.AgentVersion
}

// reports are the kinds of reports that are not used as a whole.
func (a *agentItem) reports() []string {
	var kinds []string
	for _, status := range a.faulty {
		kinds = append(kinds, capital(activity.ReportName(string(status.Kind))))
	}
	return kinds
}

// problems is all that is wrong, in one line.
func (a *agentItem) problems() string {
	var words []string
	for _, status := range a.faulty {
		what, outcome := reportWords(status)
		words = append(words, what+" "+outcome)
	}
	return strings.Join(words, " ")
}

func momentOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// agentItems reads all agents, and the frame of the page where there is one.
func (s *server) agentItems(f *Frame) (all []*agentItem, err error) {
	err = s.options.Store.View(func(tx *store.Tx) error {
		agents, err := tx.Agents()
		if err != nil {
			return err
		}
		for _, agent := range agents {
			all = append(all, newAgentItem(agent))
		}
		if f != nil {
			return s.fill(f, tx)
		}
		return nil
	})
	return all, err
}

// showAgents answers GET /agents.
func (s *server) showAgents(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := agentsPage{tablePage: newTablePage(s, r, &agentsTable, "Agents")}
	p.Live, p.Refresh = "agent_report host", reportRefresh
	all, err := s.agentItems(&p.Frame)
	if err != nil {
		return err
	}
	page, _, ok, err := agentsTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	for _, a := range page {
		p.Rows = append(p.Rows, s.newAgentRow(a))
	}
	return s.render(w, r, http.StatusOK, pageAgents, &p)
}

func (s *server) newAgentRow(a *agentItem) agentRow {
	row := agentRow{
		ID: string(a.ID), Name: link{Name: a.name()}, Registered: a.Host != nil, State: a.state.String(),
		Faults: s.newReportFaults(a.Agent), LastReport: s.timestampOf(momentOrNil(a.LastReport())), Version: a.version(),
	}
	row.Icon = map[agentState]string{stateRefused: "warning", stateLeftOut: "warning", stateUnheard: "unknown"}[a.state]
	if a.Host != nil {
		row.Name.URL, row.Outdated = "/hosts/"+string(a.ID), outdated(row.Version)
	}
	return row
}

// agentsCSV answers GET /agents.csv.
func (s *server) agentsCSV(w http.ResponseWriter, r *http.Request) error {
	return exportedFrom(s, &agentsTable, func() ([]*agentItem, error) { return s.agentItems(nil) })(w, r)
}
