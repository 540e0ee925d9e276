package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/ui/api"
)

// rulesOf returns what each list can be searched, filtered and sorted by, by the
// path of the list.
func rulesOf(t *testing.T, f *fixture) map[string]*api.ListRules {
	t.Helper()
	l := consoleLists(t, f.store, f.auth, f.index, nil)
	return map[string]*api.ListRules{
		"/api/v1/hosts": l.Hosts, "/api/v1/clusters": l.Clusters, "/api/v2/clusters": l.Clusters, "/api/v1/databases": l.Databases,
		"/api/v1/sap_systems": l.SAPSystems, "/api/v1/sap_systems/health": l.Health, "/api/v1/incidents": l.Incidents, "/api/v1/users": l.Users, "/api/v1/profile/tokens": l.Tokens,
	}
}

// TestDocumentOfLists checks that the description names the filters and orders
// that there are.
func TestDocumentOfLists(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for path, rules := range rulesOf(t, f) {
		var filters, orders, fields []string
		for _, p := range document(t).Paths.Value(path).Get.Parameters {
			name := p.Value.Name
			if filter, ok := strings.CutPrefix(name, "filter["); ok {
				filters = append(filters, strings.TrimSuffix(filter, "]"))
			}
			if name == "sort" || name == "fields" {
				for _, value := range p.Value.Schema.Value.Items.Value.Enum {
					if name == "fields" {
						fields = append(fields, value.(string))
					} else if order := value.(string); order[0] != '-' {
						orders = append(orders, order)
					}
				}
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(rules.Filters)), slices.Sorted(slices.Values(filters))); diff != "" {
			t.Errorf("%s: filters (-) and description (+):\n%s", path, diff)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(rules.Orders)), slices.Sorted(slices.Values(orders))); diff != "" {
			t.Errorf("%s: orders (-) and description (+):\n%s", path, diff)
		}
		if len(fields) < 5 {
			t.Errorf("%s: fields %v", path, fields)
		}
	}
}

// things are the objects of an answer.
func (got answer) things(t *testing.T) []map[string]json.RawMessage {
	t.Helper()
	var things []map[string]json.RawMessage
	got.decode(t, &things)
	return things
}

// ids are the ids in an answer, in its order.
func (got answer) ids(t *testing.T) []string {
	t.Helper()
	var ids []string
	for _, thing := range got.things(t) {
		ids = append(ids, strings.Trim(string(thing["id"]), `"`))
	}
	return ids
}

// next is the address of the next page, "" if there is none.
func (got answer) next() string {
	found := regexp.MustCompile(`^<(.*)>; rel="next"$`).FindStringSubmatch(got.header.Get("Link"))
	if found == nil {
		return ""
	}
	return found[1]
}

// listFixture has a landscape, a tag, and some users and tokens.
func listFixture(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t)
	f.user("root", admin)
	for _, name := range []string{"zoe", "Ann", "bob"} {
		f.user(name)
	}
	f.build()
	f.post("root", "/api/v1/hosts/"+app1ID+"/tags", `{"value":"prod"}`)
	for _, scopes := range []string{`["full"]`, `["read_only"]`, `["tags"]`} {
		f.clock.pass(time.Second)
		f.post("root", "/api/v1/profile/tokens", `{"name":"t`+scopes[2:4]+`","expires_at":null,"scopes":`+scopes+`,"current_password":"x"}`)
	}
	f.signIn("root")
	return f
}

// TestPages walks through all lists in all orders, and compares the pages with
// the whole list.
func TestPages(t *testing.T) {
	t.Parallel()
	f := listFixture(t)
	for path, rules := range rulesOf(t, f) {
		usual := f.get("root", path)
		if total := usual.header.Get("X-Total-Count"); total != fmt.Sprint(len(usual.things(t))) || usual.next() != "" {
			t.Errorf("%s: %s things, next %q", path, total, usual.next())
		}
		f.get("root", path+"?_=123&unknown=x").expect(t, 200, usual.body) // existing clients may send anything
		f.get("root", path+"?limit=1000").expect(t, 200, usual.body)
		for _, order := range append([]string{"", "health,-sid"}, rules.Orders...) {
			query := "?sort=" + url.QueryEscape(order)
			if order == "" {
				query = "?limit=1000"
			}
			whole := f.get("root", path+query)
			if whole.status == http.StatusUnprocessableEntity && order == "health,-sid" {
				continue // a list without these
			}
			var walked []string
			last := ""
			for at := path + strings.Replace(query+"&limit=1", "?limit=1000&", "?", 1); at != ""; at = last {
				got := f.get("root", at)
				walked = append(walked, got.ids(t)...)
				if last = got.next(); got.status != http.StatusOK || len(walked) > 20 {
					t.Fatalf("%s: %d %s", at, got.status, got.body)
				}
			}
			if diff := cmp.Diff(whole.ids(t), walked); diff != "" {
				t.Errorf("%s%s: whole (-) and in pages (+):\n%s", path, query, diff)
			}
		}
	}
}

// TestPagesWhileThingsChange walks through the hosts while other hosts come, go
// and change, and expects each host that stays as it is exactly once.
func TestPagesWhileThingsChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	id := func(n int) string { return fmt.Sprintf("33333333-0000-5000-8000-%012d", n) }
	rapid.Check(t, func(rt *rapid.T) {
		f.signIn("root")
		for n := range 8 {
			f.collect(hostReport(id(n), fmt.Sprintf("host%d", n)))
		}
		order := rapid.SampledFrom([]string{"heartbeat", "hostname", "-hostname", "health,-address", "tags"}).Draw(rt, "order")
		seen := make(map[string]int)
		for at := "/api/v1/hosts?limit=2&sort=" + order; at != ""; {
			got := f.get("root", at)
			for _, id := range got.ids(t) {
				seen[id]++
			}
			at = got.next()
			n := rapid.IntRange(4, 7).Draw(rt, "changes") // the first four stay
			if rapid.Bool().Draw(rt, "goes") {
				f.clock.pass(time.Minute)
				f.signIn("root")
				f.do(call{as: "root", method: "DELETE", path: "/api/v1/hosts/" + id(n)})
			} else {
				f.collect(hostReport(id(n), fmt.Sprintf("host%d", rapid.IntRange(0, 9).Draw(rt, "name"))))
			}
		}
		for n := range 4 {
			if seen[id(n)] != 1 {
				rt.Fatalf("%s was seen %d times: %v", id(n), seen[id(n)], seen)
			}
		}
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	f := listFixture(t)
	hosts := func(names ...string) string { return strings.Join(names, " ") }
	for query, want := range map[string]string{
		"filter[hostname]=qdb01":                           hosts("qdb01"),
		"filter[hostname]=qdb01&filter[hostname]=qax02":    hosts("qax02", "qdb01"),
		"filter[hostname]=[qdb01+qax02]":                   hosts("qax02", "qdb01"),
		"filter[hostname][]=qdb01&filter[hostname][]=no":   hosts("qdb01"),
		"filter[tags]=prod":                                hosts("qax01"),
		"filter[tags]=prod&filter[hostname]=qdb01":         "",
		"filter[sid]=QAX&sort=-hostname":                   hosts("qax02", "qax01"),
		"filter[stale]=true":                               "",
		"filter[stale]=false&limit=1":                      hosts("qax01"),
		"q=QDB&sort=-address":                              hosts("qdb02", "qdb01"),
		"q=10.44.0.11":                                     hosts("qax01"),
		"q=qdb+nothing":                                    "",
		"sort=tags,-hostname":                              hosts("qdb02", "qdb01", "qax02", "qax01"),
		"filter%5Bhostname%5D=qdb01&fields=hostname%2C+id": "422",
	} {
		got := f.get("root", "/api/v1/hosts?"+query)
		if want == "422" {
			got.expect(t, 422, "*")
			continue
		}
		var names []string
		for _, thing := range got.things(t) {
			names = append(names, strings.Trim(string(thing["hostname"]), `"`))
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s: %v, want %s", query, names, want)
		}
	}
	f.get("root", "/api/v1/users?filter[status]=Enabled&sort=-username&fields=username").expect(t, 200, `[{"username":"zoe"},{"username":"root"},{"username":"bob"},{"username":"ann"}]`)
}

// TestWrongListQueries checks that what a list does not have is named, with what
// it has.
func TestWrongListQueries(t *testing.T) {
	t.Parallel()
	f := listFixture(t)
	later := f.get("root", "/api/v1/hosts?limit=1&sort=hostname").next()
	cursor := later[strings.Index(later, "cursor=")+len("cursor="):]
	cursor, _, _ = strings.Cut(cursor, "&")
	const databases = "there are health, -health, sid, -sid, reason, -reason, summary, -summary, tenants, -tenants, tags, -tags, id, -id"
	for query, want := range map[string]string{
		"sort=name":                     problems("/sort/0", "name is unknown; "+databases),
		"sort=sid,sid":                  problems("/sort", "names sid twice"),
		"fields=id,hostname":            problems("/fields/1", "hostname is unknown; there are id, sid, health, stale_at, inserted_at, updated_at, tags, database_instances"),
		"filter[name]=x":                problems("/filter[name]", "name is unknown; there are cleanup, health, sid, stale, tags"),
		"filter=x":                      problems("/filter[]", " is unknown; there are cleanup, health, sid, stale, tags"),
		"filter[health]=bad":            problems("/filter[health]/0", "bad is unknown; there are critical, warning, unknown, passing"),
		"filter[stale]=yes":             problems("/filter[stale]", "Invalid boolean. Got: string"),
		"limit=0":                       problems("/limit", "must be from 1 to 1000"),
		"limit=1001":                    problems("/limit", "must be from 1 to 1000"),
		"limit=x":                       problems("/limit", "Invalid integer. Got: string"),
		"cursor=x":                      problems("/cursor", "is not a cursor of this list in this order"),
		"cursor=" + cursor:              problems("/cursor", "is not a cursor of this list in this order"),
		"sort=sid&cursor=" + cursor:     problems("/cursor", "is not a cursor of this list in this order"),
		"limit=1&srot=sid":              problems("/srot", "Unexpected field: srot"),
		"q=" + strings.Repeat("x", 201): problems("/q", "should be at most 200 character(s)"),
	} {
		f.get("root", "/api/v1/databases?"+query).expect(t, 422, want)
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	f := listFixture(t)
	f.get("root", "/api/v1/hosts?fields=hostname&limit=1").expect(t, 200, `[{"hostname":"qax01"}]`)
	f.get("root", "/api/v1/hosts?fields=last_heartbeat_timestamp,health&limit=1").expect(t, 200, `[{"health":"warning","last_heartbeat_timestamp":null}]`)
	for path := range rulesOf(t, f) {
		whole := f.get("root", path).things(t)
		for name, value := range whole[0] {
			got := f.get("root", path+"?fields="+name).things(t)
			if len(got) != len(whole) || len(got[0]) != 1 || string(got[0][name]) != string(value) {
				t.Errorf("%s?fields=%s: %s", path, name, got)
			}
		}
	}
}

// TestNotModified checks that clients are told that nothing has changed when
// nothing has, and only then.
func TestNotModified(t *testing.T) {
	t.Parallel()
	f := listFixture(t)
	etags := make(map[string]string)
	ask := func(path string) answer {
		return f.do(call{as: "root", method: "GET", path: path, header: map[string]string{"If-None-Match": etags[path]}})
	}
	paths := slices.Concat(slices.Collect(maps.Keys(rulesOf(t, f))), []string{"/api/v1/activity_log", "/api/v1/personal_access_tokens", "/api/v1/hosts?fields=id,hostname"})
	unchanged := func(when string, changed ...string) {
		t.Helper()
		for _, path := range paths {
			got := ask(path)
			want := http.StatusNotModified
			if slices.Contains(changed, path) {
				want = http.StatusOK
			}
			if got.status != want || want == http.StatusNotModified && (got.body != "" || got.header.Get("Content-Length") != "" || got.header.Get("ETag") != etags[path]) {
				t.Errorf("%s %s: %d %v %s", path, when, got.status, got.header, got.body)
			}
			etags[path] = got.header.Get("ETag")
		}
	}
	unchanged("at first", paths...)
	unchanged("again")
	f.do(call{as: agent, method: "POST", path: "/api/v1/hosts/" + db1ID + "/heartbeat"})
	unchanged("after a first heartbeat", "/api/v1/hosts", "/api/v1/activity_log")
	f.clock.pass(time.Second)
	f.do(call{as: agent, method: "POST", path: "/api/v1/hosts/" + db1ID + "/heartbeat"})
	unchanged("after another heartbeat", "/api/v1/hosts")
	f.post("root", "/api/v1/databases/"+string(databaseID)+"/tags", `{"value":"x"}`)
	unchanged("after a tag", "/api/v1/databases", "/api/v1/activity_log")
	for _, header := range []string{"*", `"x", ` + etags["/api/v1/users"], strings.TrimPrefix(etags["/api/v1/users"], "W/")} {
		if got := f.do(call{as: "root", method: "GET", path: "/api/v1/users", header: map[string]string{"If-None-Match": header}}); got.status != http.StatusNotModified {
			t.Errorf("If-None-Match: %s: %d", header, got.status)
		}
	}
}
