package page

import (
	"trento/store/landscape"
)

// HealthMark is a health, as the template "health" draws it.
type HealthMark struct {
	State string // passing, warning, critical, unknown
	Word  string
	Name  string // text for readers who cannot see the symbol
	// StaleHint says since when nothing was reported; empty if it is not stale.
	StaleHint string
	Bare      bool // the symbol without the word
}

// HealthWords has the healths in the order of lists: the worst first.
var HealthWords = []struct {
	Health landscape.Health
	Word   string
}{
	{landscape.HealthCritical, "Critical"},
	{landscape.HealthWarning, "Warning"},
	{landscape.HealthUnknown, "Unknown"},
	{landscape.HealthPassing, "Passing"},
}

// ShownHealth returns a health as it is shown: unknown unless it is passing,
// warning or critical.
func ShownHealth(h landscape.Health) landscape.Health {
	switch h {
	case landscape.HealthPassing, landscape.HealthWarning, landscape.HealthCritical:
		return h
	}
	return landscape.HealthUnknown
}

// HealthRank orders healths by urgency, the most urgent first.
func HealthRank(h landscape.Health) int {
	for i, w := range HealthWords {
		if w.Health == ShownHealth(h) {
			return i
		}
	}
	return len(HealthWords)
}

func HealthWord(h landscape.Health) string { return HealthWords[HealthRank(h)].Word }

// NewHealthMark returns the mark of a health. prefix names the kind of thing,
// "" in a list.
func NewHealthMark(prefix string, h landscape.Health, staleSince Timestamp) HealthMark {
	m := HealthMark{State: string(ShownHealth(h)), Word: HealthWord(h)}
	m.Name = "Health: " + m.Word
	if prefix != "" {
		m.Name = prefix + " " + m.Name
	}
	if !staleSince.IsZero() {
		m.Name += " Stale"
		m.StaleHint = "Stale since " + staleSince.Text()
	}
	return m
}
