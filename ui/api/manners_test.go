package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestManners tries a wrong method, OPTIONS, a type of answers that nobody has,
// and types of bodies that nobody takes, on all routes.
func TestManners(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	for _, d := range demands {
		as := "root"
		if d.demand == "agent" {
			as = agent
		}
		name := d.method + " " + d.path
		wrong := f.do(call{as: as, method: "BREW", path: d.path})
		wrong.expect(t, http.StatusMethodNotAllowed, general(405))
		options := f.do(call{as: nobody, method: http.MethodOptions, path: d.path})
		options.expect(t, http.StatusNoContent, "")
		for _, got := range []answer{wrong, options} {
			allowed := strings.Split(got.header.Get("Allow"), ", ")
			if !slices.Contains(allowed, d.method) || !slices.Contains(allowed, http.MethodOptions) || slices.Contains(allowed, http.MethodHead) != slices.Contains(allowed, http.MethodGet) {
				t.Errorf("%s: Allow is %q", name, allowed)
			}
			if got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s is open to other sites", name)
			}
		}
		for accept, accepted := range map[string]bool{"image/png": false, "application/json;q=0": false, "text/xml, */*;q=0": false} {
			got := f.do(call{as: as, method: d.method, path: d.path, header: map[string]string{"Accept": accept}})
			if (got.status != http.StatusNotAcceptable) != accepted {
				t.Errorf("%s with Accept %s: %d", name, accept, got.status)
			}
		}
		if d.method == http.MethodGet {
			continue
		}
		got := f.do(call{as: as, method: d.method, path: d.path, body: "\x1f\x8b", header: map[string]string{"Content-Encoding": "gzip"}})
		got.expect(t, http.StatusUnsupportedMediaType, problems("/", "Invalid value for header: content-encoding"))
		if got.header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%s: says nothing about encodings: %v", name, got.header)
		}
		if f.needsBody(t, d.method, d.path) {
			// Introspection does not exist for those who come from elsewhere.
			got = f.do(call{as: as, from: "127.0.0.1:1", method: d.method, path: d.path, body: "x: y", header: map[string]string{"Content-Type": "text/yaml"}})
			if got.status != http.StatusUnsupportedMediaType || got.body != problems("/", "Invalid value for header: content-type") {
				t.Errorf("%s with YAML: %d %s", name, got.status, got.body)
			}
		}
	}
}

// needsBody reports whether a route is described with a body that may not be
// left out.
func (f *fixture) needsBody(t *testing.T, method, path string) bool {
	t.Helper()
	operation := f.rules.Operation(call{method: method, path: path}.request(f))
	if operation == nil {
		t.Fatalf("%s %s is not in the document", method, path)
	}
	return operation.RequestBody != nil && operation.RequestBody.Value.Required
}

// TestAcceptedTypes checks that clients get the types of answers that there are.
func TestAcceptedTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	for _, test := range []struct {
		method, path, accept, want string
	}{
		{"GET", "/api/v1/hosts", "application/json", "application/json"},
		{"GET", "/api/v1/hosts", "text/html, application/*;q=0.5", "application/json"},
		{"GET", "/api/v1/profile/token_authentications.csv", "text/csv", "text/csv"},
		{"GET", "/api/v1/profile/token_authentications.csv", "text/*", "text/csv"},
		{"GET", "/api/v1/profile/token_authentications.csv", "application/json", "text/csv"},
		{"GET", "/api/doc", "text/html,application/xhtml+xml", "text/html"},
		{"GET", "/api/doc/start.js", "text/javascript", "text/javascript"},
		{"GET", "/api/doc/dark.css", "text/css", "text/css"},
		{"POST", "/api/v1/backups", "application/octet-stream", "application/octet-stream"},
		{"POST", "/api/v1/support_bundles", "application/gzip", "application/gzip"},
	} {
		got := f.do(call{as: "root", method: test.method, path: test.path, header: map[string]string{"Accept": test.accept}})
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), test.want) {
			t.Errorf("%s with %s: %d %s", test.path, test.accept, got.status, got.header.Get("Content-Type"))
		}
	}
}
