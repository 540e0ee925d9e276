package amqp

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"trento/store/message"
)

// Presence implements message.Bus.
func (b *Broker) Presence(agent string, kind message.Kind) message.Presence {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch q := b.queues[kind.Queue(agent)]; {
	case q == nil || !q.isBound(message.RequestKey):
		return message.NeverConnected
	case len(q.consumers) == 0:
		return message.Away
	}
	return message.Connected
}

// Connection describes an open connection, for the console.
type Connection struct {
	Agent   string // "" before it has declared a queue
	Address string
	Since   time.Time
	Client  Client
	// Receives are the kinds of messages that the agent consumes, in the order
	// of message.Kinds.
	Receives []message.Kind
}

// Connections returns the open connections, sorted by agent. Those of an agent
// are sorted by age, the oldest first.
func (b *Broker) Connections() []Connection {
	return b.matchingConnections(func(*connection) bool { return true })
}

// ConnectionsOf returns the open connections of one agent, the oldest first.
func (b *Broker) ConnectionsOf(agent string) []Connection {
	return b.matchingConnections(func(c *connection) bool { return c.agent == agent })
}

// ConnectionsByAgent returns the open connections of each agent, the oldest
// first.
func (b *Broker) ConnectionsByAgent() map[string][]Connection {
	byAgent := map[string][]Connection{}
	for _, c := range b.Connections() {
		byAgent[c.Agent] = append(byAgent[c.Agent], c)
	}
	return byAgent
}

func (b *Broker) matchingConnections(match func(*connection) bool) []Connection {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	var open []Connection
	for c := range b.connections {
		if match(c) {
			open = append(open, Connection{Agent: c.agent, Address: c.address.String(), Since: c.since, Client: c.client, Receives: b.receivedKinds(c)})
		}
	}
	slices.SortFunc(open, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.Agent, b.Agent), a.Since.Compare(b.Since), cmp.Compare(a.Address, b.Address))
	})
	return open
}

// maxChanges is the number of changes that are remembered.
const maxChanges = 200

// changes remembers which agents have connected or disconnected lately, and
// notifies those who watch. It has a lock of its own, so that a change can be
// added with or without the lock of the broker.
type changes struct {
	mutex    sync.Mutex
	last     uint64             // number of the last change; they are counted from 1
	recent   [maxChanges]change // the change number n at n modulo maxChanges
	watchers map[chan struct{}]struct{}
}

type change struct {
	agent string // "": a connection was refused
	at    time.Time
}

// add adds a change, and notifies those who watch.
func (c *changes) add(agent string, now time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.last++
	c.recent[c.last%maxChanges] = change{agent, now}
	for slot := range c.watchers {
		select {
		case slot <- struct{}{}:
		default:
		}
	}
}

// Watch returns a channel that receives a value after connections have opened,
// closed or been refused. ChangedAfter says which. stop ends the notifications.
func (b *Broker) Watch() (changed <-chan struct{}, stop func()) {
	slot := make(chan struct{}, 1)
	c := &b.changes
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.watchers == nil {
		c.watchers = map[chan struct{}]struct{}{}
	}
	c.watchers[slot] = struct{}{}
	return slot, func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.watchers, slot)
	}
}

// Changes says what has happened to connections since an earlier moment.
type Changes struct {
	Last uint64 // to ask for later changes
	// Agents have connected or disconnected, or begun or ended to receive
	// messages of a kind.
	Agents []string
	// All is set if there were more changes than are remembered.
	All bool
	// Refused is set if a connection was refused.
	Refused bool
}

// ChangedAfter returns what has changed since the change with a number.
func (b *Broker) ChangedAfter(number uint64) Changes {
	c := &b.changes
	c.mutex.Lock()
	defer c.mutex.Unlock()
	since := Changes{Last: c.last}
	if c.last-number > maxChanges {
		since.All, since.Refused = true, true
		return since
	}
	for n := number + 1; n <= c.last; n++ {
		if agent := c.recent[n%maxChanges].agent; agent == "" {
			since.Refused = true
		} else if !slices.Contains(since.Agents, agent) {
			since.Agents = append(since.Agents, agent)
		}
	}
	return since
}

// LastChangeBefore returns the number of the last change before a time. If so
// many have followed that it is forgotten, it returns the number of an earlier
// one.
func (b *Broker) LastChangeBefore(t time.Time) uint64 {
	c := &b.changes
	c.mutex.Lock()
	defer c.mutex.Unlock()
	n := c.last
	for n > 0 && c.last-n < maxChanges && !c.recent[n%maxChanges].at.Before(t) {
		n--
	}
	if c.last-n == maxChanges {
		return 0
	}
	return n
}

// Load returns how many messages wait for agents, the bytes of their bodies, and
// how many connections are open.
func (b *Broker) Load() (messages, bytes, connections int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, q := range b.queues {
		messages += len(q.waiting)
	}
	return messages, b.totalBytes, len(b.connections)
}
