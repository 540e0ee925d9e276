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

// CSVAddress is the address of a CSV file.
type CSVAddress string

// ForExcel returns the address of the same file with a byte-order mark, which
// Excel needs to recognise UTF-8.
func (a CSVAddress) ForExcel() string {
	separator := "?"
	if strings.Contains(string(a), "?") {
		separator = "&"
	}
	return string(a) + separator + "bom=true"
}

// AsksByteOrderMark reports whether a query asks for a CSV file with a
// byte-order mark.
func AsksByteOrderMark(q url.Values) bool { return q.Get("bom") == "true" }

// PieceSize is the size of the pieces in which a file is sent, in bytes.
const PieceSize = 64 << 10

// SendCSV sends a CSV file as SendFile does.
func SendCSV(s *page.Console, w http.ResponseWriter, r *http.Request, name string, body []byte) error {
	api.SetCSVHeader(w.Header(), name)
	return SendFile(s, w, r, body)
}

// SendFile sends a file in pieces. If the user is signed out meanwhile, it stops.
// The caller has set the headers.
func SendFile(s *page.Console, w http.ResponseWriter, r *http.Request, body []byte) error {
	for piece := range slices.Chunk(body, PieceSize) {
		if _, err := w.Write(piece); err != nil {
			return page.IgnoreGone(err)
		}
		if err := s.Store.View(func(tx *store.Tx) error {
			_, err := s.Auth.Revalidate(tx, auth.From(r.Context()))
			return err
		}); err != nil {
			// The connection is cut, so that the browser does not keep half a
			// file.
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
