package api

import "net/http"

// signIn answers POST /api/session: a name and a password for tokens.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	given, err := members(r)
	if err != nil {
		return err
	}
	user, err := a.deps.Auth.CheckPassword(r.Context(), given.text("username"), given.text("password"), a.deps.Auth.ClientAddress(r))
	if err != nil {
		return err
	}
	tokens, err := a.deps.Auth.SignInAPI(r, user)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, tokens)
}

// refresh answers POST /api/session/refresh: a refresh token for a new access
// token.
func (a *API) refresh(w http.ResponseWriter, r *http.Request) error {
	given, err := members(r)
	if err != nil {
		return err
	}
	if given["refresh_token"] == nil {
		return errBadRequest
	}
	tokens, err := a.deps.Auth.Refresh(r.Context(), given.text("refresh_token"))
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, tokens)
}
