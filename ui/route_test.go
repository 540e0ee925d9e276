package ui

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"trento/auth"
	"trento/ui/api"
)

// TestRoutesAgreeWithAPI checks that a form needs the same permissions and
// scopes as the operations of the API that do the same.
func TestRoutesAgreeWithAPI(t *testing.T) {
	t.Parallel()
	operations := make(map[string]auth.Operation)
	for _, o := range api.Operations() {
		operations[o.String()] = o
	}
	named := 0
	for _, route := range newFixture(t).server(t).routes() {
		for _, name := range route.Tokens.Operations {
			named++
			o, ok := operations[name]
			switch {
			case !ok:
				t.Errorf("%s %s: there is no operation %s", route.Method, route.Path, name)
			case o.Access != route.Access:
				t.Errorf("%s %s demands %v, and %s demands %v", route.Method, route.Path, route.Access, name, o.Access)
			}
			for _, set := range route.Tokens.Sets {
				if ok && !slices.Contains(o.Tokens.Sets, set) {
					t.Errorf("%s %s is in the set %s, and %s is not", route.Method, route.Path, set, name)
				}
			}
		}
		if route.Access > 0 && route.Method == http.MethodPost && len(route.Tokens.Operations) == 0 && !route.Tokens.InPerson {
			t.Errorf("%s %s names no operation that does the same", route.Method, route.Path)
		}
	}
	if named == 0 {
		t.Error("no route names an operation")
	}
}

// inPerson are the forms that a session which began with a token may not send,
// whatever its scopes, written down a second time.
var inPerson = []string{
	"POST /profile", "POST /profile/password", "POST /profile/totp", "POST /profile/totp/disable", "POST /profile/totp/cancel", "POST /settings/tokens", "POST /settings/backup", "POST /about/support",
	"POST /profile/tokens/new", "POST /profile/tokens/{token}/edit", "POST /profile/tokens/{token}/regenerate",
}

// permitted are the routes that scopes permit beside the pages that everybody
// who reads may see, written down a second time.
var permitted = map[string][]string{
	"read_only": {},
	"tags": {
		"POST /hosts/{id}/tags", "POST /clusters/{id}/tags", "POST /databases/{id}/tags", "POST /sap_systems/{id}/tags",
		"POST /hosts/{id}/tags/remove", "POST /clusters/{id}/tags/remove", "POST /databases/{id}/tags/remove", "POST /sap_systems/{id}/tags/remove",
		"POST /hosts/tags/confirm", "POST /clusters/tags/confirm", "POST /databases/tags/confirm", "POST /sap_systems/tags/confirm",
		"POST /hosts/tags", "POST /clusters/tags", "POST /databases/tags", "POST /sap_systems/tags",
	},
	"checks": {
		"POST /hosts/{id}/settings", "POST /clusters/{id}/settings",
		"POST /hosts/{id}/settings/{check}/values", "POST /clusters/{id}/settings/{check}/values", "GET /hosts/{id}/settings/{check}/values/reset",
		"GET /clusters/{id}/settings/{check}/values/reset", "POST /hosts/{id}/settings/{check}/values/reset", "POST /clusters/{id}/settings/{check}/values/reset",
		"POST /hosts/{id}/refresh", "POST /clusters/{id}/refresh", "POST /hosts/{id}/executions", "POST /clusters/{id}/executions", "POST /hosts/{id}/facts",
		"POST /hosts/{id}/waivers", "POST /clusters/{id}/waivers", "POST /hosts/{id}/waivers/{waiver}", "POST /clusters/{id}/waivers/{waiver}", "POST /hosts/{id}/waivers/{waiver}/end", "POST /clusters/{id}/waivers/{waiver}/end",
	},
	"housekeeping": {
		"GET /hosts/{id}/cleanup", "POST /hosts/{id}/cleanup",
		"GET /databases/{id}/hosts/{host}/instances/{number}/cleanup", "POST /databases/{id}/hosts/{host}/instances/{number}/cleanup",
		"GET /sap_systems/{id}/hosts/{host}/instances/{number}/cleanup", "POST /sap_systems/{id}/hosts/{host}/instances/{number}/cleanup",
	},
	"settings": {
		"GET /agents", "GET /agents.csv", "POST /about/checks", "GET /settings/api_key/new", "POST /settings/api_key/new", "POST /settings/api_key/shown",
		"GET /settings/messages/password", "POST /settings/messages/password", "GET /settings/activity_log/edit", "POST /settings/activity_log/edit",
		"GET /settings/alerting/edit", "POST /settings/alerting/edit", "POST /settings/alerting/test", "GET /settings/alerting/clear", "POST /settings/alerting/clear",
		"POST /alerts/send", "POST /alerts/discard", "GET /settings/webhooks/new", "POST /settings/webhooks/new",
		"GET /settings/webhooks/{id}/edit", "POST /settings/webhooks/{id}/edit", "POST /settings/webhooks/{id}/enable", "GET /settings/webhooks/{id}/disable",
		"POST /settings/webhooks/{id}/disable", "GET /settings/webhooks/{id}/secret", "POST /settings/webhooks/{id}/secret", "POST /settings/webhooks/{id}/secret/shown",
		"POST /settings/webhooks/{id}/test", "GET /settings/webhooks/{id}/delete", "POST /settings/webhooks/{id}/delete", "POST /settings/webhooks/{id}/deliveries/{delivery}/redeliver",
	},
	"user_management": {
		"POST /users/new", "POST /users/{id}/edit", "POST /users/{id}/delete", "POST /users/{id}/password/shown",
		"POST /users/{id}/sessions/end", "POST /users/{id}/sessions/{session}/end",
		"POST /users/{id}/tokens/{token}/expire", "POST /users/{id}/tokens/{token}/delete",
		"POST /settings/displays", "POST /settings/displays/{id}/remove",
		"POST /views/shared", "POST /views/shared/{id}/replace", "POST /views/shared/{id}/remove",
	},
	"DELETE /api/v1/users/{id}":                {"POST /users/{id}/delete"},
	"POST /api/v1/hosts/{id}/tags":             {"POST /hosts/{id}/tags"},
	"PATCH /api/v1/settings/api_key":           {"GET /settings/api_key/new", "POST /settings/api_key/new", "POST /settings/api_key/shown"},
	"GET /api/v1/settings/api_key":             {},
	"POST /api/v1/settings/message_credential": {"GET /settings/messages/password", "POST /settings/messages/password"},
	"PATCH /api/v1/settings/alerting":          {"GET /settings/alerting/edit", "POST /settings/alerting/edit"},
	"DELETE /api/v1/settings/alerting":         {"GET /settings/alerting/clear", "POST /settings/alerting/clear"},
	"POST /api/v1/settings/alerting/test":      {"POST /settings/alerting/test"},
	"POST /api/v1/webhooks":                    {"GET /settings/webhooks/new", "POST /settings/webhooks/new"},
	"PUT /api/v1/settings/activity_log":        {"GET /settings/activity_log/edit", "POST /settings/activity_log/edit"},
}

// TestRoutesOfTokens lets sessions that began with a token try everything, each
// with one scope beside the one that opens the console.
func TestRoutesOfTokens(t *testing.T) {
	t.Parallel()
	f := peopleFixture(t)
	owner := &auth.Identity{User: f.userNow("admin")} // who may do everything
	var onlyPermitted []string
	for _, routes := range permitted {
		onlyPermitted = append(onlyPermitted, routes...)
	}
	try := func(t *testing.T, scope string, open func(name, method string) bool, scopes ...string) {
		token, _, err := f.auth.CreateToken(t.Context(), owner, auth.NewToken{Name: scope, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		f.signInToken("admin", token)
		for _, route := range f.server(t).routes() {
			if route.Access == auth.Public || route.Path == "/events" || route.Path == "/wall/events" {
				continue
			}
			name := route.Method + " " + route.Path
			target := strings.NewReplacer("{id}", "x", "{host}", "x", "{number}", "00", "{token}", "x", "{session}", "x").Replace(route.Path)
			w := f.do(call{method: route.Method, target: target, as: "admin"})
			if want := open(name, route.Method); (w.Code != http.StatusForbidden) != want {
				t.Errorf("%s with %s: status %d", name, scope, w.Code)
			}
		}
	}
	t.Run("full", func(t *testing.T) {
		try(t, "full", func(name, _ string) bool { return !slices.Contains(inPerson, name) }, "full")
	})
	for scope, routes := range permitted {
		t.Run(scope, func(t *testing.T) {
			try(t, scope, func(name, method string) bool {
				return slices.Contains(routes, name) || method == http.MethodGet && !slices.Contains(onlyPermitted, name)
			}, "read_only", scope)
		})
	}
	t.Run("without the console", func(t *testing.T) {
		try(t, "tags alone", func(string, string) bool { return false }, "tags")
	})
}
