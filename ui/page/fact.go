package page

import "time"

// Fact is one definition pair: a text, several lines, links, a health, or a
// timestamp.
type Fact struct {
	Label     string
	Text      string
	Lines     []string
	Links     []Link
	Health    *HealthMark
	Timestamp *Timestamp
	Advice    ActionLink // what to do about it, if anything
	Mono      bool
	Wide      bool
}

func (s *Console) TimestampFact(label string, t time.Time) Fact {
	m := s.Timestamp(t)
	return Fact{Label: label, Timestamp: &m}
}
