package page

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"trento/ui/api"
)

// RequestID names a request in the log and on error pages.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

type requestKey struct{}

// NameRequest gives every request its id.
func NameRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := uuid.NewString()
		w.Header().Set(api.RequestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}
