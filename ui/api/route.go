package api

import (
	"net/http"

	"trento/auth"
)

// Route is one way into the product, and what it takes to be let in. A route
// that is in no table does not exist.
type Route struct {
	Method string // GET answers HEAD, too
	Path   string // variables in braces, as gorilla/mux reads them
	Access auth.Access
	Handle func(http.ResponseWriter, *http.Request) error
}

// Routes are all routes of the API: the one place where each names what it
// requires. They are tried in this order, and agents call most.
func (a *API) Routes() []Route {
	return []Route{
		{"POST", "/api/v1/collect", auth.Agent, a.collect},
		{"POST", "/api/v1/hosts/{id}/heartbeat", auth.Agent, a.heartbeat},

		{"POST", "/api/session", auth.Public, a.signIn},
		{"POST", "/api/session/refresh", auth.Public, a.refresh},

		{"GET", "/api/v1/hosts", auth.SignedIn, a.hosts},
		{"GET", "/api/v1/activity_log", auth.SignedIn, a.activityLog},
		{"GET", "/api/v1/settings/api_key", auth.SignedIn, a.apiKey},
		{"GET", "/api/v1/abilities", auth.SignedIn, a.abilities},
		{"GET", "/api/v1/about", auth.SignedIn, a.about},

		{"GET", "/api/v1/prometheus/targets", auth.Public, a.prometheusTargets},
		{"GET", "/api/public_keys", auth.Public, a.publicKeys},
		{"GET", "/api/healthz", auth.Public, a.healthz},
		{"GET", "/api/readyz", auth.Public, a.readyz},
		{"GET", "/api/v1/openapi", auth.Public, a.openapi("v1")},
		{"GET", "/api/unversioned/openapi", auth.Public, a.openapi(unversioned)},
		{"GET", "/api/all/openapi", auth.Public, a.openapi(everything)},
	}
}
