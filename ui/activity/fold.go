package activity

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"

	"trento/store/activity"
	"trento/ui/page"
)

// foldMark is the part of a row that stands for several entries: how many
// others there are, and the link that shows or hides them.
type foldMark struct {
	Others int
	URL    string
	Open   bool
}

// dayMark stands between the entries of two days. Its link leads to the entries
// of the day.
type dayMark struct{ ID, Words, URL string }

// foldEntries groups the entries of a page that have a correlation id in common.
// The groups are in the order of their newest entries. In a group, the root comes
// first: the most severe entry, and of several the oldest. The others follow,
// newest first.
//
// Pages are cut by entries and not by groups, so that they begin and end where
// their addresses say, and every entry is on one page. A group that is longer
// than a page is therefore continued on the next one.
func foldEntries(entries []*activity.Entry) [][]*activity.Entry {
	var groups [][]*activity.Entry
	place := make(map[string]int)
	for _, e := range entries {
		id := e.CorrelationID()
		if at, known := place[id]; known && id != "" {
			groups[at] = append(groups[at], e)
			continue
		}
		place[id] = len(groups)
		groups = append(groups, []*activity.Entry{e})
	}
	for _, group := range groups {
		root := 0
		for i, e := range group {
			if e.Severity >= group[root].Severity {
				root = i
			}
		}
		first := group[root]
		copy(group[1:root+1], group[:root])
		group[0] = first
	}
	return groups
}

// newRows returns the rows of the found entries, with marks between days.
// Entries that belong together are one row unless the query opens it, or wants
// one row for each entry.
func (s *Pages) newRows(v Viewer, entries []*activity.Entry, q logQuery, known pageFinder) []EntryRow {
	groups := make([][]*activity.Entry, len(entries))
	for i := range entries {
		groups[i] = entries[i : i+1]
	}
	if !q.unfolded {
		groups = foldEntries(entries)
	}
	var rows []EntryRow
	day := ""
	for _, group := range groups {
		newest := slices.MaxFunc(group, func(a, b *activity.Entry) int { return cmp.Compare(a.Position, b.Position) }).OccurredOn().UTC()
		root := s.NewEntryRow(v, group[0], q.values(), known)
		if id := newest.Format(time.DateOnly); id != day {
			day, root.Day = id, newDayMark(newest, q)
		}
		if others := len(group) - 1; others > 0 {
			id := group[0].CorrelationID()
			root.Fold = &foldMark{Others: others, Open: slices.Contains(q.openGroups, id), URL: q.toggleURL(id)}
		}
		rows = append(rows, root)
		if root.Fold == nil || !root.Fold.Open {
			continue
		}
		for _, e := range group[1:] {
			row := s.NewEntryRow(v, e, q.values(), known)
			row.Inside = true
			rows = append(rows, row)
		}
	}
	return rows
}

func newDayMark(at time.Time, q logQuery) *dayMark {
	begin := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	query := q.fromNewest()
	query.from, query.to = dateChoice{custom: begin}, dateChoice{custom: begin.AddDate(0, 0, 1).Add(-time.Millisecond)}
	return &dayMark{ID: begin.Format(time.DateOnly), Words: begin.Format("Monday, 2 January 2006"), URL: page.WithQuery("/activity_log", query.values())}
}

// maxOpen is the largest number of rows that an address opens.
const maxOpen = 20

// toggleURL returns the address that opens the row of a correlation id, or
// closes it if it is open.
func (l logQuery) toggleURL(id string) string {
	if slices.Contains(l.openGroups, id) {
		l.openGroups = withoutValue(l.openGroups, id)
	} else {
		l.openGroups = append(slices.Clone(l.openGroups), id)
		l.openGroups = l.openGroups[max(0, len(l.openGroups)-maxOpen):]
	}
	return page.WithQuery("/activity_log", l.values())
}

// foldURL returns the address that shows one row for each entry, or that folds
// the entries again.
func (l logQuery) foldURL() string {
	l.unfolded, l.openGroups = !l.unfolded, nil
	return page.WithQuery("/activity_log", l.values())
}

// foldedRange adds to the range of a page how many rows its entries are, if they
// are fewer.
func foldedRange(text string, entries, groups int) string {
	if groups == entries {
		return text
	}
	return fmt.Sprintf("%s, in %s", text, page.Count(groups, "row", "rows"))
}

// openRows reads which rows an address opens.
func openRows(q url.Values) []string {
	open := slices.DeleteFunc(slices.Clone(q["open"]), func(id string) bool { return id == "" || len(id) > 64 })
	return open[:min(len(open), maxOpen)]
}
