package api

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"trento/auth"
	"trento/store"
)

// ownToken is a personal access token in answers to its owner.
type ownToken struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Scopes      []string   `json:"scopes"`
	CreatedAt   timestamp  `json:"created_at"`
	UpdatedAt   timestamp  `json:"updated_at"`
	ExpiresAt   *timestamp `json:"expires_at"`
	LastUsedAt  *timestamp `json:"last_used_at"`
	Status      string     `json:"status"` // active or expired

	MayGrantAdministration bool `json:"may_grant_administration"`
}

// anyToken is a personal access token in answers to users who manage users.
type anyToken struct {
	ownToken
	UserID   int64  `json:"user_id"`
	Username string `json:"username"`
}

// tokenWithText is a token with its text, which no other answer contains.
type tokenWithText struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	ExpiresAt   *timestamp `json:"expires_at"`
	CreatedAt   timestamp  `json:"created_at"`
	AccessToken string     `json:"access_token"`
}

func (a *API) newOwnToken(tx *store.Tx, t *store.Token) ownToken {
	status := "active"
	if t.Expired(a.deps.Store.Now()) {
		status = "expired"
	}
	return ownToken{
		ID: t.ID, Name: t.Name, Description: t.Description, Scopes: t.Scopes, CreatedAt: timestamp(t.CreatedAt), UpdatedAt: timestamp(t.UpdatedAt),
		ExpiresAt: timestampOf(t.ExpiresAt), LastUsedAt: timestampOf(tx.TokenLastUsed(t.ID)), Status: status,
		MayGrantAdministration: t.MayGrantAdministration,
	}
}

// listOwnTokens answers GET /api/v1/profile/tokens.
func (a *API) listOwnTokens(w http.ResponseWriter, r *http.Request) error {
	if err := a.deps.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	return a.ownTokenList.answer(a, w, r, a.deps.Lists.Tokens, func(tx *store.Tx) ([]row[string], error) {
		tokens, err := tx.Tokens(auth.From(r.Context()).User.ID)
		rows := make([]row[string], len(tokens))
		for i, t := range tokens {
			shown := a.newOwnToken(tx, t)
			rows[i] = row[string]{key: t.ID, id: t.ID, name: newestFirstKey(t.CreatedAt), build: func() any { return shown }}
		}
		return rows, err
	})
}

// newestFirstKey returns a text whose byte order is that of times, backwards.
func newestFirstKey(t time.Time) string { return fmt.Sprintf("%020d", math.MaxInt64-t.UnixMicro()) }

// tokenPage is a page of the tokens of all users.
type tokenPage struct {
	Data       []anyToken `json:"data"`
	Pagination pagination `json:"pagination"`
}

// tokenPosition is the position of a token in the list of all tokens, which is
// sorted by user, then newest first. A cursor contains a position, so it stays
// valid after the token was deleted.
type tokenPosition struct {
	user    int64
	created time.Time
	id      string
}

func positionOf(t *store.Token) tokenPosition {
	return tokenPosition{t.UserID, t.CreatedAt.Truncate(time.Microsecond), t.ID}
}

func (p tokenPosition) compare(other tokenPosition) int {
	return cmp.Or(cmp.Compare(p.user, other.user), other.created.Compare(p.created), cmp.Compare(p.id, other.id))
}

func (p tokenPosition) cursor() string {
	return fmt.Sprintf("%d.%d.%s", p.user, p.created.UnixMicro(), p.id)
}

// parseTokenPosition parses a cursor. The second result is false if it cannot
// be parsed.
func parseTokenPosition(cursor string) (tokenPosition, bool) {
	parts := strings.SplitN(cursor, ".", 3)
	if len(parts) != 3 {
		return tokenPosition{}, false
	}
	user, userErr := strconv.ParseInt(parts[0], 10, 64)
	micros, timeErr := strconv.ParseInt(parts[1], 10, 64)
	return tokenPosition{user, time.UnixMicro(micros), parts[2]}, userErr == nil && timeErr == nil
}

// listAllTokens answers GET /api/v1/personal_access_tokens with a page of the
// tokens of all users.
func (a *API) listAllTokens(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	size, after := in.queryPage()
	if err := in.fault(); err != nil {
		return err
	}
	var behind tokenPosition
	if !isBlank(after) {
		var ok bool
		if behind, ok = parseTokenPosition(after); !ok {
			return errBadRequest
		}
	}
	if err := a.deps.Store.FlushTokenUses(r.Context()); err != nil {
		return err
	}
	page := tokenPage{Data: []anyToken{}, Pagination: pagination{First: size}}
	err := a.deps.Store.View(func(tx *store.Tx) error { return a.fillTokenPage(tx, &page, behind) })
	if err != nil {
		return err
	}
	return sendValidated(w, r, page)
}

// fillTokenPage adds the tokens after a position until the page is full.
func (a *API) fillTokenPage(tx *store.Tx, page *tokenPage, behind tokenPosition) error {
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
		slices.SortFunc(tokens, func(x, y *store.Token) int { return positionOf(x).compare(positionOf(y)) })
		for _, t := range tokens {
			place := positionOf(t)
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

// createToken answers POST /api/v1/profile/tokens.
func (a *API) createToken(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.object()
	n := auth.NewToken{
		Name:                   required(given, "name", asText),
		Description:            orZero(optional(given, "description", asText)),
		Scopes:                 orZero(optional(given, "scopes", asShortListOf(asText))),
		ExpiresAt:              orZero(optional(given, "expires_at", orNull(asTime))),
		MayGrantAdministration: orZero(optional(given, "may_grant_administration", asBool)),
	}
	by := in.confirmingUser(given)
	if err := in.fault(); err != nil {
		return err
	}
	t, text, err := a.deps.Auth.CreateToken(r.Context(), by, n)
	if err != nil {
		return err
	}
	return sendNewToken(w, http.StatusCreated, t, text)
}

func sendNewToken(w http.ResponseWriter, status int, t *store.Token, text string) error {
	return send(w, status, tokenWithText{ID: t.ID, Name: t.Name, ExpiresAt: timestampOf(t.ExpiresAt), CreatedAt: timestamp(t.CreatedAt), AccessToken: text})
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
	in := readInput(r)
	id, given := pathID[string](in, "token_id"), in.object()
	c := auth.TokenChange{
		Name:        optional(given, "name", asText),
		Description: optional(given, "description", asText),
		Scopes:      orZero(optional(given, "scopes", asShortListOf(asText))),
	}
	if end := optional(given, "expires_at", orNull(asTime)); end != nil {
		c.ExpiresAt, c.Endless = *end, *end == nil
	}
	by := in.confirmingUser(given)
	if err := in.fault(); err != nil {
		return err
	}
	t, err := a.deps.Auth.ChangeToken(r.Context(), by, id, c)
	if err != nil {
		return err
	}
	return a.sendOwnToken(w, t)
}

// regenerateToken answers POST /api/v1/profile/tokens/{token_id}/regenerate.
// The body can be left out.
func (a *API) regenerateToken(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, given := pathID[string](in, "token_id"), in.optionalObject()
	end := optional(given, "expires_at", orNull(asTime))
	by := in.confirmingUser(given)
	if err := in.fault(); err != nil {
		return err
	}
	t, text, err := a.deps.Auth.RegenerateToken(r.Context(), by, id, end == nil, orZero(end))
	if err != nil {
		return err
	}
	return sendNewToken(w, http.StatusOK, t, text)
}

// expireToken answers POST /api/v1/profile/tokens/{token_id}/expire.
func (a *API) expireToken(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	id, by := pathID[string](in, "token_id"), in.confirmingUserOnly()
	if err := in.fault(); err != nil {
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
	in := readInput(r)
	id, by := pathID[string](in, "token_id"), in.confirmingUserOnly()
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Auth.DeleteTokens(r.Context(), by, id))
}

// sendNoContent answers 204 if err is nil. Otherwise it returns err.
func sendNoContent(w http.ResponseWriter, err error) error {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// deleteTokens answers POST /api/v1/profile/tokens/delete.
func (a *API) deleteTokens(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	given := in.object()
	ids, by := required(given, "ids", asShortListOf(asID)), in.confirmingUser(given)
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Auth.DeleteTokens(r.Context(), by, ids...))
}

// deleteAllTokens answers DELETE /api/v1/profile/tokens.
func (a *API) deleteAllTokens(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	by := in.confirmingUserOnly()
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Auth.DeleteAllTokens(r.Context(), by))
}

// deleteTokenOf answers DELETE /api/v1/users/{id}/tokens/{token_id}.
func (a *API) deleteTokenOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	user, token, by := in.pathNumber("id"), pathID[string](in, "token_id"), in.confirmingUserOnly()
	if err := in.fault(); err != nil {
		return err
	}
	return sendNoContent(w, a.deps.Auth.DeleteTokenOf(r.Context(), by, user, token))
}

// expireTokenOf answers POST /api/v1/users/{id}/tokens/{token_id}/expire.
func (a *API) expireTokenOf(w http.ResponseWriter, r *http.Request) error {
	in := readInput(r)
	user, token, by := in.pathNumber("id"), pathID[string](in, "token_id"), in.confirmingUserOnly()
	if err := in.fault(); err != nil {
		return err
	}
	t, err := a.deps.Auth.ExpireTokenOf(r.Context(), by, user, token)
	if err != nil {
		return err
	}
	return a.sendOwnToken(w, t)
}
