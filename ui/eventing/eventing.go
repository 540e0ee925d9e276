// Package eventing sends events to the webhooks of the customer. Package server
// sends what happens by it, and decides when; console and API send tests.
package eventing

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
	"trento/store/outbox"
	"trento/ui/stream"
	"trento/ui/webhook"
)

// Webhooks sends events to webhooks.
type Webhooks struct {
	store       *store.Store
	auth        *auth.Auth
	client      *http.Client
	testLimiter *rate.Limiter
}

// maxTests is how many tests may be sent in a minute.
const maxTests = 6

// New returns the sender of events. rootCAs are the authorities that the
// certificates of receivers may be from; nil: those of the system.
func New(s *store.Store, a *auth.Auth, rootCAs *x509.CertPool) *Webhooks {
	return &Webhooks{store: s, auth: a, client: webhook.NewClient(rootCAs), testLimiter: rate.NewLimiter(rate.Every(time.Minute/maxTests), maxTests)}
}

var (
	// ErrTooManyTests says that too many tests were sent in the last minute.
	ErrTooManyTests = &fault.Error{Kind: fault.TooOften, Detail: "Only 6 tests can be sent in a minute. Try again in a few seconds."}
	errSecretsLost  = errors.New("the address and the secret cannot be read, because SECRET_KEY_BASE was changed; enter the address again, and replace the secret")
	errPruned       = errors.New("the entry of the activity log is not kept any more")
)

// Send sends the event of a delivery to its webhook, and returns what came of it.
func (s *Webhooks) Send(ctx context.Context, w auth.Webhook, d *store.WebhookDelivery) store.WebhookOutcome {
	var entry *activity.Entry
	err := s.store.View(func(tx *store.Tx) (err error) {
		entry, err = tx.Entry(d.Entry)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = errPruned
	}
	if err != nil {
		return s.outcome(d.Sequence, 0, s.store.Now(), err)
	}
	actor := entry.Actor
	if !w.SeesActors && actor != activity.System {
		actor = stream.HiddenActor
	}
	return s.post(ctx, w, d.Sequence, stream.NewEvent(entry, actor))
}

// post sends an event.
func (s *Webhooks) post(ctx context.Context, w auth.Webhook, sequence uint64, event stream.Event) store.WebhookOutcome {
	begin := s.store.Now()
	if w.SecretsLost {
		return s.outcome(sequence, 0, begin, errSecretsLost)
	}
	hook := webhook.Webhook{URL: w.URL, Secrets: w.Secrets, Client: s.client, Now: s.store.Now}
	status, err := hook.Post(ctx, event.ID, event)
	return s.outcome(sequence, status, begin, err)
}

func (s *Webhooks) outcome(sequence uint64, status int, begin time.Time, err error) store.WebhookOutcome {
	now := s.store.Now()
	o := store.WebhookOutcome{Sequence: sequence, Status: status, Took: now.Sub(begin), Outcome: outbox.Outcome{At: now}}
	if err == nil {
		return o
	}
	o.Failure, o.Permanent = err.Error(), errors.Is(err, errPruned)
	if failure, ok := errors.AsType[*webhook.Error](err); ok {
		o.Permanent, o.Gone = failure.Permanent, failure.Gone
	}
	return o
}

// Test sends a test to a webhook, also to one that is disabled, and stores what
// came of it. It fails with ErrTooManyTests or store.ErrNotFound. A receiver that
// does not take the test is no error.
func (s *Webhooks) Test(ctx context.Context, by *auth.Identity, id string) (store.WebhookDelivery, error) {
	var w auth.Webhook
	err := s.store.View(func(tx *store.Tx) (err error) {
		w, err = s.auth.Webhook(tx, id)
		return err
	})
	if err != nil {
		return store.WebhookDelivery{}, err
	}
	if !s.testLimiter.AllowN(s.store.Now(), 1) {
		return store.WebhookDelivery{}, ErrTooManyTests
	}
	now := s.store.Now()
	event := stream.Event{
		ID: uuid.NewString(), Type: activity.TopicTest, Time: stream.FormatTime(now), Severity: activity.Info,
		Message: fmt.Sprintf(`This tests the webhook "%s" of Trento. Nothing has happened.`, w.Name), Actor: by.Actor().Name,
		Resources: []stream.Resource{}, ActivityType: "webhook_test", Metadata: json.RawMessage("{}"),
	}
	outcome := s.post(ctx, w, 0, event)
	outcome.Permanent = true // it is not tried again
	test := store.WebhookDelivery{Webhook: id, At: now, EventID: event.ID, Topic: event.Type, Test: true, Status: outcome.Status, Took: outcome.Took}
	test.Channel = outbox.NewChannel(true, now).After(outcome.Outcome, now)
	// What was sent is recorded even if the client has gone.
	return test, s.store.AddWebhookTest(context.WithoutCancel(ctx), by.Actor(), id, test)
}
