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

// Syslog sends entries to a syslog server. Syslog has no acknowledgements.
// Send therefore returns when the system of the receiver has confirmed all
// bytes; what the receiver then loses by itself is lost.
type Syslog struct {
	address  *url.URL
	tls      TLS
	facility int
	version  string // of this server
	hostname string

	mu         sync.Mutex
	connection *syslogConnection // nil: none is open
}

// NewSyslog returns the syslog server at an address: tls or tcp, host and port. The
// facility is a number of RFC 5424.
func NewSyslog(address *url.URL, security TLS, facility int, version string) *Syslog {
	hostname, _ := os.Hostname()
	return &Syslog{address: address, tls: security, facility: facility, version: version, hostname: hostname}
}

// Address returns the address for people.
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
		// Octet counting, RFC 5425 and RFC 6587.
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
	go c.watch()
	s.connection = c
	return c, nil
}

// syslogConnection is a connection to a syslog server.
type syslogConnection struct {
	net.Conn // with TLS, if that is used
	raw      *net.TCPConn
	closed   chan struct{} // closed when the server has closed the connection
	cause    error         // why; read it after closed
}

// watch notices that the server closes the connection. Without it, what is
// written afterwards would be lost. Servers never write anything.
func (c *syslogConnection) watch() {
	_, c.cause = io.Copy(io.Discard, c.Conn)
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

// confirmationPause is how often send looks whether all bytes are confirmed.
const confirmationPause = 5 * time.Millisecond

// send writes the frames, and waits until the system of the receiver has
// confirmed them.
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
	ticker := time.NewTicker(confirmationPause)
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
			return cmp.Or(c.cause, errClosed)
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// unconfirmedBytes returns how many of the bytes that were written the other side
// has not confirmed.
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

// maxSyslogMessage is the size up to which receivers should take a message (RFC
// 5425, 4.3.1). Many cut longer ones.
const maxSyslogMessage = 8192

// message returns an entry as a message of RFC 5424. Its text is JSON, which all
// receivers can take apart, whatever the type of the entry.
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

// maxMessageID is the number of characters that the id of a message may have.
const maxMessageID = 32

func (s *Syslog) format(e syslogEvent, at time.Time) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	id := string(e.Type)
	header := fmt.Sprintf(`<%d>1 %s %s trento-web %d %s [origin software="trento-web" swVersion="%s"] `,
		s.facility*8+syslogSeverities[e.Severity], at.Format("2006-01-02T15:04:05.000000Z07:00"), cmp.Or(s.hostname, "-"), os.Getpid(),
		id[:min(len(id), maxMessageID)], parameterEscaper.Replace(s.version))
	return append([]byte(header), text...), nil
}

// parameterEscaper escapes the values of structured data.
var parameterEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)
