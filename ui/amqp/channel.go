package amqp

import (
	"context"
	"fmt"
	"slices"

	"trento/store/message"
)

// channel is one channel of a connection.
type channel struct {
	connection *connection
	number     uint16
	// closing says that this server has closed the channel and the peer has not
	// confirmed that yet.
	closing bool
	// lastQueue is the queue that was declared last. A method with an empty
	// queue name means this queue.
	lastQueue         string
	incoming          *incoming // the message that is being received; nil: none
	confirmsPublished bool
	publishedCount    uint64 // number of messages since the client turned confirms on

	// The lock of the broker protects the fields below.
	consumers       map[string]*consumer
	unacked         []unackedMessage // in order of their tags
	lastTag         uint64
	consumerUnacked int // number of unacknowledged messages that were delivered to consumers
	// prefetch limits consuming. newPrefetch is the prefetch limit of each new
	// consumer. 0: no limit.
	prefetch, newPrefetch int
}

// incoming is a message that is being received.
type incoming struct {
	exchange, key string
	mandatory     bool
	hasHeader     bool
	content       contentProperties
	body          []byte
}

// handleChannelFrame handles a frame of a channel.
func (c *connection) handleChannelFrame(ctx context.Context, f frame) error {
	ch := c.channels[f.channel]
	id, d := methodOf(f)
	switch {
	case ch == nil:
		return c.openChannel(f.channel, id, d)
	case ch.closing:
		// The peer sent this frame before it knew that we closed the channel.
		if id == channelCloseOK || id == channelClose {
			delete(c.channels, f.channel)
		}
		if id == channelClose {
			c.send(f.channel, channelCloseOK, nil)
		}
		return nil
	}
	err := ch.handle(ctx, f, id, d)
	fault, _ := err.(*protocolFault)
	if fault == nil {
		return err
	}
	if fault.method == 0 {
		fault.method = id
	}
	if !fault.channelOnly {
		return fault
	}
	c.broker.logFault(c, fault)
	c.broker.closeChannel(ch)
	ch.closing = true
	c.send(f.channel, channelClose, closeArguments(fault))
	return nil
}

// openChannel handles the first frame of a channel.
func (c *connection) openChannel(number uint16, id methodID, d *decoder) error {
	switch {
	case id == channelCloseOK || id == channelClose:
		// The peer closed the channel at the same time as we did.
		if id == channelClose {
			c.send(number, channelCloseOK, nil)
		}
		return nil
	case id != channelOpen:
		return &protocolFault{code: channelError, text: "expected 'channel.open'", method: id}
	case number > c.channelMax || len(c.channels) >= maxChannels:
		return &protocolFault{code: notAllowed, text: fmt.Sprintf("channel %d: at most %d channels up to number %d are allowed", number, maxChannels, c.channelMax), method: id}
	}
	d.shortText() // reserved
	if err := d.checkEnd(); err != nil {
		return syntaxFault(id, err)
	}
	c.channels[number] = &channel{connection: c, number: number, consumers: map[string]*consumer{}}
	c.send(number, channelOpenOK, func(b []byte) []byte { return appendLongText(b, "") })
	return nil
}

// handle handles a frame of an open channel.
func (ch *channel) handle(ctx context.Context, f frame, id methodID, d *decoder) error {
	switch {
	case f.kind == frameHeader || f.kind == frameBody:
		return ch.receive(ctx, f)
	case ch.incoming != nil:
		return connectionFault(unexpectedFrame, "expected the content of a message, got another method")
	case d == nil:
		return connectionFault(frameError, "%s", errFieldTooLong)
	}
	method := channelMethods[id]
	if method == nil {
		return connectionFault(notImplemented, "method %d.%d", id.class(), id.number())
	}
	return method(ch, d)
}

// channelMethods are the methods of channels. Each reads its arguments, to the
// end, before it does anything.
var channelMethods = map[methodID]func(*channel, *decoder) error{
	channelOpen: func(*channel, *decoder) error {
		return connectionFault(channelError, "second 'channel.open' seen")
	},
	channelClose:   (*channel).close,
	channelCloseOK: func(*channel, *decoder) error { return nil },
	channelFlow:    (*channel).flow,

	exchangeDeclare: (*channel).exchangeDeclare,
	exchangeDelete:  refuseExchange,
	exchangeBind:    refuseExchange,
	exchangeUnbind:  refuseExchange,

	queueDeclare: (*channel).queueDeclare,
	queueBind:    (*channel).queueBind,
	queueUnbind:  (*channel).queueUnbind,
	queuePurge:   (*channel).queuePurge,
	queueDelete:  (*channel).queueDelete,

	basicQos:          (*channel).qos,
	basicConsume:      (*channel).consume,
	basicCancel:       (*channel).cancel,
	basicCancelOK:     func(*channel, *decoder) error { return nil },
	basicPublish:      (*channel).publish,
	basicGet:          (*channel).get,
	basicAck:          (*channel).ack,
	basicNack:         (*channel).nack,
	basicReject:       (*channel).reject,
	basicRecover:      func(ch *channel, d *decoder) error { return ch.recoverMessages(d, true) },
	basicRecoverAsync: func(ch *channel, d *decoder) error { return ch.recoverMessages(d, false) },

	confirmSelect: (*channel).confirmSelect,
}

func refuseExchange(*channel, *decoder) error {
	return channelFault(accessRefused, "the exchanges of this server cannot be changed")
}

// reply answers a method on the channel.
func (ch *channel) reply(id methodID, arguments func([]byte) []byte) {
	ch.connection.send(ch.number, id, arguments)
}

func (ch *channel) close(d *decoder) error {
	d.uint16()
	d.shortText()
	d.uint32()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(channelClose, err)
	}
	ch.connection.broker.closeChannel(ch)
	delete(ch.connection.channels, ch.number)
	ch.reply(channelCloseOK, nil)
	return nil
}

func (ch *channel) flow(d *decoder) error {
	active := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(channelFlow, err)
	}
	if !active {
		return connectionFault(notImplemented, "active=false")
	}
	ch.reply(channelFlowOK, func(b []byte) []byte { return append(b, 1) })
	return nil
}

// exchangeDeclare confirms the existing exchanges. No other exchange can be
// declared.
func (ch *channel) exchangeDeclare(d *decoder) error {
	d.uint16()
	name, kind := d.shortText(), d.shortText()
	passive, durable, autoDelete, internal, noWait := d.bit(), d.bit(), d.bit(), d.bit(), d.bit()
	d.table()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(exchangeDeclare, err)
	}
	if _, err := exchangeKind(name); err != nil {
		return err
	}
	if !passive {
		for _, argument := range []struct {
			name      string
			got, want any
		}{{"type", kind, "topic"}, {"durable", durable, true}, {"auto_delete", autoDelete, false}, {"internal", internal, false}} {
			if argument.got != argument.want {
				return channelFault(preconditionFailed, "inequivalent arg '%s' for exchange '%s' in vhost '/': received '%v' but current is '%v'",
					argument.name, name, argument.got, argument.want)
			}
		}
	}
	if !noWait {
		ch.reply(exchangeDeclareOK, nil)
	}
	return nil
}

// exchangeKind returns the kind of messages that an exchange is for.
func exchangeKind(name string) (message.Kind, error) {
	for _, kind := range message.Kinds {
		if kind.Exchange() == name {
			return kind, nil
		}
	}
	if name == "" {
		return "", channelFault(accessRefused, "access to the default exchange refused")
	}
	return "", channelFault(notFound, "no exchange '%.100s' in vhost '/'", name)
}

func (ch *channel) queueDeclare(d *decoder) error {
	d.uint16()
	name := d.shortText()
	passive, durable, exclusive, autoDelete, noWait := d.bit(), d.bit(), d.bit(), d.bit(), d.bit()
	arguments := d.table()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(queueDeclare, err)
	}
	if name == "" {
		name = ch.lastQueue
	}
	if !passive {
		for _, argument := range []struct {
			name      string
			got, want bool
		}{{"durable", durable, true}, {"exclusive", exclusive, false}, {"auto_delete", autoDelete, false}} {
			if argument.got != argument.want {
				return channelFault(preconditionFailed, "inequivalent arg '%s' for queue '%.150s' in vhost '/': received '%v' but current is '%v'",
					argument.name, name, argument.got, argument.want)
			}
		}
		if len(arguments) > 0 {
			return channelFault(preconditionFailed, "queue '%.150s' in vhost '/' has no arguments, but some were received", name)
		}
	}
	waiting, consumers, err := ch.connection.broker.declareQueue(ch, name, passive)
	if err != nil {
		return err
	}
	ch.lastQueue = name
	if !noWait {
		ch.reply(queueDeclareOK, func(b []byte) []byte {
			return appendUint32(appendUint32(appendShortText(b, name), uint32(waiting)), uint32(consumers))
		})
	}
	return nil
}

func (ch *channel) queueBind(d *decoder) error {
	d.uint16()
	name, exchange, key := d.shortText(), d.shortText(), d.shortText()
	noWait := d.bit()
	d.table()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(queueBind, err)
	}
	if err := ch.connection.broker.bind(ch, ch.queueName(name), exchange, key, true); err != nil {
		return err
	}
	if !noWait {
		ch.reply(queueBindOK, nil)
	}
	return nil
}

func (ch *channel) queueUnbind(d *decoder) error {
	d.uint16()
	name, exchange, key := d.shortText(), d.shortText(), d.shortText()
	d.table()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(queueUnbind, err)
	}
	if err := ch.connection.broker.bind(ch, ch.queueName(name), exchange, key, false); err != nil {
		return err
	}
	ch.reply(queueUnbindOK, nil)
	return nil
}

func (ch *channel) queuePurge(d *decoder) error {
	d.uint16()
	name := d.shortText()
	noWait := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(queuePurge, err)
	}
	purged, err := ch.connection.broker.purge(ch, ch.queueName(name))
	if err != nil {
		return err
	}
	if !noWait {
		ch.reply(queuePurgeOK, func(b []byte) []byte { return appendUint32(b, uint32(purged)) })
	}
	return nil
}

func (ch *channel) queueDelete(d *decoder) error {
	d.uint16()
	name := d.shortText()
	ifUnused, ifEmpty, noWait := d.bit(), d.bit(), d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(queueDelete, err)
	}
	deleted, err := ch.connection.broker.deleteQueue(ch, ch.queueName(name), ifUnused, ifEmpty)
	if err != nil {
		return err
	}
	if !noWait {
		ch.reply(queueDeleteOK, func(b []byte) []byte { return appendUint32(b, uint32(deleted)) })
	}
	return nil
}

// queueName returns the name of the queue that a method is about: the queue
// declared last, if the method gives no name.
func (ch *channel) queueName(name string) string {
	if name == "" {
		return ch.lastQueue
	}
	return name
}

func (ch *channel) qos(d *decoder) error {
	size, count := d.uint32(), d.uint16()
	whole := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicQos, err)
	}
	if size != 0 {
		return connectionFault(notImplemented, "prefetch_size!=0 (%d)", size)
	}
	ch.connection.broker.setPrefetch(ch, int(count), whole)
	ch.reply(basicQosOK, nil)
	return nil
}

func (ch *channel) consume(d *decoder) error {
	d.uint16()
	name, tag := d.shortText(), d.shortText()
	d.bit() // no-local, which RabbitMQ ignores, too
	noAck, exclusive, noWait := d.bit(), d.bit(), d.bit()
	d.table()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicConsume, err)
	}
	c := &consumer{tag: tag, channel: ch, noAck: noAck, exclusive: exclusive}
	return ch.connection.broker.consume(c, ch.queueName(name), func() {
		if !noWait {
			ch.reply(basicConsumeOK, func(b []byte) []byte { return appendShortText(b, c.tag) })
		}
	})
}

func (ch *channel) cancel(d *decoder) error {
	tag := d.shortText()
	noWait := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicCancel, err)
	}
	ch.connection.broker.cancel(ch, tag)
	if !noWait {
		ch.reply(basicCancelOK, func(b []byte) []byte { return appendShortText(b, tag) })
	}
	return nil
}

func (ch *channel) get(d *decoder) error {
	d.uint16()
	name := d.shortText()
	noAck := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicGet, err)
	}
	return ch.connection.broker.get(ch, ch.queueName(name), noAck)
}

func (ch *channel) ack(d *decoder) error {
	tag := d.uint64()
	multiple := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicAck, err)
	}
	return ch.connection.broker.settleDeliveries(ch, tag, multiple, outcomeAcknowledged)
}

func (ch *channel) nack(d *decoder) error {
	tag := d.uint64()
	multiple, requeue := d.bit(), d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicNack, err)
	}
	return ch.connection.broker.settleDeliveries(ch, tag, multiple, outcomeOfRefusal(requeue))
}

func (ch *channel) reject(d *decoder) error {
	tag := d.uint64()
	requeue := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicReject, err)
	}
	return ch.connection.broker.settleDeliveries(ch, tag, false, outcomeOfRefusal(requeue))
}

func (ch *channel) recoverMessages(d *decoder, answered bool) error {
	requeue := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicRecover, err)
	}
	if !requeue {
		return connectionFault(notImplemented, "requeue=false")
	}
	ch.connection.broker.settleAllDeliveries(ch, outcomeRequeued)
	if answered {
		ch.reply(basicRecoverOK, nil)
	}
	return nil
}

func (ch *channel) confirmSelect(d *decoder) error {
	noWait := d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(confirmSelect, err)
	}
	ch.confirmsPublished = true
	if !noWait {
		ch.reply(confirmSelectOK, nil)
	}
	return nil
}

// publish begins a message. Its header and body follow in the next frames.
func (ch *channel) publish(d *decoder) error {
	d.uint16()
	exchange, key := d.shortText(), d.shortText()
	mandatory, immediate := d.bit(), d.bit()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(basicPublish, err)
	}
	if immediate {
		return connectionFault(notImplemented, "immediate=true")
	}
	ch.incoming = &incoming{exchange: exchange, key: key, mandatory: mandatory}
	return nil
}

// receive takes the header or a part of the body of a message.
func (ch *channel) receive(ctx context.Context, f frame) error {
	in, c := ch.incoming, ch.connection
	switch {
	case in == nil:
		return connectionFault(unexpectedFrame, "the content of a message without its method")
	case f.kind == frameHeader && in.hasHeader, f.kind == frameBody && !in.hasHeader:
		return connectionFault(unexpectedFrame, "the header and the body of a message in the wrong order")
	case f.kind == frameHeader:
		content, err := readContentHeader(f.payload)
		if err != nil {
			return connectionFault(frameError, "%s", err)
		}
		if content.bodySize > message.MaxSize {
			ch.incoming = nil
			return channelFault(preconditionFailed, "message size %d is larger than configured max size %d", content.bodySize, message.MaxSize)
		}
		in.hasHeader, in.content = true, content
	default:
		if uint64(len(in.body)+len(f.payload)) > in.content.bodySize {
			return connectionFault(frameError, "the body of a message is longer than its header says")
		}
		if !c.reserveUnfinished(len(f.payload)) {
			return connectionFault(resourceError, "too many unfinished messages")
		}
		in.body = append(in.body, f.payload...)
	}
	if uint64(len(in.body)) < in.content.bodySize {
		return nil
	}
	ch.incoming = nil
	c.releaseUnfinished(len(in.body))
	return ch.deliverToSubscriber(ctx, in)
}

// deliverToSubscriber passes a complete message to its subscriber, and confirms it.
func (ch *channel) deliverToSubscriber(ctx context.Context, in *incoming) error {
	received, err := ch.connection.broker.receive(ctx, ch.connection, in)
	if fault, ok := err.(*protocolFault); ok {
		fault.method = basicPublish
		return fault
	}
	if in.mandatory && !received && err == nil {
		ch.connection.appendOutput(func(b []byte) []byte {
			b = appendMethod(b, ch.number, basicReturn, func(b []byte) []byte {
				b = appendShortText(appendUint16(b, noRoute), replyNames[noRoute])
				return appendShortText(appendShortText(b, in.exchange), in.key)
			})
			return appendContent(b, ch.number, in.content, in.body, ch.connection.frameMax)
		})
	}
	if !ch.confirmsPublished {
		return nil
	}
	ch.publishedCount++
	id := basicAck
	if err != nil {
		id = basicNack
	}
	tag := ch.publishedCount
	ch.reply(id, func(b []byte) []byte { return append(appendUint64(b, tag), 0) })
	return nil
}

// takeUnacked removes the unacknowledged message with a tag from the channel.
// With multiple it also removes all earlier ones; tag 0 stands for the last
// tag. The lock of the broker is held.
func (ch *channel) takeUnacked(tag uint64, multiple bool) ([]unackedMessage, error) {
	if multiple && tag == 0 {
		taken := ch.unacked
		ch.unacked = nil
		return taken, nil
	}
	place, found := slices.BinarySearchFunc(ch.unacked, tag, func(u unackedMessage, tag uint64) int {
		if u.tag < tag {
			return -1
		} else if u.tag > tag {
			return 1
		}
		return 0
	})
	if !found {
		return nil, channelFault(preconditionFailed, "unknown delivery tag %d", tag)
	}
	from := place
	if multiple {
		from = 0
	}
	taken := slices.Clone(ch.unacked[from : place+1])
	ch.unacked = slices.Delete(ch.unacked, from, place+1)
	return taken, nil
}
