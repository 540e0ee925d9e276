package doctor

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// upperFirst returns a text with its first letter in upper case, unless it is
// the name of a file or has one in its first word.
func upperFirst(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// count returns a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// verbOf returns a number with the verb that follows it.
func verbOf(n int, one, many string) string { return count(n, one, many) }

func formatTime(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 MST") }

func formatDays(d time.Duration) string {
	if days := int(d / (24 * time.Hour)); days > 0 {
		return count(days, "day", "days")
	}
	return count(max(1, int(d/time.Hour)), "hour", "hours")
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
