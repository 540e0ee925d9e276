package landscape

import (
	"fmt"
	"slices"
	"strings"

	"trento/store/landscape"
	"trento/ui/drawing"
	"trento/ui/page"
)

// drawCluster draws a cluster: its nodes with what runs on them, and below it
// its fencing devices and stopped resources.
func (d *drawer) drawCluster(c *landscape.Cluster) drawingPanel {
	b := d.clusterBox(c)
	nodes := d.clusterNodes(c)
	switch {
	case c.HANA != nil:
		d.addSites(b, c, nodes)
	case c.ASCSERS != nil && d.addPair(b, c, nodes):
	default:
		for _, n := range nodes {
			b.Inside = append(b.Inside, n.box)
		}
		b.Inside = foldBoxes(b.Inside, maxDrawnHosts, listOfNodes(c))
	}
	boxes := []*drawing.Box{b}
	if systems := d.clusterSystemsBox(c); systems != nil {
		boxes = append([]*drawing.Box{systems}, boxes...)
	}
	for _, below := range []*drawing.Box{fencingBox(c), stoppedBox(c)} {
		if below != nil {
			boxes = append(boxes, below)
		}
	}
	return newDrawingPanel("Cluster "+page.ClusterName(c)+", its nodes and what runs on them", boxes, nil)
}

// listOfNodes returns where the page of a cluster lists its nodes.
func listOfNodes(c *landscape.Cluster) string {
	switch {
	case c.HANA != nil:
		return "#site-0"
	case c.ASCSERS != nil:
		return "#system-0"
	}
	return "#hosts"
}

// clusterNode is a node of a cluster with its box.
type clusterNode struct {
	name string
	site string
	host landscape.HostID // "" if no agent reports from it
	box  *drawing.Box
}

// isAt reports whether a node is at a site. A node that is offline does not say
// its site, but its instances may have said it.
func (n *clusterNode) isAt(s *landscape.ReplicationSite) bool {
	if n.site != "" {
		return n.site == s.Name
	}
	return slices.ContainsFunc(s.Instances, func(i *landscape.DatabaseInstance) bool { return i.HostID == n.host })
}

// clusterNodes returns the nodes as the cluster sees them; the hosts of the
// cluster if it does not say.
func (d *drawer) clusterNodes(c *landscape.Cluster) []clusterNode {
	var nodes []clusterNode
	add := func(name, status, site string, maker bool) {
		box := d.nodeBox(c, name, status)
		if maker {
			box.Notes = append([]string{"Majority maker"}, box.Notes...)
		}
		nodes = append(nodes, clusterNode{name, site, d.memberNamed(c, name), box})
	}
	switch {
	case c.HANA != nil:
		for _, n := range c.HANA.Nodes {
			add(n.Name, n.Status, orEmpty(n.Site), n.MajorityMaker)
		}
	case c.ASCSERS != nil && len(c.ASCSERS.SAPSystems) > 0:
		for _, n := range c.ASCSERS.SAPSystems[0].Nodes { // every system has all nodes
			add(n.Name, n.Status, "", false)
		}
	default:
		for _, m := range c.Members {
			nodes = append(nodes, clusterNode{name: d.LinkToHost(m.HostID).Name, host: m.HostID, box: d.hostBox(m.HostID)})
		}
	}
	for _, n := range nodes {
		n.box.Inside = foldBoxes(d.insideNode(c, n), maxDrawnInstances, listOfNodes(c))
	}
	return nodes
}

// insideNode returns what is on a node: the virtual addresses that it holds, the
// instances, and how many resources.
func (d *drawer) insideNode(c *landscape.Cluster, n clusterNode) []*drawing.Box {
	var boxes []*drawing.Box
	for _, address := range addressesOf(c, n.name) {
		boxes = append(boxes, addressBox(c, address))
		boxes[len(boxes)-1].URL = "#resources"
	}
	boxes = append(boxes, d.instanceBoxes(n.host)...)
	if resources := resourcesBox(c, n.name); resources != nil {
		boxes = append(boxes, resources)
	}
	return boxes
}

// memberNamed returns the host of a node; "" if it is not known. Cluster and
// host may write the same name differently.
func (d *drawer) memberNamed(c *landscape.Cluster, node string) landscape.HostID {
	for _, m := range c.Members {
		if h := d.HostByID[m.HostID]; h != nil && landscape.SameHostname(h.Hostname, node) {
			return m.HostID
		}
	}
	return ""
}

// addressesOf returns the virtual addresses that a node holds.
func addressesOf(c *landscape.Cluster, node string) []string {
	var all []string
	if c.HANA != nil {
		for _, n := range c.HANA.Nodes {
			if n.Name == node && n.VirtualIP != nil {
				all = append(all, *n.VirtualIP)
			}
		}
	}
	if c.ASCSERS != nil {
		for _, system := range c.ASCSERS.SAPSystems {
			for _, n := range system.Nodes {
				for _, address := range n.VirtualIPs {
					if n.Name == node && address != nil {
						all = append(all, *address)
					}
				}
			}
		}
	}
	return all
}

// instanceBoxes returns the boxes of all instances on a host.
func (d *drawer) instanceBoxes(id landscape.HostID) []*drawing.Box {
	var boxes []*drawing.Box
	for _, running := range d.Running[id] {
		system := idOfPath(running.URL)
		if running.Database {
			db := d.DatabaseByID[landscape.DatabaseID(system)]
			d.follow("database", system)
			for i := range db.Instances {
				if in := &db.Instances[i]; in.HostID == id {
					boxes = append(boxes, d.instanceBox(running.URL, &in.Instance, db.SID+" "+roleOfInstance(in.Features)))
				}
			}
			continue
		}
		d.follow("sap_system", system)
		s := d.systemWithID(system)
		for i := range s.Instances {
			if in := &s.Instances[i]; in.HostID == id {
				boxes = append(boxes, d.instanceBox(running.URL, &in.Instance, s.SID+" "+roleOfInstance(in.Features)))
			}
		}
	}
	return boxes
}

// systemWithID returns a registered SAP system; nil if there is none with the
// id.
func (d *drawer) systemWithID(id string) *landscape.SAPSystem {
	at := slices.IndexFunc(d.Systems, func(s *landscape.SAPSystem) bool { return string(s.ID) == id })
	if at < 0 {
		return nil
	}
	return d.Systems[at]
}

// resourcesBox returns the box that sums up the resources on a node; nil if there
// are none.
func resourcesBox(c *landscape.Cluster, node string) *drawing.Box {
	var resources []landscape.ClusterResource
	switch {
	case c.HANA != nil:
		resources = c.HANA.Resources
	case c.ASCSERS != nil:
		resources = c.ASCSERS.Resources
	}
	count, failed, unmanaged := 0, 0, 0
	for _, r := range resources {
		if orEmpty(r.Node) != node {
			continue
		}
		count++
		if status := orEmpty(r.Status); status == "Failed" || status == "Blocked" {
			failed++
		}
		if r.Managed != nil && !*r.Managed {
			unmanaged++
		}
	}
	if count == 0 {
		return nil
	}
	b := &drawing.Box{Kind: "Resources", Name: page.Count(count, "resource", "resources"), URL: "#resources", Health: drawing.Mark{Shape: "passing", Word: "No failure"}}
	if unmanaged > 0 {
		b.Health = drawing.Mark{Shape: "warning", Word: fmt.Sprintf("%d unmanaged", unmanaged)}
	}
	if failed > 0 {
		b.Health = drawing.Mark{Shape: "critical", Word: fmt.Sprintf("%d failed", failed)}
	}
	return b
}

// addSites adds the sites of a HANA cluster with their nodes, and the nodes
// without a site.
func (d *drawer) addSites(b *drawing.Box, c *landscape.Cluster, nodes []clusterNode) {
	chain := d.chainOfCluster(c)
	placed := make(map[string]bool)
	d.addChain(b, chain, "", func(s *landscape.ReplicationSite) []*drawing.Box {
		var boxes []*drawing.Box
		for _, n := range nodes {
			if n.isAt(s) && !placed[n.name] {
				boxes = append(boxes, n.box)
				placed[n.name] = true
			}
		}
		return foldBoxes(boxes, maxDrawnAtSite, listOfNodes(c))
	})
	var others []*drawing.Box
	for _, n := range nodes {
		if !placed[n.name] {
			others = append(others, n.box)
		}
	}
	b.Inside = append(b.Inside, foldBoxes(others, maxDrawnAtSite, listOfNodes(c))...)
}

// chainOfCluster returns the replication of the database in a HANA cluster, as
// far as its sites are in the cluster or replicate from there.
func (d *drawer) chainOfCluster(c *landscape.Cluster) landscape.ReplicationChain {
	if db := d.databaseIn(c); db != nil {
		if chain := landscape.ReplicationChainOf(db.Instances, d.clustersOfDatabase(db)...); chain.IsReplicated() {
			return chain
		}
	}
	return landscape.ReplicationChainOf(nil, c)
}

// databaseIn returns the database that a HANA cluster runs; nil if it is not
// known.
func (d *drawer) databaseIn(c *landscape.Cluster) *landscape.Database {
	for _, m := range c.Members {
		for _, running := range d.Running[m.HostID] {
			if running.Database && running.Name == c.SID() && !running.Absent {
				return d.DatabaseByID[landscape.DatabaseID(idOfPath(running.URL))]
			}
		}
	}
	return nil
}

// addPair adds the two nodes of a cluster with the central services of one SAP
// system. It returns false if the cluster is not of that kind.
func (d *drawer) addPair(b *drawing.Box, c *landscape.Cluster, nodes []clusterNode) bool {
	systems := c.ASCSERS.SAPSystems
	if len(systems) != 1 || len(nodes) != 2 {
		return false
	}
	roles := func(n int) []string { return systems[0].Nodes[n].Roles }
	ascs := slices.IndexFunc([]int{0, 1}, func(n int) bool { return slices.Equal(roles(n), []string{landscape.ASCSRole}) })
	if ascs < 0 || !slices.Equal(roles(1-ascs), []string{landscape.ERSRole}) {
		return false
	}
	b.Arranged = drawing.Chain
	b.Inside = []*drawing.Box{nodes[ascs].box, nodes[1-ascs].box}
	version := landscape.NoENSA
	for _, m := range c.Members {
		for _, running := range d.Running[m.HostID] {
			if s := d.systemWithID(idOfPath(running.URL)); s != nil && s.SID == systems[0].SID {
				version = s.ENSA
			}
		}
	}
	b.Lines = []drawing.Line{enqueueLine(version)}
	return true
}

// idOfPath returns the id at the end of the path of a page.
func idOfPath(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// clusterSystemsBox returns the frame of the systems that run in a cluster; nil if none
// is known.
func (d *drawer) clusterSystemsBox(c *landscape.Cluster) *drawing.Box {
	var boxes []*drawing.Box
	add := func(b *drawing.Box) {
		if !slices.ContainsFunc(boxes, func(o *drawing.Box) bool { return o.URL == b.URL }) {
			boxes = append(boxes, b)
		}
	}
	for _, m := range c.Members {
		for _, running := range d.Running[m.HostID] {
			if running.Absent {
				continue
			}
			id := idOfPath(running.URL)
			if running.Database {
				db := d.DatabaseByID[landscape.DatabaseID(id)]
				add(&drawing.Box{Kind: "HANA database", Icon: "database", Name: db.SID, URL: running.URL, Health: drawnHealth(db.Health), Stale: d.staleWords(db.StaleSince)})
				continue
			}
			if s := d.systemWithID(id); s != nil {
				add(&drawing.Box{Kind: "SAP system", Icon: "sap-system", Name: s.SID, URL: running.URL, Health: drawnHealth(s.Health), Stale: d.staleWords(s.StaleSince)})
			}
		}
	}
	if len(boxes) == 0 {
		return nil
	}
	return &drawing.Box{Name: "Systems in this cluster", Inside: foldBoxes(boxes, maxDrawnSystems, listOfNodes(c)), Arranged: drawing.Flow}
}

// fencingBox returns the frame of the devices through which nodes are fenced.
func fencingBox(c *landscape.Cluster) *drawing.Box {
	var kind *string
	var devices []landscape.SBDDevice
	switch {
	case c.HANA != nil:
		kind, devices = c.HANA.FencingType, c.HANA.SBDDevices
	case c.ASCSERS != nil:
		kind, devices = c.ASCSERS.FencingType, c.ASCSERS.SBDDevices
	default:
		return nil
	}
	b := &drawing.Box{Name: "Fencing", URL: "#fencing", Arranged: drawing.Flow}
	for _, row := range sbdRows(devices) {
		b.Inside = append(b.Inside, &drawing.Box{Kind: "SBD device", Name: row.Device, URL: "#fencing", Health: drawing.Mark{Shape: row.Status.State, Word: row.Status.Word}})
	}
	b.Inside = foldBoxes(b.Inside, maxDrawnDevices, "#fencing")
	switch {
	case len(devices) > 0:
	case kind == nil:
		b.Inside = []*drawing.Box{{Kind: "Fencing", Name: "No fencing", URL: "#fencing", Health: drawing.Mark{Shape: "warning", Word: "Not configured"}}}
	default:
		b.Inside = []*drawing.Box{{Kind: "Fencing", Name: *kind, URL: "#fencing", Health: drawing.Mark{Word: "Fencing"}}}
	}
	return b
}

// stoppedBox returns the frame of the resources that run on no node; nil if
// there are none.
func stoppedBox(c *landscape.Cluster) *drawing.Box {
	var stopped []landscape.ClusterResource
	switch {
	case c.HANA != nil:
		stopped = c.HANA.StoppedResources
	case c.ASCSERS != nil:
		stopped = c.ASCSERS.StoppedResources
	}
	if len(stopped) == 0 {
		return nil
	}
	b := &drawing.Box{Name: "Stopped resources", URL: "#stopped", Arranged: drawing.Flow}
	for _, r := range stopped {
		b.Inside = append(b.Inside, &drawing.Box{Kind: "Resource", Name: r.ID, URL: "#stopped", Health: drawing.Mark{Shape: "unknown", Word: "Stopped"}, Notes: []string{r.Type}})
	}
	b.Inside = foldBoxes(b.Inside, maxDrawnSystems, "#stopped")
	return b
}
