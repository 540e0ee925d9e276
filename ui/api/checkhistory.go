package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"trento/store"
	"trento/store/check"
)

// checkTransition is an execution in which a check has another result than
// before.
type checkTransition struct {
	At          timestamp     `json:"at"`
	ExecutionID string        `json:"execution_id"`
	CheckID     string        `json:"check_id"`
	Result      *check.Result `json:"result"`
	Previous    *check.Result `json:"previous"`
}

// listCheckHistory answers GET /api/v1/checks/history.
func (a *API) listCheckHistory(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	group, id, agent := in.queryID("group_id"), in.queryText("check_id"), in.queryID("agent_id")
	if _, given := in.query["group_id"]; !given {
		in.refuse("group_id", "Missing field: group_id")
	}
	if utf8.RuneCountInString(id) > maxCheckID {
		in.refuse("check_id", fmt.Sprintf("should be at most %d character(s)", maxCheckID))
	}
	if err := in.fault(); err != nil {
		return err
	}
	answer := struct {
		Items []checkTransition `json:"items"`
	}{[]checkTransition{}}
	err := a.deps.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		outcomes, err := checkOutcomes(tx, group, id, agent)
		for id, all := range outcomes {
			for _, t := range check.Transitions(all) {
				answer.Items = append(answer.Items, checkTransition{timestamp(t.At), t.ExecutionID, id, resultOrNull(t.Result), resultOrNull(t.Previous)})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(answer.Items, func(a, b checkTransition) int {
		return cmp.Or(time.Time(b.At).Compare(time.Time(a.At)), cmp.Compare(a.CheckID, b.CheckID))
	})
	return send(w, http.StatusOK, answer)
}

// checkOutcomes returns how the checks of a group came out, oldest execution
// first. If agent is not "", it is the one host whose outcome counts.
func checkOutcomes(tx *store.Tx, group, only, agent string) (map[string][]check.Outcome, error) {
	executions, err := tx.ExecutionsOf(group)
	if err != nil {
		return nil, err
	}
	executions = slices.Clone(executions)
	slices.Reverse(executions)
	outcomes, err := tx.CheckOutcomes(executions, only)
	if err != nil || agent == "" {
		return outcomes, err
	}
	conclusions := make(map[string]*check.Conclusion)
	for i, e := range executions {
		if conclusions[e.Conclusion] == nil {
			if conclusions[e.Conclusion], err = tx.Conclusion(e); err != nil {
				return nil, err
			}
		}
		for id := range outcomes {
			outcomes[id][i].Result = ""
			if d := conclusions[e.Conclusion].Find(id); d != nil {
				outcomes[id][i].Result = d.ResultOn(agent)
			}
		}
	}
	return outcomes, nil
}

func resultOrNull(r check.Result) *check.Result {
	if r == "" {
		return nil
	}
	return &r
}

// showExecutionDifference answers GET
// /api/v1/checks/executions/{id}/diff/{other}.
func (a *API) showExecutionDifference(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, other := pathID[string](in, "id"), pathID[string](in, "other")
	if err := in.fault(); err != nil {
		return err
	}
	var answer struct {
		Items []check.Difference `json:"items"`
	}
	err := a.deps.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		before, err := conclusionOf(tx, id)
		if err != nil {
			return err
		}
		after, err := conclusionOf(tx, other)
		if err != nil {
			return err
		}
		answer.Items = check.Compare(before, after)
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

func conclusionOf(tx *store.Tx, execution string) (*check.Conclusion, error) {
	e, err := tx.Execution(execution)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errNoExecution
	}
	if err != nil {
		return nil, err
	}
	return tx.Conclusion(e)
}
