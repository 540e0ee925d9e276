// Package stream sends events to browsers and programs when they happen, as
// server-sent events. It keeps streams open, limits their number, and ends
// them. The packages that send events decide who may see them. The package also
// defines the form of the events that programs receive.
package stream

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	// minSendInterval is the shortest time between two sends in a stream.
	minSendInterval = time.Second
	// pingInterval is short enough that proxies do not close an idle stream. It
	// also limits how long the stream of an expired session stays open.
	pingInterval = 25 * time.Second
	// writeTimeout is how long writing an event to a client may take.
	writeTimeout = 10 * time.Second
	// reconnectMilliseconds is the time after which a client should connect
	// again.
	reconnectMilliseconds = "2000"
)

// ContentType is the type of streams.
const ContentType = "text/event-stream"

// The largest numbers of open streams.
const (
	MaxStreams       = 1000
	MaxStreamsOfUser = 50
)

// Limit limits the number of open streams. The zero value is ready to use.
type Limit struct {
	mu     sync.Mutex
	total  int
	byUser map[int64]int
}

// Add counts a new stream. It returns false if there are too many.
func (l *Limit) Add(user int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= MaxStreams || l.byUser[user] >= MaxStreamsOfUser {
		return false
	}
	if l.byUser == nil {
		l.byUser = make(map[int64]int)
	}
	l.total++
	l.byUser[user]++
	return true
}

// Remove counts a stream that has ended.
func (l *Limit) Remove(user int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.byUser[user]--; l.byUser[user] == 0 {
		delete(l.byUser, user)
	}
}

// Stream is an open stream to a client.
type Stream struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

// Open sends the header of a stream.
func Open(w http.ResponseWriter) (*Stream, error) {
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // otherwise nginx holds events back
	s := &Stream{w: w, out: http.NewResponseController(w)}
	return s, s.write("retry: " + reconnectMilliseconds + "\n\n")
}

// Run calls send when changed or connected receives a value. Then it waits, so
// that several changes are sent together. Every 25 seconds it calls send and
// ping. It returns the first error. When ctx is done it sends the event
// "stopping" and returns.
func (s *Stream) Run(ctx context.Context, send, ping func() error, changed, connected <-chan struct{}) error {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return s.Send("stopping", "", nil)
		case <-ticker.C:
			if err = send(); err == nil {
				err = ping()
			}
		case <-changed:
			err = sendAndPause(ctx, send)
		case <-connected:
			err = sendAndPause(ctx, send)
		}
		if err != nil {
			return err
		}
	}
}

func sendAndPause(ctx context.Context, send func() error) error {
	if err := send(); err != nil {
		return err
	}
	t := time.NewTimer(minSendInterval)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done(): // Run sends the event "stopping"
	}
	return nil
}

// Send sends an event with data as JSON on one line. If id is not "", a client
// that connects again sends the last id it has received.
func (s *Stream) Send(event, id string, data any) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	text := "event: " + event + "\n"
	if id != "" {
		text += "id: " + id + "\n"
	}
	return s.write(text + "data: " + string(body) + "\n\n")
}

// Ping sends a comment, which clients ignore.
func (s *Stream) Ping() error { return s.write(": still here\n\n") }

// SetID sends a comment with an id, which the client sends when it connects
// again. The client does not notice an event.
func (s *Stream) SetID(id string) error { return s.write(": still here\nid: " + id + "\n\n") }

// write sends a text. It has a deadline, so that a client that does not read
// cannot block the server. Afterwards it removes the deadline, because over
// HTTP/2 the deadline would end an idle stream.
func (s *Stream) write(text string) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	return s.out.SetWriteDeadline(time.Time{})
}
