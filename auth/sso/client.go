package sso

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The limits of one request to a provider.
const (
	requestTimeout = 10 * time.Second
	maxAnswerSize  = 1 << 20 // largest size of an answer, in bytes
	maxRedirects   = 5
)

// newClient returns the client for requests to a provider. It limits time and
// size of answers, and follows no redirect from HTTPS to HTTP.
func newClient() *http.Client {
	return &http.Client{
		Timeout:   requestTimeout,
		Transport: limitedTransport{http.DefaultTransport},
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

// limitedTransport limits the size of answers, because libraries read whole
// answers into memory.
type limitedTransport struct{ http.RoundTripper }

func (t limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &limitedBody{answer.Body, maxAnswerSize}
	}
	return answer, err
}

type limitedBody struct {
	io.ReadCloser
	bytesLeft int64 // bytes that may still be read; negative if there were more
}

var errAnswerTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswerSize)

// Read fails if the body is longer than the limit. Ending the body there would
// make a cut answer look complete.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.bytesLeft < 0 {
		return 0, errAnswerTooLong
	}
	if int64(len(p)) > b.bytesLeft+1 {
		p = p[:b.bytesLeft+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.bytesLeft -= int64(n); b.bytesLeft < 0 {
		return n - 1, errAnswerTooLong
	}
	return n, err
}
