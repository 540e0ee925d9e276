package store

import (
	"testing"
	"time"
)

func TestRegenerateAPIKey(t *testing.T) {
	c := newClock()
	s := open(t, t.TempDir(), c)
	end := noon.Add(36 * time.Hour)
	key, err := s.RegenerateAPIKey(t.Context(), System(), &end, nil)
	if err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		stored, err := tx.APIKey()
		if err == nil && stored.ID != key.ID {
			t.Errorf("stored %+v, made %+v", stored, key)
		}
		return err
	})
	for _, test := range []struct {
		after   time.Duration
		days    int
		expired bool
	}{{0, 1, false}, {12 * time.Hour, 1, false}, {13 * time.Hour, 0, false}, {36*time.Hour - 1, 0, false}, {36 * time.Hour, -1, true}} {
		now := noon.Add(test.after)
		if days, ok := key.DaysLeft(now); days != test.days || !ok || key.Expired(now) != test.expired {
			t.Errorf("%v on: %d days left, expired %v", test.after, days, key.Expired(now))
		}
	}
	forever, err := s.RegenerateAPIKey(t.Context(), System(), nil, nil)
	if err != nil || forever.ID == key.ID {
		t.Fatalf("%+v, %v", forever, err)
	}
	if _, ok := forever.DaysLeft(noon); ok || forever.Expired(noon.Add(1e18)) {
		t.Error("a key without an end has one")
	}
}
