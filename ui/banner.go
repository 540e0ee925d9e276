package ui

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"trento/auth"
	"trento/store"
)

// banner is a sentence above every page, until what it speaks of is over.
type banner struct {
	Severity  string // "info", "warning" or "critical"
	Text      string
	Link      link
	Dismissal string // names it to be put away for this browser; empty where it stays
}

// cookieBanner names the banner that was put away last.
const cookieBanner = "trento-notice"

// banners are what the reader of a request should know.
func (s *server) banners(r *http.Request) (notices []banner, err error) {
	id := auth.From(r.Context())
	if id == nil {
		return nil, nil
	}
	// The identity is as old as the request, which may have changed the user.
	var user *store.User
	var key *store.APIKey
	alone := false // nobody else manages users
	err = s.options.Store.View(func(tx *store.Tx) (err error) {
		if user, err = tx.User(id.User.ID); err != nil {
			return err
		}
		if notices, err = s.secretNotices(tx, r); err != nil {
			return err
		}
		if s.options.Auth.DefaultAdmin(user) {
			if alone, err = s.soleManager(tx, user.ID); err != nil {
				return err
			}
		}
		key, err = tx.APIKey()
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // the user has just been deleted
	}
	if err != nil {
		return nil, err
	}
	if n, ok := s.adminBanner(r, id); ok && alone {
		notices = append(notices, n)
	}
	if id.Can(abilityAPIKey) {
		if n, ok := s.keyBanner(r, key); ok {
			notices = append(notices, n)
		}
	}
	if user.PasswordChangeRequestedAt != nil && user.PasswordHash != "" && id.RequireNoToken() == nil {
		notices = append(notices, banner{Severity: "info", Text: "Password change is recommended.", Link: link{Name: "Profile", URL: "/profile"}})
	}
	return notices, nil
}

// adminBanner tells the default admin to make somebody else who manages users.
// It comes again with every sign-in, until there is one.
func (s *server) adminBanner(r *http.Request, id *auth.Identity) (banner, bool) {
	n := banner{
		Severity: "info", Dismissal: "admin-" + hex.EncodeToString(id.SessionHash[:8]), Link: link{Name: "Create a user manager", URL: "/users/new"},
		Text: "Use the default admin only to create the first user manager, a user with the permission all:users, who creates all others. After that it is for emergencies: it cannot have a second factor.",
	}
	c, err := r.Cookie(cookieBanner)
	return n, err != nil || c.Value != n.Dismissal
}

// keyBanner is about an API key that ends soon, or has ended.
func (s *server) keyBanner(r *http.Request, key *store.APIKey) (banner, bool) {
	days, ends := key.DaysLeft(s.options.Store.Now())
	n := banner{Severity: "warning", Link: link{Name: "Settings", URL: "/settings#api-key"}, Dismissal: key.ID}
	switch {
	case !ends || days >= keyWarning:
		return n, false
	case days < 0:
		n.Severity, n.Text, n.Dismissal = "critical", "API Key has expired. Go to Settings to issue a new key", ""
	case days == 0:
		n.Text = "API Key expires today"
	default:
		n.Text = fmt.Sprintf("API Key expires in %s", count(days, "day", "days"))
	}
	c, err := r.Cookie(cookieBanner)
	return n, n.Dismissal == "" || err != nil || c.Value != n.Dismissal
}

// dismissBanner answers POST /notices/dismiss: put a banner away until the
// browser is closed.
func (s *server) dismissBanner(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, &http.Cookie{
		Name: cookieBanner, Value: r.PostForm.Get("notice"), Path: "/", SameSite: http.SameSiteLaxMode, Secure: s.options.Auth.IsHTTPS(r), HttpOnly: true,
	})
	http.Redirect(w, r, auth.LocalTarget(r.PostForm.Get("return_to")), http.StatusSeeOther)
	return nil
}
