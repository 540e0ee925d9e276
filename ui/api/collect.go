package api

import (
	"net/http"

	"trento/store"
	"trento/store/discovery"
	"trento/store/landscape"
)

// collect answers POST /api/v1/collect: an agent reports what it has found.
// Most reports repeat the one before and are not even decoded.
func (a *API) collect(w http.ResponseWriter, r *http.Request) error {
	if !isJSON(r) {
		return errContentType
	}
	body := r.Body.(received)
	if !a.deps.Store.Unchanged(body) {
		if err := a.observe(r, body); err != nil {
			return err
		}
	}
	write(w, http.StatusAccepted, []byte(`{}`)) // agents look at the status only
	return nil
}

// observe takes in a report that says something new. One whose content cannot
// be decoded is kept for those who want to know why.
func (a *API) observe(r *http.Request, body received) error {
	envelope, err := discovery.Open(body)
	if err != nil {
		return err
	}
	seen, refused := discovery.Decode(envelope)
	if refused != nil {
		if err := a.deps.Store.Discard(r.Context(), body, refused.Error()); err != nil {
			return err
		}
		return refused
	}
	return a.deps.Store.Observe(r.Context(), store.Report{Observation: seen, Body: body})
}

// heartbeat answers POST /api/v1/hosts/{id}/heartbeat: an agent is alive.
func (a *API) heartbeat(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[landscape.HostID](r, "id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	if err := a.deps.Store.Heartbeat(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
