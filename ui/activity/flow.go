package activity

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/ui/page"
	"trento/ui/table"
)

// flowPage shows the entries with the same correlation id, in the order in
// which they happened.
type flowPage struct {
	page.Frame
	Total   int
	Begin   page.Timestamp
	Took    string // time from the first entry to the last; empty if they are simultaneous
	Actor   string // actor of the first entry
	Steps   []flowEntry
	ListURL string // address of the same entries in the log
	Pager   []table.Step
	Entry   *entryDetails
}

// Template implements page.Page.
func (*flowPage) Template() string { return "flow" }

// flowEntry is an entry, with the time since the first one.
type flowEntry struct {
	EntryRow
	Later string
}

// flowSize is the number of entries on a page.
const flowSize = 100

// flowURL returns the address of the page of a flow.
func flowURL(id string) string {
	return page.WithQuery("/activity_log", url.Values{"correlation": {id}})
}

// showFlow answers GET /activity_log?correlation=ID.
func (s *Pages) showFlow(w http.ResponseWriter, r *http.Request, v Viewer, id string) error {
	nothing := fmt.Errorf("flow %q: %w", id, store.ErrNotFound)
	if _, err := uuid.Parse(id); err != nil {
		return nothing
	}
	f, err := v.mentionFilter(id)
	if err != nil {
		return err
	}
	asked := r.URL.Query()
	walk := flowWalk(asked)
	found, err := v.Find(r.Context(), s.Search, f, walk)
	if err != nil {
		return err
	}
	if found.Total == 0 {
		return nothing // there are no entries, or none that the reader may see
	}
	p := flowPage{Frame: s.NewFrame(r, "Related Events"), Total: found.Total, Pager: flowPageLinks(id, walk, found)}
	p.Live = "activity"
	p.ListURL = page.WithQuery("/activity_log", url.Values{"search": {id}, "severity": SeverityNames(), "first": {"20"}, "rows": {rowPerEntry}})
	first, err := s.fillFlowSummary(r.Context(), v, f, &p)
	if err != nil {
		return err
	}
	related, err := s.related(r.Context(), v, asked.Get("entry"))
	if err != nil {
		return err
	}
	query := maps.Clone(asked)
	query.Del("entry")
	err = s.Store.ViewIn(r.Context(), func(tx *store.Tx) (err error) {
		known := RegisteredPages(tx)
		for _, e := range slices.Backward(found.Entries) {
			p.Steps = append(p.Steps, flowEntry{s.NewEntryRow(v, e, query, known), timeSinceBegin(e.OccurredOn().Sub(first.OccurredOn()))})
		}
		if cursor := asked.Get("entry"); cursor != "" {
			if p.Entry, err = s.openEntry(tx, p.Server, v, cursor, query, related, known); err != nil {
				return err
			}
		}
		return s.ReadFrame(&p.Frame, tx)
	})
	if err != nil {
		return err
	}
	return s.Render(w, r, http.StatusOK, &p)
}

// fillFlowSummary adds the actor, the begin and the duration of a flow to the
// page. It returns the first entry.
func (s *Pages) fillFlowSummary(ctx context.Context, v Viewer, f activity.Filter, p *flowPage) (*activity.Entry, error) {
	var ends [2]*activity.Entry
	for i, forward := range []bool{true, false} {
		found, err := v.Find(ctx, s.Search, f, search.Walk{Limit: 1, Forward: forward})
		if err != nil {
			return nil, err
		}
		if len(found.Entries) == 0 {
			return nil, fmt.Errorf("flow: %w", store.ErrNotFound) // the entries have just been pruned
		}
		ends[i] = found.Entries[0]
	}
	first, last := ends[0], ends[1]
	p.Begin, p.Actor = s.Timestamp(first.OccurredOn()), v.Actor(first.Actor)
	if took := last.OccurredOn().Sub(first.OccurredOn()); took > 0 {
		p.Took = formatDuration(took)
	}
	return first, nil
}

// flowWalk returns the part of a flow that the address asks for: the first
// entries, those after or before an entry, or the last ones.
func flowWalk(q url.Values) search.Walk {
	walk := search.Walk{Limit: flowSize, Forward: true, Count: true}
	if p, err := activity.ParseCursor(q.Get("after")); err == nil {
		walk.From = p
	} else if p, err := activity.ParseCursor(q.Get("before")); err == nil {
		walk.From, walk.Forward = p, false
	} else if q.Has("last") {
		walk.Forward = false
	}
	return walk
}

// flowPageLinks returns the links to other pages of a flow; none if it has only
// one page.
func flowPageLinks(id string, walk search.Walk, found search.Page) []table.Step {
	if len(found.Entries) == 0 || found.Total == len(found.Entries) {
		return nil
	}
	to := func(possible bool, key, value string) string {
		switch {
		case !possible:
			return ""
		case key == "":
			return flowURL(id)
		}
		return page.WithQuery("/activity_log", url.Values{"correlation": {id}, key: {value}})
	}
	earlier, later := walk.From != 0, found.More
	if !walk.Forward {
		earlier, later = found.More, walk.From != 0
	}
	newest, oldest := found.Entries[0].Position.Cursor(), found.Entries[len(found.Entries)-1].Position.Cursor()
	return table.Steps(to(earlier, "", ""), to(earlier, "before", oldest), to(later, "after", newest), to(later, "last", strconv.Itoa(flowSize)))
}

// timeSinceBegin says how long after the begin of a flow something happened; ""
// if it happened at the same time.
func timeSinceBegin(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return "+" + formatDuration(d)
}

// formatDuration formats a duration with three significant digits.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "1 ms" // rounded up
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(time.Second/10).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
