package ui

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// clustersPage is the list of all clusters.
type clustersPage struct {
	tablePage
	Rows []clusterRow
}

type clusterRow struct {
	ID, Version      string
	Health           healthMark
	Name             link
	Systems          []link
	Hosts, Resources string
	Type, TypeHint   string
	Stale            bool
	Tags             tagEditor
}

// clusterItem is a cluster in its list, with what it runs.
type clusterItem struct {
	*landscape.Cluster
	name    string
	systems []link
	sids    []string
	tags    []string
}

// clustersTable is what can be done with the list of clusters.
var clustersTable = table[*clusterItem]{
	path: "/clusters", noun: "cluster", items: clusterItems,
	columns: []column[*clusterItem]{
		healthColumn((*clusterItem).health),
		{
			key: "name", label: "Name", text: func(c *clusterItem) string { return c.name },
			facet: &facetOf[*clusterItem]{value: func(c *clusterItem) string { return c.name }},
		},
		sidColumn(func(c *clusterItem) []string { return c.sids }),
		{
			key: "hosts", label: "Hosts", text: func(c *clusterItem) string { return strconv.Itoa(c.hosts()) },
			compare: func(a, b *clusterItem) int { return cmp.Compare(a.hosts(), b.hosts()) },
		},
		{
			key: "resources", label: "Resources", text: func(c *clusterItem) string { return numberOf(c.ResourcesNumber) },
			compare: func(a, b *clusterItem) int { return cmp.Compare(orZero(a.ResourcesNumber), orZero(b.ResourcesNumber)) },
		},
		{
			key: "type", label: "Type", text: func(c *clusterItem) string { return clusterTypeWord(string(c.Type)) },
			facet: &facetOf[*clusterItem]{value: func(c *clusterItem) string { return string(c.Type) }, label: clusterTypeWord},
		},
		tagsColumn(func(c *clusterItem) []string { return c.tags }),
		idColumn(func(c *clusterItem) string { return string(c.ID) }),
	},
	flags:  []flag[*clusterItem]{staleFlag(func(c *clusterItem) *time.Time { return c.StaleSince })},
	health: (*clusterItem).health,
	urgent: func(a, b *clusterItem) int {
		return cmp.Compare(needRank(a.Health, a.StaleSince), needRank(b.Health, b.StaleSince))
	},
	tie: func(a, b *clusterItem) int {
		return cmp.Or(foldCompare(a.name, b.name), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (c *clusterItem) health() landscape.Health { return c.Health }

// hosts is the number of hosts that are configured or, before the cluster has
// told, known.
func (c *clusterItem) hosts() int {
	if c.HostsNumber != nil {
		return *c.HostsNumber
	}
	return len(c.Members)
}

func clusterItems(v *snapshot) []*clusterItem {
	all := make([]*clusterItem, len(v.clusters))
	for i, c := range v.clusters {
		tags := v.tags[tagged{store.ClusterTag, string(c.ID)}]
		item := &clusterItem{Cluster: c, name: linkToCluster(c).whole(), tags: tags, systems: v.clusteredSystems(c)}
		item.sids = names(item.systems)
		all[i] = item
	}
	return all
}

// clusteredSystems are the systems a cluster runs, each SID once. A system is
// one that has an instance on a host of the cluster, preferably one that is
// not absent.
func (v *snapshot) clusteredSystems(c *landscape.Cluster) []link {
	var links []link
	for _, i := range c.SAPInstances {
		if slices.ContainsFunc(links, func(l link) bool { return l.Name == i.SID }) {
			continue
		}
		links = append(links, v.clusteredSystem(c, i.SID))
	}
	return links
}

func (v *snapshot) clusteredSystem(c *landscape.Cluster, sid string) link {
	gone := "HANA database currently not registered"
	fits := func(s system) bool { return s.database }
	switch c.Type {
	case landscape.ASCSERS:
		gone = "SAP system currently not registered"
		fits = func(s system) bool { return !s.database }
	case landscape.HANAASCSERS:
		gone = "System currently not registered"
		fits = func(system) bool { return true }
	}
	found := link{Name: sid, Gone: gone}
	for _, m := range c.Members {
		for _, s := range v.running[m.HostID] {
			switch {
			case s.Name != sid || !fits(s):
			case !s.absent:
				return s.link
			case found.URL == "":
				found = s.link
			}
		}
	}
	return found
}

// clusters answers GET /clusters.
func (s *server) clusters(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := clustersPage{tablePage: newTablePage(s, r, &clustersTable, "Clusters")}
	all, err := view(s, &p.Frame, clustersTable.list)
	if err != nil {
		return err
	}
	page, _, ok, err := clustersTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = usedTags(all, func(c *clusterItem) []string { return c.tags })
	for _, c := range page {
		row := clusterRow{
			ID: string(c.ID), Version: version(c.UpdatedAt),
			Health: newHealthMark("", c.Health, s.timestampOf(c.StaleSince)), Name: linkToCluster(c.Cluster), Systems: c.systems,
			Hosts: strconv.Itoa(c.hosts()), Resources: numberOf(c.ResourcesNumber), Type: clusterTypeWord(string(c.Type)),
			Stale: c.StaleSince != nil, Tags: newTagEditor(r, clusterTags, string(c.ID), nameOfCluster(c.Cluster), c.tags),
		}
		if c.Type == landscape.HANAASCSERS {
			row.TypeHint = "A HANA database and central services in one cluster are not supported"
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(w, r, http.StatusOK, pageClusters, &p)
}

func clusterTypeWord(t string) string {
	switch landscape.ClusterType(t) {
	case landscape.HANAScaleUp:
		return "HANA Scale Up"
	case landscape.HANAScaleOut:
		return "HANA Scale Out"
	case landscape.ASCSERS:
		return "ASCS/ERS"
	case landscape.HANAASCSERS:
		return "HANA+ASCS/ERS"
	}
	return "Unknown"
}

func numberOf(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
