package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"trento/auth"
	"trento/store"
)

// user is a user in answers to user managers.
type user struct {
	ID                        int64         `json:"id"`
	Fullname                  string        `json:"fullname"`
	Username                  string        `json:"username"`
	Email                     string        `json:"email"`
	Abilities                 []ability     `json:"abilities"`
	PersonalAccessTokens      []tokenOfUser `json:"personal_access_tokens"`
	Enabled                   bool          `json:"enabled"`
	IDPUser                   bool          `json:"idp_user"`
	PasswordChangeRequestedAt *timestamp    `json:"password_change_requested_at"`
	TOTPEnabledAt             *timestamp    `json:"totp_enabled_at"`
	AnalyticsEnabled          bool          `json:"analytics_enabled"`
	Timezone                  string        `json:"timezone"`
	LastLoginAt               *timestamp    `json:"last_login_at"`
	CreatedAt                 timestamp     `json:"created_at"`
	UpdatedAt                 timestamp     `json:"updated_at"`
}

// tokenOfUser is a personal access token as a member of a user.
type tokenOfUser struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	CreatedAt timestamp  `json:"created_at"`
	ExpiresAt *timestamp `json:"expires_at"`
}

func newUser(tx *store.Tx, u *store.User) (user, error) {
	tokens, err := tokensOfUser(tx, u)
	return user{
		ID: u.ID, Fullname: u.Fullname, Username: u.Username, Email: u.Email,
		Abilities: abilitiesOf(u), PersonalAccessTokens: tokens,
		Enabled: u.Enabled(), IDPUser: len(u.Identities) > 0, PasswordChangeRequestedAt: timestampOf(u.PasswordChangeRequestedAt),
		TOTPEnabledAt: timestampOf(u.TOTPEnabledAt), AnalyticsEnabled: u.AnalyticsEnabledAt != nil,
		Timezone: u.Timezone, LastLoginAt: timestampOf(u.LastLoginAt),
		CreatedAt: timestamp(u.CreatedAt), UpdatedAt: timestamp(u.UpdatedAt),
	}, err
}

// abilitiesOf returns the abilities of a user, ordered by id.
func abilitiesOf(u *store.User) []ability {
	all := auth.Abilities()
	held := make([]ability, len(u.Abilities))
	for i, id := range u.Abilities {
		held[i] = ability(all[id-1])
	}
	return held
}

func tokensOfUser(tx *store.Tx, u *store.User) ([]tokenOfUser, error) {
	tokens, err := tx.Tokens(u.ID)
	shown := make([]tokenOfUser, len(tokens))
	for i, t := range tokens {
		shown[i] = tokenOfUser{ID: t.ID, Name: t.Name, CreatedAt: timestamp(t.CreatedAt), ExpiresAt: timestampOf(t.ExpiresAt)}
	}
	return shown, err
}

// listUsers answers GET /api/v1/users.
func (a *API) listUsers(w http.ResponseWriter, r *http.Request) error {
	return a.userList.answer(a, w, r, a.deps.Lists.Users, func(tx *store.Tx) (rows []row[int64], err error) {
		for u, err := range tx.Users() {
			if err != nil {
				return nil, err
			}
			shown, err := newUser(tx, u)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row[int64]{
				key: u.ID, id: strconv.FormatInt(u.ID, 10), name: fmt.Sprintf("%020d", u.ID),
				build: func() any { return shown },
			})
		}
		return rows, nil
	})
}

// sendUser answers with a user, and with the ETag that the client must repeat
// in a change.
func (a *API) sendUser(w http.ResponseWriter, status int, id int64) error {
	var answer user
	var version int
	err := a.deps.Store.View(func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		version = u.LockVersion
		answer, err = newUser(tx, u)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", strconv.Itoa(version))
	return send(w, status, answer)
}

// showUser answers GET /api/v1/users/{id}.
func (a *API) showUser(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := in.pathNumber("id")
	if err := in.fault(); err != nil {
		return err
	}
	return a.sendUser(w, http.StatusOK, id)
}

// createUser answers POST /api/v1/users.
func (a *API) createUser(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.object()
	n := auth.NewUser{
		Username:             required(given, "username", asText),
		Fullname:             required(given, "fullname", asText),
		Email:                required(given, "email", asText),
		Password:             required(given, "password", asText),
		PasswordConfirmation: required(given, "password_confirmation", asText),
		Enabled:              required(given, "enabled", asBool),
		Abilities:            orZero(optional(given, "abilities", asListOf(asAbility))),
		Timezone:             store.DefaultTimezone,
	}
	replaceIfGiven(given, "timezone", asText, &n.Timezone)
	if err := in.fault(); err != nil {
		return err
	}
	u, err := a.deps.Auth.CreateUser(r.Context(), auth.From(r.Context()), n)
	if err != nil {
		return err
	}
	warnOfPassword(w, &n.Password, u.Username)
	return a.sendUser(w, http.StatusCreated, u.ID)
}

// changeUser answers PATCH and PUT /api/v1/users/{id}, which do the same.
// Values that are missing in the body stay as they are.
func (a *API) changeUser(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, version := in.pathNumber("id"), in.ifMatch()
	given := in.object()
	c := auth.UserChange{
		Fullname:             optional(given, "fullname", asText),
		Email:                optional(given, "email", asText),
		Password:             optional(given, "password", asText),
		PasswordConfirmation: optional(given, "password_confirmation", asText),
		Timezone:             optional(given, "timezone", asText),
		Abilities:            optional(given, "abilities", asListOf(asAbility)),
		Enabled:              optional(given, "enabled", asBool),
		DisableTOTP:          orZero(optional(given, "totp_disabled", asBool)),
	}
	by := in.confirmingUser(given)
	if err := in.fault(); err != nil {
		return err
	}
	if version == nil {
		err := a.deps.Store.View(func(tx *store.Tx) error {
			_, err := tx.User(id)
			return err
		})
		if err == nil {
			err = errUnconditional
		}
		return err
	}
	u, err := a.deps.Auth.ChangeUser(r.Context(), by, id, *version, c)
	if err != nil {
		return err
	}
	if a.deps.Auth.Provider() == nil {
		warnOfPassword(w, c.Password, u.Username)
	}
	return a.sendUser(w, http.StatusOK, id)
}

// deleteUser answers DELETE /api/v1/users/{id}.
func (a *API) deleteUser(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id := in.pathNumber("id")
	if err := in.fault(); err != nil {
		return err
	}
	if err := a.deps.Auth.DeleteUser(r.Context(), auth.From(r.Context()), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// asAbility reads an ability and returns its id. The name and the resource are
// required as well, but their values are ignored.
func asAbility(at place, value json.RawMessage) int {
	given := asObject(at, value)
	given.lenient = true
	if given.members == nil {
		return 0
	}
	required(given, "name", asText)
	required(given, "resource", asText)
	optional(given, "label", asText)
	return required(given, "id", asInteger)
}

// warnOfPassword sets the header Warning if a password was accepted but is
// weak. A header is used because the answers have no member for that.
func warnOfPassword(w http.ResponseWriter, password *string, username string) {
	if password == nil {
		return
	}
	if warning := auth.PasswordWarning(*password, username); warning != "" {
		w.Header().Set("Warning", `299 - "The password `+warning+`"`)
	}
}
