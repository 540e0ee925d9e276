package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/store/message"
	"trento/ui/amqp"
)

// agentStatus is the status of an agent in answers of the API.
type agentStatus struct {
	ID           landscape.HostID `json:"agent_id"`
	Hostname     *string          `json:"hostname"`
	Version      *string          `json:"agent_version"`
	LastReportAt *timestamp       `json:"last_report_at"`
	Messages     *agentMessages   `json:"messages"`
	Reports      []reportStatus   `json:"reports"`
}

// agentMessages says whether an agent is connected to receive messages. It is
// null if agents connect to another broker for them.
type agentMessages struct {
	Connected bool           `json:"connected"`
	Since     *timestamp     `json:"since"`
	Addresses []string       `json:"addresses"`
	Receives  []message.Kind `json:"receives"`
}

// reportStatus says whether the reports of one kind could be used.
type reportStatus struct {
	Kind         landscape.Kind        `json:"discovery_type"`
	State        store.Outcome         `json:"state"`
	Since        *timestamp            `json:"since"`
	Last         *timestamp            `json:"last"`
	Count        *int                  `json:"count"`
	Stale        bool                  `json:"stale"`
	Period       int                   `json:"period_seconds"`
	Overdue      bool                  `json:"overdue"`
	ProblemCount int                   `json:"problem_count"`
	Problems     []store.ReportProblem `json:"problems"`
}

// listAgents answers GET /api/v1/agents: all agents, sorted by hostname. Agents
// without a hostname come last.
func (a *API) listAgents(w http.ResponseWriter, _ *http.Request) error {
	answer := []agentStatus{}
	var connections map[string][]amqp.Connection
	if a.deps.Endpoint != nil {
		connections = a.deps.Endpoint.ConnectionsByAgent()
	}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		all, err := tx.Agents()
		for _, agent := range all {
			status := newAgentStatus(agent, a.deps.Store)
			if a.deps.Endpoint != nil {
				status.Messages = newAgentMessages(connections[string(agent.ID)])
			}
			answer = append(answer, status)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(answer, func(x, y agentStatus) int {
		if x.Hostname == nil || y.Hostname == nil {
			return cmp.Compare(rankNullLast(x.Hostname == nil), rankNullLast(y.Hostname == nil))
		}
		return strings.Compare(*x.Hostname, *y.Hostname)
	})
	return send(w, http.StatusOK, answer)
}

// rankNullLast returns 1 for an agent without a hostname, which comes last, and 0
// for any other.
func rankNullLast(null bool) int {
	if null {
		return 1
	}
	return 0
}

// newAgentMessages describes the connections of an agent, the oldest first.
func newAgentMessages(connections []amqp.Connection) *agentMessages {
	m := &agentMessages{Addresses: []string{}, Receives: []message.Kind{}}
	for _, c := range connections {
		if !m.Connected {
			m.Connected, m.Since = true, timestampOrNull(c.Since)
		}
		if !slices.Contains(m.Addresses, c.Address) {
			m.Addresses = append(m.Addresses, c.Address)
		}
	}
	for _, kind := range message.Kinds { // in their order, whichever connection is older
		if slices.ContainsFunc(connections, func(c amqp.Connection) bool { return slices.Contains(c.Receives, kind) }) {
			m.Receives = append(m.Receives, kind)
		}
	}
	return m
}

// agentRefusal is an address from which requests or connections of agents were
// refused, in answers of the API.
type agentRefusal struct {
	Of       string    `json:"of"`
	Address  string    `json:"address"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	First    timestamp `json:"first_at"`
	Last     timestamp `json:"last_at"`
}

// listAgentRefusals answers GET /api/v1/agents/refusals: the addresses from
// which agents were refused since the start, the latest first.
func (a *API) listAgentRefusals(w http.ResponseWriter, _ *http.Request) error {
	answer := []agentRefusal{}
	refused, _ := a.deps.Auth.AgentRefusals()
	for _, r := range refused {
		answer = append(answer, agentRefusal{"reports", r.Address, r.Reason, r.Attempts, timestamp(r.First), timestamp(r.Last)})
	}
	if a.deps.Endpoint != nil {
		for _, r := range a.deps.Endpoint.Refusals() {
			answer = append(answer, agentRefusal{"messages", r.Address, r.Reason, r.Attempts, timestamp(r.First), timestamp(r.Last)})
		}
	}
	slices.SortStableFunc(answer, func(x, y agentRefusal) int { return time.Time(y.Last).Compare(time.Time(x.Last)) })
	return send(w, http.StatusOK, answer)
}

func newAgentStatus(agent *store.Agent, s *store.Store) agentStatus {
	now, started := s.Now(), s.StartedAt()
	answer := agentStatus{ID: agent.ID, LastReportAt: timestampOrNull(agent.LastReport()), Reports: []reportStatus{}}
	if agent.Host != nil {
		answer.Hostname, answer.Version = &agent.Host.Hostname, &agent.Host.AgentVersion
	}
	for i := range agent.Status {
		status := &agent.Status[i]
		r := reportStatus{
			Kind: status.Kind, State: status.Outcome, Since: timestampOrNull(status.Since), Last: timestampOrNull(status.Last),
			Stale: status.Stale(now), Period: int(status.Interval().Seconds()), Overdue: status.Overdue(now, started),
			ProblemCount: status.ProblemCount, Problems: orEmpty(status.Problems),
		}
		if status.Faulty() {
			r.Count = &status.Count
		}
		answer.Reports = append(answer.Reports, r)
	}
	return answer
}

// timestampOrNull converts a time; the zero time becomes nil.
func timestampOrNull(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	return timestampOf(&t)
}
