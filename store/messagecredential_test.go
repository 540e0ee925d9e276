package store

import (
	"errors"
	"slices"
	"testing"

	"trento/store/activity"
)

func messageCredential(t testing.TB, s *Store) (c *MessageCredential) {
	t.Helper()
	view(t, s, func(tx *Tx) (err error) {
		c, err = tx.MessageCredential()
		return err
	})
	return c
}

func TestMessageCredential(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	view(t, s, func(tx *Tx) error {
		if c, err := tx.MessageCredential(); !errors.Is(err, ErrNotFound) {
			t.Errorf("a new file has %+v, %v", c, err)
		}
		return nil
	})
	for _, password := range []string{"first", "too late"} {
		if err := s.EnsureMessageCredential(t.Context(), NewMessageCredential{"trento", []byte(password)}); err != nil {
			t.Fatal(err)
		}
	}
	if c := messageCredential(t, s); c.User != "trento" || string(c.Password) != "first" || c.Generation != 1 || !c.CreatedAt.Equal(noon) {
		t.Errorf("%+v", c)
	}
	if log := entries(t, s); len(log) != 0 {
		t.Errorf("the first one is logged: %v", typesOf(log))
	}
	if _, err := s.RotateMessageCredential(t.Context(), Actor{Name: "ann"}, NewMessageCredential{"agents", []byte("second")}); err != nil {
		t.Fatal(err)
	}
	if c := messageCredential(t, s); c.User != "agents" || string(c.Password) != "second" || c.Generation != 2 {
		t.Errorf("%+v", c)
	}
	before, err := s.RegenerateAPIKey(t.Context(), Actor{Name: "ann"}, nil, &NewMessageCredential{"agents", []byte("third")})
	if err != nil {
		t.Fatal(err)
	}
	if c := messageCredential(t, s); string(c.Password) != "third" || c.Generation != 3 || !c.CreatedAt.Equal(before.CreatedAt) {
		t.Errorf("%+v", c)
	}
	log := entries(t, s)
	want := []activity.Type{activity.TypeMessageCredentialRotation, activity.TypeAPIKeyGeneration, activity.TypeMessageCredentialRotation}
	if !slices.Equal(typesOf(log), want) || log[0].Actor != "ann" {
		t.Fatalf("logged %v", typesOf(log))
	}
}
