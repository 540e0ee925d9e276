package amqp

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/packaging/servertest"
	"trento/store/message"
)

// TestExternal sends to an agent and hears from it over RabbitMQ, loses the
// broker and finds it again.
func TestExternal(t *testing.T) {
	url := startRabbitMQ(t)
	var log syncBuffer
	bus := NewExternal(url, slog.New(slog.NewTextHandler(&log, nil)))
	answers := make(chan string, 10)
	failed := false
	bus.Subscribe(message.Checks, func(_ context.Context, m message.Envelope) error {
		if !failed {
			failed = true
			return errors.New("not now")
		}
		answers <- m.Agent()
		return nil
	})
	r := message.Request{Agent: ada, Content: request(ada, "1"), ExpiresAt: time.Now().Add(time.Minute), Durable: true}
	if _, err := bus.Send(t.Context(), r); err == nil || !strings.Contains(err.Error(), "AMQP_URL") {
		t.Errorf("before it is connected: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- bus.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "guest:guest") {
			t.Error("the password of the broker is in the log")
		}
	})
	send := func() (err error) {
		servertest.Soon(t, "the broker is reached", func() bool {
			_, err = bus.Send(t.Context(), r)
			return err == nil || !strings.Contains(err.Error(), "AMQP_URL")
		})
		return err
	}
	if err := send(); !errors.Is(err, message.ErrNoQueue) {
		t.Errorf("to an agent that never came: %v", err)
	}
	ch := openChannel(t, dial(t, url))
	deliveries, err := ch.Consume(declare(t, ch, message.Checks, ada), "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	other := openChannel(t, dial(t, url))
	declare(t, other, message.Checks, bob)
	if err := send(); err != nil {
		t.Fatal(err)
	}
	d := next(t, deliveries)
	if numberOf(t, d.Body) != "1" || d.DeliveryMode != rabbitmq.Persistent {
		t.Errorf("delivered %+v", d)
	}
	if _, found, err := other.Get(message.Checks.Queue(bob), true); found || err != nil {
		t.Errorf("another agent got it: %v, %v", found, err)
	}
	for _, body := range [][]byte{[]byte("garbage"), encode(t, answer(ada, "1"))} {
		if err := ch.Publish("trento.checks", "executions", true, false, rabbitmq.Publishing{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if agent := next(t, answers); agent != ada { // the second time
		t.Errorf("answer of %s", agent)
	}
	bus.mutex.Lock()
	bus.link.publisher.Close()
	bus.mutex.Unlock()
	if err := send(); err != nil {
		t.Errorf("after the connection was lost: %v", err)
	}
	next(t, deliveries)
	if !strings.Contains(log.String(), "cannot be read") {
		t.Error("nothing is logged of garbage")
	}
}
