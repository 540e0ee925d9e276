package auth

import (
	"context"

	"trento/store"
)

// Confirming returns the identity with the password that the request repeats.
// Some changes need it beside the cookie of a session: those of address,
// password and second factor, and those of tokens. So nobody can take over an
// account at a console that was left open.
func (id *Identity) Confirming(password string) *Identity {
	with := *id
	with.confirmation = &password
	return &with
}

// MustConfirm reports whether the user has to repeat the password: the request
// comes with a session of the console, and the user has a password. While an
// identity provider is in charge, a password that is left from before counts as
// none.
func (id *Identity) MustConfirm() bool {
	return id.Via == ViaSession && !id.external && id.User.PasswordHash != ""
}

// confirm checks the repeated password if it is required, and adds a fault to
// wrong if it is missing or not right.
func (a *Auth) confirm(ctx context.Context, id *Identity, wrong *fieldFaults) error {
	if !id.MustConfirm() && id.confirmation == nil || id.external || id.User.PasswordHash == "" {
		return nil
	}
	return a.checkCurrentPassword(ctx, id.User, id.confirmation, wrong)
}

// confirmed is confirm for requests without other fields: it returns the fault
// as an error.
func (a *Auth) confirmed(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.confirm(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}

// MustConfirmTokens is MustConfirm for changes of tokens. The settings can turn
// it off.
func (id *Identity) MustConfirmTokens(settings *store.TokenSettings) bool {
	return id.MustConfirm() && settings.RequirePasswordConfirmation
}

// confirmToken is confirm for changes of tokens.
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

// ConfirmToken checks the repeated password for a change of tokens, if it is
// required. It fails with a fault of current_password.
func (a *Auth) ConfirmToken(ctx context.Context, id *Identity) error {
	var wrong fieldFaults
	if err := a.confirmToken(ctx, id, &wrong); err != nil {
		return err
	}
	return wrong.Err()
}
