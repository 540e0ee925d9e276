package activity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// activityPage is the activity log.
type activityPage struct {
	page.Frame
	Words        string
	SearchHints  []string
	Facets       []table.FilterMenu
	Dates        []dateMenu
	Chips        []table.Chip
	Keep         []page.HiddenInput // hidden fields of the filter form
	RefreshKeep  []page.HiddenInput // hidden fields of the refresh form
	RefreshRates []page.Option
	FirstPage    bool
	Announced    bool // a notice announces new entries, and the reader asks for them
	ResetURL     string
	Views        table.ViewMenu
	Fold         page.ActionLink // switches between one row for each entry and one for what belongs together
	Rows         []EntryRow
	Total        int // number of entries that pass the filters
	EmptyWords   string
	Pager        table.Pager
	Entry        *entryDetails
}

// Template implements page.Page.
func (*activityPage) Template() string { return "activity" }

// EntryRow is one line of the log.
type EntryRow struct {
	Cursor, ID string
	At         page.Timestamp
	Message    string
	Things     []Thing // what the entry is about
	Actor      string
	Severity   severityMark
	URL        string // address that opens the entry's details
	Here       bool   // the entry is the open one

	Day    *dayMark  // the row is the first of a day
	Fold   *foldMark // the row stands for several entries
	Inside bool      // the row is one of the entries of the row above
}

// Thing is something that an entry names. URL is empty if it has no page.
type Thing struct{ Name, URL string }

type severityMark struct{ Name, Label string }

// dateMenu is the form for the begin or the end of the period.
type dateMenu struct {
	Key, Label, Words string
	Choices           []page.Option
	Custom            string
}

// entryDetails is an open entry.
type entryDetails struct {
	Row         EntryRow
	Label       string
	Resource    string
	Data        []metadataValue
	Cut         int // number of shown values if some are left out; else 0
	JSON        string
	Address     string // address of the entry, to be shared
	FlowURL     string
	Related     []EntryRow // oldest first: the cause before its effects
	MoreRelated bool
	CloseURL    string
}

// Viewer is a reader of the log. Package api decides what the reader may see.
type Viewer struct {
	api.Viewer
	All activity.Filter // all entries that the viewer may see
}

// maxRelated is the largest number of related entries that an open entry lists.
const maxRelated = 20

func NewViewer(id *auth.Identity) (Viewer, error) {
	v := Viewer{Viewer: api.ViewerOf(id)}
	var err error
	v.All, err = v.Narrow(activity.Filter{})
	return v, err
}

// Sees reports whether the viewer may see an entry.
func (v Viewer) Sees(e *activity.Entry) bool { return v.All.Match(e) }

// narrow is Narrow with an error that tells the reader which permission is
// missing.
func (v Viewer) narrow(f activity.Filter) (activity.Filter, error) {
	narrowed, err := v.Narrow(f)
	if errors.Is(err, auth.ErrForbidden) {
		return narrowed, page.Missing("activity_log:users", "To filter the activity log by other users")
	}
	return narrowed, err
}

// showLog answers GET /activity_log.
func (s *Pages) showLog(w http.ResponseWriter, r *http.Request) error {
	if table.RedirectWithoutEmpty(w, r) {
		return nil
	}
	v, err := NewViewer(auth.From(r.Context()))
	if err != nil {
		return err
	}
	if flow := r.URL.Query().Get("correlation"); flow != "" {
		return s.showFlow(w, r, v, flow)
	}
	q := parseLogQuery(r.URL.Query(), page.PageSize(r, "activity", defaultEntries))
	p := activityPage{
		Frame: s.NewFrame(r, "Activity Log"), Words: q.words, FirstPage: q.isFirstPage(), Announced: q.refresh != refreshLive,
		Chips: q.chips(), RefreshRates: slices.Clone(refreshRates),
		ResetURL:   page.WithQuery("/activity_log", logQuery{size: q.size, sizeInAddress: q.sizeInAddress, refresh: q.refresh, unfolded: q.unfolded}.values()),
		Fold:       page.ActionLink{Label: "One row per entry", URL: q.foldURL()},
		EmptyWords: "Everything that happens in the landscape and everything people change is written down here.",
	}
	if q.unfolded {
		p.Fold.Label = "Fold what belongs together"
	}
	if p.FirstPage {
		p.Live, p.Refresh = "activity", q.refresh.seconds()
	}
	found, err := s.findEntries(r.Context(), v, q, &p)
	if err != nil {
		return err
	}
	if q.sizeInAddress {
		s.RememberSize(w, r, "activity", defaultEntries, q.size)
	}
	if err := s.fillActivity(r.Context(), &p, v, q, found); err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// findEntries finds the entries of a query in the index. If the search is too
// long, the page says so.
func (s *Pages) findEntries(ctx context.Context, v Viewer, q logQuery, p *activityPage) (search.Page, error) {
	f, err := q.filter(s.Store.Now())
	if errors.Is(err, activity.ErrSearchTooLong) {
		p.SearchHints, p.EmptyWords = []string{"This was not searched for: " + activity.ErrSearchTooLong.Detail + "."}, "The search is too long."
		return search.Page{}, nil
	}
	if err != nil {
		return search.Page{}, err
	}
	if f, err = v.narrow(f); err != nil {
		return search.Page{}, err
	}
	found, err := v.Find(ctx, s.Search, f, q.searchWalk())
	if err != nil {
		return search.Page{}, err
	}
	p.SearchHints, p.Total = q.searchHints(found.Total), found.Total
	if len(p.Chips) > 0 {
		p.EmptyWords = "No entry fits these filters. Entries are kept for a limited time, so the oldest may be gone."
	}
	return found, nil
}

// fillActivity adds the found entries to the page.
func (s *Pages) fillActivity(ctx context.Context, p *activityPage, v Viewer, q logQuery, found search.Page) error {
	related, err := s.related(ctx, v, q.entry)
	if err != nil {
		return err
	}
	p.fillForms(q, found)
	return s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		known := RegisteredPages(tx)
		p.Rows = s.newRows(v, found.Entries, q, known)
		users, err := actorOptions(tx, v, q.actors)
		if err != nil {
			return err
		}
		if p.Views, err = table.NewViewMenu(tx, p.Reader, "/activity_log", q.savedValues()); err != nil {
			return err
		}
		p.Facets = []table.FilterMenu{users, typeFacet(v, q.types), severityFacet(q.severities)}
		if q.entry != "" {
			if p.Entry, err = s.openEntry(tx, p.Server, v, q.entry, q.values(), related, known); err != nil {
				return err
			}
		}
		return s.ReadFrame(&p.Frame, tx)
	})
}

// fillForms fills the forms of the page. Each form changes one part of the
// address and passes on the others. A change of filters starts again at the
// newest entry; a change of the size keeps the position.
func (p *activityPage) fillForms(q logQuery, found search.Page) {
	p.Dates = []dateMenu{newDateMenu("from_date", "From date", q.from), newDateMenu("to_date", "To date", q.to)}
	for i := range p.RefreshRates {
		p.RefreshRates[i].Chosen = q.refresh != "" && p.RefreshRates[i].Value == string(q.refresh)
	}
	kept := logQuery{size: q.size, sizeInAddress: q.sizeInAddress, refresh: q.refresh, unfolded: q.unfolded}.values()
	p.Keep = page.HiddenInputs(kept)
	rest := q.fromNewest().values()
	rest.Del("refreshRate")
	p.RefreshKeep = page.HiddenInputs(rest)
	sizeKeep := q.filterValues()
	for _, key := range []string{"refreshRate", "rows"} {
		if kept.Has(key) {
			sizeKeep[key] = kept[key]
		}
	}
	p.Pager = table.Pager{Path: "/activity_log", SizeName: "first", Sizes: table.Sizes(q.size), Steps: q.pageLinks(found), Keep: page.HiddenInputs(sizeKeep)}
	p.Pager.Range = page.Count(found.Total, "entry", "entries")
	if n := len(found.Entries); q.isFirstPage() && n < found.Total {
		p.Pager.Range = fmt.Sprintf("The newest %d of %s", n, p.Pager.Range)
	}
	if !q.unfolded {
		p.Pager.Range = foldedRange(p.Pager.Range, len(found.Entries), len(foldEntries(found.Entries)))
	}
	if len(found.Entries) > 0 {
		p.Pager.Export = table.CSVAddress(page.WithQuery("/activity_log.csv", q.filterValues()))
		p.Pager.ExportLines = page.WithQuery("/activity_log.jsonl", q.filterValues())
	}
	if !q.forward && q.cursor != 0 {
		p.Pager.Keep = append(p.Pager.Keep, page.HiddenInput{Name: "after", Value: q.cursor.Cursor()})
	}
}

// related returns the entries with the same correlation id as the open one. It
// runs before the page is filled, because the index must not be searched inside
// a transaction.
func (s *Pages) related(ctx context.Context, v Viewer, cursor string) (search.Page, error) {
	id := ""
	err := s.Store.ViewIn(ctx, func(tx *store.Tx) error {
		e, err := visibleEntry(tx, v, cursor)
		if err == nil {
			id = e.CorrelationID()
		}
		return nil
	})
	if err != nil || id == "" {
		return search.Page{}, err
	}
	return s.Mentions(ctx, v, id, maxRelated)
}

// Mentions returns the newest entries with a text as a value.
func (s *Pages) Mentions(ctx context.Context, v Viewer, text string, limit int) (search.Page, error) {
	f, err := v.mentionFilter(text)
	if err != nil {
		return search.Page{}, nil // no stored value is that long
	}
	return v.Find(ctx, s.Search, f, search.Walk{Limit: limit})
}

// mentionFilter returns a filter for entries with a text as a value.
func (v Viewer) mentionFilter(text string) (activity.Filter, error) {
	f := v.All
	var err error
	f.Search, err = activity.ParseSearch(`"` + text + `"`)
	return f, err
}

// visibleEntry returns the entry at a cursor if the viewer may see it.
func visibleEntry(tx *store.Tx, v Viewer, cursor string) (*activity.Entry, error) {
	position, err := activity.ParseCursor(cursor)
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", cursor, store.ErrNotFound)
	}
	e, err := tx.Entry(position)
	if err == nil && !v.Sees(e) {
		return nil, fmt.Errorf("entry %q: %w", cursor, store.ErrNotFound)
	}
	return e, err
}

// openEntry returns the details of an entry. Closing them leads to the list of
// the given query. server is the URL of this server.
func (s *Pages) openEntry(tx *store.Tx, server string, v Viewer, cursor string, query url.Values, related search.Page, known pageFinder) (*entryDetails, error) {
	e, err := visibleEntry(tx, v, cursor)
	if err != nil {
		return nil, err
	}
	d := &entryDetails{
		Row: s.NewEntryRow(v, e, query, known), Label: e.Type.Label(), Resource: e.Resource(),
		Address:  server + page.WithQuery("/activity_log", url.Values{"entry": {e.Position.Cursor()}}),
		CloseURL: page.WithQuery("/activity_log", query), JSON: indentJSON(e.Metadata), MoreRelated: related.More,
	}
	d.Data, d.Cut = newTree(e.Metadata, known)
	if id := e.CorrelationID(); id != "" {
		d.FlowURL = flowURL(id)
		for _, other := range slices.Backward(related.Entries) {
			row := s.NewEntryRow(v, other, query, known)
			row.Here = other.Position == e.Position
			d.Related = append(d.Related, row)
		}
		if len(d.Related) == 1 {
			d.Related = nil // the only related entry is the entry itself
		}
	}
	return d, nil
}

// NewEntryRow returns an entry as a row. Its link opens the entry on top of the
// list of the given query.
func (s *Pages) NewEntryRow(v Viewer, e *activity.Entry, query url.Values, known pageFinder) EntryRow {
	open := url.Values{"entry": {e.Position.Cursor()}}
	for key, values := range query {
		open[key] = values
	}
	row := EntryRow{
		Cursor: e.Position.Cursor(), ID: e.ID, At: s.Timestamp(e.OccurredOn()), Message: e.Message(), Actor: v.Actor(e.Actor),
		Severity: severityMark{e.Severity.String(), severityLabel(e.Severity.String())},
		URL:      page.WithQuery("/activity_log", open),
	}
	for _, t := range entryThings(e, known) {
		if !strings.Contains(row.Message, `"`+t.Name+`"`) {
			row.Things = append(row.Things, t)
		}
	}
	return row
}
