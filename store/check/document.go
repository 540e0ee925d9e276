package check

import (
	"context"
	"encoding/json"
	"slices"

	"trento/store/check/script"
)

// Conclusion is what came out of an execution, in the form in which it is
// stored and shown. Its JSON form is part of the API.
type Conclusion struct {
	Targets  []Target        `json:"targets"`
	Timeouts []Timeout       `json:"timeouts,omitempty"`
	Checks   []CheckDocument `json:"check_results"`
	// Environment is that of the execution, and Unknown and Inapplicable are
	// checks that were asked for and could not be run.
	Environment  Environment `json:"env,omitempty"`
	Unknown      []string    `json:"unknown,omitempty"`
	Inapplicable []string    `json:"inapplicable,omitempty"`
}

// CheckDocument is the result of a check.
type CheckDocument struct {
	CheckID      string                `json:"check_id"`
	Customized   bool                  `json:"customized"`
	Result       Result                `json:"result"`
	Expectations []ExpectationDocument `json:"expectation_results"`
	Agents       []AgentDocument       `json:"agents_check_results"`
	// Waived is set if failures of the whole check do not count. Counted is the
	// result that counts if it is better than Result, because of waivers.
	Waived  *WaivedDocument `json:"waived,omitempty"`
	Counted Result          `json:"counted,omitempty"`
}

// CountedResult returns the result that counts for the health.
func (d *CheckDocument) CountedResult() Result {
	if d.Counted != "" {
		return d.Counted
	}
	return d.Result
}

// ExcludedEverywhere reports whether the check was run on no host because it
// excludes all of them.
func (d *CheckDocument) ExcludedEverywhere() bool {
	return len(d.Agents) > 0 && !slices.ContainsFunc(d.Agents, func(a AgentDocument) bool { return a.Status != string(Excluded) })
}

// ExpectationDocument is the result of an expectation over all hosts. Result is
// a boolean, or the result of an ExpectEnum.
type ExpectationDocument struct {
	Name           string          `json:"name"`
	Type           ExpectationKind `json:"type"`
	Result         any             `json:"result"`
	FailureMessage string          `json:"failure_message,omitempty"`
}

// AgentDocument is what became of a check on a host. Type is set if it could not
// be evaluated; Status is set otherwise.
type AgentDocument struct {
	AgentID           string               `json:"agent_id"`
	Status            string               `json:"status"`
	ExcludeExpression *string              `json:"exclude_expression"`
	Facts             []FactDocument       `json:"facts"`
	Values            []ValueDocument      `json:"values"`
	Evaluations       []EvaluationDocument `json:"expectation_evaluations"`
	Type              string               `json:"type"`
	Message           string               `json:"message"`
	Reason            TimeoutReason        `json:"reason"`
	SkewSeconds       int                  `json:"skew_seconds"`
	Waived            *WaivedDocument      `json:"waived"`
}

// MarshalJSON writes one of the two forms of the API.
func (d AgentDocument) MarshalJSON() ([]byte, error) {
	if d.Type != "" {
		return json.Marshal(struct {
			AgentID     string          `json:"agent_id"`
			Facts       []FactDocument  `json:"facts"`
			Type        string          `json:"type"`
			Message     string          `json:"message"`
			Reason      TimeoutReason   `json:"reason,omitempty"`
			SkewSeconds int             `json:"skew_seconds,omitempty"`
			Waived      *WaivedDocument `json:"waived,omitempty"`
		}{d.AgentID, d.Facts, d.Type, d.Message, d.Reason, d.SkewSeconds, d.Waived})
	}
	return json.Marshal(struct {
		AgentID           string               `json:"agent_id"`
		Status            string               `json:"status"`
		ExcludeExpression *string              `json:"exclude_expression"`
		Facts             []FactDocument       `json:"facts"`
		Values            []ValueDocument      `json:"values"`
		Evaluations       []EvaluationDocument `json:"expectation_evaluations"`
		Waived            *WaivedDocument      `json:"waived,omitempty"`
	}{d.AgentID, d.Status, d.ExcludeExpression, d.Facts, d.Values, d.Evaluations, d.Waived})
}

// FactDocument is a fact, or the error with Type for a fact that could not be
// gathered.
type FactDocument struct {
	CheckID string          `json:"check_id"`
	Name    string          `json:"name"`
	Value   json.RawMessage `json:"value"`
	Type    string          `json:"type"`
	Message string          `json:"message"`
}

// MarshalJSON writes one of the two forms of the API.
func (d FactDocument) MarshalJSON() ([]byte, error) {
	if d.Type != "" {
		return json.Marshal(struct {
			CheckID string `json:"check_id"`
			Name    string `json:"name"`
			Type    string `json:"type"`
			Message string `json:"message"`
		}{d.CheckID, d.Name, d.Type, d.Message})
	}
	return json.Marshal(struct {
		CheckID string          `json:"check_id"`
		Name    string          `json:"name"`
		Value   json.RawMessage `json:"value"`
	}{d.CheckID, d.Name, d.Value})
}

// ValueDocument is a value with which facts were compared.
type ValueDocument struct {
	Name       string          `json:"name"`
	Value      json.RawMessage `json:"value"`
	Customized bool            `json:"customized"`
}

// EvaluationDocument is what an expectation returned for a host, or with Message
// why it could not be evaluated.
type EvaluationDocument struct {
	Name           string
	Type           string // kind of the expectation, or of the error
	ReturnValue    json.RawMessage
	FailureMessage string
	Message        string
	// Explanation is evidence for what is not good: which part of the
	// expectation had which value.
	Explanation []StepDocument
}

// StepDocument is a part of an expectation with its value.
type StepDocument struct {
	Source string `json:"source"`
	Value  string `json:"value"`
}

// evaluationJSON is the JSON form of an EvaluationDocument, in which
// return_value is null only if that was returned.
type evaluationJSON struct {
	Name           string           `json:"name"`
	Type           string           `json:"type"`
	ReturnValue    *json.RawMessage `json:"return_value,omitempty"`
	FailureMessage string           `json:"failure_message,omitempty"`
	Message        *string          `json:"message,omitempty"`
	Explanation    []StepDocument   `json:"explanation,omitempty"`
}

// MarshalJSON writes one of the two forms of the API.
func (d EvaluationDocument) MarshalJSON() ([]byte, error) {
	form := evaluationJSON{Name: d.Name, Type: d.Type, FailureMessage: d.FailureMessage, Explanation: d.Explanation}
	if d.ReturnValue != nil {
		form.ReturnValue = &d.ReturnValue
	} else {
		form.Message = &d.Message
	}
	return json.Marshal(form)
}

// UnmarshalJSON reads either form.
func (d *EvaluationDocument) UnmarshalJSON(data []byte) error {
	var form struct {
		evaluationJSON
		ReturnValue json.RawMessage `json:"return_value"`
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	*d = EvaluationDocument{Name: form.Name, Type: form.Type, ReturnValue: form.ReturnValue, FailureMessage: form.FailureMessage, Explanation: form.Explanation}
	if form.Message != nil {
		d.Message = *form.Message
	}
	return nil
}

// The messages about hosts on which a check could not be evaluated.
const (
	timeoutMessage     = "Agent timed out during the execution"
	notGatheredMessage = "Fact gathering error occurred during the execution"
)

// CustomValues are customised values by check and name.
type CustomValues map[string]map[string]script.Value

// Conclude evaluates the checks of a plan. Agents that have not answered count
// as timed out.
func (p *Plan) Conclude(ctx context.Context, answers *Answers, custom CustomValues, waivers []Waiver) *Conclusion {
	c := &Conclusion{
		Targets: p.Targets, Timeouts: answers.Timeouts(), Environment: p.Environment,
		Unknown: p.Unknown, Inapplicable: p.Inapplicable, Checks: []CheckDocument{},
	}
	silent := make(map[string]Timeout)
	for _, t := range c.Timeouts {
		silent[t.AgentID] = t
	}
	for _, check := range p.Checks {
		hosts := answers.hosts(check)
		result := check.Evaluate(ctx, p.Environment, custom[check.ID], hosts)
		d := check.document(&result, silent)
		if result.Result != Passing && len(waivers) > 0 {
			check.waive(ctx, &d, p.Environment, custom[check.ID], hosts, waivers)
		}
		c.Checks = append(c.Checks, d)
	}
	return c
}

// waive notes which waivers apply to a failed check, and what result counts: that
// without the hosts on which the failure is waived.
func (c *Check) waive(ctx context.Context, d *CheckDocument, e Environment, custom map[string]script.Value, hosts []Host, waivers []Waiver) {
	if d.Waived = find(waivers, c.ID, ""); d.Waived != nil {
		d.Counted = Passing
		return
	}
	waived := false
	for i := range d.Agents {
		if a := &d.Agents[i]; a.Status != string(Excluded) {
			a.Waived = find(waivers, c.ID, a.AgentID)
			waived = waived || a.Waived != nil
		}
	}
	if !waived {
		return
	}
	counted := slices.Clone(hosts)
	for i := range counted {
		if find(waivers, c.ID, counted[i].AgentID) != nil {
			counted[i].Excluded = true
		}
	}
	if r := c.Evaluate(ctx, e, custom, counted).Result; r != d.Result {
		d.Counted = r
	}
}

// document returns the result of the check as it is stored. silent are the agents
// that have timed out.
func (c *Check) document(r *CheckResult, silent map[string]Timeout) CheckDocument {
	d := CheckDocument{CheckID: r.CheckID, Customized: r.Customized, Result: r.Result, Expectations: []ExpectationDocument{}, Agents: []AgentDocument{}}
	for _, x := range r.Expectations {
		result := any(x.Good)
		if x.Enum != "" {
			result = string(x.Enum)
		}
		d.Expectations = append(d.Expectations, ExpectationDocument{x.Name, x.Kind, result, x.FailureMessage})
	}
	for _, h := range r.Hosts {
		d.Agents = append(d.Agents, c.agentDocument(h, silent))
	}
	return d
}

func (c *Check) agentDocument(h HostResult, silent map[string]Timeout) AgentDocument {
	d := AgentDocument{AgentID: h.AgentID, Facts: []FactDocument{}}
	for _, f := range h.Facts {
		fact := FactDocument{CheckID: c.ID, Name: f.Name}
		if f.Error != nil {
			fact.Type, fact.Message = f.Error.Type, f.Error.Message
		} else {
			fact.Value = rawJSON(f.Value)
		}
		d.Facts = append(d.Facts, fact)
	}
	switch h.State {
	case TimedOut:
		t := silent[h.AgentID]
		d.Facts, d.Type, d.Message, d.Reason, d.SkewSeconds = nil, string(TimedOut), timeoutMessage, t.Reason, t.SkewSeconds
		return d
	case NotGathered:
		d.Type, d.Message = string(NotGathered), notGatheredMessage
		return d
	case Excluded:
		source := c.Exclude.Source()
		d.ExcludeExpression = &source
	}
	d.Status, d.Values, d.Evaluations = string(h.State), []ValueDocument{}, []EvaluationDocument{}
	for _, v := range h.Values {
		d.Values = append(d.Values, ValueDocument{v.Name, rawJSON(v.Value), v.Customized})
	}
	for _, e := range h.Evaluations {
		d.Evaluations = append(d.Evaluations, newEvaluationDocument(e))
	}
	return d
}

func newEvaluationDocument(e Evaluation) EvaluationDocument {
	d := EvaluationDocument{Name: e.Name, Type: string(e.Kind)}
	if e.Error != nil {
		d.Type, d.Message = string(e.Error.Kind), e.Error.Error()
	} else {
		d.ReturnValue, d.FailureMessage = rawJSON(e.Value), e.Failed
	}
	for _, s := range e.Explanation {
		d.Explanation = append(d.Explanation, StepDocument(s))
	}
	return d
}

// rawJSON returns a value as JSON. Every value has a JSON form.
func rawJSON(v script.Value) json.RawMessage {
	encoded, err := json.Marshal(v.JSON())
	if err != nil {
		encoded, _ = json.Marshal(v.String()) //nolint:errchkjson // a text can always be encoded
	}
	return encoded
}

// Counts are how many checks have which result. Waived ones among them are
// counted again.
type Counts struct {
	Passing  int `json:"passing"`
	Warning  int `json:"warning"`
	Critical int `json:"critical"`
	Waived   int `json:"waived,omitempty"`
}

// Count counts the results of the checks.
func (c *Conclusion) Count() (n Counts) {
	for i := range c.Checks {
		d := &c.Checks[i]
		switch d.Result {
		case Passing:
			n.Passing++
		case Warning:
			n.Warning++
		case Critical:
			n.Critical++
		}
		if d.Counted != "" {
			n.Waived++
		}
	}
	return n
}

// Result returns the worst result of all checks. Health is the worst that
// counts, as waived failures do not.
func (c *Conclusion) Result() (result, health Result) {
	result, health = Passing, Passing
	for i := range c.Checks {
		result = Worst(result, c.Checks[i].Result)
		health = Worst(health, c.Checks[i].CountedResult())
	}
	return result, health
}

// Failed returns the ids of the checks that are not passing.
func (c *Conclusion) Failed() []string {
	failed := []string{}
	for i := range c.Checks {
		if c.Checks[i].Result != Passing {
			failed = append(failed, c.Checks[i].CheckID)
		}
	}
	return failed
}

// Find returns the result of a check; nil if it was not run.
func (c *Conclusion) Find(id string) *CheckDocument {
	for i := range c.Checks {
		if c.Checks[i].CheckID == id {
			return &c.Checks[i]
		}
	}
	return nil
}
