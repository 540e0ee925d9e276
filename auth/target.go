package auth

import (
	"net/url"
	"strings"
	"unicode"
)

// LocalTarget is where to go after a sign-in that was asked for with a path,
// query included: there, if it is a page of this server, else the front page.
// A path that a browser could take for another host is none, nor are the
// pages of the sign-in itself, which would send back and forth.
func LocalTarget(path string) string {
	const front = "/"
	page, _, _ := strings.Cut(path, "?")
	if !strings.HasPrefix(page, "/") || strings.HasPrefix(page, "//") || strings.Contains(page, `\`) ||
		strings.ContainsFunc(path, unicode.IsControl) {
		return front
	}
	if page == "/session" || strings.HasPrefix(page, "/session/") {
		return front
	}
	if u, err := url.Parse(path); err != nil || u.Scheme != "" || u.Host != "" {
		return front
	}
	return path
}
