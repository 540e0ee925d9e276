package amqp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"
	"google.golang.org/protobuf/proto"

	"trento/packaging/servertest"
	"trento/store/message"
	"trento/store/message/wire"
	"trento/store/storetest"
)

// TestRefusedCredentials: all wrong credentials are answered alike and equally
// late; our log and the list of refusals say from where, and never the words
// that were tried.
func TestRefusedCredentials(t *testing.T) {
	var log syncBuffer
	e := openEndpoint(t, storetest.Open(t), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, try := range []struct{ user, password string }{
		{e.user, "wrong"}, {e.user, ""}, {e.user, e.password + "x"}, {"other", e.password}, {"", e.password}, {"guest", "guest"},
		{e.user + "\x00x", e.password}, {strings.Repeat("u", 3000), "Tr3nto-password-typed-as-a-name"},
	} {
		began := time.Now()
		_, err := rabbitmq.Dial(fmt.Sprintf("amqp://%s:%s@%s/", escape(try.user), escape(try.password), e.address))
		if !errors.Is(err, rabbitmq.ErrCredentials) {
			t.Errorf("%.20q: %v", try.user, err)
		}
		if took := time.Since(began); took < refusalDelay {
			t.Errorf("%.20q: refused after %v", try.user, took)
		}
	}
	refusals := e.Refusals()
	if len(refusals) != 1 || refusals[0].Address != "127.0.0.1" || refusals[0].Attempts != 8 || !strings.Contains(refusals[0].Reason, "wrong user or password") {
		t.Errorf("refusals: %+v", refusals)
	}
	if !strings.Contains(log.String(), "address=127.0.0.1") || strings.Contains(log.String(), "Tr3nto") || strings.Contains(log.String(), e.password) {
		t.Errorf("logged: %s", log.String())
	}
}

// TestManyBehindOneAddress: wrong credentials slow an address down, but who has
// the right one gets in.
func TestManyBehindOneAddress(t *testing.T) {
	e := newEndpoint(t)
	var running sync.WaitGroup
	for range 30 {
		running.Go(func() {
			if _, err := rabbitmq.Dial("amqp://trento:wrong@" + e.address); err == nil {
				t.Error("it got in")
			}
		})
	}
	for range 60 { // twenty hosts start
		running.Go(func() {
			c, err := rabbitmq.Dial(e.url())
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	running.Wait()
}

// TestForeignQueues: a connection is that of the agent whose queue it declared
// first, and does nothing in the name of others.
func TestForeignQueues(t *testing.T) {
	e := newEndpoint(t)
	declare(t, openChannel(t, dial(t, e.url())), message.Checks, bob)
	c := dial(t, e.url())
	declare(t, openChannel(t, c), message.Checks, ada)
	foreign := message.Checks.Queue(bob)
	for _, try := range []struct {
		name string
		do   func(*rabbitmq.Channel) error
	}{
		{"declare", func(ch *rabbitmq.Channel) error {
			return errorOf(ch.QueueDeclare(foreign, true, false, false, false, nil))
		}},
		{"look", func(ch *rabbitmq.Channel) error {
			return errorOf(ch.QueueDeclarePassive(foreign, true, false, false, false, nil))
		}},
		{"bind", func(ch *rabbitmq.Channel) error { return ch.QueueBind(foreign, "#", "trento.checks", false, nil) }},
		{"unbind", func(ch *rabbitmq.Channel) error { return ch.QueueUnbind(foreign, "agents", "trento.checks", nil) }},
		{"consume", func(ch *rabbitmq.Channel) error {
			return errorOf(ch.Consume(foreign, "", true, false, false, false, nil))
		}},
		{"get", func(ch *rabbitmq.Channel) error { _, _, err := ch.Get(foreign, true); return err }},
		{"purge", func(ch *rabbitmq.Channel) error { return errorOf(ch.QueuePurge(foreign, false)) }},
		{"delete", func(ch *rabbitmq.Channel) error { return errorOf(ch.QueueDelete(foreign, false, false, false)) }},
		{"a queue of no agent", func(ch *rabbitmq.Channel) error {
			return errorOf(ch.QueueDeclare("trento.checks.executions", true, false, false, false, nil))
		}},
		{"a queue without a name", func(ch *rabbitmq.Channel) error { return errorOf(ch.QueueDeclare("", true, false, false, false, nil)) }},
		{"the queue of an agent in capitals", func(ch *rabbitmq.Channel) error {
			return errorOf(ch.QueueDeclare(message.Checks.Queue(strings.ToUpper(ada)), true, false, false, false, nil))
		}},
		{"its queue at another exchange", func(ch *rabbitmq.Channel) error {
			return ch.QueueBind(message.Checks.Queue(ada), "requests", "trento.operations", false, nil)
		}},
		{"delete an exchange", func(ch *rabbitmq.Channel) error { return ch.ExchangeDelete("trento.checks", false, false) }},
		{"bind an exchange", func(ch *rabbitmq.Channel) error {
			return ch.ExchangeBind("trento.checks", "#", "trento.operations", false, nil)
		}},
	} {
		err := try.do(openChannel(t, c))
		if fault := (*rabbitmq.Error)(nil); !errors.As(err, &fault) || fault.Code != accessRefused {
			t.Errorf("%s: %v", try.name, err)
		}
	}
}

// TestForeignAnswers: an agent publishes only the answers of agents, as itself.
func TestForeignAnswers(t *testing.T) {
	e := newEndpoint(t)
	e.Subscribe(message.Checks, func(context.Context, message.Envelope) error { t.Error("received"); return nil })
	c := dial(t, e.url())
	first := openChannel(t, c)
	for _, try := range []struct {
		name          string
		declared      bool
		exchange, key string
		body          []byte
		code          int
	}{
		{"before its queue", false, "trento.checks", "executions", encode(t, answer(ada, "1")), accessRefused},
		{"as another agent", true, "trento.checks", "executions", encode(t, answer(bob, "1")), accessRefused},
		{"to agents", true, "trento.checks", "agents", encode(t, request(bob, "1")), accessRefused},
		{"a request", true, "trento.checks", "executions", encode(t, request(bob, "1")), accessRefused},
		{"an answer of another kind", true, "trento.checks", "executions", encode(t, operated(ada)), accessRefused},
		{"where nothing is answered", true, "trento.discoveries", "", encode(t, answer(ada, "1")), accessRefused},
		{"past the exchanges", true, "", message.Checks.Queue(bob), encode(t, request(bob, "1")), accessRefused},
		{"garbage", true, "trento.checks", "executions", []byte("garbage"), preconditionFailed},
		{"nothing", true, "trento.checks", "executions", nil, preconditionFailed},
	} {
		if try.declared {
			declare(t, first, message.Checks, ada)
		}
		ch := openChannel(t, c)
		closed := ch.NotifyClose(make(chan *rabbitmq.Error, 1))
		if err := ch.Publish(try.exchange, try.key, false, false, rabbitmq.Publishing{Body: try.body}); err != nil {
			t.Fatal(err)
		}
		if fault := next(t, closed); fault.Code != try.code {
			t.Errorf("%s: %v", try.name, fault)
		}
	}
	if len(e.Connections()) != 1 {
		t.Error("the connection itself is gone")
	}
}

// TestFailingSubscriber: an answer that cannot be taken is not confirmed.
func TestFailingSubscriber(t *testing.T) {
	e := newEndpoint(t)
	var broken error
	e.Subscribe(message.Checks, func(context.Context, message.Envelope) error { return broken })
	ch := openChannel(t, dial(t, e.url()))
	declare(t, ch, message.Checks, ada)
	if err := ch.Confirm(false); err != nil {
		t.Fatal(err)
	}
	confirmed := ch.NotifyPublish(make(chan rabbitmq.Confirmation, 1))
	for _, broken = range []error{nil, errors.New("disk full"), nil} {
		if err := ch.Publish("trento.checks", "executions", true, false, rabbitmq.Publishing{Body: encode(t, answer(ada, "1"))}); err != nil {
			t.Fatal(err)
		}
		if got := next(t, confirmed); got.Ack != (broken == nil) {
			t.Errorf("confirmed %v with %v", got.Ack, broken)
		}
	}
}

// TestLimits: none of them ends what others do.
func TestLimits(t *testing.T) {
	e := openEndpoint(t, storetest.Open(t), Options{MaxConnections: 5, MaxPerAddress: 4})
	c := dial(t, e.url())
	t.Run("channels", func(t *testing.T) {
		c := dial(t, e.url())
		for range maxChannels {
			openChannel(t, c)
		}
		_, err := c.Channel()
		if fault := (*rabbitmq.Error)(nil); !errors.As(err, &fault) || fault.Code != notAllowed {
			t.Errorf("one more: %v", err)
		}
	})
	t.Run("connections", func(t *testing.T) {
		var open []*client
		for range 3 {
			open = append(open, dial(t, e.url()))
		}
		if c, err := rabbitmq.Dial(e.url()); err == nil {
			c.Close()
			t.Error("a fifth connection of one address was accepted")
		}
		if r := e.Refusals(); len(r) != 1 || !strings.Contains(r[0].Reason, "from this address") {
			t.Errorf("refusals: %+v", r)
		}
		for _, c := range open {
			c.Close()
		}
		servertest.Soon(t, "room", func() bool { return len(e.Connections()) == 1 })
	})
	ch := openChannel(t, c)
	queue := declare(t, ch, message.Checks, ada)
	t.Run("queued messages", func(t *testing.T) {
		for range maxWaitingMessages {
			e.send(ada, "x")
		}
		r := message.Request{Agent: ada, Content: request(ada, "one more"), ExpiresAt: time.Now().Add(time.Minute)}
		if _, err := e.Send(t.Context(), r); !errors.Is(err, message.ErrQueueFull) {
			t.Errorf("one more: %v", err)
		}
		if _, err := ch.QueuePurge(queue, false); err != nil {
			t.Fatal(err)
		}
		large := strings.Repeat("x", 7<<20)
		for range 2 {
			e.send(ada, large)
		}
		r.Content = request(ada, large)
		if _, err := e.Send(t.Context(), r); !errors.Is(err, message.ErrQueueFull) {
			t.Errorf("one more large one: %v", err)
		}
		if _, err := ch.QueuePurge(queue, false); err != nil {
			t.Fatal(err)
		}
		if e.totalBytes != 0 {
			t.Errorf("%d bytes of messages are counted that are not there", e.totalBytes)
		}
	})
	t.Run("unacknowledged messages", func(t *testing.T) {
		deliveries, err := ch.Consume(queue, "tag", false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range maxUnackedMessages {
			e.send(ada, "x")
			next(t, deliveries)
		}
		waits := e.send(ada, "y")
		if waits.State() != message.Waiting {
			t.Errorf("one more is %v", waits.State())
		}
		if err := ch.Ack(0, true); err != nil {
			t.Fatal(err)
		}
		if d := next(t, deliveries); numberOf(t, d.Body) != "y" {
			t.Errorf("then %s", numberOf(t, d.Body))
		}
	})
	t.Run("a message in parts", func(t *testing.T) {
		r := dialRaw(t, e.address)
		r.open(e.user, e.password)
		r.openChannel(1)
		r.write(publish(1, "trento.checks", "executions"), header(1, 3), body(1, "xxxx"))
		if got := r.answers(); got != "connection closed with 501" {
			t.Errorf("a body that is too long: %s", got)
		}
	})
	t.Run("an agent that never came", func(t *testing.T) {
		r := message.Request{Agent: bob, Content: request(bob, "1"), ExpiresAt: time.Now().Add(time.Minute)}
		if _, err := e.Send(t.Context(), r); !errors.Is(err, message.ErrNoQueue) {
			t.Errorf("sent: %v", err)
		}
	})
}

// TestSlowConsumer: an agent that does not read stops only its own messages.
func TestSlowConsumer(t *testing.T) {
	e := newEndpoint(t)
	slow := dialRaw(t, e.address)
	slow.open(e.user, e.password)
	slow.openChannel(1)
	steps := consumerSteps(1, message.Checks, bob, "tag")
	steps[0].arguments = func(b []byte) []byte { return append(b, 0, 0, 0, 0, 0, 0, 0) } // no limit
	slow.play(1, steps)
	ch := openChannel(t, dial(t, e.url()))
	deliveries, err := ch.Consume(declare(t, ch, message.Checks, ada), "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	const messages, size = 40, 300_000 // more than the kernel and we keep for it
	for n := range messages {
		e.send(bob, strings.Repeat("x", size)+fmt.Sprint(n))
		e.send(ada, "1")
		next(t, deliveries)
	}
	for _, c := range e.openConnections() {
		if unsent := c.unsentBytes.Load(); unsent > maxUnsent+2*size {
			t.Errorf("%d bytes are kept for an agent that does not read", unsent)
		}
	}
	for n := range messages {
		if _, _, got := slow.delivery(); !strings.HasSuffix(numberOf(t, got), "x"+fmt.Sprint(n)) {
			t.Fatalf("message %d is another one", n)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

func escape(text string) string {
	return strings.NewReplacer("\x00", "%00").Replace(text)
}

// operated is an answer of another kind.
func operated(agent string) proto.Message {
	return &wire.OperatorExecutionCompleted{AgentId: agent}
}

// syncBuffer is a buffer that goroutines share.
type syncBuffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.String()
}

// TestSilentConnections: clients that connect and never sign in keep nobody
// out, whatever the limit. They do not delay the end either.
func TestSilentConnections(t *testing.T) {
	for _, limits := range []Options{{MaxConnections: 8}, {MaxPerAddress: 8}} {
		e := openEndpoint(t, storetest.Open(t), limits)
		open := dial(t, e.url())
		for range 50 {
			dialRaw(t, e.address)
		}
		for range 3 { // an agent starts
			dial(t, e.url())
		}
		if r := e.Refusals(); len(r) != 1 || !strings.Contains(r[0].Reason, "needed its place") {
			t.Errorf("refusals: %+v", r)
		}
		if open.IsClosed() || len(e.Connections()) != 4 {
			t.Errorf("%d connections are open, want 4; the first is closed: %v", len(e.Connections()), open.IsClosed())
		}
		began := time.Now()
		e.stop()
		if took := time.Since(began); took >= handshakeTimeout/2 {
			t.Errorf("the end took %v", took)
		}
	}
}
