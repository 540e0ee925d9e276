package ui

import (
	"bytes"
	"context"
	"net/http"
	"path"
	"strings"

	"trento/ui/page"
)

// inOneRead runs the handler of a page inside one read transaction, so that
// everything on the page is of the same moment. The answer is sent after the
// transaction, so that a slow client cannot keep it open.
func (s *server) inOneRead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !page.IsReadOnly(r) || isAPI(r) || needsOwnReads(r) || s.account.NeedsOwnReads(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		answer := &bufferedAnswer{ResponseWriter: w, status: http.StatusOK}
		if err := s.Store.Reading(r.Context(), func(ctx context.Context) error {
			next.ServeHTTP(answer, r.WithContext(ctx))
			return nil
		}); err != nil {
			s.answerError(w, r, err)
			return
		}
		w.WriteHeader(answer.status)
		if _, err := w.Write(answer.body.Bytes()); page.IgnoreGone(err) != nil {
			s.Log.Debug("an answer was not sent", "id", page.RequestID(r.Context()), "error", err)
		}
	})
}

// needsOwnReads reports whether the handler of a request uses transactions of
// its own. The event stream and downloads do, because they are sent piece by
// piece, and the authentication log, which first writes the uses that are in
// memory.
func needsOwnReads(r *http.Request) bool {
	switch path.Ext(r.URL.Path) {
	case ".csv", ".jsonl":
		return true
	}
	return r.URL.Path == "/events" || r.URL.Path == "/wall/events" || strings.HasSuffix(r.URL.Path, "/tokens/log") || strings.HasPrefix(r.URL.Path, "/static/")
}

// bufferedAnswer keeps an answer in memory until it is sent.
type bufferedAnswer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (a *bufferedAnswer) WriteHeader(status int) { a.status = status }

func (a *bufferedAnswer) Write(b []byte) (int, error) { return a.body.Write(b) }
