package mail

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// scriptedRelay is a relay without TLS that answers as a test wants.
type scriptedRelay struct {
	listener net.Listener
	// answers are the answers by the beginning of a command; "" drops the
	// connection, and "slow" gives none. "greeting" and "message" are answers to
	// no command. Missing ones are those of a relay that takes everything.
	answers map[string]string
	heard   chan string // every command and message
}

var friendlyAnswers = map[string]string{
	"greeting": "220 relay", "EHLO": "250-relay\r\n250-SIZE 100000\r\n250 8BITMIME", "AUTH": "235 welcome", "MAIL": "250 ok", "RCPT": "250 ok",
	"DATA": "354 go on", "message": "250 2.0.0 queued as 42", "RSET": "250 ok", "QUIT": "221 bye",
}

func startRelay(t *testing.T, answers map[string]string) *scriptedRelay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &scriptedRelay{listener: listener, answers: answers, heard: make(chan string, 1000)}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(connection)
		}
	}()
	return s
}

func (s *scriptedRelay) relay() *Relay {
	return &Relay{Host: "127.0.0.1", Port: s.listener.Addr().(*net.TCPAddr).Port, Hello: "trento.example.com"}
}

func (s *scriptedRelay) serve(connection net.Conn) {
	defer connection.Close()
	say := func(to string) bool {
		answer, ok := s.answers[to]
		for name, scripted := range s.answers {
			if strings.HasPrefix(to, name) {
				answer, ok = scripted, true
			}
		}
		if !ok {
			verb, _, _ := strings.Cut(to, " ")
			answer = friendlyAnswers[verb]
		}
		switch answer {
		case "":
			return false
		case "slow":
			_, _ = connection.Read(make([]byte, 1)) // until the client goes
			return false
		}
		_, err := fmt.Fprintf(connection, "%s\r\n", answer)
		return err == nil
	}
	if !say("greeting") {
		return
	}
	for lines := bufio.NewScanner(connection); lines.Scan(); {
		command := lines.Text()
		s.heard <- command
		if !say(command) {
			return
		}
		if command != "DATA" || strings.HasPrefix(s.answers["DATA"], "5") {
			continue
		}
		var message []string
		for lines.Scan() && lines.Text() != "." {
			message = append(message, lines.Text())
		}
		s.heard <- strings.Join(message, "\n")
		if !say("message") {
			return
		}
	}
}

// said returns what the relay has heard so far.
func (s *scriptedRelay) said() (all []string) {
	for {
		select {
		case text := <-s.heard:
			all = append(all, text)
		default:
			return all
		}
	}
}

func testMessage(id string) Message {
	return Message{
		ID: id, From: mail.Address{Name: "Trento Alerts", Address: "alerts@sap.example"}, To: []mail.Address{{Name: "Trento Admin", Address: "basis@sap.example"}},
		Subject: "Trento Alert: Host hana01 needs attention.", Text: "It is critical.\n", HTML: "<p>It is critical.</p>",
		Date: time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC), ListID: "trento.example.com",
	}
}

// TestSend sends messages to a relay that takes everything.
func TestSend(t *testing.T) {
	s := startRelay(t, nil)
	results, err := s.relay().Send(t.Context(), []Message{testMessage("1@trento"), testMessage("2@trento")})
	if err != nil || len(results) != 2 || results[0].Err != nil || results[1].Reply != "250 2.0.0 queued as 42" || results[1].ID != "2@trento" || results[0].TLS != "" {
		t.Fatalf("got %+v, %v", results, err)
	}
	said := s.said()
	for i, want := range []string{"EHLO trento.example.com", "MAIL FROM:<alerts@sap.example> BODY=8BITMIME", "RCPT TO:<basis@sap.example>", "DATA"} {
		if said[i] != want {
			t.Errorf("said %q, want %q", said[i], want)
		}
	}
	if last := said[len(said)-1]; last != "QUIT" {
		t.Errorf("the last command is %q", last)
	}
}

// TestFailedSteps checks the step, the reply and the permanence of every failure.
func TestFailedSteps(t *testing.T) {
	tests := []struct {
		name      string
		answers   map[string]string
		change    func(*Relay, *Message)
		want      string // text of the error
		permanent bool
		broken    bool // the connection cannot be used any more
	}{
		{"unknown name", nil, func(r *Relay, _ *Message) { r.Host = "no-such-host.invalid" }, "name: ", false, true},
		{"nobody listens", nil, func(r *Relay, _ *Message) { r.Port = closedPort(t) }, "connect: dial tcp", false, true},
		{"unwelcome", map[string]string{"greeting": "554 5.7.1 go away"}, nil, "connect: 554 5.7.1 go away", false, true},
		{"no relay", map[string]string{"greeting": "SSH-2.0-OpenSSH"}, nil, "connect: ", false, true},
		{"slow greeting", map[string]string{"greeting": "slow"}, nil, "connect: no answer within 100ms", false, true},
		{"dropped", map[string]string{"greeting": ""}, nil, "connect: the relay has closed the connection", false, true},
		{"endless greeting", map[string]string{"greeting": "220 " + strings.Repeat("x", 2<<20)}, nil, "connect: the relay sends more than a dialogue needs", false, true},
		{"no hello", map[string]string{"EHLO": "502 no", "HELO": "502 no"}, nil, "connect: 502 no", false, true},
		{"no TLS behind STARTTLS", map[string]string{"EHLO": "250-relay\r\n250 STARTTLS", "STARTTLS": "220 go on\r\nnonsense that is no TLS record"}, nil, "tls: ", false, true},
		{"STARTTLS refused", map[string]string{"EHLO": "250-relay\r\n250 STARTTLS", "STARTTLS": "454 not now"}, nil, "tls: 454 not now", false, true},
		{"TLS at once without TLS", nil, func(r *Relay, _ *Message) { r.ImplicitTLS = true }, "tls: tls: first record does not look like a TLS handshake", false, true},
		{"password without TLS", map[string]string{"EHLO": "250-relay\r\n250 AUTH PLAIN LOGIN"}, withLogin, "login: the relay offers no TLS, and the password is not sent without it", false, true},
		{"no login", nil, func(r *Relay, m *Message) { withLogin(r, m); r.InsecurePassword = true }, "login: the relay offers no login; leave the user name empty if it needs none", false, true},
		{"other logins", map[string]string{"EHLO": "250-relay\r\n250 AUTH GSSAPI"}, func(r *Relay, m *Message) { withLogin(r, m); r.InsecurePassword = true }, "login: the relay offers none of PLAIN and LOGIN, but GSSAPI", false, true},
		{"wrong password", map[string]string{"EHLO": "250-relay\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 no"}, func(r *Relay, m *Message) { withLogin(r, m); r.InsecurePassword = true }, "login: 535 5.7.8 no", false, true},
		{"sender refused", map[string]string{"MAIL": "550 5.1.0 unknown sender"}, nil, "sender: 550 5.1.0 unknown sender", false, false},
		{"recipient refused", map[string]string{"RCPT": "550 5.1.1 unknown user"}, nil, "recipient basis@sap.example: 550 5.1.1 unknown user", true, false},
		{"recipient greylisted", map[string]string{"RCPT": "451-4.7.1 come\r\n451 back"}, nil, "recipient basis@sap.example: 451 4.7.1 come back", false, false},
		{"closing", map[string]string{"RCPT": "421 4.3.2 closing"}, nil, "recipient basis@sap.example: 421 4.3.2 closing", false, true},
		{"recipient with accents", nil, func(_ *Relay, m *Message) { m.To[0].Address = "bäsis@sap.example" }, "recipient bäsis@sap.example: bäsis@sap.example can only be delivered with the extension SMTPUTF8, which is not supported", true, false},
		{"data refused", map[string]string{"DATA": "554 5.3.0 no"}, nil, "data: 554 5.3.0 no", true, false},
		{"message refused", map[string]string{"message": "552 5.3.4 spam"}, nil, "data: 552 5.3.4 spam", true, false},
		{"message deferred", map[string]string{"message": "452 4.3.1 disk full"}, nil, "data: 452 4.3.1 disk full", false, false},
		{"dropped before the end", map[string]string{"message": ""}, nil, "data: the relay has closed the connection", false, true},
		{"slow end", map[string]string{"message": "slow"}, nil, "data: no answer within 100ms", false, true},
		{"too large", nil, func(_ *Relay, m *Message) { m.Text = strings.Repeat("x", 100_000) }, "data: the message has ", true, false},
		{"control characters in a reply", map[string]string{"RCPT": "550 \x1b[31mred\x07"}, nil, "recipient basis@sap.example: 550 ?[31mred?", true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := startRelay(t, test.answers)
			relay, message := s.relay(), testMessage("1@trento")
			relay.stepTimeout = 5 * time.Second
			if strings.Contains(test.want, "no answer within") {
				relay.stepTimeout = 100 * time.Millisecond
			}
			if test.change != nil {
				test.change(relay, &message)
			}
			results, err := relay.Send(t.Context(), []Message{message})
			failure, _ := errors.AsType[*Error](err)
			if test.broken != (err != nil) {
				t.Fatalf("broken: %v, results %+v", err, results)
			}
			if !test.broken {
				failure = results[0].Err
			}
			if failure == nil || !strings.HasPrefix(failure.Error(), test.want) || failure.Permanent != test.permanent {
				t.Errorf("got %+v (%v), want %q, permanent %t", failure, failure, test.want, test.permanent)
			}
			for _, said := range s.said() {
				if strings.Contains(said, "geheim") && !relay.InsecurePassword {
					t.Errorf("the password was sent: %q", said)
				}
			}
			if failure != nil && (strings.Contains(failure.Error(), "geheim") || strings.Contains(failure.Error(), base64.StdEncoding.EncodeToString([]byte("geheim")))) {
				t.Errorf("the password is in the error: %v", failure)
			}
		})
	}
}

func withLogin(r *Relay, _ *Message) { r.Username, r.Password = "trento", "geheim" }

// closedPort returns a port on which nobody listens.
func closedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// TestRefusedMessageInBetween checks that a refused message does not stop the
// next one.
func TestRefusedMessageInBetween(t *testing.T) {
	s := startRelay(t, map[string]string{"RCPT TO:<gone@sap.example>": "550 5.1.1 unknown user"})
	second := testMessage("2@trento")
	second.To = []mail.Address{{Address: "gone@sap.example"}}
	third := testMessage("3@trento")
	third.To = append(third.To, second.To...)
	results, err := s.relay().Send(t.Context(), []Message{testMessage("1@trento"), second, third})
	if err != nil || len(results) != 3 || results[0].Err != nil || results[1].Err == nil || !results[1].Err.Permanent || results[2].Err != nil {
		t.Fatalf("got %+v, %v", results, err)
	}
	if refused := results[2].Refused; len(refused) != 1 || refused[0].Address != "gone@sap.example" || refused[0].Err.Reply != "550 5.1.1 unknown user" {
		t.Errorf("refused %+v", refused)
	}
}

// TestSendIsCancelled checks that a stopping server does not wait for a relay.
func TestSendIsCancelled(t *testing.T) {
	s := startRelay(t, map[string]string{"MAIL": "slow"})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.relay().Send(ctx, []Message{testMessage("1@trento")})
		done <- err
	}()
	for text := range s.heard {
		if strings.HasPrefix(text, "MAIL") {
			break
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
