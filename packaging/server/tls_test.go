package server_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
)

// tlsProgram is a running program with a certificate from a test authority.
type tlsProgram struct {
	*servertest.Program
	t         *testing.T
	authority *servertest.Authority
	file      string // with certificate and key
}

// startWithTLS starts the program with a certificate for localhost.
func startWithTLS(t *testing.T, environ ...string) *tlsProgram {
	t.Helper()
	s := &tlsProgram{t: t, authority: servertest.NewAuthority(t), file: filepath.Join(t.TempDir(), "trento.pem")}
	s.installCertificate()
	s.Program = servertest.Start(t, t.TempDir(), nil, append(environ, "TLS_CERT_FILE="+s.file, "TLS_KEY_FILE="+s.file)...)
	s.HTTP = clientOf(t, s.authority.Roots)
	return s
}

// installCertificate issues a certificate and replaces the file.
func (s *tlsProgram) installCertificate() {
	s.t.Helper()
	cert, key := s.authority.Issue("localhost", time.Now().Add(-time.Hour), time.Now().AddDate(0, 0, 90))
	if err := os.WriteFile(s.file+".new", append(cert, key...), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.file+".new", s.file); err != nil {
		s.t.Fatal(err)
	}
}

// clientOf returns a client that trusts roots and uses HTTP/2, as browsers and
// agents do.
func clientOf(t *testing.T, roots *x509.CertPool) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// serial returns the serial number of the certificate that a new connection
// gets.
func (s *tlsProgram) serial() string {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.Address(), &tls.Config{RootCAs: s.authority.Roots, ServerName: "localhost"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// TestReplacedCertificate replaces the certificate while a browser listens for
// events and an agent is connected for messages. Both stay connected.
func TestReplacedCertificate(t *testing.T) {
	s := startWithTLS(t, "AMQP_PASSWORD=secret-of-agents", "HSTS_MAX_AGE=60")
	if !strings.HasPrefix(s.URL, "https://localhost:") {
		t.Fatalf("it is at %s", s.URL)
	}
	stream, err := s.Browser().Open("GET", "/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if stream.StatusCode != 200 || stream.ProtoMajor != 2 {
		t.Fatalf("the stream: %s, %s", stream.Proto, stream.Status)
	}
	if got := stream.Header.Get("Strict-Transport-Security"); got != "max-age=60" {
		t.Errorf("Strict-Transport-Security: %q", got)
	}
	agent, err := rabbitmq.DialTLS("amqps://trento:secret-of-agents@localhost:"+s.messagePort(amqpsPort), &tls.Config{RootCAs: s.authority.Roots})
	if err != nil {
		t.Fatal(err)
	}
	defer agent.Close()

	before := s.serial()
	s.installCertificate()
	servertest.Soon(t, "the new certificate is used", func() bool { return s.serial() != before })
	if _, err := agent.Channel(); err != nil {
		t.Errorf("the connection for messages: %v", err)
	}
	// The report of a new host is an event.
	s.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
	for events := bufio.NewScanner(stream.Body); events.Scan(); {
		if strings.Contains(events.Text(), servertest.AgentID(1)) {
			s.Stop(os.Interrupt)
			if log := s.Stderr.String(); strings.Contains(log, "cut off") || !strings.Contains(log, "a new TLS certificate is in use") {
				t.Errorf("log:\n%s", log)
			}
			return
		}
	}
	t.Error("the stream has ended")
}

var (
	amqpsPort = regexp.MustCompile(`messages: port (\d+) with TLS \(amqps\)`)
	amqpPort  = regexp.MustCompile(`, port (\d+) without`)
)

// messagePort returns a port that the start has printed; "" if it has not.
func (s *tlsProgram) messagePort(pattern *regexp.Regexp) string {
	for line := range s.Lines {
		if !strings.Contains(line, "messages:") {
			continue
		}
		if found := pattern.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		return ""
	}
	return ""
}

// TestRequestWithoutTLS checks the answer to a client that does not use TLS.
func TestRequestWithoutTLS(t *testing.T) {
	s := startWithTLS(t)
	answer, err := http.Get("http://" + s.Address() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); answer.StatusCode != 400 || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("%s, %v: %s", answer.Status, err, text)
	}
}

// TestSilentHandshakes checks that connections that never finish their TLS
// handshake do not prevent other clients from connecting.
func TestSilentHandshakes(t *testing.T) {
	s := startWithTLS(t, "MAX_CONNECTIONS_PER_ADDRESS=10")
	for range 60 {
		c, err := net.Dial("tcp", s.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte{22, 3, 1}); err != nil { // the beginning of a handshake
			continue // the server has closed it in favour of a later one
		}
	}
	s.Client().Must(200, "GET", "/api/readyz", nil, nil)
}

// TestRedirect sends reports and requests of browsers to the port without TLS.
func TestRedirect(t *testing.T) {
	port := servertest.FreePort(t)
	s := startWithTLS(t, "HTTP_REDIRECT_PORT="+port)
	key := s.Agent()
	_, httpsPort, _ := net.SplitHostPort(s.Address())
	s.URL = "http://localhost:" + port
	agent := s.Client("X-Trento-Apikey", key.Header("X-Trento-Apikey"))
	agent.Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)

	s.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := s.Client().Open("GET", "/hosts?health=critical", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if got, want := answer.Header.Get("Location"), "https://localhost:"+httpsPort+"/hosts?health=critical"; answer.StatusCode != 307 || got != want {
		t.Errorf("%s to %s, want %s", answer.Status, got, want)
	}
	status, text, err := s.Client("Authorization", "Bearer secret-token").Do("GET", "/api/v1/hosts", nil)
	if err != nil || status != 403 || !strings.Contains(string(text), "https://localhost:"+httpsPort) {
		t.Errorf("a token without encryption: %d, %v: %s", status, err, text)
	}
	s.Stop(os.Interrupt)
	if log := s.Stderr.String(); strings.Count(log, "change server-url") != 1 || strings.Contains(log, "secret-token") {
		t.Errorf("log:\n%s", log)
	}
}

// TestSelfSignedCertificate checks that the start prints the fingerprint, that
// the certificate is kept, and that agents which trust its file accept it.
func TestSelfSignedCertificate(t *testing.T) {
	dir := t.TempDir()
	fingerprint := regexp.MustCompile(`([0-9A-F]{2}:){31}[0-9A-F]{2}`)
	var first string
	for range 2 {
		p := servertest.Start(t, dir, nil, "TLS_SELF_SIGNED=true")
		text, err := os.ReadFile(filepath.Join(dir, "tls", "self-signed.crt"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		p.HTTP = clientOf(t, roots)
		p.Agent().Must(202, "POST", "/api/v1/collect", servertest.HostReport(servertest.AgentID(1), "vega01"), nil)
		p.Stop(os.Interrupt)
		var printed strings.Builder
		for line := range p.Lines {
			printed.WriteString(line)
		}
		found := fingerprint.FindString(printed.String())
		if found == "" || first != "" && found != first {
			t.Errorf("fingerprint %q, first %q, printed: %s", found, first, &printed)
		}
		first = found
		if log := p.Stderr.String(); strings.Contains(log, "PRIVATE") {
			t.Error("the key is in the log")
		}
	}
}

// TestSecureMessages connects to the message endpoint with TLS as an agent does.
// It is told when the server stops.
func TestSecureMessages(t *testing.T) {
	for _, plain := range []string{"true", "false"} {
		s := startWithTLS(t, "AMQP_PASSWORD=secret-of-agents", "ENABLE_PLAIN_AMQP="+plain)
		line := ""
		for line = range s.Lines {
			if strings.Contains(line, "messages:") {
				break
			}
		}
		port := amqpsPort.FindStringSubmatch(line)
		if port == nil || amqpPort.MatchString(line) != (plain == "true") {
			t.Fatalf("ENABLE_PLAIN_AMQP=%s: %s", plain, line)
		}
		address := "amqps://trento:secret-of-agents@localhost:" + port[1]
		if _, err := rabbitmq.DialTLS(address, &tls.Config{}); err == nil {
			t.Error("a certificate of an unknown authority is accepted")
		}
		c, err := rabbitmq.DialTLS(address, &tls.Config{RootCAs: s.authority.Roots})
		if err != nil {
			t.Fatal(err)
		}
		ended := c.NotifyClose(make(chan *rabbitmq.Error, 1))
		ch, err := c.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ch.QueueDeclare(message.Checks.Queue("3f7c2a10-8a55-5d0e-9c41-6d2b7f0e1a22"), true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if plain == "true" {
			other, err := rabbitmq.Dial("amqp://trento:secret-of-agents@localhost:" + amqpPort.FindStringSubmatch(line)[1])
			if err != nil {
				t.Error(err)
			} else {
				defer other.Close()
			}
		}
		s.Stop(os.Interrupt)
		if fault := <-ended; fault == nil || fault.Code != rabbitmq.ConnectionForced {
			t.Errorf("at the end the agent was told %v", fault)
		}
	}
}
