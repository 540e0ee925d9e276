// Package outbox has the rules of messages that leave this server: when one is
// tried again that could not be sent, and when it is given up. A message is in
// the file before it is sent, so that none is lost when the process ends. One
// that was sent, but could not be recorded, is sent again.
package outbox

import (
	"slices"
	"time"
)

// State is the state of a message in one channel.
type State string

// The states of messages.
const (
	Unused    State = ""          // the channel was off when the message was decided
	Pending   State = "pending"   // it is to be sent
	Sent      State = "sent"      // the next server has accepted it
	GivenUp   State = "given_up"  // it could not be sent
	Discarded State = "discarded" // a user did not want it to be sent
	Off       State = "off"       // the channel was switched off before it could be sent
)

// Channel is a message in one channel, such as mail or webhook.
type Channel struct {
	State    State     `json:"state"`
	Attempts int       `json:"attempts,omitempty"` // that failed
	Tried    time.Time `json:"tried,omitzero"`     // the last attempt
	Next     time.Time `json:"next,omitzero"`      // the next attempt, while it is pending
	Failure  string    `json:"failure,omitempty"`  // of the last attempt, in words
	// Accepted are the e-mail addresses for which the relay has accepted the
	// message, and Refused those for which the last attempt failed.
	Accepted []string `json:"accepted,omitempty"`
	Refused  []string `json:"refused,omitempty"`
}

// retryAfter are the times from a failed attempt to the next one. The last one
// repeats.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// giveUpAfter is the age at which a message is not tried again.
const giveUpAfter = 24 * time.Hour

// NewChannel returns the state of a new message in a channel.
func NewChannel(used bool, now time.Time) Channel {
	if !used {
		return Channel{}
	}
	return Channel{State: Pending, Next: now}
}

// Due reports whether the message is to be tried now.
func (c *Channel) Due(now time.Time) bool {
	// A last attempt in the future means that the clock was set back.
	return c.State == Pending && (!now.Before(c.Next) || now.Before(c.Tried))
}

// Outcome is how an attempt to send has ended.
type Outcome struct {
	At        time.Time
	Failure   string // in words; "": it was accepted for all
	Permanent bool   // trying again would not help
	// Accepted and Refused are the e-mail addresses of the attempt.
	Accepted, Refused []string
}

// After returns the channel after an attempt. created is the time of the
// message.
func (c Channel) After(o Outcome, created time.Time) Channel {
	c.Tried, c.Next, c.Failure, c.Refused = o.At, time.Time{}, o.Failure, o.Refused
	c.Accepted = slices.Concat(c.Accepted, o.Accepted)
	if o.Failure == "" {
		c.State = Sent
		return c
	}
	next := o.At.Add(RetryAfter(c.Attempts))
	c.Attempts++
	if o.Permanent || next.Sub(created) > giveUpAfter {
		c.State = GivenUp
		return c
	}
	c.Next = next
	return c
}

// RetryAfter returns the time to the next attempt after a number of failed ones
// and one more.
func RetryAfter(failed int) time.Duration { return retryAfter[min(failed, len(retryAfter)-1)] }
