package ui

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"trento/ui/api"
)

// TestSearchForPrograms checks that the API finds what the page of the search
// finds, with the reason, and users only for those who manage them.
func TestSearchForPrograms(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", 1)
	f.user("hana")
	f.host(1, "hana01")
	f.host(2, "hana012")
	f.host(3, "web")
	for _, tt := range []struct {
		as, query, found, matched string
	}{
		{"root", "q=hana01", "host hana01, host hana012", "hostname"},
		{"root", "q=HANA", "user hana, host hana01, host hana012", "username"},
		{"hana", "q=hana", "host hana01, host hana012", "hostname"},
		{"root", "q=hana&limit=1", "user hana", "username"},
		{"root", "q=" + string(hostID(3)), "host web", "id"},
		{"root", "q=web+hana", "", ""},
		{"root", "q=", "", ""},
	} {
		w := f.do(call{target: "/api/v1/search?" + tt.query, as: tt.as})
		var found []api.FoundThing
		if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil || found == nil {
			t.Fatalf("%s: %d %s", tt.query, w.Code, w.Body)
		}
		var names []string
		for _, thing := range found {
			names = append(names, thing.Kind+" "+thing.Name)
			if page := f.do(call{target: thing.Console, as: "root"}); page.Code != http.StatusOK {
				t.Errorf("%s is not at %s: %d", thing.Name, thing.Console, page.Code)
			}
			answer := f.do(call{target: thing.API, as: "root"})
			if answer.Code != http.StatusOK || strings.Count(answer.Body.String(), `{"id":`) < 1 || !strings.Contains(answer.Body.String(), `"id":`) || !strings.Contains(answer.Body.String(), thing.Name) {
				t.Errorf("%s is not at %s: %s", thing.Name, thing.API, answer.Body)
			}
		}
		if got := strings.Join(names, ", "); got != tt.found {
			t.Errorf("%s as %s: %s, want %s", tt.query, tt.as, got, tt.found)
		}
		if len(found) > 0 && !strings.Contains(strings.Join(found[0].Matched, " "), tt.matched) {
			t.Errorf("%s: %v", tt.query, found[0].Matched)
		}
	}
	for query, pointer := range map[string]string{"": "/q", "q=" + strings.Repeat("x", 201): "/q", "q=x&limit=0": "/limit", "q=x&limit=101": "/limit", "q=x&kind=host": "/kind"} {
		if w := f.do(call{target: "/api/v1/search?" + query, as: "root"}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
