package server_test

import (
	"os/exec"
	"testing"

	"trento/packaging/servertest"
)

const agentCredentials = "agents:secret-of-agents"

// startForAgents starts a server whose agents sign in with agentCredentials, and
// returns the port of its message endpoint.
func startForAgents(t *testing.T, dir string) (p *servertest.Program, port string) {
	t.Helper()
	p = servertest.Start(t, dir, nil, "AMQP_USER=agents", "AMQP_PASSWORD=secret-of-agents", "CHECKS_INTERVAL=1440")
	for line := range p.Lines {
		if found := messagePort.FindStringSubmatch(line); found != nil {
			return p, found[1]
		}
	}
	t.Fatalf("no message endpoint:\n%s", p.Stderr)
	return nil, ""
}

// simulate starts agents of one host, and returns a function that stops them.
func simulate(t *testing.T, p *servertest.Program, port string, flags ...string) (stop func()) {
	t.Helper()
	args := append([]string{"simulate", "--server", p.URL, "--api-key", p.Agent().Header("X-Trento-Apikey"), "--hosts", "1",
		"--messages-url", "amqp://" + agentCredentials + "@127.0.0.1:" + port}, flags...)
	cmd := servertest.Command(t, t.TempDir(), args)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { end(cmd) }
	t.Cleanup(stop)
	return stop
}

func end(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill() // it may have ended by itself
		_ = cmd.Wait()
	}
}

// lastExecution is the last execution of a host as the API shows it.
type lastExecution struct {
	ID      string   `json:"execution_id"`
	Status  string   `json:"status"`
	Timeout []string `json:"timeout"`
	Checks  []struct {
		Agents []struct {
			Reason string `json:"reason"`
		} `json:"agents_check_results"`
	} `json:"check_results"`
}

// TestKillDuringExecution kills a server while an agent takes its time to answer
// the questions of checks. After the restart, the same execution goes on with the
// agent, and ends. An agent whose clock is wrong delays nobody.
func TestKillDuringExecution(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, port := startForAgents(t, dir)
	stop := simulate(t, p, port, "--silent-agents")
	user := p.User()
	var host string
	servertest.Soon(t, "the host reports", func() bool {
		for _, h := range user.Hosts() {
			host = h.ID
		}
		return host != ""
	})
	last := func() (e lastExecution) {
		user.Must(200, "GET", "/api/v2/checks/groups/"+host+"/executions/last", nil, &e)
		return e
	}
	run := func() {
		user.Must(202, "POST", "/api/v1/hosts/"+host+"/checks/request_execution", nil, nil)
	}
	user.Must(202, "POST", "/api/v1/hosts/"+host+"/checks", map[string]any{"checks": []string{"7A0601"}}, nil)
	servertest.Soon(t, "the agent is asked", func() bool { // once it is connected
		run()
		return last().Status == "running"
	})
	asked := last().ID
	p.Kill()
	stop()

	p, port = startForAgents(t, dir)
	user = p.User()
	if e := last(); e.ID != asked || e.Status != "running" {
		t.Fatalf("after the restart: %+v", e)
	}
	stop = simulate(t, p, port)
	servertest.Soon(t, "the execution ends", func() bool { return last().Status == "completed" })
	if e := last(); e.ID != asked || len(e.Timeout) > 0 || len(e.Checks) != 1 {
		t.Errorf("the execution ended with %+v", e)
	}
	stop()

	// The agent refuses each question as expired. The server knows how wrong its
	// clock is only if it has answered before.
	simulate(t, p, port, "--skew", "900")
	servertest.Soon(t, "the agent refuses", func() bool {
		if last().Status == "completed" {
			run()
		}
		e := last()
		return len(e.Timeout) == 1 && e.Checks[0].Agents[0].Reason == "no_answer"
	})
}
