package landscape

import (
	"fmt"
	"strings"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// DatabaseItem is a database in its list.
type DatabaseItem struct {
	*landscape.Database
	itemFields
	snapshot *page.Snapshot
}

// DatabasesTable declares the list of databases.
var DatabasesTable = newTable("/databases", "HANA database", databaseItems, []table.Column[*DatabaseItem]{
	table.NamingColumn(table.SIDColumn(func(db *DatabaseItem) []string { return []string{db.SID} })),
	{
		Key: "summary", Label: "Summary", Text: func(db *DatabaseItem) string { return db.Summary() },
		Order: func(db *DatabaseItem) string { return table.OrderOfNumber(len(db.Instances)) },
	},
	{Key: "tenants", Label: "Tenants", Hidden: true, Text: (*DatabaseItem).tenants},
}, cleanupFlag((*DatabaseItem).absent))

var databaseList = listDefinition[*DatabaseItem]{
	table: &DatabasesTable, title: "HANA Databases", class: "databases", kind: page.DatabaseTags,
	peek: (*Pages).peekDatabase,
	cells: func(_ *Pages, db *DatabaseItem) map[string]cell {
		return map[string]cell{"sid": newValues(page.LinkToDatabase(db.Database))}
	},
	instanceTables: func(s *Pages, reader page.Reader, db *DatabaseItem) []instanceTable {
		return []instanceTable{s.databaseInstanceTable(reader, db.snapshot, db.Database, db.id, "Database Instances")}
	},
}

// tenants returns the names of the tenants.
func (db *DatabaseItem) tenants() string { return strings.Join(db.Tenants, " ") }

// absent reports whether an instance is absent and can be cleaned up.
func (db *DatabaseItem) absent() bool {
	for i := range db.Instances {
		if db.Instances[i].AbsentSince != nil {
			return true
		}
	}
	return false
}

// Summary counts the instances by their status.
func (db *DatabaseItem) Summary() string {
	byHealth := map[landscape.Health]int{}
	for i := range db.Instances {
		byHealth[db.Instances[i].Status.Health()]++
	}
	text := fmt.Sprintf("%s: %d critical, %d warning, %d passing", page.Count(len(db.Instances), "instance", "instances"),
		byHealth[landscape.HealthCritical], byHealth[landscape.HealthWarning], byHealth[landscape.HealthPassing])
	if n := byHealth[landscape.HealthUnknown]; n > 0 {
		text += fmt.Sprintf(", %d stopped", n)
	}
	return text
}

func databaseItems(v *page.Snapshot) []*DatabaseItem {
	all := make([]*DatabaseItem, len(v.Databases))
	for i, db := range v.Databases {
		item := &DatabaseItem{Database: db, snapshot: v}
		item.itemFields = newItemFields(string(db.ID), db.SID, db.Health, db.StaleSince, db.UpdatedAt, v.TagsOf(store.DatabaseTag, string(db.ID)))
		item.reason = db.Reasons().Text()
		all[i] = item
	}
	return all
}
