package auth

import (
	"context"

	"trento/store"
)

// Confirming returns the identity with the password that the request repeats.
// Changes of e-mail address, password, second factor and tokens need this
// password as well as the session. So nobody can take over an account at a
// console that was left open.
func (id *Identity) Confirming(password string) *Identity {
	with := *id
	with.repeatedPassword = &password
	return &with
}

// MustConfirm reports whether the user has to repeat the password: the request
// comes with a session of the console, and the user has a password. If an
// identity provider is in charge of the accounts, nobody has to repeat a
// password.
func (id *Identity) MustConfirm() bool {
	return id.Via == ViaSession && !id.providerInCharge && id.User.PasswordHash != ""
}

// requireConfirmation checks the repeated password if it is required, and adds
// a fault to wrong if it is missing or not right.
func (a *Auth) requireConfirmation(ctx context.Context, id *Identity, wrong *fieldFaults) error {
	if !id.MustConfirm() && id.repeatedPassword == nil || id.providerInCharge || id.User.PasswordHash == "" {
		return nil
	}
	return a.checkCurrentPassword(ctx, id.User, id.repeatedPassword, wrong)
}

// requireConfirmationOnly does the same as requireConfirmation for requests
// without other fields. It returns the fault as an error.
func (a *Auth) requireConfirmationOnly(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.requireConfirmation(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}

// MustConfirmTokens reports whether the user has to repeat the password to
// change tokens. The settings can turn this off.
func (id *Identity) MustConfirmTokens(settings *store.TokenSettings) bool {
	return id.MustConfirm() && settings.RequirePasswordConfirmation
}

// requireTokenConfirmation does the same as requireConfirmation for changes of
// tokens.
func (a *Auth) requireTokenConfirmation(ctx context.Context, id *Identity, wrong *fieldFaults) error {
	var settings *store.TokenSettings
	err := a.store.View(func(tx *store.Tx) (err error) {
		settings, err = tx.TokenSettings()
		return err
	})
	if err != nil || !settings.RequirePasswordConfirmation {
		return err
	}
	return a.requireConfirmation(ctx, id, wrong)
}

// ConfirmToken checks the repeated password for a change of tokens, if it is
// required. It fails with a fault of current_password.
func (a *Auth) ConfirmToken(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.requireTokenConfirmation(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}
