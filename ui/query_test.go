package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"trento/ui/api"
)

// manyValues is a query with n values of a parameter.
func manyValues(name string, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = name + "=v" + strconv.Itoa(i)
	}
	return strings.Join(parts, "&")
}

// TestOversizedQueriesAreRefused checks that every page answers a query that is
// too long with a short answer that names the parameter.
func TestOversizedQueriesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	f.host(1, "hana01")
	long := strings.Repeat("x", api.MaxQueryValue+1)
	for _, target := range []string{
		"/", "/dashboard.csv", "/hosts", "/hosts.csv", "/clusters", "/clusters.csv", "/databases", "/databases.csv", "/sap_systems", "/sap_systems.csv",
		"/cleanup", "/cleanup.csv", "/availability", "/availability.csv", "/availability/period.csv", "/users", "/users.csv", "/tokens", "/tokens.csv", "/search", "/activity_log", "/activity_log.csv", "/activity_log.jsonl",
		"/hosts/" + string(hostID(1)), "/profile", "/profile/tokens/log", "/events", "/nowhere",
		"/api/v1/hosts", "/api/v1/activity_log", "/api/v1/profile/token_authentications", "/api/v1/profile/token_authentications.csv", "/api/v1/users",
	} {
		for query, want := range map[string]struct {
			status int
			said   string
		}{
			manyValues("tags", 6200):  {414, "tags should have at most 200 value(s)"},
			manyValues("tags[]", 201): {414, "tags should have at most 200 value(s)"},
			"q=" + long:               {414, "q should have at most 4096 byte(s)"},
			"a=1&q=" + strings.Repeat("y", 4000) + "&q=" + strings.Repeat("z", 4000) + "&w=" + strings.Repeat("z", 4000) + "&s=" + strings.Repeat("z", 400): {414, "q makes the address too long"},
		} {
			w := f.do(call{target: target + "?" + query, as: "admin"})
			said := w.Body.String()
			if strings.HasPrefix(target, "/api/") {
				name, detail, _ := strings.Cut(want.said, " ")
				if !strings.Contains(said, `"pointer":"/`+name+`"`) {
					t.Errorf("%s: names no parameter: %s", target, said)
				}
				want.said = detail
			}
			if w.Code != want.status || !strings.Contains(said, want.said) || len(said) > 20_000 {
				t.Errorf("%s?%.20s…: status %d, %d bytes, want %d and %q", target, query, w.Code, len(said), want.status, want.said)
			}
		}
	}
}

// TestLargestQueryMakesASmallPage checks that the longest permitted query does
// not make a page that is many times larger.
func TestLargestQueryMakesASmallPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	for n := range 120 {
		f.host(n+1, fmt.Sprintf("hana%03d", n))
	}
	padded := func(query string) string {
		for len(query) < api.MaxQuery-2000 {
			query += "&x" + strconv.Itoa(len(query)) + "=" + strings.Repeat("v", 1000)
		}
		return query
	}
	query := "per_page=100"
	for _, name := range []string{"tags", "cluster", "sid", "type", "actor"} {
		query += "&" + manyValues(name, api.MaxQueryValues)
	}
	query = padded(query)
	if w := f.do(call{target: "/hosts?" + padded("per_page=100"), as: "admin"}); w.Code != http.StatusOK || w.Body.Len() > 1_500_000 {
		t.Errorf("a hundred rows: status %d, %d bytes", w.Code, w.Body.Len())
	}
	for _, path := range []string{"/", "/hosts", "/clusters", "/databases", "/sap_systems", "/cleanup", "/users", "/tokens", "/activity_log"} {
		w := f.do(call{target: path + "?" + query, as: "admin"})
		if size := w.Body.Len(); w.Code != http.StatusOK || size > 1_500_000 {
			t.Errorf("%s: status %d, %d bytes for a query of %d", path, w.Code, size, len(query))
		}
		page := parseMarkup(t, w.Body.String())
		if chips := len(page.all(".chip")); chips > 20+1 {
			t.Errorf("%s: %d chips", path, chips)
		}
		checkMarkup(t, w.Body.String())
	}
	w := f.do(call{target: "/hosts?" + manyValues("tags", 30), as: "admin"})
	if said := text(parseMarkup(t, w.Body.String()).all(".chips li")[20]); said != "And 10 more, chosen in the filters above" {
		t.Errorf("the last chip says %q", said)
	}
}

// TestSavedViewsAreBounded checks that a query that is too long cannot be
// saved.
func TestSavedViewsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ada")
	form := url.Values{"screen": {"/hosts"}, "name": {"many"}, "query": {manyValues("t", api.MaxQueryValues+1)}}
	if w := f.do(call{method: "POST", target: "/views", as: "ada", form: form}); w.Code != http.StatusBadRequest {
		t.Errorf("status %d", w.Code)
	}
}
