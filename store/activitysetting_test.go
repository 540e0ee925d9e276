package store

import (
	"errors"
	"testing"

	"trento/store/activity"
	"trento/store/landscape"
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
		invalid := new(landscape.InvalidError)
		if err := s.SetRetention(t.Context(), Actor{Name: "ada"}, wrong.kept); !errors.As(err, &invalid) || invalid.Field != wrong.field {
			t.Errorf("%v: %v", wrong.kept, err)
		}
	}
	if got := kept(); got != activity.DefaultRetention || len(entries(t, s)) != 0 {
		t.Errorf("after refusals %s, %d entries", got, len(entries(t, s)))
	}
	half := activity.Retention{Value: 6, Unit: activity.Month}
	for range 2 { // the second changes nothing, but somebody did it
		if err := s.SetRetention(t.Context(), Actor{Name: "ada"}, half); err != nil {
			t.Fatal(err)
		}
	}
	log := entries(t, s)
	if len(log) != 2 || log[1].Actor != "ada" || log[1].Type != activity.ActivityLogSettingsUpdate || log[1].Severity != activity.Debug ||
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
