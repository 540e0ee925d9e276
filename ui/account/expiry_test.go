package account

import (
	"net/url"
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC) // 1 February in Berlin
	for _, tt := range []struct {
		name, zone, form string
		mode, end, fault string
	}{
		{"never", "Etc/UTC", "expiry=never&number=x", "never", "", ""},
		{"kept", "Etc/UTC", "expiry=keep", "keep", "", ""},
		{"a day from now", "Etc/UTC", "expiry=in&number=1&unit=days", "in", "2026-02-01T23:59:59Z", ""},
		{"a day from now, elsewhere", "Europe/Berlin", "expiry=in&number=1&unit=days", "in", "2026-02-01T23:59:59Z", ""},
		{"a month from now", "Etc/UTC", "expiry=in&number=1&unit=months", "in", "2026-02-28T23:59:59Z", ""},
		{"years", "Etc/UTC", "expiry=in&number=2&unit=years", "in", "2028-01-31T23:59:59Z", ""},
		{"an unknown unit", "Etc/UTC", "expiry=in&number=3&unit=weeks", "in", "", "The unit is not one of days, months, years"},
		{"no unit", "Etc/UTC", "expiry=in&number=3", "in", "", "The unit is not one of days, months, years"},
		{"an unknown mode", "Etc/UTC", "expiry=soon&number=3&unit=days", "soon", "", "Not one of keep, in, on, never"},
		{"an unknown zone", "Mars/Olympus", "expiry=in&number=1&unit=days", "in", "2026-02-01T23:59:59Z", ""},
		{"nothing", "Etc/UTC", "expiry=in&number=0&unit=days", "in", "", "Key expiration value needs to be greater than 0"},
		{"no number", "Etc/UTC", "expiry=in&number=&unit=days", "in", "", "Key expiration value needs to be greater than 0"},
		{"too long", "Etc/UTC", "expiry=in&number=101&unit=years", "in", "", `At most 100 years; choose "never" for longer`},
		{"far too long", "Etc/UTC", "expiry=in&number=999999999&unit=years", "in", "", `At most 100 years; choose "never" for longer`},
		{"a day", "Europe/Berlin", "expiry=on&day=2026-07-01", "on", "2026-07-01T23:59:59Z", ""},
		{"today", "Etc/UTC", "expiry=on&day=2026-01-31", "on", "2026-01-31T23:59:59Z", ""},
		{"yesterday", "Etc/UTC", "expiry=on&day=2026-01-30", "on", "", "This day is over"},
		{"no day", "Etc/UTC", "expiry=on&day=2026-02-30", "on", "", "Choose a day"},
		{"no mode", "Etc/UTC", "", "", "", "Not one of keep, in, on, never"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			e := newExpiryInput(now, tt.zone, 30, expiryIn, expiryKeep, "Keep", expiryIn, "In", expiryOn, "On", expiryNever, "Never")
			mode, end := e.readForm(q, now)
			got := ""
			if end != nil {
				got = end.UTC().Format(time.RFC3339)
			}
			if mode != tt.mode || got != tt.end || e.Fault != tt.fault {
				t.Errorf("got %q, %q, fault %q; want %q, %q, %q", mode, got, e.Fault, tt.mode, tt.end, tt.fault)
			}
		})
	}
}
