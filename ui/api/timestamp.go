package api

import "time"

// timestamp is a time in answers of the API: RFC 3339 in UTC, with
// microseconds.
type timestamp time.Time

const timestampLayout = `"2006-01-02T15:04:05.000000Z"`

// MarshalJSON writes the time.
func (m timestamp) MarshalJSON() ([]byte, error) { return m.text(), nil }

func (m timestamp) text() []byte { return time.Time(m).UTC().AppendFormat(nil, timestampLayout) }

// timestampOf converts a time. It returns nil for nil.
func timestampOf(t *time.Time) *timestamp { return (*timestamp)(t) }
