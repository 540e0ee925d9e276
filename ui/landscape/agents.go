package landscape

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/amqp"
	"trento/ui/page"
	"trento/ui/table"
)

// agentsPage lists all agents and whether their reports can be used.
type agentsPage struct {
	table.Page
	Rows []agentRow
	// Refusals are the addresses from which agents have been refused since the
	// start of the server, the latest first.
	Refusals []refusalRow
}

// refusalRow is an address in the table of refused agents.
type refusalRow struct {
	Address  string
	Of       string // what was refused
	Reason   string
	Attempts int
	Last     page.Timestamp
}

// What was refused of an agent.
const (
	refusedReports  = "Reports and heartbeats"
	refusedMessages = "Connections for messages"
)

// Template implements page.Page.
func (*agentsPage) Template() string { return "agents" }

type agentRow struct {
	ID         string
	Name       page.Link
	Registered bool
	State      string
	Icon       string // icon of a state other than normal
	Faults     []reportFault
	Reports    []reportLine
	LastReport page.Timestamp
	Version    string
	Outdated   bool
	Messages   string // whether the agent is connected for messages
	Connection *connectionRow
}

// connectionRow says from where and since when an agent is connected for
// messages.
type connectionRow struct {
	Addresses string
	Since     page.Timestamp
}

// agentItem is an agent in the list.
type agentItem struct {
	*store.Agent
	faulty     []*store.ReportStatus
	overdue    []landscape.Kind
	state      agentState
	faultSince time.Time // when the oldest of its faults began
	// connections are the agent's open connections for messages, the oldest
	// first. hasEndpoint is false if agents connect to another broker.
	connections []amqp.Connection
	hasEndpoint bool
}

// agentState says how well the reports of an agent can be used. The worst state
// comes first.
type agentState int

const (
	stateRefused    agentState = iota
	statePartlyRead            // parts of a report could not be read
	stateOverdue
	stateNeverReported
	stateNormal
)

func (s agentState) String() string {
	return [...]string{"Refused", "Partly used", "Overdue", "None yet", "Used"}[s]
}

// agentsTable declares the list of agents.
var agentsTable = table.Table[*agentItem]{
	Path: "/agents", Noun: "agent",
	Columns: slices.Concat([]table.Column[*agentItem]{
		{Key: "agent", Label: "Agent", Text: (*agentItem).name},
		{
			Key: "state", Label: "Reports", Text: func(a *agentItem) string { return a.state.String() },
			Order: func(a *agentItem) string { return table.OrderOfNumber(int(a.state)) },
			Facet: &table.Facet[*agentItem]{Value: func(a *agentItem) string { return a.state.String() }},
		},
		{
			Key: "problem", Label: "Problems", Text: (*agentItem).problems,
			Facet: &table.Facet[*agentItem]{Values: (*agentItem).reports},
		},
		{
			Key: "messages", Label: "Messages", Text: (*agentItem).messages,
			Facet: &table.Facet[*agentItem]{Value: (*agentItem).messages},
		},
		{
			Key: "since", Label: "Since", Hidden: true, Text: func(a *agentItem) string { return page.ISOOrEmpty(timeOrNil(a.faultSince)) },
			Order: func(a *agentItem) string { return table.OrderOfTime(a.faultSince) },
		},
		{
			Key: "last", Label: "Last report", Text: func(a *agentItem) string { return page.ISOOrEmpty(timeOrNil(a.LastReport())) },
			Order: func(a *agentItem) string { return table.OrderOfTime(a.LastReport()) },
		},
		{
			Key: "agent_version", Label: "Agent version", Text: (*agentItem).version,
			Order: func(a *agentItem) string { return orderOfVersion(a.version()) },
			Facet: &table.Facet[*agentItem]{Value: (*agentItem).version, Compare: compareVersions},
		},
		{
			Key: "overdue", Label: "Overdue", Hidden: true, Text: func(a *agentItem) string { return strings.Join(a.overdueReports(), ", ") },
			Facet: &table.Facet[*agentItem]{Values: (*agentItem).overdueReports},
		},
		{Key: "id", Label: "Agent ID", Hidden: true, Text: func(a *agentItem) string { return string(a.ID) }},
	}, reportColumns()),
	Health: func(*agentItem) landscape.Health { return landscape.HealthUnknown },
	Urgent: func(a, b *agentItem) int {
		return cmp.Or(cmp.Compare(a.state, b.state), b.faultSince.Compare(a.faultSince))
	},
	Tie: func(a, b *agentItem) int {
		return cmp.Or(table.FoldCompare(a.name(), b.name()), cmp.Compare(a.ID, b.ID))
	},
}

// reportColumns returns a column for each kind of report, with the time of the
// last one. Only the CSV has them.
func reportColumns() (columns []table.Column[*agentItem]) {
	for _, kind := range landscape.Kinds {
		last := func(a *agentItem) time.Time {
			for _, status := range a.Status {
				if status.Kind == kind {
					return status.Last
				}
			}
			return time.Time{}
		}
		columns = append(columns, table.Column[*agentItem]{
			Key: string(kind), Label: "Last " + activity.ReportName(string(kind)), Hidden: true,
			Text:  func(a *agentItem) string { return page.ISOOrEmpty(timeOrNil(last(a))) },
			Order: func(a *agentItem) string { return table.OrderOfTime(last(a)) },
		})
	}
	return columns
}

func newAgentItem(agent *store.Agent, now, started time.Time) *agentItem {
	a := &agentItem{Agent: agent, state: stateNormal}
	if len(agent.Status) == 0 {
		a.state = stateNeverReported
	}
	for i := range agent.Status {
		status := &agent.Status[i]
		if status.Overdue(now, started) {
			a.overdue = append(a.overdue, status.Kind)
			a.state = min(a.state, stateOverdue)
		}
		if !status.Faulty() {
			continue
		}
		a.faulty = append(a.faulty, status)
		state := statePartlyRead
		if status.Outcome == store.ReportRefused {
			state = stateRefused
		}
		a.state = min(a.state, state)
		if a.faultSince.IsZero() || status.Since.Before(a.faultSince) {
			a.faultSince = status.Since
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

// messages says whether the agent is connected for messages.
func (a *agentItem) messages() string {
	switch {
	case !a.hasEndpoint:
		return "Unknown"
	case len(a.connections) == 0:
		return "Not connected"
	}
	return "Connected"
}

// addresses returns the addresses from which the agent is connected for
// messages. More than one means that several machines have the id of the agent.
func (a *agentItem) addresses() string {
	var addresses []string
	for _, c := range a.connections {
		if !slices.Contains(addresses, c.Address) {
			addresses = append(addresses, c.Address)
		}
	}
	return strings.Join(addresses, ", ")
}

// reports returns the kinds of reports that cannot be used.
func (a *agentItem) reports() []string {
	var kinds []string
	for _, status := range a.faulty {
		kinds = append(kinds, capitalize(activity.ReportName(string(status.Kind))))
	}
	return kinds
}

// overdueReports returns the kinds of reports that should have come by now.
func (a *agentItem) overdueReports() []string {
	var kinds []string
	for _, kind := range a.overdue {
		kinds = append(kinds, capitalize(activity.ReportName(string(kind))))
	}
	return kinds
}

// problems returns everything that is wrong, in one line.
func (a *agentItem) problems() string {
	var words []string
	for _, status := range a.faulty {
		what, outcome := reportSentence(status)
		words = append(words, what+" "+outcome)
	}
	return strings.Join(words, " ")
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// agentItems reads all agents and, unless f is nil, the frame of the page.
func (s *Pages) agentItems(ctx context.Context, f *page.Frame) (all []*agentItem, err error) {
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		agents, err := tx.Agents()
		if err != nil {
			return err
		}
		var connections map[string][]amqp.Connection
		if s.Endpoint != nil {
			connections = s.Endpoint.ConnectionsByAgent()
		}
		for _, agent := range agents {
			item := newAgentItem(agent, s.Store.Now(), s.Store.StartedAt())
			item.connections, item.hasEndpoint = connections[string(agent.ID)], s.Endpoint != nil
			all = append(all, item)
		}
		if f != nil {
			return s.ReadFrame(f, tx)
		}
		return nil
	})
	return all, err
}

// showAgents answers GET /agents.
func (s *Pages) showAgents(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	p := agentsPage{Page: table.NewPage(s.Console, r, &agentsTable, "Agents")}
	p.Live, p.Refresh = "agent_report agent_connection agent_refusal host", reportRefreshSeconds
	all, err := s.agentItems(r.Context(), &p.Frame)
	if err != nil {
		return err
	}
	onPage, _, ok, err := agentsTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	for _, a := range onPage {
		p.Rows = append(p.Rows, s.newAgentRow(a))
	}
	p.Refusals = s.refusals(time.Time{})
	return s.Render(w, r, http.StatusOK, &p)
}

// refusals returns the addresses from which agents were refused since a time,
// the latest first.
func (s *Pages) refusals(since time.Time) []refusalRow {
	type refusal struct {
		row  refusalRow
		last time.Time
	}
	var all []refusal
	refused, _ := s.Auth.AgentRefusals()
	for _, r := range refused {
		all = append(all, refusal{refusalRow{Of: refusedReports, Address: r.Address, Reason: r.Reason, Attempts: r.Attempts}, r.Last})
	}
	if s.Endpoint != nil {
		for _, r := range s.Endpoint.Refusals() {
			all = append(all, refusal{refusalRow{Of: refusedMessages, Address: r.Address, Reason: r.Reason, Attempts: r.Attempts}, r.Last})
		}
	}
	slices.SortStableFunc(all, func(a, b refusal) int { return b.last.Compare(a.last) })
	var rows []refusalRow
	for _, r := range all {
		if r.last.Before(since) {
			break
		}
		r.row.Last = s.Timestamp(r.last)
		rows = append(rows, r.row)
	}
	return rows
}

func (s *Pages) newAgentRow(a *agentItem) agentRow {
	row := agentRow{
		ID: string(a.ID), Name: page.Link{Name: a.name()}, Registered: a.Host != nil, State: a.state.String(),
		Faults: s.newReportFaults(a.Agent), Reports: s.newReportLines(a.Status), LastReport: s.TimestampOf(timeOrNil(a.LastReport())), Version: a.version(),
		Messages: a.messages(),
	}
	if len(a.connections) > 0 {
		row.Connection = &connectionRow{a.addresses(), s.Timestamp(a.connections[0].Since)}
	}
	row.Icon = map[agentState]string{stateRefused: "warning", statePartlyRead: "warning", stateOverdue: "clock", stateNeverReported: "unknown"}[a.state]
	if a.Host != nil {
		row.Name.URL, row.Outdated = "/hosts/"+string(a.ID), isOutdated(row.Version)
	}
	return row
}

// downloadAgents answers GET /agents.csv.
func (s *Pages) downloadAgents(w http.ResponseWriter, r *http.Request) error {
	return table.CSVHandlerFor(s.Console, &agentsTable, func(ctx context.Context) ([]*agentItem, error) { return s.agentItems(ctx, nil) })(w, r)
}
