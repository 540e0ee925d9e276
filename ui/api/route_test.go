package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/storetest"
	"trento/ui/api"
)

// demands is what every route is to demand, written down a second time and
// without asking the table of routes: public, agent, any user, or an ability.
// status is what a well-formed request gets from those who are let in.
var demands = []struct {
	method, path string
	demand       string
	body         string
	status       int
}{
	{"POST", "/api/v1/collect", "agent", hostReport(agentID, "vega01"), 202},
	{"POST", "/api/v1/hosts/" + agentID + "/heartbeat", "agent", "", 204},
	{"POST", "/api/session", "public", "", 415},                                                     // without a content type; passwords take their time
	{"POST", "/api/session/oidc_local/callback", "public", `{"code":"x","session_state":"y"}`, 404}, // none is in charge
	{"GET", "/api/session/saml_local/saml_callback", "public", "", 404},
	{"POST", "/api/session/refresh", "public", "{}", 400},
	{"GET", "/api/v1/hosts", "any", "", 200},
	{"DELETE", "/api/v1/hosts/" + otherID, "cleanup:host", "", 404},
	{"POST", "/api/v1/hosts/" + otherID + "/checks", "all:host_checks_selection", `{"checks":[]}`, 404},
	{"GET", "/api/v1/hosts/" + otherID + "/refresh", "any", "", 404},
	{"POST", "/api/v1/hosts/" + otherID + "/refresh", "all:host_checks_execution", "", 404},
	{"POST", "/api/v1/hosts/tags", "all:host_tags", `{"ids":["` + otherID + `"],"add":["x"]}`, 422},
	{"POST", "/api/v1/hosts/" + otherID + "/tags", "all:host_tags", `{"value":"x"}`, 201},
	{"DELETE", "/api/v1/hosts/" + otherID + "/tags/x", "all:host_tags", "", 204},
	{"GET", "/api/v2/clusters", "any", "", 200},
	{"GET", "/api/v1/clusters", "any", "", 200},
	{"POST", "/api/v1/clusters/" + otherID + "/checks", "all:cluster_checks_selection", `{"checks":[]}`, 404},
	{"GET", "/api/v1/clusters/" + otherID + "/refresh", "any", "", 404},
	{"POST", "/api/v1/clusters/" + otherID + "/refresh", "all:cluster_checks_execution", "", 404},
	{"POST", "/api/v1/clusters/tags", "all:cluster_tags", `{"ids":["` + otherID + `"],"add":["x"]}`, 422},
	{"POST", "/api/v1/clusters/" + otherID + "/tags", "all:cluster_tags", `{"value":"x"}`, 201},
	{"DELETE", "/api/v1/clusters/" + otherID + "/tags/x", "all:cluster_tags", "", 204},
	{"GET", "/api/v1/databases", "any", "", 200},
	{"DELETE", "/api/v1/databases/" + otherID + "/hosts/" + otherID + "/instances/00", "cleanup:database_instance", "", 404},
	{"POST", "/api/v1/databases/tags", "all:database_tags", `{"ids":["` + otherID + `"],"add":["x"]}`, 422},
	{"POST", "/api/v1/databases/" + otherID + "/tags", "all:database_tags", `{"value":"x"}`, 201},
	{"DELETE", "/api/v1/databases/" + otherID + "/tags/x", "all:database_tags", "", 204},
	{"GET", "/api/v1/sap_systems", "any", "", 200},
	{"GET", "/api/v1/sap_systems/health", "any", "", 200},
	{"DELETE", "/api/v1/sap_systems/" + otherID + "/hosts/" + otherID + "/instances/00", "cleanup:application_instance", "", 404},
	{"POST", "/api/v1/sap_systems/tags", "all:sap_system_tags", `{"ids":["` + otherID + `"],"add":["x"]}`, 422},
	{"POST", "/api/v1/sap_systems/" + otherID + "/tags", "all:sap_system_tags", `{"value":"x"}`, 201},
	{"DELETE", "/api/v1/sap_systems/" + otherID + "/tags/x", "all:sap_system_tags", "", 204},
	{"GET", eventsPath, "any", "", 200},       // a recorder has no deadlines, so the stream ends at once
	{"GET", "/api/v1/search", "any", "", 422}, // without words
	{"GET", "/api/v1/incidents", "any", "", 200},
	{"GET", "/api/v1/availability", "any", "", 200},
	{"GET", "/api/v1/hosts/none/health_history", "any", "", 404},
	{"GET", "/api/v1/clusters/none/health_history", "any", "", 404},
	{"GET", "/api/v1/databases/none/health_history", "any", "", 404},
	{"GET", "/api/v1/sap_systems/none/health_history", "any", "", 404},
	{"GET", "/api/v1/activity_log", "any", "", 200},
	{"POST", "/api/v1/hosts/" + otherID + "/checks/request_execution", "all:host_checks_execution", "", 404},
	{"POST", "/api/v1/clusters/" + otherID + "/checks/request_execution", "all:cluster_checks_execution", "", 404},
	{"POST", "/api/v1/checks/facts", "all:host_checks_execution", `{}`, 422},
	{"GET", "/api/v1/checks/history", "any", "", 422},
	{"GET", "/api/v1/checks/executions/{id}/diff/{other}", "any", "", 422},
	{"GET", "/api/v1/checks/waivers", "any", "", 200},
	{"POST", "/api/v1/checks/waivers", "all:check_customization", `{}`, 422},
	{"PATCH", "/api/v1/checks/waivers/" + otherID, "all:check_customization", `{}`, 422},
	{"DELETE", "/api/v1/checks/waivers/" + otherID, "all:check_customization", "", 404},
	{"GET", "/api/v1/groups/" + otherID + "/checks", "any", "", 200},
	{"POST", "/api/v1/groups/" + otherID + "/checks/156F64/customization", "all:check_customization", `{"values":[{"name":"n","value":1}]}`, 404},
	{"DELETE", "/api/v1/groups/" + otherID + "/checks/156F64/customization", "all:check_customization", "", 404},
	{"GET", "/api/v2/checks/executions", "any", "", 200},
	{"GET", "/api/v2/checks/executions/" + otherID, "any", "", 404},
	{"GET", "/api/v2/checks/groups/" + otherID + "/executions/last", "any", "", 404},
	{"GET", "/api/v1/checks/executions", "any", "", 200},
	{"GET", "/api/v1/checks/executions/" + otherID, "any", "", 404},
	{"GET", "/api/v1/checks/groups/" + otherID + "/executions/last", "any", "", 404},
	{"POST", "/api/v2/checks/executions/start", "all:host_checks_execution", `{"execution_id":"` + otherID + `","group_id":"` + otherID + `","target_type":"host","targets":[]}`, 404},
	{"POST", "/api/v1/checks/executions/start", "all:cluster_checks_execution", `{"execution_id":"` + otherID + `","group_id":"` + otherID + `","targets":[]}`, 404},
	{"GET", "/api/v1/checks/catalog/status", "any", "", 200},
	{"GET", "/wanda/api", "public", "", 200},
	{"GET", "/wanda/api/v3/checks/catalog", "any", "", 200},
	{"GET", "/wanda/api/v2/checks/catalog", "any", "", 200},
	{"GET", "/wanda/api/v1/checks/catalog", "any", "", 200},
	{"GET", "/api/v3/checks/catalog", "any", "", 200},
	{"GET", "/api/v2/checks/catalog", "any", "", 200},
	{"GET", "/api/v1/checks/catalog", "any", "", 200},
	{"GET", "/wanda/api/v1/groups/" + otherID + "/checks", "any", "", 200},
	{"POST", "/wanda/api/v1/groups/" + otherID + "/checks/156F64/customization", "all:check_customization", `{"values":[{"name":"n","value":1}]}`, 404},
	{"DELETE", "/wanda/api/v1/groups/" + otherID + "/checks/156F64/customization", "all:check_customization", "", 404},
	{"GET", "/wanda/api/v2/checks/executions", "any", "", 200},
	{"GET", "/wanda/api/v2/checks/executions/" + otherID, "any", "", 404},
	{"GET", "/wanda/api/v2/checks/groups/" + otherID + "/executions/last", "any", "", 404},
	{"GET", "/wanda/api/v1/checks/executions", "any", "", 200},
	{"GET", "/wanda/api/v1/checks/executions/" + otherID, "any", "", 404},
	{"GET", "/wanda/api/v1/checks/groups/" + otherID + "/executions/last", "any", "", 404},
	{"POST", "/wanda/api/v2/checks/executions/start", "all:host_checks_execution", `{"execution_id":"` + otherID + `","group_id":"` + otherID + `","target_type":"host","targets":[]}`, 404},
	{"POST", "/wanda/api/v1/checks/executions/start", "all:cluster_checks_execution", `{"execution_id":"` + otherID + `","group_id":"` + otherID + `","targets":[]}`, 404},
	{"GET", "/api/v1/alerts", "any", "", 200},
	{"POST", "/api/v1/alerts/send", "all:alerting_settings", "", 204},
	{"POST", "/api/v1/alerts/discard", "all:alerting_settings", "", 204},
	{"GET", "/api/v1/settings/activity_log", "any", "", 200},
	{"PUT", "/api/v1/settings/activity_log", "all:activity_logs_settings", `{"retention_time":{"value":1,"unit":"month"}}`, 200},
	{"GET", "/api/v1/settings/forwarding", "all:activity_logs_settings", "", 200},
	{"GET", "/api/v1/settings/api_key", "any", "", 200},
	{"PATCH", "/api/v1/settings/api_key", "all:api_key_settings", `{}`, 422}, // with another key no agent could go on
	{"POST", "/api/v1/backups", "all:all", "", 200},
	{"GET", "/api/v1/settings/message_credential", "any", "", 200},
	{"POST", "/api/v1/settings/message_credential", "all:api_key_settings", "", 200},
	{"GET", "/api/v1/settings/alerting", "any", "", 404},
	{"POST", "/api/v1/settings/alerting", "all:alerting_settings", `{}`, 422},
	{"PATCH", "/api/v1/settings/alerting", "all:alerting_settings", `{}`, 404},
	{"DELETE", "/api/v1/settings/alerting", "all:alerting_settings", "", 404},
	{"POST", "/api/v1/settings/alerting/test", "all:alerting_settings", "", 404},
	{"GET", "/api/v1/users", "all:users", "", 200},
	{"POST", "/api/v1/users", "all:users", `{}`, 422},
	{"GET", "/api/v1/users/1", "all:users", "", 200},
	{"PATCH", "/api/v1/users/1", "all:users", `{}`, 428},
	{"PUT", "/api/v1/users/1", "all:users", `{}`, 428},
	{"DELETE", "/api/v1/users/999", "all:users", "", 404},
	{"GET", "/api/v1/profile", "any", "", 200},
	{"PATCH", "/api/v1/profile", "any", `{}`, 200},
	{"GET", "/api/v1/profile/totp_enrollment", "any", "", 200},
	{"POST", "/api/v1/profile/totp_enrollment", "any", `{"totp_code":"x"}`, 422},
	{"DELETE", "/api/v1/profile/totp_enrollment", "any", "", 204},
	{"POST", "/api/session/token/introspect", "public", "{}", 404}, // for all who come from elsewhere
	{"GET", "/api/v1/profile/sessions", "any", "", 200},
	{"DELETE", sessionsPath, "any", "", 204},
	{"DELETE", "/api/v1/profile/sessions/" + otherID, "any", "", 404},
	{"GET", "/api/v1/users/1/sessions", "all:users", "", 200},
	{"DELETE", "/api/v1/users/999/sessions", "all:users", "", 404},
	{"DELETE", "/api/v1/users/1/sessions/" + otherID, "all:users", "", 404},
	{"GET", "/api/v1/profile/tokens", "any", "", 200},
	{"POST", "/api/v1/profile/tokens", "any", `{}`, 422},
	{"DELETE", "/api/v1/profile/tokens", "any", "", 204},
	{"POST", "/api/v1/profile/tokens/delete", "any", `{"ids":["` + otherID + `"]}`, 404},
	{"PATCH", "/api/v1/profile/tokens/" + otherID, "any", `{}`, 404},
	{"DELETE", "/api/v1/profile/tokens/" + otherID, "any", "", 404},
	{"POST", "/api/v1/profile/tokens/" + otherID + "/regenerate", "any", "", 404},
	{"POST", "/api/v1/profile/tokens/" + otherID + "/expire", "any", "", 404},
	{"GET", "/api/v1/profile/token_authentications", "any", "", 200},
	{"GET", "/api/v1/profile/token_authentications.csv", "any", "", 200},
	{"GET", "/api/v1/personal_access_tokens", "all:users", "", 200},
	{"DELETE", "/api/v1/users/1/tokens/" + otherID, "all:users", "", 404},
	{"POST", "/api/v1/users/1/tokens/" + otherID + "/expire", "all:users", "", 404},
	{"GET", "/api/v1/users/1/token_authentications", "all:users", "", 200},
	{"GET", "/api/v1/users/1/token_authentications.csv", "all:users", "", 200},
	{"GET", "/api/v1/displays", "all:users", "", 200},
	{"POST", "/api/v1/displays", "all:users", `{"name":""}`, 422},
	{"DELETE", "/api/v1/displays/" + otherID, "all:users", "", 404},
	{"GET", "/api/v1/views", "any", "", 200},
	{"POST", "/api/v1/views", "all:users", `{"screen":"/hosts","name":"","query":""}`, 422},
	{"PATCH", "/api/v1/views/" + otherID, "all:users", `{"query":""}`, 404},
	{"DELETE", "/api/v1/views/" + otherID, "all:users", "", 404},
	{"GET", "/api/v1/webhooks", "all:alerting_settings", "", 200},
	{"POST", "/api/v1/webhooks", "all:alerting_settings", `{"name":"","url":"https://hooks.example.com"}`, 422},
	{"GET", "/api/v1/webhooks/" + otherID, "all:alerting_settings", "", 404},
	{"PATCH", "/api/v1/webhooks/" + otherID, "all:alerting_settings", `{}`, 404},
	{"DELETE", "/api/v1/webhooks/" + otherID, "all:alerting_settings", "", 404},
	{"POST", "/api/v1/webhooks/" + otherID + "/secret", "all:alerting_settings", "", 404},
	{"POST", "/api/v1/webhooks/" + otherID + "/test", "all:alerting_settings", "", 404},
	{"GET", "/api/v1/webhooks/" + otherID + "/deliveries", "all:alerting_settings", "", 404},
	{"POST", "/api/v1/webhooks/" + otherID + "/deliveries/1/redeliver", "all:alerting_settings", "", 404},
	{"GET", "/api/v1/settings/personal_access_tokens", "any", "", 200},
	{"PATCH", "/api/v1/settings/personal_access_tokens", "all:personal_access_token_settings", `{}`, 200},
	{"GET", "/api/v1/agents", "all:api_key_settings", "", 200},
	{"GET", "/api/v1/agents/refusals", "all:api_key_settings", "", 200},
	{"POST", "/api/v1/support_bundles", "all:all", "", 200},
	{"GET", "/api/v1/doctor", "all:api_key_settings", "", 200},
	{"GET", "/api/v1/abilities", "any", "", 200},
	{"GET", "/api/v1/about", "any", "", 200},
	{"GET", "/api/v1/prometheus/targets", "public", "", 200},
	{"GET", "/metrics", "any", "", 200},
	{"GET", "/api/public_keys", "public", "", 200},
	{"GET", "/api/healthz", "public", "", 200},
	{"GET", "/api/readyz", "public", "", 200},
	{"GET", "/api/v1/openapi", "public", "", 200},
	{"GET", "/api/v2/openapi", "public", "", 200},
	{"GET", "/api/unversioned/openapi", "public", "", 200},
	{"GET", "/api/all/openapi", "public", "", 200},
	{"GET", "/wanda/api/healthz", "public", "", 200},
	{"GET", "/wanda/api/readyz", "public", "", 200},
	{"GET", "/wanda/api/v1/openapi", "public", "", 200},
	{"GET", "/wanda/api/v2/openapi", "public", "", 200},
	{"GET", "/wanda/api/v3/openapi", "public", "", 200},
	{"GET", "/wanda/api/unversioned/openapi", "public", "", 200},
	{"GET", "/wanda/api/all/openapi", "public", "", 200},
	{"GET", "/api/doc", "public", "", 200},
	{"GET", "/api/doc/start.js", "public", "", 200},
}

// sessionsPath is where callers end all their sessions but one.
const sessionsPath = "/api/v1/profile/sessions"

// caller is somebody who tries a route.
type caller struct {
	name          string
	header        map[string]string
	signedIn, key bool
	ability       string // of a user who has one
}

// passes reports whether the caller is let in where something is demanded.
func (c caller) passes(demand string) bool {
	switch demand {
	case "public":
		return true
	case "agent":
		return c.key
	case "any":
		return c.signedIn
	}
	return c.ability == demand || c.ability == "all:all"
}

// TestRoutes lets everybody try everything.
func TestRoutes(t *testing.T) {
	t.Parallel()
	if routes := (&api.API{}).Routes(); len(routes) != len(demands) {
		t.Errorf("%d routes, %d in the table of this test", len(routes), len(demands))
	}
	f := newFixture(t)
	for _, c := range callers(f) {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			for _, d := range demands {
				if d.method == "DELETE" && d.path == sessionsPath {
					continue // one of a user's callers would end the others; see TestOpenSessions
				}
				header := map[string]string{"X-Trento-Apikey": "", "Authorization": ""}
				for name, value := range c.header {
					header[name] = value
				}
				if d.path == "/api/session" {
					header["Content-Type"] = ""
				}
				got := f.do(call{method: d.method, path: d.path, body: d.body, header: header})
				switch {
				case c.passes(d.demand):
					got.expect(t, d.status, "*")
				case c.signedIn && d.demand != "agent":
					got.expect(t, http.StatusForbidden, forbidden)
				default:
					got.expect(t, http.StatusUnauthorized, signedOut)
				}
			}
		})
	}
}

// callers are users with every ability there is, agents, and those who are
// neither.
func callers(f *fixture) []caller {
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	agentKey := func(key string) map[string]string { return map[string]string{"X-Trento-Apikey": key} }
	expired := f.tokens[f.user("late")]
	f.clock.pass(auth.AccessLifetime)
	disabled := f.user("disabled")
	storetest.Disable(f.t, f.store, f.account(disabled).ID)
	f.user("plain")

	// A server with the same store and other secrets, and one with the same
	// secrets and another store.
	otherSecrets := secrets
	otherSecrets.Access = []byte(strings.Repeat("o", 48))
	strangers := newFixtureOn(f.t, f.store, f.clock, func(o *auth.Options) { o.Secrets = otherSecrets })
	strangers.user("stranger")
	twins := newFixture(f.t)
	past := f.clock.now.Add(-time.Second)

	all := []caller{
		{name: "nobody"},
		{name: "plain user", header: bearer(f.tokens["plain"]), signedIn: true},
		{name: "bare token", header: map[string]string{"Authorization": f.tokens["plain"]}, signedIn: true},
		{name: "browser", header: map[string]string{"Cookie": f.cookie("plain")}, signedIn: true},
		{name: "agent", header: agentKey(f.agentKey()), key: true},
		{name: "agent and user", header: map[string]string{"X-Trento-Apikey": f.agentKey(), "Authorization": "Bearer " + f.tokens["plain"]}, signedIn: true, key: true},
		{name: "expired token", header: bearer(expired)},
		{name: "disabled user", header: bearer(f.tokens[disabled])},
		{name: "garbage", header: map[string]string{"X-Trento-Apikey": "garbage", "Authorization": "Bearer garbage", "Cookie": "trento-session=garbage"}},
		{name: "browser with a bad token", header: map[string]string{"Cookie": f.cookie("plain"), "Authorization": "Bearer garbage"}},
		{name: "user's token as a key", header: agentKey(f.tokens["plain"])},
		{name: "agent's key as a token", header: bearer(f.agentKey())},
		{name: "key of another server", header: agentKey(twins.agentKey())},
		{name: "key signed by others", header: agentKey(strangers.agentKey())},
		{name: "token signed by others", header: bearer(strangers.tokens["stranger"])},
		{name: "expired key", header: agentKey(f.auth.APIKeyText(&store.APIKey{ID: f.apiKey().ID, CreatedAt: past, ExpiresAt: &past}))},
	}
	for _, a := range auth.Abilities() {
		name := f.user(fmt.Sprintf("user%d", a.ID), a.ID)
		all = append(all, caller{name: a.String(), header: bearer(f.tokens[name]), signedIn: true, ability: a.String()})
	}
	return all
}

// cookie is what the browser of a user sends who is signed in to the console.
func (f *fixture) cookie(name string) (cookie string) {
	f.t.Helper()
	w := httptest.NewRecorder()
	if err := f.auth.SignInConsole(w, httptest.NewRequest(http.MethodPost, "/session", nil), &auth.Proof{User: f.account(name), Method: store.MethodPassword}); err != nil {
		f.t.Fatal(err)
	}
	cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	return cookie
}

// TestExpiredAPIKey checks that the key of the agents does not outlive its
// date.
func TestExpiredAPIKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.clock.pass(36500*24*time.Hour - time.Second)
	f.register(agentID, "vega01")
	f.clock.pass(time.Second)
	f.post(agent, collectPath, hostReport(agentID, "vega01")).expect(t, http.StatusUnauthorized, signedOut)
}

// TestElsewhere goes through addresses that are not quite right.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	for _, test := range []struct {
		method, path string
		status       int
		header, want string
		body         string
	}{
		{"GET", "/api/hosts", 307, "Location", "/api/v1/hosts", ""},
		{"GET", "/api/activity_log?first=2&severity[]=info&search=%22a%20b%22", 307, "Location", "/api/v1/activity_log?first=2&severity[]=info&search=%22a%20b%22", ""},
		{"POST", "/api/collect", 307, "Location", "/api/v1/collect", ""},
		{"POST", "/api/hosts/" + agentID + "/heartbeat", 307, "Location", "/api/v1/hosts/" + agentID + "/heartbeat", ""},
		{"POST", "/api/hosts/%0d%0aSet-Cookie:%20x/heartbeat", 307, "Location", "/api/v1/hosts/%0d%0aSet-Cookie:%20x/heartbeat", ""},
		{"GET", "/api/openapi", 307, "Location", "/api/v2/openapi", ""},
		{"GET", "/api/clusters", 307, "Location", "/api/v2/clusters", ""},
		{"POST", "/api/clusters/" + agentID + "/tags", 307, "Location", "/api/v1/clusters/" + agentID + "/tags", ""},
		{"DELETE", "/api/hosts/" + agentID + "/tags/a%2Fb", 307, "Location", "/api/v1/hosts/" + agentID + "/tags/a%2Fb", ""},
		{"DELETE", "/api/hosts/" + agentID + "/tags/..", 307, "Location", "/api/v1/hosts/" + agentID + "/tags/..", ""},
		{"DELETE", "/api/hosts", 307, "Location", "/api/v1/hosts", ""},
		{"GET", "/api//hosts/", 307, "Location", "/api/v1/hosts", ""},
		{"GET", "//api/hosts", 307, "Location", "/api/v1/hosts", ""},

		{"GET", "/api/nothing", 404, "", "", notFound},
		{"GET", "/api/v1/nothing", 404, "", "", notFound},
		{"GET", "/api/v2/hosts", 404, "", "", notFound},
		{"GET", "/api/v1/v1/hosts", 404, "", "", notFound},
		{"GET", "/api/v01/hosts", 404, "", "", notFound},
		{"GET", "/api", 404, "", "", notFound},
		{"GET", "/api/", 404, "", "", notFound},
		{"GET", "/api/..%2f..%2fetc/passwd", 404, "", "", notFound},
		{"GET", "/api/v1/hosts/a/b/heartbeat", 404, "", "", notFound},
		{"GET", "/api/v1/./x/../hosts", 404, "", "", notFound},
		{"GET", "/api/v1/hosts/..", 405, "Allow", "DELETE, OPTIONS", general(405)},
		{"DELETE", "/api/v1/hosts/" + agentID + "/", 404, "", "", notFound},
		{"DELETE", "/api//v1/hosts/" + agentID, 404, "", "", notFound},
		{"DELETE", "//api/v1/hosts/" + agentID, 404, "", "", notFound},
		{"DELETE", "/api/hosts/" + agentID + "/", 404, "", "", notFound},
		{"DELETE", "/api/v1/hosts/" + agentID + "/tags/", 404, "", "", notFound},

		{"DELETE", "/api/v1/hosts", 405, "Allow", "GET, HEAD, OPTIONS", general(405)},
		{"GET", "/api/v1/hosts/a%2fb/heartbeat", 405, "Allow", "POST, OPTIONS", general(405)},
		{"GET", "/api/v1/hosts/" + agentID, 405, "Allow", "DELETE, OPTIONS", general(405)},
		{"PUT", "/api/v1/hosts/" + agentID + "/tags/x", 405, "Allow", "DELETE, OPTIONS", general(405)},
		{"OPTIONS", "/api/v1/hosts", 204, "Allow", "GET, HEAD, OPTIONS", ""},
		{"OPTIONS", "/api/v1/hosts/" + agentID + "/tags/x", 204, "Allow", "DELETE, OPTIONS", ""},
		{"OPTIONS", "/api/hosts", 307, "Location", "/api/v1/hosts", ""},
		{"OPTIONS", "/api/v1/nothing", 404, "", "", notFound},
		{"GET", "/api/v1/collect", 405, "Allow", "POST, OPTIONS", general(405)},
		{"GET", "/api/session", 405, "Allow", "POST, OPTIONS", general(405)},
		{"BREW", "/api/session", 405, "Allow", "POST, OPTIONS", general(405)},

		{"GET", "/api/v1/hosts/", 200, "", "", "[]"},
		{"GET", "//api//v1/hosts", 200, "", "", "[]"},
	} {
		got := f.do(call{as: "ann", method: test.method, path: test.path})
		got.expect(t, test.status, test.body)
		if test.header != "" && got.header.Get(test.header) != test.want {
			t.Errorf("%s %s: %s is %q, want %q", test.method, test.path, test.header, got.header.Get(test.header), test.want)
		}
	}
	// A slash at the end of the address an agent is given arrives doubled, and
	// what is sent there must arrive, too.
	f.post(agent, "//api/v1/collect", hostReport(agentID, "vega01")).expect(t, http.StatusAccepted, "{}")
}

// TestHead checks that what can be read can be asked about.
func TestHead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	for _, d := range demands {
		if d.method != http.MethodGet {
			continue
		}
		get, head := f.get("ann", d.path), f.do(call{as: "ann", method: http.MethodHead, path: d.path})
		if head.status != get.status || head.header.Get("Content-Length") != get.header.Get("Content-Length") {
			t.Errorf("HEAD %s: %d %v", d.path, head.status, head.header)
		}
	}
}

// TestHeaders checks what every answer with data carries.
func TestHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	for path, cached := range map[string]string{
		"/api/v1/hosts": "private, no-cache", "/api/v2/clusters": "private, no-cache", "/api/v1/sap_systems/health": "private, no-cache", "/api/v1/activity_log": "private, no-cache",
		"/api/v1/settings/api_key": "no-store", "/api/v1/about": "no-store", "/api/v1/nothing": "no-store",
	} {
		header := f.get("ann", path).header
		if header.Get("Content-Type") != "application/json; charset=utf-8" || header.Get("Cache-Control") != cached || (header.Get("ETag") != "") != (cached != "no-store") {
			t.Errorf("%s: %v", path, header)
		}
	}
}
