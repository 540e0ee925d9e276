package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/alert"
	"trento/store/outbox"
	"trento/store/storetest"
	"trento/ui/alerting"
	"trento/ui/mail"
	"trento/ui/webhook"
)

// alertTest is a store with alerts switched on, an alertSender, and a mail
// relay.
type alertTest struct {
	t        *testing.T
	now      time.Time
	store    *store.Store
	relay    *testRelay
	settings auth.AlertSettings
	sender   *alertSender
}

// newChannels returns channels with the standard policy.
func (a *alertTest) newChannels() *alerting.Channels {
	return alerting.New(alerting.Options{
		Origin: "trento.sap.example", Delay: time.Minute, Repeat: 30 * time.Minute, Now: func() time.Time { return a.now },
	})
}

func newAlertTest(t *testing.T) *alertTest {
	t.Helper()
	a := &alertTest{t: t, now: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), relay: startTestRelay(t, "")}
	a.store = storetest.OpenAlerting(t, func() time.Time { return a.now })
	a.settings = auth.AlertSettings{Enabled: true, Sender: "trento@sap.example", Recipients: []string{"basis@sap.example"}, SMTPServer: a.relay.host(), SMTPPort: a.relay.port()}
	a.sender = &alertSender{
		store: a.store, log: slog.New(slog.DiscardHandler), channels: a.newChannels(), console: "https://trento.sap.example",
		settings: func(*store.Tx) (auth.AlertSettings, error) { return a.settings, nil },
	}
	return a
}

// raiseAlert raises an alert that is not about the landscape.
func (a *alertTest) raiseAlert(reason string) {
	a.t.Helper()
	if err := a.store.LogBackupFailure(a.t.Context(), "/backups", reason); err != nil {
		a.t.Fatal(err)
	}
}

// advanceTime advances the clock by a period, and runs the steps of the sender
// when they are due.
func (a *alertTest) advanceTime(period time.Duration) {
	a.t.Helper()
	until := a.now.Add(period)
	for range 1000 {
		next, err := a.sender.runStep(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		if next.IsZero() || next.After(until) {
			a.now = until
			return
		}
		if next.After(a.now) {
			a.now = next
		}
	}
	a.t.Fatal("the sender does not rest")
}

func (a *alertTest) expect(want ...string) {
	a.t.Helper()
	if diff := cmp.Diff(want, a.relay.subjects()); diff != "" {
		a.t.Error(diff)
	}
}

const backupSubject = "Trento Alert: Backup could not be made."

// TestRelayDown checks a mail whose relay is down for two hours: it is sent
// once and says that it is late.
func TestRelayDown(t *testing.T) {
	a := newAlertTest(t)
	address := a.relay.listener.Addr().String()
	a.relay.listener.Close()
	a.raiseAlert("disk full")
	a.advanceTime(2 * time.Hour)
	if attempts := a.newest().Mail.Attempts; attempts < 4 || attempts > 8 {
		t.Errorf("%d attempts", attempts)
	}
	a.relay = startTestRelay(t, address)
	a.advanceTime(3 * time.Hour)
	got := a.relay.takeMails()
	if len(got) != 1 || got[0].Subject != backupSubject || !strings.Contains(mailParts(t, got[0])["text/plain"], "This message is late") {
		t.Errorf("mails %+v", got)
	}
	if d := a.newest(); d.Mail.State != outbox.Sent || !slices.Equal(d.Mail.Accepted, a.settings.Recipients) {
		t.Errorf("delivery %+v", d)
	}
}

func (a *alertTest) newest() (newest *alert.Delivery) {
	a.t.Helper()
	err := a.store.View(func(tx *store.Tx) error {
		for d, err := range tx.Deliveries() {
			newest = d
			return err
		}
		return nil
	})
	if err != nil || newest == nil {
		a.t.Fatalf("no delivery: %v", err)
	}
	return newest
}

// mailParts returns the bodies of a mail by content type.
func mailParts(t *testing.T, m receivedMail) map[string]string {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("type %q, %v", m.Header.Get("Content-Type"), err)
	}
	found := map[string]string{}
	for r := multipart.NewReader(strings.NewReader(m.Body), parameters["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		found[kind] = string(body)
	}
}

// TestRefusals checks permanent and temporary refusals by the relay.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(string) string
		state  outbox.State
		mails  int
	}{
		"accepted":              {func(string) string { return "" }, outbox.Sent, 1},
		"busy":                  {func(c string) string { return answerIf(strings.HasPrefix(c, "RCPT"), "451 come later") }, outbox.Pending, 0},
		"unknown recipient":     {func(c string) string { return answerIf(strings.HasPrefix(c, "RCPT"), "550 unknown") }, outbox.GivenUp, 0},
		"message refused":       {func(c string) string { return answerIf(c == ".", "554 spam") }, outbox.GivenUp, 0},
		"connection broken":     {func(c string) string { return answerIf(c == ".", "drop") }, outbox.Pending, 0},
		"one of two refused":    {func(c string) string { return answerIf(strings.Contains(c, "second"), "550 unknown") }, outbox.GivenUp, 1},
		"one of two greylisted": {refuseOnce("second"), outbox.Sent, 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAlertTest(t)
			a.settings.Recipients = []string{"basis@sap.example", "second@sap.example"}
			a.relay.setAnswer(c.answer)
			a.raiseAlert("disk full")
			a.advanceTime(10 * time.Minute)
			d, mails := a.newest(), a.relay.takeMails()
			if d.Mail.State != c.state || len(mails) != c.mails {
				t.Errorf("%d mails, %+v", len(mails), d.Mail)
			}
			for _, m := range mails[min(1, len(mails)):] {
				if !slices.Equal(m.To, []string{"second@sap.example"}) {
					t.Errorf("again to %v", m.To)
				}
			}
		})
	}
}

func answerIf(condition bool, answer string) string {
	if condition {
		return answer
	}
	return ""
}

// refuseOnce returns a relay behaviour that refuses a recipient the first time.
func refuseOnce(name string) func(string) string {
	refused := false
	return func(command string) string {
		if refused || !strings.Contains(command, name) {
			return ""
		}
		refused = true
		return "451 come later"
	}
}

// TestMessageThatBreaksConnection checks that a message at which the relay
// closes the connection does not stop the other messages.
func TestMessageThatBreaksConnection(t *testing.T) {
	a := newAlertTest(t)
	a.relay.setAnswer(func(c string) string { return answerIf(c == ".", "drop") })
	a.raiseAlert("disk full")
	a.advanceTime(90 * time.Second)
	if d := a.newest(); d.Mail.State != outbox.Pending || d.Mail.Attempts == 0 {
		t.Fatalf("the first one: %+v", d.Mail)
	}
	first := true
	a.relay.setAnswer(func(c string) string {
		if c == "." && !first {
			return "drop"
		}
		if c == "." {
			first = false
		}
		return ""
	})
	if _, err := a.store.RegenerateAPIKey(t.Context(), store.System(), new(a.now.Add(-time.Hour)), nil); err != nil {
		t.Fatal(err)
	}
	if err := a.store.CheckExpiries(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.store.HurryAlerts(t.Context(), store.System()); err != nil { // both are due at once
		t.Fatal(err)
	}
	a.advanceTime(time.Second)
	a.expect("Trento Alert: Api key expired")
}

// TestUnrecordedOutcome checks that a mail is not sent again if its outcome
// could not be stored.
func TestUnrecordedOutcome(t *testing.T) {
	a := newAlertTest(t)
	a.raiseAlert("disk full")
	a.advanceTime(30 * time.Second)
	a.now = a.now.Add(time.Minute)
	if _, err := a.store.PlanAlerts(t.Context(), a.sender.channels.Policy(a.settings)); err != nil {
		t.Fatal(err)
	}
	mails, _, err := a.sender.dueMessages()
	if err != nil {
		t.Fatal(err)
	}
	a.sender.unrecordedOutcomes = a.sender.sendMails(t.Context(), a.settings, mails) // and the store could not be written
	a.advanceTime(time.Hour)
	a.expect(backupSubject)
	if d := a.newest(); d.Mail.State != outbox.Sent {
		t.Errorf("delivery %+v", d.Mail)
	}
}

// TestIndependentChannels checks that a failure of mail does not affect the
// webhook, and the reverse.
func TestIndependentChannels(t *testing.T) {
	a := newAlertTest(t)
	var bodies []string
	status := 500
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if !strings.HasPrefix(r.Header.Get(webhook.SignatureHeader), "v1,") {
			t.Error("no signature")
		}
		if bodies = append(bodies, string(body)); len(bodies) > 1 && status != http.StatusGone {
			status = 200
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	a.settings.WebhookURL, a.settings.WebhookSecret = server.URL, "secret"
	a.sender.webhook = func(s auth.AlertSettings) *webhook.Webhook {
		return &webhook.Webhook{URL: s.WebhookURL, Secrets: []string{s.WebhookSecret}, Client: webhook.NewClient(roots)}
	}
	a.raiseAlert("disk full")
	a.advanceTime(time.Hour)
	a.expect(backupSubject)
	d := a.newest()
	if d.Mail.State != outbox.Sent || d.Webhook.State != outbox.Sent || d.Webhook.Attempts != 1 || len(bodies) != 2 || bodies[0] != bodies[1] {
		t.Errorf("%d posts, %+v", len(bodies), d)
	}
	var n webhook.Notice
	if err := json.Unmarshal([]byte(bodies[0]), &n); err != nil || n.Type != "backup_failed" || n.Severity != "critical" || n.Resource.Type != "backups" ||
		n.URL != "https://trento.sap.example/settings/backup" || !strings.Contains(n.Text, "disk full") {
		t.Errorf("notice %+v, %v", n, err)
	}

	// The receiver of the webhook answers that it is gone for good.
	status = http.StatusGone
	bodies = nil
	a.raiseAlert("disk full")
	a.advanceTime(2 * time.Hour)
	a.relay.takeMails()
	const removed = "webhook: the answer is 410 Gone. It wants no more messages, and was removed from the settings"
	if d := a.newest(); d.Webhook.State != outbox.GivenUp || d.Webhook.Failure != removed || d.Webhook.Attempts != 1 {
		t.Errorf("after 410: %+v", d.Webhook)
	}
	status = http.StatusOK

	// Alerts are switched off while a message is pending: it is not sent.
	a.raiseAlert("disk full")
	a.advanceTime(30 * time.Minute) // repeated alerts wait
	a.settings.Enabled = false
	a.advanceTime(2 * time.Hour)
	if got := a.relay.takeMails(); len(bodies) > 3 || len(got) > 1 {
		t.Errorf("after switching off: %d posts, %d mails", len(bodies), len(got))
	}
}

// TestStopWhileSending checks that no message is lost if the server stops while
// it sends.
func TestStopWhileSending(t *testing.T) {
	a := newAlertTest(t)
	ctx, stop := context.WithCancel(t.Context())
	a.relay.setAnswer(func(c string) string {
		if c == "DATA" {
			stop()
			return "drop"
		}
		return ""
	})
	a.raiseAlert("disk full")
	a.advanceTime(30 * time.Second)
	a.now = a.now.Add(time.Minute)
	if _, err := a.sender.runStep(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	a.relay.setAnswer(func(string) string { return "" })
	if d := a.newest(); d.Mail.State != outbox.Pending || d.Mail.Attempts != 0 {
		t.Errorf("delivery %+v", d.Mail)
	}
	a.advanceTime(time.Minute)
	a.expect(backupSubject)
}

// TestMailOfAlert checks the whole mail about a host that stopped reporting.
func TestMailOfAlert(t *testing.T) {
	a := newAlertTest(t)
	name := "vega01\r\nBcc: x@y <script>alert(1)</script>" + strings.Repeat("z", 300)
	m := &mail.Alert{
		Console: "https://trento.sap.example", Now: a.now,
		Facts: []alert.Facts{{
			Cluster: &alert.Thing{Type: alert.Cluster, ID: "c1", Name: "hana_ha"},
			Instances: []alert.Instance{
				{System: alert.Thing{Type: alert.Database, ID: "d1", Name: "PRD"}, Number: "00"},
				{System: alert.Thing{Type: alert.SAPSystem, ID: "s1", Name: "NWP"}, Number: "01"},
			},
		}},
		Delivery: &alert.Delivery{
			Sequence: 7, Thread: 3, At: a.now, Form: alert.Single, Subject: "Trento Alert: Host " + alert.CleanName(name) + " stopped reporting.",
			Items: []alert.Item{{Kind: alert.HeartbeatLost, Thing: alert.Thing{Type: alert.Host, ID: "h1", Name: name}, Since: a.now, Entry: activity.PositionAt(a.now)}},
		},
	}
	message, err := m.Mail()
	if err != nil {
		t.Fatal(err)
	}
	a.sender.addressMail(&message, a.settings, m.Delivery)
	if _, err := a.sender.channels.Relay(a.settings).Send(t.Context(), []mail.Message{message}); err != nil {
		t.Fatal(err)
	}
	got := a.relay.takeMails()[0]
	id := strings.ReplaceAll(a.store.ID(), "-", "")
	first := "<alert-3." + id + "@trento.sap.example>"
	want := map[string]string{
		"Message-Id": "<alert-7." + id + "@trento.sap.example>", "References": first, "In-Reply-To": first,
		"List-Id": "<trento.trento.sap.example>", "Auto-Submitted": "auto-generated", "From": `"Trento Alerts" <trento@sap.example>`, "Bcc": "",
	}
	for header := range maps.Keys(want) {
		if got := got.Header.Get(header); got != want[header] {
			t.Errorf("%s: %q, want %q", header, got, want[header])
		}
	}
	bodies := mailParts(t, got)
	for _, text := range []string{
		"Host id:       h1", "hana_ha (c1)", "PRD, instance 00 (d1)", "NWP, instance 01 (s1)", "2026-11-30 08:00:00 UTC", "https://trento.sap.example/hosts/h1",
		"https://trento.sap.example/activity_log?entry=",
	} {
		if !strings.Contains(bodies["text/plain"], text) {
			t.Errorf("the text lacks %q:\n%s", text, bodies["text/plain"])
		}
	}
	for _, text := range []string{"<script", "src=", "url("} {
		if strings.Contains(bodies["text/html"], text) {
			t.Errorf("the page contains %q:\n%s", text, bodies["text/html"])
		}
	}
	for _, text := range []string{"&lt;script&gt;", `href="https://trento.sap.example/hosts/h1"`, "hana_ha (c1)"} {
		if !strings.Contains(bodies["text/html"], text) {
			t.Errorf("the page lacks %q:\n%s", text, bodies["text/html"])
		}
	}
}
