package landscape

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
	"trento/ui/page"
	"trento/ui/table"
)

// hostsPage is the list of all hosts.
type hostsPage struct {
	table.Page
	Rows []hostRow
}

// Template implements page.Page.
func (*hostsPage) Template() string { return "hosts" }

type hostRow struct {
	ID, Version  string
	Health       page.HealthMark
	Hostname     string
	Addresses    []string
	Provider     string
	Cluster      page.Link
	Systems      []page.Link
	AgentVersion string
	Outdated     bool
	Heartbeat    heartbeat
	Stale        bool
	Fault        string // what is wrong with what the agent reports
	Tags         tagEditor
	Cleanup      *page.Control // of a host that is not heard
}

// heartbeat is whether the agent of a host is heard, in a shape and a word.
type heartbeat struct {
	State string // passing, critical, unknown
	Icon  string
	Word  string         // in a list
	Pill  string         // behind "Agent:"
	Since page.Timestamp // of a silent one
}

// HostItem is a host in its list, with what it belongs to.
type HostItem struct {
	*landscape.Host
	Cluster page.Link
	systems []page.Link
	Sids    []string
	Tags    []string

	fault  string // what is wrong with what the agent reports
	silent bool   // it can be cleaned up

	// The default order, found out once and not at each comparison.
	need int
	fold string
}

func newHostItem(h *landscape.Host) *HostItem {
	return &HostItem{Host: h, silent: h.Heartbeat != landscape.HeartbeatPassing, need: table.NeedRank(h.Health, h.StaleSince), fold: strings.ToLower(h.Hostname)}
}

// addFault notes that reports about the host cannot be used, which needs
// attention like silence.
func (h *HostItem) addFault(record *store.AgentReports) {
	var since time.Time
	if h.StaleSince != nil {
		return // it sends nothing at all any more
	}
	if h.fault, since = reportNeed(record); h.fault != "" {
		h.need = min(h.need, table.NeedRank(h.Health, &since))
	}
}

// HostsTable is what can be done with the list of hosts.
var HostsTable = table.Table[*HostItem]{
	Path: "/hosts", Noun: "host", Items: hostItems,
	Columns: []table.Column[*HostItem]{
		table.HealthColumn((*HostItem).health),
		{
			Key: "hostname", Label: "Hostname", Text: (*HostItem).name,
			Facet: &table.Facet[*HostItem]{Value: (*HostItem).name},
		},
		{
			Key: "address", Label: "IP",
			Text: func(h *HostItem) string { return strings.Join(addresses(h.Host), " ") },
			Compare: func(a, b *HostItem) int {
				return slices.CompareFunc(a.Addresses, b.Addresses, func(x, y landscape.Address) int { return x.IP.Compare(y.IP) })
			},
		},
		{
			Key: "provider", Label: "Provider", Text: func(h *HostItem) string { return ProviderLabel(h.Host) },
			Facet: &table.Facet[*HostItem]{Value: func(h *HostItem) string { return provider(h.Host) }, Label: providerName},
		},
		{
			Key: "cluster", Label: "Cluster", Text: func(h *HostItem) string { return h.Cluster.FullName() },
			Facet: &table.Facet[*HostItem]{Value: func(h *HostItem) string { return h.Cluster.FullName() }},
		},
		table.SIDColumn(func(h *HostItem) []string { return h.Sids }),
		{Key: "fqdn", Label: "Domain name", Hidden: true, Text: func(h *HostItem) string { return h.FQDN }},
		{Key: "os", Label: "OS", Hidden: true, Text: func(h *HostItem) string { return h.OSVersion }},
		{
			Key: "cpu", Label: "CPUs", Hidden: true,
			Text:    func(h *HostItem) string { return strconv.Itoa(h.CPUCount) },
			Compare: func(a, b *HostItem) int { return cmp.Compare(a.CPUCount, b.CPUCount) },
		},
		{
			Key: "memory", Label: "Memory", Hidden: true,
			Text:    func(h *HostItem) string { return memory(h.MemoryMB) },
			Compare: func(a, b *HostItem) int { return cmp.Compare(a.MemoryMB, b.MemoryMB) },
		},
		{
			Key: "agent_version", Label: "Agent version",
			Text:    func(h *HostItem) string { return h.AgentVersion },
			Compare: func(a, b *HostItem) int { return compareVersions(a.AgentVersion, b.AgentVersion) },
			Facet:   &table.Facet[*HostItem]{Value: func(h *HostItem) string { return h.AgentVersion }, Compare: compareVersions},
		},
		{
			Key: "heartbeat", Label: "Agent",
			Text: func(h *HostItem) string { return newHeartbeat(h.Host, page.Timestamp{}).Word },
			Compare: func(a, b *HostItem) int {
				return cmp.Or(cmp.Compare(heartbeatRank(a.Host), heartbeatRank(b.Host)), silence(a.Host).Compare(silence(b.Host)))
			},
		},
		table.TagsColumn(func(h *HostItem) []string { return h.Tags }),
		table.IDColumn(func(h *HostItem) string { return string(h.ID) }),
	},
	Flags: []table.Flag[*HostItem]{
		table.StaleFlag(func(h *HostItem) *time.Time { return h.StaleSince }),
		{Key: "cleanup", Label: "Needs clean-up", Holds: func(h *HostItem) bool { return h.silent }},
	},
	Health: (*HostItem).health,
	Urgent: func(a, b *HostItem) int { return cmp.Compare(a.need, b.need) },
	Tie: func(a, b *HostItem) int {
		return cmp.Or(strings.Compare(a.fold, b.fold), strings.Compare(a.Hostname, b.Hostname), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (h *HostItem) name() string { return h.Hostname }

func (h *HostItem) health() landscape.Health { return h.Health }

func hostItems(v *page.Snapshot) []*HostItem {
	all := make([]*HostItem, len(v.Hosts))
	for i, h := range v.Hosts {
		tags := v.TagsOf(store.HostTag, string(h.ID))
		item := newHostItem(h)
		item.Tags, item.silent = tags, item.silent && !v.Awaited[h.ID]
		if c := v.ClusterByID[h.ClusterID]; c != nil {
			item.Cluster = page.LinkToCluster(c)
		}
		if record := v.FaultyAgents[h.ID]; record != nil {
			item.addFault(record)
		}
		for _, s := range v.Running[h.ID] {
			item.systems = append(item.systems, s.Link)
		}
		item.Sids = page.Names(item.systems)
		all[i] = item
	}
	return all
}

// showHosts answers GET /hosts.
func (s *Pages) showHosts(w http.ResponseWriter, r *http.Request) error {
	if table.Tidied(w, r) {
		return nil
	}
	p := hostsPage{Page: table.NewPage(s.Console, r, &HostsTable, "Hosts")}
	p.Live += " agent_report"
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, HostsTable.List)
	if err != nil {
		return err
	}
	onPage, _, ok, err := HostsTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = table.UsedTags(all, func(h *HostItem) []string { return h.Tags })
	for _, h := range onPage {
		p.Rows = append(p.Rows, s.newHostRow(r, h))
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func (s *Pages) newHostRow(r *http.Request, h *HostItem) hostRow {
	row := hostRow{
		ID: string(h.ID), Version: table.Version(h.UpdatedAt),
		Health:       page.NewHealthMark("", h.Health, s.TimestampOf(h.StaleSince)),
		Hostname:     h.Hostname,
		Addresses:    addresses(h.Host),
		Provider:     ProviderLabel(h.Host),
		Cluster:      h.Cluster,
		Systems:      h.systems,
		AgentVersion: h.AgentVersion, Outdated: outdated(h.AgentVersion),
		Heartbeat: newHeartbeat(h.Host, s.TimestampOf(h.StaleSince)),
		Stale:     stale(h.Host),
		Fault:     h.fault,
		Tags:      newTagEditor(r, page.HostTags, string(h.ID), h.Hostname, h.Tags),
	}
	if h.silent {
		row.Cleanup = page.NewControl(auth.From(r.Context()), "cleanup:host", "Clean up", page.WithReturn("/hosts/"+row.ID+"/cleanup", r))
	}
	return row
}

func newHeartbeat(h *landscape.Host, since page.Timestamp) heartbeat {
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

func ProviderLabel(h *landscape.Host) string {
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
