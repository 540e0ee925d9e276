package command

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// textTable prints rows in columns. It keeps them until Flush, which makes the
// columns as wide as their widest cell.
type textTable struct {
	out      io.Writer
	widths   []int
	rows     [][]string
	coloured map[int]bool // columns in which words of health and severity are coloured
}

// newTable returns a table with titles, or without them if there are none.
func newTable(out io.Writer, titles ...string) *textTable {
	t := &textTable{out: out}
	if len(titles) > 0 {
		t.row(titles...)
	}
	return t
}

// row adds a row.
func (t *textTable) row(cells ...string) {
	printed := make([]string, len(cells))
	for i, cell := range cells {
		printed[i] = replaceControlChars(cell)
	}
	t.rows = append(t.rows, printed)
}

// Flush prints the rows that were added since the last time. Columns never
// become narrower again.
func (t *textTable) Flush() error {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], uniseg.StringWidth(cell))
		}
	}
	var text strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			shown := cell
			if t.coloured[i] {
				shown = colour(cell)
			}
			text.WriteString(shown)
			if i < len(row)-1 {
				text.WriteString(strings.Repeat(" ", t.widths[i]-uniseg.StringWidth(cell)+2))
			}
		}
		text.WriteByte('\n')
	}
	t.rows = nil
	_, err := io.WriteString(t.out, text.String())
	return err
}

// colour returns a word of health or severity with the codes that make a
// terminal show it in its colour.
func colour(word string) string {
	code := ""
	switch word {
	case "passing":
		code = "32" // green
	case "warning":
		code = "33" // yellow
	case "critical":
		code = "31" // red
	default:
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

// showsColours reports whether out is a terminal that shows colours, and the
// environment does not forbid them.
func showsColours(out io.Writer, environ []string) bool {
	return isTerminal(out) && getenv(environ, "NO_COLOR") == "" && getenv(environ, "TERM") != "dumb"
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// replaceControlChars replaces the control characters of a text that an agent has sent.
// They could change what a terminal shows elsewhere.
func replaceControlChars(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

// textOf returns a text, or a dash for nil.
func textOf[T ~string](text *T) string {
	if text == nil || *text == "" {
		return "-"
	}
	return string(*text)
}

// timeOf returns a time as the console shows it, or a dash for nil.
func timeOf(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Local().Format("2006-01-02 15:04:05 MST")
}
