package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"trento/store/landscape"
)

// request is a request to the server.
type request struct {
	path       string
	body       []byte
	wantStatus int // the status that means success for an agent
}

func reportRequest(r Report) request {
	return request{"/api/v1/collect", r.Body, http.StatusAccepted}
}

func heartbeatRequest(id landscape.HostID) request {
	return request{"/api/v1/hosts/" + string(id) + "/heartbeat", nil, http.StatusNoContent}
}

// sender sends requests like agents, without repeating any. It is safe for
// concurrent use.
type sender struct {
	client     *http.Client
	server     string
	key        string
	stats      *stats
	cancelFeed context.CancelCauseFunc
	slots      chan struct{} // limits the concurrent requests
}

// requestTimeout is the timeout that agents use.
const requestTimeout = 30 * time.Second

func newSender(o FeedOptions, giveUp context.CancelCauseFunc) *sender {
	client := o.Client
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = maxRequests
		transport.TLSClientConfig = o.TLS.Clone()
		client = &http.Client{Transport: transport, Timeout: requestTimeout}
	}
	return &sender{
		client:     client,
		server:     strings.TrimRight(o.Server, "/"),
		key:        o.APIKey,
		stats:      newStats(o.Hosts),
		cancelFeed: giveUp,
		slots:      make(chan struct{}, maxRequests),
	}
}

// run sends the requests of one host, one after the other.
func (s *sender) run(ctx context.Context, requests []request) {
	for _, r := range requests {
		if s.post(ctx, r); ctx.Err() != nil {
			return
		}
	}
}

// post sends a request and counts the answer. An error means that it was not
// accepted. An interrupted request counts neither as a success nor as a failure.
func (s *sender) post(ctx context.Context, r request) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.slots }()
	began := time.Now()
	status, failure := s.send(ctx, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.stats.add(r, status, time.Since(began), failure)
	if status == http.StatusUnauthorized && s.stats.nothingAccepted() {
		s.cancelFeed(ErrKey)
	}
	if failure != "" {
		return errors.New(failure)
	}
	return nil
}

// send sends a request. status is 0 if there was no answer. failure is "" if
// the request has succeeded.
func (s *sender) send(ctx context.Context, r request) (status int, failure string) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, s.server+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, err.Error()
	}
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("X-Trento-Apikey", s.key)
	answer, err := s.client.Do(post)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	const maxText = 4096
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxText))
	if answer.StatusCode == r.wantStatus {
		return r.wantStatus, ""
	}
	return answer.StatusCode, fmt.Sprintf("%s: %s %s", r.path, answer.Status, bytes.TrimSpace(text))
}
