package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"trento/store/activity"
	"trento/store/check"
	"trento/store/message"
	"trento/store/message/wire"
)

// testCatalogue has a check of hosts and one of clusters.
func testCatalogue() *check.Catalogue {
	file := func(id, kind string) check.File {
		return check.File{Path: id, Name: id + ".yaml", Content: fmt.Appendf(nil, `
id: "%s"
name: Limit
group: Test
description: The limit is as wanted
remediation: Set it
metadata: {target_type: %s, provider: [azure, unknown]}
facts: [{name: limit, gatherer: sysctl@v1, argument: limit}]
values: [{name: wanted, default: 5, conditions: [{value: 7, when: 'env.provider == "azure"'}]}, {name: fixed, default: 1, customization_disabled: true}]
expectations: [{name: as_wanted, expect: facts.limit == values.wanted, failure_message: "limit is ${facts.limit}"}, {name: level, expect_enum: '"passing"'}]
`, id, kind)}
	}
	return check.NewCatalogue([]check.File{file("AAAAAA", "host"), file("CCCCCC", "cluster")})
}

// answerFacts answers the running execution of a host, as its agent does.
func (f *fixture) answerFacts(host string, limit float64) {
	f.t.Helper()
	var last struct {
		ID string `json:"execution_id"`
	}
	f.get("root", "/api/v2/checks/groups/"+host+"/executions/last").decode(f.t, &last)
	if err := f.bus.facts(f.t.Context(), message.Envelope{SentAt: f.clock.Now(), Content: &wire.FactsGathered{ExecutionId: last.ID, GroupId: host, AgentId: host, FactsGathered: []*wire.Fact{
		{CheckId: "AAAAAA", Name: "limit", FactValue: &wire.Fact_Value{Value: structpb.NewNumberValue(limit)}},
	}}}); err != nil {
		f.t.Fatal(err)
	}
	f.executions.Step(f.t.Context())
}

// TestExecution goes the way of a client: it selects, runs, waits and reads.
func TestExecution(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	const request, last = "/api/v1/hosts/" + agentID + "/checks/request_execution", "/wanda/api/v2/checks/groups/" + agentID + "/executions/last"
	refusal := func(detail string) string {
		return `{"errors":[{"title":"Unprocessable Entity","detail":"` + detail + `"}]}`
	}
	f.post("root", request, "").expect(t, 422, refusal("No checks were selected for the target."))
	f.post("root", "/api/v1/hosts/"+agentID+"/checks", `{"checks":["AAAAAA"]}`).expect(t, 202, "{}")
	f.get("root", last).expect(t, 404, `{"errors":[{"title":"Not Found","detail":"The requested resource was not found."}]}`)
	f.post("root", request, "").expect(t, 202, "{}")
	f.post("root", request, "").expect(t, 202, "{}") // it is running
	if n := len(f.entries(activity.TypeHostChecksExecutionRequest)); n != 1 {
		t.Errorf("logged %d times", n)
	}
	running := f.get("root", last)
	running.expect(t, 200, "*")
	var read struct {
		ID string `json:"execution_id"`
	}
	running.decode(t, &read)
	const started = `"started_at":"2026-08-20T10:15:30.123456Z"`
	targets := `"targets":[{"agent_id":"` + agentID + `","checks":["AAAAAA"]}]`
	running.expect(t, 200, `{"execution_id":"`+read.ID+`","group_id":"`+agentID+`","status":"running","result":null,`+started+`,"completed_at":null,`+targets+
		`,"critical_count":null,"warning_count":null,"passing_count":null,"timeout":null,"check_results":null}`)
	f.get("root", "/api/v2/checks/executions/"+read.ID).expect(t, 200, running.body)
	f.clock.pass(time.Second)
	f.answerFacts(agentID, 4)
	completed := func(kind string) string {
		return `{"execution_id":"` + read.ID + `","group_id":"` + agentID + `","status":"completed","result":"critical",` + started + `,"completed_at":"2026-08-20T10:15:31.123456Z",` + targets +
			`,"critical_count":1,"warning_count":0,"passing_count":0,"timeout":[],"check_results":[{"check_id":"AAAAAA","customized":false,"result":"critical",` +
			`"expectation_results":[{"name":"as_wanted","type":"expect","result":false},{"name":"level","type":"` + kind + `","result":"passing"}],` +
			`"agents_check_results":[{"agent_id":"` + agentID + `","status":"executed","exclude_expression":null,"facts":[{"check_id":"AAAAAA","name":"limit","value":4}],` +
			`"values":[{"name":"wanted","value":5,"customized":false},{"name":"fixed","value":1,"customized":false}],` +
			`"expectation_evaluations":[{"name":"as_wanted","type":"expect","return_value":false,"failure_message":"limit is 4"},{"name":"level","type":"` + kind + `","return_value":"passing"}]}]}]}`
	}
	for _, prefix := range []string{"", "/wanda"} {
		for version, kind := range map[string]string{"v2": "expect_enum", "v1": "unknown"} {
			for path, want := range map[string]string{
				"groups/" + agentID + "/executions/last": completed(kind),
				"executions/" + read.ID:                  completed(kind),
				"executions":                             `{"items":[` + completed(kind) + `],"total_count":1}`,
				"executions?group_id=" + agentID:         `{"items":[` + completed(kind) + `],"total_count":1}`,
				"executions?group_id=" + otherID:         `{"items":[],"total_count":0}`,
				"executions?page=2&items_per_page=1":     `{"items":[],"total_count":1}`,
			} {
				f.get("root", prefix+"/api/"+version+"/checks/"+path).expect(t, 200, want)
			}
		}
	}
	for query, want := range map[string]string{
		"page=0":             problems("/page", "0 is smaller than inclusive minimum 1"),
		"items_per_page=101": problems("/items_per_page", "101 is larger than inclusive maximum 100"),
		"items_per_page=x":   problems("/items_per_page", "Invalid integer. Got: string"),
		"limit=1":            problems("/limit", "Unexpected field: limit"),
		"group_id=x":         problems("/group_id", "Invalid format. Expected :uuid"),
	} {
		f.get("root", "/api/v2/checks/executions?"+query).expect(t, 422, want)
	}
}

func TestStartExecution(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("host runner", 27)
	f.register(agentID, "vega01")
	const start = "/wanda/api/v2/checks/executions/start"
	body := func(id, kind, checks string) string {
		return `{"execution_id":"` + id + `","group_id":"` + agentID + `","targets":[{"agent_id":"` + agentID + `","checks":` + checks + `}],"target_type":"` + kind + `","env":{"provider":"azure","n":1}}`
	}
	refusal := func(detail string) string {
		return `{"errors":[{"title":"Unprocessable Entity","detail":"` + detail + `"}]}`
	}
	const one, two = "00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2"
	for _, try := range []struct {
		body   string
		status int
		want   string
	}{
		{body(one, "host", `[]`), 422, refusal("No checks were selected.")},
		{body(one, "host", `["CCCCCC","X"]`), 422, refusal("No applicable checks for the target. Not in the catalogue: X. Not for this target: CCCCCC.")},
		{body(one, "moon", `["AAAAAA"]`), 422, problems("/target_type", "Invalid value for enum")},
		{body("x", "host", `["AAAAAA"]`), 422, problems("/execution_id", "Invalid format. Expected :uuid")},
		{`{"env":{"a":[]}}`, 422, "*"},
		{body(one, "cluster", `["AAAAAA"]`), 404, notFound},
		{body(one, "host", `["AAAAAA"]`), 202, `{"execution_id":"` + one + `","group_id":"` + agentID + `"}`},
		{body(two, "host", `["AAAAAA"]`), 422, refusal("Execution already running.")},
	} {
		f.post("root", start, try.body).expect(t, try.status, try.want)
	}
	f.answerFacts(agentID, 7) // as wanted on azure
	f.get("root", "/api/v2/checks/executions/"+one).expect(t, 200, "*")
	f.post("root", start, body(one, "host", `["AAAAAA"]`)).expect(t, 422, refusal("Execution id already used."))
	if got := f.get("root", "/api/v2/checks/executions/"+one).body; !strings.Contains(got, `"result":"passing"`) {
		t.Errorf("%s", got)
	}
}

func TestCustomization(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	const list, path = "/wanda/api/v1/groups/" + agentID + "/checks?target_type=host&provider=azure", "/wanda/api/v1/groups/" + agentID + "/checks/AAAAAA/customization"
	selectable := func(custom string, customized bool) string {
		return fmt.Sprintf(`{"items":[{"id":"AAAAAA","name":"Limit","group":"Test","description":"The limit is as wanted","severity":"critical",`+
			`"values":[{"name":"wanted","customizable":true,"default_value":7%s},{"name":"fixed","customizable":false}],"customizable":true,"customized":%v}]}`, custom, customized)
	}
	f.get("root", list).expect(t, 200, selectable("", false))
	failed := func(title, detail string) string {
		return `{"errors":[{"title":"` + title + `","detail":"` + detail + `"}]}`
	}
	mismatch := failed("Bad Request", "Some of the custom values do not exist in the check, they're not customizable or a type mismatch occurred.")
	for _, try := range []struct {
		path, body string
		status     int
		want       string
	}{
		{path, `{"values":[{"name":"wanted","value":"9"}]}`, 400, mismatch},
		{path, `{"values":[{"name":"fixed","value":9}]}`, 400, mismatch},
		{path, `{"values":[{"name":"wanted","value":9},{"name":"none","value":9}]}`, 400, mismatch},
		{path, `{"values":[]}`, 422, problems("/values", "Array length 0 is smaller than minItems: 1")},
		{path, `{}`, 422, problems("/values", "Missing field: values")},
		{path, `{"values":[{"name":"wanted","value":[9]}]}`, 422, problems("/values/0/value", "Invalid value. A text, a number or a boolean is expected")},
		{strings.Replace(path, "AAAAAA", "GONE", 1), `{"values":[{"name":"wanted","value":9}]}`, 404, failed("Not Found", "Referenced check was not found.")},
		{path, `{"values":[{"name":"wanted","value":9}]}`, 200, `{"values":[{"name":"wanted","value":9}]}`},
	} {
		f.post("root", try.path, try.body).expect(t, try.status, try.want)
	}
	f.get("root", list).expect(t, 200, selectable(`,"custom_value":9`, true))
	f.do(call{as: "root", method: http.MethodDelete, path: path}).expect(t, 204, "")
	f.do(call{as: "root", method: http.MethodDelete, path: path}).expect(t, 404, failed("Not Found", "Referenced check customization was not found."))
	f.get("root", list).expect(t, 200, selectable("", false))
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	const path = "/api/v1/checks/waivers"
	body := func(until string) string {
		return `{"group_id":"` + agentID + `","target_type":"host","check_id":"AAAAAA","reason":"moves","until":"` + until + `"}`
	}
	f.post("root", path, body("2026-08-20T00:00:00Z")).expect(t, 422, problems("/until", "must be in the future"))
	got := f.post("root", path, body("2026-08-21T00:00:00Z"))
	got.expect(t, 201, "*")
	var created struct{ ID string }
	got.decode(t, &created)
	f.get("root", path+"?group_id="+agentID).expect(t, 200, `{"items":[`+got.body+`]}`)
	f.get("root", path+"?group_id="+otherID).expect(t, 200, `{"items":[]}`)
	f.do(call{as: "root", method: http.MethodPatch, path: path + "/" + created.ID, body: `{"reason":"moves later","until":"2026-08-22T00:00:00Z"}`}).expect(t, 200, "*")

	// The failure is shown, and does not count.
	f.post("root", "/api/v1/hosts/"+agentID+"/checks", `{"checks":["AAAAAA"]}`).expect(t, 202, "{}")
	f.post("root", "/api/v1/hosts/"+agentID+"/checks/request_execution", "").expect(t, 202, "{}")
	f.answerFacts(agentID, 4)
	shown := f.get("root", "/api/v2/checks/groups/"+agentID+"/executions/last")
	shown.expect(t, 200, "*")
	if !strings.Contains(shown.body, `"result":"critical","expectation_results"`) || !strings.Contains(shown.body, `"waived":{"reason":"moves later","by":"root","until":"2026-08-22T00:00:00Z"},"counted":"passing"`) {
		t.Errorf("%s", shown.body)
	}
	if n := len(f.entries(activity.TypeHostChecksHealthChanged)); n != 1 || !strings.Contains(string(f.entries(activity.TypeHostChecksHealthChanged)[0].Metadata), `"checks_health":"passing"`) {
		t.Errorf("%d changes of health", n)
	}
	f.do(call{as: "root", method: http.MethodDelete, path: path + "/" + created.ID}).expect(t, 204, "")
	f.do(call{as: "root", method: http.MethodDelete, path: path + "/" + created.ID}).expect(t, 404, notFound)
}
