package ui

import (
	"encoding/base64"
	"net/http"
	"unicode/utf8"
)

// cookieNews carries what was done over the redirect that follows a form, to
// the page that says so.
const cookieNews = "trento-news"

// maxNews is the length of a sentence, in characters, that fits a cookie in
// any script.
const maxNews = 600

// rememberNews lets the next page say something.
func (s *server) rememberNews(w http.ResponseWriter, r *http.Request, text string) {
	if runes := []rune(text); len(runes) > maxNews {
		text = string(runes[:maxNews-1]) + "…"
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieNews, Value: base64.RawURLEncoding.EncodeToString([]byte(text)), Path: "/",
		SameSite: http.SameSiteLaxMode, Secure: s.options.Auth.Secure(r), HttpOnly: true,
	})
}

// takeNews is what this page is to say; the next one does not say it again.
func takeNews(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(cookieNews)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: cookieNews, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || !utf8.Valid(text) {
		return ""
	}
	return string(text)
}
