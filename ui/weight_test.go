package ui

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// wire counts what a server is asked and how much it sends, headers included.
type wire struct {
	net.Listener
	sent atomic.Int64 // bytes

	mu       sync.Mutex
	requests []string // paths, in order
}

func (l *wire) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{conn, l}, nil
}

type countedConn struct {
	net.Conn
	wire *wire
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wire.sent.Add(int64(n))
	return n, err
}

// asked are the paths that were asked for since the last time.
func (l *wire) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	paths := l.requests
	l.requests = nil
	return paths
}

// serveCounted is serve with a count of what goes over the wire.
func (f *fixture) serveCounted() (*httptest.Server, *wire) {
	f.t.Helper()
	l := new(wire)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, r.URL.Path)
		l.mu.Unlock()
		f.handler.ServeHTTP(w, r)
	}))
	l.Listener = server.Listener
	server.Listener = l
	server.Start()
	f.t.Cleanup(server.Close)
	return server, l
}

// TestWeight holds what a browser has to load to limits, with a landscape of
// fifty hosts.
func TestWeight(t *testing.T) {
	chromium := startBrowser(t)
	f := fleetFixture(t, 50)
	f.user("ada", 1)
	f.indexed()
	server, wire := f.serveCounted()
	tab := newTabOn(t, chromium, f, server)
	tab.signedIn()

	tab.live("/")
	asked, sent := wire.asked(), wire.sent.Load()
	t.Logf("cold dashboard: %d requests, %d bytes: %s", len(asked), sent, strings.Join(asked, " "))
	if len(asked) > 4 || sent > 40_000 {
		t.Errorf("a cold dashboard takes %d requests and %d bytes, want at most 4 and 40,000", len(asked), sent)
	}
}
