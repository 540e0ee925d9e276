package forward_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"trento/packaging/servertest"
	"trento/store/activity"
	"trento/ui/forward"
)

// entryAt returns the n-th entry of a log.
func entryAt(n int, metadata string) *activity.Entry {
	at := time.Date(2026, 11, 30, 12, 0, n, 123456000, time.UTC)
	return &activity.Entry{
		Position: activity.PositionAt(at), ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Type: activity.TypeResourceTagging,
		Actor: "ann", Severity: activity.Warning, Metadata: json.RawMessage(metadata),
	}
}

const tagging = `{"added_tag":"Größe [1]","resource_id":"0fc07435-7ee2-54ca-b0de-fb27ffdc5deb","resource_type":"host"}`

// rsyslog is an rsyslog process that writes messages received over TLS to a
// file.
type rsyslog struct {
	t       *testing.T
	port    string
	caFile  string
	dir     string
	command *exec.Cmd
}

// findProgram returns the path of a program, which may lie outside PATH.
func findProgram(t *testing.T, name, missing string) string {
	t.Helper()
	for _, place := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(place); err == nil {
			return path
		}
	}
	servertest.Need(t, missing)
	return ""
}

// newRsyslog prepares rsyslog for the host name localhost, with a certificate
// from its own authority.
func newRsyslog(t *testing.T) *rsyslog {
	t.Helper()
	s := &rsyslog{t: t, port: servertest.FreePort(t), dir: t.TempDir()}
	s.caFile = filepath.Join(s.dir, "ca.pem")
	authority := servertest.NewAuthority(t)
	cert, key := authority.Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	config := fmt.Sprintf(`
global(workDirectory=%[1]q DefaultNetstreamDriverCAFile="%[1]s/ca.pem"
  DefaultNetstreamDriverCertFile="%[1]s/cert.pem" DefaultNetstreamDriverKeyFile="%[1]s/key.pem" maxMessageSize="64k")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="all" type="list") {
  property(name="pri") constant(value=" ") property(name="timestamp" dateFormat="rfc3339") constant(value=" ")
  property(name="app-name") constant(value=" ") property(name="msgid") constant(value=" ")
  property(name="structured-data") constant(value=" ") property(name="msg") constant(value="\n")
}
ruleset(name="received") { action(type="omfile" file="%[1]s/received" template="all" flushInterval="1" asyncWriting="off") }
input(type="imtcp" port=%[2]q address="127.0.0.1" ruleset="received")
`, s.dir, s.port)
	for name, content := range map[string][]byte{"ca.pem": authority.PEM, "cert.pem": cert, "key.pem": key, "rsyslog.conf": []byte(config)} {
		if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// start starts rsyslog.
func (s *rsyslog) start() {
	s.t.Helper()
	program := findProgram(s.t, "rsyslogd", "rsyslog with its TLS driver (packages rsyslog and rsyslog-gnutls)")
	s.command = exec.Command(program, "-n", "-f", filepath.Join(s.dir, "rsyslog.conf"), "-i", filepath.Join(s.dir, "pid"))
	var log strings.Builder
	s.command.Stderr, s.command.Stdout = &log, &log
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		s.stop()
		if s.t.Failed() {
			s.t.Log(log.String())
		}
	})
}

// stop stops rsyslog if it runs.
func (s *rsyslog) stop() {
	if s.command != nil {
		_ = s.command.Process.Signal(syscall.SIGTERM)
		_ = s.command.Wait()
		s.command = nil
	}
}

// lines returns the messages that have arrived.
func (s *rsyslog) lines() (lines []string) {
	f, err := os.Open(filepath.Join(s.dir, "received"))
	if err != nil {
		return nil
	}
	defer f.Close()
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	return lines
}

// address returns the address of rsyslog with a host name.
func (s *rsyslog) address(host string) *url.URL {
	return &url.URL{Scheme: "tls", Host: host + ":" + s.port}
}

// TestRsyslog checks that rsyslog can read our messages, and that no message is
// lost if it is restarted.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	s := newRsyslog(t)
	s.start()
	destination := forward.NewSyslog(s.address("localhost"), forward.TLS{CAFile: s.caFile}, 13, `1.0"]\`)
	defer destination.Close()
	sent := 0
	send := func() {
		t.Helper()
		servertest.Soon(t, "rsyslog takes entries", func() bool {
			return destination.Send(t.Context(), []*activity.Entry{entryAt(sent, tagging), entryAt(sent+1, tagging)}) == nil
		})
		sent += 2
	}
	send()
	send()
	servertest.Soon(t, "the entries are in the file", func() bool { return len(s.lines()) >= 4 })
	s.stop()
	if err := destination.Send(t.Context(), []*activity.Entry{entryAt(0, tagging)}); err == nil {
		t.Error("an entry was sent to a server that is down")
	}
	s.start()
	send()
	servertest.Soon(t, "all entries are in the file", func() bool { return len(s.lines()) >= 6 })
	lines := s.lines()
	want := regexp.MustCompile(`^108 2026-11-30T12:00:00\.123456Z trento-web tag\.added \[origin software="trento-web" swVersion="1\.0\\"\\\]\\\\"\] (\{.*\})$`)
	found := want.FindStringSubmatch(lines[0])
	if found == nil {
		t.Fatalf("received %s", lines[0])
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(found[1]), &got); err != nil {
		t.Fatal(err)
	}
	metadata, _ := got["metadata"].(map[string]any)
	if got["id"] != "00000000-0000-4000-8000-000000000000" || got["activity_type"] != "resource_tagging" || got["severity"] != "warning" || got["actor"] != "ann" || metadata["added_tag"] != "Größe [1]" || got["message"] == "" {
		t.Errorf("received %v", got)
	}
	for i, line := range lines {
		if !strings.Contains(line, fmt.Sprintf("-8000-%012d", i)) {
			t.Errorf("line %d is not entry %d: %s", i, i, line)
		}
	}
}

// TestLargeSyslogMessage checks that the metadata are left out of a message
// that would be too large.
func TestLargeSyslogMessage(t *testing.T) {
	t.Parallel()
	s := newRsyslog(t)
	s.start()
	destination := forward.NewSyslog(s.address("localhost"), forward.TLS{CAFile: s.caFile}, 13, "1.0")
	defer destination.Close()
	servertest.Soon(t, "rsyslog takes the entry", func() bool {
		return destination.Send(t.Context(), []*activity.Entry{entryAt(0, `{"text":"`+strings.Repeat("x", 9000)+`"}`)}) == nil
	})
	servertest.Soon(t, "the entry is in the file", func() bool { return len(s.lines()) == 1 })
	if line := s.lines()[0]; !strings.Contains(line, `"metadata_omitted":true`) || strings.Contains(line, "xxx") {
		t.Errorf("received %.300s", line)
	}
}

// TestUntrustedSyslog checks that nothing is sent to a server without a trusted
// certificate, and that the reason is readable.
func TestUntrustedSyslog(t *testing.T) {
	t.Parallel()
	s := newRsyslog(t)
	s.start()
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, servertest.NewAuthority(t).PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		address *url.URL
		caFile  string
		reason  string
	}{
		"other authority": {s.address("localhost"), other, "Its certificate is from an authority that is not trusted."},
		"other name":      {s.address("127.0.0.1"), s.caFile, "Its certificate is for another name."},
		"no file":         {s.address("localhost"), "/nowhere.pem", "A file with a certificate or key cannot be read."},
		"no such name":    {s.address("nobody.invalid"), s.caFile, "Its name cannot be resolved."},
		"nobody there":    {&url.URL{Scheme: "tls", Host: "localhost:" + servertest.FreePort(t)}, s.caFile, "It refuses the connection."},
	} {
		destination := forward.NewSyslog(test.address, forward.TLS{CAFile: test.caFile}, 13, "1.0")
		servertest.Soon(t, name, func() bool { // rsyslog is not ready at once
			err := destination.Send(t.Context(), []*activity.Entry{entryAt(0, tagging)})
			if err == nil {
				t.Fatalf("%s: an entry was sent", name)
			}
			return forward.Reason(err) == test.reason
		})
	}
	if lines := s.lines(); len(lines) > 0 {
		t.Errorf("received %q", lines)
	}
}
