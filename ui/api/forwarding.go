package api

import (
	"net/http"
	"time"

	"trento/store"
	"trento/ui/forward"
)

// forwardingStatus is how the forwarding of the activity log to a receiver
// stands.
type forwardingStatus struct {
	Receiver     forward.Receiver `json:"receiver"`
	Address      string           `json:"address"`
	LastSentAt   *timestamp       `json:"last_sent_at"`
	WaitingSince *timestamp       `json:"waiting_since"`
	Failure      *string          `json:"failure"`
	FailingSince *timestamp       `json:"failing_since"`
}

// ForwardingWaitsSince returns the time of the oldest entry that a receiver does
// not have; nil if it has all.
func ForwardingWaitsSince(tx *store.Tx, s forward.Status) (*time.Time, error) {
	for e, err := range tx.Entries(s.Position+1, tx.Newest()) {
		if err != nil {
			return nil, err
		}
		at := e.OccurredOn()
		return &at, nil
	}
	return nil, nil
}

// listForwarding answers GET /api/v1/settings/forwarding.
func (a *API) listForwarding(w http.ResponseWriter, _ *http.Request) error {
	answer := []forwardingStatus{}
	if a.deps.Forwarding == nil {
		return send(w, http.StatusOK, answer)
	}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		for _, s := range a.deps.Forwarding() {
			waits, err := ForwardingWaitsSince(tx, s)
			if err != nil {
				return err
			}
			status := forwardingStatus{
				Receiver: s.Receiver, Address: s.Address, LastSentAt: timestampOrNull(s.SentAt),
				WaitingSince: timestampOf(waits), FailingSince: timestampOrNull(s.Since),
			}
			if s.Failure != "" {
				status.Failure = &s.Failure
			}
			answer = append(answer, status)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}
