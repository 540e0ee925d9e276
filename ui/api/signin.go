package api

import (
	"net/http"

	"trento/auth"
)

// signIn answers POST /api/session. It checks name, password and, if given, the
// code of the second factor, and answers with tokens. A code that is not a
// string is a wrong code.
func (a *API) signIn(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.lenientObject()
	c := auth.Credentials{Username: given.lenientText("username"), Password: given.lenientText("password")}
	if given.members["totp_code"] != nil {
		code := given.lenientText("totp_code")
		c.Code = &code
	}
	if err := in.fault(); err != nil {
		return err
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

// refresh answers POST /api/session/refresh with a new access token for a
// refresh token.
func (a *API) refresh(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.lenientObject()
	token := given.lenientText("refresh_token")
	if err := in.fault(); err != nil {
		return err
	}
	if given.members["refresh_token"] == nil {
		return errBadRequest
	}
	tokens, err := a.deps.Auth.Refresh(r.Context(), token)
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, tokens)
}
