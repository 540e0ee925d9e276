package metrics

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// routeKey is the key of the name of the route in the context of a request.
type routeKey struct{}

// unknownRoute is the route of requests to addresses that do not exist.
const unknownRoute = "none"

// WithRoute returns the request with a place for the name of its route, which
// NameRoute fills.
func WithRoute(r *http.Request) (_ *http.Request, route *string) {
	route = new(string)
	return r.WithContext(context.WithValue(r.Context(), routeKey{}, route)), route
}

// NameRoute notes the route of a request: its path with the names of the
// variables, such as "/api/v1/hosts/{id}".
func NameRoute(r *http.Request, path string) {
	if route, ok := r.Context().Value(routeKey{}).(*string); ok {
		*route = path
	}
}

// methods are the methods that are counted apart from each other.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}

// streams are the routes that are answered for as long as the client wants.
var streams = []string{"/events", "/api/v1/events"}

// Answered counts a request.
func (m *Metrics) Answered(route, method string, status int, took time.Duration) {
	if m == nil {
		return
	}
	if route == "" {
		route = unknownRoute
	}
	if !slices.Contains(methods, method) {
		method = "other"
	}
	c := m.answers.counterOf(answerKey{route, method, statusClass(status)}, m)
	c.requests.Inc()
	if c.durations != nil {
		c.durations.Observe(took.Seconds())
	}
}

// answerCounters keeps the counters that were used already. Finding them by their
// labels takes much longer (BenchmarkAnswered). There are as many as routes,
// methods and classes.
type answerCounters struct {
	mu            sync.RWMutex
	countersByKey map[answerKey]answerCounter
}

type answerKey struct{ route, method, status string }

// answerCounter counts the answers with a key. It has no durations for streams.
type answerCounter struct {
	requests  prometheus.Counter
	durations prometheus.Observer
}

func (a *answerCounters) counterOf(key answerKey, m *Metrics) answerCounter {
	a.mu.RLock()
	c, ok := a.countersByKey[key]
	a.mu.RUnlock()
	if ok {
		return c
	}
	c.requests = m.requests.WithLabelValues(key.route, key.method, key.status)
	if !slices.Contains(streams, key.route) {
		c.durations = m.durations.WithLabelValues(key.route, key.method)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.countersByKey == nil {
		a.countersByKey = make(map[answerKey]answerCounter)
	}
	a.countersByKey[key] = c
	return c
}

// statusClasses are the classes of status codes.
var statusClasses = [...]string{1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}

func statusClass(status int) string {
	if class := status / 100; class > 0 && class < len(statusClasses) {
		return statusClasses[class]
	}
	return "other"
}
