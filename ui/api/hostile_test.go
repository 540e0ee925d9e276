package api_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"trento/store/activity"
	"trento/store/landscape"
)

// TestHostile sends what nobody in their right mind would. Each is answered
// as openapi.yaml says (do sees to that) and none is a fault of ours.
func TestHostile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	before := len(f.entries())
	payload := func(text string) string { return report(agentID, "host_discovery", text) }
	var calls []call
	for _, body := range []string{
		"null", "true", "0", `""`, "[]", "\x00", "\xff\xfe{\x00}\x00", "\ufeff{}", "{}" + strings.Repeat(" ", 1<<16) + "x",
		deep(10_000), deep(2_000_000), strings.Repeat(`{"a":`, 5000), `{"a":` + strings.Repeat("9", 100_000) + `}`,
		`{"agent_id":"` + agentID + `","agent_id":{},"discovery_type":"host_discovery","payload":{}}`,
		`{"__proto__":{},"constructor":1}`, `{"":1}`, `{"` + strings.Repeat("x", 100_000) + `":1}`, `{"\u0000":1}`, `{"\ud800":1}`, "{\"\xff\":1}",
		payload(`{"hostname":["a"],"ip_addresses":"10.0.0.1","agent_version":{},"cpu_count":1e400,"total_memory_mb":-1,"socket_count":1.5,"os_version":null}`),
		payload(`{"ip_addresses":[` + strings.Repeat(`1,`, 100_000) + `1]}`),
		payload(strings.Repeat("[", 60) + strings.Repeat("]", 60)),
		payload(`[` + strings.Repeat(`{},`, 100_000) + `{}]`),
		report(agentID, `host_discovery\u0000`, "{}"), report(agentID, strings.Repeat("x", 100_000), "{}"),
		report(agentID, "<script>", "{}"), report("../../etc/passwd", "host_discovery", "{}"),
		report(agentID+`\u0000`, "host_discovery", "{}"),
		`{"checks":[` + strings.Repeat(`1,`, 100_000) + `1]}`, `{"checks":[` + strings.Repeat(`"",`, 100_000) + `""]}`,
		`{"checks":` + deep(9000) + `}`, `{"value":` + deep(9000) + `}`, `{"value":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		for _, path := range []string{collectPath, "/api/session/refresh"} {
			calls = append(calls, call{as: agent, method: "POST", path: path, body: body})
		}
		for _, path := range []string{"/api/v1/hosts/" + agentID + "/checks", "/api/v1/clusters/" + agentID + "/tags", tokensPath, tokensPath + "/delete", tokensPath + "/" + agentID + "/regenerate"} {
			calls = append(calls, call{as: "root", method: "POST", path: path, body: body})
		}
	}
	for _, id := range []string{"..", "%2e%2e", "%00", "%ff", "'%20or%201=1", strings.Repeat("a", 10_000), "{id}", "%7bid%7d", agentID + "%20", "%25%30%30"} {
		calls = append(calls, call{as: agent, method: "POST", path: "/api/v1/hosts/" + id + "/heartbeat"},
			call{as: "root", method: "DELETE", path: "/api/v1/hosts/" + id},
			call{as: "root", method: "DELETE", path: "/api/v1/hosts/" + agentID + "/tags/" + id},
			call{as: "root", method: "DELETE", path: tokensPath + "/" + id},
			call{as: "root", method: "DELETE", path: "/api/v1/users/" + id + "/tokens/" + id},
			call{as: "root", method: "DELETE", path: "/api/v1/databases/" + agentID + "/hosts/" + id + "/instances/" + id})
	}
	for _, query := range []string{
		"%", "%zz", "&&&", "=", "==", ";", "first", "first[]", "[]", "[", "]=1", "first[", "first[][]=1", "severity[][]=info", "%00=1", "\u202efirst=1",
		"search=" + strings.Repeat("*", 1000), "search=" + url.QueryEscape(strings.Repeat("*a", 60)), "search=" + url.QueryEscape(`"\`), "search=%00",
		"search=" + url.QueryEscape(">"+strings.Repeat("9", 900)), "search=" + url.QueryEscape("=="+strings.Repeat("0", 900)+"."),
		"actor=" + strings.Repeat("a", 100_000), "actor=%00", "type=" + strings.Repeat("type", 10_000), strings.Repeat("actor=x&", 900),
		strings.Repeat("&", 100_000), strings.Repeat("a=1&", 20_000), "after=%00", "after=" + strings.Repeat("A", 100_000), "before=AAAAAAAAAAAAAAAA",
		"from_date=0000-00-00T00:00:00Z", "from_date=0000-01-01T00:00:00-23:59", "to_date=9999-12-31T23:59:59%2B23:59", "from_date=+10000-01-01T00:00:00Z",
	} {
		calls = append(calls, call{as: "root", method: "GET", path: logPath + "?" + query}, call{as: "root", method: "GET", path: "/api/v1/hosts?" + query}, call{as: "root", method: "GET", path: "/api/v1/profile/token_authentications?" + query})
	}
	for _, header := range []map[string]string{
		{"Accept": ",,,;;;q=q=q"}, {"Accept": strings.Repeat("text/html,", 10_000)}, {"Accept": "*/*;q=nan"}, {"Accept": "application/json;q=-0"},
		{"Content-Type": ";;;"}, {"Content-Type": "application/json;" + strings.Repeat("a", 100_000)},
		{"X-Trento-Apikey": strings.Repeat("k", 100_000)}, {"X-Trento-Apikey": "a.b.c"}, {"X-Trento-Apikey": "\x00"},
		{"Authorization": "Bearer"}, {"Authorization": strings.Repeat("Bearer ", 1000)}, {"Authorization": "Basic Og=="}, {"Cookie": "trento-session=" + strings.Repeat("x", 100_000)},
	} {
		calls = append(calls, call{as: agent, method: "POST", path: collectPath, body: "{}", header: header}, call{method: "GET", path: "/api/v1/hosts", header: header})
	}
	for _, c := range calls {
		if got := f.do(c); got.status < 400 && got.status != http.StatusOK || got.status >= 500 {
			t.Errorf("%s %.100s %.100q %.100v: %d %s", c.method, c.path, c.body, c.header, got.status, got.body)
		} else if len(got.body) > 20_000 {
			t.Errorf("%s %.100s %.100q: an answer of %d bytes", c.method, c.path, c.body, len(got.body))
		}
	}
	// That an agent sends what cannot be used is told once a kind of report.
	if after, told := len(f.entries()), len(f.entries(activity.TypeAgentReportFaulty)); after-told != before || told > len(landscape.Kinds)+1 {
		t.Errorf("%d entries more in the activity log, %d about reports", after-before, told)
	}
}

// TestHostileAtRandom is TestHostile with whatever comes.
func TestHostileAtRandom(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	names := rapid.SampledFrom([]string{"first", "after", "last", "before", "from_date", "to_date", "actor", "type", "severity", "search", "severity[]", "x", "first[a]"})
	values := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"1", "100", "101", "info", "ann", "system", "2026-08-20T10:15:30Z", "*", `"`}))
	members := rapid.SampledFrom([]string{"agent_id", "discovery_type", "payload", "x", "username", "refresh_token"})
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"null", "{}", "[]", "1", `"host_discovery"`, `"` + agentID + `"`, `{"hostname":"a"}`}))
	rapid.Check(t, func(rt *rapid.T) {
		query := make(url.Values)
		for range rapid.IntRange(0, 3).Draw(rt, "parameters") {
			query.Add(names.Draw(rt, "name"), values.Draw(rt, "value"))
		}
		var body strings.Builder
		for range rapid.IntRange(0, 4).Draw(rt, "members") {
			body.WriteString(`,"` + members.Draw(rt, "member") + `":` + texts.Draw(rt, "text"))
		}
		for _, c := range []call{
			{as: "ann", method: "GET", path: logPath + "?" + query.Encode()},
			{as: agent, method: "POST", path: collectPath, body: "{" + strings.TrimPrefix(body.String(), ",") + "}"},
		} {
			r, w := c.request(f), httptest.NewRecorder()
			f.handler.ServeHTTP(w, r)
			if w.Code >= 500 {
				rt.Fatalf("%s %s: %d", c.path, c.body, w.Code)
			}
			// What the description does not allow a client to send may be
			// answered all the same; how it is answered is described.
			if err := f.rules.CheckAnswer(c.request(f), answer{w.Code, w.Header(), w.Body.String()}.document()); err != nil {
				rt.Fatalf("%s %s: %v", c.path, c.body, err)
			}
		}
	})
}

// TestBodies checks bodies whose length nobody knows, and such that never end
// or break off.
func TestBodies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	report := hostReport(agentID, "vega01")
	for name, test := range map[string]struct {
		body   io.Reader
		length int64
		status int
	}{
		"length not known":            {strings.NewReader(report), -1, 202},
		"length overstated":           {strings.NewReader(report), 8_000_000, 202},
		"too large, not known":        {io.LimitReader(endless{}, 8_000_001), -1, 413},
		"endless":                     {endless{}, -1, 413},
		"too large, says so":          {iotest.ErrReader(errors.New("was read")), 8_000_001, 413},
		"broken off":                  {io.MultiReader(strings.NewReader(`{"agent_id"`), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, 400},
		"broken off, a good JSON":     {io.MultiReader(strings.NewReader(report), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, 400},
		"in pieces of a single byte":  {iotest.OneByteReader(strings.NewReader(report)), -1, 202},
		"largest, length not known":   {strings.NewReader(padded(8_000_000)), -1, 202},
		"larger by one, a good start": {strings.NewReader(padded(8_000_001)), -1, 413},
	} {
		r := httptest.NewRequest(http.MethodPost, collectPath, test.body)
		r.ContentLength = test.length
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Trento-Apikey", f.agentKey())
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, test.status)
		}
	}
}

// endless is a body of blanks.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
