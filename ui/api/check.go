package api

import (
	"net/http"

	"trento/auth"
	"trento/store/landscape"
)

// selectHostChecks answers POST /api/v1/hosts/{id}/checks. The checks in the
// body replace the present selection. Ids of unknown checks are accepted.
func (a *API) selectHostChecks(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, checks := pathID[landscape.HostID](in, "id"), in.checks()
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.SelectHostChecks(r.Context(), auth.From(r.Context()).Actor(), id, checks); err != nil {
		return err
	}
	return send(w, http.StatusAccepted, struct{}{})
}

// selectClusterChecks answers POST /api/v1/clusters/{cluster_id}/checks.
func (a *API) selectClusterChecks(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, checks := pathID[landscape.ClusterID](in, "cluster_id"), in.checks()
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.SelectClusterChecks(r.Context(), auth.From(r.Context()).Actor(), id, checks); err != nil {
		return err
	}
	return send(w, http.StatusAccepted, struct{}{})
}

// checks returns the ids of the checks in the body.
func (in *input) checks() []string {
	return required(in.object(), "checks", asListOf(asText))
}
