package api

import (
	"net/http"

	"trento/auth"
	"trento/store/landscape"
)

// selectHostChecks answers POST /api/v1/hosts/{id}/checks: these checks, and
// no others, are selected from now on. Whether there are such checks is not
// asked.
func (a *API) selectHostChecks(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[landscape.HostID](r, "id", &wrong)
	checks, err := selection(r, wrong)
	if err != nil {
		return err
	}
	if err := a.deps.Store.SelectHostChecks(r.Context(), auth.From(r.Context()).Actor(), id, checks); err != nil {
		return err
	}
	return send(w, http.StatusAccepted, struct{}{})
}

// selectClusterChecks answers POST /api/v1/clusters/{cluster_id}/checks.
func (a *API) selectClusterChecks(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[landscape.ClusterID](r, "cluster_id", &wrong)
	checks, err := selection(r, wrong)
	if err != nil {
		return err
	}
	if err := a.deps.Store.SelectClusterChecks(r.Context(), auth.From(r.Context()).Actor(), id, checks); err != nil {
		return err
	}
	return send(w, http.StatusAccepted, struct{}{})
}

// selection are the checks in the body of a request, of which wrong is known
// to be wrong by now.
func selection(r *http.Request, wrong []problem) ([]string, error) {
	if err := unprocessable(wrong...); err != nil {
		return nil, err
	}
	given, err := schemaMembers(r)
	if err != nil {
		return nil, err
	}
	if err := given.only("checks"); err != nil {
		return nil, err
	}
	value, err := given.required("checks")
	if err != nil {
		return nil, err
	}
	checks := schemaTexts("/checks", value, &wrong)
	return checks, unprocessable(wrong...)
}
