package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/landscape"
	"trento/store/message"
	"trento/store/message/wire"
)

const (
	// prefetch is the number of messages that an agent takes before it
	// acknowledges one of them.
	prefetch = 10
	// connectionHeartbeat is the heartbeat interval that agents ask for. The
	// library sends a heartbeat every half of it.
	connectionHeartbeat = 10 * time.Second
	// closeTimeout is the time in which the endpoint has to confirm the end of a
	// connection.
	closeTimeout = 5 * time.Second
)

// agentBackoff returns the time after which agents connect again. attempt is the
// number of failures since the last connection.
func agentBackoff(attempt int) time.Duration {
	const first, last, spread = 5 * time.Second, 80 * time.Second, 0.25
	wait := last
	if attempt < 4 {
		wait = first << attempt
	}
	return wait - time.Duration(spread*rand.Float64()*float64(wait))
}

// agentMessaging holds the message connections of the agents. An agent has one for
// each kind of message while its host is up. The methods are for one goroutine.
type agentMessaging struct {
	ctx     context.Context // of all connections
	end     context.CancelFunc
	url     string
	tls     *tls.Config // nil: that of the system
	backoff func(attempt int) time.Duration
	sender  *sender
	// report returns the present report of a host. ok is false if the host
	// cannot report the kind.
	report func(h *Host, kind landscape.Kind) (r Report, ok bool)
	// facts returns the facts that the agent of a host gathers.
	facts   func(h *Host, requests []*wire.FactRequest, faults FactFaults) []*wire.Fact
	faults  FactFaults
	agents  map[*Host]context.CancelFunc // the agents that run
	running sync.WaitGroup
}

func newMessaging(ctx context.Context, o FeedOptions, s *sender, of *schedule) *agentMessaging {
	m := &agentMessaging{url: o.Messages, tls: o.TLS, backoff: o.backoff, sender: s, report: of.reportNow, facts: of.gatherNow, faults: o.FactFaults, agents: make(map[*Host]context.CancelFunc)}
	m.ctx, m.end = context.WithCancel(ctx)
	if m.backoff == nil {
		m.backoff = agentBackoff
	}
	return m
}

// followHost starts the agent of a host that is up, and stops the agent of a
// host that is down. An agent that cannot connect tries again. Unlike a real
// agent, it does not give up when its first attempt fails.
func (m *agentMessaging) followHost(h *Host, up bool) {
	stop, running := m.agents[h]
	switch {
	case m.url == "" || up == running:
	case up:
		ctx, stop := context.WithCancel(m.ctx)
		m.agents[h] = stop
		m.sender.stats.changeMessageStats(func(s *MessageStats) { s.Wanted += len(message.Kinds) })
		for _, kind := range message.Kinds {
			c := &consumer{agentMessaging: m, host: h, kind: kind}
			m.running.Go(func() { c.run(ctx) })
		}
	default:
		stop()
		delete(m.agents, h)
		m.sender.stats.changeMessageStats(func(s *MessageStats) { s.Wanted -= len(message.Kinds) })
	}
}

// stop stops all agents, and returns when their connections are closed.
func (m *agentMessaging) stop() {
	m.end()
	m.running.Wait()
}

// consumer receives the messages of one kind for an agent.
type consumer struct {
	*agentMessaging
	host *Host
	kind message.Kind
}

// run keeps a connection open until ctx ends.
func (c *consumer) run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		opened, err := c.connectAndAnswer(ctx)
		if ctx.Err() != nil {
			return
		}
		c.sender.stats.countConnectionFailure(err)
		if opened {
			attempt = 0
		}
		timer := time.NewTimer(c.backoff(attempt))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// connectAndAnswer opens a connection and answers messages until ctx ends or
// the connection fails. opened reports whether the agent has received messages.
func (c *consumer) connectAndAnswer(ctx context.Context) (opened bool, err error) {
	l, err := dial(ctx, c.url, c.tls.Clone())
	if err != nil {
		return false, err
	}
	defer l.close()
	deliveries, err := l.consume(c.kind, string(c.host.ID))
	if !l.ignoreContext() {
		return false, ctx.Err()
	}
	if err != nil {
		return false, err
	}
	c.sender.stats.changeMessageStats(func(s *MessageStats) { s.Connected++ })
	defer func() {
		if c.ctx.Err() == nil { // at the end of the feed, keep the numbers of connections that were open
			c.sender.stats.changeMessageStats(func(s *MessageStats) { s.Connected-- })
		}
	}()
	for {
		select {
		case d, ok := <-deliveries:
			if !ok {
				l.close()
				return true, l.failure()
			}
			c.receive(ctx, d, l.publish)
		case <-ctx.Done():
			return true, nil
		}
	}
}

// receive answers a message and acknowledges it. Like an agent, it refuses a
// message that it cannot answer, so that it is not delivered again. A message
// that was interrupted is neither acknowledged nor refused.
func (c *consumer) receive(ctx context.Context, d rabbitmq.Delivery, publish publisher) {
	failure := c.answer(ctx, d.Body, publish)
	if ctx.Err() != nil {
		return
	}
	var err error
	if failure == nil {
		err = d.Ack(false)
	} else {
		err = d.Nack(false, false)
	}
	if err == nil { // otherwise the connection has ended
		c.sender.stats.countReceived(failure)
	}
}

// publisher publishes a message of an agent.
type publisher func(ctx context.Context, kind message.Kind, body []byte) error

// answer carries out the request in a message.
func (c *consumer) answer(ctx context.Context, body []byte, publish publisher) error {
	e, err := message.Decode(body)
	if err != nil {
		return err
	}
	if clock := time.Now().Add(time.Duration(c.faults.SkewSeconds) * time.Second); !e.ExpiresAt.IsZero() && !clock.Before(e.ExpiresAt) {
		return fmt.Errorf("%s has expired", e.Type)
	}
	if r, ok := e.Content.(*wire.FactsGatheringRequested); ok {
		return c.answerFacts(ctx, r, publish)
	}
	r, ok := e.Content.(*wire.DiscoveryRequested)
	if !ok {
		return fmt.Errorf("%s is not supported", e.Type)
	}
	if !slices.Contains(r.Targets, string(c.host.ID)) {
		return nil
	}
	report, ok := c.report(c.host, landscape.Kind(r.DiscoveryType))
	if !ok {
		return fmt.Errorf("%s cannot report %q", c.host.Name, r.DiscoveryType)
	}
	return c.sender.post(ctx, reportRequest(report))
}

// answerLifetime is the time after which nobody needs an answer any more.
const answerLifetime = 5 * time.Minute

// answerFacts gathers facts and publishes them. Like an agent, it does nothing if
// others are asked.
func (c *consumer) answerFacts(ctx context.Context, r *wire.FactsGatheringRequested, publish publisher) error {
	if c.faults.SilentAgents {
		return nil
	}
	for _, target := range r.GetTargets() {
		if target.GetAgentId() != string(c.host.ID) {
			continue
		}
		now := time.Now().Add(time.Duration(c.faults.SkewSeconds) * time.Second)
		body, err := message.Encode(&wire.FactsGathered{
			ExecutionId: r.GetExecutionId(), GroupId: r.GetGroupId(), AgentId: target.GetAgentId(),
			FactsGathered: c.facts(c.host, target.GetFactRequests(), c.faults),
		}, now, now.Add(answerLifetime))
		if err != nil {
			return err
		}
		return publish(ctx, message.Checks, body)
	}
	return nil
}

// brokerConnection is a connection to the endpoint, with the channels of an agent.
type brokerConnection struct {
	*rabbitmq.Connection
	socket net.Conn
	// ignoreContext makes the connection independent of the context of dial:
	// the end of that context no longer closes the socket. It returns false if
	// the socket is already closed.
	ignoreContext func() bool
	channels      []*rabbitmq.Channel
	closeNotices  []chan *rabbitmq.Error // of the connection and its channels
}

// dial opens a connection with the settings of agents. Until ignoreContext is
// called, the end of ctx closes the socket and so interrupts the use of the
// connection.
func dial(ctx context.Context, url string, secure *tls.Config) (*brokerConnection, error) {
	l := &brokerConnection{}
	var err error
	l.Connection, err = rabbitmq.DialConfig(url, rabbitmq.Config{
		Heartbeat:       connectionHeartbeat,
		TLSClientConfig: secure,
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: requestTimeout}
			socket, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			l.socket = socket
			l.ignoreContext = context.AfterFunc(ctx, func() { socket.Close() })
			// The library clears the deadline after the handshake.
			return socket, socket.SetDeadline(time.Now().Add(requestTimeout))
		},
	})
	if err != nil {
		if l.socket != nil {
			l.ignoreContext()
			l.socket.Close()
		}
		return nil, err
	}
	l.watch(l.Connection)
	return l, nil
}

// watch records why a connection or channel has ended.
func (l *brokerConnection) watch(w interface {
	NotifyClose(chan *rabbitmq.Error) chan *rabbitmq.Error
}) {
	l.closeNotices = append(l.closeNotices, w.NotifyClose(make(chan *rabbitmq.Error, 1)))
}

// consume begins to receive the messages of an agent. It opens the channels of
// an agent: one to consume, one to publish.
func (l *brokerConnection) consume(kind message.Kind, agent string) (<-chan rabbitmq.Delivery, error) {
	for range 2 {
		ch, err := l.Channel()
		if err != nil {
			return nil, err
		}
		l.watch(ch)
		l.channels = append(l.channels, ch)
	}
	ch, exchange, queue := l.channels[0], kind.Exchange(), kind.Queue(agent)
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return nil, err
	}
	if err := ch.ExchangeDeclare(exchange, "topic", true, false, false, false, nil); err != nil {
		return nil, err
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		return nil, err
	}
	if err := ch.QueueBind(queue, message.RequestKey, exchange, false, nil); err != nil {
		return nil, err
	}
	return ch.Consume(queue, "", false, false, false, false, nil)
}

// publish publishes a message on the channel for that. Agents wait for no
// confirmation.
func (l *brokerConnection) publish(ctx context.Context, kind message.Kind, body []byte) error {
	return l.channels[1].PublishWithContext(ctx, kind.Exchange(), kind.AnswerKey(), false, false, rabbitmq.Publishing{ContentType: message.ContentType, DeliveryMode: rabbitmq.Persistent, Body: body})
}

// close closes the channels, and then the connection, as agents do. It skips
// what is already closed.
func (l *brokerConnection) close() {
	late := time.AfterFunc(closeTimeout, func() { l.socket.Close() })
	defer late.Stop()
	for _, ch := range l.channels {
		ch.Close()
	}
	l.Connection.Close()
}

// failure returns why the endpoint has ended a connection that is closed now.
func (l *brokerConnection) failure() error {
	for _, closed := range l.closeNotices {
		if cause := <-closed; cause != nil {
			return cause
		}
	}
	return errors.New("the endpoint has cancelled the consumer")
}
