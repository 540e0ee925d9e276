package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMan checks that every command has a manual page with its examples.
func TestMan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man8")
	root := newRoot(nil)
	root.SetArgs([]string{"man", dir})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			continue // every page has what it would say
		}
		page, err := os.ReadFile(filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".8"))
		if err != nil {
			t.Error(err)
		}
		if cmd.HasExample() && !bytes.Contains(page, []byte(".SH EXAMPLE")) {
			t.Errorf("the page of %s has no examples", cmd.CommandPath())
		}
	}
}

// TestCompletion checks that shells complete commands and flags.
func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"__complete adm":            "admin\tLook after the default admin",
		"__complete demo --h":       "--hosts",
		"completion bash":           "__start_trento-web",
		"completion zsh":            "#compdef trento-web",
		"__complete service st":     "status",
		"__complete serve --config": "--config",
	} {
		var out bytes.Buffer
		root := newRoot(nil)
		root.SetArgs(strings.Fields(args))
		root.SetOut(&out)
		root.SetErr(&out)
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("trento-web %s: %v: %s", args, err, &out)
		}
	}
}
