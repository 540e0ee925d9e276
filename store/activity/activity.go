// Package activity defines the activity log: its entries, the types of entries
// and their texts, which types only user managers may see, and the syntax and
// meaning of searches in the metadata. It neither reads nor writes files:
// package store holds the entries, and package search holds their index.
package activity

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"trento/store/fault"
)

// System is the actor of changes that no user asked for.
const System = "system"

// NoUsername is the actor of a sign-in attempt without a user name.
const NoUsername = "no_username"

// MaxActor is the largest length of an actor in characters. Longer names are
// truncated.
const MaxActor = 255

// Entry is one line of the log. Entries are immutable.
type Entry struct {
	Position Position
	ID       string // UUID version 4
	Type     Type
	Actor    string
	Severity Severity
	Metadata json.RawMessage // an object, never null, with secrets masked
}

// OccurredOn returns the time at which the entry was written, in UTC.
func (e *Entry) OccurredOn() time.Time { return e.Position.Time() }

// Position is the place of an entry in the log, and also its time. The upper 52
// bits are the microseconds since 1970, and the lower 12 bits are a sequence
// number within the microsecond. Positions only grow, so their order is the
// order of writing, and a period is a range of positions.
type Position uint64

const positionSequenceBits = 12

// maxMicroseconds is the last microsecond that a position can hold; it is in
// the year 2112.
const maxMicroseconds = 1<<(64-positionSequenceBits) - 1

// PositionAt returns the first position of the microsecond of t. If t is before
// 1970 or after 2112, it returns the nearest possible position.
func PositionAt(t time.Time) Position {
	micros := min(max(t.UnixMicro(), 0), maxMicroseconds)
	return Position(micros) << positionSequenceBits
}

// Next returns the position of an entry written at t after the position p. If
// the clock has not advanced, or has gone back, it is p+1.
func (p Position) Next(t time.Time) Position { return max(PositionAt(t), p+1) }

// Time returns the time of the position, in UTC, to the microsecond.
func (p Position) Time() time.Time {
	return time.UnixMicro(int64(p >> positionSequenceBits)).UTC()
}

// Key returns the position as eight bytes, which sort like positions.
func (p Position) Key() []byte { return binary.BigEndian.AppendUint64(nil, uint64(p)) }

// PositionOfKey returns the position whose Key is given.
func PositionOfKey(key []byte) Position { return Position(binary.BigEndian.Uint64(key)) }

// Cursor returns the position as text for clients of the API. The text is safe
// in URLs, and has a check value.
func (p Position) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(append(p.Key(), cursorCheck(p)...))
}

// ErrCursor means that a text was not returned by Cursor.
var ErrCursor = fault.New(fault.Malformed, "activity: not a cursor")

// ParseCursor returns the position of a text that Cursor has returned. It fails
// with ErrCursor for any other text.
func ParseCursor(text string) (Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 12 {
		return 0, ErrCursor
	}
	p := PositionOfKey(raw[:8])
	if string(raw[8:]) != string(cursorCheck(p)) {
		return 0, ErrCursor
	}
	return p, nil
}

// cursorCheck returns the check value that distinguishes a cursor from other
// base64 text. It is not a secret: a position reveals only a time.
func cursorCheck(p Position) []byte {
	h := (uint64(p) ^ 0x7472656e746f) * 0x9e3779b97f4a7c15
	return binary.BigEndian.AppendUint32(nil, uint32(h>>32))
}

// Severity is the severity of an entry. The existing server uses the same
// values.
type Severity uint8

// The severities. There is no error severity, because no type has it.
const (
	Debug    Severity = 5
	Info     Severity = 9
	Warning  Severity = 13
	Critical Severity = 21
)

// Severities lists all severities, the lowest first.
var Severities = []Severity{Debug, Info, Warning, Critical}

var severityNames = map[Severity]string{Debug: "debug", Info: "info", Warning: "warning", Critical: "critical"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText returns the name of the severity.
func (s Severity) MarshalText() ([]byte, error) {
	name, ok := severityNames[s]
	if !ok {
		return nil, fmt.Errorf("activity: no severity %d", s)
	}
	return []byte(name), nil
}

// ParseSeverity returns the severity with the name.
func ParseSeverity(name string) (Severity, bool) {
	for s, n := range severityNames {
		if n == name {
			return s, true
		}
	}
	return 0, false
}

// Filter selects entries. The zero value selects all. An entry must meet all
// conditions; in a list, one of the values must be equal.
type Filter struct {
	Types      []Type
	Actors     []string
	Severities []Severity
	From, To   time.Time // both inclusive, in microseconds; zero: no limit
	Search     Search
	// WithoutUserManagement leaves out the types that only user managers may
	// see; see Type.UserManagement.
	WithoutUserManagement bool
}

// Bounds returns the first and the last position that the dates of the filter
// allow.
func (f *Filter) Bounds() (first, last Position) {
	last = ^Position(0)
	if !f.From.IsZero() {
		first = PositionAt(f.From.Add(time.Microsecond - 1)) // rounded up to a microsecond
	}
	if !f.To.IsZero() {
		if f.To.UnixMicro() < 0 {
			return 1, 0
		}
		last = PositionAt(f.To) | (1<<positionSequenceBits - 1)
	}
	return first, last
}

// Everything reports whether the filter selects all entries within its dates.
func (f *Filter) Everything() bool {
	return len(f.Types) == 0 && len(f.Actors) == 0 && len(f.Severities) == 0 &&
		f.Search.Blank() && !f.WithoutUserManagement
}

// Match reports whether the filter selects an entry. It is the definition of
// the filter, with which the index must agree.
func (f *Filter) Match(e *Entry) bool {
	if first, last := f.Bounds(); e.Position < first || e.Position > last {
		return false
	}
	return (len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		(len(f.Actors) == 0 || slices.Contains(f.Actors, e.Actor)) &&
		(len(f.Severities) == 0 || slices.Contains(f.Severities, e.Severity)) &&
		!(f.WithoutUserManagement && e.Type.UserManagement()) &&
		(f.Search.Blank() || f.Search.Match(e.Metadata))
}

// CutActor truncates an actor to MaxActor characters. It returns NoUsername for
// "".
func CutActor(actor string) string {
	if actor == "" {
		return NoUsername
	}
	if len(actor) <= MaxActor {
		return actor
	}
	runes := []rune(strings.ToValidUTF8(actor, "\uFFFD"))
	return string(runes[:min(len(runes), MaxActor)])
}
