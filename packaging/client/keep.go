package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// keptAnswers are answers that a server can confirm instead of sending them
// again. A nil *keptAnswers keeps nothing.
type keptAnswers struct {
	mu     sync.Mutex
	byPath map[string]keptAnswer // by path and query
}

type keptAnswer struct {
	etag   string
	header http.Header
	body   []byte
}

// KeepAnswers makes the server confirm lists that have not changed (ETag)
// instead of sending them again. It is for programs that ask again and again.
func (s *Server) KeepAnswers() { s.kept = &keptAnswers{byPath: make(map[string]keptAnswer)} }

// ask makes a request conditional if there is an answer to it.
func (k *keptAnswers) ask(r *http.Request) {
	if k == nil || r.Method != http.MethodGet {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept, ok := k.byPath[r.URL.RequestURI()]; ok {
		r.Header.Set("If-None-Match", kept.etag)
	}
}

// keep keeps the answer to a request if it has an ETag.
func (k *keptAnswers) keep(r *http.Request, answer *http.Response) error {
	etag := answer.Header.Get("ETag")
	if k == nil || etag == "" || r.Method != http.MethodGet {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		return fmt.Errorf("answer of the server: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byPath[r.URL.RequestURI()] = keptAnswer{etag, answer.Header, body}
	return nil
}

// answer returns the kept answer in place of one that confirms it.
func (k *keptAnswers) answer(r *http.Request, confirmation *http.Response) *http.Response {
	confirmation.Body.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.byPath[r.URL.RequestURI()]
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: confirmation.Proto, ProtoMajor: confirmation.ProtoMajor, ProtoMinor: confirmation.ProtoMinor,
		Header: kept.header, Body: io.NopCloser(bytes.NewReader(kept.body)), ContentLength: int64(len(kept.body)), Request: r,
	}
}
