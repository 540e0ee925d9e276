package amqp

import (
	"bufio"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	handshakeTimeout = 10 * time.Second // from the first byte to connection.open
	writeTimeout     = 30 * time.Second // for one write; if it takes longer, the connection is closed
	closeTimeout     = 3 * time.Second  // for the confirmation of a close

	frameMax       = 128 << 10 // in bytes; RabbitMQ offers the same
	channelMax     = 2047
	heartbeatOffer = 60 * time.Second // agents answer with 10 seconds

	// maxUnsent is how many bytes may wait to be sent on a connection before it
	// gets no more deliveries and its next frame is not read.
	maxUnsent = 256 << 10
	// readBuffer is the size of the read buffer. It is small, because thousands
	// of connections are idle most of the time. Larger reads bypass the buffer.
	readBuffer = 1 << 10
)

// connection is one connection of an agent.
type connection struct {
	broker  *Broker
	net     net.Conn
	address netip.Addr
	since   time.Time
	frames  frameReader
	// channels are used by the goroutine that reads, and under the lock of the
	// broker when the connection ends.
	channels map[uint16]*channel

	// The peer and this server agree on the fields below in the handshake.
	frameMax   int
	channelMax uint16
	heartbeat  time.Duration // 0: none
	client     Client
	// generation is the generation of the credential that the peer signed in
	// with.
	generation uint64

	// The lock of the broker protects the fields below.
	agent            string         // the id of the agent that the connection belongs to; "" until it has declared a queue
	countedNetwork   *clientNetwork // where it is counted; nil if it is not counted any more
	handshakeElement *list.Element  // place in remote.handshakeElement; nil when the handshake is done
	ended            bool           // no deliveries go to the connection any more
	generatedTags    int            // number of consumer tags that were generated for it

	lastRead, lastSent atomic.Int64 // microseconds since 1970

	unsentBytes atomic.Int64
	outMutex    sync.Mutex
	outputSent  sync.Cond // uses outMutex; signals that something was sent or that the connection is broken
	output      []byte
	sending     bool
	broken      bool
	reason      error // why another goroutine ended the connection; nil if none did
}

// Client describes the program of the peer, as it says in the handshake.
type Client struct {
	Product, Version, Platform string
	// closesOnRefusal says that the program wants to be told if its credential
	// was refused.
	closesOnRefusal bool
}

// errPeerSilent ends a connection whose peer has sent nothing for too long. The peer
// is not told.
var errPeerSilent = errors.New("nothing was heard from the agent for two heartbeats")

func (b *Broker) newConnection(accepted net.Conn) *connection {
	c := &connection{
		broker: b, net: accepted, since: b.now(), channels: map[uint16]*channel{},
		frames:   frameReader{source: bufio.NewReaderSize(accepted, readBuffer), max: minFrameMax},
		frameMax: minFrameMax,
	}
	if tcp, err := netip.ParseAddrPort(accepted.RemoteAddr().String()); err == nil {
		c.address = tcp.Addr().Unmap()
	}
	c.outputSent.L = &c.outMutex
	c.lastRead.Store(c.since.UnixMicro())
	c.lastSent.Store(c.since.UnixMicro())
	return c
}

// serve serves the connection until it ends, and returns why it ended: nil if
// the peer closed it as AMQP demands.
func (c *connection) serve(ctx context.Context) error {
	defer c.net.Close()
	c.net.SetDeadline(time.Now().Add(handshakeTimeout))
	err := c.handshake(ctx)
	if err == nil {
		c.broker.addConnection(c)
		c.net.SetDeadline(time.Time{})
		if err = c.endReason(); err == nil { // another goroutine may have ended it before the deadline was removed
			err = c.readFrames(ctx)
		}
		c.broker.removeConnection(c)
	}
	if reason := c.endReason(); reason != nil {
		err = reason
	}
	if fault := (*protocolFault)(nil); errors.As(err, &fault) {
		c.close(fault)
	} else {
		c.waitUntilSent(0, closeTimeout)
	}
	c.closeSilently()
	return err
}

// end ends the connection from another goroutine. If the reason is a *protocolFault,
// the peer is told.
func (c *connection) end(reason error) {
	c.outMutex.Lock()
	if c.reason == nil {
		c.reason = reason
	}
	c.outMutex.Unlock()
	c.net.SetReadDeadline(time.Unix(1, 0))
}

// endReason returns why another goroutine ended the connection; nil if none
// did.
func (c *connection) endReason() error {
	c.outMutex.Lock()
	defer c.outMutex.Unlock()
	return c.reason
}

// close tells the peer why the connection ends, and waits a little for its
// confirmation.
func (c *connection) close(fault *protocolFault) {
	c.send(0, connectionClose, closeArguments(fault))
	c.waitUntilSent(0, closeTimeout)
	c.net.SetDeadline(time.Now().Add(closeTimeout))
	for {
		f, err := c.frames.next()
		if err != nil {
			return
		}
		if id, d := methodOf(f); d != nil && (id == connectionCloseOK || id == connectionClose) {
			if id == connectionClose {
				c.send(0, connectionCloseOK, nil)
				c.waitUntilSent(0, closeTimeout)
			}
			return
		}
	}
}

func closeArguments(fault *protocolFault) func([]byte) []byte {
	return func(b []byte) []byte {
		b = appendUint16(b, fault.code)
		text := fault.text
		if name := replyNames[fault.code]; name != "" {
			text = fault.Error()
		}
		b = appendShortText(b, text)
		return appendUint16(appendUint16(b, fault.method.class()), fault.method.number())
	}
}

// methodOf returns the method of a frame and a decoder of its arguments. The
// decoder is nil if the frame has no method.
func methodOf(f frame) (methodID, *decoder) {
	if f.kind != frameMethod {
		return 0, nil
	}
	d := &decoder{rest: f.payload}
	id := methodID(d.uint32())
	if d.err != nil {
		return 0, nil
	}
	return id, d
}

// handshake does all steps until the connection is open.
func (c *connection) handshake(ctx context.Context) error {
	var header [len(protocolHeader)]byte
	if _, err := io.ReadFull(c.frames.source, header[:]); err != nil {
		return err
	}
	if header[0] == tlsHandshake {
		return errUnexpectedTLS
	}
	if string(header[:]) != protocolHeader {
		c.appendOutput(func(b []byte) []byte { return append(b, protocolHeader...) })
		return fmt.Errorf("the client does not speak AMQP 0-9-1: it began with %q", header)
	}
	c.send(0, connectionStart, c.broker.startArguments)
	if err := c.readStartOK(ctx); err != nil {
		return err
	}
	c.send(0, connectionTune, func(b []byte) []byte {
		b = appendUint32(appendUint16(b, channelMax), frameMax)
		return appendUint16(b, uint16(heartbeatOffer/time.Second))
	})
	if err := c.readTuneOK(); err != nil {
		return err
	}
	d, err := c.expectMethod(connectionOpen)
	if err != nil {
		return err
	}
	virtualHost := d.shortText()
	d.shortText() // reserved
	d.bit()       // reserved
	if err := d.checkEnd(); err != nil {
		return syntaxFault(connectionOpen, err)
	}
	if !c.broker.servesVirtualHost(virtualHost) {
		c.broker.refuse(c, fmt.Sprintf("virtual host %q is not served here; AMQP_VHOST allows another one", virtualHost))
		return &protocolFault{code: notAllowed, text: fmt.Sprintf("vhost %.100s not found", virtualHost), method: connectionOpen}
	}
	c.send(0, connectionOpenOK, func(b []byte) []byte { return appendShortText(b, "") })
	return nil
}

// readStartOK reads who the peer is and what it can do.
func (c *connection) readStartOK(ctx context.Context) error {
	d, err := c.expectMethod(connectionStartOK)
	if err != nil {
		return err
	}
	properties, mechanism, response := d.table(), d.shortText(), d.longText()
	d.shortText() // locale
	if err := d.checkEnd(); err != nil {
		return syntaxFault(connectionStartOK, err)
	}
	text := func(key string) string {
		value, _ := properties[key].(string)
		return value[:min(len(value), 100)]
	}
	c.client = Client{Product: text("product"), Version: text("version"), Platform: text("platform")}
	if capabilities, ok := properties["capabilities"].(table); ok {
		c.client.closesOnRefusal, _ = capabilities["authentication_failure_close"].(bool)
	}
	if mechanism != "PLAIN" {
		c.broker.refuse(c, fmt.Sprintf("sign-in by the mechanism %q, which is not offered", mechanism[:min(len(mechanism), 50)]))
		return &protocolFault{code: commandInvalid, text: "unknown authentication mechanism", method: connectionStartOK}
	}
	_, credential, _ := strings.Cut(response, "\x00") // the part before the zero byte is an identity to act for
	user, password, _ := strings.Cut(credential, "\x00")
	return c.authenticate(ctx, user, password)
}

// readTuneOK reads the limits that the peer wants.
func (c *connection) readTuneOK() error {
	d, err := c.expectMethod(connectionTuneOK)
	if err != nil {
		return err
	}
	channels, frames, seconds := d.uint16(), d.uint32(), d.uint16()
	if err := d.checkEnd(); err != nil {
		return syntaxFault(connectionTuneOK, err)
	}
	fault := &protocolFault{code: notAllowed, method: connectionTuneOK}
	switch {
	case channels == 0 || channels > channelMax:
		fault.text = fmt.Sprintf("negotiated channel_max = %d is higher than the maximum allowed value (%d)", channels, channelMax)
	case frames != 0 && frames < minFrameMax:
		fault.text = fmt.Sprintf("negotiated frame_max = %d is lower than the minimum allowed value (%d)", frames, minFrameMax)
	case frames == 0 || frames > frameMax:
		fault.text = fmt.Sprintf("negotiated frame_max = %d is higher than the maximum allowed value (%d)", frames, frameMax)
	default:
		c.channelMax, c.frameMax, c.frames.max = channels, int(frames), int(frames)
		c.heartbeat = time.Duration(seconds) * time.Second
		return nil
	}
	return fault
}

func syntaxFault(id methodID, err error) *protocolFault {
	return &protocolFault{code: frameError, text: err.Error(), method: id}
}

// expectMethod reads the next method of the connection, and fails if it is another
// one. Heartbeats before it are skipped.
func (c *connection) expectMethod(id methodID) (*decoder, error) {
	for {
		f, err := c.frames.next()
		if err != nil {
			return nil, err
		}
		if f.kind == frameHeartbeat {
			continue
		}
		got, d := methodOf(f)
		switch {
		case d == nil || f.channel != 0:
			return nil, connectionFault(unexpectedFrame, "a method of the connection was expected")
		case got == connectionClose:
			c.send(0, connectionCloseOK, nil)
			return nil, errors.New("closed by the client before it was open")
		case got != id:
			return nil, &protocolFault{code: commandInvalid, text: "this is not the next step of opening a connection", method: got}
		}
		return d, nil
	}
}

// readFrames handles frames, in order, until the connection ends.
func (c *connection) readFrames(ctx context.Context) error {
	for {
		if !c.waitUntilSent(maxUnsent, writeTimeout) {
			return os.ErrDeadlineExceeded
		}
		f, err := c.frames.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.ErrUnexpectedEOF):
			return err
		case err != nil:
			if opErr := (*net.OpError)(nil); errors.As(err, &opErr) {
				return err
			}
			return connectionFault(frameError, "%s", err)
		}
		c.lastRead.Store(c.broker.now().UnixMicro())
		switch {
		case f.kind == frameHeartbeat:
			if f.channel != 0 {
				return connectionFault(frameError, "a heartbeat on channel %d", f.channel)
			}
		case f.channel == 0:
			done, err := c.handleConnectionMethod(f)
			if done || err != nil {
				return err
			}
		default:
			if err := c.handleChannelFrame(ctx, f); err != nil {
				return err
			}
		}
	}
}

// handleConnectionMethod handles a frame on channel 0. It reports whether the peer
// has closed the connection.
func (c *connection) handleConnectionMethod(f frame) (done bool, err error) {
	id, d := methodOf(f)
	switch {
	case d == nil:
		return false, connectionFault(unexpectedFrame, "only methods of the connection belong on channel 0")
	case id == connectionClose:
		d.uint16()
		d.shortText()
		d.uint32()
		if err := d.checkEnd(); err != nil {
			return false, syntaxFault(id, err)
		}
		c.send(0, connectionCloseOK, nil)
		return true, nil
	case id == connectionBlocked, id == connectionUnblocked:
		return false, nil // these methods are meant for clients that limit their publishing; this server does not
	}
	return false, &protocolFault{code: notImplemented, text: fmt.Sprintf("method %d.%d on channel 0", id.class(), id.number()), method: id}
}

// send sends a method. arguments may be nil.
func (c *connection) send(channel uint16, id methodID, arguments func([]byte) []byte) {
	c.appendOutput(func(b []byte) []byte { return appendMethod(b, channel, id, arguments) })
}

// appendOutput appends to the output. It never waits for the network. A goroutine
// sends the output, and ends when all is sent, so an idle connection has no
// such goroutine.
func (c *connection) appendOutput(build func([]byte) []byte) {
	c.outMutex.Lock()
	defer c.outMutex.Unlock()
	if c.broken {
		return
	}
	before := len(c.output)
	c.output = build(c.output)
	c.unsentBytes.Add(int64(len(c.output) - before))
	if !c.sending {
		c.sending = true
		go c.sendOut()
	}
}

// sendOut sends until nothing is left.
func (c *connection) sendOut() {
	c.outMutex.Lock()
	for len(c.output) > 0 && !c.broken {
		b := c.output
		c.output = nil
		c.outMutex.Unlock()
		c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err := c.net.Write(b)
		c.lastSent.Store(c.broker.now().UnixMicro())
		paused := c.isPaused()
		c.unsentBytes.Add(int64(-len(b)))
		if err != nil {
			c.closeSilently()
		} else if paused && !c.isPaused() {
			c.broker.resume(c)
		}
		c.outMutex.Lock()
		c.outputSent.Broadcast()
	}
	c.sending = false
	c.outMutex.Unlock()
}

// isPaused reports whether the connection gets no deliveries because its peer
// does not read what was sent.
func (c *connection) isPaused() bool { return c.unsentBytes.Load() > maxUnsent }

// waitUntilSent waits until at most as many bytes as given are unsent. It reports
// false if that takes longer than patience.
func (c *connection) waitUntilSent(most int64, patience time.Duration) bool {
	if c.unsentBytes.Load() <= most {
		return true
	}
	timeout := time.AfterFunc(patience, c.closeSilently)
	defer timeout.Stop()
	c.outMutex.Lock()
	defer c.outMutex.Unlock()
	for c.unsentBytes.Load() > most && !c.broken {
		c.outputSent.Wait()
	}
	return !c.broken
}

// closeSilently closes the connection without telling the peer.
func (c *connection) closeSilently() {
	c.outMutex.Lock()
	c.broken = true
	c.output = nil
	c.outputSent.Broadcast()
	c.outMutex.Unlock()
	c.net.Close()
}
