package mail

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestCheck checks that a relay is tried without a message.
func TestCheck(t *testing.T) {
	s := startRelay(t, nil)
	if version, err := s.relay().Check(t.Context()); err != nil || version != "" {
		t.Errorf("TLS %q, %v", version, err)
	}
	if said := s.said(); !slices.Equal(said, []string{"EHLO trento.example.com", "QUIT"}) {
		t.Errorf("said %q", said)
	}
	s = startRelay(t, map[string]string{"greeting": "554 5.7.1 go away"})
	_, err := s.relay().Check(t.Context())
	if failure, ok := errors.AsType[*Error](err); !ok || failure.Step != StepConnect || !strings.Contains(failure.Reply, "go away") {
		t.Errorf("%v", err)
	}
}
