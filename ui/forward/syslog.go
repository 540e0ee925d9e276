package forward

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"trento/store/activity"
	"trento/ui/stream"
)

// Syslog sends entries to a syslog server. The syslog protocol has no
// acknowledgements, so Send waits until the operating system of the receiver
// has acknowledged all bytes (TCP). Entries that the receiver loses after that
// are lost.
type Syslog struct {
	address  *url.URL
	tls      TLS
	facility int
	version  string // of this server
	hostname string

	mu         sync.Mutex
	connection *syslogConnection // nil: none is open
}

// NewSyslog returns the syslog server at an address, which consists of a scheme
// (tls or tcp), host and port. facility is a number of RFC 5424.
func NewSyslog(address *url.URL, security TLS, facility int, version string) *Syslog {
	hostname, _ := os.Hostname()
	return &Syslog{address: address, tls: security, facility: facility, version: version, hostname: hostname}
}

// Address returns the address for users.
func (s *Syslog) Address() string { return s.address.String() }

// Send sends entries, oldest first, over a connection that stays open.
func (s *Syslog) Send(ctx context.Context, entries []*activity.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	var frames bytes.Buffer
	for _, e := range entries {
		message, err := s.message(e)
		if err != nil {
			return err
		}
		// Each message is preceded by its length (octet counting, RFC 5425 and
		// RFC 6587).
		fmt.Fprintf(&frames, "%d ", len(message))
		frames.Write(message)
	}
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := c.send(ctx, frames.Bytes()); err != nil {
		s.disconnect()
		return err
	}
	return nil
}

// Close closes the connection.
func (s *Syslog) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disconnect()
}

func (s *Syslog) disconnect() {
	if s.connection != nil {
		_ = s.connection.Close()
		s.connection = nil
	}
}

// connect returns the open connection, or opens one.
func (s *Syslog) connect(ctx context.Context) (*syslogConnection, error) {
	if s.connection != nil && s.connection.isOpen() {
		return s.connection, nil
	}
	s.disconnect()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", s.address.Host)
	if err != nil {
		return nil, err
	}
	c := &syslogConnection{Conn: raw, raw: raw.(*net.TCPConn), closed: make(chan struct{})}
	if s.address.Scheme == "tls" {
		config, err := s.tls.config(s.address.Hostname())
		if err == nil {
			secure := tls.Client(raw, config)
			c.Conn, err = secure, secure.HandshakeContext(ctx)
		}
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	go c.watchForClose()
	s.connection = c
	return c, nil
}

// syslogConnection is a connection to a syslog server.
type syslogConnection struct {
	net.Conn    // the TLS connection if the address has the scheme tls
	raw         *net.TCPConn
	closed      chan struct{} // closed when the server has closed the connection
	closeReason error         // why it was closed; may only be read after closed
}

// watchForClose notices when the server closes the connection. Without it,
// messages written after that would be lost. It reads because a read fails when
// the connection is closed; servers never send anything.
func (c *syslogConnection) watchForClose() {
	_, c.closeReason = io.Copy(io.Discard, c.Conn)
	close(c.closed)
}

func (c *syslogConnection) isOpen() bool {
	select {
	case <-c.closed:
		return false
	default:
		return true
	}
}

var errClosed = errors.New("the syslog server closed the connection")

// confirmationPollInterval is how often send checks whether all bytes are
// acknowledged.
const confirmationPollInterval = 5 * time.Millisecond

// send writes frames, and waits until the operating system of the receiver has
// acknowledged them.
func (c *syslogConnection) send(ctx context.Context, frames []byte) error {
	deadline, _ := ctx.Deadline()
	if err := c.SetWriteDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetWriteDeadline(time.Now()) })
	defer stop()
	if _, err := c.Write(frames); err != nil {
		return err
	}
	ticker := time.NewTicker(confirmationPollInterval)
	defer ticker.Stop()
	for {
		pending, err := unconfirmedBytes(c.raw)
		if err != nil {
			return err
		}
		if pending == 0 && c.isOpen() {
			return nil
		}
		select {
		case <-c.closed:
			return cmp.Or(c.closeReason, errClosed)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// unconfirmedBytes returns how many of the written bytes the other side has not
// acknowledged (TCP).
func unconfirmedBytes(c *net.TCPConn) (pending int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	if controlErr := raw.Control(func(fd uintptr) { pending, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); controlErr != nil {
		return 0, controlErr
	}
	return pending, err
}

// maxSyslogMessage is the message size in bytes that receivers should accept
// (RFC 5425, 4.3.1). Many cut off longer messages.
const maxSyslogMessage = 8192

// message formats an entry as a message of RFC 5424. Its text is JSON, so that
// receivers can parse entries of all types.
func (s *Syslog) message(e *activity.Entry) ([]byte, error) {
	event := syslogEvent{Event: stream.NewEvent(e, e.Actor), Metadata: e.Metadata}
	message, err := s.format(event, e.OccurredOn())
	if err == nil && len(message) > maxSyslogMessage {
		event.Metadata, event.MetadataOmitted = nil, true
		message, err = s.format(event, e.OccurredOn())
	}
	return message, err
}

// syslogEvent is an event whose metadata can be left out.
type syslogEvent struct {
	stream.Event
	Metadata json.RawMessage `json:"metadata,omitempty"` // instead of the member of Event
	// MetadataOmitted: the metadata would have made the message too large.
	MetadataOmitted bool `json:"metadata_omitted,omitempty"`
}

// syslogSeverities are the severities of RFC 5424.
var syslogSeverities = map[activity.Severity]int{activity.Debug: 7, activity.Info: 6, activity.Warning: 4, activity.Critical: 2}

// maxMessageIDLength is the largest length of the message id in the header (RFC
// 5424).
const maxMessageIDLength = 32

func (s *Syslog) format(e syslogEvent, at time.Time) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	id := string(e.Type)
	header := fmt.Sprintf(`<%d>1 %s %s trento-web %d %s [origin software="trento-web" swVersion="%s"] `,
		s.facility*8+syslogSeverities[e.Severity], at.Format("2006-01-02T15:04:05.000000Z07:00"), cmp.Or(s.hostname, "-"), os.Getpid(),
		id[:min(len(id), maxMessageIDLength)], parameterEscaper.Replace(s.version))
	return append([]byte(header), text...), nil
}

// parameterEscaper escapes the values of structured data.
var parameterEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)
