package command_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"trento/packaging/servertest"
)

// watching is a command that goes on until it is interrupted.
type watching struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	errs  bytes.Buffer
}

func (a *commandRunner) watch(args ...string) *watching {
	a.t.Helper()
	w := &watching{t: a.t, cmd: a.command(args...)}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	w.cmd.Stderr = &w.errs
	w.lines = bufio.NewScanner(out)
	if err := w.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	stop := time.AfterFunc(time.Minute, func() { w.cmd.Process.Kill() })
	a.t.Cleanup(func() {
		stop.Stop()
		w.cmd.Process.Kill()
	})
	return w
}

// prints waits for a line that begins with one text and contains another.
func (w *watching) prints(prefix, part string) {
	w.t.Helper()
	for w.lines.Scan() {
		if strings.HasPrefix(w.lines.Text(), prefix) && strings.Contains(w.lines.Text(), part) {
			return
		}
	}
	w.cmd.Wait()
	w.t.Fatalf("ended without %s … %s: %s", prefix, part, &w.errs)
}

// ends waits for the end, and checks the exit status.
func (w *watching) ends(status int) {
	w.t.Helper()
	for w.lines.Scan() {
	}
	w.cmd.Wait()
	if have := w.cmd.ProcessState.ExitCode(); have != status {
		w.t.Errorf("status %d, want %d: %s", have, status, &w.errs)
	}
}

// TestWatch checks that what changes is printed when it happens.
func TestWatch(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t, t.TempDir(), nil)
	agent, user := p.Agent(), p.User()
	report := func(id int, name string) {
		t.Helper()
		agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(id), name), nil)
	}
	report(1, "vega01")
	a := newCommandRunner(t, p, "read_only")
	hosts, log, named := a.watch("get", "hosts", "--watch"), a.watch("get", "log", "--watch", "--type", "host_registered,host_tag_added", "-o", "json"), a.watch("get", "hosts", "vega02", "-w", "-o", "csv", "--server", p.URL)
	named.ends(5) // there is no such host yet
	hosts.prints("CHANGE   NAME", "")
	hosts.prints("         vega01", "")
	log.prints(`{"id":`, "vega01")
	report(2, "vega02")
	hosts.prints("added    vega02", "")
	log.prints(`{"id":`, "vega02")
	user.Must(201, "POST", "/api/v1/hosts/"+servertest.AgentID(2)+"/tags", map[string]string{"value": "prod"}, nil)
	hosts.prints("changed  vega02", "prod")
	user.Must(204, "DELETE", "/api/v1/hosts/"+servertest.AgentID(1), nil, nil)
	hosts.prints("removed  vega01", "")
	if err := log.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	log.ends(0)
	deleteTokens(t, p)
	hosts.ends(4)
	if !strings.Contains(hosts.errs.String(), "does not accept the token") {
		t.Error(hosts.errs.String())
	}
}

// TestWatchWaits checks that watching goes on when the server comes back.
func TestWatchWaits(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), servertest.FreePort(t)
	p := servertest.Start(t, dir, nil, "PORT="+port)
	a := newCommandRunner(t, p, "read_only")
	users := a.watch("get", "users", "--watch", "--no-headers")
	users.prints("         admin", "")
	p.Stop(syscall.SIGTERM)
	p = servertest.Start(t, dir, nil, "PORT="+port)
	p.User().Must(201, "POST", "/api/v1/users", map[string]any{
		"fullname": "Ann Lee", "username": "ann", "email": "ann@example.com", "password": servertest.AdminPassword + "x",
		"password_confirmation": servertest.AdminPassword + "x", "enabled": true, "abilities": []any{},
	}, nil)
	users.prints("added    ann", "")
}
