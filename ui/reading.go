package ui

import (
	"bytes"
	"context"
	"net/http"
	"path"
	"strings"

	"trento/ui/page"
)

// oneRead makes a page with one read of the store, from the session to the
// frame, so that all it shows was true at one moment. The answer is sent when
// the read is over: a slow client shall not hold it open.
func (s *server) oneRead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !page.Reads(r) || isAPI(r) || readsByItself(r) {
			next.ServeHTTP(w, r)
			return
		}
		answer := &heldAnswer{ResponseWriter: w, status: http.StatusOK}
		if err := s.Store.Reading(r.Context(), func(ctx context.Context) error {
			next.ServeHTTP(answer, r.WithContext(ctx))
			return nil
		}); err != nil {
			s.fail(w, r, err)
			return
		}
		w.WriteHeader(answer.status)
		if _, err := w.Write(answer.body.Bytes()); page.IgnoreGone(err) != nil {
			s.Log.Debug("an answer was not sent", "id", page.RequestID(r.Context()), "error", err)
		}
	})
}

// readsByItself reports whether a request is answered with reads of its own: the
// stream of events and downloads, which are sent piece by piece, and the log of
// the uses of tokens, which first writes down those that wait in memory.
func readsByItself(r *http.Request) bool {
	switch path.Ext(r.URL.Path) {
	case ".csv", ".jsonl":
		return true
	}
	return r.URL.Path == "/events" || strings.HasSuffix(r.URL.Path, "/tokens/log") || strings.HasPrefix(r.URL.Path, "/static/")
}

// heldAnswer keeps an answer back.
type heldAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (a *heldAnswer) WriteHeader(status int) { a.status = status }

func (a *heldAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }
