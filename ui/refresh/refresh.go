// Package refresh asks agents to report at once, and says what became of it. A
// request is a message to each agent for each kind of report. The agent answers
// with a report, which comes over the API like all others. So nothing is stored
// here: requests are kept in memory for some minutes, and the store knows the
// time of the last report of each kind.
package refresh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"trento/store"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
)

const (
	// messageLifetime is how long a message waits for an agent that is away.
	messageLifetime = 5 * time.Minute
	// answerTimeout is how long a connected agent may take to report.
	answerTimeout = time.Minute
	// requestLifetime is how long a request is kept in memory.
	requestLifetime = 10 * time.Minute
	// minAskInterval is the shortest time between two requests to the same agent.
	minAskInterval = 10 * time.Second
	// maxHostsAtOnce is the number of agents that can be asked at once. maxRememberedAgents is
	// the number of agents whose requests are kept in memory.
	maxHostsAtOnce      = 100
	maxRememberedAgents = 5000
)

// The reasons for which agents are not asked.
var (
	ErrOff           = &fault.Error{Kind: fault.Conflict, Detail: "Messages to agents are switched off on this server."}
	errAskedRecently = &fault.Error{Kind: fault.Busy, Detail: "The agent was asked a moment ago. Try again in ten seconds."}
	errTooManyAgents = &fault.Error{Kind: fault.Busy, Detail: "Too many agents were asked in the last minutes. Try again in ten minutes."}
	errTooManyHosts  = &fault.Error{Kind: fault.Conflict, Detail: fmt.Sprintf("The cluster has more than %d hosts. Ask its hosts instead.", maxHostsAtOnce)}
)

// ClusterKinds are the kinds of reports that the agents of a cluster are asked
// for. The agent of a host is asked for all.
var ClusterKinds = []landscape.Kind{landscape.ClusterDiscovery}

// Refresher asks agents for reports.
type Refresher struct {
	store *store.Store
	bus   message.Bus // nil: messages are off

	mu       sync.Mutex
	requests map[landscape.HostID]*request
}

// request is the request to an agent: the kinds of reports that it was asked
// for, and when it was asked for each of them.
type request struct {
	lastAskedAt time.Time
	questions   map[landscape.Kind]*question
}

type question struct {
	askedAt     time.Time
	lastAwayAt  time.Time         // the last time at which the agent was known to be away
	delivery    *message.Delivery // nil: not sent yet, or sending failed
	sendFailure State             // why the message could not be sent; "" if it was sent
}

// New returns a Refresher. bus is nil if messages are off.
func New(s *store.Store, bus message.Bus) *Refresher {
	return &Refresher{store: s, bus: bus, requests: make(map[landscape.HostID]*request)}
}

// Off reports whether this server sends no messages to agents.
func (r *Refresher) Off() bool { return r.bus == nil }

// Presence reports whether the agent of a host can be asked now. If messages are
// off, that is unknown.
func (r *Refresher) Presence(id landscape.HostID) message.Presence {
	if r.Off() {
		return message.PresenceUnknown
	}
	return r.bus.Presence(string(id), message.Discoveries)
}

// AskHost asks the agent of a host for all its reports. It fails with
// store.ErrNotFound, with ErrOff, and with a fault of the kind Busy if the agent
// was asked a moment ago.
func (r *Refresher) AskHost(ctx context.Context, by store.Actor, id landscape.HostID) error {
	return r.ask(ctx, []landscape.HostID{id}, landscape.Kinds, func() error {
		return r.store.LogHostDiscoveryRequest(ctx, by, id, landscape.Kinds)
	})
}

// AskCluster asks the agents of all registered hosts of a cluster for their
// reports about the cluster. It fails as AskHost does.
func (r *Refresher) AskCluster(ctx context.Context, by store.Actor, id landscape.ClusterID) error {
	var hosts []landscape.HostID
	err := r.store.View(func(tx *store.Tx) (err error) {
		hosts, err = tx.RegisteredMembers(id)
		return err
	})
	if err != nil {
		return err
	}
	return r.ask(ctx, hosts, ClusterKinds, func() error {
		return r.store.LogClusterDiscoveryRequest(ctx, by, id, hosts, ClusterKinds)
	})
}

func (r *Refresher) ask(ctx context.Context, hosts []landscape.HostID, kinds []landscape.Kind, log func() error) error {
	if r.Off() {
		return ErrOff
	}
	if len(hosts) > maxHostsAtOnce {
		return errTooManyHosts
	}
	now := r.store.Now()
	undo, err := r.recordRequests(hosts, kinds, now)
	if err != nil {
		return err
	}
	if err := log(); err != nil {
		undo()
		return err
	}
	for _, host := range hosts {
		for _, kind := range kinds {
			if err := r.send(ctx, host, kind, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordRequests records the questions before they are sent, so that two requests at the
// same time cannot both be sent. undo restores what was recorded before.
func (r *Refresher) recordRequests(hosts []landscape.HostID, kinds []landscape.Kind, now time.Time) (undo func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetOldRequests(now)
	for _, host := range hosts {
		if asked := r.requests[host]; asked != nil && now.Sub(asked.lastAskedAt) < minAskInterval {
			return nil, errAskedRecently
		}
	}
	if len(r.requests)+len(hosts) > maxRememberedAgents {
		return nil, errTooManyAgents
	}
	before := make(map[landscape.HostID]*request, len(hosts))
	for _, host := range hosts {
		after := &request{lastAskedAt: now, questions: make(map[landscape.Kind]*question)}
		if before[host] = r.requests[host]; before[host] != nil {
			for kind, q := range before[host].questions {
				after.questions[kind] = q
			}
		}
		for _, kind := range kinds {
			after.questions[kind] = &question{askedAt: now}
		}
		r.requests[host] = after
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for host, asked := range before {
			if delete(r.requests, host); asked != nil {
				r.requests[host] = asked
			}
		}
	}, nil
}

// forgetOldRequests removes old requests from memory.
func (r *Refresher) forgetOldRequests(now time.Time) {
	for host, asked := range r.requests {
		if now.Sub(asked.lastAskedAt) >= requestLifetime {
			delete(r.requests, host)
		}
	}
}

// send sends the message for one kind of report, and records whether it could
// be sent.
func (r *Refresher) send(ctx context.Context, host landscape.HostID, kind landscape.Kind, now time.Time) error {
	delivery, err := r.bus.Send(ctx, message.Request{
		Agent:     string(host),
		Content:   &wire.DiscoveryRequested{DiscoveryType: string(kind), Targets: []string{string(host)}},
		ExpiresAt: now.Add(messageLifetime),
		Durable:   true,
	})
	var failed State
	switch {
	case errors.Is(err, message.ErrNoQueue):
		failed, err = NeverConnected, nil
	case err != nil:
		failed = NotSent
		if errors.Is(err, message.ErrQueueFull) {
			err = nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if asked := r.requests[host]; asked != nil && asked.questions[kind] != nil {
		asked.questions[kind].delivery, asked.questions[kind].sendFailure = delivery, failed
	}
	return err
}

// State is what became of a request for a report.
type State string

// The states. The first two may still change by themselves.
const (
	Asked           State = "asked"             // the agent has been asked, or is about to be
	Away            State = "away"              // the agent is not connected; the request waits for it
	Reported        State = "reported"          // a report has come since
	Unusable        State = "unusable"          // a report has come since, and could not be used
	Refused         State = "refused"           // the agent cannot do it on this host
	NothingToReport State = "nothing_to_report" // the agent has done it and sent no report
	NeverConnected  State = "never_connected"   // the agent has never connected for messages
	NotSent         State = "not_sent"          // too many messages wait for the agent already
	NoAnswer        State = "no_answer"         // the agent did not answer in time
)

// Outstanding reports whether the state may still change by itself.
func (s State) Outstanding() bool { return s == Asked || s == Away }

// Answer is what became of the request for one kind of report of one host.
type Answer struct {
	Host    landscape.HostID
	Kind    landscape.Kind
	State   State
	AskedAt time.Time
	// AnsweredAt is the time of the last report since; zero if there is none.
	AnsweredAt time.Time
}

// Status returns what became of the last requests for reports of some kinds of
// some hosts. Kinds that were not asked for in the last minutes are left out.
func (r *Refresher) Status(tx *store.Tx, hosts []landscape.HostID, kinds []landscape.Kind) ([]Answer, error) {
	now := r.store.Now()
	var all []Answer
	for _, host := range hosts {
		if !r.wasAsked(host, now) {
			continue
		}
		reports, err := tx.ReportStatus(host)
		if err != nil {
			return nil, err
		}
		all = append(all, r.answers(host, kinds, reports, now)...)
	}
	return all, nil
}

func (r *Refresher) wasAsked(host landscape.HostID, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetOldRequests(now)
	return r.requests[host] != nil
}

func (r *Refresher) answers(host landscape.HostID, kinds []landscape.Kind, reports []store.ReportStatus, now time.Time) (all []Answer) {
	presence := r.Presence(host)
	away := presence == message.Away || presence == message.NeverConnected
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.requests[host]
	if asked == nil {
		return nil
	}
	for _, kind := range kinds {
		q := asked.questions[kind]
		if q == nil || now.Sub(q.askedAt) >= requestLifetime {
			continue
		}
		a := Answer{Host: host, Kind: kind, AskedAt: q.askedAt}
		i := slices.IndexFunc(reports, func(s store.ReportStatus) bool { return s.Kind == kind && s.Last.After(q.askedAt) })
		if i < 0 {
			a.State = q.state(away, now)
		} else {
			a.State, a.AnsweredAt = Reported, reports[i].Last
			if reports[i].Outcome == store.ReportRefused {
				a.State = Unusable
			}
		}
		all = append(all, a)
	}
	return all
}

// state returns the state of a question to which no report has come.
func (q *question) state(away bool, now time.Time) State {
	if q.sendFailure != "" {
		return q.sendFailure
	}
	delivery := message.Waiting
	if q.delivery != nil {
		delivery = q.delivery.State()
	}
	switch {
	case delivery == message.Refused:
		return Refused
	case delivery == message.Acknowledged:
		return NothingToReport
	case delivery == message.Expired, delivery == message.Lost, now.Sub(q.askedAt) >= messageLifetime:
		return NoAnswer
	case delivery == message.Waiting && away:
		q.lastAwayAt = now
		return Away
	case now.Sub(q.askedAt) >= answerTimeout && now.Sub(q.lastAwayAt) >= answerTimeout:
		return NoAnswer
	}
	return Asked
}
