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
	// StepEvery lets the landscape live: a Step that often. 0: it stands still.
	StepEvery time.Duration
	// Heartbeats are sent every five seconds, whatever the rate.
	Heartbeats bool
	// Once ends the feed after every host has reported once.
	Once bool

	// Progress is called every second and at the end; never twice at a time.
	Progress func(Stats)
	// Client sends the requests; nil: one made for the purpose.
	Client *http.Client
}

const (
	reportPeriod    = 10 * time.Second
	heartbeatPeriod = 5 * time.Second

	// firstPause is the pause between hosts in the first round: a small
	// landscape is complete at once, a large one in one period.
	firstPause = 20 * time.Millisecond
	// settle is the time the first reports of a host have before a heartbeat
	// may overtake them. It is short enough for the gap between two beats
	// never to look like silence.
	settle = 250 * time.Millisecond
	// couriers is how many requests are under way at most.
	couriers = 64
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
	c := newCourier(o, cancel)

	errands := make(chan []errand)
	var sending sync.WaitGroup
	for range min(couriers, o.Hosts) {
		sending.Go(func() {
			for e := range errands {
				c.run(ctx, e)
			}
		})
	}
	shown := make(chan struct{})
	reporting, stopReporting := context.WithCancel(context.Background())
	go func() {
		defer close(shown)
		c.tally.show(reporting, o.Progress)
	}()

	newSchedule(o).run(ctx, errands)
	close(errands)
	sending.Wait()
	stopReporting()
	<-shown

	if cause := context.Cause(ctx); errors.Is(cause, ErrKey) {
		return cause
	}
	if s := c.tally.stats(); o.Once && ctx.Err() == nil && len(s.Statuses) == 0 {
		return fmt.Errorf("no answer from %s: %s", o.Server, s.Trouble)
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

// schedule decides who sends what when.
type schedule struct {
	FeedOptions
	fleet      *Fleet
	introduced []time.Time // when each host sent all of its reports, as far as it has
	reports    turn
	beats      turn
	step       time.Time
}

func newSchedule(o FeedOptions) *schedule {
	s := &schedule{FeedOptions: o, fleet: New(o.Seed, o.Hosts)}
	s.fleet.Still = o.Still
	now := time.Now()
	s.fleet.Step(now)
	s.reports.next, s.beats.next, s.step = now, now, now.Add(o.StepEvery)
	return s
}

// run hands out errands until the context ends or, with Once, the first round
// is done.
func (s *schedule) run(ctx context.Context, errands chan<- []errand) {
	for ctx.Err() == nil {
		for e, ok := s.nextErrand(time.Now()); ok; e, ok = s.nextErrand(time.Now()) {
			if len(e) == 0 {
				continue
			}
			select {
			case errands <- e:
			case <-ctx.Done():
				return
			}
		}
		if s.done() {
			return
		}
		wake := s.reports.next
		if s.Heartbeats && s.beats.next.Before(wake) {
			wake = s.beats.next
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

// nextErrand is what is due at now; not ok where nothing is. It may be
// nothing to do for a host that is away.
func (s *schedule) nextErrand(now time.Time) (e []errand, ok bool) {
	if s.StepEvery > 0 && !s.step.After(now) {
		s.fleet.Step(now)
		s.step = now.Add(s.StepEvery)
	}
	hosts := s.fleet.Hosts()
	if s.done() {
		return nil, false
	}
	// What has waited longer goes first: where the server cannot take all,
	// both get their part.
	if s.Heartbeats && !s.Once && s.beats.next.Before(s.reports.next) {
		i, ok := s.beats.take(now, len(hosts), heartbeatPeriod/time.Duration(len(hosts)))
		if !ok || !s.settled(i, now) || !s.fleet.beats(hosts[i], now) {
			return nil, ok
		}
		return []errand{heartbeat(hosts[i].ID)}, true
	}
	round := s.reports.round
	i, ok := s.reports.take(now, len(hosts), s.pause(round, len(hosts)))
	if !ok {
		return nil, false
	}
	return s.report(i, round, now), true
}

// settled reports whether host i has reported, and not just now.
func (s *schedule) settled(i int, now time.Time) bool {
	return i < len(s.introduced) && now.Sub(s.introduced[i]) >= settle
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
func (s *schedule) report(i, round int, now time.Time) (e []errand) {
	h := s.fleet.Hosts()[i]
	fresh := i >= len(s.introduced)
	if fresh {
		s.introduced = append(s.introduced, now)
	}
	if !s.fleet.sends(h, now) {
		return nil
	}
	s.fleet.Pass(now)
	for _, kind := range landscape.Kinds {
		if !fresh && !isDue(kind, round) {
			continue
		}
		if s.Changes > 0 && s.fleet.random.Float64() < s.Changes {
			discoveries[kind].touch(s.fleet, h, now)
		}
		if r, ok := h.report(kind); ok {
			e = append(e, collect(r))
		}
	}
	if fresh && s.Heartbeats && s.fleet.beats(h, now) {
		e = append(e, heartbeat(h.ID))
	}
	return e
}

// turn walks round the hosts, one after every pause.
type turn struct {
	host, round int
	next        time.Time
}

// backlog is how far a turn may lag behind before what is missed is missed.
const backlog = time.Second

// take is the host whose turn it is at now.
func (t *turn) take(now time.Time, hosts int, pause time.Duration) (host int, ok bool) {
	if t.next.After(now) {
		return 0, false
	}
	host = t.host
	if t.host++; t.host >= hosts {
		t.host = 0
		t.round++
	}
	t.next = t.next.Add(pause)
	if now.Sub(t.next) > backlog {
		t.next = now
	}
	return host, true
}
