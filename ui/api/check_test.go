package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// TestSelectChecks goes through the table of selecting checks, which is the
// same for both kinds of things.
func TestSelectChecks(t *testing.T) {
	t.Parallel()
	const accepted = "{}"
	many := func(element string, n int) string {
		return `{"checks":[` + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + `]}`
	}
	for name, test := range map[string]struct {
		body   string
		header map[string]string
		status int
		want   string
		checks []string // selected afterwards; before, it was old
	}{
		"two":                     {`{"checks":["156F64","00081D"]}`, nil, 202, accepted, []string{"00081D", "156F64"}},
		"none":                    {`{"checks":[]}`, nil, 202, accepted, []string{}},
		"the same again":          {`{"checks":["old"]}`, nil, 202, accepted, []string{"old"}},
		"one twice":               {`{"checks":["a","a"]}`, nil, 202, accepted, []string{"a"}},
		"no such check":           {`{"checks":["there is no check of this name"]}`, nil, 202, accepted, []string{"there is no check of this name"}},
		"too many":                {many(`"a"`, 1001), nil, 422, problems("/checks", "has too many items"), nil},
		"another member":          {`{"checks":[],"more":1,"extra":2}`, nil, 422, problems("/extra", "Unexpected field: extra"), nil},
		"another member, none":    {`{"extra":2}`, nil, 422, problems("/extra", "Unexpected field: extra"), nil},
		"nothing":                 {`{}`, nil, 422, problems("/checks", "Missing field: checks"), nil},
		"no body":                 {``, nil, 422, problems("/checks", "Missing field: checks"), nil},
		"null":                    {`{"checks":null}`, nil, 422, problems("/checks", "null value where array expected"), nil},
		"a text":                  {`{"checks":"a"}`, nil, 422, problems("/checks", "Invalid array. Got: string"), nil},
		"an object":               {`{"checks":{"0":"a"}}`, nil, 422, problems("/checks", "Invalid array. Got: object"), nil},
		"some are none":           {`{"checks":["a",1,null,"b",[]]}`, nil, 422, problems("/checks/1", "Invalid string. Got: integer", "/checks/2", "null value where string expected", "/checks/4", "Invalid string. Got: array"), nil},
		"not an object":           {`["a"]`, nil, 422, problems("/", "Invalid object. Got: array"), nil},
		"not an object but null":  {` null `, nil, 422, problems("/", "Invalid object. Got: null"), nil},
		"no JSON":                 {`{"checks":[`, nil, 400, `{"errors":[{"title":"Bad Request","detail":"unexpected end of JSON input"}]}`, nil},
		"other content type":      {`{"checks":[]}`, map[string]string{"Content-Type": "text/plain"}, 415, problems("/", "Invalid value for header: content-type"), nil},
		"no content type":         {`{"checks":[]}`, map[string]string{"Content-Type": ""}, 415, problems("/", "Invalid value for header: content-type"), nil},
		"too many that are wrong": {many("1", 100_000), nil, 422, "*", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.user("root", admin)
			f.register(agentID, "vega01")
			f.collect(reported(t, "cluster_offline", agentID))
			for _, thing := range []struct {
				path, list string
				logged     activity.Type
			}{
				{"/api/v1/hosts/" + agentID + "/checks", "/api/v1/hosts", activity.TypeHostChecksSelected},
				{"/api/v1/clusters/" + string(clusterID) + "/checks", "/api/v2/clusters", activity.TypeClusterChecksSelected},
			} {
				f.post("root", thing.path, `{"checks":["old"]}`).expect(t, http.StatusAccepted, accepted)
				f.do(call{as: "root", method: "POST", path: thing.path, body: test.body, header: test.header}).expect(t, test.status, test.want)
				var list []struct {
					Checks []string `json:"selected_checks"`
				}
				f.get("root", thing.list).decode(t, &list)
				want, entries := test.checks, 2
				if test.status >= 300 {
					want, entries = []string{"old"}, 1
				}
				if diff := cmp.Diff(want, list[0].Checks); diff != "" {
					t.Errorf("%s:\n%s", thing.path, diff)
				}
				if logged := f.entries(thing.logged); len(logged) != entries || logged[0].Actor != "root" {
					t.Errorf("%s: logged %d times", thing.path, len(logged))
				}
			}
		})
	}
}

// TestSelectChecksOf checks what is wrong with the path, and in which order
// faults are found.
func TestSelectChecksOf(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const hostChecks, clusterChecks = 5, 6
	f.user("root", admin)
	f.user("host selector", hostChecks)
	f.user("cluster selector", clusterChecks)
	f.register(agentID, "vega01")
	f.collect(reported(t, "cluster_offline", agentID))
	host, cluster := "/api/v1/hosts/"+agentID+"/checks", "/api/v1/clusters/"+string(clusterID)+"/checks"
	const good, bad = `{"checks":["a"]}`, `{"checks":"a"}`
	for _, test := range []struct {
		as, path, body string
		status         int
		want           string
	}{
		{"host selector", host, good, 202, "{}"},
		{"cluster selector", cluster, good, 202, "{}"},
		{"cluster selector", host, bad, 403, forbidden},
		{"host selector", cluster, bad, 403, forbidden},
		{"host selector", "/api/v1/clusters/here/checks", bad, 403, forbidden},
		{nobody, host, bad, 401, signedOut},
		{agent, host, good, 401, signedOut},
		{"root", "/api/v1/hosts/here/checks", bad, 422, problems("/id", "Invalid format. Expected :uuid")},
		{"root", "/api/v1/clusters/here/checks", bad, 422, problems("/cluster_id", "Invalid format. Expected :uuid")},
		{"root", "/api/v1/hosts/" + otherID + "/checks", bad, 422, problems("/checks", "Invalid array. Got: string")},
		{"root", "/api/v1/hosts/" + otherID + "/checks", good, 404, notFound},
		{"root", "/api/v1/clusters/" + agentID + "/checks", good, 404, notFound},
		{"root", "/api/v1/hosts/" + strings.ToUpper(agentID) + "/checks", good, 202, "{}"},
	} {
		f.post(test.as, test.path, test.body).expect(t, test.status, test.want)
	}
	f.collect(report(agentID, "ha_cluster_discovery", "null")) // the last host leaves the cluster
	f.post("root", cluster, good).expect(t, 404, notFound)
	f.remove("/api/v1/hosts/" + agentID)
	f.post("root", host, good).expect(t, 404, notFound)
}
