package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trento/store/fault"
)

func TestSavedViews(t *testing.T) {
	s := open(t, t.TempDir(), newClock())
	save := func(user int64, screen, name, query string) error {
		return s.SaveView(t.Context(), user, SavedView{screen, name, query})
	}
	for _, v := range []SavedView{{"hosts", "stale", "stale=1"}, {"clusters", "red", "health=critical"}, {"hosts", " azure ", "provider=azure"}, {"hosts", "stale", "stale=1&sort=hostname"}} {
		if err := save(1, v.Screen, v.Name, v.Query); err != nil {
			t.Fatal(err)
		}
	}
	if err := save(2, "hosts", "mine", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteView(t.Context(), 1, "clusters", "red"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteView(t.Context(), 1, "hosts", "mine"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the view of somebody else: %v", err)
	}
	for _, name := range []string{"", "  ", "a\nb", "\xff", strings.Repeat("ä", MaxViewName+1)} {
		if invalid := new(fault.Error); !errors.As(save(1, "hosts", name, ""), &invalid) {
			t.Errorf("%q was saved", name)
		}
	}
	view(t, s, func(tx *Tx) error {
		got, err := tx.SavedViews(1)
		want := []SavedView{{"hosts", "azure", "provider=azure"}, {"hosts", "stale", "stale=1&sort=hostname"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
}
