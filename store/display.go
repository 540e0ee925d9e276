package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"trento/store/activity"
	"trento/store/fault"
)

// Display is a screen on a wall that shows the landscape without a user. Of its
// secrets only hashes are stored.
type Display struct {
	ID   string `json:"id"`   // UUID
	Name string `json:"name"` // unique, in any letter case
	// CodeHash is the hash of the code with which a browser becomes the display.
	// It is empty once that has happened. The code is good until CodeUntil.
	CodeHash  []byte    `json:"code_hash,omitempty"`
	CodeUntil time.Time `json:"code_until,omitzero"`
	// SecretHash is the hash of the secret that the browser holds; empty until
	// the code was used.
	SecretHash []byte    `json:"secret_hash,omitempty"`
	PairedAt   time.Time `json:"paired_at,omitzero"`
	LastSeenAt time.Time `json:"last_seen_at,omitzero"` // accurate to within touchInterval
	Address    string    `json:"address,omitempty"`     // IP address of the browser when it was seen last
	CreatedBy  string    `json:"created_by"`
	CreatedAt  time.Time `json:"created_at"`
}

const (
	// MaxDisplays is the largest number of displays.
	MaxDisplays = 50
	// DisplayCodeLifetime is how long the code of a new display is good.
	DisplayCodeLifetime = 10 * time.Minute
	// maxDisplayName is the largest length of a name, in characters.
	maxDisplayName = 60
)

// IsWaiting reports whether a browser can become the display at a time.
func (d *Display) IsWaiting(now time.Time) bool {
	return len(d.CodeHash) > 0 && now.Before(d.CodeUntil)
}

func (d *Display) about() activity.AboutDisplay {
	return activity.AboutDisplay{DisplayID: d.ID, Display: d.Name}
}

// Display returns a display, or ErrNotFound. It is shared and must not be
// modified.
func (tx *Tx) Display(id string) (*Display, error) { return tx.s.displays.Get(tx.kv, []byte(id)) }

// Displays returns all displays, ordered by name. They are shared and must not
// be modified.
func (tx *Tx) Displays() ([]*Display, error) {
	var displays []*Display
	for d, err := range tx.s.displays.All(tx.kv) {
		if err != nil {
			return nil, err
		}
		displays = append(displays, d)
	}
	slices.SortFunc(displays, func(a, b *Display) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return displays, nil
}

// DisplayOf returns the display whose browser holds the secret with a hash, or
// ErrNotFound.
func (tx *Tx) DisplayOf(secretHash []byte) (*Display, error) {
	return tx.findDisplay(func(d *Display) bool {
		return len(d.SecretHash) > 0 && subtle.ConstantTimeCompare(d.SecretHash, secretHash) == 1
	})
}

func (tx *Tx) findDisplay(matches func(*Display) bool) (*Display, error) {
	for d, err := range tx.s.displays.All(tx.kv) {
		if err != nil || matches(d) {
			return d, err
		}
	}
	return nil, fmt.Errorf("display: %w", ErrNotFound)
}

// CreateDisplay stores a new display, which a browser can become with a code. It
// fails with a fault of name, or if there are MaxDisplays already.
func (s *Store) CreateDisplay(ctx context.Context, by Actor, name string, codeHash []byte) (*Display, error) {
	created := &Display{Name: strings.TrimSpace(name), CodeHash: codeHash, CreatedBy: by.Name}
	if err := checkDisplayName(created.Name); err != nil {
		return nil, err
	}
	err := s.update(ctx, by, func(tx *Tx) error {
		all, err := tx.Displays()
		switch {
		case err != nil:
			return err
		case len(all) >= MaxDisplays:
			return &fault.Error{Kind: fault.Conflict, Detail: fmt.Sprintf("There can be %d screens. Remove one first.", MaxDisplays)}
		case slices.ContainsFunc(all, func(d *Display) bool { return strings.EqualFold(d.Name, created.Name) }):
			return fault.Field("name", "has already been taken")
		}
		created.ID, created.CreatedAt, created.CodeUntil = uuid.NewString(), tx.now, tx.now.Add(DisplayCodeLifetime)
		return errors.Join(tx.putDisplay(created), tx.log(by.Name, &activity.DisplayCreation{AboutDisplay: created.about()}))
	})
	return created, err
}

func checkDisplayName(name string) error {
	switch {
	case name == "":
		return fault.Field("name", "can't be blank")
	case len([]rune(name)) > maxDisplayName:
		return fault.Field("name", fmt.Sprintf("should be at most %d character(s)", maxDisplayName))
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fault.Field("name", "has invalid format")
	}
	return nil
}

// PairDisplay makes a browser the display that waits for a code. The code cannot
// be used again. It fails with ErrNotFound if no display waits for it.
func (s *Store) PairDisplay(ctx context.Context, codeHash, secretHash []byte, address string) (*Display, error) {
	var paired Display
	err := s.update(ctx, System(), func(tx *Tx) error {
		waiting, err := tx.findDisplay(func(d *Display) bool {
			return d.IsWaiting(tx.now) && subtle.ConstantTimeCompare(d.CodeHash, codeHash) == 1
		})
		if err != nil {
			return err
		}
		paired = *waiting
		paired.CodeHash, paired.CodeUntil, paired.SecretHash = nil, time.Time{}, secretHash
		paired.PairedAt, paired.LastSeenAt, paired.Address = tx.now, tx.now, address
		return errors.Join(tx.putDisplay(&paired), tx.log(activity.System, &activity.DisplayPairing{AboutDisplay: paired.about(), Address: address}))
	})
	return &paired, err
}

// TouchDisplay records that a display was seen, but only once in a few minutes.
func (s *Store) TouchDisplay(ctx context.Context, seen *Display, address string) error {
	if s.Now().Sub(seen.LastSeenAt) < touchInterval {
		return nil
	}
	err := s.update(ctx, System(), func(tx *Tx) error {
		before, err := tx.Display(seen.ID)
		if errors.Is(err, ErrNotFound) || err == nil && tx.now.Sub(before.LastSeenAt) < touchInterval {
			return nil
		}
		if err != nil {
			return err
		}
		after := *before
		after.LastSeenAt, after.Address = tx.now, address
		return tx.putDisplay(&after)
	})
	if isUnwritable(err) {
		return nil
	}
	return err
}

// DeleteDisplay deletes a display: its browser is refused from then on. It fails
// with ErrNotFound if there is none.
func (s *Store) DeleteDisplay(ctx context.Context, by Actor, id string) error {
	return s.update(ctx, by, func(tx *Tx) error {
		d, err := tx.Display(id)
		if err != nil {
			return err
		}
		return errors.Join(tx.s.displays.Delete(tx.kv, []byte(id)), tx.log(by.Name, &activity.DisplayDeletion{AboutDisplay: d.about()}))
	})
}

func (tx *Tx) putDisplay(d *Display) error { return tx.s.displays.Put(tx.kv, []byte(d.ID), d) }

// verifyDisplays checks that each display waits for its code or has a browser.
func (tx *Tx) verifyDisplays() error {
	var faults []error
	for d, err := range tx.s.displays.All(tx.kv) {
		switch {
		case err != nil:
			faults = append(faults, err)
		case (len(d.CodeHash) > 0) == (len(d.SecretHash) > 0):
			faults = append(faults, fmt.Errorf("display %s: neither waits for its code nor has a browser", d.ID))
		}
	}
	return errors.Join(faults...)
}
