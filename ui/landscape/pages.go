// Package landscape has the pages about what agents report: the dashboard, the
// lists and details of hosts, clusters, databases and SAP systems, their tags
// and their clean-up.
package landscape

import (
	"embed"
	"slices"

	"trento/auth"
	"trento/store/activity"
	activitypages "trento/ui/activity"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// Pages are the pages of the landscape.
type Pages struct {
	*page.Console
	activity *activitypages.Pages
}

// New returns the pages. Pages about one thing end with its newest entries in
// the activity log.
func New(c *page.Console, activity *activitypages.Pages) *Pages {
	return &Pages{c, activity}
}

// Routes returns the routes of the pages.
func (s *Pages) Routes() []api.Route {
	return slices.Concat(s.tagRoutes(), s.bulkTagRoutes(), s.refreshRoutes(), s.executionRoutes(), s.factRoutes(), s.selectionRoutes(), s.customizationRoutes(), []api.Route{
		{Method: "GET", Path: "/", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showDashboard},
		{Method: "GET", Path: "/dashboard.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/sap_systems/health"), Handle: table.CSVHandler(s.Console, &dashboardTable)},
		{Method: "GET", Path: WallPath, Access: auth.OnWall, Tokens: auth.InSets("read_only"), Handle: s.showWall},
		{Method: "GET", Path: mapPath, Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showMap},
		{Method: "GET", Path: "/hosts", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: hostList.show(s)},
		{Method: "GET", Path: "/hosts.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/hosts"), Handle: table.CSVHandler(s.Console, &HostsTable)},
		{Method: "GET", Path: "/clusters", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: clusterList.show(s)},
		{Method: "GET", Path: "/clusters.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v2/clusters"), Handle: table.CSVHandler(s.Console, &ClustersTable)},
		{Method: "GET", Path: "/databases", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: databaseList.show(s)},
		{Method: "GET", Path: "/databases.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/databases"), Handle: table.CSVHandler(s.Console, &DatabasesTable)},
		{Method: "GET", Path: "/sap_systems", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: sapSystemList.show(s)},
		{Method: "GET", Path: "/sap_systems.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/sap_systems"), Handle: table.CSVHandler(s.Console, &SAPSystemsTable)},
		{Method: "GET", Path: "/agents", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("GET /api/v1/agents"), Handle: s.showAgents},
		{Method: "GET", Path: "/agents.csv", Access: auth.Needs(page.AbilityAPIKey), Tokens: auth.InSets("settings").As("GET /api/v1/agents"), Handle: s.downloadAgents},
		{Method: "GET", Path: connectPath, Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: api.Uncompressed(s.showConnect)},
		{Method: "GET", Path: "/cleanup", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showCleanupList},
		{Method: "GET", Path: "/cleanup.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: table.CSVHandler(s.Console, &cleanupTable)},
		{Method: "POST", Path: "/first_steps", Access: auth.SignedIn, Handle: page.ReadForm(s.hideFirstSteps)},
		{Method: "POST", Path: "/cleanup/confirm", Access: auth.SignedIn, Handle: page.ReadForm(s.confirmCleanup)},
		{Method: "POST", Path: "/cleanup", Access: auth.SignedIn, Handle: page.ReadForm(s.cleanUpAll)},
		{Method: "GET", Path: "/hosts/{id}", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showHost},
		{Method: "GET", Path: "/hosts/{id}/health_history.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/hosts/{id}/health_history"), Handle: s.historyCSV(activity.HostThing)},
		{Method: "GET", Path: "/clusters/{id}/health_history.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/clusters/{id}/health_history"), Handle: s.historyCSV(activity.ClusterThing)},
		{Method: "GET", Path: "/databases/{id}/health_history.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/databases/{id}/health_history"), Handle: s.historyCSV(activity.DatabaseThing)},
		{Method: "GET", Path: "/sap_systems/{id}/health_history.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/sap_systems/{id}/health_history"), Handle: s.historyCSV(activity.SAPSystemThing)},
		{Method: "GET", Path: "/availability", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showAvailability},
		{Method: "GET", Path: "/availability.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/availability"), Handle: table.CSVHandlerFor(s.Console, &availabilityTable, s.availabilityItems)},
		{Method: "GET", Path: "/availability/period.csv", Access: auth.SignedIn, Tokens: auth.InSets("read_only").As("GET /api/v1/availability"), Handle: s.downloadAvailability},
		{Method: "GET", Path: "/hosts/{id}/cleanup", Access: auth.Needs("cleanup:host"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/hosts/{id}"), Handle: s.cleanUpHost},
		{Method: "POST", Path: "/hosts/{id}/cleanup", Access: auth.Needs("cleanup:host"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/hosts/{id}"), Handle: page.ReadForm(s.cleanUpHost)},
		{Method: "GET", Path: "/clusters/{id}", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showCluster},
		{Method: "GET", Path: "/databases/{id}", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showDatabase},
		{Method: "GET", Path: "/databases/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:database_instance"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/databases/{id}/hosts/{host_id}/instances/{instance_number}"), Handle: s.cleanUpDatabaseInstance},
		{Method: "POST", Path: "/databases/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:database_instance"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/databases/{id}/hosts/{host_id}/instances/{instance_number}"), Handle: page.ReadForm(s.cleanUpDatabaseInstance)},
		{Method: "GET", Path: "/sap_systems/{id}", Access: auth.SignedIn, Tokens: auth.InSets("read_only"), Handle: s.showSAPSystem},
		{Method: "GET", Path: "/sap_systems/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:application_instance"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}"), Handle: s.cleanUpApplicationInstance},
		{Method: "POST", Path: "/sap_systems/{id}/hosts/{host}/instances/{number}/cleanup", Access: auth.Needs("cleanup:application_instance"), Tokens: auth.InSets("housekeeping").As("DELETE /api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}"), Handle: page.ReadForm(s.cleanUpApplicationInstance)},
	})
}

//go:embed *.html *.css
var files embed.FS

// Room is this package as a part of the console.
var Room = page.Room{
	Files: files,
	Pages: []page.Page{&dashboardPage{}, &mapPage{}, &wallPage{}, &listPage{}, &cleanupPage{}, &cleanupConfirmPage{}, &tagPage{}, &bulkTagPage{}, &hostPage{}, &agentsPage{}, &connectPage{}, &clusterPage{}, &systemPage{}, &availabilityPage{}, &executionPage{}, &executionDiffPage{}, &factPage{}, &cataloguePage{}, &selectionPage{}, &customizationPage{}, &checkResultPage{}, &checkReport{}, &waiversPage{}},
}
