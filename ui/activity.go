package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
)

// activityPage is the activity log.
type activityPage struct {
	Frame
	Words        string
	SearchHint   string
	Facets       []facet
	Dates        []dateMenu
	Chips        []chip
	Keep         []hidden // what the filter form passes on
	RefreshKeep  []hidden // what the refresh form passes on
	RefreshRates []option
	FirstPage    bool
	ResetURL     string
	Rows         []entryRow
	EmptyWords   string
	Pager        pager
	Entry        *entryDetails
}

// entryRow is one line of the log.
type entryRow struct {
	Cursor, ID string
	At         Moment
	Message    string
	Things     []thing // what the entry is about
	Actor      string
	Severity   severityMark
	URL        string // opens the entry
	Here       bool   // the entry that is open
}

// thing is something an entry names; URL is empty where it has no page.
type thing struct{ Name, URL string }

type severityMark struct{ Name, Label string }

// dateMenu is a choice of one end of the period.
type dateMenu struct {
	Key, Label, Words string
	Choices           []option
	Custom            string
}

// entryDetails is an open entry.
type entryDetails struct {
	Row         entryRow
	Label       string
	Resource    string
	Data        []leaf
	Cut         int // number of values drawn if that is not all, else 0
	JSON        string
	RelatedURL  string
	Related     []entryRow // oldest first: the cause before its effects
	MoreRelated bool
	CloseURL    string
}

// viewer is somebody who reads the log: what they may see of it is decided by
// package api, for both.
type viewer struct {
	api.Viewer
	all activity.Filter // all they may see
}

// maxRelated is how many related entries an open entry lists.
const maxRelated = 20

func viewerOf(id *auth.Identity) (viewer, error) {
	v := viewer{Viewer: api.ViewerOf(id)}
	var err error
	v.all, err = v.Narrow(activity.Filter{})
	return v, err
}

// sees reports whether the viewer may see an entry.
func (v viewer) sees(e *activity.Entry) bool { return v.all.Match(e) }

// narrow is Narrow that says what is missing.
func (v viewer) narrow(f activity.Filter) (activity.Filter, error) {
	narrowed, err := v.Narrow(f)
	if errors.Is(err, auth.ErrForbidden) {
		return narrowed, &refusal{ability: "activity_log:users", action: "To filter the activity log by other users"}
	}
	return narrowed, err
}

// activityLog answers GET /activity_log.
func (s *server) activityLog(w http.ResponseWriter, r *http.Request) error {
	if tidied(w, r) {
		return nil
	}
	v, err := viewerOf(auth.From(r.Context()))
	if err != nil {
		return err
	}
	q := parseLogQuery(r.URL.Query(), pageSize(r, "activity", usualEntries))
	p := activityPage{
		Frame: s.newFrame(r, "Activity Log"), Words: q.words, FirstPage: q.firstPage(),
		Chips: q.chips(), RefreshRates: slices.Clone(refreshRates),
		ResetURL:   withQuery("/activity_log", logQuery{size: q.size, sized: q.sized, refresh: q.refresh}.values()),
		EmptyWords: "Everything that happens in the landscape and everything people change is written down here.",
	}
	if p.FirstPage {
		p.Live, p.Refresh = "activity", int(q.refresh/time.Second)
	}
	found, err := s.findEntries(r, v, q, &p)
	if err != nil {
		return err
	}
	if q.sized {
		s.rememberSize(w, r, "activity", usualEntries, q.size)
	}
	if err := s.fillActivity(r, &p, v, q, found); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, pageActivity, &p)
}

// findEntries asks the index. A search that is too long is said so on the
// page; everything else is a fault.
func (s *server) findEntries(r *http.Request, v viewer, q logQuery, p *activityPage) (search.Page, error) {
	f, err := q.filter(s.options.Store.Now())
	if errors.Is(err, activity.ErrSearchTooLong) {
		p.SearchHint, p.EmptyWords = "This was not searched for: "+err.Error()+".", "The search is too long."
		return search.Page{}, nil
	}
	if err != nil {
		return search.Page{}, err
	}
	if f, err = v.narrow(f); err != nil {
		return search.Page{}, err
	}
	found, err := s.options.Search.Activity(r.Context(), f, q.walk())
	if err != nil {
		return search.Page{}, err
	}
	p.SearchHint = q.searchHint(len(found.Entries))
	if len(p.Chips) > 0 {
		p.EmptyWords = "No entry fits these filters. Entries are kept for a limited time, so the oldest may be gone."
	}
	return found, nil
}

// fillActivity fills the page with what was found.
func (s *server) fillActivity(r *http.Request, p *activityPage, v viewer, q logQuery, found search.Page) error {
	related, err := s.related(r, v, q)
	if err != nil {
		return err
	}
	p.fillForms(q, found)
	return s.options.Store.View(func(tx *store.Tx) error {
		known := registered(tx)
		for _, e := range found.Entries {
			p.Rows = append(p.Rows, s.newEntryRow(v, e, q.values(), known))
		}
		users, err := actorOptions(tx, v, q.actors)
		if err != nil {
			return err
		}
		p.Facets = []facet{users, typeFacet(v, q.types), severityFacet(q.severities)}
		if q.entry != "" {
			if p.Entry, err = s.openEntry(tx, v, q, related, known); err != nil {
				return err
			}
		}
		return s.fill(&p.Frame, tx)
	})
}

// fillForms fills the forms of the page. Each changes a part of the address
// and passes on what belongs with it: whatever changes the list begins at the
// newest entry again, only another size keeps the place.
func (p *activityPage) fillForms(q logQuery, found search.Page) {
	p.Dates = []dateMenu{newDateMenu("from_date", "From date", q.from), newDateMenu("to_date", "To date", q.to)}
	for i := range p.RefreshRates {
		p.RefreshRates[i].Chosen = q.refresh > 0 && p.RefreshRates[i].Value == q.values().Get("refreshRate")
	}
	kept := logQuery{size: q.size, sized: q.sized, refresh: q.refresh}.values()
	p.Keep = hiddens(kept)
	rest := q.restarted().values()
	rest.Del("refreshRate")
	p.RefreshKeep = hiddens(rest)
	sizeKeep := q.filterValues()
	if q.refresh > 0 {
		sizeKeep["refreshRate"] = kept["refreshRate"]
	}
	p.Pager = pager{Path: "/activity_log", SizeName: "first", Sizes: sizes(q.size), Steps: q.stepsFrom(found), Keep: hiddens(sizeKeep)}
	if len(found.Entries) > 0 {
		p.Pager.Export = withQuery("/activity_log.csv", q.filterValues())
	}
	if !q.forward && q.cursor != 0 {
		p.Pager.Keep = append(p.Pager.Keep, hidden{"after", q.cursor.Cursor()})
	}
}

// related finds the entries of the same flow as the open one. It runs before
// the page is filled, since the index must not be asked inside a read.
func (s *server) related(r *http.Request, v viewer, q logQuery) (search.Page, error) {
	id := ""
	err := s.options.Store.View(func(tx *store.Tx) error {
		e, err := visibleEntry(tx, v, q.entry)
		if err == nil {
			id = correlation(e)
		}
		return nil
	})
	if err != nil || id == "" {
		return search.Page{}, err
	}
	return s.mentions(r.Context(), v, id, maxRelated)
}

// mentions finds the newest entries that have a text as a value.
func (s *server) mentions(ctx context.Context, v viewer, text string, limit int) (search.Page, error) {
	f := v.all
	var err error
	if f.Search, err = activity.ParseSearch(`"` + text + `"`); err != nil {
		return search.Page{}, nil // longer than any text we would have written
	}
	return s.options.Search.Activity(ctx, f, search.Walk{Limit: limit})
}

// visibleEntry is the entry at a cursor, if the viewer may see it.
func visibleEntry(tx *store.Tx, v viewer, cursor string) (*activity.Entry, error) {
	position, err := activity.ParseCursor(cursor)
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", cursor, store.ErrNotFound)
	}
	e, err := tx.Entry(position)
	if err == nil && !v.sees(e) {
		return nil, fmt.Errorf("entry %q: %w", cursor, store.ErrNotFound)
	}
	return e, err
}

func (s *server) openEntry(tx *store.Tx, v viewer, q logQuery, related search.Page, known pages) (*entryDetails, error) {
	e, err := visibleEntry(tx, v, q.entry)
	if err != nil {
		return nil, err
	}
	d := &entryDetails{
		Row: s.newEntryRow(v, e, q.values(), known), Label: e.Type.Label(), Resource: e.Resource(),
		CloseURL: withQuery("/activity_log", q.values()), JSON: indented(e.Metadata), MoreRelated: related.More,
	}
	d.Data, d.Cut = newTree(e.Metadata, known)
	if id := correlation(e); id != "" {
		d.RelatedURL = withQuery("/activity_log", url.Values{"search": {id}, "severity": severityNames(), "first": {"20"}})
		for _, other := range slices.Backward(related.Entries) {
			row := s.newEntryRow(v, other, q.values(), known)
			row.Here = other.Position == e.Position
			d.Related = append(d.Related, row)
		}
		if len(d.Related) == 1 {
			d.Related = nil // the entry itself
		}
	}
	return d, nil
}

// newEntryRow is an entry as a line. Its link opens it on top of the list
// that the query describes.
func (s *server) newEntryRow(v viewer, e *activity.Entry, query url.Values, known pages) entryRow {
	open := url.Values{"entry": {e.Position.Cursor()}}
	for key, values := range query {
		open[key] = values
	}
	row := entryRow{
		Cursor: e.Position.Cursor(), ID: e.ID, At: s.moment(e.OccurredOn()), Message: e.Message(), Actor: v.Actor(e.Actor),
		Severity: severityMark{e.Severity.String(), severityLabel(e.Severity.String())},
		URL:      withQuery("/activity_log", open),
	}
	for _, t := range thingsOf(e, known) {
		if !strings.Contains(row.Message, `"`+t.Name+`"`) {
			row.Things = append(row.Things, t)
		}
	}
	return row
}

// actorOptions are the users the viewer may filter by: active ones, and those
// the address names already.
func actorOptions(tx *store.Tx, v viewer, chosen []string) (facet, error) {
	names := []string{activity.System}
	for u, err := range tx.Users() {
		if err != nil {
			return facet{}, err
		}
		if u.Enabled() && v.Actor(u.Username) == u.Username {
			names = append(names, u.Username)
		}
	}
	f := facet{Key: "actor", Label: "User", Chosen: len(chosen), Long: len(names) >= narrowFrom}
	for _, name := range unique(append(names, chosen...)) {
		f.Options = append(f.Options, option{Value: name, Label: name, Chosen: slices.Contains(chosen, name)})
	}
	return f, nil
}

// typeFacet offers the types the viewer may see, by what they are about.
func typeFacet(v viewer, chosen []string) facet {
	f := facet{Key: "type", Label: "Type", Chosen: len(chosen), Long: true}
	groups := map[string][]option{}
	for _, t := range activity.Types() {
		if t.UserManagement() && v.all.WithoutUserManagement {
			continue
		}
		group := typeGroup(t)
		groups[group] = append(groups[group], option{Value: string(t), Label: t.Label(), Chosen: slices.Contains(chosen, string(t))})
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		options := groups[name]
		slices.SortFunc(options, func(a, b option) int { return strings.Compare(a.Label, b.Label) })
		options[0].Group = name
		f.Options = append(f.Options, options...)
	}
	return f
}

// typeGroup is what the entries of a type are about; the resource of some
// types is known only entry by entry.
func typeGroup(t activity.Type) string {
	resource := (&activity.Entry{Type: t}).Resource()
	if strings.HasPrefix(resource, "Unable") {
		return "Several"
	}
	return resource
}

func severityFacet(chosen []string) facet {
	if len(chosen) == 0 {
		chosen = usualSeverities
	}
	f := facet{Key: "severity", Label: "Severity"}
	if !sameSet(chosen, usualSeverities) {
		f.Chosen = len(chosen)
	}
	for _, name := range severityNames() {
		f.Options = append(f.Options, option{Value: name, Label: severityLabel(name), Mark: name, Chosen: slices.Contains(chosen, name)})
	}
	return f
}

func newDateMenu(key, label string, d dateChoice) dateMenu {
	m := dateMenu{Key: key, Label: label, Words: d.words(), Choices: []option{{Value: "", Label: "Any time", Chosen: !d.set()}}}
	for _, rel := range relativeDates {
		m.Choices = append(m.Choices, option{Value: rel.key, Label: rel.key + " ago", Chosen: d.relative == rel.key})
	}
	m.Choices = append(m.Choices, option{Value: customDate, Label: "This moment:", Chosen: !d.custom.IsZero()})
	if !d.custom.IsZero() {
		m.Custom = d.custom.Format("2006-01-02T15:04:05")
	}
	return m
}

// severityNames are all severities, mildest first.
func severityNames() []string {
	names := make([]string, len(activity.Severities))
	for i, severity := range activity.Severities {
		names[i] = severity.String()
	}
	return names
}

func severityLabel(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
