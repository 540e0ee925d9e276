package amqp

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"
	"google.golang.org/protobuf/proto"

	"trento/store"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/store/storetest"
)

const (
	ada = "3f7c2a10-8a55-5d0e-9c41-6d2b7f0e1a22" // agents
	bob = "9cd46919-5f19-59aa-993e-cf3736c71053"
)

// patience is how long a test waits for something that happens. It is not how
// long anything takes.
const patience = 20 * time.Second

// testBroker is a message endpoint that runs, with the credential of agents.
type testBroker struct {
	*Broker
	t          *testing.T
	user       string
	password   string
	generation atomic.Uint64
	address    string
	stop       func()
}

func newEndpoint(t *testing.T) *testBroker {
	t.Helper()
	return openEndpoint(t, storetest.Open(t), Options{})
}

// openEndpoint starts an endpoint on a store.
func openEndpoint(t *testing.T, s *store.Store, o Options) *testBroker {
	t.Helper()
	e := &testBroker{t: t, user: "trento", password: "secret"}
	o.Store = s
	o.Check = func(user, password string) bool { return user == e.user && password == e.password }
	o.Generation = e.generation.Load
	if o.Log == nil {
		o.Log = discard
		if os.Getenv("AMQP_LOG") != "" {
			o.Log = slog.Default()
		}
	}
	var err error
	if e.Broker, err = New(o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served, ran := make(chan error, 1), make(chan error, 1)
	go func() { served <- e.Serve(ctx, l) }()
	go func() { ran <- e.Run(ctx) }()
	stopped := false
	e.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		for _, done := range []chan error{served, ran} {
			if err := <-done; err != nil {
				t.Errorf("the endpoint ended: %v", err)
			}
		}
		if n := len(e.Connections()); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		if e.connectionLimiter.total != 0 || len(e.connectionLimiter.networks) != 0 || e.unfinishedBytes != 0 {
			t.Errorf("counts are left: %+v, %d bytes", e.connectionLimiter, e.unfinishedBytes)
		}
	}
	t.Cleanup(e.stop)
	return e
}

func (e *testBroker) url() string {
	return "amqp://" + e.user + ":" + e.password + "@" + e.address + "/"
}

// client is a connection of the library that agents use.
type client struct {
	*rabbitmq.Connection
	net net.Conn
}

// dial opens a connection as agents do.
func dial(t *testing.T, url string) *client {
	t.Helper()
	return dialWith(t, url, rabbitmq.Config{})
}

func dialWith(t *testing.T, url string, config rabbitmq.Config) *client {
	t.Helper()
	c := &client{}
	config.Heartbeat, config.Locale = 10*time.Second, "en_US"
	config.Dial = func(network, address string) (_ net.Conn, err error) {
		c.net, err = rabbitmq.DefaultDial(patience)(network, address)
		return c.net, err
	}
	var err error
	if c.Connection, err = rabbitmq.DialConfig(url, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func openChannel(t *testing.T, c *client) *rabbitmq.Channel {
	t.Helper()
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// declare does what an agent does with its queue.
func declare(t *testing.T, ch *rabbitmq.Channel, kind message.Kind, agent string) string {
	t.Helper()
	name := kind.Queue(agent)
	if err := ch.ExchangeDeclare(kind.Exchange(), "topic", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(name, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(name, message.RequestKey, kind.Exchange(), false, nil); err != nil {
		t.Fatal(err)
	}
	return name
}

// request is a message to an agent, told from others by its number.
func request(agent, number string) *wire.FactsGatheringRequested {
	return &wire.FactsGatheringRequested{ExecutionId: number, Targets: []*wire.FactsGatheringRequestedTarget{{AgentId: agent}}}
}

// numberOf returns the number of a message that was made by request.
func numberOf(t *testing.T, body []byte) string {
	t.Helper()
	envelope, err := message.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	return envelope.Content.(*wire.FactsGatheringRequested).ExecutionId
}

func (e *testBroker) send(agent, number string) *message.Delivery {
	e.t.Helper()
	return e.sendRequest(message.Request{Agent: agent, Content: request(agent, number), ExpiresAt: e.now().Add(5 * time.Minute)})
}

func (e *testBroker) sendRequest(r message.Request) *message.Delivery {
	e.t.Helper()
	d, err := e.Send(context.Background(), r)
	if err != nil {
		e.t.Fatal(err)
	}
	return d
}

// next waits for the next value of a channel.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value, open := <-from:
		if !open {
			t.Fatal("nothing comes any more")
		}
		return value
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	panic("unreachable")
}

// answer is an answer of an agent.
func answer(agent, number string) proto.Message {
	return &wire.FactsGathered{ExecutionId: number, AgentId: agent}
}

func encode(t *testing.T, content proto.Message) []byte {
	t.Helper()
	body, err := message.Encode(content, time.Now(), time.Now().Add(5*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// clock is a clock of the test.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.micros.Store(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time                  { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) pass(d time.Duration)            { c.micros.Add(d.Microseconds()) }
func (c *clock) store(t *testing.T) *store.Store { return storetest.OpenAt(t, c.now) }

var discard = slog.New(slog.DiscardHandler)
