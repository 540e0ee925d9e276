package fleet

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"trento/store/message"
	"trento/store/message/wire"
)

// FactFaults are faults of agents that are asked for facts.
type FactFaults struct {
	SilentAgents bool // agents do not answer
	OldAgent     bool // agents do not know the newest gatherers
	// ErrorPercent is the share of facts that cannot be gathered.
	ErrorPercent int
	SkewSeconds  int // how far the clocks of agents are ahead
}

// factError is why a fact could not be gathered, in the words of agents.
type factError struct{ kind, message string }

func (e *factError) Error() string { return e.message }

// valueNotFound is the type of the error for a path that leads to nothing.
const valueNotFound = "value-not-found"

// gatherer gathers facts on a host. The value is one that can be written as JSON.
// Agents deliver nothing, not even an error, if both results are nil.
type gatherer struct {
	name                 string // with its version
	gather               func(h *Host, argument string) (value any, failure *factError)
	byPath               bool   // the argument is a path into the value
	missingArgumentError string // the type of the error without an argument; "": it may be missing
	recent               bool   // agents of old versions do not have it
}

// findGatherer returns a gatherer, and the newest version of one that is named
// without a version. It is nil if agents have none of this name.
func findGatherer(name string) *gatherer {
	for i := range slices.Backward(gatherers) {
		g := &gatherers[i]
		if short, _, _ := strings.Cut(g.name, "@"); g.name == name || short == name {
			return g
		}
	}
	return nil
}

// gatherFacts answers requests for facts. A gatherer that the agent does not know
// delivers nothing.
func (h *Host) gatherFacts(requests []*wire.FactRequest, faults FactFaults) (facts []*wire.Fact) {
	for _, r := range requests {
		g := findGatherer(r.GetGatherer())
		if g == nil || g.recent && (faults.OldAgent || h.agent == oldAgentVersion) {
			continue
		}
		fact := &wire.Fact{CheckId: r.GetCheckId(), Name: r.GetName()}
		value, failure := h.gather(g, r.GetArgument())
		if faults.ErrorPercent > 0 && int(hashOf(string(h.ID), r.GetCheckId(), r.GetName())%100) < faults.ErrorPercent {
			failure = &factError{"implementation-error", "error executing the command: exit status 1"}
		}
		switch {
		case failure != nil:
			fact.FactValue = &wire.Fact_ErrorValue{ErrorValue: &wire.FactError{Type: failure.kind, Message: failure.message}}
		case value == nil:
			continue
		default:
			encoded, err := newFactValue(value)
			if err != nil {
				continue // agents deliver nothing then
			}
			fact.FactValue = encoded
		}
		facts = append(facts, fact)
	}
	return facts
}

func (h *Host) gather(g *gatherer, argument string) (any, *factError) {
	if argument == "" && g.missingArgumentError != "" {
		return nil, &factError{g.missingArgumentError, "missing required argument"}
	}
	value, failure := g.gather(h, argument)
	if failure != nil || value == nil || !g.byPath || argument == "" {
		return value, failure
	}
	plain, err := asJSON(value)
	if err != nil {
		return nil, nil
	}
	at, found := valueAtPath(plain, argument)
	if !found {
		return nil, &factError{valueNotFound, "error getting value: requested field value not found: " + argument}
	}
	return at, nil
}

// newFactValue returns a value as agents send it.
func newFactValue(value any) (*wire.Fact_Value, error) {
	plain, err := asJSON(value)
	if err != nil {
		return nil, err
	}
	return message.NewFactValue(plain)
}

// asJSON returns a value as JSON has it.
func asJSON(value any) (plain any, err error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return plain, json.Unmarshal(encoded, &plain)
}

// valueAtPath returns what a path of keys and indexes leads to.
func valueAtPath(value any, path string) (at any, found bool) {
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			if value, found = v[step]; !found {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// hashOf returns a number that is always the same for the same words.
func hashOf(words ...string) uint32 {
	sum := fnv.New32a()
	fmt.Fprint(sum, words)
	return sum.Sum32()
}

// One check in six fails: of every second cluster or host, one in three.
const (
	neglectRatio = 2
	faultRatio   = 3
)

// isWrong reports whether the host, or its whole cluster if it has one, has a
// fault in its configuration. Neglected ones have several.
func (h *Host) isWrong(what string) bool {
	thing := string(h.ID)
	if h.cluster != nil {
		thing = h.cluster.key
	}
	return h.fleet.plannedHosts >= minHostsForFaults && hashOf("neglected", thing)%neglectRatio == 0 && hashOf(what, thing)%faultRatio == 0
}

// isOddNode reports whether the host differs from the other nodes of its cluster.
func (h *Host) isOddNode(what string) bool {
	return h.cluster != nil && h.isWrong(what) && h == h.cluster.nodes[len(h.cluster.nodes)-1]
}

// convertText returns a text as the number or the boolean that it looks like.
func convertText(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}
