package ui

import (
	"bytes"
	"encoding/csv"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"trento/auth"
	"trento/search"
	"trento/store"
	"trento/ui/api"
)

// maxExport is how many entries a table of the log has at most; the newest
// are in it.
const maxExport = 10_000

// activityCSV answers GET /activity_log.csv: the entries that pass the
// filters, without their pages.
func (s *server) activityCSV(w http.ResponseWriter, r *http.Request) error {
	v, err := viewerOf(auth.From(r.Context()))
	if err != nil {
		return err
	}
	f, err := parseLogQuery(r.URL.Query(), usualEntries).filter(s.options.Store.Now())
	if err != nil {
		return err
	}
	if f, err = v.narrow(f); err != nil {
		return err
	}
	var body bytes.Buffer
	out := csv.NewWriter(&body)
	if err := out.Write([]string{"Time (UTC)", "Severity", "Type", "Message", "Resource", "User", "ID", "Data"}); err != nil {
		return err
	}
	walk := search.Walk{Limit: search.MaxLimit}
	for written := 0; written < maxExport; {
		page, err := s.options.Search.Activity(r.Context(), f, walk)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			record := []string{
				e.OccurredOn().Format(time.RFC3339Nano), e.Severity.String(), e.Type.Label(), e.Message(), e.Resource(), v.Actor(e.Actor), e.ID, string(e.Metadata),
			}
			for i := range record {
				record[i] = api.Harmless(record[i])
			}
			if err := out.Write(record); err != nil {
				return err
			}
			walk.From = e.Position
		}
		if written += len(page.Entries); !page.More {
			break
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	return s.sendCSV(w, r, "activity_log.csv", body.Bytes())
}

// writeCSV writes things as a table for a spreadsheet.
func (o *overview[T]) writeCSV(w io.Writer, things []T) error {
	out := csv.NewWriter(w)
	record := make([]string, len(o.columns))
	for i, col := range o.columns {
		record[i] = col.label
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, thing := range things {
		for i, col := range o.columns {
			record[i] = api.Harmless(col.text(thing))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// pieceOfFile is how much of a file goes out at once, in bytes.
const pieceOfFile = 64 << 10

// sendCSV answers with a table as a file to keep. It is sent in pieces, and
// whoever is signed out meanwhile gets no more of them.
func (s *server) sendCSV(w http.ResponseWriter, r *http.Request, name string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
	for piece := range slices.Chunk(body, pieceOfFile) {
		if _, err := w.Write(piece); err != nil {
			return ignoreGone(err)
		}
		if err := s.options.Store.View(func(tx *store.Tx) error {
			_, err := s.options.Auth.Again(tx, auth.From(r.Context()))
			return err
		}); err != nil {
			// Cut off, so that the browser does not take it for the whole file.
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
