package api

import (
	"encoding/json"
	"net/http"

	"trento/auth"
	"trento/store/check"
	"trento/store/landscape"
)

// askedFact is a fact that an agent was asked for, in answers of the API. It has a
// value, or the type and the message of an error.
type askedFact struct {
	check.FactQuestion
	Value   any     `json:"value"`
	Type    *string `json:"type"`
	Message *string `json:"message"`
}

// askFacts answers POST /api/v1/checks/facts: it asks the agent of a host for
// facts and waits for them.
func (a *API) askFacts(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	body := in.object()
	host, questions := required(body, "agent_id", asID), required(body, "requests", asShortListOf(asFactQuestion))
	if err := in.fault(); err != nil {
		return err
	}
	answers, err := a.deps.Executions.AskFacts(r.Context(), auth.From(r.Context()).Actor(), landscape.HostID(host), questions)
	if err != nil {
		return err
	}
	answer := struct {
		Facts []askedFact `json:"facts"`
	}{}
	for i, q := range questions {
		shown := askedFact{FactQuestion: q}
		if e := answers[i].Error; e != nil {
			shown.Type, shown.Message = &e.Type, &e.Message
		} else {
			shown.Value = answers[i].Value.JSON()
		}
		answer.Facts = append(answer.Facts, shown)
	}
	return send(w, http.StatusOK, answer)
}

func asFactQuestion(at place, value json.RawMessage) check.FactQuestion {
	o := asObject(at, value)
	q := check.FactQuestion{Gatherer: required(o, "gatherer", asText)}
	replaceIfGiven(o, "argument", asText, &q.Argument)
	return q
}
