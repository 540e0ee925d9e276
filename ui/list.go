package ui

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// overview is a list of things a person filters, searches, orders and pages
// through. Its whole state is in the address: q (words that must all occur),
// one repeatable parameter a facet, stale, sort, page and per_page.
type overview[T any] struct {
	path    string
	columns []column[T]
	// urgent orders by need of attention, the default.
	urgent func(a, b T) int
	// tie decides where two things are equal otherwise; it never ties itself.
	tie   func(a, b T) int
	stale func(T) bool
}

// column is one property of the things in a list.
type column[T any] struct {
	key, label string
	text       func(T) string   // what the free text finds and CSV says
	compare    func(a, b T) int // nil: by text, ignoring case
	facet      *facetOf[T]      // nil: no filter of its own
}

// facetOf makes a column a filter.
type facetOf[T any] struct {
	value   func(T) string            // "" where the thing has none
	label   func(value string) string // nil: the value itself
	mark    bool                      // options carry the symbol of their value
	compare func(a, b string) int     // of two values; nil: by label, ignoring case
}

// listing is what a template needs to know about a list.
type listing struct {
	Words      string
	Stale      bool
	Facets     []facet
	Chips      []chip
	Heads      []head
	OrderWords string
	UrgentURL  string // back to the most urgent first; empty where that is so
	ResetURL   string
	Keep       []hidden // what the filter form passes on unchanged
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
}

type chip struct{ Label, Value, URL string }

type head struct {
	Key, Label, URL, Hint string
	Sorted                string // "ascending", "descending" or ""
}

type hidden struct{ Name, Value string }

const (
	// maxOptions bounds a facet: nobody reads more, and the free text finds them.
	maxOptions = 200
	// narrowFrom is the number of options from which on a box to narrow them helps.
	narrowFrom = 9
)

// choice is the state of a list, as its address has it.
type choice struct {
	words   string
	facets  map[string][]string
	stale   bool
	sort    string // key of a column, or "" for the most urgent first
	reverse bool
	page    int // from 1
	size    int
	sized   bool // the address names the size
}

// parse reads the address. What it does not understand it takes as not said:
// an old bookmark shall still open its list.
func (o *overview[T]) parse(q url.Values, size int) choice {
	c := choice{words: strings.TrimSpace(q.Get("q")), facets: map[string][]string{}, stale: q.Get("stale") == "true", page: 1, size: size}
	for _, col := range o.columns {
		if values := q[col.key]; col.facet != nil && len(values) > 0 {
			c.facets[col.key] = unique(values)
		}
	}
	key, reverse := strings.CutPrefix(q.Get("sort"), "-")
	if slices.ContainsFunc(o.columns, func(col column[T]) bool { return col.key == key }) {
		c.sort, c.reverse = key, reverse
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		c.page = n
	}
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && slices.Contains(pageSizes, n) {
		c.size, c.sized = n, true
	}
	return c
}

func unique(values []string) []string {
	seen := make([]string, 0, len(values))
	for _, v := range values {
		if v != "" && !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	return seen
}

// query is the address of the choice. The page is part of it; whatever
// changes what is listed must set it to 1 first.
func (c choice) query() url.Values {
	q := url.Values{}
	if c.words != "" {
		q.Set("q", c.words)
	}
	for key, values := range c.facets {
		q[key] = values
	}
	if c.stale {
		q.Set("stale", "true")
	}
	if s := c.order(); s != "" {
		q.Set("sort", s)
	}
	if c.page > 1 {
		q.Set("page", strconv.Itoa(c.page))
	}
	if c.sized {
		q.Set("per_page", strconv.Itoa(c.size))
	}
	return q
}

func (c choice) order() string {
	if c.reverse {
		return "-" + c.sort
	}
	return c.sort
}

// address is the path with the query of the choice, changed by change.
func (c choice) address(path string, change func(*choice)) string {
	c.facets = maps.Clone(c.facets)
	c.page = 1
	change(&c)
	return withQuery(path, c.query())
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// toggled takes one value of a facet out of the choice, or puts it in if it
// was missing.
func (c choice) toggled(key, value string) func(*choice) {
	return func(c *choice) {
		values := slices.DeleteFunc(slices.Clone(c.facets[key]), func(v string) bool { return v == value })
		if len(values) == len(c.facets[key]) {
			values = append(values, value)
		}
		if c.facets[key] = values; len(values) == 0 {
			delete(c.facets, key)
		}
	}
}

// selection is what a choice selects of all the things there are.
type selection[T any] struct {
	things []T              // all that match, in order
	counts []map[string]int // by facet column: things a value would show
	stale  int              // things "stale only" would show
}

// choose filters and orders. The count beside an option tells what choosing
// it would bring, so it is taken over the things all other filters let pass.
func (o *overview[T]) choose(all []T, c choice) selection[T] {
	s := selection[T]{counts: make([]map[string]int, len(o.columns))}
	for i, col := range o.columns {
		if col.facet != nil {
			s.counts[i] = map[string]int{}
		}
	}
	words := strings.Fields(strings.ToLower(c.words))
	const staleFilter = -1
	for _, thing := range all {
		if !o.contains(thing, words) {
			continue
		}
		refusals, refusedBy := 0, 0
		for i, col := range o.columns {
			if want := c.facets[col.key]; len(want) > 0 && !slices.Contains(want, col.facet.value(thing)) {
				refusals, refusedBy = refusals+1, i
			}
		}
		isStale := o.stale(thing)
		if c.stale && !isStale {
			refusals, refusedBy = refusals+1, staleFilter
		}
		if refusals == 0 {
			s.things = append(s.things, thing)
		}
		if refusals > 1 {
			continue
		}
		for i, col := range o.columns {
			if col.facet != nil && (refusals == 0 || refusedBy == i) {
				s.counts[i][col.facet.value(thing)]++
			}
		}
		if isStale && (refusals == 0 || refusedBy == staleFilter) {
			s.stale++
		}
	}
	slices.SortFunc(s.things, o.comparison(c))
	return s
}

func (o *overview[T]) contains(thing T, words []string) bool {
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

func (o *overview[T]) comparison(c choice) func(a, b T) int {
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
func (s selection[T]) page(c choice) (things []T, page int) {
	page = min(c.page, max(1, (len(s.things)+c.size-1)/c.size))
	from := min((page-1)*c.size, len(s.things))
	return s.things[from:min(from+c.size, len(s.things))], page
}

// listing is the selection in words and links.
func (o *overview[T]) listing(c choice, s selection[T]) listing {
	l := listing{Words: c.words, Stale: c.stale, OrderWords: "What needs attention comes first", ResetURL: withQuery(o.path, choice{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized}.query())}
	if c.words != "" {
		l.Chips = append(l.Chips, chip{"Text", c.words, c.address(o.path, func(c *choice) { c.words = "" })})
	}
	for i, col := range o.columns {
		if col.facet != nil {
			f := col.newFacet(c, s.counts[i])
			l.Facets = append(l.Facets, f)
			for _, value := range c.facets[col.key] {
				l.Chips = append(l.Chips, chip{col.label, col.facet.name(value), c.address(o.path, c.toggled(col.key, value))})
			}
		}
		l.Heads = append(l.Heads, col.newHead(o.path, c))
		if col.key == c.sort {
			l.OrderWords = "Ordered by " + col.label
			l.UrgentURL = c.address(o.path, func(c *choice) { c.sort, c.reverse = "", false })
		}
	}
	if c.stale {
		l.Chips = append(l.Chips, chip{"Stale", "only", c.address(o.path, func(c *choice) { c.stale = false })})
	}
	l.Keep = hiddens(choice{sort: c.sort, reverse: c.reverse, size: c.size, sized: c.sized}.query())
	l.Pager = o.newPager(c, len(s.things))
	return l
}

func (f *facetOf[T]) name(value string) string {
	if f.label == nil {
		return value
	}
	return f.label(value)
}

func (col *column[T]) newFacet(c choice, counts map[string]int) facet {
	chosen := c.facets[col.key]
	f := facet{Key: col.key, Label: col.label, Chosen: len(chosen), Counted: true}
	for _, value := range col.facet.ordered(counts, chosen) {
		isChosen := slices.Contains(chosen, value)
		if len(f.Options) >= maxOptions && !isChosen {
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
	compare := f.compare
	if compare == nil {
		// There may be thousands of names, so each is folded once.
		folded := make(map[string]string, len(values))
		for _, value := range values {
			folded[value] = strings.ToLower(f.name(value))
		}
		compare = func(a, b string) int { return cmp.Or(strings.Compare(folded[a], folded[b]), strings.Compare(a, b)) }
	}
	slices.SortFunc(values, compare)
	return values
}

func (col *column[T]) newHead(path string, c choice) head {
	h := head{Key: col.key, Label: col.label, Hint: "Order by " + col.label}
	next := func(c *choice) { c.sort, c.reverse = col.key, false }
	if c.sort == col.key {
		h.Sorted, h.Hint = "ascending", "Order by "+col.label+", descending"
		next = func(c *choice) { c.sort, c.reverse = col.key, true }
		if c.reverse {
			h.Sorted, h.Hint = "descending", "Order by what needs attention"
			next = func(c *choice) { c.sort, c.reverse = "", false }
		}
	}
	h.URL = c.address(path, next)
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

// hiddens are the fields of a form that pass a query on.
func hiddens(q url.Values) []hidden {
	var fields []hidden
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			fields = append(fields, hidden{name, value})
		}
	}
	return fields
}
