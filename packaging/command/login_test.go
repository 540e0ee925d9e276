package command_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trento/packaging/servertest"
)

// openTerminal opens a pseudo-terminal. The test writes to and reads from
// keyboard; the command gets screen as its standard streams.
func openTerminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

// TestLogin signs in to two servers, and asks them without an environment.
func TestLogin(t *testing.T) {
	t.Parallel()
	p, other := servertest.Start(t, t.TempDir(), nil), servertest.Start(t, t.TempDir(), nil)
	home := t.TempDir()
	a := &commandRunner{t: t, environ: []string{"HOME=" + home}}
	in := func(token string, args ...string) (status int, out string) {
		status, stdout, stderr := a.runWith(token+"\n", append([]string{"login", "--token-stdin"}, args...)...)
		return status, stdout + stderr
	}
	a.fails(4, `no server is chosen, and none runs on this machine with the data in /nonexistent: run "trento-web login --server https://HOST:PORT"`, "get", "hosts")
	a.fails(4, "there is no token for "+p.URL, "get", "hosts", "--server", p.URL)
	a.fails(2, `"prod" is neither an address, such as https://HOST:PORT, nor the name of a login; there are none yet`, "get", "hosts", "--server", "prod")
	a.fails(2, "name the server: trento-web login --server", "login")
	a.fails(2, "there is no terminal to paste the token into; use --token-stdin", "login", "--server", p.URL)
	if status, out := in("trento_pat_wrong", "--server", p.URL); status == 0 || !strings.Contains(out, "does not accept the token") {
		t.Errorf("a wrong token: %v: %s", status, out)
	}
	if status, out := in("", "--server", p.URL); status == 0 || !strings.Contains(out, "there is no token on the standard input") {
		t.Errorf("no token: %v: %s", status, out)
	}
	file := filepath.Join(home, ".config", "trento-web", "logins.json")
	if _, err := os.Stat(file); err == nil {
		t.Error("a token that is not good is kept")
	}

	token := newToken(p, "cli", "read_only")
	if status, out := in(token, "--server", p.URL+"/", "--name", "prod"); status != 0 || out != "Signed in to "+p.URL+" as admin. Try: trento-web get health\n" {
		t.Errorf("%v: %s", status, out)
	}
	if status, out := in(newToken(other, "cli", "tags"), "--server", other.URL, "--name", "test"); status != 0 || out != "Signed in to "+other.URL+". Try: trento-web get health\n" {
		t.Errorf("with a token that may not read the profile: %v: %s", status, out)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the tokens: %v, %v", info, err)
	}
	if out := a.must("login", "list"); !strings.Contains(out, "         prod  "+p.URL) || !strings.Contains(out, "*        test  "+other.URL) || strings.Contains(out, "trento_pat") {
		t.Error(out)
	}
	a.fails(4, "not permitted", "get", "users")
	if out := a.must("get", "users", "--server", "prod"); !strings.Contains(out, "admin") {
		t.Error(out)
	}
	// A token in the environment is not sent to a server that is chosen among the logins.
	elsewhere := &commandRunner{t: t, environ: append(a.environ, "TRENTO_TOKEN=trento_pat_wrong")}
	elsewhere.must("get", "users", "--server", "prod")
	elsewhere.fails(4, "does not accept the token", "get", "users")

	a.must("login", "use", "prod")
	a.must("get", "users")
	deleteTokens(t, p)
	a.fails(4, "does not accept the token: it was deleted", "get", "users")
	a.must("logout")
	if text, err := os.ReadFile(file); err != nil || bytes.Contains(text, []byte(token)) {
		t.Errorf("the token is still there: %v", err)
	}
	a.fails(4, `no server is chosen: run "trento-web login use NAME" with one of test`, "get", "users")
	a.fails(5, `you have not signed in to "prod"`, "logout", "prod")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	a.fails(1, "contains tokens and others can read it", "get", "users")
}

func deleteTokens(t *testing.T, p *servertest.Program) {
	t.Helper()
	p.User().Must(204, "DELETE", "/api/v1/profile/tokens", nil, nil)
}

// TestLoginOnTerminal pastes a token into a terminal, which does not show it.
func TestLoginOnTerminal(t *testing.T) {
	t.Parallel()
	p := servertest.Start(t, t.TempDir(), nil)
	token := newToken(p, "cli", "read_only")
	a := &commandRunner{t: t, environ: []string{"HOME=" + t.TempDir()}}
	keyboard, screen := openTerminal(t)
	cmd := a.command("login", "--server", p.URL, "--scopes", "read_only,tags")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	screen.Close()
	var shown bytes.Buffer
	// Whoever is quick pastes as soon as something appears.
	for buffer := make([]byte, 4096); !strings.Contains(shown.String(), "Make a token"); {
		n, err := keyboard.Read(buffer)
		if err != nil {
			t.Fatalf("%v: %s", err, &shown)
		}
		shown.Write(buffer[:n])
	}
	if _, err := io.WriteString(keyboard, token+"\n"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(keyboard) // fails because the terminal is closed when the command ends
	shown.Write(rest)
	if err := cmd.Wait(); err != nil || !strings.Contains(shown.String(), "as admin") || strings.Contains(shown.String(), token) {
		t.Errorf("%v: %s", err, &shown)
	}
	if want := p.URL + "/profile/tokens/new?name=trento-web"; !strings.Contains(shown.String(), want) || !strings.Contains(shown.String(), "&scope=read_only&scope=tags") {
		t.Errorf("have %s\nwant %s", &shown, want)
	}
	if out := a.must("get", "users"); !strings.Contains(out, "admin") {
		t.Error(out)
	}
}
