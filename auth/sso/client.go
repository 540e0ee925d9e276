package sso

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The bounds of what a provider can cost us.
const (
	requestTimeout = 10 * time.Second
	maxAnswer      = 1 << 20 // bytes of one answer
	maxRedirects   = 5
)

// newClient makes the client for requests to a provider: it waits and reads only
// so long, and does not let itself be led from HTTPS to HTTP.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   requestTimeout,
		Transport: boundedTransport{http.DefaultTransport},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			switch {
			case len(via) >= maxRedirects:
				return fmt.Errorf("more than %d redirects", maxRedirects)
			case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
				return errors.New("a redirect from https to http")
			}
			return nil
		},
	}
}

// boundedTransport bounds the size of answers. Libraries read them whole.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

// Read fails where the body goes on behind its bound: an answer that is cut off
// must not look complete.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, errTooLong
	}
	return n, err
}
