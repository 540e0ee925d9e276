package table

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The following functions return texts whose byte order is the order of a
// column. A text can be remembered, so a program can go on with a list where it
// stopped, even if the thing at that place is gone.

// OrderOfText orders texts, ignoring case.
func OrderOfText(text string) string { return strings.ToLower(text) + "\x00" + text }

// OrderOfNumber orders numbers.
func OrderOfNumber(n int) string { return fmt.Sprintf("%016x", uint64(n)^1<<63) }

// OrderOfTime orders times, to the microsecond. The zero time comes first.
func OrderOfTime(t time.Time) string { return OrderOfNumber(int(t.UnixMicro())) }

// order returns the text by which a column orders a thing.
func (col *Column[T]) order(thing T) string {
	if col.Order != nil {
		return col.Order(thing)
	}
	return OrderOfText(col.Text(thing))
}

// sort sorts things in the order of a query.
func (o *Table[T]) sort(things []T, c ListQuery) {
	i := slices.IndexFunc(o.Columns, func(col Column[T]) bool { return col.Key == c.sort })
	if i < 0 {
		slices.SortFunc(things, func(a, b T) int {
			if order := o.Urgent(a, b); order != 0 {
				return order
			}
			return o.Tie(a, b)
		})
		return
	}
	type keyed struct {
		thing T
		key   string
	}
	all := make([]keyed, len(things))
	for j, thing := range things {
		all[j] = keyed{thing, o.Columns[i].order(thing)}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		order := strings.Compare(a.key, b.key)
		if c.reverse {
			order = -order
		}
		if order != 0 {
			return order
		}
		return o.Tie(a.thing, b.thing)
	})
	for j := range all {
		things[j] = all[j].thing
	}
}
