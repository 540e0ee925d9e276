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

// SavedView is a list as somebody likes to see it: the query of its address,
// under a name.
type SavedView struct {
	Screen string `json:"screen"` // "hosts"
	Name   string `json:"name"`   // unique on the screen, see looks
	Query  string `json:"query"`
}

// SavedViews are the views of one user, ordered by screen and name.
type SavedViews struct {
	Views []SavedView `json:"views"`
}

// The limits of saved views: characters of a name, bytes of a query, views of
// a user.
const (
	MaxViewName  = 60
	maxViewQuery = 2000
	maxViews     = 100
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

// SaveView saves a view of a user, in place of one of the same name. It is a
// matter of taste and leaves no trace in the activity log.
func (s *Store) SaveView(ctx context.Context, user int64, view SavedView) error {
	view.Name, view.Query = NormalName(view.Name), MaskTokens(view.Query)
	detail := CheckName(view.Name)
	switch {
	case view.Name == "":
		return fault.Field("name", "can't be blank")
	case utf8.RuneCountInString(view.Name) > MaxViewName:
		return fault.Field("name", fmt.Sprintf("should be at most %d character(s)", MaxViewName))
	case detail != "":
		return fault.Field("name", detail)
	case len(view.Query) > maxViewQuery:
		return fault.Field("query", "is too long")
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

// DeleteView removes a view of a user, or fails with ErrNotFound.
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

// similarView is the name of a view of the same screen that cannot be told apart
// from that of another; empty where there is none.
func similarView(views []SavedView, view SavedView) string {
	wanted := looksOf(view.Name)
	for _, v := range views {
		if v.Screen == view.Screen && wanted.match(looksOf(v.Name)) {
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
