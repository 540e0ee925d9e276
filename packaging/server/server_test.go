package server_test

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"trento/packaging/command"
	"trento/packaging/servertest"
	"trento/store"
	"trento/store/activity"
)

func TestMain(m *testing.M) { servertest.Main(m, command.Run) }

// TestRetention starts the program on a log that has become too old while it
// was down.
func TestRetention(t *testing.T) {
	dir := t.TempDir()
	now := time.Now().Add(-40 * 24 * time.Hour)
	s, err := store.Open(dir, store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"old", "young"} {
		event := &activity.ResourceTagging{TaggedResource: activity.TaggedResource{ResourceType: "host", Hostname: "hana01"}, Tag: tag}
		if err := s.AppendActivity(t.Context(), store.System(), event); err != nil {
			t.Fatal(err)
		}
		now = now.Add(20 * 24 * time.Hour)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c := servertest.Start(t, dir, nil).User()
	for began := time.Now(); len(c.Search("old")) > 0; {
		if time.Since(began) > 30*time.Second {
			t.Fatal("old entries are still there")
		}
	}
	if got := c.Search("young"); len(got) != 1 {
		t.Errorf("young entries: %v", got)
	}
}

// TestStopWithOpenStream stops the program while a browser listens for events,
// which by itself would last for ever.
func TestStopWithOpenStream(t *testing.T) {
	p := servertest.Start(t, t.TempDir(), nil)
	stream, err := p.Browser().Open("GET", "/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if got := stream.Header.Get("Content-Type"); stream.StatusCode != 200 || !strings.HasPrefix(got, "text/event-stream") {
		t.Fatalf("status %d, %s", stream.StatusCode, got)
	}
	p.Stop(os.Interrupt)
	if log := p.Stderr.String(); strings.Contains(log, "cut off") {
		t.Errorf("the stream did not end by itself:\n%s", log)
	}
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream did not end cleanly: %v", err)
	}
}
