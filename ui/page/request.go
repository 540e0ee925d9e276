package page

import (
	"context"
	"net/http"
	"regexp"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
	"trento/ui/api"
)

// RequestID returns the id of a request, as in the log and on error pages.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

type requestKey struct{}

// NameRequests returns a middleware that gives every request an id, for the log
// and error pages. A request that is trusted, because it comes from our own
// proxy, keeps the id in its header, so that one id is in the logs of both.
func NameRequests(isTrusted func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := r.Header.Get(api.RequestIDHeader)
			if !requestIDPattern.MatchString(id) || !isTrusted(r) {
				id = uuid.NewString()
			}
			w.Header().Set(api.RequestIDHeader, id)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
		})
	}
}

// requestIDPattern matches the ids that proxies give, and nothing that would confuse
// the reader of a log.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:=/+-]{1,128}$`)

// PathVar returns a variable of the route's path.
func PathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

// Actor returns the user of a request as the one who makes a change.
func Actor(ctx context.Context) store.Actor { return auth.From(ctx).Actor() }
