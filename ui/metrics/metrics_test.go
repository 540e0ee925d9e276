package metrics

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
)

// shown returns the lines of metrics that begin so.
func shown(t *testing.T, m *Metrics, prefix string) (lines []string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestEvents(t *testing.T) {
	t.Parallel()
	m := New("1.2.3")
	m.Committed(3*time.Millisecond, nil)
	m.Committed(2*time.Second, errors.New("no space"))
	m.Batched(40, 2*time.Millisecond)
	m.Batched(2, time.Millisecond)
	m.Logged(&activity.LoginAttempt{})
	m.Logged(&activity.LoginAttempt{Reason: "wrong"})
	m.Logged(&activity.LoginAttempt{Reason: "too often", Refused: 7})
	for prefix, want := range map[string][]string{
		"trento_commit_failures_total":                            {"trento_commit_failures_total 1"},
		`trento_commit_duration_seconds_bucket{le="0.005"}`:       {`trento_commit_duration_seconds_bucket{le="0.005"} 1`},
		"trento_commit_duration_seconds_count":                    {"trento_commit_duration_seconds_count 2"},
		"trento_index_entries_total":                              {"trento_index_entries_total 42"},
		"trento_index_duration_seconds_count":                     {"trento_index_duration_seconds_count 2"},
		`trento_activity_entries_total{severity="info"`:           {`trento_activity_entries_total{severity="info",type="login_attempt"} 1`},
		`trento_activity_entries_total{severity="warning"`:        {`trento_activity_entries_total{severity="warning",type="login_attempt"} 2`},
		"trento_sign_ins_total":                                   {`trento_sign_ins_total{result="failure"} 1`, `trento_sign_ins_total{result="refused"} 7`, `trento_sign_ins_total{result="success"} 1`},
		"trento_landscape_things":                                 nil, // there is no server to ask
		"go_goroutines 0":                                         nil,
		"trento_http_request_duration_seconds_count{method=\"x\"": nil,
	} {
		if diff := cmp.Diff(want, shown(t, m, prefix)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", prefix, diff)
		}
	}
}

func TestAnswered(t *testing.T) {
	t.Parallel()
	m := New("1.2.3")
	m.Answered("/events", "GET", 200, time.Hour)
	m.Answered("/hosts", "GET", 200, time.Millisecond)
	m.Answered("/hosts", "GET", 204, time.Millisecond)
	m.Answered("", "TRACE", 0, time.Millisecond)
	want := []string{
		`trento_http_requests_total{method="GET",route="/events",status="2xx"} 1`,
		`trento_http_requests_total{method="GET",route="/hosts",status="2xx"} 2`,
		`trento_http_requests_total{method="other",route="none",status="other"} 1`,
	}
	if diff := cmp.Diff(want, shown(t, m, "trento_http_requests_total")); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if streams := shown(t, m, `trento_http_request_duration_seconds_count{method="GET",route="/events"`); streams != nil {
		t.Errorf("the length of a stream counts as the time of an answer: %s", streams)
	}
	var none *Metrics
	none.Answered("/hosts", "GET", 200, time.Millisecond)
	none.Watch(Sources{})
	w := httptest.NewRecorder()
	none.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("without metrics it answers %d", w.Code)
	}
}

func TestLimitVersions(t *testing.T) {
	t.Parallel()
	versions := map[string]int{"other": 1}
	for n := range 30 {
		versions[fmt.Sprintf("3.%02d", n)] = 30 - n
	}
	limited := limitVersions(versions)
	total := 0
	for _, n := range limited {
		total += n
	}
	if len(limited) != maxVersions || total != 30*31/2+1 || limited["3.00"] != 30 || limited["3.18"] != 12 || limited[otherVersions] != 67 {
		t.Errorf("%d versions of %d agents: %v", len(limited), total, limited)
	}
	if got := versionLabel("3.1\xff" + strings.Repeat("x", 99)); got != "3.1"+strings.Repeat("x", 36) {
		t.Errorf("the version is shown as %q", got)
	}
}

// BenchmarkAnswered is what counting costs a request.
func BenchmarkAnswered(b *testing.B) {
	m := New("1.2.3")
	r := httptest.NewRequest(http.MethodGet, "/api/v1/hosts", nil)
	for b.Loop() {
		counted, route := WithRoute(r)
		NameRoute(counted, "/api/v1/hosts/{id}")
		m.Answered(*route, http.MethodGet, http.StatusOK, time.Millisecond)
	}
}

// BenchmarkLogged is what counting costs an entry of the log.
func BenchmarkLogged(b *testing.B) {
	m, e := New("1.2.3"), &activity.LoginAttempt{}
	for b.Loop() {
		m.Logged(e)
	}
}
