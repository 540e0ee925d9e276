package ui

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/felixge/httpsnoop"

	"trento/auth"
	"trento/store/fault"
	"trento/ui/account"
	"trento/ui/api"
	"trento/ui/metrics"
	"trento/ui/page"
)

// The middlewares wrap the router from outside. Middlewares of the router
// itself would not run for unknown addresses, and those requests need an id, a
// log line and security headers as well.

// middleware wraps a handler.
type middleware func(http.Handler) http.Handler

// chain wraps a handler in middlewares, the first outermost.
func chain(h http.Handler, around ...middleware) http.Handler {
	for i := len(around) - 1; i >= 0; i-- {
		h = around[i](h)
	}
	return h
}

// logRequests logs one line for each request, and answers if a handler panics.
// Agents send requests every few seconds, so their successful ones are logged
// at debug level.
func (s *server) logRequests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer httpsnoop.Metrics
		r, route := metrics.WithRoute(r)
		answer.CaptureMetrics(w, func(w http.ResponseWriter) {
			defer s.recoverPanic(w, r, &answer)
			next.ServeHTTP(w, r)
		})
		if answer.Code == 0 {
			answer.Code = http.StatusOK
		}
		s.Metrics.Answered(*route, r.Method, answer.Code, answer.Duration)
		level := slog.LevelInfo
		if r.Header.Get("X-Trento-Apikey") != "" && answer.Code < http.StatusBadRequest {
			level = slog.LevelDebug
		}
		s.Log.LogAttrs(r.Context(), level, "request",
			slog.String("id", page.RequestID(r.Context())), slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", answer.Code), slog.Int64("bytes", answer.Written), slog.Duration("took", answer.Duration))
	})
}

// recoverPanic logs a panic and answers with an internal error.
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
		panic(http.ErrAbortHandler) // part of the answer is sent; a broken answer is better than a wrong one
	}
	http.Error(w, "internal error, request "+page.RequestID(r.Context()), http.StatusInternalServerError)
}

// contentPolicy permits files of this server only: no inline scripts or styles,
// no other origins, no frames. The icon is an image inside the page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secureHeaders sets the security headers of every answer. A handler can
// replace them.
func (s *server) secureHeaders(next http.Handler) http.Handler {
	strict := fmt.Sprintf("max-age=%d", int(s.HSTSMaxAge.Seconds()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if s.HSTSMaxAge > 0 && s.Auth.IsHTTPS(r) {
			h.Set("Strict-Transport-Security", strict)
		}
		next.ServeHTTP(w, r)
	})
}

// limitBodies gives a request a few seconds to send its body. Handlers extend
// that for clients that are permitted.
func limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			api.ExpectBody(w)
		}
		next.ServeHTTP(w, r)
	})
}

// limitTokens refuses requests whose personal access token is used too often.
// The answers to requests with a token say how often it can still be used, in
// the two header fields of the current draft of the IETF
// (draft-ietf-httpapi-ratelimit-headers): the older X-RateLimit fields mean
// something else with every server. Agents and people show no such token.
func (s *server) limitTokens(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		quota, ok := s.Auth.UseToken(auth.From(r.Context()))
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("RateLimit-Policy", fmt.Sprintf(`"token";q=%d;w=60`, quota.PerMinute))
		h.Set("RateLimit", fmt.Sprintf(`"token";r=%d;t=%d`, quota.Remaining, quota.FullAfter))
		if quota.RetryAfter > 0 {
			h.Set("Retry-After", strconv.Itoa(quota.RetryAfter))
			s.api.Fail(w, r, errTokenUsedTooOften)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var errTokenUsedTooOften = &fault.Error{Kind: fault.TooOften, Detail: "This token is used too often. Try again after the seconds in Retry-After."}

// refuseCrossOrigin refuses unsafe requests that another site caused. It checks
// only requests that a cookie identifies: no other site can make a browser send
// a header with a token or key. If such a header is wrong, but a cookie
// identifies the user, the request is checked.
func (s *server) refuseCrossOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if s.Auth.SAML() != nil {
		for _, path := range account.SAMLInbox() {
			protection.AddInsecureBypassPattern("POST " + path)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) {
			s.api.Fail(w, r, auth.ErrForbidden)
			return
		}
		s.answerError(w, r, page.ErrCrossOrigin)
	}))
	guarded := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) && !isMCP(r) && !isIdentifiedByCookie(auth.From(r.Context())) {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// isIdentifiedByCookie reports whether the user is identified by a cookie. Browsers send
// cookies with requests that other sites cause, too.
func isIdentifiedByCookie(id *auth.Identity) bool { return id != nil && id.Via == auth.ViaSession }

// isAPI reports whether a request is for a room of programs and not for the
// console, by the first segment of its path as it was sent. Escaped slashes and
// dots are part of names. Repeated slashes are ignored, because some agents send
// them.
func isAPI(r *http.Request) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(r.URL.EscapedPath(), "/"), "/")
	return auth.IsProgramRoom(first)
}
