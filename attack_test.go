package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// residentMemory is what the program holds of the memory of the machine.
func (p *program) residentMemory() int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		p.t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// startBuilt starts the program as it is installed. What it holds of the memory
// means nothing where it is built with the race detector, as tests are.
func startBuilt(t *testing.T, environ ...string) *program {
	t.Helper()
	built := filepath.Join(t.TempDir(), "trento-web")
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := commandIn(t, t.TempDir(), nil, environ...)
	cmd.Path, cmd.Args = built, []string{built}
	return startCommand(t, cmd)
}

// flood opens connections from an address of this machine, gives each to
// attack, and returns when all have done what they can. They stay open until
// the test ends.
func (p *program) flood(from string, connections int, attack func(net.Conn)) {
	p.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 20 * time.Second}
	address := strings.Replace(strings.TrimPrefix(p.url, "http://"), "localhost", "127.0.0.1", 1)
	var all sync.WaitGroup
	for range connections {
		c, err := d.DialContext(p.t.Context(), "tcp", address)
		if err != nil {
			continue // refused, which is as good
		}
		p.t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(20 * time.Second))
		all.Go(func() { attack(c) })
	}
	all.Wait()
}

// TestAttacks: while somebody without credentials does their worst, memory
// stays small, users sign in and agents report.
func TestAttacks(t *testing.T) {
	p := startBuilt(t, "MAX_CONNECTIONS_PER_ADDRESS=200")
	agent := p.agent()
	agent.must(202, "POST", "/api/v1/collect", hostReport(agentID(1), "vega01"), nil)
	before := p.residentMemory()
	large := strings.Repeat(" ", 500_000)
	body := func(head, text string) func(net.Conn) {
		return func(c net.Conn) {
			// Whether all of it is taken is up to the program.
			_, _ = io.WriteString(c, head+"Host: x\r\nContent-Type: application/json\r\n\r\n"+text)
		}
	}
	for _, attack := range []struct {
		name string
		run  func()
	}{
		{"reports without a key", func() {
			p.flood("127.0.0.2", 300, body("POST /api/v1/collect HTTP/1.1\r\nContent-Length: 8000000\r\n", large))
		}},
		{"reports without a key in pieces", func() {
			p.flood("127.0.0.2", 300, body("POST /api/v1/collect HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "7A120\r\n"+large))
		}},
		{"sign-ins that do not end", func() {
			p.flood("127.0.0.3", 300, body("POST /api/session HTTP/1.1\r\nContent-Length: 65536\r\n", large[:65_000]))
			p.flood("127.0.0.4", 300, body("POST /session HTTP/1.1\r\nContent-Length: 65536\r\n", large[:65_000]))
		}},
		{"silent connections", func() { p.flood("127.0.0.5", 1000, func(net.Conn) {}) }},
		{"heads that do not end", func() {
			p.flood("127.0.0.6", 300, func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nX: "+large[:50_000]) })
		}},
	} {
		attack.run()
		began := time.Now()
		p.user()
		agent.must(204, "POST", "/api/v1/hosts/"+agentID(1)+"/heartbeat", nil, nil)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("beside %s, a sign-in took %v", attack.name, took)
		}
		grown := (p.residentMemory() - before) >> 20
		t.Logf("%s: %d MiB more", attack.name, grown)
		// Two passwords that are hashed at once take 128 MiB.
		if grown > 250 {
			t.Errorf("after %s, the program holds %d MiB more", attack.name, grown)
		}
	}
	p.stop(syscall.SIGTERM)
}

// TestQueryOfThousands: the one GET that made half a gigabyte of HTML.
func TestQueryOfThousands(t *testing.T) {
	p := startBuilt(t)
	p.agent().must(202, "POST", "/api/v1/collect", hostReport(agentID(1), "vega01"), nil)
	cookie := p.signIn()
	before := p.residentMemory()
	query := make([]string, 6200)
	for i := range query {
		query[i] = fmt.Sprintf("tags=t%d", i)
	}
	for _, path := range []string{"/hosts", "/hosts.csv", "/activity_log", "/search", "/api/v1/hosts", "/api/v1/activity_log"} {
		status, answer, err := p.client("Cookie", cookie).do("GET", path+"?"+strings.Join(query, "&"), nil)
		if err != nil || status != http.StatusRequestURITooLong || len(answer) > 20_000 || !strings.Contains(string(answer), "tags") {
			t.Errorf("%s: status %d, %d bytes, %v", path, status, len(answer), err)
		}
	}
	if grown := (p.residentMemory() - before) >> 20; grown > 50 {
		t.Errorf("the program holds %d MiB more", grown)
	}
	p.user()
	p.stop(syscall.SIGTERM)
}

// signIn signs the administrator in to the console and returns the cookie.
func (p *program) signIn() string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/session", strings.NewReader(url.Values{"username": {"admin"}, "password": {adminPassword}}.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	response.Body.Close()
	for _, c := range response.Cookies() {
		if c.Name == "trento-session" {
			return c.Name + "=" + c.Value
		}
	}
	p.t.Fatalf("status %d, no session", response.StatusCode)
	return ""
}
