package ui

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/message"
	"trento/ui/amqp"
)

// messageEndpoint is a message endpoint that runs, with the password "right".
type messageEndpoint struct {
	t *testing.T
	*amqp.Broker
	address string
}

// messages starts a message endpoint, and a console that shows it.
func (f *fixture) messages(t *testing.T) *messageEndpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &messageEndpoint{t: t, address: l.Addr().String()}
	e.Broker, err = amqp.New(amqp.Options{
		Store: f.store, Log: newTestLog(f.log), Generation: func() uint64 { return 0 }, Port: 5672, Now: f.clock.Now,
		Check: func(user, password string) bool { return password == "right" },
	})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	go func() { served <- e.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	f.options.Messages, f.options.Endpoint = e.Broker, e.Broker
	f.restart(f.options)
	return e
}

// connect connects the agent of the n-th host for messages of one kind.
func (e *messageEndpoint) connect(n int, kind message.Kind) *rabbitmq.Connection {
	e.t.Helper()
	c, err := rabbitmq.Dial(fmt.Sprintf("amqp://agents:right@%s", e.address))
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { c.Close() })
	ch, err := c.Channel()
	if err != nil {
		e.t.Fatal(err)
	}
	queue := kind.Queue(string(hostID(n)))
	if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		e.t.Fatal(err)
	}
	if err := ch.QueueBind(queue, message.RequestKey, kind.Exchange(), false, nil); err != nil {
		e.t.Fatal(err)
	}
	if _, err := ch.Consume(queue, "", false, false, false, false, nil); err != nil {
		e.t.Fatal(err)
	}
	return c
}

// refuse lets an agent with a wrong password try to connect.
func (e *messageEndpoint) refuse() {
	e.t.Helper()
	if _, err := rabbitmq.Dial(fmt.Sprintf("amqp://agents:wrong@%s", e.address)); !errors.Is(err, rabbitmq.ErrCredentials) {
		e.t.Fatal(err)
	}
}
