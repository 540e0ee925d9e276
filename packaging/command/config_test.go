package command_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trento/packaging/servertest"
)

func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trento-web")
	if err := os.WriteFile(file, []byte("# comment\nLOG_LEVEL=\"debug\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := servertest.Command(t, t.TempDir(), []string{"config", "--config", file}).CombinedOutput()
	if err != nil || !regexp.MustCompile(`LOG_LEVEL\s*=?\s*debug.*file`).Match(out) || strings.Contains(string(out), servertest.AdminPassword) {
		t.Errorf("%v:\n%s", err, out)
	}
}
