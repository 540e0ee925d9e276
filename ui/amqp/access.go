package amqp

import (
	"container/list"
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"
	"trento/auth/remote"
)

// errRefused ends a connection whose credential was refused.
var errRefused = errors.New("the credential was refused")

// refusalDelay is how long every refusal takes. So the time does not reveal the
// reason, and guessing takes long.
const refusalDelay = time.Second

// connectionLimiter decides which connections are accepted. The lock of the broker
// protects it.
type connectionLimiter struct {
	total    int // connections
	networks map[netip.Prefix]*clientNetwork
}

func (a *connectionLimiter) init() {
	a.networks = map[netip.Prefix]*clientNetwork{}
}

// clientNetwork is an address or IPv6 network with connections.
type clientNetwork struct {
	connections int
	// handshakes are those connections whose handshake is not done, as
	// *connection, the oldest first.
	handshakes list.List
}

// WrongCredential is how the reason of a refusal begins if the user or the
// password was wrong.
const WrongCredential = "wrong user or password"

// admit counts a connection, if the limits allow it. When a limit is reached,
// the oldest connection whose handshake is not done makes room. So clients that
// never sign in keep no agent out. An open connection is never closed for a new
// one.
func (b *Broker) admit(c *connection) bool {
	b.mutex.Lock()
	removed, limit := b.makeRoom(remote.NetworkOf(c.address))
	if removed != nil {
		b.connectionLimiter.remove(removed)
	}
	admitted := limit == "" || removed != nil
	if admitted {
		b.connectionLimiter.add(c)
	}
	b.mutex.Unlock()
	if removed != nil {
		removed.net.Close()
		b.refuse(removed, "it had not signed in when another connection needed its place")
	}
	if !admitted {
		b.refuse(c, limit)
	}
	return admitted
}

// makeRoom returns the limit that a new connection from an address would
// exceed, "" if there is none, and the connection to close for the new one; nil
// if all are open.
func (b *Broker) makeRoom(network netip.Prefix) (removed *connection, limit string) {
	a := &b.connectionLimiter
	switch r, o := a.networks[network], b.options; {
	case o.MaxPerAddress > 0 && r != nil && r.connections >= o.MaxPerAddress:
		return r.oldestHandshake(), "too many connections from this address are open (AMQP_MAX_CONNECTIONS_PER_ADDRESS)"
	case o.MaxConnections > 0 && a.total >= o.MaxConnections:
		return a.networkWithMostHandshakes().oldestHandshake(), "too many connections are open (AMQP_MAX_CONNECTIONS)"
	}
	return nil, ""
}

// networkWithMostHandshakes returns the network with the most connections whose handshake is
// not done; nil if there are none.
func (a *connectionLimiter) networkWithMostHandshakes() *clientNetwork {
	var most *clientNetwork
	for _, r := range a.networks {
		if most == nil || r.handshakes.Len() > most.handshakes.Len() {
			most = r
		}
	}
	return most
}

// oldestHandshake returns the oldest connection whose handshake is not done;
// nil if there is none.
func (r *clientNetwork) oldestHandshake() *connection {
	if r == nil || r.handshakes.Len() == 0 {
		return nil
	}
	return r.handshakes.Front().Value.(*connection)
}

// add counts a new connection.
func (a *connectionLimiter) add(c *connection) {
	network := remote.NetworkOf(c.address)
	r := a.networks[network]
	if r == nil {
		r = &clientNetwork{}
		a.networks[network] = r
	}
	r.connections++
	a.total++
	c.countedNetwork, c.handshakeElement = r, r.handshakes.PushBack(c)
}

// recordSignedIn records that the handshake of a connection is done.
func (a *connectionLimiter) recordSignedIn(c *connection) {
	if c.handshakeElement != nil {
		c.countedNetwork.handshakes.Remove(c.handshakeElement)
		c.handshakeElement = nil
	}
}

// remove subtracts a connection from the counts. A second call does nothing.
func (a *connectionLimiter) remove(c *connection) {
	if c.countedNetwork == nil {
		return
	}
	a.recordSignedIn(c)
	a.total--
	if c.countedNetwork.connections--; c.countedNetwork.connections == 0 {
		delete(a.networks, remote.NetworkOf(c.address))
	}
	c.countedNetwork = nil
}

// removeFromCounts subtracts a connection that has ended from the counts.
func (b *Broker) removeFromCounts(c *connection) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.connectionLimiter.remove(c)
}

// authenticate checks the credential. All refusals look alike and take equally
// long, so the client cannot learn the reason. The log of this server and the
// page of the agents show the reason.
func (c *connection) authenticate(ctx context.Context, user, password string) error {
	b := c.broker
	if limiter := b.refusals.Limiter(c.address, b.now()); limiter != nil {
		waiting, cancel := context.WithTimeout(ctx, handshakeTimeout/2)
		defer cancel()
		if err := limiter.Wait(waiting); err != nil {
			b.refuse(c, "too many attempts from this address wait to be checked")
			return errRefused
		}
	}
	c.generation = b.options.Generation()
	if b.options.Check(user, password) {
		return nil
	}
	// Neither user name nor password is logged: a client may have put the
	// password into either of them.
	reason := WrongCredential
	if user == "guest" {
		reason = WrongCredential + ": guest, which agents use where facts-service-url names no user"
	}
	b.refuse(c, reason)
	b.refusals.SlowDown(c.address, b.now())
	select {
	case <-time.After(refusalDelay):
	case <-ctx.Done():
	}
	if c.client.closesOnRefusal {
		return &protocolFault{code: accessRefused, text: "Login was refused using authentication mechanism PLAIN.", method: connectionStartOK}
	}
	return errRefused
}

// refuse records that a connection was refused.
func (b *Broker) refuse(c *connection, reason string) {
	now := b.now()
	b.refusals.Add(b.log, "message connection refused", c.address, makePrintable(reason), now)
	b.changes.add("", now)
}

// makePrintable makes a text of an unknown client safe and short enough to show.
func makePrintable(text string) string {
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}

// Refusals returns the addresses from which connections were refused since the
// start, the latest first.
func (b *Broker) Refusals() []remote.Refusal {
	list, _ := b.refusals.List()
	return list
}
