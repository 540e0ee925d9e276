package amqp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"
	"time"
)

// raw is a client that sends whatever bytes it likes.
type raw struct {
	t      *testing.T
	net    net.Conn
	frames frameReader
}

func dialRaw(t *testing.T, address string) *raw {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &raw{t: t, net: c, frames: frameReader{source: bufio.NewReader(c), max: 1 << 20}}
}

func (r *raw) write(bytes ...[]byte) {
	r.t.Helper()
	for _, b := range bytes {
		if _, err := r.net.Write(b); err != nil {
			r.t.Fatal(err)
		}
	}
}

// expect reads a method that has to come next.
func (r *raw) expect(id methodID) *decoder {
	r.t.Helper()
	for {
		f, err := r.frames.next()
		if err != nil {
			r.t.Fatalf("instead of %d.%d: %v", id.class(), id.number(), err)
		}
		if f.kind == frameHeartbeat {
			continue
		}
		got, d := methodOf(f)
		if got != id {
			r.t.Fatalf("%d.%d instead of %d.%d", got.class(), got.number(), id.class(), id.number())
		}
		return d
	}
}

// startOK is the method with which a client names itself.
func startOK(user, password string, capabilities table) []byte {
	return appendMethod(nil, 0, connectionStartOK, func(b []byte) []byte {
		b = appendTable(b, table{"product": "AMQP 0.9.1 Client", "version": "1.12.0", "platform": "golang", "capabilities": capabilities})
		b = appendLongText(appendShortText(b, "PLAIN"), "\x00"+user+"\x00"+password)
		return appendShortText(b, "en_US")
	})
}

func tuneOK(channels uint16, frames uint32, heartbeat uint16) []byte {
	return appendMethod(nil, 0, connectionTuneOK, func(b []byte) []byte {
		return appendUint16(appendUint32(appendUint16(b, channels), frames), heartbeat)
	})
}

func openVirtualHost(name string) []byte {
	return appendMethod(nil, 0, connectionOpen, func(b []byte) []byte { return append(appendShortText(b, name), 0, 0) })
}

func openChannelNumber(number uint16) []byte {
	return appendMethod(nil, number, channelOpen, func(b []byte) []byte { return append(b, 0) })
}

func publish(channel uint16, exchange, key string) []byte {
	return appendMethod(nil, channel, basicPublish, func(b []byte) []byte {
		return append(appendShortText(appendShortText(append(b, 0, 0), exchange), key), 0)
	})
}

func header(channel uint16, size uint64) []byte {
	b := beginFrame(nil, frameHeader, channel)
	b = append(appendUint64(append(b, 0, classBasic, 0, 0), size), 0, 0)
	return endFrame(b, 0)
}

func body(channel uint16, bytes string) []byte {
	return endFrame(append(beginFrame(nil, frameBody, channel), bytes...), 0)
}

func method(channel uint16, id methodID, arguments ...byte) []byte {
	return appendMethod(nil, channel, id, func(b []byte) []byte { return append(b, arguments...) })
}

// open does the handshake.
func (r *raw) open(user, password string) {
	r.t.Helper()
	r.write([]byte(protocolHeader))
	r.expect(connectionStart)
	r.write(startOK(user, password, nil))
	r.expect(connectionTune)
	r.write(tuneOK(2047, 131072, 10), openVirtualHost("/"))
	r.expect(connectionOpenOK)
}

// answers reads methods until the connection or a channel is closed, and
// describes how.
func (r *raw) answers() string {
	for {
		f, err := r.frames.next()
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return "the connection ended"
		case err != nil:
			if opErr, ok := err.(*net.OpError); ok && !opErr.Timeout() {
				return "the connection ended"
			}
			return err.Error()
		}
		switch id, d := methodOf(f); id {
		case connectionClose:
			return fmt.Sprintf("connection closed with %d", d.uint16())
		case channelClose:
			return fmt.Sprintf("channel %d closed with %d", f.channel, d.uint16())
		case connectionCloseOK:
			return "nothing"
		}
	}
}

// compareBytes sends the same bytes to RabbitMQ and to ours, and compares how
// each ends the channel or the connection.
func compareBytes(t *testing.T, theirs string) {
	e := newEndpoint(t)
	parsed, err := url.Parse(theirs)
	if err != nil {
		t.Fatal(err)
	}
	goodbye := method(0, connectionClose, 0, 200, 0, 0, 0, 0, 0)
	for _, test := range []struct {
		name string
		send [][]byte // once the connection is open
		// ours is what ours does where RabbitMQ does something else that helps
		// nobody: it breaks off without a word, or takes what nobody means.
		ours string
	}{
		{name: "a method on a channel that is not open", send: [][]byte{method(1, basicQos, 0, 0, 0, 0, 0, 1, 0)}},
		{name: "a channel opened twice", send: [][]byte{openChannelNumber(1), openChannelNumber(1)}},
		{name: "an unknown method", send: [][]byte{openChannelNumber(1), method(1, 60<<16|99)}, ours: "connection closed with 540"},
		{name: "an unknown class", send: [][]byte{openChannelNumber(1), method(1, 77<<16|10)}, ours: "connection closed with 540"},
		{name: "arguments that are too short", send: [][]byte{openChannelNumber(1), method(1, basicQos, 0)}},
		{name: "a header without a method", send: [][]byte{openChannelNumber(1), header(1, 5)}},
		{name: "a body without a header", send: [][]byte{openChannelNumber(1), publish(1, "trento.checks", "executions"), body(1, "x")}},
		{name: "a method inside a message", send: [][]byte{openChannelNumber(1), publish(1, "trento.checks", "executions"), method(1, basicQos, 0, 0, 0, 0, 0, 1, 0)}},
		{name: "a frame that does not end", send: [][]byte{{frameMethod, 0, 1, 0, 0, 0, 1, 0, 0}}},
		{name: "a frame that is too large", send: [][]byte{{frameMethod, 0, 1, 0xff, 0xff, 0xff, 0xff}}},
		{name: "a frame of an unknown type", send: [][]byte{{7, 0, 0, 0, 0, 0, 0, frameEnd}}},
		{name: "a handshake method on an open connection", send: [][]byte{method(0, connectionStartOK)}, ours: "connection closed with 540"},
		{name: "a channel above those agreed on", send: [][]byte{openChannelNumber(2048)}, ours: "connection closed with 530"},
		{name: "a message that is too large", send: [][]byte{openChannelNumber(1), publish(1, "trento.checks", "executions"), header(1, 1<<40)}, ours: "channel 1 closed with 406"},
		{name: "heartbeats at once", send: [][]byte{heartbeat, heartbeat}},
		{name: "an acknowledgement of nothing", send: [][]byte{openChannelNumber(1), method(1, basicAck, 0, 0, 0, 0, 0, 0, 0, 9, 0)}},
		// RabbitMQ confirms it too, or closes the connection, depending on whether
		// its process of the channel has ended.
		{name: "a channel closed twice", send: [][]byte{openChannelNumber(1), method(1, channelClose, 0, 200, 0, 0, 0, 0, 0), method(1, channelClose, 0, 200, 0, 0, 0, 0, 0)}, ours: "nothing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play := func(address, user, password string) string {
				r := dialRaw(t, address)
				r.open(user, password)
				for _, b := range append(test.send, goodbye) {
					r.net.Write(b) // the other side may be gone already
				}
				return r.answers()
			}
			want := test.ours
			if want == "" {
				password, _ := parsed.User.Password()
				want = play(parsed.Host, parsed.User.Username(), password)
			}
			if got := play(e.address, e.user, e.password); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	t.Run("opening", func(t *testing.T) {
		for _, test := range []struct {
			name string
			tune []byte
			host string
		}{
			{"no channel limit", tuneOK(0, 131072, 10), "/"},
			{"more channels than offered", tuneOK(4000, 131072, 10), "/"},
			{"small frames", tuneOK(10, 4095, 10), "/"},
			{"no frame limit", tuneOK(10, 0, 10), "/"},
			{"larger frames than offered", tuneOK(10, 131073, 10), "/"},
			{"a virtual host that is not there", tuneOK(10, 4096, 10), "nowhere"},
		} {
			r := dialRaw(t, e.address)
			r.write([]byte(protocolHeader))
			r.expect(connectionStart)
			r.write(startOK(e.user, e.password, nil))
			r.expect(connectionTune)
			r.write(append(test.tune, openVirtualHost(test.host)...))
			// RabbitMQ says so of the virtual host only, and else breaks off.
			if got := r.answers(); got != "connection closed with 530" {
				t.Errorf("%s: %s", test.name, got)
			}
		}
	})
	t.Run("another protocol", func(t *testing.T) {
		for _, address := range []string{parsed.Host, e.address} {
			r := dialRaw(t, address)
			r.write([]byte("GET / HT"))
			if got, err := io.ReadAll(r.net); string(got) != protocolHeader { // RabbitMQ resets the connection
				t.Errorf("%s answers %q, %v", address, got, err)
			}
		}
	})
	t.Run("a wrong password", func(t *testing.T) {
		for _, capability := range []bool{true, false} {
			play := func(address string) string {
				r := dialRaw(t, address)
				r.write([]byte(protocolHeader))
				r.expect(connectionStart)
				r.write(startOK("guest", "wrong", table{"authentication_failure_close": capability}))
				return r.answers()
			}
			if want, got := play(parsed.Host), play(e.address); got != want {
				t.Errorf("told of it %v: RabbitMQ: %s; ours: %s", capability, want, got)
			}
		}
	})
}
