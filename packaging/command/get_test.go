package command_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/packaging/command"
	"trento/packaging/servertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// commandRunner runs commands that ask a server, as a user on another machine
// does.
type commandRunner struct {
	t       *testing.T
	program *servertest.Program
	environ []string
}

// newCommandRunner returns a commandRunner whose environment names a server and
// a token with these scopes. Without scopes there is no token.
func newCommandRunner(t *testing.T, p *servertest.Program, scopes ...string) *commandRunner {
	t.Helper()
	a := &commandRunner{t: t, program: p, environ: []string{"HOME=" + t.TempDir(), "TRENTO_SERVER=" + p.URL}}
	if len(scopes) > 0 {
		a.environ = append(a.environ, "TRENTO_TOKEN="+newToken(p, strings.Join(scopes, " "), scopes...))
	}
	return a
}

// newToken makes a token of the default admin and returns its text.
func newToken(p *servertest.Program, name string, scopes ...string) string {
	var token struct {
		Text string `json:"access_token"`
	}
	p.User().Must(201, "POST", "/api/v1/profile/tokens", map[string]any{"name": name, "scopes": scopes}, &token)
	return token.Text
}

// command returns a process that is not started.
func (a *commandRunner) command(args ...string) *exec.Cmd {
	a.t.Helper()
	return servertest.Command(a.t, a.t.TempDir(), args, a.environ...)
}

// run runs a command, and returns its exit status and what it prints.
func (a *commandRunner) run(args ...string) (status int, stdout, stderr string) {
	return a.runWith("", args...)
}

// runWith runs a command with a standard input.
func (a *commandRunner) runWith(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = command.RunIn(append(a.environ, "TRENTO_DATA_DIR=/nonexistent"), args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// must runs a command that must succeed, and returns what it prints.
func (a *commandRunner) must(args ...string) string {
	a.t.Helper()
	status, stdout, stderr := a.run(args...)
	if status != 0 || stderr != "" {
		a.t.Errorf("trento-web %s: status %d: %s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

// fails runs a command and checks its exit status and its error message.
func (a *commandRunner) fails(status int, why string, args ...string) {
	a.t.Helper()
	have, stdout, stderr := a.run(args...)
	if have != status || !strings.Contains(stderr, why) || strings.Contains(stdout, why) {
		a.t.Errorf("trento-web %s: status %d: %s%s\nwant status %d: %s", strings.Join(args, " "), have, stdout, stderr, status, why)
	}
}

// startLandscape starts a server with an invented landscape.
func startLandscape(t *testing.T) *servertest.Program {
	t.Helper()
	p := servertest.Start(t, t.TempDir(), nil)
	feed := servertest.Command(t, t.TempDir(), []string{"simulate", "--server", p.URL, "--api-key", p.Agent().Header("X-Trento-Apikey"),
		"--hosts", "10", "--once", "--heartbeats=false", "--still"})
	if out, err := feed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return p
}

// TestGet checks what trento-web get prints of an invented landscape.
func TestGet(t *testing.T) {
	t.Parallel()
	p := startLandscape(t)
	a := newCommandRunner(t, p, "full")
	for name, args := range map[string]string{
		"hosts": "hosts", "clusters": "clusters", "databases": "database", "sap-systems": "systems", "instances": "instances",
		"health": "health", "databases.csv": "databases -o csv", "hosts.plain": "hosts --no-headers",
	} {
		have := a.must(append([]string{"get"}, strings.Fields(args)...)...)
		golden := filepath.Join("testdata", "get-"+name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(have), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), have); diff != "" {
			t.Errorf("get %s: -want +have\n%s", args, diff)
		}
	}
	t.Run("JSON", func(t *testing.T) { checkJSON(t, p, a) })
	t.Run("names", func(t *testing.T) { checkNames(t, p, a) })
	t.Run("selection", func(t *testing.T) { checkSelection(t, a) })
	t.Run("accounts", func(t *testing.T) { checkAccounts(t, a) })
	t.Run("log", func(t *testing.T) { checkLog(t, a) })
	t.Run("completion", func(t *testing.T) { checkCompletion(t, p, a) })
	t.Run("tag", func(t *testing.T) { checkTag(t, p, a) })
	t.Run("cleanup", func(t *testing.T) { checkCleanup(t, p, a) })
}

// checkJSON checks that JSON and YAML have the objects as the API sends them.
func checkJSON(t *testing.T, p *servertest.Program, a *commandRunner) {
	var want, have []any
	p.User().Must(200, "GET", "/api/v1/hosts", nil, &want)
	if err := json.Unmarshal([]byte(a.must("get", "hosts", "-o", "json")), &have); err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("%v: -want +have\n%s", err, cmp.Diff(want, have))
	}
	name := want[0].(map[string]any)["hostname"].(string)
	var one any
	if err := json.Unmarshal([]byte(a.must("get", "host", name, "-o", "json")), &one); err != nil || !reflect.DeepEqual(one, want[0]) {
		t.Errorf("one object: %v: %v", err, one)
	}
	yaml := a.must("get", "host", name, "-o", "yaml")
	if !strings.HasPrefix(yaml, "---\nid: ") || !strings.Contains(yaml, "\nhostname: "+name+"\n") || !strings.Contains(yaml, "\nstale_at: null\n") {
		t.Errorf("YAML: %s", yaml)
	}
	if wide := a.must("get", "host", name, "-o", "wide"); !strings.Contains(wide, "CLUSTER ID") || !strings.Contains(wide, want[0].(map[string]any)["id"].(string)) {
		t.Errorf("wide: %s", wide)
	}
}

// checkNames checks how names choose objects, and the errors for wrong names.
func checkNames(t *testing.T, p *servertest.Program, a *commandRunner) {
	hosts := p.User().Hosts()
	out := a.must("get", "hosts", hosts[1].Hostname, strings.ToUpper(hosts[0].ID), "--no-headers")
	if lines := strings.Split(out, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], hosts[1].Hostname) || !strings.HasPrefix(lines[1], hosts[0].Hostname) {
		t.Errorf("by name and by id: %s", out)
	}
	a.fails(5, `no host has the name or id "vega99"; "trento-web get hosts" lists them`, "get", "host", "vega99")
	a.fails(2, `there is no form of output "xml"; there are table, wide, json, yaml, csv`, "get", "hosts", "-o", "xml")
	a.fails(2, "unknown flag: --colour", "get", "hosts", "--colour")
	a.fails(1, `unknown command "hots" for "trento-web get": did you mean hosts?`, "get", "hots")
}

// checkSelection checks the flags that filter, order and limit lists.
func checkSelection(t *testing.T, a *commandRunner) {
	for args, want := range map[string]string{
		"hosts --filter health=critical":                             "ecpdb01",
		"hosts --filter health=critical --filter health=warning":     "ecpdb01 ecqap01 s4pcs01 s4pdb01 s4pdb02",
		"hosts --filter provider=azure --sort -hostname --limit 2":   "s4pdb02 s4pdb01",
		"hosts --search 10.32.1.1 --sort health,-hostname --limit 9": "ecpdb01 ecqap01 ecpdb02 ecpap01",
		"clusters --filter type=ascs_ers":                            "s4p_ascs",
		"databases --sort -sid":                                      "HSP HEQ HEP",
		"sap-systems --filter health=unknown":                        "ECP",
		"health --sort -sid --limit 1":                               "S4P",
		"users --filter status=Enabled":                              "admin",
	} {
		var names []string
		for line := range strings.Lines(a.must(append([]string{"get"}, strings.Fields(args+" --no-headers")...)...)) {
			name, _, _ := strings.Cut(line, " ")
			names = append(names, name)
		}
		if have := strings.Join(names, " "); have != want {
			t.Errorf("get %s: %s, want %s", args, have, want)
		}
	}
	a.fails(1, "filter[colour]: colour is unknown; there are agent_version, ", "get", "hosts", "--filter", "colour=red")
	a.fails(1, "sort/0: colour is unknown; there are health, ", "get", "hosts", "--sort", "colour")
	a.fails(1, "limit: must be from 1 to 1000", "get", "hosts", "--limit", "1001")
	a.fails(2, "--filter health: write NAME=VALUE", "get", "hosts", "--filter", "health")
	a.fails(2, "--limit must not be negative", "get", "hosts", "--limit", "-1")
	if status, _, stderr := a.run("get", "users", "--filter", "status=Disabled"); status != 0 || stderr != "There are no such users.\n" {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func checkAccounts(t *testing.T, a *commandRunner) {
	for args, want := range map[string]string{
		"users":               "Enabled  all:all",
		"users -o wide":       "SECOND FACTOR SINCE",
		"tokens":              "NAME  STATUS  SCOPES  EXPIRES  LAST USED",
		"tokens --all":        "admin  full  active  full    never",
		"agents":              "HOST",
		"agents -o csv":       "host,version,last_report,messages,reports,id\r\n",
		"tokens full -o json": `"name": "full"`,
	} {
		if out := a.must(append([]string{"get"}, strings.Fields(args)...)...); !strings.Contains(out, want) {
			t.Errorf("get %s: %s\nwant %s", args, out, want)
		}
	}
	if status, stdout, stderr := a.run("get", "alerts"); status != 0 || stdout != "" || stderr != "There are no alerts.\n" {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

func checkLog(t *testing.T, a *commandRunner) {
	lines := strings.Split(strings.TrimSpace(a.must("get", "log", "--type", "host_registered", "--limit", "3", "--no-headers")), "\n")
	if len(lines) != 3 || !strings.Contains(lines[2], "host_registered  system  ") || lines[0][:len(time.DateTime)] > lines[2][:len(time.DateTime)] || strings.Contains(lines[0], "e+") {
		t.Errorf("three entries, the newest last: %q", lines)
	}
	var all []struct{ Type string }
	if err := json.Unmarshal([]byte(a.must("get", "log", "--limit", "0", "-o", "json")), &all); err != nil || len(all) <= 100 {
		t.Errorf("%v: %d entries of several pages", err, len(all))
	}
	if status, stdout, stderr := a.run("get", "log", "--to", "7d"); status != 0 || stdout != "" || stderr != "There are no such entries.\n" {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	a.fails(2, `--from: "yesterday" is not a time`, "get", "log", "--from", "yesterday")
	a.fails(2, "--limit must not be negative", "get", "log", "--limit", "-1")
	a.fails(1, "severity", "get", "log", "--severity", "bad")
}

// checkCompletion checks that shells complete names that the server knows.
func checkCompletion(t *testing.T, p *servertest.Program, a *commandRunner) {
	hosts := p.User().Hosts()
	for args, want := range map[string]string{
		"get host ":                           hosts[0].Hostname + "\n",
		"get host " + hosts[0].Hostname + " ": hosts[1].Hostname + "\n",
		"tag host ":                           hosts[0].Hostname + "\n",
		"cleanup host ":                       hosts[0].Hostname + "\n",
		"get ho":                              "hosts\tShow hosts",
		"get hosts --server ":                 "local\n",
		"get log --severity w":                "warning\n",
	} {
		_, out, _ := a.run(append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if !strings.Contains("\n"+out, "\n"+want) || strings.HasPrefix(args, "get host "+hosts[0].Hostname) && strings.HasPrefix(out, hosts[0].Hostname+"\n") {
			t.Errorf("%s: %s", args, out)
		}
	}
	away := &commandRunner{t: t, environ: []string{"TRENTO_SERVER=http://127.0.0.1:1", "TRENTO_TOKEN=x"}}
	if _, out, _ := away.run("__complete", "get", "host", ""); out != ":4\n" {
		t.Errorf("without a server: %q", out)
	}
}
