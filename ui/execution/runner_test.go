package execution

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"
	"google.golang.org/protobuf/types/known/structpb"

	"trento/packaging/servertest"
	"trento/store"
	"trento/store/activity"
	"trento/store/check"
	"trento/store/fault"
	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/store/storetest"
	"trento/ui/amqp"
)

const (
	ada  = "3f7c2a10-8a55-5d0e-9c41-6d2b7f0e1a22" // agents
	bob  = "9cd46919-5f19-59aa-993e-cf3736c71053"
	unit = "00000000-0000-4000-8000-000000000001" // ids of executions
)

// catalogue has a check of hosts and one of clusters.
func catalogue() *check.Catalogue {
	file := func(id, kind string) check.File {
		return check.File{Path: id, Name: id + ".yaml", Content: fmt.Appendf(nil, `
id: "%s"
name: Limit
group: Test
description: The limit is as wanted
remediation: Set it
metadata: {target_type: %s}
facts: [{name: limit, gatherer: sysctl@v1, argument: limit}]
values: [{name: wanted, default: 5}]
expectations: [{name: as_wanted, expect: facts.limit == values.wanted}]
`, id, kind)}
	}
	return check.NewCatalogue([]check.File{file("AAAAAA", "host"), file("CCCCCC", "cluster")})
}

// fixture is a runner with a real broker and hosts, on a clock of its own.
type fixture struct {
	*Runner
	t       *testing.T
	mu      sync.Mutex
	now     time.Time
	store   *store.Store
	broker  *amqp.Broker
	address string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, now: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)}
	f.store = storetest.OpenAt(t, f.clock)
	for n, id := range []string{ada, bob} {
		f.report(landscape.Observation{Agent: landscape.HostID(id), Kind: landscape.HostDiscovery, Host: &landscape.HostFacts{Hostname: fmt.Sprintf("vega%02d", n), Arch: "x86_64"}})
	}
	var err error
	if f.broker, err = amqp.New(amqp.Options{Store: f.store, Log: slog.New(slog.DiscardHandler), Check: func(string, string) bool { return true }, Generation: func() uint64 { return 1 }}); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = f.broker.Serve(ctx, l) })
	tasks.Go(func() { _ = f.broker.Run(ctx) })
	t.Cleanup(func() { cancel(); tasks.Wait() })
	f.restart(0)
	return f
}

// restart replaces the runner by a new one, as a start of the server does.
func (f *fixture) restart(interval time.Duration) {
	f.Runner = New(Options{Store: f.store, Bus: f.broker, Catalogue: catalogue, Interval: interval, Timeout: time.Minute})
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *fixture) report(o landscape.Observation) {
	f.t.Helper()
	if err := f.store.Observe(f.t.Context(), store.Report{Observation: o, Body: fmt.Append(nil, o.Agent, o.Kind)}); err != nil {
		f.t.Fatal(err)
	}
}

// agent is an agent that is connected.
type agent struct {
	f        *fixture
	id       string
	channel  *rabbitmq.Channel
	requests <-chan rabbitmq.Delivery
	closeAll func()
}

func (f *fixture) connect(id string) *agent {
	f.t.Helper()
	must := func(err error) {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	c, err := rabbitmq.Dial("amqp://trento:secret@" + f.address + "/")
	must(err)
	f.t.Cleanup(func() { c.Close() })
	ch, err := c.Channel()
	must(err)
	must(ch.ExchangeDeclare(message.Checks.Exchange(), "topic", true, false, false, false, nil))
	queue, err := ch.QueueDeclare(message.Checks.Queue(id), true, false, false, false, nil)
	must(err)
	must(ch.QueueBind(queue.Name, message.RequestKey, message.Checks.Exchange(), false, nil))
	requests, err := ch.Consume(queue.Name, "", false, false, false, false, nil)
	must(err)
	return &agent{f, id, ch, requests, func() { c.Close() }}
}

// next takes the next request for facts.
func (a *agent) next() (*wire.FactsGatheringRequested, rabbitmq.Delivery) {
	a.f.t.Helper()
	select {
	case d := <-a.requests:
		e, err := message.Decode(d.Body)
		if err != nil {
			a.f.t.Fatal(err)
		}
		return e.Content.(*wire.FactsGatheringRequested), d
	case <-time.After(20 * time.Second):
		a.f.t.Fatal("no request has come")
	}
	return nil, rabbitmq.Delivery{}
}

// answer sends facts for an execution, by a clock that is ahead.
func (a *agent) answer(execution, group string, limit float64, ahead time.Duration, checks ...string) {
	a.f.t.Helper()
	facts := &wire.FactsGathered{ExecutionId: execution, GroupId: group, AgentId: a.id}
	for _, id := range checks {
		facts.FactsGathered = append(facts.FactsGathered, &wire.Fact{CheckId: id, Name: "limit", FactValue: &wire.Fact_Value{Value: structpb.NewNumberValue(limit)}})
	}
	at := a.f.clock().Add(ahead)
	body, err := message.Encode(facts, at, at.Add(5*time.Minute))
	if err != nil {
		a.f.t.Fatal(err)
	}
	if err := a.channel.PublishWithContext(a.f.t.Context(), message.Checks.Exchange(), message.Checks.AnswerKey(), true, false, rabbitmq.Publishing{ContentType: message.ContentType, Body: body}); err != nil {
		a.f.t.Fatal(err)
	}
}

// group returns what is known about the executions of a host.
func (f *fixture) group(id string) (g *store.CheckedGroup) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) (err error) { g, err = tx.CheckedGroup(id); return err }); err != nil {
		f.t.Fatal(err)
	}
	return g
}

// conclusion steps until an execution is completed, and describes the result.
func (f *fixture) conclusion(group string) string {
	f.t.Helper()
	var text string
	servertest.Soon(f.t, "the execution is completed", func() bool {
		f.Step(f.t.Context())
		g := f.group(group)
		if g.Running != nil || g.Last == nil {
			return false
		}
		if err := f.store.View(func(tx *store.Tx) error {
			c, err := tx.Conclusion(g.Last)
			if err != nil {
				return err
			}
			text = string(g.Last.Result)
			for _, t := range c.Timeouts {
				text += fmt.Sprintf(" %s:%s%d", t.AgentID[:2], t.Reason, t.SkewSeconds)
			}
			return nil
		}); err != nil {
			f.t.Fatal(err)
		}
		return true
	})
	return text
}

// both is a request for the check of clusters on both hosts.
func both(id string) check.Request {
	return check.Request{ExecutionID: id, GroupID: "c7a1e943-bf46-590b-bd26-bfc7c78def97", Kind: check.ClusterSubject,
		Targets: []check.Target{{AgentID: ada, Checks: []string{"CCCCCC"}}, {AgentID: bob, Checks: []string{"CCCCCC"}}}}
}

func (f *fixture) begin(r check.Request) {
	f.t.Helper()
	if err := f.StartRequest(f.t.Context(), store.System(), r); err != nil {
		f.t.Fatal(err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := f.connect(ada), f.connect(bob)
	r := both(unit)
	f.begin(r)
	request, _ := a.next()
	if len(request.Targets) != 1 || request.Targets[0].AgentId != ada || fmt.Sprint(request.Targets[0].FactRequests) == "" || request.GroupId != r.GroupID || request.ExecutionId != unit {
		t.Errorf("asked for %v", request)
	}
	fact := request.Targets[0].FactRequests[0]
	if fact.CheckId != "CCCCCC" || fact.Name != "limit" || fact.Gatherer != "sysctl@v1" || fact.Argument != "limit" {
		t.Errorf("asked for %v", fact)
	}
	b.next()
	a.answer("00000000-0000-4000-8000-00000000000f", r.GroupID, 9, 0, "CCCCCC") // another execution
	a.answer(unit, bob, 9, 0, "CCCCCC")                                         // another group
	a.answer(unit, r.GroupID, 5, 0, "CCCCCC", "FFFFFF")
	a.answer(unit, r.GroupID, 9, 0, "CCCCCC") // again: the first counts
	b.answer(unit, r.GroupID, 5, 0, "CCCCCC")
	if got := f.conclusion(r.GroupID); got != "passing" {
		t.Errorf("%s", got)
	}
	b.answer(unit, r.GroupID, 9, 0, "CCCCCC") // too late
	f.begin(both("00000000-0000-4000-8000-000000000002"))
	a.next()
	b.next()
	a.answer("00000000-0000-4000-8000-000000000002", r.GroupID, 5, 0, "CCCCCC")
	b.answer("00000000-0000-4000-8000-000000000002", r.GroupID, 4, 0, "CCCCCC")
	if got := f.conclusion(r.GroupID); got != "critical" {
		t.Errorf("%s", got)
	}
}

func TestSilentAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a := f.connect(ada)
	r := both(unit)
	f.begin(r)
	a.next()
	a.answer(unit, r.GroupID, 5, 0, "CCCCCC")
	if got := f.conclusion(r.GroupID); got != "critical 9c:not_connected0" {
		t.Errorf("one was never connected: %s", got)
	}

	b := f.connect(bob)
	r = both("00000000-0000-4000-8000-000000000002")
	f.begin(r)
	a.answer(r.ExecutionID, r.GroupID, 5, 0, "CCCCCC")
	b.closeAll()
	if got := f.conclusion(r.GroupID); got != "critical 9c:disconnected0" {
		t.Errorf("one has disconnected: %s", got)
	}

	b = f.connect(bob)
	servertest.Soon(t, "the agent is connected again", func() bool { return f.Connected(bob) })
	r = both("00000000-0000-4000-8000-000000000003")
	f.begin(r)
	a.answer(r.ExecutionID, r.GroupID, 5, 0, "CCCCCC")
	b.answer("00000000-0000-4000-8000-00000000000f", r.GroupID, 5, 400*time.Second, "CCCCCC")
	servertest.Soon(t, "the wrong clock is noticed", func() bool { return f.Skew(bob) == 400*time.Second })
	f.Step(t.Context())
	if g := f.group(r.GroupID); g.Running == nil {
		t.Fatal("the execution has ended before its time")
	}
	f.pass(61 * time.Second)
	if got := f.conclusion(r.GroupID); got != "critical 9c:clock_skew400" {
		t.Errorf("one has a wrong clock: %s", got)
	}
	b.answer("00000000-0000-4000-8000-00000000000f", r.GroupID, 5, 0, "CCCCCC")
	servertest.Soon(t, "the clock is right again", func() bool { return f.Skew(bob) == 0 })
	r = both("00000000-0000-4000-8000-000000000004")
	f.begin(r)
	f.pass(61 * time.Second)
	if got := f.conclusion(r.GroupID); got != "critical 3f:no_answer0 9c:no_answer0" {
		t.Errorf("nobody has answered: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ann := store.Actor{Name: "ann"}
	refused := func(what string, err error, text string) {
		t.Helper()
		if kind, ok := fault.KindOf(err); !ok || kind != fault.Invalid || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := f.Start(t.Context(), ann, check.HostSubject, ada)
	refused("nothing is selected", err, "No checks were selected for the target.")
	if _, err := f.Start(t.Context(), ann, check.HostSubject, unit); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such host: %v", err)
	}
	if err := f.store.SelectHostChecks(t.Context(), ann, ada, []string{"CCCCCC", "GONE"}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Start(t.Context(), ann, check.HostSubject, ada)
	refused("nothing can be run", err, "No applicable checks for the target. Not in the catalogue: GONE. Not for this target: CCCCCC.")
	if err := f.store.SelectHostChecks(t.Context(), ann, ada, []string{"AAAAAA", "GONE"}); err != nil {
		t.Fatal(err)
	}
	f.connect(ada)
	first, err := f.Start(t.Context(), ann, check.HostSubject, ada)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.Start(t.Context(), ann, check.HostSubject, ada); err != nil || again != first {
		t.Errorf("while %s is running: %s (%v)", first, again, err)
	}
	requests := 0
	_ = f.store.View(func(tx *store.Tx) error {
		for e := range tx.EntriesBack(0, tx.Newest()) {
			if e.Type == activity.TypeHostChecksExecutionRequest && e.Actor == "ann" && e.CorrelationID() == first {
				requests++
			}
		}
		return nil
	})
	if requests != 1 {
		t.Errorf("%d requests are logged", requests)
	}
	off := New(Options{Store: f.store, Catalogue: catalogue})
	if _, err := off.Start(t.Context(), ann, check.HostSubject, ada); !errors.Is(err, ErrOff) {
		t.Errorf("without messages: %v", err)
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if err := f.store.SelectHostChecks(t.Context(), store.System(), ada, []string{"AAAAAA"}); err != nil {
		t.Fatal(err)
	}
	f.restart(10 * time.Minute)
	f.Step(t.Context())
	a := f.connect(ada)
	servertest.Soon(t, "the first execution has begun", func() bool {
		f.Step(t.Context())
		return f.store.View(func(tx *store.Tx) error { _, err := tx.CheckedGroup(ada); return err }) == nil
	})
	request, _ := a.next()
	a.answer(request.ExecutionId, ada, 5, 0, "AAAAAA")
	if got := f.conclusion(ada); got != "passing" {
		t.Errorf("%s", got)
	}
	n := 0
	for range 20 { // 100 minutes
		f.pass(5 * time.Minute)
		before := f.group(ada).Last.ID
		f.Step(t.Context())
		if f.group(ada).Running == nil {
			continue
		}
		request, _ := a.next()
		a.answer(request.ExecutionId, ada, 5, 0, "AAAAAA")
		if f.conclusion(ada); f.group(ada).Last.ID != before {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d executions in ten periods", n)
	}
}

// TestRestart stops a server while executions are under way. One is asked again
// when its agent is back, one is old, and one has nobody who could answer.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, id := range []string{ada, bob} {
		if err := f.store.SelectHostChecks(t.Context(), store.System(), landscape.HostID(id), []string{"AAAAAA"}); err != nil {
			t.Fatal(err)
		}
	}
	a, b := f.connect(ada), f.connect(bob)
	old := both(unit)
	f.begin(old)
	a.next()
	b.next()
	f.pass(4*time.Minute + 30*time.Second)
	for _, id := range []string{ada, bob} {
		if _, err := f.Start(t.Context(), store.System(), check.HostSubject, id); err != nil {
			t.Fatal(err)
		}
	}
	_, delivery := a.next()
	if err := delivery.Ack(false); err != nil {
		t.Fatal(err)
	}
	b.closeAll()
	f.pass(40 * time.Second)
	f.restart(0)
	servertest.Soon(t, "the agent has gone", func() bool { return !f.Connected(bob) })
	if got := f.conclusion(old.GroupID); !strings.HasPrefix(got, "critical") {
		t.Errorf("the old one: %s", got)
	}
	request, _ := a.next()
	a.answer(request.ExecutionId, ada, 5, 0, "AAAAAA")
	if got := f.conclusion(ada); got != "passing" {
		t.Errorf("asked again: %s", got)
	}
	if f.group(bob).Running == nil {
		t.Error("the agent has no time to connect")
	}
	f.pass(settleTime)
	if got := f.conclusion(bob); got != "critical 9c:no_answer0" {
		t.Errorf("nobody could answer: %s", got)
	}
}
