package api

import (
	"net/http"

	"trento/auth"
)

// signIn answers POST /api/session: a name, a password and perhaps a code for
// tokens. A code that is no text is a wrong one.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	given, err := members(r)
	if err != nil {
		return err
	}
	c := auth.Credentials{Username: given.text("username"), Password: given.text("password")}
	if _, ok := given["totp_code"]; ok {
		code := given.text("totp_code")
		c.Code = &code
	}
	proof, err := a.deps.Auth.CheckPassword(r.Context(), c, a.deps.Auth.ClientAddress(r))
	if err != nil {
		return err
	}
	tokens, err := a.deps.Auth.SignInAPI(r, proof)
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
