package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"trento/packaging/config"
	"trento/store"
	"trento/store/activity"
	"trento/store/failure"
	"trento/ui/forward"
)

// forwarder forwards the activity log to one receiver, in order and without
// gaps. Its position in the log is stored, so it continues there after a
// restart. Entries that were sent after the position was last stored are sent
// again.
type forwarder struct {
	store    *store.Store
	log      *slog.Logger
	receiver receiver
	failure  failure.Kind

	positionKnown    bool      // the position in status is known
	savedAt          time.Time // when the position was last stored
	unsaved          bool      // the position has changed since then
	failedAttempts   int       // number of failed attempts since the last success
	failureAnnounced bool      // users were told that nothing can be sent
	mayHaveGap       bool      // entries may have been pruned before they were sent

	mu     sync.Mutex
	status forward.Status
}

// receiver takes entries of the activity log.
type receiver interface {
	// Send returns when the receiver has the entries.
	Send(context.Context, []*activity.Entry) error
	Address() string
	Close()
}

// newForwarders returns a forwarder for each receiver of the configuration.
func newForwarders(c config.Config, st *store.Store, log *slog.Logger) (all []*forwarder) {
	add := func(to forward.Receiver, kind failure.Kind, r receiver) {
		all = append(all, &forwarder{store: st, log: log, receiver: r, failure: kind, status: forward.Status{Receiver: to, Address: r.Address()}})
	}
	if address := c.SyslogServer(); address != nil {
		files := forward.TLS{CAFile: c.ForwardSyslogCAFile, CertFile: c.ForwardSyslogCertFile, KeyFile: c.ForwardSyslogKeyFile}
		add(forward.ToSyslog, failure.Syslog, forward.NewSyslog(address, files, c.SyslogFacility(), Version()))
	}
	if address, headers := c.OTLPReceiver(); address != nil {
		add(forward.ToOTLP, failure.OTLP, forward.NewOTLP(address, forward.TLS{CAFile: c.ForwardOTLPCAFile}, headers, Version(), st.ID()))
	}
	return all
}

// forwardStatuses returns the state of the forwarding to each receiver.
func (s *server) forwardStatuses() (all []forward.Status) {
	for _, f := range s.forwarders {
		all = append(all, f.Status())
	}
	return all
}

// Status returns the state of the forwarding.
func (f *forwarder) Status() forward.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *forwarder) changeStatus(change func(*forward.Status)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.status)
}

// The pace of forwarding.
const (
	forwardBatchSize = 100 // entries that are sent at once
	// savePeriod is how often the position is stored while entries are sent.
	savePeriod = 10 * time.Second
	// The pause after a failed attempt doubles up to its maximum.
	firstForwardPause = time.Second
	maxForwardPause   = time.Minute
	// announceFailureAfter is how long nothing can be sent before users are
	// told. A restart of the receiver takes less.
	announceFailureAfter = time.Minute
)

// run forwards entries until ctx is done.
func (f *forwarder) run(ctx context.Context) error {
	changed, stop := f.store.Watch()
	defer stop()
	defer f.receiver.Close()
	for ctx.Err() == nil {
		more, err := f.sendNext(ctx)
		if more && err == nil {
			continue
		}
		wake, pause := changed, savePeriod
		if err != nil && ctx.Err() == nil {
			wake, pause = nil, f.noteFailure(ctx, err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return f.savePosition(context.WithoutCancel(ctx))
}

// sendNext sends the next entries. more is true if there are further entries.
func (f *forwarder) sendNext(ctx context.Context) (more bool, err error) {
	if err := f.readPosition(ctx); err != nil {
		return false, err
	}
	entries, err := f.nextEntries()
	if err != nil {
		return false, err
	}
	if len(entries) > 0 {
		if err := f.sendEntries(ctx, entries); err != nil {
			return false, err
		}
		f.noteSuccess(ctx)
	}
	if f.unsaved && f.store.Now().Sub(f.savedAt) >= savePeriod {
		err = f.savePosition(ctx)
	}
	return len(entries) == forwardBatchSize, err
}

// readPosition reads the stored position. If nothing was forwarded before,
// forwarding begins with the next entry.
func (f *forwarder) readPosition(ctx context.Context) error {
	if f.positionKnown {
		return nil
	}
	var position activity.Position
	err := f.store.View(func(tx *store.Tx) error {
		stored, err := tx.Forwarding(string(f.status.Receiver))
		if errors.Is(err, store.ErrNotFound) {
			position, f.unsaved = tx.Newest(), true
			return nil
		}
		if err == nil {
			position = stored.Position
			f.mayHaveGap = position < tx.Oldest()-1 && position < tx.Newest()
		}
		return err
	})
	if err != nil {
		return err
	}
	f.positionKnown = true
	f.changeStatus(func(s *forward.Status) { s.Position = position })
	if f.unsaved {
		f.log.Info("the activity log is forwarded from now on", "receiver", f.status.Receiver)
		return f.savePosition(ctx)
	}
	return nil
}

// nextEntries returns entries after the position.
func (f *forwarder) nextEntries() (entries []*activity.Entry, err error) {
	from := f.Status().Position + 1
	err = f.store.View(func(tx *store.Tx) error {
		f.mayHaveGap = f.mayHaveGap || from < tx.Oldest() && f.failedAttempts > 0
		for e, err := range tx.Entries(from, tx.Newest()) {
			if err != nil {
				return err
			}
			if entries = append(entries, e); len(entries) == forwardBatchSize {
				break
			}
		}
		return nil
	})
	return entries, err
}

// sendEntries sends entries. It leaves out entries that the receiver will never
// accept, so that they do not delay the later ones.
func (f *forwarder) sendEntries(ctx context.Context, entries []*activity.Entry) error {
	err := f.receiver.Send(ctx, entries)
	refused, ok := errors.AsType[*forward.RefusedError](err)
	switch {
	case err == nil:
	case !ok:
		return err
	case refused.OthersTaken:
		f.log.Warn("entries of the activity log were not forwarded", "receiver", f.status.Receiver, "error", err)
	case len(entries) > 1:
		half := len(entries) / 2
		if err := f.sendEntries(ctx, entries[:half]); err != nil {
			return err
		}
		return f.sendEntries(ctx, entries[half:])
	default:
		f.log.Warn("an entry of the activity log was not forwarded", "receiver", f.status.Receiver, "entry", entries[0].ID, "error", err)
	}
	f.unsaved = true
	f.changeStatus(func(s *forward.Status) {
		s.Position, s.SentAt = entries[len(entries)-1].Position, f.store.Now()
	})
	return nil
}

// savePosition stores the position.
func (f *forwarder) savePosition(ctx context.Context) error {
	if !f.unsaved {
		return nil
	}
	err := f.store.SetForwarding(ctx, string(f.status.Receiver), store.Forwarding{Position: f.Status().Position})
	if err == nil {
		f.savedAt, f.unsaved = f.store.Now(), false
	}
	return err
}

// noteFailure records that nothing can be sent, and returns the pause before
// the next attempt.
func (f *forwarder) noteFailure(ctx context.Context, err error) (pause time.Duration) {
	pause = min(firstForwardPause<<min(f.failedAttempts, 10), maxForwardPause)
	f.failedAttempts++
	now, reason := f.store.Now(), forward.Reason(err)
	f.changeStatus(func(s *forward.Status) {
		if s.Failure == "" {
			s.Since = now
		}
		s.Failure = reason
	})
	if f.failedAttempts == 1 {
		f.log.Info("the activity log cannot be forwarded at the moment", "receiver", f.status.Receiver, "error", err)
	}
	if now.Sub(f.Status().Since) < announceFailureAfter {
		return pause
	}
	f.store.Failures().Begin(f.failure, failure.Cause{Text: reason}, err)
	if !f.failureAnnounced {
		f.failureAnnounced = f.store.LogForwardingInterruption(ctx, string(f.status.Receiver), reason) == nil
	}
	return pause
}

// noteSuccess records that entries were sent.
func (f *forwarder) noteSuccess(ctx context.Context) {
	since := f.Status().Since
	f.changeStatus(func(s *forward.Status) { s.Failure, s.Since = "", time.Time{} })
	f.failedAttempts = 0
	f.store.Failures().End(f.failure)
	if !f.failureAnnounced && !f.mayHaveGap {
		return
	}
	if since.IsZero() {
		since = f.store.StartedAt()
	}
	if f.store.LogForwardingResumption(ctx, string(f.status.Receiver), since, f.mayHaveGap) == nil {
		f.failureAnnounced, f.mayHaveGap = false, false
	}
}
