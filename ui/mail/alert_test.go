package mail

import (
	"strings"
	"testing"
	"time"

	"trento/store/alert"
)

// TestHealthInAlert: a message about a health says from what to what it has
// changed, since when and why.
func TestHealthInAlert(t *testing.T) {
	began := time.Date(2026, 11, 30, 14, 2, 0, 0, time.UTC)
	for _, c := range []struct {
		before, detail string
		want, never    []string
	}{
		{"passing", "saptune is not compliant", []string{"Health:        critical (was passing)", "Since:         2026-11-30 14:02:00 UTC", "Cause:         saptune is not compliant"}, nil},
		{"", "", []string{"Health:        critical\n", "Since:         2026-11-30 14:02:00 UTC"}, []string{"was ", "Cause:"}},
	} {
		a := Alert{Now: began, Facts: make([]alert.Facts, 1), Delivery: &alert.Delivery{At: began, Items: []alert.Item{{
			Kind: alert.HostCritical, Thing: alert.Thing{Type: alert.Host, ID: "h", Name: "hana01"}, Since: began, Before: c.before, Detail: c.detail,
		}}}}
		text, err := a.Text()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("before %q: %q is missing in\n%s", c.before, want, text)
			}
		}
		for _, never := range c.never {
			if strings.Contains(text, never) {
				t.Errorf("before %q: %q is in\n%s", c.before, never, text)
			}
		}
	}
}
