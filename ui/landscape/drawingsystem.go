package landscape

import (
	"slices"
	"strings"

	"trento/store/landscape"
	"trento/ui/drawing"
	"trento/ui/page"
)

// drawSAPSystem draws an SAP system: its instances on their hosts, those of a
// cluster together, and below it its database.
func (d *drawer) drawSAPSystem(system *landscape.SAPSystem) drawingPanel {
	boxes := []*drawing.Box{d.applicationBox(system)}
	var lines []drawing.Line
	d.follow("sap_system", string(system.ID))
	if db := d.DatabaseByID[system.DatabaseID]; db != nil {
		boxes = append(boxes, d.databaseBox(db))
		words := []string{"Tenant " + system.Tenant}
		if system.DBHost != "" {
			words = append(words, "at "+system.DBHost)
		}
		lines = append(lines, drawing.Line{From: 0, To: 1, Kind: "Dependency", Below: words})
	}
	return newDrawingPanel("SAP system "+system.SID+" and its database", boxes, lines)
}

// applicationBox returns the frame of the instances of an SAP system.
func (d *drawer) applicationBox(system *landscape.SAPSystem) *drawing.Box {
	b := &drawing.Box{
		Kind: "SAP system", Icon: "sap-system", Name: system.SID, URL: "/sap_systems/" + string(system.ID),
		Health: drawnHealth(system.Health), Stale: d.staleWords(system.StaleSince), Arranged: drawing.Flow,
	}
	on := d.instancesByHost(system)
	var clusters []landscape.ClusterID
	inCluster := make(map[landscape.ClusterID][]applicationHost)
	var alone []*drawing.Box
	for _, h := range on {
		c := d.ClusterOf(h.id)
		if c == nil {
			alone = append(alone, h.box)
			continue
		}
		if inCluster[c.ID] == nil {
			clusters = append(clusters, c.ID)
		}
		inCluster[c.ID] = append(inCluster[c.ID], h)
	}
	for _, id := range clusters {
		b.Inside = append(b.Inside, d.applicationCluster(d.ClusterByID[id], system, inCluster[id]))
	}
	b.Inside = append(b.Inside, foldBoxes(alone, maxDrawnHosts, "#hosts")...)
	return b
}

// applicationHost is a host of an SAP system with its box.
type applicationHost struct {
	id       landscape.HostID
	box      *drawing.Box
	features string // of all its instances
}

// instancesByHost returns the hosts of an SAP system, in the order of their
// first instances.
func (d *drawer) instancesByHost(system *landscape.SAPSystem) []applicationHost {
	var hosts []applicationHost
	for n := range system.Instances {
		i := &system.Instances[n]
		at := slices.IndexFunc(hosts, func(h applicationHost) bool { return h.id == i.HostID })
		if at < 0 {
			at = len(hosts)
			hosts = append(hosts, applicationHost{id: i.HostID, box: d.hostBox(i.HostID, d.virtualAddressBoxes(i.HostID, system.SID)...)})
		}
		box := hosts[at].box
		box.Inside = append(box.Inside, d.instanceBox("/sap_systems/"+string(system.ID), &i.Instance, roleOfInstance(i.Features)))
		hosts[at].features += "|" + i.Features
	}
	for _, h := range hosts {
		h.box.Inside = foldBoxes(h.box.Inside, maxDrawnInstances, "#hosts")
	}
	return hosts
}

// applicationCluster returns the frame of a cluster with the hosts of an SAP
// system. The replication of the enqueue table joins ASCS and ERS if they are
// on two hosts.
func (d *drawer) applicationCluster(c *landscape.Cluster, system *landscape.SAPSystem, hosts []applicationHost) *drawing.Box {
	b := d.clusterBox(c)
	has := func(feature string) func(applicationHost) bool {
		return func(h applicationHost) bool { return strings.Contains(h.features, feature) }
	}
	ascs, ers := slices.IndexFunc(hosts, has("MESSAGESERVER")), slices.IndexFunc(hosts, has("ENQREP"))
	if len(hosts) == 2 && ascs >= 0 && ers == 1-ascs && !has("ENQREP")(hosts[ascs]) {
		b.Arranged = drawing.Chain
		b.Inside = []*drawing.Box{hosts[ascs].box, hosts[ers].box}
		b.Lines = []drawing.Line{enqueueLine(system.ENSA)}
		return b
	}
	for _, h := range hosts {
		b.Inside = append(b.Inside, h.box)
	}
	b.Inside = foldBoxes(b.Inside, maxDrawnHosts, "#hosts")
	return b
}

// enqueueLine returns the line between ASCS and ERS. Agents do not report the
// state of this replication.
func enqueueLine(version landscape.ENSAVersion) drawing.Line {
	line := drawing.Line{From: 0, To: 1, Kind: "Enqueue replication", Above: []string{"Lock table"}}
	if text := ensaText(version); text != "" {
		line.Below = []string{text}
	}
	return line
}

// databaseSystemsBox returns the frame of the SAP systems on a database; nil if there
// are none.
func (d *drawer) databaseSystemsBox(db *landscape.Database) *drawing.Box {
	var boxes []*drawing.Box
	for _, s := range d.Systems {
		if s.DatabaseID != db.ID {
			continue
		}
		link := page.LinkToSAPSystem(s)
		d.follow("sap_system", string(s.ID))
		boxes = append(boxes, &drawing.Box{
			Kind: "SAP system", Icon: "sap-system", Name: link.Name, URL: link.URL, Health: drawnHealth(s.Health),
			Stale: d.staleWords(s.StaleSince), Notes: []string{"Tenant " + s.Tenant},
		})
	}
	if len(boxes) == 0 {
		return nil
	}
	return &drawing.Box{Name: "SAP systems", Inside: foldBoxes(boxes, maxDrawnSystems, "#tenants"), Arranged: drawing.Flow}
}
