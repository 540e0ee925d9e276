package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"trento/auth"
	"trento/store"
)

// user is a user as those who manage users know it.
type user struct {
	ID                        int64         `json:"id"`
	Fullname                  string        `json:"fullname"`
	Username                  string        `json:"username"`
	Email                     string        `json:"email"`
	Abilities                 []ability     `json:"abilities"`
	PersonalAccessTokens      []tokenOfUser `json:"personal_access_tokens"`
	Enabled                   bool          `json:"enabled"`
	IDPUser                   bool          `json:"idp_user"`
	PasswordChangeRequestedAt *moment       `json:"password_change_requested_at"`
	TOTPEnabledAt             *moment       `json:"totp_enabled_at"`
	AnalyticsEnabled          bool          `json:"analytics_enabled"`
	Timezone                  string        `json:"timezone"`
	LastLoginAt               *moment       `json:"last_login_at"`
	CreatedAt                 moment        `json:"created_at"`
	UpdatedAt                 moment        `json:"updated_at"`
}

// tokenOfUser is a personal access token as a member of its owner.
type tokenOfUser struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	CreatedAt moment  `json:"created_at"`
	ExpiresAt *moment `json:"expires_at"`
}

func newUser(tx *store.Tx, u *store.User) (user, error) {
	tokens, err := tokensOfUser(tx, u)
	return user{
		ID: u.ID, Fullname: u.Fullname, Username: u.Username, Email: u.Email,
		Abilities: abilitiesOf(u), PersonalAccessTokens: tokens,
		Enabled: u.Enabled(), PasswordChangeRequestedAt: momentOf(u.PasswordChangeRequestedAt),
		TOTPEnabledAt: momentOf(u.TOTPEnabledAt), AnalyticsEnabled: u.AnalyticsEnabledAt != nil,
		Timezone: u.Timezone, LastLoginAt: momentOf(u.LastLoginAt),
		CreatedAt: moment(u.CreatedAt), UpdatedAt: moment(u.UpdatedAt),
	}, err
}

// abilitiesOf are the abilities of a user, by id.
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
		shown[i] = tokenOfUser{ID: t.ID, Name: t.Name, CreatedAt: moment(t.CreatedAt), ExpiresAt: momentOf(t.ExpiresAt)}
	}
	return shown, err
}

// users answers GET /api/v1/users.
func (a *API) users(w http.ResponseWriter, _ *http.Request) error {
	answer := []user{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		for u, err := range tx.Users() {
			if err != nil {
				return err
			}
			shown, err := newUser(tx, u)
			if err != nil {
				return err
			}
			answer = append(answer, shown)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// sendUser answers with a user and the version that a change has to name.
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

// user answers GET /api/v1/users/{id}.
func (a *API) user(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathNumber(r, "id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	return a.sendUser(w, http.StatusOK, id)
}

// createUser answers POST /api/v1/users.
func (a *API) createUser(w http.ResponseWriter, r *http.Request) error {
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	required := []string{"username", "fullname", "email", "password", "password_confirmation", "enabled"}
	if err := given.only(append(required, "abilities", "timezone")...); err != nil {
		return err
	}
	if err := given.all(required...); err != nil {
		return err
	}
	var wrong []problem
	n := auth.NewUser{
		Username: schemaText("/username", given["username"], &wrong),
		Fullname: schemaText("/fullname", given["fullname"], &wrong),
		Email:    schemaText("/email", given["email"], &wrong),
		Password: schemaText("/password", given["password"], &wrong),
		Enabled:  schemaBool("/enabled", given["enabled"], &wrong),
		Timezone: store.DefaultTimezone,

		PasswordConfirmation: schemaText("/password_confirmation", given["password_confirmation"], &wrong),
	}
	if timezone := given.optionalText("timezone", &wrong); timezone != nil {
		n.Timezone = *timezone
	}
	if abilities := given.optionalAbilities(&wrong); abilities != nil {
		n.Abilities = *abilities
	}
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	u, err := a.deps.Auth.CreateUser(r.Context(), auth.From(r.Context()), n)
	if err != nil {
		return err
	}
	warnOfPassword(w, &n.Password, u.Username)
	return a.sendUser(w, http.StatusCreated, u.ID)
}

// changeUser answers PATCH and PUT /api/v1/users/{id}, which are the same: what
// is not in the body stays as it is.
func (a *API) changeUser(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathNumber(r, "id", &wrong)
	version, conditional := ifMatch(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	err = given.only("fullname", "email", "password", "password_confirmation", "enabled", "abilities", "timezone", "totp_disabled", currentPassword)
	if err != nil {
		return err
	}
	disableTOTP := given.optionalBool("totp_disabled", &wrong)
	c := auth.UserChange{
		Fullname:             given.optionalText("fullname", &wrong),
		Email:                given.optionalText("email", &wrong),
		Password:             given.optionalText("password", &wrong),
		PasswordConfirmation: given.optionalText("password_confirmation", &wrong),
		Timezone:             given.optionalText("timezone", &wrong),
		Abilities:            given.optionalAbilities(&wrong),
		Enabled:              given.optionalBool("enabled", &wrong),
		DisableTOTP:          disableTOTP != nil && *disableTOTP,
	}
	by := given.confirming(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	if !conditional {
		err := a.deps.Store.View(func(tx *store.Tx) error {
			_, err := tx.User(id)
			return err
		})
		if err == nil {
			err = errUnconditional
		}
		return err
	}
	u, err := a.deps.Auth.ChangeUser(r.Context(), by, id, version, c)
	if err != nil {
		return err
	}
	warnOfPassword(w, c.Password, u.Username)
	return a.sendUser(w, http.StatusOK, id)
}

// deleteUser answers DELETE /api/v1/users/{id}.
func (a *API) deleteUser(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathNumber(r, "id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	if err := a.deps.Auth.DeleteUser(r.Context(), auth.From(r.Context()), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ifMatch is the version the client believes a record has, and whether it says
// so. Most send the number as it is, some in quotation marks.
func ifMatch(r *http.Request, wrong *[]problem) (version int, ok bool) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return 0, false
	}
	text := values[0]
	if len(text) > 2 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`) {
		text = text[1 : len(text)-1]
	}
	version, err := strconv.Atoi(text)
	if err != nil || len(values) > 1 {
		*wrong = append(*wrong, invalid("/if-match", "Invalid integer. Got: string"))
	}
	return version, true
}

// optionalAbilities are the ids of the abilities in a body; nil where it has
// none. What else is said about an ability is believed by nobody.
func (o object) optionalAbilities(wrong *[]problem) *[]int {
	value, ok := o["abilities"]
	if !ok {
		return nil
	}
	var elements []json.RawMessage
	if kind := kindOf(value); kind != "array" || json.Unmarshal(value, &elements) != nil {
		*wrong = append(*wrong, mistyped("/abilities", "array", kind))
	}
	ids := make([]int, 0, len(elements))
	for i, element := range elements {
		if len(*wrong) >= maxProblems {
			break
		}
		ids = append(ids, schemaAbility("/abilities/"+strconv.Itoa(i), element, wrong))
	}
	return &ids
}

// schemaAbility is the id of an ability.
func schemaAbility(pointer string, value json.RawMessage, wrong *[]problem) int {
	var o object
	if kind := kindOf(value); kind != "object" || json.Unmarshal(value, &o) != nil {
		*wrong = append(*wrong, mistyped(pointer, "object", kind))
		return 0
	}
	for _, name := range []string{"id", "name", "resource"} {
		if _, ok := o[name]; !ok {
			*wrong = append(*wrong, invalid(pointer+"/"+name, "Missing field: "+name))
		}
	}
	for _, name := range []string{"name", "resource", "label"} {
		if text, ok := o[name]; ok {
			schemaText(pointer+"/"+name, text, wrong)
		}
	}
	var id int
	if number, ok := o["id"]; ok && json.Unmarshal(number, &id) != nil || ok && kindOf(number) != "integer" {
		*wrong = append(*wrong, mistyped(pointer+"/id", "integer", kindOf(number)))
	}
	return id
}

// warnOfPassword says in the header Warning that a password that was taken is a
// bad one: the shapes of users and profiles have no room for it.
func warnOfPassword(w http.ResponseWriter, password *string, username string) {
	if password == nil {
		return
	}
	if warning := auth.PasswordWarning(*password, username); warning != "" {
		w.Header().Set("Warning", `299 - "The password `+warning+`"`)
	}
}
