package page

import "time"

// Fact is a label with its value: a text, several lines, links, a health, or a
// time.
type Fact struct {
	Label     string
	Text      string
	Lines     []string
	Links     []Link
	Health    *HealthMark
	Timestamp *Timestamp
	Advice    ActionLink // link to a page about what to do
	Mono      bool
	Wide      bool
}

func (s *Console) TimestampFact(label string, t time.Time) Fact {
	m := s.Timestamp(t)
	return Fact{Label: label, Timestamp: &m}
}
