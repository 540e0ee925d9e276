package account

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"trento/store"
	"trento/ui/page"
)

// Banners returns the banners for the reader of a page.
func (s *shared) Banners(ctx context.Context, reader page.Reader) (banners []page.Banner, err error) {
	id := reader.Identity()
	if id == nil {
		return nil, nil
	}
	// The request may have changed the user, so the identity is not used.
	var user *store.User
	var key *store.APIKey
	alone := false // no other user manages users
	err = s.Store.ViewIn(ctx, func(tx *store.Tx) (err error) {
		if user, err = tx.User(id.User.ID); err != nil {
			return err
		}
		if banners, err = s.secretBanners(tx, id, reader.PagePath); err != nil {
			return err
		}
		if id.Can(page.AbilityAlertSettings) {
			disabled, err := s.webhookBanners(tx, reader.PagePath)
			if err != nil {
				return err
			}
			banners = append(banners, disabled...)
		}
		if s.Auth.DefaultAdmin(user) {
			if alone, err = s.Auth.SoleManager(tx, user.ID); err != nil {
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
	if n, ok := s.defaultAdminBanner(reader); ok && alone {
		banners = append(banners, n)
	}
	if id.Can(page.AbilityAPIKey) {
		if n, ok := s.keyBanner(reader, key); ok {
			banners = append(banners, n)
		}
	}
	if !s.isExternal() && user.PasswordChangeRequestedAt != nil && user.PasswordHash != "" && id.RequireNoToken() == nil {
		banners = append(banners, page.Banner{Severity: "info", Text: "Password change is recommended.", Link: page.Link{Name: "Profile", URL: "/profile"}})
	}
	return banners, nil
}

// defaultAdminBanner asks the default admin to create another user who manages users.
// It appears at every sign-in until there is one.
func (s *shared) defaultAdminBanner(reader page.Reader) (page.Banner, bool) {
	n := page.Banner{
		Severity: "info", Dismissal: "admin-" + hex.EncodeToString(reader.Identity().SessionHash[:8]), Link: page.Link{Name: "Create a user manager", URL: "/users/new"},
		Text: "Use the default admin only to create the first user manager, a user with the permission all:users, who creates all others. After that it is for emergencies: it cannot have a second factor.",
	}
	if s.isExternal() {
		n.Link = page.Link{Name: "Users", URL: "/users"}
		n.Text = "Nobody but the default admin manages users. Give the permission all:users to somebody who has signed in once."
	}
	return n, n.Dismissal != reader.DismissedBanner
}

// keyBanner warns of an API key that expires soon or has expired.
func (s *shared) keyBanner(reader page.Reader, key *store.APIKey) (page.Banner, bool) {
	days, soon := key.EndsSoon(s.Store.Now())
	n := page.Banner{Severity: "warning", Link: page.Link{Name: "Settings", URL: "/settings#api-key"}, Dismissal: key.ID}
	switch {
	case !soon:
		return n, false
	case days < 0:
		n.Severity, n.Text, n.Dismissal = "critical", "API Key has expired. Go to Settings to issue a new key", ""
	case days == 0:
		n.Text = "API Key expires today"
	default:
		n.Text = fmt.Sprintf("API Key expires in %s", page.Count(days, "day", "days"))
	}
	return n, n.Dismissal == "" || n.Dismissal != reader.DismissedBanner
}
