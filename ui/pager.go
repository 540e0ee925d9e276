package ui

import (
	"fmt"
	"strconv"
)

// pager is where in a list the reader is and how to go on.
type pager struct {
	Path     string
	Keep     []hiddenInput
	SizeName string
	Sizes    []option
	Range    string     // "Showing 1–10 of 53", empty where the total is unknown
	Export   csvAddress // empty where there is none
	// ExportLines is the address of the same as JSON lines, empty where there
	// are none.
	ExportLines string
	Steps       []step
}

// step is a way to another page; URL is empty where there is none.
type step struct{ Name, Label, Icon, URL string }

// pageSizes are the sizes offered.
var pageSizes = []int{10, 20, 50, 75, 100}

func (o *table[T]) newPager(c listQuery, total int) pager {
	first := c
	first.page, first.sized = 1, false
	p := pager{Path: o.path, Keep: hiddenInputs(first.query()), SizeName: "per_page", Sizes: sizes(c.size)}
	if total == 0 {
		return p
	}
	last := (total + c.size - 1) / c.size
	from := (c.page - 1) * c.size
	p.Range = fmt.Sprintf("Showing %d–%d of %d", from+1, min(from+c.size, total), total)
	first.open = nil
	p.Export = csvAddress(withQuery(o.export(), first.query()))
	to := func(page int, possible bool) string {
		if !possible {
			return ""
		}
		return c.address(o.path, func(c *listQuery) { c.page = page })
	}
	p.Steps = steps(to(1, c.page > 1), to(c.page-1, c.page > 1), to(c.page+1, c.page < last), to(last, c.page < last))
	return p
}

// export is where the list is as a table for a spreadsheet.
func (o *table[T]) export() string {
	if o.path == "/" {
		return "/dashboard.csv"
	}
	return o.path + ".csv"
}

func sizes(chosen int) []option {
	options := make([]option, len(pageSizes))
	for i, size := range pageSizes {
		text := strconv.Itoa(size)
		options[i] = option{Value: text, Label: text, Chosen: size == chosen}
	}
	return options
}

func steps(first, previous, next, last string) []step {
	return []step{
		{"first-page", "First page", "first", first},
		{"prev-page", "Previous page", "left", previous},
		{"next-page", "Next page", "right", next},
		{"last-page", "Last page", "last", last},
	}
}
