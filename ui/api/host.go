package api

import (
	"cmp"
	"iter"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// host is a host in answers of the API, without its last heartbeat.
type host struct {
	ID                landscape.HostID             `json:"id"`
	Hostname          string                       `json:"hostname"`
	IPAddresses       []netip.Addr                 `json:"ip_addresses"`
	Netmasks          []*int                       `json:"netmasks"` // prefix lengths, one for each address; null if it was not reported
	AgentVersion      string                       `json:"agent_version"`
	Arch              string                       `json:"arch"`
	Heartbeat         landscape.Heartbeat          `json:"heartbeat"`
	StaleAt           *timestamp                   `json:"stale_at"`
	Health            landscape.Health             `json:"health"`
	SelectedChecks    []string                     `json:"selected_checks"`
	Provider          *string                      `json:"provider"`
	ProviderData      any                          `json:"provider_data"`
	SaptuneStatus     *landscape.Saptune           `json:"saptune_status"`
	SystemdUnits      []landscape.SystemdUnit      `json:"systemd_units"`
	LastBootTimestamp *time.Time                   `json:"last_boot_timestamp"` // whole seconds
	ClusterID         *landscape.ClusterID         `json:"cluster_id"`
	ClusterHostStatus *string                      `json:"cluster_host_status"`
	SLESSubscriptions []landscape.HostSubscription `json:"sles_subscriptions"`
	Tags              []tag                        `json:"tags"`
	DeregisteredAt    *timestamp                   `json:"deregistered_at"`
	InsertedAt        timestamp                    `json:"inserted_at"`
	UpdatedAt         timestamp                    `json:"updated_at"`
}

// hostRecords are the records from which a host in a list is built. They are
// its key in a listCache.
type hostRecords struct {
	host *landscape.Host
	tags *store.Tag
}

// listHosts answers GET /api/v1/hosts with all hosts, sorted by name.
func (a *API) listHosts(w http.ResponseWriter, r *http.Request) error {
	return a.hostList.answer(a, w, r, a.deps.Lists.Hosts, func(tx *store.Tx) ([]row[hostRecords], error) {
		hosts, err := hostsByName(tx)
		if err != nil {
			return nil, err
		}
		rows := make([]row[hostRecords], len(hosts))
		for i, h := range hosts {
			tags, err := tx.Tags(store.HostTag, string(h.ID))
			if err != nil {
				return nil, err
			}
			rows[i] = row[hostRecords]{
				key: hostRecords{h, firstTag(tags)}, id: string(h.ID), name: h.Hostname,
				build:         func() any { return newHost(h, tags) },
				furtherMember: a.lastHeartbeat(h.ID),
			}
		}
		return rows, nil
	})
}

// lastHeartbeat returns the JSON of the member last_heartbeat_timestamp, with a
// comma before it. The member changes every few seconds, so it is not cached
// with the others.
func (a *API) lastHeartbeat(id landscape.HostID) string {
	text := []byte("null")
	if last, ever := a.deps.Store.LastHeartbeat(id); ever {
		text = timestamp(last).text()
	}
	return `,"last_heartbeat_timestamp":` + string(text)
}

// hostsByName returns the hosts of the landscape, sorted by name and then by
// id.
func hostsByName(tx *store.Tx) ([]*landscape.Host, error) {
	return sorted(tx.Hosts(), func(x, y *landscape.Host) int {
		return cmp.Or(cmp.Compare(x.Hostname, y.Hostname), cmp.Compare(x.ID, y.ID))
	})
}

// sorted collects records and sorts them.
func sorted[T any](records iter.Seq2[*T, error], compare func(x, y *T) int) ([]*T, error) {
	var all []*T
	for record, err := range records {
		if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	slices.SortFunc(all, compare)
	return all, nil
}

func newHost(h *landscape.Host, tags []store.Tag) host {
	answer := host{
		ID: h.ID, Hostname: h.Hostname, AgentVersion: h.AgentVersion, Arch: h.Arch,
		IPAddresses: make([]netip.Addr, len(h.Addresses)), Netmasks: make([]*int, len(h.Addresses)),
		Heartbeat: h.Heartbeat, StaleAt: timestampOf(h.StaleSince), Health: h.Health,
		SelectedChecks: orEmpty(h.SelectedChecks), Tags: newTags(store.HostTag, h.ID, tags),
		ProviderData: h.Cloud.Data(), SaptuneStatus: h.Saptune,
		SystemdUnits: orEmpty(h.SystemdUnits), LastBootTimestamp: h.LastBoot,
		SLESSubscriptions: h.SubscriptionData(),
		DeregisteredAt:    timestampOf(h.DeregisteredAt), InsertedAt: timestamp(h.RegisteredAt), UpdatedAt: timestamp(h.UpdatedAt),
	}
	for i, address := range h.Addresses {
		answer.IPAddresses[i], answer.Netmasks[i] = address.IP, address.Prefix
	}
	if h.Cloud != nil {
		answer.Provider = &h.Cloud.Provider
	}
	if h.ClusterID != "" {
		answer.ClusterID, answer.ClusterHostStatus = &h.ClusterID, &h.ClusterHostStatus
	}
	slices.SortStableFunc(answer.SLESSubscriptions, func(x, y landscape.HostSubscription) int {
		return cmp.Compare(y.Identifier, x.Identifier)
	})
	return answer
}

// orEmpty returns the list, or an empty one for nil, so that its JSON is [] and
// not null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// cleanUpHost answers DELETE /api/v1/hosts/{id}. It also cleans up everything
// that cannot exist without the host.
func (a *API) cleanUpHost(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[landscape.HostID](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.CleanUp(r.Context(), auth.From(r.Context()).Actor(), nil, landscape.Target{Host: id}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// scrapeTarget is a target for Prometheus: one exporter of a host.
type scrapeTarget struct {
	Targets []string `json:"targets"`
	Labels  struct {
		AgentID      landscape.HostID `json:"agentID"`
		Hostname     string           `json:"hostname"`
		ExporterName string           `json:"exporter_name"`
	} `json:"labels"`
}

// The exporter that is assumed for a host whose agent is too old to report
// exporters.
const (
	defaultExporter     = "node_exporter"
	defaultExporterPort = ":9100"
)

// listPrometheusTargets answers GET /api/v1/prometheus/targets with the
// exporters of all hosts, in the format of the HTTP service discovery of
// Prometheus.
func (a *API) listPrometheusTargets(w http.ResponseWriter, _ *http.Request) error {
	var hosts []*landscape.Host
	err := a.deps.Store.View(func(tx *store.Tx) (err error) {
		hosts, err = hostsByName(tx)
		return err
	})
	if err != nil {
		return err
	}
	answer := []scrapeTarget{}
	for _, h := range hosts {
		if h.PrometheusMode != "pull" {
			continue
		}
		exporters := exportersOf(h)
		for _, name := range slices.Sorted(maps.Keys(exporters)) {
			target := scrapeTarget{Targets: []string{exporters[name]}}
			target.Labels.AgentID, target.Labels.Hostname, target.Labels.ExporterName = h.ID, h.Hostname, name
			answer = append(answer, target)
		}
	}
	return send(w, http.StatusOK, answer)
}

// exportersOf returns the addresses of the exporters of a host, by name.
func exportersOf(h *landscape.Host) map[string]string {
	switch {
	case h.PrometheusTargets != nil:
		return h.PrometheusTargets
	case len(h.Addresses) > 0:
		return map[string]string{defaultExporter: h.Addresses[0].IP.String() + defaultExporterPort}
	}
	return map[string]string{defaultExporter: h.Hostname + defaultExporterPort}
}
