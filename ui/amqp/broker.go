package amqp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"trento/auth/remote"
	"trento/store"
	"trento/store/message"
)

// The limits of the endpoint. Options has the limits for the number of
// connections.
const (
	maxChannels         = 16        // of a connection; an agent has up to three
	maxConsumers        = 16        // of a channel
	maxUnackedMessages  = 1_000     // messages of a channel
	maxWaitingMessages  = 1_000     // messages in a queue
	maxWaitingBytes     = 16 << 20  // in a queue
	maxTotalBytes       = 256 << 20 // in all queues
	maxRoutingKeys      = 16        // routing keys of a queue
	maxQueues           = 100_000
	maxUnfinishedBytes  = 128 << 20 // bytes of unfinished messages, of all connections
	unusedQueueLifetime = 24 * time.Hour
	checkInterval       = time.Second
	pruneInterval       = time.Minute
)

// Options are the settings of a Broker, and what it works with.
type Options struct {
	Store *store.Store
	Log   *slog.Logger
	// Check reports whether a credential is the present credential of the
	// agents. Generation returns the number of the present credential:
	// connections that signed in with an earlier credential are ended.
	Check      func(user, password string) bool
	Generation func() uint64
	// Port is the TCP port for connections without TLS, and TLSPort that for
	// connections with TLS; 0: there is none. They are only for people.
	Port, TLSPort int
	// VirtualHost is the virtual host that agents may open besides "/". With
	// "*" they may open every virtual host.
	VirtualHost string
	// MaxConnections and MaxPerAddress limit the open connections, in total
	// and from one address or IPv6 network; 0: no limit.
	MaxConnections, MaxPerAddress int
	Now                           func() time.Time // nil: time.Now
}

// Broker is the message endpoint. It is a message.Bus.
type Broker struct {
	options Options
	now     func() time.Time
	log     *slog.Logger

	mutex             sync.Mutex
	queues            map[string]*queue
	connections       map[*connection]struct{} // open connections
	subscribers       map[message.Kind]func(context.Context, message.Envelope) error
	lastOrder         uint64
	totalBytes        int
	unfinishedBytes   int
	settledSequences  map[string][]uint64 // by queue: sequences of messages to delete from the store
	connectionLimiter connectionLimiter
	refusals          remote.Refusals
	changes           changes

	wakeUp chan struct{} // signals that settled is not empty
}

// New returns a Broker with the queues and messages that are in the store.
func New(o Options) (*Broker, error) {
	b := &Broker{
		options: o, now: o.Now, log: o.Log,
		queues: map[string]*queue{}, connections: map[*connection]struct{}{},
		subscribers:      map[message.Kind]func(context.Context, message.Envelope) error{},
		settledSequences: map[string][]uint64{},
		wakeUp:           make(chan struct{}, 1),
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.connectionLimiter.init()
	return b, b.loadQueues()
}

// Scheme returns the scheme of the address that agents should use: amqps if the
// endpoint has a port with TLS, else amqp.
func (b *Broker) Scheme() string {
	if b.options.TLSPort != 0 {
		return "amqps"
	}
	return "amqp"
}

// Port returns the port that agents should use, with Scheme.
func (b *Broker) Port() int { return cmp.Or(b.options.TLSPort, b.options.Port) }

// loadQueues reads queues and messages from the store.
func (b *Broker) loadQueues() error {
	return b.options.Store.View(func(tx *store.Tx) error {
		for stored, err := range tx.Queues() {
			if err != nil {
				return err
			}
			kind, agent, ok := message.QueueOwner(stored.Name)
			if !ok {
				return fmt.Errorf("stored queue %q: it is not the queue of an agent", stored.Name)
			}
			q := &queue{name: stored.Name, kind: kind, agent: agent, usedAt: b.now()}
			for _, binding := range stored.Bindings {
				q.keys = append(q.keys, binding.Key)
			}
			b.queues[q.name] = q
		}
		return tx.QueuedMessages(func(m *store.QueuedMessage) error {
			q := b.queues[m.Queue]
			if q == nil {
				return fmt.Errorf("stored message %d: its queue %q is not stored", m.Sequence, m.Queue)
			}
			b.lastOrder++
			q.add(&queuedMessage{
				order: b.lastOrder, sequence: m.Sequence, exchange: m.Exchange, routingKey: m.RoutingKey,
				content: contentProperties{contentType: m.ContentType, persistent: true}, body: m.Body, expiresAt: m.ExpiresAt,
			})
			b.totalBytes += len(m.Body)
			return nil
		})
	})
}

// Serve serves the connections of a listener until ctx is done. Then it tells
// all agents, and returns when the connections of the listener have ended. It
// can be called for several listeners at once.
func (b *Broker) Serve(ctx context.Context, l net.Listener) error {
	stopped := context.AfterFunc(ctx, func() { l.Close() })
	defer stopped()
	var serving sync.WaitGroup
	defer serving.Wait()
	for pause := time.Duration(0); ; {
		accepted, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				accepted.Close()
			}
			b.endAll(&protocolFault{code: connectionForced, text: "the server stops"})
			return nil
		case err != nil && (errors.Is(err, net.ErrClosed)):
			return err
		case err != nil: // usually the process has too many open files
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			b.log.Warn("no connection of an agent can be accepted", "error", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		pause = 0
		c := b.newConnection(accepted)
		if !b.admit(c) {
			accepted.Close()
			continue
		}
		serving.Go(func() {
			err := c.serve(ctx)
			b.removeFromCounts(c)
			b.logEnd(c, err)
		})
	}
}

// Run does the regular tasks until ctx is done: it sends heartbeats, removes
// expired messages, and deletes acknowledged messages from the store.
func (b *Broker) Run(ctx context.Context) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	pruned := b.now()
	for {
		select {
		case <-ctx.Done():
			b.deleteSettled(context.WithoutCancel(ctx))
			return nil
		case <-b.wakeUp:
			b.deleteSettled(ctx)
		case <-ticker.C:
			b.checkConnections()
			if now := b.now(); now.Sub(pruned) >= pruneInterval {
				pruned = now
				b.pruneQueues(ctx)
			}
		}
	}
}

// checkConnections sends heartbeats, and ends connections whose peer is gone or whose
// credential is not valid any more.
func (b *Broker) checkConnections() {
	now := b.now()
	generation := b.options.Generation()
	for _, c := range b.openConnections() {
		switch {
		case c.generation != generation:
			c.end(&protocolFault{code: connectionForced, text: "the credential of agents was changed"})
		case c.heartbeat == 0:
		case now.UnixMicro()-c.lastRead.Load() > 2*c.heartbeat.Microseconds():
			c.end(errPeerSilent)
		case now.UnixMicro()-c.lastSent.Load() >= c.heartbeatDelay().Microseconds():
			c.appendOutput(func(b []byte) []byte { return append(b, heartbeat...) })
		}
	}
}

// heartbeatDelay returns how long nothing may be sent to the peer before it
// gets a heartbeat: three quarters of the agreed interval. Agents give up after
// one and a half intervals. RabbitMQ already sends one after half an interval;
// the longer pause costs no agent its connection, and means fewer of them.
func (c *connection) heartbeatDelay() time.Duration {
	return c.heartbeat*3/4 - checkInterval/2
}

// openConnections returns the connections whose handshake is done.
func (b *Broker) openConnections() []*connection {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return slices.Collect(maps.Keys(b.connections))
}

// addConnection adds a connection whose handshake is done.
func (b *Broker) addConnection(c *connection) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.connections[c] = struct{}{}
	b.connectionLimiter.recordSignedIn(c)
}

// removeConnection puts unacknowledged messages back into their queues, and removes the
// connection.
func (b *Broker) removeConnection(c *connection) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	c.ended = true
	for _, ch := range c.channels {
		b.closeChannelLocked(ch)
	}
	delete(b.connections, c)
	if c.agent != "" {
		b.changes.add(c.agent, b.now())
	}
}

// endAll ends all connections.
func (b *Broker) endAll(reason *protocolFault) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for c := range b.connections {
		c.end(reason)
	}
	for _, r := range b.connectionLimiter.networks {
		for e := r.handshakes.Front(); e != nil; e = e.Next() {
			e.Value.(*connection).net.Close() // it would be waited for until its handshake times out
		}
	}
}

// servesVirtualHost reports whether a virtual host can be opened. All virtual
// hosts have the same queues.
func (b *Broker) servesVirtualHost(name string) bool {
	return name == "/" || b.options.VirtualHost == "*" || name == b.options.VirtualHost
}

// startArguments are the arguments of connection.start.
func (b *Broker) startArguments(out []byte) []byte {
	out = append(out, 0, 9)
	out = appendTable(out, table{
		"product": "Trento", "platform": "Go",
		"capabilities": table{
			"publisher_confirms": true, "basic.nack": true, "consumer_cancel_notify": true, "per_consumer_qos": true,
			"authentication_failure_close": true,
		},
	})
	return appendLongText(appendLongText(out, "PLAIN"), "en_US")
}

// reserveUnfinished counts bytes of an unfinished message. It reports false if
// all connections together have too many such bytes.
func (c *connection) reserveUnfinished(n int) bool {
	b := c.broker
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.unfinishedBytes+n > maxUnfinishedBytes {
		return false
	}
	b.unfinishedBytes += n
	return true
}

// releaseUnfinished subtracts the bytes of a complete message from the count.
func (c *connection) releaseUnfinished(n int) {
	c.broker.mutex.Lock()
	defer c.broker.mutex.Unlock()
	c.broker.unfinishedBytes -= n
}

// logFault logs that the channel of an agent was closed, and why.
func (b *Broker) logFault(c *connection, fault *protocolFault) {
	b.log.Warn("an agent did on its message connection what is not allowed", "agent", c.agent, "address", c.address, "reason", fault.Error())
}

// logEnd logs why a connection ended.
func (b *Broker) logEnd(c *connection, err error) {
	log := b.log.With("agent", c.agent, "address", c.address)
	fault := (*protocolFault)(nil)
	switch {
	case err == nil:
		log.Debug("message connection closed by the agent")
	case errors.Is(err, errRefused): // already logged by refuse
	case tlsReason(err) != "":
		b.refuse(c, tlsReason(err))
	case errors.As(err, &fault) && fault.code == connectionForced:
		log.Info("message connection closed", "reason", fault.text)
	case errors.As(err, &fault):
		log.Warn("message connection closed", "reason", fault.Error())
	case errors.Is(err, io.EOF) && c.agent == "": // a client that declared no queue, such as the health check of a load balancer
		log.Debug("message connection ended before it was used")
	case errors.Is(err, errPeerSilent), errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
		log.Info("message connection lost", "reason", err)
	default:
		log.Info("message connection ended", "reason", err)
	}
}

// receive handles a message that an agent published. It reports whether the
// kind of message has a subscriber. A *protocolFault closes the channel; any other
// error says that the message was not received.
func (b *Broker) receive(ctx context.Context, c *connection, in *incoming) (bool, error) {
	kind, err := exchangeKind(in.exchange)
	if err != nil {
		return false, err
	}
	if in.key != kind.AnswerKey() || in.key == "" {
		return false, channelFault(accessRefused, "agents may not publish with routing key '%.100s' to exchange '%s'", in.key, in.exchange)
	}
	envelope, err := message.Decode(in.body)
	switch {
	case err != nil:
		return false, channelFault(preconditionFailed, "the message cannot be read: %s", err)
	case !envelope.Answer || envelope.Kind != kind:
		return false, channelFault(accessRefused, "a message of type %s does not belong into exchange '%s'", envelope.Type, in.exchange)
	case c.agent == "":
		return false, channelFault(accessRefused, "declare the queue of an agent first: it says who publishes")
	case envelope.Agent() != c.agent:
		return false, channelFault(accessRefused, "the message says it is from agent %.40s, but the connection is that of agent %s", envelope.Agent(), c.agent)
	}
	b.mutex.Lock()
	subscriber := b.subscribers[kind]
	b.mutex.Unlock()
	if subscriber == nil {
		return false, nil
	}
	if err := subscriber(ctx, envelope); err != nil {
		b.log.Error("an answer of an agent was not received", "agent", c.agent, "type", envelope.Type, "error", err)
		return true, fmt.Errorf("%s: %w", envelope.Type, err)
	}
	return true, nil
}

// Subscribe implements message.Bus.
func (b *Broker) Subscribe(kind message.Kind, handle func(context.Context, message.Envelope) error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.subscribers[kind] = handle
}
