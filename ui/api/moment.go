package api

import "time"

// moment is a time as the API writes it: RFC 3339 in UTC, with microseconds.
type moment time.Time

const momentLayout = `"2006-01-02T15:04:05.000000Z"`

// MarshalJSON writes the time.
func (m moment) MarshalJSON() ([]byte, error) { return m.text(), nil }

func (m moment) text() []byte { return time.Time(m).UTC().AppendFormat(nil, momentLayout) }

// momentOf is nil for nil.
func momentOf(t *time.Time) *moment { return (*moment)(t) }
