package store

import (
	"testing"
	"time"

	"trento/store/activity"
	"trento/store/landscape"
)

// setClock is a clock that can be set without time passing.
type setClock struct {
	clock
	passed time.Duration
}

func (c *setClock) pass(d time.Duration) { c.advance(d); c.passed += d }

// TestClockIsSet sets the clock in both directions. It checks that no heartbeat
// is lost because of that, a lost heartbeat is still noticed in time, entries
// stay in order, nothing is deleted because it looks old, and the log says that
// the clock was set.
func TestClockIsSet(t *testing.T) {
	for name, change := range map[string]time.Duration{"back an hour": -time.Hour, "forward a day": 24 * time.Hour, "forward ten years": 10 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			c := &setClock{clock: clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}}
			s, err := Open(t.TempDir(), Options{Now: c.Now, Elapsed: func() time.Duration { return c.passed }, NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { shut(t, s) })
			const alive, dead = landscape.HostID("00000000-0000-4000-8000-000000000001"), landscape.HostID("00000000-0000-4000-8000-000000000002")
			for _, id := range []landscape.HostID{alive, dead} {
				r := hostReport(string(id)[35:])
				r.Observation.Agent = id
				observe(t, s, r)
				if err := s.Heartbeat(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			heartbeats := func() (states [2]landscape.Heartbeat) {
				view(t, s, func(tx *Tx) error {
					for i, id := range []landscape.HostID{alive, dead} {
						h, err := tx.Host(id)
						if err != nil {
							return err
						}
						states[i] = h.Heartbeat
					}
					return nil
				})
				return states
			}
			before := len(entryTypes(t, s))

			c.advance(change)
			c.pass(time.Second)
			trusted, err := s.TrustsClock(t.Context())
			if err != nil || trusted != (change < 0) {
				t.Errorf("the clock is trusted: %t (%v)", trusted, err)
			}
			if err := s.MarkLostHosts(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := heartbeats(); got != [2]landscape.Heartbeat{landscape.HeartbeatPassing, landscape.HeartbeatPassing} {
				t.Errorf("heartbeats %v at once after the clock was set", got)
			}
			for range 3 {
				c.pass(s.options.HeartbeatInterval)
				if err := s.Heartbeat(t.Context(), alive); err != nil {
					t.Fatal(err)
				}
				if err := s.MarkLostHosts(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := heartbeats(); got != [2]landscape.Heartbeat{landscape.HeartbeatPassing, landscape.HeartbeatCritical} {
				t.Errorf("heartbeats %v after those of one host have ended", got)
			}

			types := entryTypes(t, s)[before:]
			if len(types) == 0 || types[0] != activity.TypeClockChange {
				t.Errorf("logged %v, want a change of the clock first", types)
			}
			for range 3 {
				if err := s.CheckClock(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if got := len(entryTypes(t, s)) - before; got != len(types) {
				t.Error("the change of the clock was logged again")
			}
			view(t, s, func(tx *Tx) error {
				last := activity.Position(0)
				for e, err := range tx.Entries(0, ^activity.Position(0)) {
					if err != nil || e.Position <= last {
						t.Errorf("position %d after %d (%v)", e.Position, last, err)
					}
					last = e.Position
				}
				return nil
			})
			c.pass(clockTrustDelay)
			if trusted, err := s.TrustsClock(t.Context()); err != nil || !trusted {
				t.Errorf("the clock is not trusted an hour later (%v)", err)
			}
		})
	}
}

// TestClockDrift checks that small corrections by a time server do not count as
// setting the clock.
func TestClockDrift(t *testing.T) {
	c := &setClock{clock: clock{now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}}
	s, err := Open(t.TempDir(), Options{Now: c.Now, Elapsed: func() time.Duration { return c.passed }, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	before := len(entryTypes(t, s))
	for range 100 {
		c.pass(10 * time.Second)
		c.advance(2 * time.Second)
		if err := s.CheckClock(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := entryTypes(t, s)[before:]; len(got) > 0 {
		t.Errorf("logged %v", got)
	}
}
