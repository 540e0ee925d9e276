package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/packaging/client"
)

// kind is a kind of objects that trento-web get shows.
type kind struct {
	name, singular string   // as on the command line: "sap-systems", "sap-system"
	aliases        []string // further names
	short          string   // one line of help
	columns        []column
	emptyText      string // shown in place of an empty table; "" for the usual words
	// describe prints all details of one object; nil if the row of the table
	// has them all.
	describe func(io.Writer, json.RawMessage) error
	// printBelow prints what is shown below the table of all objects; nil for
	// nothing.
	printBelow func(context.Context, *client.Server, io.Writer) error
	// list asks a server for all objects, or for those that match the query.
	list func(context.Context, *client.Server, url.Values) ([]item, error)
	// idsQuery is the query for which list returns only names and ids; nil if
	// the server has none.
	idsQuery url.Values
	// example is a filter and an order of the list, for the help; zero if the
	// server neither filters nor sorts it.
	example listExample
	// topics are the kinds of things whose events can change this list; nil if
	// there are no such events.
	topics []client.EventResourceKind
}

// listExample is an example of the flags --filter and --sort.
type listExample struct{ filter, sort string }

// column is a column of a table.
type column struct {
	title    string
	place    columnPlace
	coloured bool // shows words of health or severity
}

// columnPlace says which outputs contain a column.
type columnPlace int

const (
	placeAlways   columnPlace = iota
	placeWideOnly             // with -o wide and -o csv
)

// cell is a value of an object, in two forms: shown in tables, and exact in
// CSV.
type cell struct{ displayText, exactText string }

// item is one object of a list.
type item struct {
	id, name string
	cells    []cell // one for each column of the kind
	answer   json.RawMessage
}

// columnOf is a column with the function that makes its cells from an object of
// type T.
type columnOf[T any] struct {
	column
	cell func(*T) cell
}

// wideColumn returns a column for -o wide and -o csv only. healthColumn returns
// a column with colours.
func wideColumn(title string) column   { return column{title: title, place: placeWideOnly} }
func healthColumn(title string) column { return column{title: title, coloured: true} }

// plainColumn returns a column without colours that all outputs contain.
func plainColumn(title string) column { return column{title: title} }

// columnsOf returns the columns without the functions that make cells.
func columnsOf[T any](typed []columnOf[T]) []column {
	columns := make([]column, len(typed))
	for i := range typed {
		columns[i] = typed[i].column
	}
	return columns
}

// itemsOf converts objects to items. answers are the same objects as the server
// sent them.
func itemsOf[T any](answers []json.RawMessage, objects []T, columns []columnOf[T], identify func(*T) (id, name string)) ([]item, error) {
	if len(answers) != len(objects) {
		return nil, fmt.Errorf("the answer of the server has %d objects, of which %d could be read", len(answers), len(objects))
	}
	items := make([]item, len(objects))
	for i := range objects {
		o := &objects[i]
		items[i].id, items[i].name = identify(o)
		items[i].answer = answers[i]
		items[i].cells = make([]cell, len(columns))
		for j := range columns {
			items[i].cells[j] = columns[j].cell(o)
		}
	}
	return items, nil
}

// itemsOfList converts an answer that is a JSON list to items.
func itemsOfList[T any](body []byte, objects *[]T, columns []columnOf[T], identify func(*T) (id, name string)) ([]item, error) {
	var answers []json.RawMessage
	if err := json.Unmarshal(body, &answers); err != nil {
		return nil, err
	}
	return itemsOf(answers, *objects, columns, identify)
}

// The functions below return cells.

func textCell[T ~string](value T) cell {
	if value == "" {
		return cell{"-", ""}
	}
	return cell{string(value), string(value)}
}

func optionalTextCell[T ~string](value *T) cell {
	if value == nil {
		return textCell("")
	}
	return textCell(*value)
}

func timeCell(at *time.Time) cell {
	if at == nil {
		return cell{"-", ""}
	}
	return cell{timeOf(at), at.UTC().Format(time.RFC3339Nano)}
}

// timeOrNeverCell shows nil as "never". It is for times in the future, such as
// expiries.
func timeOrNeverCell(at *time.Time) cell {
	if at == nil {
		return cell{"never", ""}
	}
	return timeCell(at)
}

func numberCell(n *int) cell {
	if n == nil {
		return cell{"-", ""}
	}
	return textCell(fmt.Sprint(*n))
}

func listCell[T ~string](values []T) cell {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return textCell(strings.Join(texts, ", "))
}

func idCell(id *uuid.UUID) cell {
	if id == nil {
		return textCell("")
	}
	return textCell(id.String())
}

func tagsCell(of client.Tags) cell {
	values := make([]string, len(of))
	for i := range of {
		values[i] = of[i].Value
	}
	slices.Sort(values)
	return listCell(values)
}

// chooseItems returns the items with the given names or ids. It fails if no
// item or more than one has a name; in the second case the error lists them.
func chooseItems(k *kind, items []item, names []string) ([]item, error) {
	var chosen []item
	for _, name := range names {
		found := slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.id != strings.ToLower(name) })
		if len(found) == 0 {
			found = slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.name != name })
		}
		if len(found) == 0 {
			return nil, noSuchNameError("no %s has the name or id %q; \"trento-web get %s\" lists them", k.singular, name, k.name)
		}
		chosen = append(chosen, found...)
	}
	return chosen, nil
}

// chooseOne returns the item with a name or id. It fails if there is none, or
// if there are several.
func chooseOne(k *kind, items []item, name string) (item, error) {
	found, err := chooseItems(k, items, []string{name})
	if err != nil {
		return item{}, err
	}
	if len(found) > 1 {
		candidates := make([]string, len(found))
		for i := range found {
			candidates[i] = found[i].id
		}
		return item{}, noSuchNameError("%d %s have the name %q; choose one by its id: %s", len(found), k.name, name, strings.Join(candidates, ", "))
	}
	return found[0], nil
}
