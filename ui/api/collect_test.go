package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/store/activity"
	"trento/store/discovery/fleet"
	"trento/store/landscape"
)

// Two agents. The second one has not registered its host.
const (
	agentID = "6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01"
	otherID = "0d9c2f1e-7b7a-5f0a-8a53-3f1f2f4f9b02"
)

func report(id, kind, payload string) string {
	return `{"agent_id":"` + id + `","discovery_type":"` + kind + `","payload":` + payload + `}`
}

func hostReport(id, hostname string) string {
	return report(id, "host_discovery", `{"hostname":"`+hostname+`","ip_addresses":["10.1.2.3","127.0.0.1","192.168.7.1"],`+
		`"netmasks":[24,8,16],"agent_version":"3.1.2","cpu_count":8,"total_memory_mb":32768,"socket_count":1,`+
		`"os_version":"15-SP6","arch":"x86_64","installation_source":"Suse",`+
		`"fully_qualified_domain_name":"`+hostname+`.example.net","prometheus_targets":{"node_exporter":"10.1.2.3:9100"},`+
		`"systemd_units":[{"name":"pacemaker.service","unit_file_state":"enabled"}],"last_boot_timestamp":"2026-08-01T07:30:00Z"}`)
}

const collectPath = "/api/v1/collect"

func (f *fixture) register(id, hostname string) {
	f.t.Helper()
	f.post(agent, collectPath, hostReport(id, hostname)).expect(f.t, http.StatusAccepted, "{}")
}

// deep is JSON that nests deeper than anything real.
func deep(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// padded is a report of the given size.
func padded(size int) string {
	text := hostReport(agentID, "vega01")
	return text + strings.Repeat(" ", size-len(text))
}

// TestCollect goes through the table of the collect endpoint.
func TestCollect(t *testing.T) {
	t.Parallel()
	const (
		cloud   = "cloud_discovery"
		host    = "host_discovery"
		nothing = "" // body of the answer: {}
	)
	notJSON := problems("/", "Invalid value for header: content-type")
	unable := `{"errors":[{"title":"Unprocessable Entity","detail":"Unable to handle discovery."}]}`
	for name, test := range map[string]struct {
		body     string
		header   map[string]string
		status   int
		want     string
		discards int
	}{
		"a host":                    {hostReport(agentID, "vega01"), nil, 202, nothing, 0},
		"agent id in capitals":      {hostReport(strings.ToUpper(agentID), "vega01"), nil, 202, nothing, 0},
		"with a charset":            {hostReport(agentID, "vega01"), map[string]string{"Content-Type": "Application/JSON; charset=utf-8"}, 202, nothing, 0},
		"accepts everything":        {hostReport(agentID, "vega01"), map[string]string{"Accept": "text/html, */*;q=0.8"}, 202, nothing, 0},
		"accepts JSON":              {hostReport(agentID, "vega01"), map[string]string{"Accept": "text/html;q=1,application/json;q=0.1"}, 202, nothing, 0},
		"largest body":              {padded(8_000_000), nil, 202, nothing, 0},
		"a cluster":                 {reported(t, "cluster_ascs_ers", agentID), nil, 202, nothing, 0},
		"a cluster without parts":   {report(agentID, "ha_cluster_discovery", `{}`), nil, 422, problems("/id", "can't be blank"), 1},
		"no cluster":                {report(agentID, "ha_cluster_discovery", `null`), nil, 202, nothing, 0},
		"no SAP system":             {report(agentID, "sap_system_discovery", `[]`), nil, 202, nothing, 0},
		"too large":                 {padded(8_000_001), nil, 413, general(413), 0},
		"not JSON":                  {`{"agent_id":`, nil, 400, `{"errors":[{"title":"Bad Request","detail":"unexpected end of JSON input"}]}`, 0},
		"two values":                {`{}{}`, nil, 400, `{"errors":[{"title":"Bad Request","detail":"invalid character '{' after top-level value"}]}`, 0},
		"nothing at all":            {``, nil, 400, `{"errors":[{"title":"Bad Request","detail":"unexpected end of JSON input"}]}`, 0},
		"too deep":                  {report(agentID, host, `{"x":`+deep(100)+`}`), nil, 400, "*", 0},
		"does not accept JSON":      {hostReport(agentID, "vega01"), map[string]string{"Accept": "text/html"}, 406, general(406), 0},
		"does not want JSON":        {hostReport(agentID, "vega01"), map[string]string{"Accept": "application/json;q=0"}, 406, general(406), 0},
		"wrong key":                 {hostReport(agentID, "vega01"), map[string]string{"X-Trento-Apikey": "wrong"}, 401, signedOut, 0},
		"no key":                    {hostReport(agentID, "vega01"), map[string]string{"X-Trento-Apikey": ""}, 401, signedOut, 0},
		"other content type":        {hostReport(agentID, "vega01"), map[string]string{"Content-Type": "text/plain"}, 415, notJSON, 0},
		"no content type":           {hostReport(agentID, "vega01"), map[string]string{"Content-Type": ""}, 415, notJSON, 0},
		"similar content type":      {hostReport(agentID, "vega01"), map[string]string{"Content-Type": "application/json-seq"}, 415, notJSON, 0},
		"not an object":             {`[]`, nil, 422, problems("/", "Invalid object. Got: array"), 0},
		"empty object":              {`{}`, nil, 422, problems("/agent_id", "Missing field: agent_id", "/discovery_type", "Missing field: discovery_type", "/payload", "Missing field: payload"), 0},
		"no payload":                {`{"agent_id":"x","discovery_type":1}`, nil, 422, problems("/payload", "Missing field: payload"), 0},
		"unexpected member":         {`{"agent_id":1,"extra":1,"more":2}`, nil, 422, problems("/extra", "Unexpected field: extra"), 0},
		"no UUID":                   {report("here", host, `{}`), nil, 422, problems("/agent_id", "Invalid format. Expected :uuid"), 0},
		"type is a number":          {`{"agent_id":"` + agentID + `","discovery_type":7,"payload":{}}`, nil, 422, problems("/discovery_type", "Invalid string. Got: integer"), 0},
		"nulls":                     {`{"agent_id":null,"discovery_type":null,"payload":null}`, nil, 422, problems("/agent_id", "null value where string expected", "/discovery_type", "null value where string expected"), 0},
		"payload is a number":       {report(agentID, host, `5`), nil, 422, problems("/payload", "Failed to cast value to one of: no schemas validate", "/payload", "Invalid object. Got: integer", "/payload", "Invalid array. Got: integer"), 0},
		"payload of scalars":        {report(agentID, host, `[1]`), nil, 422, "*", 0},
		"unknown discovery":         {report(agentID, "weather_discovery", `{}`), nil, 422, `{"errors":[{"title":"Unprocessable Entity","detail":"Unknown discovery type."}]}`, 1},
		"blank hostname":            {strings.Replace(hostReport(agentID, "vega01"), `"hostname":"vega01"`, `"hostname":" "`, 1), nil, 422, problems("/hostname", "can't be blank"), 1},
		"wrong mode":                {strings.Replace(hostReport(agentID, "vega01"), `"arch"`, `"prometheus_mode":"telepathy","arch"`, 1), nil, 202, nothing, 0},
		"host without payload":      {report(agentID, host, `null`), nil, 422, unable, 1},
		"SAP systems as an object":  {report(agentID, "sap_system_discovery", `{}`), nil, 422, unable, 1},
		"cloud of an unknown host":  {report(otherID, cloud, `{"Provider":"kvm","Metadata":null}`), nil, 404, notFound, 0},
		"subscriptions, no host":    {report(otherID, "subscription_discovery", `[]`), nil, 404, notFound, 0},
		"saptune of an unknown one": {report(otherID, "saptune_discovery", `{"saptune_installed":false,"package_version":"","status":null}`), nil, 404, notFound, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.t = t
			want := test.want
			if want == nothing {
				want = "{}"
			}
			got := f.do(call{as: agent, method: "POST", path: collectPath, body: test.body, header: test.header})
			got.expect(t, test.status, want)
			if discards := f.discards(); len(discards) != test.discards {
				t.Errorf("%d payloads discarded: %v", len(discards), discards)
			}
			if test.status < 400 {
				return
			}
			// The log tells of a report that could not be used, if it could be
			// read who has sent it, and of nothing else.
			told := 0
			if _, sent := test.header["Content-Type"]; test.status == 422 && !sent && strings.Contains(test.body, agentID) {
				told = 1
			}
			if got := f.entries(); len(got) != told || told > 0 && got[0].Type != activity.TypeAgentReportFaulty {
				t.Errorf("%d entries in the activity log, want %d", len(got), told)
			}
		})
	}
}

// TestCollectPrecedence gives reports several faults and expects the answer to
// the first one in the order of precedence.
func TestCollectPrecedence(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const html, wrongKey = "text/html", "wrong"
	for _, test := range []struct {
		name   string
		body   string
		header map[string]string
		status int
	}{
		{"too large, rest wrong", padded(8_000_001), map[string]string{"Accept": html, "X-Trento-Apikey": wrongKey, "Content-Type": "text/plain"}, 413},
		{"no JSON, rest wrong", `{`, map[string]string{"Accept": html, "X-Trento-Apikey": wrongKey}, 400},
		{"no JSON, wrong key", `{`, map[string]string{"X-Trento-Apikey": wrongKey}, 400},
		{"not to be JSON, wrong key", `{`, map[string]string{"X-Trento-Apikey": wrongKey, "Content-Type": "text/plain"}, 401},
		{"JSON not accepted, wrong key", `{}`, map[string]string{"Accept": html, "X-Trento-Apikey": wrongKey}, 406},
		{"wrong key, wrong type", `{}`, map[string]string{"X-Trento-Apikey": wrongKey, "Content-Type": "text/plain"}, 401},
		{"wrong type, empty", `{}`, map[string]string{"Content-Type": "text/plain"}, 415},
	} {
		f.do(call{as: agent, method: "POST", path: collectPath, body: test.body, header: test.header}).expect(t, test.status, "*")
	}
	if found := f.entries(); len(found) > 0 {
		t.Errorf("%d entries in the activity log", len(found))
	}
}

// TestCollectKeeps checks that what is accepted is stored and logged when the
// answer comes, and that a repeated report changes nothing.
func TestCollectKeeps(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.register(agentID, "vega01")
	before := f.entries()
	if len(before) != 2 || before[0].Type != activity.TypeHostRegistered {
		t.Fatalf("entries: %v", before)
	}
	f.clock.pass(10 * time.Second)
	f.register(agentID, "vega01")
	f.register(agentID, "vega01")
	if after := f.entries(); len(after) != len(before) {
		t.Errorf("a repeated report made %d entries", len(after)-len(before))
	}
	f.register(agentID, "vega02")
	changed := f.entries(activity.TypeHostDetailsUpdated)
	if len(changed) != 1 {
		t.Errorf("a changed report made %d entries", len(changed))
	}
}

// TestCollectEarly checks that what was rejected because the host was unknown
// is applied when the host registers.
func TestCollectEarly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	early := report(agentID, "subscription_discovery", `[{"identifier":"SLES_SAP","version":"15.6","arch":"x86_64","status":"Registered"}]`)
	for range 2 { // also the second time: nothing was accepted yet
		f.post(agent, collectPath, early).expect(t, http.StatusNotFound, notFound)
	}
	f.register(agentID, "vega01")
	f.user("ann")
	var hosts []struct {
		Subscriptions []struct{ Identifier string } `json:"sles_subscriptions"`
	}
	f.get("ann", "/api/v1/hosts").decode(t, &hosts)
	if len(hosts) != 1 || len(hosts[0].Subscriptions) != 1 {
		t.Errorf("hosts: %+v", hosts)
	}
	f.post(agent, collectPath, early).expect(t, http.StatusAccepted, "{}")
}

// TestCollectWithoutKeys checks that agents need no key where the check is
// switched off.
func TestCollectWithoutKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *auth.Options) { o.EnableAPIKey = false })
	f.post(nobody, collectPath, hostReport(agentID, "vega01")).expect(t, http.StatusAccepted, "{}")
	f.post(nobody, "/api/v1/hosts/"+agentID+"/heartbeat", "").expect(t, http.StatusNoContent, "")
}

// TestCollectFleet sends everything a whole landscape reports, and looks at it
// in every way there is.
func TestCollectFleet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	landscapeOf := fleet.New(1, 40)
	for _, h := range landscapeOf.Hosts() {
		for _, r := range h.Reports() {
			f.post(agent, collectPath, string(r.Body)).expect(t, http.StatusAccepted, "{}")
		}
	}
	f.user("ann")
	var hosts []struct{ Hostname string }
	f.get("ann", "/api/v1/hosts").decode(t, &hosts)
	if len(hosts) != len(landscapeOf.Hosts()) {
		t.Errorf("%d of %d hosts", len(hosts), len(landscapeOf.Hosts()))
	}
	for _, path := range lists {
		var list []struct{ ID landscape.HostID }
		if f.get("ann", path).decode(t, &list); len(list) == 0 {
			t.Errorf("%s is empty", path)
		}
	}
	f.get("ann", "/api/v1/activity_log?first=100").expect(t, http.StatusOK, "*")
	f.get(nobody, "/api/v1/prometheus/targets").expect(t, http.StatusOK, "*")
}

// TestHeartbeat goes through the table of the heartbeat endpoint.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	path := func(id string) string { return "/api/v1/hosts/" + id + "/heartbeat" }
	for name, test := range map[string]struct {
		id     string
		as     string
		header map[string]string
		status int
		want   string
	}{
		"registered":            {agentID, agent, nil, 204, ""},
		"in capitals":           {strings.ToUpper(agentID), agent, nil, 204, ""},
		"without content type":  {agentID, agent, map[string]string{"Content-Type": ""}, 204, ""},
		"unknown":               {otherID, agent, nil, 404, notFound},
		"no UUID":               {"here", agent, nil, 422, problems("/id", "Invalid format. Expected :uuid")},
		"a UUID and more":       {agentID + "0", agent, nil, 422, problems("/id", "Invalid format. Expected :uuid")},
		"hostile":               {"%00%0d%0a%22", agent, nil, 422, problems("/id", "Invalid format. Expected :uuid")},
		"nobody":                {agentID, nobody, nil, 401, signedOut},
		"no UUID, nobody":       {"here", nobody, nil, 401, signedOut},
		"does not accept JSON":  {agentID, agent, map[string]string{"Accept": "text/html"}, 406, general(406)},
		"does not accept, none": {agentID, nobody, map[string]string{"Accept": "text/html"}, 406, general(406)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.t = t
			f.register(agentID, "vega01")
			got := f.do(call{as: test.as, method: "POST", path: path(test.id), header: test.header})
			got.expect(t, test.status, test.want)
			last, heard := f.store.LastHeartbeat(agentID)
			if heard != (test.status == 204) || heard && !last.Equal(f.clock.now) {
				t.Errorf("last heartbeat: %v %v", last, heard)
			}
			if test.status == 204 && len(f.entries(activity.TypeHeartbeatSucceeded)) != 1 {
				t.Error("the first heartbeat is not in the activity log")
			}
		})
	}
}

// TestHeartbeatLost follows a host whose agent falls silent and comes back.
func TestHeartbeatLost(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("ann")
	f.register(agentID, "vega01")
	state := func() string {
		f.t.Helper()
		var hosts []struct {
			Heartbeat landscape.Heartbeat
			StaleAt   *string `json:"stale_at"`
			Last      *string `json:"last_heartbeat_timestamp"`
		}
		f.get("ann", "/api/v1/hosts").decode(t, &hosts)
		text := func(s *string) string {
			if s == nil {
				return "-"
			}
			return *s
		}
		return fmt.Sprint(hosts[0].Heartbeat, " ", text(hosts[0].StaleAt), " ", text(hosts[0].Last))
	}
	beat := func() { f.post(agent, "/api/v1/hosts/"+agentID+"/heartbeat", "").expect(t, http.StatusNoContent, "") }
	states := []string{state()}
	beat()
	states = append(states, state())
	f.clock.pass(7 * time.Second)
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	states = append(states, state())
	f.clock.pass(time.Second)
	beat()
	states = append(states, state())
	want := []string{
		"unknown - -",
		"passing - 2026-08-20T10:15:30.123456Z",
		"critical 2026-08-20T10:15:37.123456Z 2026-08-20T10:15:30.123456Z",
		"passing - 2026-08-20T10:15:38.123456Z",
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
}
