package check

import "time"

// Outcome is the result of a check in one execution.
type Outcome struct {
	At          time.Time // when the execution began
	ExecutionID string
	Result      Result // "" if the check was not run
}

// Transition is an outcome that differs from the one before.
type Transition struct {
	Outcome
	Previous Result // "" if the check was not run before
}

// Transitions returns the outcomes that differ from those before them. Outcomes
// are in the order of time, and so are the transitions. The first outcome is a
// transition if the check was run.
func Transitions(outcomes []Outcome) []Transition {
	var all []Transition
	var previous Result
	for _, o := range outcomes {
		if o.Result != previous {
			all = append(all, Transition{o, previous})
		}
		previous = o.Result
	}
	return all
}

// ResultOn returns the result of a check on one host; "" if it was not evaluated
// there, because the host is excluded, did not answer or was not asked. A host
// that fails has the result of the check.
func (d *CheckDocument) ResultOn(agent string) Result {
	a := d.findAgent(agent)
	if a == nil || a.Type != "" || a.Status != string(Executed) {
		return ""
	}
	for i := range a.Evaluations {
		if !a.Evaluations[i].isGood() {
			return d.Result
		}
	}
	return Passing
}

// isGood reports whether an expectation is met on a host. What compares all
// hosts is met on each.
func (d *EvaluationDocument) isGood() bool {
	value := string(d.ReturnValue)
	return d.ReturnValue != nil && (d.Type == string(ExpectSame) || value == "true" || value == `"passing"`)
}
