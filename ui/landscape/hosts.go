package landscape

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// heartbeat is the state of an agent: a symbol and a word.
type heartbeat struct {
	State string // passing, critical, unknown
	Icon  string
	Word  string         // text in the list
	Pill  string         // text behind "Agent:" on the page of the host
	Since page.Timestamp // since when the agent is silent
	Fault string         // what is wrong with its reports
}

// HostItem is a host in its list, with its cluster and systems.
type HostItem struct {
	*landscape.Host
	itemFields
	Cluster page.Link
	systems []page.Link
	Sids    []string

	fault  string // what is wrong with the reports of its agent
	silent bool   // the agent is silent, so the host can be cleaned up
}

func newHostItem(h *landscape.Host, tags ...string) *HostItem {
	return &HostItem{Host: h, itemFields: newItemFields(string(h.ID), h.Hostname, h.Health, h.StaleSince, h.UpdatedAt, tags), silent: h.Heartbeat != landscape.HeartbeatPassing}
}

// CanBeCleanedUp reports whether the agent is silent, so that the host can be
// cleaned up.
func (h *HostItem) CanBeCleanedUp() bool { return h.silent }

// addFault adds the faults of reports about the host. They make the host as
// urgent as a silent agent does.
func (h *HostItem) addFault(record *store.AgentReports) {
	var since time.Time
	if h.StaleSince != nil {
		return // a silent host sends no reports at all
	}
	if h.fault, since = reportProblem(record); h.fault != "" {
		h.urgency = min(h.urgency, table.UrgencyRank(h.Health, &since))
	}
}

// HostsTable declares the list of hosts.
var HostsTable = newTable("/hosts", "host", hostItems, []table.Column[*HostItem]{
	{
		Key: "hostname", Label: "Hostname", Names: true, Text: hostname,
		Facet: &table.Facet[*HostItem]{Value: hostname},
	},
	{
		Key: "address", Label: "IP",
		Text:  func(h *HostItem) string { return strings.Join(addresses(h.Host), " ") },
		Order: func(h *HostItem) string { return orderOfAddresses(h.Addresses) },
	},
	{
		Key: "provider", Label: "Provider", Text: func(h *HostItem) string { return ProviderLabel(h.Host) },
		Facet: &table.Facet[*HostItem]{Value: func(h *HostItem) string { return providerID(h.Host) }, Label: providerName},
	},
	siteColumn,
	checksColumn[*HostItem](true),
	{
		Key: "cluster", Label: "Cluster", Text: func(h *HostItem) string { return h.Cluster.FullName() },
		Facet: &table.Facet[*HostItem]{Value: func(h *HostItem) string { return h.Cluster.FullName() }},
	},
	table.SIDColumn(func(h *HostItem) []string { return h.Sids }),
	{Key: "fqdn", Label: "Domain name", Hidden: true, Text: func(h *HostItem) string { return h.FQDN }},
	{Key: "os", Label: "OS", Hidden: true, Text: func(h *HostItem) string { return h.OSVersion }},
	{
		Key: "cpu", Label: "CPUs", Hidden: true, Number: true,
		Text:  func(h *HostItem) string { return strconv.Itoa(h.CPUCount) },
		Order: func(h *HostItem) string { return table.OrderOfNumber(h.CPUCount) },
	},
	{
		Key: "memory", Label: "Memory", Hidden: true, Number: true,
		Text:  func(h *HostItem) string { return formatMemory(h.MemoryMB) },
		Order: func(h *HostItem) string { return table.OrderOfNumber(h.MemoryMB) },
	},
	{
		Key: "agent_version", Label: "Agent version",
		Text:  func(h *HostItem) string { return h.AgentVersion },
		Order: func(h *HostItem) string { return orderOfVersion(h.AgentVersion) },
		Facet: &table.Facet[*HostItem]{Value: func(h *HostItem) string { return h.AgentVersion }, Compare: compareVersions},
	},
	{
		Key: "heartbeat", Label: "Agent",
		Text: func(h *HostItem) string { return newHeartbeat(h.Host, page.Timestamp{}).Word },
		Order: func(h *HostItem) string {
			return table.OrderOfNumber(heartbeatRank(h.Host)) + table.OrderOfTime(silentSince(h.Host))
		},
	},
}, cleanupFlag(func(h *HostItem) bool { return h.silent }))

// siteColumn is the column of sites, by which the map groups hosts.
var siteColumn = table.Column[*HostItem]{
	Key: "site", Label: "Site", Hidden: true, Text: siteOfHost, Order: func(h *HostItem) string { return orderOfSite(siteOfHost(h)) },
	Facet: &table.Facet[*HostItem]{Value: siteOfHost, Compare: func(a, b string) int { return strings.Compare(orderOfSite(a), orderOfSite(b)) }},
}

func siteOfHost(h *HostItem) string { return h.Site() }

func hostname(h *HostItem) string { return h.Hostname }

var hostList = listDefinition[*HostItem]{
	table: &HostsTable, title: "Hosts", class: "hosts", refreshTopics: " agent_report", kind: page.HostTags,
	peek: (*Pages).peekHost,
	cells: func(s *Pages, h *HostItem) map[string]cell {
		beat := newHeartbeat(h.Host, s.TimestampOf(h.StaleSince))
		beat.Fault = h.fault
		name := newValues(page.Link{Name: h.Hostname, URL: "/hosts/" + h.id})
		name.ID = "host-" + h.id
		return map[string]cell{
			"hostname":      name,
			"address":       newValues(textLinks(addresses(h.Host))...),
			"cluster":       newValues(h.Cluster),
			"sid":           newValues(h.systems...),
			"agent_version": {Agent: &agentVersion{h.AgentVersion, isOutdated(h.AgentVersion)}},
			"heartbeat":     {Heartbeat: &beat},
		}
	},
	rowAction: func(reader page.Reader, h *HostItem) *page.Control {
		if !h.silent {
			return nil
		}
		return reader.Control("cleanup:host", "Clean up", reader.WithReturn("/hosts/"+h.id+"/cleanup"))
	},
}

func hostItems(v *page.Snapshot) []*HostItem {
	all := make([]*HostItem, len(v.Hosts))
	for i, h := range v.Hosts {
		item := newHostItem(h, v.TagsOf(store.HostTag, string(h.ID))...)
		item.reason = h.Reasons().Text()
		item.checks = checksOfHost(v, h)
		item.silent = item.silent && !v.Awaited[h.ID]
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

// silentSince returns the time since which a host is silent; the zero time if
// it is not.
func silentSince(h *landscape.Host) time.Time {
	if h.StaleSince == nil {
		return time.Time{}
	}
	return *h.StaleSince
}

func isStale(h *landscape.Host) bool { return h.StaleSince != nil }

func addresses(h *landscape.Host) []string {
	texts := make([]string, len(h.Addresses))
	for i, a := range h.Addresses {
		texts[i] = a.String()
	}
	return texts
}

// textLinks returns texts as names without a page.
func textLinks(texts []string) []page.Link {
	links := make([]page.Link, len(texts))
	for i, text := range texts {
		links[i].Name = text
	}
	return links
}

// compareVersions compares versions by precedence. Texts that are not versions
// come first.
func compareVersions(a, b string) int {
	return cmp.Or(semver.Compare("v"+a, "v"+b), strings.Compare(a, b))
}

// isOutdated reports whether an agent of this version sends less than the
// console can show.
func isOutdated(version string) bool {
	return semver.IsValid("v"+version) && semver.Compare("v"+version, "v2.0.0") < 0
}

// formatMemory formats a size of main memory, given in MB as agents report it.
func formatMemory(mb int) string {
	const gigabyte = 1024
	switch {
	case mb < gigabyte:
		return fmt.Sprintf("%d MB", mb)
	case mb < 100*gigabyte:
		return strconv.FormatFloat(float64(mb*10/gigabyte)/10, 'f', -1, 64) + " GB"
	}
	return fmt.Sprintf("%d GB", mb/gigabyte)
}

func providerID(h *landscape.Host) string {
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
