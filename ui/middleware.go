package ui

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/felixge/httpsnoop"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// The outer chain stands around the router, not in it: the router runs
// nothing of its own for an address it does not know, and a refused request
// deserves an id, a log line and its headers, too.

// middleware wraps a handler.
type middleware func(http.Handler) http.Handler

// chain wraps a handler in middlewares, the first outermost.
func chain(h http.Handler, around ...middleware) http.Handler {
	for i := len(around) - 1; i >= 0; i-- {
		h = around[i](h)
	}
	return h
}

// logRequests writes one line a request, and answers where a handler panics.
// Agents come every few seconds, so the line of one that was served is for
// debugging.
func (s *server) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer httpsnoop.Metrics
		answer.CaptureMetrics(w, func(w http.ResponseWriter) {
			defer s.recoverPanic(w, r, &answer)
			next.ServeHTTP(w, r)
		})
		if answer.Code == 0 {
			answer.Code = http.StatusOK
		}
		level := slog.LevelInfo
		if r.Header.Get("X-Trento-Apikey") != "" && answer.Code < http.StatusBadRequest {
			level = slog.LevelDebug
		}
		s.Log.LogAttrs(r.Context(), level, "request",
			slog.String("id", page.RequestID(r.Context())), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", answer.Code), slog.Int64("bytes", answer.Written), slog.Duration("took", answer.Duration))
	})
}

// recoverPanic turns a panic into a fault that is answered and logged.
func (s *server) recoverPanic(w http.ResponseWriter, r *http.Request, answer *httpsnoop.Metrics) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	s.Log.Error("panic", "id", page.RequestID(r.Context()), "cause", cause, "stack", string(debug.Stack()))
	if answer.Code != 0 || answer.Written > 0 {
		panic(http.ErrAbortHandler) // half an answer is out: better none than a false one
	}
	http.Error(w, "internal error, request "+page.RequestID(r.Context()), http.StatusInternalServerError)
}

// contentPolicy lets a page load what this server serves as a file and
// nothing else: no inline script or style, no other origin, no frame. The one
// picture, the icon of the page, is in the page itself.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secureHeaders sets what every answer carries. A handler may set its own.
func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// limitBodies closes requests whose bodies do not come: whoever sends a body
// has a few seconds, and more only once it is known that they may.
func limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			api.ExpectBody(w)
		}
		next.ServeHTTP(w, r)
	})
}

// refuseCrossOrigin refuses unsafe requests that another site made a browser
// send. Who is identified by a header is not concerned: no site can make a
// browser add one. What counts is what identifies, not what is there: a header
// that proves nothing leaves it to the cookie.
func (s *server) refuseCrossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) {
			s.api.Fail(w, r, auth.ErrForbidden)
			return
		}
		s.fail(w, r, page.ErrCrossOrigin)
	}))
	guarded := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) && !byCookie(auth.From(r.Context())) {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// byCookie reports whether somebody is identified by a cookie, which browsers
// send whoever asks them to.
func byCookie(id *auth.Identity) bool { return id != nil && id.Via == auth.ViaSession }

// isAPI reports whether a request is for package api: by the first segment of
// its path as it was sent, since what is escaped, or climbs up, is part of the
// names in it. Agents are known to put a slash too many in front.
func isAPI(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(r.URL.EscapedPath(), "/"), "/")
	return first == "api"
}
