package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"trento/store/fault"
)

// SavedView is a list page with the filters and the order that a user has saved
// under a name.
type SavedView struct {
	Screen string `json:"screen"` // the list page, such as "hosts"
	Name   string `json:"name"`   // unique on the page; names that look alike count as equal
	Query  string `json:"query"`  // the query of the page's URL
}

// SavedViews are the views of one user, ordered by screen and name.
type SavedViews struct {
	Views []SavedView `json:"views"`
}

// The limits of saved views: the characters of a name, the bytes of a query,
// and the views of a user.
const (
	MaxViewName       = 60
	maxViewQueryBytes = 2048
	maxViews          = 100
)

// SavedViews returns the views of a user. They are shared and must not be
// modified.
func (tx *Tx) SavedViews(user int64) ([]SavedView, error) {
	v, err := tx.s.views.Get(tx.kv, userKey(user))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return v.Views, nil
}

// SaveView saves a view of a user. It replaces the user's view with the same
// name. Saved views are not in the activity log, because they affect only their
// user. It fails with a fault of name or query.
func (s *Store) SaveView(ctx context.Context, user int64, view SavedView) error {
	view, err := checkView(view)
	if err != nil {
		return err
	}
	return s.changeViews(ctx, user, func(views []SavedView) ([]SavedView, error) {
		place, found := findView(views, view)
		switch {
		case found:
			views[place] = view
		case similarView(views, view) != "":
			return nil, fault.Field("name", takenDetail(view.Name, similarView(views, view)))
		case len(views) >= maxViews:
			return nil, fault.Field("name", fmt.Sprintf("is one too many: there can be %d views", maxViews))
		default:
			views = slices.Insert(views, place, view)
		}
		return views, nil
	})
}

// checkView returns a view as it is stored, or a fault of name or query.
func checkView(view SavedView) (SavedView, error) {
	view.Name, view.Query = NormalName(view.Name), MaskTokens(view.Query)
	detail := CheckName(view.Name)
	switch {
	case view.Name == "":
		return view, fault.Field("name", "can't be blank")
	case utf8.RuneCountInString(view.Name) > MaxViewName:
		return view, fault.Field("name", fmt.Sprintf("should be at most %d character(s)", MaxViewName))
	case detail != "":
		return view, fault.Field("name", detail)
	case len(view.Query) > maxViewQueryBytes:
		return view, fault.Field("query", "is too long")
	}
	return view, nil
}

// DeleteView deletes a view of a user, or fails with ErrNotFound.
func (s *Store) DeleteView(ctx context.Context, user int64, screen, name string) error {
	return s.changeViews(ctx, user, func(views []SavedView) ([]SavedView, error) {
		place, found := findView(views, SavedView{Screen: screen, Name: name})
		if !found {
			return nil, fmt.Errorf("view %q: %w", name, ErrNotFound)
		}
		return slices.Delete(views, place, place+1), nil
	})
}

func (s *Store) changeViews(ctx context.Context, user int64, change func([]SavedView) ([]SavedView, error)) error {
	return s.update(ctx, System(), func(tx *Tx) error {
		before, err := tx.SavedViews(user)
		if err != nil {
			return err
		}
		after, err := change(slices.Clone(before))
		if err != nil || slices.Equal(before, after) {
			return err
		}
		return tx.s.views.Put(tx.kv, userKey(user), &SavedViews{after})
	})
}

// similarView returns the name of a view of the same page whose name cannot be
// told apart from the name of the given view; "" if there is none.
func similarView(views []SavedView, view SavedView) string {
	wanted := appearanceOf(view.Name)
	for _, v := range views {
		if v.Screen == view.Screen && wanted.looksLike(appearanceOf(v.Name)) {
			return v.Name
		}
	}
	return ""
}

func findView(views []SavedView, view SavedView) (place int, found bool) {
	return slices.BinarySearchFunc(views, view, func(a, b SavedView) int {
		return strings.Compare(a.Screen+"\x00"+a.Name, b.Screen+"\x00"+b.Name)
	})
}
