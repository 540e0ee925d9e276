package landscape

import (
	"fmt"
	"slices"

	"trento/store/landscape"
	"trento/ui/drawing"
)

// drawDatabase draws a database with its sites, and above it the SAP systems on
// it.
func (d *drawer) drawDatabase(db *landscape.Database) drawingPanel {
	var boxes []*drawing.Box
	var lines []drawing.Line
	if systems := d.databaseSystemsBox(db); systems != nil {
		boxes = append(boxes, systems)
		lines = append(lines, drawing.Line{From: 0, To: 1, Kind: "Dependency", Below: []string{"use its tenants"}})
	}
	boxes = append(boxes, d.databaseBox(db))
	return newDrawingPanel("HANA database "+db.SID+", its sites and hosts", boxes, lines)
}

// databaseBox returns the frame of a database: its sites if it is replicated,
// otherwise its hosts.
func (d *drawer) databaseBox(db *landscape.Database) *drawing.Box {
	d.follow("database", string(db.ID))
	b := &drawing.Box{
		Kind: "HANA database", Icon: "database", Name: db.SID, URL: "/databases/" + string(db.ID),
		Health: drawnHealth(db.Health), Stale: d.staleWords(db.StaleSince), Arranged: drawing.Flow,
	}
	clusters := d.clustersOfDatabase(db)
	chain := landscape.ReplicationChainOf(db.Instances, clusters...)
	if !chain.IsReplicated() {
		all := make([]*landscape.DatabaseInstance, len(db.Instances))
		for i := range db.Instances {
			all[i] = &db.Instances[i]
		}
		hosts := d.databaseHosts(db, all)
		if len(clusters) == 1 {
			frame := d.clusterBox(clusters[0])
			frame.Inside = append(hosts, d.majorityMakers(clusters[0])...)
			hosts = []*drawing.Box{frame}
		}
		b.Inside = hosts
		return b
	}
	d.addChain(b, chain, b.URL, func(s *landscape.ReplicationSite) []*drawing.Box { return d.databaseHosts(db, s.Instances) })
	d.addHulls(b, chain, clusters)
	return b
}

// clustersOfDatabase returns the clusters that run instances of a database.
func (d *drawer) clustersOfDatabase(db *landscape.Database) []*landscape.Cluster {
	var clusters []*landscape.Cluster
	for i := range db.Instances {
		in := &db.Instances[i]
		c := d.ClusterOf(in.HostID)
		if c != nil && !slices.Contains(clusters, c) {
			clusters = append(clusters, c)
		}
	}
	return clusters
}

// databaseHosts returns the hosts of instances with the instances on them.
func (d *drawer) databaseHosts(db *landscape.Database, instances []*landscape.DatabaseInstance) []*drawing.Box {
	var ids []landscape.HostID
	boxes := make(map[landscape.HostID]*drawing.Box)
	for _, i := range instances {
		if boxes[i.HostID] == nil {
			ids = append(ids, i.HostID)
			boxes[i.HostID] = d.hostBox(i.HostID, d.virtualAddressBoxes(i.HostID, db.SID)...)
		}
		b := boxes[i.HostID]
		b.Inside = append(b.Inside, d.instanceBox("/databases/"+string(db.ID), &i.Instance, roleOfInstance(i.Features)))
	}
	list := "/databases/" + string(db.ID) + "#hosts"
	all := make([]*drawing.Box, len(ids))
	for n, id := range ids {
		all[n] = boxes[id]
		all[n].Inside = foldBoxes(all[n].Inside, maxDrawnInstances, list)
	}
	return foldBoxes(all, maxDrawnAtSite, list)
}

// addChain adds the sites of a replication to a frame, with the lines between
// them. list is the path of the page with the table of the sites, "" for this
// one. hosts returns what is at a site.
func (d *drawer) addChain(b *drawing.Box, chain landscape.ReplicationChain, list string, hosts func(*landscape.ReplicationSite) []*drawing.Box) {
	b.Arranged = drawing.Chain
	for n := range chain.Sites {
		s := &chain.Sites[n]
		if n == maxDrawnSites {
			b.Inside = append(b.Inside, &drawing.Box{
				Kind: "More", Name: fmt.Sprintf("+%d more", len(chain.Sites)-n), URL: list + "#replication", Health: drawing.Mark{Word: "Show all sites"},
			})
			return
		}
		b.Inside = append(b.Inside, d.siteBox(s, fmt.Sprintf("%s#replication-%d", list, n), hosts(s)))
		if s.Source >= 0 {
			b.Lines = append(b.Lines, d.replicationLine(s, n))
		}
	}
}

// siteBox returns the frame of a site. url is where its replication is
// described.
func (d *drawer) siteBox(s *landscape.ReplicationSite, url string, hosts []*drawing.Box) *drawing.Box {
	b := &drawing.Box{Name: "Site " + s.Name, URL: url, Inside: hosts, Arranged: drawing.Stack}
	if s.Name == "" {
		b.Name = "Without a site"
	}
	role := s.Role
	if role == "" {
		role = "Role not known"
	}
	if s.Tier > 0 {
		role += fmt.Sprintf(", tier %d", s.Tier)
	}
	b.Notes = []string{role}
	if len(hosts) == 0 {
		b.Health, b.More = drawing.Mark{Shape: "unknown", Word: "No agent"}, "No agent reports from this site."
	}
	if s.Source >= 0 && s.Reason != "" {
		b.More = capitalize(s.Reason) + "."
	}
	if s.Source < 0 && s.Reason != "" {
		b.Health, b.More = drawnReplication(s), capitalize(s.Reason)+"."
	}
	return b
}

func nameOfSite(s *landscape.ReplicationSite) string {
	if s.Name == "" {
		return "Without a site"
	}
	return s.Name
}

// replicationLine returns the line to a site from its source.
func (d *drawer) replicationLine(s *landscape.ReplicationSite, to int) drawing.Line {
	line := drawing.Line{From: s.Source, To: to, Kind: "Replication", Mark: drawnReplication(s), Broken: s.State == landscape.ReplicationBroken, Dashed: s.State != landscape.ReplicationActive}
	for _, word := range []string{s.Mode, s.OperationMode} {
		if word != "" && word != "Unknown" && word != "unknown" {
			line.Above = append(line.Above, word)
		}
	}
	line.Below = []string{line.Mark.Word}
	if s.State == landscape.ReplicationActive {
		return line
	}
	line.Reason = capitalize(s.Reason) + "."
	if at := d.timestamp(s.Since); !at.IsZero() {
		line.Below = append(line.Below, "since "+at.Ago())
		line.Reason += " Since " + at.Text() + "."
	}
	return line
}

// drawnReplication returns the state of the replication to a site, in the word
// of HANA or the cluster if they have one.
func drawnReplication(s *landscape.ReplicationSite) drawing.Mark {
	m := drawnHealth(s.State.Health())
	m.Word = s.Status
	if m.Word == "" {
		m.Word = replicationWord(s.State)
	}
	return m
}

func replicationWord(s landscape.ReplicationState) string { return capitalize(string(s)) }

// addHulls adds the clusters around the sites whose hosts are in them, with
// their majority makers.
func (d *drawer) addHulls(b *drawing.Box, chain landscape.ReplicationChain, clusters []*landscape.Cluster) {
	for _, c := range clusters {
		hull := drawing.Hull{Frame: d.clusterBox(c)}
		for n := range chain.Sites[:min(len(chain.Sites), maxDrawnSites)] {
			in := func(i *landscape.DatabaseInstance) bool { return d.ClusterOf(i.HostID) == c }
			if slices.ContainsFunc(chain.Sites[n].Instances, in) {
				hull.Members = append(hull.Members, n)
			}
		}
		for _, maker := range d.majorityMakers(c) {
			hull.Members = append(hull.Members, len(b.Inside))
			b.Inside = append(b.Inside, maker)
		}
		b.Hulls = append(b.Hulls, hull)
	}
}

// majorityMakers returns the boxes of the nodes of a cluster that only vote.
func (d *drawer) majorityMakers(c *landscape.Cluster) []*drawing.Box {
	var boxes []*drawing.Box
	if c.HANA == nil {
		return nil
	}
	for _, n := range c.HANA.Nodes {
		if n.MajorityMaker && len(boxes) < maxDrawnAtSite {
			box := d.nodeBox(c, n.Name, n.Status)
			box.Notes = append([]string{"Majority maker"}, box.Notes...)
			boxes = append(boxes, box)
		}
	}
	return boxes
}

// nodeBox returns the box of a node of a cluster.
func (d *drawer) nodeBox(c *landscape.Cluster, name, status string) *drawing.Box {
	var b *drawing.Box
	if id := d.memberNamed(c, name); id != "" {
		b = d.hostBox(id)
	}
	if b == nil {
		b = &drawing.Box{Kind: "Host", Icon: "host", Name: name, More: "Host currently not registered.", Health: drawing.Mark{Shape: "unknown", Word: "No agent"}, Arranged: drawing.Stack}
	}
	if status != "" && status != "Online" {
		b.Notes = append(b.Notes, "Node: "+status)
	}
	return b
}
