package landscape

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trento/store"
	"trento/store/activity"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
)

// hostPage shows one host.
type hostPage struct {
	page.Frame
	Hostname      string
	Health        page.HealthMark
	Reason        healthReason
	Heartbeat     heartbeat
	StaleBanner   string
	Faults        []reportFault
	Shared        *sharedIDBanner // set if several machines have its id
	AgentVersion  string
	Outdated      bool
	Facts         []page.Fact
	ProviderFacts []page.Fact
	ProviderNote  string // why no facts of the provider are shown
	Saptune       saptuneSummary
	Units         []landscape.SystemdUnit
	Reports       []reportLine

	SubscriptionHeads []string
	Subscriptions     []subscriptionRow

	Tags      tagPanel
	Instances []instanceRow
	CleanUp   *page.Control // clean-up of a silent host
	Asking    refreshPanel
	Checks    checksPanel
	History   healthHistory
	Activity  recentLog
	Cleanup   *cleanupDialog
}

// Template implements page.Page.
func (*hostPage) Template() string { return "host" }

type subscriptionRow struct {
	Identifier, Arch, Version, Type, Status, State, StartsAt, ExpiresAt string
}

// showHost answers GET /hosts/{id}.
func (s *Pages) showHost(w http.ResponseWriter, r *http.Request) error {
	return s.renderHost(w, r, http.StatusOK, nil)
}

// renderHost shows a host, and a dialog if one is open.
func (s *Pages) renderHost(w http.ResponseWriter, r *http.Request, status int, dialog *cleanupDialog) error {
	id, ok := landscape.ParseID[landscape.HostID](page.PathVar(r, "id"))
	if !ok {
		return fmt.Errorf("host %q: %w", page.PathVar(r, "id"), store.ErrNotFound)
	}
	p := hostPage{Frame: s.NewFrame(r, ""), Cleanup: dialog}
	reader := p.Reader
	var awaited bool
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		h, err := tx.Host(id)
		if err != nil {
			return err
		}
		p.Title = h.Hostname + " – Hosts"
		s.describeHost(&p, h)
		p.Reason = s.healthReason(tx, h.Thing(), h.Health, h.Reasons())
		cluster, err := clusterLink(tx, h.ClusterID)
		if err != nil {
			return err
		}
		p.Facts = slices.Insert(p.Facts, 1, page.Fact{Label: "Cluster", Links: []page.Link{cluster}, Text: h.ClusterHostStatus})
		if p.Tags, err = s.newTagPanel(tx, p.Reader, page.HostTags, string(id), h.Hostname); err != nil {
			return err
		}
		if p.Instances, err = s.instancesOn(tx, reader, h); err != nil {
			return err
		}
		agent := store.Agent{ID: id, Host: h}
		if agent.Status, err = tx.ReportStatus(id); err != nil {
			return err
		}
		p.Reports = s.newReportLines(agent.Status)
		if p.Faults = s.newReportFaults(&agent); len(p.Faults) > 0 {
			p.Refresh = reportRefreshSeconds
		}
		if p.Asking, err = s.newRefreshPanel(tx, &p.Frame, "/hosts/"+string(id), abilityRefreshHost, []landscape.HostID{id}, landscape.Kinds); err != nil {
			return err
		}
		if p.Checks, err = s.readChecksPanel(tx, check.HostSubject, string(id)); err != nil {
			return err
		}
		awaited = tx.HeartbeatPending(h)
		p.Live = liveTopicsOfHost(tx, h) + " checked_group:" + string(id)
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.Heartbeat.State != "passing" && !awaited {
		p.CleanUp = reader.Control("cleanup:host", "Clean up", "/hosts/"+string(id)+"/cleanup")
	}
	if p.History, err = s.readHealthHistory(r.Context(), r.URL.Query(), activity.HostThing, "host", "/hosts/"+string(id), string(id)); err != nil {
		return err
	}
	if p.Activity, err = s.readRecentLog(r.Context(), p.Reader, "host", string(id)); err != nil {
		return err
	}
	return s.Render(w, r, status, &p)
}

// liveTopicsOfHost returns the kinds and ids of the changes after which the
// page of a host is fetched again: those of the host and of what runs on it.
func liveTopicsOfHost(tx *store.Tx, h *landscape.Host) string {
	topics := liveTopics("host", string(h.ID), nil) + " kept:" + string(h.ID) + " agent_report:" + string(h.ID) + " agent_connection:" + string(h.ID)
	if h.ClusterID != "" {
		topics += " cluster:" + string(h.ClusterID)
	}
	for _, id := range tx.DatabasesOn(h.ID) {
		topics += " database:" + string(id)
	}
	for _, id := range tx.SAPSystemsOn(h.ID) {
		topics += " sap_system:" + string(id)
	}
	return topics
}

// describeHost fills the page from the record of the host.
func (s *Pages) describeHost(p *hostPage, h *landscape.Host) {
	since := s.TimestampOf(h.StaleSince)
	p.Hostname, p.AgentVersion, p.Outdated = h.Hostname, h.AgentVersion, isOutdated(h.AgentVersion)
	p.Health = page.NewHealthMark("Host", h.Health, since)
	p.Health.Bare = true
	p.Heartbeat = newHeartbeat(h, since)
	if isStale(h) {
		p.StaleBanner = fmt.Sprintf("The agent in this host is not responding since %s. What this page shows may be out of date.", since.Text())
	}
	p.Shared = s.newSharedIDBanner(h)
	p.Facts = s.hostFacts(h)
	p.ProviderFacts, p.ProviderNote = providerFacts(h.Cloud)
	p.Saptune = newSaptuneSummary(h.Saptune)
	p.Units = h.SystemdUnits
	p.SubscriptionHeads = []string{"Identifier", "Arch", "Version", "Type", "Status", "Subscription Status", "Starts At", "Expires At"}
	for _, sub := range h.Subscriptions {
		p.Subscriptions = append(p.Subscriptions, subscriptionRow{
			Identifier: sub.Identifier, Arch: sub.Arch, Version: sub.Version, Type: orEmpty(sub.Type), Status: sub.Status,
			State: orEmpty(sub.State), StartsAt: page.ForeignTimestamp(orEmpty(sub.StartsAt)), ExpiresAt: page.ForeignTimestamp(orEmpty(sub.ExpiresAt)),
		})
	}
	slices.SortStableFunc(p.Subscriptions, func(a, b subscriptionRow) int { return strings.Compare(b.Identifier, a.Identifier) })
}

// sharedIDBanner warns that several machines report with the same host id.
type sharedIDBanner struct {
	Count    int
	Machines []string // hostnames of the machines, with addresses
	Since    page.Timestamp
	Shown    string // machine whose facts are shown
}

func (s *Pages) newSharedIDBanner(h *landscape.Host) *sharedIDBanner {
	if !h.Shared() {
		return nil
	}
	machines := h.Machines()
	b := &sharedIDBanner{Count: len(machines), Since: s.Timestamp(*h.MachineHistory.SharedSince), Shown: h.Hostname}
	for _, m := range machines {
		addresses := make([]string, len(m.Addresses))
		for i, a := range m.Addresses {
			addresses[i] = a.IP.String()
		}
		b.Machines = append(b.Machines, fmt.Sprintf("%s (%s)", m.Hostname, strings.Join(addresses, ", ")))
	}
	return b
}

func (s *Pages) hostFacts(h *landscape.Host) []page.Fact {
	facts := []page.Fact{
		{Label: "IP Addresses", Lines: addresses(h)},
		{Label: "Architecture", Text: h.Arch},
		{Label: "Operating system", Text: h.OSVersion},
		{Label: "CPUs", Text: fmt.Sprintf("%d in %s", h.CPUCount, page.Count(h.SocketCount, "socket", "sockets"))},
		{Label: "Memory", Text: formatMemory(h.MemoryMB)},
		{Label: "Agent Version", Text: h.AgentVersion},
		{Label: "Last Boot", Text: "N/A"},
	}
	if h.LastBoot != nil {
		facts[len(facts)-1] = s.TimestampFact("Last Boot", *h.LastBoot)
	}
	if h.FQDN != "" {
		facts = append(facts, page.Fact{Label: "Domain name", Text: h.FQDN})
	}
	facts = append(facts, page.Fact{Label: "Agent installed from", Text: installationSource(h.InstallationSource)})
	if last, ok := s.Store.LastHeartbeat(h.ID); ok {
		facts = append(facts, s.TimestampFact("Last heartbeat", last))
	}
	if f, ok := s.messagesFact(h.ID); ok {
		facts = append(facts, f)
	}
	facts = append(facts, s.TimestampFact("Registered", h.RegisteredAt), s.TimestampFact("Last change", h.UpdatedAt))
	if len(h.PrometheusTargets) > 0 {
		facts = append(facts, exportersFact(h))
	}
	return append(facts, page.Fact{Label: "Host ID", Text: string(h.ID), Mono: true, Wide: true})
}

// messagesFact says whether the agent of a host is connected for messages. It is
// not ok if agents connect to another broker.
func (s *Pages) messagesFact(id landscape.HostID) (f page.Fact, ok bool) {
	if s.Endpoint == nil {
		return page.Fact{}, false
	}
	a := agentItem{connections: s.Endpoint.ConnectionsOf(string(id)), hasEndpoint: true}
	f = page.Fact{Label: "Messages", Text: a.messages()}
	if len(a.connections) > 0 {
		f.Text += " from " + a.addresses()
	}
	return f, true
}

func exportersFact(h *landscape.Host) page.Fact {
	f := page.Fact{Label: "Metrics (" + h.PrometheusMode + ")", Mono: true}
	for _, target := range page.HiddenInputs(targetValues(h.PrometheusTargets)) {
		f.Lines = append(f.Lines, target.Name+" "+target.Value)
	}
	return f
}

func targetValues(targets map[string]string) url.Values {
	values := make(url.Values, len(targets))
	for name, target := range targets {
		values.Set(name, target)
	}
	return values
}

func installationSource(source string) string {
	switch source {
	case "community":
		return "Community package"
	case "suse":
		return "SUSE package"
	}
	return ""
}

// providerFacts returns what the cloud reports about a host, or a sentence if
// it reports nothing.
func providerFacts(c *landscape.Cloud) (facts []page.Fact, note string) {
	if c == nil {
		return nil, "The agent has not told yet where this host runs."
	}
	facts = []page.Fact{{Label: "Provider", Text: providerName(c.Provider)}}
	add := func(label, text string) { facts = append(facts, page.Fact{Label: label, Text: text}) }
	switch {
	case c.Azure != nil:
		add("VM Size", orEmpty(c.Azure.VMSize))
		add("VM Name", orEmpty(c.Azure.VMName))
		add("Data disk number", strconv.Itoa(c.Azure.DataDiskNumber))
		add("Resource group", orEmpty(c.Azure.ResourceGroup))
		add("Offer", orEmpty(c.Azure.Offer))
		add("Location", orEmpty(c.Azure.Location))
		add("SKU", orEmpty(c.Azure.SKU))
	case c.AWS != nil:
		add("Instance type", orEmpty(c.AWS.InstanceType))
		add("Instance ID", orEmpty(c.AWS.InstanceID))
		add("Data disk number", numberOrEmpty(c.AWS.DataDiskNumber))
		add("Account ID", orEmpty(c.AWS.AccountID))
		add("AMI ID", orEmpty(c.AWS.AMIID))
		region := orEmpty(c.AWS.Region)
		if zone := orEmpty(c.AWS.AvailabilityZone); zone != "" {
			region += " (" + zone + ")"
		}
		add("Region", strings.TrimSpace(region))
		add("VPC ID", orEmpty(c.AWS.VPCID))
	case c.GCP != nil:
		add("Machine type", orEmpty(c.GCP.MachineType))
		add("Instance name", orEmpty(c.GCP.InstanceName))
		add("Disk number", numberOrEmpty(c.GCP.DiskNumber))
		add("Project ID", orEmpty(c.GCP.ProjectID))
		add("Image", orEmpty(c.GCP.Image))
		add("Zone", orEmpty(c.GCP.Zone))
		add("Network", orEmpty(c.GCP.Network))
	case slices.Contains([]string{"azure", "aws", "gcp"}, c.Provider):
		note = "The host could not read what its provider says about it."
	}
	return facts, note
}

// numberOrEmpty formats a number; "" if it was not reported.
func numberOrEmpty(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// orEmpty returns a text; "" if it was not reported.
func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
