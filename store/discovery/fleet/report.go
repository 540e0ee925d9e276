package fleet

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"trento/store/landscape"
)

// Report is the body of one report, as the agent of a host sends it.
type Report struct {
	Agent landscape.HostID
	Kind  landscape.Kind
	Body  []byte
}

// discoveries are the kinds of reports. payload returns the payload, change
// makes the next report differ, and isNew means that agents of old versions do
// not send the kind.
var discoveries = map[landscape.Kind]struct {
	payload func(*Host) any
	change  change
	isNew   bool
}{
	landscape.HostDiscovery:         {payload: func(h *Host) any { return h.hostPayload() }, change: moveAddress},
	landscape.CloudDiscovery:        {payload: func(h *Host) any { return h.cloudPayload() }, change: attachDisk},
	landscape.SubscriptionDiscovery: {payload: func(h *Host) any { return h.subscriptionPayload() }, change: renewSubscription},
	landscape.SaptuneDiscovery:      {payload: func(h *Host) any { return h.tuning.payload() }, change: toggleTuning, isNew: true},
	landscape.ClusterDiscovery:      {payload: (*Host).clusterPayload, change: failAddress},
	landscape.SAPSystemDiscovery:    {payload: func(h *Host) any { return h.sapPayload() }, change: toggleStatus},
}

// Reports returns all reports of a host, in an order in which a server that
// does not know the host can process them.
func (h *Host) Reports() []Report {
	reports := make([]Report, 0, len(landscape.Kinds))
	for _, kind := range landscape.Kinds {
		if report, ok := h.report(kind); ok {
			reports = append(reports, report)
		}
	}
	return reports
}

// report returns one report of a host. ok is false if the agent of the host is
// too old for the kind.
func (h *Host) report(kind landscape.Kind) (report Report, ok bool) {
	d := discoveries[kind]
	if d.isNew && h.agent == oldAgentVersion {
		return Report{}, false
	}
	body, err := json.Marshal(struct {
		Agent   landscape.HostID `json:"agent_id"`
		Type    landscape.Kind   `json:"discovery_type"`
		Payload any              `json:"payload"`
	}{h.ID, kind, d.payload(h)})
	if err != nil {
		panic(fmt.Sprintf("fleet: %s of %s: %v", kind, h.Name, err)) // cannot happen: our own types can be encoded
	}
	return Report{h.ID, kind, body}, true
}

type hostPayload struct {
	Hostname           string            `json:"hostname"`
	Addresses          []string          `json:"ip_addresses"`
	Netmasks           any               `json:"netmasks,omitempty"`
	CPUCount           int               `json:"cpu_count"`
	SocketCount        int               `json:"socket_count"`
	TotalMemoryMB      int               `json:"total_memory_mb"`
	AgentVersion       string            `json:"agent_version"`
	OSVersion          string            `json:"os_version"`
	Arch               string            `json:"arch,omitempty"`
	InstallationSource string            `json:"installation_source,omitempty"`
	FQDN               string            `json:"fully_qualified_domain_name,omitempty"`
	PrometheusTargets  map[string]string `json:"prometheus_targets,omitempty"`
	PrometheusMode     string            `json:"prometheus_mode,omitempty"`
	SystemdUnits       []systemdUnit     `json:"systemd_units,omitempty"`
	LastBoot           string            `json:"last_boot_timestamp,omitempty"`
}

type systemdUnit struct {
	Name          string `json:"name"`
	UnitFileState string `json:"unit_file_state"`
}

func (h *Host) hostPayload() hostPayload {
	const loopbackMask, loopback6Mask, mask, floatingMask = 8, 128, 24, 32
	m := machines[h.size]
	addresses := []string{"127.0.0.1", "::1"}
	masks := []int{loopbackMask, loopback6Mask}
	for _, a := range h.addresses {
		addresses, masks = append(addresses, a.String()), append(masks, mask)
	}
	for _, a := range h.virtualAddresses() {
		addresses, masks = append(addresses, a.String()), append(masks, floatingMask)
	}
	if h.hasFloatingAddress {
		addresses, masks = append(addresses, h.floatingAddress.String()), append(masks, floatingMask)
	}
	p := hostPayload{
		Hostname:           h.Name,
		Addresses:          addresses,
		CPUCount:           m.cpus,
		SocketCount:        m.sockets,
		TotalMemoryMB:      m.memoryMB,
		AgentVersion:       h.agent,
		OSVersion:          h.os,
		InstallationSource: "Suse",
		FQDN:               h.fqdn(),
	}
	if h.agent == oldAgentVersion {
		p.InstallationSource = "Community"
		return p
	}
	p.Arch = h.arch()
	p.SystemdUnits = []systemdUnit{{"pacemaker.service", h.pacemakerState()}}
	if h.agent == middleAgentVersion {
		p.InstallationSource = ""
		texts := make([]string, len(masks))
		for i, m := range masks {
			texts[i] = strconv.Itoa(m)
		}
		p.Netmasks = texts
		return p
	}
	p.Netmasks = masks
	p.PrometheusMode = "pull"
	p.PrometheusTargets = h.prometheusTargets()
	p.LastBoot = h.bootedAt.UTC().Format(time.RFC3339)
	return p
}

// prometheusTargets returns the addresses of the exporters of the host.
func (h *Host) prometheusTargets() map[string]string {
	const nodePort, clusterPort = 9100, 9664
	targets := map[string]string{"node_exporter": netip.AddrPortFrom(h.addresses[0], nodePort).String()}
	if h.cluster != nil {
		targets["ha_cluster_exporter"] = netip.AddrPortFrom(h.addresses[0], clusterPort).String()
	}
	return targets
}

// pacemakerState returns the state of the unit file of Pacemaker.
func (h *Host) pacemakerState() string {
	switch {
	case h.cluster != nil && !h.noAutostart:
		return "enabled"
	case h.cluster != nil:
		return "disabled"
	case h.Role == Database, h.Role == CentralServices:
		return "disabled"
	}
	return "unknown" // not installed
}

// registration is the state of the host's registration with the vendor.
type registration int

const (
	registered registration = iota
	unregistered
	expired
)

const subscriptionYears = 3

type subscription struct {
	Identifier         string `json:"identifier"`
	Version            string `json:"version"`
	Arch               string `json:"arch"`
	Status             string `json:"status"`
	SubscriptionStatus string `json:"subscription_status,omitempty"`
	Type               string `json:"type,omitempty"`
	StartsAt           string `json:"starts_at,omitempty"`
	ExpiresAt          string `json:"expires_at,omitempty"`
}

func (h *Host) subscriptionPayload() []subscription {
	const layout = "2006-01-02 15:04:05 UTC"
	version := h.os[:2] + "." + h.os[len(h.os)-1:]
	product := func(identifier string, paid bool) subscription {
		s := subscription{Identifier: identifier, Version: version, Arch: h.arch(), Status: "Registered"}
		if !paid {
			return s
		}
		s.SubscriptionStatus, s.Type = "ACTIVE", "full"
		if h.registration == expired {
			s.SubscriptionStatus = "EXPIRED"
		}
		s.StartsAt = h.subscribedAt.UTC().Format(layout)
		s.ExpiresAt = h.subscribedAt.UTC().AddDate(subscriptionYears, 0, 0).Format(layout)
		return s
	}
	if h.registration == unregistered {
		s := product("SLES_SAP", false)
		s.Status = "Not Registered"
		return []subscription{s}
	}
	list := []subscription{
		product("SLES_SAP", true),
		product("sle-module-basesystem", false),
		product("sle-module-server-applications", false),
		product("sle-module-sap-applications", false),
	}
	if h.cluster != nil {
		list = append(list, product("sle-ha", true))
	}
	if _, cloud := regions[h.location.provider]; cloud {
		list = append(list, product("sle-module-public-cloud", false))
	}
	return list
}
