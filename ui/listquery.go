package ui

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// listQuery is the state of a list, as its address has it.
type listQuery struct {
	words   string
	facets  map[string][]string
	flags   map[string]bool
	open    []string // ids of the things whose inside is shown
	sort    string   // key of a column, or "" for the most urgent first
	reverse bool
	page    int // from 1
	size    int
	sized   bool // the address names the size
}

// parse reads the address. What it does not understand it takes as not said:
// an old bookmark shall still open its list.
func (o *table[T]) parse(q url.Values, size int) listQuery {
	c := listQuery{words: strings.TrimSpace(q.Get("q")), facets: map[string][]string{}, flags: map[string]bool{}, page: 1, size: size}
	for _, col := range o.columns {
		if values := q[col.key]; col.facet != nil && len(values) > 0 {
			c.facets[col.key] = unique(values)
		}
	}
	for _, f := range o.flags {
		if q.Get(f.key) == "true" {
			c.flags[f.key] = true
		}
	}
	c.open = unique(q["open"])
	c.open = c.open[:min(len(c.open), maxOpen)]
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
func (c listQuery) query() url.Values {
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

func (c listQuery) order() string {
	if c.reverse {
		return "-" + c.sort
	}
	return c.sort
}

// address is the path with the query of the choice, changed by change.
func (c listQuery) address(path string, change func(*listQuery)) string {
	c.facets, c.flags = maps.Clone(c.facets), maps.Clone(c.flags)
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
func (c listQuery) toggled(key, value string) func(*listQuery) {
	return func(c *listQuery) {
		values := slices.DeleteFunc(slices.Clone(c.facets[key]), func(v string) bool { return v == value })
		if len(values) == len(c.facets[key]) {
			values = append(values, value)
		}
		if c.facets[key] = values; len(values) == 0 {
			delete(c.facets, key)
		}
	}
}

// flagged turns a flag of the choice over.
func (c listQuery) flagged(key string) func(*listQuery) {
	return func(c *listQuery) {
		if c.flags[key] {
			delete(c.flags, key)
		} else {
			c.flags[key] = true
		}
	}
}

// turned is the address that opens a thing on the same page, or shuts it.
func (c listQuery) turned(path, id string) (address string, isOpen bool) {
	isOpen = slices.Contains(c.open, id)
	return c.address(path, func(to *listQuery) {
		to.page = c.page
		if to.open = slices.DeleteFunc(slices.Clone(c.open), func(o string) bool { return o == id }); !isOpen {
			to.open = append(to.open, id)
			to.open = to.open[max(0, len(to.open)-maxOpen):]
		}
	}), isOpen
}
