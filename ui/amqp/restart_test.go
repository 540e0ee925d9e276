package amqp

import (
	"errors"
	"fmt"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store"
	"trento/store/message"
	"trento/store/storetest"
)

// TestRestart: after a restart the queues are there with what was sent to last,
// and nothing that an agent has acknowledged.
func TestRestart(t *testing.T) {
	s := storetest.Open(t)
	e := openEndpoint(t, s, Options{})
	ch := openChannel(t, dial(t, e.url()))
	queue := declare(t, ch, message.Checks, ada)
	deliveries, err := ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	durable := func(number string, expires time.Duration) *message.Delivery {
		return e.sendRequest(message.Request{Agent: ada, Content: request(ada, number), ExpiresAt: e.now().Add(expires), Durable: true})
	}
	durable("done", time.Hour)
	if err := next(t, deliveries).Ack(false); err != nil {
		t.Fatal(err)
	}
	durable("not acknowledged", time.Hour)
	next(t, deliveries)
	e.send(ada, "not durable")
	next(t, deliveries)
	durable("expires", time.Nanosecond)
	closed := ch.NotifyClose(make(chan *rabbitmq.Error, 1))
	durable("waits", time.Hour)
	next(t, deliveries)
	e.stop()
	if fault := next(t, closed); fault.Code != connectionForced || !fault.Server {
		t.Errorf("the agent was told %v", fault)
	}

	e = openEndpoint(t, s, Options{})
	if p := e.Presence(ada, message.Checks); p != message.Away {
		t.Error("the agent counts as connected")
	}
	e.send(ada, "after the restart")
	ch = openChannel(t, dial(t, e.url()))
	deliveries, err = ch.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"not acknowledged", "waits", "after the restart"} {
		d := next(t, deliveries)
		if got := numberOf(t, d.Body); got != want {
			t.Errorf("delivered %s, want %s", got, want)
		}
		d.Ack(false)
	}
	servertest.Soon(t, "only the expired message is stored", func() bool { return stored(t, s) == 1 })
	if _, err := ch.QueueDelete(queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	e.stop()
	e = openEndpoint(t, s, Options{})
	if len(e.queues) != 0 {
		t.Error("a deleted queue is back")
	}
}

// stored counts the messages in the store.
func stored(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	err := s.View(func(tx *store.Tx) error {
		return tx.QueuedMessages(func(*store.QueuedMessage) error { n++; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestExpiry: messages that nobody took in time, and queues that nobody uses,
// go away by themselves.
func TestExpiry(t *testing.T) {
	clock := newClock()
	s := clock.store(t)
	e := openEndpoint(t, s, Options{Now: clock.now})
	ch := openChannel(t, dial(t, e.url()))
	declare(t, ch, message.Checks, ada)
	d := e.sendRequest(message.Request{Agent: ada, Content: request(ada, "1"), ExpiresAt: clock.now().Add(5 * time.Minute), Durable: true})
	clock.pass(5*time.Minute - time.Second)
	e.pruneQueues(t.Context())
	if d.State() != message.Waiting || stored(t, s) != 1 {
		t.Errorf("too early: %v, %d stored", d.State(), stored(t, s))
	}
	clock.pass(time.Second)
	e.pruneQueues(t.Context())
	if d.State() != message.Expired {
		t.Errorf("expired, but %v", d.State())
	}
	if err := s.PruneQueuedMessages(t.Context()); err != nil || stored(t, s) != 0 {
		t.Errorf("%d stored, %v", stored(t, s), err)
	}
	clock.pass(unusedQueueLifetime + time.Second)
	e.pruneQueues(t.Context())
	r := message.Request{Agent: ada, Content: request(ada, "2"), ExpiresAt: clock.now().Add(time.Minute)}
	if _, err := e.Send(t.Context(), r); !errors.Is(err, message.ErrNoQueue) {
		t.Errorf("the queue is still there: %v", err)
	}
}

// TestChangedCredential: connections that were opened with an old credential
// end, and it opens none any more.
func TestChangedCredential(t *testing.T) {
	e := newEndpoint(t)
	c := dial(t, e.url())
	closed := c.NotifyClose(make(chan *rabbitmq.Error, 1))
	old := e.url()
	e.password = "other"
	e.generation.Add(1)
	fresh := dial(t, e.url())
	e.checkConnections()
	if fault := next(t, closed); fault.Code != connectionForced {
		t.Errorf("the agent was told %v", fault)
	}
	if fresh.IsClosed() {
		t.Error("a connection with the new credential has ended")
	}
	if _, err := rabbitmq.Dial(old); err == nil {
		t.Error("the old credential opens a connection")
	}
}

// TestReconnectStorm: all agents come back at once after a restart, each with
// three connections, and everything that waited arrives, once.
func TestReconnectStorm(t *testing.T) {
	const agents = 40
	s := storetest.Open(t)
	e := openEndpoint(t, s, Options{})
	names := make([]string, agents)
	for i := range names {
		names[i] = fmt.Sprintf("%08d-8a55-5d0e-9c41-6d2b7f0e1a22", i)
		declare(t, openChannel(t, dial(t, e.url())), message.Checks, names[i])
		e.sendRequest(message.Request{Agent: names[i], Content: request(names[i], names[i]), ExpiresAt: e.now().Add(time.Hour), Durable: true})
	}
	e.stop()
	e = openEndpoint(t, s, Options{})
	received := make(chan string, 2*agents)
	for _, name := range names {
		for _, kind := range message.Kinds {
			go func() {
				c, err := rabbitmq.Dial(e.url())
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { c.Close() })
				ch, err := c.Channel()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := ch.QueueDeclare(kind.Queue(name), true, false, false, false, nil); err != nil {
					t.Error(err)
					return
				}
				deliveries, err := ch.Consume(kind.Queue(name), "", false, false, false, false, nil)
				if err != nil {
					t.Error(err)
				}
				for d := range deliveries {
					if envelope, err := message.Decode(d.Body); err == nil && kind.Queue(name) == message.Checks.Queue(name) {
						received <- envelope.Type
					}
					d.Ack(false)
				}
			}()
		}
	}
	for range agents {
		next(t, received)
	}
	servertest.Soon(t, "nothing is stored", func() bool { return stored(t, s) == 0 })
	if len(received) != 0 {
		t.Errorf("%d messages arrived twice", len(received))
	}
}
