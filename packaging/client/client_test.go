package client_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"trento/packaging/command"
	"trento/packaging/servertest"
)

var update = flag.Bool("update", false, "write client.gen.go")

func TestMain(m *testing.M) { servertest.Main(m, command.Run) }

// TestGenerated checks that client.gen.go is up to date with the API document
// of the server.
func TestGenerated(t *testing.T) {
	const generated = "client.gen.go"
	status, document, err := servertest.Start(t, t.TempDir(), nil).Client().Do("GET", "/api/all/openapi", nil)
	if err != nil || status != 200 {
		t.Fatal(status, err)
	}
	dir := t.TempDir()
	described, made := filepath.Join(dir, "openapi.json"), filepath.Join(dir, generated)
	if err := os.WriteFile(described, document, 0o600); err != nil {
		t.Fatal(err)
	}
	generator := exec.Command("go", "tool", "-modfile=../oapi-codegen.mod", "oapi-codegen", "-config", "oapi-codegen.yaml", "-o", made, described)
	if out, err := generator.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(generated, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(generated)
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("the API document has changed (%v); run go generate ./packaging/client", err)
	}
}
