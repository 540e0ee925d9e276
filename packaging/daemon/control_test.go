//go:build linux

package daemon

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kardianos/service"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// control returns a Control for a service in a home directory of the test. A
// script in the place of systemctl writes down its arguments.
func control(t *testing.T, executable string) (c *Control, systemctl func() []string) {
	t.Helper()
	home := t.TempDir()
	calls := filepath.Join(home, "calls")
	script := "#!/bin/sh\necho \"$*\" >>" + calls + "\ncase $1 in is-active) cat " + home + "/state;; list-unit-files) cat " + home + "/units; esac\n"
	if err := os.WriteFile(filepath.Join(home, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("PATH", home+":"+os.Getenv("PATH"))

	config := serviceConfig(executable)
	config.Option["UserService"] = true
	for _, system := range service.AvailableSystems() {
		if system.String() != "linux-systemd" {
			continue
		}
		s, err := system.New(&program{}, config)
		if err != nil {
			t.Fatal(err)
		}
		c = &Control{
			service:    s,
			executable: executable,
			packaged:   []string{filepath.Join(home, "usr", name+".service")},
			installed:  filepath.Join(home, ".config/systemd/user", name+".service"),
		}
		return c, func() []string {
			text, err := os.ReadFile(calls)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			os.Remove(calls)
			return strings.FieldsFunc(string(text), func(c rune) bool { return c == '\n' })
		}
	}
	t.Fatal("package service knows no systemd")
	return nil, nil
}

func TestInstall(t *testing.T) {
	c, systemctl := control(t, "/opt/a b/trento-web")
	if err := c.Install(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(c.installed)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/trento-web.service"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("unit (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"enable --user trento-web.service", "daemon-reload --user"}, systemctl()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}

	if err := c.Install(); err == nil {
		t.Error("a second Install() = nil")
	}
	systemctl()
	if err := c.Uninstall(); err != nil {
		t.Fatal(err)
	}
	if exists(c.installed) {
		t.Error("the unit is still there after Uninstall")
	}
	want2 := []string{"stop --user trento-web.service", "disable --user trento-web.service", "daemon-reload --user"}
	if diff := cmp.Diff(want2, systemctl()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
}

func TestPackagedUnitIsLeftAlone(t *testing.T) {
	c, systemctl := control(t, "/usr/bin/trento-web")
	if err := os.MkdirAll(filepath.Dir(c.packaged[0]), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.packaged[0], nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for verb, do := range map[string]func() error{"Install": c.Install, "Uninstall": c.Uninstall} {
		if err := do(); !errors.Is(err, ErrPackaged) || !strings.Contains(err.Error(), c.packaged[0]) {
			t.Errorf("%s() = %v, want ErrPackaged naming the unit", verb, err)
		}
	}
	if exists(c.installed) {
		t.Error("a unit was written")
	}
	if calls := systemctl(); len(calls) > 0 {
		t.Errorf("systemctl was told %q", calls)
	}
}

func TestInstallRefusesHiddenPlaces(t *testing.T) {
	for _, executable := range []string{"/home/me/trento-web", "/root/trento-web", "/tmp/go-build1/exe/trento-web", "/var/tmp/trento-web", "/run/user/0/trento-web"} {
		c, _ := control(t, executable)
		if err := c.Install(); !errors.Is(err, ErrLocation) || !strings.Contains(err.Error(), executable) {
			t.Errorf("Install() of %s = %v, want ErrPlace", executable, err)
		}
	}
}

func TestStartStopStatus(t *testing.T) {
	c, systemctl := control(t, "/usr/bin/trento-web")
	if err := errors.Join(c.Start(), c.Stop()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"start --user trento-web.service", "stop --user trento-web.service"}, systemctl()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
	for _, test := range []struct{ state, units, want string }{
		{"active\n", "", "running"},
		{"activating\n", "", "running"},
		{"inactive\n", "trento-web.service enabled\n", "stopped"},
		{"inactive\n", "", "not installed"},
		{"failed\n", "", ""},
	} {
		for file, text := range map[string]string{"state": test.state, "units": test.units} {
			if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := c.Status(); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("Status() = %q, %v where systemctl says %q and %q, want %q", got, err, test.state, test.units, test.want)
		}
	}
}

func TestNewControl(t *testing.T) {
	c, err := NewControl()
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(c.executable) || c.installed != "/etc/systemd/system/trento-web.service" {
		t.Errorf("NewControl() = %+v", c)
	}
}
