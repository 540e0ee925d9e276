package ui

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

// writeCSV writes things as a table for a spreadsheet.
func (o *table[T]) writeCSV(w io.Writer, things []T, withByteOrderMark bool) error {
	out, err := api.NewCSVWriter(w, withByteOrderMark)
	if err != nil {
		return err
	}
	record := make([]string, len(o.columns))
	for i, col := range o.columns {
		record[i] = col.label
	}
	if err := out.Write(record...); err != nil {
		return err
	}
	for _, thing := range things {
		for i, col := range o.columns {
			record[i] = col.text(thing)
		}
		if err := out.Write(record...); err != nil {
			return err
		}
	}
	return out.Flush()
}

// csvAddress is the address of a CSV.
type csvAddress string

// ForExcel is the address of the same with a byte-order mark, without which
// Excel takes the text for another encoding.
func (a csvAddress) ForExcel() string {
	separator := "?"
	if strings.Contains(string(a), "?") {
		separator = "&"
	}
	return string(a) + separator + "bom=true"
}

// asksByteOrderMark reports whether a CSV is asked for with a byte-order mark.
func asksByteOrderMark(q url.Values) bool { return q.Get("bom") == "true" }

// pieceOfFile is how much of a file goes out at once, in bytes.
const pieceOfFile = 64 << 10

// sendCSV answers with a table as a file to keep. It is sent in pieces, and
// whoever is signed out meanwhile gets no more of them.
func (s *server) sendCSV(w http.ResponseWriter, r *http.Request, name string, body []byte) error {
	api.SetCSVHeader(w.Header(), name)
	for piece := range slices.Chunk(body, pieceOfFile) {
		if _, err := w.Write(piece); err != nil {
			return ignoreGone(err)
		}
		if err := s.options.Store.View(func(tx *store.Tx) error {
			_, err := s.options.Auth.Revalidate(tx, auth.From(r.Context()))
			return err
		}); err != nil {
			// Cut off, so that the browser does not take it for the whole file.
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
