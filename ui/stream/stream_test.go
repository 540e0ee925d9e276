package stream

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	var l Limit
	for range MaxStreamsOfUser {
		if !l.Add(1) {
			t.Fatal("no place")
		}
	}
	if l.Add(1) {
		t.Error("one user has more than their share")
	}
	if !l.Add(2) {
		t.Error("one user keeps out another")
	}
	l.Remove(1)
	if !l.Add(1) {
		t.Error("a place that was left is lost")
	}
	l.total = MaxStreams
	if l.Add(3) {
		t.Error("more streams than there may be")
	}
}

// failingClient is a client whose connection fails if writeError is set.
type failingClient struct {
	*httptest.ResponseRecorder
	deadlines  []time.Time
	writeError error
}

func (c *failingClient) SetWriteDeadline(t time.Time) error {
	c.deadlines = append(c.deadlines, t)
	return nil
}

func (c *failingClient) Write(b []byte) (int, error) {
	if c.writeError != nil {
		return 0, c.writeError
	}
	return c.ResponseRecorder.Write(b)
}

// TestRun checks when events and pings are sent, and how a stream ends.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &failingClient{ResponseRecorder: httptest.NewRecorder()}
		s, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		changed := make(chan struct{}, 1)
		sent := make(chan time.Duration, 10)
		begin := time.Now()
		ended := make(chan error, 1)
		go func() {
			ended <- s.Run(ctx, func() error {
				sent <- time.Since(begin)
				return s.Send("change", "7", "x")
			}, func() error { return s.SetID("8") }, changed, nil)
		}()
		changed <- struct{}{}
		synctest.Wait()
		changed <- struct{}{}
		time.Sleep(minSendInterval / 2)
		synctest.Wait()
		if <-sent; len(sent) > 0 {
			t.Errorf("sent at %v: the second change is not held back", <-sent)
		}
		time.Sleep(pingInterval)
		synctest.Wait()
		if second, third := <-sent, <-sent; second != minSendInterval || third != pingInterval || len(sent) > 0 {
			t.Errorf("sent at %v and %v", second, third)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		const event = "event: change\nid: 7\ndata: \"x\"\n\n"
		want := "retry: 2000\n\n" + strings.Repeat(event, 3) + ": still here\nid: 8\n\nevent: stopping\ndata: null\n\n"
		if c.Body.String() != want {
			t.Errorf("sent %q, want %q", c.Body, want)
		}
		if last := c.deadlines[len(c.deadlines)-1]; !last.IsZero() || c.deadlines[0].IsZero() {
			t.Errorf("deadlines %v", c.deadlines)
		}
	})
}

// TestRunEndsWithTheClient checks that a failed write to the client ends the
// stream.
func TestRunEndsWithTheClient(t *testing.T) {
	t.Parallel()
	c := &failingClient{ResponseRecorder: httptest.NewRecorder()}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	c.writeError = errors.New("too slow")
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	if err := s.Run(t.Context(), s.Ping, s.Ping, changed, nil); !errors.Is(err, c.writeError) {
		t.Errorf("Run fails with %v", err)
	}
}
