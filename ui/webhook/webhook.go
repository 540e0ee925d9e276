// Package webhook sends alerts and events to web services of the customer, such
// as a chat or an incident manager, as JSON in a POST request. It has no queue
// and repeats nothing: package server decides what is sent when.
//
// Messages are signed as the specification "Standard Webhooks" says, so that
// receivers can check them with its libraries.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Webhook is the address of a web service that receives messages.
type Webhook struct {
	URL string // https
	// Secrets sign the messages; none: they are not signed. There are several
	// while a secret is being replaced.
	Secrets []string
	// Client sends the messages; nil: a new one for each message. It must come
	// from NewClient.
	Client *http.Client
	Now    func() time.Time // nil: time.Now
}

// Notice is an alert in the form that the web service receives. Chats show its
// text and ignore the rest.
type Notice struct {
	ID       string    `json:"id"` // the same when a notice is sent again
	Type     string    `json:"type"`
	Severity string    `json:"severity"`
	Time     time.Time `json:"time"`
	Subject  string    `json:"subject"`
	Resource *Resource `json:"resource,omitempty"` // nil: the notice is about several things or none
	URL      string    `json:"url"`                // page of the console
	Text     string    `json:"text"`
}

// Resource is the thing that a notice is about.
type Resource struct {
	Type string `json:"type"` // such as host
	ID   string `json:"id"`
	Name string `json:"name"`
}

// The headers of messages. The receiver compares the signatures, refuses a time
// that is long ago, and ignores an id that it has seen before.
const (
	IDHeader        = "Webhook-Id"        // the same when a message is sent again
	TimestampHeader = "Webhook-Timestamp" // seconds since 1970
	SignatureHeader = "Webhook-Signature" // one "v1,…" for each secret, separated by spaces
)

// SecretPrefix is how secrets begin whose key is in Base64. The key of any other
// secret is its text.
const SecretPrefix = "whsec_"

const (
	timeout       = 10 * time.Second // for a whole request
	maxAnswerSize = 64 << 10         // bytes of an answer that are read
)

// Error is why a message was not delivered. It contains no address, because an
// address is all that is needed to write to some services.
type Error struct {
	Status int // of the answer; 0: there was none
	// Permanent: the service will not take the message later either.
	Permanent bool
	Gone      bool  // the service does not want further messages
	Cause     error // why there was no answer
}

// Error returns the status or the cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return "webhook: " + e.Cause.Error()
	}
	return fmt.Sprintf("webhook: the answer is %d %s", e.Status, http.StatusText(e.Status))
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Post sends a message as JSON. It returns the status of the answer; 0 if there
// was none. It fails with an *Error unless the status is 200 to 299. Redirects
// are not followed.
func (w *Webhook) Post(ctx context.Context, id string, message any) (status int, err error) {
	body, err := json.Marshal(message)
	if err != nil {
		return 0, &Error{Permanent: true, Cause: err}
	}
	address, err := url.Parse(w.URL)
	if err != nil || address.Scheme != "https" {
		return 0, &Error{Permanent: true, Cause: errors.New("the address is not an https address")}
	}
	if host, err := netip.ParseAddr(address.Hostname()); err == nil && isRefused(host) {
		return 0, &Error{Permanent: true, Cause: errRefusedAddress}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return 0, &Error{Permanent: true, Cause: withoutURL(err)}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "trento-web")
	w.sign(request.Header, id, body)
	client := w.Client
	if client == nil {
		client = NewClient(nil)
		defer client.CloseIdleConnections()
	}
	// A receiver can close a connection while it is reused. The message is then
	// sent again, which its id makes harmless. The header itself is not sent.
	request.Header["Idempotency-Key"] = nil
	answer, err := client.Do(request)
	if err != nil {
		return 0, &Error{Cause: withoutURL(err)}
	}
	defer answer.Body.Close()
	// What the service says does not matter. An error of reading does not undo
	// that it has taken the message.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswerSize))
	if answer.StatusCode >= 200 && answer.StatusCode <= 299 {
		return answer.StatusCode, nil
	}
	return answer.StatusCode, newStatusError(answer.StatusCode)
}

// newStatusError returns the error for an answer that is not a success. A
// service that answers 4xx does not like the message, except for the statuses
// that ask to come back later, and for those that a change of its settings
// makes right.
func newStatusError(status int) *Error {
	later := status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests ||
		status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
	return &Error{Status: status, Permanent: status >= 400 && status <= 499 && !later, Gone: status == http.StatusGone}
}

// sign sets the id of a message, the time, and the signatures of both and the
// body.
func (w *Webhook) sign(header http.Header, id string, body []byte) {
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	seconds := strconv.FormatInt(now().Unix(), 10)
	header.Set(IDHeader, id)
	header.Set(TimestampHeader, seconds)
	var signatures []string
	for _, secret := range w.Secrets {
		mac := hmac.New(sha256.New, keyOf(secret))
		mac.Write([]byte(id + "." + seconds + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if len(signatures) > 0 {
		header.Set(SignatureHeader, strings.Join(signatures, " "))
	}
}

// keyOf returns the key of a secret.
func keyOf(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, SecretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

// idleTimeout is how long a connection stays open for the next message.
const idleTimeout = 30 * time.Second

// NewClient returns a client for messages. It refuses link-local addresses and
// follows no redirects. rootCAs are the authorities that are trusted; nil: those
// of the system.
func NewClient(rootCAs *x509.CertPool) *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: refuseAddress}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			DialContext:     dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: rootCAs, MinVersion: tls.VersionTLS12},
			// An answer of a megabyte of headers is no answer.
			MaxResponseHeaderBytes: maxAnswerSize,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    4,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errRefusedAddress = errors.New("the address is link-local, and such addresses are refused")

// refuseAddress refuses connections to addresses under which clouds offer
// credentials of the machine, also where a name leads to them.
func refuseAddress(_, address string, _ syscall.RawConn) error {
	host, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if isRefused(host.Addr()) {
		return errRefusedAddress
	}
	return nil
}

func isRefused(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return address.IsLinkLocalUnicast() || address.IsMulticast() || address.IsUnspecified()
}

// withoutURL returns the cause of an error of package http, which repeats the
// address.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", timeout)
	}
	return err
}
