package activity

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 118_043_000, time.UTC)

func TestPosition(t *testing.T) {
	p := PositionAt(noon)
	if !p.Time().Equal(noon) {
		t.Errorf("time of the position is %v, want %v", p.Time(), noon)
	}
	if q := p.Next(noon); q != p+1 || !q.Time().Equal(noon) {
		t.Errorf("a second entry within the microsecond is at %v, %d behind the first", q.Time(), q-p)
	}
	if q := p.Next(noon.Add(-time.Hour)); q != p+1 {
		t.Errorf("a clock that went back moves the position by %d", q-p)
	}
	if q := p.Next(noon.Add(time.Microsecond)); q != PositionAt(noon.Add(time.Microsecond)) {
		t.Errorf("the next microsecond starts at %d, want its first position", q)
	}
	for _, late := range []time.Time{time.Date(2113, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if PositionAt(late) < p {
			t.Errorf("position of %v is before that of %v", late, noon)
		}
	}
	if q := PositionAt(time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)); q != 0 {
		t.Errorf("position before 1970 is %d, want 0", q)
	}
}

func TestPositionKeysSortAsPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := Position(rapid.Uint64().Draw(t, "a")), Position(rapid.Uint64().Draw(t, "b"))
		if slices.Compare(a.Key(), b.Key()) < 0 != (a < b) {
			t.Fatalf("keys of %d and %d sort the other way", a, b)
		}
		if PositionOfKey(a.Key()) != a {
			t.Fatalf("key of %d is read as %d", a, PositionOfKey(a.Key()))
		}
	})
}

func TestCursor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Position(rapid.Uint64().Draw(t, "position"))
		if q, err := ParseCursor(p.Cursor()); err != nil || q != p {
			t.Fatalf("cursor of %d is read as %d (%v)", p, q, err)
		}
	})
	cursor := PositionAt(noon).Cursor()
	for _, text := range []string{"", "abc", "!!!", cursor[:15], cursor + "AAAA", "A" + cursor[1:] + "=", "AAAAAAAAAAAAAAAA", strings.ToUpper(cursor)} {
		if _, err := ParseCursor(text); !errors.Is(err, ErrCursor) {
			t.Errorf("ParseCursor(%q): error %v, want ErrCursor", text, err)
		}
	}
}

func TestFilter(t *testing.T) {
	search, err := ParseSearch("hana01")
	if err != nil {
		t.Fatal(err)
	}
	entry := Entry{
		Position: PositionAt(noon) + 7,
		Type:     TypeHeartbeatFailed,
		Actor:    System,
		Severity: Warning,
		Metadata: json.RawMessage(`{"hostname":"hana01"}`),
	}
	tests := []struct {
		name   string
		filter Filter
		want   bool
	}{
		{"nothing", Filter{}, true},
		{"type", Filter{Types: []Type{TypeHostRegistered, TypeHeartbeatFailed}}, true},
		{"other type", Filter{Types: []Type{TypeHostRegistered}}, false},
		{"actor", Filter{Actors: []string{"admin", "system"}}, true},
		{"actor in other case", Filter{Actors: []string{"System"}}, false},
		{"part of an actor", Filter{Actors: []string{"sys"}}, false},
		{"severity", Filter{Severities: []Severity{Warning}}, true},
		{"other severities", Filter{Severities: []Severity{Debug, Info, Critical}}, false},
		{"search", Filter{Search: search}, true},
		{"no user management", Filter{WithoutUserManagement: true}, true},
		{"from the moment", Filter{From: noon}, true},
		{"from just after", Filter{From: noon.Add(time.Nanosecond)}, false},
		{"from just before", Filter{From: noon.Add(-time.Nanosecond)}, true},
		{"to the moment", Filter{To: noon}, true},
		{"to just before", Filter{To: noon.Add(-time.Nanosecond)}, false},
		{"to a far future", Filter{To: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, true},
		{"from a far future", Filter{From: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, false},
		{"from a far past", Filter{From: time.Date(1, 1, 1, 1, 0, 0, 0, time.UTC)}, true},
		{"to a far past", Filter{To: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
		{"from after to", Filter{From: noon.Add(time.Hour), To: noon}, false},
		{"all of it", Filter{Types: []Type{TypeHeartbeatFailed}, Actors: []string{System}, Severities: []Severity{Warning}, Search: search, From: noon, To: noon}, true},
		{"all but one", Filter{Types: []Type{TypeHeartbeatFailed}, Actors: []string{System}, Severities: []Severity{Info}, Search: search}, false},
	}
	for _, test := range tests {
		if got := test.filter.Match(&entry); got != test.want {
			t.Errorf("%s: match is %v, want %v", test.name, got, test.want)
		}
	}
	entry.Type = TypeLoginAttempt
	if hidden := (&Filter{WithoutUserManagement: true}); hidden.Match(&entry) {
		t.Error("a sign-in passes the filter of those who may not see it")
	}
}

func TestFilterEverything(t *testing.T) {
	if f := (Filter{From: noon, To: noon}); !f.Everything() {
		t.Error("dates count as conditions")
	}
	if f := (Filter{WithoutUserManagement: true}); f.Everything() {
		t.Error("the audience does not count as a condition")
	}
}

func TestSeverityText(t *testing.T) {
	for _, s := range Severities {
		text, err := s.MarshalText()
		if err != nil || string(text) != s.String() {
			t.Errorf("%d is written as %q (%v), want %q", s, text, err, s)
		}
		if back, ok := ParseSeverity(string(text)); !ok || back != s {
			t.Errorf("%q is read as %d", text, back)
		}
	}
	if _, ok := ParseSeverity("error"); ok {
		t.Error("there is a severity error")
	}
	if _, err := Severity(17).MarshalText(); err == nil {
		t.Error("severity 17 can be written")
	}
}

func TestCutActor(t *testing.T) {
	for actor, want := range map[string]string{
		"":                              NoUsername,
		"jane":                          "jane",
		strings.Repeat("é", MaxActor):   strings.Repeat("é", MaxActor),
		strings.Repeat("é", MaxActor+1): strings.Repeat("é", MaxActor),
		strings.Repeat("\xff", 2000):    "\ufffd",
	} {
		if got := CutActor(actor); got != want {
			t.Errorf("CutActor(%.20q…) = %.20q…, want %.20q…", actor, got, want)
		}
	}
}
