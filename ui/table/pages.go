// Package table has lists that a reader filters, searches, sorts and pages
// through: the same for hosts, users and all others.
package table

import (
	"embed"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the forms of all tables.
type Pages struct{ *page.Console }

// New makes the pages.
func New(c *page.Console) *Pages { return &Pages{c} }

// Routes returns the routes of the forms.
func (s *Pages) Routes() []api.Route {
	return []api.Route{
		{Method: "POST", Path: "/views", Access: auth.SignedIn, Handle: page.ReadForm(s.saveView)},
		{Method: "POST", Path: "/views/remove", Access: auth.SignedIn, Handle: page.ReadForm(s.removeView)},
	}
}

//go:embed *.html *.css
var files embed.FS

// Room is this package as a part of the console.
var Room = page.Room{Files: files}
