// Package account is the pages about people and settings: signing in, the
// showProfile, users, personal access tokens, and what is set for everybody.
package account

import (
	"embed"
	"slices"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the pages of the room.
type Pages struct {
	*page.Console
	secrets secrets // that are being shown
}

// New makes the pages, and gives the frame of all pages its banners.
func New(c *page.Console) *Pages {
	s := &Pages{Console: c}
	c.FindBanners = s.Banners
	return s
}

// Routes are the pages and what each demands.
func (s *Pages) Routes() []api.Route {
	return slices.Concat(s.userRoutes(), s.profileRoutes(), []api.Route{
		{Method: "GET", Path: "/session/new", Access: auth.Public, Handle: api.Uncompressed(s.showSignIn)},
		{Method: "POST", Path: "/session", Access: auth.Public, Handle: page.ReadForm(s.signIn)},
		{Method: "GET", Path: "/session/totp", Access: auth.Public, Handle: api.Uncompressed(s.submitCode)},
		{Method: "POST", Path: "/session/totp", Access: auth.Public, Handle: page.ReadForm(s.submitCode)},
		{Method: "POST", Path: "/session/end", Access: auth.Public, Handle: s.signOut},
		{Method: "GET", Path: "/settings", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.showSettings)},
		{Method: "GET", Path: "/settings/api_key", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: api.Uncompressed(s.generateAPIKey)},
		{Method: "POST", Path: "/settings/api_key", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: page.ReadForm(s.generateAPIKey)},
		{Method: "POST", Path: "/settings/api_key/shown", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("PATCH /api/v1/settings/api_key"), Handle: page.ReadForm(s.closeKeySecret)},
		{Method: "GET", Path: "/expiry", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showExpiry},
		{Method: "POST", Path: "/settings/personal_access_tokens", Access: auth.Needs(page.AbilityTokenSettings), Tokens: auth.InPerson(), Handle: page.ReadForm(s.changeTokenSettings)},
		{Method: "GET", Path: "/settings/activity_log", Access: auth.Needs(page.AbilityActivitySettings), Tokens: auth.InSets("settings").As("PUT /api/v1/settings/activity_log"), Handle: api.Uncompressed(s.editActivitySettings)},
		{Method: "POST", Path: "/settings/activity_log", Access: auth.Needs(page.AbilityActivitySettings), Tokens: auth.InSets("settings").As("PUT /api/v1/settings/activity_log"), Handle: page.ReadForm(s.changeActivitySettings)},
	})
}

// userRoutes are for those who manage users.
func (s *Pages) userRoutes() []api.Route {
	managers := auth.Needs(page.AbilityUsers)
	return []api.Route{
		{Method: "GET", Path: "/users", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showUsers},
		{Method: "GET", Path: "/users.csv", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.downloadUsers},
		{Method: "GET", Path: "/users/permissions", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showPicker},
		{Method: "GET", Path: "/users/new", Access: managers, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.showNewUser)},
		{Method: "POST", Path: "/users/new", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users"), Handle: page.ReadForm(s.createUser)},
		{Method: "GET", Path: "/users/{id}/edit", Access: managers, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.editUser)},
		{Method: "POST", Path: "/users/{id}/edit", Access: managers, Tokens: auth.InSets("user_management").As("PATCH /api/v1/users/{id}", "PUT /api/v1/users/{id}"), Handle: page.ReadForm(s.changeUser)},
		{Method: "GET", Path: "/users/{id}/delete", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.deleteUser},
		{Method: "POST", Path: "/users/{id}/delete", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}"), Handle: page.ReadForm(s.deleteUser)},
		{Method: "POST", Path: "/users/{id}/password/shown", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users", "PATCH /api/v1/users/{id}", "PUT /api/v1/users/{id}"), Handle: page.ReadForm(s.closePasswordSecret)},
		{Method: "GET", Path: "/users/{id}/sessions/end", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.endAllSessionsOf},
		{Method: "POST", Path: "/users/{id}/sessions/end", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/sessions"), Handle: page.ReadForm(s.endAllSessionsOf)},
		{Method: "GET", Path: "/users/{id}/sessions/{session}/end", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.endSessionOf},
		{Method: "POST", Path: "/users/{id}/sessions/{session}/end", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/sessions/{session_id}"), Handle: page.ReadForm(s.endSessionOf)},
		{Method: "GET", Path: "/users/{id}/tokens/log", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showTokenUses},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.expireTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/expire", Access: managers, Tokens: auth.InSets("user_management").As("POST /api/v1/users/{id}/tokens/{token_id}/expire"), Handle: page.ReadForm(s.expireTokenOf)},
		{Method: "GET", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.deleteTokenOf},
		{Method: "POST", Path: "/users/{id}/tokens/{token}/delete", Access: managers, Tokens: auth.InSets("user_management").As("DELETE /api/v1/users/{id}/tokens/{token_id}"), Handle: page.ReadForm(s.deleteTokenOf)},
		{Method: "GET", Path: "/tokens", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.showTokens},
		{Method: "GET", Path: "/tokens.csv", Access: managers, Tokens: auth.InSets("read_only"), Handle: s.downloadTokens},
	}
}

// profileRoutes are for everybody, about themselves.
func (s *Pages) profileRoutes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/profile", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showProfile},
		{Method: "POST", Path: "/profile", Access: auth.SignedIn, Handle: page.ReadForm(s.changeProfile)},
		{Method: "GET", Path: "/profile/password", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.changePassword)},
		{Method: "POST", Path: "/profile/password", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.changePassword)},
		{Method: "GET", Path: "/profile/totp", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.setUpTOTP)},
		{Method: "POST", Path: "/profile/totp", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.setUpTOTP)},
		{Method: "GET", Path: "/profile/totp/disable", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.disableTOTP},
		{Method: "POST", Path: "/profile/totp/disable", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.disableTOTP)},
		{Method: "POST", Path: "/profile/totp/cancel", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.cancelTOTP)},
		{Method: "POST", Path: "/profile/tokens/shown", Access: auth.SignedIn, Handle: page.ReadForm(s.closeTokenSecret)},
		{Method: "POST", Path: "/profile/sessions/end", Access: auth.SignedIn, Handle: page.ReadForm(s.endOtherSessions)},
		{Method: "POST", Path: "/profile/sessions/{id}/end", Access: auth.SignedIn, Handle: page.ReadForm(s.endOneSession)},
		{Method: "GET", Path: "/profile/tokens/new", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.createToken)},
		{Method: "POST", Path: "/profile/tokens/new", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.createToken)},
		{Method: "GET", Path: "/profile/tokens/delete", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: page.ReadForm(s.deleteTokens)},
		{Method: "POST", Path: "/profile/tokens/delete", Access: auth.SignedIn, Handle: page.ReadForm(s.deleteTokens)},
		{Method: "GET", Path: "/profile/tokens/log", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showTokenUses},
		{Method: "GET", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.editToken},
		{Method: "POST", Path: "/profile/tokens/{token}/edit", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.editToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.regenerateToken)},
		{Method: "POST", Path: "/profile/tokens/{token}/regenerate", Access: auth.SignedIn, Tokens: auth.InPerson(), Handle: page.ReadForm(s.regenerateToken)},
		{Method: "GET", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.expireToken},
		{Method: "POST", Path: "/profile/tokens/{token}/expire", Access: auth.SignedIn, Handle: page.ReadForm(s.expireToken)},
	}
}

//go:embed *.html *.css
var files embed.FS

// Room is these pages as a part of the console.
var Room = page.Room{
	Files: files,
	Pages: []page.Page{&signInPage{}, &usersPage{}, &userPage{}, &tokensPage{}, &usesPage{}, &profilePage{}, &settingsPage{}},
}
