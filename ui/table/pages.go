// Package table has the lists that a reader filters, searches, sorts and pages
// through. Lists of hosts, users and all other things work in the same way.
package table

import (
	"embed"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the forms of all tables.
type Pages struct{ *page.Console }

// New returns the pages.
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
