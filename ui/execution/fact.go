package execution

import (
	"encoding/json"
	"fmt"

	"trento/store/check"
	"trento/store/check/script"
	"trento/store/message/wire"
)

// maxFactBytes is the size of the JSON of a fact that is kept. Facts of all
// hosts of a group are in one document.
const maxFactBytes = 256 << 10

// The types of errors that this server, not the agent, makes of a fact.
const (
	factTooLarge = "fact-too-large"
	unknownError = "unknown-error"
)

// gatheredFacts returns the facts in an answer. A fact without value and error counts
// as not delivered.
func gatheredFacts(answer *wire.FactsGathered) (facts []check.GatheredFact) {
	for _, f := range answer.GetFactsGathered() {
		fact := check.GatheredFact{CheckID: f.GetCheckId(), Name: f.GetName()}
		switch value := f.GetFactValue().(type) {
		case *wire.Fact_ErrorValue:
			fact.Error = &check.FactError{Type: value.ErrorValue.GetType(), Message: value.ErrorValue.GetMessage()}
			if fact.Error.Type == "" {
				fact.Error.Type = unknownError
			}
		case *wire.Fact_Value:
			fact.Value = script.FromJSON(value.Value.AsInterface())
			if encoded, err := json.Marshal(fact.Value.JSON()); err != nil || len(encoded) > maxFactBytes {
				fact.Answer = check.Answer{Error: &check.FactError{
					Type: factTooLarge, Message: fmt.Sprintf("The fact has %d bytes; %d are kept at most", len(encoded), maxFactBytes),
				}}
			}
		default:
			continue
		}
		facts = append(facts, fact)
	}
	return facts
}
