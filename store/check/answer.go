package check

import "slices"

// TimeoutReason says why an agent counts as silent.
type TimeoutReason string

// The reasons for timeouts.
const (
	NotConnected TimeoutReason = "not_connected" // when it was to be asked
	Disconnected TimeoutReason = "disconnected"  // while it was asked
	NoAnswer     TimeoutReason = "no_answer"
	ClockSkew    TimeoutReason = "clock_skew" // its clock is so wrong that it refuses requests
)

// Timeout says that an agent has not answered in time.
type Timeout struct {
	AgentID string        `json:"agent_id"`
	Reason  TimeoutReason `json:"reason"`
	// SkewSeconds is how far the clock of the agent is ahead, for ClockSkew.
	SkewSeconds int `json:"skew_seconds,omitempty"`
}

// GatheredFact is a fact in the answer of an agent.
type GatheredFact struct {
	CheckID, Name string
	Answer
}

// Answers are the answers of the agents of an execution. An agent answers once,
// however often its answer is delivered.
type Answers struct {
	plan          *Plan
	pendingAgents []string // agents that are still to answer
	facts         map[agentCheck]map[string]Answer
	timeouts      map[string]Timeout
}

// NewAnswers returns the answers of a plan before any agent has answered.
// Agents that are asked for nothing need not answer.
func NewAnswers(p *Plan) *Answers {
	a := &Answers{plan: p, facts: make(map[agentCheck]map[string]Answer), timeouts: make(map[string]Timeout)}
	for _, t := range p.Targets {
		if len(p.FactRequests(t.AgentID)) > 0 {
			a.pendingAgents = append(a.pendingAgents, t.AgentID)
		}
	}
	return a
}

// Waiting returns the agents that have neither answered nor timed out.
func (a *Answers) Waiting() []string { return slices.Clone(a.pendingAgents) }

// Complete reports whether nobody is waited for.
func (a *Answers) Complete() bool { return len(a.pendingAgents) == 0 }

// Reception says what became of an answer.
type Reception int

// What can become of an answer.
const (
	Taken    Reception = iota
	Repeated           // the agent has answered before; its first answer counts
	Foreign            // the agent is no target, or was asked for nothing
)

// Add adds the answer of an agent. Facts that were not asked for are left out;
// unasked is their number. The answer of an agent that had timed out counts,
// as long as the execution goes on.
func (a *Answers) Add(agent string, facts []GatheredFact) (r Reception, unasked int) {
	i := slices.Index(a.pendingAgents, agent)
	_, late := a.timeouts[agent]
	switch {
	case i >= 0:
		a.pendingAgents = slices.Delete(a.pendingAgents, i, i+1)
	case late:
		delete(a.timeouts, agent)
	case len(a.plan.FactRequests(agent)) > 0:
		return Repeated, 0
	default:
		return Foreign, 0
	}
	asked := make(map[FactRequest]bool)
	for _, r := range a.plan.FactRequests(agent) {
		asked[FactRequest{CheckID: r.CheckID, Name: r.Name}] = true
	}
	for _, f := range facts {
		if !asked[FactRequest{CheckID: f.CheckID, Name: f.Name}] {
			unasked++
			continue
		}
		at := agentCheck{agent, f.CheckID}
		if a.facts[at] == nil {
			a.facts[at] = make(map[string]Answer)
		}
		a.facts[at][f.Name] = f.Answer
	}
	return Taken, unasked
}

// TimeOut notes that an agent will not answer. It does nothing if the agent is
// not waited for.
func (a *Answers) TimeOut(t Timeout) {
	if i := slices.Index(a.pendingAgents, t.AgentID); i >= 0 {
		a.pendingAgents = slices.Delete(a.pendingAgents, i, i+1)
		a.timeouts[t.AgentID] = t
	}
}

// hosts returns the hosts of a check, in the order of the targets.
func (a *Answers) hosts(c *Check) (hosts []Host) {
	for _, t := range a.plan.Targets {
		at := agentCheck{t.AgentID, c.ID}
		if !a.plan.plannedChecks[at] {
			continue
		}
		_, silent := a.timeouts[t.AgentID]
		hosts = append(hosts, Host{
			AgentID: t.AgentID, Excluded: a.plan.excluded[at], Facts: a.facts[at],
			TimedOut: len(c.Facts) > 0 && (silent || slices.Contains(a.pendingAgents, t.AgentID)),
		})
	}
	return hosts
}

// Timeouts returns the agents that count as silent, in the order of the targets.
// An agent that is still waited for has not answered.
func (a *Answers) Timeouts() (timeouts []Timeout) {
	for _, t := range a.plan.Targets {
		timeout, silent := a.timeouts[t.AgentID]
		if slices.Contains(a.pendingAgents, t.AgentID) {
			timeout, silent = Timeout{AgentID: t.AgentID, Reason: NoAnswer}, true
		}
		if silent {
			timeouts = append(timeouts, timeout)
		}
	}
	return timeouts
}
