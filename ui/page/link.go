package page

import (
	"cmp"
	"net/http"
	"net/url"

	"trento/auth"
)

// Here returns the address of the page: path and query of a GET.
func Here(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return (&url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}).RequestURI()
}

// ReturnFrom returns the address to which a dialog leads back, and the address
// of its form. It leads back to the page that opened it, or to elsewhere if the
// address does not name that page.
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

// Link is a name with the address of its page. Without a page, Gone says why;
// it is empty for texts that never have one. Whole is the full name if Name is
// shortened.
type Link struct{ Name, URL, Gone, Whole string }

// FullName returns the name in full.
func (l Link) FullName() string { return cmp.Or(l.Whole, l.Name) }

// ActionLink is a link to something that the reader can do next.
type ActionLink struct{ Label, URL string }
