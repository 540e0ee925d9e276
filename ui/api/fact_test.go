package api_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"trento/packaging/servertest"
	"trento/store/activity"
	"trento/store/message"
	"trento/store/message/wire"
)

// TestAskFacts asks an agent for facts, and an agent that does not answer.
func TestAskFacts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("root", admin)
	f.user("host runner", 4)
	f.user("reader")
	f.register(agentID, "vega01")
	const path = "/api/v1/checks/facts"
	body := func(requests string) string { return `{"agent_id":"` + agentID + `","requests":[` + requests + `]}` }
	swappiness := body(`{"gatherer":"sysctl@v1","argument":"vm.swappiness"},{"gatherer":"passwd@v1"}`)
	f.bus.answer = func(asked *wire.FactsGatheringRequested) {
		facts := &wire.FactsGathered{ExecutionId: asked.ExecutionId, GroupId: asked.GroupId, AgentId: agentID}
		for _, r := range asked.Targets[0].FactRequests {
			if r.Gatherer == "sysctl@v1" {
				facts.FactsGathered = append(facts.FactsGathered, &wire.Fact{CheckId: r.CheckId, Name: r.Name, FactValue: &wire.Fact_Value{Value: structpb.NewNumberValue(60)}})
			}
		}
		_ = f.bus.facts(t.Context(), message.Envelope{SentAt: f.clock.Now(), Content: facts})
	}
	f.post("host runner", path, swappiness).expect(t, 200, `{"facts":[{"gatherer":"sysctl@v1","argument":"vm.swappiness","value":60,"type":null,"message":null},`+
		`{"gatherer":"passwd@v1","argument":"","value":null,"type":"fact-not-delivered","message":"The agent did not deliver the fact. It may not know the gatherer."}]}`)
	logged := f.entries(activity.TypeFactsRequested)
	if len(logged) != 1 || logged[0].Actor != "host runner" || !strings.Contains(logged[0].Message(), "sysctl@v1(vm.swappiness), passwd@v1") {
		t.Errorf("logged %+v", logged)
	}

	refused := func(status int, body, want string) {
		t.Helper()
		f.post("host runner", path, body).expect(t, status, want)
	}
	refused(422, body(""), problems("/requests", "should have 1 to 20 item(s)"))
	refused(422, body(`{"gatherer":"shell@v1"}`), problems("/requests/0/gatherer", "is not a valid gatherer"))
	refused(422, body(`{"gatherer":"passwd@v1"},{"gatherer":"sysctl@v1"}`), problems("/requests/1/argument", "can't be blank"))
	refused(422, body(`{"gatherer":"sysctl@v1","argument":"`+strings.Repeat("x", 1001)+`"}`), problems("/requests/0/argument", "should be at most 1000 character(s)"))
	f.post("reader", path, swappiness).expect(t, 403, "*")
	if n := len(f.entries(activity.TypeFactsRequested)); n != 1 {
		t.Errorf("%d entries after refused requests", n)
	}
	f.post("host runner", path, strings.Replace(swappiness, agentID, otherID, 1)).expect(t, 404, "*")

	// The agent does not answer; meanwhile it is not asked again.
	asked := make(chan struct{})
	f.bus.answer = func(*wire.FactsGatheringRequested) { close(asked) }
	unanswered := make(chan answer, 1)
	go func() { unanswered <- f.post("host runner", path, swappiness) }()
	select {
	case <-asked:
	case a := <-unanswered:
		t.Fatalf("the agent was not asked: %d %s", a.status, a.body)
	}
	f.post("root", path, swappiness).expect(t, 503, "*")
	f.clock.pass(21 * time.Second)
	servertest.Soon(t, "the question ends", func() bool {
		f.executions.Step(t.Context())
		select {
		case a := <-unanswered:
			a.expect(t, 503, "*")
			return true
		default:
			return false
		}
	})
	f.bus.away = true
	f.post("root", path, swappiness).expect(t, 409, "*")
}
