package servertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Mailpit is a running mail relay for tests, which keeps what it is sent.
type Mailpit struct {
	Port int // of SMTP, on 127.0.0.1

	t   *testing.T
	api string // URL of its API
}

// MailpitOptions say how the relay is reached.
type MailpitOptions struct {
	Cert, Key   []byte // PEM; nil: the relay has no TLS
	ImplicitTLS bool   // TLS begins at once, not with STARTTLS
	// Username and Password are the login that the relay requires. "": it needs
	// none.
	Username, Password string
	// Recipients is a regular expression of the recipients that it accepts. "":
	// all of them.
	Recipients string
}

// StartMailpit starts the relay.
func StartMailpit(t *testing.T, o MailpitOptions) *Mailpit {
	t.Helper()
	program, err := exec.LookPath(os.Getenv("MAILPIT"))
	if err != nil {
		Need(t, "the variable MAILPIT does not name the program mailpit, a mail relay")
	}
	dir, smtp, api := t.TempDir(), FreePort(t), FreePort(t)
	write := func(name string, content []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	args := []string{"--smtp", "127.0.0.1:" + smtp, "--listen", "127.0.0.1:" + api, "--database", filepath.Join(dir, "mails.db"), "--disable-version-check", "--smtp-disable-rdns", "--enable-chaos"}
	if o.Cert != nil {
		args = append(args, "--smtp-tls-cert", write("cert.pem", o.Cert), "--smtp-tls-key", write("key.pem", o.Key))
	}
	if o.ImplicitTLS {
		args = append(args, "--smtp-require-tls")
	}
	if o.Username != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(o.Password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--smtp-auth-file", write("logins", []byte(o.Username+":"+string(hash)+"\n")))
		if o.Cert == nil {
			args = append(args, "--smtp-auth-allow-insecure")
		}
	}
	if o.Recipients != "" {
		args = append(args, "--smtp-allowed-recipients", o.Recipients)
	}
	var log strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	m := &Mailpit{t: t, api: "http://127.0.0.1:" + api}
	if m.Port, err = strconv.Atoi(smtp); err != nil {
		t.Fatal(err)
	}
	Soon(t, "mailpit answers", func() bool {
		answer, err := http.Get(m.api + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return m
}

// ReceivedMail is a mail that the relay has taken.
type ReceivedMail struct {
	ID        string // of the relay
	MessageID string
	From      MailAddress
	To        []MailAddress
	Subject   string
}

// MailAddress is an address with its name.
type MailAddress struct{ Name, Address string }

// Mails returns the mails that the relay has taken, newest first.
func (m *Mailpit) Mails() []ReceivedMail {
	m.t.Helper()
	var list struct{ Messages []ReceivedMail }
	if err := json.Unmarshal(m.get("/api/v1/messages"), &list); err != nil {
		m.t.Fatal(err)
	}
	return list.Messages
}

// Source returns a mail as it was sent.
func (m *Mailpit) Source(mail ReceivedMail) string {
	m.t.Helper()
	return string(m.get("/api/v1/message/" + mail.ID + "/raw"))
}

// Refuse makes the relay refuse a step of every mail from now on: "Sender",
// "Recipient" or "Authentication". A code of 0 ends that.
func (m *Mailpit) Refuse(step string, code int) {
	m.t.Helper()
	probability := 100
	if code == 0 {
		probability, code = 0, 451
	}
	body := fmt.Sprintf(`{%q: {"ErrorCode": %d, "Probability": %d}}`, step, code, probability)
	request, err := http.NewRequest(http.MethodPut, m.api+"/api/v1/chaos", strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		m.t.Fatalf("mailpit: %s", answer.Status)
	}
}

func (m *Mailpit) get(path string) []byte {
	m.t.Helper()
	answer, err := http.Get(m.api + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		m.t.Fatalf("mailpit: %s, %v", answer.Status, err)
	}
	return body
}
