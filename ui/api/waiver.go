package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/check"
)

// waiver is a waiver in answers of the API.
type waiver struct {
	ID        string            `json:"id"`
	GroupID   string            `json:"group_id"`
	Kind      check.SubjectKind `json:"target_type"`
	CheckID   string            `json:"check_id"`
	AgentID   *string           `json:"agent_id"`
	Reason    string            `json:"reason"`
	Until     timestamp         `json:"until"`
	By        string            `json:"by"`
	CreatedAt timestamp         `json:"created_at"`
	UpdatedAt timestamp         `json:"updated_at"`
}

func newWaiver(w *store.Waiver) waiver {
	shown := waiver{
		ID: w.ID, GroupID: w.GroupID, Kind: w.Kind, CheckID: w.CheckID, Reason: w.Reason, Until: timestamp(w.Until), By: w.By,
		CreatedAt: timestamp(w.CreatedAt), UpdatedAt: timestamp(w.UpdatedAt),
	}
	if w.AgentID != "" {
		shown.AgentID = &w.AgentID
	}
	return shown
}

// listWaivers answers GET /api/v1/checks/waivers.
func (a *API) listWaivers(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	group := in.queryID("group_id")
	if err := in.fault(); err != nil {
		return err
	}
	answer := struct {
		Items []waiver `json:"items"`
	}{[]waiver{}}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		all, err := tx.Waivers()
		for _, w := range all {
			if group == "" || w.GroupID == group {
				answer.Items = append(answer.Items, newWaiver(w))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// createWaiver answers POST /api/v1/checks/waivers.
func (a *API) createWaiver(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	body := in.object()
	given := store.Waiver{
		GroupID: required(body, "group_id", asID), Kind: required(body, "target_type", asSubjectKind), CheckID: required(body, "check_id", asText),
		AgentID: orZero(orZero(optional(body, "agent_id", orNull(asID)))), Reason: required(body, "reason", asText), Until: required(body, "until", asTime),
	}
	if err := in.fault(); err != nil {
		return err
	}
	created, err := a.deps.Store.CreateWaiver(r.Context(), auth.From(r.Context()).Actor(), given)
	if err != nil {
		return err
	}
	return send(w, http.StatusCreated, newWaiver(created))
}

// changeWaiver answers PATCH /api/v1/checks/waivers/{id}.
func (a *API) changeWaiver(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, body := pathID[string](in, "id"), in.object()
	reason, until := required(body, "reason", asText), required(body, "until", asTime)
	if err := in.fault(); err != nil {
		return err
	}
	changed, err := a.deps.Store.ChangeWaiver(r.Context(), auth.From(r.Context()).Actor(), id, reason, until)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, newWaiver(changed))
}

// endWaiver answers DELETE /api/v1/checks/waivers/{id}.
func (a *API) endWaiver(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.EndWaiver(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
