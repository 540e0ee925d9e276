package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/fault"
)

// SharedView is a view of a list that somebody has saved for everybody. It
// stays when its author is deleted.
type SharedView struct {
	ID string `json:"id"` // UUID
	SavedView
	AuthorID  int64     `json:"author_id"`
	Author    string    `json:"author"` // user name of the author when the view was shared
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// MaxSharedViews is the largest number of shared views of a list.
const MaxSharedViews = 100

func (v *SharedView) about() activity.AboutSharedView {
	return activity.AboutSharedView{ViewID: v.ID, View: v.Name, Screen: v.Screen}
}

// SharedView returns a shared view, or ErrNotFound. It must not be modified.
func (tx *Tx) SharedView(id string) (*SharedView, error) {
	return tx.s.sharedViews.Get(tx.kv, []byte(id))
}

// SharedViews returns all shared views, ordered by list and name. They must not
// be modified.
func (tx *Tx) SharedViews() ([]*SharedView, error) {
	var all []*SharedView
	for v, err := range tx.s.sharedViews.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *SharedView) int {
		return cmp.Or(strings.Compare(a.Screen, b.Screen), strings.Compare(foldCase(a.Name), foldCase(b.Name)))
	})
	return all, nil
}

// SharedViewNamed returns the shared view of a list with exactly this name, or
// ErrNotFound.
func (tx *Tx) SharedViewNamed(screen, name string) (*SharedView, error) {
	all, err := tx.SharedViews()
	for _, v := range all {
		if v.Screen == screen && v.Name == NormalName(name) {
			return v, nil
		}
	}
	return nil, errors.Join(err, fmt.Errorf("shared view %q: %w", name, ErrNotFound))
}

// ShareView saves a view for everybody. It fails with a fault of name or query,
// or if the list has MaxSharedViews already.
func (s *Store) ShareView(ctx context.Context, by Actor, author int64, view SavedView) (*SharedView, error) {
	view, err := checkView(view)
	if err != nil {
		return nil, err
	}
	created := &SharedView{SavedView: view, AuthorID: author, Author: by.Name}
	err = s.update(ctx, by, func(tx *Tx) error {
		all, err := tx.SharedViews()
		if err != nil {
			return err
		}
		var others []SavedView
		for _, v := range all {
			if v.Screen == view.Screen {
				others = append(others, v.SavedView)
			}
		}
		switch taken := similarView(others, view); {
		case taken != "":
			return fault.Field("name", takenDetail(view.Name, taken))
		case len(others) >= MaxSharedViews:
			return &fault.Error{Kind: fault.Conflict, Detail: fmt.Sprintf("There can be %d shared views of a list. Remove one first.", MaxSharedViews)}
		}
		created.ID, created.CreatedAt, created.UpdatedAt = uuid.NewString(), tx.now, tx.now
		return errors.Join(tx.putSharedView(created), tx.log(by.Name, &activity.SharedViewCreation{AboutSharedView: created.about(), Query: created.Query}))
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

// ChangeSharedView gives a shared view another query. It fails with ErrNotFound,
// or with a fault of query.
func (s *Store) ChangeSharedView(ctx context.Context, by Actor, id, query string) (*SharedView, error) {
	var after SharedView
	err := s.update(ctx, by, func(tx *Tx) error {
		before, err := tx.SharedView(id)
		if err != nil {
			return err
		}
		after = *before
		if after.SavedView, err = checkView(SavedView{Screen: before.Screen, Name: before.Name, Query: query}); err != nil || after.Query == before.Query {
			return err
		}
		after.UpdatedAt = tx.now
		return errors.Join(tx.putSharedView(&after), tx.log(by.Name, &activity.SharedViewModification{AboutSharedView: after.about(), From: before.Query, To: after.Query}))
	})
	if err != nil {
		return nil, err
	}
	return &after, nil
}

// DeleteSharedView takes a shared view away from everybody. It fails with
// ErrNotFound if there is none.
func (s *Store) DeleteSharedView(ctx context.Context, by Actor, id string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		v, err := tx.SharedView(id)
		if err != nil {
			return err
		}
		return errors.Join(tx.s.sharedViews.Delete(tx.kv, []byte(id)), tx.log(by.Name, &activity.SharedViewDeletion{AboutSharedView: v.about(), Query: v.Query}))
	})
}

func (tx *Tx) putSharedView(v *SharedView) error {
	return tx.s.sharedViews.Put(tx.kv, []byte(v.ID), v)
}

// verifySharedViews checks that each shared view has a name of its own on its
// list, a query within the limits, and an author.
func (tx *Tx) verifySharedViews() error {
	all, err := tx.SharedViews()
	faults := []error{err}
	var seen []SavedView
	for _, v := range all {
		if checked, err := checkView(v.SavedView); err != nil || checked != v.SavedView {
			faults = append(faults, fmt.Errorf("shared view %s: its name or query is not allowed: %w", v.ID, err))
		}
		if v.Author == "" {
			faults = append(faults, fmt.Errorf("shared view %s: has no author", v.ID))
		}
		if taken := similarView(seen, v.SavedView); taken != "" {
			faults = append(faults, fmt.Errorf("shared view %s: its name looks like %q on the same list", v.ID, taken))
		}
		seen = append(seen, v.SavedView)
	}
	return errors.Join(faults...)
}
