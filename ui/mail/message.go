package mail

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is an e-mail in plain text and, unless HTML is "", in HTML.
type Message struct {
	// ID is the Message-ID without angle brackets. A message that is sent again
	// keeps it, so that mail programs can recognise the copy.
	ID string
	// References are the IDs of the messages before it in its thread, oldest
	// first.
	References []string
	From       mail.Address
	To         []mail.Address
	Subject    string
	Text, HTML string
	Date       time.Time
	ListID     string // such as trento.example.com; "": the message has no List-Id
}

// encode returns the message in the form in which it is sent. Line breaks and
// control characters in header values become blanks.
func (m *Message) encode() ([]byte, error) {
	if m.ID == "" || strings.ContainsAny(m.ID, "<> \r\n") {
		return nil, fmt.Errorf("message id %q", m.ID)
	}
	if len(m.To) == 0 {
		return nil, errors.New("the message has no recipient")
	}
	encoded := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	encoded.SetMessageIDWithValue(m.ID)
	encoded.SetDateWithValue(m.Date)
	encoded.FromMailAddress(headerAddress(m.From))
	for _, to := range m.To {
		encoded.AddToMailAddress(headerAddress(to))
	}
	encoded.Subject(printable(m.Subject))
	if len(m.References) > 0 {
		encoded.SetGenHeaderPreformatted(gomail.HeaderInReplyTo, formatMessageIDs(m.References[len(m.References)-1:]))
		encoded.SetGenHeaderPreformatted(gomail.HeaderReferences, formatMessageIDs(m.References))
	}
	if m.ListID != "" {
		encoded.SetGenHeaderPreformatted("List-Id", "<"+printable(m.ListID)+">")
	}
	// Nobody's answering machine shall answer.
	encoded.SetGenHeader("Auto-Submitted", "auto-generated")
	encoded.SetGenHeader("X-Auto-Response-Suppress", "All")
	encoded.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		encoded.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	var text bytes.Buffer
	_, err := encoded.WriteTo(&text)
	return text.Bytes(), err
}

// headerAddress returns an address for a header.
func headerAddress(address mail.Address) *mail.Address {
	return &mail.Address{Name: printable(address.Name), Address: address.Address}
}

// formatMessageIDs returns message IDs in angle brackets, one in each line of the header.
func formatMessageIDs(ids []string) string { return "<" + strings.Join(ids, ">\r\n <") + ">" }
