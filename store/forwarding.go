package store

import (
	"context"
	"time"

	"trento/store/activity"
)

// Forwarding is how far the activity log has been forwarded to a receiver.
type Forwarding struct {
	Position activity.Position `json:"position"` // of the last entry that the receiver has
}

func forwardingSetting(receiver string) string { return "forwarding_" + receiver }

// Forwarding returns how far the log has been forwarded to a receiver, or
// ErrNotFound.
func (tx *Tx) Forwarding(receiver string) (*Forwarding, error) {
	return getSetting[Forwarding](tx, forwardingSetting(receiver))
}

// SetForwarding records how far the log has been forwarded to a receiver. That
// is no entry of the log: it would have to be forwarded as well.
func (s *Store) SetForwarding(ctx context.Context, receiver string, f Forwarding) error {
	return s.update(ctx, System(), func(tx *Tx) error { return tx.putSetting(forwardingSetting(receiver), f) })
}

// LogForwardingInterruption logs that entries cannot be forwarded to a receiver.
func (s *Store) LogForwardingInterruption(ctx context.Context, receiver, reason string) error {
	return s.AppendActivity(ctx, System(), &activity.ForwardingInterruption{Receiver: receiver, Reason: reason})
}

// LogForwardingResumption logs that entries are forwarded to a receiver again.
// Some may be missing there, because they were pruned in the meantime.
func (s *Store) LogForwardingResumption(ctx context.Context, receiver string, since time.Time, missing bool) error {
	return s.AppendActivity(ctx, System(), &activity.ForwardingResumption{Receiver: receiver, Since: since, EntriesMayBeMissing: missing})
}
