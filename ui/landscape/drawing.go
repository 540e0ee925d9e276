package landscape

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"trento/store/landscape"
	"trento/ui/drawing"
	"trento/ui/page"
)

// drawingPanel is the drawing of a database, SAP system or cluster, as a page
// shows it.
type drawingPanel struct {
	Name    string // for readers who cannot see the picture
	Layouts []drawingLayout
}

// drawingLayout is the drawing for wide or narrow screens. The style sheet
// shows one of them: the wide one if it fits.
type drawingLayout struct {
	Screen string // narrow, or how much room the wide one needs: small, medium or large
	Width  string // for SVG
	*drawing.Layout
}

// The widths of the two layouts, in units of package drawing. The narrow one
// fits on a telephone.
const (
	wideDrawing   = 1104
	narrowDrawing = 340
)

// The largest numbers of boxes that are drawn. What is beyond is in the lists
// below the drawing.
const (
	maxDrawnHosts     = 16 // of application servers, and of a cluster
	maxDrawnAtSite    = 6  // hosts of a site
	maxDrawnSites     = 8
	maxDrawnInstances = 8 // of one system on one host
	maxDrawnSystems   = 12
	maxDrawnDevices   = 8
)

func newDrawingPanel(name string, boxes []*drawing.Box, lines []drawing.Line) drawingPanel {
	wide, narrow := drawing.New(boxes, lines, wideDrawing, false), drawing.New(boxes, lines, narrowDrawing, true)
	room := "large"
	switch {
	case wide.Width <= 560:
		room = "small"
	case wide.Width <= 780:
		room = "medium"
	}
	return drawingPanel{name, []drawingLayout{{"wide " + room, inRem(wide.Width), wide}, {"narrow", inRem(narrow.Width), narrow}}}
}

// inRem returns a length of a drawing in the unit of style sheets that grows
// with the text of the browser.
func inRem(units int) string { return fmt.Sprintf("%grem", float64(units)/16) }

// drawer makes the boxes of a drawing from the landscape of one moment.
type drawer struct {
	*page.Snapshot
	timestamp func(*time.Time) page.Timestamp
	// topics are the kinds and ids of the drawn things, whose changes change the
	// drawing.
	topics []string
}

func (s *Pages) newDrawer(v *page.Snapshot) *drawer {
	return &drawer{Snapshot: v, timestamp: s.TimestampOf}
}

// follow remembers that the drawing shows a thing.
func (d *drawer) follow(kind, id string) {
	if topic := kind + ":" + id; !slices.Contains(d.topics, topic) {
		d.topics = append(d.topics, topic)
	}
}

// withTopics returns the topics of a page with those of the drawing.
func (d *drawer) withTopics(topics string) string {
	for _, t := range d.topics {
		if !slices.Contains(strings.Fields(topics), t) {
			topics += " " + t
		}
	}
	return topics
}

// staleWords returns the words for data that is out of date; "" if it is not.
func (d *drawer) staleWords(since *time.Time) string {
	if since == nil {
		return ""
	}
	return "Stale since " + d.timestamp(since).Text()
}

func drawnHealth(h landscape.Health) drawing.Mark {
	return drawing.Mark{Shape: string(page.ShownHealth(h)), Word: page.HealthWord(h)}
}

// hostBox returns the frame of a host with what is on it.
func (d *drawer) hostBox(id landscape.HostID, inside ...*drawing.Box) *drawing.Box {
	link := d.LinkToHost(id)
	b := &drawing.Box{Kind: "Host", Icon: "host", Name: link.Name, URL: link.URL, More: link.Gone, Inside: inside, Arranged: drawing.Stack}
	d.follow("host", string(id))
	if h := d.HostByID[id]; h != nil {
		b.Health, b.Stale = drawnHealth(h.Health), d.staleWords(h.StaleSince)
	}
	return b
}

// clusterBox returns the frame of a cluster.
func (d *drawer) clusterBox(c *landscape.Cluster) *drawing.Box {
	link := page.LinkToCluster(c)
	d.follow("cluster", string(c.ID))
	b := &drawing.Box{Kind: "Cluster", Icon: "cluster", Name: link.Name, URL: link.URL, Health: drawnHealth(c.Health), Stale: d.staleWords(c.StaleSince)}
	if inMaintenance(c) {
		b.Notes = append(b.Notes, "Maintenance mode")
	}
	if c.State == landscape.ClusterStateStopped {
		b.Notes = append(b.Notes, "Stopped")
	}
	return b
}

func inMaintenance(c *landscape.Cluster) bool {
	return c.HANA != nil && c.HANA.MaintenanceMode || c.ASCSERS != nil && c.ASCSERS.MaintenanceMode
}

// instanceBox returns the box of an instance. system is the path of its system.
func (d *drawer) instanceBox(system string, i *landscape.Instance, role string) *drawing.Box {
	mark := newStatusMark(i.Status, i.AbsentSince != nil, page.Timestamp{})
	b := &drawing.Box{
		Kind: "Instance", Name: role + " " + i.Number, URL: system + "#instance-" + string(i.HostID) + "-" + i.Number,
		Health: drawing.Mark{Shape: mark.Shape, Word: mark.Word}, Stale: d.staleWords(i.StaleSince), Absent: i.AbsentSince != nil,
	}
	if name := orEmpty(i.Hostname); name != "" && (d.HostByID[i.HostID] == nil || !landscape.SameHostname(name, d.HostByID[i.HostID].Hostname)) {
		b.Notes = append(b.Notes, name)
	}
	return b
}

// roleOfInstance returns the usual name of what an instance does.
func roleOfInstance(features string) string {
	has := func(feature string) bool { return slices.Contains(splitFeatures(features), feature) }
	switch {
	case has("MESSAGESERVER") && (has("ABAP") || has("J2EE")):
		return "Central instance"
	case has("MESSAGESERVER"):
		return "ASCS"
	case has("ENQREP"):
		return "ERS"
	case has("ABAP") && has("J2EE"):
		return "ABAP+Java"
	case has("ABAP"):
		return "ABAP"
	case has("J2EE"):
		return "Java"
	case has("HDB_STANDBY"):
		return "HANA standby"
	case strings.HasPrefix(features, "HDB"):
		return "HANA"
	}
	return cmp.Or(strings.ReplaceAll(features, "|", " "), "Instance")
}

// addressBox returns the box of a virtual address that a cluster holds.
func addressBox(c *landscape.Cluster, address string) *drawing.Box {
	return &drawing.Box{Kind: "Virtual address", Name: address, URL: page.LinkToCluster(c).URL, Health: drawing.Mark{Word: "Virtual address"}}
}

// virtualAddressBoxes returns the boxes of the virtual addresses of a system that a
// host holds now.
func (d *drawer) virtualAddressBoxes(id landscape.HostID, sid string) []*drawing.Box {
	c, h := d.ClusterOf(id), d.HostByID[id]
	if c == nil || h == nil {
		return nil
	}
	var boxes []*drawing.Box
	switch {
	case c.HANA != nil && c.SID() == sid:
		for _, n := range c.HANA.Nodes {
			if n.VirtualIP != nil && landscape.SameHostname(n.Name, h.Hostname) {
				boxes = append(boxes, addressBox(c, *n.VirtualIP))
			}
		}
	case c.ASCSERS != nil:
		for _, system := range c.ASCSERS.SAPSystems {
			for _, n := range system.Nodes {
				if system.SID != sid || !landscape.SameHostname(n.Name, h.Hostname) {
					continue
				}
				for _, address := range n.VirtualIPs {
					if address != nil {
						boxes = append(boxes, addressBox(c, *address))
					}
				}
			}
		}
	}
	return boxes[:min(len(boxes), maxDrawnInstances)]
}

// foldBoxes returns at most so many boxes. The last of them then says how many
// more there are, and leads to the list of all. Those with trouble stay.
func foldBoxes(boxes []*drawing.Box, most int, list string) []*drawing.Box {
	if len(boxes) <= most {
		return boxes
	}
	shown := slices.Clone(boxes)
	slices.SortStableFunc(shown, func(a, b *drawing.Box) int { return cmp.Compare(boxRank(a), boxRank(b)) })
	hidden := len(boxes) - most + 1
	return append(shown[:most-1], &drawing.Box{
		Kind: "More", Name: fmt.Sprintf("+%d more", hidden), URL: list, Health: drawing.Mark{Word: "Show all of them"},
	})
}

// boxRank returns the urgency of a box and what is in it, the most urgent first.
func boxRank(b *drawing.Box) int {
	rank := 3
	switch {
	case b.Health.Shape == "critical":
		rank = 0
	case b.Health.Shape == "warning":
		rank = 1
	case b.Absent || b.Stale != "" || b.Health.Shape == "unknown":
		rank = 2
	}
	for _, c := range b.Inside {
		rank = min(rank, boxRank(c))
	}
	return rank
}
