package landscape

import (
	"fmt"
	"net/netip"
	"testing"

	"trento/store/landscape"
	"trento/ui/page"
)

// mapHosts returns hosts of a provider at a site, one for each health.
func mapHosts(provider, zone string, healths ...landscape.Health) (hosts []*landscape.Host) {
	for i, health := range healths {
		h := &landscape.Host{ID: landscape.HostID(fmt.Sprintf("%s-%s-%d", provider, zone, i)), Health: health}
		h.Hostname = fmt.Sprintf("h%d", i)
		h.Addresses = []landscape.Address{{IP: netip.MustParseAddr("10.1.0.7")}}
		h.Cloud = &landscape.Cloud{Provider: provider}
		if zone != "" {
			h.Cloud.GCP = &landscape.GCPVM{Zone: &zone}
		}
		hosts = append(hosts, h)
	}
	return hosts
}

func repeatHealth(h landscape.Health, n int) []landscape.Health {
	healths := make([]landscape.Health, n)
	for i := range healths {
		healths[i] = h
	}
	return healths
}

// TestSiteMap checks what a map shows as cells and what as bars.
func TestSiteMap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		passing  int
		critical int
		named    bool
		cells    int
		bar      string
	}{
		{"few", 5, 2, true, 7, "[]"},
		{"many", maxCells - 2, 2, false, maxCells, "[]"},
		{"too many passing", maxCells, 300, false, 300, "[passing 0 1000]"},
		{"too many", 20_000, maxCells + 1, false, 0, "[critical 0 56 passing 56 943]"},
		{"a few beside very many", 90_000, maxCells + 1, false, 0, "[critical 0 13 passing 13 986]"},
	} {
		healths := append(repeatHealth(landscape.HealthPassing, tt.passing), repeatHealth(landscape.HealthCritical, tt.critical)...)
		m := newSiteMap(new(page.Snapshot), mapHosts("gcp", "a", healths...))
		site := m.Providers[0].Sites[0]
		bar := "["
		for i, p := range site.Bar {
			if i > 0 {
				bar += " "
			}
			bar += fmt.Sprint(p.State, " ", p.Left, " ", p.Width)
		}
		bar += "]"
		if m.Named != tt.named || len(site.Cells) != tt.cells || bar != tt.bar || m.Bars != (len(site.Bar) > 0) {
			t.Errorf("%s: named %v, %d cells, bar %s", tt.name, m.Named, len(site.Cells), bar)
		}
		if tt.cells > 0 && site.Cells[0].State != "critical" {
			t.Errorf("%s: the first cell is %s", tt.name, site.Cells[0].State)
		}
		if c := site.Counts[0]; c.Count != tt.critical || c.Label != page.Count(tt.critical, "host critical", "hosts critical") || c.URL != "/hosts?health=critical&provider=gcp&site=a" {
			t.Errorf("%s: %+v", tt.name, c)
		}
	}
}

// TestSiteMapOrder checks the order of the sites, and which of too many are
// shown.
func TestSiteMapOrder(t *testing.T) {
	t.Parallel()
	var hosts []*landscape.Host
	for _, zone := range []string{"europe-b", "europe-a"} {
		hosts = append(hosts, mapHosts("gcp", zone, landscape.HealthPassing)...)
	}
	hosts = append(hosts, mapHosts("kvm", "", landscape.HealthCritical)...)
	hosts = append(hosts, mapHosts("azure", "", landscape.HealthWarning, landscape.HealthPassing)...)
	hosts = append(hosts, &landscape.Host{ID: "bare", Health: landscape.HealthPassing})
	text := func(m *siteMap) (text string) {
		for _, p := range m.Providers {
			text += p.Name + ":"
			for _, site := range p.Sites {
				text += " " + site.Name
			}
			text += "; "
		}
		return text
	}
	m := newSiteMap(new(page.Snapshot), hosts)
	if got, want := text(m), "Azure: Site not reported; GCP: europe-a europe-b; On-premises / KVM: 10.1.0.0/24; Provider not reported yet: Site not reported; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if s := m.summary(maxSummary); len(s.Sites) != 5 || s.Sites[0].Name != "10.1.0.0/24" || s.Sites[1].Provider != "Azure" || s.More != "" {
		t.Errorf("summary %+v", s)
	}
	for n := range maxSites {
		hosts = append(hosts, mapHosts("gcp", fmt.Sprintf("asia-%03d", n), landscape.HealthWarning)...)
	}
	m = newSiteMap(new(page.Snapshot), hosts)
	shown := 0
	for _, p := range m.Providers {
		shown += len(p.Sites)
	}
	if shown != maxSites || m.More != 5 {
		t.Errorf("%d sites are shown, %d more", shown, m.More)
	}
	if s := m.summary(maxSummary); len(s.Sites) != maxSummary || s.Sites[0].Name != "10.1.0.0/24" || s.More != page.Count(maxSites+5-maxSummary, "", "more sites") {
		t.Errorf("summary %+v", s)
	}
	if s := newSiteMap(new(page.Snapshot), nil).summary(maxSummary); s != nil {
		t.Errorf("summary of nothing: %+v", s)
	}
}

// TestNamesOfReplication checks the names beside a site.
func TestNamesOfReplication(t *testing.T) {
	t.Parallel()
	names := map[landscape.HostID]string{"1": "WDF", "2": "NBG", "3": "NBG", "4": "a", "5": "b"}
	hosts := func(ids ...landscape.HostID) (hosts []*landscape.Host) {
		for _, id := range ids {
			hosts = append(hosts, &landscape.Host{ID: id})
		}
		return hosts
	}
	for want, of := range map[string][]*landscape.Host{"": hosts("9"), "NBG, WDF": hosts("1", "2", "3", "9"), "a, b, NBG, 1 other": hosts("1", "2", "4", "5")} {
		if got := namesOfReplication(of, names); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
