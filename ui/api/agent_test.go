package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rabbitmq "github.com/rabbitmq/amqp091-go"

	"trento/store/activity"
	"trento/store/message"
	"trento/ui/amqp"
	"trento/ui/api"
)

// TestAgents reports well and badly, with and without a host, and reads how
// the reports fare.
func TestAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.user("ann", 16, 20)
	f.get("keeper", "/api/v1/agents").expect(t, http.StatusOK, "[]")
	f.get("ann", "/api/v1/agents").expect(t, http.StatusForbidden, forbidden)

	type row struct {
		Hostname *string `json:"hostname"`
		Last     *string `json:"last_report_at"`
		Reports  []struct {
			Type, State  string
			Kind         string `json:"discovery_type"`
			Since, Last  *string
			Count        *int
			Stale        bool
			Overdue      bool
			Period       int `json:"period_seconds"`
			ProblemCount int `json:"problem_count"`
			Problems     []struct{ Pointer, Detail, Read string }
		}
	}
	read := func() (rows []row) {
		t.Helper()
		f.get("keeper", "/api/v1/agents").decode(t, &rows)
		return rows
	}
	summary := func() (lines []string) {
		for _, r := range read() {
			name := "nobody"
			if r.Hostname != nil {
				name = *r.Hostname
			}
			for _, report := range r.Reports {
				line := name + " " + report.Kind + " " + report.State
				for _, p := range report.Problems {
					line += "; " + strings.TrimSpace(p.Pointer+" "+p.Detail+" "+p.Read)
				}
				lines = append(lines, line)
			}
		}
		return lines
	}
	f.register(agentID, "vega01")
	bad := report(agentID, "cloud_discovery", `[{"Provider":"kvm"}]`)
	for range 3 {
		f.post(agent, collectPath, bad).expect(t, http.StatusUnprocessableEntity, "*")
		f.clock.pass(10 * time.Second)
	}
	f.post(agent, collectPath, report(agentID, "saptune_discovery", `{"saptune_installed":false,"package_version":7,"status":null}`)).expect(t, http.StatusAccepted, "{}")
	f.post(agent, collectPath, strings.Replace(hostReport(otherID, "rigel01"), `"hostname":"rigel01"`, `"hostname":""`, 1)).expect(t, http.StatusUnprocessableEntity, "*")
	f.post(agent, collectPath, report(otherID, "weather_discovery", `{}`)).expect(t, http.StatusUnprocessableEntity, "*")
	want := []string{
		"vega01 host_discovery used",
		`vega01 cloud_discovery refused; it has another shape than expected [{"Provider":"kvm"}]`,
		"vega01 saptune_discovery partly_used; /package_version is not a text 7",
		`nobody host_discovery refused; /hostname can't be blank ""`,
		`nobody other refused; /discovery_type names no discovery that is known "weather_discovery"`,
	}
	if diff := cmp.Diff(want, summary()); diff != "" {
		t.Errorf("agents (-want +got):\n%s", diff)
	}
	if cloud := read()[0].Reports[1]; cloud.Count == nil || *cloud.Count != 3 || !cloud.Stale || *cloud.Since != "2026-08-20T10:15:30.123456Z" || *cloud.Last != "2026-08-20T10:15:50.123456Z" {
		body, _ := json.Marshal(cloud)
		t.Errorf("cloud: %s", body)
	}
	f.post(agent, collectPath, report(agentID, "cloud_discovery", `{"Provider":"kvm","Metadata":null}`)).expect(t, http.StatusAccepted, "{}")
	if cloud := read()[0].Reports[1]; cloud.State != "used" || cloud.Count != nil || cloud.Stale || len(cloud.Problems) > 0 {
		body, _ := json.Marshal(cloud)
		t.Errorf("cloud after its end: %s", body)
	}
	host := read()[0].Reports[0]
	if host.Period != 10 || host.Overdue != true || host.Last == nil || *host.Last != "2026-08-20T10:15:30.123456Z" {
		t.Errorf("the host report, half a minute old: %+v", host)
	}
	f.register(agentID, "vega01")
	if host := read()[0].Reports[0]; host.Overdue || host.Period != 30 {
		t.Errorf("the host report, just come: %+v", host)
	}
	if n := len(f.entries(activity.TypeAgentReportFaulty)); n != 4 {
		t.Errorf("%d entries about faults, want one each", n)
	}
	if n := len(f.entries(activity.TypeAgentReportRecovered)); n != 1 {
		t.Errorf("%d entries about their end", n)
	}
}

// TestUnidentifiedReports: who sends what names no agent is told to the log,
// once a minute.
func TestUnidentifiedReports(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	lines := func() int { return strings.Count(f.log.String(), "report without an agent was refused") }
	for range 5 {
		f.post(agent, collectPath, `{"agent_id":`).expect(t, http.StatusBadRequest, "*")
		f.post(agent, collectPath, report("here", "host_discovery", `{}`)).expect(t, http.StatusUnprocessableEntity, "*")
	}
	if n := lines(); n != 1 {
		t.Errorf("%d lines in the log: %s", n, f.log)
	}
	f.clock.pass(time.Minute)
	f.post(agent, collectPath, `[]`).expect(t, http.StatusUnprocessableEntity, "*")
	if n := lines(); n != 2 || !strings.Contains(f.log.String(), "reports=10") {
		t.Errorf("%d lines in the log: %s", n, f.log)
	}
}

// TestMessagesOfAgents checks that the list of agents says who is connected for
// messages, and null where agents connect to another broker.
func TestMessagesOfAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14)
	f.register(agentID, "vega01")
	expect := func(part string) {
		t.Helper()
		if got := f.get("keeper", "/api/v1/agents"); got.status != http.StatusOK || !strings.Contains(got.body, part) {
			t.Errorf("no %s: %d %s", part, got.status, got.body)
		}
	}
	expect(`"messages":null`)

	endpoint, err := amqp.New(amqp.Options{
		Store: f.store, Log: slog.New(slog.DiscardHandler), Generation: func() uint64 { return 0 }, Check: func(string, string) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- endpoint.Serve(ctx, l) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	f.serve(api.Deps{Store: f.store, Auth: f.auth, Index: f.index, Log: slog.New(slog.DiscardHandler), Endpoint: endpoint})
	expect(`"messages":{"connected":false,"since":null,"addresses":[],"receives":[]}`)

	c, err := rabbitmq.Dial("amqp://agents:secret@" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ch, err := c.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []message.Kind{message.Discoveries, message.Checks} {
		queue := kind.Queue(agentID)
		if _, err := ch.QueueDeclare(queue, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := ch.Consume(queue, "", false, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	expect(`"addresses":["127.0.0.1"],"receives":["checks","discoveries"]`)
}

// TestAgentRefusals refuses an agent for its API key and for its password, and
// reads what is known of that.
func TestAgentRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user("keeper", 14) // all:api_key_settings
	f.user("ann", 16, 20)
	const path = "/api/v1/agents/refusals"
	f.get("ann", path).expect(t, http.StatusForbidden, forbidden)
	f.get("keeper", path).expect(t, http.StatusOK, "[]")

	for range 2 {
		f.post("", collectPath, report(agentID, "cloud_discovery", `{}`)).expect(t, http.StatusUnauthorized, "*")
		f.clock.pass(time.Second)
	}
	f.serve(api.Deps{Store: f.store, Auth: f.auth, Index: f.index, Log: slog.New(slog.DiscardHandler), Endpoint: refusingEndpoint(t, f)})
	f.get("keeper", path).expect(t, http.StatusOK, `[`+
		`{"of":"messages","address":"127.0.0.1","reason":"wrong user or password","attempts":1,"first_at":"2026-08-20T10:15:32.123456Z","last_at":"2026-08-20T10:15:32.123456Z"},`+
		`{"of":"reports","address":"192.0.2.1","reason":"the request has no API key","attempts":2,"first_at":"2026-08-20T10:15:30.123456Z","last_at":"2026-08-20T10:15:31.123456Z"}]`)
	f.get("nobody", path).expect(t, http.StatusUnauthorized, "*")
}

// refusingEndpoint returns an endpoint for messages that has refused a
// connection, and has stopped since.
func refusingEndpoint(t *testing.T, f *fixture) *amqp.Broker {
	t.Helper()
	endpoint, err := amqp.New(amqp.Options{
		Store: f.store, Log: slog.New(slog.DiscardHandler), Generation: func() uint64 { return 0 }, Check: func(string, string) bool { return false }, Now: f.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- endpoint.Serve(ctx, l) }()
	if _, err := rabbitmq.Dial("amqp://agents:tried@" + l.Addr().String()); !errors.Is(err, rabbitmq.ErrCredentials) {
		t.Errorf("the connection was not refused: %v", err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return endpoint
}
