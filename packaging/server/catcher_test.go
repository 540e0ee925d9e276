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

// catcher is a mail relay that keeps what it gets.
type catcher struct {
	t        *testing.T
	listener net.Listener
	mu       sync.Mutex
	caught   []caughtMail
	// answer returns the answer to a command, and to the end of a message, which
	// is the command ".". "" means success, "drop" closes the connection.
	answer func(command string) string
}

// caughtMail is a mail that the catcher has accepted.
type caughtMail struct {
	To      []string
	Header  mail.Header
	Subject string
	Body    string
}

// startCatcher starts a catcher on an address; "" means any free port.
func startCatcher(t *testing.T, address string) *catcher {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &catcher{t: t, listener: l, answer: func(string) string { return "" }}
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

// answers sets answer.
func (c *catcher) answers(answer func(command string) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

func (c *catcher) host() string { return "127.0.0.1" }
func (c *catcher) port() int    { return c.listener.Addr().(*net.TCPAddr).Port }

// take returns the mails that were caught since the last call.
func (c *catcher) take() []caughtMail {
	c.mu.Lock()
	defer c.mu.Unlock()
	caught := c.caught
	c.caught = nil
	return caught
}

func (c *catcher) subjects() (subjects []string) {
	for _, m := range c.take() {
		subjects = append(subjects, m.Subject)
	}
	return subjects
}

// replyTo answers a command. open is false if the connection was closed.
func (c *catcher) replyTo(conn *textproto.Conn, command, success string) (ok, open bool) {
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

func (c *catcher) serve(raw net.Conn) {
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
				c.keep(to, string(text))
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

func (c *catcher) keep(to []string, text string) {
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
	c.caught = append(c.caught, caughtMail{to, m.Header, subject, string(body)})
}
