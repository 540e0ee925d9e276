package landscape

import (
	"fmt"
	"slices"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// systemPage shows one database or SAP system.
type systemPage struct {
	page.Frame
	Kind        string // "SAP System"
	SID         string
	Health      page.HealthMark
	Reason      healthReason
	StaleBanner string
	Tags        tagPanel
	Drawing     drawingPanel
	Replication replicationPanel // only for a replicated database
	Facts       []page.Fact
	Sites       []systemSite
	Tenants     []tenantRow // only for a database
	Hosts       []hostLine
	Back        page.ActionLink // link to the list
	History     healthHistory
	Activity    recentLog
	Cleanup     *cleanupDialog
}

// Template implements page.Page.
func (*systemPage) Template() string { return "system" }

// systemSite has the instances of a site of the system replication. Without
// replication it has all instances, and no name and facts.
type systemSite struct {
	ID    string // id of the HTML element
	Name  string
	Role  string
	Facts []page.Fact
	Stale bool
	Rows  []instanceRow
}

// tenantRow is a tenant of a database.
type tenantRow struct {
	Name   string
	System page.Link // SAP system that uses the tenant
	Health page.HealthMark
	Type   string
}

// describeSystem fills in the common facts of databases and SAP systems.
func (p *systemPage) describeSystem(kind, sid string, h landscape.Health, since page.Timestamp) {
	p.Kind, p.SID = kind, sid
	p.Health = page.NewHealthMark("System", h, since)
	p.Health.Bare = true
}

// staleBanner says since when and why the data on a page may be out of date: an
// agent on one of the hosts is silent, or its reports cannot be used.
func staleBanner(what string, since page.Timestamp, silent bool) string {
	switch {
	case since.IsZero():
		return ""
	case silent:
		return fmt.Sprintf("An agent in one of the %s hosts is not reporting since %s. What this page shows may be out of date.", what, since.Text())
	}
	return fmt.Sprintf("What an agent in one of the %s hosts reports cannot be used; what was known before is out of date since %s. The page of the host says why.", what, since.Text())
}

// anySilent reports whether the agent of one of the hosts is silent.
func anySilent(hosts []hostLine) bool {
	return slices.ContainsFunc(hosts, func(h hostLine) bool { return h.Stale })
}

// Kinds of systems, as in the headings of their pages.
const (
	kindDatabase  = "HANA Database"
	kindSAPSystem = "SAP System"
)

// liveTopics returns the kinds and ids of the changes after which the page of a
// thing is fetched again: those of the thing, its tags and its hosts.
func liveTopics(kind, id string, hosts []landscape.HostID) string {
	topics := kind + ":" + id + " tags:" + kind + "/" + id
	for _, host := range hosts {
		topics += " host:" + string(host)
	}
	return topics
}

// hostCache has hosts by id, so that each is read once for all its instances.
type hostCache map[landscape.HostID]*landscape.Host

func (known hostCache) get(tx *store.Tx, id landscape.HostID) (*landscape.Host, error) {
	if h, ok := known[id]; ok {
		return h, nil
	}
	h, err := registeredHost(tx, id)
	known[id] = h
	return h, err
}
