// Package activity is the language of the activity log: what an entry is,
// which types of entries exist and how they read, which of them a caller may
// see, and what the metadata search means. It is pure: the file that holds
// the entries is package store's, the index over them package search's.
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

// System is the actor of everything that no user asked for.
const System = "system"

// NoUsername is the actor of a sign-in attempt without a user name.
const NoUsername = "no_username"

// MaxActor is the largest length of an actor in characters. Longer ones are
// cut.
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

// Position is the place of an entry in the log and its time at once: the
// microseconds since 1970 in the upper 52 bits, a sequence within the
// microsecond in the lower 12. Positions only ever grow, so the order of
// positions is the order of writing, and a moment is a range of positions.
type Position uint64

const positionSequenceBits = 12

// maxMicros is the last microsecond that has positions; it is in the year 2112.
const maxMicros = 1<<(64-positionSequenceBits) - 1

// PositionAt returns the first position of the microsecond of t, or the nearest
// possible one.
func PositionAt(t time.Time) Position {
	micros := min(max(t.UnixMicro(), 0), maxMicros)
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

// PositionOfKey is the reverse of Key.
func PositionOfKey(key []byte) Position { return Position(binary.BigEndian.Uint64(key)) }

// Cursor returns the position as text for clients of the API. It is safe in
// URLs and can be checked.
func (p Position) Cursor() string {
	return base64.RawURLEncoding.EncodeToString(append(p.Key(), cursorCheck(p)...))
}

// ErrCursor says that a text is not a cursor of this product.
var ErrCursor = fault.New(fault.Malformed, "activity: not a cursor")

// ParseCursor reads a text that Cursor has written. It fails with ErrCursor for
// any other text.
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

// Severity of an entry. The values are those of the existing server.
type Severity uint8

// The severities. There is no error severity, because no type has it.
const (
	Debug    Severity = 5
	Info     Severity = 9
	Warning  Severity = 13
	Critical Severity = 21
)

// Severities are all severities, the lowest first.
var Severities = []Severity{Debug, Info, Warning, Critical}

var severityNames = map[Severity]string{Debug: "debug", Info: "info", Warning: "warning", Critical: "critical"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText writes the name of the severity.
func (s Severity) MarshalText() ([]byte, error) {
	name, ok := severityNames[s]
	if !ok {
		return nil, fmt.Errorf("activity: no severity %d", s)
	}
	return []byte(name), nil
}

// ParseSeverity reads the name of a severity.
func ParseSeverity(name string) (Severity, bool) {
	for s, n := range severityNames {
		if n == name {
			return s, true
		}
	}
	return 0, false
}

// Filter selects entries. Its zero value selects every one. All conditions
// must hold; within a list one value is enough.
type Filter struct {
	Types      []Type
	Actors     []string
	Severities []Severity
	From, To   time.Time // both inclusive, to the microsecond; zero means open
	Search     Search
	// WithoutUserManagement leaves out the types that only user managers see
	// (the policy of the log, see Type.UserManagement).
	WithoutUserManagement bool
}

// Bounds returns the first and the last position that the dates of the filter
// allow.
func (f *Filter) Bounds() (first, last Position) {
	last = ^Position(0)
	if !f.From.IsZero() {
		first = PositionAt(f.From.Add(time.Microsecond - 1)) // rounded up
	}
	if !f.To.IsZero() {
		if f.To.UnixMicro() < 0 {
			return 1, 0
		}
		last = PositionAt(f.To) | (1<<positionSequenceBits - 1)
	}
	return first, last
}

// Everything reports whether the filter, apart from its dates, passes all
// entries.
func (f *Filter) Everything() bool {
	return len(f.Types) == 0 && len(f.Actors) == 0 && len(f.Severities) == 0 &&
		f.Search.Blank() && !f.WithoutUserManagement
}

// Match reports whether an entry passes the filter. It defines the filter: the
// index must agree with it.
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

// CutActor shortens an actor to MaxActor characters. It never returns "".
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
