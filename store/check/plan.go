package check

import (
	"cmp"
	"context"
	"slices"

	"trento/store/check/script"
)

// Request asks for an execution: checks to be run on some hosts that belong
// together.
type Request struct {
	ExecutionID string      `json:"execution_id"`
	GroupID     string      `json:"group_id"` // of the cluster or host
	Kind        SubjectKind `json:"target_type"`
	Environment Environment `json:"env"`
	Targets     []Target    `json:"targets"`
}

// Target is a host with the checks to be run on it.
type Target struct {
	AgentID    string         `json:"agent_id"`
	Checks     []string       `json:"checks"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// NewRequest returns the request for an execution of all checks that are
// selected for a subject.
func NewRequest(executionID string, s *Subject) Request {
	r := Request{ExecutionID: executionID, GroupID: s.ID, Kind: s.Kind, Environment: s.Environment}
	for _, h := range s.Hosts {
		r.Targets = append(r.Targets, Target{AgentID: h.AgentID, Checks: s.Selected, Attributes: h.Attributes})
	}
	return r
}

// Plan says which checks of a request are run on which hosts. It keeps the
// checks as they were when the execution began.
type Plan struct {
	// Request is the request, whose targets have only checks that can be run.
	Request
	Checks []*Check // ordered by id
	// Unknown are requested checks that are not in the catalogue, and
	// Inapplicable those that are not for this environment.
	Unknown, Inapplicable []string
	// Unexcludable are checks whose script that excludes hosts has failed. They
	// are run on these hosts.
	Unexcludable []string

	plannedChecks map[agentCheck]bool // the checks of the targets
	excluded      map[agentCheck]bool
	requests      map[string][]FactRequest // by agent
}

// agentCheck is a check on a host.
type agentCheck struct{ agent, check string }

// NewPlan plans a request. Each target and each check counts once.
func NewPlan(ctx context.Context, catalogue *Catalogue, r Request) *Plan {
	p := &Plan{Request: r, plannedChecks: make(map[agentCheck]bool), excluded: make(map[agentCheck]bool), requests: make(map[string][]FactRequest)}
	p.Environment = Environment{}
	for name, v := range r.Environment {
		p.Environment[name] = script.FromJSON(v).JSON() // a whole number may come as a float64
	}
	p.Environment["target_type"] = string(r.Kind)
	can := p.classifyTargets(ctx, catalogue, r.Targets)
	p.Targets = nil
	at := make(map[string]int)
	for _, t := range r.Targets {
		i, known := at[t.AgentID]
		if !known {
			i = len(p.Targets)
			at[t.AgentID] = i
			p.Targets = append(p.Targets, Target{AgentID: t.AgentID, Attributes: t.Attributes})
		}
		p.Targets[i].Checks = append(p.Targets[i].Checks, t.Checks...)
	}
	for i := range p.Targets {
		checks := slices.Compact(slices.Sorted(slices.Values(p.Targets[i].Checks)))
		p.Targets[i].Checks = slices.DeleteFunc(checks, func(id string) bool { return !can[id] })
		for _, id := range p.Targets[i].Checks {
			p.plannedChecks[agentCheck{p.Targets[i].AgentID, id}] = true
		}
	}
	p.exclude(ctx)
	p.requestFacts()
	return p
}

// classifyTargets sorts the requested checks into those that can be run and the others. It
// returns the ids of the former.
func (p *Plan) classifyTargets(ctx context.Context, catalogue *Catalogue, targets []Target) map[string]bool {
	can := make(map[string]bool)
	for _, t := range targets {
		for _, id := range t.Checks {
			if _, known := can[id]; known {
				continue
			}
			c := catalogue.Find(id)
			switch can[id] = false; {
			case c == nil:
				p.Unknown = append(p.Unknown, id)
			case !c.AppliesTo(ctx, p.Environment):
				p.Inapplicable = append(p.Inapplicable, id)
			default:
				can[id] = true
				p.Checks = append(p.Checks, c)
			}
		}
	}
	slices.Sort(p.Unknown)
	slices.Sort(p.Inapplicable)
	slices.SortFunc(p.Checks, func(a, b *Check) int { return cmp.Compare(a.ID, b.ID) })
	return can
}

// exclude decides which hosts are excluded from which checks.
func (p *Plan) exclude(ctx context.Context) {
	for _, c := range p.Checks {
		if c.Exclude == nil {
			continue
		}
		for _, t := range p.Targets {
			if !p.plannedChecks[agentCheck{t.AgentID, c.ID}] {
				continue
			}
			attributes := make(map[string]script.Value, len(t.Attributes))
			for name, v := range t.Attributes {
				attributes[name] = script.FromJSON(v)
			}
			excluded, err := c.Excludes(ctx, attributes)
			if err != nil {
				p.Unexcludable = append(p.Unexcludable, c.ID)
			}
			if excluded {
				p.excluded[agentCheck{t.AgentID, c.ID}] = true
			}
		}
	}
	p.Unexcludable = slices.Compact(p.Unexcludable)
}

// FactRequest asks an agent for one fact.
type FactRequest struct{ CheckID, Name, Gatherer, Argument string }

// requestFacts lists the facts for which each agent is asked.
func (p *Plan) requestFacts() {
	for _, c := range p.Checks {
		for _, t := range p.Targets {
			if at := (agentCheck{t.AgentID, c.ID}); !p.plannedChecks[at] || p.excluded[at] {
				continue
			}
			for _, f := range c.Facts {
				p.requests[t.AgentID] = append(p.requests[t.AgentID], FactRequest{c.ID, f.Name, f.Gatherer, f.Argument})
			}
		}
	}
}

// FactRequests returns the facts for which an agent is asked, in the order of
// the checks and of their files.
func (p *Plan) FactRequests(agent string) []FactRequest { return p.requests[agent] }
