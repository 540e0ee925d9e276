package server

import (
	"bufio"
	"io"
	"mime"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// testRelay is a mail relay that stores the mails it receives.
type testRelay struct {
	t        *testing.T
	listener net.Listener
	mu       sync.Mutex
	received []receivedMail
	// answer returns the answer to a command, and to the end of a message, which
	// is the command ".". "" means success, "drop" closes the connection.
	answer func(command string) string
}

// receivedMail is a mail that the relay has accepted.
type receivedMail struct {
	To      []string
	Header  mail.Header
	Subject string
	Body    string
}

// startTestRelay starts a relay on an address; "" means any free port.
func startTestRelay(t *testing.T, address string) *testRelay {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &testRelay{t: t, listener: l, answer: func(string) string { return "" }}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); connections.Wait() })
	return c
}

// setAnswer sets the function answer.
func (c *testRelay) setAnswer(answer func(command string) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func (c *testRelay) host() string { return "127.0.0.1" }
func (c *testRelay) port() int    { return c.listener.Addr().(*net.TCPAddr).Port }

// takeMails returns the mails that were received since its last call.
func (c *testRelay) takeMails() []receivedMail {
	c.mu.Lock()
	defer c.mu.Unlock()
	caught := c.received
	c.received = nil
	return caught
}

func (c *testRelay) subjects() (subjects []string) {
	for _, m := range c.takeMails() {
		subjects = append(subjects, m.Subject)
	}
	return subjects
}

// replyTo answers a command. open is false if the connection was closed.
func (c *testRelay) replyTo(conn *textproto.Conn, command, success string) (ok, open bool) {
	c.mu.Lock()
	answer := c.answer(command)
	c.mu.Unlock()
	if answer == "drop" {
		return false, false
	}
	if answer != "" {
		return false, conn.PrintfLine("%s", answer) == nil
	}
	return true, conn.PrintfLine("%s", success) == nil
}

func (c *testRelay) serve(raw net.Conn) {
	defer raw.Close()
	conn := textproto.NewConn(raw)
	var to []string
	_, open := c.replyTo(conn, "CONNECT", "220 catcher ESMTP")
	for open {
		line, err := conn.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		var ok bool
		switch verb {
		case "DATA":
			if ok, open = c.replyTo(conn, line, "354 go on"); !ok {
				continue
			}
			text, err := io.ReadAll(conn.DotReader())
			if err != nil {
				return
			}
			if ok, open = c.replyTo(conn, ".", "250 2.0.0 caught"); ok {
				c.store(to, string(text))
			}
			to = nil
		case "RCPT":
			address := strings.TrimSuffix(line[strings.Index(line, "<")+1:], ">")
			if ok, open = c.replyTo(conn, line, "250 ok"); ok {
				to = append(to, address)
			}
		case "RSET":
			to = nil
			_, open = c.replyTo(conn, line, "250 ok")
		case "QUIT":
			_, _ = c.replyTo(conn, line, "221 bye")
			return
		default:
			_, open = c.replyTo(conn, line, "250 ok")
		}
	}
}

func (c *testRelay) store(to []string, text string) {
	m, err := mail.ReadMessage(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		c.t.Errorf("not a mail: %v\n%s", err, text)
		return
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		c.t.Error(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received = append(c.received, receivedMail{to, m.Header, subject, string(body)})
}
