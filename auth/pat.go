package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"trento/store"
	"trento/store/fault"
)

// The text of a personal access token is tokenPrefix and 64 random bytes in
// base64.
const (
	tokenPrefix   = store.TokenPrefix
	tokenBytes    = 64 // random bytes
	tokenTextSize = len(tokenPrefix) + (tokenBytes*8+5)/6
)

// MaxTokenDescription is the largest length of a description, in characters.
const MaxTokenDescription = 1000

// newTokenText generates the text of a token. The store keeps only its hash.
func newTokenText() string {
	secret := make([]byte, tokenBytes)
	rand.Read(secret)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

// isPersonalToken reports whether a text begins like a personal access token.
func isPersonalToken(text string) bool { return strings.HasPrefix(text, tokenPrefix) }

func tokenHash(text string) store.TokenHash { return sha512.Sum512([]byte(text)) }

// NewToken is what a user enters to create a token.
type NewToken struct {
	Name, Description string
	Scopes            []string   // nil: the scope "full"
	ExpiresAt         *time.Time // nil: never
	// MayGrantAdministration permits a token that manages users to make them
	// administrators.
	MayGrantAdministration bool
	// Wrong are faults that the caller has found already. They are returned
	// with the others.
	Wrong fault.Errors
}

// TokenChange is a change of a token. Nil fields stay as they are.
type TokenChange struct {
	Name, Description *string
	Scopes            []string
	ExpiresAt         *time.Time // not later than the present expiry
	Endless           bool       // the token never expires any more; possible only if it has no expiry already
	// Wrong are faults that the caller has found already. They are returned
	// with the others.
	Wrong fault.Errors
}

// CreateToken creates a token for the user of id, and returns its text, which is
// shown once. It fails with ErrForbidden if the request itself was made with a
// token, with store.ErrTokensDisabled, and with faults of fields.
func (a *Auth) CreateToken(ctx context.Context, id *Identity, n NewToken) (t *store.Token, text string, err error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, "", err
	}
	if n.Scopes == nil {
		n.Scopes = defaultScopes()
	}
	wrong := fieldFaults{slices.Clone(n.Wrong)}
	n.Name = checkTokenName(n.Name, &wrong)
	n.Description = checkTokenDescription(n.Description, &wrong)
	n.Scopes = a.scopes.normalize(n.Scopes, &wrong)
	n.ExpiresAt = a.checkTokenExpiry(n.ExpiresAt, &wrong)
	if n.MayGrantAdministration && len(wrong.Errors) == 0 && !a.scopes.canChangeUsers(n.Scopes) {
		wrong.Add("may_grant_administration", "has no effect: with these scopes the token cannot change users")
	}
	if err := a.requireTokenConfirmation(ctx, id, &wrong); err != nil {
		return nil, "", err
	}
	if err := wrong.Err(); err != nil {
		return nil, "", err
	}
	text = newTokenText()
	t, err = a.store.CreateToken(ctx, id.Actor(), id.User.ID, store.NewToken{
		Name: n.Name, Description: n.Description, Scopes: n.Scopes, Hash: tokenHash(text), ExpiresAt: n.ExpiresAt,
		MayGrantAdministration: n.MayGrantAdministration,
	})
	return t, text, err
}

// ChangeToken changes a token of the user of id. It fails with ErrForbidden if the
// request itself was made with a token, with store.ErrNotFound, and with faults
// of fields.
func (a *Auth) ChangeToken(ctx context.Context, id *Identity, tokenID string, c TokenChange) (*store.Token, error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, err
	}
	wrong := fieldFaults{slices.Clone(c.Wrong)}
	if c.Name != nil {
		name := checkTokenName(*c.Name, &wrong)
		c.Name = &name
	}
	if c.Description != nil {
		description := checkTokenDescription(*c.Description, &wrong)
		c.Description = &description
	}
	if c.Scopes != nil {
		c.Scopes = a.scopes.normalize(c.Scopes, &wrong)
	}
	c.ExpiresAt = a.checkTokenExpiry(c.ExpiresAt, &wrong)
	if err := a.requireTokenConfirmation(ctx, id, &wrong); err != nil {
		return nil, err
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return a.store.ChangeToken(ctx, id.Actor(), id.User.ID, tokenID, store.TokenChange{Name: c.Name, Description: c.Description, Scopes: c.Scopes, ExpiresAt: c.ExpiresAt, Endless: c.Endless})
}

// RegenerateToken replaces the text of a token of the user of id. The new text
// is shown once, and the former one is refused from now on. With keepExpiry the
// token keeps its expiry. Else it expires at expiresAt, or never if that is
// nil. It fails like ChangeToken, and with store.ErrTokensDisabled.
func (a *Auth) RegenerateToken(ctx context.Context, id *Identity, tokenID string, keepExpiry bool, expiresAt *time.Time) (t *store.Token, text string, err error) {
	if err := id.RequireNoToken(); err != nil {
		return nil, "", err
	}
	var wrong fieldFaults
	expiresAt = a.checkTokenExpiry(expiresAt, &wrong)
	if err := a.requireTokenConfirmation(ctx, id, &wrong); err != nil {
		return nil, "", err
	}
	if err := wrong.Err(); err != nil {
		return nil, "", err
	}
	text = newTokenText()
	t, err = a.store.RegenerateToken(ctx, id.Actor(), id.User.ID, tokenID, tokenHash(text), keepExpiry, expiresAt)
	return t, text, err
}

// ExpireToken makes a token of the user of id expire now. The token stays in
// the list. ExpireToken fails with store.ErrNotFound and, like the functions
// below, with a fault of current_password if the password has to be repeated
// and is missing or wrong.
func (a *Auth) ExpireToken(ctx context.Context, id *Identity, tokenID string) (*store.Token, error) {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return nil, err
	}
	return a.store.ExpireToken(ctx, id.Actor(), id.User.ID, tokenID)
}

// ExpireTokenOf is ExpireToken for the token of another user. The caller must
// have checked that id may manage users.
func (a *Auth) ExpireTokenOf(ctx context.Context, id *Identity, userID int64, tokenID string) (*store.Token, error) {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return nil, err
	}
	return a.store.ExpireToken(ctx, id.Actor(), userID, tokenID)
}

// DeleteTokens deletes tokens of the user of id. If one of them does not exist,
// it deletes none and fails with store.ErrNotFound.
func (a *Auth) DeleteTokens(ctx context.Context, id *Identity, tokenIDs ...string) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteTokens(ctx, id.Actor(), id.User.ID, tokenIDs)
}

// DeleteAllTokens deletes all tokens of the user of id.
func (a *Auth) DeleteAllTokens(ctx context.Context, id *Identity) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteAllTokens(ctx, id.Actor(), id.User.ID)
}

// DeleteTokenOf deletes the token of another user. The caller must have checked
// that id may manage users. It fails with store.ErrNotFound.
func (a *Auth) DeleteTokenOf(ctx context.Context, id *Identity, userID int64, tokenID string) error {
	if err := a.ConfirmToken(ctx, id); err != nil {
		return err
	}
	return a.store.DeleteTokenOf(ctx, id.Actor(), userID, tokenID)
}

// ChangeTokenSettings replaces the settings of personal access tokens. It fails
// with ErrForbidden if the request itself was made with a token, and with
// faults of fields.
func (a *Auth) ChangeTokenSettings(ctx context.Context, id *Identity, s store.TokenSettings) error {
	if err := id.RequireNoToken(); err != nil {
		return err
	}
	return a.store.ChangeTokenSettings(ctx, id.Actor(), s)
}

func checkTokenName(name string, wrong *fieldFaults) string {
	name = store.NormalName(name)
	wrong.checkName("name", name)
	return name
}

func checkTokenDescription(text string, wrong *fieldFaults) string {
	text = store.NormalText(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
	// The rules of names apply, except that several lines are allowed.
	detail := store.CheckName(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))
	if utf8.RuneCountInString(text) > MaxTokenDescription {
		detail = fmt.Sprintf("should be at most %d character(s)", MaxTokenDescription)
	}
	if detail != "" {
		wrong.Add("description", detail)
	}
	return text
}

// normalize checks scopes and returns them in the form in which they are
// stored.
func (s *scopes) normalize(given []string, wrong *fieldFaults) []string {
	given = slices.Compact(slices.Sorted(slices.Values(given)))
	detail := ""
	switch {
	case len(given) == 0:
		detail = "can't be blank"
	case len(given) > maxScopes:
		detail = fmt.Sprintf("should have at most %d item(s)", maxScopes)
	default:
		if i := slices.IndexFunc(given, func(scope string) bool { return !s.isScope(scope) }); i >= 0 {
			runes := []rune(given[i])
			detail = "has an unknown scope: " + string(runes[:min(len(runes), 80)])
		}
	}
	if detail != "" {
		wrong.Add("scopes", detail)
	}
	if slices.Contains(given, scopeFull) {
		return defaultScopes()
	}
	return given
}

// checkTokenExpiry checks that an expiry is in the future and returns it in its
// stored form. The store checks it again with its own clock.
func (a *Auth) checkTokenExpiry(end *time.Time, wrong *fieldFaults) *time.Time {
	if end != nil && !end.After(a.now()) {
		wrong.Add("expires_at", "must be in the future")
	}
	return toMicroseconds(end)
}

// toMicroseconds returns a time in UTC, cut to microseconds, the precision of
// the API.
func toMicroseconds(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	cut := t.UTC().Truncate(time.Microsecond)
	return &cut
}

// RequireNoToken fails with ErrForbidden if the request was made with a token.
// A stolen token must not be able to create its successor or take over the
// account.
func (id *Identity) RequireNoToken() error {
	if id.Token != nil {
		return ErrForbidden
	}
	return nil
}
