package page

import (
	"encoding/base64"
	"net/http"
	"unicode/utf8"

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

// cookieFlash carries what was done over the redirect that follows a form, to
// the page that says so.
const cookieFlash = "trento-news"

// maxFlash is the length of a sentence, in characters, that fits a cookie in
// any script.
const maxFlash = 600

// SetFlash lets the next page say something.
func (s *Console) SetFlash(w http.ResponseWriter, r *http.Request, text string) {
	if runes := []rune(text); len(runes) > maxFlash {
		text = string(runes[:maxFlash-1]) + "…"
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieFlash, Value: base64.RawURLEncoding.EncodeToString([]byte(text)), Path: "/",
		SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), HttpOnly: true,
	})
}

// takeFlash is what this page is to say; the next one does not say it again.
func takeFlash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(cookieFlash)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: cookieFlash, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}
