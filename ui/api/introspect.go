package api

import (
	"errors"
	"net/http"

	"trento/auth"
	"trento/store"
)

// introspection is the answer about a valid token.
type introspection struct {
	Active    bool             `json:"active"`
	Audience  string           `json:"aud,omitempty"` // this and the members down to jti: only of access tokens
	Issuer    string           `json:"iss,omitempty"`
	IssuedAt  int64            `json:"iat,omitempty"`
	NotBefore int64            `json:"nbf,omitempty"`
	Expires   int64            `json:"exp,omitempty"`
	ID        string           `json:"jti,omitempty"`
	Subject   int64            `json:"sub"`
	Abilities []grantedAbility `json:"abilities"`
	Scope     []string         `json:"scope,omitempty"`
}

// grantedAbility names an ability.
type grantedAbility struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

// introspect answers POST /api/session/token/introspect, which tells whether a
// token is valid and what it permits. For clients that may not introspect, the
// route does not exist.
func (a *API) introspect(w http.ResponseWriter, r *http.Request) error {
	if !a.deps.Auth.MayIntrospect(r) {
		return store.ErrNotFound
	}
	in := readInput(r)
	given := in.lenientObject()
	token := given.lenientText("token")
	if err := in.fault(); err != nil {
		return err
	}
	if given.members["token"] == nil {
		return errBadRequest
	}
	found, err := a.deps.Auth.Introspect(token)
	if errors.Is(err, auth.ErrSignedOut) {
		return send(w, http.StatusOK, struct {
			Active bool `json:"active"`
		}{})
	}
	if err != nil {
		return err
	}
	answer := introspection{Active: true, Subject: found.User.ID, Abilities: []grantedAbility{}, Scope: found.Scopes}
	for _, ability := range found.Abilities {
		answer.Abilities = append(answer.Abilities, grantedAbility{ability.Name, ability.Resource})
	}
	if c := found.Access; c != nil {
		answer.Audience, answer.Issuer, answer.ID = c.Audience, c.Issuer, c.ID
		answer.IssuedAt, answer.NotBefore, answer.Expires = c.IssuedAt, c.NotBefore, c.Expires
	}
	return send(w, http.StatusOK, answer)
}
