package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/kv"
	"trento/store/outbox"
)

// WebhookDelivery is an event on its way to a webhook. The event is the entry of
// the activity log, which never changes, so it is not stored again.
type WebhookDelivery struct {
	Webhook  string            `json:"-"`
	Sequence uint64            `json:"-"`
	At       time.Time         `json:"at"` // when it was decided, or asked for again
	Entry    activity.Position `json:"entry,omitempty"`
	EventID  string            `json:"event_id"`
	Topic    activity.Topic    `json:"topic"`
	Test     bool              `json:"test,omitempty"` // a user wanted to see whether the receiver answers
	outbox.Channel
	Status int           `json:"status,omitempty"` // of the last answer; 0: there was none
	Took   time.Duration `json:"took,omitempty"`   // from the request to the answer, the last time
}

// The limits of deliveries.
const (
	// maxPendingWebhookDeliveries is how many deliveries of a webhook can wait.
	// What comes after them waits in the activity log.
	maxPendingWebhookDeliveries = 1000
	// maxWebhookDeliveries is how many deliveries of a webhook are kept beside
	// the pending ones, and webhookDeliveryAge how long.
	maxWebhookDeliveries = 200
	webhookDeliveryAge   = 30 * 24 * time.Hour
	// webhookEntriesPerRead and webhookDeliveriesPerWrite limit one step of
	// PlanWebhook.
	webhookEntriesPerRead     = 1000
	webhookDeliveriesPerWrite = 100
	// disableWebhookAfter is how long a receiver can fail until its webhook is
	// disabled.
	disableWebhookAfter = 3 * 24 * time.Hour
)

func webhookDeliveryPrefix(id string) []byte { return append([]byte(id), 0) }

func webhookDeliveryKey(id string, sequence uint64) []byte {
	return append(webhookDeliveryPrefix(id), kv.Key64(sequence)...)
}

func setWebhookDeliveryKey(d *WebhookDelivery, key []byte) {
	split := len(key) - 8
	d.Webhook, d.Sequence = string(key[:split-1]), binary.BigEndian.Uint64(key[split:])
}

// WebhookDeliveries returns the deliveries of a webhook, newest first. They are
// shared and must not be modified.
func (tx *Tx) WebhookDeliveries(id string) ([]*WebhookDelivery, error) {
	var deliveries []*WebhookDelivery
	for d, err := range tx.s.webhookDeliveries.WithPrefix(tx.kv, webhookDeliveryPrefix(id)) {
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	slices.Reverse(deliveries)
	return deliveries, nil
}

// PendingWebhookDeliveries returns the pending deliveries of a webhook, oldest
// first. They are shared and must not be modified.
func (tx *Tx) PendingWebhookDeliveries(id string) ([]*WebhookDelivery, error) {
	all, err := tx.WebhookDeliveries(id)
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(d *WebhookDelivery) bool { return d.State != outbox.Pending }), err
}

// webhookPlan is what follows from the entries that a webhook has not seen yet.
type webhookPlan struct {
	matches  []*activity.Entry
	lastRead activity.Position // the last entry that was looked at
	more     bool              // there are further entries
}

// planWebhook looks at some entries after a position.
func (tx *Tx) planWebhook(w *Webhook, after activity.Position) (webhookPlan, error) {
	plan, newest := webhookPlan{lastRead: after}, tx.Newest()
	count := 0
	for e, err := range tx.Entries(after+1, newest) {
		if err != nil {
			return plan, err
		}
		if count == webhookEntriesPerRead || len(plan.matches) == webhookDeliveriesPerWrite {
			plan.more = true
			return plan, nil
		}
		count++
		if plan.lastRead = e.Position; w.Wants(e) {
			plan.matches = append(plan.matches, e)
		}
	}
	plan.lastRead = max(plan.lastRead, newest)
	return plan, nil
}

// PlanWebhook makes deliveries of the entries that a webhook has not seen yet.
// looked is the position up to which a former call has looked; it returns how far
// it has looked now, and whether it is to be called again. It writes only if the
// webhook wants an entry. If too many deliveries are pending, it does nothing.
func (s *Store) PlanWebhook(ctx context.Context, id string, looked activity.Position) (now activity.Position, more bool, err error) {
	var w *Webhook
	var plan webhookPlan
	read := func(tx *Tx) (err error) {
		if w, err = tx.Webhook(id); err != nil || !w.Enabled {
			return err
		}
		state, err := tx.WebhookState(id)
		if err != nil {
			return err
		}
		plan, err = tx.planWebhook(w, max(state.Position, looked))
		return err
	}
	if err := s.View(read); err != nil || !w.Enabled || len(plan.matches) == 0 {
		return max(plan.lastRead, looked), plan.more, err
	}
	full := false
	err = s.update(ctx, System(), func(tx *Tx) error {
		full, plan = false, webhookPlan{}
		if err := read(tx); err != nil || !w.Enabled {
			return err
		}
		pending, err := tx.PendingWebhookDeliveries(id)
		if full = len(pending) >= maxPendingWebhookDeliveries; err != nil || full {
			return err
		}
		for _, e := range plan.matches {
			d := &WebhookDelivery{Webhook: id, At: tx.now, Entry: e.Position, EventID: e.ID, Topic: e.Type.Topic(), Channel: outbox.NewChannel(true, tx.now)}
			if err := tx.addWebhookDelivery(d); err != nil {
				return err
			}
		}
		state, err := tx.WebhookState(id)
		if err != nil {
			return err
		}
		next := *state
		next.Position = plan.lastRead
		return errors.Join(tx.putWebhookState(id, &next), tx.pruneWebhookDeliveries(id))
	})
	if full || err != nil {
		return looked, false, err
	}
	return max(plan.lastRead, looked), plan.more, nil
}

func (tx *Tx) addWebhookDelivery(d *WebhookDelivery) (err error) {
	if d.Sequence, err = tx.s.webhookDeliveries.NextSequence(tx.kv); err != nil {
		return err
	}
	return tx.putWebhookDelivery(d)
}

func (tx *Tx) putWebhookDelivery(d *WebhookDelivery) error {
	return tx.s.webhookDeliveries.Put(tx.kv, webhookDeliveryKey(d.Webhook, d.Sequence), d)
}

// pruneWebhookDeliveries prunes the deliveries of a webhook that are too many or
// too old, except those that are pending.
func (tx *Tx) pruneWebhookDeliveries(id string) error {
	all, err := tx.WebhookDeliveries(id)
	if err != nil {
		return err
	}
	var keys [][]byte
	kept := 0
	for _, d := range all {
		if d.State == outbox.Pending {
			continue
		}
		if kept++; kept > maxWebhookDeliveries || tx.now.Sub(d.At) > webhookDeliveryAge {
			keys = append(keys, webhookDeliveryKey(id, d.Sequence))
		}
	}
	return tx.s.webhookDeliveries.Delete(tx.kv, keys...)
}

// PruneWebhookDeliveries prunes old deliveries of all webhooks.
func (s *Store) PruneWebhookDeliveries(ctx context.Context) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		all, err := tx.Webhooks()
		for _, w := range all {
			err = errors.Join(err, tx.pruneWebhookDeliveries(w.ID))
		}
		return err
	})
}

// editPendingWebhookDeliveries changes each pending delivery of a webhook.
func (tx *Tx) editPendingWebhookDeliveries(id string, change func(*WebhookDelivery)) error {
	pending, err := tx.PendingWebhookDeliveries(id)
	if err != nil {
		return err
	}
	for _, before := range pending {
		d := *before
		if change(&d); d.State != before.State || !d.Next.Equal(before.Next) {
			if err := tx.putWebhookDelivery(&d); err != nil {
				return err
			}
		}
	}
	return nil
}

// retryWebhookNow makes the pending deliveries of a webhook due now.
func (tx *Tx) retryWebhookNow(id string) error {
	return tx.editPendingWebhookDeliveries(id, func(d *WebhookDelivery) {
		if d.Next.After(tx.now) {
			d.Next = tx.now
		}
	})
}

// WebhookOutcome is the outcome of an attempt to deliver an event.
type WebhookOutcome struct {
	Sequence uint64
	Status   int // of the answer; 0: there was none
	Took     time.Duration
	Gone     bool // the receiver wants no more events
	outbox.Outcome
}

// RecordWebhookOutcomes stores the outcomes of attempts for one webhook. It
// disables the webhook if its receiver wants no more events, or has failed for
// days. After a success, failed deliveries are tried again at once.
func (s *Store) RecordWebhookOutcomes(ctx context.Context, id string, outcomes ...WebhookOutcome) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		w, err := tx.Webhook(id)
		if errors.Is(err, ErrNotFound) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			if err := tx.recordWebhookDelivery(id, o); err != nil {
				return err
			}
		}
		return errors.Join(tx.recordWebhookState(w, outcomes), tx.pruneWebhookDeliveries(id))
	})
}

func (tx *Tx) recordWebhookDelivery(id string, o WebhookOutcome) error {
	before, err := tx.s.webhookDeliveries.Get(tx.kv, webhookDeliveryKey(id, o.Sequence))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d := *before
	if d.State != outbox.Pending && o.Failure != "" {
		return nil // the webhook was disabled meanwhile
	}
	d.Channel, d.Status, d.Took = d.After(o.Outcome, d.At), o.Status, o.Took
	return tx.putWebhookDelivery(&d)
}

// recordWebhookState stores how the receiver of a webhook is doing after some
// attempts.
func (tx *Tx) recordWebhookState(w *Webhook, outcomes []WebhookOutcome) error {
	state, err := tx.WebhookState(w.ID)
	if err != nil {
		return err
	}
	next := *state
	var failure *WebhookOutcome // that is worth waiting for
	works, gone := false, false
	for _, o := range outcomes {
		works, gone = works || o.Failure == "", gone || o.Gone
		if o.Failure != "" && (failure == nil || failure.Permanent) {
			failure = &o
		}
	}
	switch {
	case works:
		next.Next, next.Failed, next.FailingSince, next.Failure, next.Succeeded = time.Time{}, 0, time.Time{}, "", tx.now
		if err := tx.retryWebhookNow(w.ID); err != nil {
			return err
		}
	case failure != nil:
		if next.Failure = failure.Failure; next.FailingSince.IsZero() {
			next.FailingSince = failure.At
		}
		if !failure.Permanent { // else the next event may be taken
			next.Next = failure.At.Add(outbox.RetryAfter(next.Failed))
			next.Failed++
		}
	}
	if err := tx.putWebhookState(w.ID, &next); err != nil || !w.Enabled {
		return err
	}
	switch {
	case gone:
		return tx.disableWebhook(w, "The receiver wants no more events (410 Gone).")
	case !next.FailingSince.IsZero() && tx.now.Sub(next.FailingSince) >= disableWebhookAfter:
		return tx.disableWebhook(w, fmt.Sprintf("The receiver has failed for %d days. The last time: %s", int(tx.now.Sub(next.FailingSince).Hours()/24), next.Failure))
	}
	return nil
}

// AddWebhookTest stores a test that was sent. After a success, failed deliveries
// are tried again at once.
func (s *Store) AddWebhookTest(ctx context.Context, by Actor, id string, test WebhookDelivery) error {
	return s.update(ctx, by, func(tx *Tx) error {
		if _, err := tx.Webhook(id); err != nil {
			return err
		}
		d := test
		d.Webhook = id
		if err := errors.Join(tx.addWebhookDelivery(&d), tx.pruneWebhookDeliveries(id)); err != nil || d.State != outbox.Sent {
			return err
		}
		state, err := tx.WebhookState(id)
		if err != nil {
			return err
		}
		next := *state
		next.Next = time.Time{}
		return errors.Join(tx.retryWebhookNow(id), tx.putWebhookState(id, &next))
	})
}

// RedeliverEvent makes a delivery due now, whatever became of it. The event keeps
// its id, so a receiver that has seen it can tell. It fails with ErrNotFound, or
// with a fault.
func (s *Store) RedeliverEvent(ctx context.Context, by Actor, id string, sequence uint64) error {
	return s.update(ctx, by, func(tx *Tx) error {
		w, err := tx.Webhook(id)
		if err != nil {
			return err
		}
		before, err := tx.s.webhookDeliveries.Get(tx.kv, webhookDeliveryKey(id, sequence))
		switch {
		case err != nil:
			return err
		case before.Test:
			return &fault.Error{Kind: fault.Conflict, Detail: "A test is not delivered again. Send another one."}
		case !w.Enabled:
			return &fault.Error{Kind: fault.Conflict, Detail: "The webhook is disabled. Enable it first."}
		}
		state, err := tx.WebhookState(id)
		if err != nil {
			return err
		}
		next, d := *state, *before
		next.Next, d.At, d.Channel = time.Time{}, tx.now, outbox.NewChannel(true, tx.now)
		return errors.Join(tx.putWebhookDelivery(&d), tx.putWebhookState(id, &next))
	})
}
