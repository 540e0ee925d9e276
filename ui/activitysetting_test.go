package ui

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/ui/forward"
)

// TestActivitySettings goes through the dialog. What is refused changes
// nothing and keeps what was typed.
func TestActivitySettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 16) // all:activity_logs_settings
	f.user("plain")
	kept := func() (r activity.Retention) {
		t.Helper()
		err := f.store.View(func(tx *store.Tx) (err error) {
			r, err = tx.Retention()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	const path = "/settings/activity_log/edit"
	month, half := activity.DefaultRetention, activity.Retention{Value: 6, Unit: activity.Month}
	tests := []struct {
		name        string
		as          string
		value, unit string // of a POST
		status      int
		kept        activity.Retention // afterwards
		page        []element
	}{
		{"dialog", "keeper", "", "", 200, month, []element{
			has("dialog#retention h2", "Enter Activity Logs Settings"), has("input[name=value][value=1][min=1]", ""), has("option[value=month][selected]", "month"),
			has("dialog button", "Save Settings"), has("dialog a[href=/settings/activity_log][data-close]", "Cancel"), has("#activity-log dd", "1 month")}},
		{"dialog of others", "plain", "", "", 403, month, []element{has("h1", "forbidden")}},
		{"saved by others", "plain", "6", "month", 403, month, nil},
		{"nothing", "keeper", "0", "month", 422, month, []element{has("#retention-value-error", "0 is smaller than inclusive minimum 1"), has("input[name=value][value=0][aria-invalid=true]", "")}},
		{"no number", "keeper", "six", "month", 422, month, []element{has("#retention-value-error", "no whole number"), has("input[name=value][value=six]", "")}},
		{"half a number", "keeper", "1.5", "week", 422, month, []element{has("#retention-value-error", "no whole number"), has("option[value=week][selected]", "")}},
		{"too much", "keeper", "1000001", "day", 422, month, []element{has("#retention-value-error", "larger than inclusive maximum 1000000")}},
		{"odd unit", "keeper", "1", "decade", 422, month, []element{has("#retention-unit-error", "Invalid value for enum"), has("select[aria-invalid=true]", "")}},
		{"saved", "keeper", " 6 ", "month", 303, half, nil},
		{"dialog again", "keeper", "", "", 200, half, []element{has("input[name=value][value=6]", ""), has("#activity-log dd", "6 months")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := *f
			f.t = t
			c := call{target: path, as: tt.as}
			if tt.value != "" {
				c.method, c.form = http.MethodPost, url.Values{"value": {tt.value}, "unit": {tt.unit}}
			}
			w := f.do(c)
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if got := kept(); got != tt.kept {
				t.Errorf("entries are kept for %s, want %s", got, tt.kept)
			}
			checkMarkup(t, w.Body.String())
			page := parseMarkup(t, w.Body.String())
			for _, e := range tt.page {
				e.check(t, page)
			}
		})
	}
	settings := parseMarkup(t, f.do(call{target: "/settings/activity_log", as: "plain"}).Body.String())
	for _, e := range []element{has("#activity-log dd", "6 months"), has("#activity-log [aria-disabled=true]", "Edit Settings"), hasNot("#activity-log a"), hasNot("dialog#retention")} {
		e.check(t, settings)
	}
	logged := f.do(call{target: "/activity_log?severity=debug&type=activity_log_settings_update", as: "keeper"}).Body.String()
	has(".message", "Activity log settings were updated").check(t, parseMarkup(t, logged))
}

// TestForwardingSection checks what Settings say about receivers of the log, and
// to whom.
func TestForwardingSection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 16) // all:activity_logs_settings
	f.user("plain")
	var statuses []forward.Status
	options := f.options
	options.Forwarding = func() []forward.Status { return statuses }
	f.restart(options)
	hasNot("#forwarding").check(t, f.page(t, "/settings", "plain"))
	has("#forwarding p", "FORWARD_SYSLOG_URL").check(t, f.page(t, "/settings/forwarding", "keeper"))

	statuses = []forward.Status{
		{Receiver: forward.ToSyslog, Address: "tls://syslog.sap.example:6514", Position: activity.PositionAt(f.clock.Now().Add(time.Hour)), SentAt: f.clock.Now()},
		{Receiver: forward.ToOTLP, Address: "https://logs.sap.example/v1/logs", Failure: "It refuses the connection.", Since: f.clock.Now()},
	}
	for _, e := range []element{
		has("#forwarding p", "syslog server tls://syslog.sap.example:6514"), has("#forwarding dd", "All entries are sent"),
		has("#forwarding p", "OpenTelemetry receiver https://logs.sap.example/v1/logs"), has("#forwarding dd", "Nothing can be sent"),
		has("#forwarding p", "It refuses the connection. Entries are kept"), has("#forwarding dt", "Oldest entry not sent"), has("#forwarding dd", "Nothing since the start"),
	} {
		e.check(t, f.page(t, "/settings/forwarding", "keeper"))
	}
}
