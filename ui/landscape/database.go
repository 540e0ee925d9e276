package landscape

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"trento/store"
	"trento/store/activity"
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
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		d := s.newDrawer(v)
		p.Drawing = d.drawDatabase(db)
		p.Replication = d.replicationPanel(landscape.ReplicationChainOf(db.Instances, d.clustersOfDatabase(db)...))
		p.Live = d.withTopics(p.Live)
		if p.Tags, err = s.newTagPanel(tx, p.Reader, page.DatabaseTags, string(id), db.SID); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.History, err = s.readHealthHistory(r.Context(), r.URL.Query(), activity.DatabaseThing, "database", "/databases/"+string(id), string(id)); err != nil {
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
	p.Reason = s.healthReason(tx, db.Thing(), db.Health, db.Reasons())
	p.Sites = replicationSites(db, landscape.ReplicationChainOf(db.Instances), rows)
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

func isReplicated(i landscape.DatabaseInstance) bool { return i.IsReplicated() }

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

// replicationSites groups the instances of a database by site, in the order of
// the replication. rows are in the order of the instances.
func replicationSites(db *landscape.Database, chain landscape.ReplicationChain, rows []instanceRow) []systemSite {
	if !chain.IsReplicated() {
		return []systemSite{{ID: "0", Rows: rows}}
	}
	var sites []systemSite
	for n := range chain.Sites {
		s := &chain.Sites[n]
		if s.Spokesman == nil {
			continue // no agent reports from there
		}
		site := systemSite{ID: strconv.Itoa(len(sites)), Name: cmp.Or(s.Name, "Without a site"), Role: s.Role, Facts: replicationFacts(s.Spokesman), Stale: true}
		for i := range db.Instances {
			if orEmpty(db.Instances[i].Site) == s.Name {
				site.Rows = append(site.Rows, rows[i])
				site.Stale = site.Stale && rows[i].Stale
			}
		}
		sites = append(sites, site)
	}
	return sites
}

func replicationFacts(i *landscape.DatabaseInstance) []page.Fact {
	tier := page.Fact{Label: "Tier"}
	if i.Tier != nil {
		tier.Text = strconv.Itoa(*i.Tier)
	}
	if orEmpty(i.Role) == landscape.PrimaryRole {
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
