package demo

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"trento/packaging/config"
	"trento/store"
	"trento/store/activity"
	"trento/store/landscape"
)

var present = time.Date(2026, 11, 30, 21, 15, 0, 0, time.UTC)

// makePast makes the past of a demo, and opens the store that it leaves behind.
func makePast(t *testing.T, hosts int, present time.Time) (*store.Store, []landscape.HostID) {
	t.Helper()
	dir := t.TempDir()
	land, err := MakePast(t.Context(), Options{Config: config.Config{DataDir: dir, AdminUser: "admin", AdminEmail: "admin@trento.local"}, Hosts: hosts, Now: present})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(dir, store.Options{NoSync: true, Now: func() time.Time { return present.Add(time.Second) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var ids []landscape.HostID
	for _, h := range land.Hosts() {
		ids = append(ids, h.ID)
	}
	return s, ids
}

// TestPast checks that a demo has a past: entries of thirty days in the order of
// their times, people, tags, saved views, and trouble that came and went.
func TestPast(t *testing.T) {
	t.Parallel()
	s, hosts := makePast(t, 50, present)
	types, days, last := make(map[activity.Type]int), make(map[string]int), activity.Position(0)
	users, registered, tagged, silent, views := 0, 0, 0, 0, 0
	err := s.View(func(tx *store.Tx) error {
		for e, err := range tx.Entries(0, ^activity.Position(0)) {
			if err != nil {
				return err
			}
			if e.Position <= last || e.Position.Time().After(present) {
				t.Errorf("an entry of %s", e.Position.Time())
			}
			last = e.Position
			types[e.Type]++
			days[e.Position.Time().Format(time.DateOnly)]++
		}
		for u, err := range tx.Users() {
			if err != nil {
				return err
			}
			users++
			own, err := tx.SavedViews(u.ID)
			if err != nil {
				return err
			}
			views += len(own)
		}
		for h, err := range tx.Hosts() {
			if err != nil {
				return err
			}
			if !h.Registered() {
				continue
			}
			registered++
			if !slices.Contains(hosts, h.ID) {
				t.Errorf("%s is not in the landscape that goes on", h.Hostname)
			}
			if h.Heartbeat != landscape.HeartbeatPassing {
				silent++
			}
			tags, err := tx.Tags(store.HostTag, string(h.ID))
			if err != nil {
				return err
			}
			tagged += min(len(tags), 1)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if registered != len(hosts) || silent != 1 || tagged < 20 || users != 7 || views != 4 {
		t.Errorf("%d of %d hosts, %d silent, %d tagged, %d users, %d views", registered, len(hosts), silent, tagged, users, views)
	}
	if len(days) < 30 {
		t.Errorf("entries on %d days: %v", len(days), slices.Sorted(maps.Keys(days)))
	}
	for _, kind := range []activity.Type{
		activity.TypeLoginAttempt, activity.TypeUserCreation, activity.TypeUserModification, activity.TypeResourceTagging, activity.TypeHostCleanupRequested,
		activity.TypeSharedViewCreation, activity.TypeHeartbeatFailed, activity.TypeHeartbeatSucceeded, activity.TypeClusterHealthChanged, activity.TypeDatabaseHealthChanged, activity.TypeSAPSystemHealthChanged,
	} {
		if types[kind] == 0 {
			t.Errorf("never: %s", kind)
		}
	}
}

// TestSmallPast checks that landscapes in which little can happen have a past,
// too, at other times of the week and the day.
func TestSmallPast(t *testing.T) {
	t.Parallel()
	for _, hosts := range []int{1, 7} {
		t.Run(fmt.Sprint(hosts), func(t *testing.T) {
			t.Parallel()
			if s, _ := makePast(t, hosts, present.Add(time.Duration(hosts)*29*time.Hour)); s == nil {
				t.Error("no store")
			}
		})
	}
}
