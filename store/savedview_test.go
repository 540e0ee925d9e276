package store

import (
	"errors"
	"fmt"
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

func TestSharedViews(t *testing.T) {
	clock := newClock()
	s := open(t, t.TempDir(), clock)
	ann, err := s.CreateUser(t.Context(), System(), NewUser{Username: "ann", Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	by := Actor{Name: "ann"}
	share := func(screen, name, query string) error {
		_, err := s.ShareView(t.Context(), by, ann.ID, SavedView{screen, name, query})
		return err
	}
	shared, err := s.ShareView(t.Context(), by, ann.ID, SavedView{"/hosts", " Production ", "tags=production"})
	if err != nil || shared.Name != "Production" || shared.Author != "ann" || shared.AuthorID != ann.ID || !shared.CreatedAt.Equal(clock.Now()) {
		t.Fatalf("shared %+v, %v", shared, err)
	}
	if err := share("/clusters", "Production", "q="+TokenPrefix+"abcdefghijkl"); err != nil {
		t.Errorf("the same name on another list: %v", err)
	}
	for _, refused := range []struct{ name, query, field string }{
		{"Production", "", "name"}, {"PRODUCTION", "", "name"}, {"Prоduction", "", "name"}, // with a Cyrillic о
		{" ", "", "name"}, {"a\nb", "", "name"}, {"\u202eb", "", "name"}, {TokenPrefix + "abcdefghijkl", "", "name"}, {strings.Repeat("ä", MaxViewName+1), "", "name"},
		{"long", "q=" + strings.Repeat("x", maxViewQueryBytes), "query"},
	} {
		if err := share("/hosts", refused.name, refused.query); !strings.HasPrefix(fmt.Sprint(err), refused.field) {
			t.Errorf("%q with %.20q was shared: %v", refused.name, refused.query, err)
		}
	}
	logged := len(entries(t, s))
	for _, query := range []string{"tags=production", "tags=production&health=critical"} {
		if _, err := s.ChangeSharedView(t.Context(), by, shared.ID, query); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(entries(t, s)) - logged; n != 1 {
		t.Errorf("one change, and one that changes nothing: %d entries", n)
	}
	if err := s.DeleteUser(t.Context(), System(), ann.ID); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx *Tx) error {
		all, err := tx.SharedViews()
		if err != nil || len(all) != 2 || all[0].Query != "q="+TokenPrefix+"…" || all[1].Query != "tags=production&health=critical" {
			t.Errorf("after the author is gone: %+v, %v", all, err)
		}
		return nil
	})
	if err := s.DeleteSharedView(t.Context(), by, shared.ID); err != nil {
		t.Fatal(err)
	}
	_, change := s.ChangeSharedView(t.Context(), by, shared.ID, "")
	if err := s.DeleteSharedView(t.Context(), by, shared.ID); !errors.Is(err, ErrNotFound) || !errors.Is(change, ErrNotFound) {
		t.Errorf("a view that is gone is removed: %v, or changed: %v", err, change)
	}
	for i := range MaxSharedViews {
		if err := share("/hosts", fmt.Sprint("view ", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := share("/hosts", "one more", ""); err == nil || share("/databases", "one more", "") != nil {
		t.Errorf("the limit of a list: %v", err)
	}
}

// TestVerifyFindsDamagedSharedViews stores views that no verb would store.
func TestVerifyFindsDamagedSharedViews(t *testing.T) {
	for name, damaged := range map[string][]SharedView{
		"no author":  {{ID: "1", SavedView: SavedView{"/hosts", "a", ""}}},
		"look alike": {{ID: "1", SavedView: SavedView{"/hosts", "a", ""}, Author: "ann"}, {ID: "2", SavedView: SavedView{"/hosts", "A", ""}, Author: "ann"}},
		"no name":    {{ID: "1", SavedView: SavedView{"/hosts", "", ""}, Author: "ann"}},
	} {
		s, err := Open(t.TempDir(), Options{Now: newClock().Now, NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.update(t.Context(), System(), func(tx *Tx) error {
			var err error
			for _, v := range damaged {
				err = errors.Join(err, tx.putSharedView(&v))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(); err == nil || !strings.Contains(err.Error(), "shared view") {
			t.Errorf("%s: not found", name)
		}
		s.Close()
	}
}
