package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// host is a host as clients of the API know it.
type host struct {
	ID                     landscape.HostID             `json:"id"`
	Hostname               string                       `json:"hostname"`
	IPAddresses            []netip.Addr                 `json:"ip_addresses"`
	Netmasks               []*int                       `json:"netmasks"` // prefix lengths; null where not reported
	AgentVersion           string                       `json:"agent_version"`
	Arch                   string                       `json:"arch"`
	Heartbeat              landscape.Heartbeat          `json:"heartbeat"`
	StaleAt                *moment                      `json:"stale_at"`
	Health                 landscape.Health             `json:"health"`
	SelectedChecks         []string                     `json:"selected_checks"`
	Provider               *string                      `json:"provider"`
	ProviderData           any                          `json:"provider_data"`
	SaptuneStatus          *landscape.Saptune           `json:"saptune_status"`
	SystemdUnits           []landscape.SystemdUnit      `json:"systemd_units"`
	LastBootTimestamp      *time.Time                   `json:"last_boot_timestamp"` // whole seconds
	LastHeartbeatTimestamp *moment                      `json:"last_heartbeat_timestamp"`
	ClusterID              *string                      `json:"cluster_id"`
	ClusterHostStatus      *string                      `json:"cluster_host_status"`
	SLESSubscriptions      []landscape.HostSubscription `json:"sles_subscriptions"`
	Tags                   []string                     `json:"tags"`
	DeregisteredAt         *moment                      `json:"deregistered_at"`
	InsertedAt             moment                       `json:"inserted_at"`
	UpdatedAt              moment                       `json:"updated_at"`
}

// hosts answers GET /api/v1/hosts: all hosts, by name.
func (a *API) hosts(w http.ResponseWriter, _ *http.Request) error {
	registered, err := a.registeredHosts()
	if err != nil {
		return err
	}
	answer := make([]host, len(registered))
	for i, h := range registered {
		answer[i] = newHost(h)
		if last, ever := a.deps.Store.LastHeartbeat(h.ID); ever {
			answer[i].LastHeartbeatTimestamp = momentOf(&last)
		}
	}
	return send(w, http.StatusOK, answer)
}

// registeredHosts are the hosts of the landscape by name, and by id where
// they share one.
func (a *API) registeredHosts() ([]*landscape.Host, error) {
	var hosts []*landscape.Host
	err := a.deps.Store.View(func(tx *store.Tx) error {
		for h, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			hosts = append(hosts, h)
		}
		return nil
	})
	slices.SortStableFunc(hosts, func(x, y *landscape.Host) int { return cmp.Compare(x.Hostname, y.Hostname) })
	return hosts, err
}

func newHost(h *landscape.Host) host {
	answer := host{
		ID: h.ID, Hostname: h.Hostname, AgentVersion: h.AgentVersion, Arch: h.Arch,
		IPAddresses: make([]netip.Addr, len(h.Addresses)), Netmasks: make([]*int, len(h.Addresses)),
		Heartbeat: h.Heartbeat, StaleAt: momentOf(h.StaleSince), Health: h.Health,
		SelectedChecks: []string{}, Tags: []string{},
		ProviderData: h.Cloud.Data(), SaptuneStatus: h.Saptune,
		SystemdUnits: h.SystemdUnits, LastBootTimestamp: h.LastBoot,
		SLESSubscriptions: h.SubscriptionData(),
		DeregisteredAt:    momentOf(h.DeregisteredAt), InsertedAt: moment(h.RegisteredAt), UpdatedAt: moment(h.UpdatedAt),
	}
	for i, address := range h.Addresses {
		answer.IPAddresses[i], answer.Netmasks[i] = address.IP, address.Prefix
	}
	if h.Cloud != nil {
		answer.Provider = &h.Cloud.Provider
	}
	if answer.SystemdUnits == nil {
		answer.SystemdUnits = []landscape.SystemdUnit{}
	}
	slices.SortStableFunc(answer.SLESSubscriptions, func(x, y landscape.HostSubscription) int {
		return cmp.Compare(y.Identifier, x.Identifier)
	})
	return answer
}

// scrapeTarget is what Prometheus reads of one exporter of a host.
type scrapeTarget struct {
	Targets []string `json:"targets"`
	Labels  struct {
		AgentID      landscape.HostID `json:"agentID"`
		Hostname     string           `json:"hostname"`
		ExporterName string           `json:"exporter_name"`
	} `json:"labels"`
}

// The exporter every host is taken to have whose agent is too old to name any.
const (
	usualExporter     = "node_exporter"
	usualExporterPort = ":9100"
)

// prometheusTargets answers GET /api/v1/prometheus/targets: what Prometheus is
// to scrape, in the format of its HTTP service discovery.
func (a *API) prometheusTargets(w http.ResponseWriter, _ *http.Request) error {
	hosts, err := a.registeredHosts()
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

// exportersOf are the addresses of the exporters of a host, by their names.
func exportersOf(h *landscape.Host) map[string]string {
	switch {
	case h.PrometheusTargets != nil:
		return h.PrometheusTargets
	case len(h.Addresses) > 0:
		return map[string]string{usualExporter: h.Addresses[0].IP.String() + usualExporterPort}
	}
	return map[string]string{usualExporter: h.Hostname + usualExporterPort}
}
