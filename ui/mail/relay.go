// Package mail sends e-mail to the mail relay of the customer, by SMTP. It has no
// queue and repeats nothing: package server decides what is sent when. Nothing
// is looked up in the DNS but the address of the relay.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
	"golang.org/x/net/idna"
)

// Relay is a mail relay, and how to sign in there.
type Relay struct {
	Host        string // host name or IP address
	Port        int
	ImplicitTLS bool   // TLS begins at once, not with STARTTLS
	Username    string // "": the relay needs no login
	Password    string
	// RootCAs are the authorities that are trusted; nil: those of the system.
	RootCAs *x509.CertPool
	// InsecurePassword permits to send the password without TLS.
	InsecurePassword bool
	Hello            string // host name that this machine introduces itself with; "" means localhost

	stepTimeout time.Duration // 0 means defaultStepTimeout
}

// The limits of a connection to a relay.
const (
	defaultStepTimeout = 30 * time.Second // for each step of the dialogue
	maxReplySize       = 1 << 20          // bytes that a relay may send over one connection
	maxMessages        = 100              // messages over one connection
)

// Result is what became of one message.
type Result struct {
	ID    string // of the message
	Reply string // of the relay to the message, such as "250 2.0.0 Ok: queued as 4F2A"
	TLS   string // version of TLS, such as "TLS 1.3"; "" without TLS
	// Refused are the recipients that the relay refused, if it took the message
	// for others.
	Refused []Refusal
	Err     *Error // nil: the relay has taken the message
}

// Refusal is a recipient that a relay refused.
type Refusal struct {
	Address string
	Err     *Error
}

// Send sends messages over one connection, one after the other. It returns a
// result for each message that the relay took or refused. If the connection
// cannot be opened or breaks, the messages behind the last result were not
// sent, and err is an *Error that says why.
func (r *Relay) Send(ctx context.Context, messages []Message) (results []Result, err error) {
	for chunk := range slices.Chunk(messages, maxMessages) {
		sent, err := r.sendOverOneConnection(ctx, chunk)
		results = append(results, sent...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

func (r *Relay) sendOverOneConnection(ctx context.Context, messages []Message) (results []Result, err error) {
	d, failure := r.dial(ctx)
	if failure != nil {
		return nil, failure
	}
	defer d.close()
	for i := range messages {
		result, broken := d.send(&messages[i])
		if broken != nil {
			return results, broken
		}
		results = append(results, result)
	}
	d.quit()
	return results, nil
}

// dialogue is a connection to a relay that is ready for messages.
type dialogue struct {
	relay      *Relay
	ctx        context.Context
	connection *limitedConnection
	client     *smtp.Client
	stopWatch  func() bool // ends watching the context
}

// dial connects to the relay, begins TLS and signs in.
func (r *Relay) dial(ctx context.Context) (*dialogue, *Error) {
	d := &dialogue{relay: r, ctx: ctx}
	dialer := net.Dialer{Timeout: r.timeout()}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
	if err != nil {
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			return nil, d.failure(StepName, err)
		}
		return nil, d.failure(StepConnect, err)
	}
	d.connection = &limitedConnection{Conn: raw, bytesLeft: maxReplySize}
	d.stopWatch = context.AfterFunc(ctx, func() { raw.Close() })
	if failure := d.greet(); failure != nil {
		d.close()
		return nil, failure
	}
	if failure := d.signIn(); failure != nil {
		d.close()
		return nil, failure
	}
	return d, nil
}

func (r *Relay) timeout() time.Duration {
	if r.stepTimeout > 0 {
		return r.stepTimeout
	}
	return defaultStepTimeout
}

// beginStep gives the next step of the dialogue its time.
func (d *dialogue) beginStep() {
	// It fails only on a closed connection, which the step notices, too.
	_ = d.connection.SetDeadline(time.Now().Add(d.relay.timeout()))
}

// greet reads the greeting of the relay and begins TLS, if the relay offers it.
func (d *dialogue) greet() (failure *Error) {
	d.beginStep()
	config := &tls.Config{ServerName: strings.TrimSuffix(d.relay.Host, "."), RootCAs: d.relay.RootCAs, MinVersion: tls.VersionTLS12}
	var connection net.Conn = d.connection
	if d.relay.ImplicitTLS {
		encrypted := tls.Client(d.connection, config)
		if err := encrypted.HandshakeContext(d.ctx); err != nil {
			return d.failure(StepTLS, err)
		}
		connection = encrypted
		d.beginStep()
	}
	client, err := smtp.NewClient(connection, d.relay.Host)
	if err != nil {
		return d.failure(StepConnect, err)
	}
	d.client = client
	d.beginStep()
	if err := client.Hello(d.relay.helloName()); err != nil {
		return d.failure(StepConnect, err)
	}
	client.SkipSMTPUTF8(true) // no message needs it
	if offered, _ := client.Extension("STARTTLS"); !offered || d.relay.ImplicitTLS {
		return nil
	}
	d.beginStep()
	if err := client.StartTLS(config); err != nil {
		return d.failure(StepTLS, err)
	}
	return nil
}

func (r *Relay) helloName() string {
	if r.Hello == "" {
		return "localhost"
	}
	return r.Hello
}

// signIn signs in at the relay if it needs a login.
func (d *dialogue) signIn() *Error {
	if d.relay.Username == "" {
		return nil
	}
	if d.tlsVersion() == "" && !d.relay.InsecurePassword {
		return d.failure(StepLogin, errPasswordWithoutTLS)
	}
	offered, mechanisms := d.client.Extension("AUTH")
	if !offered {
		return d.failure(StepLogin, errNoLogin)
	}
	d.beginStep()
	var login smtp.Auth
	switch names := strings.Fields(strings.ToUpper(mechanisms)); {
	case slices.Contains(names, "PLAIN"):
		login = smtp.PlainAuth("", d.relay.Username, d.relay.Password, d.relay.Host, d.relay.InsecurePassword)
	case slices.Contains(names, "LOGIN"):
		login = smtp.LoginAuth(d.relay.Username, d.relay.Password, d.relay.Host, d.relay.InsecurePassword)
	default:
		return d.failure(StepLogin, fmt.Errorf("the relay offers none of PLAIN and LOGIN, but %s", printable(mechanisms)))
	}
	if err := d.client.Auth(login); err != nil {
		return d.failure(StepLogin, err)
	}
	return nil
}

// tlsVersion returns the version of TLS, or "" without TLS.
func (d *dialogue) tlsVersion() string {
	state, ok := d.client.TLSConnectionState()
	if !ok {
		return ""
	}
	return tls.VersionName(state.Version)
}

// send sends a message. The connection can be used for the next one unless
// broken is set.
func (d *dialogue) send(m *Message) (result Result, broken *Error) {
	result = Result{ID: m.ID, TLS: d.tlsVersion()}
	body, err := m.encode()
	if err != nil {
		result.Err = d.failure(StepData, err)
		result.Err.Permanent = true
		return result, nil
	}
	failure := d.sendBody(m, body, &result)
	if failure == nil {
		return result, nil
	}
	if failure.Reply == "" && !failure.Permanent || strings.HasPrefix(failure.Reply, "421") {
		return result, failure
	}
	result.Err = failure
	d.beginStep()
	if err := d.client.Reset(); err != nil {
		return result, d.failure(failure.Step, err)
	}
	return result, nil
}

// sendBody sends an encoded message and completes its result.
func (d *dialogue) sendBody(m *Message, body []byte, result *Result) *Error {
	if offered, text := d.client.Extension("SIZE"); offered {
		if limit, err := strconv.Atoi(text); err == nil && limit > 0 && len(body) > limit {
			return &Error{Step: StepData, Permanent: true, Cause: fmt.Errorf("the message has %d bytes, and the relay takes at most %d", len(body), limit)}
		}
	}
	sender, err := envelopeAddress(m.From.Address)
	if err != nil {
		return &Error{Step: StepSender, Permanent: true, Cause: err}
	}
	d.beginStep()
	if err := d.client.Mail(sender); err != nil {
		return d.failure(StepSender, err)
	}
	if failure := d.sendRecipients(m, result); failure != nil {
		return failure
	}
	d.beginStep()
	w, err := d.client.Data()
	if err != nil {
		return d.permanentFailure(StepData, err)
	}
	d.beginStep()
	if _, err := w.Write(body); err != nil {
		return d.failure(StepData, err)
	}
	d.beginStep()
	if err := w.Close(); err != nil {
		return d.permanentFailure(StepData, err)
	}
	if data, ok := w.(interface{ ServerResponse() string }); ok {
		result.Reply = "250 " + printable(data.ServerResponse())
	}
	return nil
}

// sendRecipients names the recipients. It fails if the relay refuses all of
// them. The failure is permanent if all refusals are.
func (d *dialogue) sendRecipients(m *Message, result *Result) *Error {
	for _, to := range m.To {
		address, err := envelopeAddress(to.Address)
		if err != nil {
			result.Refused = append(result.Refused, Refusal{to.Address, &Error{Step: StepRecipient, Recipient: to.Address, Permanent: true, Cause: err}})
			continue
		}
		d.beginStep()
		if err := d.client.Rcpt(address); err != nil {
			failure := d.permanentFailure(StepRecipient, err)
			failure.Recipient = to.Address
			if failure.Reply == "" || strings.HasPrefix(failure.Reply, "421") {
				return failure
			}
			result.Refused = append(result.Refused, Refusal{to.Address, failure})
		}
	}
	if len(result.Refused) < len(m.To) {
		return nil
	}
	if len(m.To) == 0 {
		return &Error{Step: StepRecipient, Permanent: true, Cause: errors.New("the message has no recipient")}
	}
	refused := result.Refused
	result.Refused = nil
	if i := slices.IndexFunc(refused, func(r Refusal) bool { return !r.Err.Permanent }); i >= 0 {
		return refused[i].Err
	}
	return refused[0].Err
}

// envelopeAddress returns an address in angle brackets for the dialogue, with its
// domain in ASCII.
func envelopeAddress(address string) (string, error) {
	local, domain, ok := cutLast(address, "@")
	if !ok || strings.ContainsAny(address, "<>\r\n") {
		return "", fmt.Errorf("%q is no e-mail address", address)
	}
	for i := range len(local) {
		if local[i] >= 0x80 {
			return "", fmt.Errorf("%s can only be delivered with the extension SMTPUTF8, which is not supported", address)
		}
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("the domain of %s: %w", address, err)
	}
	return "<" + local + "@" + ascii + ">", nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// quit ends the dialogue politely. The messages are sent, so what the relay says
// does not matter any more.
func (d *dialogue) quit() {
	d.beginStep()
	_ = d.client.Quit()
}

func (d *dialogue) close() {
	d.stopWatch()
	d.connection.Close()
}

// failure returns the failure of a step.
func (d *dialogue) failure(step string, err error) *Error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return &Error{Step: step, Reply: printable(strconv.Itoa(reply.Code) + " " + reply.Msg), Cause: err}
	}
	switch cause := d.ctx.Err(); {
	case cause != nil:
		err = cause
	case isTimeout(err):
		err = fmt.Errorf("no answer within %v", d.relay.timeout())
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the relay has closed the connection")
	}
	return &Error{Step: step, Cause: err}
}

// permanentFailure is failure for a step whose refusal with 5xx is final.
func (d *dialogue) permanentFailure(step string, err error) *Error {
	failure := d.failure(step, err)
	failure.Permanent = strings.HasPrefix(failure.Reply, "5")
	return failure
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// limitedConnection limits what a relay can send, because package textproto
// reads lines of any length.
type limitedConnection struct {
	net.Conn
	bytesLeft int
}

var errTooMuch = errors.New("the relay sends more than a dialogue needs")

// Read fails once the relay has sent too much.
func (c *limitedConnection) Read(p []byte) (int, error) {
	if c.bytesLeft <= 0 {
		return 0, errTooMuch
	}
	n, err := c.Conn.Read(p[:min(len(p), c.bytesLeft)])
	c.bytesLeft -= n
	return n, err
}
