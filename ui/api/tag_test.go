package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// tagPaths are where the things of the landscape of these tests have their
// tags, with the ability to change them.
var tagPaths = []struct {
	kind, path string
	ability    int
}{
	{"host", "/api/v1/hosts/" + db1ID + "/tags", 7},
	{"cluster", "/api/v1/clusters/" + string(clusterID) + "/tags", 8},
	{"database", "/api/v1/databases/" + string(databaseID) + "/tags", 9},
	{"sap_system", "/api/v1/sap_systems/" + string(sapSystemID) + "/tags", 10},
}

// tagsIn are the tags of the only thing of a kind in its list, or of the first
// of several.
func (f *fixture) tagsIn(kind string) (tags []string) {
	f.t.Helper()
	var list []struct {
		ID   string
		Tags []struct {
			Value        string
			ResourceID   string `json:"resource_id"`
			ResourceType string `json:"resource_type"`
		}
	}
	path := map[string]string{"host": "/api/v1/hosts", "cluster": "/api/v2/clusters", "database": "/api/v1/databases", "sap_system": "/api/v1/sap_systems"}
	f.get("root", path[kind]).decode(f.t, &list)
	for _, thing := range list {
		for _, tag := range thing.Tags {
			if tag.ResourceID != thing.ID || tag.ResourceType != kind {
				f.t.Errorf("tag of %s %s: %+v", kind, thing.ID, tag)
			}
			tags = append(tags, tag.Value)
		}
	}
	return tags
}

// TestAddTag goes through the table of putting tags on things.
func TestAddTag(t *testing.T) {
	t.Parallel()
	const blank, format = "can't be blank", "has invalid format"
	long := strings.Repeat("ä", 255)
	for name, test := range map[string]struct {
		body   string
		header map[string]string
		status int
		want   string
		tag    string
	}{
		"a word":                {`{"value":"production"}`, nil, 201, `{"value":"production"}`, "production"},
		"further members":       {`{"value":"x","id":7,"more":[]}`, nil, 201, `{"value":"x"}`, "x"},
		"blanks around":         {`{"value":" \t\nx\u00a0 "}`, nil, 201, `{"value":"x"}`, "x"},
		"all signs":             {`{"value":"+-=.,_:@"}`, nil, 201, `{"value":"+-=.,_:@"}`, "+-=.,_:@"},
		"any script":            {`{"value":"Größe-生产-Ⅻ-٣"}`, nil, 201, `{"value":"Größe-生产-Ⅻ-٣"}`, "Größe-生产-Ⅻ-٣"},
		"dots":                  {`{"value":".."}`, nil, 201, `{"value":".."}`, ".."},
		"the longest":           {`{"value":"` + long + `"}`, nil, 201, `{"value":"` + long + `"}`, long},
		"with a charset":        {`{"value":"x"}`, map[string]string{"Content-Type": "application/json; charset=utf-8"}, 201, `{"value":"x"}`, "x"},
		"the last one of two":   {`{"value":1,"value":"x"}`, nil, 201, `{"value":"x"}`, "x"},
		"too long":              {`{"value":"` + long + `x"}`, nil, 422, problems("/value", "should be at most 255 character(s)"), ""},
		"empty":                 {`{"value":""}`, nil, 422, problems("/value", blank), ""},
		"blank":                 {`{"value":" \t"}`, nil, 422, problems("/value", blank), ""},
		"a blank inside":        {`{"value":"a b"}`, nil, 422, problems("/value", format), ""},
		"a slash":               {`{"value":"a/b"}`, nil, 422, problems("/value", format), ""},
		"a hash":                {`{"value":"#1"}`, nil, 422, problems("/value", format), ""},
		"NUL":                   {`{"value":"a\u0000"}`, nil, 422, problems("/value", format), ""},
		"markup":                {`{"value":"<b>"}`, nil, 422, problems("/value", format), ""},
		"right to left":         {`{"value":"\u202eabc"}`, nil, 422, problems("/value", format), ""},
		"half a character":      {`{"value":"\ud800"}`, nil, 400, `{"errors":[{"title":"Bad Request","detail":"lone surrogate \\ud800 in body"}]}`, ""},
		"not UTF-8":             {"{\"value\":\"a\xff\"}", nil, 400, `{"errors":[{"title":"Bad Request","detail":"invalid UTF-8 in body"}]}`, ""},
		"null":                  {`{"value":null}`, nil, 422, problems("/value", "null value where string expected"), ""},
		"a number":              {`{"value":1}`, nil, 422, problems("/value", "Invalid string. Got: integer"), ""},
		"a fraction":            {`{"value":1.5}`, nil, 422, problems("/value", "Invalid string. Got: number"), ""},
		"a truth":               {`{"value":true}`, nil, 422, problems("/value", "Invalid string. Got: boolean"), ""},
		"a list":                {`{"value":["x"]}`, nil, 422, problems("/value", "Invalid string. Got: array"), ""},
		"an object":             {`{"value":{}}`, nil, 422, problems("/value", "Invalid string. Got: object"), ""},
		"no value":              {`{"tag":"x"}`, nil, 422, problems("/value", "Missing field: value"), ""},
		"no body":               {``, nil, 422, problems("/value", "Missing field: value"), ""},
		"no object":             {`["x"]`, nil, 422, problems("/value", "Missing field: value"), ""},
		"no content type":       {`{"value":"x"}`, map[string]string{"Content-Type": ""}, 422, problems("/value", "Missing field: value"), ""},
		"other content type":    {`{"value":"x"}`, map[string]string{"Content-Type": "text/plain"}, 415, problems("/", "Invalid value for header: content-type"), ""},
		"a form":                {`value=x`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, problems("/", "Invalid value for header: content-type"), ""},
		"no JSON":               {`{"value":`, nil, 400, `{"errors":[{"title":"Bad Request","detail":"unexpected end of JSON input"}]}`, ""},
		"does not accept JSON":  {`{"value":"x"}`, map[string]string{"Accept": "text/html"}, 406, general(406), ""},
		"too large, not wanted": {`{"value":"` + strings.Repeat("x", 8_000_000) + `"}`, nil, 413, general(413), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.user("root", admin)
			f.register(db1ID, "qdb01")
			f.do(call{as: "root", method: "POST", path: tagPaths[0].path, body: test.body, header: test.header}).expect(t, test.status, test.want)
			var want []string
			if test.tag != "" {
				want = []string{test.tag}
			}
			if diff := cmp.Diff(want, f.tagsIn("host")); diff != "" {
				t.Error(diff)
			}
			if logged := len(f.entries(activity.TypeResourceTagging)); logged != len(want) {
				t.Errorf("%d entries in the activity log", logged)
			}
		})
	}
}

// TestTags puts tags on things of all kinds and takes them off again.
func TestTags(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("plain")
	f.build()
	values := []string{"a", "ä", "生产", "+-=.,_:@", ".", "..", "...", "a+b", "a=b", "a:b", "100"}
	for _, to := range tagPaths {
		tagger := f.user("tagger of "+to.kind, to.ability)
		for _, other := range tagPaths {
			status, body := http.StatusForbidden, forbidden
			if other == to {
				status, body = http.StatusUnprocessableEntity, problems("/value", "Missing field: value")
			}
			f.post(tagger, other.path, `{}`).expect(t, status, body)
		}
		for _, value := range values {
			for range 2 { // the second one is there already
				f.post(tagger, to.path, `{"value":"`+value+`"}`).expect(t, http.StatusCreated, `{"value":"`+value+`"}`)
			}
		}
		for _, other := range []string{"A", "\u0430", "\uff21"} {
			f.post(tagger, to.path, `{"value":"`+other+`"}`).expect(t, http.StatusUnprocessableEntity, problems("/value", "has already been taken by another spelling: a"))
		}
		if tags := f.tagsIn(to.kind); len(tags) != len(values) {
			t.Errorf("%s: tags %q", to.kind, tags)
		}
		gone := func(value string) answer {
			return f.do(call{as: tagger, method: "DELETE", path: to.path + "/" + value})
		}
		for _, unknown := range []string{"b", "%20a", "a%20", "a%2Fb", "%2F", "a%00", "%ff", "%2E%2E%2E%2E", "%252E", "production"} {
			gone(unknown).expect(t, http.StatusNotFound, notFound)
		}
		f.do(call{as: "plain", method: "DELETE", path: to.path + "/a"}).expect(t, http.StatusForbidden, forbidden)
		for _, value := range values[1:] {
			gone(url.PathEscape(value)).expect(t, http.StatusNoContent, "")
			gone(url.PathEscape(value)).expect(t, http.StatusNotFound, notFound)
		}
		if tags := f.tagsIn(to.kind); len(tags) != 1 || tags[0] != "a" {
			t.Errorf("%s: tags %q", to.kind, tags)
		}
		gone("%61").expect(t, http.StatusNoContent, "")
	}
	if n := len(f.entries(activity.TypeHostDeregistered)); n > 0 {
		t.Errorf("%d hosts were removed", n)
	}
}

// TestTagsOfOthers checks that the kind of a thing counts, and that tags may
// come before the thing, whose id may be written in capitals.
func TestTagsOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("plain")
	noUUID := problems("/id", "Invalid format. Expected :uuid")
	f.post("root", "/api/v1/hosts/"+strings.ToUpper(agentID)+"/tags", `{"value":"x"}`).expect(t, http.StatusCreated, `{"value":"x"}`)
	for _, kind := range []string{"clusters", "databases", "sap_systems"} {
		f.do(call{as: "root", method: "DELETE", path: "/api/v1/" + kind + "/" + agentID + "/tags/x"}).expect(t, http.StatusNotFound, notFound)
	}
	f.register(agentID, "vega01")
	if tags := f.tagsIn("host"); len(tags) != 1 {
		t.Errorf("tags %q", tags)
	}
	f.do(call{as: "root", method: "DELETE", path: "/api/v1/hosts/" + strings.ToUpper(agentID) + "/tags/x"}).expect(t, http.StatusNoContent, "")
	for _, kind := range []string{"hosts", "clusters", "databases", "sap_systems"} {
		f.post("root", "/api/v1/"+kind+"/here/tags", `{"value":5}`).expect(t, http.StatusUnprocessableEntity, noUUID)
		f.do(call{as: "root", method: "DELETE", path: "/api/v1/" + kind + "/here/tags/x"}).expect(t, http.StatusUnprocessableEntity, noUUID)
		f.post("plain", "/api/v1/"+kind+"/here/tags", `{"value":5}`).expect(t, http.StatusForbidden, forbidden)
		f.post(nobody, "/api/v1/"+kind+"/here/tags", `{"value":5}`).expect(t, http.StatusUnauthorized, signedOut)
	}
}

// TestChangeTags changes the tags of several things of each kind at once.
func TestChangeTags(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.build()
	tagged := func(path string) string { return strings.Replace(path, strings.Split(path, "/")[4]+"/", "", 1) }
	for _, to := range tagPaths {
		id, path := strings.Split(to.path, "/")[4], tagged(to.path)
		tagger := f.user("bulk tagger of "+to.kind, to.ability)
		body := func(rest string) string { return `{"ids":["` + id + `"],` + rest + `}` }
		for _, other := range tagPaths {
			status, want := http.StatusForbidden, forbidden
			if other == to {
				status, want = http.StatusUnprocessableEntity, problems("/ids", "Missing field: ids")
			}
			f.post(tagger, tagged(other.path), `{}`).expect(t, status, want)
		}
		f.post(tagger, path, body(`"add":["a"," b "]`)).expect(t, http.StatusOK, `{"changed":["`+id+`"],"unchanged":[]}`)
		f.post(tagger, path, body(`"add":["a"],"remove":["c"]`)).expect(t, http.StatusOK, `{"changed":[],"unchanged":["`+id+`"]}`)
		f.post(tagger, path, `{"ids":["`+strings.ToUpper(id)+`","`+id+`"],"add":["c"],"remove":["a"]}`).expect(t, http.StatusOK, `{"changed":["`+id+`"],"unchanged":[]}`)
		if diff := cmp.Diff([]string{"b", "c"}, f.tagsIn(to.kind)); diff != "" {
			t.Errorf("%s: %s", to.kind, diff)
		}
		for _, test := range []struct{ body, want string }{
			{`{"ids":["` + id + `","` + otherID + `"],"add":["d"]}`, problems("/ids/1", "is not registered")},
			{`{"ids":[],"add":["d"]}`, problems("/ids", "can't be blank")},
			{`{"ids":["` + id + `"]}`, problems("/add", "can't be blank unless remove has a tag")},
			{`{"ids":["` + id + `","here"],"add":["d"]}`, problems("/ids/1", "Invalid format. Expected :uuid")},
			{body(`"add":["d","<b>"]`), problems("/add/1", "has invalid format")},
			{body(`"add":["d"],"remove":["d"]`), problems("/remove/0", "is also to be added")},
			{body(`"add":["B"]`), problems("/ids/0", "cannot have the tag B, which has already been taken by another spelling: b")},
			{body(`"add":"d"`), problems("/add", "Invalid array. Got: string")},
			{body(`"tags":["d"]`), problems("/tags", "Unexpected field: tags")},
			{body(`"add":["1","2","3","4","5","6","7","8","9","10","11"]`), problems("/add", "should have at most 10 item(s)")},
			{`{"ids":["` + strings.Repeat(id+`","`, 500) + id + `"],"add":["d"]}`, problems("/ids", "should have at most 500 item(s)")},
			{`{"ids":["` + strings.Repeat(id+`","`, 5000) + id + `"],"add":["d"]}`, problems("/ids", "should have at most 500 item(s)")},
		} {
			f.post(tagger, path, test.body).expect(t, http.StatusUnprocessableEntity, test.want)
		}
		if diff := cmp.Diff([]string{"b", "c"}, f.tagsIn(to.kind)); diff != "" {
			t.Errorf("%s: a refused change changed something: %s", to.kind, diff)
		}
	}
	if n := len(f.entries(activity.TypeResourceTagging)); n != 3*len(tagPaths) {
		t.Errorf("%d entries", n)
	}
}
