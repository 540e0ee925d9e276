package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// history returns the health changes of a thing between two times in short.
func history(t *testing.T, s *Store, kind activity.ThingKind, id string, from, to time.Time) (all []string) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		for c := range tx.HealthChanges(kind, id, activity.PositionAt(from), activity.PositionAt(to)) {
			line := c.Position.Time().Format("15:04 ") + string(c.Health)
			if c.Stale {
				line += " stale"
			}
			if !c.Registered {
				line += " gone"
			}
			all = append(all, line)
		}
		return nil
	})
	return all
}

// since returns since when a thing has its present health; "" if that is not
// known.
func since(t *testing.T, s *Store, kind activity.ThingKind, id string) (at string) {
	t.Helper()
	view(t, s, func(tx *Tx) error {
		if since, ok := tx.HealthSince(kind, id); ok {
			at = since.Format("15:04")
		}
		return nil
	})
	return at
}

var (
	clusterID  = string(landscape.ClusterIDFromKey(clusterKey))
	databaseID = string(landscape.DatabaseIDFromKey("qx1"))
	endless    = noon.Add(1000 * time.Hour)
)

// silenced returns a store in which the database turned critical at 13:00, its
// host fell silent at 14:00, was back at 15:00, and was cleaned up at 16:00.
func silenced(t *testing.T) (*Store, *clock) {
	t.Helper()
	s, c := populated(t)
	c.advance(time.Hour)
	heartbeat(t, s, agent)
	observe(t, s, databaseReport(landscape.Red))
	c.advance(time.Hour)
	if err := s.MarkLostHosts(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	heartbeat(t, s, agent)
	observe(t, s, clusterReport())
	observe(t, s, databaseReport(landscape.Red))
	c.advance(time.Hour)
	if err := s.CleanUp(t.Context(), System(), nil, landscape.Target{Host: agent}); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func TestHealthHistory(t *testing.T) {
	s, _ := silenced(t)
	tests := []struct {
		kind activity.ThingKind
		id   string
		want []string
	}{
		{activity.HostThing, string(agent), []string{"12:00 unknown", "12:00 warning", "14:00 warning stale", "15:00 warning", "16:00 passing", "16:00 passing gone"}},
		{activity.DatabaseThing, databaseID, []string{"12:00 passing", "13:00 critical", "14:00 critical stale", "15:00 critical", "16:00 critical gone"}},
		{activity.ClusterThing, clusterID, []string{"12:00 unknown", "14:00 unknown stale", "15:00 unknown", "16:00 unknown gone"}},
		{activity.UserThing, "1", nil},
		{activity.HostThing, "no UUID", nil},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, history(t, s, test.kind, test.id, time.Unix(0, 0), endless)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.kind, diff)
		}
	}
	// A part of the history begins with the state at its beginning.
	part := history(t, s, activity.DatabaseThing, databaseID, noon.Add(150*time.Minute), noon.Add(200*time.Minute))
	if diff := cmp.Diff([]string{"14:00 critical stale", "15:00 critical"}, part); diff != "" {
		t.Errorf("a part (-want +got):\n%s", diff)
	}
	observe(t, s, hostReport("vega01")) // restores the host, with the health that it had
	observe(t, s, databaseReport(landscape.Green))
	for kind, want := range map[activity.ThingKind][]string{activity.HostThing: {string(agent), "16:00"}, activity.DatabaseThing: {databaseID, "16:00"}, activity.ClusterThing: {clusterID, ""}} {
		if got := since(t, s, kind, want[0]); got != want[1] {
			t.Errorf("%s since %q, want %q", kind, got, want[1])
		}
	}
}

// TestHealthSince checks that a change of something else than the health does
// not change since when the health is what it is.
func TestHealthSince(t *testing.T) {
	s, c := populated(t)
	c.advance(time.Hour)
	heartbeat(t, s, agent)
	observe(t, s, databaseReport(landscape.Red))
	for range 3 {
		c.advance(time.Hour)
		if err := s.MarkLostHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		heartbeat(t, s, agent)
		observe(t, s, databaseReport(landscape.Red))
	}
	if got := since(t, s, activity.DatabaseThing, databaseID); got != "13:00" {
		t.Errorf("critical since %q", got)
	}
	if got := since(t, s, activity.HostThing, string(agent)); got != "12:00" {
		t.Errorf("warning since %q", got)
	}
	if got := since(t, s, activity.HostThing, "11111111-2222-4333-8444-555555555555"); got != "" {
		t.Errorf("an unknown host has its health since %q", got)
	}
}

// TestPruneHealthChanges checks that the last change before the limit stays for
// each thing, and tells what it told before.
func TestPruneHealthChanges(t *testing.T) {
	for hour, want := range map[int][]string{
		12: {"12:00 passing", "13:00 critical", "14:00 critical stale", "15:00 critical", "16:00 critical gone"},
		14: {"13:00 critical", "14:00 critical stale", "15:00 critical", "16:00 critical gone"},
		15: {"14:00 critical stale", "15:00 critical", "16:00 critical gone"},
		20: {"16:00 critical gone"},
	} {
		t.Run(fmt.Sprint(hour), func(t *testing.T) {
			s, _ := silenced(t)
			for range 2 {
				if _, err := s.PruneActivityBefore(t.Context(), noon.Add(time.Duration(hour-12)*time.Hour)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, history(t, s, activity.DatabaseThing, databaseID, time.Unix(0, 0), endless)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// TestPruneManyHealthChanges prunes more changes, of more things, than one
// transaction does.
func TestPruneManyHealthChanges(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	const things, changes = pruneBatchSize + 10, 4
	idOf := func(n int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", n) }
	err := s.update(t.Context(), System(), func(tx *Tx) error {
		for n := range changes * things {
			e := &activity.HostHealthChanged{AboutHost: activity.AboutHost{HostID: idOf(n % things)}, Health: []string{"warning", "critical"}[n/things%2]}
			if err := tx.log(activity.System, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if _, err := s.PruneActivityBefore(t.Context(), c.Now()); err != nil {
		t.Fatal(err)
	}
	for n := range things {
		if diff := cmp.Diff([]string{"12:00 critical gone"}, history(t, s, activity.HostThing, idOf(n), time.Unix(0, 0), endless)); diff != "" {
			t.Fatalf("host %d (-want +got):\n%s", n, diff)
		}
	}
}

// TestMigrationOfHealth opens v10.db. Its log begins at 13:00. Before, vega01
// had a critical database, and vega02 was there. The database recovered at
// 13:00; vega01 was silent from 14:00 to 15:00. vega03 came at 16:00, fell
// silent at 17:00, and was cleaned up at 18:00.
func TestMigrationOfHealth(t *testing.T) {
	s := open(t, oldFile(t, "v10.db.gz"), newClock())
	const second, third = "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"
	for _, test := range []struct {
		kind  activity.ThingKind
		id    string
		want  []string
		since string
	}{
		{activity.HostThing, string(agent), []string{"13:00 warning", "14:00 warning stale", "15:00 warning"}, ""},
		{activity.HostThing, second, []string{"13:00 unknown"}, ""},
		{activity.HostThing, third, []string{"16:00 unknown", "17:00 unknown stale", "18:00 unknown stale gone"}, ""},
		{activity.DatabaseThing, databaseID, []string{"13:00 critical", "13:00 passing", "14:00 passing stale", "15:00 passing"}, "13:00"},
		{activity.ClusterThing, clusterID, []string{"13:00 unknown", "14:00 unknown stale", "15:00 unknown"}, ""},
	} {
		if diff := cmp.Diff(test.want, history(t, s, test.kind, test.id, time.Unix(0, 0), endless)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.kind, test.id, diff)
		}
		if got := since(t, s, test.kind, test.id); got != test.since {
			t.Errorf("%s %s since %q, want %q", test.kind, test.id, got, test.since)
		}
	}
}

// TestVerifyHealthChanges checks that Verify finds a history that does not fit
// to the landscape.
func TestVerifyHealthChanges(t *testing.T) {
	thing, _ := healthThingOf(activity.HostThing, string(agent))
	for name, damage := range map[string]func(tx *Tx) error{
		"no change": func(tx *Tx) error {
			var keys [][]byte
			for key := range tx.s.healthChanges.ScanPrefix(tx.kv, thing[:]) {
				keys = append(keys, key)
			}
			return tx.s.healthChanges.Delete(tx.kv, keys...)
		},
		"another health": func(tx *Tx) error {
			c := HealthChange{Position: tx.Newest(), HealthState: landscape.HealthState{Health: landscape.HealthCritical, Registered: true}}
			return tx.s.healthChanges.Put(tx.kv, thing.key(tx.Newest()), c.encode())
		},
		"no flags": func(tx *Tx) error { return tx.s.healthChanges.Put(tx.kv, thing.key(1), []byte{0xff}) },
		"no thing": func(tx *Tx) error { return tx.s.healthChanges.Put(tx.kv, []byte("key"), []byte{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.TempDir(), Options{Now: newClock().Now, NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			observe(t, s, hostReport("vega01"))
			if err := s.Verify(); err != nil {
				t.Fatal(err)
			}
			if err := s.update(t.Context(), System(), damage); err != nil {
				t.Fatal(err)
			}
			if s.Verify() == nil {
				t.Error("Verify finds nothing")
			}
		})
	}
}
