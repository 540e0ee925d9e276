package ui

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
)

// tablePage is what the pages of all tables have in common.
type tablePage struct {
	Frame
	Heading     string
	Noun        string // what one of the things is called
	Path        string
	Total       int // registered things, whatever the filters
	Counters    []counter
	List        tableView
	Connect     connection // for the one who has nothing yet
	Suggestions []string   // tags
	Views       viewMenu
}

// counter is the number of things of one health; it links to their list.
type counter struct {
	State, Icon, Label, URL string
	Count                   int
	Chosen                  bool
}

// defaultSize is how many rows a page has where nobody said otherwise.
const defaultSize = 10

// list is all the things of a table, the most urgent first. It is made
// once for a snapshot and must not be modified.
func (o *table[T]) list(v *snapshot) []T {
	if made, ok := v.lists.Load(o.path); ok {
		return made.([]T)
	}
	all := o.items(v)
	slices.SortFunc(all, o.comparison(listQuery{}))
	v.lists.Store(o.path, all)
	return all
}

// view reads the landscape and what a table shows of it. The frame of the
// page, if there is one, is as new.
func view[T any](s *server, f *Frame, read func(*snapshot) []T) (all []T, err error) {
	err = s.options.Store.View(func(tx *store.Tx) error {
		v, err := s.snapshot(tx)
		if err != nil {
			return err
		}
		if f != nil {
			f.Seq = v.seq
			f.countTrouble(v)
		}
		all = read(v)
		return nil
	})
	return all, err
}

// newTablePage begins the page of a table.
func newTablePage[T any](s *server, r *http.Request, o *table[T], title string) tablePage {
	p := tablePage{Frame: s.newFrame(r, title), Heading: title, Noun: o.noun, Path: o.path, Connect: s.connection(r)}
	p.Live = "host cluster database sap_system tags"
	return p
}

// fillPage puts into a page what of all things the request asks for, and
// returns those to be shown. It reports false where it has answered the
// request itself, with the address of another page.
func (o *table[T]) fillPage(s *server, w http.ResponseWriter, r *http.Request, p *tablePage, all []T) (page []T, c listQuery, ok bool, err error) {
	section := strings.Trim(o.path, "/")
	c = o.parse(r.URL.Query(), pageSize(r, section, defaultSize))
	p.Total, p.Counters = len(all), o.counters(all, c)
	chosen := o.choose(all, c)
	page, number := chosen.page(c)
	if number != c.page {
		http.Redirect(w, r, c.address(o.path, func(c *listQuery) { c.page = number }), http.StatusSeeOther)
		return nil, c, false, nil
	}
	if c.sized {
		s.rememberSize(w, r, section, defaultSize, c.size)
	}
	p.List = o.listing(c, chosen)
	saved := c
	saved.page, saved.open = 1, nil
	return page, c, true, p.fillViews(s, r, saved.query())
}

// counters count all things: the filters do not change the numbers, which so
// always tell how the landscape is.
func (o *table[T]) counters(all []T, c listQuery) []counter {
	byHealth, byFlag := map[landscape.Health]int{}, make([]int, len(o.flags))
	for _, thing := range all {
		byHealth[shown(o.health(thing))]++
		for i, f := range o.flags {
			if f.icon != "" && f.holds(thing) {
				byFlag[i]++
			}
		}
	}
	counters := make([]counter, 0, len(healthWords)+1)
	for _, word := range healthWords {
		value := string(word.health)
		counters = append(counters, counter{
			State: value, Icon: value, Label: word.word, Count: byHealth[word.health],
			Chosen: slices.Contains(c.facets["health"], value),
			URL:    c.address(o.path, c.toggled("health", value)),
		})
	}
	for i, f := range o.flags {
		if f.icon != "" {
			counters = append(counters, counter{State: f.key, Icon: f.icon, Label: f.label, Count: byFlag[i], Chosen: c.flags[f.key], URL: c.address(o.path, c.flagged(f.key))})
		}
	}
	return counters
}

// exported answers a request for the CSV of a table: the list with the
// same filters, whole.
func exported[T any](s *server, o *table[T]) func(http.ResponseWriter, *http.Request) error {
	return exportedFrom(s, o, func() ([]T, error) { return view(s, nil, o.list) })
}

// exportedFrom is exported of things that are no part of the landscape.
func exportedFrom[T any](s *server, o *table[T], read func() ([]T, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := read()
		if err != nil {
			return err
		}
		chosen := o.choose(all, o.parse(r.URL.Query(), defaultSize))
		var body bytes.Buffer
		if err := o.writeCSV(&body, chosen.things, asksByteOrderMark(r.URL.Query())); err != nil {
			return err
		}
		return s.sendCSV(w, r, strings.TrimPrefix(o.export(), "/"), body.Bytes())
	}
}

// healthColumn is the health of things, which every table begins with.
func healthColumn[T any](health func(T) landscape.Health) column[T] {
	return column[T]{
		key: "health", label: "Health",
		text:    func(thing T) string { return healthWord(health(thing)) },
		compare: func(a, b T) int { return healthRank(health(a)) - healthRank(health(b)) },
		facet: &facetOf[T]{
			value: func(thing T) string { return string(shown(health(thing))) },
			label: func(v string) string { return healthWord(landscape.Health(v)) },
			mark:  true,
			compare: func(a, b string) int {
				return healthRank(landscape.Health(a)) - healthRank(landscape.Health(b))
			},
		},
	}
}

// tagsColumn is the tags of things.
func tagsColumn[T any](tags func(T) []string) column[T] {
	return column[T]{
		key: "tags", label: "Tags",
		text:  func(thing T) string { return strings.Join(tags(thing), " ") },
		facet: &facetOf[T]{values: tags},
	}
}

// sidColumn is the names of systems that things have to do with.
func sidColumn[T any](sids func(T) []string) column[T] {
	return column[T]{
		key: "sid", label: "SID",
		text:  func(thing T) string { return strings.Join(sids(thing), " ") },
		facet: &facetOf[T]{values: sids},
	}
}

// staleFlag cuts a list down to what is not heard of.
func staleFlag[T any](since func(T) *time.Time) flag[T] {
	return flag[T]{key: "stale", label: "Stale", icon: "clock", holds: func(thing T) bool { return since(thing) != nil }}
}

// needRank orders things by how much they need a person: trouble, silence,
// warnings, and what nobody has judged.
func needRank(h landscape.Health, staleSince *time.Time) int {
	switch {
	case h == landscape.HealthCritical:
		return 0
	case staleSince != nil:
		return 1
	}
	return 2 + healthRank(h)
}

// version marks a row that has changed since, so that the script can tint it.
func version(t time.Time) string { return fmt.Sprintf("%x", t.UnixMicro()) }

// usedTags are the tags to suggest on a page of a table.
func usedTags[T any](all []T, tags func(T) []string) []string {
	used := make(map[string]int)
	for _, thing := range all {
		for _, tag := range tags(thing) {
			used[tag]++
		}
	}
	return mostUsed(used)
}
