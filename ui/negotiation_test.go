package ui

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"trento/auth"
	"trento/ui/api"
	"trento/ui/api/documenttest"
)

// bearer is the header that shows a token.
func bearer(text string) http.Header { return http.Header{"Authorization": {"Bearer " + text}} }

// apiHits returns the addresses of the console that are for programs.
func forPrograms(t *testing.T, f *fixture) []api.Route {
	t.Helper()
	var routes []api.Route
	for _, route := range f.server(t).routes() {
		if documenttest.IsOfConsole(route.Path) {
			routes = append(routes, route)
		}
	}
	if len(routes) < 10 {
		t.Fatalf("only %d routes", len(routes))
	}
	return routes
}

// TestDocumentOfConsole checks that the API document has what the console serves
// to programs.
func TestDocumentOfConsole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.document().CompareRoutes(t, forPrograms(t, f), documenttest.IsOfConsole)
}

// TestTokensOnConsole checks that files and the event stream of the console are
// served to tokens within their scopes, and that programs never get a page.
func TestTokensOnConsole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", 1)
	f.user("ada")
	f.host(1, "hana01")
	tokens := map[string]string{"nobody": "", "unknown": "trento_pat_" + strings.Repeat("x", 86)}
	for name, scopes := range map[string][]string{"full": {"full"}, "read_only": {"read_only"}, "tags": {"tags"}, "hosts": {"GET /api/v1/hosts"}, "settings": {"settings"}} {
		_, text, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: f.userNow("root")}, auth.NewToken{Name: name, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = text
	}
	_, text, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: f.userNow("ada")}, auth.NewToken{Name: "ada", Scopes: []string{"full"}})
	if err != nil {
		t.Fatal(err)
	}
	tokens["without abilities"] = text
	permitted := func(route api.Route, name string) int {
		switch {
		case name == "nobody" || name == "unknown":
			return http.StatusUnauthorized
		case name == "full", name == "read_only" && route.Path != "/agents.csv":
		case name == "hosts" && route.Path == "/hosts.csv", name == "settings" && route.Path == "/agents.csv":
		case name == "without abilities" && route.Access == auth.SignedIn:
		default:
			return http.StatusForbidden
		}
		if strings.Contains(route.Path, "{id}") { // no thing has such an id
			return http.StatusNotFound
		}
		return http.StatusOK
	}
	for _, route := range forPrograms(t, f) {
		for name, text := range tokens {
			header := http.Header{"Accept": {"*/*"}}
			if text != "" {
				header.Set("Authorization", "Bearer "+text)
			}
			ctx, stop := context.WithCancel(t.Context())
			if route.Path == "/events" {
				stop() // the stream would not end
			}
			w := f.do(call{ctx: ctx, target: route.Path, header: header})
			stop()
			want, mediaType := permitted(route, name), w.Header().Get("Content-Type")
			if w.Code != want || want != http.StatusOK && !strings.HasPrefix(mediaType, "application/json") || strings.Contains(mediaType, "html") {
				t.Errorf("%s with the token %s: %d %s, want %d", route.Path, name, w.Code, mediaType, want)
			}
		}
	}
}

// TestProgramsGetNoPages checks how programs are answered on addresses of the
// console and where there is nothing.
func TestProgramsGetNoPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	f.host(1, "hana01")
	_, text, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: f.userNow("ada")}, auth.NewToken{Name: "a", Scopes: []string{"full"}})
	if err != nil {
		t.Fatal(err)
	}
	const html, json, csv = "text/html", "application/json", "text/csv"
	for _, tt := range []struct {
		target, accept string
		token          bool
		status         int
		want           string
	}{
		{"/hosts", "*/*", false, 303, html}, // curl without anything: what people get
		{"/hosts", "application/json", false, 401, json},
		{"/hosts", "text/csv", false, 401, json},
		{"/hosts", "*/*", true, 401, json}, // pages take no token
		{"/hosts", "text/csv", true, 200, csv},
		{"/hosts", "text/html, text/csv", false, 303, html},
		{"/", "text/csv", true, 200, csv},
		{"/activity_log", "text/csv", true, 200, csv},
		{"/activity_log", "application/x-ndjson", true, 200, "application/jsonl"},
		{"/hosts", "application/jsonl", true, 401, json}, // hosts have no such file
		{"/hosts.csv", "text/html,*/*", false, 303, html},
		{"/users.csv", "*/*", true, 403, json},
		{"/nowhere", "*/*", true, 404, json},
		{"/nowhere", "text/html", false, 404, html},
		{"/nowhere.csv", "*/*", false, 404, json},
		{"/wanda/nowhere", "text/html,*/*", false, 404, json},
		{"/wanda/api/nowhere", "*/*", true, 404, json},
		{"/api/nowhere", "text/html,*/*", false, 404, json},
		{"/mcp/nowhere", "text/html,*/*", false, 404, json},
	} {
		header := http.Header{"Accept": {tt.accept}}
		if tt.token {
			header.Set("Authorization", "Bearer "+text)
		}
		w := f.do(call{target: tt.target, header: header})
		if got := w.Header().Get("Content-Type"); w.Code != tt.status || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s, Accept %s, token %v: %d %s, want %d %s", tt.target, tt.accept, tt.token, w.Code, got, tt.status, tt.want)
		}
	}
}

// TestMethodsOfConsole tries a wrong method and OPTIONS on all addresses of the
// console.
func TestMethodsOfConsole(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, route := range f.server(t).routes() {
		target := strings.NewReplacer("{hash}", "x", "{file}", "x").Replace(route.Path)
		for method, status := range map[string]int{"BREW": http.StatusMethodNotAllowed, "OPTIONS": http.StatusNoContent} {
			w := f.do(call{method: method, target: target})
			allowed := strings.Split(w.Header().Get("Allow"), ", ")
			if w.Code != status || !slices.Contains(allowed, route.Method) || !slices.Contains(allowed, "OPTIONS") {
				t.Errorf("%s %s: %d, Allow %q", method, target, w.Code, allowed)
			}
		}
	}
}

// TestTokensAreLimited checks that a token that is used too often is refused for
// a while, and nobody else is.
func TestTokensAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.restartAuth(func(o *auth.Options) { o.TokenRateLimit = 30 })
	f.user("ada")
	_, text, err := f.auth.CreateToken(t.Context(), &auth.Identity{User: f.userNow("ada")}, auth.NewToken{Name: "a", Scopes: []string{"full"}})
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{"/api/v1/hosts", "/hosts.csv", "/api/v1/nowhere"}
	for i := range 30 {
		w := f.do(call{target: targets[i%3], header: bearer(text)})
		if w.Code == http.StatusTooManyRequests || w.Header().Get("RateLimit-Policy") != `"token";q=30;w=60` {
			t.Fatalf("use %d: %d %v", i, w.Code, w.Header())
		}
	}
	for _, target := range targets {
		w := f.do(call{target: target, header: bearer(text)})
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "2" || w.Header().Get("RateLimit") != `"token";r=0;t=60` || !strings.Contains(w.Body.String(), `{"errors":[{"title":"Too Many Requests"`) {
			t.Errorf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
		}
	}
	for _, c := range []call{{target: "/api/v1/hosts", as: "ada"}, {target: "/hosts", as: "ada"}, {method: "POST", target: "/api/v1/collect", header: http.Header{"X-Trento-Apikey": {"wrong"}}}} {
		if w := f.do(c); w.Code == http.StatusTooManyRequests || w.Header().Get("RateLimit") != "" {
			t.Errorf("%s without a token: %d %v", c.target, w.Code, w.Header())
		}
	}
	f.clock.pass(2e9)
	if w := f.do(call{target: "/api/v1/hosts", header: bearer(text)}); w.Code != http.StatusOK {
		t.Errorf("two seconds later: %d", w.Code)
	}
}

// TestRequestIDs checks whose request ids are taken over.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.restartAuth(func(o *auth.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} })
	for id, taken := range map[string]bool{"abc-1.2:3=/+_X": true, strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, "a b": false, "a\nb": false, "": false, "ä": false} {
		w := f.do(call{target: "/api/v1/hosts", header: http.Header{api.RequestIDHeader: {id}}})
		if got := w.Header().Get(api.RequestIDHeader); (got == id) != taken || got == "" {
			t.Errorf("%q of a trusted proxy became %q", id, got)
		}
		if taken && !strings.Contains(f.log.String(), "id="+id) && !strings.Contains(f.log.String(), `id="`+id) {
			t.Errorf("%q is not in the log", id)
		}
	}
	f.restartAuth(func(*auth.Options) {})
	if got := f.do(call{target: "/api/v1/hosts", header: http.Header{api.RequestIDHeader: {"mine"}}}).Header().Get(api.RequestIDHeader); got == "mine" || got == "" {
		t.Errorf("the id of a stranger became %q", got)
	}
}
