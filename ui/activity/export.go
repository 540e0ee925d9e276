package activity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/store/activity"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// exportDeadline is how long a client may take to accept a piece of an export.
const exportDeadline = 30 * time.Second

// logFormat is a file format of an export.
type logFormat struct {
	setHeader func(http.Header)
	// begin writes the head of the file, and returns the function that writes
	// an entry.
	begin func(io.Writer, url.Values) (func(api.Viewer, *activity.Entry) error, error)
}

var csvFormat = logFormat{
	setHeader: func(h http.Header) { api.SetCSVHeader(h, "activity_log.csv") },
	begin: func(w io.Writer, q url.Values) (func(api.Viewer, *activity.Entry) error, error) {
		out, err := api.NewCSVWriter(w, table.AsksByteOrderMark(q))
		if err != nil {
			return nil, err
		}
		if err := out.Write("Time (UTC)", "Severity", "Type", "Message", "Resource", "User", "ID", "Data"); err != nil {
			return nil, err
		}
		return func(v api.Viewer, e *activity.Entry) error {
			if err := out.Write(api.CSVTime(e.OccurredOn()), e.Severity.String(), e.Type.Label(), e.Message(), e.Resource(), v.Actor(e.Actor), e.ID, string(e.Metadata)); err != nil {
				return err
			}
			return out.Flush()
		}, out.Flush()
	},
}

// linesFormat writes each entry as a JSON object on a line, as the API does.
var linesFormat = logFormat{
	setHeader: func(h http.Header) {
		h.Set("Content-Type", "application/jsonl; charset=utf-8")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "activity_log.jsonl"}))
		h.Set("Cache-Control", "no-store")
	},
	begin: func(w io.Writer, _ url.Values) (func(api.Viewer, *activity.Entry) error, error) {
		return func(v api.Viewer, e *activity.Entry) error {
			line, err := json.Marshal(v.Entry(e))
			if err == nil {
				_, err = w.Write(append(line, '\n'))
			}
			return err
		}, nil
	},
}

// exportLog answers GET /activity_log.csv and GET /activity_log.jsonl: all
// entries that pass the filters, newest first. It reads them part by part, and
// no transaction is open while a part is sent. Before each part it checks that
// the user is still signed in and may see the entries. If not, the answer ends
// in the middle, which the client notices.
func (s *Pages) exportLog(format logFormat) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		asked, err := parseLogQuery(r.URL.Query(), defaultEntries).filter(s.Store.Now())
		if err != nil {
			return err
		}
		x := export{s: s, format: format, id: auth.From(r.Context()), requestedFilter: asked, w: w, out: http.NewResponseController(w)}
		if err = x.run(r.Context(), r.URL.Query()); err != nil && x.begun {
			s.Log.Warn("export of the activity log is cut short", "id", page.RequestID(r.Context()), "error", err)
			panic(http.ErrAbortHandler)
		}
		return err
	}
}

// export is the state of an export in progress.
type export struct {
	s               *Pages
	format          logFormat
	id              *auth.Identity
	requestedFilter activity.Filter
	w               http.ResponseWriter
	out             *http.ResponseController
	begun           bool // the header and a part have been sent
}

func (x *export) run(ctx context.Context, query url.Values) error {
	var part bytes.Buffer
	write, err := x.format.begin(&part, query)
	if err != nil {
		return err
	}
	for walk := (search.Walk{Limit: search.MaxLimit}); ; {
		v, f, err := x.currentPermission()
		if err != nil {
			return err
		}
		found, err := v.Find(ctx, x.s.Search, f, walk)
		if err != nil {
			return err
		}
		for _, e := range found.Entries {
			if err := write(v.Viewer, e); err != nil {
				return err
			}
			walk.From = e.Position
		}
		if err := x.send(&part); err != nil || !found.More {
			return err
		}
	}
}

// currentPermission returns the viewer and the filter for what the viewer may
// see at present. It fails if the user has been signed out.
func (x *export) currentPermission() (Viewer, activity.Filter, error) {
	var v Viewer
	err := x.s.Store.View(func(tx *store.Tx) error {
		id, err := x.s.Auth.Revalidate(tx, x.id)
		if err == nil {
			v, err = NewViewer(id)
		}
		return err
	})
	if err != nil {
		return Viewer{}, activity.Filter{}, err
	}
	f, err := v.narrow(x.requestedFilter)
	return v, f, err
}

// send sends a part and empties it. Each piece has a deadline; the whole export
// has none.
func (x *export) send(part *bytes.Buffer) error {
	if !x.begun {
		x.format.setHeader(x.w.Header())
		x.begun = true
	}
	for part.Len() > 0 {
		err := x.out.SetWriteDeadline(time.Now().Add(exportDeadline))
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := x.w.Write(part.Next(table.PieceSize)); err != nil {
			return err
		}
		if _, _, err := x.currentPermission(); err != nil {
			return err
		}
	}
	return x.out.Flush()
}
