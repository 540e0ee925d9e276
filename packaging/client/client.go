// Package client sends requests to the API of a Trento server. client.gen.go is
// generated from the API document of the server, for the operations that the
// commands use. The rest of the package connects to the server, sends the
// token, and turns failures into messages for users.
package client

//go:generate go test -run ^TestGenerated$ . -update

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Options choose the server and the token.
type Options struct {
	Address string // address of the server, such as "https://trento.example.com:4000"
	Token   string // personal access token; "" sends none
	CAFile  string // certificates to trust, in PEM format; "" trusts those of the system
	// Socket is the Unix socket at which a server on this machine answers. It
	// replaces Address, and needs no token.
	Socket string
	Agent  string // name and version of the program, for the log of the server
}

// Server is the client of one server. Its methods, one for each operation, fail
// with *Refusal if the server refuses the request, and with *Unreachable if it
// does not answer.
type Server struct {
	*ClientWithResponses

	options Options
	http    *http.Client
	cache   *answerCache // nil unless KeepAnswers was called
}

// answerTimeout is how long the header of an answer may take.
const answerTimeout = 60 * time.Second

// New returns the client of a server. It sends nothing yet.
func New(o Options) (*Server, error) {
	transport, err := newTransport(o)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, http: &http.Client{
		Transport: transport,
		// A redirect to another server would send it the token. Operations of
		// the API never redirect, so a redirect counts as a refusal.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if o.Socket != "" {
		s.options.Address, s.options.Token = "http://localhost", ""
	} else if s.options.Address, err = CheckAddress(o.Address); err != nil {
		return nil, err
	}
	s.ClientWithResponses, err = NewClientWithResponses(s.options.Address, WithHTTPClient(s))
	return s, err
}

// newTransport returns the transport to a server.
func newTransport(o Options) (*http.Transport, error) {
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: answerTimeout,
		IdleConnTimeout:       30 * time.Second,
	}
	if o.Socket != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", o.Socket)
		}
	}
	if o.CAFile != "" {
		roots, err := ReadCertificates(o.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return transport, nil
}

// ReadCertificates reads a file with certificates in PEM format.
func ReadCertificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM format", file)
	}
	return pool, nil
}

// CheckAddress returns the address of a server in its usual form: scheme, host
// and, if there is one, port.
func CheckAddress(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("%q is not the address of a server; write https://HOST:PORT", text)
	case u.User != nil:
		return "", errors.New("the address of a server contains no user and no password")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%q has more than scheme, host and port; write %s://%s", text, u.Scheme, u.Host)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// Address returns the address of the server in its usual form.
func (s *Server) Address() string { return s.options.Address }

// Do sends a request. It fails with *Refusal unless the answer is a success.
func (s *Server) Do(r *http.Request) (*http.Response, error) {
	if s.options.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.options.Token)
	}
	if s.options.Agent != "" {
		r.Header.Set("User-Agent", s.options.Agent)
	}
	s.cache.makeConditional(r)
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, s.unreachableError(err)
	}
	switch {
	case answer.StatusCode == http.StatusNotModified && s.cache != nil:
		return s.cache.cachedResponse(r, answer), nil
	case answer.StatusCode == http.StatusNoContent:
		return answer, nil
	case answer.StatusCode < 300 && isAPIContentType(answer.Header.Get("Content-Type")):
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), eventStream) { // which has no end
			answer.Body = limitedBody{io.LimitReader(answer.Body, maxAnswerBytes), answer.Body}
		}
		return answer, s.cache.store(r, answer)
	}
	defer answer.Body.Close()
	if answer.StatusCode < 300 {
		return nil, &Unreachable{Address: s.options.Address, Reason: "what answers there is no Trento server; is there a reverse proxy with a sign-in of its own?"}
	}
	refusal := readRefusal(answer)
	if refusal.Status == http.StatusForbidden {
		refusal.Needs = s.readNeeds(r.Context(), r.Method, r.URL.Path)
	}
	return nil, refusal
}

// maxAnswerBytes is the largest answer that is read.
const maxAnswerBytes = 256 << 20

// limitedBody is the body of an answer, of which at most maxAnswerBytes are
// read.
type limitedBody struct {
	io.Reader
	io.Closer
}

// isAPIContentType reports whether answers of the API can have a content type.
// Other content types come from a proxy or another program.
func isAPIContentType(contentType string) bool {
	return strings.HasPrefix(contentType, "application/json") || strings.HasPrefix(contentType, eventStream)
}

// WithQuery adds parameters to the query of a request.
func WithQuery(parameters url.Values) RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		query := r.URL.Query()
		for name, values := range parameters {
			query[name] = append(query[name], values...)
		}
		r.URL.RawQuery = query.Encode()
		return nil
	}
}

// Reach fails with *Unreachable unless the server answers. It does not check
// the token.
func (s *Server) Reach(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.Address+"/api/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := s.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
