package api

import (
	"net/http"
	"slices"

	"github.com/klauspost/compress/gzhttp"

	"trento/auth"
	"trento/store"
	"trento/store/activity"
	"trento/store/check"
)

// Route is a method and a path, with the rule of who may use it and the
// handler. All routes of the API and of the console are in tables of this type.
type Route struct {
	Method string // GET includes HEAD
	Path   string // variables in braces, as gorilla/mux reads them
	Access auth.Access
	Tokens auth.TokenRule
	Handle func(http.ResponseWriter, *http.Request) error
}

// Uncompressed prevents the compression of a handler's answers. It is for
// answers with a secret: the size of a compressed answer can reveal the secret
// if the request influences the text around it (BREACH). It is also for answers
// with a strong ETag, which stands for the exact bytes.
func Uncompressed(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		LeaveUncompressed(w)
		return handle(w, r)
	}
}

// LeaveUncompressed prevents the compression of one answer. It is for a handler
// whose answer only sometimes contains a secret.
func LeaveUncompressed(w http.ResponseWriter) {
	w.Header().Set(gzhttp.HeaderNoCompression, "true") // removed before the answer is sent
}

// Routes returns all routes of the API. Only this table decides who may use a
// route. openapi.yaml repeats that for clients, and a test compares the two.
// Routes are tried in this order. The routes of agents come first because they
// are used most.
func (a *API) Routes() []Route {
	// unscoped is the rule of routes that are in no set of scopes. A token
	// needs the scope "full" or the scope of the route itself.
	var unscoped auth.TokenRule
	local := unscoped.ForLocalAccounts()
	return slices.Concat([]Route{
		{"POST", "/api/v1/collect", auth.Agent, unscoped, a.collect},
		{"POST", "/api/v1/hosts/{id}/heartbeat", auth.Agent, unscoped, a.receiveHeartbeat},

		{"POST", "/api/session", auth.Public, local, a.signIn},
		{"POST", "/api/session/{provider}/callback", auth.Public, unscoped, a.signInByProvider},
		{"GET", "/api/session/{provider}/saml_callback", auth.Public, unscoped, a.signInBySession},
		{"POST", "/api/session/refresh", auth.Public, unscoped, a.refresh},
		{"POST", "/api/session/token/introspect", auth.Public, unscoped, a.introspect},

		{"GET", "/api/v1/hosts", auth.SignedIn, auth.InSets("read_only", "checks", "operations", "tags", "housekeeping"), a.listHosts},
		{"GET", "/api/v1/hosts/{id}/health_history", auth.SignedIn, auth.InSets("read_only"), a.showHealthHistory(activity.HostThing)},
		{"DELETE", "/api/v1/hosts/{id}", auth.Needs("cleanup:host"), auth.InSets("housekeeping"), a.cleanUpHost},
		{"POST", "/api/v1/hosts/{id}/checks", auth.Needs("all:host_checks_selection"), auth.InSets("checks"), a.selectHostChecks},
		{"POST", "/api/v1/hosts/{id}/checks/request_execution", auth.Needs("all:host_checks_execution"), auth.InSets("checks"), a.requestExecution(check.HostSubject, "id")},
		{"GET", "/api/v1/hosts/{id}/refresh", auth.SignedIn, auth.InSets("read_only", "checks"), a.showHostRefresh},
		{"POST", "/api/v1/hosts/{id}/refresh", auth.Needs("all:host_checks_execution"), auth.InSets("checks"), a.refreshHost},
		{"POST", "/api/v1/hosts/tags", auth.Needs("all:host_tags"), auth.InSets("tags"), a.changeTags(store.HostTag)},
		{"POST", "/api/v1/hosts/{id}/tags", auth.Needs("all:host_tags"), auth.InSets("tags"), a.addTag(store.HostTag)},
		{"DELETE", "/api/v1/hosts/{id}/tags/{value}", auth.Needs("all:host_tags"), auth.InSets("tags"), a.removeTag(store.HostTag)},

		{"GET", "/api/v2/clusters", auth.SignedIn, auth.InSets("read_only", "checks", "operations", "tags"), a.listClusters},
		{"GET", "/api/v1/clusters", auth.SignedIn, auth.InSets("read_only", "checks", "operations", "tags"), a.listClustersV1},
		{"GET", "/api/v1/clusters/{id}/health_history", auth.SignedIn, auth.InSets("read_only"), a.showHealthHistory(activity.ClusterThing)},
		{"POST", "/api/v1/clusters/{cluster_id}/checks", auth.Needs("all:cluster_checks_selection"), auth.InSets("checks"), a.selectClusterChecks},
		{"POST", "/api/v1/clusters/{cluster_id}/checks/request_execution", auth.Needs("all:cluster_checks_execution"), auth.InSets("checks"), a.requestExecution(check.ClusterSubject, "cluster_id")},
		{"GET", "/api/v1/clusters/{id}/refresh", auth.SignedIn, auth.InSets("read_only", "checks"), a.showClusterRefresh},
		{"POST", "/api/v1/clusters/{id}/refresh", auth.Needs("all:cluster_checks_execution"), auth.InSets("checks"), a.refreshCluster},
		{"POST", "/api/v1/clusters/tags", auth.Needs("all:cluster_tags"), auth.InSets("tags"), a.changeTags(store.ClusterTag)},
		{"POST", "/api/v1/clusters/{id}/tags", auth.Needs("all:cluster_tags"), auth.InSets("tags"), a.addTag(store.ClusterTag)},
		{"DELETE", "/api/v1/clusters/{id}/tags/{value}", auth.Needs("all:cluster_tags"), auth.InSets("tags"), a.removeTag(store.ClusterTag)},

		{"GET", "/api/v1/databases", auth.SignedIn, auth.InSets("read_only", "operations", "tags", "housekeeping"), a.listDatabases},
		{"GET", "/api/v1/databases/{id}/health_history", auth.SignedIn, auth.InSets("read_only"), a.showHealthHistory(activity.DatabaseThing)},
		{"DELETE", "/api/v1/databases/{id}/hosts/{host_id}/instances/{instance_number}", auth.Needs("cleanup:database_instance"), auth.InSets("housekeeping"), a.cleanUpDatabaseInstance},
		{"POST", "/api/v1/databases/tags", auth.Needs("all:database_tags"), auth.InSets("tags"), a.changeTags(store.DatabaseTag)},
		{"POST", "/api/v1/databases/{id}/tags", auth.Needs("all:database_tags"), auth.InSets("tags"), a.addTag(store.DatabaseTag)},
		{"DELETE", "/api/v1/databases/{id}/tags/{value}", auth.Needs("all:database_tags"), auth.InSets("tags"), a.removeTag(store.DatabaseTag)},

		{"GET", "/api/v1/sap_systems", auth.SignedIn, auth.InSets("read_only", "operations", "tags", "housekeeping"), a.listSAPSystems},
		{"GET", "/api/v1/sap_systems/health", auth.SignedIn, auth.InSets("read_only"), a.listHealth},
		{"GET", "/api/v1/sap_systems/{id}/health_history", auth.SignedIn, auth.InSets("read_only"), a.showHealthHistory(activity.SAPSystemThing)},
		{"DELETE", "/api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}", auth.Needs("cleanup:application_instance"), auth.InSets("housekeeping"), a.cleanUpApplicationInstance},
		{"POST", "/api/v1/sap_systems/tags", auth.Needs("all:sap_system_tags"), auth.InSets("tags"), a.changeTags(store.SAPSystemTag)},
		{"POST", "/api/v1/sap_systems/{id}/tags", auth.Needs("all:sap_system_tags"), auth.InSets("tags"), a.addTag(store.SAPSystemTag)},
		{"DELETE", "/api/v1/sap_systems/{id}/tags/{value}", auth.Needs("all:sap_system_tags"), auth.InSets("tags"), a.removeTag(store.SAPSystemTag)},

		{"GET", "/api/v1/search", auth.SignedIn, auth.InSets("read_only").WidenedBy("all:users"), a.search},
		{"GET", "/api/v1/incidents", auth.SignedIn, auth.InSets("read_only"), a.listIncidents},
		{"GET", "/api/v1/availability", auth.SignedIn, auth.InSets("read_only"), a.listAvailability},
		{"GET", "/api/v1/activity_log", auth.SignedIn, auth.InSets("read_only").WidenedBy("all:users", "activity_log:users"), a.listActivity},
		{"GET", eventsPath, auth.SignedIn, eventTokenRule(), a.streamEvents},

		{"GET", "/api/v1/users", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.listUsers},
		{"POST", "/api/v1/users", auth.Needs("all:users"), auth.InSets("user_management").ForLocalAccounts(), a.createUser},
		{"GET", "/api/v1/users/{id}", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), Uncompressed(a.showUser)},
		{"PATCH", "/api/v1/users/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.changeUser},
		{"PUT", "/api/v1/users/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.changeUser},
		{"DELETE", "/api/v1/users/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.deleteUser},

		{"GET", "/api/v1/profile", auth.SignedIn, auth.InSets("read_only"), Uncompressed(a.showProfile)},
		{"PATCH", "/api/v1/profile", auth.SignedIn, unscoped, a.changeProfile},
		{"GET", "/api/v1/profile/totp_enrollment", auth.SignedIn, auth.InPerson().ForLocalAccounts(), Uncompressed(a.beginTOTP)},
		{"POST", "/api/v1/profile/totp_enrollment", auth.SignedIn, auth.InPerson().ForLocalAccounts(), a.confirmTOTP},
		{"DELETE", "/api/v1/profile/totp_enrollment", auth.SignedIn, auth.InPerson().ForLocalAccounts(), a.disableTOTP},

		{"GET", "/api/v1/profile/sessions", auth.SignedIn, auth.InSets("read_only"), a.listOwnSessions},
		{"DELETE", "/api/v1/profile/sessions", auth.SignedIn, unscoped, a.endOwnSessions},
		{"DELETE", "/api/v1/profile/sessions/{session_id}", auth.SignedIn, unscoped, a.endOwnSession},
		{"GET", "/api/v1/users/{id}/sessions", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.listSessionsOf},
		{"DELETE", "/api/v1/users/{id}/sessions", auth.Needs("all:users"), auth.InSets("user_management"), a.endSessionsOf},
		{"DELETE", "/api/v1/users/{id}/sessions/{session_id}", auth.Needs("all:users"), auth.InSets("user_management"), a.endSessionOf},

		{"GET", "/api/v1/profile/tokens", auth.SignedIn, auth.InSets("read_only"), a.listOwnTokens},
		{"POST", "/api/v1/profile/tokens", auth.SignedIn, auth.InPerson(), a.createToken},
		{"DELETE", "/api/v1/profile/tokens", auth.SignedIn, unscoped, a.deleteAllTokens},
		{"POST", "/api/v1/profile/tokens/delete", auth.SignedIn, unscoped, a.deleteTokens},
		{"PATCH", "/api/v1/profile/tokens/{token_id}", auth.SignedIn, auth.InPerson(), a.changeToken},
		{"DELETE", "/api/v1/profile/tokens/{token_id}", auth.SignedIn, unscoped, a.deleteToken},
		{"POST", "/api/v1/profile/tokens/{token_id}/regenerate", auth.SignedIn, auth.InPerson(), a.regenerateToken},
		{"POST", "/api/v1/profile/tokens/{token_id}/expire", auth.SignedIn, unscoped, a.expireToken},
		{"GET", "/api/v1/profile/token_authentications", auth.SignedIn, auth.InSets("read_only"), a.listOwnTokenUses},
		{"GET", "/api/v1/profile/token_authentications.csv", auth.SignedIn, auth.InSets("read_only"), a.exportOwnTokenUses},
		{"GET", "/api/v1/personal_access_tokens", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.listAllTokens},
		{"DELETE", "/api/v1/users/{id}/tokens/{token_id}", auth.Needs("all:users"), auth.InSets("user_management"), a.deleteTokenOf},
		{"POST", "/api/v1/users/{id}/tokens/{token_id}/expire", auth.Needs("all:users"), auth.InSets("user_management"), a.expireTokenOf},
		{"GET", "/api/v1/users/{id}/token_authentications", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.listTokenUsesOf},
		{"GET", "/api/v1/users/{id}/token_authentications.csv", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.exportTokenUsesOf},

		{"POST", "/api/v1/checks/facts", auth.Needs("all:host_checks_execution"), auth.InSets("checks"), a.askFacts},
		{"GET", "/api/v1/checks/history", auth.SignedIn, auth.InSets("read_only", "checks"), a.listCheckHistory},
		{"GET", "/api/v1/checks/executions/{id}/diff/{other}", auth.SignedIn, auth.InSets("read_only", "checks"), a.showExecutionDifference},
		{"GET", "/api/v1/checks/waivers", auth.SignedIn, auth.InSets("read_only", "checks"), a.listWaivers},
		{"POST", "/api/v1/checks/waivers", auth.Needs("all:check_customization"), auth.InSets("checks"), a.createWaiver},
		{"PATCH", "/api/v1/checks/waivers/{id}", auth.Needs("all:check_customization"), auth.InSets("checks"), a.changeWaiver},
		{"DELETE", "/api/v1/checks/waivers/{id}", auth.Needs("all:check_customization"), auth.InSets("checks"), a.endWaiver},
		{"GET", "/api/v1/displays", auth.Needs("all:users"), auth.InSets("read_only", "user_management"), a.listDisplays},
		{"POST", "/api/v1/displays", auth.Needs("all:users"), auth.InSets("user_management"), a.createDisplay},
		{"DELETE", "/api/v1/displays/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.deleteDisplay},
		{"GET", "/api/v1/views", auth.SignedIn, auth.InSets("read_only"), a.listSharedViews},
		{"POST", "/api/v1/views", auth.Needs("all:users"), auth.InSets("user_management"), a.shareView},
		{"PATCH", "/api/v1/views/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.changeSharedView},
		{"DELETE", "/api/v1/views/{id}", auth.Needs("all:users"), auth.InSets("user_management"), a.deleteSharedView},

		{"GET", "/api/v1/alerts", auth.SignedIn, auth.InSets("read_only"), a.listAlerts},
		{"POST", "/api/v1/alerts/send", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.sendAlerts},
		{"POST", "/api/v1/alerts/discard", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.discardAlerts},

		{"GET", "/api/v1/webhooks", auth.Needs(abilityAlertSettings), auth.InSets("read_only", "settings"), Uncompressed(a.listWebhooks)},
		{"POST", "/api/v1/webhooks", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.createWebhook},
		{"GET", "/api/v1/webhooks/{id}", auth.Needs(abilityAlertSettings), auth.InSets("read_only", "settings"), Uncompressed(a.showWebhook)},
		{"PATCH", "/api/v1/webhooks/{id}", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.changeWebhook},
		{"DELETE", "/api/v1/webhooks/{id}", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.deleteWebhook},
		{"POST", "/api/v1/webhooks/{id}/secret", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.replaceWebhookSecret},
		{"POST", "/api/v1/webhooks/{id}/test", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.testWebhook},
		{"GET", "/api/v1/webhooks/{id}/deliveries", auth.Needs(abilityAlertSettings), auth.InSets("read_only", "settings"), a.listWebhookDeliveries},
		{"POST", "/api/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.redeliverEvent},

		{"GET", "/api/v1/settings/personal_access_tokens", auth.SignedIn, auth.InSets("read_only", "settings"), a.showTokenSettings},
		{"PATCH", "/api/v1/settings/personal_access_tokens", auth.Needs("all:personal_access_token_settings"), auth.InPerson(), a.changeTokenSettings},
		{"GET", "/api/v1/settings/activity_log", auth.SignedIn, auth.InSets("read_only", "settings"), a.showActivitySettings},
		{"PUT", "/api/v1/settings/activity_log", auth.Needs("all:activity_logs_settings"), auth.InSets("settings"), a.changeActivitySettings},
		{"GET", "/api/v1/settings/forwarding", auth.Needs("all:activity_logs_settings"), auth.InSets("read_only", "settings"), a.listForwarding},
		{"GET", "/api/v1/settings/alerting", auth.SignedIn, auth.InSets("read_only", "settings").WidenedBy(abilityAlertSettings), Uncompressed(a.showAlertSettings)},
		{"POST", "/api/v1/settings/alerting", auth.Needs(abilityAlertSettings), auth.InSets("settings"), Uncompressed(a.saveAlertSettings)},
		{"PATCH", "/api/v1/settings/alerting", auth.Needs(abilityAlertSettings), auth.InSets("settings"), Uncompressed(a.changeAlertSettings)},
		{"DELETE", "/api/v1/settings/alerting", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.clearAlertSettings},
		{"POST", "/api/v1/settings/alerting/test", auth.Needs(abilityAlertSettings), auth.InSets("settings"), a.testAlertSettings},
		{"GET", "/api/v1/settings/api_key", auth.SignedIn, auth.InSets("read_only", "settings").WidenedBy("all:api_key_settings"), Uncompressed(a.showAPIKey)},
		{"PATCH", "/api/v1/settings/api_key", auth.Needs(abilityAPIKeySettings), auth.InSets("settings"), a.regenerateAPIKey},
		{"POST", "/api/v1/backups", auth.Needs("all:all"), auth.InPerson(), a.backUp},

		{"GET", "/api/v1/settings/message_credential", auth.SignedIn, auth.InSets("read_only", "settings").WidenedBy("all:api_key_settings"), Uncompressed(a.showMessageCredential)},
		{"POST", "/api/v1/settings/message_credential", auth.Needs(abilityAPIKeySettings), auth.InSets("settings"), a.rotateMessageCredential},
		{"GET", "/api/v1/agents", auth.Needs(abilityAPIKeySettings), auth.InSets("read_only", "settings"), a.listAgents},
		{"GET", "/api/v1/agents/refusals", auth.Needs(abilityAPIKeySettings), auth.InSets("read_only", "settings"), a.listAgentRefusals},
		{"POST", "/api/v1/support_bundles", auth.Needs("all:all"), auth.InPerson(), a.createSupportBundle},
		{"GET", "/api/v1/doctor", auth.Needs(abilityAPIKeySettings), auth.InSets("read_only", "settings"), a.examine},
		{"GET", "/api/v1/abilities", auth.SignedIn, auth.InSets("read_only"), a.listAbilities},
		{"GET", "/api/v1/about", auth.SignedIn, auth.InSets("read_only"), a.showAbout},

		{"GET", "/api/v1/prometheus/targets", auth.Public, unscoped, a.listPrometheusTargets},
		{"GET", metricsPath, auth.SignedIn, auth.InSets("read_only").ForMonitoring(), a.showMetrics},
		{"GET", "/api/public_keys", auth.Public, unscoped, a.listPublicKeys},
		{"GET", "/api/healthz", auth.Public, unscoped, a.showHealth},
		{"GET", "/api/readyz", auth.Public, unscoped, a.showReadiness},
		{"GET", "/api/v1/openapi", auth.Public, unscoped, a.showOpenAPI("", "v1")},
		{"GET", "/api/v2/openapi", auth.Public, unscoped, a.showOpenAPI("", "v2")},
		{"GET", "/api/unversioned/openapi", auth.Public, unscoped, a.showOpenAPI("", unversionedPaths)},
		{"GET", "/api/all/openapi", auth.Public, unscoped, a.showOpenAPI("", allPaths)},
		{"GET", "/api/v1/checks/catalog/status", auth.SignedIn, auth.InSets("read_only", "checks"), a.showCatalogueStatus},
		{"GET", enginePrefix + "/api", auth.Public, unscoped, a.showEngine},
		{"GET", enginePrefix + "/api/healthz", auth.Public, unscoped, a.showHealth},
		{"GET", enginePrefix + "/api/readyz", auth.Public, unscoped, a.showReadiness},
		{"GET", enginePrefix + "/api/v1/openapi", auth.Public, unscoped, a.showOpenAPI(enginePrefix, "v1")},
		{"GET", enginePrefix + "/api/v2/openapi", auth.Public, unscoped, a.showOpenAPI(enginePrefix, "v2")},
		{"GET", enginePrefix + "/api/v3/openapi", auth.Public, unscoped, a.showOpenAPI(enginePrefix, "v3")},
		{"GET", enginePrefix + "/api/unversioned/openapi", auth.Public, unscoped, a.showOpenAPI(enginePrefix, unversionedPaths)},
		{"GET", enginePrefix + "/api/all/openapi", auth.Public, unscoped, a.showOpenAPI(enginePrefix, allPaths)},
		{"GET", docPath, auth.Public, unscoped, a.showDocumentation},
		{"GET", docPath + "/{file}", auth.Public, unscoped, a.serveDocumentationFile},
	}, a.engineRoutes())
}

// engineRoutes returns the routes of the checks engine, each also under
// enginePrefix.
func (a *API) engineRoutes() (routes []Route) {
	checks, readChecks := auth.InSets("checks"), auth.InSets("read_only", "checks")
	start := checks.WidenedBy("all:host_checks_execution", "all:cluster_checks_execution") // see checkMayExecute
	for _, route := range []Route{
		{"GET", "/api/v3/checks/catalog", auth.SignedIn, readChecks, a.listCatalogue(false)},
		{"GET", "/api/v2/checks/catalog", auth.SignedIn, readChecks, a.listCatalogue(true)},
		{"GET", "/api/v1/checks/catalog", auth.SignedIn, readChecks, a.listCatalogue(true)},
		{"GET", "/api/v1/groups/{group_id}/checks", auth.SignedIn, readChecks, a.listSelectableChecks},
		{"POST", "/api/v1/groups/{group_id}/checks/{check_id}/customization", auth.Needs("all:check_customization"), checks, a.customizeCheck},
		{"DELETE", "/api/v1/groups/{group_id}/checks/{check_id}/customization", auth.Needs("all:check_customization"), checks, a.resetCheck},
		{"GET", "/api/v2/checks/executions", auth.SignedIn, readChecks, a.listExecutions(false)},
		{"GET", "/api/v1/checks/executions", auth.SignedIn, readChecks, a.listExecutions(true)},
		{"GET", "/api/v2/checks/executions/{id}", auth.SignedIn, readChecks, a.showExecution(false)},
		{"GET", "/api/v1/checks/executions/{id}", auth.SignedIn, readChecks, a.showExecution(true)},
		{"GET", "/api/v2/checks/groups/{id}/executions/last", auth.SignedIn, readChecks, a.showLastExecution(false)},
		{"GET", "/api/v1/checks/groups/{id}/executions/last", auth.SignedIn, readChecks, a.showLastExecution(true)},
		{"POST", "/api/v2/checks/executions/start", auth.SignedIn, start, a.startExecution},
		{"POST", "/api/v1/checks/executions/start", auth.SignedIn, start, a.startExecution},
	} {
		routes = append(routes, route)
		route.Path = enginePrefix + route.Path
		routes = append(routes, route)
	}
	return routes
}
