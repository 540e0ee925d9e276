package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trento/ui/api"
)

// unbuiltDemands are the routes of features that are not built, written down a
// second time: what they are to demand, method and path. The paths of those
// marked with * are below /wanda, too.
const unbuiltDemands = `
any                            * GET /api/v1/operations/executions
any                            * GET /api/v1/operations/executions/ID
saptune_solution_apply:host      POST /api/v1/hosts/ID/operations/saptune_solution_apply
saptune_solution_change:host     POST /api/v1/hosts/ID/operations/saptune_solution_change
reboot:host                      POST /api/v1/hosts/ID/operations/reboot
maintenance_change:cluster       POST /api/v1/clusters/ID/operations/cluster_maintenance_change
resource_refresh:cluster         POST /api/v1/clusters/ID/operations/cluster_resource_refresh
pacemaker_enable:cluster         POST /api/v1/clusters/ID/hosts/ID/operations/pacemaker_enable
pacemaker_disable:cluster        POST /api/v1/clusters/ID/hosts/ID/operations/pacemaker_disable
cluster_host_start:cluster       POST /api/v1/clusters/ID/hosts/ID/operations/cluster_host_start
cluster_host_stop:cluster        POST /api/v1/clusters/ID/hosts/ID/operations/cluster_host_stop
start:sap_system                 POST /api/v1/sap_systems/ID/operations/sap_system_start
stop:sap_system                  POST /api/v1/sap_systems/ID/operations/sap_system_stop
start:application_instance       POST /api/v1/sap_systems/ID/hosts/ID/instances/00/operations/sap_instance_start
stop:application_instance        POST /api/v1/sap_systems/ID/hosts/ID/instances/00/operations/sap_instance_stop
start:database                   POST /api/v1/databases/ID/operations/database_start
stop:database                    POST /api/v1/databases/ID/operations/database_stop
any                              GET /api/v1/hosts/ID/software_updates
any                              GET /api/v1/software_updates/packages
any                              GET /api/v1/software_updates/errata_details/SUSE-15-SP4-2024-630
any                              GET /api/v1/settings/suse_manager
all:suma_settings                POST /api/v1/settings/suse_manager
all:suma_settings                PATCH /api/v1/settings/suse_manager
all:suma_settings                PUT /api/v1/settings/suse_manager
all:suma_settings                DELETE /api/v1/settings/suse_manager
any                              POST /api/v1/settings/suse_manager/test
any                              GET /api/v1/hosts/ID/exporters_status
any                              GET /api/v1/hosts/ID/metrics/query
any                              GET /api/v1/charts/hosts/ID/cpu
any                              GET /api/v1/charts/hosts/ID/memory
any                              GET /api/v1/charts/hosts/ID/filesystem
any                              POST /api/v1/profile/ai_configuration
any                              PATCH /api/v1/profile/ai_configuration
any                              DELETE /api/v1/profile/ai_configuration
`

// TestUnbuiltRoutes checks that routes of features that are not built say so,
// and only to those who may use the feature.
func TestUnbuiltRoutes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	abilities := make(map[string]string) // users by their ability
	for _, c := range callers(f) {
		if c.ability != "" {
			abilities[c.ability] = c.header["Authorization"]
		}
	}
	plain := "Bearer " + f.tokens["plain"]
	tried := 0
	for line := range strings.Lines(strings.TrimPrefix(strings.ReplaceAll(unbuiltDemands, "ID", otherID), "\n")) {
		words := strings.Fields(strings.Replace(line, "*", "", 1))
		demand, method, paths := words[0], words[1], []string{words[2]}
		if strings.Contains(line, "*") {
			paths = append(paths, "/wanda"+words[2])
		}
		permitted := plain
		if demand != "any" {
			permitted = abilities[demand]
		}
		for _, path := range paths {
			tried++
			ask := func(authorization string) answer {
				return f.do(call{method: method, path: path, header: map[string]string{"Authorization": authorization}})
			}
			ask("").expect(t, http.StatusUnauthorized, signedOut)
			if demand != "any" {
				ask(plain).expect(t, http.StatusForbidden, forbidden)
			}
			got := ask(permitted)
			got.expect(t, http.StatusNotImplemented, "*")
			if !strings.Contains(got.body, `{"title":"Not implemented","detail":"`) || strings.Contains(got.body, "IDP") {
				t.Errorf("%s %s: %s", method, path, got.body)
			}
		}
	}
	if routes := len((&api.API{}).UnbuiltRoutes()); routes != tried {
		t.Errorf("%d routes, %d in the table of this test", routes, tried)
	}
	f.get("plain", "/wanda/api/checks/catalog?env=x").expect(t, http.StatusTemporaryRedirect, "")
}
