package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"trento/store/finding"
)

// sentence returns a text as a sentence: it begins with a capital letter and
// ends with a full stop, unless it has another end.
func sentence(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + text[size:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "?") {
		text += "."
	}
	return text
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// countText returns a number with its noun.
func countText(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func formatTime(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 MST") }

func formatDays(d time.Duration) string {
	if days := int(d / (24 * time.Hour)); days > 0 {
		return countText(days, "day", "days")
	}
	return countText(max(1, int(d/time.Hour)), "hour", "hours")
}

// Text returns a report for a terminal.
func Text(r *finding.Report) string {
	var text strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&text, "%-8s %s\n", strings.ToUpper(f.Urgency.String()), replaceControlChars(f.What))
		fmt.Fprintf(&text, "         %s\n      -> %s\n\n", replaceControlChars(f.Why), replaceControlChars(f.Mend))
	}
	if len(r.Findings) == 0 {
		text.WriteString("Nothing is wrong. ")
	} else {
		fmt.Fprintf(&text, "%d urgent, %s. ", r.Count(finding.Urgent), countText(r.Count(finding.Warning), "warning", "warnings"))
	}
	fmt.Fprintf(&text, "%s examined: %s.\n", countText(len(r.Examined), "thing was", "things were"), strings.Join(r.Examined, ", "))
	if len(r.Skipped) > 0 {
		text.WriteString("Not examined:\n")
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&text, "  %s: %s.\n", s.Area, replaceControlChars(s.Why))
	}
	state := "The server is stopped."
	if r.StartedAt != nil {
		state = "The server was started on " + formatTime(*r.StartedAt) + "."
	}
	fmt.Fprintf(&text, "trento-web %s. %s\n", r.Version, state)
	return text.String()
}

// replaceControlChars replaces the control characters of a text, part of which may come
// from an agent. They could change what a terminal shows elsewhere.
func replaceControlChars(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}

// formatSize formats a number of bytes in powers of ten, as disks are sold.
func formatSize(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	digits := 1
	if unit == 0 || value >= 100 {
		digits = 0
	}
	return fmt.Sprintf("%.*f %s", digits, value, units[unit])
}
