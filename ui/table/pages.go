// Package table has the lists that a reader filters, searches, sorts and pages
// through. Lists of hosts, users and all other things work in the same way.
package table

import (
	"embed"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the forms of all tables, and what they ask.
type Pages struct{ *page.Console }

// New returns the pages.
func New(c *page.Console) *Pages { return &Pages{c} }

// Routes returns the routes of the forms.
func (s *Pages) Routes() []api.Route {
	users := auth.Needs(page.AbilityUsers)
	tokens := func(operation string) auth.TokenRule { return auth.InSets("user_management").As(operation) }
	return []api.Route{
		{Method: "POST", Path: "/views", Access: auth.SignedIn, Handle: page.ReadForm(s.saveView)},
		{Method: "POST", Path: "/views/remove", Access: auth.SignedIn, Handle: page.ReadForm(s.removeView)},
		{Method: "POST", Path: "/views/shared", Access: users, Tokens: tokens("POST /api/v1/views"), Handle: page.ReadForm(s.shareView)},
		{Method: "POST", Path: "/views/shared/{id}/replace", Access: users, Tokens: tokens("PATCH /api/v1/views/{id}"), Handle: page.ReadForm(s.replaceSharedView)},
		{Method: "POST", Path: "/views/shared/{id}/remove", Access: users, Tokens: tokens("DELETE /api/v1/views/{id}"), Handle: page.ReadForm(s.removeSharedView)},
	}
}

//go:embed *.html *.css
var files embed.FS

// Room is this package as a part of the console.
var Room = page.Room{Files: files, Pages: []page.Page{&sharedViewPage{}}}
