// Package outbox has the rules for sending messages to other servers: when a
// failed message is tried again, and when it is given up. Each message is
// stored before it is sent, so none is lost when the process ends. A message
// that was sent but could not be recorded as sent is sent again.
package outbox

import (
	"slices"
	"time"
)

// State is the state of a message in one channel.
type State string

// The states of messages.
const (
	Unused    State = ""          // the channel was off when the message was created
	Pending   State = "pending"   // not sent yet
	Sent      State = "sent"      // the next server has accepted it
	GivenUp   State = "given_up"  // sending has failed for good
	Discarded State = "discarded" // a user did not want it to be sent
	Off       State = "off"       // the channel was switched off before it could be sent
)

// Channel is a message in one channel, such as mail or webhook.
type Channel struct {
	State    State     `json:"state"`
	Attempts int       `json:"attempts,omitempty"` // failed attempts
	Tried    time.Time `json:"tried,omitzero"`     // time of the last attempt
	Next     time.Time `json:"next,omitzero"`      // time of the next attempt, if pending
	Failure  string    `json:"failure,omitempty"`  // why the last attempt failed, for users
	// Accepted are the e-mail addresses for which the relay has accepted the
	// message, and Refused those for which the last attempt failed.
	Accepted []string `json:"accepted,omitempty"`
	Refused  []string `json:"refused,omitempty"`
}

// retryAfter are the times between a failed attempt and the next one. The last
// value repeats.
var retryAfter = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// giveUpAfter is the age from which on a message is given up.
const giveUpAfter = 24 * time.Hour

// NewChannel returns the state of a new message in a channel.
func NewChannel(used bool, now time.Time) Channel {
	if !used {
		return Channel{}
	}
	return Channel{State: Pending, Next: now}
}

// Due reports whether the message should be sent now.
func (c *Channel) Due(now time.Time) bool {
	// If the last attempt lies in the future, the clock was set back.
	return c.State == Pending && (!now.Before(c.Next) || now.Before(c.Tried))
}

// Outcome is the result of an attempt to send a message.
type Outcome struct {
	At        time.Time
	Failure   string // for users; "" if the message was accepted for all recipients
	Permanent bool   // trying again would not help
	// Accepted and Refused are the recipients for which this attempt succeeded
	// and failed.
	Accepted, Refused []string
}

// After returns the channel after an attempt. created is the time at which the
// message was created.
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

// RetryAfter returns the time from a failed attempt to the next one. failed is
// the number of attempts that had failed before.
func RetryAfter(failed int) time.Duration { return retryAfter[min(failed, len(retryAfter)-1)] }
