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

// Stats holds the numbers of requests and answers of a feed.
type Stats struct {
	Elapsed    time.Duration
	Hosts      int         // number of hosts at the start
	Reports    int         // accepted reports
	Heartbeats int         // accepted heartbeats
	Statuses   map[int]int // number of answers by HTTP status
	Unanswered int         // requests without an answer: refused, interrupted or timed out
	// P50, P99 and Max are latencies; P50 and P99 are exact to about five
	// percent.
	P50, P99, Max time.Duration
	Messages      MessageStats
	// LastFailure describes the latest unexpected answer, failed message
	// connection or refused message; "" if there was none.
	LastFailure string
}

// MessageStats holds the numbers of message connections and messages of a feed.
type MessageStats struct {
	Wanted       int // connections of the agents that run
	Connected    int // wanted connections that are open; after the feed, those that were open when it ended
	Failures     int // failed attempts to connect, and connections that the other side has ended
	Acknowledged int // messages that were answered, or were for others
	Refused      int // messages that could not be answered
}

// PerSecond returns the mean number of accepted requests per second.
func (s Stats) PerSecond() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Reports+s.Heartbeats) / s.Elapsed.Seconds()
}

// String returns the numbers in one line for a terminal.
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
	if m := s.Messages; m.Wanted > 0 {
		fmt.Fprintf(&b, "  %d of %d message connections, %d failures, %d messages acknowledged, %d refused",
			m.Connected, m.Wanted, m.Failures, m.Acknowledged, m.Refused)
	}
	return b.String()
}

// stats counts answers. It is safe for concurrent use.
type stats struct {
	startedAt time.Time

	mu        sync.Mutex
	totals    Stats
	latencies [latencyClasses]int
}

// Latencies are counted in classes from one microsecond to some minutes. Each
// class is five percent larger than the one before.
const (
	latencyClasses    = 420
	latencyClassRatio = 1.05
)

func newStats(hosts int) *stats {
	return &stats{startedAt: time.Now(), totals: Stats{Hosts: hosts, Statuses: make(map[int]int)}}
}

func (s *stats) add(r request, status int, latency time.Duration, failure string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure != "" {
		s.totals.LastFailure = failure
	}
	if status == 0 {
		s.totals.Unanswered++
		return
	}
	s.totals.Statuses[status]++
	switch {
	case status != r.wantStatus:
	case r.wantStatus == http.StatusNoContent:
		s.totals.Heartbeats++
	default:
		s.totals.Reports++
	}
	s.totals.Max = max(s.totals.Max, latency)
	s.latencies[latencyClass(latency)]++
}

// changeMessageStats changes the numbers of messages.
func (s *stats) changeMessageStats(change func(*MessageStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.totals.Messages)
}

// countConnectionFailure counts a failed message connection.
func (s *stats) countConnectionFailure(failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Messages.Failures++
	s.totals.LastFailure = "message connection: " + failure.Error()
}

// countReceived counts a message. A failure means that it was refused.
func (s *stats) countReceived(failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure == nil {
		s.totals.Messages.Acknowledged++
		return
	}
	s.totals.Messages.Refused++
	s.totals.LastFailure = "message refused: " + failure.Error()
}

func latencyClass(d time.Duration) int {
	micros := max(1, float64(d)/float64(time.Microsecond))
	return min(latencyClasses-1, int(math.Log(micros)/math.Log(latencyClassRatio)))
}

// nothingAccepted reports whether no request has succeeded yet.
func (s *stats) nothingAccepted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.totals.Reports+s.totals.Heartbeats == 0
}

func (s *stats) total() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.totals
	sum.Elapsed = time.Since(s.startedAt)
	sum.Statuses = maps.Clone(sum.Statuses)
	sum.P50, sum.P99 = s.quantile(0.50), s.quantile(0.99)
	return sum
}

// quantile returns the latency below which the given share of the answers was.
func (s *stats) quantile(share float64) time.Duration {
	total := 0
	for _, n := range s.latencies {
		total += n
	}
	seen, want := 0, int(math.Ceil(share*float64(total)))
	for i, n := range s.latencies {
		if seen += n; n > 0 && seen >= want {
			upper := time.Duration(math.Pow(latencyClassRatio, float64(i+1)) * float64(time.Microsecond))
			return min(upper, s.totals.Max)
		}
	}
	return 0
}

// report calls progress every second, and once more when the context ends.
func (s *stats) report(ctx context.Context, progress func(Stats)) {
	if progress == nil {
		return
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			progress(s.total())
		case <-ctx.Done():
			progress(s.total())
			return
		}
	}
}
