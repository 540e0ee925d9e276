package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trento/auth"
	"trento/packaging/servertest"
	"trento/store"
	"trento/store/activity"
	"trento/store/outbox"
	"trento/store/storetest"
	"trento/ui/eventing"
	"trento/ui/stream"
	"trento/ui/webhook"
)

// webhookTest is a store with a webhook, its receiver, and the sender.
type webhookTest struct {
	t        *testing.T
	now      time.Time
	store    *store.Store
	auth     *auth.Auth
	by       *auth.Identity
	receiver *httptest.Server
	sender   *webhookSender
	run      *webhookRun
	id       string

	mu       sync.Mutex
	status   int
	received []stream.Event
	ids      []string // the header of each request, refused ones included
}

func newWebhookTest(t *testing.T, events ...activity.Topic) *webhookTest {
	t.Helper()
	w := &webhookTest{t: t, now: time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), status: http.StatusNoContent, run: &webhookRun{}}
	w.store = storetest.OpenAt(t, func() time.Time { return w.now })
	var err error
	key := []byte(strings.Repeat("k", 48))
	w.auth, err = auth.New(auth.Options{
		Store: w.store, Secrets: auth.Secrets{Base: key, Access: key, Refresh: []byte(strings.Repeat("r", 48))}, SessionLifetime: time.Hour, Now: w.store.Now,
		HashCost: auth.HashCost{Iterations: 1, Memory: 8, Parallelism: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	user, err := w.store.CreateUser(t.Context(), store.System(), store.NewUser{Username: "keeper", Fullname: "K", Email: "k@example.com", Abilities: []int{20}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	w.by = &auth.Identity{User: user, Via: auth.ViaSession}
	w.receiver = httptest.NewTLSServer(http.HandlerFunc(w.receive))
	t.Cleanup(w.receiver.Close)
	roots := x509.NewCertPool()
	roots.AddCert(w.receiver.Certificate())
	w.sender = &webhookSender{
		store: w.store, log: slog.New(slog.DiscardHandler), auth: w.auth, webhooks: eventing.New(w.store, w.auth, roots),
		stepFinished: make(chan struct{}, 1), runs: make(map[string]*webhookRun),
	}
	created, err := w.auth.CreateWebhook(t.Context(), w.by, auth.WebhookInput{Name: new("Pager"), URL: &w.receiver.URL, Events: &events})
	if err != nil {
		t.Fatal(err)
	}
	w.id = created.ID
	return w
}

func (w *webhookTest) receive(answer http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Error(err)
	}
	var event struct {
		stream.Event
		Severity string `json:"severity"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids = append(w.ids, r.Header.Get(webhook.IDHeader)); w.status < 300 {
		w.received = append(w.received, event.Event)
	}
	answer.WriteHeader(w.status)
}

// tag logs an entry with a number.
func (w *webhookTest) tag(actor string, n int) {
	w.t.Helper()
	event := &activity.Foreign{Of: activity.TypeResourceTagging, Metadata: map[string]any{"n": n}}
	if err := w.store.AppendActivity(w.t.Context(), store.Actor{Name: actor}, event); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets time pass, with the steps that the sender asks for.
func (w *webhookTest) pass(period time.Duration) {
	w.t.Helper()
	until := w.now.Add(period)
	for range 10_000 {
		again, next, err := w.sender.step(w.t.Context(), w.id, w.run)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return
		case err != nil:
			w.t.Fatal(err)
		case again:
			continue
		case next.IsZero() || next.After(until):
			w.now = until
			return
		case next.After(w.now):
			w.now = next
		}
	}
	w.t.Fatal("the sender does not rest")
}

// numbers returns the numbers of the events that were received, in ascending
// order.
func (w *webhookTest) numbers() (numbers []int) {
	w.t.Helper()
	for _, e := range w.received {
		var n struct{ N int }
		if err := json.Unmarshal(e.Metadata, &n); err != nil {
			w.t.Fatal(err)
		}
		numbers = append(numbers, n.N)
	}
	slices.Sort(numbers)
	return numbers
}

func (w *webhookTest) state() (hook *store.Webhook, state *store.WebhookState, deliveries []*store.WebhookDelivery) {
	w.t.Helper()
	err := w.store.View(func(tx *store.Tx) (err error) {
		if hook, err = tx.Webhook(w.id); err == nil {
			state, err = tx.WebhookState(w.id)
		}
		if err == nil {
			deliveries, err = tx.WebhookDeliveries(w.id)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return hook, state, deliveries
}

func (w *webhookTest) entries(of activity.Type) (messages []string) {
	w.t.Helper()
	err := w.store.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, tx.Newest()) {
			if err != nil {
				return err
			}
			if e.Type == of {
				messages = append(messages, e.Message())
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return messages
}

// TestWebhookReceives checks what a webhook receives: the events it wants, once
// each, and no more than who made it may see.
func TestWebhookReceives(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	for n := range 150 {
		w.tag("ann", n)
	}
	if err := w.store.SignInFailed(t.Context(), "mallory"); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	if got := w.numbers(); len(got) != 150 || got[149] != 149 {
		t.Errorf("%d events: %v", len(got), got)
	}
	for _, e := range w.received {
		if e.Type != "tag.added" || e.Actor != stream.HiddenActor {
			t.Fatalf("received %+v", e)
		}
	}
	if slices.Sort(w.ids); len(slices.Compact(w.ids)) != 150 {
		t.Error("an id comes twice")
	}
	w.tag("keeper", 150)
	w.pass(time.Minute)
	_, state, deliveries := w.state()
	if len(w.received) != 151 || len(deliveries) != 151 || deliveries[0].State != outbox.Sent || deliveries[0].Status != 204 || state.Succeeded.IsZero() {
		t.Errorf("%d events, %d deliveries, %+v, %+v", len(w.received), len(deliveries), deliveries[0], state)
	}
	for n := range 200 {
		w.tag("ann", n)
	}
	w.pass(time.Minute)
	if _, _, deliveries := w.state(); len(w.received) != 351 || len(deliveries) > 300 {
		t.Errorf("%d events, %d deliveries are kept", len(w.received), len(deliveries))
	}
}

// TestWebhookChoice checks that events which a webhook does not want are not
// sent, and that nothing is written about them.
func TestWebhookChoice(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t, "settings.changed")
	_, before, _ := w.state()
	for n := range 20 {
		w.tag("ann", n)
		w.pass(time.Second)
	}
	if _, state, deliveries := w.state(); len(deliveries)+len(w.ids) != 0 || *state != *before {
		t.Errorf("%d deliveries, state %+v", len(deliveries), state)
	}
	if _, err := w.auth.ChangeWebhook(t.Context(), w.by, w.id, auth.WebhookInput{Events: &[]activity.Topic{"tag.added"}}); err != nil {
		t.Fatal(err)
	}
	w.tag("ann", 20)
	w.pass(time.Second)
	if got := w.numbers(); fmt.Sprint(got) != "[20]" {
		t.Errorf("after the change: %v", got)
	}
}

// TestWebhookDown: the receiver is down for five hours. It is not flooded while
// it is, and gets everything once afterwards, with the ids of the first attempts.
func TestWebhookDown(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	w.status = http.StatusServiceUnavailable
	for n := range 60 {
		w.tag("ann", n)
	}
	w.pass(5 * time.Hour)
	if len(w.ids) > 4+8 {
		t.Errorf("%d requests while it is down", len(w.ids))
	}
	hook, state, deliveries := w.state()
	if !hook.Enabled || state.FailingSince.IsZero() || !strings.Contains(state.Failure, "503") || len(deliveries) != 60 {
		t.Errorf("%+v, %d deliveries", state, len(deliveries))
	}
	tried := slices.Clone(w.ids)
	w.ids, w.status = nil, http.StatusOK
	w.pass(time.Hour)
	if got := w.numbers(); len(got) != 60 || got[59] != 59 {
		t.Errorf("afterwards %v", got)
	}
	for _, id := range tried {
		if !slices.Contains(w.ids, id) {
			t.Errorf("the event %s has another id now", id)
		}
	}
	if _, state, _ := w.state(); !state.FailingSince.IsZero() || state.Failure != "" {
		t.Errorf("afterwards %+v", state)
	}
}

// TestWebhookIsDisabled: a receiver that fails for days, or wants no more events,
// is disabled, with an entry. What happens until it is enabled again is not sent.
func TestWebhookIsDisabled(t *testing.T) {
	t.Parallel()
	for status, c := range map[int]struct {
		after  time.Duration
		reason string
	}{
		http.StatusInternalServerError: {73 * time.Hour, `Webhook "Pager" was disabled by the server: The receiver has failed for 3 days. The last time: webhook: the answer is 500 Internal Server Error`},
		http.StatusGone:                {time.Minute, `Webhook "Pager" was disabled by the server: The receiver wants no more events (410 Gone).`},
	} {
		w := newWebhookTest(t, "tag.added")
		w.status = status
		w.tag("ann", 1)
		w.tag("ann", 2)
		for range 75 {
			w.pass(c.after / 73)
			w.tag("ann", 3)
		}
		hook, _, deliveries := w.state()
		if hook.Enabled || hook.DisabledReason == "" {
			t.Errorf("%d: %+v", status, hook)
		}
		if got := w.entries(activity.TypeWebhookDisabling); len(got) != 1 || got[0] != c.reason {
			t.Errorf("%d: %q", status, got)
		}
		for _, d := range deliveries {
			if d.State == outbox.Pending {
				t.Errorf("%d: %+v is still to be sent", status, d)
			}
		}
		w.status = http.StatusOK
		if _, err := w.auth.ChangeWebhook(t.Context(), w.by, w.id, auth.WebhookInput{Enabled: new(true)}); err != nil {
			t.Fatal(err)
		}
		w.tag("ann", 4)
		w.pass(time.Hour)
		if got := w.numbers(); fmt.Sprint(got) != "[4]" {
			t.Errorf("%d: after it is enabled %v", status, got)
		}
	}
}

// TestWebhookRefusesOne: an event that the receiver does not like is given up,
// the others arrive. It can be sent once more.
func TestWebhookRefusesOne(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	w.status = http.StatusUnprocessableEntity
	w.tag("ann", 1)
	w.pass(time.Second)
	w.status = http.StatusOK
	w.tag("ann", 2)
	w.pass(time.Second)
	_, _, deliveries := w.state()
	if fmt.Sprint(w.numbers()) != "[2]" || deliveries[1].State != outbox.GivenUp || deliveries[1].Status != 422 {
		t.Errorf("%v, %+v", w.numbers(), deliveries[1])
	}
	if err := w.store.RedeliverEvent(t.Context(), w.by.Actor(), w.id, deliveries[1].Sequence); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Second)
	if fmt.Sprint(w.numbers()) != "[1 2]" || w.ids[0] != w.ids[2] {
		t.Errorf("%v with the ids %v", w.numbers(), w.ids)
	}
}

// TestWebhookTooMuch: what is too much for the deliveries that can wait waits in
// the log.
func TestWebhookTooMuch(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	w.status = http.StatusBadGateway
	for n := range 1500 {
		w.tag("ann", n)
	}
	w.pass(time.Minute)
	if _, _, deliveries := w.state(); len(deliveries) > 1100 {
		t.Errorf("%d deliveries wait", len(deliveries))
	}
	w.status = http.StatusOK
	w.run = &webhookRun{} // as after a restart
	w.pass(time.Hour)
	got := w.numbers()
	if len(got) != 1500 || len(slices.Compact(got)) != 1500 {
		t.Errorf("%d events", len(got))
	}
}

// TestWebhookSlow runs the sender with two webhooks of which one never answers.
// The other one gets its events, and the sender stops when it is told to.
func TestWebhookSlow(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	release := make(chan struct{})
	slow := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(release)
	if _, err := w.auth.CreateWebhook(t.Context(), w.by, auth.WebhookInput{Name: new("Slow"), URL: &slow.URL}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.sender.run(ctx) }()
	w.tag("ann", 1)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		arrived := slices.ContainsFunc(w.received, func(e stream.Event) bool { return e.Type == "tag.added" })
		w.mu.Unlock()
		if arrived {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the event does not arrive")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestWebhookDeleted: nothing is left of a webhook that was deleted, also if it
// was being served.
func TestWebhookDeleted(t *testing.T) {
	t.Parallel()
	w := newWebhookTest(t)
	w.tag("ann", 1)
	w.status = http.StatusBadGateway
	w.pass(time.Second)
	if err := w.store.DeleteWebhook(t.Context(), w.by.Actor(), w.id); err != nil {
		t.Fatal(err)
	}
	w.run.unrecordedOutcomes = []store.WebhookOutcome{{Sequence: 1, Outcome: outbox.Outcome{At: w.now}}}
	w.pass(time.Hour)
	if len(w.ids) != 1 {
		t.Errorf("%d requests", len(w.ids))
	}
}

// TestWebhookOfProcess kills a real server between an event and its delivery,
// while the receiver is away. After the restart, the event arrives.
func TestWebhookOfProcess(t *testing.T) {
	t.Parallel()
	authority := servertest.NewAuthority(t)
	cert, key := authority.Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	w := &webhookTest{t: t, status: http.StatusServiceUnavailable}
	receiver := httptest.NewUnstartedServer(http.HandlerFunc(w.receive))
	receiver.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	receiver.StartTLS()
	defer receiver.Close()
	dir := t.TempDir()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, authority.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *servertest.Program { return servertest.Start(t, dir, nil, "SSL_CERT_FILE="+roots) }
	program := start()
	_, port, err := net.SplitHostPort(receiver.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ID string }
	program.User().Must(201, "POST", "/api/v1/webhooks", map[string]any{"name": "Pager", "url": "https://localhost:" + port, "events": []string{"host.registered"}}, &made)
	program.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
	tried := func() int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.ids)
	}
	servertest.Soon(t, "the event is tried", func() bool { return tried() == 1 })
	program.Kill()
	w.mu.Lock()
	w.status = http.StatusOK
	w.mu.Unlock()
	program = start()
	var test struct{ State string }
	program.User().Must(200, "POST", "/api/v1/webhooks/"+made.ID+"/test", nil, &test)
	servertest.Soon(t, "the event arrives", func() bool { return tried() == 3 })
	// If the process was killed before it could record the first attempt, the
	// event comes before the test.
	event := slices.IndexFunc(w.received, func(e stream.Event) bool { return e.Type == "host.registered" })
	if test.State != "sent" || event < 0 || w.received[event].ID != w.ids[0] || w.ids[event+1] != w.ids[0] {
		t.Errorf("the test is %s; %v, %+v", test.State, w.ids, w.received)
	}
}
