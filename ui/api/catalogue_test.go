package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestCatalogue reads the catalogue in all versions, with and without an
// environment.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("plain")
	for path, want := range map[string]string{
		"/wanda/api/v3/checks/catalog":                               "AAAAAA CCCCCC",
		"/api/v3/checks/catalog?target_type=host":                    "AAAAAA",
		"/wanda/api/v2/checks/catalog?target_type=cluster&n=5&x=yes": "CCCCCC",
		"/wanda/api/v1/checks/catalog?target_type=none":              "",
	} {
		got := f.get("plain", path)
		var list struct {
			Items []map[string]any `json:"items"`
		}
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || got.status != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, got.status, err, got.body)
		}
		var ids []string
		for _, item := range list.Items {
			ids = append(ids, item["id"].(string))
			if _, ok := item["customization_disabled"]; ok != strings.Contains(path, "v3") {
				t.Errorf("%s: customization_disabled is there: %t", path, ok)
			}
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, want %s", path, ids, want)
		}
	}
	f.get("root", "/api/v1/checks/catalog/status").expect(t, http.StatusOK, `{"directories":[],"version":null,"checks":2,"broken":[],"shadowed":[],"loaded_at":"0001-01-01T00:00:00.000000Z"}`)
	f.get(nobody, "/wanda/api").expect(t, http.StatusOK, `{"name":"wanda","version":"1.2.3-test","checks_version":null}`)
	f.get("plain", "/wanda/api/checks/catalog?env=x").expect(t, http.StatusTemporaryRedirect, "")
}
