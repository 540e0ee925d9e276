package server_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
)

var messagePort = regexp.MustCompile(`messages: port (\d+)`)

// TestMessages connects to the message endpoint of a running server as an agent
// does, and is told when the server stops.
func TestMessages(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil, "AMQP_USER=agents", "AMQP_PASSWORD=secret-of-agents")
	port := ""
	for line := range p.Lines {
		if found := messagePort.FindStringSubmatch(line); found != nil {
			port = found[1]
			break
		}
	}
	if _, err := rabbitmq.Dial("amqp://guest:guest@127.0.0.1:" + port); !errors.Is(err, rabbitmq.ErrCredentials) {
		t.Errorf("as a guest: %v", err)
	}
	c, err := rabbitmq.Dial("amqp://agents:secret-of-agents@127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended := c.NotifyClose(make(chan *rabbitmq.Error, 1))
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(message.Checks.Queue("3f7c2a10-8a55-5d0e-9c41-6d2b7f0e1a22"), true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	p.Stop(os.Interrupt)
	if fault := <-ended; fault == nil || fault.Code != rabbitmq.ConnectionForced {
		t.Errorf("at the end the agent was told %v", fault)
	}
	if log := p.Stderr.String(); strings.Contains(log, "secret-of-agents") || !strings.Contains(log, "message connection refused") {
		t.Errorf("log:\n%s", log)
	}
}

// TestMessagePortInUse checks that the error message says what to do.
func TestMessagePortInUse(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil)
	port := p.Address()[strings.LastIndex(p.Address(), ":")+1:]
	out, err := servertest.Command(t, t.TempDir(), nil, "AMQP_PORT="+port).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "AMQP_PORT") || !strings.Contains(string(out), port) {
		t.Errorf("%v\n%s", err, out)
	}
}
