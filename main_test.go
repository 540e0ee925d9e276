package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"trento/store"
	"trento/store/activity"
)

// runAsProgram in the environment makes the test binary be the program, so
// that tests can start, signal and kill a real process.
const runAsProgram = "RUN_TEST_AS_TRENTO_WEB"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const adminPassword = "correct-horse-8"

// program is a running trento-web.
type program struct {
	t       *testing.T
	cmd     *exec.Cmd
	url     string
	lines   <-chan string // what it still prints
	stderr  *bytes.Buffer
	started time.Duration
}

func commandIn(t *testing.T, dir string, args []string, environ ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append([]string{
		runAsProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"PORT=0", "TRENTO_DATA_DIR=" + dir, "ADMIN_PASSWORD=" + adminPassword,
	}, environ...)
	return cmd
}

var announced = regexp.MustCompile(`Console\s+(http://\S+)`)

// start starts the program and waits until it says where it is.
func start(t *testing.T, dir string, args []string, environ ...string) *program {
	t.Helper()
	return startCommand(t, commandIn(t, dir, args, environ...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, stderr: new(bytes.Buffer)}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.kill()
		}
	})
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for line := range lines {
		if found := announced.FindStringSubmatch(line); found != nil {
			p.url, p.started = found[1], time.Since(began)
			break
		}
	}
	if p.url == "" {
		p.cmd.Wait()
		t.Fatalf("the program did not start:\n%s", p.stderr)
	}
	rest := make(chan string, 100)
	go func() {
		defer close(rest)
		for line := range lines {
			rest <- line
		}
	}()
	p.lines = rest
	return p
}

// kill ends the program as a power cut would.
func (p *program) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// stop asks the program to stop and returns how long that took.
func (p *program) stop(signal os.Signal) time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the program ended with %v:\n%s", err, p.stderr)
	}
	return time.Since(began)
}

// client is a caller of the program's API.
type client struct {
	t      *testing.T
	base   string
	header http.Header
}

func (p *program) client(header ...string) *client {
	h := make(http.Header)
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &client{p.t, p.url, h}
}

// do sends a request; it fails only where no answer comes.
func (c *client) do(method, path string, body any) (status int, answer []byte, err error) {
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, reader)
	if err != nil {
		return 0, nil, err
	}
	r.Header = c.header.Clone()
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// must sends a request, expects a status, and reads the answer into into.
func (c *client) must(status int, method, path string, body, into any) {
	c.t.Helper()
	got, answer, err := c.do(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if got != status {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, answer)
		}
	}
}

// user is a client that has signed in as the administrator.
func (p *program) user() *client {
	p.t.Helper()
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	p.client().must(200, "POST", "/api/session", map[string]any{"username": "admin", "password": adminPassword}, &tokens)
	return p.client("Authorization", "Bearer "+tokens.AccessToken)
}

// agent is a client with the key of the agents.
func (p *program) agent() *client {
	p.t.Helper()
	var key struct {
		Text string `json:"generated_api_key"`
	}
	p.user().must(200, "GET", "/api/v1/settings/api_key", nil, &key)
	return p.client("X-Trento-Apikey", key.Text)
}

type host struct {
	ID, Hostname string
}

func (c *client) hosts() (hosts []host) {
	c.t.Helper()
	c.must(200, "GET", "/api/v1/hosts", nil, &hosts)
	return hosts
}

type entry struct {
	Type     string
	Metadata map[string]any
}

// search is the newest entries that a metadata search finds.
func (c *client) search(text string) []entry {
	c.t.Helper()
	var page struct{ Data []entry }
	c.must(200, "GET", "/api/v1/activity_log?first=100&search="+url.QueryEscape(text), nil, &page)
	return page.Data
}

func hostReport(id, hostname string) map[string]any {
	return map[string]any{"agent_id": id, "discovery_type": "host_discovery", "payload": map[string]any{
		"hostname": hostname, "ip_addresses": []string{"10.9.8.7"}, "netmasks": []int{24}, "agent_version": "3.1.2",
		"cpu_count": 4, "total_memory_mb": 8192, "socket_count": 1, "os_version": "15-SP6",
	}}
}

func agentID(n int) string { return fmt.Sprintf("%08d-0000-5000-8000-000000000000", n) }

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, dir, nil, "ADMIN_PASSWORD=")
	p.client().must(200, "GET", "/api/healthz", nil, nil)
	p.client().must(200, "GET", "/api/readyz", nil, nil)

	file := filepath.Join(dir, "initial-admin-password")
	password, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(password))
	for _, name := range []string{file, filepath.Join(dir, "secrets"), filepath.Join(dir, "trento.db")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	p.client().must(200, "POST", "/api/session", map[string]any{"username": "admin", "password": secret}, nil)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the first sign-in the file of the password is there: %v", err)
	}
	pasted := "trento_pat_" + strings.Repeat("Ab-_9", 17)
	p.client().must(404, "GET", "/api/v1/hosts/"+pasted+"/nothing?session="+pasted, nil, nil)
	if took := p.stop(syscall.SIGTERM); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	var said strings.Builder
	for line := range p.lines {
		said.WriteString(line)
	}
	if !strings.Contains(said.String(), file) {
		t.Errorf("the start block does not name the file of the password: %s", &said)
	}
	if strings.Contains(said.String()+p.stderr.String(), secret) {
		t.Error("the password was printed")
	}
	if log := p.stderr.String(); strings.Contains(log, pasted[:30]) || !strings.Contains(log, "trento_pat_…") {
		t.Errorf("a token that was pasted into an address is not masked:\n%s", log)
	}

	// A password in the configuration replaces the generated one.
	p = start(t, dir, []string{"serve"})
	p.user()
	p.client().must(401, "POST", "/api/session", map[string]any{"username": "admin", "password": secret}, nil)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the generated password is still there: %v", err)
	}
}

// TestRetention starts the program on a log that has become too old while it
// was down.
func TestRetention(t *testing.T) {
	dir := t.TempDir()
	now := time.Now().Add(-40 * 24 * time.Hour)
	s, err := store.Open(dir, store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"old", "young"} {
		metadata := map[string]any{"added_tag": tag, "resource_type": "host", "hostname": "hana01"}
		if err := s.AppendActivity(t.Context(), store.System(), activity.TypeResourceTagging, metadata); err != nil {
			t.Fatal(err)
		}
		now = now.Add(20 * 24 * time.Hour)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir, nil).user()
	for began := time.Now(); len(c.search("old")) > 0; {
		if time.Since(began) > 30*time.Second {
			t.Fatal("old entries are still there")
		}
	}
	if got := c.search("young"); len(got) != 1 {
		t.Errorf("young entries: %v", got)
	}
}

func TestSecondInstance(t *testing.T) {
	dir := t.TempDir()
	start(t, dir, nil)
	out, err := commandIn(t, dir, nil).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by another trento-web") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestResetPassword goes the way back in of somebody who has lost the password.
func TestResetPassword(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	reset := func(input string, environ []string, args ...string) (string, error) {
		t.Helper()
		cmd := commandIn(t, dir, append([]string{"admin", "reset-password"}, args...), append([]string{"ADMIN_PASSWORD="}, environ...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	refused := func(want, input string, environ []string, args ...string) {
		t.Helper()
		if out, err := reset(input, environ, args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s; want %q", err, out, want)
		}
	}
	refused("no server's data", "", nil)
	if _, err := os.Stat(dir); err == nil {
		t.Error("it has made a data directory of its own")
	}

	p := start(t, dir, nil, "ADMIN_PASSWORD=")
	file := filepath.Join(dir, "initial-admin-password")
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	first := read()
	refused("in use by another trento-web", "", nil)
	p.stop(syscall.SIGTERM)
	refused("ADMIN_PASSWORD is configured", "", []string{"ADMIN_PASSWORD=" + adminPassword})
	refused("should be at least 8 character(s)", "short\n", nil, "--stdin")
	refused("no password on the standard input", "\n", nil, "--stdin")
	if read() != first {
		t.Fatal("a refused reset has changed the file")
	}

	signIn := func(password string, status int) {
		t.Helper()
		p.client().must(status, "POST", "/api/session", map[string]any{"username": "admin", "password": password}, nil)
	}
	out, err := reset("", nil)
	second := read()
	if err != nil || !strings.Contains(out, file) || strings.Contains(out, second) || second == first {
		t.Fatalf("%v: %s", err, out)
	}
	p = start(t, dir, nil, "ADMIN_PASSWORD=")
	signIn(first, 401)
	signIn(second, 200)
	p.stop(syscall.SIGTERM)

	const chosen = "Tuesday-morning-7"
	if out, err := reset(chosen+"\r\nignored", nil, "--stdin"); err != nil || strings.Contains(out, chosen) {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the generated password is still there: %v", err)
	}
	p = start(t, dir, nil, "ADMIN_PASSWORD=")
	signIn(second, 401)
	signIn(chosen, 200)
}

func TestWrongConfiguration(t *testing.T) {
	out, err := commandIn(t, t.TempDir(), nil, "LOG_LEVEL=loud", "PORT=none").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "LOG_LEVEL") || !strings.Contains(string(out), "PORT") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFailedStartLeavesNothing: whatever stops a start stops it before there is
// anything on the disk.
func TestFailedStartLeavesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for want, environ := range map[string][]string{
		"port " + port + " cannot be used":            {"LISTEN=127.0.0.1", "PORT=" + port},
		"LISTEN 192.0.2.1 is no address":              {"LISTEN=192.0.2.1"},
		"LISTEN \"localhost\": want an address":       {"LISTEN=localhost"},
		"LOG_LEVEL \"loud\"":                          {"LOG_LEVEL=loud"},
		"ADMIN_USER is reserved":                      {"ADMIN_USER=System"},
		"ADMIN_EMAIL is not a valid email":            {"ADMIN_EMAIL=nowhere"},
		"ADMIN_PASSWORD has sequential characters":    {"ADMIN_PASSWORD=secret1234"},
		"REFRESH_TOKEN_ENC_SECRET: want a text other": {"REFRESH_TOKEN_ENC_SECRET=x", "ACCESS_TOKEN_ENC_SECRET=x"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		out, err := commandIn(t, dir, nil, environ...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v: %s", environ, err, out)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: the data directory is there: %v", environ, err)
		}
	}
}

// TestListen: with LISTEN the server is at that address, says so, and is not at
// another one.
func TestListen(t *testing.T) {
	p := start(t, t.TempDir(), nil, "LISTEN=127.0.0.2", "PROT=1")
	p.client().must(200, "GET", "/api/healthz", nil, nil)
	if c, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(p.url, "http://"), "127.0.0.2", "127.0.0.1", 1)); err == nil {
		c.Close()
		t.Error("it is at another address, too")
	}
	if advice := <-p.lines; advice == "" {
		t.Error("nothing follows the address")
	}
	p.stop(os.Interrupt)
	if !strings.HasPrefix(p.url, "http://127.0.0.2:") || !strings.Contains(p.stderr.String(), "did you mean PORT?") {
		t.Errorf("it is at %s, and says %s", p.url, p.stderr)
	}
}

func TestCommandLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for args, want := range map[string]string{
		"version":            `^trento-web \S+\ncommit     \S+.*\ndate       \S+\nGo         1\.\d+\S* linux/\w+\n$`,
		"srve":               `did you mean serve\?\nRun "trento-web --help"`,
		"verison":            `did you mean version\?`,
		"nonsense":           `unknown command "nonsense" for "trento-web"\nRun`,
		"service strat":      `did you mean start\?\nRun "trento-web service --help"`,
		"admin resetpasword": `did you mean reset-password\?`,
		"--help":             `Examples:\n  trento-web `,
		"serve --help":       `Examples:\n  trento-web serve`,
		"config --help":      `Examples:\n  trento-web config`,
		"service --help":     `Examples:\n  sudo trento-web service install`,
		"demo --help":        `Examples:\n  trento-web demo`,
		"simulate --help":    `Examples:\n  trento-web simulate`,
		"admin":              `Available Commands:\n  reset-password`,
	} {
		out, err := commandIn(t, dir, strings.Fields(args)).CombinedOutput()
		if !regexp.MustCompile(want).Match(out) || (err != nil) != strings.Contains(string(out), "unknown command") {
			t.Errorf("trento-web %s: %v: %s", args, err, out)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory is there: %v", err)
	}
}

func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trento-web")
	if err := os.WriteFile(file, []byte("# comment\nLOG_LEVEL=\"debug\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := commandIn(t, t.TempDir(), []string{"config", "--config", file}).CombinedOutput()
	if err != nil || !regexp.MustCompile(`LOG_LEVEL\s*=?\s*debug.*file`).Match(out) || strings.Contains(string(out), adminPassword) {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestStopWithOpenStream stops the program while a browser listens for events,
// which by itself would last for ever.
func TestStopWithOpenStream(t *testing.T) {
	p := start(t, t.TempDir(), nil)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	response, err := browser.PostForm(p.url+"/session", url.Values{"username": {"admin"}, "password": {adminPassword}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if got := stream.Header.Get("Content-Type"); stream.StatusCode != 200 || !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("status %d, %s", stream.StatusCode, got)
	}
	if took := p.stop(os.Interrupt); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream did not end cleanly: %v", err)
	}
}

// TestKill kills the program again and again while agents report, and sees
// that every acknowledged report is there, with its entry in the log, and that
// searches find it.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	const agents, rounds = 8, 5
	var acknowledged [agents]int // the newest revision of each host that was accepted
	for round := range rounds {
		p := start(t, dir, nil)
		checkRevisions(t, p.user(), &acknowledged)
		reporter := p.agent()
		var accepted atomic.Int64
		enough := int64(20 + rand.IntN(150))
		var once sync.Once
		var all sync.WaitGroup
		for n := range agents {
			all.Go(func() {
				for revision := acknowledged[n] + 1; ; revision++ {
					status, _, err := reporter.do("POST", "/api/v1/collect", hostReport(agentID(n), revisionName(n, revision)))
					if err != nil {
						return // killed: whether this one was taken in is open
					}
					if status != 202 {
						t.Errorf("round %d: status %d", round, status)
						return
					}
					acknowledged[n] = revision
					if accepted.Add(1) >= enough {
						once.Do(p.kill)
					}
				}
			})
		}
		all.Wait()
	}
	if err := os.RemoveAll(filepath.Join(dir, "index")); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir, nil)
	checkRevisions(t, p.user(), &acknowledged)
	p.kill()

	// A damaged index is no reason not to start, or to find less.
	err := filepath.WalkDir(filepath.Join(dir, "index"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.WriteFile(path, []byte("damaged"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkRevisions(t, start(t, dir, nil).user(), &acknowledged)
}

func revisionName(n, revision int) string { return fmt.Sprintf("kill%d-r%d", n, revision) }

// checkRevisions sees that each host is at the acknowledged revision, or at
// the one after it, whose answer was lost, and adopts what it finds.
func checkRevisions(t *testing.T, c *client, acknowledged *[8]int) {
	t.Helper()
	found := make(map[string]string)
	for _, h := range c.hosts() {
		found[h.ID] = h.Hostname
	}
	for n := range acknowledged {
		switch found[agentID(n)] {
		case revisionName(n, acknowledged[n]+1):
			acknowledged[n]++
		case revisionName(n, acknowledged[n]):
		case "":
			if acknowledged[n] == 0 {
				continue
			}
			fallthrough
		default:
			t.Fatalf("host %d is %q, acknowledged was revision %d", n, found[agentID(n)], acknowledged[n])
		}
		for revision := max(1, acknowledged[n]-3); revision <= acknowledged[n]; revision++ {
			if got := c.search(revisionName(n, revision)); len(got) != 1 {
				t.Errorf("%s: %d entries, want 1", revisionName(n, revision), len(got))
			}
		}
	}
}

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

// landscapeCounts is what a landscape comes to.
type landscapeCounts struct {
	Hosts, Clusters, Databases, SAPSystems, ApplicationInstances, DatabaseInstances int
}

// TestRealLandscapes feeds the reports of real landscapes in a random order,
// once each: the order must not matter, and one round must do.
func TestRealLandscapes(t *testing.T) {
	const folder = "../shared/fixtures/scenarios"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("the reports of the real landscapes are not on this machine; TestDemo feeds our own")
	}
	for scenario, want := range map[string]landscapeCounts{
		"aws-landscape":               {6, 2, 1, 1, 4, 2},
		"hana-scale-out":              {6, 1, 1, 0, 0, 4},
		"healthy-27-node-SAP-cluster": {27, 9, 3, 3, 12, 6},
		"multi-tenant":                {5, 0, 1, 2, 4, 3},
	} {
		t.Run(scenario, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(folder, scenario, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
			p := start(t, t.TempDir(), nil)
			reporter := p.agent()
			for _, file := range files {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				status, answer, err := reporter.do("POST", "/api/v1/collect", body)
				if err != nil {
					t.Fatal(err)
				}
				if status != 202 && status != 404 { // 404: what it speaks of comes later
					t.Errorf("%s: status %d: %s", file, status, answer)
				}
			}
			checkLandscape(t, p.user(), want)
		})
	}
}

// checkLandscape compares the lists of the API with what is expected. All
// databases and SAP systems of the real landscapes end healthy.
func checkLandscape(t *testing.T, c *client, want landscapeCounts) {
	t.Helper()
	type system struct {
		SID, Health          string
		ApplicationInstances []any `json:"application_instances"`
		DatabaseInstances    []any `json:"database_instances"`
	}
	var clusters, hosts []any
	var databases, systems []system
	c.must(200, "GET", "/api/v1/hosts", nil, &hosts)
	c.must(200, "GET", "/api/v2/clusters", nil, &clusters)
	c.must(200, "GET", "/api/v1/databases", nil, &databases)
	c.must(200, "GET", "/api/v1/sap_systems", nil, &systems)
	got := landscapeCounts{Hosts: len(hosts), Clusters: len(clusters), Databases: len(databases), SAPSystems: len(systems)}
	for _, s := range systems {
		got.ApplicationInstances += len(s.ApplicationInstances)
	}
	for _, db := range databases {
		got.DatabaseInstances += len(db.DatabaseInstances)
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, s := range append(databases, systems...) {
		if s.Health != "passing" {
			t.Errorf("%s is %s", s.SID, s.Health)
		}
	}
}

func TestDemo(t *testing.T) {
	p := start(t, t.TempDir(), []string{"demo"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	user := p.user()
	for len(user.hosts()) < 50 {
		if ctx.Err() != nil {
			t.Fatalf("only %d hosts after half a minute:\n%s", len(user.hosts()), p.stderr)
		}
	}
	p.stop(os.Interrupt)
}

// mayImport is the plan of the house: which packages of the project a package
// may import, and which libraries belong to one room.
var mayImport = map[string][]string{
	"trento/store/activity":        {},
	"trento/store/landscape":       {"trento/store/activity"},
	"trento/store/discovery":       {"trento/store/landscape"},
	"trento/store/discovery/fleet": {"trento/store/landscape"},
	"trento/store":                 {"trento/store/activity", "trento/store/landscape"},
	"trento/store/storetest":       {"trento/store"},
	"trento/auth":                  {"trento/store", "trento/store/activity", "trento/store/landscape"},
	"trento/search":                {"trento/store", "trento/store/activity"},
	"trento/ui/api":                {"trento/auth", "trento/search", "trento/store", "trento/store/activity", "trento/store/discovery", "trento/store/landscape"},
	"trento/ui":                    {"trento/auth", "trento/search", "trento/store", "trento/store/activity", "trento/store/landscape", "trento/ui/api"},
	"trento/packaging/config":      {},
	"trento/packaging/connection":  {},
	"trento/packaging/daemon":      {},
	"trento/packaging/memory":      {},
	"trento":                       {"trento/auth", "trento/packaging/config", "trento/packaging/connection", "trento/packaging/daemon", "trento/packaging/memory", "trento/search", "trento/store", "trento/store/discovery/fleet", "trento/ui", "trento/ui/api"},
}

var roomOf = map[string][]string{
	"go.etcd.io/bbolt":            {"trento/store"},
	"github.com/blevesearch":      {"trento/search"},
	"github.com/RoaringBitmap":    {"trento/search"},
	"github.com/gorilla/sessions": {"trento/auth"},
	"github.com/golang-jwt/jwt":   {"trento/auth"},
	"github.com/gorilla/mux":      {"trento/ui", "trento/ui/api"},
	"html/template":               {"trento/ui"},
	"net/http":                    {"trento", "trento/packaging/connection", "trento/auth", "trento/ui", "trento/ui/api", "trento/store/discovery/fleet"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		allowed, planned := mayImport[p.ImportPath]
		if !planned {
			t.Errorf("%s is not in the plan of the house", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "trento/") && !slices.Contains(allowed, i) {
				t.Errorf("%s may not import %s", p.ImportPath, i)
			}
			for library, rooms := range roomOf {
				if (i == library || strings.HasPrefix(i, library+"/")) && !slices.Contains(rooms, p.ImportPath) {
					t.Errorf("%s may not import %s: that belongs to %v", p.ImportPath, i, rooms)
				}
			}
		}
	}
}
