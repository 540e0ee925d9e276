package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// answerCache holds answers with their ETags, so that the server need not send
// an unchanged answer again. A nil *answerCache holds nothing.
type answerCache struct {
	mu     sync.Mutex
	byPath map[string]cachedAnswer // by path and query of the request
}

type cachedAnswer struct {
	etag   string
	header http.Header
	body   []byte
}

// KeepAnswers makes the client cache answers that have an ETag. It is for
// programs that request the same lists again and again.
func (s *Server) KeepAnswers() { s.cache = &answerCache{byPath: make(map[string]cachedAnswer)} }

// makeConditional adds the ETag of the cached answer to a request, if there is
// one.
func (k *answerCache) makeConditional(r *http.Request) {
	if k == nil || r.Method != http.MethodGet {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept, ok := k.byPath[r.URL.RequestURI()]; ok {
		r.Header.Set("If-None-Match", kept.etag)
	}
}

// store adds the answer to a request to the cache if the answer has an ETag.
func (k *answerCache) store(r *http.Request, answer *http.Response) error {
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
	k.byPath[r.URL.RequestURI()] = cachedAnswer{etag, answer.Header, body}
	return nil
}

// cachedResponse returns the cached answer in place of an answer with status
// 304.
func (k *answerCache) cachedResponse(r *http.Request, confirmation *http.Response) *http.Response {
	confirmation.Body.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.byPath[r.URL.RequestURI()]
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: confirmation.Proto, ProtoMajor: confirmation.ProtoMajor, ProtoMinor: confirmation.ProtoMinor,
		Header: kept.header, Body: io.NopCloser(bytes.NewReader(kept.body)), ContentLength: int64(len(kept.body)), Request: r,
	}
}
