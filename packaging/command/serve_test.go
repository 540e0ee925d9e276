package command_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
)

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := servertest.Start(t, dir, nil, "ADMIN_PASSWORD=")
	p.Client().Must(200, "GET", "/api/healthz", nil, nil)
	p.Client().Must(200, "GET", "/api/readyz", nil, nil)

	file := filepath.Join(dir, "initial-admin-password")
	password, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(password))
	for _, name := range []string{file, filepath.Join(dir, "secrets"), filepath.Join(dir, "trento.db")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	p.Client().Must(200, "POST", "/api/session", map[string]any{"username": "admin", "password": secret}, nil)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the first sign-in the file of the password is there: %v", err)
	}
	pasted := "trento_pat_" + strings.Repeat("Ab-_9", 17)
	p.Client().Must(404, "GET", "/api/v1/hosts/"+pasted+"/nothing?session="+pasted, nil, nil)
	p.Stop(syscall.SIGTERM)
	var said strings.Builder
	for line := range p.Lines {
		said.WriteString(line)
	}
	if !strings.Contains(said.String(), file) {
		t.Errorf("the start block does not name the file of the password: %s", &said)
	}
	if strings.Contains(said.String()+p.Stderr.String(), secret) {
		t.Error("the password was printed")
	}
	if log := p.Stderr.String(); strings.Contains(log, "cut off") {
		t.Errorf("requests had not ended:\n%s", log)
	}
	if log := p.Stderr.String(); strings.Contains(log, pasted[:30]) || !strings.Contains(log, "trento_pat_…") {
		t.Errorf("a token that was pasted into an address is not masked:\n%s", log)
	}

	// A password in the configuration replaces the generated one.
	p = servertest.Start(t, dir, []string{"serve"})
	p.User()
	p.Client().Must(401, "POST", "/api/session", map[string]any{"username": "admin", "password": secret}, nil)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the generated password is still there: %v", err)
	}
}

func TestSecondInstance(t *testing.T) {
	dir := t.TempDir()
	servertest.Start(t, dir, nil)
	out, err := servertest.Command(t, dir, nil).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by another trento-web") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestWrongConfiguration(t *testing.T) {
	out, err := servertest.Command(t, t.TempDir(), nil, "LOG_LEVEL=loud", "PORT=none").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "LOG_LEVEL") || !strings.Contains(string(out), "PORT") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFailedStartLeavesNothing checks that a failed start writes nothing to the
// disk.
func TestFailedStartLeavesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for want, environ := range map[string][]string{
		"port " + port + " cannot be used":            {"LISTEN=127.0.0.1", "PORT=" + port},
		"LISTEN 192.0.2.1 is no address":              {"LISTEN=192.0.2.1"},
		"LISTEN \"localhost\": want an address":       {"LISTEN=localhost"},
		"LOG_LEVEL \"loud\"":                          {"LOG_LEVEL=loud"},
		"ADMIN_USER is reserved":                      {"ADMIN_USER=System"},
		"ADMIN_EMAIL is not a valid email":            {"ADMIN_EMAIL=nowhere"},
		"ADMIN_PASSWORD has sequential characters":    {"ADMIN_PASSWORD=secret1234"},
		"TLS_CERT_FILE: open /nowhere/cert.pem":       {"TLS_CERT_FILE=/nowhere/cert.pem", "TLS_KEY_FILE=/nowhere/key.pem"},
		"only one certificate":                        {"TLS_CERT_FILE=/nowhere/cert.pem", "TLS_KEY_FILE=/nowhere/key.pem", "TLS_SELF_SIGNED=true"},
		"AMQPS_PORT to another port":                  {"TLS_SELF_SIGNED=true", "AMQPS_PORT=" + port},
		"REFRESH_TOKEN_ENC_SECRET: want a text other": {"REFRESH_TOKEN_ENC_SECRET=x", "ACCESS_TOKEN_ENC_SECRET=x"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		out, err := servertest.Command(t, dir, nil, environ...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v: %s", environ, err, out)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: the data directory is there: %v", environ, err)
		}
	}
}

// TestListen checks that the server listens only on the address in LISTEN, and
// announces it.
func TestListen(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil, "LISTEN=127.0.0.2", "PROT=1")
	p.Client().Must(200, "GET", "/api/healthz", nil, nil)
	if c, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(p.URL, "http://"), "127.0.0.2", "127.0.0.1", 1)); err == nil {
		c.Close()
		t.Error("it is at another address, too")
	}
	if advice := <-p.Lines; advice == "" {
		t.Error("nothing follows the address")
	}
	p.Stop(os.Interrupt)
	if !strings.HasPrefix(p.URL, "http://127.0.0.2:") || !strings.Contains(p.Stderr.String(), "did you mean PORT?") {
		t.Errorf("it is at %s, and says %s", p.URL, p.Stderr)
	}
}
