package landscape

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/store"
	"trento/store/activity"
	"trento/store/check"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/refresh"
	"trento/ui/table"
)

// clusterPage shows one cluster.
type clusterPage struct {
	page.Frame
	Name        string
	ID          string // id of a cluster without a name
	Health      page.HealthMark
	Reason      healthReason
	State       page.HealthMark
	Maintenance bool
	StaleBanner string
	Tags        tagPanel
	Drawing     drawingPanel
	Replication replicationPanel
	Facts       []page.Fact
	Note        string // why no details of the cluster are shown
	Sites       []clusterSite
	Systems     []clusterSystem
	Hosts       []hostLine // shown if the nodes are unknown
	Described   bool       // nodes and resources of the cluster are known
	Resources   []resourceGroup
	Stopped     []resourceRow
	SBD         []sbdRow
	FencingNote string // sentence that is shown instead of SBD devices
	Node        *nodeDialog
	Asking      refreshPanel
	Checks      checksPanel
	History     healthHistory
	Activity    recentLog
}

// Template implements page.Page.
func (*clusterPage) Template() string { return "cluster" }

// clusterSite is a site of the system replication with its nodes.
type clusterSite struct {
	ID     string // id of the HTML element
	Name   string
	Health page.HealthMark
	State  page.HealthMark // state in the replication
	Nodes  []nodeRow
}

// clusterSystem is the central services of one SAP system, with the nodes of
// the cluster as they see them.
type clusterSystem struct {
	ID    string // id of the HTML element
	SID   string
	Facts []page.Fact
	Nodes []nodeRow
}

// nodeRow is a node of a cluster. A field that the type of cluster does not
// have is empty.
type nodeRow struct {
	Host        page.Link
	Status      page.HealthMark
	Unmanaged   string // "2 unmanaged resources"
	Remark      string
	Nameserver  string
	Indexserver string
	Addresses   []string
	Roles       string
	VirtualIPs  []string
	Filesystems []string
	URL         string // address that shows its attributes
}

// nodeDialog shows the attributes of a node.
type nodeDialog struct {
	Name       string
	Attributes []page.HiddenInput
	CloseURL   string
}

// resourceGroup is a group or clone of resources, or a single one.
type resourceGroup struct {
	Parent *resourceRow
	Rows   []resourceRow
}

type resourceRow struct {
	ID, Type, Role string
	Status         string
	Trouble        string // symbol beside the status: critical, warning or none
	Fails          string
	Failed         bool
	Managed        string
	Unmanaged      bool
	Node           page.Link
}

type sbdRow struct {
	Device string
	Status page.HealthMark
}

// showCluster answers GET /clusters/{id}. The query parameter node opens the
// attributes of a node.
func (s *Pages) showCluster(w http.ResponseWriter, r *http.Request) error {
	id := landscape.ClusterID(strings.ToLower(page.PathVar(r, "id")))
	p := clusterPage{Frame: s.NewFrame(r, "")}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		c, err := tx.Cluster(id)
		if err != nil {
			return err
		}
		inside, err := s.readClusterContext(tx, c)
		if err != nil {
			return err
		}
		p.Title = page.ClusterName(c) + " – Clusters"
		s.describeCluster(&p, inside)
		p.Reason = s.healthReason(tx, c.Thing(), c.Health, c.Reasons())
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		d := s.newDrawer(v)
		p.Drawing = d.drawCluster(c)
		if c.HANA != nil {
			p.Replication = d.replicationPanel(d.chainOfCluster(c))
		}
		p.Live = d.withTopics(p.Live)
		if p.Tags, err = s.newTagPanel(tx, p.Reader, page.ClusterTags, string(id), p.Name); err != nil {
			return err
		}
		if p.Hosts, err = s.hostLines(tx, inside.memberIDs()); err != nil {
			return err
		}
		members, err := tx.RegisteredMembers(id)
		if err != nil {
			return err
		}
		if p.Asking, err = s.newRefreshPanel(tx, &p.Frame, "/clusters/"+string(id), abilityRefreshCluster, members, refresh.ClusterKinds); err != nil {
			return err
		}
		if p.Checks, err = s.readChecksPanel(tx, check.ClusterSubject, string(id)); err != nil {
			return err
		}
		if name := r.URL.Query().Get("node"); name != "" {
			if p.Node, err = newNodeDialog(c, name); err != nil {
				return err
			}
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.History, err = s.readHealthHistory(r.Context(), r.URL.Query(), activity.ClusterThing, "cluster", "/clusters/"+string(id), string(id)); err != nil {
		return err
	}
	if p.Activity, err = s.readRecentLog(r.Context(), p.Reader, "cluster", string(id)); err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// clusterContext is a cluster with the hosts and systems that its page shows.
type clusterContext struct {
	*landscape.Cluster
	hosts       map[string]*landscape.Host // registered hosts of the cluster, by name
	databases   map[string]page.Link       // databases on its hosts, by SID; of several with the same SID, one that is not absent
	sapSystems  map[string]page.Link
	sapVersions map[string]landscape.ENSAVersion
}

func (c *clusterContext) memberIDs() []landscape.HostID {
	ids := make([]landscape.HostID, len(c.Members))
	for i, m := range c.Members {
		ids[i] = m.HostID
	}
	return ids
}

func (s *Pages) readClusterContext(tx *store.Tx, c *landscape.Cluster) (*clusterContext, error) {
	inside := &clusterContext{
		Cluster: c, hosts: map[string]*landscape.Host{}, databases: map[string]page.Link{},
		sapSystems: map[string]page.Link{}, sapVersions: map[string]landscape.ENSAVersion{},
	}
	for _, m := range c.Members {
		host, err := registeredHost(tx, m.HostID)
		if err != nil {
			return nil, err
		}
		if host != nil {
			inside.hosts[host.Hostname] = host
		}
		for _, id := range tx.DatabasesOn(m.HostID) {
			db, err := tx.Database(id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			if err == nil && (inside.databases[db.SID].URL == "" || db.ListedOn(m.HostID)) {
				inside.databases[db.SID] = page.Link{Name: db.SID, URL: "/databases/" + string(id)}
			}
		}
		for _, id := range tx.SAPSystemsOn(m.HostID) {
			system, err := tx.SAPSystem(id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			if err == nil && (inside.sapSystems[system.SID].URL == "" || system.ListedOn(m.HostID)) {
				inside.sapSystems[system.SID] = page.Link{Name: system.SID, URL: "/sap_systems/" + string(id)}
				inside.sapVersions[system.SID] = system.ENSA
			}
		}
	}
	return inside, nil
}

// systemLink returns a link to the system of the cluster with an SID. In a
// cluster of central services that is an SAP system, otherwise a database.
func (c *clusterContext) systemLink(sid string) page.Link {
	first, second, gone := c.databases, c.sapSystems, "HANA database currently not registered"
	switch c.Type {
	case landscape.ASCSERS:
		first, second, gone = second, first, "SAP system currently not registered"
	case landscape.HANAASCSERS, landscape.ClusterUnknown:
		gone = "System currently not registered"
	}
	if system, ok := first[sid]; ok {
		return system
	}
	if system, ok := second[sid]; ok {
		return system
	}
	return page.Link{Name: sid, Gone: gone}
}

// systemLinks returns links to all systems of the cluster.
func (c *clusterContext) systemLinks() []page.Link {
	var sids []string
	if sid := c.SID(); sid != "" {
		sids = append(sids, sid)
	}
	links := []page.Link{}
	for _, sid := range table.Unique(append(sids, c.AdditionalSIDs()...)) {
		links = append(links, c.systemLink(sid))
	}
	return links
}

// nodeLink returns a link to the host of a node.
func (c *clusterContext) nodeLink(name string) page.Link {
	if host := c.hostOfNode(name); host != nil {
		return page.Link{Name: name, URL: "/hosts/" + string(host.ID)}
	}
	return page.Link{Name: name, Gone: "Host currently not registered."}
}

// hostOfNode returns the host of a node; nil if it is unknown or not unique.
// The cluster software and the host may write the same name differently.
func (c *clusterContext) hostOfNode(node string) *landscape.Host {
	if host, ok := c.hosts[node]; ok {
		return host
	}
	var found *landscape.Host
	for name, host := range c.hosts {
		switch {
		case !landscape.SameHostname(name, node):
		case found != nil:
			return nil
		default:
			found = host
		}
	}
	return found
}

func (s *Pages) describeCluster(p *clusterPage, c *clusterContext) {
	since := s.TimestampOf(c.StaleSince)
	p.Live = liveTopics("cluster", string(c.ID), c.memberIDs()) + " checked_group:" + string(c.ID)
	for _, id := range c.memberIDs() {
		p.Live += " agent_connection:" + string(id)
	}
	p.Name, p.State = page.ClusterName(c.Cluster), clusterState(c.Cluster.State)
	if page.Unnamed(c.Cluster) {
		p.ID = string(c.ID)
	}
	p.Health = page.NewHealthMark("Cluster", c.Health, since)
	p.Health.Bare = true
	silent := false
	for _, host := range c.hosts {
		silent = silent || host.StaleSince != nil
	}
	p.StaleBanner = staleBanner("cluster", since, silent)
	p.Facts = s.clusterFacts(c)
	switch {
	case c.HANA != nil:
		p.Sites = c.sites()
		p.describeResources(c, c.HANA.Resources, c.HANA.StoppedResources)
		p.describeFencing(c.HANA.FencingType, c.HANA.SBDDevices)
		p.Maintenance = c.HANA.MaintenanceMode
	case c.ASCSERS != nil:
		p.Systems = c.centralServices()
		p.describeResources(c, c.ASCSERS.Resources, c.ASCSERS.StoppedResources)
		p.describeFencing(c.ASCSERS.FencingType, c.ASCSERS.SBDDevices)
		p.Maintenance = c.ASCSERS.MaintenanceMode
	case c.Type == landscape.HANAASCSERS:
		p.Note = "This cluster runs a HANA database together with central services. Its sites and resources are not shown for this type of cluster."
	case c.HostsNumber == nil:
		p.Note = "Nothing more is known yet: the node that controls this cluster has not reported."
	default:
		p.Note = "Unknown cluster type: this cluster runs neither a HANA database nor central services that are known here."
	}
}

// clusterState returns the symbol and the words for the state of the cluster
// software.
func clusterState(state string) page.HealthMark {
	m := page.HealthMark{State: "warning"}
	switch state {
	case "S_IDLE":
		m.State = "passing"
	case "S_TRANSITION_ENGINE":
		m.State = "critical"
	case landscape.ClusterStateStopped, landscape.ClusterStateUnknown, "":
		m.State = "unknown"
	}
	words := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(cmp.Or(state, landscape.ClusterStateUnknown), "S_"), "_", " "))
	for i, word := range words {
		words[i] = capitalize(strings.ToLower(word))
	}
	m.Word = strings.Join(words, " ")
	m.Name = "State: " + m.Word
	return m
}

// capitalize returns a word with a capital first letter.
func capitalize(word string) string {
	for i, first := range word {
		return strings.ToUpper(string(first)) + word[i+len(string(first)):]
	}
	return word
}

func (s *Pages) clusterFacts(c *clusterContext) []page.Fact {
	facts := []page.Fact{
		{Label: "Provider", Text: providerName(c.Provider)},
		{Label: "SID", Links: c.systemLinks()},
		{Label: "Cluster type", Lines: clusterTypeLines(c.Cluster)},
	}
	if c.HANA != nil && c.HANA.Architecture == landscape.ClassicArchitecture {
		facts[len(facts)-1].Advice = page.ActionLink{Label: "How to move on to the Angi architecture", URL: angiGuide}
	}
	add := func(label, text string) { facts = append(facts, page.Fact{Label: label, Text: text}) }
	switch {
	case c.HANA != nil:
		add("Fencing type", orEmpty(c.HANA.FencingType))
		add("Cluster maintenance", formatBoolean(c.HANA.MaintenanceMode))
		add("HANA log replication mode", c.HANA.ReplicationMode)
		add("HANA secondary sync state", c.HANA.SecondarySyncState)
		add("HANA log operation mode", c.HANA.OperationMode)
	case c.ASCSERS != nil:
		add("Fencing type", orEmpty(c.ASCSERS.FencingType))
		add("Cluster maintenance", formatBoolean(c.ASCSERS.MaintenanceMode))
	}
	add("CIB last written", page.ForeignTimestamp(orEmpty(c.CIBLastWritten)))
	if c.HostsNumber != nil && c.ResourcesNumber != nil {
		add("Configured", page.Count(*c.HostsNumber, "node", "nodes")+", "+page.Count(*c.ResourcesNumber, "resource", "resources"))
	}
	return append(facts, s.TimestampFact("Registered", c.RegisteredAt), s.TimestampFact("Last change", c.UpdatedAt),
		page.Fact{Label: "Cluster ID", Text: string(c.ID), Mono: true, Wide: true})
}

// angiGuide explains how to move a cluster from the classic to the Angi
// architecture, as SUSE recommends.
const angiGuide = "https://www.suse.com/c/how-to-upgrade-to-saphanasr-angi/"

// clusterTypeLines returns the type of a cluster and its variant.
func clusterTypeLines(c *landscape.Cluster) []string {
	lines := []string{nameOfClusterType(c.Type)}
	if c.HANA == nil {
		return lines
	}
	switch c.HANA.Scenario {
	case landscape.PerformanceOptimized:
		lines[0] += " Perf. Opt."
	case landscape.CostOptimized:
		lines[0] += " Cost Opt."
	}
	switch c.HANA.Architecture {
	case landscape.AngiArchitecture:
		lines = append(lines, "Angi architecture")
	case landscape.ClassicArchitecture:
		lines = append(lines, "Classic architecture")
	}
	return lines
}

func nameOfClusterType(t landscape.ClusterType) string {
	switch t {
	case landscape.HANAScaleUp:
		return "HANA Scale Up"
	case landscape.HANAScaleOut:
		return "HANA Scale Out"
	case landscape.ASCSERS:
		return "ASCS/ERS"
	case landscape.HANAASCSERS:
		return "HANA with ASCS/ERS"
	}
	return "Unknown"
}

// newNodeDialog shows the attributes of a node of any system in the cluster.
func newNodeDialog(c *landscape.Cluster, name string) (*nodeDialog, error) {
	attributes, known := map[string]string(nil), false
	if c.HANA != nil {
		for _, n := range c.HANA.Nodes {
			if n.Name == name {
				attributes, known = n.Attributes, true
			}
		}
	}
	if c.ASCSERS != nil {
		for _, system := range c.ASCSERS.SAPSystems {
			for _, n := range system.Nodes {
				if n.Name == name {
					attributes, known = n.Attributes, true
				}
			}
		}
	}
	if !known {
		return nil, fmt.Errorf("node %q of cluster %s: %w", name, c.ID, store.ErrNotFound)
	}
	d := &nodeDialog{Name: name, CloseURL: "/clusters/" + string(c.ID)}
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		d.Attributes = append(d.Attributes, page.HiddenInput{Name: key, Value: attributes[key]})
	}
	return d, nil
}

func nodeURL(id landscape.ClusterID, name string) string {
	return page.WithQuery("/clusters/"+string(id), url.Values{"node": {name}})
}
