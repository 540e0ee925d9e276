package ui

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// databasesPage is the list of all HANA databases.
type databasesPage struct {
	tablePage
	Rows []databaseRow
}

type databaseRow struct {
	ID, Version string
	Health      healthMark
	SID         link
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

// databaseItem is a database in its list.
type databaseItem struct {
	*landscape.Database
	snapshot *snapshot
	tags     []string
}

// databasesTable is what can be done with the list of databases.
var databasesTable = table[*databaseItem]{
	path: "/databases", noun: "HANA database", items: databaseItems,
	columns: []column[*databaseItem]{
		healthColumn((*databaseItem).health),
		sidColumn(func(db *databaseItem) []string { return []string{db.SID} }),
		{
			key: "summary", label: "Summary", text: func(db *databaseItem) string { return db.summary() },
			compare: func(a, b *databaseItem) int { return cmp.Compare(len(a.Instances), len(b.Instances)) },
		},
		{key: "tenants", label: "Tenants", unshown: true, text: (*databaseItem).tenants},
		tagsColumn(func(db *databaseItem) []string { return db.tags }),
		idColumn(func(db *databaseItem) string { return string(db.ID) }),
	},
	flags: []flag[*databaseItem]{
		staleFlag(func(db *databaseItem) *time.Time { return db.StaleSince }),
		{key: "cleanup", label: "Needs clean-up", holds: (*databaseItem).absent},
	},
	health: (*databaseItem).health,
	urgent: func(a, b *databaseItem) int {
		return cmp.Compare(needRank(a.Health, a.StaleSince), needRank(b.Health, b.StaleSince))
	},
	tie: func(a, b *databaseItem) int {
		return cmp.Or(foldCompare(a.SID, b.SID), strings.Compare(string(a.ID), string(b.ID)))
	},
}

func (db *databaseItem) health() landscape.Health { return db.Health }

// tenants are the names of the tenants.
func (db *databaseItem) tenants() string { return strings.Join(db.Tenants, " ") }

// absent reports whether an instance can be cleaned up.
func (db *databaseItem) absent() bool {
	for i := range db.Instances {
		if db.Instances[i].AbsentSince != nil {
			return true
		}
	}
	return false
}

// summary counts the instances by their status.
func (db *databaseItem) summary() string {
	byHealth := map[landscape.Health]int{}
	for i := range db.Instances {
		byHealth[db.Instances[i].Status.Health()]++
	}
	text := fmt.Sprintf("%s: %d critical, %d warning, %d passing", count(len(db.Instances), "instance", "instances"),
		byHealth[landscape.HealthCritical], byHealth[landscape.HealthWarning], byHealth[landscape.HealthPassing])
	if n := byHealth[landscape.HealthUnknown]; n > 0 {
		text += fmt.Sprintf(", %d stopped", n)
	}
	return text
}

func databaseItems(v *snapshot) []*databaseItem {
	all := make([]*databaseItem, len(v.databases))
	for i, db := range v.databases {
		tags := v.tags[tagged{store.DatabaseTag, string(db.ID)}]
		all[i] = &databaseItem{Database: db, snapshot: v, tags: tags}
	}
	return all
}

// databases answers GET /databases.
func (s *server) databases(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	p := databasesPage{tablePage: newTablePage(s, r, &databasesTable, "HANA Databases")}
	all, err := view(s, &p.Frame, databasesTable.list)
	if err != nil {
		return err
	}
	page, c, ok, err := databasesTable.fillPage(s, w, r, &p.tablePage, all)
	if err != nil || !ok {
		return err
	}
	p.Suggestions = usedTags(all, func(db *databaseItem) []string { return db.tags })
	for _, db := range page {
		id := string(db.ID)
		row := databaseRow{
			ID: id, Version: version(db.UpdatedAt),
			Health: newHealthMark("", db.Health, s.timestampOf(db.StaleSince)), SID: linkToDatabase(db.Database), Summary: db.summary(),
			Stale: db.StaleSince != nil, Tags: newTagEditor(r, databaseTags, id, db.SID, db.tags),
			Turn: newTurn(c, databasesTable.path, id, db.SID),
		}
		if row.Turn.Open {
			row.Layers = []instanceTable{s.databaseInstanceTable(r, db.snapshot, db.Database, id, "Database Instances")}
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(w, r, http.StatusOK, pageDatabases, &p)
}

func newTurn(c listQuery, path, id, name string) turn {
	t := turn{ID: id, Label: "Instances of " + name}
	t.URL, t.Open = c.turned(path, id)
	return t
}
