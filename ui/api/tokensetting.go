package api

import (
	"net/http"

	"trento/auth"
	"trento/store"
)

// showTokenSettings answers GET /api/v1/settings/personal_access_tokens.
func (a *API) showTokenSettings(w http.ResponseWriter, _ *http.Request) error {
	settings, err := a.readTokenSettings()
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, settings)
}

func (a *API) readTokenSettings() (settings store.TokenSettings, err error) {
	err = a.deps.Store.View(func(tx *store.Tx) error {
		present, err := tx.TokenSettings()
		if err == nil {
			settings = *present
		}
		return err
	})
	return settings, err
}

// changeTokenSettings answers PATCH /api/v1/settings/personal_access_tokens.
// Settings that are not in the body stay as they are.
func (a *API) changeTokenSettings(w http.ResponseWriter, r *http.Request) error {
	settings, err := a.readTokenSettings()
	if err != nil {
		return err
	}
	in := readInput(r)
	given := in.object()
	replaceIfGiven(given, "enabled", asBool, &settings.Enabled)
	replaceIfGiven(given, "allow_basic", asBool, &settings.AllowBasic)
	replaceIfGiven(given, "allow_sign_in", asBool, &settings.AllowSignIn)
	replaceIfGiven(given, "allow_in_query", asBool, &settings.AllowInQuery)
	replaceIfGiven(given, "require_password_confirmation", asBool, &settings.RequirePasswordConfirmation)
	replaceIfGiven(given, "default_lifetime_days", asInteger, &settings.DefaultLifetimeDays)
	replaceIfGiven(given, "max_lifetime_days", orNull(asInteger), &settings.MaxLifetimeDays)
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Auth.ChangeTokenSettings(r.Context(), auth.From(r.Context()), settings); err != nil {
		return err
	}
	return send(w, http.StatusOK, settings)
}
