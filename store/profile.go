package store

import (
	"context"
	"fmt"

	"trento/store/activity"
)

// ProfileChange is what users change of themselves. What is nil stays as it
// is.
type ProfileChange struct {
	Fullname, Email, Timezone *string
	// Password is the hash of a new password.
	Password *NewPassword
	// AnalyticsEULAAccepted can only be set: what was accepted stays accepted.
	AnalyticsEnabled      *bool
	AnalyticsEULAAccepted bool
	// Logged is what the activity log shows of the request. The store adds whom
	// it is about.
	Logged activity.ProfileUpdate
}

// NewPassword replaces the hash of the password that was shown as proof.
type NewPassword struct{ Hash, Before string }

// ChangeProfile changes a user who asks for it. It fails with ErrNotFound,
// with a fault of email where another user has that, and with ErrStale where the password was changed
// meanwhile. With a new password all sessions of the user end but the one to
// keep.
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
		c.Logged.AboutUser = u.about()
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
