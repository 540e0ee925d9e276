package auth

import (
	"net/url"
	"strings"
	"unicode"
)

// LocalTarget returns the page to show after a sign-in. path comes from a form
// or query. LocalTarget returns it if it is a page of this server, else "/". It
// refuses paths that a browser could take for another host, and the pages of
// the sign-in.
func LocalTarget(path string) string {
	const front = "/"
	page, _, _ := strings.Cut(path, "?")
	if !strings.HasPrefix(page, "/") || strings.HasPrefix(page, "//") || strings.Contains(page, `\`) ||
		strings.ContainsFunc(path, unicode.IsControl) {
		return front
	}
	for _, signIn := range []string{"/session", "/auth", "/sso"} {
		if page == signIn || strings.HasPrefix(page, signIn+"/") {
			return front
		}
	}
	if u, err := url.Parse(path); err != nil || u.Scheme != "" || u.Host != "" {
		return front
	}
	return path
}
