package fleet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trento/store/discovery"
	"trento/store/landscape"
)

// testServer is a server that accepts all requests and counts them.
type testServer struct {
	answer func(w http.ResponseWriter, r *http.Request) bool // returns true if it has sent the answer

	mu                    sync.Mutex
	reports               map[landscape.Kind]int
	bodies                map[string]int
	last                  map[string]string // the latest body of every agent and kind
	changes               int               // reports that differ from the one before
	heartbeats            map[string][]time.Time
	firstKind             map[string]landscape.Kind
	faults                []string
	concurrentRequests    int
	maxConcurrentRequests int
	requests              int
}

func newTestServer() *testServer {
	return &testServer{
		reports: make(map[landscape.Kind]int), bodies: make(map[string]int), last: make(map[string]string),
		heartbeats: make(map[string][]time.Time), firstKind: make(map[string]landscape.Kind),
	}
}

func (c *testServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.requests++
	c.concurrentRequests++
	c.maxConcurrentRequests = max(c.maxConcurrentRequests, c.concurrentRequests)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.concurrentRequests--
		c.mu.Unlock()
	}()
	if c.answer != nil && c.answer(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || r.Method != http.MethodPost || r.Header.Get("X-Trento-Apikey") != "key" || r.Header.Get("Content-Type") != "application/json" {
		c.faults = append(c.faults, r.Method+" "+r.URL.Path)
	}
	if id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/hosts/"), "/heartbeat"); ok {
		c.heartbeats[id] = append(c.heartbeats[id], time.Now())
		if len(body) > 0 || c.firstKind[id] == "" {
			c.faults = append(c.faults, "heartbeat of "+id)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	e, err := discovery.Open(body)
	if err != nil || r.URL.Path != "/api/v1/collect" {
		c.faults = append(c.faults, r.URL.Path+": "+string(body))
	}
	if id := string(e.Agent); c.firstKind[id] == "" {
		c.firstKind[id] = landscape.Kind(e.Type)
	}
	c.reports[landscape.Kind(e.Type)]++
	c.bodies[string(body)]++
	what := string(e.Agent) + e.Type
	if before, known := c.last[what]; known && before != string(body) {
		c.changes++
	}
	c.last[what] = string(body)
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, "{}")
}

// handlerTransport passes requests to a handler without a network, so that
// tests can use a simulated clock.
type handlerTransport struct{ http.Handler }

func (d handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	d.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// feed runs a feed for a period of simulated time (testing/synctest).
func feed(t *testing.T, c *testServer, span time.Duration, o FeedOptions) Stats {
	t.Helper()
	o.Server, o.APIKey, o.Client = "http://trento.example", "key", &http.Client{Transport: handlerTransport{c}}
	var last Stats
	o.Progress = func(s Stats) { last = s }
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	if err := Feed(ctx, o); err != nil {
		t.Fatal(err)
	}
	if len(c.faults) > 0 {
		t.Errorf("%d faults, the first: %s", len(c.faults), c.faults[0])
	}
	return last
}

func TestFeedOnce(t *testing.T) {
	c := newTestServer()
	server := httptest.NewServer(http.StripPrefix("/proxy", c))
	defer server.Close()
	var last Stats
	err := Feed(t.Context(), FeedOptions{
		Server: server.URL + "/proxy/", APIKey: "key", Seed: 4, Hosts: 50, Once: true, Heartbeats: true,
		Progress: func(s Stats) { last = s },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.faults) > 0 {
		t.Errorf("faults: %s", c.faults)
	}
	saptune := 50
	for _, h := range New(4, 50).Hosts() {
		if h.agent == oldAgentVersion {
			saptune--
		}
	}
	for kind, want := range map[landscape.Kind]int{
		landscape.HostDiscovery: 50, landscape.CloudDiscovery: 50, landscape.SubscriptionDiscovery: 50, landscape.SaptuneDiscovery: saptune,
		landscape.ClusterDiscovery: 50, landscape.SAPSystemDiscovery: 50,
	} {
		if c.reports[kind] != want {
			t.Errorf("%d × %s, want %d", c.reports[kind], kind, want)
		}
	}
	for id, kind := range c.firstKind {
		if kind != landscape.HostDiscovery {
			t.Errorf("%s began with %s", id, kind)
		}
	}
	if len(c.heartbeats) != 49 { // one agent never sends heartbeats
		t.Errorf("%d hosts were heard", len(c.heartbeats))
	}
	if last.Reports != 250+saptune || last.Heartbeats != 49 || last.Statuses[202] != last.Reports || last.Statuses[204] != 49 || last.Unanswered != 0 {
		t.Errorf("stats: %+v", last)
	}
	if last.P50 <= 0 || last.P99 < last.P50 || last.Max < last.P99 || last.LastFailure != "" || !strings.Contains(last.String(), "202×") {
		t.Errorf("stats: %+v: %s", last, last)
	}
	if c.maxConcurrentRequests > maxRequests {
		t.Errorf("%d requests at a time", c.maxConcurrentRequests)
	}
}

func TestFeedAtAgentRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		begin := time.Now()
		var complete time.Duration
		c.answer = func(http.ResponseWriter, *http.Request) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			if complete == 0 && len(c.firstKind) == 25 {
				complete = time.Since(begin)
			}
			return false
		}
		feed(t, c, 15*time.Minute+30*time.Second, FeedOptions{Seed: 2, Hosts: 25, Heartbeats: true, Still: true})
		if complete == 0 || complete > 2*time.Second {
			t.Errorf("the first round took %s", complete)
		}
		// A host sends one report at the start and one in each of 93 periods.
		// One host stops soon after the start.
		if n := c.reports[landscape.HostDiscovery]; n < 24*93 || n > 25*95 {
			t.Errorf("%d host discoveries", n)
		}
		for _, kind := range []landscape.Kind{landscape.CloudDiscovery, landscape.ClusterDiscovery, landscape.SAPSystemDiscovery} {
			// The end may come between the reports of a host.
			if n := c.reports[landscape.HostDiscovery] - c.reports[kind]; n < 0 || n > 1 {
				t.Errorf("%d × %s are missing", n, kind)
			}
		}
		if n := c.reports[landscape.SubscriptionDiscovery]; n < 49 || n > 50 {
			t.Errorf("%d subscription discoveries, want two of each host", n)
		}
		if n := len(c.bodies); n != 150-percentOfHosts(25, 4) {
			t.Errorf("%d different bodies though nothing happens", n)
		}
		steady := 0
		for id, beats := range c.heartbeats {
			longest := time.Duration(0)
			for i := 1; i < len(beats); i++ {
				longest = max(longest, beats[i].Sub(beats[i-1]))
			}
			if longest <= heartbeatPeriod+heartbeatDelay+100*time.Millisecond && len(beats) > 160 {
				steady++
			} else if longest > heartbeatPeriod && len(beats) > 160 && longest < 40*time.Second {
				t.Errorf("%s was not heard for %s", id, longest)
			}
		}
		if steady != 22 { // all but the agents that stop, never send, or send at times
			t.Errorf("%d steady hosts", steady)
		}
	})
}

func percentOfHosts(hosts, percent int) int { return max(1, hosts*percent/100) }

// TestFirstRoundOfManyHosts checks that no agent sends a heartbeat before its
// first report, although the first round of a large landscape takes longer than
// a heartbeat period.
func TestFirstRoundOfManyHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		feed(t, c, 7*time.Second, FeedOptions{Seed: 2, Hosts: 1000, Heartbeats: true})
		if n := len(c.firstKind); n < 690 || n > 710 {
			t.Errorf("%d hosts have reported after 7 of 10 s", n)
		}
	})
}

func TestFeedAtFixedRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		stats := feed(t, c, 20*time.Second, FeedOptions{Seed: 2, Hosts: 30, Rate: 200, Changes: 0.1, Still: true})
		if stats.Reports < 3_850 || stats.Reports > 4_050 || stats.Heartbeats != 0 {
			t.Errorf("stats: %s", stats)
		}
		// The share is a tenth, but some reports cannot change, such as the
		// cloud report of a machine outside clouds. And a change to a cluster
		// changes the reports of all its nodes.
		if share := float64(c.changes) / float64(stats.Reports); share < 0.08 || share > 0.14 {
			t.Errorf("%.3f of the reports have changed", share)
		}
	})
}

// TestFeedShowsRunTimes checks that two reports of a host with SAP software
// always differ, because the run times in them grow.
func TestFeedShowsRunTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		stats := feed(t, c, time.Minute, FeedOptions{Seed: 2, Hosts: 30})
		if share := float64(c.changes) / float64(stats.Reports); share < 0.15 || share > 0.35 {
			t.Errorf("%.3f of the reports have changed", share)
		}
	})
}

func TestFeedSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		feed(t, c, 20*time.Minute, FeedOptions{Seed: 2, Hosts: 12, StepEvery: 10 * time.Second, Still: true})
		if n := len(c.firstKind); n != 13 {
			t.Errorf("%d hosts have reported, want 13", n)
		}
		if c.changes < 40 {
			t.Errorf("%d changes in 120 steps", c.changes)
		}
	})
}

// TestFeedOfSlowServer checks that a slow server gets as many requests as it
// can answer, and no backlog later.
func TestFeedOfSlowServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		begin := time.Now()
		c.answer = func(http.ResponseWriter, *http.Request) bool {
			if time.Since(begin) < 30*time.Second {
				time.Sleep(5 * time.Second)
			}
			return false
		}
		stats := feed(t, c, time.Minute, FeedOptions{Seed: 2, Hosts: 100, Rate: 200, Heartbeats: true})
		if c.maxConcurrentRequests > maxRequests {
			t.Errorf("%d requests at a time", c.maxConcurrentRequests)
		}
		// Half a minute at 64 requests in 5 s, half a minute at 200 reports and 20
		// heartbeats a second, and at most a second of backlog.
		if n := stats.Reports + stats.Heartbeats; n < 30*(12+218) || n > 30*(13+220)+220 {
			t.Errorf("%d requests: %s", n, stats)
		}
		if stats.Reports < 30*200 || stats.Heartbeats < 30*20 {
			t.Errorf("one kind starves: %s", stats)
		}
	})
}

func TestFeedContinuesAfterServerErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestServer()
		begin := time.Now()
		c.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			if time.Since(begin) > 30*time.Second {
				return false
			}
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, `{"errors":[]}`)
			return true
		}
		stats := feed(t, c, time.Minute, FeedOptions{Seed: 2, Hosts: 5})
		if n := stats.Statuses[500]; n < 85 || n > 95 { // 30 requests at the start, then 4 of each host every ten seconds
			t.Errorf("%d failures: %s", n, stats)
		}
		if stats.Reports < 20 || !strings.Contains(stats.LastFailure, `500 Internal Server Error {"errors":[]}`) {
			t.Errorf("stats: %s, %s", stats, stats.LastFailure)
		}
	})
}

func TestFeedWithWrongKey(t *testing.T) {
	for name, before := range map[string]bool{"from the start": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newTestServer()
				c.answer = func(w http.ResponseWriter, _ *http.Request) bool {
					c.mu.Lock()
					defer c.mu.Unlock()
					if before && c.requests < 5 {
						return false
					}
					w.WriteHeader(http.StatusUnauthorized)
					return true
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				err := Feed(ctx, FeedOptions{Server: "http://trento.example", APIKey: "key", Hosts: 3, Client: &http.Client{Transport: handlerTransport{c}}})
				if before && err != nil || !before && !errors.Is(err, ErrKey) {
					t.Errorf("Feed: %v", err)
				}
			})
		})
	}
}

func TestFeedWithoutAServer(t *testing.T) {
	server := httptest.NewServer(newTestServer())
	server.Close()
	var last Stats
	err := Feed(t.Context(), FeedOptions{Server: server.URL, Hosts: 2, Once: true, Progress: func(s Stats) { last = s }})
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("Feed: %v", err)
	}
	if last.Unanswered != 12 || last.Reports != 0 || last.P99 != 0 {
		t.Errorf("stats: %+v", last)
	}
}

func TestFeedOptionsAreChecked(t *testing.T) {
	good := FeedOptions{Server: "http://127.0.0.1:1", Hosts: 1}
	for name, spoil := range map[string]func(*FeedOptions){
		"no server":        func(o *FeedOptions) { o.Server = "" },
		"no scheme":        func(o *FeedOptions) { o.Server = "trento:4000" },
		"other scheme":     func(o *FeedOptions) { o.Server = "ftp://trento" },
		"no hosts":         func(o *FeedOptions) { o.Hosts = 0 },
		"negative rate":    func(o *FeedOptions) { o.Rate = -1 },
		"too many changes": func(o *FeedOptions) { o.Changes = 1.5 },
	} {
		o := good
		spoil(&o)
		if err := Feed(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestQuantiles(t *testing.T) {
	stats := newStats(1)
	for i := 1; i <= 1000; i++ {
		stats.add(reportRequest(Report{}), http.StatusAccepted, time.Duration(i)*time.Millisecond, "")
	}
	s := stats.total()
	for _, c := range []struct{ got, want time.Duration }{{s.P50, 500 * time.Millisecond}, {s.P99, 990 * time.Millisecond}, {s.Max, time.Second}} {
		if c.got < c.want || float64(c.got) > float64(c.want)*latencyClassRatio {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}
