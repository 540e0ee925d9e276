package page

import (
	"trento/store/landscape"
)

// HealthMark is health as the template "health" draws it.
type HealthMark struct {
	State string // passing, warning, critical, unknown
	Word  string
	Name  string // for those who cannot see the shape
	// StaleHint says since when nothing has been heard; empty while it has.
	StaleHint string
	Bare      bool // the shape without the word
}

// HealthWords are the healths in the order in which a list of them is read:
// trouble first.
var HealthWords = []struct {
	Health landscape.Health
	Word   string
}{
	{landscape.HealthCritical, "Critical"},
	{landscape.HealthWarning, "Warning"},
	{landscape.HealthUnknown, "Unknown"},
	{landscape.HealthPassing, "Passing"},
}

// Shown is the health as it is shown: what nobody has judged is unknown.
func Shown(h landscape.Health) landscape.Health {
	switch h {
	case landscape.HealthPassing, landscape.HealthWarning, landscape.HealthCritical:
		return h
	}
	return landscape.HealthUnknown
}

// HealthRank orders healths by need of attention, the most urgent first.
func HealthRank(h landscape.Health) int {
	for i, w := range HealthWords {
		if w.Health == Shown(h) {
			return i
		}
	}
	return len(HealthWords)
}

func HealthWord(h landscape.Health) string { return HealthWords[HealthRank(h)].Word }

// NewHealthMark names the health of a thing; prefix is what kind of thing, or
// empty in a list.
func NewHealthMark(prefix string, h landscape.Health, staleSince Timestamp) HealthMark {
	m := HealthMark{State: string(Shown(h)), Word: HealthWord(h)}
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
