package landscape

import (
	"slices"
	"strconv"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// ClusterItem is a cluster in the list, with its systems.
type ClusterItem struct {
	*landscape.Cluster
	itemFields
	systems []page.Link
	Sids    []string
}

// ClustersTable declares the list of clusters.
var ClustersTable = newTable("/clusters", "cluster", clusterItems, []table.Column[*ClusterItem]{
	{
		Key: "name", Label: "Name", Names: true, Text: func(c *ClusterItem) string { return c.name },
		Facet: &table.Facet[*ClusterItem]{Value: func(c *ClusterItem) string { return c.name }},
	},
	table.SIDColumn(func(c *ClusterItem) []string { return c.Sids }),
	{
		Key: "hosts", Label: "Hosts", Number: true, Text: func(c *ClusterItem) string { return strconv.Itoa(c.hosts()) },
		Order: func(c *ClusterItem) string { return table.OrderOfNumber(c.hosts()) },
	},
	{
		Key: "resources", Label: "Resources", Number: true, Text: func(c *ClusterItem) string { return numberOrEmpty(c.ResourcesNumber) },
		Order: func(c *ClusterItem) string { return table.OrderOfNumber(orZero(c.ResourcesNumber)) },
	},
	{
		Key: "type", Label: "Type", Text: func(c *ClusterItem) string { return ClusterTypeWord(string(c.Type)) },
		Facet: &table.Facet[*ClusterItem]{Value: func(c *ClusterItem) string { return string(c.Type) }, Label: ClusterTypeWord},
	},
	checksColumn[*ClusterItem](false),
})

var clusterList = listDefinition[*ClusterItem]{
	table: &ClustersTable, title: "Clusters", class: "clusters", kind: page.ClusterTags,
	peek: (*Pages).peekCluster,
	cells: func(_ *Pages, c *ClusterItem) map[string]cell {
		kind := wordWithHint{Text: ClusterTypeWord(string(c.Type))}
		if c.Type == landscape.HANAASCSERS {
			kind.Hint = "A HANA database and central services in one cluster are not supported"
		}
		return map[string]cell{"name": newValues(page.LinkToCluster(c.Cluster)), "sid": newValues(c.systems...), "type": {Pill: &kind}}
	},
}

// hosts returns the number of configured hosts or, if that is unknown, of
// registered ones.
func (c *ClusterItem) hosts() int {
	if c.HostsNumber != nil {
		return *c.HostsNumber
	}
	return len(c.Members)
}

func clusterItems(v *page.Snapshot) []*ClusterItem {
	all := make([]*ClusterItem, len(v.Clusters))
	for i, c := range v.Clusters {
		item := &ClusterItem{Cluster: c, systems: clusteredSystems(v, c)}
		item.itemFields = newItemFields(string(c.ID), page.LinkToCluster(c).FullName(), c.Health, c.StaleSince, c.UpdatedAt, v.TagsOf(store.ClusterTag, string(c.ID)))
		item.Sids = page.Names(item.systems)
		item.reason = c.Reasons().Text()
		item.checks = checksOfCluster(v, c)
		all[i] = item
	}
	return all
}

// clusteredSystems returns the systems of a cluster, each SID once. A system
// has an instance on a host of the cluster; one that is not absent is
// preferred.
func clusteredSystems(v *page.Snapshot, c *landscape.Cluster) []page.Link {
	var links []page.Link
	for _, i := range c.SAPInstances {
		if slices.ContainsFunc(links, func(l page.Link) bool { return l.Name == i.SID }) {
			continue
		}
		links = append(links, clusteredSystem(v, c, i.SID))
	}
	return links
}

func clusteredSystem(v *page.Snapshot, c *landscape.Cluster, sid string) page.Link {
	gone := "HANA database currently not registered"
	fits := func(s page.System) bool { return s.Database }
	switch c.Type {
	case landscape.ASCSERS:
		gone = "SAP system currently not registered"
		fits = func(s page.System) bool { return !s.Database }
	case landscape.HANAASCSERS:
		gone = "System currently not registered"
		fits = func(page.System) bool { return true }
	}
	found := page.Link{Name: sid, Gone: gone}
	for _, m := range c.Members {
		for _, s := range v.Running[m.HostID] {
			switch {
			case s.Name != sid || !fits(s):
			case !s.Absent:
				return s.Link
			case found.URL == "":
				found = s.Link
			}
		}
	}
	return found
}

func ClusterTypeWord(t string) string {
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

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
