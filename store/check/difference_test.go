package check

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// outcomeOf returns the outcome of a check on one host, with a fact of its limit.
func outcomeOf(id string, r Result, limit, met string) CheckDocument {
	return CheckDocument{CheckID: id, Result: r, Agents: []AgentDocument{{
		AgentID: "one", Status: string(Executed),
		Facts:       []FactDocument{{CheckID: id, Name: "limit", Value: json.RawMessage(limit)}},
		Values:      []ValueDocument{{Name: "wanted", Value: json.RawMessage("5")}},
		Evaluations: []EvaluationDocument{{Name: "as_wanted", Type: string(Expect), ReturnValue: json.RawMessage(met)}},
	}}}
}

func TestCompare(t *testing.T) {
	silent := CheckDocument{CheckID: "D", Result: Critical, Agents: []AgentDocument{{AgentID: "one", Type: string(TimedOut), Message: timeoutMessage}}}
	noFact := outcomeOf("E", Critical, "4", "false")
	noFact.Agents[0].Facts[0] = FactDocument{CheckID: "E", Name: "limit", Type: "sysctl-error", Message: "no such key"}
	before := &Conclusion{Checks: []CheckDocument{
		outcomeOf("A", Passing, "5", "true"), outcomeOf("B", Critical, "4", "false"), outcomeOf("C", Warning, "4", "false"), outcomeOf("D", Passing, "5", "true"),
		outcomeOf("E", Critical, "4", "false"), outcomeOf("G", Passing, "5", "true"),
	}}
	after := &Conclusion{Checks: []CheckDocument{
		outcomeOf("A", Passing, "5", "true"), outcomeOf("B", Passing, "5", "true"), outcomeOf("C", Critical, "3", "false"), silent, noFact, outcomeOf("F", Passing, "5", "true"),
	}}
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	result := func(r Result) *Result { return &r }
	none := []ValueChange{}
	want := []Difference{
		{CheckID: "C", Change: Worse, Before: result(Warning), After: result(Critical), Agents: []AgentDifference{
			{AgentID: "one", Facts: []ValueChange{{"limit", raw("4"), raw("3")}}, Values: none, Evaluations: none}}},
		{CheckID: "D", Change: Worse, Before: result(Passing), After: result(Critical), Agents: []AgentDifference{{
			AgentID: "one", State: &ValueChange{"state", raw(`"executed"`), raw(`"timeout"`)},
			Facts: []ValueChange{{"limit", raw("5"), nil}}, Values: []ValueChange{{"wanted", raw("5"), nil}}, Evaluations: []ValueChange{{"as_wanted", raw("true"), nil}},
		}}},
		{CheckID: "B", Change: Better, Before: result(Critical), After: result(Passing), Agents: []AgentDifference{
			{AgentID: "one", Facts: []ValueChange{{"limit", raw("4"), raw("5")}}, Values: none, Evaluations: []ValueChange{{"as_wanted", raw("false"), raw("true")}}}}},
		{CheckID: "F", Change: Added, After: result(Passing), Agents: []AgentDifference{}},
		{CheckID: "G", Change: Removed, Before: result(Passing), Agents: []AgentDifference{}},
		{CheckID: "A", Change: Same, Before: result(Passing), After: result(Passing), Agents: []AgentDifference{}},
		{CheckID: "E", Change: Same, Before: result(Critical), After: result(Critical), Agents: []AgentDifference{
			{AgentID: "one", Facts: []ValueChange{{"limit", raw("4"), raw(`"sysctl-error: no such key"`)}}, Values: none, Evaluations: none}}},
	}
	if diff := cmp.Diff(want, Compare(before, after)); diff != "" {
		t.Error(diff)
	}
}

func TestTransitions(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	for name, tt := range map[string]struct {
		results []Result
		want    []Transition
	}{
		"none":            {nil, nil},
		"never run":       {[]Result{"", ""}, nil},
		"always the same": {[]Result{Passing, Passing}, []Transition{{Outcome{At: at(0), Result: Passing}, ""}}},
		"chosen, broken, mended and left out": {[]Result{"", Passing, Critical, Critical, Passing, ""}, []Transition{
			{Outcome{At: at(1), Result: Passing}, ""}, {Outcome{At: at(2), Result: Critical}, Passing},
			{Outcome{At: at(4), Result: Passing}, Critical}, {Outcome{At: at(5)}, Passing},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var outcomes []Outcome
			for i, r := range tt.results {
				outcomes = append(outcomes, Outcome{At: at(i), Result: r})
			}
			if diff := cmp.Diff(tt.want, Transitions(outcomes)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestResultOn(t *testing.T) {
	same := EvaluationDocument{Name: "same", Type: string(ExpectSame), ReturnValue: json.RawMessage("17")}
	d := CheckDocument{Result: Warning, Agents: []AgentDocument{
		{AgentID: "met", Status: string(Executed), Evaluations: []EvaluationDocument{same, {ReturnValue: json.RawMessage("true")}, {ReturnValue: json.RawMessage(`"passing"`)}}},
		{AgentID: "not met", Status: string(Executed), Evaluations: []EvaluationDocument{{ReturnValue: json.RawMessage("true")}, {ReturnValue: json.RawMessage("false")}}},
		{AgentID: "broken", Status: string(Executed), Evaluations: []EvaluationDocument{{Type: "evaluation_error", Message: "no such function"}}},
		{AgentID: "excluded", Status: string(Excluded)},
		{AgentID: "silent", Type: string(TimedOut)},
	}}
	for agent, want := range map[string]Result{"met": Passing, "not met": Warning, "broken": Warning, "excluded": "", "silent": "", "not asked": ""} {
		if got := d.ResultOn(agent); got != want {
			t.Errorf("%s: %q, want %q", agent, got, want)
		}
	}
}
