package store

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/fault"
	"trento/store/landscape"
)

const clusterKey = "5f1d2c3b4a5968778695a4b3c2d1e0f0"

func clusterReport() Report {
	written := "Mon Aug 17 08:00:00 2026"
	name := "north"
	return report(landscape.Observation{Kind: landscape.ClusterDiscovery, Cluster: &landscape.ClusterReport{
		ID: landscape.ClusterIDFromKey(clusterKey), Name: &name, Online: true, CIBLastWritten: &written,
	}})
}

// databaseReport is one database instance without replication on the test's
// host.
func databaseReport(status landscape.InstanceStatus) Report {
	none := "none"
	return report(landscape.Observation{Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{Elements: []landscape.Element{{
		SID: "QX1", Number: "10", InstanceFacts: landscape.InstanceFacts{Features: "HDB|HDB_WORKER", StartPriority: "0.3", Status: status},
		Database: &landscape.DatabaseElement{
			ID: landscape.DatabaseIDFromKey("qx1"), Tenants: []string{"QX1"}, Replication: landscape.Replication{Mode: &none},
		},
	}}}})
}

func noSAPReport() Report {
	return report(landscape.Observation{Kind: landscape.SAPSystemDiscovery, SAP: &landscape.SAPReport{}})
}

// populated returns a store with a database host in a cluster.
func populated(t *testing.T) (*Store, *clock) {
	t.Helper()
	c := newClock()
	s := open(t, t.TempDir(), c)
	for _, r := range []Report{hostReport("vega01"), clusterReport(), databaseReport(landscape.Green)} {
		observe(t, s, r)
	}
	if err := s.Heartbeat(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	return s, c
}

// correlations returns the distinct correlation ids of some entries.
func correlations(t *testing.T, log []*activity.Entry) (ids []string) {
	t.Helper()
	for _, e := range log {
		var metadata struct {
			ID string `json:"correlation_id"`
		}
		if err := json.Unmarshal(e.Metadata, &metadata); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ids, metadata.ID) {
			ids = append(ids, metadata.ID)
		}
	}
	return ids
}

func TestCleanUpHost(t *testing.T) {
	s, c := populated(t)
	by := Actor{Name: "ann"}
	if err := s.CleanUp(t.Context(), by, nil, landscape.Target{Host: agent}); !errors.Is(err, landscape.ErrLive) {
		t.Fatalf("a host that was just heard: %v", err)
	}
	c.advance(time.Minute)
	if err := s.AddTag(t.Context(), by, HostTag, string(agent), "keep"); err != nil {
		t.Fatal(err)
	}
	var plan []activity.Type
	view(t, s, func(tx *Tx) error {
		changes, err := tx.PlanCleanUp(landscape.Target{Host: agent})
		for _, e := range changes.Events {
			plan = append(plan, e.Type())
		}
		return err
	})
	before := len(entries(t, s))
	if err := s.CleanUp(t.Context(), by, nil, landscape.Target{Host: agent}); err != nil {
		t.Fatal(err)
	}
	log := entries(t, s)[before:]
	want := []activity.Type{
		activity.TypeHostCleanupRequested, activity.TypeHostDeregistrationRequested,
		activity.TypeDatabaseInstanceDeregistered,
		// Without SAP software, the state of saptune does not affect the health.
		activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged,
		activity.TypeDatabaseDeregistered, activity.TypeHostRemovedFromCluster, activity.TypeClusterDeregistered,
		activity.TypeSoftwareUpdatesDiscoveryCleared, activity.TypeHostDeregistered,
	}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], plan); diff != "" {
		t.Errorf("the dry run said something else (-want +got):\n%s", diff)
	}
	if ids := correlations(t, log); len(ids) != 1 || ids[0] == "" {
		t.Errorf("correlation ids %q, want one", ids)
	}
	if log[0].Actor != "ann" || log[1].Actor != activity.System {
		t.Errorf("actors %q, %q", log[0].Actor, log[1].Actor)
	}
	if err := s.CleanUp(t.Context(), by, nil, landscape.Target{Host: agent}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	if err := s.Heartbeat(t.Context(), agent); !errors.Is(err, ErrNotFound) {
		t.Errorf("heartbeat of a host that is gone: %v", err)
	}
	view(t, s, func(tx *Tx) error {
		for range tx.Clusters() {
			t.Error("the cluster is still there")
		}
		for range tx.Databases() {
			t.Error("the database is still there")
		}
		return nil
	})

	// The same reports restore everything, because the hashes of reports are
	// forgotten with a clean-up. The tag is restored as well.
	for _, r := range []Report{hostReport("vega01"), clusterReport(), databaseReport(landscape.Green)} {
		if s.Unchanged(r.Body) {
			t.Errorf("%s counts as unchanged", r.Observation.Kind)
		}
		observe(t, s, r)
	}
	view(t, s, func(tx *Tx) error {
		if _, err := tx.Cluster(landscape.ClusterIDFromKey(clusterKey)); err != nil {
			t.Error(err)
		}
		if _, err := tx.Database(landscape.DatabaseIDFromKey("qx1")); err != nil {
			t.Error(err)
		}
		tags, err := tx.Tags(HostTag, string(agent))
		if len(tags) != 1 || tags[0].Value != "keep" {
			t.Errorf("tags %v", tags)
		}
		return err
	})
}

func TestCleanUpDatabaseInstance(t *testing.T) {
	s, _ := populated(t)
	id := landscape.DatabaseIDFromKey("qx1")
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, landscape.Target{Database: id, Host: agent, Number: "10"}); !errors.Is(err, landscape.ErrPresent) {
		t.Fatalf("an instance that is there: %v", err)
	}
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, landscape.Target{Database: id, Host: agent, Number: "11"}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("no such instance: %v", err)
	}
	observe(t, s, noSAPReport())
	before := len(entries(t, s))
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, landscape.Target{Database: id, Host: agent, Number: "10"}); err != nil {
		t.Fatal(err)
	}
	log := entries(t, s)[before:]
	want := []activity.Type{
		activity.TypeDatabaseCleanupRequested, activity.TypeDatabaseInstanceDeregistered,
		activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged, activity.TypeDatabaseDeregistered,
	}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if ids := correlations(t, log); len(ids) != 1 {
		t.Errorf("correlation ids %q, want one", ids)
	}
}

// TestNumberIsTakenOver checks that a rebuilt database takes over the instance
// number of the database that it replaces, in one change. The replaced database
// is kept after a restart and can be cleaned up.
func TestNumberIsTakenOver(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	observe(t, s, hostReport("vega01"))
	observe(t, s, databaseReport(landscape.Green))
	rebuilt := databaseReport(landscape.Green)
	rebuilt.Observation.SAP.Elements[0].Database.ID = landscape.DatabaseIDFromKey("qx1 rebuilt")
	rebuilt.Body = append(rebuilt.Body, ' ')
	before := len(entries(t, s))
	observe(t, s, rebuilt)
	log := entries(t, s)[before:]
	want := []activity.Type{
		activity.TypeDatabaseInstanceMarkedAbsent, activity.TypeDatabaseRegistered, activity.TypeDatabaseInstanceRegistered, activity.TypeDatabaseTenantsUpdated,
	}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if ids := correlations(t, log); len(ids) != 1 {
		t.Errorf("correlation ids %q, want one", ids)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, c)
	now := landscape.Target{Database: landscape.DatabaseIDFromKey("qx1 rebuilt"), Host: agent, Number: "10"}
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, now); !errors.Is(err, landscape.ErrPresent) {
		t.Errorf("the instance that is there: %v", err)
	}
	former := landscape.Target{Database: landscape.DatabaseIDFromKey("qx1"), Host: agent, Number: "10"}
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, former); err != nil {
		t.Errorf("the instance that was there: %v", err)
	}
	view(t, s, func(tx *Tx) error {
		_, err := tx.Database(landscape.DatabaseIDFromKey("qx1 rebuilt"))
		return err
	})
}

// TestNotHeardSinceStart checks that a host cannot be cleaned up as long as its
// first heartbeat after the start of the server is not overdue, unless it was
// registered after the start.
func TestNotHeardSinceStart(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	observe(t, s, hostReport("vega01"))
	if err := s.Heartbeat(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	c.advance(time.Hour)
	s = open(t, dir, c)
	cleanUp := func() error {
		return s.CleanUp(t.Context(), System(), nil, landscape.Target{Host: agent})
	}
	if err := cleanUp(); !errors.Is(err, landscape.ErrLive) {
		t.Errorf("just started: %v", err)
	}
	c.advance(s.HeartbeatTimeout())
	if err := cleanUp(); !errors.Is(err, landscape.ErrLive) {
		t.Errorf("before its time is over: %v", err)
	}
	c.advance(time.Second)
	if err := cleanUp(); err != nil {
		t.Errorf("still silent: %v", err)
	}
	shut(t, s)
	s = open(t, dir, c)
	observe(t, s, hostReport("vega01")) // restored
	if err := cleanUp(); !errors.Is(err, landscape.ErrLive) {
		t.Errorf("restored: %v", err)
	}
	other := hostReport("vega02")
	other.Observation.Agent = "11111111-2222-5333-8444-555555555555"
	observe(t, s, other)
	if err := s.CleanUp(t.Context(), System(), nil, landscape.Target{Host: other.Observation.Agent}); err != nil {
		t.Errorf("new and never heard: %v", err)
	}
}

// TestCleanUpTogether checks that several targets are cleaned up in one change
// with one correlation id, or not at all.
func TestCleanUpTogether(t *testing.T) {
	s, c := populated(t)
	instance := landscape.Target{Database: landscape.DatabaseIDFromKey("qx1"), Host: agent, Number: "10"}
	targets := []landscape.Target{{Host: agent}, instance}
	c.advance(time.Minute)
	before := len(entries(t, s))
	err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, targets...)
	if !errors.Is(err, landscape.ErrPresent) || errors.Is(err, landscape.ErrLive) || !strings.Contains(err.Error(), instance.String()) {
		t.Fatalf("with an instance that is there: %v", err)
	}
	if log := entries(t, s)[before:]; len(log) > 0 {
		t.Errorf("what was refused is logged: %v", typesOf(log))
	}
	view(t, s, func(tx *Tx) error {
		_, err := tx.Host(agent)
		return err
	})

	observe(t, s, noSAPReport())
	before = len(entries(t, s))
	disagreed := errors.New("that is more than was agreed")
	shown := 0
	err = s.CleanUp(t.Context(), Actor{Name: "ann"}, func(_ *Tx, changes *landscape.Changeset) error {
		shown = len(changes.Events)
		return disagreed
	}, targets...)
	if !errors.Is(err, disagreed) || shown == 0 || len(entries(t, s)) != before {
		t.Fatalf("without agreement: %v, %d events shown, %d entries more", err, shown, len(entries(t, s))-before)
	}
	if err := s.CleanUp(t.Context(), Actor{Name: "ann"}, nil, targets...); err != nil {
		t.Fatal(err)
	}
	log := entries(t, s)[before:]
	want := []activity.Type{
		activity.TypeHostCleanupRequested, activity.TypeDatabaseCleanupRequested,
		activity.TypeDatabaseInstanceDeregistered, activity.TypeHostSaptuneHealthChanged, activity.TypeHostHealthChanged, activity.TypeDatabaseDeregistered,
		activity.TypeHostDeregistrationRequested, activity.TypeHostRemovedFromCluster, activity.TypeClusterDeregistered,
		activity.TypeSoftwareUpdatesDiscoveryCleared, activity.TypeHostDeregistered,
	}
	if diff := cmp.Diff(want, typesOf(log)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if ids := correlations(t, log); len(ids) != 1 || ids[0] == "" {
		t.Errorf("correlation ids %q, want one", ids)
	}
}

// TestSilenceIsNotForgotten checks that unchanged reports after a lost
// heartbeat are evaluated, because they end the staleness.
func TestSilenceIsNotForgotten(t *testing.T) {
	s, c := populated(t)
	c.advance(time.Minute)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	staleness := func() (cluster, database bool) {
		view(t, s, func(tx *Tx) error {
			c, err := tx.Cluster(landscape.ClusterIDFromKey(clusterKey))
			if err != nil {
				return err
			}
			db, err := tx.Database(landscape.DatabaseIDFromKey("qx1"))
			cluster, database = c.StaleSince != nil, db.StaleSince != nil
			return err
		})
		return cluster, database
	}
	if cluster, database := staleness(); !cluster || !database {
		t.Errorf("stale: cluster %v, database %v", cluster, database)
	}
	for _, r := range []Report{clusterReport(), databaseReport(landscape.Green)} {
		if s.Unchanged(r.Body) {
			t.Errorf("%s counts as unchanged", r.Observation.Kind)
		}
		observe(t, s, r)
	}
	if cluster, database := staleness(); cluster || database {
		t.Errorf("still stale: cluster %v, database %v", cluster, database)
	}
}

// TestSilenceOutlivesAStart checks that an invalidated report is still
// invalidated after a restart.
func TestSilenceOutlivesAStart(t *testing.T) {
	s, c := populated(t)
	c.advance(time.Minute)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(s.db.Path())
	shut(t, s)
	s = open(t, dir, c)
	if s.Unchanged(clusterReport().Body) {
		t.Error("the report of a stale cluster counts as unchanged")
	}
}

// TestOtherProgram checks that the next SAP report is evaluated in full after a
// start with another version of the program, and only once.
func TestOtherProgram(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	for i, start := range []struct {
		program string
		forget  bool
	}{{"1.0", false}, {"1.0", false}, {"1.1", true}, {"1.1", false}, {"1.0", true}, {"", true}} {
		s, err := Open(dir, Options{Now: c.Now, NoSync: true, Program: start.program})
		if err != nil {
			t.Fatal(err)
		}
		forgets := func() (forget bool) {
			view(t, s, func(tx *Tx) error {
				k, err := landscapeState{tx}.LastSAPReport(agent)
				forget = err == nil && k.Invalidated
				return nil
			})
			return forget
		}
		if got := forgets(); got != start.forget {
			t.Errorf("start %d, program %q: judged in full is %v, want %v", i, start.program, got, start.forget)
		}
		observe(t, s, hostReport("vega01"))
		observe(t, s, databaseReport(landscape.Green))
		if forgets() {
			t.Errorf("start %d, program %q: the report was not judged in full", i, start.program)
		}
		shut(t, s)
	}
}

func TestEventsAreNamed(t *testing.T) {
	s, _ := populated(t)
	observe(t, s, databaseReport(landscape.Red))
	for _, e := range entries(t, s) {
		var metadata map[string]any
		if err := json.Unmarshal(e.Metadata, &metadata); err != nil {
			t.Fatal(err)
		}
		for id, name := range map[string]string{"host_id": "hostname", "cluster_id": "name", "database_id": "sid"} {
			if metadata[id] != nil && metadata[name] == nil {
				t.Errorf("%s has %s but no %s: %s", e.Type, id, name, e.Metadata)
			}
		}
	}
}

func TestTags(t *testing.T) {
	s, _ := populated(t)
	by := Actor{Name: "ann"}
	values := func() (values []string) {
		view(t, s, func(tx *Tx) error {
			tags, err := tx.Tags(HostTag, string(agent))
			for _, tag := range tags {
				values = append(values, tag.Value)
			}
			return err
		})
		return values
	}
	for _, value := range []string{" prod ", "a", "prod", "größe_1+2=3.x,y:z@w"} {
		if err := s.AddTag(t.Context(), by, HostTag, string(agent), value); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
	if diff := cmp.Diff([]string{"a", "größe_1+2=3.x,y:z@w", "prod"}, values()); diff != "" {
		t.Error(diff)
	}
	for _, value := range []string{"", "  ", "a b", "a/b", "a#b", "a\x00b", "\xff", string(make([]byte, 300))} {
		invalid := new(fault.Error)
		if err := s.AddTag(t.Context(), by, HostTag, string(agent), value); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", value, err)
		}
	}
	if err := s.DeleteTag(t.Context(), by, ClusterTag, string(agent), "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a tag of another kind of thing: %v", err)
	}
	if err := s.DeleteTag(t.Context(), by, HostTag, string(agent), "a"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"größe_1+2=3.x,y:z@w", "prod"}, values()); diff != "" {
		t.Error(diff)
	}
	log := entries(t, s)
	last := log[len(log)-1]
	const want = `{"hostname":"vega01","removed_tag":"a","resource_id":"6f0f7a5e-1c1f-5c43-9d0c-2b7c5a2f9e01","resource_type":"host"}`
	if last.Type != activity.TypeResourceUntagging || last.Actor != "ann" || string(last.Metadata) != want {
		t.Errorf("%s by %s: %s", last.Type, last.Actor, last.Metadata)
	}
}

func TestSelectChecks(t *testing.T) {
	s, _ := populated(t)
	by := Actor{Name: "ann"}
	for range 2 {
		if err := s.SelectHostChecks(t.Context(), by, agent, []string{"B", "A", "B"}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"A", "B"}, theHost(t, s).SelectedChecks); diff != "" {
		t.Error(diff)
	}
	if err := s.SelectClusterChecks(t.Context(), by, landscape.ClusterIDFromKey(clusterKey), []string{"C"}); err != nil {
		t.Fatal(err)
	}
	for _, checks := range [][]string{{""}, {strings.Repeat("x", maxCheckIDBytes+1)}, slices.Repeat([]string{"A"}, maxChecks+1)} {
		if invalid := new(fault.Error); !errors.As(s.SelectHostChecks(t.Context(), by, agent, checks), &invalid) {
			t.Errorf("%d checks were selected", len(checks))
		}
	}
	if err := s.SelectClusterChecks(t.Context(), by, "none", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown cluster: %v", err)
	}
	log := entries(t, s)
	got := typesOf(log[len(log)-3:])
	if diff := cmp.Diff([]activity.Type{activity.TypeHostChecksSelected, activity.TypeHostChecksSelected, activity.TypeClusterChecksSelected}, got); diff != "" {
		t.Error(diff)
	}
}
