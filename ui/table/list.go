package table

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
)

// Table declares a list that a reader filters, searches, sorts and pages
// through. Its whole state is in the address: q (words that must all occur),
// one repeatable parameter for each facet, one for each flag, sort, page,
// per_page, and open (ids of open rows).
type Table[T any] struct {
	Path    string
	Noun    string                   // name of one thing; an s makes the plural
	Items   func(*page.Snapshot) []T // all things of the table
	Columns []Column[T]
	Flags   []Flag[T]
	Health  func(T) landscape.Health // health that the counters above the list count
	// Urgent orders by urgency, the default order.
	Urgent       func(a, b T) int
	DefaultOrder string // the default order in words; empty: the most urgent first
	// Tie orders things that compare as equal. It never returns 0 for different
	// things.
	Tie func(a, b T) int
	// HasChoice says that readers may choose the columns.
	HasChoice bool
	// ID returns the id of a thing in the API; nil: programs have no such list.
	ID func(T) string
}

// Flag is a yes-or-no property that a list can be filtered by. A flag with an
// icon has a counter above the list.
type Flag[T any] struct {
	Key, Label, icon string
	Holds            func(T) bool
}

// Column is a property of the things in a list.
type Column[T any] struct {
	Key, Label string
	Text       func(T) string // for the text search and the CSV
	Order      func(T) string // its byte order is that of the column; nil: by text, ignoring case
	Facet      *Facet[T]      // nil: no filter
	Number     bool
	// Hidden says that the column is not shown unless the reader chooses it. It is
	// part of the CSV, the text search and the order. Its filter is offered while it
	// is shown or used.
	Hidden bool
	Names  bool // the column has the name of the thing, and is always shown
}

// Facet makes a column a filter.
type Facet[T any] struct {
	Value   func(T) string            // "" if the thing has none
	Values  func(T) []string          // instead of Value, for several values; each once
	Known   []string                  // all values that there can be; nil: any
	Label   func(value string) string // nil: the value itself
	hasMark bool                      // options have the symbol of their value (a health)
	Compare func(a, b string) int     // order of two values; nil: by label, ignoring case
}

// tableView is what a template needs to draw a list.
type tableView struct {
	Words      string
	Facets     []FilterMenu
	Flags      []page.Option
	Chips      []Chip
	Heads      []columnHead
	Columns    *columnMenu // nil: the columns cannot be chosen
	HasChosen  bool        // the reader has chosen the columns
	OrderWords string
	UrgentURL  string // address of the default order; empty if it is in use
	ResetURL   string
	Keep       []page.HiddenInput // hidden fields of the filter form
	Pager      Pager
}

type FilterMenu struct {
	Key, Label string
	Options    []page.Option
	Chosen     int  // number of chosen options
	Hidden     int  // number of options left out because there are too many
	Long       bool // show a box to narrow the options
	Counted    bool
}

// Chip is an active filter, with the address without it. URL is empty for the
// chip that stands for chips not shown.
type Chip struct{ Label, Value, URL string }

// maxChips limits the chips of a page. Each repeats the whole address.
const maxChips = 20

// ChipList collects the chips of a page.
type ChipList struct {
	chips       []Chip
	hiddenCount int
}

// Add adds a chip. It calls address only if the chip is shown.
func (l *ChipList) Add(label, value string, address func() string) {
	if len(l.chips) == maxChips {
		l.hiddenCount++
		return
	}
	l.chips = append(l.chips, Chip{label, value, address()})
}

// All returns the chips. The last one says how many are not shown.
func (l *ChipList) All() []Chip {
	if l.hiddenCount > 0 {
		return append(l.chips, Chip{Label: "And", Value: fmt.Sprintf("%d more, chosen in the filters above", l.hiddenCount)})
	}
	return l.chips
}

type columnHead struct {
	Key, Label, URL, Hint string
	Names                 bool
	Sorted                string // "ascending", "descending" or ""
}

const (
	// maxOptions limits the options of a facet. The text search finds the
	// others.
	maxOptions = 200
	// maxOpenRows limits the open rows, so that the address stays short enough to
	// be shared.
	maxOpenRows = 20
	// NarrowFrom is the number of options from which on there is a box to
	// narrow them.
	NarrowFrom = 9
)

// selection is the things that a query selects.
type selection[T any] struct {
	Things []T              // all that match, sorted
	Counts []map[string]int // by facet column: number of things for each value
	Flags  []int            // by flag: number of things
}

// Selected filters and sorts things. The count of an option says how many
// things its choice would show, so it counts the things that pass all other
// filters.
func (o *Table[T]) Selected(all []T, c ListQuery) selection[T] {
	s := selection[T]{Counts: make([]map[string]int, len(o.Columns)), Flags: make([]int, len(o.Flags))}
	for i, col := range o.Columns {
		if col.Facet != nil {
			s.Counts[i] = map[string]int{}
		}
	}
	words := strings.Fields(strings.ToLower(c.words))
	for _, thing := range all {
		if !o.Contains(thing, words) {
			continue
		}
		refusals, refusedBy := o.failedFilters(thing, c)
		if refusals == 0 {
			s.Things = append(s.Things, thing)
		}
		if refusals > 1 {
			continue
		}
		for i, col := range o.Columns {
			if col.Facet != nil && (refusals == 0 || refusedBy == i) {
				col.Facet.countValues(thing, s.Counts[i])
			}
		}
		for i, f := range o.Flags {
			if (refusals == 0 || refusedBy == len(o.Columns)+i) && f.Holds(thing) {
				s.Flags[i]++
			}
		}
	}
	o.sort(s.Things, c)
	return s
}

// failedFilters returns the number of filters that a thing does not pass, and
// the last such filter: the index of a column or, after the columns, of a flag.
func (o *Table[T]) failedFilters(thing T, c ListQuery) (n, by int) {
	for i, col := range o.Columns {
		if want := c.facets[col.Key]; len(want) > 0 && !col.Facet.matches(thing, want) {
			n, by = n+1, i
		}
	}
	for i, f := range o.Flags {
		if c.flags[f.Key] && !f.Holds(thing) {
			n, by = n+1, len(o.Columns)+i
		}
	}
	return n, by
}

// matches reports whether a thing has one of the wanted values.
func (f *Facet[T]) matches(thing T, want []string) bool {
	if f.Values == nil {
		return slices.Contains(want, f.Value(thing))
	}
	return slices.ContainsFunc(f.Values(thing), func(v string) bool { return slices.Contains(want, v) })
}

func (f *Facet[T]) countValues(thing T, counts map[string]int) {
	if f.Values == nil {
		counts[f.Value(thing)]++
		return
	}
	for _, value := range f.Values(thing) {
		counts[value]++
	}
}

// Matching returns the keys of the columns with at least one of the words.
func (o *Table[T]) Matching(thing T, words []string) []string {
	matching := []string{}
	for _, col := range o.Columns {
		text := strings.ToLower(col.Text(thing))
		if slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) }) {
			matching = append(matching, col.Key)
		}
	}
	return matching
}

// Contains reports whether a thing contains all words, which are in lower case.
func (o *Table[T]) Contains(thing T, words []string) bool {
	return len(words) == 0 || containsAll(o.searchedText(thing), words)
}

func FoldCompare(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// pageOf returns the page of a query. A page beyond the end becomes the last one.
func (s selection[T]) pageOf(c ListQuery) (things []T, page int) {
	page = min(c.page, max(1, (len(s.Things)+c.size-1)/c.size))
	from := min((page-1)*c.size, len(s.Things))
	return s.Things[from:min(from+c.size, len(s.Things))], page
}

// View returns a selection with the texts and links of its page.
func (o *Table[T]) View(c ListQuery, s selection[T]) tableView {
	l := tableView{Words: c.words, OrderWords: cmp.Or(o.DefaultOrder, "What needs attention comes first"), ResetURL: page.WithQuery(o.Path, ListQuery{sort: c.sort, reverse: c.reverse, size: c.size, sizeInAddress: c.sizeInAddress, columns: c.columns, columnsInAddress: c.columnsInAddress}.Query())}
	var chips ChipList
	without := func(change func(*ListQuery)) func() string {
		return func() string { return c.address(o.Path, change) }
	}
	if c.words != "" {
		chips.Add("Text", c.words, without(func(c *ListQuery) { c.words = "" }))
	}
	for i, col := range o.Columns {
		if col.Facet != nil {
			if o.offersFilter(&col, c) {
				l.Facets = append(l.Facets, col.newFilterMenu(c, s.Counts[i]))
			}
			for _, value := range c.facets[col.Key] {
				chips.Add(col.Label, col.Facet.labelOf(value), without(c.toggleFacet(col.Key, value)))
			}
		}
		if col.Key == c.sort {
			l.OrderWords = "Ordered by " + col.Label
			l.UrgentURL = c.address(o.Path, func(c *ListQuery) { c.sort, c.reverse = "", false })
		}
	}
	for i, f := range o.Flags {
		l.Flags = append(l.Flags, page.Option{Value: f.Key, Label: f.Label, Count: s.Flags[i], Chosen: c.flags[f.Key]})
		if c.flags[f.Key] {
			chips.Add("Only", f.Label, without(c.toggleFlag(f.Key)))
		}
	}
	for _, col := range o.ShownColumns(c) {
		l.Heads = append(l.Heads, col.newHead(o, c))
	}
	if o.HasChoice {
		l.Columns, l.HasChosen = o.newColumnMenu(c), c.columns != nil
	}
	l.Chips = chips.All()
	l.Keep = page.HiddenInputs(ListQuery{sort: c.sort, reverse: c.reverse, size: c.size, sizeInAddress: c.sizeInAddress, columns: c.columns, columnsInAddress: c.columnsInAddress, open: c.open}.Query())
	l.Pager = o.newPager(c, len(s.Things))
	return l
}

// offersFilter reports whether the filter of a column is offered. The filter of a
// column that is hidden by default waits until somebody shows the column or uses
// the filter, so that all filters fit on a line.
func (o *Table[T]) offersFilter(col *Column[T], c ListQuery) bool {
	isShown := slices.ContainsFunc(o.ShownColumns(c), func(shown Column[T]) bool { return shown.Key == col.Key })
	return !col.Hidden || isShown || len(c.facets[col.Key]) > 0
}

func (f *Facet[T]) labelOf(value string) string {
	if f.Label == nil {
		return value
	}
	return f.Label(value)
}

func (col *Column[T]) newFilterMenu(c ListQuery, counts map[string]int) FilterMenu {
	chosen := c.facets[col.Key]
	f := FilterMenu{Key: col.Key, Label: col.Label, Chosen: len(chosen), Counted: true}
	for _, value := range col.Facet.sortedValues(counts, chosen) {
		isChosen := slices.Contains(chosen, value)
		if !isChosen && (len(f.Options) >= maxOptions || len(value) > api.MaxQueryValue) {
			f.Hidden++
			continue
		}
		opt := page.Option{Value: value, Label: col.Facet.labelOf(value), Count: counts[value], Chosen: isChosen}
		if col.Facet.hasMark {
			opt.Mark = value
		}
		f.Options = append(f.Options, opt)
	}
	f.Long = len(f.Options) >= NarrowFrom
	return f
}

// sortedValues returns the values of a facet, sorted. It includes chosen values
// that no thing has any more, so that their choice can be undone.
func (f *Facet[T]) sortedValues(counts map[string]int, chosen []string) []string {
	values := make([]string, 0, len(counts)+len(chosen))
	for value := range counts {
		if value != "" {
			values = append(values, value)
		}
	}
	for _, value := range chosen {
		if _, ok := counts[value]; !ok {
			values = append(values, value)
		}
	}
	if f.Compare == nil {
		// There may be thousands of names, so each is folded once.
		type name struct{ folded, value string }
		names := make([]name, len(values))
		for i, value := range values {
			names[i] = name{strings.ToLower(f.labelOf(value)), value}
		}
		slices.SortFunc(names, func(a, b name) int {
			return cmp.Or(strings.Compare(a.folded, b.folded), strings.Compare(a.value, b.value))
		})
		for i, n := range names {
			values[i] = n.value
		}
		return values
	}
	slices.SortFunc(values, f.Compare)
	return values
}

func (col *Column[T]) newHead(o *Table[T], c ListQuery) columnHead {
	h := columnHead{Key: col.Key, Label: col.Label, Names: col.Names, Hint: "Order by " + col.Label}
	next := func(c *ListQuery) { c.sort, c.reverse = col.Key, false }
	if c.sort == col.Key {
		h.Sorted, h.Hint = "ascending", "Order by "+col.Label+", descending"
		next = func(c *ListQuery) { c.sort, c.reverse = col.Key, true }
		if c.reverse {
			h.Sorted, h.Hint = "descending", cmp.Or(o.DefaultOrder, "Order by what needs attention")
			next = func(c *ListQuery) { c.sort, c.reverse = "", false }
		}
	}
	h.URL = c.address(o.Path, next)
	return h
}

// RedirectWithoutEmpty redirects a request whose address has empty parameters
// to the address without them, and returns whether it did. Forms send such
// parameters, and shared addresses should be short. The script leaves them out
// itself.
func RedirectWithoutEmpty(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	for name, values := range q {
		if q[name] = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(q[name]) == 0 {
			delete(q, name)
		}
	}
	tidy := page.WithQuery(r.URL.Path, q)
	if len(tidy) >= len(page.WithQuery(r.URL.Path, r.URL.Query())) {
		return false
	}
	http.Redirect(w, r, tidy, http.StatusSeeOther)
	return true
}
