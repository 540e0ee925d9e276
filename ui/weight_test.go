package ui

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trento/store/discovery/fleet"
)

// wire counts the requests to a server and the bytes that it sends, including
// headers.
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

// asked returns the paths requested since its last call.
func (l *wire) asked() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	paths := l.requests
	l.requests = nil
	return paths
}

// serveCounted is serve with counted requests and bytes.
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

// TestWeight checks that a browser loads at most a certain number of bytes for
// a landscape of fifty hosts, when a page is opened and while the landscape
// changes.
func TestWeight(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a browser")
	}
	chromium := startBrowser(t)
	f := newFixture(t)
	f.user("ada", 1)
	land := fleet.New(7, 50)
	step := func() (changed bool) {
		before := f.land().Seq
		f.clock.pass(15 * time.Second)
		land.Step(f.clock.Now())
		for _, h := range land.Hosts() {
			for _, r := range h.Reports() {
				f.collect(r)
			}
		}
		f.indexed()
		return f.land().Seq != before
	}
	step()
	server, wire := f.serveCounted()
	tab := newTabOn(t, chromium, f, server)
	tab.signedIn()

	tab.live("/")
	asked, sent := wire.asked(), wire.sent.Load()
	t.Logf("cold dashboard: %d requests, %d bytes: %s", len(asked), sent, strings.Join(asked, " "))
	if len(asked) > 4 || sent > 40_000 {
		t.Errorf("a cold dashboard takes %d requests and %d bytes, want at most 4 and 40,000", len(asked), sent)
	}

	// The demo takes a step every 15 seconds; here are two that change something.
	for _, page := range []string{"/", "/hosts", "/sap_systems", "/activity_log?refreshRate=live"} {
		tab.live(page)
		before := wire.sent.Load()
		wire.asked()
		for range 2 {
			cursor := tab.ask("document.getElementById('frame').dataset.cursor")
			for !step() {
			}
			tab.until("document.getElementById('frame').dataset.cursor !== '" + cursor + "'")
		}
		asked, sent := wire.asked(), wire.sent.Load()-before
		t.Logf("%s, two steps of the demo: %d requests, %d bytes", page, len(asked), sent)
		if sent > 8000 {
			t.Errorf("two steps of the demo take %d bytes on %s, want at most 8,000", sent, page)
		}
	}
}
