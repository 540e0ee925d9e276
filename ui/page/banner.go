package page

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"unicode/utf8"

	"trento/auth"
)

// Banner is a message above every page, shown as long as its reason exists.
type Banner struct {
	Severity  string // "info", "warning" or "critical"
	Text      string
	Link      Link
	Dismissal string // name under which this browser can dismiss it; empty: it cannot be dismissed
}

// failureBanners tells everybody what does not work at the moment.
func (s *Console) failureBanners() (banners []Banner) {
	for _, f := range s.Store.Failures().Present() {
		b := Banner{Severity: "warning", Text: fmt.Sprintf("%s Since %s. %s", f.Text(), f.Since.UTC().Format("15:04 UTC on 2 January"), f.Advice())}
		if f.Critical() {
			b.Severity = "critical"
		}
		banners = append(banners, b)
	}
	return banners
}

// CookieBanner is the cookie with the name of the dismissed banner.
const CookieBanner = "trento-notice"

// DismissBanner answers POST /banners/dismiss: it hides a banner until the
// browser is closed.
func (s *Console) DismissBanner(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, &http.Cookie{
		Name: CookieBanner, Value: r.PostForm.Get("banner"), Path: "/", SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), HttpOnly: true,
	})
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}

// cookieFlash is the cookie that carries a message to the page after a
// redirect.
const cookieFlash = "trento-news"

// maxFlash is the largest length of a message, in characters. In any script it
// fits into a cookie.
const maxFlash = 600

// SetFlash sets the message of the next page.
func (s *Console) SetFlash(w http.ResponseWriter, r *http.Request, text string) {
	if runes := []rune(text); len(runes) > maxFlash {
		text = string(runes[:maxFlash-1]) + "…"
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieFlash, Value: base64.RawURLEncoding.EncodeToString([]byte(text)), Path: "/",
		SameSite: http.SameSiteLaxMode, Secure: s.Auth.IsHTTPS(r), HttpOnly: true,
	})
}

// takeFlash returns the message for this page and deletes it.
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
