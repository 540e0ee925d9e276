package outbox

import (
	"testing"
	"time"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestRetry(t *testing.T) {
	c := NewChannel(true, start)
	var tried []time.Duration
	for c.State == Pending {
		now := c.Next
		if !c.Due(now) || c.Due(now.Add(-time.Second)) && len(tried) > 0 {
			t.Fatalf("due at %s: %+v", now, c)
		}
		tried = append(tried, now.Sub(start))
		c = c.After(Outcome{At: now, Failure: "connection refused"}, start)
	}
	if c.State != GivenUp || len(tried) != 27 || tried[4] != 81*time.Minute || tried[26] > giveUpAfter {
		t.Errorf("%d attempts, the last at %s: %+v", len(tried), tried[len(tried)-1], c)
	}
	if c := NewChannel(true, start).After(Outcome{At: start, Failure: "550 unknown", Permanent: true}, start); c.State != GivenUp || c.Attempts != 1 {
		t.Errorf("after a permanent failure: %+v", c)
	}
	if c := NewChannel(true, start).After(Outcome{At: start, Accepted: []string{"a@b"}}, start); c.State != Sent || c.Due(start.Add(time.Hour)) {
		t.Errorf("after a success: %+v", c)
	}
}
