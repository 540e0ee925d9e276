package command_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
)

// TestBackup makes backups of a running and of a stopped server, restores one of
// them, and undoes that.
func TestBackup(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "data")
	run := func(stdin []byte, want string, args ...string) []byte {
		t.Helper()
		cmd := servertest.Command(t, dir, args, "ADMIN_PASSWORD=")
		cmd.Stdin = bytes.NewReader(stdin)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if text := string(out) + stderr.String(); !regexp.MustCompile(want).MatchString(text) {
			t.Fatalf("trento-web %s: %v\n%.500s\nwant %s", strings.Join(args, " "), err, text, want)
		}
		return out
	}
	file := func(name string) string { return filepath.Join(base, name) }
	secret := file("passphrase")
	if err := os.WriteFile(secret, []byte("four words of a song\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file("short"), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hosts := func(p *servertest.Program, want ...string) {
		t.Helper()
		var names []string
		for _, h := range p.User().Hosts() {
			names = append(names, h.Hostname)
		}
		if strings.Join(names, " ") != strings.Join(want, " ") {
			t.Errorf("hosts %v, want %v", names, want)
		}
	}

	run(nil, "there is no server's data in", "backup", file("none"))
	p := servertest.Start(t, dir, nil)
	p.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vmhana01"), nil)
	run(nil, "The backup is in .*one", "backup", file("one"))
	run(nil, "is there already", "backup", file("one"))
	run(nil, "at least 12 character", "backup", "--passphrase-file", file("short"), file("none"))
	streamed := run(nil, "", "backup", "--passphrase-file", secret, "-")
	run(streamed, "Nothing is wrong: a backup of .* with trento.db and secrets", "verify", "--passphrase-file", secret, "-")
	run(streamed, "its passphrase is needed", "verify", "-")
	run(nil, "in use by a trento-web", "restore", file("one"))
	p.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(2), "vmhana02"), nil)
	p.Stop(syscall.SIGTERM)

	run(nil, "Nothing is wrong with the data in", "verify")
	run(nil, "The store had .* and has .* now", "compact")
	run(nil, "The backup is in .*both", "backup", file("both"))
	run(nil, "Nothing is wrong", "verify", file("both"))
	run([]byte("nonsense"), "no complete backup", "restore", "-")
	run(nil, "(?s)Restored: a backup of .*replaced-", "restore", file("one"))
	p = servertest.Start(t, dir, nil)
	hosts(p, "vmhana01")
	p.Stop(syscall.SIGTERM)
	run(nil, "from before the restore are back", "restore", "--undo")
	p = servertest.Start(t, dir, nil)
	hosts(p, "vmhana01", "vmhana02")
	p.Stop(syscall.SIGTERM)

	// On another host, and where the data cannot be opened any more.
	dir = filepath.Join(base, "elsewhere")
	run(streamed, `Restored: .*\nStart the server`, "restore", "--passphrase-file", secret, "-")
	if err := os.WriteFile(filepath.Join(dir, "trento.db"), bytes.Repeat([]byte("damaged "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	run(nil, "invalid database", "verify")
	run(nil, "Restored", "restore", file("both"))
	p = servertest.Start(t, dir, nil)
	hosts(p, "vmhana01", "vmhana02")
	for _, left := range []string{"restore-*", "compact-*", "backup-*"} {
		if found, err := filepath.Glob(filepath.Join(dir, left)); err != nil || len(found) != 0 {
			t.Errorf("left: %v", found)
		}
	}
}
