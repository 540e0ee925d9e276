package servertest

import (
	"net"
	"os"
	"testing"
	"time"
)

// Need ends a test that lacks a tool, and says which. Where everything is tested
// (CI), all tools are there, so the test fails.
func Need(t *testing.T, missing string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// Soon waits until something has happened, and fails the test if that takes
// longer than a minute.
func Soon(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline, pause := time.After(time.Minute), time.NewTicker(5*time.Millisecond)
	defer pause.Stop()
	for !happened() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute in vain: %s", what)
		case <-pause.C:
		}
	}
}

// FreePort returns a port of this machine that nobody uses.
func FreePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
