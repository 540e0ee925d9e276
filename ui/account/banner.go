package account

import (
	"context"
	"errors"
	"fmt"

	"trento/store"
	"trento/ui/page"
)

// Banners returns the banners for the reader of a page.
func (s *handlerBase) Banners(ctx context.Context, reader page.Reader) (banners []page.Banner, err error) {
	id := reader.Identity()
	if id == nil {
		return nil, nil
	}
	// The request may have changed the user, so the identity is not used.
	var user *store.User
	var key *store.APIKey
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
		key, err = tx.APIKey()
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // the user has just been deleted
	}
	if err != nil {
		return nil, err
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

// keyBanner warns of an API key that expires soon or has expired.
func (s *handlerBase) keyBanner(reader page.Reader, key *store.APIKey) (page.Banner, bool) {
	days, soon := key.EndsSoon(s.Store.Now())
	n := page.Banner{Severity: "warning", Link: page.Link{Name: "Settings", URL: subjectPath(subjectAPIKey)}, Dismissal: key.ID}
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
