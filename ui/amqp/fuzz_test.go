package amqp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"trento/packaging/servertest"
	"trento/store/message"
	"trento/store/storetest"
)

// FuzzFrames: whatever the bytes, reading frames and their parts ends, takes no
// more memory than there are bytes, and what is read can be written again.
func FuzzFrames(f *testing.F) {
	f.Add(startOK("user", "password", table{"basic.nack": true}))
	f.Add(tuneOK(2047, 131072, 10))
	f.Add(appendContent(nil, 1, contentProperties{contentType: message.ContentType, persistent: true}, []byte("body"), 4096))
	f.Add(header(1, 1<<40))
	f.Add([]byte{frameMethod, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, input []byte) {
		reader := frameReader{source: bufio.NewReader(bytes.NewReader(input)), max: 4096}
		for {
			frame, err := reader.next()
			if err != nil {
				if errors.Is(err, io.EOF) && reader.source.Buffered() != 0 {
					t.Error("the end was seen before the end")
				}
				return
			}
			again := endFrame(append(beginFrame(nil, frame.kind, frame.channel), frame.payload...), 0)
			if !bytes.Contains(input, again) {
				t.Errorf("%x was read, which is not there", again)
			}
			readContentHeader(frame.payload)
			d := decoder{rest: frame.payload}
			d.table()
			d.checkEnd()
		}
	})
}

// FuzzConnection: whatever an agent with the credential sends on an open
// connection, the connection ends in order, nothing is left of it, and nothing
// of other agents was touched.
func FuzzConnection(f *testing.F) {
	steps := func(kind message.Kind, agent string) (out []byte) {
		out = openChannelNumber(1)
		for _, s := range consumerSteps(1, kind, agent, "tag") {
			out = appendMethod(out, 1, s.send, s.arguments)
		}
		return out
	}
	f.Add(steps(message.Checks, ada))
	f.Add(steps(message.Checks, bob))
	f.Add(append(steps(message.Checks, ada), method(1, basicAck, 0, 0, 0, 0, 0, 0, 0, 1, 0)...))
	f.Add(append(steps(message.Checks, ada), method(1, basicNack, 0, 0, 0, 0, 0, 0, 0, 0, 3)...))
	f.Add(append(steps(message.Checks, ada), method(1, basicRecover, 1)...))
	f.Add(append(steps(message.Checks, ada), method(1, queueDelete, 0, 0, 0, 0)...))
	f.Add(append(steps(message.Checks, ada), method(1, basicCancel, 3, 't', 'a', 'g', 0)...))
	f.Add(append(append(append(openChannelNumber(1), publish(1, "trento.checks", "executions")...), header(1, 4)...), body(1, "body")...))
	f.Add(append(openChannelNumber(1), method(1, channelClose, 0, 200, 0, 0, 0, 0, 0)...))
	f.Add(append(steps(message.Checks, ada), method(1, basicGet, 0, 0, 0, 0)...))
	s := storetest.Open(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		b := &Broker{
			options: Options{Store: s}, now: time.Now, log: discard,
			queues: map[string]*queue{}, connections: map[*connection]struct{}{}, settledSequences: map[string][]uint64{}, wakeUp: make(chan struct{}, 1),
		}
		b.connectionLimiter.init()
		b.queues[message.Checks.Queue(bob)] = &queue{name: message.Checks.Queue(bob), kind: message.Checks, agent: bob, keys: []string{"agents"}}
		b.queues[message.Checks.Queue(ada)] = &queue{name: message.Checks.Queue(ada), kind: message.Checks, agent: ada, keys: []string{"agents"}}
		for _, agent := range []string{ada, ada, bob} {
			if _, err := b.Send(context.Background(), message.Request{Agent: agent, Content: request(agent, "1"), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		ours, theirs := net.Pipe()
		go io.Copy(io.Discard, theirs)
		go func() {
			theirs.Write(input)
			theirs.Close()
		}()
		c := b.newConnection(ours)
		c.agent, c.channelMax, c.frameMax, c.frames.max = ada, channelMax, frameMax, frameMax
		b.addConnection(c)
		err := c.readFrames(context.Background())
		b.removeConnection(c)
		c.closeSilently()
		if err == nil && len(input) == 0 {
			t.Error("closed in order by nobody")
		}
		foreign := b.queues[message.Checks.Queue(bob)]
		if foreign == nil || len(foreign.waiting) != 1 || len(foreign.consumers) != 0 || foreign.waiting[0].redelivered {
			t.Errorf("the queue of another agent is %+v", foreign)
		}
		bytes := 0
		for _, q := range b.queues {
			if len(q.consumers) != 0 {
				t.Errorf("%s has consumers", q.name)
			}
			sum := 0
			for i, m := range q.waiting {
				sum += len(m.body)
				if i > 0 && m.order <= q.waiting[i-1].order {
					t.Errorf("%s is out of order", q.name)
				}
			}
			if sum != q.bytes {
				t.Errorf("%s counts %d bytes, but has %d", q.name, q.bytes, sum)
			}
			bytes += sum
		}
		if bytes != b.totalBytes || b.unfinishedBytes != 0 {
			t.Errorf("%d bytes are counted, %d are there; %d of unfinished messages are left", b.totalBytes, bytes, b.unfinishedBytes)
		}
		for _, ch := range c.channels {
			if len(ch.unacked) != 0 || ch.consumerUnacked != 0 || len(ch.consumers) != 0 {
				t.Errorf("channel %d is left with %d messages, %d of consumers", ch.number, len(ch.unacked), ch.consumerUnacked)
			}
		}
	})
}

// TestNoGoroutineIsLeft: connections of all kinds leave nothing behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	e := newEndpoint(t)
	servertest.Soon(t, "started", func() bool { return runtime.NumGoroutine() > 0 })
	before := runtime.NumGoroutine()
	for range 20 {
		c := dial(t, e.url())
		ch := openChannel(t, c)
		if _, err := ch.Consume(declare(t, ch, message.Checks, ada), "", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		c.net.Close()
		c.Close()
		dialRaw(t, e.address).net.Close()
		c = dial(t, e.url())
		c.Close()
	}
	servertest.Soon(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}
