package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"time"

	"trento/packaging/daemon"
	"trento/packaging/memory"
	"trento/store"
	"trento/store/discovery/fleet"
	"trento/store/failure"
	"trento/store/fault"
)

// task is work beside answering requests.
type task struct {
	name string
	run  func(context.Context) error
	// every is the period. If a run fails, that is logged, and the next run
	// follows as usual. A task without a period runs as long as the server; its
	// failure ends the server.
	every   time.Duration
	atStart bool // also run at the start, not only after the first period
	atStop  bool // also run once more when the server stops
}

// tasks returns all work beside answering requests. No package starts such work
// by itself. The comments say how often tasks without a period do something.
func (s *server) tasks() []task {
	tasks := []task{
		{name: "http", run: s.serveHTTP},
		{name: "commands of this machine", run: func(context.Context) error { return s.commands.Serve(s.commandListener) }},
		// Indexes new entries of the log at once. Merges and deletes segments
		// when it is necessary.
		{name: "search index", run: s.index.Run},
		// Twice in the watchdog interval of systemd, if there is one.
		{name: "watchdog", run: func(ctx context.Context) error { return daemon.FeedWatchdog(ctx, s.store.Ready, s.log) }},
		// Every 30 seconds.
		{name: "memory", run: func(ctx context.Context) error { return memory.Watch(ctx, s.log, s.reportMemory) }},

		// Does nothing unless there are changes that could not be stored.
		{name: "what could not be stored", run: s.store.WriteUnwritten, every: 5 * time.Second},
		{name: "uses of tokens", run: s.store.FlushTokenUses, every: time.Second},
		{name: "clock", run: s.store.CheckClock, every: 10 * time.Second},
		{name: "lost heartbeats and reports", run: s.store.MarkLostHosts, every: 10 * time.Second},
		{name: "refused sign-ins", run: s.auth.LogRefusedSignIns, every: time.Minute, atStop: true},
		// Prunes only at the first run of each day. A server that was down at
		// midnight prunes after its start.
		{name: "old entries of the activity log", run: s.ifClockIsTrusted(s.pruneActivity), every: time.Minute, atStart: true},
		{name: "ended sessions", run: s.ifClockIsTrusted(s.store.PruneSessions), every: time.Hour},
		{name: "expired messages to agents", run: s.store.PruneQueuedMessages, every: time.Minute, atStart: true},
		{name: "old refused reports", run: s.ifClockIsTrusted(s.store.PruneDiscards), every: time.Hour},
		{name: "copies from before migrations", run: s.ifClockIsTrusted(s.store.PruneCopies), every: time.Hour},
		{name: "what others say about this installation", run: s.examiner.queryExternalSystems, every: time.Hour, atStart: true},
		{name: "agents without a host", run: s.ifClockIsTrusted(s.store.PruneAgents), every: time.Hour},
		// When an alert is due.
		{name: "alerts", run: s.newAlertSender().run},
		// At once when something happens that a webhook receives.
		{name: "webhooks", run: s.newWebhookSender().run},
		{name: "old deliveries to webhooks", run: s.ifClockIsTrusted(s.store.PruneWebhookDeliveries), every: time.Hour},
		// At once when an agent has answered, and every second.
		{name: "executions of checks", run: s.executions.Run},
		{name: "waivers that expire", run: s.store.EndExpiredWaivers, every: time.Minute, atStart: true},
		{name: "keys and certificates that expire", run: s.checkExpiries, every: time.Hour, atStart: true},
	}
	for _, f := range s.forwarders {
		// When there are new entries, and after a failure at most every minute.
		tasks = append(tasks, task{name: "forwarding to the " + f.Status().Receiver.Label(), run: f.run})
	}
	tasks = append(tasks, s.certificateTasks()...)
	tasks = append(tasks, s.messageTasks()...)
	if s.auth.Provider() != nil {
		// At the start, every hour, and every 30 seconds while the provider
		// cannot be used.
		tasks = append(tasks, task{name: "identity provider", run: s.followProvider})
	}
	if schedule := s.backupSchedule(); schedule != nil {
		// Makes a backup only if the newest is older than the interval.
		tasks = append(tasks, task{name: "scheduled backup", run: schedule.Run, every: time.Minute, atStart: true})
	}
	if s.demo != nil {
		// Reports and heartbeats, with the periods of agents.
		tasks = append(tasks, task{name: "demo landscape", run: s.feedDemo})
	}
	return tasks
}

// start starts the tasks. It sends failures that end the server to failed.
func (s *server) start(ctx context.Context, tasks []task) (failed <-chan error) {
	failures := make(chan error, len(tasks))
	for _, t := range tasks {
		s.runningTasks.Go(func() {
			if t.every > 0 {
				s.repeat(ctx, t)
			} else if err := t.run(ctx); err != nil && ctx.Err() == nil {
				failures <- fmt.Errorf("%s: %w", t.name, err)
			}
		})
	}
	return failures
}

// repeat runs a task periodically until ctx is done.
func (s *server) repeat(ctx context.Context, t task) {
	run := func(ctx context.Context) {
		err := t.run(ctx)
		if kind, ok := fault.KindOf(err); ok && kind == fault.Unwritable {
			return // the list of failures has logged it
		}
		if err != nil && ctx.Err() == nil {
			s.log.Error("task failed", "task", t.name, "error", err)
		}
	}
	if t.atStart {
		run(ctx)
	}
	ticker := time.NewTicker(t.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			run(ctx)
		case <-ctx.Done():
			if t.atStop {
				run(context.WithoutCancel(ctx))
			}
			return
		}
	}
}

// reportMemory notes that the memory in use is near the limit, or no longer is.
func (s *server) reportMemory(nearLimit bool) {
	if !nearLimit {
		s.store.Failures().End(failure.Memory)
		return
	}
	s.store.Failures().Begin(failure.Memory, failure.Cause{}, nil)
}

// ifClockIsTrusted returns a task that deletes old data. It does nothing while
// the clock may have been set forward, which makes data look older than they
// are.
func (s *server) ifClockIsTrusted(run func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		trusted, err := s.store.TrustsClock(ctx)
		if err != nil || !trusted {
			return err
		}
		return run(ctx)
	}
}

// pruneActivity prunes entries of the activity log that are older than the
// settings allow.
func (s *server) pruneActivity(ctx context.Context) error {
	removed, err := s.store.PruneActivity(ctx)
	if removed > 0 {
		s.log.Info("old entries of the activity log removed", "entries", removed)
	}
	return err
}

// feedDemo sends the reports of the landscape of a demo to the server, through
// its own API.
func (s *server) feedDemo(ctx context.Context) error {
	var key, messages string
	err := s.store.View(func(tx *store.Tx) error {
		k, err := tx.APIKey()
		if err != nil {
			return err
		}
		key = s.auth.APIKeyText(k)
		if s.internalBroker == nil {
			return nil
		}
		c, err := s.auth.MessageCredential(tx)
		messages = c.Address(s.internalBroker.Scheme(), cmp.Or(s.config.AMQPListen.Unmap(), netip.MustParseAddr("127.0.0.1")).String(), s.internalBroker.Port())
		return err
	})
	if err != nil {
		return err
	}
	var secure *tls.Config
	if s.certificate != nil {
		secure = s.certificate.ClientConfig()
	}
	return fleet.Feed(ctx, fleet.FeedOptions{
		Server: s.url(), APIKey: key, Messages: messages, TLS: secure, Fleet: s.demo, Hosts: len(s.demo.Hosts()), Heartbeats: true, StepEvery: 30 * time.Second,
	})
}
