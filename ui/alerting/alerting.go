// Package alerting has the two ways by which alerts leave, e-mail and webhook,
// as the settings describe them. Package server sends alerts by them; console
// and API send test messages.
package alerting

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"trento/auth"
	"trento/store/fault"
	"trento/ui/mail"
	"trento/ui/webhook"
)

// Options are the parts of the configuration that the settings do not have.
type Options struct {
	RootCAs          *x509.CertPool // authorities that the mail relay's certificate may be from; nil: those of the system
	InsecurePassword bool           // the password may be sent without TLS
	Origin           string         // host name of this server, as TRENTO_WEB_ORIGIN has it; "": the name of the machine
	Delay, Repeat    time.Duration  // see alert.Policy
	Now              func() time.Time
}

// Channels are the ways by which alerts leave.
type Channels struct {
	options     Options
	host        string // host name of this server, without port
	testLimiter *rate.Limiter
}

// The names that recipients see.
const (
	senderName    = "Trento Alerts"
	recipientName = "Trento Admin"
)

// maxTests is how many test messages may be sent in a minute.
const maxTests = 6

// New returns the channels.
func New(o Options) *Channels {
	if o.Now == nil {
		o.Now = time.Now
	}
	host, _, _ := strings.Cut(o.Origin, ":")
	if host == "" {
		host, _ = os.Hostname() // "" without a name
	}
	return &Channels{options: o, host: cmp.Or(host, "localhost"), testLimiter: rate.NewLimiter(rate.Every(time.Minute/maxTests), maxTests)}
}

// Relay returns the mail relay of the settings.
func (c *Channels) Relay(s auth.AlertSettings) *mail.Relay {
	host, implicitTLS := s.SMTPHost()
	return &mail.Relay{
		Host: host, Port: s.SMTPPort, ImplicitTLS: implicitTLS, Username: s.SMTPUsername, Password: s.SMTPPassword,
		RootCAs: c.options.RootCAs, InsecurePassword: c.options.InsecurePassword, Hello: c.host,
	}
}

// Webhook returns the webhook of the settings; nil if there is none.
func (c *Channels) Webhook(s auth.AlertSettings) *webhook.Webhook {
	if s.WebhookURL == "" {
		return nil
	}
	hook := &webhook.Webhook{URL: s.WebhookURL, Now: c.options.Now}
	if s.WebhookSecret != "" {
		hook.Secrets = []string{s.WebhookSecret}
	}
	return hook
}

// Envelope returns sender and recipients of the settings, with the names that
// mail programs show.
func (c *Channels) Envelope(s auth.AlertSettings) (from netmail.Address, to []netmail.Address) {
	for _, address := range s.Recipients {
		to = append(to, netmail.Address{Name: recipientName, Address: address})
	}
	return netmail.Address{Name: senderName, Address: s.Sender}, to
}

// MessageID returns the Message-ID for a text that identifies a message on this
// server.
func (c *Channels) MessageID(text string) string { return text + "@" + c.host }

// ListID returns the List-Id of all messages of this server, by which mail
// programs sort them.
func (c *Channels) ListID() string { return "trento." + c.host }

// Delivery is what became of a test message.
type Delivery struct {
	DeliveredTo []string
	TLS         string // version of TLS, such as "TLS 1.3"; "" without TLS
	Reply       string // of the mail relay
	Webhook     bool   // the webhook has taken a notice, too
}

// StepWebhook is the step of a test after the mail was delivered.
const StepWebhook = "webhook"

// ErrTooManyTests says that too many test messages were sent in the last minute.
var ErrTooManyTests = &fault.Error{Kind: fault.TooOften, Detail: "Only 6 test messages can be sent in a minute. Try again in a few seconds."}

var (
	errSecretsLost = errors.New("the stored password cannot be read, because SECRET_KEY_BASE was changed; enter it again")
	errNoRelay     = errors.New("no mail server is set")
)

// Test sends a test message by all channels of the settings, over fresh
// connections. It fails with ErrTooManyTests, or with a *mail.Error that names
// the step that failed.
func (c *Channels) Test(ctx context.Context, s auth.AlertSettings) (Delivery, error) {
	switch {
	case !c.testLimiter.AllowN(c.options.Now(), 1):
		return Delivery{}, ErrTooManyTests
	case s.SecretsLost:
		return Delivery{}, &mail.Error{Step: mail.StepLogin, Cause: errSecretsLost}
	case s.SMTPServer == "":
		return Delivery{}, &mail.Error{Step: mail.StepName, Cause: errNoRelay}
	}
	id, now := strings.ToLower(rand.Text()), c.options.Now()
	from, to := c.Envelope(s)
	message := mail.Message{
		ID: c.MessageID("test-" + id), From: from, To: to, Subject: testSubject, Date: now, ListID: c.ListID(), Text: testText + "\r\n",
	}
	results, err := c.Relay(s).Send(ctx, []mail.Message{message})
	if err != nil {
		return Delivery{}, err
	}
	result := results[0]
	if result.Err != nil {
		return Delivery{}, result.Err
	}
	for _, refused := range result.Refused {
		return Delivery{}, refused.Err
	}
	delivery := Delivery{DeliveredTo: slices.Clone(s.Recipients), TLS: result.TLS, Reply: result.Reply}
	if hook := c.Webhook(s); hook != nil {
		notice := webhook.Notice{ID: "test-" + id, Type: "test", Severity: "info", Time: now.UTC(), Subject: testSubject, Text: testText}
		if _, err := hook.Post(ctx, notice.ID, notice); err != nil {
			return Delivery{}, &mail.Error{Step: StepWebhook, Cause: err}
		}
		delivery.Webhook = true
	}
	return delivery, nil
}

// The text of test messages.
const (
	testSubject = "Trento: test of the alerts"
	testText    = "Alerts of Trento arrive here. Somebody has sent this message from the settings to test them. Nothing has happened."
)
