package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"trento/packaging/servertest"
)

// residentMemory returns the resident memory of the program in bytes.
func residentMemory(t *testing.T, p *servertest.Program) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// flood opens connections from an address of this machine, calls attack with
// each, and returns when all calls have returned. The connections stay open
// until the test ends.
func flood(t *testing.T, p *servertest.Program, from string, connections int, attack func(net.Conn)) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second}
	var all sync.WaitGroup
	for range connections {
		c, err := d.DialContext(t.Context(), "tcp", p.Address())
		if err != nil {
			continue // refused, which is as good
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		all.Go(func() { attack(c) })
	}
	all.Wait()
}

// TestAttacks checks that memory stays small, users can sign in and agents can
// report while clients without credentials attack the server.
func TestAttacks(t *testing.T) {
	t.Parallel()
	p := servertest.StartBuilt(t, "MAX_CONNECTIONS_PER_ADDRESS=200")
	agent := p.Agent()
	agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
	before := residentMemory(t, p)
	large := strings.Repeat(" ", 500_000)
	body := func(head, text string) func(net.Conn) {
		return func(c net.Conn) {
			// The program need not read all of it.
			_, _ = io.WriteString(c, head+"Host: x\r\nContent-Type: application/json\r\n\r\n"+text)
		}
	}
	for _, attack := range []struct {
		name string
		run  func()
	}{
		{"reports without a key", func() {
			flood(t, p, "127.0.0.2", 300, body("POST /api/v1/collect HTTP/1.1\r\nContent-Length: 8000000\r\n", large))
		}},
		{"reports without a key in pieces", func() {
			flood(t, p, "127.0.0.2", 300, body("POST /api/v1/collect HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "7A120\r\n"+large))
		}},
		{"sign-ins that do not end", func() {
			flood(t, p, "127.0.0.3", 300, body("POST /api/session HTTP/1.1\r\nContent-Length: 65536\r\n", large[:65_000]))
			flood(t, p, "127.0.0.4", 300, body("POST /session HTTP/1.1\r\nContent-Length: 65536\r\n", large[:65_000]))
		}},
		{"silent connections", func() { flood(t, p, "127.0.0.5", 1000, func(net.Conn) {}) }},
		{"heads that do not end", func() {
			flood(t, p, "127.0.0.6", 300, func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nX: "+large[:50_000]) })
		}},
	} {
		attack.run()
		began := time.Now()
		p.User()
		agent.Must(204, "POST", "/api/v1/hosts/"+servertest.AgentID(1)+"/heartbeat", nil, nil)
		// Connections of the attack can keep others waiting for a minute.
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("beside %s, a sign-in took %v", attack.name, took)
		}
		grown := (residentMemory(t, p) - before) >> 20
		t.Logf("%s: %d MiB more", attack.name, grown)
		// Two passwords that are hashed at once take 128 MiB.
		if grown > 250 {
			t.Errorf("after %s, the program holds %d MiB more", attack.name, grown)
		}
	}
	p.Stop(syscall.SIGTERM)
}

// TestLongQuery checks that a long query cannot cause a huge page. A GET
// once made half a gigabyte of HTML.
func TestLongQuery(t *testing.T) {
	p := servertest.StartBuilt(t)
	p.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
	browser := p.Browser()
	before := residentMemory(t, p)
	query := make([]string, 6200)
	for i := range query {
		query[i] = fmt.Sprintf("tags=t%d", i)
	}
	for _, path := range []string{"/hosts", "/hosts.csv", "/activity_log", "/search", "/api/v1/hosts", "/api/v1/activity_log"} {
		status, answer, err := browser.Do("GET", path+"?"+strings.Join(query, "&"), nil)
		if err != nil || status != http.StatusRequestURITooLong || len(answer) > 20_000 || !strings.Contains(string(answer), "tags") {
			t.Errorf("%s: status %d, %d bytes, %v", path, status, len(answer), err)
		}
	}
	if grown := (residentMemory(t, p) - before) >> 20; grown > 50 {
		t.Errorf("the program holds %d MiB more", grown)
	}
	p.User()
	p.Stop(syscall.SIGTERM)
}
