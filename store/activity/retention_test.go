package activity

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestRetention(t *testing.T) {
	now := time.Date(2026, 3, 31, 0, 0, 0, 0, time.FixedZone("", 7200))
	tests := []struct {
		keep   Retention
		words  string
		cutoff string
	}{
		{Retention{1, Day}, "1 day", "2026-03-29T22:00:00Z"},
		{Retention{2, Week}, "2 weeks", "2026-03-16T22:00:00Z"},
		{DefaultRetention, "1 month", "2026-02-28T22:00:00Z"}, // 30 days, whatever the calendar
		{Retention{3, Month}, "3 months", "2025-12-30T22:00:00Z"},
		{Retention{2, Year}, "2 years", "2024-03-30T22:00:00Z"}, // a leap year plays no part
	}
	for _, test := range tests {
		if got := test.keep.String(); got != test.words {
			t.Errorf("%v reads %q, want %q", test.keep, got, test.words)
		}
		if got := test.keep.Cutoff(now).Format(time.RFC3339); got != test.cutoff {
			t.Errorf("%s: cut off at %s, want %s", test.words, got, test.cutoff)
		}
	}
}

func TestRetentionFaults(t *testing.T) {
	tests := []struct {
		keep        Retention
		value, unit string
	}{
		{Retention{1, Day}, "", ""},
		{Retention{MaxRetention, Year}, "", ""},
		{Retention{0, Week}, "0 is smaller than inclusive minimum 1", ""},
		{Retention{-7, Week}, "-7 is smaller than inclusive minimum 1", ""},
		{Retention{MaxRetention + 1, Week}, "1000001 is larger than inclusive maximum 1000000", ""},
		{Retention{1, "decade"}, "", "Invalid value for enum"},
		{Retention{1, "Month"}, "", "Invalid value for enum"},
		{Retention{}, "0 is smaller than inclusive minimum 1", "Invalid value for enum"},
	}
	for _, test := range tests {
		if value, unit := test.keep.Faults(); value != test.value || unit != test.unit {
			t.Errorf("%v: %q, %q", test.keep, value, unit)
		}
	}
}

// TestRetentionReach checks that a longer retention has an earlier cut-off, and
// that no valid retention overflows or has a cut-off in the future.
func TestRetentionReach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMicro(rapid.Int64Range(0, maxMicroseconds).Draw(t, "now"))
		keep := Retention{rapid.IntRange(1, MaxRetention).Draw(t, "value"), rapid.SampledFrom(Units).Draw(t, "unit")}
		longer := Retention{MaxRetention, keep.Unit}
		if cutoff := keep.Cutoff(now); !cutoff.Before(now) || longer.Cutoff(now).After(cutoff) {
			t.Fatalf("%s at %s: cut off at %s", keep, now, cutoff)
		}
		if PositionAt(longer.Cutoff(now)) != 0 {
			t.Fatalf("%s does not keep everything", longer)
		}
	})
}
