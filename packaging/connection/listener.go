// Package connection limits the number of open connections, in total and from
// one address, so that no client keeps others out by opening many. A connection
// that waits for its next request is closed to make room for a new one. If all
// are being served, the new one is refused.
package connection

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
	"trento/auth/remote"
)

// Limits are the limits of a Listener.
type Limits struct {
	Total      int // open connections in total
	PerAddress int // open connections from one address; 0: no limit
	// Exempt are networks without a limit per address, such as those of reverse
	// proxies, which stand for many clients.
	Exempt []netip.Prefix
	// TLS says that clients expect TLS, so a connection that is refused gets no
	// answer.
	TLS bool
}

// Listener returns the connections of another listener, within the limits. The
// http.Server that uses it must call its ConnState.
type Listener struct {
	net.Listener
	limits Limits
	log    *slog.Logger

	mu               sync.Mutex
	openCount        int
	clients          map[netip.Prefix]*client // the clients with open connections, by network
	lastLogTime      time.Time                // time of the last logged refusal
	refusalsSinceLog int                      // number of refusals since lastLogTime
}

// Limit returns a Listener that applies limits to l.
func Limit(l net.Listener, limits Limits, log *slog.Logger) *Listener {
	return &Listener{Listener: l, limits: limits, log: log, clients: map[netip.Prefix]*client{}}
}

// client is an address or IPv6 network with open connections.
type client struct {
	network   netip.Prefix
	openCount int
	waiting   *list.List // connections that wait for a request, as *conn, the longest waiting first
}

// conn is an open connection.
type conn struct {
	net.Conn
	listener       *Listener
	client         *client
	waitingElement *list.Element // place in client.waiting; nil while a request is read or served
	closed         bool
}

// Accept waits for a connection that the limits allow.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.admit(accepted); c != nil {
			return c, nil
		}
		l.refuse(accepted)
	}
}

// admit counts a connection as open. It returns nil if the limits do not allow
// it.
func (l *Listener) admit(accepted net.Conn) *conn {
	network, exempt := l.networkOf(accepted)
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.clients[network]; known != nil && !exempt && l.limits.PerAddress > 0 && known.openCount >= l.limits.PerAddress && !known.makeRoom() {
		return nil
	}
	if l.openCount >= l.limits.Total && !l.makeRoom() {
		return nil
	}
	from := l.clients[network] // makeRoom may have deleted it
	if from == nil {
		from = &client{network: network, waiting: list.New()}
		l.clients[network] = from
	}
	c := &conn{Conn: accepted, listener: l, client: from}
	c.waitingElement = from.waiting.PushBack(c)
	from.openCount++
	l.openCount++
	return c
}

// makeRoom closes the connection of the client that has waited longest for a
// request. It returns false if none is waiting.
func (c *client) makeRoom() bool {
	oldest := c.waiting.Front()
	if oldest == nil {
		return false
	}
	oldest.Value.(*conn).close()
	return true
}

// makeRoom closes a waiting connection of the client with the most open
// connections. It returns false if none is waiting.
func (l *Listener) makeRoom() bool {
	var most *client
	for _, c := range l.clients {
		if c.waiting.Len() > 0 && (most == nil || c.openCount > most.openCount) {
			most = c
		}
	}
	return most != nil && most.makeRoom()
}

// networkOf returns the network that identifies the client of a connection.
// Connections without an address count as one client.
func (l *Listener) networkOf(c net.Conn) (network netip.Prefix, exempt bool) {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{}, false
	}
	address := peer.Addr().Unmap().WithZone("")
	return remote.NetworkOf(address), slices.ContainsFunc(l.limits.Exempt, func(p netip.Prefix) bool { return p.Contains(address) })
}

// refusalResponse is the answer to a connection that is refused.
const refusalResponse = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"

const (
	refusalTimeout = 100 * time.Millisecond
	logInterval    = time.Minute
)

// SendUnavailable answers a client without TLS that there is no room for it.
func SendUnavailable(c net.Conn) {
	// An error means that the client has gone.
	_ = c.SetWriteDeadline(time.Now().Add(refusalTimeout))
	_, _ = c.Write([]byte(refusalResponse))
}

func (l *Listener) refuse(c net.Conn) {
	if !l.limits.TLS {
		SendUnavailable(c)
	}
	c.Close()

	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusalsSinceLog++
	if time.Since(l.lastLogTime) < logInterval {
		return
	}
	l.log.Warn("connections are refused because too many are open; MAX_CONNECTIONS and MAX_CONNECTIONS_PER_ADDRESS are the limits",
		"refused", l.refusalsSinceLog, "last address", c.RemoteAddr().String(), "open", l.openCount)
	l.lastLogTime, l.refusalsSinceLog = time.Now(), 0
}

// ConnState records whether a connection waits for a request. It is a callback
// for http.Server.
func (l *Listener) ConnState(served net.Conn, state http.ConnState) {
	if encrypted, ok := served.(*tls.Conn); ok {
		served = encrypted.NetConn()
	}
	c, ok := served.(*conn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.closed:
	case state == http.StateActive && c.waitingElement != nil:
		c.client.waiting.Remove(c.waitingElement)
		c.waitingElement = nil
	case state == http.StateIdle && c.waitingElement == nil:
		c.waitingElement = c.client.waiting.PushBack(c)
	}
}

// Close closes the connection and frees its place.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	return c.close()
}

// close is Close for callers that hold the mutex of the listener.
func (c *conn) close() error {
	if !c.closed {
		c.closed = true
		if c.waitingElement != nil {
			c.client.waiting.Remove(c.waitingElement)
			c.waitingElement = nil
		}
		c.listener.openCount--
		if c.client.openCount--; c.client.openCount == 0 {
			delete(c.listener.clients, c.client.network)
		}
	}
	return c.Conn.Close()
}

// CloseWrite closes the sending half of the connection. http.Server uses it so
// that a client can still read the answer to a request that was refused before
// its end.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
