package store

import (
	"testing"
	"time"

	"trento/store/landscape"
)

// TestReportTimes checks that the times of the last reports are kept over a
// restart, including reports that changed nothing, and that they are deleted
// with their host.
func TestReportTimes(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	s := open(t, dir, c)
	report := hostReport("vega01")
	observe(t, s, report)
	observe(t, s, cloudReport("kvm"))
	cloudAt := c.Now()
	c.advance(10 * time.Second)
	if !s.Unchanged(report.Body) {
		t.Fatal("the report counts as changed")
	}
	hostAt := c.Now()
	shut(t, s)

	c.advance(time.Hour)
	s = open(t, dir, c)
	expect := func(kind landscape.Kind, want time.Time) {
		t.Helper()
		if got := statusOf(t, s, kind); !got.Last.Equal(want) || !want.IsZero() && got.Faulty() {
			t.Errorf("%s: %+v, want the time %s", kind, got, want)
		}
	}
	expect(landscape.HostDiscovery, hostAt)
	expect(landscape.CloudDiscovery, cloudAt)
	expect(landscape.SaptuneDiscovery, time.Time{})
	if !s.StartedAt().Equal(c.Now()) {
		t.Errorf("started at %s", s.StartedAt())
	}

	// Without closing, as after a kill, the hourly task has written them.
	observe(t, s, report)
	hostAt = c.Now()
	if err := s.PruneAgents(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.reportCounts = reportCounts{}
	if err := s.loadInMemoryState(); err != nil {
		t.Fatal(err)
	}
	expect(landscape.HostDiscovery, hostAt)

	c.advance(time.Minute)
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, landscape.Target{Host: agent}); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = open(t, dir, c)
	expect(landscape.HostDiscovery, time.Time{})
}

// TestOverdue checks when the next report should have come.
func TestOverdue(t *testing.T) {
	last := time.Date(2026, 8, 20, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		status  ReportStatus
		started time.Duration // after the last report; the server was down meanwhile
		after   time.Duration
		want    bool
	}{
		"in time":                 {ReportStatus{Kind: landscape.HostDiscovery, Last: last}, 0, 29 * time.Second, false},
		"three periods":           {ReportStatus{Kind: landscape.HostDiscovery, Last: last}, 0, 30 * time.Second, true},
		"a slow kind":             {ReportStatus{Kind: landscape.SaptuneDiscovery, Last: last}, 0, 44 * time.Minute, false},
		"three slow periods":      {ReportStatus{Kind: landscape.SaptuneDiscovery, Last: last}, 0, 45 * time.Minute, true},
		"a slow agent":            {ReportStatus{Kind: landscape.HostDiscovery, Last: last, Period: 5 * time.Minute}, 0, 14 * time.Minute, false},
		"a slow agent, late":      {ReportStatus{Kind: landscape.HostDiscovery, Last: last, Period: 5 * time.Minute}, 0, 15 * time.Minute, true},
		"the server was down":     {ReportStatus{Kind: landscape.HostDiscovery, Last: last}, time.Hour, time.Hour + 29*time.Second, false},
		"late after the start":    {ReportStatus{Kind: landscape.HostDiscovery, Last: last}, time.Hour, time.Hour + 30*time.Second, true},
		"never reported":          {ReportStatus{Kind: landscape.SubscriptionDiscovery}, 0, 24 * time.Hour, false},
		"no kind with a period":   {ReportStatus{Kind: OtherDiscovery, Last: last}, 0, 24 * time.Hour, false},
		"refused, but not silent": {ReportStatus{Kind: landscape.HostDiscovery, Outcome: ReportRefused, Since: last.Add(-time.Hour), Last: last}, 0, time.Second, false},
	} {
		if got := test.status.Overdue(last.Add(test.after), last.Add(test.started)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestMigrationOfReportTimes opens v7.db, which has a registered host whose
// last saptune report was refused.
func TestMigrationOfReportTimes(t *testing.T) {
	c := newClock()
	dir := oldFile(t, "v7.db.gz")
	s := open(t, dir, c)
	if got := statusOf(t, s, landscape.HostDiscovery); !got.Last.IsZero() {
		t.Errorf("the old file knows a time: %+v", got)
	}
	if got := statusOf(t, s, landscape.SaptuneDiscovery); !got.Faulty() {
		t.Errorf("saptune: %+v", got)
	}
	observe(t, s, hostReport("vega01"))
	shut(t, s)
	s = open(t, dir, c)
	if got := statusOf(t, s, landscape.HostDiscovery); !got.Last.Equal(c.Now()) {
		t.Errorf("after a report: %+v", got)
	}
}
