package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// streamSilence is how long a stream may send nothing. The server sends a
// comment every 25 seconds.
const streamSilence = time.Minute

// maxEventLine is the number of bytes of a line of a stream.
const maxEventLine = 4 << 20

// FollowEvents calls happened for each event that the server sends from now on,
// and once when the stream begins. It returns when the stream ends, with the
// reason.
func (s *Server) FollowEvents(ctx context.Context, params *StreamEventsParams, happened func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answer, err := s.StreamEvents(ctx, params, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Accept", eventStream)
		return nil
	})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	silence := time.AfterFunc(streamSilence, func() { cancel(errors.New("the stream of events is silent")) })
	defer silence.Stop()
	happened()
	scanner := bufio.NewScanner(answer.Body)
	scanner.Buffer(nil, maxEventLine)
	for scanner.Scan() {
		silence.Reset(streamSilence)
		name, ok := strings.CutPrefix(scanner.Text(), "event:")
		switch name = strings.TrimSpace(name); {
		case !ok:
		case name == "signed-out" || name == "forbidden" || name == "stopping":
			return fmt.Errorf("the server ends the stream of events: %s", name)
		default:
			happened()
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return scanner.Err()
}

// eventStream is the content type of a stream of events.
const eventStream = "text/event-stream"
