package fleet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"trento/store/landscape"
)

// ErrKey says that the server took none of the reports for want of a valid
// API key.
var ErrKey = errors.New("the server does not accept the API key")

// DefaultSeed is that of the landscape every demo shows.
const DefaultSeed = 27

// FeedOptions say what Feed sends, where to and how fast.
type FeedOptions struct {
	Server string // URL, with the prefix of a reverse proxy if there is one
	APIKey string
	Seed   uint64 // of the landscape, as for New
	Hosts  int

	// Rate is the number of reports a second. 0 is the pace of agents: hosts,
	// clouds, clusters and SAP systems every ten seconds, subscriptions and
	// saptune every quarter of an hour. Another rate is the same mix, faster or
	// slower.
	Rate float64
	// Changes is the share of reports, from 0 to 1, that differ from the one
	// before in more than run times. Reports that cannot differ (a machine
	// without a cloud, without SAP software) do not.
	Changes float64
	// Still stops the run times in reports, as Fleet.Still does: reports that
	// mean the same are the same bytes.
	Still bool
	// StepEvery is the time between two Steps. With 0 the landscape never changes.
	StepEvery time.Duration
	// Heartbeats are sent every five seconds, whatever the rate.
	Heartbeats bool
	// Once ends the feed after every host has reported once.
	Once bool

	// Progress is called every second and at the end, never concurrently.
	Progress func(Stats)
	// Client sends the requests. It may be nil.
	Client *http.Client
}

const (
	reportPeriod    = 10 * time.Second
	heartbeatPeriod = 5 * time.Second

	// firstPause is the pause between hosts in the first round: a small
	// landscape is complete at once, a large one in one period.
	firstPause = 20 * time.Millisecond
	// heartbeatDelay is the time between the first reports of a host and its
	// first heartbeat, which must not overtake them. It is so short that the
	// heartbeat never counts as missed.
	heartbeatDelay = 250 * time.Millisecond
	// maxRequests is how many requests are under way at most.
	maxRequests = 64
)

// Feed sends a landscape to a server until the context ends, which is no
// error. What the server refuses or cannot take is counted and not repeated:
// like an agent, the feed goes on with the next report. It fails with ErrKey
// where the very first answers refuse the key, and, with Once, where no
// answer came at all.
func Feed(ctx context.Context, o FeedOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sender := newSender(o, cancel)

	requests := make(chan []request)
	var sending sync.WaitGroup
	for range min(maxRequests, o.Hosts) {
		sending.Go(func() {
			for r := range requests {
				sender.run(ctx, r)
			}
		})
	}
	shown := make(chan struct{})
	reporting, stopReporting := context.WithCancel(context.Background())
	go func() {
		defer close(shown)
		sender.stats.report(reporting, o.Progress)
	}()

	newSchedule(o).run(ctx, requests)
	close(requests)
	sending.Wait()
	stopReporting()
	<-shown

	if cause := context.Cause(ctx); errors.Is(cause, ErrKey) {
		return cause
	}
	if s := sender.stats.sum(); o.Once && ctx.Err() == nil && len(s.Statuses) == 0 {
		return fmt.Errorf("no answer from %s: %s", o.Server, s.LastFailure)
	}
	return nil
}

func (o *FeedOptions) check() error {
	u, err := url.Parse(o.Server)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return fmt.Errorf("server %q is no http or https address", o.Server)
	case o.Hosts < 1:
		return fmt.Errorf("hosts must be at least 1, not %d", o.Hosts)
	case !(o.Rate >= 0):
		return fmt.Errorf("rate must be positive, not %v", o.Rate)
	case !(o.Changes >= 0 && o.Changes <= 1):
		return fmt.Errorf("share of changes must be between 0 and 1, not %v", o.Changes)
	}
	return nil
}

// schedule decides which host sends what when.
type schedule struct {
	FeedOptions
	fleet         *Fleet
	firstReported []time.Time // when each host sent its first reports, as far as it has
	reports       rotation
	heartbeats    rotation
	nextStep      time.Time
}

func newSchedule(o FeedOptions) *schedule {
	s := &schedule{FeedOptions: o, fleet: New(o.Seed, o.Hosts)}
	s.fleet.Still = o.Still
	now := time.Now()
	s.fleet.Step(now)
	s.reports.next, s.heartbeats.next, s.nextStep = now, now, now.Add(o.StepEvery)
	return s
}

// run hands out requests until the context ends or, with Once, the first round
// is done.
func (s *schedule) run(ctx context.Context, requests chan<- []request) {
	for ctx.Err() == nil {
		for due, ok := s.next(time.Now()); ok; due, ok = s.next(time.Now()) {
			if len(due) == 0 {
				continue
			}
			select {
			case requests <- due:
			case <-ctx.Done():
				return
			}
		}
		if s.done() {
			return
		}
		wake := s.reports.next
		if s.Heartbeats && s.heartbeats.next.Before(wake) {
			wake = s.heartbeats.next
		}
		timer := time.NewTimer(time.Until(wake))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

func (s *schedule) done() bool { return s.Once && s.reports.round > 0 }

// next returns the requests of the host that is due at now, none for a host
// that is away. It is not ok where no host is due.
func (s *schedule) next(now time.Time) (due []request, ok bool) {
	if s.StepEvery > 0 && !s.nextStep.After(now) {
		s.fleet.Step(now)
		s.nextStep = now.Add(s.StepEvery)
	}
	hosts := s.fleet.Hosts()
	if s.done() {
		return nil, false
	}
	// What has waited longer goes first: where the server cannot take all,
	// both get their part.
	if s.Heartbeats && !s.Once && s.heartbeats.next.Before(s.reports.next) {
		i, ok := s.heartbeats.take(now, len(hosts), heartbeatPeriod/time.Duration(len(hosts)))
		if !ok || !s.mayBeat(i, now) || !s.fleet.sendsHeartbeat(hosts[i], now) {
			return nil, ok
		}
		return []request{heartbeat(hosts[i].ID)}, true
	}
	round := s.reports.round
	i, ok := s.reports.take(now, len(hosts), s.pause(round, len(hosts)))
	if !ok {
		return nil, false
	}
	return s.report(i, round, now), true
}

// mayBeat reports whether host i has registered, so that heartbeats are taken.
func (s *schedule) mayBeat(i int, now time.Time) bool {
	return i < len(s.firstReported) && now.Sub(s.firstReported[i]) >= heartbeatDelay
}

// pause is the time between the reports of one host and those of the next.
func (s *schedule) pause(round, hosts int) time.Duration {
	switch {
	case s.Rate > 0:
		reports := 0
		for _, kind := range landscape.Kinds {
			if isDue(kind, round) {
				reports++
			}
		}
		return time.Duration(float64(reports) / s.Rate * float64(time.Second))
	case s.Once:
		return 0
	case round == 0:
		return min(reportPeriod/time.Duration(hosts), firstPause)
	}
	return reportPeriod / time.Duration(hosts)
}

// isDue reports whether a report of a kind is sent in a round.
func isDue(kind landscape.Kind, round int) bool { return round%int(kind.Period()/reportPeriod) == 0 }

// report is what host i sends in a round: all it has when it appears, later
// only the reports that are due.
func (s *schedule) report(i, round int, now time.Time) (requests []request) {
	h := s.fleet.Hosts()[i]
	first := i >= len(s.firstReported)
	if first {
		s.firstReported = append(s.firstReported, now)
	}
	if !s.fleet.sendsReports(h, now) {
		return nil
	}
	s.fleet.Pass(now)
	for _, kind := range landscape.Kinds {
		if !first && !isDue(kind, round) {
			continue
		}
		if s.Changes > 0 && s.fleet.random.Float64() < s.Changes {
			discoveries[kind].change(s.fleet, h, now)
		}
		if r, ok := h.report(kind); ok {
			requests = append(requests, collect(r))
		}
	}
	if first && s.Heartbeats && s.fleet.sendsHeartbeat(h, now) {
		requests = append(requests, heartbeat(h.ID))
	}
	return requests
}

// rotation goes through the hosts again and again, one after every pause.
type rotation struct {
	host, round int
	next        time.Time
}

// maxLag is how far a rotation may be late. What is later is left out.
const maxLag = time.Second

// take returns the host that is due at now.
func (r *rotation) take(now time.Time, hosts int, pause time.Duration) (host int, ok bool) {
	if r.next.After(now) {
		return 0, false
	}
	host = r.host
	if r.host++; r.host >= hosts {
		r.host = 0
		r.round++
	}
	r.next = r.next.Add(pause)
	if now.Sub(r.next) > maxLag {
		r.next = now
	}
	return host, true
}
