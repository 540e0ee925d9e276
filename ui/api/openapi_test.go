package api_test

import (
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"trento/ui/api"
	"trento/ui/api/documenttest"
)

// document is the API document, as clients get it.
func document(t *testing.T) *documenttest.Document {
	t.Helper()
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// loadDocument is read once: that takes longer than most tests.
var loadDocument = sync.OnceValues(func() (*documenttest.Document, error) {
	text, err := api.DescribeAll(version)
	if err != nil {
		return nil, err
	}
	return documenttest.Load(text)
})

var update = flag.Bool("update", false, "write the golden files anew")

// TestDocument checks that openapi.yaml and its parts are a description.
func TestDocument(t *testing.T) {
	t.Parallel()
	if err := document(t).Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNullInDocument checks that schemas say null as OpenAPI 3.0.3 wants it:
// beside a type, in the list of an enum, and in every schema they are made of.
// Strict clients refuse null elsewhere.
func TestNullInDocument(t *testing.T) {
	t.Parallel()
	for name, schema := range document(t).Components.Schemas {
		checkNull(t, name, schema.Value)
	}
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				for _, content := range response.Value.Content {
					checkNull(t, method+" "+path+" "+status, content.Schema.Value)
				}
			}
			if body := operation.RequestBody; body != nil {
				for _, content := range body.Value.Content {
					checkNull(t, method+" "+path, content.Schema.Value)
				}
			}
		}
	}
}

func checkNull(t *testing.T, path string, s *openapi3.Schema) {
	t.Helper()
	if s.Nullable {
		permitsNull := func(part *openapi3.SchemaRef) bool { return part.Value.Nullable }
		either := slices.Concat(s.AnyOf, s.OneOf)
		switch {
		case s.Type == nil:
			t.Errorf("%s: nullable without a type", path)
		case len(s.Enum) > 0 && !slices.Contains(s.Enum, nil):
			t.Errorf("%s: nullable, and null is not in %v", path, s.Enum)
		case len(s.AllOf) > 0 && slices.ContainsFunc(s.AllOf, func(part *openapi3.SchemaRef) bool { return !permitsNull(part) }),
			len(either) > 0 && !slices.ContainsFunc(either, permitsNull):
			t.Errorf("%s: nullable, but not what it is made of", path)
		}
	}
	for name, member := range s.Properties {
		checkNull(t, path+"."+name, member.Value)
	}
	if s.Items != nil {
		checkNull(t, path+"[]", s.Items.Value)
	}
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		checkNull(t, path, part.Value)
	}
}

// TestDocumentAndRoutes checks that the document has the routes that there are.
// Those of the console are compared by its own tests.
func TestDocumentAndRoutes(t *testing.T) {
	t.Parallel()
	document(t).CompareRoutes(t, (&api.API{}).Routes(), func(path string) bool { return !documenttest.IsOfConsole(path) })
}

// TestDocumentOfTools checks which operations are offered to assistants. They
// rely on the names.
func TestDocumentOfTools(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"activity_log_search":       "GET /api/v1/activity_log",
		"landscape_search":          "GET /api/v1/search",
		"availability_list":         "GET /api/v1/availability",
		"incidents_list":            "GET /api/v1/incidents",
		"host_health_history":       "GET /api/v1/hosts/{id}/health_history",
		"cluster_health_history":    "GET /api/v1/clusters/{id}/health_history",
		"database_health_history":   "GET /api/v1/databases/{id}/health_history",
		"sap_system_health_history": "GET /api/v1/sap_systems/{id}/health_history",
		"agent_refusals_list":       "GET /api/v1/agents/refusals",
		"agents_list":               "GET /api/v1/agents",
		"alerts_list":               "GET /api/v1/alerts",
		"cluster_checks_select":     "POST /api/v1/clusters/{cluster_id}/checks",
		"cluster_refresh":           "POST /api/v1/clusters/{id}/refresh",
		"cluster_refresh_details":   "GET /api/v1/clusters/{id}/refresh",
		"cluster_tag_add":           "POST /api/v1/clusters/{id}/tags",
		"cluster_tag_remove":        "DELETE /api/v1/clusters/{id}/tags/{value}",
		"clusters_list":             "GET /api/v2/clusters",
		"database_tag_add":          "POST /api/v1/databases/{id}/tags",
		"database_tag_remove":       "DELETE /api/v1/databases/{id}/tags/{value}",
		"databases_list":            "GET /api/v1/databases",
		"health_summary":            "GET /api/v1/sap_systems/health",
		"host_checks_select":        "POST /api/v1/hosts/{id}/checks",
		"host_refresh":              "POST /api/v1/hosts/{id}/refresh",
		"host_refresh_details":      "GET /api/v1/hosts/{id}/refresh",
		"host_tag_add":              "POST /api/v1/hosts/{id}/tags",
		"host_tag_remove":           "DELETE /api/v1/hosts/{id}/tags/{value}",
		"hosts_list":                "GET /api/v1/hosts",
		"installation_findings":     "GET /api/v1/doctor",
		"sap_system_tag_add":        "POST /api/v1/sap_systems/{id}/tags",
		"sap_system_tag_remove":     "DELETE /api/v1/sap_systems/{id}/tags/{value}",
		"sap_systems_list":          "GET /api/v1/sap_systems",
		"server_details":            "GET /api/v1/about",
		"check_executions_compare":  "GET /api/v1/checks/executions/{id}/diff/{other}",
		"check_history_list":        "GET /api/v1/checks/history",
		"check_waivers_list":        "GET /api/v1/checks/waivers",
		"catalog_list":              "GET /wanda/api/v3/checks/catalog",
		"selectable_checks":         "GET /wanda/api/v1/groups/{group_id}/checks",
		"checks_executions_list":    "GET /wanda/api/v2/checks/executions",
		"check_execution_details":   "GET /wanda/api/v2/checks/executions/{id}",
		"last_check_execution":      "GET /wanda/api/v2/checks/groups/{id}/executions/last",
	}
	got := make(map[string]string)
	for path, item := range document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			tool, named := operation.Extensions["x-ai-tool"].(string)
			if named != slices.Contains(operation.Tags, "MCP") {
				t.Errorf("%s %s: tags %v, tool %q", method, path, operation.Tags, tool)
			}
			if named {
				got[tool] = method + " " + path
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for part, want := range map[string]struct{ has, lacks string }{
		"/api/v1/openapi":          {"/api/v1/hosts", "/api/session"},
		"/api/v2/openapi":          {"/api/v2/clusters", "/api/v1/clusters"},
		"/api/unversioned/openapi": {"/api/session", "/api/v1/hosts"},
		"/api/all/openapi":         {"/api/v1/hosts", "/api/v2/hosts"},
		"/wanda/api/all/openapi":   {"/wanda/api/healthz", "/api/v1/hosts"},
		"/wanda/api/v1/openapi":    {"", "/wanda/api/healthz"},
	} {
		got := f.get(nobody, part)
		got.expect(t, http.StatusOK, "*")
		doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
		if err != nil {
			t.Fatalf("%s: %v", part, err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", part, err)
		}
		if doc.Info.Version != version {
			t.Errorf("%s: version %q", part, doc.Info.Version)
		}
		if want.has != "" && doc.Paths.Value(want.has) == nil || doc.Paths.Value(want.lacks) != nil {
			t.Errorf("%s has not the paths it should have: %v", part, doc.Paths.InMatchingOrder())
		}
	}
	for host, want := range map[string]string{"trento.example.com:4000": "http://trento.example.com:4000", `a"b`: `http://a"b`, "": "/"} {
		r := httptest.NewRequest(http.MethodGet, "/api/all/openapi", nil)
		r.Host = host
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
		if err != nil || len(doc.Servers) != 1 || doc.Servers[0].URL != want {
			t.Errorf("asked at %q: %v, %.300s", host, err, w.Body)
		}
	}
	f.serve(api.Deps{Store: f.store, Auth: f.auth, Log: slog.New(slog.DiscardHandler), DocumentedURL: "https://trento.sap.example/watch"})
	if asked := f.get(nobody, "/api/all/openapi"); !strings.Contains(asked.body, `"servers":[{"url":"https://trento.sap.example/watch"}]`) {
		t.Errorf("with a configured address: %.300s", asked.body)
	}
	all := f.get(nobody, "/api/all/openapi")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(all.body))
	if err != nil || doc.Paths.Len() != document(t).Paths.Len() {
		t.Errorf("all: %v, %d paths", err, doc.Paths.Len())
	}
}
