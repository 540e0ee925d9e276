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

// Table is a list of things a person filters, searches, orders and pages
// through. Its whole state is in the address: q (words that must all occur),
// one repeatable parameter a facet, one for each flag, sort, page, per_page,
// and open (things whose inside is shown).
type Table[T any] struct {
	Path    string
	Noun    string                   // of one thing; of several with an s behind it
	Items   func(*page.Snapshot) []T // what there is
	Columns []Column[T]
	Flags   []Flag[T]
	Health  func(T) landscape.Health // what the counters count
	// Urgent orders by need of attention, the default.
	Urgent       func(a, b T) int
	DefaultOrder string // the default order in words; empty: what needs attention first
	// Tie decides where two things are equal otherwise; it never ties itself.
	Tie func(a, b T) int
}

// Flag is something that a thing is or is not, and a list can be cut down to.
// One with an icon is counted above the list.
type Flag[T any] struct {
	Key, Label, icon string
	Holds            func(T) bool
}

// Column is one property of the things in a list.
type Column[T any] struct {
	Key, Label string
	Text       func(T) string   // what the free text finds and CSV says
	Compare    func(a, b T) int // nil: by text, ignoring case
	Facet      *Facet[T]        // nil: no filter of its own
	Number     bool
	Hidden     bool // in the CSV, the text search and the order only
}

// filterMenu makes a column a filter.
type Facet[T any] struct {
	Value   func(T) string            // "" where the thing has none
	Values  func(T) []string          // instead of value: the thing may have several, each once
	Label   func(value string) string // nil: the value itself
	mark    bool                      // options carry the symbol of their value
	Compare func(a, b string) int     // of two values; nil: by label, ignoring case
}

// tableView is what a template needs to know about a list.
type tableView struct {
	Words      string
	Facets     []FilterMenu
	Flags      []page.Option
	Chips      []Chip
	Heads      []head
	OrderWords string
	UrgentURL  string // back to the most urgent first; empty where that is so
	ResetURL   string
	Keep       []page.HiddenInput // what the filter form passes on unchanged
	Pager      Pager
}

type FilterMenu struct {
	Key, Label string
	Options    []page.Option
	Chosen     int  // how many of the options
	Hidden     int  // options left out because there are too many
	Long       bool // worth narrowing
	Counted    bool
}

// Chip is a filter in force, with the address without it; URL is empty where
// it stands for those that are not listed.
type Chip struct{ Label, Value, URL string }

// maxChips bounds the chips of a page: each has the whole address in it.
const maxChips = 20

// ChipList gathers the chips of a page.
type ChipList struct {
	chips []Chip
	more  int
}

// Add adds a chip, whose address is only made where there is room.
func (l *ChipList) Add(label, value string, address func() string) {
	if len(l.chips) == maxChips {
		l.more++
		return
	}
	l.chips = append(l.chips, Chip{label, value, address()})
}

// All are the chips, the last one saying how many are missing.
func (l *ChipList) All() []Chip {
	if l.more > 0 {
		return append(l.chips, Chip{Label: "And", Value: fmt.Sprintf("%d more, chosen in the filters above", l.more)})
	}
	return l.chips
}

type head struct {
	Key, Label, URL, Hint string
	Sorted                string // "ascending", "descending" or ""
}

const (
	// maxOptions bounds a facet: nobody reads more, and the free text finds them.
	maxOptions = 200
	// maxOpen bounds how many things show their inside: an address must stay
	// one that can be sent around.
	maxOpen = 20
	// NarrowFrom is the number of options from which on a box to narrow them helps.
	NarrowFrom = 9
)

// selection is what a choice selects of all the things there are.
type selection[T any] struct {
	Things []T              // all that match, in order
	Counts []map[string]int // by facet column: things a value would show
	Flags  []int            // by flag: things it would show
}

// Selected filters and orders. The count beside an option tells what choosing
// it would bring, so it is taken over the things all other filters let pass.
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
		refusals, refusedBy := o.refusals(thing, c)
		if refusals == 0 {
			s.Things = append(s.Things, thing)
		}
		if refusals > 1 {
			continue
		}
		for i, col := range o.Columns {
			if col.Facet != nil && (refusals == 0 || refusedBy == i) {
				col.Facet.count(thing, s.Counts[i])
			}
		}
		for i, f := range o.Flags {
			if (refusals == 0 || refusedBy == len(o.Columns)+i) && f.Holds(thing) {
				s.Flags[i]++
			}
		}
	}
	slices.SortFunc(s.Things, o.comparison(c))
	return s
}

// refusals is how many filters of a choice do not let a thing pass, and the
// last of them: a column, or behind the columns a flag.
func (o *Table[T]) refusals(thing T, c ListQuery) (n, by int) {
	for i, col := range o.Columns {
		if want := c.facets[col.Key]; len(want) > 0 && !col.Facet.fits(thing, want) {
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

// fits reports whether a thing has one of the wanted values.
func (f *Facet[T]) fits(thing T, want []string) bool {
	if f.Values == nil {
		return slices.Contains(want, f.Value(thing))
	}
	return slices.ContainsFunc(f.Values(thing), func(v string) bool { return slices.Contains(want, v) })
}

func (f *Facet[T]) count(thing T, counts map[string]int) {
	if f.Values == nil {
		counts[f.Value(thing)]++
		return
	}
	for _, value := range f.Values(thing) {
		counts[value]++
	}
}

func (o *Table[T]) Contains(thing T, words []string) bool {
	if len(words) == 0 {
		return true
	}
	var text strings.Builder
	for _, col := range o.Columns {
		text.WriteString(strings.ToLower(col.Text(thing)))
		text.WriteByte('\n')
	}
	for _, word := range words {
		if !strings.Contains(text.String(), word) {
			return false
		}
	}
	return true
}

func (o *Table[T]) comparison(c ListQuery) func(a, b T) int {
	compare := o.Urgent
	for _, col := range o.Columns {
		if col.Key != c.sort {
			continue
		}
		if compare = col.Compare; compare == nil {
			compare = func(a, b T) int { return FoldCompare(col.Text(a), col.Text(b)) }
		}
	}
	if c.reverse {
		forward := compare
		compare = func(a, b T) int { return forward(b, a) }
	}
	return func(a, b T) int { return cmp.Or(compare(a, b), o.Tie(a, b)) }
}

func FoldCompare(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}

// page cuts the page of the choice out of a selection. A page beyond the end
// is the last one.
func (s selection[T]) page(c ListQuery) (things []T, page int) {
	page = min(c.page, max(1, (len(s.Things)+c.size-1)/c.size))
	from := min((page-1)*c.size, len(s.Things))
	return s.Things[from:min(from+c.size, len(s.Things))], page
}

// tableView is the selection in words and links.
func (o *Table[T]) View(c ListQuery, s selection[T]) tableView {
	l := tableView{Words: c.words, OrderWords: cmp.Or(o.DefaultOrder, "What needs attention comes first"), ResetURL: page.WithQuery(o.Path, ListQuery{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized}.Query())}
	var chips ChipList
	without := func(change func(*ListQuery)) func() string {
		return func() string { return c.address(o.Path, change) }
	}
	if c.words != "" {
		chips.Add("Text", c.words, without(func(c *ListQuery) { c.words = "" }))
	}
	for i, col := range o.Columns {
		if col.Facet != nil {
			f := col.newFacet(c, s.Counts[i])
			l.Facets = append(l.Facets, f)
			for _, value := range c.facets[col.Key] {
				chips.Add(col.Label, col.Facet.name(value), without(c.toggled(col.Key, value)))
			}
		}
		if !col.Hidden {
			l.Heads = append(l.Heads, col.newHead(o, c))
		}
		if col.Key == c.sort {
			l.OrderWords = "Ordered by " + col.Label
			l.UrgentURL = c.address(o.Path, func(c *ListQuery) { c.sort, c.reverse = "", false })
		}
	}
	for i, f := range o.Flags {
		l.Flags = append(l.Flags, page.Option{Value: f.Key, Label: f.Label, Count: s.Flags[i], Chosen: c.flags[f.Key]})
		if c.flags[f.Key] {
			chips.Add("Only", f.Label, without(c.flagged(f.Key)))
		}
	}
	l.Chips = chips.All()
	l.Keep = page.HiddenInputs(ListQuery{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized, open: c.open}.Query())
	l.Pager = o.newPager(c, len(s.Things))
	return l
}

func (f *Facet[T]) name(value string) string {
	if f.Label == nil {
		return value
	}
	return f.Label(value)
}

func (col *Column[T]) newFacet(c ListQuery, counts map[string]int) FilterMenu {
	chosen := c.facets[col.Key]
	f := FilterMenu{Key: col.Key, Label: col.Label, Chosen: len(chosen), Counted: true}
	for _, value := range col.Facet.ordered(counts, chosen) {
		isChosen := slices.Contains(chosen, value)
		if !isChosen && (len(f.Options) >= maxOptions || len(value) > api.MaxQueryValue) {
			f.Hidden++
			continue
		}
		opt := page.Option{Value: value, Label: col.Facet.name(value), Count: counts[value], Chosen: isChosen}
		if col.Facet.mark {
			opt.Mark = value
		}
		f.Options = append(f.Options, opt)
	}
	f.Long = len(f.Options) >= NarrowFrom
	return f
}

// ordered lists the values there are, and those that are chosen though there
// are none any more: they must be unchosen somehow.
func (f *Facet[T]) ordered(counts map[string]int, chosen []string) []string {
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
	slices.SortFunc(values, f.Compare)
	return values
}

func (col *Column[T]) newHead(o *Table[T], c ListQuery) head {
	h := head{Key: col.Key, Label: col.Label, Hint: "Order by " + col.Label}
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

// Tidied sends a browser on to the same address without the parameters a form
// has left empty, so that what people send to colleagues is short. It reports
// whether it did; the script leaves them out itself.
func Tidied(w http.ResponseWriter, r *http.Request) bool {
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
