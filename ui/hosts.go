package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// hostsPage is the list of all hosts.
type hostsPage struct {
	tablePage
	Rows []hostRow
}

type hostRow struct {
	ID, Version  string
	Health       healthMark
	Hostname     string
	Addresses    []string
	Provider     string
	Cluster      link
	Systems      []link
	AgentVersion string
	Outdated     bool
	Heartbeat    heartbeat
	Stale        bool
	Fault        string // what is wrong with what the agent reports
	Tags         tagEditor
	Cleanup      *control // of a host that is not heard
}

// heartbeat is whether the agent of a host is heard, in a shape and a word.
type heartbeat struct {
	State string // passing, critical, unknown
	Icon  string
	Word  string    // in a list
	Pill  string    // behind "Agent:"
	Since Timestamp // of a silent one
}

// hostItem is a host in its list, with what it belongs to.
type hostItem struct {
	*landscape.Host
	cluster link
	systems []link
	sids    []string
	tags    []string

	fault  string // what is wrong with what the agent reports
	silent bool   // it can be cleaned up

	// The default order, found out once and not at each comparison.
	need int
	fold string
}

func newHostItem(h *landscape.Host) *hostItem {
	return &hostItem{Host: h, silent: h.Heartbeat != landscape.HeartbeatPassing, need: needRank(h.Health, h.StaleSince), fold: strings.ToLower(h.Hostname)}
}

// addFault notes that reports about the host cannot be used, which needs
// attention like silence.
func (h *hostItem) addFault(record *store.AgentReports) {
	var since time.Time
	if h.StaleSince != nil {
		return // it sends nothing at all any more
	}
	if h.fault, since = reportNeed(record); h.fault != "" {
		h.need = min(h.need, needRank(h.Health, &since))
	}
}

// hostsTable is what can be done with the list of hosts.
var hostsTable = table[*hostItem]{
	path: "/hosts", noun: "host", items: hostItems,
	columns: []column[*hostItem]{
		healthColumn((*hostItem).health),
		{
			key: "hostname", label: "Hostname", text: (*hostItem).name,
			facet: &facetOf[*hostItem]{value: (*hostItem).name},
		},
		{
			key: "address", label: "IP",
			text: func(h *hostItem) string { return strings.Join(addresses(h.Host), " ") },
			compare: func(a, b *hostItem) int {
				return slices.CompareFunc(a.Addresses, b.Addresses, func(x, y landscape.Address) int { return x.IP.Compare(y.IP) })
			},
		},
		{
			key: "provider", label: "Provider", text: func(h *hostItem) string { return providerLabel(h.Host) },
			facet: &facetOf[*hostItem]{value: func(h *hostItem) string { return provider(h.Host) }, label: providerName},
		},
		{
			key: "cluster", label: "Cluster", text: func(h *hostItem) string { return h.cluster.whole() },
			facet: &facetOf[*hostItem]{value: func(h *hostItem) string { return h.cluster.whole() }},
		},
		sidColumn(func(h *hostItem) []string { return h.sids }),
		{key: "fqdn", label: "Domain name", unshown: true, text: func(h *hostItem) string { return h.FQDN }},
		{key: "os", label: "OS", unshown: true, text: func(h *hostItem) string { return h.OSVersion }},
		{
			key: "cpu", label: "CPUs", unshown: true,
			text:    func(h *hostItem) string { return strconv.Itoa(h.CPUCount) },
			compare: func(a, b *hostItem) int { return cmp.Compare(a.CPUCount, b.CPUCount) },
		},
		{
			key: "memory", label: "Memory", unshown: true,
			text:    func(h *hostItem) string { return memory(h.MemoryMB) },
			compare: func(a, b *hostItem) int { return cmp.Compare(a.MemoryMB, b.MemoryMB) },
		},
		{
			key: "agent_version", label: "Agent version",
			text:    func(h *hostItem) string { return h.AgentVersion },
			compare: func(a, b *hostItem) int { return compareVersions(a.AgentVersion, b.AgentVersion) },
			facet:   &facetOf[*hostItem]{value: func(h *hostItem) string { return h.AgentVersion }, compare: compareVersions},
		},
		{
			key: "heartbeat", label: "Agent",
			text: func(h *hostItem) string { return newHeartbeat(h.Host, Timestamp{}).Word },
			compare: func(a, b *hostItem) int {
				return cmp.Or(cmp.Compare(heartbeatRank(a.Host), heartbeatRank(b.Host)), silence(a.Host).Compare(silence(b.Host)))
			},
		},
		tagsColumn(func(h *hostItem) []string { return h.tags }),
		idColumn(func(h *hostItem) string { return string(h.ID) }),
	},
	flags: []flag[*hostItem]{
		staleFlag(func(h *hostItem) *time.Time { return h.StaleSince }),
		{key: "cleanup", label: "Needs clean-up", holds: func(h *hostItem) bool { return h.silent }},
	},
	health: (*hostItem).health,
	urgent: func(a, b *hostItem) int { return cmp.Compare(a.need, b.need) },
	tie: func(a, b *hostItem) int {
		return cmp.Or(strings.Compare(a.fold, b.fold), strings.Compare(a.Hostname, b.Hostname), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (h *hostItem) name() string { return h.Hostname }

func (h *hostItem) health() landscape.Health { return h.Health }

func hostItems(v *snapshot) []*hostItem {
	all := make([]*hostItem, len(v.hosts))
	for i, h := range v.hosts {
		tags := v.tags[tagged{store.HostTag, string(h.ID)}]
		item := newHostItem(h)
		item.tags, item.silent = tags, item.silent && !v.awaited[h.ID]
		if c := v.clusterByID[h.ClusterID]; c != nil {
			item.cluster = linkToCluster(c)
		}
		if record := v.faults[h.ID]; record != nil {
			item.addFault(record)
		}
		for _, s := range v.running[h.ID] {
			item.systems = append(item.systems, s.link)
		}
		item.sids = names(item.systems)
		all[i] = item
	}
	return all
}

// hosts answers GET /hosts.
func (s *server) hosts(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := hostsPage{tablePage: newTablePage(s, r, &hostsTable, "Hosts")}
	p.Live += " agent_report"
	all, err := view(s, &p.Frame, hostsTable.list)
	if err != nil {
		return err
	}
	page, _, ok, err := hostsTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = usedTags(all, func(h *hostItem) []string { return h.tags })
	for _, h := range page {
		p.Rows = append(p.Rows, s.newHostRow(r, h))
	}
	return s.render(w, r, http.StatusOK, pageHosts, &p)
}

func (s *server) newHostRow(r *http.Request, h *hostItem) hostRow {
	row := hostRow{
		ID: string(h.ID), Version: version(h.UpdatedAt),
		Health:       newHealthMark("", h.Health, s.timestampOf(h.StaleSince)),
		Hostname:     h.Hostname,
		Addresses:    addresses(h.Host),
		Provider:     providerLabel(h.Host),
		Cluster:      h.cluster,
		Systems:      h.systems,
		AgentVersion: h.AgentVersion, Outdated: outdated(h.AgentVersion),
		Heartbeat: newHeartbeat(h.Host, s.timestampOf(h.StaleSince)),
		Stale:     stale(h.Host),
		Fault:     h.fault,
		Tags:      newTagEditor(r, hostTags, string(h.ID), h.Hostname, h.tags),
	}
	if h.silent {
		row.Cleanup = newControl(auth.From(r.Context()), "cleanup:host", "Clean up", withReturn("/hosts/"+row.ID+"/cleanup", r))
	}
	return row
}

func newHeartbeat(h *landscape.Host, since Timestamp) heartbeat {
	switch h.Heartbeat {
	case landscape.HeartbeatPassing:
		return heartbeat{State: "passing", Icon: "passing", Word: "Reporting", Pill: "Reporting"}
	case landscape.HeartbeatCritical:
		return heartbeat{State: "critical", Icon: "clock", Word: "Not reporting", Pill: "Not reporting", Since: since}
	}
	return heartbeat{State: "unknown", Icon: "unknown", Word: "Never heard", Pill: " Unknown"}
}

func heartbeatRank(h *landscape.Host) int {
	return slices.Index([]landscape.Heartbeat{landscape.HeartbeatCritical, landscape.HeartbeatUnknown, landscape.HeartbeatPassing}, h.Heartbeat)
}

// silence is since when a host has been silent; the longest comes first.
func silence(h *landscape.Host) time.Time {
	if h.StaleSince == nil {
		return time.Time{}
	}
	return *h.StaleSince
}

func stale(h *landscape.Host) bool { return h.StaleSince != nil }

func addresses(h *landscape.Host) []string {
	texts := make([]string, len(h.Addresses))
	for i, a := range h.Addresses {
		texts[i] = a.String()
	}
	return texts
}

// compareVersions orders versions by precedence, and what is no version
// before all that are.
func compareVersions(a, b string) int {
	return cmp.Or(semver.Compare("v"+a, "v"+b), strings.Compare(a, b))
}

// outdated says of an agent that it reports less than this server can show.
func outdated(version string) bool {
	return semver.IsValid("v"+version) && semver.Compare("v"+version, "v2.0.0") < 0
}

// memory is an amount of main memory, given in MB as agents report it.
func memory(mb int) string {
	const gigabyte = 1024
	switch {
	case mb < gigabyte:
		return fmt.Sprintf("%d MB", mb)
	case mb < 100*gigabyte:
		return strconv.FormatFloat(float64(mb*10/gigabyte)/10, 'f', -1, 64) + " GB"
	}
	return fmt.Sprintf("%d GB", mb/gigabyte)
}

func provider(h *landscape.Host) string {
	if h.Cloud == nil {
		return ""
	}
	return h.Cloud.Provider
}

func providerLabel(h *landscape.Host) string {
	if h.Cloud == nil {
		return ""
	}
	return providerName(h.Cloud.Provider)
}

func providerName(provider string) string {
	switch provider {
	case "aws":
		return "AWS"
	case "azure":
		return "Azure"
	case "gcp":
		return "GCP"
	case "kvm":
		return "On-premises / KVM"
	case "nutanix":
		return "Nutanix"
	case "vmware":
		return "VMware"
	}
	return "Provider not recognized"
}
