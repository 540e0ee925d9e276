package page

import (
	"net/http"

	"trento/auth"
)

// Banner is a sentence above every page, until what it speaks of is over.
type Banner struct {
	Severity  string // "info", "warning" or "critical"
	Text      string
	Link      Link
	Dismissal string // names it to be put away for this browser; empty where it stays
}

// CookieBanner names the banner that was put away last.
const CookieBanner = "trento-notice"

// DismissBanner answers POST /banners/dismiss: put a banner away until the
// browser is closed.
func (s *Console) DismissBanner(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, &http.Cookie{
		Name: CookieBanner, Value: r.PostForm.Get("banner"), Path: "/", SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), HttpOnly: true,
	})
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}
