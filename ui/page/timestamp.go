package page

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

// timestampFormat is the format of a time in texts.
const timestampFormat = "02 Jan 2006, 15:04:05"

// Timestamp is a time as a page shows it: in UTC, with its age when the page
// was built.
type Timestamp struct {
	At, Now time.Time
}

// IsZero reports whether there is nothing to show.
func (m Timestamp) IsZero() bool { return m.At.IsZero() }

// ISO returns the time for programs.
func (m Timestamp) ISO() string { return m.At.UTC().Format(time.RFC3339) }

// Text returns the time with its zone.
func (m Timestamp) Text() string { return m.Plain() + " UTC" }

// Plain returns the time in UTC without the zone.
func (m Timestamp) Plain() string { return m.At.UTC().Format(timestampFormat) }

// ForeignTimestamp converts a time from the text of another program. A text
// that it cannot read stays as it is.
func ForeignTimestamp(text string) string {
	for _, layout := range []string{time.ANSIC, "2006-01-02 15:04:05 MST", time.RFC3339, "2006-01-02 15:04:05", "2006-01-02"} {
		at, err := time.Parse(layout, text)
		switch {
		case err != nil:
		case layout == "2006-01-02":
			return at.Format("02 Jan 2006")
		case layout == time.ANSIC || layout == "2006-01-02 15:04:05":
			return at.Format(timestampFormat)
		default:
			return at.UTC().Format(timestampFormat) + " UTC"
		}
	}
	return text
}

// Day returns the day in UTC.
func (m Timestamp) Day() string { return m.At.UTC().Format("02 Jan 2006") }

// Ago says how long ago the time was, or in how long it will be. A page that
// shows it is fetched again every minute, see live.js.
func (m Timestamp) Ago() string {
	age := m.Now.Sub(m.At)
	if age <= -time.Second {
		return "in " + formatDuration(-age)
	}
	if age < time.Minute {
		return "just now"
	}
	return formatDuration(age) + " ago"
}

// formatDuration formats a duration in its largest unit.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return Count(int(d/day), "day", "days")
}

// Count returns a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ISOOrEmpty returns a time for programs; "" if t is nil.
func ISOOrEmpty(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func TimeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// Timestamp returns a time for a page that is built now.
func (s *Console) Timestamp(t time.Time) Timestamp {
	return Timestamp{At: t, Now: s.Store.Now()}
}

// TimestampOf returns a time for a page that is built now; an empty one for
// nil.
func (s *Console) TimestampOf(t *time.Time) Timestamp {
	if t == nil {
		return Timestamp{}
	}
	return s.Timestamp(*t)
}

// zoneNames are the time zones that a form suggests: places in the IANA
// database, and UTC. Users can also type other names of the database.
//
//go:embed timezones.txt
var zoneNames string

func Timezones() []string { return strings.Fields(zoneNames) }

// ZoneOf returns the time zone of a user; UTC if its name is unknown.
func ZoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
