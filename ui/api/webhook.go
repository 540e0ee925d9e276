package api

import (
	"encoding/json"
	"net/http"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/outbox"
)

// shownWebhook is a webhook in answers of the API.
type shownWebhook struct {
	ID             string           `json:"id"`
	Name           string           `json:"name"`
	URL            *string          `json:"url"` // nil: it cannot be decrypted
	Events         []activity.Topic `json:"events"`
	Enabled        bool             `json:"enabled"`
	DisabledReason *string          `json:"disabled_reason"`
	CreatedBy      string           `json:"created_by"`
	CreatedAt      timestamp        `json:"created_at"`
	UpdatedAt      timestamp        `json:"updated_at"`
	State          webhookState     `json:"state"`
}

// webhookState is how the receiver of a webhook is doing.
type webhookState struct {
	Pending      int        `json:"pending"`
	LastSuccess  *timestamp `json:"last_success"`
	FailingSince *timestamp `json:"failing_since"`
	Failure      *string    `json:"failure"`
	NextAttempt  *timestamp `json:"next_attempt"`
}

// webhookWithSecret is a webhook with its secret, which is shown only once.
type webhookWithSecret struct {
	shownWebhook
	Secret string `json:"secret"`
}

// shownDelivery is a delivery in answers of the API.
type shownDelivery struct {
	ID             uint64         `json:"id"`
	EventID        string         `json:"event_id"`
	EventType      activity.Topic `json:"event_type"`
	Time           timestamp      `json:"time"`
	State          outbox.State   `json:"state"`
	FailedAttempts int            `json:"failed_attempts"`
	LastAttempt    *timestamp     `json:"last_attempt"`
	NextAttempt    *timestamp     `json:"next_attempt"`
	Status         *int           `json:"status"`
	DurationMS     *int64         `json:"duration_ms"`
	Failure        *string        `json:"failure"`
}

// textOrNull returns nil for "".
func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func newShownWebhook(tx *store.Tx, w auth.Webhook) (shownWebhook, error) {
	shown := shownWebhook{
		ID: w.ID, Name: w.Name, URL: textOrNull(w.URL), Events: orEmpty(w.Topics), Enabled: w.Enabled, DisabledReason: textOrNull(w.DisabledReason),
		CreatedBy: w.CreatedBy, CreatedAt: timestamp(w.CreatedAt), UpdatedAt: timestamp(w.UpdatedAt),
	}
	state, err := tx.WebhookState(w.ID)
	if err != nil {
		return shown, err
	}
	pending, err := tx.PendingWebhookDeliveries(w.ID)
	shown.State = webhookState{
		Pending: len(pending), LastSuccess: timestampOrNull(state.Succeeded), FailingSince: timestampOrNull(state.FailingSince), Failure: textOrNull(state.Failure),
	}
	if len(pending) > 0 {
		shown.State.NextAttempt = timestampOrNull(state.Next)
	}
	return shown, err
}

func newShownDelivery(d *store.WebhookDelivery) shownDelivery {
	shown := shownDelivery{
		ID: d.Sequence, EventID: d.EventID, EventType: d.Topic, Time: timestamp(d.At), State: d.State, FailedAttempts: d.Attempts,
		LastAttempt: timestampOrNull(d.Tried), NextAttempt: timestampOrNull(d.Next), Failure: textOrNull(d.Failure),
	}
	if d.Status != 0 {
		shown.Status = &d.Status
	}
	if !d.Tried.IsZero() {
		took := d.Took.Milliseconds()
		shown.DurationMS = &took
	}
	return shown
}

// listWebhooks answers GET /api/v1/webhooks.
func (a *API) listWebhooks(w http.ResponseWriter, _ *http.Request) error {
	list := []shownWebhook{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		all, err := a.deps.Auth.Webhooks(tx)
		for _, webhook := range all {
			shown, err := newShownWebhook(tx, webhook)
			if err != nil {
				return err
			}
			list = append(list, shown)
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, list)
}

// showWebhook answers GET /api/v1/webhooks/{id}.
func (a *API) showWebhook(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	return a.sendWebhook(w, id, http.StatusOK, "")
}

// sendWebhook answers with a webhook, and with its secret if that is new.
func (a *API) sendWebhook(w http.ResponseWriter, id string, status int, secret string) error {
	var shown shownWebhook
	err := a.deps.Store.View(func(tx *store.Tx) error {
		webhook, err := a.deps.Auth.Webhook(tx, id)
		if err == nil {
			shown, err = newShownWebhook(tx, webhook)
		}
		return err
	})
	if err != nil {
		return err
	}
	if secret == "" {
		return send(w, status, shown)
	}
	return send(w, status, webhookWithSecret{shown, secret})
}

// createWebhook answers POST /api/v1/webhooks. The answer has the secret.
func (a *API) createWebhook(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	body := in.object()
	name, address := required(body, "name", asText), required(body, "url", asText)
	given := auth.WebhookInput{Name: &name, URL: &address, Events: optional(body, "events", asListOf(asTopic)), Enabled: optional(body, "enabled", asBool)}
	if err := in.fault(); err != nil {
		return err
	}
	created, err := a.deps.Auth.CreateWebhook(r.Context(), auth.From(r.Context()), given)
	if err != nil {
		return err
	}
	return a.sendWebhook(w, created.ID, http.StatusCreated, created.Secrets[0])
}

// changeWebhook answers PATCH /api/v1/webhooks/{id}.
func (a *API) changeWebhook(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, body := pathID[string](in, "id"), in.object()
	given := auth.WebhookInput{
		Name: optional(body, "name", asText), URL: optional(body, "url", asText), Events: optional(body, "events", asListOf(asTopic)), Enabled: optional(body, "enabled", asBool),
	}
	if err := in.fault(); err != nil {
		return err
	}
	if _, err := a.deps.Auth.ChangeWebhook(r.Context(), auth.From(r.Context()), id, given); err != nil {
		return err
	}
	return a.sendWebhook(w, id, http.StatusOK, "")
}

// asTopic reads a type of events that can be chosen.
func asTopic(at place, value json.RawMessage) activity.Topic {
	text, ok := readText(at, value)
	topic := activity.Topic(text)
	if ok && !topic.Known() {
		at.refuse("Invalid value for enum")
	}
	return topic
}

// deleteWebhook answers DELETE /api/v1/webhooks/{id}.
func (a *API) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.DeleteWebhook(r.Context(), auth.From(r.Context()).Actor(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// replaceWebhookSecret answers POST /api/v1/webhooks/{id}/secret. The answer has
// the new secret.
func (a *API) replaceWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	changed, err := a.deps.Auth.ReplaceWebhookSecret(r.Context(), auth.From(r.Context()), id)
	if err != nil {
		return err
	}
	return a.sendWebhook(w, id, http.StatusOK, changed.Secrets[0])
}

// testWebhook answers POST /api/v1/webhooks/{id}/test: it sends a test, and says
// what the receiver has answered.
func (a *API) testWebhook(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	test, err := a.deps.Webhooks.Test(r.Context(), auth.From(r.Context()), id)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, newShownDelivery(&test))
}

// listWebhookDeliveries answers GET /api/v1/webhooks/{id}/deliveries, newest
// first.
func (a *API) listWebhookDeliveries(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := pathID[string](in, "id")
	if err := in.fault(); err != nil {
		return err
	}
	list := []shownDelivery{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		if _, err := tx.Webhook(id); err != nil {
			return err
		}
		all, err := tx.WebhookDeliveries(id)
		for _, d := range all {
			list = append(list, newShownDelivery(d))
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, list)
}

// redeliverEvent answers POST
// /api/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver.
func (a *API) redeliverEvent(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, delivery := pathID[string](in, "id"), in.pathNumber("delivery_id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Store.RedeliverEvent(r.Context(), auth.From(r.Context()).Actor(), id, uint64(delivery)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
