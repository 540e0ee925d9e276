package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Change says how a check has come out in one execution compared with another.
type Change string

// The changes. Added and Removed checks were run in one of the two executions
// only.
const (
	Added   Change = "new"
	Removed Change = "gone"
	Worse   Change = "worse"
	Better  Change = "better"
	Same    Change = "same"
)

// Difference is how the outcome of a check differs between two executions.
type Difference struct {
	CheckID string  `json:"check_id"`
	Change  Change  `json:"change"`
	Before  *Result `json:"before"` // nil for an added check
	After   *Result `json:"after"`  // nil for a removed check
	// Agents are the hosts on which something differs. There are none for checks
	// that were run in one execution only.
	Agents []AgentDifference `json:"agents"`
}

// AgentDifference is what differs on a host. What is in one of the executions
// only, because a host did not answer or was not asked, differs from null.
type AgentDifference struct {
	AgentID     string        `json:"agent_id"`
	State       *ValueChange  `json:"state,omitempty"`
	Facts       []ValueChange `json:"facts"`
	Values      []ValueChange `json:"values"`
	Evaluations []ValueChange `json:"evaluations"`
}

// ValueChange is a value that differs. Before and After are JSON.
type ValueChange struct {
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Compare returns how each check has come out in an execution compared with an
// earlier one, the worst changes first. The result is what the check says,
// whether or not a failure is waived.
func Compare(before, after *Conclusion) []Difference {
	all := []Difference{}
	for i := range after.Checks {
		d := &after.Checks[i]
		all = append(all, compareCheck(before.Find(d.CheckID), d))
	}
	for i := range before.Checks {
		if d := &before.Checks[i]; after.Find(d.CheckID) == nil {
			all = append(all, Difference{CheckID: d.CheckID, Change: Removed, Before: &d.Result, Agents: []AgentDifference{}})
		}
	}
	order := []Change{Worse, Better, Added, Removed, Same}
	slices.SortFunc(all, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Change), slices.Index(order, b.Change)), cmp.Compare(a.CheckID, b.CheckID))
	})
	return all
}

// compareCheck compares two outcomes of a check. before is nil if the check was
// not run.
func compareCheck(before, after *CheckDocument) Difference {
	d := Difference{CheckID: after.CheckID, Change: Added, After: &after.Result, Agents: []AgentDifference{}}
	if before == nil {
		return d
	}
	d.Before, d.Change = &before.Result, Same
	switch {
	case badness[after.Result] > badness[before.Result]:
		d.Change = Worse
	case badness[after.Result] < badness[before.Result]:
		d.Change = Better
	}
	none := new(AgentDocument)
	for i := range after.Agents {
		a := &after.Agents[i]
		d.addAgent(a.AgentID, cmp.Or(before.findAgent(a.AgentID), none), a)
	}
	for i := range before.Agents {
		if a := &before.Agents[i]; after.findAgent(a.AgentID) == nil {
			d.addAgent(a.AgentID, a, none)
		}
	}
	return d
}

func (d *CheckDocument) findAgent(id string) *AgentDocument {
	for i := range d.Agents {
		if d.Agents[i].AgentID == id {
			return &d.Agents[i]
		}
	}
	return nil
}

// addAgent adds what differs on a host, if anything does.
func (d *Difference) addAgent(id string, before, after *AgentDocument) {
	a := AgentDifference{
		AgentID:     id,
		Facts:       changedValues(before.facts(), after.facts()),
		Values:      changedValues(before.values(), after.values()),
		Evaluations: changedValues(before.evaluations(), after.evaluations()),
	}
	if states := changedValues([]ValueChange{before.state()}, []ValueChange{after.state()}); len(states) > 0 {
		a.State = &states[0]
	}
	if a.State != nil || len(a.Facts)+len(a.Values)+len(a.Evaluations) > 0 {
		d.Agents = append(d.Agents, a)
	}
}

// changedValues returns the values that differ. Each of the two lists has its
// values in After.
func changedValues(before, after []ValueChange) []ValueChange {
	changed := []ValueChange{}
	find := func(in []ValueChange, name string) json.RawMessage {
		if i := slices.IndexFunc(in, func(v ValueChange) bool { return v.Name == name }); i >= 0 {
			return in[i].After
		}
		return nil
	}
	for _, v := range after {
		if old := find(before, v.Name); !bytes.Equal(old, v.After) {
			changed = append(changed, ValueChange{v.Name, old, v.After})
		}
	}
	for _, v := range before {
		if !slices.ContainsFunc(after, func(w ValueChange) bool { return w.Name == v.Name }) {
			changed = append(changed, ValueChange{v.Name, v.After, nil})
		}
	}
	return changed
}

// state returns what became of the check on the host; null if it was not run
// there.
func (d *AgentDocument) state() ValueChange {
	state := cmp.Or(d.Type, d.Status)
	if state == "" {
		return ValueChange{Name: "state"}
	}
	return ValueChange{Name: "state", After: jsonText(state)}
}

func (d *AgentDocument) facts() (all []ValueChange) {
	for _, f := range d.Facts {
		v := ValueChange{Name: f.Name, After: f.Value}
		if f.Type != "" {
			v.After = jsonText(f.Type + ": " + f.Message)
		}
		all = append(all, v)
	}
	return all
}

func (d *AgentDocument) values() (all []ValueChange) {
	for _, v := range d.Values {
		all = append(all, ValueChange{Name: v.Name, After: v.Value})
	}
	return all
}

func (d *AgentDocument) evaluations() (all []ValueChange) {
	for _, e := range d.Evaluations {
		v := ValueChange{Name: e.Name, After: e.ReturnValue}
		if e.ReturnValue == nil {
			v.After = jsonText(e.Message)
		}
		all = append(all, v)
	}
	return all
}

func jsonText(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a text can always be encoded
	return raw
}
