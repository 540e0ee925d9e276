package api

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
	"trento/store/landscape"
)

// ownToken is a personal access token as its owner knows it.
type ownToken struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Scopes      []string `json:"scopes"`
	CreatedAt   moment   `json:"created_at"`
	UpdatedAt   moment   `json:"updated_at"`
	ExpiresAt   *moment  `json:"expires_at"`
	LastUsedAt  *moment  `json:"last_used_at"`
	Status      string   `json:"status"` // active or expired

	MayGrantAdministration bool `json:"may_grant_administration"`
}

// anyToken is a personal access token as those who manage users know it.
type anyToken struct {
	ownToken
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
}

// newToken is a token with its text, which is shown this once.
type newToken struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	ExpiresAt   *moment `json:"expires_at"`
	CreatedAt   moment  `json:"created_at"`
	AccessToken string  `json:"access_token"`
}

func (a *API) newOwnToken(tx *store.Tx, t *store.Token) ownToken {
	status := "active"
	if t.Expired(a.deps.Store.Now()) {
		status = "expired"
	}
	return ownToken{
		ID: t.ID, Name: t.Name, Description: t.Description, Scopes: t.Scopes, CreatedAt: moment(t.CreatedAt), UpdatedAt: moment(t.UpdatedAt),
		ExpiresAt: momentOf(t.ExpiresAt), LastUsedAt: momentOf(tx.TokenLastUsed(t.ID)), Status: status,
		MayGrantAdministration: t.MayGrantAdministration,
	}
}

// ownTokens answers GET /api/v1/profile/tokens.
func (a *API) ownTokens(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	answer := []ownToken{}
	err := a.deps.Store.View(func(tx *store.Tx) error {
		tokens, err := tx.Tokens(auth.From(r.Context()).User.ID)
		for _, t := range tokens {
			answer = append(answer, a.newOwnToken(tx, t))
		}
		return err
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// tokenPage is a page of the tokens of all users.
type tokenPage struct {
	Data       []anyToken     `json:"data"`
	Pagination pagePagination `json:"pagination"`
}

// tokenPlace is where a token stands among those of all users: by user, newest
// first. Tokens are deleted, so a cursor names a place and no token.
type tokenPlace struct {
	user    int64
	created time.Time
	id      string
}

func placeOf(t *store.Token) tokenPlace {
	return tokenPlace{t.UserID, t.CreatedAt.Truncate(time.Microsecond), t.ID}
}

func (p tokenPlace) compare(other tokenPlace) int {
	return cmp.Or(cmp.Compare(p.user, other.user), other.created.Compare(p.created), cmp.Compare(p.id, other.id))
}

func (p tokenPlace) cursor() string {
	return fmt.Sprintf("%d.%d.%s", p.user, p.created.UnixMicro(), p.id)
}

// parseTokenPlace reads a cursor. It reports false for what is none.
func parseTokenPlace(cursor string) (tokenPlace, bool) {
	parts := strings.SplitN(cursor, ".", 3)
	if len(parts) != 3 {
		return tokenPlace{}, false
	}
	user, userErr := strconv.ParseInt(parts[0], 10, 64)
	micros, timeErr := strconv.ParseInt(parts[1], 10, 64)
	return tokenPlace{user, time.UnixMicro(micros), parts[2]}, userErr == nil && timeErr == nil
}

// allTokens answers GET /api/v1/personal_access_tokens: a page of the tokens
// of all users.
func (a *API) allTokens(w http.ResponseWriter, r *http.Request) error {
	asked, err := newParameters(r)
	if err != nil {
		return err
	}
	if err := asked.only("first", "after"); err != nil {
		return err
	}
	size, after, err := asked.page(nil)
	if err != nil {
		return err
	}
	var behind tokenPlace
	if !blank(after) {
		var ok bool
		if behind, ok = parseTokenPlace(after); !ok {
			return errBadRequest
		}
	}
	if err := a.deps.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	page := tokenPage{Data: []anyToken{}, Pagination: pagePagination{First: size}}
	err = a.deps.Store.View(func(tx *store.Tx) error { return a.fillTokenPage(tx, &page, behind) })
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, page)
}

// fillTokenPage adds the tokens behind a place until the page is full.
func (a *API) fillTokenPage(tx *store.Tx, page *tokenPage, behind tokenPlace) error {
	for u, err := range tx.Users() {
		if err != nil {
			return err
		}
		if u.ID < behind.user {
			continue
		}
		tokens, err := tx.Tokens(u.ID)
		if err != nil {
			return err
		}
		slices.SortFunc(tokens, func(x, y *store.Token) int { return placeOf(x).compare(placeOf(y)) })
		for _, t := range tokens {
			place := placeOf(t)
			if place.compare(behind) <= 0 {
				continue
			}
			if len(page.Data) == page.Pagination.First {
				page.Pagination.HasNextPage = true
				return nil
			}
			page.Data = append(page.Data, anyToken{a.newOwnToken(tx, t), u.ID, u.Username})
			cursor := place.cursor()
			page.Pagination.EndCursor = &cursor
		}
	}
	return nil
}

// currentPassword is the member in which a request shows the password once
// more, where nothing but the cookie of the console speaks for the user.
const currentPassword = "current_password"

// confirming is who asks, with the password that the body shows once more.
func (o object) confirming(r *http.Request, wrong *[]problem) *auth.Identity {
	id := auth.From(r.Context())
	if password := o.optionalText(currentPassword, wrong); password != nil {
		return id.Confirming(*password)
	}
	return id
}

// confirmingOnly is confirming for requests whose body says nothing else. Of a
// program, which shows what it may do with each request, no body is read.
func confirmingOnly(r *http.Request) (*auth.Identity, error) {
	id := auth.From(r.Context())
	if !id.MustConfirm() || len(r.Body.(bodyBytes)) == 0 {
		return id, nil
	}
	given, err := schemaMembers(r)
	if err != nil {
		return nil, err
	}
	if err := given.only(currentPassword); err != nil {
		return nil, err
	}
	var wrong []problem
	id = given.confirming(r, &wrong)
	return id, unprocessable(wrong...)
}

// createToken answers POST /api/v1/profile/tokens.
func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	if err := given.only("name", "expires_at", "description", "scopes", "may_grant_administration", currentPassword); err != nil {
		return err
	}
	if err := given.all("name"); err != nil {
		return err
	}
	var wrong []problem
	n := auth.NewToken{Name: schemaText("/name", given["name"], &wrong), Scopes: given.optionalTexts("scopes", &wrong)}
	if description := given.optionalText("description", &wrong); description != nil {
		n.Description = *description
	}
	if grants := given.optionalBool("may_grant_administration", &wrong); grants != nil {
		n.MayGrantAdministration = *grants
	}
	if end, ok := given["expires_at"]; ok {
		n.ExpiresAt = schemaMoment("/expires_at", end, &wrong)
	}
	id := given.confirming(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	t, text, err := a.deps.Auth.CreateToken(r.Context(), id, n)
	if err != nil {
		return err
	}
	return sendNewToken(w, http.StatusCreated, t, text)
}

func sendNewToken(w http.ResponseWriter, status int, t *store.Token, text string) error {
	return send(w, status, newToken{ID: t.ID, Name: t.Name, ExpiresAt: momentOf(t.ExpiresAt), CreatedAt: moment(t.CreatedAt), AccessToken: text})
}

// sendOwnToken answers with a token as its owner sees it.
func (a *API) sendOwnToken(w http.ResponseWriter, t *store.Token) error {
	var answer ownToken
	err := a.deps.Store.View(func(tx *store.Tx) error {
		answer = a.newOwnToken(tx, t)
		return nil
	})
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, answer)
}

// changeToken answers PATCH /api/v1/profile/tokens/{token_id}.
func (a *API) changeToken(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[string](r, "token_id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	if err := given.only("name", "expires_at", "description", "scopes", currentPassword); err != nil {
		return err
	}
	c := auth.TokenChange{
		Name: given.optionalText("name", &wrong), Description: given.optionalText("description", &wrong), Scopes: given.optionalTexts("scopes", &wrong),
	}
	if end, ok := given["expires_at"]; ok {
		c.ExpiresAt = schemaMoment("/expires_at", end, &wrong)
		c.Endless = c.ExpiresAt == nil
	}
	by := given.confirming(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	t, err := a.deps.Auth.ChangeToken(r.Context(), by, id, c)
	if err != nil {
		return err
	}
	return a.sendOwnToken(w, t)
}

// regenerateToken answers POST /api/v1/profile/tokens/{token_id}/regenerate.
// There may be no body at all.
func (a *API) regenerateToken(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[string](r, "token_id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	var given object
	if len(r.Body.(bodyBytes)) > 0 {
		var err error
		if given, err = schemaMembers(r); err != nil {
			return err
		}
	}
	if err := given.only("expires_at", currentPassword); err != nil {
		return err
	}
	var expiresAt *time.Time
	end, ends := given["expires_at"]
	if ends {
		expiresAt = schemaMoment("/expires_at", end, &wrong)
	}
	by := given.confirming(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	t, text, err := a.deps.Auth.RegenerateToken(r.Context(), by, id, !ends, expiresAt)
	if err != nil {
		return err
	}
	return sendNewToken(w, http.StatusOK, t, text)
}

// expireToken answers POST /api/v1/profile/tokens/{token_id}/expire.
func (a *API) expireToken(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[string](r, "token_id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	by, err := confirmingOnly(r)
	if err != nil {
		return err
	}
	t, err := a.deps.Auth.ExpireToken(r.Context(), by, id)
	if err != nil {
		return err
	}
	return a.sendOwnToken(w, t)
}

// deleteToken answers DELETE /api/v1/profile/tokens/{token_id}.
func (a *API) deleteToken(w http.ResponseWriter, r *http.Request) error {
	var wrong []problem
	id := pathID[string](r, "token_id", &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	by, err := confirmingOnly(r)
	if err != nil {
		return err
	}
	return done(w, a.deps.Auth.DeleteTokens(r.Context(), by, id))
}

// done answers that something was done that leaves nothing to say.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// deleteTokens answers POST /api/v1/profile/tokens/delete.
func (a *API) deleteTokens(w http.ResponseWriter, r *http.Request) error {
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	if err := given.only("ids", currentPassword); err != nil {
		return err
	}
	if err := given.all("ids"); err != nil {
		return err
	}
	var wrong []problem
	ids, by := given.optionalTexts("ids", &wrong), given.confirming(r, &wrong)
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	for i, id := range ids {
		if len(wrong) < maxProblems {
			ids[i] = schemaID("/ids/"+strconv.Itoa(i), id, &wrong)
		}
	}
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	return done(w, a.deps.Auth.DeleteTokens(r.Context(), by, ids...))
}

// deleteAllTokens answers DELETE /api/v1/profile/tokens.
func (a *API) deleteAllTokens(w http.ResponseWriter, r *http.Request) error {
	by, err := confirmingOnly(r)
	if err != nil {
		return err
	}
	return done(w, a.deps.Auth.DeleteAllTokens(r.Context(), by))
}

// tokenOf are the variables of a path that names a token of any user.
func tokenOf(r *http.Request) (user int64, token string, err error) {
	var wrong []problem
	user, token = pathNumber(r, "id", &wrong), pathID[string](r, "token_id", &wrong)
	return user, token, unprocessable(wrong...)
}

// deleteTokenOf answers DELETE /api/v1/users/{id}/tokens/{token_id}.
func (a *API) deleteTokenOf(w http.ResponseWriter, r *http.Request) error {
	user, token, err := tokenOf(r)
	if err != nil {
		return err
	}
	by, err := confirmingOnly(r)
	if err != nil {
		return err
	}
	return done(w, a.deps.Auth.DeleteTokenOf(r.Context(), by, user, token))
}

// expireTokenOf answers POST /api/v1/users/{id}/tokens/{token_id}/expire.
func (a *API) expireTokenOf(w http.ResponseWriter, r *http.Request) error {
	user, token, err := tokenOf(r)
	if err != nil {
		return err
	}
	by, err := confirmingOnly(r)
	if err != nil {
		return err
	}
	t, err := a.deps.Auth.ExpireTokenOf(r.Context(), by, user, token)
	if err != nil {
		return err
	}
	return a.sendOwnToken(w, t)
}

// maxListed is how many values a list in a body can have.
const maxListed = 1000

// optionalTexts is a member that is to be a list of texts; nil where there is
// none.
func (o object) optionalTexts(name string, wrong *[]problem) []string {
	value, ok := o[name]
	if !ok {
		return nil
	}
	texts := schemaTexts("/"+name, value, wrong)
	if len(texts) > maxListed {
		*wrong = append(*wrong, invalid("/"+name, "should have at most "+strconv.Itoa(maxListed)+" item(s)"))
	}
	return texts
}

// schemaID is the id a text is to be.
func schemaID(pointer, text string, wrong *[]problem) string {
	id, ok := landscape.ParseID[string](text) // all ids are of one form
	if !ok {
		*wrong = append(*wrong, invalid(pointer, "Invalid format. Expected :uuid"))
	}
	return id
}

// tokenSettings answers GET /api/v1/settings/personal_access_tokens.
func (a *API) tokenSettings(w http.ResponseWriter, _ *http.Request) error {
	settings, err := a.presentTokenSettings()
	if err != nil {
		return err
	}
	return send(w, http.StatusOK, settings)
}

func (a *API) presentTokenSettings() (settings store.TokenSettings, err error) {
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
// What is not in the body stays as it is.
func (a *API) changeTokenSettings(w http.ResponseWriter, r *http.Request) error {
	settings, err := a.presentTokenSettings()
	if err != nil {
		return err
	}
	given, err := schemaMembers(r)
	if err != nil {
		return err
	}
	switches := map[string]*bool{
		"enabled": &settings.Enabled, "allow_basic": &settings.AllowBasic, "allow_sign_in": &settings.AllowSignIn,
		"allow_in_query": &settings.AllowInQuery, "require_password_confirmation": &settings.RequirePasswordConfirmation,
	}
	if err := given.only("enabled", "allow_basic", "allow_sign_in", "allow_in_query", "require_password_confirmation", "default_lifetime_days", "max_lifetime_days"); err != nil {
		return err
	}
	var wrong []problem
	for name, into := range switches {
		if b := given.optionalBool(name, &wrong); b != nil {
			*into = *b
		}
	}
	if value, ok := given["default_lifetime_days"]; ok {
		settings.DefaultLifetimeDays = schemaInteger("/default_lifetime_days", value, &wrong)
	}
	if value, ok := given["max_lifetime_days"]; ok {
		settings.MaxLifetimeDays = nil
		if kindOf(value) != "null" {
			days := schemaInteger("/max_lifetime_days", value, &wrong)
			settings.MaxLifetimeDays = &days
		}
	}
	if err := unprocessable(wrong...); err != nil {
		return err
	}
	if err := a.deps.Auth.ChangeTokenSettings(r.Context(), auth.From(r.Context()), settings); err != nil {
		return err
	}
	return send(w, http.StatusOK, settings)
}
