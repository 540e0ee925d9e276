package api_test

import (
	"fmt"
	"testing"
	"time"
)

// TestCheckHistory runs a check three times, with a fact that changes once, and
// reads what has changed.
func TestCheckHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.register(agentID, "vega01")
	f.post("root", "/api/v1/hosts/"+agentID+"/checks", `{"checks":["AAAAAA"]}`).expect(t, 202, "{}")
	var ids []string
	for _, limit := range []float64{5, 5, 4} {
		f.clock.pass(time.Second)
		f.post("root", "/api/v1/hosts/"+agentID+"/checks/request_execution", "").expect(t, 202, "{}")
		f.answerFacts(agentID, limit)
		var last struct {
			ID string `json:"execution_id"`
		}
		f.get("root", "/api/v2/checks/groups/"+agentID+"/executions/last").decode(t, &last)
		ids = append(ids, last.ID)
	}
	const history = "/api/v1/checks/history"
	transition := func(second int, id, result, previous string) string {
		return fmt.Sprintf(`{"at":"2026-08-20T10:15:%d.123456Z","execution_id":"%s","check_id":"AAAAAA","result":%s,"previous":%s}`, 30+second, id, result, previous)
	}
	both := `{"items":[` + transition(3, ids[2], `"critical"`, `"passing"`) + `,` + transition(1, ids[0], `"passing"`, `null`) + `]}`
	for query, want := range map[string]string{
		"group_id=" + agentID:                          both,
		"group_id=" + agentID + "&check_id=AAAAAA":     both,
		"group_id=" + agentID + "&agent_id=" + agentID: both,
		"group_id=" + agentID + "&agent_id=" + otherID: `{"items":[]}`,
		"group_id=" + agentID + "&check_id=BBBBBB":     `{"items":[]}`,
		"group_id=" + otherID:                          `{"items":[]}`,
	} {
		f.get("root", history+"?"+query).expect(t, 200, want)
	}
	f.get("root", history).expect(t, 422, problems("/group_id", "Missing field: group_id"))
	f.get("root", history+"?group_id=x").expect(t, 422, problems("/group_id", "Invalid format. Expected :uuid"))

	diff := func(a, b string) string { return "/api/v1/checks/executions/" + a + "/diff/" + b }
	f.get("root", diff(ids[1], ids[2])).expect(t, 200, `{"items":[{"check_id":"AAAAAA","change":"worse","before":"passing","after":"critical","agents":[{"agent_id":"`+agentID+
		`","facts":[{"name":"limit","before":5,"after":4}],"values":[],"evaluations":[{"name":"as_wanted","before":true,"after":false}]}]}]}`)
	f.get("root", diff(ids[0], ids[1])).expect(t, 200, `{"items":[{"check_id":"AAAAAA","change":"same","before":"passing","after":"passing","agents":[]}]}`)
	f.get("root", diff(ids[0], otherID)).expect(t, 404, `{"errors":[{"title":"Not Found","detail":"The requested resource was not found."}]}`)
	f.get("root", diff("x", ids[0])).expect(t, 422, problems("/id", "Invalid format. Expected :uuid"))
}
