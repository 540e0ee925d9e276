// Package apitest tests the API with programs of others that read nothing but
// its document: a linter, and generators of clients whose clients have to
// compile and to work with the running server.
package apitest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trento/packaging/command"
	"trento/packaging/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m, command.Run) }

// landscape is a running server with an invented landscape, and what a client
// of its API needs.
type landscape struct {
	url      string
	token    string // of a user, with the scopes read_only and tags
	document string // file with the API document, as the server gives it
	hosts    string // names, sorted, on one line
}

func newLandscape(t *testing.T) *landscape {
	t.Helper()
	p := servertest.Start(t, t.TempDir(), nil)
	feed := servertest.Command(t, t.TempDir(), []string{"simulate", "--server", p.URL, "--api-key", p.Agent().Header("X-Trento-Apikey"),
		"--hosts", "10", "--once", "--heartbeats=false", "--still"})
	if out, err := feed.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var made struct {
		Text string `json:"access_token"`
	}
	user := p.User()
	user.Must(201, "POST", "/api/v1/profile/tokens", map[string]any{"name": "client", "scopes": []string{"read_only", "tags"}}, &made)
	var names []string
	for _, host := range user.Hosts() {
		names = append(names, host.Hostname)
	}
	return &landscape{p.URL, made.Text, document(t, p), strings.Join(names, " ")}
}

// document asks a server for its API document and returns the name of a file
// that has it.
func document(t *testing.T, p *servertest.Program) string {
	t.Helper()
	status, text, err := p.Client().Do("GET", "/api/all/openapi", nil)
	if err != nil || status != 200 {
		t.Fatal(status, err)
	}
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// use runs a client that has been made. It has to print the names of the hosts.
func (l *landscape) use(t *testing.T, name string, args ...string) {
	t.Helper()
	client := exec.Command(name, args...)
	client.Env = append(os.Environ(), "TRENTO_SERVER="+l.url, "TRENTO_TOKEN="+l.token)
	if out := run(t, client); strings.TrimSpace(out) != l.hosts {
		t.Errorf("the client prints %s\nwant %s", out, l.hosts)
	}
}

// run runs a command that has to succeed, and returns what it prints.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out.Bytes(), errs.Bytes())
	}
	return out.String()
}

// TestDocument checks that a linter and generators of clients accept the API
// document of a server, and that the generated clients work.
func TestDocument(t *testing.T) {
	l := newLandscape(t)
	t.Run("linter", func(t *testing.T) {
		t.Parallel()
		lint := npmTool(t, "redocly", "lint", "--config", "testdata/redocly.yaml", l.document)
		lint.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
		run(t, lint)
	})
	t.Run("TypeScript client", func(t *testing.T) {
		t.Parallel()
		l.useTypeScript(t)
	})
	t.Run("Go client", func(t *testing.T) {
		t.Parallel()
		l.useGo(t)
	})
}

// useTypeScript generates types with openapi-typescript, compiles a client with
// them and uses it.
func (l *landscape) useTypeScript(t *testing.T) {
	t.Helper()
	types := npmTool(t, "openapi-typescript")
	dir := t.TempDir()
	for _, name := range []string{"client.ts", "node.d.ts", "package.json", "tsconfig.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	modules := filepath.Dir(filepath.Dir(types.Path)) // node_modules/.bin/…
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	types.Args = append(types.Args, l.document, "--output", filepath.Join(dir, "api.ts"))
	run(t, types)
	run(t, npmTool(t, "tsc", "--project", dir))
	l.use(t, "node", filepath.Join(dir, "client.js"))
}

// useGo generates a client with oapi-codegen, compiles a program with it and
// uses it. An overlay puts the generated file beside the program, because it
// needs the modules of this one.
func (l *landscape) useGo(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	generated, overlay, program := filepath.Join(dir, "api.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "client")
	run(t, exec.Command("go", "tool", "-modfile=../oapi-codegen.mod", "oapi-codegen", "-generate", "types,client", "-package", "main", "-o", generated, l.document))
	beside, err := filepath.Abs("testdata/client/api.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {beside: generated}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	compile := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./testdata/client")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	run(t, compile)
	l.use(t, program)
}

// npmTool returns a command that runs a program of an npm package.
func npmTool(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(os.Getenv("OPENAPI_TOOLS"), name))
	if _, missing := os.Stat(program); os.Getenv("OPENAPI_TOOLS") == "" || err != nil || missing != nil {
		servertest.Need(t, "the variable OPENAPI_TOOLS does not name the directory node_modules/.bin with redocly, openapi-typescript and tsc")
	}
	return exec.Command(program, args...)
}
