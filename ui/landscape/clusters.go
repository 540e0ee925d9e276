package landscape

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// clustersPage is the list of all clusters.
type clustersPage struct {
	table.Page
	Rows []clusterRow
}

// Template implements page.Page.
func (*clustersPage) Template() string { return "clusters" }

type clusterRow struct {
	ID, Version      string
	Health           page.HealthMark
	Name             page.Link
	Systems          []page.Link
	Hosts, Resources string
	Type, TypeHint   string
	Stale            bool
	Tags             tagEditor
}

// ClusterItem is a cluster in its list, with what it runs.
type ClusterItem struct {
	*landscape.Cluster
	name    string
	systems []page.Link
	Sids    []string
	Tags    []string
}

// ClustersTable is what can be done with the list of clusters.
var ClustersTable = table.Table[*ClusterItem]{
	Path: "/clusters", Noun: "cluster", Items: clusterItems,
	Columns: []table.Column[*ClusterItem]{
		table.HealthColumn((*ClusterItem).health),
		{
			Key: "name", Label: "Name", Text: func(c *ClusterItem) string { return c.name },
			Facet: &table.Facet[*ClusterItem]{Value: func(c *ClusterItem) string { return c.name }},
		},
		table.SIDColumn(func(c *ClusterItem) []string { return c.Sids }),
		{
			Key: "hosts", Label: "Hosts", Text: func(c *ClusterItem) string { return strconv.Itoa(c.hosts()) },
			Compare: func(a, b *ClusterItem) int { return cmp.Compare(a.hosts(), b.hosts()) },
		},
		{
			Key: "resources", Label: "Resources", Text: func(c *ClusterItem) string { return numberOf(c.ResourcesNumber) },
			Compare: func(a, b *ClusterItem) int { return cmp.Compare(orZero(a.ResourcesNumber), orZero(b.ResourcesNumber)) },
		},
		{
			Key: "type", Label: "Type", Text: func(c *ClusterItem) string { return ClusterTypeWord(string(c.Type)) },
			Facet: &table.Facet[*ClusterItem]{Value: func(c *ClusterItem) string { return string(c.Type) }, Label: ClusterTypeWord},
		},
		table.TagsColumn(func(c *ClusterItem) []string { return c.Tags }),
		table.IDColumn(func(c *ClusterItem) string { return string(c.ID) }),
	},
	Flags:  []table.Flag[*ClusterItem]{table.StaleFlag(func(c *ClusterItem) *time.Time { return c.StaleSince })},
	Health: (*ClusterItem).health,
	Urgent: func(a, b *ClusterItem) int {
		return cmp.Compare(table.NeedRank(a.Health, a.StaleSince), table.NeedRank(b.Health, b.StaleSince))
	},
	Tie: func(a, b *ClusterItem) int {
		return cmp.Or(table.FoldCompare(a.name, b.name), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (c *ClusterItem) health() landscape.Health { return c.Health }

// hosts is the number of hosts that are configured or, before the cluster has
// told, known.
func (c *ClusterItem) hosts() int {
	if c.HostsNumber != nil {
		return *c.HostsNumber
	}
	return len(c.Members)
}

func clusterItems(v *page.Snapshot) []*ClusterItem {
	all := make([]*ClusterItem, len(v.Clusters))
	for i, c := range v.Clusters {
		tags := v.TagsOf(store.ClusterTag, string(c.ID))
		item := &ClusterItem{Cluster: c, name: page.LinkToCluster(c).FullName(), Tags: tags, systems: clusteredSystems(v, c)}
		item.Sids = page.Names(item.systems)
		all[i] = item
	}
	return all
}

// clusteredSystems are the systems a cluster runs, each SID once. A system is
// one that has an instance on a host of the cluster, preferably one that is
// not absent.
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

// showClusters answers GET /clusters.
func (s *Pages) showClusters(w http.ResponseWriter, r *http.Request) error {
	if table.Tidied(w, r) {
		return nil
	}
	p := clustersPage{Page: table.NewPage(s.Console, r, &ClustersTable, "Clusters")}
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, ClustersTable.List)
	if err != nil {
		return err
	}
	onPage, _, ok, err := ClustersTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = table.UsedTags(all, func(c *ClusterItem) []string { return c.Tags })
	for _, c := range onPage {
		row := clusterRow{
			ID: string(c.ID), Version: table.Version(c.UpdatedAt),
			Health: page.NewHealthMark("", c.Health, s.TimestampOf(c.StaleSince)), Name: page.LinkToCluster(c.Cluster), Systems: c.systems,
			Hosts: strconv.Itoa(c.hosts()), Resources: numberOf(c.ResourcesNumber), Type: ClusterTypeWord(string(c.Type)),
			Stale: c.StaleSince != nil, Tags: newTagEditor(r, page.ClusterTags, string(c.ID), page.ClusterName(c.Cluster), c.Tags),
		}
		if c.Type == landscape.HANAASCSERS {
			row.TypeHint = "A HANA database and central services in one cluster are not supported"
		}
		p.Rows = append(p.Rows, row)
	}
	return s.Render(w, r, http.StatusOK, &p)
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
