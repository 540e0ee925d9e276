package command_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trento/packaging/command"
	"trento/packaging/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m, command.Run) }

func TestCommandLine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for args, want := range map[string]string{
		"version":            `^trento-web \S+\ncommit     \S+.*\ndate       \S+\nGo         1\.\d+\S* linux/\w+\n$`,
		"srve":               `did you mean serve\?\nRun "trento-web --help"`,
		"verison":            `did you mean version\?`,
		"nonsense":           `unknown command "nonsense" for "trento-web"\nRun`,
		"service strat":      `did you mean start\?\nRun "trento-web service --help"`,
		"admin resetpasword": `did you mean reset-password\?`,
		"--help":             `Examples:\n  trento-web `,
		"serve --help":       `Examples:\n  trento-web serve`,
		"config --help":      `Examples:\n  trento-web config`,
		"service --help":     `Examples:\n  sudo trento-web service install`,
		"demo --help":        `Examples:\n  trento-web demo`,
		"simulate --help":    `Examples:\n  trento-web simulate`,
		"admin":              `Available Commands:\n  reset-password`,
	} {
		out, err := servertest.Command(t, dir, strings.Fields(args)).CombinedOutput()
		if !regexp.MustCompile(want).Match(out) || (err != nil) != strings.Contains(string(out), "unknown command") {
			t.Errorf("trento-web %s: %v: %s", args, err, out)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory is there: %v", err)
	}
}
