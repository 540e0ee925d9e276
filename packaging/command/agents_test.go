package command_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
)

// TestAgents asks a running server for its agents, over the socket in its data
// directory.
func TestAgents(t *testing.T) {
	dir := t.TempDir()
	agents := func(args ...string) (string, error) {
		t.Helper()
		out, err := servertest.Command(t, dir, append([]string{"get", "agents"}, args...), "ADMIN_PASSWORD=").CombinedOutput()
		return string(out), err
	}
	shows := func(want string, args ...string) {
		t.Helper()
		out, err := agents(args...)
		if err != nil || !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("trento-web get agents %v: %v\n%s\nwant %s", args, err, out, want)
		}
	}
	refuses := func(want string, args ...string) {
		t.Helper()
		if out, err := agents(args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("trento-web get agents %v: %v\n%s\nwant %q", args, err, out, want)
		}
	}

	refuses("none runs on this machine with the data in " + dir)
	refuses("no answer from "+filepath.Join(dir, "commands.sock")+": no server is running there", "--server", "local")
	p := servertest.Start(t, dir, nil)
	shows("No agent has reported yet.*\n$")
	p.Client("X-Trento-Apikey", "wrong").Must(401, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vmhana01"), nil)
	shows(`No agent has reported yet.*\n\nRefused since the server was started:\nADDRESS +REFUSED +LAST +ATTEMPTS +REASON\n127\.0\.0\.1 +reports +\d{4}-.* 1 +\w`)
	reporter := p.Agent()
	reporter.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vmhana01"), nil)
	unreadable := servertest.HostReport(servertest.AgentID(1), "vmhana01")
	unreadable["discovery_type"], unreadable["payload"] = "cloud_discovery", "\x1b[2J"
	reporter.Must(422, "POST", "/api/v1/collect", unreadable, nil)

	shows(`HOST +VERSION +LAST REPORT +MESSAGES +REPORTS\nvmhana01 +3\.1\.2 +\d{4}-\d\d-\d\d .* not connected +cloud_discovery refused\n`)
	shows(`Host +vmhana01\nAgent +00000001-.*, version 3\.1\.2\nMessages +not connected\n(.*\n)+host_discovery +\d{4}.* yes\ncloud_discovery +\d{4}.* refused since .*\n\nREPORT +FIELD +PROBLEM\ncloud_discovery +/payload +\w`, "vmhana01")
	shows(`Host +vmhana01\n`, strings.ToUpper(servertest.AgentID(1)))
	refuses(`no agent has the name or id "vmhana02"`, "vmhana02")
	if out, _ := agents("vmhana01"); strings.Contains(out, "\x1b") {
		t.Errorf("a control character of a report reached the terminal: %q", out)
	}
	out, err := agents("-o", "json")
	var list []struct {
		Hostname string `json:"hostname"`
	}
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list) != 1 || list[0].Hostname != "vmhana01" {
		t.Errorf("%v\n%s", err, out)
	}

	info, err := os.Stat(filepath.Join(dir, "commands.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can ask the server: %v, %v", info, err)
	}
	p.Kill()
	refuses("no server is running there")
	p = servertest.Start(t, dir, nil)
	shows("vmhana01")
	p.Stop(syscall.SIGTERM)
	refuses("none runs on this machine")
}
