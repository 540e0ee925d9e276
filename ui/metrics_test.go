package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"trento/auth"
	"trento/packaging/servertest"
	"trento/store/activity"
	"trento/store/landscape"
	"trento/ui/api"
	"trento/ui/metrics"
	"trento/ui/page"
)

// metricsFixture is a server with metrics of everything that can be measured.
func metricsFixture(t testing.TB, who auth.Monitoring) *fixture {
	t.Helper()
	f := newFixture(t)
	f.auth = f.newAuth(func(o *auth.Options) { o.Monitoring = who })
	f.options.Auth, f.options.Metrics = f.auth, metrics.New("1.2.3")
	f.options.Certificate = func() page.Certificate { return page.Certificate{NotAfter: f.clock.Now().Add(time.Hour)} }
	f.restart(f.options)
	f.confirmTokens(false)
	f.user("anna", 1)
	return f
}

// scrape returns the metrics as Prometheus gets them.
func (f *fixture) scrape() string {
	f.t.Helper()
	w := f.do(call{target: "/metrics", as: "anna", header: http.Header{"Accept": {"text/plain;version=0.0.4;q=0.5"}}})
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		f.t.Fatalf("status %d, %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	all := strings.Split(text, "\n")
	for _, line := range lines {
		if !slices.Contains(all, line) {
			t.Errorf("there is no line %s", line)
		}
	}
}

func TestMetricsAccess(t *testing.T) {
	t.Parallel()
	const here, there = "127.0.0.1:1234", "192.0.2.1:1234"
	for _, tt := range []struct {
		who       auth.Monitoring
		from      string
		header    string // name of a header that a proxy adds
		token, as string // scope of a token; user
		want      int
	}{
		{auth.MonitoringLoopback, here, "", "", "", 200},
		{auth.MonitoringLoopback, "[::1]:1234", "", "", "", 200},
		{auth.MonitoringLoopback, here, "X-Forwarded-For", "", "", 401},
		{auth.MonitoringLoopback, here, "Forwarded", "", "", 401},
		{auth.MonitoringLoopback, here, "Via", "", "", 401},
		{auth.MonitoringLoopback, there, "", "", "", 401},
		{auth.MonitoringLoopback, there, "", "GET /metrics", "", 200},
		{auth.MonitoringLoopback, there, "", "read_only", "", 200},
		{auth.MonitoringLoopback, there, "", "tags", "", 403},
		{auth.MonitoringLoopback, there, "", "", "anna", 200},
		{auth.MonitoringToken, here, "", "", "", 401},
		{auth.MonitoringToken, here, "", "GET /metrics", "", 200},
		{"", here, "", "", "", 401},
		{auth.MonitoringEveryone, there, "X-Forwarded-For", "", "", 200},
		{auth.MonitoringOff, here, "", "", "", 404},
		{auth.MonitoringOff, there, "", "full", "", 404},
	} {
		f := metricsFixture(t, tt.who)
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = tt.from
		if tt.header != "" {
			r.Header.Set(tt.header, "10.0.0.1")
		}
		if tt.token != "" {
			token, _ := f.newToken("prometheus", tt.token)
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if tt.as != "" {
			r.AddCookie(f.cookies[tt.as])
		}
		w := httptest.NewRecorder()
		f.handler.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%+v: status %d", tt, w.Code)
		}
	}
}

func TestMetricsOfRequests(t *testing.T) {
	t.Parallel()
	f := metricsFixture(t, auth.MonitoringToken)
	id := f.host(1, "hana01")
	f.do(call{target: "/hosts/" + string(id), as: "anna"})
	f.do(call{target: "/api/v1/hosts"})
	for _, path := range []string{"/a", "/b", "/api/c", "/static/d"} {
		f.do(call{target: path, as: "anna"})
	}
	f.do(call{method: "BREW", target: "/e"})
	text := f.scrape()
	wantLines(t, text,
		`trento_http_requests_total{method="GET",route="/hosts/{id}",status="2xx"} 1`,
		`trento_http_requests_total{method="GET",route="/api/v1/hosts",status="4xx"} 1`,
		`trento_http_requests_total{method="GET",route="none",status="4xx"} 4`,
		`trento_http_requests_total{method="other",route="none",status="4xx"} 1`,
		`trento_http_request_duration_seconds_count{method="GET",route="/hosts/{id}"} 1`,
	)
	for _, secret := range []string{"hana01", string(id), "anna", "trento_pat_", f.cookies["anna"].Value} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics contain %s", secret)
		}
	}
}

func TestMetricsOfState(t *testing.T) {
	t.Parallel()
	f := metricsFixture(t, auth.MonitoringToken)
	for n := range 24 {
		known := facts(n, "vm")
		known.AgentVersion = strings.Repeat("x", 100) + string(rune('a'+n))
		if n < 23 {
			known.AgentVersion = "3." + string(rune('a'+n))
		}
		f.observe(n, landscape.Observation{Host: &known})
		f.beat(n)
	}
	f.clock.pass(time.Minute)
	f.beat(1)
	f.beat(2)
	if err := f.store.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := f.scrape()
	wantLines(t, text,
		`trento_agents_online{version="3.b"} 1`, `trento_agents_online{version="3.c"} 1`, `trento_agents_offline 22`,
		`trento_landscape_things{health="unknown",kind="host"} 24`, `trento_landscape_things{health="critical",kind="sap_system"} 0`,
		`trento_failure{failure="writing"} 0`, `trento_message_connections 0`, `trento_body_bytes{client="known"} 0`,
		`trento_build_info{goversion="`+goVersion(text)+`",version="1.2.3"} 1`,
	)
	if strings.Contains(text, "trento_index_lag_seconds 0\n") {
		t.Error("the index is not behind, although nothing has been indexed")
	}
	f.indexed()
	wantLines(t, f.scrape(), "trento_index_lag_seconds 0")
}

func goVersion(text string) string {
	return regexp.MustCompile(`goversion="([^"]*)"`).FindStringSubmatch(text)[1]
}

// metricNames matches the names of metrics in expressions and in a scrape.
var (
	metricNames = regexp.MustCompile(`\b(?:trento|process|go)_[a-z_]+\b`)
	metricTypes = regexp.MustCompile(`(?m)^# TYPE (\S+) `)
	metricParts = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// TestDocumentedMetrics checks that every metric in the dashboard and in the
// rules exists, and that every metric of ours is explained by one of the two or
// the guide.
func TestDocumentedMetrics(t *testing.T) {
	t.Parallel()
	f := metricsFixture(t, auth.MonitoringToken)
	f.options.Metrics.Logged(&activity.LoginAttempt{})
	f.host(1, "hana01")
	f.beat(1)
	f.do(call{target: "/hosts", as: "anna"})
	exists := make(map[string]bool)
	for _, found := range metricTypes.FindAllStringSubmatch(f.scrape(), -1) {
		exists[found[1]] = true
	}
	used := expressions(t)
	for _, expression := range used {
		for _, name := range metricNames.FindAllString(expression, -1) {
			if !exists[name] && !exists[metricParts.ReplaceAllString(name, "")] {
				t.Errorf("%s is not a metric, in %s", name, expression)
			}
		}
	}
	guide, err := os.ReadFile("../docs/operation.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range exists {
		if strings.HasPrefix(name, "trento_") && !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("the guide does not explain %s", name)
		}
	}
}

// expressions returns the expressions of the dashboard and of the rules.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	readDocument(t, "../docs/grafana/trento-web.json", json.Unmarshal, &dashboard)
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Expr        string
				Annotations struct{ Summary, Runbook string }
			}
		}
	}
	readDocument(t, "../docs/prometheus/rules.yaml", yaml.Unmarshal, &rules)
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Annotations.Summary == "" || rule.Annotations.Runbook == "" {
				t.Errorf("the rule %s does not say what to do", rule.Expr)
			}
			all = append(all, rule.Expr)
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d expressions", len(all))
	}
	return all
}

func readDocument(t *testing.T, file string, unmarshal func([]byte, any) error, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// TestAlertRules lets Prometheus's own tool check the rules and the form of the
// metrics.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		servertest.Need(t, "no promtool: install the package prometheus")
	}
	f := metricsFixture(t, auth.MonitoringToken)
	for _, tt := range []struct {
		input string
		args  []string
	}{
		{"", []string{"check", "rules", "--lint-fatal", "../docs/prometheus/rules.yaml"}},
		{"", []string{"test", "rules", "../docs/prometheus/rules_test.yaml"}},
		{f.scrape(), []string{"check", "metrics"}},
	} {
		cmd := exec.Command(promtool, tt.args...)
		cmd.Stdin = strings.NewReader(tt.input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", tt.args, err, out)
		}
	}
}

// BenchmarkScrape is one scrape of a server with 1,000 hosts and many routes in
// use.
func BenchmarkScrape(b *testing.B) {
	f := metricsFixture(b, auth.MonitoringToken)
	for n := range 1000 {
		f.host(n, fmt.Sprintf("vm%04d", n))
		f.beat(n)
	}
	for _, route := range api.Operations() {
		for _, status := range []int{200, 404} {
			f.options.Metrics.Answered(route.Path, route.Method, status, time.Millisecond)
		}
	}
	size := 0
	for b.Loop() {
		size = len(f.scrape())
	}
	b.ReportMetric(float64(size), "B/scrape")
}
