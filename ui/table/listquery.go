package table

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trento/ui/page"
)

// ListQuery is the state of a list, from its address.
type ListQuery struct {
	words         string
	facets        map[string][]string
	flags         map[string]bool
	open          []string // ids of open rows
	sort          string   // key of a column; "" for the default order
	reverse       bool
	page          int // from 1
	size          int
	sizeInAddress bool     // the address contains the size
	columns       []string // keys of the chosen columns, in the order of the table; nil: the usual ones
	// columnsInAddress says that the address contains the columns.
	columnsInAddress bool
	peek             string // id of the thing that is shown beside the list
}

// usualColumns is the value of the parameter "columns" for the columns that are
// shown if nobody chooses others.
const usualColumns = "usual"

// Parse reads an address. It ignores what it does not understand, so that old
// bookmarks still work.
func (o *Table[T]) Parse(q url.Values, size int) ListQuery {
	c := ListQuery{words: strings.TrimSpace(q.Get("q")), facets: map[string][]string{}, flags: map[string]bool{}, page: 1, size: size}
	for _, col := range o.Columns {
		if values := q[col.Key]; col.Facet != nil && len(values) > 0 {
			c.facets[col.Key] = Unique(values)
		}
	}
	for _, f := range o.Flags {
		if q.Get(f.Key) == "true" {
			c.flags[f.Key] = true
		}
	}
	c.open = Unique(q["open"])
	c.open = c.open[:min(len(c.open), maxOpenRows)]
	key, reverse := strings.CutPrefix(q.Get("sort"), "-")
	if slices.ContainsFunc(o.Columns, func(col Column[T]) bool { return col.Key == key }) {
		c.sort, c.reverse = key, reverse
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		c.page = n
	}
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && slices.Contains(page.PageSizes, n) {
		c.size, c.sizeInAddress = n, true
	}
	c.peek = q.Get("peek")
	if keys := q["columns"]; len(keys) > 0 {
		c.columns, c.columnsInAddress = o.chosenColumns(keys), true
	}
	return c
}

// chosenColumns returns the known ones of the columns with these keys; nil if
// they are the usual columns.
func (o *Table[T]) chosenColumns(keys []string) []string {
	var chosen []string
	isUsual := true
	for _, col := range o.Columns {
		shown := col.Names || slices.Contains(keys, col.Key)
		if shown {
			chosen = append(chosen, col.Key)
		}
		isUsual = isUsual && shown == !col.Hidden
	}
	if isUsual || len(chosen) < 2 {
		return nil
	}
	return chosen
}

// ShownColumns returns the columns that a query shows.
func (o *Table[T]) ShownColumns(c ListQuery) []Column[T] {
	var shown []Column[T]
	for _, col := range o.Columns {
		if c.columns == nil && !col.Hidden || slices.Contains(c.columns, col.Key) {
			shown = append(shown, col)
		}
	}
	return shown
}

func Unique(values []string) []string {
	seen := make([]string, 0, len(values))
	for _, v := range values {
		if v != "" && !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	return seen
}

// Query returns the parameters of the address. They include the page: a caller
// that changes the filters or the order must set it to 1.
func (c ListQuery) Query() url.Values {
	q := url.Values{}
	if c.words != "" {
		q.Set("q", c.words)
	}
	for key, values := range c.facets {
		q[key] = values
	}
	for key := range c.flags {
		q.Set(key, "true")
	}
	if len(c.open) > 0 {
		q["open"] = c.open
	}
	if s := c.sortParameter(); s != "" {
		q.Set("sort", s)
	}
	if c.page > 1 {
		q.Set("page", strconv.Itoa(c.page))
	}
	if c.sizeInAddress {
		q.Set("per_page", strconv.Itoa(c.size))
	}
	if c.peek != "" {
		q.Set("peek", c.peek)
	}
	if c.columnsInAddress {
		q["columns"] = c.columns
		if c.columns == nil {
			q.Set("columns", usualColumns)
		}
	}
	return q
}

func (c ListQuery) sortParameter() string {
	if c.reverse {
		return "-" + c.sort
	}
	return c.sort
}

// address returns a path with the query, after change has modified the query.
func (c ListQuery) address(path string, change func(*ListQuery)) string {
	c.facets, c.flags = maps.Clone(c.facets), maps.Clone(c.flags)
	c.page = 1
	change(&c)
	return page.WithQuery(path, c.Query())
}

// toggleFacet returns a change that adds a value of a facet or, if it is
// chosen, removes it.
func (c ListQuery) toggleFacet(key, value string) func(*ListQuery) {
	return func(c *ListQuery) {
		values := slices.DeleteFunc(slices.Clone(c.facets[key]), func(v string) bool { return v == value })
		if len(values) == len(c.facets[key]) {
			values = append(values, value)
		}
		if c.facets[key] = values; len(values) == 0 {
			delete(c.facets, key)
		}
	}
}

// toggleFlag returns a change that toggles a flag.
func (c ListQuery) toggleFlag(key string) func(*ListQuery) {
	return func(c *ListQuery) {
		if c.flags[key] {
			delete(c.flags, key)
		} else {
			c.flags[key] = true
		}
	}
}

// ToggleRow returns the address that opens a row on the same page or, if it is
// open, closes it.
func (c ListQuery) ToggleRow(path, id string) (address string, isOpen bool) {
	isOpen = slices.Contains(c.open, id)
	return c.address(path, func(to *ListQuery) {
		to.page = c.page
		if to.open = slices.DeleteFunc(slices.Clone(c.open), func(o string) bool { return o == id }); !isOpen {
			to.open = append(to.open, id)
			to.open = to.open[max(0, len(to.open)-maxOpenRows):]
		}
	}), isOpen
}

// Peek returns the id of the thing that is shown beside the list; "" if there is
// none.
func (c ListQuery) Peek() string { return c.peek }

// PeekAt returns the address of the same page with a thing beside it or, for the
// id "", with none.
func (c ListQuery) PeekAt(path, id string) string {
	return c.address(path, func(to *ListQuery) { to.page, to.peek = c.page, id })
}
