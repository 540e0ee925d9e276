package table

import (
	"fmt"
	"strconv"

	"trento/ui/page"
)

// Pager says which part of a list is shown, with links to the others.
type Pager struct {
	Path     string
	Keep     []page.HiddenInput
	SizeName string
	Sizes    []page.Option
	Range    string     // "Showing 1–10 of 53"; empty if the total is unknown
	Export   CSVAddress // empty: no CSV
	// ExportLines is the address of the list as JSON lines; empty: none.
	ExportLines string
	Steps       []Step
}

// Step is a link to another page. URL is empty if there is no such page.
type Step struct{ Name, Label, Icon, URL string }

func (o *Table[T]) newPager(c ListQuery, total int) Pager {
	first := c
	first.page, first.sizeInAddress = 1, false
	p := Pager{Path: o.Path, Keep: page.HiddenInputs(first.Query()), SizeName: "per_page", Sizes: Sizes(c.size)}
	if total == 0 {
		return p
	}
	last := (total + c.size - 1) / c.size
	from := (c.page - 1) * c.size
	p.Range = fmt.Sprintf("Showing %d–%d of %d", from+1, min(from+c.size, total), total)
	first.open, first.peek = nil, ""
	p.Export = CSVAddress(page.WithQuery(o.csvPath(), first.Query()))
	to := func(number int, possible bool) string {
		if !possible {
			return ""
		}
		return c.address(o.Path, func(c *ListQuery) { c.page = number })
	}
	p.Steps = Steps(to(1, c.page > 1), to(c.page-1, c.page > 1), to(c.page+1, c.page < last), to(last, c.page < last))
	return p
}

// csvPath returns the path of the list as CSV.
func (o *Table[T]) csvPath() string {
	if o.Path == "/" {
		return "/dashboard.csv"
	}
	return o.Path + ".csv"
}

func Sizes(chosen int) []page.Option {
	options := make([]page.Option, len(page.PageSizes))
	for i, size := range page.PageSizes {
		text := strconv.Itoa(size)
		options[i] = page.Option{Value: text, Label: text, Chosen: size == chosen}
	}
	return options
}

func Steps(first, previous, next, last string) []Step {
	return []Step{
		{Name: "first-page", Label: "First page", Icon: "first", URL: first},
		{Name: "prev-page", Label: "Previous page", Icon: "left", URL: previous},
		{Name: "next-page", Label: "Next page", Icon: "right", URL: next},
		{Name: "last-page", Label: "Last page", Icon: "last", URL: last},
	}
}
