package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"trento/store/activity"
)

// deleteTOTP deletes the second factor, whether it is in force or not.
func (u *User) deleteTOTP() { u.TOTPSecret, u.TOTPEnabledAt, u.TOTPLastUsedAt = nil, nil, nil }

// OfferTOTP keeps the sealed secret of a second factor that is not in force
// yet, in place of any other such. It fails with ErrConflict where one is in
// force. Nothing is logged: nothing has changed yet.
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

// EnableTOTP is what it takes to put a second factor into force.
type EnableTOTP struct {
	Secret []byte    // the one that was offered, sealed
	CodeAt time.Time // of the code that was shown
	Keep   [32]byte  // the session that does not end
}

// EnableTOTP puts a second factor into force whose secret was offered, with
// its first code used up. All sessions of the user end but the one to keep. It
// fails with ErrStale where another secret has been offered since, or none.
func (s *Store) EnableTOTP(ctx context.Context, by Actor, id int64, e EnableTOTP) (*User, error) {
	return s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		if u.TOTPEnabledAt != nil {
			return nil, fmt.Errorf("second factor of user %d: %w", id, ErrConflict)
		}
		if u.TOTPSecret == nil || !bytes.Equal(u.TOTPSecret, e.Secret) {
			return nil, fmt.Errorf("second factor of user %d: %w", id, ErrStale)
		}
		u.TOTPEnabledAt, u.TOTPLastUsedAt = tx.timestamp(), &e.CodeAt
		return &activity.ProfileUpdate{AboutUser: u.about(), TOTPEnabled: new(true)}, tx.endSessions(id, e.Keep)
	})
}

// DisableTOTP ends the second factor of a user. Where none is in force that is no
// error, and is not logged.
func (s *Store) DisableTOTP(ctx context.Context, by Actor, id int64) error {
	_, err := s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		enabled := u.TOTPEnabledAt != nil
		u.deleteTOTP()
		if !enabled {
			return nil, nil
		}
		return &activity.ProfileUpdate{AboutUser: u.about(), TOTPEnabled: new(false)}, nil
	})
	return err
}
