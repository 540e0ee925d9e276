package landscape

import (
	"slices"
	"strconv"
	"strings"

	"trento/store/landscape"
	"trento/ui/page"
)

// sites returns the sites of a HANA cluster, sorted by name, and the nodes
// without a site.
func (c *clusterContext) sites() []clusterSite {
	sites := make([]clusterSite, 0, len(c.HANA.Sites)+1)
	for _, site := range c.HANA.Sites {
		sites = append(sites, clusterSite{Name: site.Name, Health: siteHealthMark(site.SRHealthState), State: siteStateMark(site.State)})
	}
	slices.SortStableFunc(sites, func(a, b clusterSite) int { return strings.Compare(a.Name, b.Name) })
	others := clusterSite{Name: "Other"}
	for _, n := range c.HANA.Nodes {
		at := slices.IndexFunc(sites, func(s clusterSite) bool { return n.Site != nil && s.Name == *n.Site })
		if at < 0 {
			others.Nodes = append(others.Nodes, c.hanaNode(n))
			continue
		}
		sites[at].Nodes = append(sites[at].Nodes, c.hanaNode(n))
	}
	if len(others.Nodes) > 0 {
		sites = append(sites, others)
	}
	for i := range sites {
		sites[i].ID = strconv.Itoa(i)
	}
	return sites
}

// siteHealthMark returns the mark for the landscape state of a site, as HANA
// reports it.
func siteHealthMark(state string) page.HealthMark {
	h := landscape.HealthUnknown
	switch state {
	case "4":
		h = landscape.HealthPassing
	case "1":
		h = landscape.HealthCritical
	}
	m := page.NewHealthMark("Site", h, page.Timestamp{})
	m.Bare = true
	return m
}

// siteStateMark returns the mark for the replication state of a site.
func siteStateMark(state string) page.HealthMark {
	m := page.HealthMark{State: "unknown", Word: state, Name: "State: " + state}
	switch state {
	case "Primary", "Secondary":
		m.State = "passing"
	case "Failed":
		m.State = "critical"
	}
	return m
}

func (c *clusterContext) hanaNode(n landscape.HANANode) nodeRow {
	row := c.newNode(n.Name, n.Status, n.Resources)
	row.Nameserver, row.Indexserver = capitalize(orEmpty(n.NameserverRole)), capitalize(orEmpty(n.IndexserverRole))
	if n.VirtualIP != nil {
		row.VirtualIPs = []string{*n.VirtualIP}
	}
	if n.MajorityMaker {
		row.Remark = "Majority maker"
	}
	return row
}

// centralServices returns the SAP systems of the cluster.
func (c *clusterContext) centralServices() []clusterSystem {
	systems := make([]clusterSystem, len(c.ASCSERS.SAPSystems))
	for i, system := range c.ASCSERS.SAPSystems {
		systems[i] = clusterSystem{
			ID: strconv.Itoa(i), SID: system.SID,
			Facts: []page.Fact{
				{Label: "SID", Links: []page.Link{c.systemLink(system.SID)}},
				{Label: "ASCS/ERS distributed", Text: yesOrNo(system.Distributed)},
				{Label: "ENSA version", Text: ensaText(c.sapVersions[system.SID])},
				{Label: "Filesystem resource based", Text: yesOrNo(system.FilesystemResourceBased)},
			},
		}
		for _, n := range system.Nodes {
			row := c.newNode(n.Name, n.Status, n.Resources)
			row.Roles = strings.ToUpper(strings.Join(n.Roles, ", "))
			row.VirtualIPs, row.Filesystems = textsOrEmpty(n.VirtualIPs), textsOrEmpty(n.Filesystems)
			systems[i].Nodes = append(systems[i].Nodes, row)
		}
	}
	return systems
}

func yesOrNo(is bool) string {
	if is {
		return "Yes"
	}
	return "No"
}

// textsOrEmpty returns the texts, "" for those that were not reported.
func textsOrEmpty(texts []*string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = orEmpty(text)
	}
	return all
}

func (c *clusterContext) newNode(name, status string, resources []landscape.ClusterResource) nodeRow {
	allOffline := len(c.Members) > 0 && !slices.ContainsFunc(c.Members, func(m landscape.ClusterMember) bool { return !m.Offline })
	if allOffline {
		status = "Offline" // there is no state because no node is online
	}
	row := nodeRow{Host: c.nodeLink(name), Status: nodeStatus(status), URL: nodeURL(c.ID, name)}
	if host := c.hostOfNode(name); host != nil {
		row.Addresses = BareAddresses(host)
	}
	unmanaged := 0
	for _, r := range resources {
		if r.Managed != nil && !*r.Managed {
			unmanaged++
		}
	}
	if unmanaged > 0 {
		row.Unmanaged = page.Count(unmanaged, "unmanaged resource", "unmanaged resources")
	}
	return row
}

func nodeStatus(status string) page.HealthMark {
	m := page.HealthMark{State: "warning", Word: status, Name: "Node status: " + status}
	switch status {
	case "Online":
		m.State = "passing"
	case "Offline", "Unclean":
		m.State = "critical"
	case "Unknown":
		m.State = "unknown"
	}
	return m
}

// describeResources groups resources by their parents, in the order of their
// first members.
func (p *clusterPage) describeResources(c *clusterContext, resources, stopped []landscape.ClusterResource) {
	p.Described = true
	places := make(map[string]int)
	for _, r := range resources {
		row := c.newResource(r)
		if r.Parent == nil {
			p.Resources = append(p.Resources, resourceGroup{Rows: []resourceRow{row}})
			continue
		}
		place, known := places[r.Parent.ID]
		if !known {
			place = len(p.Resources)
			places[r.Parent.ID] = place
			p.Resources = append(p.Resources, resourceGroup{Parent: newParentRow(r)})
		}
		p.Resources[place].Rows = append(p.Resources[place].Rows, row)
	}
	for _, r := range stopped {
		p.Stopped = append(p.Stopped, c.newResource(r))
	}
}

func newParentRow(member landscape.ClusterResource) *resourceRow {
	row := &resourceRow{ID: member.Parent.ID, Type: member.Type}
	if member.Parent.MultiState == nil {
		row.Type = "Group"
	}
	row.setManaged(member.Parent.Managed)
	return row
}

func (r *resourceRow) setManaged(managed *bool) {
	if managed != nil {
		r.Managed, r.Unmanaged = formatBoolean(*managed), !*managed
	}
}

func (c *clusterContext) newResource(r landscape.ClusterResource) resourceRow {
	row := resourceRow{ID: r.ID, Type: r.Type, Role: r.Role, Status: orEmpty(r.Status)}
	switch row.Status {
	case "Failed", "Blocked":
		row.Trouble = "critical"
	case "FailureIgnored", "Orphaned":
		row.Trouble = "warning"
	}
	if r.FailCount != nil {
		row.Fails, row.Failed = strconv.Itoa(*r.FailCount), *r.FailCount > 0
	}
	row.setManaged(r.Managed)
	if r.Node != nil {
		row.Node = c.nodeLink(*r.Node)
	}
	return row
}

// sbdRows returns the devices through which nodes are fenced.
func sbdRows(devices []landscape.SBDDevice) []sbdRow {
	rows := make([]sbdRow, 0, len(devices))
	for _, d := range devices {
		mark := page.HealthMark{State: "passing", Word: "Healthy"}
		switch d.Status {
		case landscape.SBDHealthy:
		case landscape.SBDUnknown:
			mark = page.HealthMark{State: "unknown", Word: "Unknown"}
		default:
			mark = page.HealthMark{State: "critical", Word: "Unhealthy"}
		}
		mark.Name = "Device status: " + mark.Word
		rows = append(rows, sbdRow{d.Device, mark})
	}
	return rows
}

func (p *clusterPage) describeFencing(kind *string, devices []landscape.SBDDevice) {
	p.SBD = sbdRows(devices)
	switch {
	case len(devices) > 0:
	case kind == nil:
		p.FencingNote = "No fencing is configured for this cluster."
	default:
		p.FencingNote = "This cluster fences with " + *kind + ". There is no SBD device to show."
	}
}
