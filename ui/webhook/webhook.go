// Package webhook sends alerts to a web service of the customer, such as a chat
// or an incident manager, as JSON in a POST request. It has no queue and repeats
// nothing: package server decides what is sent when.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// Webhook is the address of a web service that receives alerts.
type Webhook struct {
	URL    string // https
	Secret string // signs the notices; "": they are not signed
	// RootCAs are the authorities that are trusted; nil: those of the system.
	RootCAs *x509.CertPool
	Now     func() time.Time // nil: time.Now
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

// SignatureHeader is the header with the signature of a notice: the time in
// seconds since 1970, and the HMAC-SHA256 of that time, a dot and the body. The
// receiver compares the signature, and refuses a time that is long ago.
const SignatureHeader = "Trento-Signature"

const (
	timeout       = 10 * time.Second // for a whole request
	maxAnswerSize = 64 << 10         // bytes of an answer that are read
)

// Error is why a notice was not delivered. It contains no address, because an
// address is all that is needed to write to some services.
type Error struct {
	Status int // of the answer; 0: there was none
	// Permanent: the service will not take the notice later either.
	Permanent bool
	Gone      bool  // the service does not want further notices
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

// Post sends a notice. It fails with an *Error unless the answer has a status of
// 200 to 299. Redirects are not followed.
func (w *Webhook) Post(ctx context.Context, n Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return &Error{Permanent: true, Cause: err}
	}
	address, err := url.Parse(w.URL)
	if err != nil || address.Scheme != "https" {
		return &Error{Permanent: true, Cause: errors.New("the address is not an https address")}
	}
	if host, err := netip.ParseAddr(address.Hostname()); err == nil && isRefused(host) {
		return &Error{Permanent: true, Cause: errRefusedAddress}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return &Error{Permanent: true, Cause: withoutURL(err)}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "trento-web")
	if w.Secret != "" {
		request.Header.Set(SignatureHeader, w.sign(body))
	}
	client := w.client()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return &Error{Cause: withoutURL(err)}
	}
	defer answer.Body.Close()
	// What the service says does not matter. An error of reading does not undo
	// that it has taken the notice.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswerSize))
	if answer.StatusCode >= 200 && answer.StatusCode <= 299 {
		return nil
	}
	return newStatusError(answer.StatusCode)
}

// newStatusError returns the error for an answer that is not a success. A
// service that answers 4xx does not like the notice, except for the statuses
// that ask to come back later, and for those that a change of its settings
// makes right.
func newStatusError(status int) *Error {
	later := status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests ||
		status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
	return &Error{Status: status, Permanent: status >= 400 && status <= 499 && !later, Gone: status == http.StatusGone}
}

// sign returns the signature of a body at this moment.
func (w *Webhook) sign(body []byte) string {
	now := time.Now
	if w.Now != nil {
		now = w.Now
	}
	seconds := strconv.FormatInt(now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(w.Secret))
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// client returns the client for one notice.
func (w *Webhook) client() *http.Client {
	dialer := net.Dialer{Timeout: timeout, Control: refuseAddress}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			DialContext:     dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: w.RootCAs, MinVersion: tls.VersionTLS12},
			// An answer of a megabyte of headers is no answer.
			MaxResponseHeaderBytes: maxAnswerSize,
			ForceAttemptHTTP2:      true,
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
