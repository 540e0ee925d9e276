package page

import (
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	now := time.Date(2026, 8, 20, 10, 15, 30, 0, time.UTC)
	for age, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago",
		23 * time.Hour: "23 h ago", 24 * time.Hour: "1 day ago", 50 * time.Hour: "2 days ago", -90 * time.Minute: "in 1 h", -time.Millisecond: "just now",
	} {
		if got := (Timestamp{now.Add(-age), now}).Ago(); got != want {
			t.Errorf("%v: %q, want %q", age, got, want)
		}
	}
	m := Timestamp{time.Date(2024, 8, 14, 12, 21, 0, 0, time.FixedZone("", 2*3600)), now}
	if m.Text() != "14 Aug 2024, 10:21:00 UTC" || m.ISO() != "2024-08-14T10:21:00Z" {
		t.Errorf("%s, %s", m.Text(), m.ISO())
	}
}
