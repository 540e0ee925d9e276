package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/landscape"
	"trento/store/message/wire"
)

// ErrKey means that the server refused all reports because of the API key.
var ErrKey = errors.New("the server does not accept the API key")

// DefaultSeed is the seed of the landscape in every demo.
const DefaultSeed = 27

// FeedOptions are the options of Feed.
type FeedOptions struct {
	Server string // URL, with the prefix of a reverse proxy if there is one
	APIKey string
	Seed   uint64 // seed of the landscape, as for New
	Hosts  int
	// Fleet is a landscape with a past, which goes on; nil means a new one. Its
	// time must not be after now.
	Fleet *Fleet

	// Rate is the number of reports per second. 0 means the intervals of
	// agents: hosts, clouds, clusters and SAP systems every ten seconds,
	// subscriptions and saptune every 15 minutes. Another rate sends the same
	// mix of reports faster or slower.
	Rate float64
	// Changes is the share of reports, from 0 to 1, that differ from the
	// previous one in more than run times. Some reports never differ, such as
	// the cloud report of a machine outside clouds.
	Changes float64
	// Still stops the run times in reports, as Fleet.Still does. A host without
	// changes then repeats its reports byte for byte.
	Still bool
	// StepEvery is the time between two Steps. 0 means that the landscape never
	// changes.
	StepEvery time.Duration
	// Messages is the URL of the endpoint where agents wait for messages, with
	// user and password. Each agent holds its connections there while its host
	// is up, and answers what it is asked. "" means that agents do not connect.
	Messages string
	// FactFaults are what agents do wrong when they are asked for facts.
	FactFaults FactFaults
	// TLS has the settings for https and amqps; nil means those of the system.
	TLS *tls.Config
	// Heartbeats sends heartbeats every five seconds, whatever the rate.
	Heartbeats bool
	// Once ends the feed when every host has sent its reports once.
	Once bool

	// Progress is called every second and at the end, never concurrently.
	Progress func(Stats)
	// Client sends the requests; nil means a new client.
	Client *http.Client

	// backoff returns the time between two attempts to connect for messages; nil
	// means that of agents.
	backoff func(attempt int) time.Duration
}

const (
	reportPeriod    = 10 * time.Second
	heartbeatPeriod = 5 * time.Second

	// firstRoundPause is the pause between two hosts in the first round. A
	// small landscape is complete almost at once, a large one after one report
	// interval.
	firstRoundPause = 20 * time.Millisecond
	// heartbeatDelay is the time between the first reports of a host and its
	// first heartbeat, which must not overtake them. It is short enough that
	// the heartbeat never counts as missed.
	heartbeatDelay = 250 * time.Millisecond
	// maxRequests is the largest number of concurrent requests.
	maxRequests = 64
)

// Feed sends the reports of a landscape to a server until ctx ends, which is
// not an error. Like an agent, it does not repeat a failed report: it counts
// the failure and continues with the next report. It fails with ErrKey if the
// server refuses the API key from the start. With Once, it also fails if the
// server never answers. Failed message connections are counted, too.
func Feed(ctx context.Context, o FeedOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sender := newSender(o, cancel)
	defer sender.client.CloseIdleConnections()

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

	s := newSchedule(o)
	s.messaging = newMessaging(ctx, o, sender, s)
	s.run(ctx, requests)
	s.messaging.stop()
	close(requests)
	sending.Wait()
	stopReporting()
	<-shown

	if cause := context.Cause(ctx); errors.Is(cause, ErrKey) {
		return cause
	}
	if s := sender.stats.total(); o.Once && ctx.Err() == nil && len(s.Statuses) == 0 {
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
	case o.FactFaults.ErrorPercent < 0 || o.FactFaults.ErrorPercent > 100:
		return fmt.Errorf("percent of facts that fail must be between 0 and 100, not %d", o.FactFaults.ErrorPercent)
	}
	if _, err := rabbitmq.ParseURI(o.Messages); err != nil && o.Messages != "" {
		return errors.New("the URL for messages is no amqp or amqps URL") // without the URL, which may contain a password
	}
	return nil
}

// schedule decides which host sends which requests, and when.
type schedule struct {
	FeedOptions
	messaging     *agentMessaging
	mu            sync.Mutex // protects fleet
	fleet         *Fleet
	firstReported []time.Time // when each host sent its first reports; zero: it has not yet
	reports       rotation
	heartbeats    rotation
	nextStep      time.Time
}

func newSchedule(o FeedOptions) *schedule {
	s := &schedule{FeedOptions: o, fleet: o.Fleet}
	if s.fleet == nil {
		s.fleet = New(o.Seed, o.Hosts)
	}
	s.fleet.Still = o.Still
	now := time.Now()
	s.fleet.Step(now)
	s.reports.next, s.heartbeats.next, s.nextStep = now, now, now.Add(o.StepEvery)
	return s
}

// run passes requests to the senders until the context ends or, with Once, the
// first round is complete.
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
		if s.isDone() {
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

func (s *schedule) isDone() bool { return s.Once && s.reports.round > 0 }

// next returns the requests of the host whose turn it is at now. It returns
// none if that host is down. ok is false if it is not the turn of any host.
func (s *schedule) next(now time.Time) (due []request, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.StepEvery > 0 && !s.nextStep.After(now) {
		s.fleet.Step(now)
		s.nextStep = now.Add(s.StepEvery)
	}
	hosts := s.fleet.Hosts()
	if s.isDone() {
		return nil, false
	}
	// The rotation that is further behind goes first. If the server is too slow
	// for both, each gets its share.
	if s.Heartbeats && !s.Once && s.heartbeats.next.Before(s.reports.next) {
		i, ok := s.heartbeats.take(now, len(hosts), heartbeatPeriod/time.Duration(len(hosts)))
		if !ok || !s.hasRegistered(i, now) || !s.fleet.sendsHeartbeat(hosts[i], now) {
			return nil, ok
		}
		return []request{heartbeatRequest(hosts[i].ID)}, true
	}
	round := s.reports.round
	i, ok := s.reports.take(now, len(hosts), s.pause(round, len(hosts)))
	if !ok {
		return nil, false
	}
	return s.report(i, round, now), true
}

// hasRegistered reports whether host i has had time to register, so that the
// server accepts its heartbeats.
func (s *schedule) hasRegistered(i int, now time.Time) bool {
	return i < len(s.firstReported) && now.Sub(s.firstReported[i]) >= heartbeatDelay
}

// pause returns the time between the turns of two hosts.
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
		return min(reportPeriod/time.Duration(hosts), firstRoundPause)
	}
	return reportPeriod / time.Duration(hosts)
}

// isDue reports whether a report of a kind is sent in a round.
func isDue(kind landscape.Kind, round int) bool { return round%int(kind.Period()/reportPeriod) == 0 }

// report returns the requests of host i in a round: all reports in its first
// round, later only those that are due.
func (s *schedule) report(i, round int, now time.Time) (requests []request) {
	h := s.fleet.Hosts()[i]
	first := i >= len(s.firstReported)
	if first {
		s.firstReported = append(s.firstReported, now)
	}
	up := s.fleet.sendsReports(h, now)
	s.messaging.followHost(h, up)
	if !up {
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
			requests = append(requests, reportRequest(r))
		}
	}
	if first && s.Heartbeats && s.fleet.sendsHeartbeat(h, now) {
		requests = append(requests, heartbeatRequest(h.ID))
	}
	return requests
}

// reportNow returns the present report of a host, outside its turns. It is safe
// for concurrent use. ok is false if the host cannot report the kind.
func (s *schedule) reportNow(h *Host, kind landscape.Kind) (r Report, ok bool) {
	if !kind.Known() {
		return Report{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.Pass(time.Now())
	return h.report(kind)
}

// gatherNow returns the facts that the agent of a host gathers. It is safe for
// concurrent use.
func (s *schedule) gatherNow(h *Host, requests []*wire.FactRequest, faults FactFaults) []*wire.Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleet.Pass(time.Now())
	return h.gatherFacts(requests, faults)
}

// rotation gives each host its turn to send, with a pause after each turn.
type rotation struct {
	host, round int
	next        time.Time
}

// maxLag is the largest delay of a rotation. If the delay grows further, the
// rotation skips turns.
const maxLag = time.Second

// take returns the host whose turn it is at now. ok is false if it is not the
// turn of any host.
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
