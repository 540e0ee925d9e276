package page

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMoments(t *testing.T) {
	now := time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)
	for age, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago",
		23 * time.Hour: "23 h ago", 24 * time.Hour: "1 day ago", 50 * time.Hour: "2 days ago", -90 * time.Minute: "in 1 h",
	} {
		if got := (Timestamp{now.Add(-age), now}).Ago(); got != want {
			t.Errorf("%v: %q, want %q", age, got, want)
		}
	}
	// The words of an age hold exactly as long as they say.
	rapid.Check(t, func(t *rapid.T) {
		m := Timestamp{now.Add(-time.Duration(rapid.Int64Range(-int64(72*time.Hour), int64(72*time.Hour)).Draw(t, "age"))), now}
		words, holds := m.age()
		if same := (Timestamp{m.At, now.Add(holds - 1)}).Ago(); same != words {
			t.Fatalf("%q is %q before %v are over", words, same, holds)
		}
		if next := (Timestamp{m.At, now.Add(holds)}).Ago(); next == words {
			t.Fatalf("%q is the same after %v", words, holds)
		}
	})
	m := Timestamp{time.Date(2024, 8, 14, 12, 21, 0, 0, time.FixedZone("", 2*3600)), now}
	if m.Text() != "14 Aug 2024, 10:21:00 UTC" || m.ISO() != "2024-08-14T10:21:00Z" {
		t.Errorf("%s, %s", m.Text(), m.ISO())
	}
}
