package table

import "trento/ui/page"

// columnMenu lets the reader choose the columns of a list.
type columnMenu struct {
	Path    string
	Keep    []page.HiddenInput
	Options []page.Option
	Names   string // key of the column that is always shown
	// UsualURL is the address with the usual columns; empty if they are shown.
	UsualURL string
}

func (o *Table[T]) newColumnMenu(c ListQuery) *columnMenu {
	others := c
	others.page, others.columnsInAddress = 1, false
	m := &columnMenu{Path: o.Path, Keep: page.HiddenInputs(others.Query())}
	shown := make(map[string]bool)
	for _, col := range o.ShownColumns(c) {
		shown[col.Key] = true
	}
	for _, col := range o.Columns {
		if col.Names {
			m.Names = col.Key
			continue
		}
		m.Options = append(m.Options, page.Option{Value: col.Key, Label: col.Label, Chosen: shown[col.Key]})
	}
	if c.columns != nil {
		m.UsualURL = c.address(o.Path, func(c *ListQuery) { c.columns, c.columnsInAddress = nil, true })
	}
	return m
}
