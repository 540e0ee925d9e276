package ui

import (
	"encoding/csv"
	"io"
	"mime"
	"net/http"
	"slices"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

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
