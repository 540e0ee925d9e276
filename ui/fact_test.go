package ui

import (
	"net/http"
	"net/url"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"trento/store/message"
	agentwire "trento/store/message/wire"
)

// TestFactsOfAHost asks the agent of a host for facts on the page for that.
func TestFactsOfAHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 4)
	f.user("plain")
	id := string(f.host(1, "vega01"))
	_, bus := f.checking(1)
	path := "/hosts/" + id + "/facts"
	has("#checks a[href="+path+"]", "Ask for facts").check(t, f.page(t, "/hosts/"+id, "plain"))
	refused := f.page(t, path, "plain")
	has(".banner", "all:host_checks_execution").check(t, refused)
	has("fieldset[disabled]", "").check(t, refused)

	bus.answer = func(r message.Request) {
		asked := r.Content.(*agentwire.FactsGatheringRequested)
		first := asked.Targets[0].FactRequests[0]
		fact := &agentwire.Fact{CheckId: first.CheckId, Name: first.Name, FactValue: &agentwire.Fact_Value{Value: structpb.NewStringValue("<b>" + first.Argument)}}
		if first.Gatherer == "passwd@v1" {
			fact.FactValue = &agentwire.Fact_ErrorValue{ErrorValue: &agentwire.FactError{Type: "passwd-file-error", Message: "no such file"}}
		}
		_ = bus.facts(t.Context(), message.Envelope{Content: &agentwire.FactsGathered{ExecutionId: asked.ExecutionId, GroupId: id, AgentId: id, FactsGathered: []*agentwire.Fact{fact}}})
	}
	ask := func(as, gatherer, argument string, status int, want ...element) {
		t.Helper()
		w := f.do(call{method: http.MethodPost, target: path, as: as, form: url.Values{"gatherer": {gatherer}, "argument": {argument}}})
		if w.Code != status {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		page := parseMarkup(t, w.Body.String())
		for _, e := range want {
			e.check(t, page)
		}
	}
	ask("runner", "sysctl@v1", " vm.swappiness ", http.StatusOK, has("#answer h2", "sysctl@v1(vm.swappiness)"), has("#answer pre", `"<b>vm.swappiness"`), has("option[selected]", "sysctl@v1"))
	ask("runner", "passwd@v1", "", http.StatusOK, has("#answer", "passwd-file-error: no such file"))
	ask("runner", "sysctl@v1", "", http.StatusUnprocessableEntity, has("[role=alert]", "The argument can't be blank"), hasNot("#answer"))
	ask("runner", "shell@v1", "", http.StatusUnprocessableEntity, has("[role=alert]", "The gatherer is not a valid gatherer"))
	ask("plain", "passwd@v1", "", http.StatusForbidden)
	bus.presence = map[string]message.Presence{id: message.Away}
	ask("runner", "passwd@v1", "", http.StatusUnprocessableEntity, has("[role=alert]", "is not connected for messages"))
}
