package api

import (
	"context"
	"encoding/json"
	"net/http"

	"trento/auth"
	"trento/search"
	"trento/store/activity"
	"trento/ui/stream"
)

// Entry is an entry of the activity log in answers of the API.
type Entry struct {
	ID         string            `json:"id"`
	Type       activity.Type     `json:"type"`
	Actor      string            `json:"actor"`
	Severity   activity.Severity `json:"severity"`
	OccurredOn timestamp         `json:"occurred_on"`
	Metadata   json.RawMessage   `json:"metadata"`
}

// entryPage is a page of the log, newest entry first. First or Last repeats the
// size that the request asked for; the other is nil. The next page has older
// entries.
type entryPage struct {
	Data       []Entry `json:"data"`
	Pagination struct {
		StartCursor     *string `json:"start_cursor"`
		EndCursor       *string `json:"end_cursor"`
		First           *int    `json:"first"`
		Last            *int    `json:"last"`
		HasNextPage     bool    `json:"has_next_page"`
		HasPreviousPage bool    `json:"has_previous_page"`
	} `json:"pagination"`
}

// listActivity answers GET /api/v1/activity_log.
func (a *API) listActivity(w http.ResponseWriter, r *http.Request) error {
	viewer := ViewerOf(auth.From(r.Context()))
	in := readInput(r)
	query := in.logQuery()
	if err := in.fault(); err != nil {
		return err
	}
	filter, err := viewer.Narrow(query.filter)
	if err != nil {
		return err
	}
	walk, err := query.walk()
	if err != nil {
		return err
	}
	found, err := viewer.Find(r.Context(), a.deps.Index, filter, walk)
	if err != nil {
		return err
	}
	return sendValidated(w, r, newEntryPage(viewer, walk, found))
}

func newEntryPage(viewer Viewer, walk search.Walk, found search.Page) entryPage {
	page := entryPage{Data: make([]Entry, len(found.Entries))}
	for i, e := range found.Entries {
		page.Data[i] = viewer.Entry(e)
	}
	p := &page.Pagination
	if n := len(found.Entries); n > 0 {
		start, end := found.Entries[0].Position.Cursor(), found.Entries[n-1].Position.Cursor()
		p.StartCursor, p.EndCursor = &start, &end
	}
	// A walk that does not start at an end of the log continues a page that the client has seen. So that page exists.
	if walk.Forward {
		p.Last, p.HasNextPage, p.HasPreviousPage = &walk.Limit, walk.From != 0, found.More
	} else {
		p.First, p.HasNextPage, p.HasPreviousPage = &walk.Limit, found.More, walk.From != 0
	}
	return page
}

// Viewer is a reader of the activity log. It decides what the reader may see of
// the log, for the API and for the console.
type Viewer struct {
	name string
	// managesUsers: the reader may see the entries about users and their
	// sign-ins.
	managesUsers bool
	// seesActors: the reader may see the names of all actors, and filter by
	// them.
	seesActors bool
}

// Find returns a page of the log. The filter must come from Narrow. A viewer
// runs one search at a time; further ones wait.
func (v Viewer) Find(ctx context.Context, index *search.Index, f activity.Filter, walk search.Walk) (search.Page, error) {
	walk.Reader = v.name
	return index.Activity(ctx, f, walk)
}

// ViewerOf returns the viewer for a signed-in user.
func ViewerOf(id *auth.Identity) Viewer {
	manages := id.Can("all:users")
	return Viewer{name: id.User.Username, managesUsers: manages, seesActors: manages || id.Can("activity_log:users")}
}

// Narrow restricts a filter to what the viewer may see. It fails with
// auth.ErrForbidden for an actor whose name the viewer may not see, whether
// that actor exists or not.
func (v Viewer) Narrow(f activity.Filter) (activity.Filter, error) {
	for _, actor := range f.Actors {
		if !v.seesActor(actor) {
			return activity.Filter{}, auth.ErrForbidden
		}
	}
	f.WithoutUserManagement = !v.managesUsers
	return f, nil
}

// Entry returns an entry as the viewer may see it. The caller must have checked
// that the viewer may see the entry at all.
func (v Viewer) Entry(e *activity.Entry) Entry {
	return Entry{
		ID: e.ID, Type: e.Type, Actor: v.Actor(e.Actor), Severity: e.Severity, OccurredOn: timestamp(e.OccurredOn()), Metadata: e.Metadata,
	}
}

// Sees reports whether the viewer may see an entry.
func (v Viewer) Sees(e *activity.Entry) bool { return v.managesUsers || !e.Type.UserManagement() }

// Actor returns the name that the viewer sees for an actor.
func (v Viewer) Actor(actor string) string {
	if v.seesActor(actor) {
		return actor
	}
	return stream.HiddenActor
}

func (v Viewer) seesActor(actor string) bool {
	return v.seesActors || actor == v.name || actor == activity.System
}
