package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"trento/store/fault"
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

// Ago is how long ago the moment was, or in how long it will be. While a page
// stays open, its script asks GET /ages for it, see age.js.
func (m Timestamp) Ago() string {
	words, _ := m.age()
	return words
}

// age is what Ago reads, and how long it does.
func (m Timestamp) age() (words string, holds time.Duration) {
	age := m.Now.Sub(m.At)
	if age <= -time.Second {
		words, unit := span(-age)
		return "in " + words, -age%unit + 1
	}
	words, unit := span(age)
	if age < time.Minute {
		return "just now", time.Minute - age
	}
	return words + " ago", unit - age%unit
}

// span is a duration to the largest unit that is at least one.
func span(d time.Duration) (words string, unit time.Duration) {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second), time.Second
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute), time.Minute
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour), time.Hour
	}
	return Count(int(d/day), "day", "days"), day
}

// Age is how long ago a time was, in words, and for how many seconds more that
// is so.
type Age struct {
	Words   string `json:"words"`
	Seconds int    `json:"seconds"`
}

// Ages answers GET /ages: the ages of the times in the query, in their order.
func (s *Console) Ages(w http.ResponseWriter, r *http.Request) error {
	ages := []Age{}
	for _, text := range r.URL.Query()["since"] {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return fault.Field("since", "is invalid")
		}
		words, holds := s.Timestamp(at).age()
		ages = append(ages, Age{words, int((holds + time.Second - 1) / time.Second)})
	}
	body, err := json.Marshal(ages)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(body)
	return IgnoreGone(err)
}

// Count is a number with its noun.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

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
