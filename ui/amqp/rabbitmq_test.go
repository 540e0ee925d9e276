package amqp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/message"
)

// TestLikeRabbitMQ runs the suite against RabbitMQ and against ours: whatever a
// client can see of a case must be the same.
func TestLikeRabbitMQ(t *testing.T) {
	theirs := startRabbitMQ(t)
	publisher := dial(t, theirs)
	t.Run("bytes", func(t *testing.T) { compareBytes(t, theirs) })
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			agent := uuid.NewString()
			ch := openChannel(t, publisher)
			if err := ch.Confirm(false); err != nil {
				t.Fatal(err)
			}
			send := func(agent, number string) {
				t.Helper()
				confirmation, err := ch.PublishWithDeferredConfirm("trento.checks", message.RequestKey, false, false, rabbitmq.Publishing{
					ContentType: message.ContentType, Body: encode(t, request(agent, number)),
				})
				if err != nil {
					t.Fatal(err)
				}
				<-confirmation.Done() // it is in the queue
			}
			want := &peer{t: t, url: theirs, send: send, agent: agent}
			test.run(want)
			// Every queue that is bound gets what is sent after it.
			if _, err := openChannel(t, publisher).QueueDelete(message.Checks.Queue(agent), false, false, false); err != nil {
				t.Fatal(err)
			}

			e := newEndpoint(t)
			send = func(agent, number string) {
				t.Helper()
				_, err := e.Send(context.Background(), message.Request{Agent: agent, Content: request(agent, number), ExpiresAt: e.now().Add(time.Minute)})
				if err != nil && err != message.ErrNoQueue { // nothing is bound
					t.Fatal(err)
				}
			}
			got := &peer{t: t, url: e.url(), send: send, agent: agent}
			test.run(got)
			if diff := cmp.Diff(want.notes, got.notes); diff != "" {
				t.Errorf("RabbitMQ (-) and ours (+) differ:\n%s", diff)
			}
		})
	}
}

// startRabbitMQ starts the server of the distribution, and returns its URL.
func startRabbitMQ(t *testing.T) string {
	t.Helper()
	const server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(server); err != nil {
		need(t, "RabbitMQ is missing: install the package rabbitmq-server")
	}
	dir, port, distribution := t.TempDir(), freePort(t), freePort(t)
	var log bytes.Buffer
	command := exec.Command(server)
	command.Env = append(os.Environ(),
		"HOME="+dir, "RABBITMQ_NODENAME="+fmt.Sprintf("trento%d@localhost", port), fmt.Sprintf("RABBITMQ_NODE_PORT=%d", port), fmt.Sprintf("RABBITMQ_DIST_PORT=%d", distribution),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"), "RABBITMQ_LOGS=-", "RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(dir, "plugins"), "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "rabbitmq"),
		fmt.Sprintf("ERL_EPMD_PORT=%d", freePort(t)),
	)
	command.Stdout, command.Stderr = &log, &log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		command.Wait()
	})
	url := fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", port)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(2 * time.Minute); ; {
		if c, err := rabbitmq.Dial(url); err == nil {
			c.Close()
			return url
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("RabbitMQ does not start:\n%s", log.String())
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// need ends a test for which something is not installed: it fails where
// everything has to be there.
func need(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}
