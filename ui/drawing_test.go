package ui

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"trento/store/landscape"
)

var updateDrawings = flag.Bool("update", false, "write the golden files of the drawings anew")

// outline returns the drawing of a page as text: each box with its place, its
// words and its address, indented in what is around it, and the lines.
func outline(m markup, screen string) string {
	var out strings.Builder
	var write func(node *html.Node, indent string)
	write = func(node *html.Node, indent string) {
		class, _ := attribute(node, "class")
		switch {
		case node.Data == "rect":
			fmt.Fprintf(&out, "%s%s %s,%s %sx%s", indent, class, attr(node, "x"), attr(node, "y"), attr(node, "width"), attr(node, "height"))
			return
		case node.Data == "path" && class == "shaft":
			fmt.Fprintf(&out, "%sline %s %s\n", indent, attr(node.Parent, "class"), attr(node, "d"))
		case node.Data == "foreignObject":
			href := ""
			walk(node, func(n *html.Node) {
				if n.Data == "a" {
					href = " -> " + attr(n, "href")
				}
			})
			fmt.Fprintf(&out, " | %s%s\n", text(node), href)
			return
		case node.Data == "g" && attr(node, "role") == "list":
			indent += "  "
		}
		for child := node.FirstChild; child != nil; child = child.NextSibling {
			write(child, indent)
		}
	}
	for _, svg := range m.all("#drawing svg") {
		if class, _ := attribute(svg, "class"); strings.HasPrefix(class, screen) {
			fmt.Fprintf(&out, "%s %s %s\n", class, attr(svg, "viewbox"), attr(svg, "viewBox"))
			write(svg, "")
		}
	}
	return out.String()
}

func attr(node *html.Node, key string) string {
	value, _ := attribute(node, key)
	return value
}

// TestDrawings compares the drawings of ordinary systems with golden files.
func TestDrawings(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	for name, target := range map[string]string{
		"system": "/sap_systems/" + string(nwpID), "database": "/databases/" + string(prdID),
		"hana-cluster": clusterPath("hana"), "ascs-cluster": clusterPath("ascs"), "unknown-cluster": clusterPath("odd"),
	} {
		t.Run(name, func(t *testing.T) {
			page := parseMarkup(t, f.do(call{target: target, as: "plain"}).Body.String())
			got := outline(page, "wide") + outline(page, "narrow")
			file := filepath.Join("testdata", "drawing-"+name+".golden")
			if *updateDrawings {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("drawing (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDrawingOfEverything looks at the drawing of everything in a landscape of
// all kinds: each instance and each host has its box, twice, and all boxes
// with a page are links.
func TestDrawingOfEverything(t *testing.T) {
	t.Parallel()
	f := fleetFixture(t, 60)
	v := f.land()
	drawn := func(target string) (links []string) {
		w := f.do(call{target: target, as: "plain"})
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", target, w.Code)
		}
		page := parseMarkup(t, w.Body.String())
		for _, a := range page.all("#drawing a") {
			link := attr(a, "href")
			links = append(links, link)
			if id, here := strings.CutPrefix(link, "#"); here && len(page.all("#"+id)) != 1 {
				t.Errorf("%s: %s leads nowhere", target, link)
			}
		}
		return links
	}
	wants := func(target string, links []string, host landscape.HostID, instance string) {
		for _, link := range []string{"/hosts/" + string(host), instance} {
			if n := len(slices.DeleteFunc(slices.Clone(links), func(l string) bool { return l != link })); n < 2 {
				t.Errorf("%s: %s is drawn %d times, want once in each layout", target, link, n)
			}
		}
	}
	for _, s := range v.Systems {
		target := "/sap_systems/" + string(s.ID)
		links := drawn(target)
		for _, i := range s.Instances {
			wants(target, links, i.HostID, target+"#instance-"+string(i.HostID)+"-"+i.Number)
		}
		if !slices.Contains(links, "/databases/"+string(s.DatabaseID)) {
			t.Errorf("%s: its database is missing", target)
		}
	}
	for _, db := range v.Databases {
		target := "/databases/" + string(db.ID)
		links := drawn(target)
		for _, i := range db.Instances {
			wants(target, links, i.HostID, target+"#instance-"+string(i.HostID)+"-"+i.Number)
		}
	}
	for _, c := range v.Clusters {
		target := "/clusters/" + string(c.ID)
		links := drawn(target)
		for _, m := range c.Members {
			wants(target, links, m.HostID, "/hosts/"+string(m.HostID))
		}
	}
}

// TestLargeDrawing draws a system with sixty application servers: it is
// folded, what has trouble stays, and the rest is in the list below.
func TestLargeDrawing(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	const servers = 60
	for n := range servers {
		f.host(100+n, fmt.Sprintf("app%03d", n))
		status := landscape.Green
		if n == servers-1 {
			status = landscape.Red
		}
		f.discover(100+n, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{applicationElement("05", "ABAP", status)}}})
	}
	page := parseMarkup(t, f.do(call{target: "/sap_systems/" + string(nwpID), as: "plain"}).Body.String())
	drawing := outline(page, "wide")
	if n := strings.Count(drawing, "rect"); n > 60 || strings.Count(drawing, "\n") > 80 {
		t.Errorf("%d lines of drawing", strings.Count(drawing, "\n"))
	}
	for _, want := range []string{"+46 more Show all of them -> #hosts", "app059"} {
		if !strings.Contains(drawing, want) {
			t.Errorf("%q is missing in\n%s", want, drawing)
		}
	}
	has("#hosts", "app030").check(t, page)
}

// TestDrawingIsLive checks that the page of an SAP system is fetched again when
// something changes that only its drawing shows.
func TestDrawingIsLive(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	page := parseMarkup(t, f.do(call{target: "/sap_systems/" + string(nwpID), as: "plain"}).Body.String())
	live := attr(page.one("[data-live]"), "data-live")
	for _, topic := range []string{"cluster:" + string(landscape.ClusterIDFromKey("hana")), "cluster:" + string(landscape.ClusterIDFromKey("ascs")), "host:" + string(hostID(2))} {
		if !slices.Contains(strings.Fields(live), topic) {
			t.Errorf("%s is not among %s", topic, live)
		}
	}
}

// TestReplicationPanel checks what pages say of a replication that breaks.
func TestReplicationPanel(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	failed := hanaElement(landscape.PrimaryRole, "EAST", "", 1, 1, landscape.Green)
	failed.Database.ReplicationStatus = to("ERROR")
	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{Elements: []landscape.Element{failed}}})
	since := f.clock.Now().UTC().Format("02 Jan 2006, 15:04:05")
	for target, want := range map[string][]element{
		"/databases/" + string(prdID): {
			has("#replication-0", "EAST Primary 1"), has("#replication-1", "WEST Secondary 2 EAST sync logreplay SFAIL"), has("#replication-1", "The cluster says that site WEST is not in sync."),
			has("#replication tr.broken", "WEST"), has("#drawing .wide .wire.broken", ""), has("#drawing .wide .wire-words.broken", "SFAIL")},
		clusterPath("hana"): {has("#replication-1", "WEST"), has("#drawing .narrow .wire.broken", "")},
	} {
		page := parseMarkup(t, f.do(call{target: target, as: "plain"}).Body.String())
		for _, e := range want {
			e.check(t, page)
		}
	}
	report := hanaClusterReport()
	report.Facts.HANA.SecondarySyncState, report.Facts.HANA.Sites[0].State = "SOK", "Secondary"
	f.discover(1, landscape.Observation{Cluster: report})
	page := parseMarkup(t, f.do(call{target: "/databases/" + string(prdID), as: "plain"}).Body.String())
	has("#replication-1", "ERROR Site EAST reports an error. "+since).check(t, page)
}

// testDrawing walks through a drawing with the keyboard.
func testDrawing(tab *tab) {
	for n, name := range []string{"hana01", "hana02", "ascs01", "ascs02", strings.Repeat("app", 40), "odd01", "mix01"} {
		tab.host(n+1, name)
		tab.beat(n + 1)
	}
	tab.fillSystems()
	tab.signedIn()
	tab.live("/sap_systems/" + string(nwpID))
	tab.in("#drawing").tabTo("link", "SAP system NWP Unknown")
	var walked []string
	for range 40 {
		if tab.ask("document.activeElement.closest('#drawing') ? 'in' : ''") == "" {
			break
		}
		walked = append(walked, tab.ask("document.activeElement.querySelector('.name').textContent"))
		tab.press(kb.Tab)
	}
	want := []string{"NWP", string(landscape.ClusterIDFromKey("ascs"))[:8] + "…", "ascs01", "10.9.1.1", "ASCS 00", "ascs02", "ERS 10", strings.Repeat("app", 40), "ABAP 01", "Java 02", "PRD", "hana_cluster", "Site EAST", "hana01", "10.9.0.1", "HANA 00", "Site WEST", "hana02", "HANA 00"}
	if diff := cmp.Diff(want, walked); diff != "" {
		tab.t.Errorf("the keys walk (-want +got):\n%s", diff)
	}
	// A box with the focus shows the whole of a long name.
	long := "[...document.querySelectorAll('#drawing a')].find(a => a.checkVisibility() && a.textContent.includes('appapp'))"
	tab.wants("("+long+".querySelector('.name')).scrollWidth > "+long+".querySelector('.name').clientWidth", "true")
	tab.ask(long + ".focus({ focusVisible: true })")
	tab.wants("("+long+".querySelector('.name')).scrollWidth > "+long+".querySelector('.name').clientWidth", "false")
	tab.run(chromedp.EmulateViewport(390, 844))
	tab.wants("[...document.querySelectorAll('#drawing > svg')].filter(s => s.checkVisibility()).map(s => s.classList[0]).join()", "narrow")
	tab.fitsScreen("a drawing")
	tab.in("#drawing").tabTo("link", "Host hana01 Warning")
	tab.press(kb.Enter)
	tab.until("location.pathname === '/hosts/" + string(hostID(1)) + "'")
}
