package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/alert"
	"trento/store/landscape"
	"trento/store/outbox"
)

// alertPolicy is the policy of a server without configuration.
var alertPolicy = alert.Policy{Mail: true, Delay: time.Minute, Repeat: 30 * time.Minute}

// openAlerting opens a store in which alerts are switched on.
func openAlerting(t *testing.T, dir string, c *clock) *Store {
	t.Helper()
	s, err := Open(dir, Options{Now: c.Now, NoSync: true, Alerts: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

// loseHost registers a host whose heartbeat is lost, and returns its id.
func loseHost(t *testing.T, s *Store, c *clock) landscape.HostID {
	t.Helper()
	observe(t, s, hostReport("vega01"))
	id := theHost(t, s).ID
	heartbeat(t, s, id)
	c.advance(time.Minute)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	return id
}

func heartbeat(t *testing.T, s *Store, id landscape.HostID) {
	t.Helper()
	if err := s.Heartbeat(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func planAlerts(t *testing.T, s *Store, p alert.Policy) time.Time {
	t.Helper()
	next, err := s.PlanAlerts(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// deliveries returns the stored deliveries, newest first.
func deliveries(t *testing.T, s *Store) (all []*alert.Delivery) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for d, err := range tx.Deliveries() {
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return nil
	})
	return all
}

func record(t *testing.T, s *Store, o DeliveryOutcome) {
	t.Helper()
	if err := s.RecordDeliveries(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

// TestAlertOfLostHeartbeat checks an alert from the event, over a restart, to
// the end of its delivery.
func TestAlertOfLostHeartbeat(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	s := openAlerting(t, dir, c)
	id := loseHost(t, s, c)
	select {
	case <-s.AlertsChanged():
	default:
		t.Error("nobody is told that an alert began")
	}
	if next := planAlerts(t, s, alertPolicy); !next.Equal(c.Now().Add(time.Minute)) {
		t.Errorf("next at %s", next)
	}
	shut(t, s)
	c.advance(time.Minute)
	s = openAlerting(t, dir, c)
	if next := planAlerts(t, s, alertPolicy); !next.IsZero() {
		t.Errorf("next at %s", next)
	}
	sent := deliveries(t, s)
	if len(sent) != 1 || sent[0].Subject != "Trento Alert: Host vega01 stopped reporting." || sent[0].Items[0].Thing.ID != string(id) {
		t.Fatalf("deliveries %+v", sent)
	}
	view(t, s, func(tx *Tx) error {
		if e, err := tx.Entry(sent[0].Items[0].Entry); err != nil || e.Type != activity.TypeHeartbeatFailed {
			t.Errorf("entry %+v, %v", e, err)
		}
		open, err := tx.OpenDeliveries()
		if err != nil || len(open) != 1 {
			t.Errorf("open deliveries %v, %v", open, err)
		}
		facts, err := tx.AlertFacts(sent[0])
		if err != nil || facts[0].Over {
			t.Errorf("facts %+v, %v", facts, err)
		}
		return nil
	})
	record(t, s, DeliveryOutcome{Sequence: 1, Outcome: outbox.Outcome{At: c.Now(), Accepted: []string{"a@b"}}})
	if got := deliveries(t, s)[0]; got.Open() || got.Mail.State != outbox.Sent {
		t.Errorf("after sending: %+v", got.Mail)
	}
	heartbeat(t, s, id)
	c.advance(10 * time.Minute)
	planAlerts(t, s, alertPolicy)
	view(t, s, func(tx *Tx) error {
		if a, err := tx.alertOrNil(alert.HeartbeatLost, string(id)); err != nil || a != nil {
			t.Errorf("alert %+v, %v", a, err)
		}
		facts, err := tx.AlertFacts(sent[0])
		if err != nil || !facts[0].Over {
			t.Errorf("facts %+v, %v", facts, err)
		}
		return nil
	})
}

// TestNoAlertWhileOff checks that there is no alert without settings, while
// alerts are switched off, and if the change is rolled back.
func TestNoAlertWhileOff(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	id := loseHost(t, s, c)
	heartbeat(t, s, id)
	save := func(on bool) {
		if err := s.SaveAlertSettings(t.Context(), System(), AlertSettings{Enabled: on}, activity.AlertingSettings{}); err != nil {
			t.Fatal(err)
		}
	}
	lose := func(want int) {
		t.Helper()
		c.advance(time.Hour)
		if err := s.MarkLostHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		heartbeat(t, s, id)
		view(t, s, func(tx *Tx) error {
			if waiting, err := tx.waitingAlerts(); err != nil || len(waiting) != want {
				t.Errorf("%d alerts wait (%v), want %d", len(waiting), err, want)
			}
			return nil
		})
	}
	lose(0)
	save(false)
	lose(0)
	if err := s.ClearAlertSettings(t.Context(), System()); err != nil {
		t.Fatal(err)
	}
	save(true)
	failed := errors.New("rolled back")
	err := s.update(t.Context(), System(), func(tx *Tx) error {
		return errors.Join(tx.log(activity.System, &activity.BackupFailure{Reason: "disk full"}), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if waiting, err := tx.waitingAlerts(); err != nil || len(waiting) != 0 {
			t.Errorf("after a change that was rolled back: %v, %v", waiting, err)
		}
		return nil
	})
	lose(1)
}

// TestGivenUp checks that a message that is given up is in the activity log,
// and that one channel does not affect the other.
func TestGivenUp(t *testing.T) {
	c := newClock()
	s := openAlerting(t, t.TempDir(), c)
	p := alertPolicy
	p.Webhook = true
	failBackup := func(reason string) {
		if err := s.LogBackupFailure(t.Context(), "/backups", reason); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Hour)
		planAlerts(t, s, p)
	}
	failBackup("disk full")
	failBackup("disk full")
	refused := DeliveryOutcome{Sequence: 1, Outcome: outbox.Outcome{At: c.Now(), Failure: "recipient: 550 unknown", Permanent: true, Accepted: []string{"b@b"}, Refused: []string{"a@b"}}}
	record(t, s, refused)
	record(t, s, DeliveryOutcome{Sequence: 2, Outcome: outbox.Outcome{At: c.Now(), Failure: "connect: refused"}})
	record(t, s, DeliveryOutcome{Sequence: 1, Webhook: true, Outcome: outbox.Outcome{At: c.Now()}})
	got := deliveries(t, s)
	if d := got[1]; d.Mail.State != outbox.GivenUp || d.Webhook.State != outbox.Sent || d.Open() {
		t.Errorf("the first one: %+v", d)
	}
	if d := got[0]; d.Mail.State != outbox.Pending || !d.Mail.Next.Equal(c.Now().Add(time.Minute)) || d.Webhook.Attempts != 0 {
		t.Errorf("the second one: %+v", d)
	}
	all := entries(t, s)
	e := all[len(all)-1]
	want := `Alert "Trento Alert: Backup could not be made." could not be sent by mail to a@b: recipient: 550 unknown`
	if e.Type != activity.TypeAlertGivenUp || e.Severity != activity.Critical || e.Message() != want {
		t.Errorf("entry %s: %s", e.Type, e.Message())
	}

	// When the relay works again, messages that failed before are due at once.
	failBackup("disk full")
	record(t, s, DeliveryOutcome{Sequence: 3, Outcome: outbox.Outcome{At: c.Now(), Accepted: []string{"a@b"}}})
	if d := deliveries(t, s)[1]; !d.Mail.Due(c.Now()) {
		t.Errorf("the one that failed: %+v", d.Mail)
	}

	// Messages that are pending in a channel end when it is switched off.
	p.Webhook = false
	planAlerts(t, s, p)
	for _, d := range deliveries(t, s)[:2] {
		if d.Webhook.State != outbox.Off {
			t.Errorf("webhook of %d: %+v", d.Sequence, d.Webhook)
		}
	}
}

// TestGoneWebhook checks that a webhook which answers that it is gone for good
// is removed from the stored settings, and that the log says why.
func TestGoneWebhook(t *testing.T) {
	c := newClock()
	s := openAlerting(t, t.TempDir(), c)
	p := alertPolicy
	p.Webhook = true
	settings := AlertSettings{Enabled: true, SMTPServer: "mail.sap.example", WebhookURL: []byte("sealed"), WebhookSecret: []byte("sealed")}
	if err := s.SaveAlertSettings(t.Context(), Actor{Name: "ann"}, settings, activity.AlertingSettings{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.LogBackupFailure(t.Context(), "/backups", "disk full"); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Hour)
		planAlerts(t, s, p)
	}
	for sequence := range uint64(2) {
		record(t, s, DeliveryOutcome{Sequence: sequence + 1, Webhook: true, Gone: true, Outcome: outbox.Outcome{At: c.Now(), Failure: "410 Gone", Permanent: true}})
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.AlertSettings()
		if err == nil && (got.WebhookURL != nil || got.WebhookSecret != nil || got.SMTPServer != settings.SMTPServer || !got.Enabled) {
			t.Errorf("settings %+v", got)
		}
		return err
	})
	var logged []string
	for _, e := range entries(t, s) {
		if e.Type == activity.TypeAlertGivenUp || e.Type == activity.TypeChangingAlertingSettings {
			logged = append(logged, e.Actor+": "+string(e.Type)+" "+string(e.Metadata))
		}
	}
	const givenUp = `system: alert_given_up {"attempts":1,"channel":"webhook","reason":"410 Gone","subject":"Trento Alert: Backup could not be made."}`
	want := []string{
		givenUp,
		`system: changing_alerting_settings {"webhook_secret":"REDACTED","webhook_url":"REDACTED"}`,
		givenUp,
	}
	if diff := cmp.Diff(want, logged); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestHurryAndDiscard(t *testing.T) {
	c := newClock()
	s := openAlerting(t, t.TempDir(), c)
	act := func(fn func(context.Context, Actor) error) {
		t.Helper()
		if err := fn(t.Context(), Actor{Name: "ann"}); err != nil {
			t.Fatal(err)
		}
		planAlerts(t, s, alertPolicy)
	}
	act(s.DiscardAlerts)
	if n := len(entries(t, s)); n != 0 {
		t.Errorf("%d entries about nothing", n)
	}
	id := loseHost(t, s, c)
	act(s.HurryAlerts)
	record(t, s, DeliveryOutcome{Sequence: 1, Outcome: outbox.Outcome{At: c.Now(), Failure: "connect: refused"}})
	act(s.HurryAlerts)
	if d := deliveries(t, s)[0]; !d.Mail.Due(c.Now()) {
		t.Errorf("after Send now: %+v", d.Mail)
	}
	heartbeat(t, s, id)
	c.advance(time.Hour)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	act(s.DiscardAlerts)
	got := deliveries(t, s)
	if len(got) != 2 || got[0].Reason != "It was discarded by ann." || got[1].Mail.State != outbox.Discarded {
		t.Errorf("deliveries %+v, %+v", got[0], got[1])
	}
	all := entries(t, s)
	var discarded activity.AlertsDiscarded
	if e := all[len(all)-1]; e.Type != activity.TypeAlertsDiscarded || e.Actor != "ann" {
		t.Errorf("entry %+v", e)
	} else {
		discarded = *e.Event().(*activity.AlertsDiscarded)
	}
	want := activity.AlertsDiscarded{Alerts: []string{"Host vega01 stopped reporting"}, Messages: []string{"Trento Alert: Host vega01 stopped reporting."}}
	if diff := cmp.Diff(want, discarded); diff != "" {
		t.Error(diff)
	}
	// A later outcome does not make a discarded message pending again, but it
	// counts if the message was sent.
	record(t, s, DeliveryOutcome{Sequence: 1, Outcome: outbox.Outcome{At: c.Now(), Failure: "data: lost"}})
	if d := deliveries(t, s)[1]; d.Mail.State != outbox.Discarded {
		t.Errorf("after a late failure: %+v", d.Mail)
	}
}

func TestPruneDeliveries(t *testing.T) {
	c := newClock()
	s := openAlerting(t, t.TempDir(), c)
	err := s.update(t.Context(), System(), func(tx *Tx) error {
		for sequence := uint64(1); sequence <= 3*maxDeliveries; sequence++ {
			d := &alert.Delivery{Sequence: sequence, At: c.Now(), Items: []alert.Item{{}}, Mail: outbox.Channel{State: outbox.Sent}}
			if sequence == 7 {
				d.Mail = outbox.Channel{State: outbox.Pending}
			}
			if err := errors.Join(tx.putDelivery(d), tx.s.deliveries.SetSequence(tx.kv, sequence)); err != nil {
				return err
			}
		}
		return tx.pruneDeliveries()
	})
	if err != nil {
		t.Fatal(err)
	}
	got := deliveries(t, s)
	if len(got) != maxDeliveries+1 || got[maxDeliveries].Sequence != 7 {
		t.Errorf("%d deliveries, the oldest is %d", len(got), got[len(got)-1].Sequence)
	}
}

func TestExpiringKey(t *testing.T) {
	c := newClock()
	s := openAlerting(t, t.TempDir(), c)
	check := func(want ...string) {
		t.Helper()
		if err := s.CheckExpiries(t.Context(), alert.Expiry{Kind: alert.CertificateExpiry, Thing: alert.CertificateThing("TLS"), Deadline: noon.AddDate(1, 0, 0)}); err != nil {
			t.Fatal(err)
		}
		planAlerts(t, s, alertPolicy)
		c.advance(time.Minute)
		planAlerts(t, s, alertPolicy)
		var subjects []string
		for _, d := range slices.Backward(deliveries(t, s)) {
			subjects = append(subjects, strings.TrimPrefix(d.Subject, "Trento Alert: "))
		}
		if diff := cmp.Diff(want, subjects); diff != "" {
			t.Error(diff)
		}
	}
	check()
	if _, err := s.RegenerateAPIKey(t.Context(), System(), new(c.Now().Add(28*24*time.Hour+time.Hour)), nil); err != nil {
		t.Fatal(err)
	}
	check("Api key will expire in 28 days")
	check("Api key will expire in 28 days")
	if _, err := s.RegenerateAPIKey(t.Context(), System(), new(c.Now().Add(-24*time.Hour)), nil); err != nil {
		t.Fatal(err)
	}
	check("Api key will expire in 28 days", "Api key expired")
	if _, err := s.RegenerateAPIKey(t.Context(), System(), nil, nil); err != nil {
		t.Fatal(err)
	}
	check("Api key will expire in 28 days", "Api key expired")
	view(t, s, func(tx *Tx) error {
		if plan, err := tx.AlertPlan(alertPolicy); err != nil || len(plan.Waiting) > 0 {
			t.Errorf("plan %+v, %v", plan, err)
		}
		return nil
	})
}

// TestMigrationOfAlerts checks that no alerts are made for the entries in
// v8.db, which has a host whose heartbeat was lost. The file is from before
// there were alerts.
func TestMigrationOfAlerts(t *testing.T) {
	c := newClock()
	s := openAlerting(t, oldFile(t, "v8.db.gz"), c)
	c.advance(time.Hour)
	if next := planAlerts(t, s, alertPolicy); !next.IsZero() || len(deliveries(t, s)) > 0 {
		t.Errorf("next at %s, deliveries %v", next, deliveries(t, s))
	}
	id := theHost(t, s).ID
	heartbeat(t, s, id)
	c.advance(time.Hour)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Minute)
	planAlerts(t, s, alertPolicy)
	if got := deliveries(t, s); len(got) != 1 {
		t.Errorf("deliveries %+v", got)
	}
}
