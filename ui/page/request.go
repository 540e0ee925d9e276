package page

import (
	"context"
	"net/http"

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

// NameRequest gives every request an id, for the log and error pages.
func NameRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.NewString()
		w.Header().Set(api.RequestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// PathVar returns a variable of the route's path.
func PathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

// Actor returns the user of a request as the one who makes a change.
func Actor(ctx context.Context) store.Actor { return auth.From(ctx).Actor() }
