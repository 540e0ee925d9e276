package api

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"

	"trento/auth"
	"trento/store"
)

// Route is one way into the product, and what it takes to be let in. A route
// that is in no table does not exist.
type Route struct {
	Method string // GET answers HEAD, too
	Path   string // variables in braces, as gorilla/mux reads them
	Access auth.Access
	Handle func(http.ResponseWriter, *http.Request) error
}

// Uncompressed leaves the answers to GET of a handler as they are: those that
// show a secret, whose text could be guessed from the size where the request
// has a say in what stands beside it (BREACH), and those with a strong ETag,
// which names the bytes.
func Uncompressed(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		LeaveUncompressed(w)
		return handle(w, r)
	}
}

// LeaveUncompressed is Uncompressed for one answer, of which it shows only
// while it is made that there is a secret in it.
func LeaveUncompressed(w http.ResponseWriter) {
	w.Header().Set(gzhttp.HeaderNoCompression, "true") // which never leaves the server
}

// Routes are all routes of the API: the one place where each names what it
// requires. They are tried in this order, and agents call most.
func (a *API) Routes() []Route {
	return []Route{
		{"POST", "/api/v1/collect", auth.Agent, a.collect},
		{"POST", "/api/v1/hosts/{id}/heartbeat", auth.Agent, a.heartbeat},

		{"POST", "/api/session", auth.Public, a.signIn},
		{"POST", "/api/session/refresh", auth.Public, a.refresh},
		{"POST", "/api/session/token/introspect", auth.Public, a.introspect},

		{"GET", "/api/v1/hosts", auth.SignedIn, a.hosts},
		{"DELETE", "/api/v1/hosts/{id}", auth.Needs("cleanup:host"), a.deregisterHost},
		{"POST", "/api/v1/hosts/{id}/checks", auth.Needs("all:host_checks_selection"), a.selectHostChecks},
		{"POST", "/api/v1/hosts/{id}/tags", auth.Needs("all:host_tags"), a.addTag(store.HostTag)},
		{"DELETE", "/api/v1/hosts/{id}/tags/{value}", auth.Needs("all:host_tags"), a.removeTag(store.HostTag)},

		{"GET", "/api/v2/clusters", auth.SignedIn, a.clusters},
		{"GET", "/api/v1/clusters", auth.SignedIn, a.clustersV1},
		{"POST", "/api/v1/clusters/{cluster_id}/checks", auth.Needs("all:cluster_checks_selection"), a.selectClusterChecks},
		{"POST", "/api/v1/clusters/{id}/tags", auth.Needs("all:cluster_tags"), a.addTag(store.ClusterTag)},
		{"DELETE", "/api/v1/clusters/{id}/tags/{value}", auth.Needs("all:cluster_tags"), a.removeTag(store.ClusterTag)},

		{"GET", "/api/v1/databases", auth.SignedIn, a.databases},
		{"DELETE", "/api/v1/databases/{id}/hosts/{host_id}/instances/{instance_number}", auth.Needs("cleanup:database_instance"), a.deregisterDatabaseInstance},
		{"POST", "/api/v1/databases/{id}/tags", auth.Needs("all:database_tags"), a.addTag(store.DatabaseTag)},
		{"DELETE", "/api/v1/databases/{id}/tags/{value}", auth.Needs("all:database_tags"), a.removeTag(store.DatabaseTag)},

		{"GET", "/api/v1/sap_systems", auth.SignedIn, a.sapSystems},
		{"GET", "/api/v1/sap_systems/health", auth.SignedIn, a.sapSystemsHealth},
		{"DELETE", "/api/v1/sap_systems/{id}/hosts/{host_id}/instances/{instance_number}", auth.Needs("cleanup:application_instance"), a.deregisterApplicationInstance},
		{"POST", "/api/v1/sap_systems/{id}/tags", auth.Needs("all:sap_system_tags"), a.addTag(store.SAPSystemTag)},
		{"DELETE", "/api/v1/sap_systems/{id}/tags/{value}", auth.Needs("all:sap_system_tags"), a.removeTag(store.SAPSystemTag)},

		{"GET", "/api/v1/activity_log", auth.SignedIn, a.activityLog},

		{"GET", "/api/v1/users", auth.Needs("all:users"), a.users},
		{"POST", "/api/v1/users", auth.Needs("all:users"), a.createUser},
		{"GET", "/api/v1/users/{id}", auth.Needs("all:users"), Uncompressed(a.user)},
		{"PATCH", "/api/v1/users/{id}", auth.Needs("all:users"), a.changeUser},
		{"PUT", "/api/v1/users/{id}", auth.Needs("all:users"), a.changeUser},
		{"DELETE", "/api/v1/users/{id}", auth.Needs("all:users"), a.deleteUser},

		{"GET", "/api/v1/profile", auth.SignedIn, Uncompressed(a.profile)},
		{"PATCH", "/api/v1/profile", auth.SignedIn, a.changeProfile},
		{"GET", "/api/v1/profile/totp_enrollment", auth.SignedIn, Uncompressed(a.beginTOTP)},
		{"POST", "/api/v1/profile/totp_enrollment", auth.SignedIn, a.confirmTOTP},
		{"DELETE", "/api/v1/profile/totp_enrollment", auth.SignedIn, a.endTOTP},

		{"GET", "/api/v1/profile/sessions", auth.SignedIn, a.ownSessions},
		{"DELETE", "/api/v1/profile/sessions", auth.SignedIn, a.endOwnSessions},
		{"DELETE", "/api/v1/profile/sessions/{session_id}", auth.SignedIn, a.endOwnSession},
		{"GET", "/api/v1/users/{id}/sessions", auth.Needs("all:users"), a.sessionsOf},
		{"DELETE", "/api/v1/users/{id}/sessions", auth.Needs("all:users"), a.endSessionsOf},
		{"DELETE", "/api/v1/users/{id}/sessions/{session_id}", auth.Needs("all:users"), a.endSessionOf},

		{"GET", "/api/v1/profile/tokens", auth.SignedIn, a.ownTokens},
		{"POST", "/api/v1/profile/tokens", auth.SignedIn, a.createToken},
		{"DELETE", "/api/v1/profile/tokens", auth.SignedIn, a.deleteAllTokens},
		{"POST", "/api/v1/profile/tokens/delete", auth.SignedIn, a.deleteTokens},
		{"PATCH", "/api/v1/profile/tokens/{token_id}", auth.SignedIn, a.changeToken},
		{"DELETE", "/api/v1/profile/tokens/{token_id}", auth.SignedIn, a.deleteToken},
		{"POST", "/api/v1/profile/tokens/{token_id}/regenerate", auth.SignedIn, a.regenerateToken},
		{"POST", "/api/v1/profile/tokens/{token_id}/expire", auth.SignedIn, a.expireToken},
		{"GET", "/api/v1/profile/token_authentications", auth.SignedIn, a.ownTokenUses},
		{"GET", "/api/v1/profile/token_authentications.csv", auth.SignedIn, a.ownTokenUsesCSV},
		{"GET", "/api/v1/personal_access_tokens", auth.Needs("all:users"), a.allTokens},
		{"DELETE", "/api/v1/users/{id}/tokens/{token_id}", auth.Needs("all:users"), a.deleteTokenOf},
		{"POST", "/api/v1/users/{id}/tokens/{token_id}/expire", auth.Needs("all:users"), a.expireTokenOf},
		{"GET", "/api/v1/users/{id}/token_authentications", auth.Needs("all:users"), a.tokenUses},
		{"GET", "/api/v1/users/{id}/token_authentications.csv", auth.Needs("all:users"), a.tokenUsesCSV},

		{"GET", "/api/v1/settings/personal_access_tokens", auth.SignedIn, a.tokenSettings},
		{"PATCH", "/api/v1/settings/personal_access_tokens", auth.Needs("all:personal_access_token_settings"), a.changeTokenSettings},
		{"GET", "/api/v1/settings/activity_log", auth.SignedIn, a.activitySettings},
		{"PUT", "/api/v1/settings/activity_log", auth.Needs("all:activity_logs_settings"), a.setActivitySettings},
		{"GET", "/api/v1/settings/api_key", auth.SignedIn, Uncompressed(a.apiKey)},
		{"PATCH", "/api/v1/settings/api_key", auth.Needs(apiKeySettings), a.regenerateAPIKey},
		{"GET", "/api/v1/agents", auth.Needs(apiKeySettings), a.agents},
		{"GET", "/api/v1/abilities", auth.SignedIn, a.abilities},
		{"GET", "/api/v1/about", auth.SignedIn, a.about},

		{"GET", "/api/v1/prometheus/targets", auth.Public, a.prometheusTargets},
		{"GET", "/api/public_keys", auth.Public, a.publicKeys},
		{"GET", "/api/healthz", auth.Public, a.healthz},
		{"GET", "/api/readyz", auth.Public, a.readyz},
		{"GET", "/api/v1/openapi", auth.Public, a.openapi("v1")},
		{"GET", "/api/v2/openapi", auth.Public, a.openapi("v2")},
		{"GET", "/api/unversioned/openapi", auth.Public, a.openapi(unversioned)},
		{"GET", "/api/all/openapi", auth.Public, a.openapi(everything)},
		{"GET", docPath, auth.Public, a.doc},
		{"GET", docPath + "/{file}", auth.Public, a.docFile},
	}
}
