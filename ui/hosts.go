package ui

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"trento/store"
	"trento/store/landscape"
)

// hostsPage is the overview of all hosts.
type hostsPage struct {
	Frame
	Total      int // registered hosts, whatever the filters
	Counters   []counter
	StaleCount int
	List       listing
	Rows       []hostRow
	Connect    connection // for the one who has no host yet
}

// counter is the number of things of one health; it links to their list.
type counter struct {
	State, Icon, Label, URL string
	Count                   int
	Chosen                  bool
}

type hostRow struct {
	ID, Version  string
	Health       healthMark
	Hostname     string
	Addresses    []string
	Provider     string
	OS           string
	CPUs, Memory string
	AgentVersion string
	Outdated     bool
	Heartbeat    heartbeat
	Stale        bool
}

// heartbeat is whether the agent of a host is heard, in a shape and a word.
type heartbeat struct {
	State string // passing, critical, unknown
	Icon  string
	Word  string // in a list
	Pill  string // behind "Agent:"
	Since Moment // of a silent one
}

// usualHosts is how many hosts a page has where nobody said otherwise.
const usualHosts = 10

// hostsOverview is what can be done with the list of hosts.
var hostsOverview = overview[*landscape.Host]{
	path: "/hosts",
	columns: []column[*landscape.Host]{
		{
			key: "health", label: "Health",
			text:    func(h *landscape.Host) string { return healthWord(h.Health) },
			compare: func(a, b *landscape.Host) int { return cmp.Compare(healthRank(a.Health), healthRank(b.Health)) },
			facet: &facetOf[*landscape.Host]{
				value: func(h *landscape.Host) string { return string(shown(h.Health)) },
				label: func(v string) string { return healthWord(landscape.Health(v)) },
				mark:  true,
				compare: func(a, b string) int {
					return cmp.Compare(healthRank(landscape.Health(a)), healthRank(landscape.Health(b)))
				},
			},
		},
		{
			key: "hostname", label: "Hostname", text: hostname,
			facet: &facetOf[*landscape.Host]{value: hostname},
		},
		{
			key: "address", label: "IP",
			text: func(h *landscape.Host) string { return strings.Join(addresses(h), " ") },
			compare: func(a, b *landscape.Host) int {
				return slices.CompareFunc(a.Addresses, b.Addresses, func(x, y landscape.Address) int { return x.IP.Compare(y.IP) })
			},
		},
		{
			key: "provider", label: "Provider", text: providerLabel,
			facet: &facetOf[*landscape.Host]{value: provider, label: providerName},
		},
		{key: "os", label: "OS", text: func(h *landscape.Host) string { return h.OSVersion }},
		{
			key: "cpu", label: "CPUs",
			text:    func(h *landscape.Host) string { return strconv.Itoa(h.CPUCount) },
			compare: func(a, b *landscape.Host) int { return cmp.Compare(a.CPUCount, b.CPUCount) },
		},
		{
			key: "memory", label: "Memory",
			text:    func(h *landscape.Host) string { return memory(h.MemoryMB) },
			compare: func(a, b *landscape.Host) int { return cmp.Compare(a.MemoryMB, b.MemoryMB) },
		},
		{
			key: "agent_version", label: "Agent version",
			text:    agentVersion,
			compare: func(a, b *landscape.Host) int { return compareVersions(a.AgentVersion, b.AgentVersion) },
			facet:   &facetOf[*landscape.Host]{value: agentVersion, compare: compareVersions},
		},
		{
			key: "heartbeat", label: "Agent",
			text: func(h *landscape.Host) string { return newHeartbeat(h, Moment{}).Word },
			compare: func(a, b *landscape.Host) int {
				return cmp.Or(cmp.Compare(heartbeatRank(a), heartbeatRank(b)), silence(a).Compare(silence(b)))
			},
		},
	},
	urgent: func(a, b *landscape.Host) int { return cmp.Compare(urgency(a), urgency(b)) },
	tie: func(a, b *landscape.Host) int {
		return cmp.Or(foldCompare(a.Hostname, b.Hostname), strings.Compare(string(a.ID), string(b.ID)))
	},
	stale: stale,
}

// hosts answers GET /hosts.
func (s *server) hosts(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := hostsPage{Frame: s.newFrame(r, "Hosts"), Connect: s.connection(r)}
	p.Live = "host"
	c := hostsOverview.parse(r.URL.Query(), pageSize(r, "hosts", usualHosts))
	var all []*landscape.Host
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		p.Seq = tx.LastChange()
		all, err = allHosts(tx)
		return err
	})
	if err != nil {
		return err
	}
	p.countTrouble(all)
	p.Total, p.Counters = len(all), hostCounters(all, c)
	chosen := hostsOverview.choose(all, c)
	page, number := chosen.page(c)
	if number != c.page {
		http.Redirect(w, r, c.address(hostsOverview.path, func(c *choice) { c.page = number }), http.StatusSeeOther)
		return nil
	}
	if c.sized {
		s.rememberSize(w, r, "hosts", usualHosts, c.size)
	}
	p.StaleCount = chosen.stale
	p.List = hostsOverview.listing(c, chosen)
	for _, h := range page {
		p.Rows = append(p.Rows, s.newHostRow(h))
	}
	return s.render(w, r, http.StatusOK, pageHosts, &p)
}

// hostsCSV answers GET /hosts.csv: the list with the same filters, whole.
func (s *server) hostsCSV(w http.ResponseWriter, r *http.Request) error {
	var all []*landscape.Host
	err := s.options.Store.View(func(tx *store.Tx) (err error) {
		all, err = allHosts(tx)
		return err
	})
	if err != nil {
		return err
	}
	chosen := hostsOverview.choose(all, hostsOverview.parse(r.URL.Query(), usualHosts))
	var body bytes.Buffer
	if err := hostsOverview.writeCSV(&body, chosen.things); err != nil {
		return err
	}
	return sendCSV(w, "hosts.csv", body.Bytes())
}

func allHosts(tx *store.Tx) ([]*landscape.Host, error) {
	var all []*landscape.Host
	for h, err := range tx.Hosts() {
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// hostCounters counts all hosts: the filters do not change the numbers, which
// so always tell how the landscape is.
func hostCounters(all []*landscape.Host, c choice) []counter {
	byHealth := map[landscape.Health]int{}
	staleCount := 0
	for _, h := range all {
		byHealth[shown(h.Health)]++
		if stale(h) {
			staleCount++
		}
	}
	counters := make([]counter, 0, len(healthWords)+1)
	for _, w := range healthWords {
		value := string(w.health)
		counters = append(counters, counter{
			State: value, Icon: value, Label: w.word, Count: byHealth[w.health],
			Chosen: slices.Contains(c.facets["health"], value),
			URL:    c.address("/hosts", c.toggled("health", value)),
		})
	}
	return append(counters, counter{
		State: "stale", Icon: "clock", Label: "Stale", Count: staleCount, Chosen: c.stale,
		URL: c.address("/hosts", func(c *choice) { c.stale = !c.stale }),
	})
}

func (s *server) newHostRow(h *landscape.Host) hostRow {
	return hostRow{
		ID: string(h.ID), Version: strconv.FormatInt(h.UpdatedAt.UnixMicro(), 36),
		Health:    newHealthMark("", h.Health, s.momentOf(h.StaleSince)),
		Hostname:  h.Hostname,
		Addresses: addresses(h),
		Provider:  providerLabel(h),
		OS:        h.OSVersion, CPUs: strconv.Itoa(h.CPUCount), Memory: memory(h.MemoryMB),
		AgentVersion: h.AgentVersion, Outdated: outdated(h.AgentVersion),
		Heartbeat: newHeartbeat(h, s.momentOf(h.StaleSince)),
		Stale:     stale(h),
	}
}

func newHeartbeat(h *landscape.Host, since Moment) heartbeat {
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

// urgency orders hosts by how much they need a person: trouble, silence,
// warnings, and what nobody has judged.
func urgency(h *landscape.Host) int {
	switch {
	case h.Health == landscape.HealthCritical:
		return 0
	case stale(h):
		return 1
	}
	return 2 + healthRank(h.Health)
}

func stale(h *landscape.Host) bool { return h.StaleSince != nil }

func hostname(h *landscape.Host) string { return h.Hostname }

func agentVersion(h *landscape.Host) string { return h.AgentVersion }

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
