package amqp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"trento/store"
	"trento/store/message"
)

// queueOf returns a queue that a connection may use. The lock of the broker is
// held.
func (b *Broker) queueOf(c *connection, name string) (*queue, error) {
	if _, err := b.mayUse(c, name); err != nil {
		return nil, err
	}
	q := b.queues[name]
	if q == nil {
		return nil, closeChannel(notFound, "no queue '%.150s' in vhost '/'", name)
	}
	q.usedAt = b.now()
	return q, nil
}

// mayUse returns a new queue with a name if the connection may use it, else an
// error. A connection belongs to the agent whose queue it declared first, and
// may use only queues of that agent.
func (b *Broker) mayUse(c *connection, name string) (*queue, error) {
	kind, agent, ok := message.QueueOwner(name)
	if !ok {
		return nil, closeChannel(accessRefused, "access to queue '%.150s' refused: it is not the queue of an agent", name)
	}
	if c.agent != "" && c.agent != agent {
		return nil, closeChannel(accessRefused, "access to queue '%.150s' refused: the connection is that of agent %s", name, c.agent)
	}
	return &queue{name: name, kind: kind, agent: agent, usedAt: b.now()}, nil
}

// declareQueue creates a queue unless it exists, and returns how many messages
// and consumers it has. With passive, it never creates one.
func (b *Broker) declareQueue(ch *channel, name string, passive bool) (waiting, consumers int, err error) {
	b.mutex.Lock()
	fresh, err := b.mayUse(ch.connection, name)
	if err != nil {
		b.mutex.Unlock()
		return 0, 0, err
	}
	q := b.queues[name]
	switch {
	case q == nil && passive:
		err = closeChannel(notFound, "no queue '%.150s' in vhost '/'", name)
	case q == nil && len(b.queues) >= maxQueues:
		err = closeConnection(resourceError, "there are too many queues")
	case q == nil:
		b.queues[name] = fresh
		q = fresh
	}
	if err != nil {
		b.mutex.Unlock()
		return 0, 0, err
	}
	b.expire(q)
	q.usedAt = b.now()
	if ch.connection.agent == "" {
		ch.connection.agent = q.agent
		b.changes.add(q.agent, b.now())
	}
	waiting, consumers = len(q.waiting), len(q.consumers)
	stored := q.stored()
	b.mutex.Unlock()
	return waiting, consumers, b.keep(stored)
}

// stored returns the record of the queue for the store.
func (q *queue) stored() store.Queue {
	stored := store.Queue{Name: q.name}
	for _, key := range q.keys {
		stored.Bindings = append(stored.Bindings, store.Binding{Exchange: q.kind.Exchange(), Key: key})
	}
	return stored
}

// keep stores a queue. If nothing has changed, nothing is written.
func (b *Broker) keep(q store.Queue) error {
	if err := b.options.Store.PutQueue(context.Background(), q); err != nil {
		b.log.Error("the queue of an agent cannot be stored", "queue", q.Name, "error", err)
		return closeConnection(internalError, "the queue cannot be stored")
	}
	return nil
}

// bind binds a queue to the exchange of its kind, or unbinds it.
func (b *Broker) bind(ch *channel, name, exchange, key string, bound bool) error {
	kind, err := exchangeKind(exchange)
	if err != nil {
		return err
	}
	b.mutex.Lock()
	q, err := b.queueOf(ch.connection, name)
	if err == nil && q.kind != kind {
		err = closeChannel(accessRefused, "queue '%.150s' may not be bound to exchange '%s'", name, exchange)
	}
	if err == nil && bound && (!utf8.ValidString(key) || strings.ContainsRune(key, 0)) {
		err = closeChannel(preconditionFailed, "the routing key of a binding is no text")
	}
	if err == nil && bound && !slices.Contains(q.keys, key) {
		if len(q.keys) >= maxKeys {
			err = closeChannel(resourceError, "queue '%.150s' has too many bindings", name)
		} else {
			q.keys = append(q.keys, key)
		}
	}
	if err != nil {
		b.mutex.Unlock()
		return err
	}
	if !bound {
		q.keys = slices.DeleteFunc(q.keys, func(k string) bool { return k == key })
	}
	stored := q.stored()
	b.mutex.Unlock()
	return b.keep(stored)
}

// purge removes the messages that wait in a queue.
func (b *Broker) purge(ch *channel, name string) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q, err := b.queueOf(ch.connection, name)
	if err != nil {
		return 0, err
	}
	return b.empty(q), nil
}

// empty removes the messages that wait in a queue. The lock is held.
func (b *Broker) empty(q *queue) (removed int) {
	for m := b.takeFirst(q); m != nil; m = b.takeFirst(q) {
		b.settleMessage(q, m, message.Lost)
		removed++
	}
	return removed
}

// takeFirst takes the next message of a queue. The lock is held.
func (b *Broker) takeFirst(q *queue) *queued {
	m := q.first()
	if m != nil {
		b.totalBytes -= len(m.body)
	}
	return m
}

// deleteQueue deletes a queue with its messages, and tells its consumers.
func (b *Broker) deleteQueue(ch *channel, name string, ifUnused, ifEmpty bool) (int, error) {
	b.mutex.Lock()
	if _, err := b.mayUse(ch.connection, name); err != nil {
		b.mutex.Unlock()
		return 0, err
	}
	q := b.queues[name]
	var fault error
	switch {
	case q == nil: // deleting a queue that does not exist succeeds
		b.mutex.Unlock()
		return 0, nil
	case ifUnused && len(q.consumers) > 0:
		fault = closeChannel(preconditionFailed, "queue '%.150s' in vhost '/' in use", name)
	case ifEmpty && len(q.waiting) > 0:
		fault = closeChannel(preconditionFailed, "queue '%.150s' in vhost '/' is not empty", name)
	}
	if fault != nil {
		b.mutex.Unlock()
		return 0, fault
	}
	removed := b.empty(q)
	for _, c := range q.consumers {
		delete(c.channel.consumers, c.tag)
		c.channel.reply(basicCancel, func(out []byte) []byte { return append(appendShortText(out, c.tag), 1) })
	}
	q.consumers = nil
	delete(b.queues, name)
	b.changes.add(q.agent, b.now())
	b.mutex.Unlock()
	if err := b.options.Store.DeleteQueue(context.Background(), name); err != nil {
		b.log.Error("the queue of an agent cannot be deleted", "queue", name, "error", err)
		return 0, closeConnection(internalError, "the queue cannot be deleted")
	}
	return removed, nil
}

// setPrefetch limits the unacknowledged messages: of the whole channel, or of
// each new consumer.
func (b *Broker) setPrefetch(ch *channel, count int, whole bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if whole {
		ch.prefetch = count
		b.dispatchTo(ch)
	} else {
		ch.newPrefetch = count
	}
}

// consume adds a consumer. reply is called before its first message.
func (b *Broker) consume(c *consumer, name string, reply func()) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	ch := c.channel
	q, err := b.queueOf(ch.connection, name)
	if err != nil {
		return err
	}
	if c.tag == "" {
		ch.connection.tags++
		c.tag = fmt.Sprintf("amq.ctag-%d-%d", ch.number, ch.connection.tags)
	}
	switch {
	case ch.consumers[c.tag] != nil:
		return closeConnection(notAllowed, "attempt to reuse consumer tag '%.150s'", c.tag)
	case len(ch.consumers) >= maxConsumers:
		return closeChannel(resourceError, "the channel has too many consumers")
	case len(q.consumers) > 0 && (c.exclusive || q.consumers[0].exclusive):
		return closeChannel(accessRefused, "queue '%.150s' in vhost '/' in exclusive use", name)
	}
	c.queue, c.prefetch = q, ch.newPrefetch
	ch.consumers[c.tag] = c
	q.consumers = append(q.consumers, c)
	b.changes.add(q.agent, b.now())
	reply()
	b.dispatch(q)
	return nil
}

// cancel ends a consumer. Its unacknowledged messages stay with the channel.
func (b *Broker) cancel(ch *channel, tag string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if c := ch.consumers[tag]; c != nil {
		b.removeConsumer(c)
	}
}

// removeConsumer removes a consumer. The lock is held.
func (b *Broker) removeConsumer(c *consumer) {
	delete(c.channel.consumers, c.tag)
	c.queue.consumers = slices.DeleteFunc(c.queue.consumers, func(other *consumer) bool { return other == c })
	c.queue.usedAt = b.now()
	b.changes.add(c.queue.agent, b.now())
}

// get delivers one message.
func (b *Broker) get(ch *channel, name string, noAck bool) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q, err := b.queueOf(ch.connection, name)
	if err != nil {
		return err
	}
	b.expire(q)
	if !noAck && len(ch.unacked) >= maxUnacked {
		return closeChannel(resourceError, "too many messages are not acknowledged")
	}
	m := b.takeFirst(q)
	if m == nil {
		ch.reply(basicGetEmpty, func(out []byte) []byte { return appendShortText(out, "") })
		return nil
	}
	tag := b.handTo(ch, nil, q, m, noAck)
	left := len(q.waiting)
	ch.connection.append(func(out []byte) []byte {
		out = appendMethod(out, ch.number, basicGetOK, func(out []byte) []byte {
			out = append(appendUint64(out, tag), asBit(m.redelivered))
			return appendUint32(appendShortText(appendShortText(out, m.exchange), m.routingKey), uint32(left))
		})
		return appendContent(out, ch.number, m.content, m.body, ch.connection.frameMax)
	})
	return nil
}

// dispatch delivers messages of a queue for as long as there are messages and
// consumers that can take one. The lock is held.
func (b *Broker) dispatch(q *queue) {
	if len(q.waiting) == 0 || len(q.consumers) == 0 {
		return
	}
	b.expire(q)
	for len(q.waiting) > 0 {
		c := q.nextConsumer()
		if c == nil {
			return
		}
		b.deliver(c, b.takeFirst(q))
	}
}

// dispatchTo delivers what a channel can take now. The lock is held.
func (b *Broker) dispatchTo(ch *channel) {
	for _, c := range ch.consumers {
		b.dispatch(c.queue)
	}
}

// resume delivers messages again to a connection that was paused.
func (b *Broker) resume(c *connection) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, kind := range message.Kinds {
		if q := b.queues[kind.Queue(c.agent)]; q != nil {
			b.dispatch(q)
		}
	}
}

// deliver sends a message to a consumer. The lock is held.
func (b *Broker) deliver(c *consumer, m *queued) {
	ch := c.channel
	tag := b.handTo(ch, c, c.queue, m, c.noAck)
	ch.connection.append(func(out []byte) []byte {
		out = appendMethod(out, ch.number, basicDeliver, func(out []byte) []byte {
			out = append(appendUint64(appendShortText(out, c.tag), tag), asBit(m.redelivered))
			return appendShortText(appendShortText(out, m.exchange), m.routingKey)
		})
		return appendContent(out, ch.number, m.content, m.body, ch.connection.frameMax)
	})
}

// handTo adds a message to the unacknowledged messages of a channel, and
// returns its delivery tag. The lock is held.
func (b *Broker) handTo(ch *channel, c *consumer, q *queue, m *queued, noAck bool) (tag uint64) {
	ch.lastTag++
	if noAck {
		b.settleMessage(q, m, message.Acknowledged)
		return ch.lastTag
	}
	m.delivery.Set(message.Delivered)
	ch.unacked = append(ch.unacked, unacked{tag: ch.lastTag, message: m, queue: q, consumer: c})
	if c != nil {
		c.unacked++
		ch.consuming++
	}
	return ch.lastTag
}

// outcome says how the delivery of a message to a channel has ended.
type outcome uint8

const (
	acknowledged outcome = iota
	refused              // it is not delivered again
	requeued             // the agent returns it to the queue
	dropped              // the channel has ended
)

func refusal(requeue bool) outcome {
	if requeue {
		return requeued
	}
	return refused
}

// settle ends the delivery with a tag, or with multiple all deliveries up to
// that tag.
func (b *Broker) settle(ch *channel, tag uint64, multiple bool, o outcome) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	taken, err := ch.takeUnacked(tag, multiple)
	if err != nil {
		return err
	}
	b.settleTaken(ch, taken, o)
	return nil
}

// settleAll ends all deliveries of a channel.
func (b *Broker) settleAll(ch *channel, o outcome) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	taken := ch.unacked
	ch.unacked = nil
	b.settleTaken(ch, taken, o)
}

// settleTaken ends deliveries that were removed from a channel, and delivers
// further messages as far as there is room. The lock is held.
func (b *Broker) settleTaken(ch *channel, taken []unacked, o outcome) {
	for _, u := range taken {
		if u.consumer != nil {
			u.consumer.unacked--
			ch.consuming--
		}
		switch {
		case o == acknowledged:
			b.settleMessage(u.queue, u.message, message.Acknowledged)
		case o == refused:
			b.settleMessage(u.queue, u.message, message.Refused)
		case o == dropped && u.message.once, b.queues[u.queue.name] != u.queue:
			b.settleMessage(u.queue, u.message, message.Lost)
		default:
			u.queue.putBack(u.message)
			b.totalBytes += len(u.message.body)
		}
	}
	for _, u := range taken {
		b.dispatch(u.queue)
	}
	b.dispatchTo(ch)
}

// settleMessage sets the state of a message that has left its queue, and marks
// it for deletion from the store. The lock is held.
func (b *Broker) settleMessage(q *queue, m *queued, state message.DeliveryState) {
	m.delivery.Set(state)
	if m.sequence == 0 || state == message.Expired { // the store prunes those
		return
	}
	b.settled[q.name] = append(b.settled[q.name], m.sequence)
	select {
	case b.wakeUp <- struct{}{}:
	default:
	}
}

// deleteSettled deletes the settled messages from the store. If a message
// cannot be deleted, it may be delivered again after a restart.
func (b *Broker) deleteSettled(ctx context.Context) {
	b.mutex.Lock()
	settled := b.settled
	b.settled = map[string][]uint64{}
	b.mutex.Unlock()
	for queue, sequences := range settled {
		if err := b.options.Store.DeleteQueuedMessages(ctx, queue, sequences); err != nil {
			b.log.Error("messages that agents have taken cannot be deleted", "queue", queue, "error", err)
		}
	}
}

// expire removes messages that nobody took in time. The lock is held.
func (b *Broker) expire(q *queue) {
	for _, m := range q.removeExpired(b.now()) {
		b.totalBytes -= len(m.body)
		b.settleMessage(q, m, message.Expired)
	}
}

// closeChannel puts the unacknowledged messages of a channel back into their
// queues, and ends its consumers.
func (b *Broker) closeChannel(ch *channel) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.closeChannelLocked(ch)
}

func (b *Broker) closeChannelLocked(ch *channel) {
	for _, c := range ch.consumers {
		b.removeConsumer(c)
	}
	if ch.incoming != nil {
		b.unfinishedBytes -= len(ch.incoming.body)
		ch.incoming = nil
	}
	taken := ch.unacked
	ch.unacked = nil
	b.settleTaken(ch, taken, dropped)
}

// pruneQueues removes expired messages, and queues that nobody uses any more: an
// agent that comes back declares its own again.
func (b *Broker) pruneQueues(ctx context.Context) {
	now := b.now()
	var unused []string
	b.mutex.Lock()
	for name, q := range b.queues {
		b.expire(q)
		if len(q.waiting) == 0 && len(q.consumers) == 0 && now.Sub(q.usedAt) > unusedQueueLife {
			delete(b.queues, name)
			unused = append(unused, name)
		}
	}
	b.mutex.Unlock()
	for _, name := range unused {
		if err := b.options.Store.DeleteQueue(ctx, name); err != nil {
			b.log.Error("the unused queue of an agent cannot be deleted", "queue", name, "error", err)
		}
	}
}

// Send implements message.Bus.
func (b *Broker) Send(ctx context.Context, r message.Request) (*message.Delivery, error) {
	if r.Durable && r.Once {
		return nil, errors.New("a message that is delivered once cannot be durable")
	}
	now := b.now()
	body, err := message.Encode(r.Content, now, r.ExpiresAt)
	if err != nil {
		return nil, err
	}
	kind := message.KindOf(r.Content)
	m := &queued{
		exchange: kind.Exchange(), routingKey: message.RequestKey, body: body, expiresAt: r.ExpiresAt, once: r.Once,
		content:  contentProperties{contentType: message.ContentType, persistent: r.Durable},
		delivery: &message.Delivery{},
	}
	name := kind.Queue(r.Agent)
	if err := b.hasRoom(name, len(body)); err != nil {
		return nil, err
	}
	if r.Durable {
		m.sequence, err = b.options.Store.AddQueuedMessage(ctx, store.QueuedMessage{
			Queue: name, ExpiresAt: r.ExpiresAt, Exchange: m.exchange, RoutingKey: m.routingKey, ContentType: message.ContentType, Body: body,
		})
		if err != nil {
			return nil, err
		}
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q := b.queues[name]
	if q == nil { // the queue was deleted meanwhile
		b.settleMessage(&queue{name: name}, m, message.Lost)
		return nil, message.ErrNoQueue
	}
	b.lastOrder++
	m.order = b.lastOrder
	q.add(m)
	b.totalBytes += len(body)
	b.dispatch(q)
	return m.delivery, nil
}

// hasRoom checks that a queue exists and has room for a message of a size.
func (b *Broker) hasRoom(name string, size int) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q := b.queues[name]
	if q == nil || !q.isBound(message.RequestKey) {
		return message.ErrNoQueue
	}
	b.expire(q)
	if len(q.waiting) >= maxWaiting || q.bytes+size > maxWaitingBytes || b.totalBytes+size > maxTotalBytes {
		return message.ErrQueueFull
	}
	return nil
}

// receives returns the kinds of messages that a connection waits for. The lock
// is held.
func (b *Broker) receives(c *connection) []message.Kind {
	var kinds []message.Kind
	for _, kind := range message.Kinds {
		q := b.queues[kind.Queue(c.agent)]
		if q != nil && slices.ContainsFunc(q.consumers, func(consumer *consumer) bool { return consumer.channel.connection == c }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
