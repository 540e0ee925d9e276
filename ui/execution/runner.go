// Package execution runs checks: it asks agents for facts, waits for their
// answers, and has the result stored. Package check decides what is asked and
// what follows from the answers; package store keeps it.
//
// An execution is in the store from its start, and in memory while agents are
// waited for. Whatever happens, it ends: with the last answer, at the timeout, or
// after a restart.
package execution

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"trento/store"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/message"
	"trento/store/message/wire"
)

const (
	// messageLifetime is how long agents may take a request. They compare it with
	// their own clocks, so it is far longer than the timeout.
	messageLifetime = 5 * time.Minute
	// minSkew is the difference of clocks from which on it is worth a word.
	minSkew = 30 * time.Second
	// settleTime is how long agents may take to connect after the start.
	settleTime = 30 * time.Second
	// tick is how often the runner looks whether something is due.
	tick = time.Second
	// maxStartsPerTick spreads the first executions of many groups.
	maxStartsPerTick = 50
	// maxRunning limits the executions that are under way.
	maxRunning = 5000
)

// The reasons for which checks cannot be run.
var (
	ErrOff          = &fault.Error{Kind: fault.Conflict, Detail: "Messages to agents are switched off on this server."}
	ErrNoneSelected = &fault.Error{Kind: fault.Invalid, Detail: "No checks were selected for the target."}
	errTooMany      = &fault.Error{Kind: fault.Busy, Detail: "Too many executions are running. Try again in a minute."}
)

// Options are what a Runner needs.
type Options struct {
	Store     *store.Store
	Bus       message.Bus // nil: messages are off
	Catalogue func() *check.Catalogue
	Interval  time.Duration // the period of the schedule; 0: there is none
	Timeout   time.Duration // how long agents may take to answer
	Log       *slog.Logger
}

// Runner runs checks. There is one for a store.
type Runner struct {
	Options

	mu                  sync.Mutex
	running             map[string]*execution // by execution id
	skews               map[string]skew       // by agent
	triedAt             map[string]time.Time  // by group: when the schedule last tried to start an execution
	completedExecutions []*execution          // nobody is waited for
	wake                chan struct{}         // of one slot
	questions           map[string]*question  // by the id of the request

	// Only Step uses these.
	resumed     bool                      // interrupted is known
	interrupted []*store.RunningExecution // from before the start, still to be resumed
	settledAt   time.Time                 // agents have had time to connect
}

// execution is an execution that is under way.
type execution struct {
	plan       *check.Plan
	answers    *check.Answers
	startedAt  time.Time
	deadline   time.Time
	deliveries map[string]*message.Delivery // by agent
	queued     bool                         // it is in Runner.complete
}

type skew struct {
	ahead time.Duration
	at    time.Time
}

// New returns a runner, which takes the answers of agents from the bus.
func New(o Options) *Runner {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{
		Options: o, running: make(map[string]*execution), skews: make(map[string]skew), triedAt: make(map[string]time.Time),
		wake: make(chan struct{}, 1), questions: make(map[string]*question),
	}
	if o.Bus != nil {
		o.Bus.Subscribe(message.Checks, r.receive)
	}
	return r
}

// Off reports whether agents cannot be asked.
func (r *Runner) Off() bool { return r.Bus == nil }

// Connected reports whether the agent of a host can be asked now. It is true if
// that is not known.
func (r *Runner) Connected(agent string) bool {
	if r.Off() {
		return false
	}
	p := r.Bus.Presence(agent, message.Checks)
	return p == message.Connected || p == message.PresenceUnknown
}

// Skew returns how far the clock of an agent was ahead when it last answered; 0
// if that is not known or little.
func (r *Runner) Skew(agent string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skews[agent].ahead
}

// Plan returns what an execution of the selected checks of a cluster or host
// would ask for.
func (r *Runner) Plan(ctx context.Context, s *check.Subject) *check.Plan {
	return check.NewPlan(ctx, r.Catalogue(), check.NewRequest("", s))
}

// Start starts an execution of the checks that are selected for a cluster or
// host. If one is under way, that is what the caller gets. It fails with
// store.ErrNotFound, or if there is nothing to run.
func (r *Runner) Start(ctx context.Context, by store.Actor, kind check.SubjectKind, id string) (executionID string, err error) {
	var subject *check.Subject
	err = r.Store.View(func(tx *store.Tx) (err error) {
		subject, err = tx.CheckSubject(kind, id)
		return err
	})
	if err != nil {
		return "", err
	}
	if len(subject.Selected) == 0 {
		return "", ErrNoneSelected
	}
	request := check.NewRequest(uuid.NewString(), subject)
	err = r.StartRequest(ctx, by, request)
	if errors.Is(err, store.ErrExecutionRunning) {
		err = r.Store.View(func(tx *store.Tx) error {
			g, err := tx.CheckedGroup(id)
			if err == nil && g.Running != nil {
				request.ExecutionID = g.Running.ExecutionID
			}
			return err
		})
	}
	return request.ExecutionID, err
}

// StartRequest starts an execution. It fails if no check of the request can be
// run, with store.ErrExecutionRunning, or with store.ErrExecutionIDUsed.
func (r *Runner) StartRequest(ctx context.Context, by store.Actor, request check.Request) error {
	if r.Off() {
		return ErrOff
	}
	plan := check.NewPlan(ctx, r.Catalogue(), request)
	if len(plan.Checks) == 0 {
		return noneApplicable(plan)
	}
	r.mu.Lock()
	full := len(r.running) >= maxRunning
	r.mu.Unlock()
	if full {
		return errTooMany
	}
	started, err := r.Store.StartExecution(ctx, by, request)
	if err != nil {
		return err
	}
	// What has been stored is carried out even if the caller has gone.
	r.ask(context.WithoutCancel(ctx), plan, started.StartedAt)
	return nil
}

// noneApplicable says that no check of a request can be run, and names them.
func noneApplicable(p *check.Plan) error {
	var parts []string
	if len(p.Unknown) > 0 {
		parts = append(parts, "Not in the catalogue: "+shortList(p.Unknown)+".")
	}
	if len(p.Inapplicable) > 0 {
		parts = append(parts, "Not for this target: "+shortList(p.Inapplicable)+".")
	}
	return &fault.Error{Kind: fault.Invalid, Detail: strings.Join(append([]string{"No applicable checks for the target."}, parts...), " ")}
}

// shortList lists some ids.
func shortList(ids []string) string {
	const most = 20
	if len(ids) > most {
		return strings.Join(ids[:most], ", ") + ", …"
	}
	return strings.Join(ids, ", ")
}

// ask asks the agents of a plan for facts.
func (r *Runner) ask(ctx context.Context, plan *check.Plan, startedAt time.Time) {
	now := r.Store.Now()
	e := &execution{
		plan: plan, answers: check.NewAnswers(plan), startedAt: startedAt, deadline: now.Add(r.Timeout), deliveries: make(map[string]*message.Delivery),
	}
	waiting := e.answers.Waiting()
	r.mu.Lock()
	r.running[plan.ExecutionID] = e
	r.mu.Unlock()
	for _, agent := range waiting {
		delivery, reason := r.send(ctx, plan, agent, now)
		r.mu.Lock()
		if e.deliveries[agent] = delivery; reason != "" {
			e.answers.TimeOut(check.Timeout{AgentID: agent, Reason: reason})
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	r.queueIfComplete(e)
	r.mu.Unlock()
}

// send sends a request for facts to one agent. reason is why it cannot be
// asked.
func (r *Runner) send(ctx context.Context, plan *check.Plan, agent string, now time.Time) (d *message.Delivery, reason check.TimeoutReason) {
	if !r.Connected(agent) {
		return nil, check.NotConnected
	}
	target := &wire.FactsGatheringRequestedTarget{AgentId: agent}
	for _, f := range plan.FactRequests(agent) {
		target.FactRequests = append(target.FactRequests, &wire.FactRequest{CheckId: f.CheckID, Name: f.Name, Gatherer: f.Gatherer, Argument: f.Argument})
	}
	d, err := r.Bus.Send(ctx, message.Request{
		Agent: agent, ExpiresAt: now.Add(messageLifetime),
		Content: &wire.FactsGatheringRequested{ExecutionId: plan.ExecutionID, GroupId: plan.GroupID, Targets: []*wire.FactsGatheringRequestedTarget{target}},
	})
	switch {
	case errors.Is(err, message.ErrNoQueue):
		return nil, check.NotConnected
	case err != nil:
		r.Log.Warn("an agent could not be asked for facts", "agent", agent, "execution", plan.ExecutionID, "error", err)
		return nil, check.NoAnswer
	}
	return d, ""
}

// queueIfComplete queues an execution for its conclusion if nobody is waited for.
// The caller holds the lock.
func (r *Runner) queueIfComplete(e *execution) {
	if e.queued || !e.answers.Complete() {
		return
	}
	e.queued = true
	r.completedExecutions = append(r.completedExecutions, e)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run runs the schedule and concludes executions until ctx is done.
func (r *Runner) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		r.Step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-r.wake:
		}
	}
}

// Step does what is due: it resumes executions from before the start, ends
// those that take too long, starts scheduled ones, and concludes those whose
// agents have answered.
func (r *Runner) Step(ctx context.Context) {
	if r.Off() {
		return
	}
	r.resume(ctx)
	r.expire()
	r.schedule(ctx)
	r.conclude(ctx)
}

// expire notes which agents of running executions will not answer.
func (r *Runner) expire() {
	now := r.Store.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expireQuestions(now)
	for _, e := range r.running {
		for _, agent := range e.answers.Waiting() {
			switch {
			case !now.Before(e.deadline):
				e.answers.TimeOut(r.timeoutOf(e, agent))
			case !r.Connected(agent):
				e.answers.TimeOut(check.Timeout{AgentID: agent, Reason: check.Disconnected})
			case e.deliveries[agent] != nil && e.deliveries[agent].State() == message.Refused:
				e.answers.TimeOut(r.timeoutOf(e, agent))
			}
		}
		r.queueIfComplete(e)
	}
}

// timeoutOf says why an agent has not answered: an agent whose clock is far ahead
// refuses each request as expired.
func (r *Runner) timeoutOf(e *execution, agent string) check.Timeout {
	ahead := r.skews[agent].ahead
	refused := e.deliveries[agent] != nil && e.deliveries[agent].State() == message.Refused
	if ahead >= messageLifetime || refused && ahead > minSkew {
		return check.Timeout{AgentID: agent, Reason: check.ClockSkew, SkewSeconds: int(ahead.Seconds())}
	}
	return check.Timeout{AgentID: agent, Reason: check.NoAnswer}
}

// conclude evaluates and stores the executions for which nobody is waited for.
// What cannot be stored now is tried again.
func (r *Runner) conclude(ctx context.Context) {
	r.mu.Lock()
	ready := r.completedExecutions
	r.completedExecutions = nil
	r.mu.Unlock()
	for i, e := range ready {
		err := r.store(ctx, e)
		if errors.Is(err, store.ErrNotFound) {
			err = nil // it was ended in another way
		}
		r.mu.Lock()
		if err != nil {
			r.completedExecutions = append(r.completedExecutions, ready[i])
		} else {
			delete(r.running, e.plan.ExecutionID)
		}
		r.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			r.Log.Error("the result of checks could not be stored; the server tries again", "execution", e.plan.ExecutionID, "error", err)
		}
	}
}

func (r *Runner) store(ctx context.Context, e *execution) error {
	var custom check.CustomValues
	var waivers []check.Waiver
	err := r.Store.View(func(tx *store.Tx) (err error) {
		if custom, err = tx.CustomValues(e.plan.GroupID); err != nil {
			return err
		}
		waivers, err = tx.WaiversInForce(e.plan.GroupID)
		return err
	})
	if err != nil {
		return err
	}
	conclusion := e.plan.Conclude(ctx, e.answers, custom, waivers)
	if ctx.Err() != nil {
		return ctx.Err() // scripts may have ended early; the next start runs it again
	}
	_, err = r.Store.CompleteExecution(ctx, e.plan.GroupID, e.plan.ExecutionID, conclusion)
	return err
}

// resume asks again for the facts of executions that were under way when the
// server stopped. It waits for their agents to connect. Executions that are old
// are ended.
func (r *Runner) resume(ctx context.Context) {
	if !r.resumed {
		if err := r.findInterrupted(); err != nil {
			r.Log.Error("executions from before the start cannot be read", "error", err)
			return
		}
		r.resumed, r.settledAt = true, r.Store.Now().Add(settleTime)
	}
	now := r.Store.Now()
	r.interrupted = slices.DeleteFunc(r.interrupted, func(running *store.RunningExecution) bool {
		age := now.Sub(running.StartedAt)
		plan := check.NewPlan(ctx, r.Catalogue(), running.Request)
		connected := r.countConnected(plan)
		switch {
		case age < 0 || age >= messageLifetime, connected == 0 && r.settled(now):
			r.end(plan, running)
		case connected == len(plan.Targets) || r.settled(now):
			r.ask(ctx, plan, running.StartedAt)
		default:
			return false
		}
		return true
	})
}

// findInterrupted finds the executions that were under way when the server
// stopped.
func (r *Runner) findInterrupted() error {
	return r.Store.View(func(tx *store.Tx) error {
		r.interrupted = nil
		for g, err := range tx.CheckedGroups() {
			if err != nil {
				return err
			}
			if g.Running == nil {
				continue
			}
			r.mu.Lock()
			known := r.running[g.Running.ExecutionID] != nil
			r.mu.Unlock()
			if !known {
				r.interrupted = append(r.interrupted, g.Running)
			}
		}
		return nil
	})
}

// settled reports whether agents have had time to connect since the start.
func (r *Runner) settled(now time.Time) bool { return !now.Before(r.settledAt) }

// countConnected returns how many agents of a plan can be asked now.
func (r *Runner) countConnected(p *check.Plan) (n int) {
	for _, t := range p.Targets {
		if r.Connected(t.AgentID) {
			n++
		}
	}
	return n
}

// end ends an execution without asking anybody.
func (r *Runner) end(plan *check.Plan, running *store.RunningExecution) {
	e := &execution{plan: plan, answers: check.NewAnswers(plan), startedAt: running.StartedAt, deliveries: map[string]*message.Delivery{}}
	for _, agent := range e.answers.Waiting() {
		e.answers.TimeOut(check.Timeout{AgentID: agent, Reason: check.NoAnswer})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[plan.ExecutionID] = e
	r.queueIfComplete(e)
}

// receive takes the answer of an agent.
func (r *Runner) receive(_ context.Context, envelope message.Envelope) error {
	facts, ok := envelope.Content.(*wire.FactsGathered)
	if !ok {
		return nil
	}
	agent, now := facts.GetAgentId(), r.Store.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.receiveAnswer(facts) {
		r.noteSkew(agent, envelope.SentAt, now)
		return nil
	}
	e := r.running[facts.GetExecutionId()]
	if e == nil || e.plan.GroupID != facts.GetGroupId() || e.queued {
		r.Log.Debug("facts for no running execution", "agent", agent, "execution", facts.GetExecutionId())
		r.noteSkew(agent, envelope.SentAt, now)
		return nil
	}
	reception, unasked := e.answers.Add(agent, gatheredFacts(facts))
	if reception != check.Taken || unasked > 0 {
		r.Log.Debug("facts that do not count", "agent", agent, "execution", facts.GetExecutionId(), "reception", reception, "unasked", unasked)
	}
	r.noteSkew(agent, envelope.SentAt, now)
	r.queueIfComplete(e)
	return nil
}

// noteSkew remembers how far the clock of an agent is ahead. It forgets agents
// that are not heard of any more. The caller holds the lock.
func (r *Runner) noteSkew(agent string, sentAt, now time.Time) {
	const most, age = 20_000, 24 * time.Hour
	ahead := sentAt.Sub(now)
	if sentAt.IsZero() || time.Duration(math.Abs(float64(ahead))) < minSkew {
		delete(r.skews, agent)
		return
	}
	if len(r.skews) >= most {
		for a, s := range r.skews {
			if now.Sub(s.at) > age {
				delete(r.skews, a)
			}
		}
	}
	if len(r.skews) < most {
		r.skews[agent] = skew{ahead, now}
	}
}
