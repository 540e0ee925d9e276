package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/outbox"
	"trento/ui/eventing"
)

// webhookSender sends events to webhooks. It reads them from the activity log
// after they were written, so no change waits for a receiver. Each webhook is
// served by one step at a time and independently of the others, so a slow
// receiver delays no other. An event that was sent, but could not be recorded
// because the process ended, is sent again with the same id.
type webhookSender struct {
	store    *store.Store
	log      *slog.Logger
	auth     *auth.Auth
	webhooks *eventing.Webhooks

	stepFinished chan struct{} // receives a value after a step
	mu           sync.Mutex
	runs         map[string]*webhookRun
}

// webhookRun is what the sender remembers of a webhook. Only the step of the
// webhook uses it, except for busy and next.
type webhookRun struct {
	busy bool
	next time.Time // when there is something to do; zero: not before something changes
	// searchedUpTo is how far the log was searched for events.
	searchedUpTo activity.Position
	// unrecordedOutcomes are outcomes that could not be stored. Their events must not be
	// sent again.
	unrecordedOutcomes []store.WebhookOutcome
}

const (
	// maxWebhookPause is how long the sender sleeps at most.
	maxWebhookPause = 30 * time.Second
	// webhookRetry is how long a webhook waits after the store could not be read
	// or written.
	webhookRetry = 10 * time.Second
	// eventsPerStep and eventsAtOnce limit what a step sends to one webhook.
	eventsPerStep = 40
	eventsAtOnce  = 4
)

// newWebhookSender returns the sender of this server.
func (s *server) newWebhookSender() *webhookSender {
	return &webhookSender{store: s.store, log: s.log, auth: s.auth, webhooks: s.webhooks, stepFinished: make(chan struct{}, 1), runs: make(map[string]*webhookRun)}
}

// run sends events until ctx is done.
func (s *webhookSender) run(ctx context.Context) error {
	changed, stop := s.store.Watch()
	defer stop()
	var steps sync.WaitGroup
	defer steps.Wait()
	for ctx.Err() == nil {
		timer := time.NewTimer(s.startSteps(ctx, &steps))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-changed:
		case <-s.stepFinished:
		}
		timer.Stop()
	}
	return nil
}

// startSteps starts a step for each webhook that has none running. It returns how
// long there is nothing else to do.
func (s *webhookSender) startSteps(ctx context.Context, steps *sync.WaitGroup) time.Duration {
	var all []*store.Webhook
	err := s.store.View(func(tx *store.Tx) (err error) {
		all, err = tx.Webhooks()
		return err
	})
	if err != nil {
		s.log.Error("webhooks cannot be read", "error", err)
		return webhookRetry
	}
	pause, now := maxWebhookPause, s.store.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.runs {
		if !slices.ContainsFunc(all, func(w *store.Webhook) bool { return w.ID == id }) && !s.runs[id].busy {
			delete(s.runs, id)
		}
	}
	for _, w := range all {
		r := s.runs[w.ID]
		if r == nil {
			r = &webhookRun{}
			s.runs[w.ID] = r
		}
		if !w.Enabled || r.busy {
			continue
		}
		if r.next.After(now) {
			pause = min(pause, r.next.Sub(now))
		}
		r.busy = true
		steps.Go(func() { s.runStep(ctx, w.ID, r) })
	}
	return pause
}

// runStep runs a step, and wakes the sender if there is more to do.
func (s *webhookSender) runStep(ctx context.Context, id string, r *webhookRun) {
	again, next, err := s.step(ctx, id, r)
	if errors.Is(err, store.ErrNotFound) {
		err = nil // the webhook was deleted meanwhile
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("events cannot be sent to a webhook", "webhook", id, "error", err)
		again, next = false, s.store.Now().Add(webhookRetry)
	}
	s.mu.Lock()
	changed := !r.next.Equal(next)
	r.busy, r.next = false, next
	s.mu.Unlock()
	if again || changed {
		select {
		case s.stepFinished <- struct{}{}:
		default: // the sender has not taken the last value yet
		}
	}
}

// step makes deliveries of new events, sends what is due, and records what came
// of it. It returns whether there may be more to do at once, or when.
func (s *webhookSender) step(ctx context.Context, id string, r *webhookRun) (again bool, next time.Time, err error) {
	if err := s.record(ctx, id, r); err != nil {
		return false, next, err
	}
	for more := true; more && ctx.Err() == nil; {
		if r.searchedUpTo, more, err = s.store.PlanWebhook(ctx, id, r.searchedUpTo); err != nil {
			return false, next, err
		}
	}
	w, due, next, err := s.dueDeliveries(id)
	if err != nil || len(due) == 0 {
		return false, next, err
	}
	r.unrecordedOutcomes = s.send(ctx, w, due)
	return len(r.unrecordedOutcomes) > 0, next, s.record(ctx, id, r)
}

// record stores the outcomes that are not stored yet.
func (s *webhookSender) record(ctx context.Context, id string, r *webhookRun) error {
	if len(r.unrecordedOutcomes) == 0 {
		return nil
	}
	// What was sent is recorded even if the server is stopping.
	err := s.store.RecordWebhookOutcomes(context.WithoutCancel(ctx), id, r.unrecordedOutcomes...)
	if err == nil {
		r.unrecordedOutcomes = nil
	}
	return err
}

// dueDeliveries returns a webhook and the deliveries that are to be sent now, or else when
// there are some. Deliveries that have never failed come first: another one may
// be what the receiver does not like. A receiver that fails gets only one, until
// it has taken it.
func (s *webhookSender) dueDeliveries(id string) (w auth.Webhook, due []*store.WebhookDelivery, next time.Time, err error) {
	now := s.store.Now()
	err = s.store.View(func(tx *store.Tx) error {
		if w, err = s.auth.Webhook(tx, id); err != nil || !w.Enabled {
			return err
		}
		state, err := tx.WebhookState(id)
		if err != nil {
			return err
		}
		pending, err := tx.PendingWebhookDeliveries(id)
		if err != nil || len(pending) == 0 {
			return err
		}
		// A time that is further away means that the clock was set back.
		if state.Next.After(now) && state.Next.Sub(now) <= outbox.RetryAfter(state.Failed) {
			next = state.Next
			return nil
		}
		for _, d := range pending {
			if d.Due(now) {
				due = append(due, d)
			} else if next.IsZero() || d.Next.Before(next) {
				next = d.Next
			}
		}
		slices.SortStableFunc(due, func(x, y *store.WebhookDelivery) int { return cmp.Compare(x.Attempts, y.Attempts) })
		limit := eventsPerStep
		if state.Failed > 0 {
			limit = 1
		}
		due = due[:min(limit, len(due))]
		return nil
	})
	return w, due, next, err
}

// send sends deliveries, some at a time, until one fails for which it is worth
// waiting. It returns the outcomes. What fails because the server stops has no
// outcome.
func (s *webhookSender) send(ctx context.Context, w auth.Webhook, due []*store.WebhookDelivery) (outcomes []store.WebhookOutcome) {
	for batch := range slices.Chunk(due, eventsAtOnce) {
		results := make([]store.WebhookOutcome, len(batch))
		var sending sync.WaitGroup
		for i, d := range batch {
			sending.Go(func() { results[i] = s.webhooks.Send(ctx, w, d) })
		}
		sending.Wait()
		failed := false
		for i, o := range results {
			if o.Failure != "" && ctx.Err() != nil {
				continue // a server that stops tries again after its start
			}
			outcomes = append(outcomes, o)
			failed = failed || o.Failure != "" && !o.Permanent
			if o.Failure != "" {
				s.log.Warn("event could not be sent to a webhook", "webhook", w.Name, "event", batch[i].EventID, "attempt", batch[i].Attempts+1, "status", o.Status, "error", o.Failure)
			}
		}
		if failed || ctx.Err() != nil {
			break
		}
	}
	return outcomes
}
