package connection

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"trento/packaging/servertest"
)

// served is a server with limits, on an address of this machine.
type served struct {
	t        *testing.T
	listener *Listener
	hold     chan struct{} // requests for /hold end when it is closed
	held     chan struct{} // gets one for each request for /hold that is served
	log      strings.Builder
}

func serve(t *testing.T, limits Limits) *served {
	t.Helper()
	s, server := newServed(t, limits)
	go server.Serve(s.listener)
	return s
}

// newServed returns the server, which does not serve yet.
func newServed(t *testing.T, limits Limits) (*served, *http.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, hold: make(chan struct{}), held: make(chan struct{}, 1000)}
	s.listener = Limit(l, limits, slog.New(slog.NewTextHandler(&s.log, nil)))
	server := &http.Server{ConnState: s.listener.ConnState, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			s.held <- struct{}{}
			<-s.hold
		}
	})}
	t.Cleanup(func() {
		select {
		case <-s.hold:
		default:
			close(s.hold)
		}
		server.Close()
	})
	return s, server
}

// dial opens a connection from an address in 127.0.0.0/8. All of them belong to
// this machine.
func (s *served) dial(from string) net.Conn {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := d.DialContext(s.t.Context(), "tcp", s.listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// ask sends a request over a connection and returns the status, or 0 if the
// connection was closed.
func ask(c net.Conn, path string) int {
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// until waits until the listener has a number of open connections.
func (s *served) until(open int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		s.listener.mu.Lock()
		now := s.listener.openCount
		s.listener.mu.Unlock()
		if now == open {
			return
		}
		runtime.Gosched()
	}
	s.t.Fatalf("there are not %d connections", open)
}

// A client that opens idle connections can only have a limited number, and
// later clients are still served, also from the same address.
func TestSilentConnections(t *testing.T) {
	s := serve(t, Limits{Total: 100, PerAddress: 10})
	first := s.dial("127.0.0.2")
	for range 50 {
		s.dial("127.0.0.2")
	}
	s.until(10)
	if n, err := first.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection that waited longest is open: %d bytes", n)
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		if status := ask(s.dial(from), "/"); status != http.StatusOK {
			t.Errorf("from %s: status %d", from, status)
		}
	}
}

// Connections that are being served are not closed for others. If all
// connections of an address are busy, new ones are refused at that address
// only.
func TestBusyConnections(t *testing.T) {
	s := serve(t, Limits{Total: 100, PerAddress: 10})
	for range 10 {
		go ask(s.dial("127.0.0.2"), "/hold")
		<-s.held
	}
	if status := ask(s.dial("127.0.0.2"), "/"); status != http.StatusServiceUnavailable && status != 0 {
		t.Errorf("the eleventh: status %d", status)
	}
	if status := ask(s.dial("127.0.0.1"), "/"); status != http.StatusOK {
		t.Errorf("from elsewhere: status %d", status)
	}
	close(s.hold)
}

// If all connections are open, one of the address with the most connections is
// closed.
func TestTotal(t *testing.T) {
	s := serve(t, Limits{Total: 20})
	careful := s.dial("127.0.0.3")
	if status := ask(careful, "/"); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	for range 100 {
		s.dial("127.0.0.2")
	}
	s.until(20)
	if status := ask(s.dial("127.0.0.4"), "/"); status != http.StatusOK {
		t.Errorf("a newcomer: status %d", status)
	}
	if status := ask(careful, "/"); status != http.StatusOK {
		t.Errorf("the connection of a client with one: status %d", status)
	}
}

// A trusted proxy stands for many clients, so its address has no limit.
func TestExempt(t *testing.T) {
	s := serve(t, Limits{Total: 100, PerAddress: 10, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	for range 50 {
		s.dial("127.0.0.2")
	}
	s.until(50)
}

// Any number of agents behind one address is served, although they keep their
// connections between heartbeats.
func TestManyAgentsBehindOneAddress(t *testing.T) {
	s := serve(t, Limits{Total: 100, PerAddress: 10})
	for range 3 {
		for range 40 {
			if status := ask(s.dial("127.0.0.2"), "/"); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
		}
	}
	s.until(10)
}

// With TLS, connections count from the beginning of their handshake. Those whose
// handshake does not end make room, and those that are being served do not.
func TestTLS(t *testing.T) {
	s, server := newServed(t, Limits{Total: 100, PerAddress: 10, TLS: true})
	authority := servertest.NewAuthority(t)
	cert, key := authority.Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.ErrorLog = log.New(io.Discard, "", 0)
	go server.ServeTLS(s.listener, "", "")
	dial := func(from string) *tls.Conn {
		return tls.Client(s.dial(from), &tls.Config{RootCAs: authority.Roots, ServerName: "localhost"})
	}
	for range 9 {
		go ask(dial("127.0.0.2"), "/hold")
		<-s.held
	}
	for range 50 {
		s.dial("127.0.0.2")
	}
	s.until(10)
	go ask(dial("127.0.0.2"), "/hold")
	<-s.held
	// All ten are busy: the next one is closed without an answer that is not TLS.
	if err := dial("127.0.0.2").Handshake(); err == nil || errors.As(err, new(tls.RecordHeaderError)) {
		t.Errorf("the eleventh: %v", err)
	}
	if status := ask(dial("127.0.0.1"), "/"); status != http.StatusOK {
		t.Errorf("from elsewhere: status %d", status)
	}
}

// Closed connections leave nothing in the listener.
func TestNothingIsLeft(t *testing.T) {
	s := serve(t, Limits{Total: 100, PerAddress: 10})
	var all []net.Conn
	for i := range 30 {
		all = append(all, s.dial(fmt.Sprintf("127.0.0.%d", i%5+1)))
	}
	s.until(len(all)) // a connection is there for its client before the listener has it
	for _, c := range all {
		c.Close()
	}
	s.until(0)
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	if n := len(s.listener.clients); n != 0 {
		t.Errorf("%d clients are remembered", n)
	}
}

func TestNetworkOf(t *testing.T) {
	l := Limit(nil, Limits{Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, nil)
	for address, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1/32 false", "10.1.2.3:5": "10.1.2.3/32 true", "[::ffff:10.1.2.3]:5": "10.1.2.3/32 true",
		"[2001:db8::1]:5": "2001:db8::/64 false", "[fe80::1%eth0]:5": "fe80::/64 false", "@": "invalid Prefix false",
	} {
		network, exempt := l.networkOf(addressed{address: address})
		if got := fmt.Sprint(network, exempt); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// addressed is a connection that only has a remote address.
type addressed struct {
	net.Conn
	address string
}

func (c addressed) RemoteAddr() net.Addr { return c }
func (c addressed) Network() string      { return "tcp" }
func (c addressed) String() string       { return c.address }
