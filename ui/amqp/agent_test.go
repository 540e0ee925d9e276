package amqp

import (
	"context"
	"fmt"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
	"trento/store/message/wire"
)

// consumerSteps are what an agent sends on the channel of its consumer
// (spec of the agent, frame by frame).
func consumerSteps(channel uint16, kind message.Kind, agent, tag string) []step {
	exchange, queue := kind.Exchange(), kind.Queue(agent)
	return []step{
		{basicQos, basicQosOK, func(b []byte) []byte { return append(b, 0, 0, 0, 0, 0, 10, 0) }},
		{exchangeDeclare, exchangeDeclareOK, func(b []byte) []byte {
			b = appendShortText(appendShortText(append(b, 0, 0), exchange), "topic")
			return append(b, 0b00010, 0, 0, 0, 0)
		}},
		{queueDeclare, queueDeclareOK, func(b []byte) []byte {
			return append(appendShortText(append(b, 0, 0), queue), 0b00010, 0, 0, 0, 0)
		}},
		{queueBind, queueBindOK, func(b []byte) []byte {
			b = appendShortText(appendShortText(appendShortText(append(b, 0, 0), queue), exchange), "agents")
			return append(b, 0, 0, 0, 0, 0)
		}},
		{basicConsume, basicConsumeOK, func(b []byte) []byte {
			return append(appendShortText(appendShortText(append(b, 0, 0), queue), tag), 0, 0, 0, 0, 0)
		}},
	}
}

// step is a method and the one that answers it.
type step struct {
	send, answer methodID
	arguments    func([]byte) []byte
}

func (r *raw) play(channel uint16, steps []step) {
	r.t.Helper()
	for _, s := range steps {
		r.write(appendMethod(nil, channel, s.send, s.arguments))
		r.expect(s.answer)
	}
}

func (r *raw) openChannel(number uint16) {
	r.t.Helper()
	r.write(openChannelNumber(number))
	r.expect(channelOpenOK)
}

// delivery reads a delivery, and returns its tag and body.
func (r *raw) delivery() (tag uint64, redelivered bool, body []byte) {
	r.t.Helper()
	d := r.expect(basicDeliver)
	d.shortText()
	tag, redelivered = d.uint64(), d.uint8() != 0
	f, err := r.frames.next()
	if err != nil || f.kind != frameHeader {
		r.t.Fatalf("no header: %v", err)
	}
	content, err := readContentHeader(f.payload)
	if err != nil {
		r.t.Fatal(err)
	}
	for uint64(len(body)) < content.bodySize {
		f, err := r.frames.next()
		if err != nil || f.kind != frameBody {
			r.t.Fatalf("no body: %v", err)
		}
		body = append(body, f.payload...)
	}
	return tag, redelivered, body
}

// TestAgent plays what a real agent sends, byte by byte: its first connect, the
// ways in which it comes back, and its stop.
func TestAgent(t *testing.T) {
	e := newEndpoint(t)
	received := make(chan message.Envelope, 10)
	e.Subscribe(message.Checks, func(_ context.Context, m message.Envelope) error { received <- m; return nil })

	r := dialRaw(t, e.address)
	r.open(e.user, e.password)
	r.openChannel(1) // consumer
	r.openChannel(2) // publisher
	r.play(1, consumerSteps(1, message.Checks, ada, "ctag-/usr/bin/trento-agent-1"))
	delivered := e.send(ada, "1")
	tag, redelivered, got := r.delivery()
	if numberOf(t, got) != "1" || tag != 1 || redelivered || delivered.State() != message.Delivered {
		t.Fatalf("delivered %s as %d, redelivered %v, %v", numberOf(t, got), tag, redelivered, delivered.State())
	}
	// Its answer and the acknowledgement come in one segment.
	body := encode(t, answer(ada, "1"))
	out := appendMethod(nil, 2, basicPublish, func(b []byte) []byte {
		return append(appendShortText(appendShortText(append(b, 0, 0), "trento.checks"), "executions"), 1)
	})
	out = appendContent(out, 2, contentProperties{contentType: message.ContentType, persistent: true}, body, 131072)
	out = append(out, method(1, basicAck, 0, 0, 0, 0, 0, 0, 0, 1, 0)...)
	r.write(out)
	if m := next(t, received); m.Agent() != ada || m.Content.(*wire.FactsGathered).ExecutionId != "1" {
		t.Errorf("received %v", m)
	}
	servertest.Soon(t, "acknowledged", func() bool { return delivered.State() == message.Acknowledged })

	t.Run("stop", func(t *testing.T) {
		for _, channel := range []uint16{1, 2} {
			r.write(appendMethod(nil, channel, channelClose, func(b []byte) []byte { return append(appendShortText(appendUint16(b, 200), ""), 0, 0, 0, 0) }))
			r.expect(channelCloseOK)
		}
		r.write(appendMethod(nil, 0, connectionClose, func(b []byte) []byte { return append(appendShortText(appendUint16(b, 200), "kthxbai"), 0, 0, 0, 0) }))
		r.expect(connectionCloseOK)
		servertest.Soon(t, "no connection", func() bool { return len(e.Connections()) == 0 })
	})
	t.Run("away", func(t *testing.T) {
		e.send(ada, "while it was away")
		if p := e.Presence(ada, message.Checks); p != message.Away {
			t.Errorf("presence %d", p)
		}
	})
	// It comes back with its channels in any order and with any numbers, and
	// the publisher long after the consumer, or before it.
	for _, order := range [][]uint16{{1, 2}, {2, 1}, {1}, {7, 3}, {2047, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			r := dialRaw(t, e.address)
			r.open(e.user, e.password)
			consumer := order[0]
			for _, number := range order {
				if number != consumer {
					r.openChannel(number)
				}
			}
			r.openChannel(consumer)
			r.play(consumer, consumerSteps(consumer, message.Checks, ada, "ctag-trento-agent-5"))
			if fmt.Sprint(order) == "[1 2]" {
				tag, _, got := r.delivery()
				if numberOf(t, got) != "while it was away" {
					t.Errorf("delivered %s", numberOf(t, got))
				}
				r.write(appendMethod(nil, consumer, basicAck, func(b []byte) []byte { return append(appendUint64(b, tag), 0) }))
			}
			e.send(ada, "again")
			tag, redelivered, got := r.delivery()
			if numberOf(t, got) != "again" || redelivered {
				t.Errorf("delivered %s, redelivered %v", numberOf(t, got), redelivered)
			}
			r.write(appendMethod(nil, consumer, basicNack, func(b []byte) []byte { return append(appendUint64(b, tag), 0) }))
			r.net.Close()
			servertest.Soon(t, "no connection", func() bool { return len(e.Connections()) == 0 })
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		c := dial(t, e.url())
		ch := openChannel(t, c)
		queue := declare(t, ch, message.Checks, ada)
		cancelled := ch.NotifyCancel(make(chan string, 1))
		if _, err := ch.Consume(queue, "a", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := openChannel(t, dial(t, e.url())).QueueDelete(queue, false, false, false); err != nil {
			t.Fatal(err)
		}
		next(t, cancelled)
		// It opens another channel, closes the old one, and declares again.
		fresh := openChannel(t, c)
		if err := ch.Close(); err != nil {
			t.Fatal(err)
		}
		declare(t, fresh, message.Checks, ada)
		deliveries, err := fresh.Consume(queue, "b", false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		e.send(ada, "2")
		if d := next(t, deliveries); numberOf(t, d.Body) != "2" {
			t.Errorf("delivered %s", numberOf(t, d.Body))
		}
	})
}

// TestOnce: what an agent may have begun to act on is not sent again.
func TestOnce(t *testing.T) {
	e := newEndpoint(t)
	consume := func() (*client, <-chan rabbitmq.Delivery) {
		c := dial(t, e.url())
		ch := openChannel(t, c)
		queue := declare(t, ch, message.Operations, ada)
		deliveries, err := ch.Consume(queue, "", false, false, false, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c, deliveries
	}
	c, deliveries := consume()
	d := e.sendRequest(message.Request{Agent: ada, Once: true, ExpiresAt: time.Now().Add(time.Hour), Content: &wire.OperatorExecutionRequested{OperationId: "1", Operator: "reboot@v1"}})
	next(t, deliveries)
	c.net.Close()
	servertest.Soon(t, "lost", func() bool { return d.State() == message.Lost })

	waits := e.sendRequest(message.Request{Agent: ada, Once: true, ExpiresAt: time.Now().Add(time.Hour), Content: &wire.OperatorExecutionRequested{OperationId: "2", Operator: "reboot@v1"}})
	if waits.State() != message.Waiting {
		t.Errorf("nobody is there, but the message is %v", waits.State())
	}
	_, deliveries = consume()
	envelope, err := message.Decode(next(t, deliveries).Body)
	if err != nil || envelope.Content.(*wire.OperatorExecutionRequested).OperationId != "2" {
		t.Errorf("delivered %v, %v", envelope, err)
	}
}

// TestHeartbeats: the agent gets a heartbeat after three quarters of an interval
// in which it got nothing else, not earlier; an agent that is silent for two
// intervals is gone.
func TestHeartbeats(t *testing.T) {
	clock := newClock()
	e := openEndpoint(t, clock.store(t), Options{Now: clock.now})
	r := dialRaw(t, e.address)
	r.open(e.user, e.password)
	servertest.Soon(t, "connected", func() bool { return len(e.Connections()) == 1 })
	for range 3 {
		clock.pass(6 * time.Second)
		e.checkConnections()
		clock.pass(time.Second)
		e.checkConnections()
		f, err := r.frames.next()
		if err != nil || f.kind != frameHeartbeat || f.channel != 0 || len(f.payload) != 0 {
			t.Fatalf("instead of a heartbeat: %+v, %v", f, err)
		}
		servertest.Soon(t, "sent now, not a second ago", func() bool { return e.openConnections()[0].lastSent.Load() == clock.now().UnixMicro() })
		before := clock.now()
		r.write(heartbeat)
		servertest.Soon(t, "heard", func() bool {
			for _, c := range e.openConnections() {
				return c.lastRead.Load() >= before.UnixMicro()
			}
			return false
		})
	}
	clock.pass(20*time.Second + time.Millisecond)
	e.checkConnections()
	servertest.Soon(t, "gone", func() bool { return len(e.Connections()) == 0 })
	if got := r.answers(); got != "the connection ended" {
		t.Errorf("said to a silent agent: %s", got)
	}
}
