package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// systemd is the receiving end of NOTIFY_SOCKET.
type systemd struct {
	t    *testing.T
	conn *net.UnixConn
}

func listen(t *testing.T) systemd {
	t.Helper()
	// Not t.TempDir: a socket address has room for about a hundred characters.
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	address := &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", address.Name)
	return systemd{t, conn}
}

// next returns the next message, or "" if none comes in time.
func (s systemd) next(within time.Duration) string {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		s.t.Fatal(err)
	}
	message := make([]byte, 512)
	n, err := s.conn.Read(message)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Fatal(err)
	}
	return string(message[:n])
}

const patience = 10 * time.Second

func TestNotify(t *testing.T) {
	s := listen(t)
	if err := Ready(); err != nil {
		t.Fatal(err)
	}
	if err := Stopping(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		if got := s.next(patience); got != want {
			t.Errorf("systemd heard %q, want %q", got, want)
		}
	}
}

func TestNotifyWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	if err := errors.Join(Ready(), Stopping()); err != nil {
		t.Error(err)
	}
	if err := FeedWatchdog(t.Context(), nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("FeedWatchdog() = %v", err)
	}

	t.Setenv("NOTIFY_SOCKET", "/nowhere/socket")
	if err := Ready(); err == nil || !strings.Contains(err.Error(), "READY=1") {
		t.Errorf("Ready() = %v on a socket that is not there", err)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if err := FeedWatchdog(t.Context(), nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("FeedWatchdog() = nil for an interval that is none")
	}
}

func TestFeedWatchdog(t *testing.T) {
	s := listen(t)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- FeedWatchdog(ctx, func() error { return nil }, slog.New(slog.DiscardHandler))
	}()
	for range 3 {
		if got := s.next(patience); got != "WATCHDOG=1" {
			t.Errorf("systemd heard %q", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("FeedWatchdog() = %v", err)
	}
}

// While the store does not answer, the watchdog is not fed.
func TestFeedWatchdogOnlyIfHealthy(t *testing.T) {
	s := listen(t)
	t.Setenv("WATCHDOG_USEC", "2000")
	t.Setenv("WATCHDOG_PID", "")
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	alive := func() error {
		if asked++; asked == 3 {
			cancel()
		}
		return errors.New("store is closed")
	}
	var log bytes.Buffer
	if err := FeedWatchdog(ctx, alive, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Errorf("FeedWatchdog() = %v", err)
	}
	if got := s.next(time.Millisecond); got != "" {
		t.Errorf("systemd heard %q", got)
	}
	if !strings.Contains(log.String(), "store is closed") {
		t.Errorf("the log says %q", log.String())
	}
}
