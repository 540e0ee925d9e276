package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"trento/store/activity"
	"trento/store/alert"
	"trento/store/kv"
	"trento/store/outbox"
)

// maxDeliveries is the number of deliveries that are kept. Older ones are pruned
// unless they are still to be sent.
const maxDeliveries = 1000

// alertHistory is how far back deliveries count for the decision about new ones.
const alertHistory = 24 * time.Hour

// alertingEnabled reports whether alerts are switched on, by the configuration or, if it
// says nothing, by the stored settings.
func (tx *Tx) alertingEnabled() (bool, error) {
	if on := tx.s.options.Alerts; on != nil {
		return *on, nil
	}
	settings, err := tx.AlertSettings()
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && settings.Enabled, err
}

// noteAlerts begins and ends the alerts that an event means. No alert begins
// while alerts are switched off.
func (tx *Tx) noteAlerts(e activity.Event, entry activity.Position) error {
	signals := alert.SignalsOf(e)
	if len(signals) == 0 {
		return nil
	}
	correlation := ""
	if c, ok := e.(activity.CorrelatedEvent); ok {
		correlation = c.Correlation().CorrelationID
	}
	for _, s := range signals {
		if err := tx.noteAlert(s, entry, correlation); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) noteAlert(s alert.Signal, entry activity.Position, correlation string) error {
	before, err := tx.alertOrNil(s.Kind, s.Thing.ID)
	if err != nil {
		return err
	}
	var after *alert.Alert
	if s.Effect != alert.Starts {
		after = alert.End(before, s, tx.now)
	} else if on, err := tx.alertingEnabled(); err != nil {
		return err
	} else if on {
		after = alert.Begin(before, s, entry, correlation, tx.now)
	}
	if after == nil {
		return nil
	}
	tx.kv.AfterCommit(tx.s.wakeSender)
	return tx.s.alerts.Put(tx.kv, after.Key(), after)
}

// alertOrNil returns an alert; nil if there is none.
func (tx *Tx) alertOrNil(kind alert.Kind, id string) (*alert.Alert, error) {
	a, err := tx.s.alerts.Get(tx.kv, alert.KeyOf(kind, id))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return a, err
}

// AlertsChanged returns a channel that receives a value after alerts or
// deliveries have changed. It has one receiver.
func (s *Store) AlertsChanged() <-chan struct{} { return s.alertsChanged }

func (s *Store) wakeSender() {
	select {
	case s.alertsChanged <- struct{}{}:
	default: // the receiver has not taken the last value yet
	}
}

// CheckExpiries begins and ends the alerts about keys and certificates that
// expire. The API key of the agents is always one of them.
func (s *Store) CheckExpiries(ctx context.Context, expiries ...alert.Expiry) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		key, err := tx.APIKey()
		if err != nil {
			return err
		}
		agents := alert.Expiry{Kind: alert.APIKeyExpiry, Thing: alert.APIKeyThing()}
		if key.ExpiresAt != nil {
			agents.Deadline = *key.ExpiresAt
		}
		for _, e := range append([]alert.Expiry{agents}, expiries...) {
			before, err := tx.alertOrNil(e.Kind, e.Thing.ID)
			if err != nil {
				return err
			}
			if signal, ok := alert.CheckExpiry(before, e, tx.now); ok {
				if err := tx.noteAlert(signal, 0, ""); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// AlertPlan returns what is to be done about the alerts now.
func (tx *Tx) AlertPlan(policy alert.Policy) (alert.Plan, error) {
	var alerts []*alert.Alert
	waiting := false
	for a, err := range tx.s.alerts.All(tx.kv) {
		if err != nil {
			return alert.Plan{}, err
		}
		alerts = append(alerts, a)
		waiting = waiting || a.Waits() || a.Over()
	}
	if !waiting {
		return alert.Plan{}, nil
	}
	var history []*alert.Delivery
	for d, err := range tx.Deliveries() {
		if err != nil {
			return alert.Plan{}, err
		}
		if tx.now.Sub(d.At) > alertHistory {
			break
		}
		history = append(history, d)
	}
	return alert.Decide(alerts, history, tx.s.deliveries.Sequence(tx.kv), policy, tx.now), nil
}

// WaitingAlerts returns the alerts that no message was made of yet, and until
// when each waits.
func (tx *Tx) WaitingAlerts(policy alert.Policy) ([]alert.Waiting, error) {
	plan, err := tx.AlertPlan(policy)
	if err != nil {
		return nil, err
	}
	all, err := tx.waitingAlerts()
	for _, a := range all {
		if !slices.ContainsFunc(plan.Waiting, func(w alert.Waiting) bool { return w.Alert == a }) {
			plan.Waiting = append(plan.Waiting, alert.Waiting{Alert: a, Until: tx.now, Why: "It is due now."})
		}
	}
	return plan.Waiting, err
}

// PlanAlerts makes deliveries of the alerts that are due, and records those that
// are held back. It returns the time at which it has to be called again; zero
// if that is when AlertsChanged says so.
func (s *Store) PlanAlerts(ctx context.Context, policy alert.Policy) (next time.Time, err error) {
	idle := false
	err = s.View(func(tx *Tx) error {
		plan, unwanted, err := tx.planAlerts(policy)
		idle, next = plan.Empty() && len(unwanted) == 0, plan.Next
		return err
	})
	if err != nil || idle {
		return next, err
	}
	err = s.update(ctx, System(), func(tx *Tx) error {
		plan, unwanted, err := tx.planAlerts(policy)
		if err != nil {
			return err
		}
		next = plan.Next
		return errors.Join(tx.applyPlan(&plan), tx.switchOff(unwanted, policy), tx.pruneDeliveries())
	})
	return next, err
}

// planAlerts returns AlertPlan, and the deliveries that are pending in a channel
// that is off.
func (tx *Tx) planAlerts(policy alert.Policy) (plan alert.Plan, unwanted []*alert.Delivery, err error) {
	if plan, err = tx.AlertPlan(policy); err != nil {
		return plan, nil, err
	}
	open, err := tx.OpenDeliveries()
	for _, d := range open {
		if d.Mail.State == outbox.Pending && !policy.Mail || d.Webhook.State == outbox.Pending && !policy.Webhook {
			unwanted = append(unwanted, d)
		}
	}
	return plan, unwanted, err
}

func (tx *Tx) applyPlan(plan *alert.Plan) error {
	for _, a := range plan.Changed {
		if err := tx.s.alerts.Put(tx.kv, a.Key(), a); err != nil {
			return err
		}
	}
	for _, a := range plan.Forgotten {
		if err := tx.s.alerts.Delete(tx.kv, a.Key()); err != nil {
			return err
		}
	}
	for _, d := range plan.Deliveries {
		if err := errors.Join(tx.putDelivery(d), tx.s.deliveries.SetSequence(tx.kv, d.Sequence)); err != nil {
			return err
		}
	}
	return nil
}

// switchOff ends deliveries in channels that are off.
func (tx *Tx) switchOff(unwanted []*alert.Delivery, policy alert.Policy) error {
	for _, before := range unwanted {
		d := *before
		if d.Mail.State == outbox.Pending && !policy.Mail {
			d.Mail.State, d.Mail.Next = outbox.Off, time.Time{}
		}
		if d.Webhook.State == outbox.Pending && !policy.Webhook {
			d.Webhook.State, d.Webhook.Next = outbox.Off, time.Time{}
		}
		if err := tx.putDelivery(&d); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) putDelivery(d *alert.Delivery) error {
	return tx.s.deliveries.Put(tx.kv, kv.Key64(d.Sequence), d)
}

// pruneDeliveries prunes the deliveries that are too many and not open.
func (tx *Tx) pruneDeliveries() error {
	last := tx.s.deliveries.Sequence(tx.kv)
	if last <= maxDeliveries {
		return nil
	}
	var keys [][]byte
	for key := range tx.s.deliveries.Scan(tx.kv, nil, kv.Key64(last-maxDeliveries)) {
		d, err := tx.s.deliveries.Get(tx.kv, key)
		if err != nil {
			return err
		}
		if !d.Open() {
			keys = append(keys, key)
		}
	}
	return tx.s.deliveries.Delete(tx.kv, keys...)
}

// Deliveries walks the stored deliveries, newest first. They are shared and must
// not be modified.
func (tx *Tx) Deliveries() iter.Seq2[*alert.Delivery, error] {
	return func(yield func(*alert.Delivery, error) bool) {
		for key := range tx.s.deliveries.ScanBack(tx.kv, nil, kv.Key64(math.MaxUint64)) {
			if !yield(tx.s.deliveries.Get(tx.kv, key)) {
				return
			}
		}
	}
}

// OpenDeliveries returns the deliveries that are pending, oldest first. They are
// shared and must not be modified.
func (tx *Tx) OpenDeliveries() (open []*alert.Delivery, err error) {
	for d, err := range tx.s.deliveries.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		if d.Open() {
			open = append(open, d)
		}
	}
	return open, nil
}

// DeliveryOutcome is the outcome of an attempt to deliver in one channel.
type DeliveryOutcome struct {
	Sequence uint64
	Webhook  bool // false: mail
	// Gone is true if the stored webhook wants no more messages. It is removed
	// from the settings then.
	Gone bool
	outbox.Outcome
}

// RecordDeliveries stores the outcomes of attempts. What is given up is logged.
// After a success, failed deliveries of the same channel are tried again at
// once.
func (s *Store) RecordDeliveries(ctx context.Context, outcomes ...DeliveryOutcome) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		works := map[bool]bool{}
		for _, o := range outcomes {
			works[o.Webhook] = works[o.Webhook] || o.Failure == ""
			if err := tx.recordDelivery(o); err != nil {
				return err
			}
		}
		for webhook, works := range works {
			if works {
				if err := tx.retryNow(webhook); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// channelOf returns a channel of a delivery.
func channelOf(d *alert.Delivery, webhook bool) *outbox.Channel {
	if webhook {
		return &d.Webhook
	}
	return &d.Mail
}

func (tx *Tx) recordDelivery(o DeliveryOutcome) error {
	before, err := tx.s.deliveries.Get(tx.kv, kv.Key64(o.Sequence))
	if errors.Is(err, ErrNotFound) {
		return nil // pruned after it was discarded
	}
	if err != nil {
		return err
	}
	d := *before
	c := channelOf(&d, o.Webhook)
	if c.State != outbox.Pending && o.Failure != "" {
		return nil // it was discarded meanwhile
	}
	*c = c.After(o.Outcome, d.At)
	if err := tx.putDelivery(&d); err != nil || c.State != outbox.GivenUp {
		return err
	}
	channel := activity.AlertByMail
	if o.Webhook {
		channel = activity.AlertByWebhook
	}
	err = tx.log(activity.System, &activity.AlertGivenUp{
		Channel: channel, Subject: d.Subject, Recipients: c.Refused, Reason: c.Failure, Attempts: c.Attempts,
	})
	if err != nil || !o.Gone {
		return err
	}
	return tx.removeWebhook()
}

// retryNow makes the pending deliveries of a channel due now that have failed
// before.
func (tx *Tx) retryNow(webhook bool) error {
	open, err := tx.OpenDeliveries()
	if err != nil {
		return err
	}
	for _, before := range open {
		d := *before
		c := channelOf(&d, webhook)
		if c.State != outbox.Pending || !c.Next.After(tx.now) {
			continue
		}
		c.Next = tx.now
		if err := tx.putDelivery(&d); err != nil {
			return err
		}
	}
	return nil
}

// HurryAlerts makes everything that waits due now: alerts that are held back, and
// messages that could not be sent yet.
func (s *Store) HurryAlerts(ctx context.Context, by Actor) error {
	return s.update(ctx, by, func(tx *Tx) error {
		waiting, err := tx.waitingAlerts()
		if err != nil {
			return err
		}
		for _, before := range waiting {
			a := *before
			a.Hurried = true
			if err := tx.s.alerts.Put(tx.kv, a.Key(), &a); err != nil {
				return err
			}
		}
		tx.kv.AfterCommit(tx.s.wakeSender)
		return errors.Join(tx.retryNow(false), tx.retryNow(true))
	})
}

func (tx *Tx) waitingAlerts() (waiting []*alert.Alert, err error) {
	for a, err := range tx.s.alerts.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		if a.Waits() {
			waiting = append(waiting, a)
		}
	}
	return waiting, nil
}

// DiscardAlerts discards everything that waits: alerts that are held back, and
// messages that could not be sent yet. It logs nothing if nothing waits.
func (s *Store) DiscardAlerts(ctx context.Context, by Actor) error {
	return s.update(ctx, by, func(tx *Tx) error {
		waiting, err := tx.waitingAlerts()
		if err != nil {
			return err
		}
		open, err := tx.OpenDeliveries()
		if err != nil || len(waiting)+len(open) == 0 {
			return err
		}
		discarded := &activity.AlertsDiscarded{}
		plan := alert.Discard(waiting, tx.s.deliveries.Sequence(tx.kv), by.Name, tx.now)
		for _, d := range plan.Deliveries {
			for i := range d.Items {
				discarded.Alerts = append(discarded.Alerts, d.Items[i].Title()+" "+d.Items[i].Trouble(tx.now))
			}
		}
		if err := tx.applyPlan(&plan); err != nil {
			return err
		}
		for _, before := range open {
			d := *before
			for _, c := range []*outbox.Channel{&d.Mail, &d.Webhook} {
				if c.State == outbox.Pending {
					c.State, c.Next = outbox.Discarded, time.Time{}
				}
			}
			discarded.Messages = append(discarded.Messages, d.Subject)
			if err := tx.putDelivery(&d); err != nil {
				return err
			}
		}
		tx.kv.AfterCommit(tx.s.wakeSender)
		return errors.Join(tx.pruneDeliveries(), tx.log(by.Name, discarded))
	})
}

// verifyAlerts checks that each alert has the key that belongs to it, and that
// the message it refers to can exist.
func (tx *Tx) verifyAlerts() error {
	last := tx.s.deliveries.Sequence(tx.kv)
	var faults []error
	for key := range tx.s.alerts.Scan(tx.kv, nil, nil) {
		a, err := tx.s.alerts.Get(tx.kv, key)
		switch {
		case err != nil:
			faults = append(faults, err)
		case string(a.Key()) != string(key):
			faults = append(faults, fmt.Errorf("alert %q: has the key of %q", key, a.Key()))
		case a.FirstDelivery > last:
			faults = append(faults, fmt.Errorf("alert %q: its delivery is %d, the last one is %d", key, a.FirstDelivery, last))
		}
	}
	return errors.Join(faults...)
}

// verifyDeliveries checks that each delivery can be read and is about something,
// and that no later one can get its sequence.
func (tx *Tx) verifyDeliveries() error {
	last := tx.s.deliveries.Sequence(tx.kv)
	var faults []error
	for key := range tx.s.deliveries.Scan(tx.kv, nil, nil) {
		d, err := tx.s.deliveries.Get(tx.kv, key)
		switch {
		case err != nil:
			faults = append(faults, err)
		case len(d.Items) == 0:
			faults = append(faults, fmt.Errorf("delivery %d: is about nothing", d.Sequence))
		case binary.BigEndian.Uint64(key) > last:
			faults = append(faults, fmt.Errorf("delivery %d: the last one is %d", d.Sequence, last))
		}
	}
	return errors.Join(faults...)
}
