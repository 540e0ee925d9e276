package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"trento/store/activity"
)

func TestEntryRoundTrip(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), newClock())
	rapid.Check(t, func(t *rapid.T) {
		metadata, err := json.Marshal(rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata"))
		if err != nil {
			t.Fatal(err)
		}
		want := &activity.Entry{
			ID:       "0a4bb0d6-5d0f-4a39-8d0c-6f0e8b0f2b11",
			Type:     rapid.SampledFrom(activity.Types()).Draw(t, "type"),
			Actor:    rapid.StringN(1, 255, -1).Draw(t, "actor"),
			Severity: rapid.SampledFrom(activity.Severities).Draw(t, "severity"),
			Metadata: metadata,
		}
		err = s.update(t.Context(), System(), func(tx *Tx) error {
			want.Position = tx.Newest().Next(tx.now)
			return tx.appendEntry(want)
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(func(tx *Tx) error {
			got, err := tx.Entry(want.Position)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEntryIsSmall(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	event := &activity.HostSaptuneHealthChanged{
		AboutHost: activity.AboutHost{HostID: "0f1e2d3c-4b5a-4678-9abc-def012345678", Hostname: "orion17"}, Health: "warning",
	}
	if err := s.AppendActivity(t.Context(), System(), event); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		value := tx.s.entries.Get(tx.kv, tx.Newest().Key())
		if len(value) > 130 { // the same as JSON takes 149 bytes, of which 72 are two random ids, plus 21 bytes of header
			t.Errorf("an entry takes %d bytes", len(value))
		}
		return nil
	})
}

// TestPositionsGrow checks that the log keeps the order of writing while the
// clock stands still or goes back.
func TestPositionsGrow(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	for i := range 5 {
		if i == 3 {
			c.advance(-time.Hour)
		}
		if err := s.AppendActivity(t.Context(), System(), &activity.Foreign{Of: activity.TypeLoginAttempt, Metadata: map[string]any{"n": i}}); err != nil {
			t.Fatal(err)
		}
	}
	log := entries(t, s)
	for i, e := range log {
		if i > 0 && e.Position <= log[i-1].Position {
			t.Errorf("entry %d is not behind the one before", i)
		}
		if want := `{"n":` + string(rune('0'+i)) + `}`; string(e.Metadata) != want {
			t.Errorf("entry %d: %s, want %s", i, e.Metadata, want)
		}
		if !e.OccurredOn().Equal(noon) {
			t.Errorf("entry %d at %v", i, e.OccurredOn())
		}
	}
}

func TestEntriesBack(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	for range 4 {
		if err := s.AppendActivity(t.Context(), System(), &activity.LoginAttempt{}); err != nil {
			t.Fatal(err)
		}
	}
	log := entries(t, s)
	view(t, s, func(tx *Tx) error {
		var got []activity.Position
		for e, err := range tx.EntriesBack(log[1].Position, log[2].Position) {
			if err != nil {
				return err
			}
			got = append(got, e.Position)
		}
		if diff := cmp.Diff([]activity.Position{log[2].Position, log[1].Position}, got); diff != "" {
			t.Error(diff)
		}
		if tx.Oldest() != log[0].Position || tx.Newest() != log[3].Position {
			t.Errorf("oldest %d, newest %d", tx.Oldest(), tx.Newest())
		}
		if _, err := tx.Entry(log[3].Position + 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("no such entry: %v", err)
		}
		return nil
	})
}

func TestLongActorIsCut(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	if err := s.SignInFailed(t.Context(), strings.Repeat("ä", 1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.SignInFailed(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	log := entries(t, s)
	if want := strings.Repeat("ä", activity.MaxActor); log[0].Actor != want {
		t.Errorf("actor of %d bytes", len(log[0].Actor))
	}
	if log[1].Actor != activity.NoUsername {
		t.Errorf("actor %q", log[1].Actor)
	}
	if log[0].Severity != activity.Warning {
		t.Errorf("severity %s", log[0].Severity)
	}
}

func TestReadEntryDamaged(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	if err := s.SignInFailed(t.Context(), "mallory"); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		key := tx.Newest().Key()
		value := tx.s.entries.Get(tx.kv, key)
		for n := range value {
			if _, err := tx.decodeEntry(key, value[:n]); err == nil {
				t.Errorf("%d of %d bytes are taken for an entry", n, len(value))
			}
		}
		return nil
	})
}
