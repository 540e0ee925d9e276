package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// refused returns a report of the test's agent that cannot be used.
func refused(kind landscape.Kind, pointers ...string) RefusedReport {
	r := RefusedReport{Agent: agent, Kind: kind, Body: []byte("refused"), Reason: "odd"}
	for _, pointer := range pointers {
		r.Problems = append(r.Problems, ReportProblem{Pointer: pointer, Detail: "is invalid", Read: "9"})
	}
	return r
}

func refuse(t testing.TB, s *Store, r RefusedReport) {
	t.Helper()
	if err := s.RefuseReport(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// sweep advances the clock while the host sends heartbeats, and then runs the
// periodic checks of the store.
func sweep(t testing.TB, s *Store, c *clock, d time.Duration) {
	t.Helper()
	c.advance(d)
	err := errors.Join(s.Heartbeat(t.Context(), agent), s.MarkLostHosts(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
}

// statusOf returns the status of the reports of a kind from the test's agent.
func statusOf(t testing.TB, s *Store, kind landscape.Kind) (found ReportStatus) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		all, err := tx.ReportStatus(agent)
		if i := slices.IndexFunc(all, func(status ReportStatus) bool { return status.Kind == kind }); i >= 0 {
			found = all[i]
		}
		return err
	})
	return found
}

// faults returns the log entries about reports, oldest first.
func faults(t testing.TB, s *Store) (messages []string) {
	t.Helper()
	for _, e := range entries(t, s) {
		if e.Type == activity.TypeAgentReportFaulty || e.Type == activity.TypeAgentReportRecovered {
			messages = append(messages, e.Severity.String()+": "+e.Message())
		}
	}
	return messages
}

// TestReportFault checks one fault of reports from its beginning, over a
// restart, to its end.
func TestReportFault(t *testing.T) {
	var log bytes.Buffer
	c, dir := newClock(), t.TempDir()
	reopen := func() *Store {
		s, err := Open(dir, Options{Now: c.Now, NoSync: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { shut(t, s) })
		return s
	}
	s := reopen()
	observe(t, s, hostReport("vega01"))
	observe(t, s, cloudReport("kvm"))
	began := c.Now().Add(10 * time.Second)
	for range 5 {
		c.advance(10 * time.Second)
		refuse(t, s, refused(landscape.CloudDiscovery, "/Provider"))
	}
	status := statusOf(t, s, landscape.CloudDiscovery)
	want := ReportStatus{
		Kind: landscape.CloudDiscovery, Outcome: ReportRefused, Since: began, Last: began.Add(40 * time.Second), Count: 5,
		Problems: []ReportProblem{{Pointer: "/Provider", Detail: "is invalid", Read: "9"}}, ProblemCount: 1,
		Period: 10 * time.Second, Logged: true, LoggedAt: began, Changed: began,
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}

	shut(t, s)
	s = reopen()
	c.advance(10 * time.Second)
	changes := lastChange(t, s)
	refuse(t, s, refused(landscape.CloudDiscovery, "/Provider"))
	status = statusOf(t, s, landscape.CloudDiscovery)
	if !status.Since.Equal(began) || status.Count != 6 || lastChange(t, s) != changes {
		t.Errorf("after a restart since %s, %d times, %d records written", status.Since, status.Count, lastChange(t, s)-changes)
	}

	c.advance(2 * time.Minute)
	refuse(t, s, refused(landscape.CloudDiscovery, "/Metadata", "/Provider"))
	if status = statusOf(t, s, landscape.CloudDiscovery); status.ProblemCount != 2 || status.Count != 7 || !status.Since.Equal(began) {
		t.Errorf("after another problem: %+v", status)
	}
	c.advance(10 * time.Second)
	observe(t, s, cloudReport("kvm"))
	status = statusOf(t, s, landscape.CloudDiscovery)
	if status.Faulty() || !status.Since.Equal(c.Now()) || len(status.Problems) > 0 {
		t.Errorf("after a report that can be used: %+v", status)
	}
	wantEntries := []string{
		"warning: The cloud report of vega01 could not be used: /Provider is invalid (read: 9)",
		"info: The cloud report of vega01 can be used again",
	}
	if diff := cmp.Diff(wantEntries, faults(t, s)); diff != "" {
		t.Errorf("activity log (-want +got):\n%s", diff)
	}
	var lines []string
	for line := range strings.Lines(log.String()) {
		_, words, _ := strings.Cut(line, "level=")
		lines = append(lines, strings.TrimSpace(words))
	}
	wantLines := []string{
		`WARN msg="report could not be used in full" agent=` + string(agent) + ` host=vega01 type=cloud_discovery outcome=refused problems=1 reason="/Provider is invalid"`,
		`WARN msg="report could not be used in full" agent=` + string(agent) + ` host=vega01 type=cloud_discovery outcome=refused problems=2 reason="/Metadata is invalid"`,
		`INFO msg="reports can be used again" agent=` + string(agent) + ` host=vega01 type=cloud_discovery`,
	}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestRefusedReportEndsUnchanged checks that the last accepted body is
// evaluated again after a fault, because it ends the fault.
func TestRefusedReportEndsUnchanged(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	good := hostReport("vega01")
	observe(t, s, good)
	if !s.Unchanged(good.Body) {
		t.Fatal("a repeated report counts as changed")
	}
	refuse(t, s, refused(landscape.HostDiscovery, "/hostname"))
	if s.Unchanged(good.Body) {
		t.Fatal("the report that ends a fault counts as unchanged")
	}
	observe(t, s, good)
	if status := statusOf(t, s, landscape.HostDiscovery); status.Faulty() {
		t.Errorf("the fault has not ended: %+v", status)
	}
}

// TestFlappingReports checks that two agents with the same id, one of which
// sends unreadable reports, do not fill the log. A fault that lasts is still
// logged.
func TestFlappingReports(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	observe(t, s, hostReport("vega01"))
	for range 30 { // five minutes
		c.advance(5 * time.Second)
		refuse(t, s, refused(landscape.HostDiscovery, "/hostname"))
		c.advance(5 * time.Second)
		observe(t, s, hostReport("vega01"))
	}
	if got := faults(t, s); len(got) != 2 {
		t.Errorf("a fault that comes and goes: %q", got)
	}
	refuse(t, s, refused(landscape.HostDiscovery, "/hostname"))
	sweep(t, s, c, 29*time.Second)
	if got := faults(t, s); len(got) != 2 {
		t.Errorf("a fault is told too early: %q", got)
	}
	sweep(t, s, c, time.Second)
	if got := faults(t, s); len(got) != 3 {
		t.Errorf("a fault that stays: %q", got)
	}
	sweep(t, s, c, 10*time.Second)
	observe(t, s, hostReport("vega01"))
	if got := faults(t, s); len(got) != 4 {
		t.Errorf("and its end: %q", got)
	}
}

// TestStaleBehindRefusedReports checks that data become stale when no usable
// report has come for three intervals, and that the next usable report ends
// that.
func TestStaleBehindRefusedReports(t *testing.T) {
	t.Parallel()
	staleness := func(t *testing.T, s *Store) (cluster, database bool) {
		view(t, s, func(tx *Tx) error {
			c, err := tx.Cluster(landscape.ClusterIDFromKey(clusterKey))
			if err != nil {
				return err
			}
			db, err := tx.Database(landscape.DatabaseIDFromKey("qx1"))
			cluster, database = c.StaleSince != nil, db.StaleSince != nil && db.Instances[0].StaleSince != nil
			return err
		})
		return cluster, database
	}
	for name, test := range map[string]struct {
		kind              landscape.Kind
		good              Report
		period            time.Duration // interval of the usable reports
		after             time.Duration // time from the last usable report to the first refused one
		cluster, database bool
		stays             bool // in a second process
	}{
		"not yet":                  {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: 10 * time.Second, after: 29 * time.Second},
		"SAP":                      {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: 10 * time.Second, after: 30 * time.Second, database: true},
		"SAP, frequent reports":    {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: time.Second, after: 29 * time.Second},
		"SAP, rare reports":        {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: 5 * time.Minute, after: 14 * time.Minute},
		"SAP, rare reports, later": {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: 5 * time.Minute, after: 15 * time.Minute, database: true},
		"SAP, over a restart":      {kind: landscape.SAPSystemDiscovery, good: databaseReport(landscape.Green), period: 5 * time.Minute, after: 15 * time.Minute, database: true, stays: true},
		"cluster":                  {kind: landscape.ClusterDiscovery, good: clusterReport(), period: 10 * time.Second, after: 30 * time.Second, cluster: true},
		"others":                   {kind: landscape.CloudDiscovery, good: cloudReport("kvm"), period: 10 * time.Second, after: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := populated(t)
			observe(t, s, test.good)
			c.advance(test.period)
			refuse(t, s, refused(test.kind, "/0"))
			if test.stays {
				sweep(t, s, c, test.after/2)
				dir := filepath.Dir(s.db.Path())
				shut(t, s)
				s = open(t, dir, c)
				sweep(t, s, c, test.after/2)
			} else {
				sweep(t, s, c, test.after)
			}
			if cluster, database := staleness(t, s); cluster != test.cluster || database != test.database {
				t.Errorf("stale: cluster %v, database %v", cluster, database)
			}
			changes := lastChange(t, s)
			sweep(t, s, c, time.Second)
			if n := lastChange(t, s) - changes; (test.cluster || test.database) && n > 0 {
				t.Errorf("the next sweep has written %d records", n)
			}
			if s.Unchanged(test.good.Body) {
				t.Error("the report that makes it fresh counts as unchanged")
			}
			observe(t, s, test.good)
			if cluster, database := staleness(t, s); cluster || database {
				t.Errorf("still stale: cluster %v, database %v", cluster, database)
			}
		})
	}
}

// TestStaleBehindOmissions checks that an instance whose part of the report
// cannot be read is kept, and becomes stale after three intervals. Other
// instances do not become stale.
func TestStaleBehindOmissions(t *testing.T) {
	s, c := populated(t)
	elements := func(numbers ...string) []landscape.Element {
		var all []landscape.Element
		for _, number := range numbers {
			e := databaseReport(landscape.Green).Observation.SAP.Elements[0]
			e.Number = number
			all = append(all, e)
		}
		return all
	}
	observe(t, s, report(landscape.Observation{Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{Elements: elements("10", "20")}}))
	staleness := func() (stale []string) {
		view(t, s, func(tx *Tx) error {
			db, err := tx.Database(landscape.DatabaseIDFromKey("qx1"))
			if err != nil {
				return err
			}
			for _, i := range db.Instances {
				if i.AbsentSince != nil {
					stale = append(stale, i.Number+" absent")
				}
				if i.StaleSince != nil {
					stale = append(stale, i.Number)
				}
			}
			return nil
		})
		return stale
	}
	half := report(landscape.Observation{
		Kind:      landscape.SAPSystemDiscovery,
		SAP:       &landscape.SAPReport{Elements: elements("10"), Unread: []landscape.UnreadInstance{{SID: "QX1", Number: "20"}}},
		Omissions: []landscape.Omission{{Pointer: "/0/Instances/1", Detail: "is not an object", Read: "7"}},
	})
	c.advance(10 * time.Second)
	observe(t, s, half)
	sweep(t, s, c, 29*time.Second)
	if got := staleness(); len(got) > 0 {
		t.Errorf("too early: %q", got)
	}
	sweep(t, s, c, time.Second)
	if diff := cmp.Diff([]string{"20"}, staleness()); diff != "" {
		t.Errorf("after three periods (-want +got):\n%s", diff)
	}
	changes := lastChange(t, s)
	if !s.Unchanged(half.Body) {
		observe(t, s, half)
	}
	sweep(t, s, c, time.Second)
	if n := lastChange(t, s) - changes; n > 0 {
		t.Errorf("the same report and the next sweep have written %d records", n)
	}
	if diff := cmp.Diff([]string{"20"}, staleness()); diff != "" {
		t.Errorf("after the same report (-want +got):\n%s", diff)
	}
	observe(t, s, report(landscape.Observation{Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{Elements: elements("10", "20")}}))
	if got := staleness(); len(got) > 0 {
		t.Errorf("after a report that can be read: %q", got)
	}
}

// TestReportsOfCleanedUpHosts checks that the statuses of the reports are
// deleted with the host.
func TestReportsOfCleanedUpHosts(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	observe(t, s, hostReport("vega01"))
	refuse(t, s, refused(landscape.HostDiscovery, "/hostname"))
	c.advance(time.Minute)
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, landscape.Target{Host: agent}); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		if all, err := tx.ReportStatus(agent); err != nil || len(all) > 0 {
			t.Errorf("still remembered: %+v (%v)", all, err)
		}
		return nil
	})
}

// TestUnregisteredAgents checks that the number of stored agents without a host
// is limited, and that they are pruned.
func TestUnregisteredAgents(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := open(t, t.TempDir(), c)
	count := func() (n int) {
		view(t, s, func(tx *Tx) error {
			for range tx.AllAgentReports() {
				n++
			}
			return nil
		})
		return n
	}
	for i := range maxUnregistered + 3 {
		r := refused(landscape.HostDiscovery, "/hostname")
		r.Agent = landscape.HostID(fmt.Sprintf("6f0f7a5e-1c1f-5c43-9d0c-%012d", i))
		r.Body = fmt.Append(nil, "body ", i)
		for range 2 {
			refuse(t, s, r)
		}
	}
	if n := count(); n != maxUnregistered {
		t.Errorf("%d agents are remembered, want %d", n, maxUnregistered)
	}
	if n := len(faults(t, s)); n != maxUnregistered {
		t.Errorf("%d entries in the log, want %d", n, maxUnregistered)
	}
	observe(t, s, hostReport("vega01"))
	refuse(t, s, refused(landscape.CloudDiscovery, "/Provider"))
	if n := count(); n != maxUnregistered+1 {
		t.Errorf("there is no room for an agent with a host: %d", n)
	}
	early := report(landscape.Observation{Kind: landscape.CloudDiscovery, Cloud: &landscape.Cloud{Provider: "kvm"}})
	early.Observation.Agent = "0d9c2f1e-7b7a-5f0a-8a53-3f1f2f4f9b02"
	if err := s.Observe(t.Context(), early); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if n := count(); n != maxUnregistered+1 {
		t.Errorf("a report that waits for its host is remembered: %d", n)
	}

	c.advance(23 * time.Hour)
	heard := refused(landscape.HostDiscovery, "/hostname")
	heard.Agent = "6f0f7a5e-1c1f-5c43-9d0c-000000000007"
	refuse(t, s, heard)
	c.advance(2 * time.Hour)
	if err := s.PruneAgents(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d agents are remembered a day later, want the one with a host and the one that was heard", n)
	}
}

// TestOtherFaultEnds checks that the fault of reports of an unknown type ends
// when no more such reports come, because no usable report can end it.
func TestOtherFaultEnds(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	observe(t, s, hostReport("vega01"))
	for range 3 {
		refuse(t, s, refused(OtherDiscovery, "/discovery_type"))
		c.advance(10 * time.Hour)
		if err := s.PruneAgents(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if status := statusOf(t, s, OtherDiscovery); !status.Faulty() || status.Count != 3 {
		t.Errorf("while they come: %+v", status)
	}
	c.advance(14 * time.Hour)
	if err := s.PruneAgents(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status := statusOf(t, s, OtherDiscovery); status.Faulty() {
		t.Errorf("a day later: %+v", status)
	}
	want := []string{
		"warning: The report of vega01 could not be used: /discovery_type is invalid (read: 9)",
		"info: No more reports of an unknown type came from vega01",
	}
	if diff := cmp.Diff(want, faults(t, s)); diff != "" {
		t.Errorf("activity log (-want +got):\n%s", diff)
	}
}

// TestReportProblemsAreCut checks that the number and the length of the stored
// problems are limited.
func TestReportProblemsAreCut(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	long := refused(landscape.HostDiscovery)
	for range 5000 {
		long.Problems = append(long.Problems, ReportProblem{Pointer: strings.Repeat("/ü", 300), Detail: strings.Repeat("é", 3000), Read: strings.Repeat("\xff", 3000)})
	}
	refuse(t, s, long)
	status := statusOf(t, s, landscape.HostDiscovery)
	if status.ProblemCount != 5000 || len(status.Problems) != maxReportProblems {
		t.Errorf("%d of %d problems are kept", len(status.Problems), status.ProblemCount)
	}
	if body, err := json.Marshal(status); err != nil || len(body) > 8<<10 {
		t.Errorf("%d bytes are kept (%v)", len(body), err)
	}
	for _, e := range entries(t, s) {
		if len(e.Metadata) > 4<<10 {
			t.Errorf("an entry of %d bytes in the log", len(e.Metadata))
		}
	}
}

// TestMigrateAgentReports opens a file from before the bucket of agent reports
// existed.
func TestMigrateAgentReports(t *testing.T) {
	s := open(t, oldFile(t, "v1.db.gz"), newClock())
	observe(t, s, hostReport("vega01"))
	refuse(t, s, refused(landscape.CloudDiscovery, "/Provider"))
	if status := statusOf(t, s, landscape.CloudDiscovery); !status.Faulty() {
		t.Errorf("after the migration: %+v", status)
	}
}
