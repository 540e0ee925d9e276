package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trento/packaging/servertest"
)

// TestDocumentedCommands runs the commands of docs/api.md, one after another, as
// a reader would.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			servertest.Need(t, tool+" is missing")
		}
	}
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	p := servertest.Start(t, t.TempDir(), nil)
	user, agent := p.User(), p.Agent()
	for i, name := range []string{"vega01", "vega02", "vega03"} {
		agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(i+1), name), nil)
	}
	user.Must(201, "POST", "/api/v1/hosts/"+servertest.AgentID(3)+"/tags", map[string]string{"value": "production"}, nil)
	user.Must(201, "POST", "/api/v1/users", map[string]any{
		"fullname": "Robot", "username": "robot", "email": "robot@example.com", "enabled": true, "abilities": []any{},
		"password": servertest.AdminPassword + "x", "password_confirmation": servertest.AdminPassword + "x",
	}, nil)

	script := "set -euo pipefail\ncurl() { command curl --max-time 20 \"$@\"; }\n" + strings.Join(shellBlocks(string(text)), "\n")
	// A stream of events has no end, so the test gives it one.
	script = strings.ReplaceAll(script, "curl -sSN", "! command curl --max-time 1 -sSN")
	bash := exec.Command("bash", "-c", script)
	bash.Env = append(os.Environ(), "trento="+p.URL, "TRENTO_TOKEN="+newToken(p, "documented", "full"))
	bash.Dir = t.TempDir()
	out, err := bash.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"\nadmin\n", "\ndocumented: full, until for ever\n", "401 ", "\nNightly jobs\n", " operations\n", `"token";r=`,
		"\nvega01\nvega02\nvega03\n304\n"} {
		if !strings.Contains("\n"+string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	a := newCommandRunner(t, p, "read_only")
	for name, want := range map[string]string{"vega01": "production", "vega02": "production", "vega03": "-"} {
		if row := strings.Fields(a.must("get", "host", name, "--no-headers")); row[len(row)-1] != want {
			t.Errorf("%s has the tags %s, want %s", name, row[len(row)-1], want)
		}
	}
}

// shellBlocks returns the parts of a document that are marked as commands of a
// shell.
func shellBlocks(document string) (blocks []string) {
	for _, part := range strings.Split(document, "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}

// TestDocumentLinks checks that the links between the documents lead somewhere.
func TestDocumentLinks(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "](")[1:] {
		target, _, _ := strings.Cut(part, ")")
		file, heading, _ := strings.Cut(target, "#")
		if file == "" {
			file = "api.md"
		}
		linked, err := os.ReadFile(filepath.Join("../../docs", file))
		if err != nil || heading != "" && !hasHeading(string(linked), heading) {
			t.Errorf("%s: %v, or no such heading", target, err)
		}
	}
}

// hasHeading reports whether a document has a heading with an anchor.
func hasHeading(document, anchor string) bool {
	for line := range strings.Lines(document) {
		if text, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' &&
			strings.ReplaceAll(strings.ToLower(strings.TrimSpace(strings.ReplaceAll(text, ",", ""))), " ", "-") == anchor {
			return true
		}
	}
	return false
}
