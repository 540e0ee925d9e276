package page

import (
	"cmp"
	"net/http"
	"net/url"

	"trento/auth"
)

// Here is the address of the page itself: of a GET its path and query.
func Here(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return (&url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}).RequestURI()
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

// Link is a name that leads to the page of what it names. Where there is no
// such page, Gone says why; a text that never leads anywhere has neither.
// Whole is the name where Name is the beginning of it.
type Link struct{ Name, URL, Gone, Whole string }

// FullName is the name in full.
func (l Link) FullName() string { return cmp.Or(l.Whole, l.Name) }

// ActionLink is a link out of a dead end.
type ActionLink struct{ Label, URL string }
