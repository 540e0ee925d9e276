package amqp

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
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
				<-confirmation.Done() // the broker has put the message into the queue
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

// startRabbitMQ starts the server of the distribution, and returns its URL. A
// port that was free may be taken when the server gets to it, so it is tried
// with others then.
func startRabbitMQ(t *testing.T) string {
	t.Helper()
	const server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(server); err != nil {
		servertest.Need(t, "RabbitMQ is missing: install the package rabbitmq-server")
	}
	for try := 1; ; try++ {
		url, err := tryRabbitMQ(t, server)
		if err == nil {
			return url
		}
		if try == 3 {
			t.Fatal(err)
		}
		t.Log(err)
	}
}

// tryRabbitMQ starts the server. It fails if the server ends, or does not
// accept connections within two minutes.
func tryRabbitMQ(t *testing.T, server string) (url string, err error) {
	t.Helper()
	dir, port := t.TempDir(), servertest.FreePort(t)
	var log bytes.Buffer
	command := exec.Command(server)
	command.Env = append(os.Environ(),
		"HOME="+dir, "RABBITMQ_NODENAME=trento"+port+"@localhost", "RABBITMQ_NODE_PORT="+port, "RABBITMQ_DIST_PORT="+servertest.FreePort(t),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"), "RABBITMQ_LOGS=-", "RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(dir, "plugins"), "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "rabbitmq"),
		"ERL_CRASH_DUMP="+filepath.Join(dir, "crash"), "ERL_EPMD_PORT="+servertest.FreePort(t),
	)
	command.Stdout, command.Stderr = &log, &log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.WaitDelay = time.Second // a daemon that Erlang leaves behind keeps the output open
	if err := command.Start(); err != nil {
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	url = "amqp://guest:guest@127.0.0.1:" + port + "/"
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(2 * time.Minute); ; {
		if c, err := rabbitmq.Dial(url); err == nil {
			return url, c.Close()
		}
		select {
		case <-tick.C:
		case <-ended:
			return "", fmt.Errorf("RabbitMQ has ended:\n%s", log.String())
		case <-late:
			syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
			<-ended
			return "", fmt.Errorf("RabbitMQ accepts no connection:\n%s", log.String())
		}
	}
}
