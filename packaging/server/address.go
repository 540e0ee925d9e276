package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"trento/packaging/connection"
	"trento/store"
	"trento/store/failure"
)

// listen opens the port. It is called before all other steps of the start, so
// that a start that fails because of the port leaves no files behind.
// Connections wait until the server answers requests.
func (s *server) listen() error {
	l, err := s.listenOn("PORT", s.config.Port)
	if err == nil {
		limits := s.connectionLimits()
		limits.TLS = s.config.TLS()
		s.listener = connection.Limit(l, limits, s.log)
	}
	return err
}

// listenOn opens a port on the address in LISTEN. variable is the name of the
// variable that sets the port.
func (s *server) listenOn(variable string, port int) (net.Listener, error) {
	address := ""
	if s.config.Listen.IsValid() {
		address = s.config.Listen.String()
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil, fmt.Errorf("LISTEN %s is no address of this machine: %w", address, err)
	}
	if err != nil {
		return nil, portError(port, variable, "Stop it, or set %s to another port", err)
	}
	return connection.Retry(l, s.refuseConnection, s.reportAccepting), nil
}

// refuseConnection tells a client that the server has too many connections. It
// cannot do so with TLS.
func (s *server) refuseConnection(c net.Conn) {
	if !s.config.TLS() {
		connection.SendUnavailable(c)
	}
}

// reportAccepting records whether connections can be accepted. It is only
// called after the store was opened.
func (s *server) reportAccepting(err error) {
	if err == nil {
		s.store.Failures().End(failure.Connections)
		return
	}
	cause := failure.Cause{Text: "The server has too many open files."}
	if errors.Is(err, syscall.ENFILE) {
		cause = failure.Cause{Text: "All processes of the machine together have too many open files.", Advice: "Find the process that opens so many (lsof), or raise fs.file-max."}
	}
	s.store.Failures().Begin(failure.Connections, cause, err)
}

func (s *server) connectionLimits() connection.Limits {
	return connection.Limits{
		Total: min(s.config.MaxConnections, connection.Affordable()/2), PerAddress: s.config.MaxConnectionsPerAddress, Exempt: s.config.TrustedProxies,
	}
}

// url returns the address of the console for users of this machine.
func (s *server) url() string {
	host := "localhost"
	if listen := s.config.Listen; listen.IsValid() && !listen.IsUnspecified() {
		host = listen.String()
	}
	return s.urlOf(host)
}

func (s *server) urlOf(host string) string {
	scheme := "http"
	if s.certificate != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(s.port()))
}

func (s *server) port() int { return portOf(s.listener) }

// agentURL returns the address of this server for agents on other machines.
func (s *server) agentURL() string {
	listen := s.config.Listen
	switch {
	case listen.IsLoopback():
		return "the address of the reverse proxy in front of this server"
	case listen.IsValid() && !listen.IsUnspecified():
		return s.url()
	}
	host, err := os.Hostname()
	if err != nil {
		host = "THIS-HOST"
	}
	if s.certificate != nil {
		host = s.certificate.Name(host)
	}
	return s.urlOf(host)
}

// announce prints the address of the console, how to sign in, and how to
// connect an agent.
func (s *server) announce(w io.Writer) error {
	signIn, err := s.signInHint()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `
  Trento is running.

  Console   %s
%s%s  Agents    server-url: %s
            api-key and facts-service-url: see "Connect an agent" in the console
            %s

`, s.url(), s.certificateHint(), signIn, s.agentURL(), s.messageHint())
	return err
}

// certificateHint returns lines with which a person can check that a browser
// sees the self-signed certificate of this server.
func (s *server) certificateHint() string {
	if s.certificate == nil {
		return ""
	}
	c := s.certificate.Status()
	if !c.SelfSigned {
		return ""
	}
	return fmt.Sprintf("            Browsers warn of its self-signed certificate. Its SHA-256 fingerprint is\n            %s\n", c.Fingerprint)
}

// signInHint returns lines that say how to sign in.
func (s *server) signInHint() (string, error) {
	admin := store.NormalUsername(s.config.AdminUser)
	if s.auth.Provider() != nil {
		return fmt.Sprintf("  Sign-in   at the identity provider; whom it calls %s may do everything\n", admin), nil
	}
	password, err := s.passwordHint()
	return fmt.Sprintf("  User      %s\n  Password  %s\n", admin, password), err
}

// passwordHint says where to find the password of the default admin. In a demo
// it returns the password itself, because the data of a demo are invented and
// temporary.
func (s *server) passwordHint() (string, error) {
	switch {
	case s.passwordFile == "":
		return "as it was set", nil
	case s.demo == nil:
		return "in the file " + s.passwordFile, nil
	}
	text, err := os.ReadFile(s.passwordFile)
	return strings.TrimSpace(string(text)), err
}
