package landscape

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// databasesPage is the list of all HANA databases.
type databasesPage struct {
	table.Page
	Rows []databaseRow
}

// Template implements page.Page.
func (*databasesPage) Template() string { return "databases" }

type databaseRow struct {
	ID, Version string
	Health      page.HealthMark
	SID         page.Link
	Summary     string
	Stale       bool
	Tags        tagEditor
	Turn        turn
	Layers      []instanceTable // where the row is open
}

// turn opens a row of a table, or shuts it.
type turn struct {
	ID, URL, Label string
	Open           bool
}

// DatabaseItem is a database in its list.
type DatabaseItem struct {
	*landscape.Database
	snapshot *page.Snapshot
	Tags     []string
}

// DatabasesTable is what can be done with the list of databases.
var DatabasesTable = table.Table[*DatabaseItem]{
	Path: "/databases", Noun: "HANA database", Items: databaseItems,
	Columns: []table.Column[*DatabaseItem]{
		table.HealthColumn((*DatabaseItem).health),
		table.SIDColumn(func(db *DatabaseItem) []string { return []string{db.SID} }),
		{
			Key: "summary", Label: "Summary", Text: func(db *DatabaseItem) string { return db.Summary() },
			Compare: func(a, b *DatabaseItem) int { return cmp.Compare(len(a.Instances), len(b.Instances)) },
		},
		{Key: "tenants", Label: "Tenants", Hidden: true, Text: (*DatabaseItem).tenants},
		table.TagsColumn(func(db *DatabaseItem) []string { return db.Tags }),
		table.IDColumn(func(db *DatabaseItem) string { return string(db.ID) }),
	},
	Flags: []table.Flag[*DatabaseItem]{
		table.StaleFlag(func(db *DatabaseItem) *time.Time { return db.StaleSince }),
		{Key: "cleanup", Label: "Needs clean-up", Holds: (*DatabaseItem).absent},
	},
	Health: (*DatabaseItem).health,
	Urgent: func(a, b *DatabaseItem) int {
		return cmp.Compare(table.NeedRank(a.Health, a.StaleSince), table.NeedRank(b.Health, b.StaleSince))
	},
	Tie: func(a, b *DatabaseItem) int {
		return cmp.Or(table.FoldCompare(a.SID, b.SID), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (db *DatabaseItem) health() landscape.Health { return db.Health }

// tenants are the names of the tenants.
func (db *DatabaseItem) tenants() string { return strings.Join(db.Tenants, " ") }

// absent reports whether an instance can be cleaned up.
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
		tags := v.TagsOf(store.DatabaseTag, string(db.ID))
		all[i] = &DatabaseItem{Database: db, snapshot: v, Tags: tags}
	}
	return all
}

// showDatabases answers GET /databases.
func (s *Pages) showDatabases(w http.ResponseWriter, r *http.Request) error {
	if table.Tidied(w, r) {
		return nil
	}
	p := databasesPage{Page: table.NewPage(s.Console, r, &DatabasesTable, "HANA Databases")}
	all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, DatabasesTable.List)
	if err != nil {
		return err
	}
	onPage, c, ok, err := DatabasesTable.FillPage(s.Console, w, r, &p.Page, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = table.UsedTags(all, func(db *DatabaseItem) []string { return db.Tags })
	for _, db := range onPage {
		id := string(db.ID)
		row := databaseRow{
			ID: id, Version: table.Version(db.UpdatedAt),
			Health: page.NewHealthMark("", db.Health, s.TimestampOf(db.StaleSince)), SID: page.LinkToDatabase(db.Database), Summary: db.Summary(),
			Stale: db.StaleSince != nil, Tags: newTagEditor(r, page.DatabaseTags, id, db.SID, db.Tags),
			Turn: newTurn(c, DatabasesTable.Path, id, db.SID),
		}
		if row.Turn.Open {
			row.Layers = []instanceTable{s.databaseInstanceTable(r, db.snapshot, db.Database, id, "Database Instances")}
		}
		p.Rows = append(p.Rows, row)
	}
	return s.Render(w, r, http.StatusOK, &p)
}

func newTurn(c table.ListQuery, path, id, name string) turn {
	t := turn{ID: id, Label: "Instances of " + name}
	t.URL, t.Open = c.Turned(path, id)
	return t
}
