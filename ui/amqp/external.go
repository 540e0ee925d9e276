package amqp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/fault"
	"trento/store/message"
)

const (
	minRetryDelay = time.Second
	maxRetryDelay = 30 * time.Second
	// confirmTimeout is how long an external broker may take to confirm a
	// message.
	confirmTimeout = 10 * time.Second
)

// External is a message.Bus that uses an external broker, such as RabbitMQ. The
// agents connect to the same broker.
type External struct {
	url string
	log *slog.Logger

	sending    sync.Mutex // one message is sent at a time
	mutex      sync.Mutex
	link       *link // nil while the broker cannot be reached
	downReason error // why up is nil
	// subscribers do not change once Run is called.
	subscribers map[message.Kind]func(context.Context, message.Envelope) error
}

// link is an open connection to the broker.
type link struct {
	publisher *rabbitmq.Channel
	returned  chan rabbitmq.Return // messages that no queue took
}

// NewExternal returns an External. Run connects it.
func NewExternal(url string, log *slog.Logger) *External {
	return &External{
		url: url, log: log, downReason: errors.New("not connected yet"),
		subscribers: map[message.Kind]func(context.Context, message.Envelope) error{},
	}
}

// Subscribe implements message.Bus. It is to be called before Run.
func (x *External) Subscribe(kind message.Kind, handle func(context.Context, message.Envelope) error) {
	x.subscribers[kind] = handle
}

// Presence implements message.Bus. It never knows: an external broker tells
// only its administrators.
func (x *External) Presence(string, message.Kind) message.Presence { return message.PresenceUnknown }

// Down returns why there is no connection to the broker; nil if there is one.
func (x *External) Down() error {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	return x.downReason
}

// Run keeps the connection to the broker until ctx is done.
func (x *External) Run(ctx context.Context) error {
	for retry := minRetryDelay; ctx.Err() == nil; retry = min(2*retry, maxRetryDelay) {
		err := x.connect(ctx, func() { retry = minRetryDelay / 2 })
		x.mutex.Lock()
		x.link, x.downReason = nil, err
		x.mutex.Unlock()
		if ctx.Err() != nil {
			return nil
		}
		x.log.Error("no connection to the message broker", "broker", redactPassword(x.url), "error", err, "next attempt in", retry)
		select {
		case <-time.After(retry):
		case <-ctx.Done():
		}
	}
	return nil
}

// redactPassword returns a URL without its password, for the log.
func redactPassword(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "(its address cannot be read)"
}

// connect connects to the broker, and returns when the connection has ended. It
// calls connected as soon as messages can be sent and received.
func (x *External) connect(ctx context.Context, connected func()) error {
	c, err := rabbitmq.DialConfig(x.url, rabbitmq.Config{
		Heartbeat: 10 * time.Second, Locale: "en_US", Dial: rabbitmq.DefaultDial(confirmTimeout), Properties: rabbitmq.Table{"connection_name": "trento-web"},
	})
	if err != nil {
		return err
	}
	defer c.Close()
	ended := c.NotifyClose(make(chan *rabbitmq.Error, 1))
	publisher, err := c.Channel()
	if err != nil {
		return err
	}
	if err := publisher.Confirm(false); err != nil {
		return err
	}
	publisherEnded := publisher.NotifyClose(make(chan *rabbitmq.Error, 1))
	up := &link{publisher: publisher, returned: publisher.NotifyReturn(make(chan rabbitmq.Return, 10))}
	for _, kind := range message.Kinds {
		if err := publisher.ExchangeDeclare(kind.Exchange(), "topic", true, false, false, false, nil); err != nil {
			return err
		}
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer c.Close() // ends the consumers
	for kind, handle := range x.subscribers {
		answers, err := x.consume(c, kind)
		if err != nil {
			return err
		}
		running.Go(func() { x.handleAnswers(ctx, kind, answers, handle) })
	}
	x.mutex.Lock()
	x.link, x.downReason = up, nil
	x.mutex.Unlock()
	x.log.Info("connected to the message broker", "broker", redactPassword(x.url))
	connected()
	select {
	case fault := <-ended:
		return endError(fault)
	case fault := <-publisherEnded:
		return endError(fault)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// endError returns the error of a connection or channel that has ended. The
// library gives no error if this program closed it.
func endError(fault *rabbitmq.Error) error {
	if fault == nil {
		return errors.New("the connection was closed")
	}
	return fault
}

// consume begins to receive the answers of agents.
func (x *External) consume(c *rabbitmq.Connection, kind message.Kind) (<-chan rabbitmq.Delivery, error) {
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	queue := kind.Exchange() + "." + kind.AnswerKey()
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		return nil, fmt.Errorf("queue %s: %w", queue, err)
	}
	if err := ch.QueueBind(queue, kind.AnswerKey(), kind.Exchange(), false, nil); err != nil {
		return nil, err
	}
	if err := ch.Qos(10, 0, false); err != nil {
		return nil, err
	}
	return ch.Consume(queue, "trento-web", false, false, false, false, nil)
}

// handleAnswers hands answers to the subscriber, one after the other. If the subscriber
// fails, the answer is delivered once more. An answer that cannot be decoded is
// not delivered again.
func (x *External) handleAnswers(ctx context.Context, kind message.Kind, answers <-chan rabbitmq.Delivery, handle func(context.Context, message.Envelope) error) {
	for d := range answers {
		envelope, err := message.Decode(d.Body)
		if err == nil && (!envelope.Answer || envelope.Kind != kind) {
			err = fmt.Errorf("%s is no answer", envelope.Type)
		}
		if err != nil {
			x.log.Warn("a message on the broker cannot be read", "queue", kind, "error", err)
			err = d.Reject(false)
		} else if err = handle(ctx, envelope); err != nil {
			x.log.Error("an answer of an agent was not received", "agent", envelope.Agent(), "type", envelope.Type, "error", err)
			err = d.Reject(!d.Redelivered)
		} else {
			err = d.Ack(false)
		}
		if err != nil {
			return // the connection has ended
		}
	}
}

// Send implements message.Bus. An external broker delivers unacknowledged
// messages again, even if the request says Once.
func (x *External) Send(ctx context.Context, r message.Request) (*message.Delivery, error) {
	now := time.Now()
	body, err := message.Encode(r.Content, now, r.ExpiresAt)
	if err != nil {
		return nil, err
	}
	envelope, err := message.Decode(body)
	if err != nil {
		return nil, err
	}
	m := rabbitmq.Publishing{
		ContentType: message.ContentType, DeliveryMode: rabbitmq.Transient, MessageId: envelope.ID, Body: body,
		Expiration: strconv.FormatInt(max(0, r.ExpiresAt.Sub(now).Milliseconds()), 10),
	}
	if r.Durable {
		m.DeliveryMode = rabbitmq.Persistent
	}
	x.sending.Lock()
	defer x.sending.Unlock()
	x.mutex.Lock()
	up, reason := x.link, x.downReason
	x.mutex.Unlock()
	if up == nil {
		return nil, unreachableError(reason)
	}
	if err := up.publish(ctx, envelope.Kind.Queue(r.Agent), m); err != nil {
		return nil, err
	}
	d := &message.Delivery{}
	d.Set(message.HandedOver)
	return d, nil
}

// publish sends a message to a queue, and waits until the broker confirms it.
// It fails with message.ErrNoQueue if there is no such queue.
func (l *link) publish(ctx context.Context, queue string, m rabbitmq.Publishing) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	// The default exchange sends to the queue of one agent. The exchange of the
	// kind would send to the queues of all agents.
	confirmation, err := l.publisher.PublishWithDeferredConfirmWithContext(ctx, "", queue, true, false, m)
	if err != nil {
		return unreachableError(err)
	}
	confirmed, err := confirmation.WaitContext(ctx)
	if err != nil || !confirmed {
		return unreachableError(errors.Join(err, errors.New("the message was not confirmed")))
	}
	for { // a message that no queue took is returned before it is confirmed
		select {
		case r := <-l.returned:
			if r.MessageId == m.MessageId {
				return message.ErrNoQueue
			}
		default:
			return nil
		}
	}
}

func unreachableError(cause error) error {
	return &fault.Error{Kind: fault.Busy, Detail: "The message broker (AMQP_URL) cannot be reached. The log of this server says why.", Cause: cause}
}
