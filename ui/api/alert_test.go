package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
	"trento/store/alert"
	"trento/store/outbox"
)

// TestAlerts reads what waits and what was sent, and sends and discards it.
func TestAlerts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("plain2")
	f.user("keeper", 20)
	const path = "/api/v1/alerts"
	policy := alert.Policy{Mail: true, Delay: time.Minute, Repeat: time.Hour}
	settings := store.AlertSettings{Enabled: true, Sender: "a@b", Recipients: "c@d", SMTPServer: "mail"}
	if err := f.store.SaveAlertSettings(t.Context(), store.System(), settings, activity.AlertingSettings{}); err != nil {
		t.Fatal(err)
	}
	f.get("plain2", path).expect(t, http.StatusOK, `{"waiting":[],"messages":[]}`)
	fail := func() {
		t.Helper()
		if err := f.store.LogBackupFailure(t.Context(), "/backups", "disk full"); err != nil {
			t.Fatal(err)
		}
	}
	plan := func() {
		t.Helper()
		if _, err := f.store.PlanAlerts(t.Context(), policy); err != nil {
			t.Fatal(err)
		}
	}
	post := func(as, verb string, want int) {
		t.Helper()
		f.do(call{as: as, method: "POST", path: path + verb}).expect(t, want, "*")
		plan()
	}
	fail()
	if got := f.get("plain2", path); got.status != http.StatusOK || !strings.Contains(got.body, `"text":"Backup could not be made","until":`) {
		t.Errorf("waiting: %d %s", got.status, got.body)
	}
	post("plain2", "/send", http.StatusForbidden)
	post("keeper", "/send", http.StatusNoContent)
	now := f.store.Now()
	outcomes := []store.DeliveryOutcome{
		{Sequence: 1, Outcome: outbox.Outcome{At: now, Failure: "recipient: 550 unknown", Permanent: true, Accepted: []string{"c@d"}, Refused: []string{"e@f"}}},
	}
	if err := f.store.RecordDeliveries(t.Context(), outcomes...); err != nil {
		t.Fatal(err)
	}
	fail()
	post("plain2", "/discard", http.StatusForbidden)
	post("keeper", "/discard", http.StatusNoContent)
	got := f.get("plain2", path).body
	for _, part := range []string{
		`{"waiting":[],"messages":[{"id":2,`, `"form":"held_back","subject":"Backup could not be made","reason":"It was discarded by keeper."`,
		`"subject":"Trento Alert: Backup could not be made.","reason":null`, `"state":"given_up","failed_attempts":1`,
		`"failure":"recipient: 550 unknown","accepted":["c@d"],"refused":["e@f"]},"webhook":null`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("the answer lacks %s:\n%s", part, got)
		}
	}
	if log := f.entries(activity.TypeAlertsDiscarded); len(log) != 1 || log[0].Actor != "keeper" {
		t.Errorf("logged %+v", log)
	}
}
