package check

import (
	"cmp"

	"trento/store/check/script"
)

// Result is the result of a check, or of a whole execution.
type Result string

// The results, from good to bad.
const (
	Passing  Result = "passing"
	Warning  Result = "warning"
	Critical Result = "critical"
)

var badness = map[Result]int{Passing: 0, Warning: 1, Critical: 2}

// Worst returns the worst of some results; passing if there are none.
func Worst(results ...Result) Result {
	worst := Passing
	for _, r := range results {
		if cmp.Compare(badness[r], badness[worst]) > 0 {
			worst = r
		}
	}
	return worst
}

// Host is a host for which a check is evaluated.
type Host struct {
	AgentID string
	// Excluded is true if the check excludes the host. Such a host takes part in
	// nothing.
	Excluded bool
	// TimedOut is true if the agent has not answered in time.
	TimedOut bool
	// Facts are the answers of the agent, by the name of the fact.
	Facts map[string]Answer
}

// Answer is what an agent answered about a fact.
type Answer struct {
	Value script.Value
	Error *FactError // nil: the fact was gathered
}

// FactError is why a fact could not be gathered.
type FactError struct{ Type, Message string }

// NotDelivered is the type of the error for a fact that is missing in the answer
// of an agent. Agents leave out what they do not know.
const NotDelivered = "fact-not-delivered"

// CheckResult is the result of a check with everything that led to it.
type CheckResult struct {
	CheckID      string
	Customized   bool // a value was customised
	Result       Result
	Expectations []ExpectationResult // none if no host answered
	Hosts        []HostResult        // excluded ones last
}

// ExpectationResult is the result of an expectation over all hosts.
type ExpectationResult struct {
	Name string
	Kind ExpectationKind
	// Good is whether the expectation is met. For ExpectEnum, Enum says how well;
	// it is "" if the expectation could not be evaluated for all hosts.
	Good bool
	Enum Result
	// FailureMessage is the message for an ExpectSame that is not met.
	FailureMessage string
}

// HostState says what became of a check on a host.
type HostState string

// The states of a check on a host.
const (
	Executed    HostState = "executed"
	Excluded    HostState = "excluded"
	NotGathered HostState = "fact_gathering_error"
	TimedOut    HostState = "timeout"
)

// HostResult is what became of a check on a host.
type HostResult struct {
	AgentID string
	State   HostState
	// Facts and Values are in the order of the file. They are nil for a host that
	// timed out.
	Facts       []FactResult
	Values      []ValueResult
	Evaluations []Evaluation
}

// FactResult is a fact as the agent answered it.
type FactResult struct {
	Name string
	Answer
}

// ValueResult is a value with which the facts were compared.
type ValueResult struct {
	Name       string
	Value      script.Value
	Customized bool
}

// Evaluation is what an expectation returned for a host.
type Evaluation struct {
	Name   string
	Kind   ExpectationKind
	Value  script.Value
	Error  *script.Error // not nil: the expectation could not be evaluated
	Failed string        // the message about an expectation that is not met; "" for others
	// Explanation says which parts of the expectation had which value. It is
	// there for what is not good only.
	Explanation []script.Step
}
