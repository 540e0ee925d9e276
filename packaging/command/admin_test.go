package command_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
)

// TestResetPassword resets a lost password and signs in with the new one.
func TestResetPassword(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	reset := func(input string, environ []string, args ...string) (string, error) {
		t.Helper()
		cmd := servertest.Command(t, dir, append([]string{"admin", "reset-password"}, args...), append([]string{"ADMIN_PASSWORD="}, environ...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	refused := func(want, input string, environ []string, args ...string) {
		t.Helper()
		if out, err := reset(input, environ, args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %s; want %q", err, out, want)
		}
	}
	refused("no server's data", "", nil)
	if _, err := os.Stat(dir); err == nil {
		t.Error("it has made a data directory of its own")
	}

	p := servertest.Start(t, dir, nil, "ADMIN_PASSWORD=")
	file := filepath.Join(dir, "initial-admin-password")
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	refused("in use by another trento-web", "", nil)
	p.Stop(syscall.SIGTERM)
	oidc := []string{"ENABLE_OIDC=true", "TRENTO_WEB_ORIGIN=trento.example.com", "OIDC_CLIENT_ID=id", "OIDC_CLIENT_SECRET=s", "OIDC_BASE_URL=http://127.0.0.1:1"}
	if out, err := reset("", oidc); err != nil || !strings.Contains(out, "once single sign-on is off: set ENABLE_OIDC") {
		t.Errorf("with single sign-on: %v: %s", err, out)
	}
	first := read()
	refused("ADMIN_PASSWORD is configured", "", []string{"ADMIN_PASSWORD=" + servertest.AdminPassword})
	refused("should be at least 8 character(s)", "short\n", nil, "--stdin")
	refused("no password on the standard input", "\n", nil, "--stdin")
	if read() != first {
		t.Fatal("a refused reset has changed the file")
	}

	signIn := func(password string, status int) {
		t.Helper()
		p.Client().Must(status, "POST", "/api/session", map[string]any{"username": "admin", "password": password}, nil)
	}
	out, err := reset("", nil)
	second := read()
	if err != nil || !strings.Contains(out, file) || strings.Contains(out, second) || second == first {
		t.Fatalf("%v: %s", err, out)
	}
	p = servertest.Start(t, dir, nil, "ADMIN_PASSWORD=")
	signIn(first, 401)
	signIn(second, 200)
	p.Stop(syscall.SIGTERM)

	const chosen = "Tuesday-morning-7"
	if out, err := reset(chosen+"\r\nignored", nil, "--stdin"); err != nil || strings.Contains(out, chosen) {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the generated password is still there: %v", err)
	}
	p = servertest.Start(t, dir, nil, "ADMIN_PASSWORD=")
	signIn(second, 401)
	signIn(chosen, 200)
}
