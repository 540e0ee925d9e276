package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"trento/store"
	"trento/store/check"
	"trento/store/message"
	agentwire "trento/store/message/wire"
	"trento/ui/execution"
)

// checkCatalogue has checks of hosts.
func checkCatalogue(count int) *check.Catalogue {
	var files []check.File
	for n := range count {
		id := fmt.Sprintf("AAAA%02X", n)
		files = append(files, check.File{Path: id, Name: id + ".yaml", Content: fmt.Appendf(nil, `
id: "%s"
name: Limit %d of the kernel
group: Group %d
description: The limit is as <wanted>
remediation: Set it with sysctl
severity: warning
metadata: {target_type: host}
facts: [{name: limit, gatherer: sysctl@v1, argument: limit}]
values: [{name: wanted, default: 5}]
expectations: [{name: as_wanted, expect: facts.limit == values.wanted, failure_message: "limit is ${facts.limit}"}]
`, id, n, n%3)})
	}
	return check.NewCatalogue(files)
}

// checking lets the console of a fixture run checks.
func (f *fixture) checking(count int) (*execution.Runner, *agentBus) {
	bus, catalogue := new(agentBus), checkCatalogue(count)
	f.options.Messages = bus
	f.options.Executions = execution.New(execution.Options{Store: f.store, Bus: bus, Timeout: time.Minute, Catalogue: func() *check.Catalogue { return catalogue }})
	f.restart(f.options)
	return f.options.Executions, bus
}

// gather answers the running execution of a host.
func (f *fixture) gather(r *execution.Runner, bus *agentBus, host string, limit float64) {
	f.t.Helper()
	facts := &agentwire.FactsGathered{GroupId: host, AgentId: host}
	err := f.store.View(func(tx *store.Tx) error {
		g, err := tx.CheckedGroup(host)
		if err != nil {
			return err
		}
		facts.ExecutionId = g.Running.ExecutionID
		for _, id := range g.Running.Targets[0].Checks {
			facts.FactsGathered = append(facts.FactsGathered, &agentwire.Fact{CheckId: id, Name: "limit", FactValue: &agentwire.Fact_Value{Value: structpb.NewNumberValue(limit)}})
		}
		return nil
	})
	if err == nil {
		err = bus.facts(f.t.Context(), message.Envelope{Content: facts})
	}
	if err != nil {
		f.t.Fatal(err)
	}
	r.Step(f.t.Context())
}

// TestResultsOfChecks goes the way of an operator: it starts checks, looks at
// what has come out, and accepts a failure.
func TestResultsOfChecks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("runner", 4, 18)
	f.user("plain")
	id := string(f.host(1, "vega01"))
	f.host(2, "vega02")
	hasNot("#checks").check(t, f.page(t, "/", "plain"))
	runner, bus := f.checking(2)
	host, results := "/hosts/"+id, "/hosts/"+id+"/executions/last"
	see := func(target, as string, elements ...element) {
		t.Helper()
		shown := f.page(t, target, as)
		for _, e := range elements {
			e.check(t, shown)
		}
	}
	press := func(target string, form url.Values) string {
		t.Helper()
		w := f.do(call{method: http.MethodPost, target: target, as: "runner", form: form})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%s: status %d: %s", target, w.Code, w.Body)
		}
		return w.Header().Get("Location")
	}
	see(host, "plain", has("#checks", "No checks are selected."), has("#checks a[href="+results+"]", "Results"))
	see(results, "runner", has("h2", "No checks are selected"), has("[aria-disabled]", "Start execution"), has("#start-why", "No checks were selected for the target."))
	if err := f.store.SelectHostChecks(t.Context(), store.System(), hostID(1), []string{"AAAA00", "AAAA01", "GONE"}); err != nil {
		t.Fatal(err)
	}
	see(results, "plain", has("h2", "No results yet"), has("#start-why", "all:host_checks_execution"))
	see(results, "runner", has(".asked", "2 checks with 2 facts of 1 host."), has(".asked", "not in the catalog: GONE"), has(".asked code", "sysctl@v1"), has("form button", "Start execution"))
	if to := press(host+"/executions", url.Values{}); to != results {
		t.Errorf("leads to %s", to)
	}
	see(results, "plain", has("#running[role=status]", "Checks execution running since"), has("#start-why", ""))
	f.gather(runner, bus, id, 5)
	see(host+"/executions/diff", "plain", has("h2", "Nothing to compare yet"))
	see(results, "plain", hasNot("#running"), hasNot(".result-strip"), has("#check-AAAA00", "1/1 Expectations met."), hasNot("#check-GONE"), has(".banner", "Not in the catalog: GONE"))
	f.clock.pass(time.Minute)
	press(host+"/executions", url.Values{})
	see(results, "plain", has("#running", "The results below are those of the execution before"), has("#check-AAAA00", "1/1 Expectations met."))
	f.gather(runner, bus, id, 4)
	see(results, "plain", has("#check-AAAA00", "was passing"), has("#check-AAAA00", "0/1 Expectations met."), has("#check-AAAA00", "The limit is as <wanted>"), has("h2", "Group 0"),
		has(".results-filter a[href="+results+"?health=warning]", "2"), has("select[name=execution]", "(last)"))
	see(results, "plain", has("#check-AAAA00 .result-strip[role=img]", ""), has("#check-AAAA00", "1 change in the last 2 executions: Passing → Warning"))
	see(host+"/executions/diff", "plain", has("h2", "Worse than before 2"), has("#check-AAAA00", "Fact limit 5 4"), has("#check-AAAA00", "Expectation"), has("select[name=from]", "Passing"))
	var executions []*store.Execution
	_ = f.store.View(func(tx *store.Tx) (err error) {
		executions, err = tx.ExecutionsOf(id)
		return err
	})
	see(host+"/executions/diff?from="+executions[0].ID+"&to="+executions[1].ID, "plain", has("h2", "Better than before 2"))
	see(host+"/executions/diff?from="+executions[0].ID+"&to="+executions[0].ID, "plain", has("h2", "Nothing differs"))
	see(results+"?health=critical", "plain", has("h2", "Nothing matches"))
	see(results+"?changed=1", "plain", has("#check-AAAA00", ""))
	see(host, "plain", has("#checks a[href="+results+"?health=warning]", "2"), has(".reason", "checks have found a warning"))
	see("/hosts?columns=checks", "plain", has(rowOf(1)+" .col-checks a[href="+results+"]", "2 warning"), has(rowOf(2)+" .col-checks a", "Not chosen"))
	see("/hosts?columns=checks&checks=not_chosen", "plain", has(rowOf(2), ""), hasNot(rowOf(1)))
	see("/hosts?checks=warning", "plain", has(rowOf(1), ""), hasNot(rowOf(2)))
	see("/", "plain", has("#checks li", "1 host last results just now"), has("#checks a[href=/hosts?checks=warning]", "1 warning"))
	detail := results + "/AAAA00/host/vega01"
	see(detail, "plain", has("h1", "Limit 0 of the kernel"), has("#expectations", "limit is 4"), has("#expectations .evidence", "facts.limit == values.wanted"), has("#values", "wanted"), has("#gathered", "4"), has("#remediation", "Set it with sysctl"), hasNot("#waive"))
	see(results+"/AAAA00/host/"+id, "plain", has("h1", "Limit 0 of the kernel"))
	for _, gone := range []string{results + "/BBBBBB/host/vega01", results + "/AAAA00/host/nowhere", results + "/AAAA00/moon/vega01", "/hosts/x/executions/last", host + "/executions/diff?from=x", host + "/executions/diff?to=x"} {
		if w := f.do(call{target: gone, as: "plain"}); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", gone, w.Code)
		}
	}
	if w := f.do(call{target: results + ".csv", as: "plain"}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "AAAA00,Limit 0 of the kernel,warning,passing,,,vega01,executed,as_wanted: limit is 4") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}

	// A failure is accepted.
	see(detail, "runner", has("#waive button", "Waive failure"))
	waive := url.Values{"check": {"AAAA00"}, "agent": {id}, "scope": {"host"}, "return": {detail}, "reason": {"moves next week"}, "until": {"2020-01-01"}}
	press(host+"/waivers", waive)
	see(detail, "runner", has("#waive button", "Waive failure"))
	waive.Set("until", "2026-08-21")
	if to := press(host+"/waivers", waive); to != detail {
		t.Errorf("leads to %s", to)
	}
	see(detail, "plain", has(".banner", "waived by runner until 22 Aug 2026"), hasNot("form[action] button[class=button].end"))
	f.clock.pass(time.Minute)
	press(host+"/executions", url.Values{})
	f.gather(runner, bus, id, 4)
	see(results, "plain", has("#check-AAAA00", "Waived by runner"), has("#check-AAAA00", "moves next week"))
	see(host, "plain", has("#checks", "Failures of 1 of them are waived"))
	see("/hosts?columns=checks", "plain", has(rowOf(1)+" .col-checks a", "1 waived"))
	see("/", "plain", has("#checks li", "1 with waived failures"))
	var ended string
	_ = f.store.View(func(tx *store.Tx) error {
		all, err := tx.WaiversOf(id)
		ended = all[0].ID
		return err
	})
	const waivers = "/catalog/waivers"
	see(waivers, "plain", has("#waiver-"+ended+" td", "moves next week"), has("#waiver-"+ended+" .warning", "22 Aug 2026"), has("#waiver-"+ended+" td", "vega01"), hasNot("#waiver-"+ended+" form"))
	see("/", "plain", has("#attention a[href="+waivers+"]", "1 failure of checks is waived, 1 waiver ends within 7 days"))
	see(detail, "runner", has("#waiver-"+ended+" input[value=2026-08-21]", ""))
	change := host + "/waivers/" + ended
	for _, tt := range []struct{ reason, until, reads string }{
		{"", "2026-09-30", "moves next week"},
		{"moves later", "2020-01-01", "moves next week"},
		{"moves later", "2028-01-01", "moves next week"},
		{"moves later", "never", "moves next week"},
		{"moves later", "2026-09-30", "moves later"},
	} {
		if to := press(change, url.Values{"reason": {tt.reason}, "until": {tt.until}, "return": {waivers}}); to != waivers {
			t.Errorf("leads to %s", to)
		}
		see(waivers, "runner", has("#waiver-"+ended+" td", tt.reads), has("#waiver-"+ended+" button", "Change waiver"))
	}
	see(waivers, "plain", has("#waiver-"+ended+" td", "1 Oct 2026"), hasNot("#waiver-"+ended+" .warning"))
	for as, want := range map[string]int{"plain": http.StatusForbidden, "runner": http.StatusNotFound} {
		if w := f.do(call{method: http.MethodPost, target: strings.Replace(change, "/hosts/"+id, "/hosts/"+string(hostID(2)), 1), as: as, form: url.Values{"reason": {"x"}}}); w.Code != want {
			t.Errorf("%s changes a waiver of another host: status %d", as, w.Code)
		}
	}
	press(host+"/waivers/"+ended+"/end", url.Values{"return": {"https://evil.example"}})
	see(waivers, "plain", has("h2", "No failure is waived"))
	see(detail, "runner", has("#waive button", "Waive failure"))
}

// TestCheckReport downloads the report of an execution, and checks that it has
// everything and loads nothing.
func TestCheckReport(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("auditor")
	id := string(f.host(1, hostile))
	runner, bus := f.checking(2)
	report := "/hosts/" + id + "/executions/last.html"
	if w := f.do(call{target: report, as: "auditor"}); w.Code != http.StatusNotFound {
		t.Errorf("without an execution: status %d", w.Code)
	}
	f.seeChecks(runner, bus, 1)
	if _, err := f.store.CreateWaiver(t.Context(), store.System(), store.Waiver{GroupID: id, Kind: check.HostSubject, CheckID: "AAAA01", AgentID: id, Reason: "<i>known</i>", Until: f.clock.Now().AddDate(0, 0, 3)}); err != nil {
		t.Fatal(err)
	}
	f.clock.pass(time.Minute)
	if _, err := runner.Start(t.Context(), store.System(), check.HostSubject, id); err != nil {
		t.Fatal(err)
	}
	f.gather(runner, bus, id, 4)
	w := f.do(call{target: report, as: "auditor"})
	if disposition := w.Header().Get("Content-Disposition"); w.Code != http.StatusOK || !strings.HasPrefix(disposition, "attachment; filename=checks-scriptalert1script") {
		t.Fatalf("status %d, %s", w.Code, disposition)
	}
	text := w.Body.String()
	for _, foreign := range []string{"<script", "<link", "<img", "src=", "url(", "@import", "<i>known"} {
		if strings.Contains(text, foreign) {
			t.Errorf("the report has %s", foreign)
		}
	}
	checkMarkup(t, text)
	shown := parseMarkup(t, text)
	for _, e := range []element{
		has("h1", "<script>alert(1)</script>"), has("dd", "Warning: 1 warning, 1 passing, 1 waived"), has("dd", "the schedule"), has("dd", "by auditor on "), has("li", "Selected, but not in the catalogue, so not run: GONE."),
		has("li", "AAAA01 on "), has("li", "<i>known</i>"), has("#check-AAAA00 .mark", "customised values"), has("#check-AAAA00 td", "value wanted customised"), has("#check-AAAA01 code", "facts.limit == values.wanted"),
		has("#check-AAAA01 td", "limit is 4"), has("#check-AAAA01 p", "Set it with sysctl"), has("#check-AAAA01 p", "Waived by"), has("tr", "AAAA00"),
	} {
		e.check(t, shown)
	}
	has("a[href="+report+"?execution="+f.lastExecution(id)+"]", "Report").check(t, f.page(t, "/hosts/"+id+"/executions/last", "auditor"))
}

// lastExecution returns the id of the last execution of a cluster or host.
func (f *fixture) lastExecution(group string) (id string) {
	f.t.Helper()
	if err := f.store.View(func(tx *store.Tx) error {
		g, err := tx.CheckedGroup(group)
		if err == nil {
			id = g.Last.ID
		}
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
	return id
}

// BenchmarkResultsOfChecks measures the page with the results of 100 checks on
// four hosts.
func BenchmarkResultsOfChecks(b *testing.B) {
	f := newFixture(b)
	f.user("plain")
	id := string(f.host(1, "vega01"))
	f.checking(100)
	request := check.Request{ExecutionID: "00000000-0000-4000-8000-0000000000a1", GroupID: id, Kind: check.HostSubject, Environment: check.Environment{"provider": "azure"}}
	for n := range 4 {
		target := check.Target{AgentID: string(hostID(n + 1))}
		for _, c := range checkCatalogue(100).Checks {
			target.Checks = append(target.Checks, c.ID)
		}
		request.Targets = append(request.Targets, target)
	}
	if _, err := f.store.StartExecution(b.Context(), store.System(), request); err != nil {
		b.Fatal(err)
	}
	plan := check.NewPlan(b.Context(), checkCatalogue(100), request)
	if _, err := f.store.CompleteExecution(b.Context(), id, request.ExecutionID, plan.Conclude(b.Context(), check.NewAnswers(plan), nil, nil)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if w := f.do(call{target: "/hosts/" + id + "/executions/last", as: "plain"}); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
