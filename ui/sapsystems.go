package ui

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// sapSystemsPage is the list of all SAP systems.
type sapSystemsPage struct {
	tablePage
	Rows []sapSystemRow
}

type sapSystemRow struct {
	ID, Version string
	Health      healthMark
	SID         link
	Database    link
	Tenant      string
	Type        string
	DBAddress   string
	ENSA        string
	Stale       bool
	Tags        tagEditor
	Turn        turn
	Layers      []instanceTable // where the row is open
}

// sapSystemItem is an SAP system in its list.
type sapSystemItem struct {
	*landscape.SAPSystem
	snapshot *snapshot
	database link
	kind     string // "ABAP", "JAVA", ...
	tags     []string
}

// sapSystemsTable is what can be done with the list of SAP systems.
var sapSystemsTable = table[*sapSystemItem]{
	path: "/sap_systems", noun: "SAP system", items: sapSystemItems,
	columns: []column[*sapSystemItem]{
		healthColumn((*sapSystemItem).health),
		sidColumn(func(s *sapSystemItem) []string { return []string{s.SID} }),
		{
			key: "database", label: "Attached RDBMS", text: func(s *sapSystemItem) string { return s.database.Name },
			facet: &facetOf[*sapSystemItem]{value: func(s *sapSystemItem) string { return s.database.Name }},
		},
		{key: "tenant", label: "Tenant", text: func(s *sapSystemItem) string { return s.Tenant }},
		{
			key: "type", label: "Type", text: func(s *sapSystemItem) string { return s.kind },
			facet: &facetOf[*sapSystemItem]{value: func(s *sapSystemItem) string { return s.kind }},
		},
		{key: "db_address", label: "DB Address", text: func(s *sapSystemItem) string { return s.DBHost }},
		{key: "ensa", label: "ENSA version", text: func(s *sapSystemItem) string { return ensa(s.ENSA) }},
		tagsColumn(func(s *sapSystemItem) []string { return s.tags }),
		idColumn(func(s *sapSystemItem) string { return string(s.ID) }),
	},
	flags: []flag[*sapSystemItem]{
		staleFlag(func(s *sapSystemItem) *time.Time { return s.StaleSince }),
		{key: "cleanup", label: "Needs clean-up", holds: (*sapSystemItem).absent},
	},
	health: (*sapSystemItem).health,
	urgent: func(a, b *sapSystemItem) int {
		return cmp.Compare(needRank(a.Health, a.StaleSince), needRank(b.Health, b.StaleSince))
	},
	tie: func(a, b *sapSystemItem) int {
		return cmp.Or(foldCompare(a.SID, b.SID), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (s *sapSystemItem) health() landscape.Health { return s.Health }

// absent reports whether an application instance can be cleaned up.
func (s *sapSystemItem) absent() bool {
	for i := range s.Instances {
		if s.Instances[i].AbsentSince != nil {
			return true
		}
	}
	return false
}

func sapSystemItems(v *snapshot) []*sapSystemItem {
	all := make([]*sapSystemItem, len(v.systems))
	for i, s := range v.systems {
		tags := v.tags[tagged{store.SAPSystemTag, string(s.ID)}]
		item := &sapSystemItem{SAPSystem: s, snapshot: v, tags: tags, kind: systemType(s)}
		if db := v.databaseByID[s.DatabaseID]; db != nil {
			item.database = linkToDatabase(db)
		}
		all[i] = item
	}
	return all
}

// sapSystems answers GET /sap_systems.
func (s *server) sapSystems(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := sapSystemsPage{tablePage: newTablePage(s, r, &sapSystemsTable, "SAP Systems")}
	all, err := view(s, &p.Frame, sapSystemsTable.list)
	if err != nil {
		return err
	}
	page, c, ok, err := sapSystemsTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = usedTags(all, func(s *sapSystemItem) []string { return s.tags })
	for _, system := range page {
		p.Rows = append(p.Rows, s.newSAPSystemRow(r, c, system))
	}
	return s.render(w, r, http.StatusOK, pageSAPSystems, &p)
}

func (s *server) newSAPSystemRow(r *http.Request, c listQuery, system *sapSystemItem) sapSystemRow {
	id := string(system.ID)
	row := sapSystemRow{
		ID: id, Version: version(system.UpdatedAt),
		Health: newHealthMark("", system.Health, s.timestampOf(system.StaleSince)), SID: linkToSAPSystem(system.SAPSystem),
		Database: system.database, Tenant: system.Tenant, Type: system.kind, DBAddress: system.DBHost, ENSA: ensa(system.ENSA),
		Stale: system.StaleSince != nil, Tags: newTagEditor(r, sapSystemTags, id, system.SID, system.tags),
		Turn: newTurn(c, sapSystemsTable.path, id, system.SID),
	}
	if row.Turn.Open {
		row.Layers = []instanceTable{s.applicationInstanceTable(r, system.snapshot, system.SAPSystem)}
		if db := system.snapshot.databaseByID[system.DatabaseID]; db != nil {
			row.Layers = append(row.Layers, s.databaseInstanceTable(r, system.snapshot, db, id, "Database Layer"))
		}
	}
	return row
}
