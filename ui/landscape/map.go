package landscape

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

const mapPath = "/map"

// mapPage shows all hosts by provider and site.
type mapPage struct {
	page.Frame
	Total    int
	Counters []table.Counter
	Map      *siteMap
}

// Template implements page.Page.
func (*mapPage) Template() string { return "map" }

// siteMap is all hosts, or some of them, by provider and site. A host is a cell.
// Where there are too many hosts for that, the hosts of a site with the same
// health are a part of a bar instead.
type siteMap struct {
	Providers []mapProvider
	Named     bool // the cells show the names of the hosts
	Bars      bool // some hosts are in bars
	More      int  // sites that are not shown
}

// mapProvider is the sites of one provider, by name.
type mapProvider struct {
	Name  string
	Sites []mapSite
}

// mapSite is the hosts of a site.
type mapSite struct {
	ID, Name, URL string
	// Replication are the names of sites of system replication that the
	// databases on its hosts have.
	Replication string
	Hosts       int
	Counts      []mapCount // one for each health, the worst first
	Cells       []mapCell
	Bar         []mapPart

	Provider string // name of the provider

	provider string // its id; "" if it was not reported yet
	hosts    []*landscape.Host
	byHealth [len(healthOrder)]int
}

// mapCount is the number of hosts of a site with a health.
type mapCount struct {
	State, Label, URL string
	Count             int
}

// mapCell is a host.
type mapCell struct {
	State, Name, URL string
	Label            string // name, health and whether it is silent
	Stale            bool
}

// mapPart is the hosts of a site with a health that are not cells, as a part of
// a bar. Left and Width are in thousandths of the longest bar.
type mapPart struct {
	State, Label, URL string
	Left, Width       int
}

const (
	// maxNamedCells is the number of hosts up to which cells show names.
	maxNamedCells = 120
	// maxCells is the number of hosts that are cells.
	maxCells = 1200
	// maxSites is the number of sites that are shown. The others have fewer
	// critical hosts.
	maxSites = 100
	// maxReplicationNames is the number of names of sites of system replication
	// that are shown for one site.
	maxReplicationNames = 3
)

// healthOrder is the order of page.HealthWords.
var healthOrder = [...]landscape.Health{landscape.HealthCritical, landscape.HealthWarning, landscape.HealthUnknown, landscape.HealthPassing}

// showMap answers GET /map.
func (s *Pages) showMap(w http.ResponseWriter, r *http.Request) error {
	p := mapPage{Frame: s.NewFrame(r, "Map")}
	p.Live = "host database"
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		p.Total, p.Counters, p.Map = len(v.Hosts), HostsTable.Counters(HostsTable.List(v)), mapOf(v)
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// mapOf returns the map of all hosts. It is built once for a snapshot and must
// not be modified.
func mapOf(v *page.Snapshot) *siteMap {
	if made, ok := v.Lists.Load(mapPath); ok {
		return made.(*siteMap)
	}
	m := newSiteMap(v, v.Hosts)
	v.Lists.Store(mapPath, m)
	return m
}

// newSiteMap returns the map of some hosts.
func newSiteMap(v *page.Snapshot, hosts []*landscape.Host) *siteMap {
	sites := sitesOf(hosts)
	m := &siteMap{Named: len(hosts) <= maxNamedCells}
	if len(sites) > maxSites {
		slices.SortFunc(sites, func(a, b *mapSite) int { return cmp.Or(compareTrouble(a, b), comparePlaces(a, b)) })
		m.More, sites = len(sites)-maxSites, sites[:maxSites]
	}
	slices.SortFunc(sites, comparePlaces)
	asCells := healthsAsCells(sites)
	longest := 0
	for _, site := range sites {
		longest = max(longest, site.countInBar(asCells))
	}
	m.Bars = longest > 0
	replication := replicationNames(v)
	for _, site := range sites {
		site.fill(asCells, longest, replication)
		if n := len(m.Providers); n == 0 || m.Providers[n-1].Name != site.Provider {
			m.Providers = append(m.Providers, mapProvider{Name: site.Provider})
		}
		last := &m.Providers[len(m.Providers)-1]
		last.Sites = append(last.Sites, *site)
	}
	return m
}

// comparePlaces orders sites by provider and name.
func comparePlaces(a, b *mapSite) int {
	return cmp.Or(table.FoldCompare(a.Provider, b.Provider), strings.Compare(a.provider, b.provider), strings.Compare(orderOfSite(a.Name), orderOfSite(b.Name)))
}

// compareTrouble orders sites by the number of their critical hosts, then of
// those with a warning, and so on.
func compareTrouble(a, b *mapSite) int {
	for i := range healthOrder {
		if a.byHealth[i] != b.byHealth[i] {
			return cmp.Compare(b.byHealth[i], a.byHealth[i])
		}
	}
	return 0
}

// siteSummary is the sites on the dashboard or on a wall.
type siteSummary struct {
	Sites []mapSite
	More  string // text about the sites that are not shown; "" if there are none
}

// maxSummary is the number of sites on the dashboard.
const maxSummary = 6

// summary returns the sites with the most hosts that need attention, at most as
// many as given; nil if there are no hosts.
func (m *siteMap) summary(most int) *siteSummary {
	var all []mapSite
	for _, p := range m.Providers {
		all = append(all, p.Sites...)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b mapSite) int { return compareTrouble(&a, &b) })
	s := &siteSummary{Sites: all[:min(len(all), most)]}
	if more := len(all) - len(s.Sites) + m.More; more > 0 {
		s.More = page.Count(more, "more site", "more sites")
	}
	return s
}

// providerNameOrNote returns the name of a provider. Agents report the provider after
// the host.
func providerNameOrNote(provider string) string {
	if provider == "" {
		return "Provider not reported yet"
	}
	return providerName(provider)
}

// sitesOf groups hosts by provider and site.
func sitesOf(hosts []*landscape.Host) []*mapSite {
	type key struct{ provider, site string }
	known := make(map[key]*mapSite)
	var sites []*mapSite
	for _, h := range hosts {
		k := key{providerID(h), h.Site()}
		site := known[k]
		if site == nil {
			site = &mapSite{Name: k.site, Provider: providerNameOrNote(k.provider), provider: k.provider}
			known[k], sites = site, append(sites, site)
		}
		site.hosts = append(site.hosts, h)
		site.byHealth[page.HealthRank(h.Health)]++
	}
	return sites
}

// healthsAsCells returns for each health whether its hosts are cells, the worst
// first, as long as there are no more than maxCells cells.
func healthsAsCells(sites []*mapSite) (asCells [len(healthOrder)]bool) {
	left := maxCells
	for i := range healthOrder {
		total := 0
		for _, site := range sites {
			total += site.byHealth[i]
		}
		if total > left {
			break
		}
		asCells[i] = true
		left -= total
	}
	return asCells
}

// countInBar returns the number of hosts that are not cells.
func (site *mapSite) countInBar(asCells [len(healthOrder)]bool) (n int) {
	for i, count := range site.byHealth {
		if !asCells[i] {
			n += count
		}
	}
	return n
}

// fill makes what the template shows of the site. longest is the number of hosts
// in the longest bar.
func (site *mapSite) fill(asCells [len(healthOrder)]bool, longest int, replication map[landscape.HostID]string) {
	q := url.Values{}
	if site.provider != "" {
		q.Set("provider", site.provider)
	}
	if site.Name != "" {
		q.Set("site", site.Name)
	}
	site.Hosts, site.URL, site.ID = len(site.hosts), page.WithQuery(HostsTable.Path, q), url.PathEscape(site.provider+"-"+site.Name)
	site.Replication = namesOfReplication(site.hosts, replication)
	if site.Name == "" {
		site.Name = "Site not reported"
	}
	left := 0
	for i, h := range healthOrder {
		n := site.byHealth[i]
		count := mapCount{State: string(h), Count: n, Label: page.Count(n, "host ", "hosts ") + strings.ToLower(page.HealthWord(h))}
		q.Set("health", string(h))
		count.URL = page.WithQuery(HostsTable.Path, q)
		site.Counts = append(site.Counts, count)
		if n > 0 && !asCells[i] {
			part := mapPart{State: string(h), Label: count.Label, URL: count.URL, Left: left, Width: max(4, n*1000/longest)}
			site.Bar, left = append(site.Bar, part), left+part.Width
		}
	}
	site.fillCells(asCells)
}

// fillCells makes the cells, the worst first, then by name.
func (site *mapSite) fillCells(asCells [len(healthOrder)]bool) {
	hosts := slices.Clone(site.hosts)
	slices.SortFunc(hosts, func(a, b *landscape.Host) int {
		return cmp.Or(cmp.Compare(page.HealthRank(a.Health), page.HealthRank(b.Health)), table.FoldCompare(a.Hostname, b.Hostname), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, h := range hosts {
		if asCells[page.HealthRank(h.Health)] {
			cell := mapCell{State: string(page.ShownHealth(h.Health)), Name: h.Hostname, URL: "/hosts/" + string(h.ID), Stale: isStale(h)}
			if cell.Label = cell.Name + ": " + cell.State; cell.Stale {
				cell.Label += ", not reporting"
			}
			site.Cells = append(site.Cells, cell)
		}
	}
}

// replicationNames returns the names of sites of system replication by host.
func replicationNames(v *page.Snapshot) map[landscape.HostID]string {
	sites := make(map[landscape.HostID]string)
	for _, db := range v.Databases {
		for i := range db.Instances {
			if site := db.Instances[i].Site; site != nil {
				sites[db.Instances[i].HostID] = *site
			}
		}
	}
	return sites
}

// namesOfReplication returns the names of the replication sites of some hosts.
func namesOfReplication(hosts []*landscape.Host, replication map[landscape.HostID]string) string {
	var names []string
	for _, h := range hosts {
		if name := replication[h.ID]; name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, table.FoldCompare)
	if more := len(names) - maxReplicationNames; more > 0 {
		return strings.Join(names[:maxReplicationNames], ", ") + ", " + page.Count(more, "other", "others")
	}
	return strings.Join(names, ", ")
}
