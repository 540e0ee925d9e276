package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"trento/packaging/connection"
	"trento/store"
	"trento/ui/amqp"
)

// listenForMessages opens the ports of the message endpoint, unless messages go
// over a broker elsewhere, or nowhere.
func (s *server) listenForMessages() error {
	plain, withTLS := s.config.MessagePorts()
	if plain {
		l, err := s.listenForMessagesOn("AMQP_PORT", s.config.AMQPPort)
		if err != nil {
			return err
		}
		s.messageListeners, s.plainMessagePort = append(s.messageListeners, l), portOf(l)
	}
	if withTLS {
		l, err := s.listenForMessagesOn("AMQPS_PORT", s.config.AMQPSPort)
		if err != nil {
			return err
		}
		s.messageListeners, s.secureMessagePort = append(s.messageListeners, tls.NewListener(l, s.certificate.ServerConfig())), portOf(l)
	}
	return nil
}

// listenForMessagesOn opens a port. variable is the name of the variable that
// sets it.
func (s *server) listenForMessagesOn(variable string, port int) (net.Listener, error) {
	address := ""
	if s.config.AMQPListen.IsValid() {
		address = s.config.AMQPListen.String()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil, fmt.Errorf("AMQP_LISTEN %s is no address of this machine: %w", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("for messages to agents: %w", portError(port, variable, "Stop it, set %s to another port, AMQP_URL to use a broker that is there, or ENABLE_AMQP=false", err))
	}
	return connection.Retry(l, func(net.Conn) {}, s.reportAccepting), nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// openMessages creates the message endpoint or the client of the external
// broker.
func (s *server) openMessages() (err error) {
	switch {
	case !s.config.EnableAMQP:
		return nil
	case s.config.AMQPURL != "":
		s.externalBroker = amqp.NewExternal(string(s.config.AMQPURL), s.log)
		s.messages = s.externalBroker
		return nil
	}
	s.internalBroker, err = amqp.New(amqp.Options{
		Store: s.store, Log: s.log, Port: s.plainMessagePort, TLSPort: s.secureMessagePort, VirtualHost: s.config.AMQPVirtualHost,
		Check: s.auth.CheckMessageCredential, Generation: s.messageGeneration,
		MaxConnections: min(s.config.AMQPMaxConnections, connection.Affordable()/2), MaxPerAddress: s.config.AMQPMaxConnectionsPerAddress,
	})
	s.messages = s.internalBroker
	return err
}

// messageGeneration returns the number of the present credential of the agents.
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

// messageTasks returns the tasks that messages to agents need.
func (s *server) messageTasks() []task {
	switch {
	case s.externalBroker != nil:
		// Runs as long as the server. Connects again 1 to 30 seconds after a
		// failure.
		return []task{{name: "connection to the message broker", run: s.externalBroker.Run}}
	case s.internalBroker != nil:
		// Heartbeats every second, expired messages every minute.
		tasks := []task{{name: "messages to agents", run: s.internalBroker.Run}}
		for _, l := range s.messageListeners {
			tasks = append(tasks, task{name: "message endpoint", run: func(ctx context.Context) error { return s.internalBroker.Serve(ctx, l) }})
		}
		return tasks
	}
	return nil
}

// messageHint says where agents connect for messages.
func (s *server) messageHint() string {
	switch {
	case s.secureMessagePort != 0 && s.plainMessagePort != 0:
		return fmt.Sprintf("messages: port %d with TLS (amqps), port %d without", s.secureMessagePort, s.plainMessagePort)
	case s.secureMessagePort != 0:
		return fmt.Sprintf("messages: port %d with TLS (amqps)", s.secureMessagePort)
	case s.internalBroker != nil:
		return fmt.Sprintf("messages: port %d", s.plainMessagePort)
	case s.externalBroker != nil:
		return "messages: at the broker of AMQP_URL"
	}
	return "messages: off (ENABLE_AMQP); agents need a broker elsewhere to start"
}
