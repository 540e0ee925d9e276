package command_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"trento/packaging/servertest"
	"trento/store/finding"
)

// examine runs trento-web doctor and returns its report and exit status.
func examine(t *testing.T, dir string, args []string, environ ...string) (r finding.Report, status int) {
	t.Helper()
	cmd := servertest.Command(t, dir, append([]string{"doctor", "--json"}, args...), environ...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		status = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s%s", err, out.Bytes(), log.Bytes())
	}
	return r, status
}

// checkFound checks that there is a finding with this urgency and area whose
// text begins with what.
func checkFound(t *testing.T, r *finding.Report, urgency finding.Urgency, area, what string) {
	t.Helper()
	if !slices.ContainsFunc(r.Findings, func(f finding.Finding) bool {
		return f.Urgency == urgency && f.Area == area && strings.HasPrefix(f.What, what)
	}) {
		t.Errorf("%v %s: %s: is not among %+v", urgency, area, what, r.Findings)
	}
}

// TestDoctor examines a server that runs, is stopped, and has damaged data.
func TestDoctor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	r, status := examine(t, dir, nil)
	checkFound(t, &r, finding.Warning, "Data file", "There is no data file in")
	if _, err := os.Stat(dir); status != 1 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("status %d, data directory: %v", status, err)
	}

	// The server runs with another configuration than the command reads.
	p := servertest.Start(t, dir, nil, "PROT=1", "ENABLE_API_KEY=false", "ADMIN_PASSWORD=")
	file := filepath.Join(t.TempDir(), "trento-web")
	if err := os.WriteFile(file, []byte("TRENTO_DATADIR=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "secrets"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, status = examine(t, dir, []string{"--config", file})
	if r.StartedAt == nil || status != 2 {
		t.Errorf("started %v, status %d", r.StartedAt, status)
	}
	checkFound(t, &r, finding.Urgent, "Files", filepath.Join(dir, "secrets")+" has mode 0644")
	checkFound(t, &r, finding.Warning, "Configuration", "PROT is not a variable")
	checkFound(t, &r, finding.Warning, "Configuration", "TRENTO_DATADIR is not a variable")
	checkFound(t, &r, finding.Warning, "Program", "The configuration file was changed")
	checkFound(t, &r, finding.Warning, "Agents", "Everybody can report")
	checkFound(t, &r, finding.Warning, "Backups", "No regular backups")
	checkFound(t, &r, finding.Warning, "Certificate", "Connections to this server are not encrypted")
	checkFound(t, &r, finding.Warning, "Default admin", "The generated password of admin is still in the file")
	if !slices.Equal(r.Findings, sorted(r)) || slices.Contains(r.Examined, "Firewall") {
		t.Errorf("%+v", r)
	}
	p.Stop(syscall.SIGTERM)

	// Stopped, with a port that is taken, and a value that cannot be read.
	taken, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
	if err := os.Chmod(filepath.Join(dir, "secrets"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, status = examine(t, dir, nil, "PORT="+port, "LOG_LEVEL=loud")
	checkFound(t, &r, finding.Urgent, "Ports", "Port "+port+" is taken")
	checkFound(t, &r, finding.Urgent, "Configuration", `LOG_LEVEL "loud": want`)
	if r.StartedAt != nil || status != 2 || !slices.Contains(r.Examined, "Data file") {
		t.Errorf("status %d: %+v", status, r)
	}

	// A correct configuration has no findings except about this machine.
	cert, key := servertest.NewAuthority(t).Issue("localhost", r.At.AddDate(0, -1, 0), r.At.AddDate(1, 0, 0))
	pair := filepath.Join(t.TempDir(), "pair.pem")
	if err := os.WriteFile(pair, append(cert, key...), 0o600); err != nil {
		t.Fatal(err)
	}
	good := []string{"TLS_CERT_FILE=" + pair, "TLS_KEY_FILE=" + pair, "TRENTO_WEB_ORIGIN=localhost", "BACKUP_DIR=" + t.TempDir(), "BACKUP_PASSPHRASE=four words of a song"}
	r, _ = examine(t, dir, nil, good...)
	for _, f := range r.Findings {
		if !slices.Contains([]string{"Clock", "Disk", "Backups", "Default admin"}, f.Area) {
			t.Errorf("%+v", f)
		}
	}
	if err := os.WriteFile(pair, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ = examine(t, dir, nil, good...)
	checkFound(t, &r, finding.Urgent, "Certificate", "The certificate cannot be used")

	data, err := os.ReadFile(filepath.Join(dir, "trento.db"))
	if err != nil {
		t.Fatal(err)
	}
	damage := func(from, to int) {
		t.Helper()
		damaged := bytes.Clone(data)
		for i := from; i < to; i++ {
			damaged[i] ^= 0xff
		}
		if err := os.WriteFile(filepath.Join(dir, "trento.db"), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		r, status := examine(t, dir, nil)
		if status != 2 {
			t.Errorf("status %d", status)
		}
		checkFound(t, &r, finding.Urgent, "Data file", "The data file is damaged")
	}
	damage(0, 8192)           // both meta pages
	damage(8192, len(data)/2) // half of the other pages

	out, err := servertest.Command(t, dir, []string{"doctor", "--nonsense"}).CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 3 {
		t.Errorf("%v: %s", err, out)
	}
}

func sorted(r finding.Report) []finding.Finding {
	r.Findings = slices.Clone(r.Findings)
	r.Sort()
	return r.Findings
}

// TestSupport checks the content of support bundles of a running and of a
// stopped server. They must not contain secrets.
func TestSupport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	secrets := map[string]string{
		"SECRET_KEY_BASE": strings.Repeat("c2VjcmV0", 8), "ACCESS_TOKEN_ENC_SECRET": "access-secret-of-the-test-0123456789", "AMQP_PASSWORD": "password-for-messages",
		"BACKUP_PASSPHRASE": "passphrase-of-backups", "OIDC_CLIENT_SECRET": "secret-of-the-client", "SMTP_PASSWORD": "password-of-the-relay",
		"ALERT_WEBHOOK_URL": "https://hooks.example.com/path-that-only-we-know", "ALERT_WEBHOOK_SECRET": "secret-of-the-webhook", "ADMIN_PASSWORD": "correct-horse-8",
	}
	environ := []string{"BACKUP_DIR=" + t.TempDir(), "ENABLE_ALERTING=false", "SMTP_SERVER=mail.example.com", "SMTP_USER=trento"}
	planted := map[string]bool{}
	for name, value := range secrets {
		environ = append(environ, name+"="+value)
		planted[value] = true
	}
	p := servertest.Start(t, dir, nil, environ...)
	user := p.User()
	planted[strings.TrimPrefix(user.Header("Authorization"), "Bearer ")] = true
	agent := p.Agent()
	planted[agent.Header("X-Trento-Apikey")] = true
	agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vmhana01"), nil)
	_, created, err := user.Do("POST", "/api/v1/profile/tokens", map[string]any{"name": "mine", "scopes": []string{"full"}})
	token := regexp.MustCompile(`trento_pat_[A-Za-z0-9_-]+`).Find(created)
	if err != nil || token == nil {
		t.Fatalf("no token: %v: %s", err, created)
	}
	planted[string(token)] = true
	generated, err := os.ReadFile(filepath.Join(dir, "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^[A-Z_]+=(.+)$`).FindAllSubmatch(generated, -1) {
		planted[string(found[1])] = true
	}
	if len(planted) < 10 {
		t.Errorf("%d secrets are planted", len(planted))
	}

	running := bundleOf(t, dir, planted, environ...)
	for name, want := range map[string]string{
		"README.txt": "It does not contain passwords", "checks.txt": "things were examined", "checks.json": `"findings"`, "configuration.txt": "BACKUP_PASSPHRASE .*\\*{8}",
		"versions.txt": "trento-web", "buckets.txt": `host +1 `, "agents.txt": "1 version 3.1.2", "activity.txt": "info +support_bundle_creation|info +host_registered",
		"goroutines.txt": "packaging/server", "memory.txt": "heap in use", "doctor.txt": "examined", "journal.txt": "",
	} {
		if text, ok := running[name]; !ok || !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("%s: %v %.300s", name, ok, text)
		}
	}
	var logged struct{ Data []servertest.Entry }
	if user.Must(200, "GET", "/api/v1/activity_log?type[]=support_bundle_creation", nil, &logged); len(logged.Data) != 1 {
		t.Errorf("the bundle is in the log as %v", logged.Data)
	}
	p.Stop(syscall.SIGTERM)
	stopped := bundleOf(t, dir, planted, environ...)
	if _, ok := stopped["goroutines.txt"]; ok || !strings.Contains(stopped["buckets.txt"], "host ") {
		t.Errorf("of a stopped server: %v", stopped["buckets.txt"])
	}
	file := filepath.Join(t.TempDir(), "bundle")
	for _, want := range []string{"The support bundle is in", "is there already"} {
		if out, _ := servertest.Command(t, dir, []string{"support", file}, environ...).CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("%s; want %s", out, want)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// bundleOf makes a bundle and returns its files. None of the secrets may be in
// it.
func bundleOf(t *testing.T, dir string, secrets map[string]bool, environ ...string) map[string]string {
	t.Helper()
	cmd := servertest.Command(t, dir, []string{"support", "-"}, environ...)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, log.Bytes())
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(unpacked); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(header.Name, "trento-support/")] = string(text)
		for secret := range secrets {
			if secret == "" || bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s contains the secret %q", header.Name, secret)
			}
		}
	}
	return files
}
