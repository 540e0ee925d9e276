package api

import (
	"net/http"
	"strings"

	"trento/auth"
	"trento/store/fault"
)

// enginePrefix begins the paths of the checks engine, which was a server of its
// own behind this path.
const enginePrefix = "/wanda"

// unbuiltFeature is a feature of the existing server that this one does not
// have yet. Its routes are answered with 501 and a sentence, after the same
// check of permissions as they will have: a client learns that it asks rightly,
// but too early. They are no part of the description.
type unbuiltFeature struct {
	sentence string
	routes   []Route // without a handler, or with one that checks more
	engine   bool    // the routes are also under enginePrefix
}

// unbuiltRoutes returns the routes of all features that are not built.
func (a *API) unbuiltRoutes() (routes []Route) {
	for _, feature := range unbuiltFeatures() {
		missing := &fault.Error{Kind: fault.NotImplemented, Detail: feature.sentence}
		for _, route := range feature.routes {
			check := route.Handle
			route.Handle = func(w http.ResponseWriter, r *http.Request) error {
				if check != nil {
					if err := check(w, r); err != nil {
						return err
					}
				}
				return missing
			}
			routes = append(routes, route)
			if feature.engine && !strings.HasPrefix(route.Path, enginePrefix) {
				route.Path = enginePrefix + route.Path
				routes = append(routes, route)
			}
		}
	}
	return routes
}

func unbuiltFeatures() []unbuiltFeature {
	var unscoped auth.TokenRule
	readOnly, settings := auth.InSets("read_only"), auth.InSets("settings")
	operations, readOperations := auth.InSets("operations"), auth.InSets("read_only", "operations")
	return []unbuiltFeature{
		{"Operations cannot be run by this version, so there are none to list.", []Route{
			{"GET", "/api/v1/operations/executions", auth.SignedIn, readOperations, nil},
			{"GET", "/api/v1/operations/executions/{id}", auth.SignedIn, readOperations, nil},
		}, true},
		{"Operations cannot be run by this version. Nothing was changed.", []Route{
			{"POST", "/api/v1/hosts/{id}/operations/saptune_solution_apply", auth.Needs("saptune_solution_apply:host"), operations, nil},
			{"POST", "/api/v1/hosts/{id}/operations/saptune_solution_change", auth.Needs("saptune_solution_change:host"), operations, nil},
			{"POST", "/api/v1/hosts/{id}/operations/reboot", auth.Needs("reboot:host"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/operations/cluster_maintenance_change", auth.Needs("maintenance_change:cluster"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/operations/cluster_resource_refresh", auth.Needs("resource_refresh:cluster"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/hosts/{host_id}/operations/pacemaker_enable", auth.Needs("pacemaker_enable:cluster"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/hosts/{host_id}/operations/pacemaker_disable", auth.Needs("pacemaker_disable:cluster"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/hosts/{host_id}/operations/cluster_host_start", auth.Needs("cluster_host_start:cluster"), operations, nil},
			{"POST", "/api/v1/clusters/{id}/hosts/{host_id}/operations/cluster_host_stop", auth.Needs("cluster_host_stop:cluster"), operations, nil},
			{"POST", "/api/v1/sap_systems/{id}/operations/sap_system_start", auth.Needs("start:sap_system"), operations, nil},
			{"POST", "/api/v1/sap_systems/{id}/operations/sap_system_stop", auth.Needs("stop:sap_system"), operations, nil},
			{"POST", "/api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}/operations/sap_instance_start", auth.Needs("start:application_instance"), operations, nil},
			{"POST", "/api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}/operations/sap_instance_stop", auth.Needs("stop:application_instance"), operations, nil},
			{"POST", "/api/v1/databases/{id}/operations/database_start", auth.Needs("start:database"), operations, nil},
			{"POST", "/api/v1/databases/{id}/operations/database_stop", auth.Needs("stop:database"), operations, nil},
		}, false},
		{"Software updates are not known to this version: it cannot be connected to SUSE Multi-Linux Manager.", []Route{
			{"GET", "/api/v1/hosts/{id}/software_updates", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/software_updates/packages", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/software_updates/errata_details/{advisory_name}", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/settings/suse_manager", auth.SignedIn, auth.InSets("read_only", "settings"), nil},
			{"POST", "/api/v1/settings/suse_manager", auth.Needs("all:suma_settings"), settings, nil},
			{"PATCH", "/api/v1/settings/suse_manager", auth.Needs("all:suma_settings"), settings, nil},
			{"PUT", "/api/v1/settings/suse_manager", auth.Needs("all:suma_settings"), settings, nil},
			{"DELETE", "/api/v1/settings/suse_manager", auth.Needs("all:suma_settings"), settings, nil},
			{"POST", "/api/v1/settings/suse_manager/test", auth.SignedIn, settings, nil},
		}, false},
		{"Metrics of hosts are not known to this version: it does not ask a Prometheus server.", []Route{
			{"GET", "/api/v1/hosts/{id}/exporters_status", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/hosts/{id}/metrics/query", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/charts/hosts/{id}/cpu", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/charts/hosts/{id}/memory", auth.SignedIn, readOnly, nil},
			{"GET", "/api/v1/charts/hosts/{id}/filesystem", auth.SignedIn, readOnly, nil},
		}, false},
		{"This server has no assistant of its own that could be set up.", []Route{
			{"POST", "/api/v1/profile/ai_configuration", auth.SignedIn, unscoped, nil},
			{"PATCH", "/api/v1/profile/ai_configuration", auth.SignedIn, unscoped, nil},
			{"DELETE", "/api/v1/profile/ai_configuration", auth.SignedIn, unscoped, nil},
		}, false},
	}
}
