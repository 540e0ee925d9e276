package table

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
	"trento/ui/page"
)

// writeCSV writes things as a table for a spreadsheet.
func (o *Table[T]) writeCSV(w io.Writer, things []T, withByteOrderMark bool) error {
	out, err := api.NewCSVWriter(w, withByteOrderMark)
	if err != nil {
		return err
	}
	record := make([]string, len(o.Columns))
	for i, col := range o.Columns {
		record[i] = col.Label
	}
	if err := out.Write(record...); err != nil {
		return err
	}
	for _, thing := range things {
		for i, col := range o.Columns {
			record[i] = col.Text(thing)
		}
		if err := out.Write(record...); err != nil {
			return err
		}
	}
	return out.Flush()
}

// CSVAddress is the address of a CSV.
type CSVAddress string

// ForExcel is the address of the same with a byte-order mark, without which
// Excel takes the text for another encoding.
func (a CSVAddress) ForExcel() string {
	separator := "?"
	if strings.Contains(string(a), "?") {
		separator = "&"
	}
	return string(a) + separator + "bom=true"
}

// AsksByteOrderMark reports whether a CSV is asked for with a byte-order mark.
func AsksByteOrderMark(q url.Values) bool { return q.Get("bom") == "true" }

// PieceOfFile is how much of a file goes out at once, in bytes.
const PieceOfFile = 64 << 10

// sendCSV answers with a table as a file to keep. It is sent in pieces, and
// whoever is signed out meanwhile gets no more of them.
func sendCSV(s *page.Console, w http.ResponseWriter, r *http.Request, name string, body []byte) error {
	api.SetCSVHeader(w.Header(), name)
	for piece := range slices.Chunk(body, PieceOfFile) {
		if _, err := w.Write(piece); err != nil {
			return page.IgnoreGone(err)
		}
		if err := s.Store.View(func(tx *store.Tx) error {
			_, err := s.Auth.Revalidate(tx, auth.From(r.Context()))
			return err
		}); err != nil {
			// Cut off, so that the browser does not take it for the whole file.
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
