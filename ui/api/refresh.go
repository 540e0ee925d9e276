package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
	"trento/ui/refresh"
)

// refreshAnswer is what became of the request for one kind of report, in
// answers of the API.
type refreshAnswer struct {
	HostID      landscape.HostID `json:"host_id"`
	Kind        landscape.Kind   `json:"discovery_type"`
	State       refresh.State    `json:"state"`
	Outstanding bool             `json:"outstanding"`
	AskedAt     timestamp        `json:"asked_at"`
	AnsweredAt  *timestamp       `json:"answered_at"`
}

// refreshHost answers POST /api/v1/hosts/{id}/refresh: it asks the agent of the
// host for all its reports.
func (a *API) refreshHost(w http.ResponseWriter, r *http.Request) error {
	id, err := a.hostToRefresh(r)
	if err != nil {
		return err
	}
	if err := a.deps.Refresher.AskHost(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	return a.sendRefresh(w, http.StatusAccepted, []landscape.HostID{id}, landscape.Kinds)
}

// showHostRefresh answers GET /api/v1/hosts/{id}/refresh with what became of
// the last request.
func (a *API) showHostRefresh(w http.ResponseWriter, r *http.Request) error {
	id, err := a.hostToRefresh(r)
	if err != nil {
		return err
	}
	return a.sendRefresh(w, http.StatusOK, []landscape.HostID{id}, landscape.Kinds)
}

// hostToRefresh returns the host that the path names. It fails if the host is
// not registered, or if messages are off.
func (a *API) hostToRefresh(r *http.Request) (landscape.HostID, error) {
	in := readInput(r)
	id := pathID[landscape.HostID](in, "id")
	if err := in.fault(); err != nil {
		return "", err
	}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		_, err := tx.Host(id)
		return err
	})
	if err == nil && a.deps.Refresher.Off() {
		err = refresh.ErrOff
	}
	return id, err
}

// refreshCluster answers POST /api/v1/clusters/{id}/refresh: it asks the agents
// of the cluster for their reports of it.
func (a *API) refreshCluster(w http.ResponseWriter, r *http.Request) error {
	id, hosts, err := a.clusterToRefresh(r)
	if err != nil {
		return err
	}
	if err := a.deps.Refresher.AskCluster(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	return a.sendRefresh(w, http.StatusAccepted, hosts, refresh.ClusterKinds)
}

// showClusterRefresh answers GET /api/v1/clusters/{id}/refresh.
func (a *API) showClusterRefresh(w http.ResponseWriter, r *http.Request) error {
	_, hosts, err := a.clusterToRefresh(r)
	if err != nil {
		return err
	}
	return a.sendRefresh(w, http.StatusOK, hosts, refresh.ClusterKinds)
}

// clusterToRefresh returns the cluster that the path names, with its registered
// hosts. It fails if the cluster is not registered, or if messages are off.
func (a *API) clusterToRefresh(r *http.Request) (id landscape.ClusterID, hosts []landscape.HostID, err error) {
	in := readInput(r)
	id = pathID[landscape.ClusterID](in, "id")
	if err := in.fault(); err != nil {
		return "", nil, err
	}
	err = a.deps.Store.View(func(tx *store.Tx) (err error) {
		hosts, err = tx.RegisteredMembers(id)
		return err
	})
	if err == nil && a.deps.Refresher.Off() {
		err = refresh.ErrOff
	}
	return id, hosts, err
}

func (a *API) sendRefresh(w http.ResponseWriter, status int, hosts []landscape.HostID, kinds []landscape.Kind) error {
	var all []refresh.Answer
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		all, err = a.deps.Refresher.Status(tx, hosts, kinds)
		return err
	})
	if err != nil {
		return err
	}
	answers := make([]refreshAnswer, len(all))
	for i, answer := range all {
		answers[i] = refreshAnswer{
			HostID: answer.Host, Kind: answer.Kind, State: answer.State, Outstanding: answer.State.Outstanding(),
			AskedAt: timestamp(answer.AskedAt), AnsweredAt: timestampOrNull(answer.AnsweredAt),
		}
	}
	return send(w, status, struct {
		Reports []refreshAnswer `json:"reports"`
	}{answers})
}
