package auth

import (
	"context"

	"trento/store"
)

// Confirming is the identity with the password that the request shows once
// more, for what is not done on the word of a cookie alone: changing an address
// or a password, ending a second factor, and anything with tokens. Whoever
// finds a console open must not be able to leave with the account.
func (id *Identity) Confirming(password string) *Identity {
	with := *id
	with.confirmation = &password
	return &with
}

// MustConfirm reports whether the password has to be shown again: the cookie
// of a console identifies, and there is a password.
func (id *Identity) MustConfirm() bool {
	return id.Via == ViaSession && id.User.PasswordHash != ""
}

// confirm checks the password that was shown again, and adds to what is wrong
// where it is not the right one, or is missing.
func (a *Auth) confirm(ctx context.Context, id *Identity, wrong *fieldFaults) error {
	if !id.MustConfirm() && id.confirmation == nil || id.User.PasswordHash == "" {
		return nil
	}
	return a.checkCurrentPassword(ctx, id.User, id.confirmation, wrong)
}

// confirmed is confirm where there are no fields that could be wrong, too.
func (a *Auth) confirmed(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.confirm(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}

// MustConfirmTokens is MustConfirm for what is done with tokens: the settings
// can do without.
func (id *Identity) MustConfirmTokens(settings *store.TokenSettings) bool {
	return id.MustConfirm() && settings.RequirePasswordConfirmation
}

// confirmToken is confirm for what is done with tokens.
func (a *Auth) confirmToken(ctx context.Context, id *Identity, wrong *fieldFaults) error {
	var settings *store.TokenSettings
	err := a.store.View(func(tx *store.Tx) (err error) {
		settings, err = tx.TokenSettings()
		return err
	})
	if err != nil || !settings.RequirePasswordConfirmation {
		return err
	}
	return a.confirm(ctx, id, wrong)
}

// ConfirmToken checks the password that was shown again for something that is
// to be done with a token, where it has to be. It fails with a fault
// of current_password.
func (a *Auth) ConfirmToken(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.confirmToken(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}
