package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"trento/packaging/connection"
	"trento/store"
	"trento/ui/amqp"
)

// listenForMessages opens the port of the message endpoint, unless messages go
// over a broker elsewhere, or nowhere.
func (s *server) listenForMessages() (err error) {
	c := s.config
	if !c.EnableAMQP || c.AMQPURL != "" {
		return nil
	}
	address := ""
	if c.AMQPListen.IsValid() {
		address = c.AMQPListen.String()
	}
	s.messageListener, err = net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(c.AMQPPort)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("AMQP_LISTEN %s is no address of this machine: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("port %d for messages to agents cannot be used; is RabbitMQ or another server there? Stop it, set AMQP_PORT to another port, AMQP_URL to use that broker, or ENABLE_AMQP=false: %w", c.AMQPPort, err)
	}
	return nil
}

// openMessages makes ready what messages to agents go over.
func (s *server) openMessages() (err error) {
	switch {
	case !s.config.EnableAMQP:
		return nil
	case s.config.AMQPURL != "":
		s.externalBroker = amqp.NewExternal(string(s.config.AMQPURL), s.log)
		s.messages = s.externalBroker
		return nil
	}
	s.endpoint, err = amqp.New(amqp.Options{
		Store: s.store, Log: s.log, Port: s.messageListener.Addr().(*net.TCPAddr).Port, VirtualHost: s.config.AMQPVirtualHost,
		Check: s.auth.CheckMessageCredential, Generation: s.messageGeneration,
		MaxConnections: min(s.config.AMQPMaxConnections, connection.Affordable()/2), MaxPerAddress: s.config.AMQPMaxConnectionsPerAddress,
	})
	s.messages = s.endpoint
	return err
}

// messageGeneration returns which credential of agents is the present one.
func (s *server) messageGeneration() uint64 {
	var generation uint64
	err := s.store.View(func(tx *store.Tx) error {
		c, err := s.auth.MessageCredential(tx)
		generation = c.Generation
		return err
	})
	if err != nil {
		s.log.Error("the credential of agents cannot be read", "error", err)
	}
	return generation
}

// messageTasks returns the work that messages to agents need.
func (s *server) messageTasks() []task {
	switch {
	case s.externalBroker != nil:
		// As long as the server; tries again after 1 to 30 seconds.
		return []task{{name: "connection to the message broker", run: s.externalBroker.Run}}
	case s.endpoint != nil:
		return []task{
			{name: "message endpoint", run: func(ctx context.Context) error { return s.endpoint.Serve(ctx, s.messageListener) }},
			// Heartbeats every second, expired messages every minute.
			{name: "messages to agents", run: s.endpoint.Run},
		}
	}
	return nil
}

// messageHint says where agents connect for messages.
func (s *server) messageHint() string {
	switch {
	case s.endpoint != nil:
		return fmt.Sprintf("messages: port %d", s.endpoint.Port())
	case s.externalBroker != nil:
		return "messages: at the broker of AMQP_URL"
	}
	return "messages: off (ENABLE_AMQP); agents need a broker elsewhere to start"
}
