// Package activity has the pages of the activity log: the log, the entries of
// one flow, the export, the toasts about new entries, and the alerts.
package activity

import (
	"embed"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/page"
)

// Pages are the pages of the activity log.
type Pages struct{ *page.Console }

// New returns the pages.
func New(c *page.Console) *Pages { return &Pages{c} }

// Routes returns the routes of the pages.
func (s *Pages) Routes() []api.Route {
	return []api.Route{
		{Method: "GET", Path: "/activity_log", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showLog},
		{Method: "GET", Path: "/activity_log.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/activity_log"), Handle: s.exportLog(csvFormat)},
		{Method: "GET", Path: "/activity_log.jsonl", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/activity_log"), Handle: s.exportLog(linesFormat)},
		{Method: "GET", Path: alertsPath, Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showAlerts},
		{Method: "POST", Path: sendAlertsPath, Access: auth.Needs(abilityAlerts), Tokens: auth.InSets("settings").As("POST /api/v1/alerts/send"), Handle: page.ReadForm(s.sendAlerts)},
		{Method: "POST", Path: discardAlertsPath, Access: auth.Needs(abilityAlerts), Tokens: auth.InSets("settings").As("POST /api/v1/alerts/discard"), Handle: page.ReadForm(s.discardAlerts)},
	}
}

//go:embed *.html *.css
var files embed.FS

// Room is this package as a part of the console.
var Room = page.Room{
	Files: files,
	Pages: []page.Page{&activityPage{}, &flowPage{}, &alertsPage{}},
}
