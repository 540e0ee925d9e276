package mail

import (
	"errors"
	"strings"
	"unicode"
)

// The steps of a delivery.
const (
	StepName      = "name"      // the address of the relay is looked up
	StepConnect   = "connect"   // the relay is connected and greets
	StepTLS       = "tls"       // the connection is encrypted
	StepLogin     = "login"     // this server signs in
	StepSender    = "sender"    // the relay accepts the sender
	StepRecipient = "recipient" // the relay accepts a recipient
	StepData      = "data"      // the relay takes the message
)

// Error is why a message was not delivered. It contains no password.
type Error struct {
	Step  string // the step that failed, such as StepLogin
	Reply string // answer of the relay, such as "535 5.7.8 authentication failed"; "" if it gave none
	// Recipient is the address that was refused, if Step is StepRecipient.
	Recipient string
	// Permanent: the relay will not take the message later either.
	Permanent bool
	Cause     error // why there is no reply
}

// Error returns the step with the answer of the relay, or with the cause.
func (e *Error) Error() string {
	return strings.TrimSuffix(e.Step+" "+e.Recipient, " ") + ": " + e.Reason()
}

// Reason returns the answer of the relay, or the cause if there is none.
func (e *Error) Reason() string {
	if e.Reply == "" && e.Cause != nil {
		return printable(e.Cause.Error())
	}
	return e.Reply
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

var (
	errPasswordWithoutTLS = errors.New("the relay offers no TLS, and the password is not sent without it")
	errNoLogin            = errors.New("the relay offers no login; leave the user name empty if it needs none")
)

// maxReplyLength is the largest length of a reply that is shown and stored, in
// characters.
const maxReplyLength = 500

// printable returns a text of the relay in one line, without control characters,
// and cut if it is long.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxReplyLength {
		text = string(runes[:maxReplyLength]) + "…"
	}
	return text
}
