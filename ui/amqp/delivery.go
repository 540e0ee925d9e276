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

// queueForUse returns a queue that a connection may use. The lock of the broker is
// held.
func (b *Broker) queueForUse(c *connection, name string) (*queue, error) {
	if _, err := b.newQueueForUse(c, name); err != nil {
		return nil, err
	}
	q := b.queues[name]
	if q == nil {
		return nil, channelFault(notFound, "no queue '%.150s' in vhost '/'", name)
	}
	q.usedAt = b.now()
	return q, nil
}

// newQueueForUse returns a new queue with a name if the connection may use it, else an
// error. A connection belongs to the agent whose queue it declared first, and
// may use only queues of that agent.
func (b *Broker) newQueueForUse(c *connection, name string) (*queue, error) {
	kind, agent, ok := message.QueueOwner(name)
	if !ok {
		return nil, channelFault(accessRefused, "access to queue '%.150s' refused: it is not the queue of an agent", name)
	}
	if c.agent != "" && c.agent != agent {
		return nil, channelFault(accessRefused, "access to queue '%.150s' refused: the connection is that of agent %s", name, c.agent)
	}
	return &queue{name: name, kind: kind, agent: agent, usedAt: b.now()}, nil
}

// declareQueue creates a queue unless it exists, and returns how many messages
// and consumers it has. With passive, it never creates one.
func (b *Broker) declareQueue(ch *channel, name string, passive bool) (waiting, consumers int, err error) {
	b.mutex.Lock()
	fresh, err := b.newQueueForUse(ch.connection, name)
	if err != nil {
		b.mutex.Unlock()
		return 0, 0, err
	}
	q := b.queues[name]
	switch {
	case q == nil && passive:
		err = channelFault(notFound, "no queue '%.150s' in vhost '/'", name)
	case q == nil && len(b.queues) >= maxQueues:
		err = connectionFault(resourceError, "there are too many queues")
	case q == nil:
		b.queues[name] = fresh
		q = fresh
	}
	if err != nil {
		b.mutex.Unlock()
		return 0, 0, err
	}
	b.removeExpired(q)
	q.usedAt = b.now()
	if ch.connection.agent == "" {
		ch.connection.agent = q.agent
		b.changes.add(q.agent, b.now())
	}
	waiting, consumers = len(q.waiting), len(q.consumers)
	stored := q.record()
	b.mutex.Unlock()
	return waiting, consumers, b.storeQueue(stored)
}

// record returns the record of the queue for the store.
func (q *queue) record() store.Queue {
	stored := store.Queue{Name: q.name}
	for _, key := range q.keys {
		stored.Bindings = append(stored.Bindings, store.Binding{Exchange: q.kind.Exchange(), Key: key})
	}
	return stored
}

// storeQueue stores a queue. If nothing has changed, nothing is written.
func (b *Broker) storeQueue(q store.Queue) error {
	if err := b.options.Store.PutQueue(context.Background(), q); err != nil {
		b.log.Error("the queue of an agent cannot be stored", "queue", q.Name, "error", err)
		return connectionFault(internalError, "the queue cannot be stored")
	}
	return nil
}

// bind binds a queue to an exchange if bound is true, else it unbinds it. Both
// must be for the same kind of message.
func (b *Broker) bind(ch *channel, name, exchange, key string, bound bool) error {
	kind, err := exchangeKind(exchange)
	if err != nil {
		return err
	}
	b.mutex.Lock()
	q, err := b.queueForUse(ch.connection, name)
	if err == nil && q.kind != kind {
		err = channelFault(accessRefused, "queue '%.150s' may not be bound to exchange '%s'", name, exchange)
	}
	if err == nil && bound && (!utf8.ValidString(key) || strings.ContainsRune(key, 0)) {
		err = channelFault(preconditionFailed, "the routing key of a binding is no text")
	}
	if err == nil && bound && !slices.Contains(q.keys, key) {
		if len(q.keys) >= maxRoutingKeys {
			err = channelFault(resourceError, "queue '%.150s' has too many bindings", name)
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
	stored := q.record()
	b.mutex.Unlock()
	return b.storeQueue(stored)
}

// purge removes the messages that wait in a queue.
func (b *Broker) purge(ch *channel, name string) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q, err := b.queueForUse(ch.connection, name)
	if err != nil {
		return 0, err
	}
	return b.emptyQueue(q), nil
}

// emptyQueue removes the messages that wait in a queue. The lock is held.
func (b *Broker) emptyQueue(q *queue) (removed int) {
	for m := b.takeFirst(q); m != nil; m = b.takeFirst(q) {
		b.settleMessage(q, m, message.Lost)
		removed++
	}
	return removed
}

// takeFirst takes the next message of a queue. The lock is held.
func (b *Broker) takeFirst(q *queue) *queuedMessage {
	m := q.takeFirst()
	if m != nil {
		b.totalBytes -= len(m.body)
	}
	return m
}

// deleteQueue deletes a queue with its messages, and tells its consumers.
func (b *Broker) deleteQueue(ch *channel, name string, ifUnused, ifEmpty bool) (int, error) {
	b.mutex.Lock()
	if _, err := b.newQueueForUse(ch.connection, name); err != nil {
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
		fault = channelFault(preconditionFailed, "queue '%.150s' in vhost '/' in use", name)
	case ifEmpty && len(q.waiting) > 0:
		fault = channelFault(preconditionFailed, "queue '%.150s' in vhost '/' is not empty", name)
	}
	if fault != nil {
		b.mutex.Unlock()
		return 0, fault
	}
	removed := b.emptyQueue(q)
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
		return 0, connectionFault(internalError, "the queue cannot be deleted")
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
	q, err := b.queueForUse(ch.connection, name)
	if err != nil {
		return err
	}
	if c.tag == "" {
		ch.connection.generatedTags++
		c.tag = fmt.Sprintf("amq.ctag-%d-%d", ch.number, ch.connection.generatedTags)
	}
	switch {
	case ch.consumers[c.tag] != nil:
		return connectionFault(notAllowed, "attempt to reuse consumer tag '%.150s'", c.tag)
	case len(ch.consumers) >= maxConsumers:
		return channelFault(resourceError, "the channel has too many consumers")
	case len(q.consumers) > 0 && (c.exclusive || q.consumers[0].exclusive):
		return channelFault(accessRefused, "queue '%.150s' in vhost '/' in exclusive use", name)
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
	q, err := b.queueForUse(ch.connection, name)
	if err != nil {
		return err
	}
	b.removeExpired(q)
	if !noAck && len(ch.unacked) >= maxUnackedMessages {
		return channelFault(resourceError, "too many messages are not acknowledged")
	}
	m := b.takeFirst(q)
	if m == nil {
		ch.reply(basicGetEmpty, func(out []byte) []byte { return appendShortText(out, "") })
		return nil
	}
	tag := b.addUnacked(ch, nil, q, m, noAck)
	left := len(q.waiting)
	ch.connection.appendOutput(func(out []byte) []byte {
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
	b.removeExpired(q)
	for len(q.waiting) > 0 {
		c := q.nextConsumer()
		if c == nil {
			return
		}
		b.deliver(c, b.takeFirst(q))
	}
}

// dispatchTo delivers messages to the consumers of a channel for as long as
// they can take one. The lock is held.
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
func (b *Broker) deliver(c *consumer, m *queuedMessage) {
	ch := c.channel
	tag := b.addUnacked(ch, c, c.queue, m, c.noAck)
	ch.connection.appendOutput(func(out []byte) []byte {
		out = appendMethod(out, ch.number, basicDeliver, func(out []byte) []byte {
			out = append(appendUint64(appendShortText(out, c.tag), tag), asBit(m.redelivered))
			return appendShortText(appendShortText(out, m.exchange), m.routingKey)
		})
		return appendContent(out, ch.number, m.content, m.body, ch.connection.frameMax)
	})
}

// addUnacked adds a message to the unacknowledged messages of a channel, and
// returns its delivery tag. The lock is held.
func (b *Broker) addUnacked(ch *channel, c *consumer, q *queue, m *queuedMessage, noAck bool) (tag uint64) {
	ch.lastTag++
	if noAck {
		b.settleMessage(q, m, message.Acknowledged)
		return ch.lastTag
	}
	m.delivery.Set(message.Delivered)
	ch.unacked = append(ch.unacked, unackedMessage{tag: ch.lastTag, message: m, queue: q, consumer: c})
	if c != nil {
		c.unacked++
		ch.consumerUnacked++
	}
	return ch.lastTag
}

// outcome says how the delivery of a message to a channel has ended.
type outcome uint8

const (
	outcomeAcknowledged outcome = iota
	outcomeRefused              // it is not delivered again
	outcomeRequeued             // the agent returns it to the queue
	outcomeChannelEnded         // the channel has ended
)

func outcomeOfRefusal(requeue bool) outcome {
	if requeue {
		return outcomeRequeued
	}
	return outcomeRefused
}

// settleDeliveries ends the delivery with a tag, or with multiple all deliveries up to
// that tag.
func (b *Broker) settleDeliveries(ch *channel, tag uint64, multiple bool, o outcome) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	taken, err := ch.takeUnacked(tag, multiple)
	if err != nil {
		return err
	}
	b.settleUnacked(ch, taken, o)
	return nil
}

// settleAllDeliveries ends all deliveries of a channel.
func (b *Broker) settleAllDeliveries(ch *channel, o outcome) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	taken := ch.unacked
	ch.unacked = nil
	b.settleUnacked(ch, taken, o)
}

// settleUnacked ends deliveries that were removed from a channel, and delivers
// further messages as far as there is room. The lock is held.
func (b *Broker) settleUnacked(ch *channel, taken []unackedMessage, o outcome) {
	for _, u := range taken {
		if u.consumer != nil {
			u.consumer.unacked--
			ch.consumerUnacked--
		}
		switch {
		case o == outcomeAcknowledged:
			b.settleMessage(u.queue, u.message, message.Acknowledged)
		case o == outcomeRefused:
			b.settleMessage(u.queue, u.message, message.Refused)
		case o == outcomeChannelEnded && u.message.atMostOnce, b.queues[u.queue.name] != u.queue:
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
func (b *Broker) settleMessage(q *queue, m *queuedMessage, state message.DeliveryState) {
	m.delivery.Set(state)
	if m.sequence == 0 || state == message.Expired { // the store prunes expired messages itself
		return
	}
	b.settledSequences[q.name] = append(b.settledSequences[q.name], m.sequence)
	select {
	case b.wakeUp <- struct{}{}:
	default:
	}
}

// deleteSettled deletes the settled messages from the store. If a message
// cannot be deleted, it may be delivered again after a restart.
func (b *Broker) deleteSettled(ctx context.Context) {
	b.mutex.Lock()
	settled := b.settledSequences
	b.settledSequences = map[string][]uint64{}
	b.mutex.Unlock()
	for queue, sequences := range settled {
		if err := b.options.Store.DeleteQueuedMessages(ctx, queue, sequences); err != nil {
			b.log.Error("messages that agents have taken cannot be deleted", "queue", queue, "error", err)
		}
	}
}

// removeExpired removes messages that nobody took in time. The lock is held.
func (b *Broker) removeExpired(q *queue) {
	for _, m := range q.removeExpired(b.now()) {
		b.totalBytes -= len(m.body)
		b.settleMessage(q, m, message.Expired)
	}
}

// channelFault puts the unacknowledged messages of a channel back into their
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
	b.settleUnacked(ch, taken, outcomeChannelEnded)
}

// pruneQueues removes expired messages, and queues that no agent uses any more.
// An agent that comes back declares its queues again.
func (b *Broker) pruneQueues(ctx context.Context) {
	now := b.now()
	var unused []string
	b.mutex.Lock()
	for name, q := range b.queues {
		b.removeExpired(q)
		if len(q.waiting) == 0 && len(q.consumers) == 0 && now.Sub(q.usedAt) > unusedQueueLifetime {
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
	m := &queuedMessage{
		exchange: kind.Exchange(), routingKey: message.RequestKey, body: body, expiresAt: r.ExpiresAt, atMostOnce: r.Once,
		content:  contentProperties{contentType: message.ContentType, persistent: r.Durable},
		delivery: &message.Delivery{},
	}
	name := kind.Queue(r.Agent)
	if err := b.checkRoom(name, len(body)); err != nil {
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

// checkRoom checks that a queue exists and has room for a message of a size.
func (b *Broker) checkRoom(name string, size int) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	q := b.queues[name]
	if q == nil || !q.isBound(message.RequestKey) {
		return message.ErrNoQueue
	}
	b.removeExpired(q)
	if len(q.waiting) >= maxWaitingMessages || q.bytes+size > maxWaitingBytes || b.totalBytes+size > maxTotalBytes {
		return message.ErrQueueFull
	}
	return nil
}

// receivedKinds returns the kinds of messages that a connection waits for. The lock
// is held.
func (b *Broker) receivedKinds(c *connection) []message.Kind {
	var kinds []message.Kind
	for _, kind := range message.Kinds {
		q := b.queues[kind.Queue(c.agent)]
		if q != nil && slices.ContainsFunc(q.consumers, func(consumer *consumer) bool { return consumer.channel.connection == c }) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}
