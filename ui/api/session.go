package api

import (
	"encoding/json"
	"errors"
	"net/http"
)

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

// object is a JSON object whose members have not been looked at.
type object map[string]json.RawMessage

// members reads a body that is to be an object. These routes ask for no
// schema: whatever else the body is has no members.
func members(r *http.Request) (object, error) {
	if !isJSON(r) {
		return nil, errContentType
	}
	body := r.Body.(received)
	if len(body) == 0 {
		return nil, nil
	}
	var o object
	err := json.Unmarshal(body, &o)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !ok {
		return nil, malformed(err)
	}
	return o, nil
}

// text is a member that is a text, and empty for any other.
func (o object) text(name string) string {
	var text string
	if json.Unmarshal(o[name], &text) != nil {
		return ""
	}
	return text
}
