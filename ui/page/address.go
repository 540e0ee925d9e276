package page

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"trento/auth"
	"trento/store"
)

// PathVar is a part of the address of a request, by its name in the route.
func PathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

// Here is the address of the page itself: of a GET its path and query.
func Here(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return (&url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}).RequestURI()
}

// BackTo is here, without the query where that is very long.
func BackTo(r *http.Request) string {
	if address := Here(r); len(address) <= maxBack {
		return address
	}
	return (&url.URL{Path: r.URL.Path}).RequestURI()
}

// maxBack is the longest address a row of a list remembers, in bytes: there
// may be a hundred rows.
const maxBack = 2000

// WithReturn is the address of a dialog that is opened from this page and leads
// back to it.
func WithReturn(dialog string, r *http.Request) string {
	return WithQuery(dialog, url.Values{"return_to": {BackTo(r)}})
}

// ReturnFrom is where a dialog leads back to, the page that it was opened from
// or elsewhere where its address names none, and the address of its form.
func ReturnFrom(r *http.Request, elsewhere string) (back, action string) {
	asked := r.URL.Query().Get("return_to")
	if asked == "" {
		return elsewhere, r.URL.Path
	}
	back = auth.LocalTarget(asked)
	return back, WithQuery(r.URL.Path, url.Values{"return_to": {back}})
}

func WithQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func AddressOf(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// Actor is the user of a request as the author of a change.
func Actor(ctx context.Context) store.Actor { return auth.From(ctx).Actor() }
