package ui

import (
	"net/http"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/alert"
	"trento/store/outbox"
)

// seeAlerts switches alerts on, and makes alerts with every outcome.
func (f *fixture) seeAlerts() {
	f.t.Helper()
	settings := store.AlertSettings{Enabled: true, Sender: "trento@sap.example", Recipients: "basis@sap.example", SMTPServer: "mail.sap.example", SMTPPort: 587}
	must := func(err error) {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	must(f.store.SaveAlertSettings(f.t.Context(), store.System(), settings, activity.AlertingSettings{}))
	plan := func() {
		_, err := f.store.PlanAlerts(f.t.Context(), alert.Policy{Mail: true})
		must(err)
	}
	record := func(sequence uint64, o outbox.Outcome) {
		o.At = f.clock.Now()
		must(f.store.RecordDeliveries(f.t.Context(), store.DeliveryOutcome{Sequence: sequence, Outcome: o}))
	}
	for range 3 {
		must(f.store.LogBackupFailure(f.t.Context(), "/backups", hostile))
		plan()
	}
	record(1, outbox.Outcome{Accepted: []string{"basis@sap.example"}})
	record(2, outbox.Outcome{Failure: "recipient: 550 5.1.1 unknown", Permanent: true, Refused: []string{"basis@sap.example"}})
	must(f.store.DiscardAlerts(f.t.Context(), store.System()))
	must(f.store.LogBackupFailure(f.t.Context(), "/backups", "disk full"))
	plan()
	record(4, outbox.Outcome{Failure: "connect: connection refused", Refused: []string{"basis@sap.example"}})
	if _, err := f.store.RegenerateAPIKey(f.t.Context(), store.System(), new(f.clock.Now().Add(10*24*time.Hour)), nil); err != nil {
		f.t.Fatal(err)
	}
	must(f.store.CheckExpiries(f.t.Context()))
}

func TestAlertsPage(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	f.user("keeper", 20)
	page := func(as, target string) markup {
		t.Helper()
		w := f.do(call{target: target, as: as})
		if w.Code != http.StatusOK {
			t.Fatalf("%s: status %d", target, w.Code)
		}
		checkMarkup(t, w.Body.String())
		return parseMarkup(t, w.Body.String())
	}
	has("#off a[href=/settings/alerting]", "Set up alerts").check(t, page("keeper", "/alerts"))
	has("#off", "Somebody with the permission").check(t, page("plain", "/alerts"))
	f.seeAlerts()
	for _, e := range []element{
		has("#waiting", "API key will expire in 10 days"), has("#waiting", "Alerts that belong together are gathered."), has("#waiting", "1 attempt failed: connect: connection refused"),
		has("#rows", "sent to basis@sap.example"), has("#rows", "given up for basis@sap.example: recipient: 550 5.1.1 unknown"), has("#rows", "discarded"),
		has("#alerts-form button[disabled]", "Send now"), has("#alerts-refused", "all:alerting_settings"), has("#outcomes a[aria-current]", "All"),
		has("#rows a", "Entry of the activity log"),
	} {
		e.check(t, page("plain", "/alerts"))
	}
	settings := page("keeper", "/settings/alerting")
	has("#alerts", "connect: connection refused").check(t, settings)
	has("#alerts a[href=/alerts]", "2").check(t, settings)
	has("#rows", "given up").check(t, page("plain", "/alerts?outcome=failed"))
	if n := len(page("plain", "/alerts?outcome=failed").all("#rows tbody tr")); n != 1 {
		t.Errorf("%d messages were given up", n)
	}
	hasNot("#discard-dialog").check(t, page("plain", "/alerts?discard=ask"))
	has("#discard-dialog", "Discard 2 waiting alerts?").check(t, page("keeper", "/alerts?discard=ask"))
	post := func(as, path string, want int) {
		t.Helper()
		if w := f.do(call{method: "POST", target: path, as: as}); w.Code != want {
			t.Errorf("%s as %s: status %d", path, as, w.Code)
		}
	}
	post("plain", "/alerts/send", http.StatusForbidden)
	post("plain", "/alerts/discard", http.StatusForbidden)
	post("keeper", "/alerts/send", http.StatusSeeOther)
	has("#waiting", "It is due now.").check(t, page("plain", "/alerts"))
	post("keeper", "/alerts/discard", http.StatusSeeOther)
	hasNot("#waiting").check(t, page("keeper", "/alerts"))
	has("#rows", "It was discarded by keeper.").check(t, page("keeper", "/alerts?outcome=held_back"))
	has(".message", "2 waiting alerts were discarded").check(t, page("plain", "/activity_log?type=alerts_discarded"))
	has("#actions a[href=/alerts]", "Alerts").check(t, page("plain", "/activity_log"))

	// A thing that was cleaned up and the pages of the list.
	f.host(1, "vega01")
	for range 40 {
		f.beat(1)
		f.silence()
		if _, err := f.store.PlanAlerts(t.Context(), alert.Policy{Mail: true}); err != nil {
			t.Fatal(err)
		}
	}
	second := page("plain", "/alerts?page=2")
	has(".pager", "Showing 26–").check(t, second)
	has("#rows a[href=/hosts/"+string(hostID(1))+"]", "Host vega01").check(t, second)
	if n := len(second.all("#rows tbody tr")); n == 0 || n > 25 {
		t.Errorf("%d rows", n)
	}
	has("#rows", "stopped reporting").check(t, page("plain", "/alerts?page=99"))
}
