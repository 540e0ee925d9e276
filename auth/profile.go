package auth

import (
	"context"
	"errors"

	"trento/store"
	"trento/store/activity"
	"trento/store/fault"
)

// ProfileChange is a change that users make to their own profile. Nil fields
// stay as they are.
type ProfileChange struct {
	Fullname, Email, Password, PasswordConfirmation, CurrentPassword, Timezone *string
	AnalyticsEnabled                                                           *bool
	AnalyticsEULAAccepted                                                      *bool // only true has an effect
}

// ChangeProfile changes the profile of the user of id. A new password requires
// the present one, and ends all other sessions. A new e-mail address requires
// the present password as well if id.MustConfirm. It fails with ErrProtected
// for the default admin, with ErrForbidden if the request was made with a token
// and changes password or address, and with faults of fields. While an identity
// provider is in charge of the accounts, changes of names, addresses and
// passwords are ignored.
func (a *Auth) ChangeProfile(ctx context.Context, id *Identity, c ProfileChange) (*store.User, error) {
	user, err := a.manageableUser(ctx, id.User.ID)
	if err != nil {
		return nil, err
	}
	if a.provider != nil {
		c = ProfileChange{Timezone: c.Timezone, AnalyticsEnabled: c.AnalyticsEnabled, AnalyticsEULAAccepted: c.AnalyticsEULAAccepted}
	}
	if c.Password != nil || c.Email != nil {
		if err := id.RequireNoToken(); err != nil {
			return nil, err
		}
	}
	c.Fullname, c.Email = normalizeValue(store.NormalName, c.Fullname), normalizeValue(store.NormalText, c.Email)
	var wrong fieldFaults
	wrong.checkAccount(c.Fullname, c.Email, c.Timezone, c.Password, c.PasswordConfirmation)
	a.refuseWeakPassword(c.Password, user.Username, &wrong)
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
	if errors.Is(err, store.ErrStale) { // the repeated password is no longer the present one
		return nil, fault.Field(currentPasswordField, "is invalid")
	}
	return changed, err
}

const currentPasswordField = "current_password"

// checkCurrentPassword adds a fault to wrong if given is not the password of
// the user. Wrong passwords are slowed down as at a sign-in, so nobody can
// guess the password at a console that was left open.
func (a *Auth) checkCurrentPassword(ctx context.Context, user *store.User, given *string, wrong *fieldFaults) error {
	if given == nil || *given == "" {
		wrong.Add(currentPasswordField, blankDetail)
		return nil
	}
	attempt, err := a.limiter.beginAttempt(ctx, guessedSecret{kind: guessedCurrentPassword, name: user.Username, rule: passwordRule()})
	if err != nil {
		return err
	}
	outcome := outcomeUnchecked
	defer func() { attempt.recordOutcome(outcome) }()
	err = a.comparePassword(ctx, user, *given, true)
	switch {
	case err == nil:
		outcome = outcomeSucceeded
	case errors.Is(err, ErrCredentials):
		outcome = outcomeFailed
		wrong.Add(currentPasswordField, "is invalid")
		err = nil
	}
	return err
}
