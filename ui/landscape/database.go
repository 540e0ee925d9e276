package landscape

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// showDatabase answers GET /databases/{id}.
func (s *Pages) showDatabase(w http.ResponseWriter, r *http.Request) error {
	return s.renderDatabase(w, r, http.StatusOK, nil)
}

// renderDatabase shows a database, and a dialog if one is open.
func (s *Pages) renderDatabase(w http.ResponseWriter, r *http.Request, status int, dialog *cleanupDialog) error {
	id := landscape.DatabaseID(strings.ToLower(page.PathVar(r, "id")))
	p := systemPage{Frame: s.NewFrame(r, ""), Back: page.ActionLink{Label: "Back to HANA Databases", URL: "/databases"}, Cleanup: dialog}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		db, err := tx.Database(id)
		if err != nil {
			return err
		}
		p.Title = db.SID + " – HANA Databases"
		if err := s.describeDatabase(tx, p.Reader, &p, db); err != nil {
			return err
		}
		if p.Tags, err = s.newTagPanel(tx, p.Reader, page.DatabaseTags, string(id), db.SID); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.Activity, err = s.readRecentLog(r.Context(), p.Reader, "database", string(id)); err != nil {
		return err
	}
	return s.Render(w, r, status, &p)
}

func (s *Pages) describeDatabase(tx *store.Tx, reader page.Reader, p *systemPage, db *landscape.Database) error {
	p.describeSystem(kindDatabase, db.SID, db.Health, s.TimestampOf(db.StaleSince))
	known, ids := hostCache{}, make([]landscape.HostID, len(db.Instances))
	var rows []instanceRow
	for i := range db.Instances {
		ids[i] = db.Instances[i].HostID
		host, err := known.get(tx, ids[i])
		if err != nil {
			return err
		}
		rows = append(rows, s.newDatabaseInstanceRow(reader, db.ID, &db.Instances[i], host))
	}
	p.Live = liveTopics("database", string(db.ID), ids)
	p.Reason = healthSentence(db.Health, "database", instanceCauses(rows))
	p.Sites = replicationSites(db, rows)
	p.Facts = []page.Fact{
		{Label: "Name", Text: db.SID},
		{Label: "Type", Text: kindDatabase},
		{Label: "System Replication", Text: formatBoolean(slices.ContainsFunc(db.Instances, isReplicated))},
		{Label: "Instances", Text: page.Count(len(rows), "instance", "instances")},
		s.TimestampFact("Registered", db.RegisteredAt),
		s.TimestampFact("Last change", db.UpdatedAt),
		{Label: "Database ID", Text: string(db.ID), Mono: true, Wide: true},
	}
	var err error
	if p.Tenants, err = s.tenants(tx, db); err != nil {
		return err
	}
	if p.Hosts, err = s.hostLines(tx, ids); err != nil {
		return err
	}
	p.StaleBanner = staleBanner("database", s.TimestampOf(db.StaleSince), anySilent(p.Hosts))
	return nil
}

func isReplicated(i landscape.DatabaseInstance) bool { return i.Role != nil }

// formatBoolean formats a boolean like the tools of SAP and SUSE.
func formatBoolean(is bool) string {
	if is {
		return "True"
	}
	return "False"
}

// tenants returns the tenants of a database, with the SAP systems that use
// them.
func (s *Pages) tenants(tx *store.Tx, db *landscape.Database) ([]tenantRow, error) {
	on := make(map[string]tenantRow)
	for _, id := range tx.SAPSystemsOf(db.ID) {
		system, err := tx.SAPSystem(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		on[system.Tenant] = tenantRow{
			System: page.Link{Name: system.SID, URL: "/sap_systems/" + string(id)}, Type: SystemType(system),
			Health: page.NewHealthMark("", system.Health, s.TimestampOf(system.StaleSince)),
		}
	}
	rows := make([]tenantRow, len(db.Tenants))
	for i, name := range db.Tenants {
		rows[i] = on[name]
		rows[i].Name = name
	}
	return rows, nil
}

// replicationSites groups the instances of a database by site: the primary
// first, then the others in order. rows are in the order of the instances.
func replicationSites(db *landscape.Database, rows []instanceRow) []systemSite {
	if !slices.ContainsFunc(db.Instances, isReplicated) {
		return []systemSite{{ID: "0", Rows: rows}}
	}
	members := make(map[string][]int)
	for i := range db.Instances {
		name := orEmpty(db.Instances[i].Site)
		members[name] = append(members[name], i)
	}
	speakers := make([]*landscape.DatabaseInstance, 0, len(members))
	for _, site := range members {
		speakers = append(speakers, siteRepresentative(db, site))
	}
	slices.SortFunc(speakers, func(a, b *landscape.DatabaseInstance) int {
		return cmp.Or(cmp.Compare(roleRank(a), roleRank(b)), cmp.Compare(tierRank(&a.Replication), tierRank(&b.Replication)), strings.Compare(orEmpty(a.Site), orEmpty(b.Site)))
	})
	sites := make([]systemSite, len(speakers))
	for n, speaks := range speakers {
		site := systemSite{ID: strconv.Itoa(n), Name: cmp.Or(orEmpty(speaks.Site), "Without a site"), Role: orEmpty(speaks.Role), Facts: replicationFacts(speaks), Stale: true}
		for _, i := range members[orEmpty(speaks.Site)] {
			site.Rows = append(site.Rows, rows[i])
			site.Stale = site.Stale && rows[i].Stale
		}
		sites[n] = site
	}
	return sites
}

// siteRepresentative returns the instance whose report is used to describe a
// site: one that is not silent, or else the one that has reported last.
func siteRepresentative(db *landscape.Database, site []int) *landscape.DatabaseInstance {
	best := &db.Instances[site[0]]
	for _, i := range site[1:] {
		other := &db.Instances[i]
		if best.StaleSince != nil && (other.StaleSince == nil || other.StaleSince.After(*best.StaleSince)) {
			best = other
		}
	}
	return best
}

func roleRank(i *landscape.DatabaseInstance) int {
	switch orEmpty(i.Role) {
	case landscape.PrimaryRole:
		return 0
	case landscape.SecondaryRole:
		return 1
	}
	return 2
}

func replicationFacts(i *landscape.DatabaseInstance) []page.Fact {
	tier := page.Fact{Label: "Tier"}
	if i.Tier != nil {
		tier.Text = strconv.Itoa(*i.Tier)
	}
	if roleRank(i) == 0 {
		mark := replicationHealth(orEmpty(i.ReplicationStatus))
		return []page.Fact{tier, {Label: "Status", Health: &mark}}
	}
	return []page.Fact{
		tier, {Label: "Replicating", Text: orEmpty(i.SourceSite)},
		{Label: "Replication Mode", Text: orEmpty(i.Mode)}, {Label: "Operation Mode", Text: orEmpty(i.OperationMode)},
	}
}

// replicationHealth returns the status of a system replication in the words of
// HANA.
func replicationHealth(status string) page.HealthMark {
	m := page.HealthMark{State: "unknown", Word: cmp.Or(status, "INACTIVE")}
	switch status {
	case "ACTIVE":
		m.State = "passing"
	case "ERROR":
		m.State = "critical"
	}
	m.Name = "Replication status: " + m.Word
	return m
}
