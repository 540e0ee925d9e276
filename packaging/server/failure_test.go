package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trento/packaging/servertest"
)

// readiness is the answer of /api/readyz.
type readiness struct {
	status     int
	retryAfter string
	Ready      bool
	Failures   []struct{ Name, Text, Advice string }
}

func (r readiness) names() string {
	names := make([]string, len(r.Failures))
	for i, f := range r.Failures {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

func readReadiness(t *testing.T, p *servertest.Program) (r readiness) {
	t.Helper()
	answer, err := p.Client().Open("GET", "/api/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	r.status, r.retryAfter = answer.StatusCode, answer.Header.Get("Retry-After")
	if err := json.NewDecoder(answer.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// fullDiskMethod is a way to make the disk of a running program full.
type fullDiskMethod struct {
	start      func(t *testing.T, dir string) *servertest.Program
	fill, free func(t *testing.T, p *servertest.Program, dir string)
	cause      string // part of the text that says why
}

// fileSizeLimit makes every write beyond the beginning of a file fail. It needs
// no privileges.
var fileSizeLimit = fullDiskMethod{
	start: func(t *testing.T, dir string) *servertest.Program { return servertest.Start(t, dir, nil) },
	fill:  func(t *testing.T, p *servertest.Program, _ string) { limitFileSize(t, p, 8192) },
	free:  func(t *testing.T, p *servertest.Program, _ string) { limitFileSize(t, p, unix.RLIM_INFINITY) },
	cause: "may not grow",
}

func limitFileSize(t *testing.T, p *servertest.Program, size uint64) {
	t.Helper()
	if err := unix.Prlimit(p.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil); err != nil {
		t.Fatal(err)
	}
}

// smallFileSystem is a file system in memory that only the program sees.
var smallFileSystem = fullDiskMethod{
	start: func(t *testing.T, dir string) *servertest.Program {
		cmd := servertest.Command(t, dir, nil)
		inNamespace(cmd, `mount -t tmpfs -o size=8m,mode=700 tmpfs "$TRENTO_DATA_DIR" && exec "$0" "$@"`)
		return servertest.StartCommand(t, cmd)
	},
	fill: func(t *testing.T, p *servertest.Program, dir string) {
		f, err := os.Create(ballastPath(p, dir))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	},
	free: func(t *testing.T, p *servertest.Program, dir string) {
		if err := os.Remove(ballastPath(p, dir)); err != nil {
			t.Fatal(err)
		}
	},
	cause: "is full",
}

// ballastPath returns the path of the file that fills the disk, as seen from
// outside the namespace of the program.
func ballastPath(p *servertest.Program, dir string) string {
	return filepath.Join("/proc", strconv.Itoa(p.PID()), "root", dir, "ballast")
}

// inNamespace changes a command so that it runs in a shell script that may
// mount file systems.
func inNamespace(cmd *exec.Cmd, script string) {
	cmd.Args = append([]string{"sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// canMount reports whether this machine allows tests to mount file systems.
// Most containers do not.
func canMount(t *testing.T) bool {
	t.Helper()
	cmd := exec.Command("/bin/true")
	inNamespace(cmd, `mount -t tmpfs tmpfs "$DIR" && exec "$0"`)
	cmd.Env = append(os.Environ(), "DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("nothing can be mounted, so the disk is made full in one way only: %v %s", err, out)
	}
	return err == nil
}

// TestFullDisk fills the disk of a running program while agents report. Writes
// are answered with 503, reads and sign-ins still work, and the console, the
// API and the log report the failure. When there is space again, the program
// recovers by itself. No acknowledged report is lost, even if the program is
// killed meanwhile.
func TestFullDisk(t *testing.T) {
	ways := map[string]fullDiskMethod{"limit of a file": fileSizeLimit}
	if canMount(t) {
		ways["small file system"] = smallFileSystem
	}
	for name, disk := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := disk.start(t, dir)
			agent, user, browser := p.Agent(), p.User(), p.Browser()
			acknowledged := reportUntilRefused(t, agent, 0, 1)
			disk.fill(t, p, dir)
			acknowledged = reportUntilRefused(t, agent, acknowledged, 5000)

			if r := readReadiness(t, p); r.status != 503 || r.Ready || r.retryAfter == "" || r.names() != "writing" || !strings.Contains(r.Failures[0].Text, disk.cause) {
				t.Errorf("readiness %+v", r)
			}
			user.Must(200, "GET", "/api/healthz", nil, nil)
			if hosts := user.Hosts(); len(hosts) != acknowledged {
				t.Errorf("%d hosts, acknowledged were %d", len(hosts), acknowledged)
			}
			if status, page, err := browser.Do("GET", "/hosts", nil); err != nil || status != 200 || !strings.Contains(string(page), "Changes cannot be stored") || !strings.Contains(string(page), disk.cause) {
				t.Errorf("page of hosts: status %d, %v, and whether it says what fails: %t", status, err, strings.Contains(string(page), "Changes cannot be stored"))
			}
			if status, page, err := p.Client().Do("GET", "/session/new", nil); err != nil || status != 200 || !strings.Contains(string(page), disk.cause) {
				t.Errorf("sign-in page: status %d, %v", status, err)
			}
			p.User().Hosts()
			if status, _, err := p.Browser().Do("GET", "/activity_log", nil); err != nil || status != 200 {
				t.Errorf("a new session: status %d, %v", status, err)
			}
			if status, answer, err := user.Do("POST", "/api/v1/users", map[string]any{
				"fullname": "Ann", "username": "ann", "email": "ann@example.com", "enabled": true, "abilities": []any{},
				"password": servertest.AdminPassword, "password_confirmation": servertest.AdminPassword,
			}); err != nil || status != 503 || !strings.Contains(string(answer), disk.cause) {
				t.Errorf("a new user: status %d %s %v", status, answer, err)
			}

			disk.free(t, p, dir)
			servertest.Soon(t, "recovery", func() bool { return readReadiness(t, p).Ready })
			agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(acknowledged), "after"), nil)
			acknowledged++
			servertest.Soon(t, "the entry about it", func() bool {
				return len(user.Search("writing_interruption")) > 0 || hasEntry(user, "writing_interruption")
			})

			disk.fill(t, p, dir)
			acknowledged = reportUntilRefused(t, agent, acknowledged, 5000)
			if name == "small file system" {
				disk.free(t, p, dir)
				servertest.Soon(t, "recovery", func() bool { return readReadiness(t, p).Ready })
				p.Stop(syscall.SIGTERM)
				if lines := strings.Count(p.Stderr.String(), "failure=writing"); lines != 4 {
					t.Errorf("the log has %d lines about it, want one for each beginning and end:\n%s", lines, p.Stderr)
				}
				return // the mount ends with the process
			}
			p.Kill()
			p = servertest.Start(t, dir, nil)
			if hosts := p.User().Hosts(); len(hosts) != acknowledged {
				t.Errorf("after the end, %d hosts, acknowledged were %d", len(hosts), acknowledged)
			}
			p.Stop(syscall.SIGTERM)
			if out, err := servertest.Command(t, dir, []string{"verify"}).CombinedOutput(); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
		})
	}
}

// hasEntry reports whether the activity log has an entry of a type.
func hasEntry(c *servertest.Client, name string) bool {
	status, answer, err := c.Do("GET", "/api/v1/activity_log?first=20&type[]="+name, nil)
	return err == nil && status == 200 && strings.Contains(string(answer), `"type":"`+name+`"`)
}

// reportUntilRefused sends reports about new hosts, at most a number of them,
// until one is answered 503. It returns the number of acknowledged ones.
func reportUntilRefused(t *testing.T, agent *servertest.Client, first, most int) (acknowledged int) {
	t.Helper()
	for n := first; n < first+most; n++ {
		answer, err := agent.Open("POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(n), fmt.Sprintf("host%d", n)))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusAccepted:
			continue
		case http.StatusServiceUnavailable:
			if answer.Header.Get("Retry-After") == "" {
				t.Error("the answer does not say when to come again")
			}
			return n
		}
		t.Fatalf("status %d", answer.StatusCode)
	}
	if most > 1 {
		t.Fatalf("%d reports found space on a full disk", most)
	}
	return first + most
}

// TestStartWithoutDisk checks that the program says why it cannot start if it
// cannot write, and leaves no files behind.
func TestStartWithoutDisk(t *testing.T) {
	dir := t.TempDir()
	cmd := servertest.Command(t, dir, nil)
	limited := exec.Command("/bin/sh", "-c", `ulimit -f 8 && exec "$0"`, cmd.Path)
	limited.Env = cmd.Env
	out, err := limited.CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), dir) || !strings.Contains(string(out), "The data file may not grow") {
		t.Errorf("the program says %s", out)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// TestStartWithDamagedFile checks that the program says that its file is
// damaged and what to do.
func TestStartWithDamagedFile(t *testing.T) {
	dir := t.TempDir()
	servertest.Start(t, dir, nil).Stop(syscall.SIGTERM)
	file := filepath.Join(dir, "trento.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte){
		"beginning":  func(b []byte) { clear(b[:3*os.Getpagesize()]) },
		"everything": func(b []byte) { clear(b[2*os.Getpagesize():]) },
	} {
		broken := append([]byte(nil), whole...)
		damage(broken)
		if err := os.WriteFile(file, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := servertest.Command(t, dir, nil).CombinedOutput()
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 || !strings.Contains(string(out), "damaged") || !strings.Contains(string(out), "trento-web restore") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if strings.Contains(string(out), "goroutine") {
			t.Errorf("%s: the program says\n%s", name, out)
		}
	}
}

// TestPortTaken checks the error message if another process uses the port.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, variable := range []string{"PORT", "AMQP_PORT"} {
		dir := t.TempDir()
		out, err := servertest.Command(t, dir, nil, variable+"="+port, "LISTEN=127.0.0.1", "AMQP_LISTEN=127.0.0.1").CombinedOutput()
		if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 1 {
			t.Errorf("%s: %v\n%s", variable, err, out)
		}
		owner := fmt.Sprintf("(process %d)", os.Getpid())
		for _, want := range []string{"port " + port + " ", "set " + variable + " to another port", owner, "address already in use"} {
			if !strings.Contains(strings.ToLower(string(out)), strings.ToLower(want)) {
				t.Errorf("%s: the program does not say %q:\n%s", variable, want, out)
			}
		}
	}
}

// TestOpenFiles takes all file descriptors from a running program. It refuses
// new clients with an answer, still serves connected ones, and recovers.
func TestOpenFiles(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil)
	user := p.User()
	user.Hosts()
	var before unix.Rlimit
	if err := unix.Prlimit(p.PID(), unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	// The next connection would get the lowest number that is free.
	limit := before
	limit.Cur = uint64(lowestFreeDescriptor(t, p.PID()))
	if err := unix.Prlimit(p.PID(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	if n, err := c.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 503 ") {
		t.Errorf("a new client gets %q (%v)", answer[:n], err)
	}
	var r readiness
	if status, body, err := user.Do("GET", "/api/readyz", nil); err != nil || status != 503 || json.Unmarshal(body, &r) != nil || r.names() != "connections" {
		t.Errorf("readiness: status %d %s %v", status, body, err)
	}
	user.Hosts()
	if err := unix.Prlimit(p.PID(), unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	fresh := servertest.Program(*p)
	fresh.HTTP = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if r := readReadiness(t, &fresh); !r.Ready {
		t.Errorf("readiness %+v after the limit was raised", r)
	}
	p.Stop(syscall.SIGTERM)
	if lines := strings.Count(p.Stderr.String(), "failure=connections"); lines != 2 {
		t.Errorf("the log has %d lines about it, want 2:\n%s", lines, p.Stderr)
	}
}

// lowestFreeDescriptor returns the lowest file descriptor that a process does
// not use.
func lowestFreeDescriptor(t *testing.T, pid int) int {
	t.Helper()
	for n := 0; ; n++ {
		_, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, n))
		if errors.Is(err, os.ErrNotExist) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestMemoryLimit floods a program with the largest reports. It has the limit
// that it sets itself with MemoryMax=768M, and never uses more than those 768 MiB.
func TestMemoryLimit(t *testing.T) {
	p := servertest.StartBuilt(t, "GOMEMLIMIT=690MiB")
	agent := p.Agent()
	large := []byte(`{"agent_id":"` + servertest.AgentID(1) + `","discovery_type":"host_discovery","payload":{"hostname":"` + strings.Repeat("x", 7_900_000) + `"}}`)
	done := make(chan error)
	for range 24 {
		go func() {
			status, _, err := agent.Do("POST", "/api/v1/collect", large)
			if err == nil && status != 202 && status != 422 && status != 503 {
				err = fmt.Errorf("status %d", status)
			}
			done <- err
		}()
	}
	peak := 0
	for left := 24; left > 0; {
		select {
		case err := <-done:
			if left--; err != nil {
				t.Logf("a report was not answered: %v", err) // the connection may be closed
			}
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, anonymousMemory(t, p))
		}
	}
	t.Logf("at most %d MiB", peak>>10)
	if peak>>10 > 768 {
		t.Errorf("the program used %d MiB", peak>>10)
	}
	p.User()
	p.Stop(syscall.SIGTERM)
}

// anonymousMemory returns the memory of the program in KiB, without mapped
// files, whose memory the system can take back at any time.
func anonymousMemory(t *testing.T, p *servertest.Program) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, own, _ := strings.Cut(string(text), "RssAnon:")
	kilobytes, err := strconv.Atoi(strings.Fields(own)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}
