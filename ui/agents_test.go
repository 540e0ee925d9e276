package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
	"trento/store/message"
)

// refuse notes that a report of the n-th host could not be used.
func (f *fixture) refuse(n int, kind landscape.Kind, problems ...store.ReportProblem) {
	f.t.Helper()
	r := store.RefusedReport{Agent: hostID(n), Kind: kind, Problems: problems, Body: []byte("refused"), Reason: "odd"}
	if err := f.store.RefuseReport(f.t.Context(), r); err != nil {
		f.t.Fatal(err)
	}
}

// reportsFixture has a host of which all reports are used, one with an SAP
// report that is refused, one with a cluster report that is used in part, and
// an agent without a host.
func reportsFixture(t *testing.T) *fixture {
	f := newFixture(t)
	f.user("admin", 1)
	f.user("keeper", 14) // all:api_key_settings
	f.user("plain")
	for n, name := range []string{"good01", "bad01", "half01"} {
		f.host(n, name)
		f.beat(n)
	}
	f.clock.pass(time.Second)
	for range 18 {
		f.refuse(1, landscape.SAPSystemDiscovery, store.ReportProblem{Pointer: "/0/Type", Detail: "is invalid", Read: "9"})
		f.clock.pass(10 * time.Second)
	}
	f.discover(2, landscape.Observation{Cluster: &landscape.ClusterReport{}, Omissions: []landscape.Omission{
		{Pointer: "/crmmon/nodes/0/id", Detail: "can't be blank"}, {Pointer: "/sbd/devices/1", Detail: "is invalid", Read: `"` + hostile + `"`}, {Pointer: "/x", Detail: "is invalid"},
	}})
	f.refuse(3, landscape.HostDiscovery, store.ReportProblem{Pointer: "/hostname", Detail: "can't be blank", Read: `""`})
	f.refuse(3, store.OtherDiscovery, store.ReportProblem{Pointer: "/discovery_type", Detail: "names no discovery that is known", Read: `"weather"`})
	f.host(0, "good01")
	for n := range 3 {
		f.beat(n)
	}
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestReportFaultsOnHostPage checks that the page of a host says which of its
// reports could not be used, why, since when and how often.
func TestReportFaultsOnHostPage(t *testing.T) {
	t.Parallel()
	f := reportsFixture(t)
	hostPath := func(n int) string { return "/hosts/" + string(hostID(n)) }
	page := f.page(t, hostPath(1), "plain")
	fault := "#fault-sap_system_discovery"
	for _, e := range []element{
		has(fault+" p", "The last SAP report, just now , could not be used: /0/Type is invalid (read: 9)."),
		has(fault+" p", "Since 20 Aug 2026, 10:15:31 UTC , 18 reports. What was known before is shown, and is marked stale."),
		has(fault+" tbody th", "/0/Type"), has(fault+" tbody td", "is invalid"), has(fault+" tbody td .mono", "9"),
		has("#frame[data-refresh=60]", ""),
		has("#activity", "The SAP report of bad01 could not be used: /0/Type is invalid (read: 9)"),
	} {
		e.check(t, page)
	}
	f.clock.pass(3 * time.Minute)
	has(fault+" p", "The last SAP report, 3 min ago , could not be used").check(t, f.page(t, hostPath(1), "plain"))

	page = f.page(t, hostPath(2), "plain")
	fault = "#fault-ha_cluster_discovery"
	for _, e := range []element{
		has(fault+" p", "3 elements of the last cluster report, 3 min ago , could not be read and were left out: /crmmon/nodes/0/id can't be blank."),
		has(fault+" p", "1 report. For what was left out, what was known before is shown."),
		has(fault+" tbody td", "nothing"), has(fault+" tbody th", "/sbd/devices/1"), hasNot("main script"),
	} {
		e.check(t, page)
	}
	page = f.page(t, hostPath(0), "plain")
	hasNot(".report-fault").check(t, page)
	hasNot("#frame[data-refresh]").check(t, page)
	has("#row-"+string(hostID(1))+" .col-heartbeat", "Bad report").check(t, f.page(t, "/hosts", "plain"))
	hasNot("#row-"+string(hostID(0))+" .col-heartbeat .inline-mark").check(t, f.page(t, "/hosts", "plain"))

	f.discover(1, landscape.Observation{SAP: &landscape.SAPReport{}})
	hasNot(".report-fault").check(t, f.page(t, hostPath(1), "plain"))
	has("#activity", "The SAP report of bad01 can be used again").check(t, f.page(t, hostPath(1), "plain"))
}

// TestStaleBehindRefusedReports checks that a page that is stale because
// reports are refused does not say that the agent is silent.
func TestStaleBehindRefusedReports(t *testing.T) {
	t.Parallel()
	f := systemsFixture(t)
	system := "/sap_systems/" + string(nwpID)
	for target, want := range map[string]string{
		clusterPath("hana"):           "What an agent in one of the cluster hosts reports cannot be used",
		"/databases/" + string(prdID): "What an agent in one of the database hosts reports cannot be used",
		system:                        "What is known of its database is out of date since",
	} {
		hasNot(".banner[role=alert]").check(t, f.page(t, target, "plain"))
		for _, kind := range []landscape.Kind{landscape.ClusterDiscovery, landscape.SAPSystemDiscovery} {
			f.refuse(1, kind, store.ReportProblem{Detail: "it has another shape than expected"})
		}
		f.staleReports(t)
		has(".banner[role=alert]", want).check(t, f.page(t, target, "plain"))
		f = systemsFixture(t)
	}
	f.refuse(5, landscape.SAPSystemDiscovery, store.ReportProblem{Detail: "it has another shape than expected"})
	f.staleReports(t)
	has(".banner[role=alert]", "What an agent in one of the SAP system hosts reports cannot be used").check(t, f.page(t, system, "plain"))
}

// staleReports lets the time pass after which what was refused turns stale. All
// agents are heard.
func (f *fixture) staleReports(t *testing.T) {
	t.Helper()
	f.clock.pass(time.Minute)
	for n := range 12 {
		if err := f.store.Heartbeat(t.Context(), hostID(n)); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestReportFaultsOnDashboard: what needs attention includes reports that
// cannot be used, with the reason. Agents without a host are for those who may
// see all agents.
func TestReportFaultsOnDashboard(t *testing.T) {
	t.Parallel()
	f := reportsFixture(t)
	unregistered := string(hostID(3))
	for _, as := range []string{"plain", "keeper"} {
		page := f.page(t, "/", as)
		names := map[string]bool{}
		for _, mark := range page.all("#attention [role=img]") {
			name, _ := attribute(mark, "aria-label")
			names[name] = true
		}
		if !names["Report cannot be used"] {
			t.Errorf("the marks are named %v", names)
		}
		has("#attention li", "bad01 sends an SAP report that cannot be used: /0/Type is invalid (read: 9).").check(t, page)
		has("#attention li", "half01 sends a cluster report of which 3 elements cannot be read: /crmmon/nodes/0/id can't be blank.").check(t, page)
		agent := "#attention a[href=/agents?q=" + unregistered + "]"
		if as == "plain" {
			hasNot(agent).check(t, page)
			continue
		}
		has(agent, unregistered).check(t, page)
		has("#attention li", "sends a host report that cannot be used: /hostname can't be blank (read: \"\"). 1 more of its reports has problems.").check(t, page)
	}
	f.silence(0, 2)
	page := f.page(t, "/", "plain")
	has("#attention li", "bad01 does not report").check(t, page)
	for _, line := range page.texts("#attention li") {
		if strings.Contains(line, "bad01 sends") {
			t.Errorf("an agent that is silent: %s", line)
		}
	}
}

// TestAgents checks that only users with the permission for the API key have
// the list of agents, and that it can be filtered, ordered and saved.
func TestAgents(t *testing.T) {
	t.Parallel()
	f := reportsFixture(t)
	if w := f.do(call{target: "/agents", as: "plain"}); w.Code != http.StatusForbidden {
		t.Errorf("agents for everybody: %d", w.Code)
	}
	hasNot("nav a[href=/agents]").check(t, f.page(t, "/settings", "plain"))
	hasNot("#connect a[href=/agents]").check(t, f.page(t, "/settings/api_key", "plain"))
	has("nav a[href=/agents]", "Agents").check(t, f.page(t, "/settings", "keeper"))
	has("#connect a[href=/agents]", "Agents").check(t, f.page(t, "/settings/api_key", "keeper"))

	row := func(n int) string { return "#row-" + string(hostID(n)) }
	rows := func(query url.Values) (ids []string) {
		for _, node := range f.page(t, "/agents?"+query.Encode(), "keeper").all("#rows tbody[data-list] tr[id]") {
			id, _ := attribute(node, "id")
			ids = append(ids, strings.TrimLeft(strings.TrimPrefix(id, "row-00000000-0000-4000-8000-"), "0"))
		}
		return ids
	}
	page := f.page(t, "/agents", "keeper")
	for _, e := range []element{
		has("h1", "Agents 4"), has("nav a[aria-current=page]", "Agents"),
		has(row(0)+" .col-state", "Used"), has(row(1)+" .col-state", "Refused"), has(row(2)+" .col-state", "Partly used"), has(row(3)+" .col-state", "Refused"),
		has(row(1)+" .col-problem", "The last SAP report, just now , could not be used: /0/Type is invalid (read: 9)."),
		has(row(1)+" .col-agent a[href=/hosts/"+string(hostID(1))+"]", "bad01"),
		has(row(3)+" .col-agent", "Host not registered"), hasNot(row(3) + " .col-agent a"),
		has(row(3)+" .col-problem", "Nothing of it is shown: the host is not registered."), has(row(3)+" .col-problem", `"weather"`),
		has(row(1)+" .col-last", "just now"), has(row(1)+" .col-agent_version", "3.1.2"),
	} {
		e.check(t, page)
	}
	for want, query := range map[string]url.Values{
		"3 1 2 ": {}, // the newest of the worst first
		"2":      {"state": {"Partly used"}},
		"1":      {"problem": {"SAP report"}},
		"3":      {"q": {"weather"}},
		"1 3 2":  {"sort": {"since"}, "state": {"Refused", "Partly used"}},
	} {
		if got := strings.Join(rows(query), " "); got != want {
			t.Errorf("%v lists %q, want %q", query, got, want)
		}
	}
	csv := f.do(call{target: "/agents.csv?state=Refused", as: "keeper"}).Body.String()
	if strings.Count(csv, "\n") != 3 || !strings.Contains(csv, "The last SAP report could not be used: /0/Type is invalid (read: 9).") {
		t.Errorf("CSV:\n%s", csv)
	}
}

// TestReportsOfEachKind checks that the list of agents, the page of a host and
// the CSV say when each kind of report came last, and which ones are overdue.
func TestReportsOfEachKind(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.host(1, "vega01")
	f.discover(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "kvm"}})
	f.refuse(1, landscape.SaptuneDiscovery, store.ReportProblem{Pointer: "/status", Detail: "is invalid"})
	row, path := "#row-"+string(hostID(1)), "/hosts/"+string(hostID(1))
	lines := func(target, table string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, f.page(t, target, "keeper").texts(table+" div")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
	reports := "#reports-" + string(hostID(1)) + " .report-lines"
	want := []string{
		"Host report just now Used Expected every 10 seconds", "Cloud report just now Used Expected every 10 seconds", "Subscription report None yet Expected every 15 minutes",
		"Saptune report just now Refused Expected every 15 minutes", "Cluster report None yet Expected every 10 seconds", "SAP report None yet Expected every 10 seconds",
	}
	lines("/agents", reports, want...)
	lines(path, "#reports .report-lines", want...)

	f.clock.pass(25 * time.Second)
	f.discover(1, landscape.Observation{Cloud: &landscape.Cloud{Provider: "kvm"}})
	f.clock.pass(5 * time.Second)
	want[0], want[1] = "Host report just now Used Expected every 10 seconds Overdue", "Cloud report just now Used Expected every 25 seconds"
	lines("/agents", reports, want...)
	has(row+" .col-state", "Refused").check(t, f.page(t, "/agents", "keeper"))
	f.discover(1, landscape.Observation{Saptune: &landscape.SaptuneReport{}})
	has(row+" .col-state", "Overdue").check(t, f.page(t, "/agents?overdue=Host+report", "keeper"))
	hasNot(row).check(t, f.page(t, "/agents?overdue=Cloud+report", "keeper"))
	csv := f.do(call{target: "/agents.csv", as: "keeper"}).Body.String()
	head, line, _ := strings.Cut(csv, "\n")
	if !strings.HasSuffix(strings.TrimSpace(head), "Last host report,Last cloud report,Last subscription report,Last saptune report,Last cluster report,Last SAP report") ||
		!strings.HasSuffix(strings.TrimSpace(line), "2026-08-20T10:15:30Z,2026-08-20T10:15:55Z,,2026-08-20T10:16:00Z,,") {
		t.Errorf("CSV:\n%s", csv)
	}
}

// TestNoAgentYet checks that the empty list says how to connect an agent.
func TestNoAgentYet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("admin", 1)
	page := f.page(t, "/agents", "admin")
	has("h2", "No agent has reported yet").check(t, page)
	has(".empty a[href=/agents/connect]", "Connect an agent").check(t, page)
}

// TestAgentReportsAreTold checks that a stream sends changes of agents; those
// of agents without a host only to users who may see them.
func TestAgentReportsAreTold(t *testing.T) {
	t.Parallel()
	f := reportsFixture(t)
	s := f.server(t)
	for as, want := range map[string]int{"plain": 2, "keeper": 3} {
		told := 0
		id := &auth.Identity{User: f.userNow(as)}
		st := consoleStream{s: s, id: id, readsAgents: id.Can("all:api_key_settings")}
		err := f.store.View(func(tx *store.Tx) error {
			changes, err := tx.ChangedAfter(0, 1000)
			for _, c := range changes {
				concerned, fault := st.isVisible(tx, c)
				if c.Kind == "agent_report" && concerned {
					told++
				}
				if fault != nil {
					return fault
				}
			}
			return err
		})
		if err != nil || told != want {
			t.Errorf("%s is told of %d agents (%v), want %d", as, told, err, want)
		}
	}
}

// TestMessageConnectionsOfAgents checks that the list of agents says which of
// them are connected for messages, and from where connections were refused.
func TestMessageConnectionsOfAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14)
	f.host(1, "vega01")
	f.host(2, "vega02")
	e := f.messages(t)
	hasNot("#refusals").check(t, f.page(t, "/agents", "keeper"))
	e.connect(1, message.Checks)
	e.refuse()
	if _, refused := f.auth.AgentRefusals(); refused > 0 {
		t.Errorf("%d requests were refused", refused)
	}
	if w := f.do(call{method: http.MethodPost, target: "/api/v1/collect"}); w.Code != http.StatusUnauthorized {
		t.Errorf("a report without a key: %d", w.Code)
	}
	shown := f.page(t, "/agents", "keeper")
	has("#row-"+string(hostID(1))+" .col-messages", "Connected from 127.0.0.1").check(t, shown)
	has("#row-"+string(hostID(2))+" .col-messages", "Not connected").check(t, shown)
	has("#refusals tbody tr", "127.0.0.1").check(t, shown)
	has(".facts", "Connected from 127.0.0.1").check(t, f.page(t, "/hosts/"+string(hostID(1)), "keeper"))
	has(".facts", "Not connected").check(t, f.page(t, "/hosts/"+string(hostID(2)), "keeper"))
	has("#refusals tbody tr", "127.0.0.1 Connections for messages wrong user or password 1").check(t, shown)
	has("#refusals tbody tr", "Reports and heartbeats the request has no API key 1").check(t, shown)
	if csv := f.do(call{target: "/agents.csv?messages=Connected", as: "keeper"}).Body.String(); !strings.Contains(csv, "vega01") || strings.Contains(csv, "vega02") {
		t.Errorf("those connected: %s", csv)
	}
}
