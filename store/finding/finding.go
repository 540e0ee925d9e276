// Package finding has the type of what is wrong with an installation, and of
// the list that trento-web doctor prints, the console shows and the API
// answers. Package packaging/doctor makes the list.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Urgency says how soon a finding needs somebody.
type Urgency int

// The urgencies. Of Urgent things, something does not work or data can be lost.
// A Warning can wait for the next working day.
const (
	Warning Urgency = iota + 1
	Urgent
)

var urgencyNames = map[Urgency]string{Warning: "warning", Urgent: "urgent"}

// String returns "warning" or "urgent".
func (u Urgency) String() string { return urgencyNames[u] }

// MarshalText returns the text of String.
func (u Urgency) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads the text of String.
func (u *Urgency) UnmarshalText(text []byte) error {
	for urgency, name := range urgencyNames {
		if name == string(text) {
			*u = urgency
			return nil
		}
	}
	return fmt.Errorf("no urgency %q", text)
}

// Finding is one thing that is wrong.
type Finding struct {
	Urgency Urgency `json:"urgency"`
	Area    string  `json:"area"`           // what was examined, such as "Backups"
	What    string  `json:"what"`           // what is wrong, as a sentence
	Why     string  `json:"why"`            // why it matters, as a sentence
	Mend    string  `json:"mend"`           // the command or the variable that mends it
	Page    string  `json:"page,omitempty"` // path of the page of the console that shows more; "" if none does
}

// Skipped is a thing that could not be examined.
type Skipped struct {
	Area string `json:"area"`
	Why  string `json:"why"`
}

// Report is the result of an examination.
type Report struct {
	At      time.Time `json:"examined_at"`
	Version string    `json:"version"` // of the program that has examined
	// StartedAt is when the server was started; nil if it was stopped.
	StartedAt *time.Time `json:"started_at"`
	Findings  []Finding  `json:"findings"`
	Examined  []string   `json:"examined"` // areas
	Skipped   []Skipped  `json:"not_examined"`
}

// Worst returns the highest urgency of the findings; 0 if there are none.
func (r *Report) Worst() (worst Urgency) {
	for _, f := range r.Findings {
		worst = max(worst, f.Urgency)
	}
	return worst
}

// Count returns the number of findings of an urgency.
func (r *Report) Count(u Urgency) (n int) {
	for _, f := range r.Findings {
		if f.Urgency == u {
			n++
		}
	}
	return n
}

// Sort sorts the findings by urgency, the most urgent first. Those of one
// urgency keep their order.
func (r *Report) Sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Urgency, a.Urgency) })
}

// Add adds another examination of the same installation, without what is known
// already. An area counts as examined if one of the two has examined it.
func (r *Report) Add(other *Report) {
	for _, f := range other.Findings {
		if !slices.Contains(r.Findings, f) {
			r.Findings = append(r.Findings, f)
		}
	}
	for _, area := range other.Examined {
		if !slices.Contains(r.Examined, area) {
			r.Examined = append(r.Examined, area)
		}
	}
	for _, s := range other.Skipped {
		if !slices.ContainsFunc(r.Skipped, func(o Skipped) bool { return o.Area == s.Area }) {
			r.Skipped = append(r.Skipped, s)
		}
	}
	r.Skipped = slices.DeleteFunc(r.Skipped, func(s Skipped) bool { return slices.Contains(r.Examined, s.Area) })
	r.Sort()
}
