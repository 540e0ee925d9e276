//go:build linux

package daemon

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kardianos/service"
)

// control returns a Control for a service in a home directory of the test.
// Scripts in the place of systemctl and systemd-sysusers write down their
// arguments and standard input.
func control(t *testing.T, executable string) (c *Control, systemctl func() []string) {
	t.Helper()
	home := t.TempDir()
	calls := filepath.Join(home, "calls")
	script := "#!/bin/sh\necho \"$*\" >>" + calls + "\ncase $1 in is-active) cat " + home + "/state;; list-unit-files) cat " + home + "/units; esac\n"
	if err := os.WriteFile(filepath.Join(home, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	script = "#!/bin/sh\necho sysusers \"$@\" >>" + calls + "\ngrep ^u >>" + calls + "\n"
	if err := os.WriteFile(filepath.Join(home, "systemd-sysusers"), []byte(script), 0o755); err != nil {
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
			service:       s,
			executable:    executable,
			packagedPaths: []string{filepath.Join(home, "usr", serviceName+".service")},
			installedPath: filepath.Join(home, ".config/systemd/user", serviceName+".service"),
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
	got, err := os.ReadFile(c.installedPath)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(unit, "ExecStart=/usr/bin/trento-web\n", "ExecStart=/opt/a\\x20b/trento-web\n", 1)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("unit (-want +got):\n%s", diff)
	}
	wantCalls := []string{"sysusers -", `u trento - "Trento, a console for SAP systems on Linux" /var/lib/trento`, "enable --user trento-web.service", "daemon-reload --user"}
	if diff := cmp.Diff(wantCalls, systemctl()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}

	if err := c.Install(); err == nil {
		t.Error("a second Install() = nil")
	}
	systemctl()
	if err := c.Uninstall(); err != nil {
		t.Fatal(err)
	}
	if fileExists(c.installedPath) {
		t.Error("the unit is still there after Uninstall")
	}
	wantCalls = []string{"stop --user trento-web.service", "disable --user trento-web.service", "daemon-reload --user"}
	if diff := cmp.Diff(wantCalls, systemctl()); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
}

func TestPackagedUnitIsLeftAlone(t *testing.T) {
	c, systemctl := control(t, "/usr/bin/trento-web")
	if err := os.MkdirAll(filepath.Dir(c.packagedPaths[0]), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.packagedPaths[0], nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for verb, do := range map[string]func() error{"Install": c.Install, "Uninstall": c.Uninstall} {
		if err := do(); !errors.Is(err, ErrPackaged) || !strings.Contains(err.Error(), c.packagedPaths[0]) {
			t.Errorf("%s() = %v, want ErrPackaged naming the unit", verb, err)
		}
	}
	if fileExists(c.installedPath) {
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
	if !filepath.IsAbs(c.executable) || c.installedPath != "/etc/systemd/system/trento-web.service" {
		t.Errorf("NewControl() = %+v", c)
	}
}

func TestInstallNeedsTheUser(t *testing.T) {
	c, _ := control(t, "/usr/bin/trento-web")
	script := "#!/bin/sh\necho Permission denied >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), "systemd-sysusers"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.Install(); err == nil || !strings.Contains(err.Error(), "user of the service") || !strings.Contains(err.Error(), "Permission denied") {
		t.Errorf("Install() = %v", err)
	}
	if fileExists(c.installedPath) {
		t.Error("a unit was written")
	}
}

// systemd itself judges the unit: no line that it does not know, and an
// exposure of at most 1.5 of 10.
func TestUnitIsHardened(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("systemd-analyze, from the package systemd, is missing")
	}
	security := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", "trento-web.service")
	if out, err := security.CombinedOutput(); err != nil {
		t.Errorf("exposure: %v\n%s", err, out)
	}

	// verify looks for the program and the manual page of the unit as well.
	executable := filepath.Join(t.TempDir(), "trento-web")
	if err := os.WriteFile(executable, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("/usr/bin/trento-web", executable, "Documentation=", "#").Replace(unit)
	file := filepath.Join(t.TempDir(), "trento-web.service")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
