package activity

import (
	"fmt"
	"strings"
	"time"
)

// WritingInterruption says that no change could be stored for a time. It is
// logged after the time, because no entry could be stored either.
type WritingInterruption struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason,omitempty"`
}

func (*WritingInterruption) Type() Type { return TypeWritingInterruption }
func (e *WritingInterruption) message() string {
	text := fmt.Sprintf("Changes could not be stored for %s", durationText(e.Until.Sub(e.From)))
	if e.Reason != "" {
		text += ": " + strings.TrimSuffix(e.Reason, ".")
	}
	return text
}

// ClockChange says that somebody or something has set the clock of the server.
// The times of the entries around it cannot be compared.
type ClockChange struct {
	Before time.Time `json:"before"` // what the clock would have said
	After  time.Time `json:"after"`  // what it says
}

func (*ClockChange) Type() Type { return TypeClockChange }
func (e *ClockChange) message() string {
	if change := e.After.Sub(e.Before); change < 0 {
		return "Clock of the server went back by " + durationText(-change)
	}
	return "Clock of the server went forward by " + durationText(e.After.Sub(e.Before))
}

// ForwardingInterruption says that entries cannot be forwarded to another system
// for some time.
type ForwardingInterruption struct {
	Receiver string `json:"receiver"` // kind: syslog or otlp
	Reason   string `json:"reason"`
}

func (*ForwardingInterruption) Type() Type { return TypeForwardingInterruption }
func (e *ForwardingInterruption) message() string {
	return "Activity log is not forwarded (" + e.Receiver + "): " + strings.TrimSuffix(e.Reason, ".")
}

// ForwardingResumption says that entries are forwarded again. The receiver gets
// those from the time between as well, unless they were pruned.
type ForwardingResumption struct {
	Receiver            string    `json:"receiver"`
	Since               time.Time `json:"since"` // when the interruption began
	EntriesMayBeMissing bool      `json:"entries_may_be_missing"`
}

func (*ForwardingResumption) Type() Type { return TypeForwardingResumption }
func (e *ForwardingResumption) message() string {
	text := "Activity log is forwarded again (" + e.Receiver + ")"
	if e.EntriesMayBeMissing {
		text += "; entries that were deleted in the meantime may be missing there"
	}
	return text
}

// durationText returns a duration in seconds, minutes or hours and minutes.
func durationText(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
