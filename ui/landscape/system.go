package landscape

import (
	"fmt"
	"slices"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// systemPage is all that is known of one database or one SAP system.
type systemPage struct {
	page.Frame
	Kind        string // "SAP System"
	SID         string
	Health      page.HealthMark
	Reason      string // why the health is what it is
	StaleBanner string
	Tags        tagPanel
	Facts       []page.Fact
	Sites       []systemSite
	Tenants     []tenantRow // of a database
	Hosts       []hostLine
	Back        page.ActionLink // to the list
	Activity    recent
	Cleanup     *cleanupDialog
}

// Template implements page.Page.
func (*systemPage) Template() string { return "system" }

// systemSite is instances that belong together: those of a site of the system
// replication, or all. Without replication it has no name and no facts.
type systemSite struct {
	ID    string // within the page
	Name  string
	Role  string
	Facts []page.Fact
	Stale bool
	Rows  []instanceRow
}

// tenantRow is a tenant of a database.
type tenantRow struct {
	Name   string
	System page.Link // the SAP system on it
	Health page.HealthMark
	Type   string
}

// describeSystem fills in what databases and SAP systems have in common.
func (p *systemPage) describeSystem(kind, sid string, h landscape.Health, since page.Timestamp) {
	p.Kind, p.SID = kind, sid
	p.Health = page.NewHealthMark("System", h, since)
	p.Health.Bare = true
}

// staleBanner says since when, and why, what a page shows of something may be
// out of date: an agent on its hosts is silent, or sends what cannot be used.
func staleBanner(what string, since page.Timestamp, silent bool) string {
	switch {
	case since.IsZero():
		return ""
	case silent:
		return fmt.Sprintf("An agent in one of the %s hosts is not reporting since %s. What this page shows may be out of date.", what, since.Text())
	}
	return fmt.Sprintf("What an agent in one of the %s hosts reports cannot be used; what was known before is out of date since %s. The page of the host says why.", what, since.Text())
}

// anySilent reports whether the agent of any of some hosts is silent.
func anySilent(hosts []hostLine) bool {
	return slices.ContainsFunc(hosts, func(h hostLine) bool { return h.Stale })
}

// Kinds of systems, as the headings of their pages have them.
const (
	kindDatabase  = "HANA Database"
	kindSAPSystem = "SAP System"
)

// watched is what a page about a thing follows: the thing, its tags and its
// hosts.
func watched(kind, id string, hosts []landscape.HostID) string {
	topics := kind + ":" + id + " tags:" + kind + "/" + id
	for _, host := range hosts {
		topics += " host:" + string(host)
	}
	return topics
}

// hostNamed fetches the host of an instance once for all its instances.
type hostNamed map[landscape.HostID]*landscape.Host

func (known hostNamed) get(tx *store.Tx, id landscape.HostID) (*landscape.Host, error) {
	if h, ok := known[id]; ok {
		return h, nil
	}
	h, err := hostOf(tx, id)
	known[id] = h
	return h, err
}
