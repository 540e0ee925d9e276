package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/outbox"
)

// Webhook is a web service that receives events. Package auth encrypts the
// address and the secrets.
type Webhook struct {
	ID   string `json:"id"`   // UUID
	Name string `json:"name"` // unique, in any letter case
	URL  []byte `json:"url"`  // encrypted, because an address is all that is needed to write to some services
	Host string `json:"host"` // the host in the address, for people
	// Secret signs the messages, and so does the former one for a while after it
	// was replaced. Both are encrypted.
	Secret            []byte    `json:"secret"`
	FormerSecret      []byte    `json:"former_secret,omitempty"`
	FormerSecretUntil time.Time `json:"former_secret_until,omitzero"`
	// Topics are the events that it receives. Empty means all that it may
	// receive.
	Topics []activity.Topic `json:"topics,omitempty"`
	// SeesUsers and SeesActors are what the user may see in the activity log who
	// has saved the webhook last: entries about users, and the names of actors.
	SeesUsers  bool `json:"sees_users,omitempty"`
	SeesActors bool `json:"sees_actors,omitempty"`

	Enabled bool `json:"enabled"`
	// DisabledReason says why the server has disabled it; "" if it has not.
	DisabledReason string    `json:"disabled_reason,omitempty"`
	CreatedBy      string    `json:"created_by"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// MaxWebhooks is the largest number of webhooks.
const MaxWebhooks = 20

// Wants reports whether the webhook receives an entry.
func (w *Webhook) Wants(e *activity.Entry) bool {
	return (w.SeesUsers || !e.Type.UserManagement()) && (len(w.Topics) == 0 || slices.Contains(w.Topics, e.Type.Topic()))
}

func (w *Webhook) about() activity.AboutWebhook {
	return activity.AboutWebhook{WebhookID: w.ID, Webhook: w.Name}
}

// WebhookState is how far a webhook is, and how its receiver is doing.
type WebhookState struct {
	// Position is the last entry of the log that was looked at.
	Position activity.Position `json:"position"`
	// Next is the time before which nothing is sent, because the last attempt
	// has failed.
	Next time.Time `json:"next,omitzero"`
	// Failed is how many rounds of attempts have failed in a row that are worth
	// repeating. FailingSince is the time of the first failure since the last
	// success.
	Failed       int       `json:"failed,omitempty"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	Failure      string    `json:"failure,omitempty"` // of the last attempt, in words
	Succeeded    time.Time `json:"succeeded,omitzero"`
}

// Webhook returns a webhook, or ErrNotFound. It is shared and must not be
// modified.
func (tx *Tx) Webhook(id string) (*Webhook, error) { return tx.s.webhooks.Get(tx.kv, []byte(id)) }

// Webhooks returns all webhooks, ordered by name. They are shared and must not
// be modified.
func (tx *Tx) Webhooks() ([]*Webhook, error) {
	var webhooks []*Webhook
	for w, err := range tx.s.webhooks.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		webhooks = append(webhooks, w)
	}
	slices.SortFunc(webhooks, func(a, b *Webhook) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return webhooks, nil
}

// WebhookState returns the state of a webhook, or ErrNotFound. It is shared and
// must not be modified.
func (tx *Tx) WebhookState(id string) (*WebhookState, error) {
	return tx.s.webhookStates.Get(tx.kv, []byte(id))
}

// CreateWebhook stores a new webhook. It receives what happens from now on. It
// fails with a fault of name, or if there are MaxWebhooks already.
func (s *Store) CreateWebhook(ctx context.Context, by Actor, webhook Webhook) (*Webhook, error) {
	created := webhook
	err := s.update(ctx, by, func(tx *Tx) error {
		all, err := tx.Webhooks()
		if err != nil {
			return err
		}
		if len(all) >= MaxWebhooks {
			return &fault.Error{Kind: fault.Conflict, Detail: fmt.Sprintf("There can be %d webhooks. Delete one first.", MaxWebhooks)}
		}
		created = webhook
		created.ID, created.CreatedBy, created.CreatedAt, created.UpdatedAt = uuid.NewString(), by.Name, tx.now, tx.now
		if err := errors.Join(checkWebhookName(all, &created), tx.s.webhooks.Put(tx.kv, []byte(created.ID), &created)); err != nil {
			return err
		}
		err = tx.log(by.Name, &activity.WebhookCreation{AboutWebhook: created.about(), Host: created.Host, Events: nonNilTopics(created.Topics)})
		return errors.Join(err, tx.putWebhookState(created.ID, &WebhookState{Position: tx.Newest()}))
	})
	return &created, err
}

// nonNilTopics returns the topics, which encoding/json does not write as null.
func nonNilTopics(topics []activity.Topic) []activity.Topic {
	if topics == nil {
		return []activity.Topic{}
	}
	return topics
}

func checkWebhookName(all []*Webhook, webhook *Webhook) error {
	if slices.ContainsFunc(all, func(w *Webhook) bool { return w.ID != webhook.ID && strings.EqualFold(w.Name, webhook.Name) }) {
		return fault.Field("name", "has already been taken")
	}
	return nil
}

// ChangeWebhook changes a webhook. change gets a copy of the present one. It
// fails with ErrNotFound, or with a fault of name. A webhook that is enabled
// receives what happens from now on.
func (s *Store) ChangeWebhook(ctx context.Context, by Actor, id string, change func(*Webhook) error) (changed *Webhook, err error) {
	err = s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.Webhook(id)
		if err != nil {
			return err
		}
		after := *before
		if err := change(&after); err != nil {
			return err
		}
		event, differs := webhookModification(before, &after)
		if changed = before; !differs {
			return nil
		}
		all, err := tx.Webhooks()
		if err != nil {
			return err
		}
		after.UpdatedAt = tx.now
		if after.Enabled {
			after.DisabledReason = ""
		}
		changed = &after
		if err := errors.Join(checkWebhookName(all, &after), tx.s.webhooks.Put(tx.kv, []byte(id), &after)); err != nil {
			return err
		}
		return errors.Join(tx.log(by.Name, event), tx.followWebhookChange(before, &after))
	})
	return changed, err
}

// followWebhookChange changes the state and the pending deliveries of a webhook
// after it was changed.
func (tx *Tx) followWebhookChange(before, after *Webhook) error {
	state, err := tx.WebhookState(after.ID)
	if err != nil {
		return err
	}
	next := *state
	switch {
	case before.Enabled && !after.Enabled:
		return tx.switchOffWebhook(after.ID)
	case after.Enabled && !before.Enabled:
		next = WebhookState{Position: tx.Newest(), Succeeded: state.Succeeded}
	case string(before.URL) != string(after.URL):
		next.Next, next.Failed, next.FailingSince, next.Failure = time.Time{}, 0, time.Time{}, ""
		if err := tx.retryWebhookNow(after.ID); err != nil {
			return err
		}
	}
	return tx.putWebhookState(after.ID, &next)
}

// webhookModification returns the event of a change, and whether anything was
// changed.
func webhookModification(before, after *Webhook) (e *activity.WebhookModification, differs bool) {
	e = &activity.WebhookModification{AboutWebhook: after.about()}
	if before.Name != after.Name {
		e.FormerName = before.Name
	}
	if string(before.URL) != string(after.URL) {
		e.URL, e.Host = true, after.Host
	}
	if !slices.Equal(before.Topics, after.Topics) {
		topics := nonNilTopics(after.Topics)
		e.Events = &topics
	}
	if before.Enabled != after.Enabled {
		e.Enabled = &after.Enabled
	}
	e.Secret = activity.Redacted(string(before.Secret) != string(after.Secret))
	differs = e.FormerName != "" || bool(e.URL) || e.Events != nil || e.Enabled != nil || bool(e.Secret) ||
		before.SeesUsers != after.SeesUsers || before.SeesActors != after.SeesActors
	return e, differs
}

// DeleteWebhook deletes a webhook with its deliveries. It fails with ErrNotFound
// if there is none.
func (s *Store) DeleteWebhook(ctx context.Context, by Actor, id string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		w, err := tx.Webhook(id)
		if err != nil {
			return err
		}
		var keys [][]byte
		for key := range tx.s.webhookDeliveries.ScanPrefix(tx.kv, webhookDeliveryPrefix(id)) {
			keys = append(keys, slices.Clone(key))
		}
		return errors.Join(
			tx.s.webhooks.Delete(tx.kv, []byte(id)), tx.s.webhookStates.Delete(tx.kv, []byte(id)), tx.s.webhookDeliveries.Delete(tx.kv, keys...),
			tx.log(by.Name, &activity.WebhookDeletion{AboutWebhook: w.about()}),
		)
	})
}

// disableWebhook disables a webhook whose receiver takes nothing.
func (tx *Tx) disableWebhook(w *Webhook, reason string) error {
	disabled := *w
	disabled.Enabled, disabled.DisabledReason, disabled.UpdatedAt = false, reason, tx.now
	return errors.Join(
		tx.s.webhooks.Put(tx.kv, []byte(w.ID), &disabled), tx.switchOffWebhook(w.ID),
		tx.log(activity.System, &activity.WebhookDisabling{AboutWebhook: w.about(), Reason: reason}),
	)
}

// switchOffWebhook ends the pending deliveries of a webhook.
func (tx *Tx) switchOffWebhook(id string) error {
	return tx.editPendingWebhookDeliveries(id, func(d *WebhookDelivery) { d.State, d.Next = outbox.Off, time.Time{} })
}

func (tx *Tx) putWebhookState(id string, state *WebhookState) error {
	return tx.s.webhookStates.Put(tx.kv, []byte(id), state)
}

// verifyWebhooks checks that each webhook has a state, and each state and
// delivery its webhook.
func (tx *Tx) verifyWebhooks() error {
	var faults []error
	for w, err := range tx.s.webhooks.All(tx.kv) {
		if err == nil && !tx.s.webhookStates.Has(tx.kv, []byte(w.ID)) {
			err = fmt.Errorf("webhook %s: has no state", w.ID)
		}
		faults = append(faults, err)
	}
	for key := range tx.s.webhookStates.Scan(tx.kv, nil, nil) {
		if !tx.s.webhooks.Has(tx.kv, key) {
			faults = append(faults, fmt.Errorf("state of webhook %s: there is no such webhook", key))
		}
	}
	last := tx.s.webhookDeliveries.Sequence(tx.kv)
	for d, err := range tx.s.webhookDeliveries.All(tx.kv) {
		switch {
		case err != nil:
			faults = append(faults, err)
		case !tx.s.webhooks.Has(tx.kv, []byte(d.Webhook)):
			faults = append(faults, fmt.Errorf("delivery %d: there is no webhook %s", d.Sequence, d.Webhook))
		case d.Sequence > last:
			faults = append(faults, fmt.Errorf("delivery %d: the last one is %d", d.Sequence, last))
		}
	}
	return errors.Join(faults...)
}
