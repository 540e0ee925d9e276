package fleet

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Stats are the sums of a feed up to a moment.
type Stats struct {
	Elapsed    time.Duration
	Hosts      int         // the landscape was started with
	Reports    int         // accepted
	Heartbeats int         // accepted
	Statuses   map[int]int // answers by HTTP status
	Unanswered int         // requests without an answer: refused, broken, too late
	// P50, P99 and Max are the times to an answer, to within some percent.
	P50, P99, Max time.Duration
	// Trouble is the latest unexpected answer, for people; empty without any.
	Trouble string
}

// PerSecond is the mean number of accepted requests a second.
func (s Stats) PerSecond() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Reports+s.Heartbeats) / s.Elapsed.Seconds()
}

// String is one line for a terminal.
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d reports, %d heartbeats, %.0f/s  p50 %s p99 %s max %s ",
		s.Elapsed.Round(time.Second), s.Reports, s.Heartbeats, s.PerSecond(),
		s.P50.Round(10*time.Microsecond), s.P99.Round(10*time.Microsecond), s.Max.Round(10*time.Microsecond))
	for _, status := range slices.Sorted(maps.Keys(s.Statuses)) {
		fmt.Fprintf(&b, " %d×%d", status, s.Statuses[status])
	}
	if s.Unanswered > 0 {
		fmt.Fprintf(&b, " unanswered×%d", s.Unanswered)
	}
	return b.String()
}

// tally adds up answers; it is safe for concurrent use.
type tally struct {
	began time.Time

	mu        sync.Mutex
	sums      Stats
	latencies [buckets]int
}

// Latencies are counted in buckets that grow by a twentieth, from one
// microsecond to some minutes.
const (
	buckets = 420
	growth  = 1.05
)

func newTally(hosts int) *tally {
	return &tally{began: time.Now(), sums: Stats{Hosts: hosts, Statuses: make(map[int]int)}}
}

func (t *tally) add(e errand, status int, latency time.Duration, trouble string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if trouble != "" {
		t.sums.Trouble = trouble
	}
	if status == 0 {
		t.sums.Unanswered++
		return
	}
	t.sums.Statuses[status]++
	switch {
	case status != e.want:
	case e.want == http.StatusNoContent:
		t.sums.Heartbeats++
	default:
		t.sums.Reports++
	}
	t.sums.Max = max(t.sums.Max, latency)
	t.latencies[bucket(latency)]++
}

func bucket(d time.Duration) int {
	micros := max(1, float64(d)/float64(time.Microsecond))
	return min(buckets-1, int(math.Log(micros)/math.Log(growth)))
}

// nothingAccepted reports whether no request has succeeded yet.
func (t *tally) nothingAccepted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sums.Reports+t.sums.Heartbeats == 0
}

func (t *tally) stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.sums
	s.Elapsed = time.Since(t.began)
	s.Statuses = maps.Clone(s.Statuses)
	s.P50, s.P99 = t.quantile(0.50), t.quantile(0.99)
	return s
}

// quantile is the latency below which a share of the answers came.
func (t *tally) quantile(share float64) time.Duration {
	total := 0
	for _, n := range t.latencies {
		total += n
	}
	seen, want := 0, int(math.Ceil(share*float64(total)))
	for i, n := range t.latencies {
		if seen += n; n > 0 && seen >= want {
			upper := time.Duration(math.Pow(growth, float64(i+1)) * float64(time.Microsecond))
			return min(upper, t.sums.Max)
		}
	}
	return 0
}

// show reports the sums every second, and a last time when the context ends.
func (t *tally) show(ctx context.Context, progress func(Stats)) {
	if progress == nil {
		return
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			progress(t.stats())
		case <-ctx.Done():
			progress(t.stats())
			return
		}
	}
}
