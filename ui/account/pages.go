// Package account has the pages about people and settings: signing in, the
// profile, users, personal access tokens, and the settings.
package account

import (
	"embed"
	"slices"

	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the pages about accounts and settings, by noun.
type Pages struct {
	handlerBase
	signIn     signInHandlers
	provider   providerHandlers
	profile    profileHandlers
	ownTokens  ownTokenHandlers
	users      userHandlers
	userTokens userTokenHandlers
	settings   settingsHandlers
}

// handlerBase has the methods and data that the handlers of several nouns use.
type handlerBase struct {
	*page.Console
	secrets *secrets // secrets that are shown until their reader closes them
}

// New returns the pages. It also provides the banners of all pages.
func New(c *page.Console) *Pages {
	s := &Pages{handlerBase: handlerBase{c, new(secrets)}}
	s.signIn.handlerBase, s.profile.handlerBase, s.users.handlerBase, s.settings.handlerBase = s.handlerBase, s.handlerBase, s.handlerBase, s.handlerBase
	s.provider.signInHandlers = &s.signIn
	s.ownTokens.profileHandlers, s.userTokens.userHandlers = &s.profile, &s.users
	c.FindBanners = s.Banners
	return s
}

// Routes returns the routes of the pages.
func (s *Pages) Routes() []api.Route {
	return slices.Concat(s.signIn.routes(), s.provider.routes(), s.profile.routes(), s.ownTokens.routes(), s.users.routes(), s.userTokens.routes(), s.settings.routes(), s.settings.displayRoutes(), s.settings.webhookRoutes())
}

//go:embed *.html *.css
var files embed.FS

// Room is this package as a part of the console.
var Room = page.Room{
	Files: files,
	Pages: []page.Page{&signInPage{}, &signInFailurePage{}, &departurePage{}, &usersPage{}, &userPage{}, &tokensPage{}, &usesPage{}, &profilePage{}, &settingsPage{}, &webhooksPage{}, &webhookPage{}, &connectPage{}},
}
