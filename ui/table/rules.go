package table

import (
	"fmt"
	"slices"
	"strings"

	"trento/store"
	"trento/ui/api"
	"trento/ui/page"
)

// Rules returns the filters and orders of a table for the list of the API with
// the same things. read returns all things.
func Rules[T any](o *Table[T], read func(*store.Tx) ([]T, error)) *api.ListRules {
	rules := &api.ListRules{Filters: make(map[string]api.ListFilter)}
	for _, col := range o.Columns {
		rules.Orders = append(rules.Orders, col.Key)
		if col.Facet != nil {
			rules.Filters[col.Key] = api.ListFilter{Known: col.Facet.Known}
		}
	}
	for _, f := range o.Flags {
		rules.Filters[f.Key] = api.ListFilter{IsFlag: true}
	}
	rules.Select = func(tx *store.Tx, s api.Selection) (map[string][]string, error) {
		all, err := read(tx)
		if err != nil {
			return nil, err
		}
		return o.selectIDs(all, s), nil
	}
	return rules
}

// LandscapeRules is Rules for the things of a landscape.
func LandscapeRules[T any](s *page.Console, o *Table[T]) *api.ListRules {
	return Rules(o, func(tx *store.Tx) ([]T, error) {
		v, err := s.Snapshot(tx)
		if err != nil {
			return nil, err
		}
		return o.List(v), nil
	})
}

// selectIDs returns the ids of the things that pass, each with its texts for the
// wanted orders.
func (o *Table[T]) selectIDs(all []T, s api.Selection) map[string][]string {
	words := strings.Fields(strings.ToLower(s.Words))
	var orders []*Column[T]
	for _, name := range s.Orders {
		i := slices.IndexFunc(o.Columns, func(col Column[T]) bool { return col.Key == name })
		orders = append(orders, &o.Columns[i])
	}
	query := ListQuery{facets: make(map[string][]string)}
	for _, col := range o.Columns {
		if wanted := s.Filters[col.Key]; col.Facet != nil && wanted != nil {
			query.facets[col.Key] = wanted
		}
	}
	selected := make(map[string][]string, len(all))
	for _, thing := range all {
		if refusals, _ := o.failedFilters(thing, query); refusals > 0 || !o.passesFlags(thing, s.Filters) || !o.Contains(thing, words) {
			continue
		}
		keys := make([]string, len(orders), len(orders)+1)
		for i, col := range orders {
			keys[i] = col.order(thing)
		}
		selected[o.ID(thing)] = keys
	}
	return selected
}

// passesFlags reports whether the flags of a thing are among the wanted ones:
// "true", "false" or both.
func (o *Table[T]) passesFlags(thing T, filters map[string][]string) bool {
	for _, f := range o.Flags {
		if wanted := filters[f.Key]; wanted != nil && !slices.Contains(wanted, fmt.Sprint(f.Holds(thing))) {
			return false
		}
	}
	return true
}
