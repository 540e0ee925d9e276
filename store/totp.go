package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"trento/store/activity"
)

// deleteTOTP deletes the second factor, enabled or only offered.
func (u *User) deleteTOTP() { u.TOTPSecret, u.TOTPEnabledAt, u.TOTPLastUsedAt = nil, nil, nil }

// OfferTOTP stores the encrypted secret of a second factor that the user has
// not enabled yet. It replaces an earlier secret that was not enabled. It fails
// with ErrConflict if the user has enabled a second factor. Nothing is logged,
// because the sign-in has not changed yet.
func (s *Store) OfferTOTP(ctx context.Context, by Actor, id int64, secret []byte) error {
	_, err := s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		if u.TOTPEnabledAt != nil {
			return nil, fmt.Errorf("second factor of user %d: %w", id, ErrConflict)
		}
		u.deleteTOTP()
		u.TOTPSecret = secret
		return nil, nil
	})
	return err
}

// EnableTOTP is the proof with which a user enables a second factor.
type EnableTOTP struct {
	Secret []byte    // the secret that OfferTOTP stored, as it was stored
	CodeAt time.Time // the time of the code that the user entered
	Keep   [32]byte  // the hash of the session that does not end
}

// EnableTOTP enables the second factor whose secret was offered. The entered
// code cannot be used again. All sessions of the user end except e.Keep. It
// fails with ErrConflict if a second factor is enabled already, and with
// ErrStale if e.Secret is not the secret that was offered last.
func (s *Store) EnableTOTP(ctx context.Context, by Actor, id int64, e EnableTOTP) (*User, error) {
	return s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		if u.TOTPEnabledAt != nil {
			return nil, fmt.Errorf("second factor of user %d: %w", id, ErrConflict)
		}
		if u.TOTPSecret == nil || !bytes.Equal(u.TOTPSecret, e.Secret) {
			return nil, fmt.Errorf("second factor of user %d: %w", id, ErrStale)
		}
		u.TOTPEnabledAt, u.TOTPLastUsedAt = tx.timestamp(), &e.CodeAt
		return &activity.ProfileUpdate{AboutUser: u.aboutUser(), TOTPEnabled: new(true)}, tx.endSessions(id, e.Keep)
	})
}

// DisableTOTP deletes the second factor of a user. If none was enabled, that is
// no error and nothing is logged.
func (s *Store) DisableTOTP(ctx context.Context, by Actor, id int64) error {
	_, err := s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		enabled := u.TOTPEnabledAt != nil
		u.deleteTOTP()
		if !enabled {
			return nil, nil
		}
		return &activity.ProfileUpdate{AboutUser: u.aboutUser(), TOTPEnabled: new(false)}, nil
	})
	return err
}
