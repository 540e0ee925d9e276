package ui

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/outbox"
)

// webhookReceiver starts a receiver that answers with a status, and whose
// certificate is trusted.
func (f *fixture) webhookReceiver(status *int) *httptest.Server {
	f.t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(*status) }))
	f.t.Cleanup(server.Close)
	f.roots.AddCert(server.Certificate())
	return server
}

// seeWebhooks makes webhooks in every state, with deliveries of every outcome,
// and returns the path of one of them.
func (f *fixture) seeWebhooks() string {
	f.t.Helper()
	by := &auth.Identity{User: f.user("hookkeeper", 1), Via: auth.ViaSession}
	must := func(err error) {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	create := func(name string, topics ...activity.Topic) string {
		w, err := f.auth.CreateWebhook(f.t.Context(), by, auth.WebhookInput{Name: &name, URL: new("https://hooks.sap.example/" + strings.Repeat("x", 200)), Events: &topics})
		must(err)
		return w.ID
	}
	record := func(id string, status int, o outbox.Outcome) {
		f.t.Helper()
		_, _, err := f.store.PlanWebhook(f.t.Context(), id, 0)
		must(err)
		o.At = f.clock.Now()
		var pending []*store.WebhookDelivery
		must(f.store.View(func(tx *store.Tx) (err error) {
			pending, err = tx.PendingWebhookDeliveries(id)
			return err
		}))
		must(f.store.RecordWebhookOutcomes(f.t.Context(), id, store.WebhookOutcome{
			Sequence: pending[0].Sequence, Status: status, Took: 83 * time.Millisecond, Gone: status == http.StatusGone, Outcome: o,
		}))
	}
	longest := make([]rune, 100)
	copy(longest, []rune(hostile))
	first, gone := create(strings.TrimRight(string(longest), "\x00 "), "tag.added", "host.health_changed", "user.sign_in"), create("Pager")
	create("New one")
	for range 4 {
		must(f.store.AppendActivity(f.t.Context(), store.System(), &activity.Foreign{Of: activity.TypeResourceTagging}))
	}
	record(first, 204, outbox.Outcome{})
	record(first, 422, outbox.Outcome{Failure: "webhook: the answer is 422 Unprocessable Entity", Permanent: true})
	record(first, 503, outbox.Outcome{Failure: "webhook: the answer is 503 Service Unavailable"})
	record(gone, 410, outbox.Outcome{Failure: "webhook: the answer is 410 Gone", Permanent: true})
	return "/settings/webhooks/" + first
}

// TestWebhookPages goes through the pages as somebody who keeps webhooks.
func TestWebhookPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20)
	f.user("plain")
	status := http.StatusNoContent
	receiver := f.webhookReceiver(&status)
	for _, target := range []string{"/settings/webhooks", "/settings/webhooks/new"} {
		if w := f.do(call{target: target, as: "plain"}); w.Code != http.StatusForbidden {
			t.Errorf("%s: a plain user gets %d", target, w.Code)
		}
	}
	hasNot("#webhooks").check(t, f.page(t, "/settings", "plain"))
	has("#webhooks a[href=/settings/webhooks]", "Webhooks").check(t, f.page(t, "/settings", "keeper"))
	has("#webhooks .subject-state", "None yet").check(t, f.page(t, "/settings", "keeper"))
	has("#empty", "No webhooks yet").check(t, f.page(t, "/settings/webhooks", "keeper"))

	// Faults are told, and nothing typed is lost.
	code, page, _ := f.post("keeper", "/settings/webhooks/new", "name", "Pager", "url", "http://x.example", "which", "chosen")
	if code != http.StatusUnprocessableEntity {
		t.Errorf("status %d", code)
	}
	has("#webhook-form .banner", "Choose at least one kind of events").check(t, page)
	has("#name[value=Pager]", "").check(t, page)
	_, page, _ = f.post("keeper", "/settings/webhooks/new", "name", "Pager", "url", "http://x.example", "which", "chosen", "event", "tag.added")
	has("#webhook-form .banner", "Should be an https address").check(t, page)
	has("#webhook-form [value=tag.added][checked]", "").check(t, page)
	_, page, _ = f.post("keeper", "/settings/webhooks/new", "name", "Pager", "url", receiver.URL, "which", "chosen", "event", "user.sign_in")
	has("#webhook-form .banner", "Only who manages users").check(t, page)

	code, _, path := f.post("keeper", "/settings/webhooks/new", "name", "Pager", "url", receiver.URL, "which", "chosen", "event", "tag.added")
	if code != http.StatusSeeOther || !strings.HasPrefix(path, "/settings/webhooks/") {
		t.Fatalf("status %d, %s", code, path)
	}
	has("#secret-dialog", "whsec_").check(t, f.page(t, path, "keeper"))
	f.post("keeper", path+"/secret/shown", "stored", "yes")
	hasNot("#secret-dialog").check(t, f.page(t, path, "keeper"))
	if strings.Contains(f.do(call{target: path, as: "keeper"}).Body.String(), "whsec_") {
		t.Error("the secret is shown again")
	}

	flash := func(target, want string, pairs ...string) {
		t.Helper()
		w := f.do(call{method: "POST", target: target, as: "keeper", form: map[string][]string{pairs[0]: {pairs[1]}}})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%s: status %d", target, w.Code)
		}
		said := ""
		for _, c := range w.Result().Cookies() {
			if c.Name == "trento-news" {
				text, err := base64.RawURLEncoding.DecodeString(c.Value)
				if err != nil {
					t.Fatal(err)
				}
				said = string(text)
			}
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s: said %q, want %q", target, said, want)
		}
	}
	flash(path+"/test", "The receiver has taken the test: 204 No Content", "x", "")
	status = http.StatusInternalServerError
	flash(path+"/test", "The receiver has not taken the test. Webhook: the answer is 500", "x", "")
	has("#rows tbody tr", "Not taken").check(t, f.page(t, path, "keeper"))

	flash(path+"/secret", "", "confirmed", "yes")
	has("#secret-dialog", "whsec_").check(t, f.page(t, path, "keeper"))
	has("#state", "Used as well until").check(t, f.page(t, path, "keeper"))
	f.post("keeper", path+"/secret/shown", "stored", "yes")

	has("#confirmation", "Disable the webhook?").check(t, f.page(t, path+"/disable", "keeper"))
	flash(path+"/disable", "The webhook was disabled.", "confirmed", "yes")
	has("#enable-form", "Enable").check(t, f.page(t, path, "keeper"))
	flash(path+"/enable", "receives what happens from now on", "x", "")
	code, _, _ = f.post("keeper", path+"/edit", "name", "Chat", "url", receiver.URL, "which", "all")
	has("#state", "All events, except those about users").check(t, f.page(t, path, "keeper"))
	has("#confirmation", "Delete the webhook?").check(t, f.page(t, path+"/delete", "keeper"))
	flash(path+"/delete", "The webhook was deleted.", "confirmed", "yes")
	if w := f.do(call{target: path, as: "keeper"}); w.Code != http.StatusNotFound || code != http.StatusSeeOther {
		t.Errorf("after the deletion: status %d; edit: %d", w.Code, code)
	}
}

// TestWebhookStates checks that the pages show every state, and that a banner
// tells of a webhook that the server has disabled.
func TestWebhookStates(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 20)
	f.user("plain")
	path := f.seeWebhooks()
	list := f.page(t, "/settings/webhooks", "keeper")
	for _, want := range []string{"Failing", "Disabled by the server", "Nothing sent yet"} {
		has("#rows", want).check(t, list)
	}
	shown := f.page(t, path, "keeper")
	for _, want := range []string{"Taken", "204 No Content", "83ms", "Given up: webhook: the answer is 422", "1 attempt failed: webhook: the answer is 503", "Next attempt", "To be sent"} {
		has("#deliveries", want).check(t, shown)
	}
	has("#state", "Failing since").check(t, shown)
	has("body", "Webhook “Pager” was disabled by the server").check(t, f.page(t, "/hosts", "keeper"))
	if strings.Contains(f.do(call{target: "/hosts", as: "plain"}).Body.String(), "Pager") {
		t.Error("a plain user is told of webhooks")
	}
	var again string
	for _, form := range shown.all("#deliveries form") {
		again, _ = attribute(form, "action")
	}
	if code, _, location := f.post("keeper", again); code != http.StatusSeeOther || location != path {
		t.Errorf("sending again: %d, %s", code, location)
	}
	var pending int
	if err := f.store.View(func(tx *store.Tx) error {
		list, err := tx.PendingWebhookDeliveries(strings.TrimPrefix(path, "/settings/webhooks/"))
		pending = len(list)
		return err
	}); err != nil || pending != 3 {
		t.Errorf("%d deliveries are pending, %v", pending, err)
	}
	if code, _, _ := f.post("keeper", fmt.Sprint(path, "/deliveries/nothing/redeliver")); code != http.StatusNotFound {
		t.Errorf("a delivery that does not exist: %d", code)
	}
}
