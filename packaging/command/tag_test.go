package command_test

import (
	"io"
	"strings"
	"testing"

	"trento/packaging/servertest"
)

// checkTag adds and removes tags.
func checkTag(t *testing.T, p *servertest.Program, a *commandRunner) {
	hosts := p.User().Hosts()
	first, second := hosts[0].Hostname, hosts[1].Hostname
	want := "host " + first + ": has the tag prod\nhost " + first + ": had no tag test\n" +
		"host " + second + ": has the tag prod\nhost " + second + ": had no tag test\n"
	if out := a.must("tag", "host", first, hosts[1].ID, "+prod", "-test"); out != want {
		t.Errorf("have %s\nwant %s", out, want)
	}
	if out := a.must("get", "host", first, "--no-headers"); !strings.HasSuffix(out, "  prod\n") {
		t.Errorf("tagged: %s", out)
	}
	if out := a.must("tag", "hosts", first, "-prod", "+prod"); out != "host "+first+": no longer has the tag prod\nhost "+first+": has the tag prod\n" {
		t.Errorf("removed and added: %s", out)
	}
	for _, kind := range []string{"cluster", "database", "sap-system"} {
		name, _, _ := strings.Cut(a.must("get", kind, "--no-headers"), " ")
		a.must("tag", kind, name, "+"+kind)
		if out := a.must("get", kind, name); !strings.Contains(out, kind+"\n") {
			t.Errorf("tagged %s: %s", kind, out)
		}
	}
	a.fails(5, `no host has the name or id "vega99"`, "tag", "host", second, "vega99", "+late")
	if out := a.must("get", "host", second); strings.Contains(out, "late") {
		t.Errorf("a wrong name has changed something: %s", out)
	}
	a.fails(1, "value: ", "tag", "host", first, "+a b")
	a.fails(2, "there is no tag behind +", "tag", "host", first, "+")
	a.fails(2, "name at least one object and one tag", "tag", "host", first, second)
	a.fails(2, "the form is: trento-web tag host NAME|ID", "tag", "host", first)
	a.fails(2, "--server: flags come before the names", "tag", "host", first, "+a", "--server", "x")
}

// checkCleanup removes a host and an instance.
func checkCleanup(t *testing.T, p *servertest.Program, a *commandRunner) {
	user := p.User()
	hosts := user.Hosts()
	gone := hosts[len(hosts)-1]
	a.fails(2, "this would remove host "+gone.Hostname+" ("+gone.ID+") with all instances on it; say --yes", "cleanup", "host", gone.Hostname)
	user.Must(200, "GET", "/api/v1/hosts", nil, nil)
	if left := user.Hosts(); len(left) != len(hosts) {
		t.Errorf("%d hosts are left of %d", len(left), len(hosts))
	}
	if out := a.must("cleanup", "host", gone.Hostname, "--yes"); out != "host "+gone.Hostname+" ("+gone.ID+") is removed\n" {
		t.Error(out)
	}
	a.fails(5, "no host has the name or id", "cleanup", "host", gone.Hostname, "--yes")

	parts := strings.Fields(a.must("get", "instances", "--no-headers"))
	a.fails(1, "not allowed for present SAP instances", append([]string{"cleanup", "instance", "--yes"}, parts[:3]...)...)
	a.fails(5, "there is no instance XXX 00 on host "+parts[2], "cleanup", "instance", "XXX", "00", parts[2], "-y")
	a.fails(2, "the form is: trento-web cleanup instance SID NUMBER HOST", "cleanup", "instance", "XXX")
}

// TestCleanupAsks answers the question of the command on a terminal.
func TestCleanupAsks(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t, t.TempDir(), nil)
	p.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
	a := newCommandRunner(t, p, "full")
	ask := func(answer string) string {
		keyboard, screen := openTerminal(t)
		cmd := a.command("cleanup", "host", "vega01")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		screen.Close()
		if _, err := io.WriteString(keyboard, answer); err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(keyboard) // fails because the terminal is closed when the command ends
		cmd.Wait()
		return string(out)
	}
	if out := ask("\n"); !strings.Contains(out, "Remove host vega01 (") || !strings.Contains(out, "nothing was removed") {
		t.Error(out)
	}
	if out := ask("y\n"); !strings.Contains(out, "is removed") || len(p.User().Hosts()) != 0 {
		t.Error(out)
	}
}
