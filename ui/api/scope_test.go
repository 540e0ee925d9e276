package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"trento/auth"
	"trento/store"
)

// freshToken makes a token of a user and returns its text.
func (f *fixture) freshToken(owner string, scopes ...string) string {
	f.t.Helper()
	f.made++
	if f.made%store.MaxTokens == 0 { // a user can have no more
		if err := f.store.DeleteAllTokens(f.t.Context(), store.System(), f.account(owner).ID); err != nil {
			f.t.Fatal(err)
		}
	}
	_, text, err := f.auth.CreateToken(f.t.Context(), &auth.Identity{User: f.account(owner)}, auth.NewToken{Name: fmt.Sprint("token ", f.made), Scopes: scopes})
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

func bearing(text string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + text}
}

// inPerson are the routes no token may take, written down a second time.
var inPerson = []string{
	"POST /api/v1/profile/tokens",
	"PATCH /api/v1/profile/tokens/" + otherID,
	"POST /api/v1/profile/tokens/" + otherID + "/regenerate",
	"PATCH /api/v1/settings/personal_access_tokens",
	"POST /api/v1/backups", "POST /api/v1/support_bundles",
	"GET /api/v1/profile/totp_enrollment",
	"POST /api/v1/profile/totp_enrollment",
	"DELETE /api/v1/profile/totp_enrollment",
}

// within says which predefined sets permit what is demanded, written down a
// second time; settings also permits what has its place among them.
var within = map[string]string{
	"cleanup:host": "housekeeping", "cleanup:database_instance": "housekeeping", "cleanup:application_instance": "housekeeping",
	"all:host_checks_selection": "checks", "all:cluster_checks_selection": "checks",
	"all:host_checks_execution": "checks", "all:cluster_checks_execution": "checks", "all:check_customization": "checks",
	"all:host_tags": "tags", "all:cluster_tags": "tags", "all:database_tags": "tags", "all:sap_system_tags": "tags",
	"all:users": "user_management",
}

// readBy says which sets read a list, because they act on what is in it.
var readBy = map[string][]string{
	"/api/v1/hosts/" + otherID + "/refresh": {"checks"}, "/api/v1/clusters/" + otherID + "/refresh": {"checks"},
	"/api/v1/hosts": {"checks", "operations", "tags", "housekeeping"}, "/api/v1/clusters": {"checks", "operations", "tags"}, "/api/v2/clusters": {"checks", "operations", "tags"},
	"/api/v1/databases": {"operations", "tags", "housekeeping"}, "/api/v1/sap_systems": {"operations", "tags", "housekeeping"},
}

// TestScopes lets tokens of somebody who may do everything try everything,
// each limited to one set.
func TestScopes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	for _, set := range f.auth.ScopeSets() {
		t.Run(set.Name, func(t *testing.T) {
			f.t = t
			for _, d := range demands {
				if d.demand == "public" || d.demand == "agent" {
					continue
				}
				permitted := false
				switch {
				case slices.Contains(inPerson, d.method+" "+d.path):
				case set.Name == "full", set.Name == "read_only" && d.method == "GET", within[d.demand] == set.Name:
					permitted = true
				case set.Name == "checks" && d.method == "GET":
					permitted = strings.Contains(d.path, "/checks/") || strings.HasSuffix(d.path, "/checks")
				case set.Name == "settings":
					permitted = strings.HasPrefix(d.path, "/api/v1/settings/") || d.demand == "all:api_key_settings" || d.demand == "all:alerting_settings"
				case set.Name == "operations":
					permitted = strings.Contains(d.path, "/operations/")
				}
				permitted = permitted || d.method == "GET" && slices.Contains(readBy[d.path], set.Name)
				// A token of its own for each request, as one of them removes it.
				got := f.do(call{method: d.method, path: d.path, body: d.body, header: bearing(f.freshToken("root", set.Name))})
				if permitted {
					got.expect(t, d.status, "*")
				} else {
					got.expect(t, http.StatusForbidden, forbidden)
				}
			}
		})
	}
}

// TestSingleScopes checks that a single operation permits itself, and nothing
// beside it.
func TestSingleScopes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	operations := f.auth.ScopeSets()[0].Operations
	for i, o := range operations {
		if o.Summary == "" {
			t.Errorf("%s has no words for people", o)
		}
		other := operations[(i+1)%len(operations)]
		tried := 0
		for _, d := range demands {
			at := d.method + " " + d.path
			if d.method != o.Method || !matches(o.Path, d.path) {
				continue
			}
			tried++
			if got := f.do(call{method: d.method, path: d.path, body: d.body, header: bearing(f.freshToken("root", o.String()))}); got.status != d.status {
				t.Errorf("%s with its own scope: %d %s", at, got.status, got.body)
			}
			f.do(call{method: d.method, path: d.path, body: d.body, header: bearing(f.freshToken("root", other.String()))}).expect(t, http.StatusForbidden, forbidden)
		}
		if tried == 0 {
			t.Errorf("%s is in no row of the table of demands", o)
		}
	}
}

// matches reports whether a path is one of a route.
func matches(route, path string) bool {
	want, got := strings.Split(route, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// TestScopeNeverWidens checks that a scope gives nobody what they have not
// got, and that it follows what becomes of its owner.
func TestScopeNeverWidens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann", 7) // all:host_tags
	tag := func(text string, kind string) answer {
		return f.do(call{method: "POST", path: "/api/v1/" + kind + "/" + otherID + "/tags", body: `{"value":"x"}`, header: bearing(text)})
	}
	full, tags := f.freshToken("ann"), f.freshToken("ann", "tags")
	for _, text := range []string{full, tags} {
		tag(text, "hosts").expect(t, 201, "*")
		tag(text, "clusters").expect(t, 403, forbidden)
	}
	version := f.account("ann").LockVersion
	none := []int{}
	if _, err := f.auth.ChangeUser(t.Context(), &auth.Identity{User: f.account("root")}, f.account("ann").ID, version, auth.UserChange{Abilities: &none}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{full, tags} {
		tag(text, "hosts").expect(t, 403, forbidden)
	}
	f.do(call{method: "GET", path: "/api/v1/hosts", header: bearing(full)}).expect(t, 200, "[]")
	// What is tagged is read by everybody, and by a token that tags as well.
	f.do(call{method: "GET", path: "/api/v1/hosts", header: bearing(tags)}).expect(t, 200, "[]")
	f.do(call{method: "GET", path: "/api/v1/activity_log", header: bearing(tags)}).expect(t, 403, forbidden)
}

// TestAgentKeyThroughTokens checks that read_only does not show the key.
func TestAgentKeyThroughTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("ann")
	for _, test := range []struct {
		owner  string
		scopes []string
		shown  bool
	}{
		{"root", []string{"full"}, true},
		{"root", []string{"read_only"}, false},
		{"root", []string{"settings"}, true},
		{"root", []string{"GET /api/v1/settings/api_key"}, true},
		{"root", []string{"GET /api/v1/settings/api_key", "read_only"}, true},
		{"root", []string{"PATCH /api/v1/settings/api_key", "read_only"}, true},
		{"root", []string{"read_only", "tags"}, false},
		{"root", []string{"read_only", "GET /api/v1/agents"}, false},
		{"ann", []string{"full"}, false},
		{"ann", []string{"settings"}, false},
	} {
		got := f.do(call{method: "GET", path: "/api/v1/settings/api_key", header: bearing(f.freshToken(test.owner, test.scopes...))})
		if shown := strings.Contains(got.body, f.agentKey()); got.status != 200 || shown != test.shown {
			t.Errorf("%s with %q: %d %s", test.owner, test.scopes, got.status, got.body)
		}
	}
}
