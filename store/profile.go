package store

import (
	"context"
	"fmt"

	"trento/store/activity"
)

// ProfileChange is a change that users make to their own account. Fields that
// are nil stay as they are.
type ProfileChange struct {
	Fullname, Email, Timezone *string
	// Password is the new password; nil keeps the password.
	Password *NewPassword
	// AnalyticsEULAAccepted can only be set: an acceptance is never withdrawn.
	AnalyticsEnabled      *bool
	AnalyticsEULAAccepted bool
	// Logged is what the activity log shows of the request. The store adds the
	// user.
	Logged activity.ProfileUpdate
}

// NewPassword is the hash of a new password, and the hash of the password that
// the user has entered as proof, in Before.
type NewPassword struct{ Hash, Before string }

// ChangeProfile changes the account of the user who asks for it. A new password
// ends all sessions of the user except the session keep. It fails with
// ErrNotFound, with a fault of email if another user has the address, and with
// ErrStale if the password was changed meanwhile.
func (s *Store) ChangeProfile(ctx context.Context, by Actor, id int64, c ProfileChange, keep [32]byte) (*User, error) {
	return s.editUser(ctx, by, id, func(tx *Tx, u *User) (activity.Event, error) {
		setIfGiven(&u.Fullname, c.Fullname)
		setIfGiven(&u.Email, c.Email)
		setIfGiven(&u.Timezone, c.Timezone)
		if c.AnalyticsEnabled != nil && *c.AnalyticsEnabled != (u.AnalyticsEnabledAt != nil) {
			u.AnalyticsEnabledAt = nil
			if *c.AnalyticsEnabled {
				u.AnalyticsEnabledAt = tx.timestamp()
			}
		}
		if c.AnalyticsEULAAccepted && u.AnalyticsEULAAcceptedAt == nil {
			u.AnalyticsEULAAcceptedAt = tx.timestamp()
		}
		c.Logged.AboutUser = u.aboutUser()
		if c.Password == nil {
			return &c.Logged, nil
		}
		if c.Password.Before != u.PasswordHash {
			return nil, fmt.Errorf("password of user %d: %w", id, ErrStale)
		}
		u.PasswordHash, u.PasswordChangeRequestedAt = c.Password.Hash, nil
		return &c.Logged, tx.endSessions(id, keep)
	})
}

// SetFirstStepsHidden hides the list of what to set up next from a user, or shows
// it again. That is not in the activity log, because it affects only the user.
func (s *Store) SetFirstStepsHidden(ctx context.Context, id int64, hidden bool) error {
	_, err := s.editUser(ctx, System(), id, func(tx *Tx, u *User) (activity.Event, error) {
		if hidden != (u.FirstStepsHiddenAt != nil) {
			u.FirstStepsHiddenAt = nil
			if hidden {
				u.FirstStepsHiddenAt = tx.timestamp()
			}
		}
		return nil, nil
	})
	return err
}
