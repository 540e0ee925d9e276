package page

import (
	_ "embed"
	"fmt"
	"strings"
	"time"
)

// timestampFormat is how a moment reads.
const timestampFormat = "02 Jan 2006, 15:04:05"

// Timestamp is a time as a page shows it: in UTC with the zone written out, and
// how long ago it was when the page was made.
type Timestamp struct {
	At, Now time.Time
}

// IsZero reports whether there is nothing to show.
func (m Timestamp) IsZero() bool { return m.At.IsZero() }

// ISO is the moment for machines.
func (m Timestamp) ISO() string { return m.At.UTC().Format(time.RFC3339) }

// Text is the moment with its zone.
func (m Timestamp) Text() string { return m.Plain() + " UTC" }

// Plain is the moment in UTC where the zone is written elsewhere.
func (m Timestamp) Plain() string { return m.At.UTC().Format(timestampFormat) }

// ForeignTimestamp is a moment in the words of another program in those of ours,
// with the zone where there is one. What cannot be read stays as it is.
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

// Day is the day of the moment in UTC.
func (m Timestamp) Day() string { return m.At.UTC().Format("02 Jan 2006") }

// Ago is how long ago the moment was, or in how long it will be. A page that
// shows it fetches itself again every minute, see live.js.
func (m Timestamp) Ago() string {
	age := m.Now.Sub(m.At)
	if age <= -time.Second {
		return "in " + span(-age)
	}
	if age < time.Minute {
		return "just now"
	}
	return span(age) + " ago"
}

// span is a duration to the largest unit that is at least one.
func span(d time.Duration) string {
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

// Count is a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ISOOrEmpty is a time for machines; empty where it is nil.
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

// Timestamp is a time as a page made now shows it.
func (s *Console) Timestamp(t time.Time) Timestamp {
	return Timestamp{At: t, Now: s.Store.Now()}
}

// TimestampOf is the timestamp of a time; none where that is nil.
func (s *Console) TimestampOf(t *time.Time) Timestamp {
	if t == nil {
		return Timestamp{}
	}
	return s.Timestamp(*t)
}

// zoneNames are the time zones a form suggests: the names of the IANA
// database that are a place, and UTC. Others that exist may be typed.
//
//go:embed timezones.txt
var zoneNames string

func Timezones() []string { return strings.Fields(zoneNames) }

// ZoneOf is the time zone of a user; UTC where its name means nothing here.
func ZoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}
