package landscape

import (
	"trento/store"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/page"
	"trento/ui/table"
)

// Lists sets the filters and orders of the lists of the landscape of the API.
func Lists(c *page.Console, lists *api.Lists) {
	lists.Hosts = table.LandscapeRules(c, &HostsTable)
	lists.Clusters = table.LandscapeRules(c, &ClustersTable)
	lists.Databases = table.LandscapeRules(c, &DatabasesTable)
	lists.SAPSystems = table.LandscapeRules(c, &SAPSystemsTable)
	lists.Health = table.LandscapeRules(c, &dashboardTable)
	lists.ReadIncidents = func(tx *store.Tx) ([]*landscape.Incident, error) {
		v, err := c.Snapshot(tx)
		if err != nil {
			return nil, err
		}
		return datedIncidents(tx, v), nil
	}
	lists.Incidents = table.Rules(&incidentsTable, lists.ReadIncidents)
}
