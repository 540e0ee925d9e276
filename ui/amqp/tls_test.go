package amqp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
	"trento/store/storetest"
)

// serveTLS makes the endpoint serve a port with TLS as well, and returns the URL
// for clients that trust its certificate.
func serveTLS(t *testing.T, e *testBroker) string {
	t.Helper()
	authority := servertest.NewAuthority(t)
	cert, key := authority.Issue("localhost", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- e.Serve(ctx, l) }()
	stopPlain := e.stop
	e.stop = func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("the endpoint with TLS ended: %v", err)
		}
		served <- nil // stop can be called twice
		stopPlain()
	}
	t.Cleanup(e.stop)
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return "amqps://" + escape(e.user) + ":" + escape(e.password) + "@localhost:" + port + "/?" + url.Values{"cacertfile": {file}}.Encode()
}

// TestSuiteWithTLS checks that clients see the same with TLS as without.
func TestSuiteWithTLS(t *testing.T) {
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			var notes [2][]string
			for i, withTLS := range []bool{false, true} {
				e := newEndpoint(t)
				p := &peer{t: t, url: e.url(), agent: uuid.NewString()}
				if withTLS {
					p.url = serveTLS(t, e)
				}
				p.send = func(agent, number string) {
					t.Helper()
					_, err := e.Send(context.Background(), message.Request{Agent: agent, Content: request(agent, number), ExpiresAt: e.now().Add(time.Minute)})
					if err != nil && err != message.ErrNoQueue {
						t.Fatal(err)
					}
				}
				test.run(p)
				for _, note := range p.notes {
					notes[i] = append(notes[i], strings.ReplaceAll(note, p.agent, "AGENT"))
				}
			}
			if diff := cmp.Diff(notes[0], notes[1]); diff != "" {
				t.Errorf("without TLS (-) and with it (+) differ:\n%s", diff)
			}
		})
	}
}

// TestTLSMistakes checks that the list of refusals says what is wrong with an
// agent that cannot connect because of TLS.
func TestTLSMistakes(t *testing.T) {
	for _, tt := range []struct {
		name string
		dial func(t *testing.T, plain, withTLS string) error
		want string
	}{
		{"amqp to the port of amqps", func(t *testing.T, _, withTLS string) error {
			_, err := rabbitmq.Dial(strings.Replace(withTLS, "amqps:", "amqp:", 1))
			return err
		}, "does not use TLS on the port with TLS"},
		{"amqps to the port of amqp", func(t *testing.T, plain, _ string) error {
			_, err := rabbitmq.DialTLS(strings.Replace(plain, "amqp:", "amqps:", 1), &tls.Config{InsecureSkipVerify: true})
			return err
		}, "uses TLS on the port without TLS"},
		{"unknown authority", func(t *testing.T, _, withTLS string) error {
			address, _, _ := strings.Cut(withTLS, "?")
			_, err := rabbitmq.DialTLS(address, &tls.Config{RootCAs: servertest.NewAuthority(t).Roots})
			return err
		}, "may not trust the certificate"},
		{"other name", func(t *testing.T, _, withTLS string) error {
			_, err := rabbitmq.Dial(strings.Replace(withTLS, "@localhost:", "@127.0.0.1:", 1))
			return err
		}, "may not trust the certificate of this server, or use a name that is not in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log syncBuffer
			e := openEndpoint(t, storetest.Open(t), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			withTLS := serveTLS(t, e)
			if err := tt.dial(t, e.url(), withTLS); err == nil {
				t.Fatal("it is connected")
			}
			servertest.Soon(t, "it is refused", func() bool { return len(e.Refusals()) > 0 })
			e.stop() // what is logged is complete
			if got := e.Refusals(); len(got) != 1 || !strings.Contains(got[0].Reason, tt.want) {
				t.Errorf("refusals %+v, want %q", got, tt.want)
			}
			if !strings.Contains(log.String(), tt.want) {
				t.Errorf("log:\n%s", log.String())
			}
		})
	}
}
