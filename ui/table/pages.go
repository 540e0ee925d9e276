// Package table is lists that a person filters, searches, orders and pages
// through: the same for hosts, users and whatever else there are many of.
package table

import (
	"embed"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the forms that all tables have.
type Pages struct{ *page.Console }

// New makes the pages.
func New(c *page.Console) *Pages { return &Pages{c} }

// Routes are the forms and what each demands.
func (s *Pages) Routes() []api.Route {
	return []api.Route{
		{Method: "POST", Path: "/views", Access: auth.SignedIn, Handle: page.ReadForm(s.saveView)},
		{Method: "POST", Path: "/views/remove", Access: auth.SignedIn, Handle: page.ReadForm(s.removeView)},
	}
}

//go:embed *.html *.css
var files embed.FS

// Room is the tables as a part of the console.
var Room = page.Room{Files: files}
