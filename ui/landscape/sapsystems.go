package landscape

import (
	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// SAPSystemItem is an SAP system in its list.
type SAPSystemItem struct {
	*landscape.SAPSystem
	itemFields
	snapshot *page.Snapshot
	Database page.Link
	Kind     string // "ABAP", "JAVA", ...
}

// SAPSystemsTable declares the list of SAP systems.
var SAPSystemsTable = newTable("/sap_systems", "SAP system", sapSystemItems, []table.Column[*SAPSystemItem]{
	table.NamingColumn(table.SIDColumn(func(s *SAPSystemItem) []string { return []string{s.SID} })),
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
	{Key: "ensa", Label: "ENSA version", Text: func(s *SAPSystemItem) string { return ensaText(s.ENSA) }},
}, cleanupFlag((*SAPSystemItem).absent))

var sapSystemList = listDefinition[*SAPSystemItem]{
	table: &SAPSystemsTable, title: "SAP Systems", class: "sap-systems", kind: page.SAPSystemTags,
	peek: (*Pages).peekSAPSystem,
	cells: func(_ *Pages, s *SAPSystemItem) map[string]cell {
		return map[string]cell{"sid": newValues(page.LinkToSAPSystem(s.SAPSystem)), "database": newValues(s.Database)}
	},
	instanceTables: func(s *Pages, reader page.Reader, system *SAPSystemItem) []instanceTable {
		all := []instanceTable{s.applicationInstanceTable(reader, system.snapshot, system.SAPSystem)}
		if db := system.snapshot.DatabaseByID[system.DatabaseID]; db != nil {
			all = append(all, s.databaseInstanceTable(reader, system.snapshot, db, system.id, "Database Layer"))
		}
		return all
	},
}

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
		item := &SAPSystemItem{SAPSystem: s, snapshot: v, Kind: SystemType(s)}
		item.itemFields = newItemFields(string(s.ID), s.SID, s.Health, s.StaleSince, s.UpdatedAt, v.TagsOf(store.SAPSystemTag, string(s.ID)))
		item.reason = s.Reasons(v.DatabaseByID[s.DatabaseID]).Text()
		if db := v.DatabaseByID[s.DatabaseID]; db != nil {
			item.Database = page.LinkToDatabase(db)
		}
		all[i] = item
	}
	return all
}
