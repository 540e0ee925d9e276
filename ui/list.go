package ui

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/store/landscape"
	"trento/ui/api"
)

// table is a list of things a person filters, searches, orders and pages
// through. Its whole state is in the address: q (words that must all occur),
// one repeatable parameter a facet, one for each flag, sort, page, per_page,
// and open (things whose inside is shown).
type table[T any] struct {
	path    string
	noun    string              // of one thing; of several with an s behind it
	items   func(*snapshot) []T // what there is
	columns []column[T]
	flags   []flag[T]
	health  func(T) landscape.Health // what the counters count
	// urgent orders by need of attention, the default.
	urgent func(a, b T) int
	usual  string // the default order in words; empty: what needs attention first
	// tie decides where two things are equal otherwise; it never ties itself.
	tie func(a, b T) int
}

// flag is something that a thing is or is not, and a list can be cut down to.
// One with an icon is counted above the list.
type flag[T any] struct {
	key, label, icon string
	holds            func(T) bool
}

// column is one property of the things in a list.
type column[T any] struct {
	key, label string
	text       func(T) string   // what the free text finds and CSV says
	compare    func(a, b T) int // nil: by text, ignoring case
	facet      *facetOf[T]      // nil: no filter of its own
	unshown    bool             // in the CSV, the text search and the order only
}

// facetOf makes a column a filter.
type facetOf[T any] struct {
	value   func(T) string            // "" where the thing has none
	values  func(T) []string          // instead of value: the thing may have several, each once
	label   func(value string) string // nil: the value itself
	mark    bool                      // options carry the symbol of their value
	compare func(a, b string) int     // of two values; nil: by label, ignoring case
}

// tableView is what a template needs to know about a list.
type tableView struct {
	Words      string
	Facets     []facet
	Flags      []option
	Chips      []chip
	Heads      []head
	OrderWords string
	UrgentURL  string // back to the most urgent first; empty where that is so
	ResetURL   string
	Keep       []hiddenInput // what the filter form passes on unchanged
	Pager      pager
}

type facet struct {
	Key, Label string
	Options    []option
	Chosen     int  // how many of the options
	Hidden     int  // options left out because there are too many
	Long       bool // worth narrowing
	Counted    bool
}

type option struct {
	Value, Label, Mark, Group string
	Count                     int
	Chosen                    bool
	Refused                   bool // cannot be chosen here
}

// chip is a filter in force, with the address without it; URL is empty where
// it stands for those that are not listed.
type chip struct{ Label, Value, URL string }

// maxChips bounds the chips of a page: each has the whole address in it.
const maxChips = 20

// chipList gathers the chips of a page.
type chipList struct {
	chips []chip
	more  int
}

// add adds a chip, whose address is only made where there is room.
func (l *chipList) add(label, value string, address func() string) {
	if len(l.chips) == maxChips {
		l.more++
		return
	}
	l.chips = append(l.chips, chip{label, value, address()})
}

// all are the chips, the last one saying how many are missing.
func (l *chipList) all() []chip {
	if l.more > 0 {
		return append(l.chips, chip{Label: "And", Value: fmt.Sprintf("%d more, chosen in the filters above", l.more)})
	}
	return l.chips
}

type head struct {
	Key, Label, URL, Hint string
	Sorted                string // "ascending", "descending" or ""
}

type hiddenInput struct{ Name, Value string }

const (
	// maxOptions bounds a facet: nobody reads more, and the free text finds them.
	maxOptions = 200
	// maxOpen bounds how many things show their inside: an address must stay
	// one that can be sent around.
	maxOpen = 20
	// narrowFrom is the number of options from which on a box to narrow them helps.
	narrowFrom = 9
)

// selection is what a choice selects of all the things there are.
type selection[T any] struct {
	things []T              // all that match, in order
	counts []map[string]int // by facet column: things a value would show
	flags  []int            // by flag: things it would show
}

// choose filters and orders. The count beside an option tells what choosing
// it would bring, so it is taken over the things all other filters let pass.
func (o *table[T]) choose(all []T, c listQuery) selection[T] {
	s := selection[T]{counts: make([]map[string]int, len(o.columns)), flags: make([]int, len(o.flags))}
	for i, col := range o.columns {
		if col.facet != nil {
			s.counts[i] = map[string]int{}
		}
	}
	words := strings.Fields(strings.ToLower(c.words))
	for _, thing := range all {
		if !o.contains(thing, words) {
			continue
		}
		refusals, refusedBy := o.refusals(thing, c)
		if refusals == 0 {
			s.things = append(s.things, thing)
		}
		if refusals > 1 {
			continue
		}
		for i, col := range o.columns {
			if col.facet != nil && (refusals == 0 || refusedBy == i) {
				col.facet.count(thing, s.counts[i])
			}
		}
		for i, f := range o.flags {
			if (refusals == 0 || refusedBy == len(o.columns)+i) && f.holds(thing) {
				s.flags[i]++
			}
		}
	}
	slices.SortFunc(s.things, o.comparison(c))
	return s
}

// refusals is how many filters of a choice do not let a thing pass, and the
// last of them: a column, or behind the columns a flag.
func (o *table[T]) refusals(thing T, c listQuery) (n, by int) {
	for i, col := range o.columns {
		if want := c.facets[col.key]; len(want) > 0 && !col.facet.fits(thing, want) {
			n, by = n+1, i
		}
	}
	for i, f := range o.flags {
		if c.flags[f.key] && !f.holds(thing) {
			n, by = n+1, len(o.columns)+i
		}
	}
	return n, by
}

// fits reports whether a thing has one of the wanted values.
func (f *facetOf[T]) fits(thing T, want []string) bool {
	if f.values == nil {
		return slices.Contains(want, f.value(thing))
	}
	return slices.ContainsFunc(f.values(thing), func(v string) bool { return slices.Contains(want, v) })
}

func (f *facetOf[T]) count(thing T, counts map[string]int) {
	if f.values == nil {
		counts[f.value(thing)]++
		return
	}
	for _, value := range f.values(thing) {
		counts[value]++
	}
}

func (o *table[T]) contains(thing T, words []string) bool {
	if len(words) == 0 {
		return true
	}
	var text strings.Builder
	for _, col := range o.columns {
		text.WriteString(strings.ToLower(col.text(thing)))
		text.WriteByte('\n')
	}
	for _, word := range words {
		if !strings.Contains(text.String(), word) {
			return false
		}
	}
	return true
}

func (o *table[T]) comparison(c listQuery) func(a, b T) int {
	compare := o.urgent
	for _, col := range o.columns {
		if col.key != c.sort {
			continue
		}
		if compare = col.compare; compare == nil {
			compare = func(a, b T) int { return foldCompare(col.text(a), col.text(b)) }
		}
	}
	if c.reverse {
		forward := compare
		compare = func(a, b T) int { return forward(b, a) }
	}
	return func(a, b T) int { return cmp.Or(compare(a, b), o.tie(a, b)) }
}

func foldCompare(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// page cuts the page of the choice out of a selection. A page beyond the end
// is the last one.
func (s selection[T]) page(c listQuery) (things []T, page int) {
	page = min(c.page, max(1, (len(s.things)+c.size-1)/c.size))
	from := min((page-1)*c.size, len(s.things))
	return s.things[from:min(from+c.size, len(s.things))], page
}

// tableView is the selection in words and links.
func (o *table[T]) listing(c listQuery, s selection[T]) tableView {
	l := tableView{Words: c.words, OrderWords: cmp.Or(o.usual, "What needs attention comes first"), ResetURL: withQuery(o.path, listQuery{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized}.query())}
	var chips chipList
	without := func(change func(*listQuery)) func() string {
		return func() string { return c.address(o.path, change) }
	}
	if c.words != "" {
		chips.add("Text", c.words, without(func(c *listQuery) { c.words = "" }))
	}
	for i, col := range o.columns {
		if col.facet != nil {
			f := col.newFacet(c, s.counts[i])
			l.Facets = append(l.Facets, f)
			for _, value := range c.facets[col.key] {
				chips.add(col.label, col.facet.name(value), without(c.toggled(col.key, value)))
			}
		}
		if !col.unshown {
			l.Heads = append(l.Heads, col.newHead(o, c))
		}
		if col.key == c.sort {
			l.OrderWords = "Ordered by " + col.label
			l.UrgentURL = c.address(o.path, func(c *listQuery) { c.sort, c.reverse = "", false })
		}
	}
	for i, f := range o.flags {
		l.Flags = append(l.Flags, option{Value: f.key, Label: f.label, Count: s.flags[i], Chosen: c.flags[f.key]})
		if c.flags[f.key] {
			chips.add("Only", f.label, without(c.flagged(f.key)))
		}
	}
	l.Chips = chips.all()
	l.Keep = hiddenInputs(listQuery{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized, open: c.open}.query())
	l.Pager = o.newPager(c, len(s.things))
	return l
}

func (f *facetOf[T]) name(value string) string {
	if f.label == nil {
		return value
	}
	return f.label(value)
}

func (col *column[T]) newFacet(c listQuery, counts map[string]int) facet {
	chosen := c.facets[col.key]
	f := facet{Key: col.key, Label: col.label, Chosen: len(chosen), Counted: true}
	for _, value := range col.facet.ordered(counts, chosen) {
		isChosen := slices.Contains(chosen, value)
		if !isChosen && (len(f.Options) >= maxOptions || len(value) > api.MaxQueryValue) {
			f.Hidden++
			continue
		}
		opt := option{Value: value, Label: col.facet.name(value), Count: counts[value], Chosen: isChosen}
		if col.facet.mark {
			opt.Mark = value
		}
		f.Options = append(f.Options, opt)
	}
	f.Long = len(f.Options) >= narrowFrom
	return f
}

// ordered lists the values there are, and those that are chosen though there
// are none any more: they must be unchosen somehow.
func (f *facetOf[T]) ordered(counts map[string]int, chosen []string) []string {
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
	if f.compare == nil {
		// There may be thousands of names, so each is folded once.
		type name struct{ folded, value string }
		names := make([]name, len(values))
		for i, value := range values {
			names[i] = name{strings.ToLower(f.name(value)), value}
		}
		slices.SortFunc(names, func(a, b name) int {
			return cmp.Or(strings.Compare(a.folded, b.folded), strings.Compare(a.value, b.value))
		})
		for i, n := range names {
			values[i] = n.value
		}
		return values
	}
	slices.SortFunc(values, f.compare)
	return values
}

func (col *column[T]) newHead(o *table[T], c listQuery) head {
	h := head{Key: col.key, Label: col.label, Hint: "Order by " + col.label}
	next := func(c *listQuery) { c.sort, c.reverse = col.key, false }
	if c.sort == col.key {
		h.Sorted, h.Hint = "ascending", "Order by "+col.label+", descending"
		next = func(c *listQuery) { c.sort, c.reverse = col.key, true }
		if c.reverse {
			h.Sorted, h.Hint = "descending", cmp.Or(o.usual, "Order by what needs attention")
			next = func(c *listQuery) { c.sort, c.reverse = "", false }
		}
	}
	h.URL = c.address(o.path, next)
	return h
}

// tidied sends a browser on to the same address without the parameters a form
// has left empty, so that what people send to colleagues is short. It reports
// whether it did; the script leaves them out itself.
func tidied(w http.ResponseWriter, r *http.Request) bool {
	q := r.URL.Query()
	for name, values := range q {
		if q[name] = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(q[name]) == 0 {
			delete(q, name)
		}
	}
	tidy := withQuery(r.URL.Path, q)
	if len(tidy) >= len(withQuery(r.URL.Path, r.URL.Query())) {
		return false
	}
	http.Redirect(w, r, tidy, http.StatusSeeOther)
	return true
}

// hiddenInputs are the fields of a form that pass a query on.
func hiddenInputs(q url.Values) []hiddenInput {
	var fields []hiddenInput
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			fields = append(fields, hiddenInput{name, value})
		}
	}
	return fields
}
