// Package metrics counts and times what the server does, for Prometheus. The
// parts of the server tell it what happens, and know nothing of Prometheus
// themselves. What is a state rather than an event, such as the size of the
// landscape, is read when somebody asks.
//
// No metric has a label whose values come from outside: routes are those of the
// tables, versions of agents are limited in number, and everything else is one of
// a few words. No metric says anything about a single host, user or request.
package metrics

import (
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"trento/store/activity"
)

// Metrics are the metrics of one server. The methods can be called on nil, which
// counts nothing.
type Metrics struct {
	registry *prometheus.Registry

	requests       *prometheus.CounterVec
	durations      *prometheus.HistogramVec
	answers        answerCounters
	commits        prometheus.Histogram
	commitFailures prometheus.Counter
	batches        prometheus.Histogram
	indexedEntries prometheus.Counter
	entries        *prometheus.CounterVec
	signIns        *prometheus.CounterVec
	sources        atomic.Pointer[Sources]
}

// The buckets of durations, in seconds. Pages and lists take milliseconds, a
// commit takes as long as the disk.
var (
	requestBuckets = []float64{.001, .0025, .01, .025, .1, .25, 1, 5}
	commitBuckets  = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
	batchBuckets   = []float64{.001, .005, .025, .1, .5, 2.5}
)

// New returns metrics of a program with a version, of which nothing has happened
// yet.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trento_http_requests_total", Help: "Requests by route, method and class of the status.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trento_http_request_duration_seconds", Help: "Time until a request was answered, without event streams.", Buckets: requestBuckets,
		}, []string{"route", "method"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trento_commit_duration_seconds", Help: "Time until a group of changes was on the disk.", Buckets: commitBuckets,
		}),
		commitFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trento_commit_failures_total", Help: "Groups of changes that could not be stored.",
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "trento_index_duration_seconds", Help: "Time to index a batch of entries of the activity log.", Buckets: batchBuckets,
		}),
		indexedEntries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trento_index_entries_total", Help: "Entries of the activity log that were indexed.",
		}),
		entries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trento_activity_entries_total", Help: "Entries of the activity log that were written, by type and severity.",
		}, []string{"type", "severity"}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trento_sign_ins_total", Help: "Sign-ins by result. Refused ones came too often to be checked.",
		}, []string{"result"}),
	}
	m.registry.MustRegister(
		m, m.requests, m.durations, m.commits, m.commitFailures, m.batches, m.indexedEntries, m.entries, m.signIns, buildInfo(version),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// A counter that appears with its first event has no rate for it.
	for _, result := range []string{"success", "failure", "refused"} {
		m.signIns.WithLabelValues(result)
	}
	return m
}

// buildInfo is a metric about the program itself.
func buildInfo(version string) prometheus.Collector {
	goVersion := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "trento_build_info", Help: "The program: always 1.", ConstLabels: prometheus.Labels{"version": version, "goversion": goVersion},
	}, func() float64 { return 1 })
}

// Committed counts a commit. It is a hook of the store.
func (m *Metrics) Committed(took time.Duration, err error) {
	m.commits.Observe(took.Seconds())
	if err != nil {
		m.commitFailures.Inc()
	}
}

// Batched counts entries that were indexed together. It is a hook of the index.
func (m *Metrics) Batched(entries int, took time.Duration) {
	m.batches.Observe(took.Seconds())
	m.indexedEntries.Add(float64(entries))
}

// Logged counts an entry of the activity log. It is a hook of the store.
func (m *Metrics) Logged(e activity.Event) {
	m.entries.WithLabelValues(string(e.Type()), activity.SeverityOf(e).String()).Inc()
	attempt, ok := e.(*activity.LoginAttempt)
	switch {
	case !ok:
	case attempt.Refused > 0:
		m.signIns.WithLabelValues("refused").Add(float64(attempt.Refused))
	case attempt.Reason != "":
		m.signIns.WithLabelValues("failure").Inc()
	default:
		m.signIns.WithLabelValues("success").Inc()
	}
}

// Handler returns the handler that shows the metrics. What cannot be read is
// left out, so that the rest is known even while the store fails.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, DisableCompression: true, MaxRequestsInFlight: 4,
	})
}
