package table

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/landscape"
	"trento/ui/page"
)

// Page has what the pages of all tables have in common.
type Page struct {
	page.Frame
	Heading     string
	Noun        string // name of one thing
	Path        string
	Total       int // number of registered things, without filters
	Counters    []Counter
	List        tableView
	Suggestions []string // tags to suggest
	Views       ViewMenu
}

// Counter is the number of things with a health, with a link to their list.
type Counter struct {
	State, Icon, Label, URL string
	Count                   int
	Chosen                  bool
	Leaves                  bool // the link leads to another page
}

// DefaultSize is the number of rows on a page if nobody has chosen another.
const DefaultSize = 10

// List returns all things of a table, the most urgent first. It is built once
// for a snapshot and must not be modified.
func (o *Table[T]) List(v *page.Snapshot) []T {
	if made, ok := v.Lists.Load(o.Path); ok {
		return made.([]T)
	}
	all := o.Items(v)
	o.sort(all, ListQuery{})
	v.Lists.Store(o.Path, all)
	return all
}

// ReadAll reads the snapshot and the things of a table and, unless f is nil,
// the frame of the page, in one transaction.
func ReadAll[T any](ctx context.Context, s *page.Console, f *page.Frame, read func(*page.Snapshot) []T) (all []T, err error) {
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		v, err := s.Snapshot(tx)
		if err != nil {
			return err
		}
		if f != nil {
			f.Seq = v.Seq
			f.CountCritical(v)
		}
		all = read(v)
		return nil
	})
	return all, err
}

// NewPage returns the page of a table, without its things.
func NewPage[T any](s *page.Console, r *http.Request, o *Table[T], title string) Page {
	p := Page{Frame: s.NewFrame(r, title), Heading: title, Noun: o.Noun, Path: o.Path}
	p.Live = "host cluster database sap_system tags"
	return p
}

// FillPage fills a page for the query in the address, and returns the things to
// be shown. ok is false if it has redirected the request to another address.
func (o *Table[T]) FillPage(s *page.Console, w http.ResponseWriter, r *http.Request, p *Page, all []T) (onPage []T, c ListQuery, ok bool, err error) {
	section := strings.Trim(o.Path, "/")
	c = o.Parse(r.URL.Query(), page.PageSize(r, section, DefaultSize))
	if o.HasChoice {
		if c.columnsInAddress {
			s.RememberColumns(w, r, section, c.columns)
		} else {
			c.columns = o.chosenColumns(page.Columns(r, section))
		}
	}
	p.Total, p.Counters = len(all), o.counters(all, c)
	chosen := o.Selected(all, c)
	onPage, number := chosen.pageOf(c)
	if number != c.page {
		http.Redirect(w, r, c.address(o.Path, func(c *ListQuery) { c.page = number }), http.StatusSeeOther)
		return nil, c, false, nil
	}
	if c.sizeInAddress {
		s.RememberSize(w, r, section, DefaultSize, c.size)
	}
	p.List = o.View(c, chosen)
	saved := c
	saved.page, saved.open, saved.peek = 1, nil, ""
	saved.columnsInAddress = c.columns != nil
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		p.Views, err = NewViewMenu(tx, p.Reader, o.Path, saved.Query())
		return err
	})
	return onPage, c, true, err
}

// Counters counts all things of a table, for a page that is not its list.
func (o *Table[T]) Counters(all []T) []Counter {
	counters := o.counters(all, o.Parse(nil, DefaultSize))
	for i := range counters {
		counters[i].Leaves = true
	}
	return counters
}

// counters counts all things, without filters, so that the numbers describe the
// whole landscape.
func (o *Table[T]) counters(all []T, c ListQuery) []Counter {
	byHealth, byFlag := map[landscape.Health]int{}, make([]int, len(o.Flags))
	for _, thing := range all {
		byHealth[page.ShownHealth(o.Health(thing))]++
		for i, f := range o.Flags {
			if f.icon != "" && f.Holds(thing) {
				byFlag[i]++
			}
		}
	}
	counters := make([]Counter, 0, len(page.HealthWords)+1)
	for _, word := range page.HealthWords {
		value := string(word.Health)
		counters = append(counters, Counter{
			State: value, Icon: value, Label: o.nounFor(byHealth[word.Health], word.Word), Count: byHealth[word.Health],
			Chosen: slices.Contains(c.facets["health"], value),
			URL:    c.address(o.Path, c.toggleFacet("health", value)),
		})
	}
	for i, f := range o.Flags {
		if f.icon != "" {
			counters = append(counters, Counter{State: f.Key, Icon: f.icon, Label: o.nounFor(byFlag[i], f.Label), Count: byFlag[i], Chosen: c.flags[f.Key], URL: c.address(o.Path, c.toggleFlag(f.Key))})
		}
	}
	return counters
}

// nounFor returns what a number of things is of: "SAP systems critical" for 6
// and "Critical".
func (o *Table[T]) nounFor(n int, word string) string {
	noun := o.Noun + "s"
	if n == 1 {
		noun = o.Noun
	}
	return noun + " " + strings.ToLower(word)
}

// CSVHandler returns the handler of the CSV of a table: all pages of the list,
// with its filters.
func CSVHandler[T any](s *page.Console, o *Table[T]) func(http.ResponseWriter, *http.Request) error {
	return CSVHandlerFor(s, o, func(ctx context.Context) ([]T, error) { return ReadAll(ctx, s, nil, o.List) })
}

// CSVHandlerFor returns the handler of the CSV of a table whose things are not
// part of the landscape.
func CSVHandlerFor[T any](s *page.Console, o *Table[T], read func(context.Context) ([]T, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := read(r.Context())
		if err != nil {
			return err
		}
		chosen := o.Selected(all, o.Parse(r.URL.Query(), DefaultSize))
		var body bytes.Buffer
		if err := o.writeCSV(&body, chosen.Things, AsksByteOrderMark(r.URL.Query())); err != nil {
			return err
		}
		return SendCSV(s, w, r, strings.TrimPrefix(o.csvPath(), "/"), body.Bytes())
	}
}

// HealthColumn declares the column of health, which every table begins with.
func HealthColumn[T any](health func(T) landscape.Health) Column[T] {
	return Column[T]{
		Key: "health", Label: "Health",
		Text:  func(thing T) string { return page.HealthWord(health(thing)) },
		Order: func(thing T) string { return OrderOfNumber(page.HealthRank(health(thing))) },
		Facet: &Facet[T]{
			Value:   func(thing T) string { return string(page.ShownHealth(health(thing))) },
			Label:   func(v string) string { return page.HealthWord(landscape.Health(v)) },
			Known:   knownHealths(),
			hasMark: true,
			Compare: func(a, b string) int {
				return page.HealthRank(landscape.Health(a)) - page.HealthRank(landscape.Health(b))
			},
		},
	}
}

func knownHealths() []string {
	known := make([]string, len(page.HealthWords))
	for i, word := range page.HealthWords {
		known[i] = string(word.Health)
	}
	return known
}

// TagsColumn declares the column of tags.
func TagsColumn[T any](tags func(T) []string) Column[T] {
	return Column[T]{
		Key: "tags", Label: "Tags",
		Text:  func(thing T) string { return strings.Join(tags(thing), " ") },
		Facet: &Facet[T]{Values: tags},
	}
}

// SIDColumn declares the column of the SIDs of systems.
func SIDColumn[T any](sids func(T) []string) Column[T] {
	return Column[T]{
		Key: "sid", Label: "SID",
		Text:  func(thing T) string { return strings.Join(sids(thing), " ") },
		Facet: &Facet[T]{Values: sids},
	}
}

// NamingColumn declares a column as the one with the name of the thing.
func NamingColumn[T any](col Column[T]) Column[T] {
	col.Names = true
	return col
}

// StaleFlag declares a filter for things that are not reported any more.
func StaleFlag[T any](since func(T) *time.Time) Flag[T] {
	return Flag[T]{Key: "stale", Label: "Stale", icon: "clock", Holds: func(thing T) bool { return since(thing) != nil }}
}

// UrgencyRank orders things by urgency: critical, silent, warning, unknown,
// passing.
func UrgencyRank(h landscape.Health, staleSince *time.Time) int {
	switch {
	case h == landscape.HealthCritical:
		return 0
	case staleSince != nil:
		return 1
	}
	return 2 + page.HealthRank(h)
}

// Version returns a text that changes whenever the row does, so that the script
// can highlight it.
func Version(t time.Time) string { return fmt.Sprintf("%x", t.UnixMicro()) }

// UsedTags returns the tags to suggest on a page of a table.
func UsedTags[T any](all []T, tags func(T) []string) []string {
	used := make(map[string]int)
	for _, thing := range all {
		for _, tag := range tags(thing) {
			used[tag]++
		}
	}
	return MostUsed(used)
}

func MostUsed(used map[string]int) []string {
	tags := slices.SortedFunc(maps.Keys(used), func(a, b string) int { return cmp.Or(cmp.Compare(used[b], used[a]), FoldCompare(a, b)) })
	tags = tags[:min(len(tags), maxSuggestions)]
	slices.SortFunc(tags, FoldCompare)
	return tags
}

// maxSuggestions limits the tags that a field suggests.
const maxSuggestions = 100
