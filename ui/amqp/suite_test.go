package amqp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
)

// peer is a broker under test: ours, or RabbitMQ.
type peer struct {
	t   *testing.T
	url string
	// send brings a message of the kind checks to the queue of an agent.
	send func(agent, number string)
	// agent is the one whose queues the case uses, different for each case.
	agent string
	notes []string // what the case has seen
}

// note adds what was seen. The notes of both brokers are compared.
func (p *peer) note(format string, values ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, values...))
}

// noteFault notes an error by code, name and whom it closes; the rest of its
// text is for people and may differ.
func (p *peer) noteFault(what string, err error) {
	p.t.Helper()
	if fault := (*rabbitmq.Error)(nil); errors.As(err, &fault) {
		name, _, _ := strings.Cut(fault.Reason, " ")
		p.note("%s: %d %s, by server %v", what, fault.Code, name, fault.Server)
		return
	}
	p.note("%s: %v", what, err)
}

// connect opens a connection with a channel, and declares the queue.
func (p *peer) connect() (*client, *rabbitmq.Channel, string) {
	p.t.Helper()
	c := dial(p.t, p.url)
	ch := openChannel(p.t, c)
	return c, ch, declare(p.t, ch, message.Checks, p.agent)
}

// consume begins to consume and returns the deliveries.
func (p *peer) consume(ch *rabbitmq.Channel, queue, tag string, noAck bool) <-chan rabbitmq.Delivery {
	p.t.Helper()
	deliveries, err := ch.Consume(queue, tag, noAck, false, false, false, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return deliveries
}

// expect notes the next deliveries, and returns the last of them.
func (p *peer) expect(deliveries <-chan rabbitmq.Delivery, count int) (last rabbitmq.Delivery) {
	p.t.Helper()
	for range count {
		last = next(p.t, deliveries)
		p.note("delivered %s as %d to %q from %q by %q, redelivered %v, type %q, mode %d", numberOf(p.t, last.Body), last.DeliveryTag, last.ConsumerTag,
			last.Exchange, last.RoutingKey, last.Redelivered, last.ContentType, last.DeliveryMode)
	}
	return last
}

// get notes a message that is fetched.
func (p *peer) get(ch *rabbitmq.Channel, queue string, noAck bool) rabbitmq.Delivery {
	p.t.Helper()
	d, found, err := ch.Get(queue, noAck)
	switch {
	case err != nil:
		p.noteFault("get", err)
	case !found:
		p.note("get: empty")
	default:
		p.note("get: %s as %d, redelivered %v, %d left", numberOf(p.t, d.Body), d.DeliveryTag, d.Redelivered, d.MessageCount)
	}
	return d
}

// waiting notes how many messages and consumers the queue has, once it has so
// many messages. A message that was given back or sent takes a moment.
func (p *peer) waiting(queue string, messages int) {
	p.t.Helper()
	ch := openChannel(p.t, dial(p.t, p.url))
	var q rabbitmq.Queue
	servertest.Soon(p.t, fmt.Sprintf("%s has %d messages", queue, messages), func() bool {
		var err error
		if q, err = ch.QueueDeclarePassive(queue, true, false, false, false, nil); err != nil {
			p.t.Fatal(err)
		}
		return q.Messages == messages
	})
	p.note("%d messages and %d consumers", q.Messages, q.Consumers)
}

// closed notes why a channel or connection was closed.
func (p *peer) closed(closed chan *rabbitmq.Error) {
	p.t.Helper()
	p.noteFault("closed", next(p.t, closed))
}

func (p *peer) watch(ch *rabbitmq.Channel) chan *rabbitmq.Error {
	return ch.NotifyClose(make(chan *rabbitmq.Error, 1))
}

// suite is what both brokers must do alike.
var suite = []struct {
	name string
	run  func(*peer)
}{
	{"declaring again", func(p *peer) {
		_, ch, queue := p.connect()
		p.send(p.agent, "1")
		p.waiting(queue, 1)
		q, err := ch.QueueDeclare(queue, true, false, false, false, nil)
		p.note("%d messages, %d consumers, %v", q.Messages, q.Consumers, err)
		p.consume(ch, queue, "a", false)
		q, err = ch.QueueDeclare(queue, true, false, false, false, nil)
		p.note("%d messages, %d consumers, %v", q.Messages, q.Consumers, err)
		p.noteFault("exchange, passive", ch.ExchangeDeclarePassive("trento.checks", "topic", true, false, false, false, nil))
	}},
	{"declaring otherwise", func(p *peer) {
		c, _, queue := p.connect()
		for _, try := range []struct {
			name string
			do   func(*rabbitmq.Channel) error
		}{
			{"not durable", func(ch *rabbitmq.Channel) error {
				_, err := ch.QueueDeclare(queue, false, false, false, false, nil)
				return err
			}},
			{"deleted by itself", func(ch *rabbitmq.Channel) error {
				_, err := ch.QueueDeclare(queue, true, true, false, false, nil)
				return err
			}},
			{"a queue that is not there", func(ch *rabbitmq.Channel) error {
				_, err := ch.QueueDeclarePassive(message.Discoveries.Queue(p.agent), true, false, false, false, nil)
				return err
			}},
			{"other type", func(ch *rabbitmq.Channel) error {
				return ch.ExchangeDeclare("trento.checks", "fanout", true, false, false, false, nil)
			}},
			{"exchange not durable", func(ch *rabbitmq.Channel) error {
				return ch.ExchangeDeclare("trento.checks", "topic", false, false, false, false, nil)
			}},
			{"no such exchange", func(ch *rabbitmq.Channel) error {
				return ch.ExchangeDeclarePassive("trento.nothing", "topic", true, false, false, false, nil)
			}},
			{"bind to no such exchange", func(ch *rabbitmq.Channel) error {
				return ch.QueueBind(queue, "agents", "trento.nothing", false, nil)
			}},
			{"consume no such queue", func(ch *rabbitmq.Channel) error {
				_, err := ch.Consume(message.Discoveries.Queue(p.agent), "", false, false, false, false, nil)
				return err
			}},
			{"get from no such queue", func(ch *rabbitmq.Channel) error {
				_, _, err := ch.Get(message.Discoveries.Queue(p.agent), false)
				return err
			}},
			{"purge no such queue", func(ch *rabbitmq.Channel) error {
				_, err := ch.QueuePurge(message.Discoveries.Queue(p.agent), false)
				return err
			}},
			{"delete no such queue", func(ch *rabbitmq.Channel) error {
				_, err := ch.QueueDelete(message.Discoveries.Queue(p.agent), false, false, false)
				return err
			}},
			{"publish to no such exchange", func(ch *rabbitmq.Channel) error {
				closed := p.watch(ch)
				if err := ch.Publish("trento.nothing", "executions", true, false, rabbitmq.Publishing{}); err != nil {
					return err
				}
				return next(p.t, closed)
			}},
		} {
			p.noteFault(try.name, try.do(openChannel(p.t, c)))
		}
		p.waiting(queue, 0) // the connection goes on
	}},
	{"acknowledging", func(p *peer) {
		_, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", false)
		for _, n := range []string{"1", "2", "3", "4"} {
			p.send(p.agent, n)
		}
		d := p.expect(deliveries, 4)
		p.noteFault("ack 2", ch.Ack(2, false))
		p.noteFault("ack up to 3", ch.Ack(3, true))
		p.noteFault("nack 4", ch.Nack(d.DeliveryTag, false, true))
		d = p.expect(deliveries, 1)
		p.noteFault("reject", ch.Reject(d.DeliveryTag, false))
		p.waiting(queue, 0)
		closed := p.watch(ch)
		p.noteFault("ack 3 again", ch.Ack(3, false))
		p.closed(closed)
	}},
	{"acknowledging all", func(p *peer) {
		_, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", false)
		p.noteFault("none", ch.Ack(0, true))
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.expect(deliveries, 2)
		p.noteFault("all", ch.Ack(0, true))
		p.send(p.agent, "3")
		d := p.expect(deliveries, 1)
		p.noteFault("nack all", ch.Nack(0, true, false))
		closed := p.watch(ch)
		p.noteFault("ack after nack", ch.Ack(d.DeliveryTag, true))
		p.closed(closed)
	}},
	{"prefetch of a consumer", func(p *peer) {
		_, ch, queue := p.connect()
		if err := ch.Qos(2, 0, false); err != nil {
			p.t.Fatal(err)
		}
		for _, n := range []string{"1", "2", "3", "4"} {
			p.send(p.agent, n)
		}
		p.waiting(queue, 4)
		deliveries := p.consume(ch, queue, "tag", false)
		p.expect(deliveries, 2)
		p.waiting(queue, 2)
		p.noteFault("ack", ch.Ack(1, false))
		p.expect(deliveries, 1)
		p.waiting(queue, 1)
		p.noteFault("cancel", ch.Cancel("tag", false))
		p.noteFault("ack", ch.Ack(3, true))
		p.waiting(queue, 1)
	}},
	{"prefetch of a channel", func(p *peer) {
		_, ch, queue := p.connect()
		if err := ch.Qos(1, 0, true); err != nil {
			p.t.Fatal(err)
		}
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.waiting(queue, 2)
		deliveries := p.consume(ch, queue, "a", false)
		p.expect(deliveries, 1)
		p.waiting(queue, 1)
		p.noteFault("nack", ch.Nack(1, false, false))
		p.expect(deliveries, 1)
	}},
	{"no acknowledgement", func(p *peer) {
		c, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", true)
		p.send(p.agent, "1")
		p.expect(deliveries, 1)
		c.Close()
		p.waiting(queue, 0)
	}},
	{"fetching", func(p *peer) {
		_, ch, queue := p.connect()
		p.get(ch, queue, false)
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.send(p.agent, "3")
		p.waiting(queue, 3)
		p.get(ch, queue, false)
		p.get(ch, queue, true)
		p.noteFault("nack", ch.Nack(1, false, true))
		p.waiting(queue, 2)
		p.get(ch, queue, false)
		p.get(ch, queue, false)
		p.get(ch, queue, false)
		p.noteFault("ack", ch.Ack(0, true))
	}},
	{"a channel ends", func(p *peer) {
		c, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", false)
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.expect(deliveries, 2)
		p.noteFault("close", ch.Close())
		p.waiting(queue, 2)
		p.expect(p.consume(openChannel(p.t, c), queue, "other", false), 2)
	}},
	{"a connection breaks", func(p *peer) {
		c, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", false)
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.expect(deliveries, 2)
		p.noteFault("ack", ch.Ack(1, false))
		// When this is answered, the broker has read what was sent before.
		if _, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil); err != nil {
			p.t.Fatal(err)
		}
		c.net.Close()
		p.waiting(queue, 1)
		_, ch, _ = p.connect()
		p.expect(p.consume(ch, queue, "other", false), 1)
	}},
	{"consumers in turn", func(p *peer) {
		_, ch, queue := p.connect()
		first, second := p.consume(ch, queue, "a", false), p.consume(ch, queue, "b", false)
		p.send(p.agent, "1")
		p.expect(first, 1)
		p.send(p.agent, "2")
		p.expect(second, 1)
		p.send(p.agent, "3")
		p.expect(first, 1)
	}},
	{"the last declared queue", func(p *peer) {
		_, ch, _ := p.connect()
		p.send(p.agent, "1")
		p.waiting(message.Checks.Queue(p.agent), 1)
		p.get(ch, "", true)
		p.noteFault("unbind", ch.QueueUnbind("", message.RequestKey, "trento.checks", nil))
		p.noteFault("bind", ch.QueueBind("", "#", "trento.checks", false, nil))
		p.send(p.agent, "2")
		p.waiting(message.Checks.Queue(p.agent), 1)
		n, err := ch.QueuePurge("", false)
		p.note("purged %d, %v", n, err)
	}},
	{"deleting", func(p *peer) {
		c, ch, queue := p.connect()
		cancelled := ch.NotifyCancel(make(chan string, 1))
		p.consume(ch, queue, "tag", false)
		_, err := openChannel(p.t, c).QueueDelete(queue, true, false, false)
		p.noteFault("unused only", err)
		n, err := openChannel(p.t, c).QueueDelete(queue, false, false, false)
		p.note("deleted with %d messages, %v", n, err)
		p.note("cancelled %s", next(p.t, cancelled))
		declare(p.t, ch, message.Checks, p.agent)
		p.send(p.agent, "1")
		p.waiting(queue, 1)
		_, err = openChannel(p.t, c).QueueDelete(queue, false, true, false)
		p.noteFault("empty only", err)
		n, err = ch.QueueDelete(queue, false, false, false)
		p.note("deleted with %d messages, %v", n, err)
	}},
	{"purging", func(p *peer) {
		_, ch, queue := p.connect()
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.waiting(queue, 2)
		p.get(ch, queue, false)
		n, err := ch.QueuePurge(queue, false)
		p.note("purged %d, %v", n, err)
		p.noteFault("nack", ch.Nack(1, false, true))
		p.waiting(queue, 1)
	}},
	{"publishing where nobody waits", func(p *peer) {
		_, ch, _ := p.connect()
		if err := ch.Confirm(false); err != nil {
			p.t.Fatal(err)
		}
		confirmed := ch.NotifyPublish(make(chan rabbitmq.Confirmation, 3))
		returned := ch.NotifyReturn(make(chan rabbitmq.Return, 3))
		for _, mandatory := range []bool{true, false, true} {
			body := encode(p.t, answer(p.agent, "1"))
			err := ch.Publish("trento.checks", "executions", mandatory, false, rabbitmq.Publishing{ContentType: "application/x-protobuf", DeliveryMode: 2, Body: body})
			p.noteFault("publish", err)
			confirmation := next(p.t, confirmed)
			p.note("confirmed %d: %v", confirmation.DeliveryTag, confirmation.Ack)
			if mandatory {
				r := next(p.t, returned)
				p.note("returned %d %s from %q by %q, type %q, mode %d, whole %v", r.ReplyCode, r.ReplyText, r.Exchange, r.RoutingKey, r.ContentType, r.DeliveryMode, slices.Equal(r.Body, body))
			}
		}
	}},
	{"large messages in small frames", func(p *peer) {
		ch := openChannel(p.t, dialWith(p.t, p.url, rabbitmq.Config{FrameSize: 4096}))
		queue := declare(p.t, ch, message.Checks, p.agent)
		deliveries := p.consume(ch, queue, "tag", false)
		for _, size := range []int{4087, 4088, 4089, 8176, 300_000} {
			p.send(p.agent, strings.Repeat("x", size))
			p.note("%d bytes", len(numberOf(p.t, next(p.t, deliveries).Body)))
		}
	}},
	{"what is not there", func(p *peer) {
		for _, try := range []struct {
			name string
			do   func(*rabbitmq.Channel) error
		}{
			{"immediate", func(ch *rabbitmq.Channel) error {
				return ch.Publish("trento.checks", "executions", false, true, rabbitmq.Publishing{})
			}},
			{"prefetch in bytes", func(ch *rabbitmq.Channel) error { return ch.Qos(1, 1, false) }},
			{"stopping the flow", func(ch *rabbitmq.Channel) error { return ch.Flow(false) }},
			{"recovering without requeue", func(ch *rabbitmq.Channel) error {
				return ch.Recover(false) //lint:ignore SA1019 other clients still use it
			}},
			{"a tag twice", func(ch *rabbitmq.Channel) error {
				declare(p.t, ch, message.Checks, p.agent)
				if _, err := ch.Consume("", "tag", false, false, false, false, nil); err != nil {
					return err
				}
				_, err := ch.Consume("", "tag", false, false, false, false, nil)
				return err
			}},
		} {
			c := dial(p.t, p.url)
			closed := c.NotifyClose(make(chan *rabbitmq.Error, 1))
			if err := try.do(openChannel(p.t, c)); err != nil {
				p.noteFault(try.name, err)
			}
			p.closed(closed)
		}
	}},
	{"exclusive consumers", func(p *peer) {
		c, ch, queue := p.connect()
		if _, err := ch.Consume(queue, "a", false, true, false, false, nil); err != nil {
			p.t.Fatal(err)
		}
		_, err := openChannel(p.t, c).Consume(queue, "b", false, false, false, false, nil)
		p.noteFault("beside an exclusive one", err)
		p.noteFault("cancel", ch.Cancel("a", false))
		p.consume(ch, queue, "c", false)
		_, err = openChannel(p.t, c).Consume(queue, "d", false, true, false, false, nil)
		p.noteFault("exclusive beside another", err)
	}},
	{"recovering", func(p *peer) {
		_, ch, queue := p.connect()
		deliveries := p.consume(ch, queue, "tag", false)
		p.send(p.agent, "1")
		p.send(p.agent, "2")
		p.expect(deliveries, 2)
		p.noteFault("recover", ch.Recover(true)) //lint:ignore SA1019 other clients still use it
		p.expect(deliveries, 2)
		p.noteFault("flow", ch.Flow(true))
	}},
	{"topics", func(p *peer) {
		_, ch, queue := p.connect()
		for _, key := range []string{"agents", "#", "*", "agents.#", "#.agents", "*.agents", "agents.*", "#.#", "*.#", "#.*", "#.*.#", "#.*.*", "", "Agents", "agent"} {
			if err := ch.QueueBind(queue, key, "trento.checks", false, nil); err != nil {
				p.t.Fatal(err)
			}
			if key != message.RequestKey {
				if err := ch.QueueUnbind(queue, message.RequestKey, "trento.checks", nil); err != nil {
					p.t.Fatal(err)
				}
			}
			p.send(p.agent, "x")
			n, err := ch.QueuePurge(queue, false)
			p.note("bound with %q: %d, %v", key, n, err)
			if err := ch.QueueUnbind(queue, key, "trento.checks", nil); err != nil {
				p.t.Fatal(err)
			}
		}
	}},
}
