package api

import (
	"encoding/csv"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// CSVWriter writes a table in CSV (RFC 4180), record by record. It marks cells
// that a spreadsheet could take for a formula as text.
type CSVWriter struct {
	out    *csv.Writer
	record []string // buffer, reused for each record
}

// byteOrderMark tells a spreadsheet that the text is UTF-8. Excel needs it, but
// other programs read it as a part of the first cell. So it is only written on
// request.
const byteOrderMark = "\uFEFF"

// NewCSVWriter returns a writer for a new table. The caller must call Flush
// after the last record.
func NewCSVWriter(w io.Writer, withByteOrderMark bool) (*CSVWriter, error) {
	if withByteOrderMark {
		if _, err := io.WriteString(w, byteOrderMark); err != nil {
			return nil, err
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return &CSVWriter{out: out}, nil
}

// Write writes a record.
func (c *CSVWriter) Write(cells ...string) error {
	c.record = c.record[:0]
	for _, cell := range cells {
		c.record = append(c.record, quoteFormula(cell))
	}
	return c.out.Write(c.record)
}

// Flush writes the buffered records, and returns the first error of all writes.
func (c *CSVWriter) Flush() error {
	c.out.Flush()
	return c.out.Error()
}

// CSVTime formats a time in UTC, with microseconds. The result always has the
// same length, so that times can be sorted as text.
func CSVTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// SetCSVHeader sets the headers of an answer that a browser saves as the named
// file.
func SetCSVHeader(h http.Header, file string) {
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file}))
	h.Set("Cache-Control", "no-store")
}

// formulaStarts are the characters with which a formula can begin. The last one
// is the typographic minus sign, which LibreOffice accepts.
const formulaStarts = "=+-@\u2212"

// quoteFormula puts an apostrophe before a text that a spreadsheet could take
// for a formula. Spreadsheets ignore blanks and invisible characters at the
// beginning, and some treat full-width, small and superscript signs like plain
// ones.
func quoteFormula(cell string) string {
	visible := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) })
	first, _ := utf8.DecodeRuneInString(cell)
	_, size := utf8.DecodeRuneInString(visible)
	plain := norm.NFKC.String(visible[:size])
	if cell != "" && unicode.IsControl(first) || plain != "" && strings.Contains(formulaStarts, plain) {
		return "'" + cell
	}
	return cell
}
