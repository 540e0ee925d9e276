package store

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/landscape"
)

// TestSharedID checks that a shared id is logged once, and its end once, and
// that nothing is written in between.
func TestSharedID(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	first := hostReport("vega01")
	second := hostReport("vega02")
	second.Observation.Host.Addresses[0].IP = netip.MustParseAddr("10.1.2.4")
	second = report(second.Observation)
	said := 0
	tell := func(want ...activity.Type) {
		t.Helper()
		if err := s.MarkLostHosts(t.Context()); err != nil {
			t.Fatal(err)
		}
		log := entries(t, s)
		got := typesOf(log[said:])
		got = slices.DeleteFunc(got, func(t activity.Type) bool { return t == activity.TypeSoftwareUpdatesDiscoveryRequested })
		if diff := cmp.Diff(append([]activity.Type{}, want...), append([]activity.Type{}, got...)); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
		said = len(log)
	}
	turn := func(r Report) {
		t.Helper()
		c.advance(5 * time.Second)
		if !s.Unchanged(r.Body) {
			observe(t, s, r)
		}
		if err := s.Heartbeat(t.Context(), agent); err != nil {
			t.Fatal(err)
		}
	}
	turn(first)
	tell(activity.TypeHostRegistered, activity.TypeHeartbeatSucceeded)
	turn(second)
	turn(first)
	tell(activity.TypeHostDetailsUpdated, activity.TypeHostDetailsUpdated)
	turn(second)
	tell(activity.TypeHostIDShared)
	for range 100 {
		turn(first)
		turn(second)
	}
	tell()
	host := theHost(t, s)
	shut(t, s)
	s = open(t, dir, c)
	for range 40 {
		turn(first)
		turn(second)
	}
	tell()
	if now := theHost(t, s); !now.Shared() || !now.UpdatedAt.Equal(host.UpdatedAt) {
		t.Errorf("host %+v", now)
	}
	for range 60 {
		turn(second)
		tell()
	}
	turn(second)
	tell(activity.TypeHostIDUnshared)
	turn(second)
	tell(activity.TypeHostDetailsUpdated)
	if now := theHost(t, s); now.Shared() || now.Hostname != "vega02" {
		t.Errorf("host %+v", now)
	}

	// While no machine reports, it is unknown whether the id is still shared.
	turn(first)
	turn(second)
	tell(activity.TypeHostDetailsUpdated, activity.TypeHostIDShared)
	c.advance(time.Hour)
	tell(activity.TypeHeartbeatFailed)
	tell()
	if err := s.CleanUp(t.Context(), System(), nil, landscape.Target{Host: agent}); err != nil {
		t.Fatal(err)
	}
	observe(t, s, first)
	if now := theHost(t, s); now.Shared() {
		t.Errorf("host %+v", now)
	}
}
