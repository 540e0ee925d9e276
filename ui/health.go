package ui

import (
	"trento/store/landscape"
)

// healthMark is health as the template "health" draws it.
type healthMark struct {
	State string // passing, warning, critical, unknown
	Word  string
	Name  string // for those who cannot see the shape
	// StaleHint says since when nothing has been heard; empty while it has.
	StaleHint string
	Bare      bool // the shape without the word
}

// healthWords are the healths in the order in which a list of them is read:
// trouble first.
var healthWords = []struct {
	health landscape.Health
	word   string
}{
	{landscape.HealthCritical, "Critical"},
	{landscape.HealthWarning, "Warning"},
	{landscape.HealthUnknown, "Unknown"},
	{landscape.HealthPassing, "Passing"},
}

// shown is the health as it is shown: what nobody has judged is unknown.
func shown(h landscape.Health) landscape.Health {
	switch h {
	case landscape.HealthPassing, landscape.HealthWarning, landscape.HealthCritical:
		return h
	}
	return landscape.HealthUnknown
}

// healthRank orders healths by need of attention, the most urgent first.
func healthRank(h landscape.Health) int {
	for i, w := range healthWords {
		if w.health == shown(h) {
			return i
		}
	}
	return len(healthWords)
}

func healthWord(h landscape.Health) string { return healthWords[healthRank(h)].word }

// newHealthMark names the health of a thing; prefix is what kind of thing, or
// empty in a list.
func newHealthMark(prefix string, h landscape.Health, staleSince Timestamp) healthMark {
	m := healthMark{State: string(shown(h)), Word: healthWord(h)}
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
