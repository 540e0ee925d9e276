package landscape

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
)

// showSAPSystem answers GET /sap_systems/{id}.
func (s *Pages) showSAPSystem(w http.ResponseWriter, r *http.Request) error {
	return s.renderSAPSystem(w, r, http.StatusOK, nil)
}

// renderSAPSystem shows an SAP system, and a dialog if one is open.
func (s *Pages) renderSAPSystem(w http.ResponseWriter, r *http.Request, status int, dialog *cleanupDialog) error {
	id := landscape.SAPSystemID(strings.ToLower(page.PathVar(r, "id")))
	p := systemPage{Frame: s.NewFrame(r, ""), Back: page.ActionLink{Label: "Back to SAP Systems", URL: "/sap_systems"}, Cleanup: dialog}
	err := s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
		system, err := tx.SAPSystem(id)
		if err != nil {
			return err
		}
		p.Title = system.SID + " – SAP Systems"
		if err := s.describeSAPSystem(tx, p.Reader, &p, system); err != nil {
			return err
		}
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		d := s.newDrawer(v)
		p.Drawing = d.drawSAPSystem(system)
		p.Live = d.withTopics(p.Live)
		if p.Tags, err = s.newTagPanel(tx, p.Reader, page.SAPSystemTags, string(id), system.SID); err != nil {
			return err
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	if p.History, err = s.readHealthHistory(r.Context(), r.URL.Query(), activity.SAPSystemThing, "SAP system", "/sap_systems/"+string(id), string(id)); err != nil {
		return err
	}
	if p.Activity, err = s.readRecentLog(r.Context(), p.Reader, "SAP system", string(id)); err != nil {
		return err
	}
	return s.Render(w, r, status, &p)
}

func (s *Pages) describeSAPSystem(tx *store.Tx, reader page.Reader, p *systemPage, system *landscape.SAPSystem) error {
	p.describeSystem(kindSAPSystem, system.SID, system.Health, s.TimestampOf(system.StaleSince))
	known, ids := hostCache{}, make([]landscape.HostID, len(system.Instances))
	var rows []instanceRow
	for i := range system.Instances {
		ids[i] = system.Instances[i].HostID
		host, err := known.get(tx, ids[i])
		if err != nil {
			return err
		}
		rows = append(rows, s.newApplicationInstanceRow(reader, system.ID, &system.Instances[i], host))
	}
	p.Live = liveTopics("sap_system", string(system.ID), ids) + " database:" + string(system.DatabaseID)
	p.Sites = []systemSite{{ID: "0", Rows: rows}}
	db, err := registeredDatabase(tx, system.DatabaseID)
	if err != nil {
		return err
	}
	database := page.Link{Name: string(system.DatabaseID), Gone: "HANA database currently not registered"}
	if db != nil {
		database = page.LinkToDatabase(db)
	}
	p.Reason = s.healthReason(tx, system.Thing(), system.Health, system.Reasons(db))
	health := page.NewHealthMark("Database", system.DatabaseHealth, s.TimestampOf(system.DatabaseStaleSince))
	p.Facts = []page.Fact{
		{Label: "Name", Text: system.SID},
		{Label: "Database", Links: []page.Link{database}},
		{Label: "Database health", Health: &health},
		{Label: "Tenant", Text: system.Tenant},
		{Label: "Database address", Text: system.DBHost},
		{Label: "Type", Text: SystemType(system)},
		{Label: "ENSA version", Text: ensaText(system.ENSA)},
		s.TimestampFact("Registered", system.RegisteredAt),
		s.TimestampFact("Last change", system.UpdatedAt),
		{Label: "SAP system ID", Text: string(system.ID), Mono: true, Wide: true},
	}
	if p.Hosts, err = s.hostLines(tx, ids); err != nil {
		return err
	}
	p.StaleBanner = staleBanner("SAP system", s.TimestampOf(system.StaleSince), anySilent(p.Hosts))
	own := slices.ContainsFunc(system.Instances, func(i landscape.ApplicationInstance) bool { return i.StaleSince != nil })
	if since := s.TimestampOf(system.DatabaseStaleSince); !own && !since.IsZero() {
		p.StaleBanner = fmt.Sprintf("What is known of its database is out of date since %s. The page of the database says why.", since.Text())
	}
	return nil
}

// registeredDatabase returns the database with an id; nil if it is not
// registered.
func registeredDatabase(tx *store.Tx, id landscape.DatabaseID) (*landscape.Database, error) {
	db, err := tx.Database(id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return db, err
}

// SystemType returns the type of an SAP system, from the features of its
// instances.
func SystemType(system *landscape.SAPSystem) string {
	var types []string
	for i := range system.Instances {
		for _, feature := range splitFeatures(system.Instances[i].Features) {
			switch feature {
			case "ABAP":
				types = append(types, "ABAP")
			case "J2EE":
				types = append(types, "JAVA")
			}
		}
	}
	slices.Sort(types)
	return strings.Join(slices.Compact(types), "+")
}

func ensaText(version landscape.ENSAVersion) string {
	if version == landscape.NoENSA {
		return ""
	}
	return strings.ToUpper(string(version))
}
