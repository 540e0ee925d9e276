package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Refusal is an answer of the server other than success.
type Refusal struct {
	Status     int
	Problems   []Problem
	RequestID  string // id of the request in the log of the server
	RetryAfter string // seconds to wait before trying again; "" if the server does not say
	Location   string // target of a redirect
	Needs      *Needs // what the operation demands, if the status is 403 and the server says so
}

// Problem is one reason of a refusal.
type Problem struct {
	Title, Detail string
	Source        struct{ Pointer string } // the faulty parameter or field
}

// maxRefusalBytes is the largest refusal that is read.
const maxRefusalBytes = 64 << 10

// readRefusal reads an answer that is not a success.
func readRefusal(answer *http.Response) *Refusal {
	r := &Refusal{
		Status: answer.StatusCode, RequestID: answer.Header.Get("X-Request-Id"),
		RetryAfter: answer.Header.Get("Retry-After"), Location: answer.Header.Get("Location"),
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusalBytes))
	var body struct{ Errors []Problem }
	if json.Unmarshal(text, &body) == nil {
		r.Problems = body.Errors
	} else if strings.Contains(string(text), "HTTP request to an HTTPS server") {
		r.Problems = []Problem{{Detail: "the server speaks https at this port; write https:// in its address"}}
	}
	return r
}

// Error says what went wrong.
func (r *Refusal) Error() string {
	text := r.reason()
	if r.RetryAfter != "" {
		text += "; try again in " + r.RetryAfter + " s"
	}
	if r.RequestID != "" && r.Status != http.StatusUnauthorized {
		text += " (request " + r.RequestID + ")"
	}
	return text
}

func (r *Refusal) reason() string {
	switch {
	case r.Status == http.StatusUnauthorized:
		return "the server does not accept the token: it was deleted, has expired, or is for another server"
	case r.Status == http.StatusForbidden && r.Needs != nil:
		return "not permitted: " + r.Needs.String()
	case r.Status == http.StatusForbidden:
		return "not permitted: the user lacks a permission, or the token was not made for this"
	case r.Status < 400:
		return "the server sends this on to " + cmp.Or(r.Location, "another address") + "; use the address that it is reached at without a detour"
	case len(r.Problems) == 0:
		return fmt.Sprintf("the server answers %d %s", r.Status, http.StatusText(r.Status))
	}
	details := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		details[i] = cmp.Or(p.Detail, p.Title)
		if field := strings.TrimPrefix(p.Source.Pointer, "/"); field != "" {
			details[i] = field + ": " + details[i]
		}
	}
	return strings.Join(details, "; ")
}

// Unreachable means that a server gave no answer.
type Unreachable struct {
	Address string
	Reason  string // for users, with advice
	err     error
}

func (u *Unreachable) Error() string { return "no answer from " + u.Address + ": " + u.Reason }

// Unwrap returns the cause.
func (u *Unreachable) Unwrap() error { return u.err }

// unreachableError returns the error for a request without an answer.
func (s *Server) unreachableError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	address := cmp.Or(s.options.Socket, s.options.Address)
	return &Unreachable{Address: address, Reason: s.unreachableReason(err), err: err}
}

func (s *Server) unreachableReason(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		dns       *net.DNSError
		network   net.Error
		cause     *url.Error
	)
	switch {
	case errors.As(err, &authority):
		return "its certificate is from an authority that this machine does not know; name the file with that authority with --ca or TRENTO_CA_FILE"
	case errors.As(err, &name):
		return name.Error()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet; compare the clocks of both machines, then renew it"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it speaks http at this port, not https; write http:// in its address"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name " + dns.Name + " is not known"
	case s.options.Socket != "" && errors.Is(err, fs.ErrPermission):
		return "only root and the user of the server may ask it there"
	case s.options.Socket != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return "no server is running there"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at this port"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "it took too long"
	case errors.As(err, &cause):
		return cause.Err.Error()
	}
	return err.Error()
}
