package amqp

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"trento/store/message"
)

// queue holds the messages of one kind for one agent. The lock of the broker
// protects it.
type queue struct {
	name  string
	kind  message.Kind
	agent string
	// keys are the routing keys that the queue is bound with, in any order.
	keys []string
	// waiting are the messages that are not delivered, in order.
	waiting   []*queuedMessage
	bytes     int // of the bodies of waiting messages
	consumers []*consumer
	usedAt    time.Time // the last time a connection used the queue
}

// queuedMessage is a message in a queue.
type queuedMessage struct {
	order       uint64 // messages are delivered in this order
	sequence    uint64 // its key in the store; 0: it is not stored
	exchange    string
	routingKey  string
	content     contentProperties
	body        []byte
	expiresAt   time.Time
	atMostOnce  bool // the message is delivered at most once, see message.Request
	redelivered bool
	delivery    *message.Delivery // tells the sender what became of the message; nil after a restart
}

// consumer receives the messages of a queue on a channel.
type consumer struct {
	tag       string
	queue     *queue
	channel   *channel
	noAck     bool
	exclusive bool
	prefetch  int // how many unacknowledged messages it may have; 0: no limit
	unacked   int
}

// unackedMessage is a message that was delivered and is not acknowledged.
type unackedMessage struct {
	tag      uint64
	message  *queuedMessage
	queue    *queue
	consumer *consumer // nil: fetched with basic.get
}

// add appends a message that is new.
func (q *queue) add(m *queuedMessage) {
	q.waiting = append(q.waiting, m)
	q.bytes += len(m.body)
}

// putBack puts a delivered message back to its former place in the queue.
func (q *queue) putBack(m *queuedMessage) {
	m.redelivered = true
	place, _ := slices.BinarySearchFunc(q.waiting, m, func(a, b *queuedMessage) int { return cmp.Compare(a.order, b.order) })
	q.waiting = slices.Insert(q.waiting, place, m)
	q.bytes += len(m.body)
	m.delivery.Set(message.Waiting)
}

// takeFirst removes and returns the message that is delivered next; nil if none
// waits.
func (q *queue) takeFirst() *queuedMessage {
	if len(q.waiting) == 0 {
		return nil
	}
	m := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	if len(q.waiting) == 0 {
		q.waiting = nil // frees the array
	}
	q.bytes -= len(m.body)
	return m
}

// removeExpired removes and returns the messages that expired before now.
func (q *queue) removeExpired(now time.Time) (expired []*queuedMessage) {
	q.waiting = slices.DeleteFunc(q.waiting, func(m *queuedMessage) bool {
		if now.Before(m.expiresAt) {
			return false
		}
		expired = append(expired, m)
		q.bytes -= len(m.body)
		m.delivery.Set(message.Expired)
		return true
	})
	return expired
}

// isBound reports whether messages with a routing key get into the queue.
func (q *queue) isBound(key string) bool {
	return slices.ContainsFunc(q.keys, func(pattern string) bool { return matchesTopic(pattern, key) })
}

// nextConsumer returns the consumer that takes the next message, in turn; nil
// if none can take one now.
func (q *queue) nextConsumer() *consumer {
	for i, c := range q.consumers {
		if c.canTake() {
			// The consumer that gets the message becomes the last.
			q.consumers = append(slices.Delete(q.consumers, i, i+1), c)
			return c
		}
	}
	return nil
}

// canTake reports whether the consumer can take a message now.
func (c *consumer) canTake() bool {
	if ch := c.channel; ch.connection.ended || ch.connection.isPaused() {
		return false
	}
	return c.noAck || len(c.channel.unacked) < maxUnackedMessages && (c.prefetch == 0 || c.unacked < c.prefetch) && (c.channel.prefetch == 0 || c.channel.consumerUnacked < c.channel.prefetch)
}

// matchesTopic reports whether a routing key matches a binding of a topic
// exchange: * stands for one word, # for any number of them.
func matchesTopic(pattern, key string) bool {
	return matchWords(topicWords(pattern), topicWords(key))
}

// topicWords returns the words of a key. An empty key has none.
func topicWords(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// matchWords reports whether words match a pattern. After a mismatch it tries
// again from the last # only, so a pattern with many # does not take
// exponential time.
func matchWords(pattern, words []string) bool {
	p, w := 0, 0
	hash, from := -1, 0 // the last # in the pattern, and the word that it stands up to
	for w < len(words) {
		switch {
		case p < len(pattern) && pattern[p] == "#":
			hash, from = p, w
			p++
		case p < len(pattern) && (pattern[p] == "*" || pattern[p] == words[w]):
			p++
			w++
		case hash >= 0:
			from++
			p, w = hash+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "#" {
		p++
	}
	return p == len(pattern)
}
