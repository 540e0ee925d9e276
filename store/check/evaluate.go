package check

import (
	"context"
	"errors"

	"trento/store/check/script"
)

// Evaluate evaluates a check for the hosts of an execution. custom has the
// customised values by name; names that the check does not have are ignored.
func (c *Check) Evaluate(ctx context.Context, e Environment, custom map[string]script.Value, hosts []Host) CheckResult {
	result := CheckResult{CheckID: c.ID}
	values, customized := c.resolve(ctx, e, custom)
	result.Customized = customized
	var excluded []HostResult
	for _, host := range hosts {
		if host.Excluded {
			excluded = append(excluded, HostResult{AgentID: host.AgentID, State: Excluded})
			continue
		}
		result.Hosts = append(result.Hosts, c.evaluateHost(ctx, host, values))
	}
	result.Expectations = c.conclude(result.Hosts)
	result.Result = c.resultOf(result)
	result.Hosts = append(result.Hosts, excluded...)
	return result
}

// resolve returns the values of the check for an environment: the customised
// one, or that of the first condition that applies, or the default.
func (c *Check) resolve(ctx context.Context, e Environment, custom map[string]script.Value) (values []ValueResult, customized bool) {
	env := e.value()
	for _, v := range c.Values {
		resolved := ValueResult{Name: v.Name, Value: v.Default}
		for _, condition := range v.Conditions {
			if isTrue(ctx, condition.When, "env", env) {
				resolved.Value = condition.Value
				break
			}
		}
		if own, ok := custom[v.Name]; ok {
			resolved.Value, resolved.Customized = own, true
			customized = true
		}
		values = append(values, resolved)
	}
	return values, customized
}

func (c *Check) evaluateHost(ctx context.Context, host Host, values []ValueResult) HostResult {
	h := HostResult{AgentID: host.AgentID, State: Executed}
	if host.TimedOut {
		h.State = TimedOut
		return h
	}
	facts := make(map[string]script.Value)
	for _, fact := range c.Facts {
		answer, ok := host.Facts[fact.Name]
		if !ok {
			answer.Error = &FactError{NotDelivered, "The agent did not deliver this fact; its version may not know the gatherer " + fact.Gatherer}
		}
		if answer.Error != nil {
			h.State = NotGathered
		}
		facts[fact.Name] = answer.Value
		h.Facts = append(h.Facts, FactResult{fact.Name, answer})
	}
	if h.State == NotGathered {
		return h
	}
	h.Values = values
	named := make(map[string]script.Value)
	for _, v := range values {
		named[v.Name] = v.Value
	}
	scope := map[string]script.Value{"facts": script.NewMap(facts), "values": script.NewMap(named)}
	for i := range c.Expectations {
		h.Evaluations = append(h.Evaluations, c.Expectations[i].evaluate(ctx, scope))
	}
	return h
}

// notMetMessage is the message about an expectation that has none of its own.
const notMetMessage = "Expectation not met"

func (x *Expectation) evaluate(ctx context.Context, scope map[string]script.Value) Evaluation {
	evaluation := Evaluation{Name: x.Name, Kind: x.Kind}
	v, err := run(ctx, x.Script, scope)
	evaluation.Value = v
	if failure, ok := errors.AsType[*script.Error](err); ok {
		evaluation.Error = failure
	}
	message, warned := x.FailureMessage, false
	switch {
	case err != nil:
	case x.Kind == Expect && v.IsFalse(), x.Kind == ExpectEnum && enumOf(v) == Critical && v.String() == string(Critical):
		evaluation.Failed = notMetMessage
	case x.Kind == ExpectEnum && enumOf(v) == Warning:
		evaluation.Failed, message, warned = notMetMessage, x.WarningMessage, true
	}
	if evaluation.Failed != "" && message != nil {
		if text, err := run(ctx, message, scope); err == nil {
			evaluation.Failed = text.String()
		}
	}
	if err != nil || warned || x.Kind == Expect && !v.IsTrue() || x.Kind == ExpectEnum && enumOf(v) != Passing {
		evaluation.Explanation = x.explain(ctx, scope)
	}
	return evaluation
}

func (x *Expectation) explain(ctx context.Context, scope map[string]script.Value) []script.Step {
	ctx, cancel := context.WithTimeout(ctx, maxScriptTime)
	defer cancel()
	_, steps, _ := x.Script.Explain(ctx, scope) // the error is known
	return steps
}

// enumOf returns the result that an ExpectEnum returned. Everything but passing
// and warning is critical.
func enumOf(v script.Value) Result {
	if v.Kind() == script.Text {
		switch r := Result(v.String()); r {
		case Passing, Warning:
			return r
		}
	}
	return Critical
}

// conclude returns the results of the expectations over the hosts that are not
// excluded. An expectation that was not evaluated on all of them is not met.
func (c *Check) conclude(hosts []HostResult) []ExpectationResult {
	executed, missing := 0, false
	for _, h := range hosts {
		if h.State == Executed {
			executed++
		} else {
			missing = true
		}
	}
	if executed == 0 {
		return nil
	}
	results := make([]ExpectationResult, len(c.Expectations))
	for i := range c.Expectations {
		results[i] = c.Expectations[i].conclude(i, hosts, missing)
	}
	return results
}

// conclude returns the result of an expectation, the one with the index i.
func (x *Expectation) conclude(i int, hosts []HostResult, missing bool) ExpectationResult {
	result := ExpectationResult{Name: x.Name, Kind: x.Kind, Good: true, Enum: Passing}
	var first *script.Value
	for _, h := range hosts {
		if h.State != Executed {
			continue
		}
		e := &h.Evaluations[i]
		if e.Error != nil {
			missing = true
			continue
		}
		switch x.Kind {
		case Expect:
			result.Good = result.Good && e.Value.IsTrue()
		case ExpectSame:
			result.Good = result.Good && (first == nil || script.Identical(*first, e.Value))
			first = &e.Value
		case ExpectEnum:
			result.Enum = Worst(result.Enum, enumOf(e.Value))
		}
	}
	if x.Kind != ExpectEnum {
		result.Enum = ""
	} else {
		result.Good = result.Enum == Passing
	}
	if missing {
		result.Good, result.Enum = false, ""
	}
	if x.Kind == ExpectSame && !result.Good {
		result.FailureMessage = notMetMessage
		if x.FailureText != "" {
			result.FailureMessage = x.FailureText
		}
	}
	return result
}

// resultOf returns the result of the check, whose excluded hosts are not yet in
// the result.
func (c *Check) resultOf(r CheckResult) Result {
	failed := Result(c.Severity)
	var results []Result
	for _, h := range r.Hosts {
		switch h.State {
		case TimedOut:
			return Critical
		case NotGathered:
			results = append(results, failed)
		}
	}
	if len(results) > 0 {
		return failed
	}
	for _, x := range r.Expectations {
		switch {
		case x.Enum != "":
			results = append(results, x.Enum)
		case !x.Good:
			results = append(results, failed)
		}
	}
	return Worst(results...)
}
