package landscape

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/page"
	"trento/ui/table"
)

// listPage is the list of hosts, clusters, databases or SAP systems.
type listPage struct {
	table.Page
	Class       string // CSS class of the table element
	Opens, Acts bool   // Opens: rows can be opened; Acts: some rows have an action
	Rows        []listRow
	Choice      *choiceBar // nil: the reader may do nothing with chosen rows
	Peek        *peek      // nil: nothing is shown beside the list
}

// Template implements page.Page.
func (*listPage) Template() string { return "list" }

// Columns is the number of columns of a list whose rows open.
func (p *listPage) Columns() int {
	if p.Choice != nil {
		return len(p.List.Heads) + 3
	}
	return len(p.List.Heads) + 2
}

type listRow struct {
	ID, Version string
	Name        string
	Stale       bool
	Turn        *rowToggle
	PeekURL     string
	PeekLabel   string
	Peeked      bool // it is shown beside the list
	Cells       []cell
	Action      *page.Control
	Inside      []instanceTable // set if the row is open
}

// rowToggle is the link that opens or closes a row.
type rowToggle struct {
	ID, URL, Label string
	Open           bool
}

// cell is the content of one column in a row. The template shows the first of
// the fields from Health to Text that is set.
type cell struct {
	Key, Label string // key and label of the column
	Names      bool   // the cell contains the name of the thing that the row shows
	Number     bool
	ID         string // id of the HTML element

	Health    *page.HealthMark
	Tags      *tagEditor
	Values    *valueList
	Pill      *wordWithHint
	Agent     *agentVersion
	Heartbeat *heartbeat
	Why       *healthNote
	Checks    *checksMark
	Text      string
}

// healthNote is why a thing has its health, and since when, for one line of a list.
type healthNote struct {
	Text  string
	Since page.Timestamp // empty if it is not known
	Whole string         // health, time, health before and reason
}

// valueList is the values of a cell. A row shows the first of them and the number
// of the others, so that all rows have the same height.
type valueList struct {
	First page.Link
	Rest  []page.Link
	ID    string // id of the menu with the others
	Of    string // what they are values of: "SID of host hana01"
}

// Whole returns the names of the values that are not shown at first.
func (l *valueList) Whole() string { return strings.Join(page.Names(l.Rest), ", ") }

// newValues returns the cell of several values.
func newValues(values ...page.Link) cell {
	if len(values) == 0 {
		return cell{Values: &valueList{}}
	}
	return cell{Values: &valueList{First: values[0], Rest: values[1:]}}
}

// wordWithHint is a word that shows a hint when it is pointed at.
type wordWithHint struct{ Text, Hint string }

// agentVersion is the version of an agent, and whether it is too old.
type agentVersion struct {
	AgentVersion string
	Outdated     bool
}

// itemFields are the fields that the things in every list have.
type itemFields struct {
	id, name   string
	health     landscape.Health
	staleSince *time.Time
	updatedAt  time.Time
	Tags       []string
	reason     string // why it has its health; "" if it passes
	checks     checksState

	// The rank and the key for the default order, computed once and not for
	// each comparison.
	urgency    int
	foldedName string
}

func newItemFields(id, name string, h landscape.Health, staleSince *time.Time, updatedAt time.Time, tags []string) itemFields {
	return itemFields{
		id: id, name: name, health: h, staleSince: staleSince, updatedAt: updatedAt, Tags: tags,
		urgency: table.UrgencyRank(h, staleSince), foldedName: strings.ToLower(name),
	}
}

func (l *itemFields) fields() *itemFields { return l }

// listItem is a thing in a list: a struct that embeds itemFields.
type listItem interface{ fields() *itemFields }

// newTable declares the table of a list. The column of health comes before the
// given columns, that of the reason after the first of them, which has the name,
// and that of tags after the last.
func newTable[T listItem](path, noun string, items func(*page.Snapshot) []T, columns []table.Column[T], flags ...table.Flag[T]) table.Table[T] {
	health := func(thing T) landscape.Health { return thing.fields().health }
	return table.Table[T]{
		Path: path, Noun: noun, Items: items, HasChoice: true, Health: health, ID: func(thing T) string { return thing.fields().id },
		Columns: slices.Concat([]table.Column[T]{table.HealthColumn(health), columns[0]}, []table.Column[T]{
			{Key: "reason", Label: "Why", Text: func(thing T) string { return thing.fields().reason }},
		}, columns[1:], []table.Column[T]{
			table.TagsColumn(func(thing T) []string { return thing.fields().Tags }),
			{Key: "id", Label: "ID", Hidden: true, Text: func(thing T) string { return thing.fields().id }},
		}),
		Flags:  append([]table.Flag[T]{table.StaleFlag(func(thing T) *time.Time { return thing.fields().staleSince })}, flags...),
		Urgent: func(a, b T) int { return cmp.Compare(a.fields().urgency, b.fields().urgency) },
		Tie: func(a, b T) int {
			x, y := a.fields(), b.fields()
			return cmp.Or(strings.Compare(x.foldedName, y.foldedName), strings.Compare(x.name, y.name), strings.Compare(x.id, y.id))
		},
	}
}

// cleanupFlag declares a filter for things that can be cleaned up.
func cleanupFlag[T listItem](holds func(T) bool) table.Flag[T] {
	return table.Flag[T]{Key: "cleanup", Label: "Needs clean-up", Holds: holds}
}

// listDefinition declares the page of a list.
type listDefinition[T listItem] struct {
	table         *table.Table[T]
	title         string
	class         string // CSS class of the table element
	refreshTopics string // kinds of other things whose changes also refresh the page
	kind          page.Taggable
	// cells returns the cells that show more than text.
	cells func(s *Pages, thing T) map[string]cell
	// instanceTables returns the tables that an open row shows; nil: rows cannot be
	// opened.
	instanceTables func(s *Pages, reader page.Reader, thing T) []instanceTable
	// peek fills in what is shown of a thing beside the list.
	peek func(s *Pages, tx *store.Tx, reader page.Reader, p *peek, thing T) error
	// rowAction returns the button of a row; nil: rows have no button.
	rowAction func(reader page.Reader, thing T) *page.Control
}

// show returns the handler that answers the GET of the list.
func (l *listDefinition[T]) show(s *Pages) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if table.RedirectWithoutEmpty(w, r) {
			return nil
		}
		p := listPage{Page: table.NewPage(s.Console, r, l.table, l.title), Class: l.class, Opens: l.instanceTables != nil, Acts: l.rowAction != nil}
		p.Live += l.refreshTopics
		p.Choice = newChoiceBar(p.Reader, l.kind)
		all, err := table.ReadAll(r.Context(), s.Console, &p.Frame, l.table.List)
		if err != nil {
			return err
		}
		onPage, query, ok, err := l.table.FillPage(s.Console, w, r, &p.Page, all)
		if err != nil || !ok {
			return err
		}
		if slices.ContainsFunc(l.table.ShownColumns(query), func(col table.Column[T]) bool { return col.Key == checksKey }) {
			p.Live += " checked_group"
		}
		p.Suggestions = table.UsedTags(all, func(thing T) []string { return thing.fields().Tags })
		err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) error {
			for _, thing := range onPage {
				p.Rows = append(p.Rows, l.row(s, tx, p.Reader, query, thing))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if p.Peek, err = l.newPeek(s, r.Context(), p.Reader, query, all); err != nil {
			return err
		}
		return s.Render(w, r, http.StatusOK, &p)
	}
}

// newHealthNote returns why a thing that does not pass has its health.
func (s *Pages) newHealthNote(tx *store.Tx, kind store.TagKind, in *itemFields) *healthNote {
	w := &healthNote{Text: in.reason, Whole: page.HealthWord(in.health) + ": " + in.reason}
	var was string
	if w.Since, was = s.healthSince(tx, landscape.Thing{Kind: activity.ThingKind(kind), ID: in.id}); w.Since.IsZero() {
		return w
	}
	if was != "" {
		was = " (was " + was + ")"
	}
	w.Whole = page.HealthWord(in.health) + " since " + w.Since.Text() + was + ": " + in.reason
	return w
}

func (l *listDefinition[T]) row(s *Pages, tx *store.Tx, reader page.Reader, query table.ListQuery, thing T) listRow {
	in := thing.fields()
	row := listRow{ID: in.id, Name: in.name, Version: table.Version(in.updatedAt), Stale: in.staleSince != nil, Peeked: query.Peek() == in.id}
	row.PeekURL, row.PeekLabel = query.PeekAt(l.table.Path, in.id), "Show "+l.table.Noun+" "+in.name+" beside the list"
	cells := l.cells(s, thing)
	for _, col := range l.table.ShownColumns(query) {
		c, ok := cells[col.Key]
		switch {
		case ok:
		case col.Key == "health":
			mark := page.NewHealthMark("", in.health, s.TimestampOf(in.staleSince))
			c.Health = &mark
		case col.Key == "tags":
			tags := newTagEditor(reader, l.kind, in.id, in.name, in.Tags)
			tags.OneLine = true
			c.Tags = &tags
		case col.Key == checksKey:
			c.Checks = in.checks.mark(l.table.Path + "/" + in.id)
		case col.Key == "reason" && in.reason != "":
			c.Why = s.newHealthNote(tx, l.kind.Kind, in)
		default:
			c.Text = col.Text(thing)
		}
		if c.Values != nil {
			c.Values.ID, c.Values.Of = col.Key+"-"+in.id, col.Label+" of "+l.table.Noun+" "+in.name
		}
		c.Key, c.Label, c.Names, c.Number = col.Key, col.Label, col.Names, col.Number
		row.Cells = append(row.Cells, c)
	}
	if l.instanceTables != nil {
		row.Turn = &rowToggle{ID: in.id, Label: "Instances of " + in.name}
		if row.Turn.URL, row.Turn.Open = query.ToggleRow(l.table.Path, in.id); row.Turn.Open {
			row.Inside = l.instanceTables(s, reader, thing)
		}
	}
	if l.rowAction != nil {
		row.Action = l.rowAction(reader, thing)
	}
	return row
}
