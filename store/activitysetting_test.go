package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trento/store/activity"
	"trento/store/fault"
)

func TestRetention(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	kept := func() (r activity.Retention) {
		t.Helper()
		view(t, s, func(tx *Tx) (err error) {
			r, err = tx.Retention()
			return err
		})
		return r
	}
	if got := kept(); got != activity.DefaultRetention {
		t.Errorf("at first %s", got)
	}
	for _, wrong := range []struct {
		kept  activity.Retention
		field string
	}{
		{activity.Retention{Value: 0, Unit: activity.Day}, "retention_time/value"},
		{activity.Retention{Value: activity.MaxRetention + 1, Unit: activity.Day}, "retention_time/value"},
		{activity.Retention{Value: 1, Unit: "decade"}, "retention_time/unit"},
	} {
		invalid := new(fault.Error)
		if err := s.SetRetention(t.Context(), Actor{Name: "ada"}, wrong.kept); !errors.As(err, &invalid) || invalid.Field != wrong.field {
			t.Errorf("%v: %v", wrong.kept, err)
		}
	}
	if got := kept(); got != activity.DefaultRetention || len(entries(t, s)) != 0 {
		t.Errorf("after refusals %s, %d entries", got, len(entries(t, s)))
	}
	half := activity.Retention{Value: 6, Unit: activity.Month}
	for range 2 { // the second call changes nothing, but is logged as well
		if err := s.SetRetention(t.Context(), Actor{Name: "ada"}, half); err != nil {
			t.Fatal(err)
		}
	}
	log := entries(t, s)
	if len(log) != 2 || log[1].Actor != "ada" || log[1].Type != activity.TypeActivityLogSettingsUpdate || log[1].Severity != activity.Debug ||
		string(log[1].Metadata) != `{"retention_time":{"value":6,"unit":"month"}}` {
		t.Errorf("log: %+v", log)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, c)
	if got := kept(); got != half {
		t.Errorf("after a restart %s", got)
	}
}

// TestPruneActivityDaily checks the log on several days: it is pruned once
// after each midnight, also after a midnight at which the program did not run.
// A changed retention takes effect at the next midnight.
func TestPruneActivityDaily(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	s := open(t, dir, c)
	expire := func(when string, want int) {
		t.Helper()
		before := len(entries(t, s))
		removed, err := s.PruneActivity(t.Context())
		if err != nil || removed != want || before-len(entries(t, s)) != want {
			t.Errorf("%s: removed %d of %d (%v), want %d", when, removed, before, err, want)
		}
	}
	expire("at the first start", 0)
	logEvery(t, s, c, 24*time.Hour, 40)      // from noon on the 20th of August to noon on the 28th of September
	c.advance(-time.Hour)                    // the 29th, 11 o'clock
	expire("slept through 40 midnights", 10) // all but those of the last 30 days
	expire("once more on the same day", 0)
	c.advance(13*time.Hour - time.Microsecond)
	expire("right before midnight", 0)
	c.advance(time.Microsecond)
	expire("at midnight", 1)
	if err := s.SetRetention(t.Context(), System(), activity.Retention{Value: 1, Unit: activity.Week}); err != nil {
		t.Fatal(err)
	}
	expire("after a change", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, c)
	expire("after a restart", 0)
	c.advance(36 * time.Hour)
	expire("noon of the day after", 24)
	c.advance(-72 * time.Hour)
	expire("with a clock set back", 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.advance(30 * 24 * time.Hour)
	if _, err := s.PruneActivity(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	expire("after an interruption", 6)
}

// TestExpireTokenUses checks that the log of token uses has the same retention
// as the activity log.
func TestExpireTokenUses(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	token := makeToken(t, s, owner(t, s, "ann"), "a")
	use(t, s, token, "/old")
	c.advance(20 * 24 * time.Hour)
	use(t, s, token, "/young")
	c.advance(12 * 24 * time.Hour)
	if _, err := s.PruneActivity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/young"}, usesOf(t, s, token.UserID, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVerifyReadsRetention(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	err := s.update(t.Context(), System(), func(tx *Tx) error {
		return tx.putSetting(settingRetention, "a month")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(); err == nil {
		t.Error("a retention that cannot be read passes")
	}
	err = s.update(t.Context(), System(), func(tx *Tx) error {
		return tx.putSetting(settingRetention, activity.DefaultRetention)
	})
	if err != nil {
		t.Fatal(err)
	}
}
