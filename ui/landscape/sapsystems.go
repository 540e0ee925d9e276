package landscape

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// sapSystemsPage is the list of all SAP systems.
type sapSystemsPage struct {
	table.Page
	Rows []sapSystemRow
}

// Template implements page.Page.
func (*sapSystemsPage) Template() string { return "sapsystems" }

type sapSystemRow struct {
	ID, Version string
	Health      page.HealthMark
	SID         page.Link
	Database    page.Link
	Tenant      string
	Type        string
	DBAddress   string
	ENSA        string
	Stale       bool
	Tags        tagEditor
	Turn        turn
	Layers      []instanceTable // where the row is open
}

// SAPSystemItem is an SAP system in its list.
type SAPSystemItem struct {
	*landscape.SAPSystem
	snapshot *page.Snapshot
	Database page.Link
	Kind     string // "ABAP", "JAVA", ...
	Tags     []string
}

// SAPSystemsTable is what can be done with the list of SAP systems.
var SAPSystemsTable = table.Table[*SAPSystemItem]{
	Path: "/sap_systems", Noun: "SAP system", Items: sapSystemItems,
	Columns: []table.Column[*SAPSystemItem]{
		table.HealthColumn((*SAPSystemItem).health),
		table.SIDColumn(func(s *SAPSystemItem) []string { return []string{s.SID} }),
		{
			Key: "database", Label: "Attached RDBMS", Text: func(s *SAPSystemItem) string { return s.Database.Name },
			Facet: &table.Facet[*SAPSystemItem]{Value: func(s *SAPSystemItem) string { return s.Database.Name }},
		},
		{Key: "tenant", Label: "Tenant", Text: func(s *SAPSystemItem) string { return s.Tenant }},
		{
			Key: "type", Label: "Type", Text: func(s *SAPSystemItem) string { return s.Kind },
			Facet: &table.Facet[*SAPSystemItem]{Value: func(s *SAPSystemItem) string { return s.Kind }},
		},
		{Key: "db_address", Label: "DB Address", Text: func(s *SAPSystemItem) string { return s.DBHost }},
		{Key: "ensa", Label: "ENSA version", Text: func(s *SAPSystemItem) string { return ensa(s.ENSA) }},
		table.TagsColumn(func(s *SAPSystemItem) []string { return s.Tags }),
		table.IDColumn(func(s *SAPSystemItem) string { return string(s.ID) }),
	},
	Flags: []table.Flag[*SAPSystemItem]{
		table.StaleFlag(func(s *SAPSystemItem) *time.Time { return s.StaleSince }),
		{Key: "cleanup", Label: "Needs clean-up", Holds: (*SAPSystemItem).absent},
	},
	Health: (*SAPSystemItem).health,
	Urgent: func(a, b *SAPSystemItem) int {
		return cmp.Compare(table.NeedRank(a.Health, a.StaleSince), table.NeedRank(b.Health, b.StaleSince))
	},
	Tie: func(a, b *SAPSystemItem) int {
		return cmp.Or(table.FoldCompare(a.SID, b.SID), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (s *SAPSystemItem) health() landscape.Health { return s.Health }

// absent reports whether an application instance can be cleaned up.
func (s *SAPSystemItem) absent() bool {
	for i := range s.Instances {
		if s.Instances[i].AbsentSince != nil {
			return true
		}
	}
	return false
}

func sapSystemItems(v *page.Snapshot) []*SAPSystemItem {
	all := make([]*SAPSystemItem, len(v.Systems))
	for i, s := range v.Systems {
		tags := v.TagsOf(store.SAPSystemTag, string(s.ID))
		item := &SAPSystemItem{SAPSystem: s, snapshot: v, Tags: tags, Kind: SystemType(s)}
		if db := v.DatabaseByID[s.DatabaseID]; db != nil {
			item.Database = page.LinkToDatabase(db)
		}
		all[i] = item
	}
	return all
}

// showSAPSystems answers GET /sap_systems.
func (s *Pages) showSAPSystems(w http.ResponseWriter, r *http.Request) error {
	if table.Tidied(w, r) {
		return nil
	}
	p := sapSystemsPage{Page: table.NewPage(s.Console, r, &SAPSystemsTable, "SAP Systems")}
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, SAPSystemsTable.List)
	if err != nil {
		return err
	}
	onPage, c, ok, err := SAPSystemsTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = table.UsedTags(all, func(s *SAPSystemItem) []string { return s.Tags })
	for _, system := range onPage {
		p.Rows = append(p.Rows, s.newSAPSystemRow(r, c, system))
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func (s *Pages) newSAPSystemRow(r *http.Request, c table.ListQuery, system *SAPSystemItem) sapSystemRow {
	id := string(system.ID)
	row := sapSystemRow{
		ID: id, Version: table.Version(system.UpdatedAt),
		Health: page.NewHealthMark("", system.Health, s.TimestampOf(system.StaleSince)), SID: page.LinkToSAPSystem(system.SAPSystem),
		Database: system.Database, Tenant: system.Tenant, Type: system.Kind, DBAddress: system.DBHost, ENSA: ensa(system.ENSA),
		Stale: system.StaleSince != nil, Tags: newTagEditor(r, page.SAPSystemTags, id, system.SID, system.Tags),
		Turn: newTurn(c, SAPSystemsTable.Path, id, system.SID),
	}
	if row.Turn.Open {
		row.Layers = []instanceTable{s.applicationInstanceTable(r, system.snapshot, system.SAPSystem)}
		if db := system.snapshot.DatabaseByID[system.DatabaseID]; db != nil {
			row.Layers = append(row.Layers, s.databaseInstanceTable(r, system.snapshot, db, id, "Database Layer"))
		}
	}
	return row
}
