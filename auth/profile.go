package auth

import (
	"context"
	"errors"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// ProfileChange is what users change of themselves. What is nil stays as it
// is.
type ProfileChange struct {
	Fullname, Email, Password, PasswordConfirmation, CurrentPassword, Timezone *string
	AnalyticsEnabled                                                           *bool
	AnalyticsEULAAccepted                                                      *bool // only true has an effect
}

// ChangeProfile changes the user who asks for it. A new password, which takes
// the current one, ends all other sessions. Another address takes the password
// where it has to be shown again. It fails with ErrProtected for the
// default admin, with ErrForbidden for somebody who has shown a token and
// changes password or address, and with faults of fields.
func (a *Auth) ChangeProfile(ctx context.Context, id *Identity, c ProfileChange) (*store.User, error) {
	user, err := a.manageable(ctx, id.User.ID)
	if err != nil {
		return nil, err
	}
	if c.Password != nil || c.Email != nil {
		if err := id.RequireNoToken(); err != nil {
			return nil, err
		}
	}
	c.Fullname, c.Email = normal(store.NormalName, c.Fullname), normal(store.NormalText, c.Email)
	var wrong fieldFaults
	wrong.account(c.Fullname, c.Email, c.Timezone, c.Password, c.PasswordConfirmation)
	a.weakPassword(c.Password, user.Username, &wrong)
	if c.Password != nil || c.Email != nil && *c.Email != user.Email && id.MustConfirm() {
		if err := a.checkCurrentPassword(ctx, user, c.CurrentPassword, &wrong); err != nil {
			return nil, err
		}
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	change := store.ProfileChange{
		Fullname: c.Fullname, Email: c.Email, Timezone: c.Timezone, AnalyticsEnabled: c.AnalyticsEnabled,
		AnalyticsEULAAccepted: c.AnalyticsEULAAccepted != nil && *c.AnalyticsEULAAccepted,
		Logged: activity.ProfileUpdate{
			AccountRequest:   accountRequest(c.Fullname, c.Email, c.Timezone, c.Password),
			CurrentPassword:  c.CurrentPassword != nil,
			AnalyticsEnabled: c.AnalyticsEnabled, AnalyticsEULAAccepted: c.AnalyticsEULAAccepted,
		},
	}
	if c.Password != nil {
		hash, err := a.HashPassword(ctx, *c.Password)
		if err != nil {
			return nil, err
		}
		change.Password = &store.NewPassword{Hash: hash, Before: user.PasswordHash}
	}
	changed, err := a.store.ChangeProfile(ctx, id.Actor(), user.ID, change, id.SessionHash)
	if errors.Is(err, store.ErrStale) { // the password that was shown is no longer the current one
		return nil, fault.Field(currentPassword, "is invalid")
	}
	return changed, err
}

const currentPassword = "current_password"

// checkCurrentPassword adds to what is wrong. Whoever sits at a console that
// was left open can guess no faster than whoever signs in.
func (a *Auth) checkCurrentPassword(ctx context.Context, user *store.User, given *string, wrong *fieldFaults) error {
	if given == nil || *given == "" {
		wrong.Add(currentPassword, isBlank)
		return nil
	}
	attempt, err := a.limiter.begin(ctx, guess{of: ofCurrentPassword, name: user.Username, rule: passwordRule()})
	if errors.Is(err, errCrowded) {
		wrong.Add(currentPassword, "is invalid")
		return nil
	}
	if err != nil {
		return err
	}
	outcome := abandoned
	defer func() { attempt.end(outcome) }()
	err = a.matches(ctx, user, *given, true)
	switch {
	case err == nil:
		outcome = succeeded
	case errors.Is(err, ErrCredentials):
		outcome = failed
		wrong.Add(currentPassword, "is invalid")
		err = nil
	}
	return err
}
